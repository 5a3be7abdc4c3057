"""Hyperliquid's streams as the sandbox plays them: trades, candles, and how an instrument stands.

Documentation: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket, its pages about
subscriptions, heartbeats and limits; refusals and hang-ups as they were observed in 2026. A topic here is the text of a
subscription as it is acknowledged.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.exchanges.hyperliquid.simulated_history import INTERVALS, row
from marketcli.exchanges.hyperliquid.simulated_requests import LINEAR, SPOT, find, native, over
from marketcli.exchanges.hyperliquid.simulated_state import context, spot_context, trade
from marketcli.models import MILLISECOND, SECOND, Window
from marketcli.simulator import Frame, Heard, Outlet, beats
from marketcli.spec import Budget

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from marketcli.world import Listing, World

PATH = "/ws"
OPENING = Budget("stream connections", limit=30, seconds=60)
MOST = 1_000  # subscriptions
FEW = 3  # past trades that a subscription begins with
EACH = 1.0  # seconds between two states
QUIET = 60.0  # seconds
HANG_UP = 1006  # without a word


# --- messages of clients


class Trades(msgspec.Struct, frozen=True, tag_field="type", tag="trades"):
    """A subscription to trades."""

    coin: str


class Candles(msgspec.Struct, frozen=True, tag_field="type", tag="candle"):
    """A subscription to candles."""

    interval: str
    coin: str


class State(msgspec.Struct, frozen=True, tag_field="type", tag="activeAssetCtx"):
    """A subscription to how an instrument stands, on perpetuals and spot."""

    coin: str


class Begin(msgspec.Struct, frozen=True, tag_field="method", tag="subscribe"):
    """The wish to be told."""

    subscription: Trades | Candles | State


class End(msgspec.Struct, frozen=True, tag_field="method", tag="unsubscribe"):
    """The wish to be told no more."""

    subscription: Trades | Candles | State


class Ping(msgspec.Struct, frozen=True, tag_field="method", tag="ping"):
    """A sign of life."""


def hear(text: str, topics: Sequence[str], world: World) -> Heard:
    """What a message does."""
    try:
        asked = msgspec.json.decode(text, type=Begin | End | Ping)
    except (msgspec.DecodeError, RecursionError):
        return refused(f"Error parsing JSON into valid websocket request: {text}")
    if isinstance(asked, Ping):
        return Heard(replies=('{"channel":"pong"}',))
    topic, done = msgspec.json.encode(asked.subscription).decode(), message("subscriptionResponse", asked)
    if isinstance(asked, End):
        return Heard((done,), end=(topic,)) if topic in topics else refused(f"Already unsubscribed: {topic}")
    return fault(asked.subscription, topic, topics, world=world) or Heard((done,), begin=(topic,))


def fault(wanted: Trades | Candles | State, topic: str, topics: Sequence[str], *, world: World) -> Heard | None:
    """What is wrong with a subscription, if anything; a coin that does not exist ends the connection."""
    if topic in topics:
        return refused(f"Already subscribed: {topic}")
    if find(world, wanted.coin, LINEAR, SPOT) is None:
        return Heard(close=HANG_UP)
    if isinstance(wanted, Candles) and wanted.interval not in INTERVALS:
        return refused(f"Invalid subscription {topic}")
    return refused(f"Cannot subscribe to more than {MOST} channels.") if len(topics) >= MOST else None


def refused(text: str) -> Heard:
    """An error that leaves the connection open."""
    return Heard(replies=(message("error", text),))


def message(channel: str, data: Any) -> str:
    """A frame."""
    return msgspec.json.encode({"channel": channel, "data": data}).decode()


# --- frames


def first(topic: str, world: World) -> Iterable[str]:
    """A few past trades, before anything new; whether states come at once is not documented."""
    wanted, listing = chosen(topic, world)
    if not isinstance(wanted, Trades):
        return ()
    ahead = world.at(world.now() + SECOND)  # so that the second which has begun is known
    end = ahead.next_id(listing, world.now())
    past = ahead.trades_from(listing, max(1, end - FEW), min(FEW, end - 1))
    return (message("trades", [trade(one, listing) for one in past]),) if past else ()


def frames(topic: str, world: World, window: Window, pace: float) -> Iterable[Frame]:
    """What is sent inside a window."""
    wanted, listing = chosen(topic, world)
    if isinstance(wanted, Trades):
        return trade_frames(listing, world, window)
    if isinstance(wanted, Candles):
        return candle_frames(listing, world, window, interval=wanted.interval, pace=pace)
    return state_frames(listing, world, window, pace=pace)


def chosen(topic: str, world: World) -> tuple[Trades | Candles | State, Listing]:
    """What a topic is about; all topics are of instruments there are."""
    wanted = msgspec.json.decode(topic, type=Trades | Candles | State)
    listing = find(world, wanted.coin, LINEAR, SPOT)
    if listing is None:
        raise TypeError(topic)
    return wanted, listing


def trade_frames(listing: Listing, world: World, window: Window) -> Iterator[Frame]:
    """The trades of a moment together, as those of a block come."""
    made = world.at(window.end + SECOND).trades(listing, window)  # the second that has begun, too
    for time, block in groupby(made, key=lambda one: one.time):
        yield Frame(time, message("trades", [trade(one, listing) for one in block]))


def candle_frames(listing: Listing, world: World, window: Window, *, interval: str, pace: float) -> Iterator[Frame]:
    """The candle of each moment; at its end once more as it stayed, before the one that follows."""
    length = INTERVALS[interval]
    times = set(beats(window, EACH / pace))
    end = length.ceil(window.start)
    while end < window.end:
        times.add(end)
        end = length.step(end)
    for time in sorted(times):
        if listing.expiry is None or time <= listing.expiry:
            for bar in world.at(time).candles(listing, length, Window(length.floor(time - MILLISECOND), time + 1)):
                yield Frame(time, message("candle", row(bar, listing, length)))


def state_frames(listing: Listing, world: World, window: Window, *, pace: float) -> Iterator[Frame]:
    """How an instrument stands, until it is delisted; of spot on a channel of another name."""
    spot = listing.market is SPOT
    channel, stands = ("activeSpotAssetCtx", spot_context) if spot else ("activeAssetCtx", context)
    coin = native(listing)
    for time in beats(window, EACH / pace):
        then = world.at(time)
        if not over(then, listing):
            yield Frame(time, message(channel, {"coin": coin, "ctx": stands(then, listing)}))


def outlet(host: str) -> Outlet:
    """The one address of an installation.

    The exchange hangs up where it had nothing to send for a minute, answers to pings included. Here that is a minute in
    which the client said nothing, whatever was sent to it: those that ping, as they are told to, see no difference.
    """
    return Outlet(host, PATH, hear, frames, OPENING, first=first, idle=QUIET, idle_code=HANG_UP)
