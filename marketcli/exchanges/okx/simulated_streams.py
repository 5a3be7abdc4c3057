"""OKX's sockets as the sandbox plays them: the channels of each, subscriptions, refusals, keeping alive.

Documentation: https://www.okx.com/docs-v5/en/#overview-websocket and #error-code-websocket.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.exchanges.okx.simulated_candles import BARS, PRICE_BARS, indexed
from marketcli.exchanges.okx.simulated_candles import SECOND as SECONDS
from marketcli.exchanges.okx.simulated_derivatives import coming, marked, swap_of
from marketcli.exchanges.okx.simulated_frames import (
    FORCED,
    Stream,
    argument,
    as_index,
    as_interest,
    asking,
    candle,
    contract_of,
    forced,
    merged,
    single,
    state,
)
from marketcli.exchanges.okx.simulated_market import ticker
from marketcli.exchanges.okx.simulated_requests import listing_of
from marketcli.simulator import Heard, Outlet, Refusal
from marketcli.spec import Budget

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from marketcli.models import Window
    from marketcli.simulator import Frame
    from marketcli.world import World

# The world's prices move once a second, so what OKX sends when it has changed is sent so often.
PUBLIC = {
    "trades": Stream(listing_of, merged),
    "tickers": state(listing_of, ticker, 1.0),
    "mark-price": state(contract_of, marked, 1.0),
    "index-tickers": state(indexed, as_index, 1.0),
    "funding-rate": state(swap_of, coming, 60.0),
    "open-interest": state(contract_of, as_interest, 3.0),
    FORCED: Stream(listing_of, forced),
}
BUSINESS = (
    {"trades-all": Stream(listing_of, single)}
    | {f"candle{bar}": candle("trade", grid) for bar, grid in (BARS | {"1s": SECONDS}).items()}
    | {f"mark-price-candle{bar}": candle("mark", grid) for bar, grid in PRICE_BARS.items()}
    | {f"index-candle{bar}": candle("index", grid) for bar, grid in PRICE_BARS.items()}
)
CHANNELS = PUBLIC | BUSINESS
TYPES = ("SWAP", "FUTURES", "MARGIN", "OPTION")
LONGEST = 64 * 1024  # bytes of a message
CONNECTION = "a4d3ae55"

# --- what is heard, and what is said to it


def said(event: str, request: str | None, **more: Any) -> str:
    """An event; it names the request if that had a name."""
    named = {} if request is None else {"id": request}
    return msgspec.json.encode(named | {"event": event} | more | {"connId": CONNECTION}).decode()


def error(code: int, text: str, request: str | None = None) -> str:
    """A refusal."""
    return said("error", request, code=str(code), msg=text)


class Message(msgspec.Struct):
    """A request."""

    op: str
    args: Any
    id: str | None = None


def hear(text: str, topics: Sequence[str], world: World, *, business: bool) -> Heard:
    """What comes of a message to one of the sockets."""
    if text == "ping":
        return Heard(("pong",))
    try:
        message = msgspec.json.decode(text, type=Message)
    except msgspec.DecodeError:
        return Heard((error(60012, f"Invalid request: {text}"),))
    if message.op not in {"subscribe", "unsubscribe"}:
        return Heard((error(60012, f"Invalid request: {text}", message.id),))
    wanted = named(message.args) if len(text) <= LONGEST else None
    if wanted is None:
        return Heard((error(60013, "Invalid args", message.id),))
    replies, granted = [], []
    for topic in wanted:
        refused = refusal(topic, world, business=business) if message.op == "subscribe" else None
        if refused is None:
            granted.append(topic)
        replies.append(
            said(message.op, message.id, arg=argument(topic)) if refused is None else error(*refused, message.id)
        )
    if message.op == "unsubscribe":
        return Heard(tuple(replies), end=tuple(topic for topic in granted if topic in topics))
    return Heard(tuple(replies), begin=tuple(topic for topic in dict.fromkeys(granted) if topic not in topics))


def named(args: Any) -> list[str] | None:
    """The topics of a request; None if they are none."""
    if not isinstance(args, list) or not args:
        return None
    found = []
    for one in args:
        if not isinstance(one, dict) or not isinstance(channel := one.get("channel"), str):
            return None
        name = one.get("instType" if channel == FORCED else "instId", "")
        if not isinstance(name, str):
            return None
        found.append(f"{channel}:{name}")
    return found


def refusal(topic: str, world: World, *, business: bool) -> tuple[int, str] | None:
    """Why a topic is refused, if it is."""
    channel = topic.partition(":")[0]
    if channel == "trades-all" and not business:
        return 64001, "This channel has been migrated to the '/business' URL. Please subscribe using the new URL."
    if channel in PUBLIC and business:
        return 64002, 'This channel is not supported by "/business" URL. Please use "/private" or "/public" URL.'
    # As recorded in September 2026: candles are unknown to the other socket, not moved.
    if channel in (BUSINESS if business else PUBLIC) and known(topic, world):
        return None
    what = ",".join(f"{key}:{value}" for key, value in argument(topic).items())
    return 60018, (
        f"Wrong URL or {what} doesn't exist. Please use the correct URL, channel and parameters referring to API"
        " document."
    )


def known(topic: str, world: World) -> bool:
    """Whether what a topic is about exists."""
    channel, _, name = topic.partition(":")
    if channel == FORCED:
        return name in TYPES
    try:
        CHANNELS[channel].about(asking(topic, world))
    except Refusal:
        return False
    return True


# --- outlets


def frames(topic: str, world: World, window: Window, pace: float) -> Iterable[Frame]:
    """What is sent of a topic."""
    return CHANNELS[topic.partition(":")[0]].frames(topic, world, window, pace)


def first(topic: str, world: World) -> Iterable[str]:
    """What is sent at once."""
    return CHANNELS[topic.partition(":")[0]].first(topic, world)


def leaving(_: World) -> str:
    """What is said a minute before a planned end."""
    text = "The connection will soon be closed for a service upgrade. Please reconnect."
    return said("notice", None, code="64008", msg=text)


OPENING = Budget("connections", limit=3, seconds=1)
HOSTS = ("ws.okx.com", "wseea.okx.com", "wsus.okx.com", "wspap.okx.com")
OUTLETS = tuple(
    Outlet(
        host,
        f"/ws/v5/{path}",
        partial(hear, business=path == "business"),
        frames,
        OPENING,
        first=first,
        idle=30.0,
        idle_code=4004,
        leaving=leaving if path == "public" else None,  # "for now", as the documentation says
    )
    for host in HOSTS
    for path in ("public", "business")
)
