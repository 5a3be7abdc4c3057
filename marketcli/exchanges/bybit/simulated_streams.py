"""Bybit's streams as the sandbox plays them: addresses, subscriptions, refusals.

Documentation: https://bybit-exchange.github.io/docs/v5/ws/connect, read in 2026. Refusals are worded as Bybit was heard
to word them in 2026; that of too many characters is ours.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.exchanges.bybit.simulated_candles import INTERVALS
from marketcli.exchanges.bybit.simulated_frames import (
    candle_frames,
    candle_now,
    liquidation_frames,
    ticker_frames,
    ticker_now,
    trade_frames,
)
from marketcli.exchanges.bybit.simulated_requests import SPOT, native
from marketcli.models import SECOND, Market, Window
from marketcli.simulator import Frame, Heard, Outlet
from marketcli.spec import Budget

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from marketcli.world import Listing, World

HOSTS = ("stream.bybit.com", "stream-testnet.bybit.com")
OPENING = Budget("stream connections", limit=500, seconds=300)
IDLE = 600.0  # seconds of silence after which a client is cut
CHARACTERS = 21_000  # of all topics of a connection
SPOT_TOPICS = 10  # in one request


class Request(msgspec.Struct):
    """What a client says."""

    op: str = ""
    args: tuple[str, ...] = ()
    req_id: str | int = ""  # clients number their requests with either; the answer has a text


def hear(market: Market, text: str, topics: Sequence[str], world: World) -> Heard:
    """The answer to a message, and what it begins or ends."""
    try:
        request = msgspec.json.decode(text, type=Request)
    except msgspec.DecodeError as error:
        return Heard((answer(market, Request(), f"Failed to decode incoming data:{error}", success=False),))
    if request.op == "ping":
        return Heard((answer(market, request, "pong"),))
    if request.op == "unsubscribe":
        return Heard((answer(market, request),), end=request.args)
    why = "error:invalid op" if request.op != "subscribe" else refusal(market, request.args, topics, world=world)
    if why:
        return Heard((answer(market, request, why, success=False),))
    return Heard((answer(market, request, "subscribe" if market is SPOT else ""),), begin=request.args)


def answer(market: Market, request: Request, message: str = "", *, success: bool = True) -> str:
    """An answer; the number of a request comes back if it had one."""
    document: dict[str, Any] = {"success": success, "ret_msg": message, "conn_id": f"sandbox-{market}"}
    number = {"req_id": str(request.req_id)} if request.req_id else {}
    return msgspec.json.encode(document | number | {"op": request.op}).decode()


def refusal(market: Market, wanted: Sequence[str], topics: Sequence[str], *, world: World) -> str:
    """Why a request for topics is refused, nothing if it is not: one wrong topic is enough."""
    if not wanted:
        return "Params Error"
    if market is SPOT and len(wanted) > SPOT_TOPICS:
        return f"args size >{SPOT_TOPICS}"
    if sum(map(len, (*topics, *wanted))) > CHARACTERS:
        return "error:args of a connection are too long"
    for place, topic in enumerate(wanted):
        if topic in topics or topic in wanted[:place]:
            return f"error:already subscribed,topic:{topic}"
        listing = subject(market, topic, world)
        if listing is None or (listing.expiry is not None and listing.expiry <= world.now()):
            return f"Invalid symbol :[{topic}]" if market is SPOT else f"error:handler not found,topic:{topic}"
    return ""


def subject(market: Market, topic: str, world: World) -> Listing | None:
    """The instrument a topic is about; nothing if there is no such topic."""
    kind, *words = topic.split(".")
    known = {"publicTrade": 1, "tickers": 1, "kline": 2} | ({} if market is SPOT else {"allLiquidation": 1})
    if known.get(kind) != len(words) or (kind == "kline" and words[0] not in INTERVALS):
        return None
    return next((listing for listing in world.listings(market) if native(listing) == words[-1]), None)


def first(market: Market, topic: str, world: World) -> Iterable[str]:
    """What is sent when a topic begins: the ticker, or the open candle; nothing before an instrument trades."""
    listing, kind = subject(market, topic, world), topic.partition(".")[0]
    if listing is None or world.now() < listing.listed:
        return []
    if kind == "tickers":
        return [ticker_now(topic, listing, world).text]
    return [frame.text for frame in candle_now(topic, listing, world)] if kind == "kline" else []


def frames(market: Market, topic: str, world: World, window: Window, pace: float) -> Iterable[Frame]:
    """What is sent of a topic while its instrument trades; its last candle and liquidations come at the end of that."""
    listing, kind = subject(market, topic, world.at(window.start - SECOND)), topic.partition(".")[0]
    if listing is None:
        return ()
    states = kind in {"kline", "tickers"}
    end = window.end if listing.expiry is None else listing.expiry + (1 if states else SECOND)
    lived = Window(max(window.start, listing.listed), min(window.end, end))
    if lived.start >= lived.end:
        return ()
    if not states:
        make = trade_frames if kind == "publicTrade" else liquidation_frames
        return make(topic, listing, world, window=lived)
    show = candle_frames if kind == "kline" else ticker_frames
    return show(topic, listing, world, window=lived, pace=pace)


OUTLETS = tuple(
    Outlet(
        host=host,
        path=f"/v5/public/{market}",
        hear=partial(hear, market),
        frames=partial(frames, market),
        opening=OPENING,
        first=partial(first, market),
        idle=IDLE,
    )
    for host in HOSTS
    for market in Market
)
