"""OKX's candles as the sandbox plays them.

Documentation: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks and -history, and
#public-data-rest-api-get-mark-price-candlesticks and #public-data-rest-api-get-index-candlesticks.
"""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from marketcli.exchanges.okx.simulated_requests import (
    INVERSE,
    KEPT,
    LINEAR,
    NEWEST,
    SPOT,
    answer,
    between,
    limit_of,
    listing_of,
    needed,
    pair,
    sized,
    stamp,
    traded,
    unknown,
    wrong,
)
from marketcli.models import HOUR, Interval, Micros, Window
from marketcli.simulator import Ask, Reply, newest
from marketcli.text import number

if TYPE_CHECKING:
    from marketcli.world import Bar, Listing

EAST = 8 * HOUR  # how far OKX's own days are ahead of UTC
TWO_HOURS = Interval.parse("2h")  # the longest candles that the longer ones of either day are made of


class Grid(NamedTuple):
    """The moments at which candles open: those of an interval, counted in another time zone if `ahead` says so."""

    interval: Interval
    ahead: Micros = 0

    def floor(self, time: Micros) -> Micros:
        """The open time of the candle that holds a moment."""
        return self.interval.floor(time + self.ahead) - self.ahead

    def step(self, opened: Micros, count: int = 1) -> Micros:
        """The open time so many candles later."""
        return self.interval.step(opened + self.ahead, count) - self.ahead

    def opens(self, window: Window) -> list[Micros]:
        """All open times inside a window."""
        found, time = [], self.floor(window.start - 1)
        while (time := self.step(time)) < window.end:
            found.append(time)
        return found


SHORT = {text: Grid(Interval.parse(text.lower())) for text in ("1m", "3m", "5m", "15m", "30m", "1H", "2H", "4H")}
LONG = {
    text: Interval.parse(text if text.endswith("M") else text.lower()) for text in ("6H", "12H", "1D", "1W", "1M", "3M")
}
ODD = {text: Interval.parse(text.lower()) for text in ("2D", "3D")}  # of traded prices only
SECOND = Grid(Interval.parse("1s"))  # of the past only


def both(intervals: dict[str, Interval]) -> dict[str, Grid]:
    """Intervals of a day or parts of it, in OKX's own time and in UTC."""
    own = {text: Grid(interval, EAST) for text, interval in intervals.items()}
    return own | {f"{text}utc": Grid(interval) for text, interval in intervals.items()}


PRICE_BARS = SHORT | both(LONG)
OLD_PRICE_BARS = {text: grid for text, grid in PRICE_BARS.items() if not text.startswith("3M")}
BARS = PRICE_BARS | both(ODD)


MARKETS = {"trade": (SPOT, LINEAR, INVERSE), "mark": (LINEAR, INVERSE)}


def candles(ask: Ask, *, price: str = "trade", past: bool = False) -> Reply:
    """A page of candles, newest first: of `price`, the newest 1,440 or, of the past, those that are over."""
    listing = indexed(ask) if price == "index" else listing_of(ask, MARKETS[price])
    trade = price == "trade"
    known = BARS if trade else OLD_PRICE_BARS if past else PRICE_BARS
    grid = grid_of(ask, known, "bar", "1m", seconds=trade and past)
    limit = limit_of(ask, most=300 if trade else 100)
    start, end = between(ask, "before", "after", until=ask.now + 1)
    running = grid.floor(ask.now)
    if past:
        end = min(end, running)
        start = max(start, ask.now - KEPT) if grid is SECOND else start
    else:
        start = max(start, grid.step(running, 1 - NEWEST))
    life = Window(max(start, grid.floor(listing.listed)), min(end, listing.expiry or end))
    rows = newest(partial(bars, ask, listing, grid, price), life, length=grid.interval.longest, limit=limit)
    return answer([trade_row(bar, listing) if trade else price_row(bar) for bar in reversed(rows)])


def grid_of(ask: Ask, known: dict[str, Grid], name: str, usual: str, *, seconds: bool = False) -> Grid:
    """The bars asked for."""
    text = ask.params.get(name) or usual
    found = SECOND if seconds and text == "1s" else known.get(text)
    if found is None:
        raise wrong(name)
    return found


def indexed(ask: Ask) -> Listing:
    """A contract that follows the index asked for."""
    name = needed(ask, "instId")
    found = [listing for listing in traded(ask, (LINEAR, INVERSE)) if pair(listing) == name]
    if not found:
        raise unknown()
    return min(found, key=lambda listing: not listing.perpetual)


def bars(ask: Ask, listing: Listing, grid: Grid, price: str, window: Window) -> list[Bar]:
    """The candles that open in a window."""
    if not grid.ahead:
        return ask.world.candles(listing, grid.interval, window, price=price)
    opened = grid.opens(window)
    if not opened:
        return []
    span = Window(opened[0], grid.step(opened[-1]))
    parts = ask.world.candles(listing, TWO_HOURS, span, price=price)
    return [together(time, list(group)) for time, group in groupby(parts, key=lambda part: grid.floor(part.time))]


SUMS = (
    "volume_base",
    "volume_quote",
    "trades",
    "taker_buy_base",
    "taker_buy_quote",
    "contracts",
    "taker_buy_contracts",
)


def together(time: Micros, parts: list[Bar]) -> Bar:
    """One candle made of several that follow each other."""
    sums = {name: sum(getattr(part, name) for part in parts) for name in SUMS}
    high, low = max(part.high for part in parts), min(part.low for part in parts)
    return parts[-1]._replace(time=time, open=parts[0].open, high=high, low=low, **sums)


def trade_row(bar: Bar, listing: Listing) -> list[str]:
    """A candle of traded prices: OKX's own count, then base and quote, or quote twice on spot."""
    first = bar.volume_quote if listing.market is SPOT else bar.volume_base
    sizes = [sized(listing, bar.volume_base, bar.contracts), number(first), number(bar.volume_quote)]
    time, *prices, over = price_row(bar)
    return [time, *prices, *sizes, over]


def price_row(bar: Bar) -> list[str]:
    """A candle of a price nobody trades at."""
    return [stamp(bar.time), *map(number, (bar.open, bar.high, bar.low, bar.close)), "1" if bar.closed else "0"]
