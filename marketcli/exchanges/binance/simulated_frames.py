"""What Binance's streams say as the sandbox plays them: the events of a topic inside a window of time.

Documentation: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams and the pages "WebSocket
Market Streams" of USD-M and COIN-M futures beside it. States are those of the REST answers of the same moment.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from marketcli.exchanges.binance.simulated_candles import row
from marketcli.exchanges.binance.simulated_requests import INVERSE, LINEAR, SPOT, native
from marketcli.exchanges.binance.simulated_tickers import NOBODY, price_digits, quantity
from marketcli.exchanges.binance.simulated_trades import merged, trade
from marketcli.models import MILLISECOND, MINUTE, SECOND, Interval, Market, Micros, Window
from marketcli.simulator import beats, decimal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from marketcli.world import Bar, Liquidation, Listing, World

Document: TypeAlias = "dict[str, Any]"
FAMILIES: Mapping[Market, Document] = {SPOT: {}, LINEAR: {"st": 1}, INVERSE: {"st": 2}}  # what an event is about


class Event(NamedTuple):
    """What is sent, and when."""

    time: Micros
    document: Document | list[Document]


class Scene(NamedTuple):
    """What events are asked for: of a world, inside a window, states so many times as often as usual."""

    world: World
    window: Window
    pace: float

    def moments(self, every: float) -> range:
        """The moments at which a state is sent that is usually sent every so many seconds."""
        return beats(self.window, every / self.pace)

    def told(self, step: Micros) -> Window:
        """When happened what is sent inside the window, if it is sent at the end of the step that it happened in."""
        start, end = (-(-time // step) * step - step for time in (self.window.start, self.window.end))
        return Window(start, end)

    @property
    def settled(self) -> World:
        """The world when all of the window is known: what happens inside a second is known at its end."""
        return self.world.at(-(-self.window.end // SECOND) * SECOND)


@lru_cache(maxsize=32)
def listed_in(world: World, market: Market, minute: Micros) -> Mapping[str, Listing]:
    """What is listed, by Binance's name; things are listed and taken from lists on the minute."""
    return {native(one): one for one in world.at(minute).listings(market)}


def listed(world: World, market: Market, time: Micros) -> Mapping[str, Listing]:
    """What was listed a second before a moment: of what ended just now, the last second is still to be told."""
    return listed_in(world, market, (time - SECOND) // MINUTE * MINUTE)


def listings(scene: Scene, *markets: Market) -> Mapping[str, Listing]:
    """What is listed at any moment of a scene, in the order of names."""
    ends = (scene.window.start, scene.window.end + SECOND)
    found = {
        name: one for market in markets for time in ends for name, one in listed(scene.world, market, time).items()
    }
    return dict(sorted(found.items()))


def there(scene: Scene, listing: Listing, time: Micros) -> bool:
    """Whether it is listed at a moment, and was traded once."""
    return listing.listed <= time and native(listing) in listed(scene.world, listing.market, time)


def known(listing: Listing) -> Document:
    """What many events of futures say of their instrument."""
    pair = {} if listing.market is SPOT else {"ps": listing.base + listing.quote}
    return {"s": native(listing)} | pair


def after(time: Micros, step: Micros) -> Micros:
    """The end of the step that a moment lies in."""
    return time // step * step + step


# --- trades

TENTH = 100 * MILLISECOND  # futures tell merged trades ten times a second; the rest is told at once


def merged_trades(scene: Scene, listing: Listing) -> Iterator[Event]:
    """Merged trades."""
    step = MILLISECOND if listing.market is SPOT else TENTH
    for one in scene.settled.trades(listing, scene.told(step)):
        sent = after(one.time, step)
        head = {"e": "aggTrade", "E": sent // MILLISECOND, "s": native(listing)}
        yield Event(sent, head | merged(listing, one) | FAMILIES[listing.market])


def single_trades(scene: Scene, listing: Listing) -> Iterator[Event]:
    """Single trades, which futures have without documenting it."""
    for one in scene.settled.trades(listing, scene.told(MILLISECOND)):
        sent, said = after(one.time, MILLISECOND), trade(listing, one)
        yield Event(
            sent,
            {"e": "trade", "E": sent // MILLISECOND, "s": native(listing), "t": one.id, "p": said["price"]}
            | {"q": said["qty"], "T": said["time"], "m": said["isBuyerMaker"]}
            | ({"M": True} if listing.market is SPOT else {"X": "MARKET"}),
        )


# --- liquidations


def largest(found: list[Liquidation]) -> list[Liquidation]:
    """The largest of each second, which is all that Binance shows; of equal ones the first."""
    seconds: dict[Micros, Liquidation] = {}
    for one in found:
        before = seconds.get(one.time // SECOND)
        if before is None or one.value > before.value:
            seconds[one.time // SECOND] = one
    return list(seconds.values())


def liquidations(scene: Scene, listing: Listing) -> Iterator[Event]:
    """Liquidations, at the end of each second: the order that closed a position, and what it came to."""
    digits = price_digits(listing)
    for one in largest(scene.settled.liquidations(listing, scene.told(SECOND))):
        sent = after(one.time, SECOND)
        size = quantity(listing, NOBODY._replace(size=one.size, contracts=one.contracts))
        order = {
            "s": native(listing),
            "S": "SELL" if one.liquidated == "long" else "BUY",
            "o": "LIMIT",
            "f": "IOC",
            "q": size,
            "p": decimal(one.bankrupt, digits),
            "ap": decimal(one.price, digits),
            "X": "FILLED",
            "l": size,
            "z": size,
            "T": one.time // MILLISECOND,
        }
        order |= known(listing) | FAMILIES[listing.market]
        yield Event(sent, {"e": "forceOrder", "E": sent // MILLISECOND, "o": order})


def all_liquidations(scene: Scene) -> Iterator[Event]:
    """Liquidations of both kinds of futures, in order of time."""
    known = listings(scene, LINEAR, INVERSE).values()
    found = [event for listing in known for event in liquidations(scene, listing)]
    yield from sorted(found, key=lambda event: event.time)


# --- candles


def candles(scene: Scene, listing: Listing, interval: Interval, every: float) -> Iterator[Event]:
    """Candles: every one when it closes, and the open one as it is."""
    moments = scene.moments(every)
    for time in sorted({*closings(interval, scene.window), *moments}):
        world, opened = scene.world.at(time), interval.floor(time)
        closed = [interval.step(opened, -1)] if time == opened else []
        for first in [*closed, *([opened] if time in moments else [])]:
            if there(scene, listing, time):
                for bar in world.candles(listing, interval, Window(first, first + 1)):
                    begin = first_id(scene.world, listing, bar.time) if bar.trades else -1
                    yield Event(time, candle(listing, bar, interval, sent=time, first=begin))


def closings(interval: Interval, window: Window) -> Iterator[Micros]:
    """When candles close inside a window."""
    time = interval.ceil(window.start)
    while time < window.end:
        yield time
        time = interval.step(time)


@lru_cache(maxsize=256)
def first_id(world: World, listing: Listing, opened: Micros) -> int:
    """The id of the first trade of a candle that has one; it takes longer to find than all the rest."""
    return world.next_id(listing, opened)


def candle(listing: Listing, bar: Bar, interval: Interval, *, sent: Micros, first: int) -> Document:
    """A candle as it is when it is sent; one without trades has no ids."""
    opened, *ohlc, volume, closes, value, count, taker, taker_value, _ = row(bar, listing, interval, price="trade")
    found = {"t": opened, "T": closes, "s": native(listing), "i": str(interval)}
    found |= {"f": first, "L": first + max(0, bar.trades - 1)} | dict(zip("ohlc", ohlc, strict=True))
    found |= {"v": volume, "n": count, "x": bar.closed, "q": value, "V": taker, "Q": taker_value, "B": "0"}
    return {"e": "kline", "E": sent // MILLISECOND, "s": native(listing), "k": found}
