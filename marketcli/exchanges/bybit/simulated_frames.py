"""What Bybit's streams send, as the sandbox plays them: trades, candles, liquidations and tickers.

Documentation: https://bybit-exchange.github.io/docs/v5/websocket/public/trade, kline, all-liquidation and ticker
"""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.exchanges.bybit import simulated_tickers
from marketcli.exchanges.bybit.simulated_candles import INTERVALS, row
from marketcli.exchanges.bybit.simulated_market import SIDES, size, trade
from marketcli.exchanges.bybit.simulated_requests import SPOT, native
from marketcli.models import MILLISECOND, SECOND, Interval, Micros, Window
from marketcli.simulator import Ask, Frame, beats, decimal, places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from marketcli.world import Bar, Liquidation, Listing, Trade, World

LATE = 3 * MILLISECOND  # after which a trade is sent
BATCHES = SECOND // 2  # liquidations are sent together, twice a second
CANDLES = 1.0  # seconds between two frames of an open candle
TICKERS = {True: 0.05, False: 0.1}  # seconds between two frames of a ticker on spot, and elsewhere
SLOWEST = 1.0  # of a ticker, however slow the pace: what it says changes once a second, but for the book
ALWAYS = ("symbol", "bid1Price", "bid1Size", "ask1Price", "ask1Size")  # in every delta
SPOT_FIELDS = (
    *("symbol", "lastPrice", "highPrice24h", "lowPrice24h", "prevPrice24h", "volume24h", "turnover24h"),
    *("price24hPcnt", "usdIndexPrice"),
)


def complete(world: World, time: Micros) -> World:
    """The world once the second before a moment is over: it tells of trades by whole seconds."""
    return world.at(-(-time // SECOND) * SECOND)


def written(topic: str, kind: str, time: Micros, *, data: Any, **more: Any) -> Frame:
    """A frame of data, and when it is sent."""
    document = {"topic": topic, "type": kind, "ts": time // MILLISECOND, "data": data, **more}
    return Frame(time, msgspec.json.encode(document).decode())


# --- trades


def trade_frames(topic: str, listing: Listing, world: World, *, window: Window) -> Iterable[Frame]:
    """What was traded in a millisecond, in one frame, a few milliseconds later."""
    made = Window(window.start - LATE, window.end - LATE)
    found = complete(world, made.end).trades(listing, made)
    for time, together in groupby(found, key=lambda one: one.time):
        yield written(topic, "snapshot", time + LATE, data=[public_trade(one, listing) for one in together])


def public_trade(one: Trade, listing: Listing) -> dict[str, Any]:
    """A trade with the short names of streams."""
    known = trade(one, listing)
    return {
        "T": one.time // MILLISECOND,
        "s": known["symbol"],
        "S": known["side"],
        "v": known["size"],
        "p": known["price"],
        "i": known["execId"],
        "BT": known["isBlockTrade"],
        "RPI": known["isRPITrade"],
        "seq": one.id,
    }


# --- liquidations


def liquidation_frames(topic: str, listing: Listing, world: World, *, window: Window) -> Iterable[Frame]:
    """The liquidations of every half second, at its end."""
    first, last = (-(-time // BATCHES) * BATCHES for time in (window.start, window.end))
    made = Window(first - BATCHES, last - BATCHES)
    found = complete(world, made.end).liquidations(listing, made)
    for batch, together in groupby(found, key=lambda one: one.time // BATCHES):
        data = [liquidation(one, listing) for one in together]
        yield written(topic, "snapshot", (batch + 1) * BATCHES, data=data)


def liquidation(one: Liquidation, listing: Listing) -> dict[str, Any]:
    """A liquidation; `S` is the side of the position, `p` its bankruptcy price."""
    return {
        "T": one.time // MILLISECOND,
        "s": native(listing),
        "S": SIDES["buy" if one.liquidated == "long" else "sell"],
        "v": size(one.size, one.contracts, listing),
        "p": decimal(one.bankrupt, places(listing.tick)),
    }


# --- candles


def candle_frames(topic: str, listing: Listing, world: World, *, window: Window, pace: float) -> Iterable[Frame]:
    """The open candle every second, and at its end the closed one with the next."""
    interval = INTERVALS[topic.split(".")[1]]
    ends = closings(interval, window)
    for time in sorted({*beats(window, CANDLES / pace), *ends}):
        if bars := candles_at(listing, world.at(time), interval, ended=time in ends):
            data = [kline(bar, listing, interval=interval, name=topic.split(".")[1], time=time) for bar in bars]
            yield written(topic, "snapshot", time, data=data)


def closings(interval: Interval, window: Window) -> set[Micros]:
    """The moments of a window at which a candle ends."""
    found, time = set(), interval.ceil(window.start)
    while time < window.end:
        found.add(time)
        time = interval.step(time)
    return found


def candles_at(listing: Listing, world: World, interval: Interval, *, ended: bool) -> list[Bar]:
    """The candle that is open now, after the one that has just ended."""
    opened = interval.floor(world.now())
    bars = world.candles(listing, interval, Window(interval.step(opened, -1) if ended else opened, world.now() + 1))
    return bars if ended else [bar for bar in bars if not bar.closed]


def kline(bar: Bar, listing: Listing, *, interval: Interval, name: str, time: Micros) -> dict[str, Any]:
    """A candle with its names; the numbers are those of REST."""
    _, opened, high, low, close, volume, turnover = row(bar, listing, price="trade")
    return {
        "start": bar.time // MILLISECOND,
        "end": interval.step(bar.time) // MILLISECOND - 1,
        "interval": name,
        "open": opened,
        "close": close,
        "high": high,
        "low": low,
        "volume": volume,
        "turnover": turnover,
        "confirm": bar.closed,
        "timestamp": time // MILLISECOND,
    }


# --- tickers


def ticker_frames(topic: str, listing: Listing, world: World, *, window: Window, pace: float) -> Iterable[Frame]:
    """Tickers as they change: on spot all of them, elsewhere what changed since the frame before, and the book."""
    spot = listing.market is SPOT
    if not (moments := beats(window, min(TICKERS[spot] / pace, SLOWEST))):
        return
    settled = lru_cache(maxsize=2)(partial(ticker_of, listing, world))
    earlier = moments.start - moments.step
    before = {} if spot or earlier < listing.listed else ticker_at(listing, world, earlier, settled=settled)
    for time in moments:
        now = ticker_at(listing, world, time, settled=settled)
        changed = {name: text for name, text in now.items() if before.get(name) != text or name in ALWAYS}
        yield ticker_frame(topic, time, "delta" if before else "snapshot", fields=changed)
        before = {} if spot else now


def ticker_frame(topic: str, time: Micros, kind: str, *, fields: dict[str, str]) -> Frame:
    """A ticker, or what changed of it."""
    return written(topic, kind, time, data=fields, cs=time // MILLISECOND)


def ticker_at(
    listing: Listing, world: World, time: Micros, *, settled: Callable[[Micros], dict[str, str]]
) -> dict[str, str]:
    """All fields, those but the book's of the last whole second; spot has no book.

    In a second nothing but the book changes, so whoever begins between two frames misses no change.
    """
    known = settled(time - time % SECOND)
    if listing.market is SPOT:
        return {name: known[name] for name in SPOT_FIELDS}
    return known | simulated_tickers.best(listing, world.at(time))


def ticker_of(listing: Listing, world: World, time: Micros) -> dict[str, str]:
    """All fields as REST gives them."""
    ask = Ask("", "", {}, world.at(time))
    return simulated_tickers.spot(ask, listing) if listing.market is SPOT else simulated_tickers.contract(ask, listing)


def ticker_now(topic: str, listing: Listing, world: World) -> Frame:
    """What is sent when a ticker begins."""
    fields = ticker_at(listing, world, world.now(), settled=partial(ticker_of, listing, world))
    return ticker_frame(topic, world.now(), "snapshot", fields=fields)


def candle_now(topic: str, listing: Listing, world: World) -> Iterable[Frame]:
    """What is sent when candles begin: the open one, if there is one."""
    name = topic.split(".")[1]
    interval, now = INTERVALS[name], world.now()
    bars = candles_at(listing, world, interval, ended=False)
    data = [kline(bar, listing, interval=interval, name=name, time=now) for bar in bars]
    return [written(topic, "snapshot", now, data=data)] if data else []
