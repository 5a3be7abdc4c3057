"""Binance's sockets as the sandbox plays them: addresses, messages of clients, and which streams come from where.

Documentation: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams, and of futures
https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams with its "Important
WebSocket Change Notice": since 2026-04-23 books come from /public and all the rest from /market, an address with
neither is as /public, and what an address does not serve is acknowledged there and never comes.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from marketcli.exchanges.binance import simulated_frames as told
from marketcli.exchanges.binance import simulated_states as states
from marketcli.exchanges.binance.simulated_candles import INTERVALS
from marketcli.exchanges.binance.simulated_frames import Event, Scene
from marketcli.exchanges.binance.simulated_requests import INVERSE, LINEAR, SPOT
from marketcli.models import DAY, MILLISECOND, SECOND, Market, Window
from marketcli.simulator import Frame, Heard, Outlet
from marketcli.spec import Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from marketcli.world import Listing, World

Single: TypeAlias = "Callable[[Scene, Listing], Iterator[Event]]"
Whole: TypeAlias = "Callable[[Scene], Iterator[Event]]"

CONNECTIONS = Budget("stream connections", limit=300, seconds=300)
MOST = 1_024  # streams on a connection


# --- which streams there are


class Streams(NamedTuple):
    """What an address serves: streams of the instruments of a market, by what follows the @, and those about all."""

    market: Market
    singles: Mapping[str, Single]
    wholes: Mapping[str, Whole]

    def events(self, topic: str, scene: Scene) -> Iterator[Event]:
        """What a topic sends; nothing where there is no such topic or instrument."""
        if topic in self.wholes:
            yield from self.wholes[topic](scene)
            return
        name, _, suffix = topic.partition("@")
        if suffix in self.singles:
            named = {native.lower(): listing for native, listing in told.listings(scene, self.market).items()}
            if name in named:
                yield from self.singles[suffix](scene, named[name])


def klines(market: Market, every: Callable[[str], float]) -> Mapping[str, Single]:
    """Candles of all intervals, each sent every so many seconds."""
    return {
        f"kline_{name}": partial(told.candles, interval=interval, every=every(name))
        for name, interval in INTERVALS[market].items()
    }


def tickers(every: float) -> Mapping[str, Single]:
    """Both kinds of tickers of an instrument."""
    return {
        "ticker": partial(states.tickers, every=every, say=states.full),
        "miniTicker": partial(states.tickers, every=every, say=states.short),
    }


FUTURES = (LINEAR, INVERSE)  # both come on the hosts of both since 2026-06-30
BOOK_SECONDS = 0.1  # the world's book changes so often
MARK = {"markPrice": 3.0, "markPrice@1s": 1.0}
BOOKS: Mapping[str, Single] = {
    "bookTicker": partial(states.bests, every=BOOK_SECONDS),
    "trade": told.single_trades,  # futures do not document it; some clients read it beside their books
}
SPOT_STREAMS = Streams(
    SPOT,
    {
        "aggTrade": told.merged_trades,
        **BOOKS,
        **klines(SPOT, lambda name: 1.0 if name == "1s" else 2.0),
        **tickers(1.0),
    },
    {"!miniTicker@arr": partial(states.lists, markets=(SPOT,), every=1.0, say=states.short, counts=states.changed)},
)
ALL_CONTRACTS: Mapping[str, Whole] = {
    "!forceOrder@arr": told.all_liquidations,
    "!ticker@arr": partial(states.lists, markets=FUTURES, every=1.0, say=states.full, counts=states.changed),
    "!miniTicker@arr": partial(states.lists, markets=FUTURES, every=1.0, say=states.short, counts=states.changed),
    "!markPrice@arr": partial(states.lists, markets=FUTURES, every=3.0, say=states.mark, counts=told.there),
    "!markPrice@arr@1s": partial(states.lists, markets=FUTURES, every=1.0, say=states.mark, counts=told.there),
}
CONTRACTS: Mapping[str, Single] = {
    "aggTrade": told.merged_trades,
    "forceOrder": told.liquidations,
    **klines(LINEAR, lambda _: 0.25),
    **{name: partial(states.marks, every=every) for name, every in MARK.items()},
}
MARKET_STREAMS = Streams(LINEAR, {**CONTRACTS, **tickers(2.0)}, ALL_CONTRACTS)
PUBLIC_STREAMS = Streams(LINEAR, BOOKS, {})
INVERSE_STREAMS = Streams(INVERSE, {**CONTRACTS, **BOOKS, **tickers(0.5)}, ALL_CONTRACTS)


def frames(
    topic: str, world: World, window: Window, pace: float, *, streams: Streams, combined: bool
) -> Iterator[Frame]:
    """The frames of a topic inside a window, in a wrapper that names it if they come combined."""
    for time, document in streams.events(topic, Scene(world, window, pace)):
        wrapped = {"stream": topic, "data": document} if combined else document
        yield Frame(time, msgspec.json.encode(wrapped).decode())


# --- what clients say


class Message(msgspec.Struct, frozen=True):
    """What a client asks for."""

    method: str
    id: int | str | None
    params: list[Any] = []


METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
NUMBERED = re.compile(r"[A-Za-z0-9_-]{1,36}")


def said(document: Mapping[str, Any]) -> str:
    """A frame of the exchange."""
    return msgspec.json.encode(document).decode()


def failed(code: int, text: str, **more: Any) -> Heard:
    """An error; the exchange does not always name the message it is about."""
    return Heard((said({"code": code, "msg": text} | more),))


def hear(text: str, topics: Sequence[str], _: World) -> Heard:
    """What comes of a message: unknown topics are acknowledged like any other."""
    try:
        message = msgspec.json.decode(text, type=Message)
    except msgspec.ValidationError as error:
        return failed(2, f"Invalid request: {error}")
    except msgspec.DecodeError:
        return failed(3, "Invalid JSON: expected value at line 1 column 1")
    if message.method not in METHODS:
        variants = ", ".join(f"`{name}`" for name in METHODS)
        return failed(2, f"Invalid request: unknown variant `{message.method}`, expected one of {variants}")
    if isinstance(message.id, str) and not NUMBERED.fullmatch(message.id):
        return failed(2, "Invalid request: request ID must be an unsigned integer")
    return obeyed(message, topics)


def obeyed(message: Message, topics: Sequence[str]) -> Heard:
    """What comes of a message that can be understood; of properties this exchange knows none."""
    if message.method == "LIST_SUBSCRIPTIONS":
        return Heard((said({"result": list(topics), "id": message.id}),))
    if message.method in {"SET_PROPERTY", "GET_PROPERTY"}:
        return failed(0, "Unknown property", id=message.id)
    if not all(isinstance(topic, str) for topic in message.params):
        return failed(2, "Invalid request: property name must be a string", id=message.id)
    wanted = tuple(dict.fromkeys(message.params))
    done = (said({"result": None, "id": message.id}),)
    if message.method == "UNSUBSCRIBE":
        return Heard(done, end=tuple(topic for topic in wanted if topic in topics))
    new = tuple(topic for topic in wanted if topic not in topics)
    return Heard(close=1008) if len(topics) + len(new) > MOST else Heard(done, begin=new)


# --- addresses


def raw_topics(path: str, _: str) -> tuple[str, ...]:
    """The topics of an address like /ws/btcusdt@aggTrade/btcusdt@kline_1m."""
    return split(path.partition("/ws/")[2])


def combined_topics(_: str, query: str) -> tuple[str, ...]:
    """The topics of an address like /stream?streams=btcusdt@aggTrade/btcusdt@kline_1m."""
    parts = (part.partition("=") for part in query.split("&"))
    return split("/".join(value for name, _, value in parts if name == "streams"))


def split(text: str) -> tuple[str, ...]:
    """Topics with a stroke between them, however they are written in an address."""
    plain = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode())
    return tuple(dict.fromkeys(topic for topic in plain.decode(errors="replace").split("/") if topic))


def leaving(world: World, *, combined: bool) -> str:
    """What spot says before it closes."""
    event = {"e": "serverShutdown", "E": world.now() // MILLISECOND}
    return said({"stream": "!serverShutdown", "data": event} if combined else event)


def outlets(host: str, streams: Streams, prefix: str = "") -> tuple[Outlet, ...]:
    """The addresses of a host that serve the same: of plain frames, and of frames in a wrapper."""
    spot = streams.market is SPOT
    found = []
    for path, combined, begin in (
        ("/ws", False, raw_topics),
        ("/ws/*", False, raw_topics),
        ("/stream", True, combined_topics),
    ):
        found.append(
            Outlet(
                host,
                prefix + path,
                hear,
                partial(frames, streams=streams, combined=combined),
                CONNECTIONS,
                begin=begin,
                pings=20.0 if spot else 180.0,
                life=DAY / SECOND,
                leaving=partial(leaving, combined=combined) if spot else None,
            )
        )
    return tuple(found)


SPOT_HOSTS = (
    "stream.binance.com",
    "data-stream.binance.vision",
    "stream.testnet.binance.vision",
    "demo-stream.binance.com",
)
LINEAR_HOSTS = ("fstream.binance.com", "demo-fstream.binance.com")
INVERSE_HOSTS = ("dstream.binance.com", "demo-dstream.binance.com")
LINEAR_STREAMS = (("", PUBLIC_STREAMS), ("/public", PUBLIC_STREAMS), ("/market", MARKET_STREAMS))
OUTLETS = (
    *(outlet for host in SPOT_HOSTS for outlet in outlets(host, SPOT_STREAMS)),
    *(outlet for host in LINEAR_HOSTS for prefix, one in LINEAR_STREAMS for outlet in outlets(host, one, prefix)),
    *(outlet for host in INVERSE_HOSTS for outlet in outlets(host, INVERSE_STREAMS)),
)
