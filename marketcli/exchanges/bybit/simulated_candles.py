"""Bybit's candles as the sandbox plays them.

Documentation: https://bybit-exchange.github.io/docs/v5/market/kline, mark-kline, index-kline and premium-index-kline.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from marketcli.exchanges.bybit.simulated_requests import (
    CONTRACTS,
    EVERY,
    INVERSE,
    LINEAR,
    answer,
    category_of,
    in_dollars,
    limit_of,
    listing_of,
    native,
    refusal,
    times_of,
)
from marketcli.models import MILLISECOND, Interval, Micros, Window
from marketcli.simulator import Ask, Reply, decimal, newest, oldest, places

if TYPE_CHECKING:
    from marketcli.world import Bar, Listing

INTERVALS = {
    "1": Interval(1, "m"),
    "3": Interval(3, "m"),
    "5": Interval(5, "m"),
    "15": Interval(15, "m"),
    "30": Interval(30, "m"),
    "60": Interval(1, "h"),
    "120": Interval(2, "h"),
    "240": Interval(4, "h"),
    "360": Interval(6, "h"),
    "720": Interval(12, "h"),
    "D": Interval(1, "d"),
    "W": Interval(1, "w"),
    "M": Interval(1, "M"),
}
LIMIT, MOST = 200, 1_000
MARKETS = {"trade": EVERY, "mark": CONTRACTS, "index": CONTRACTS, "premium": (LINEAR,)}


def klines(ask: Ask, price: str = "trade") -> Reply:
    """A page of candles, newest first; `price` says of what."""
    market = category_of(ask, MARKETS[price], default=LINEAR)
    listing, interval = listing_of(ask, market), interval_of(ask)
    if price == "premium" and not listing.perpetual:
        raise refusal(ask, "params error: symbol invalid")
    limit = limit_of(ask, default=LIMIT, most=MOST)
    window, forward = opens(ask, interval)
    end = min(window.end, ask.now + 1, listing.expiry or window.end)
    lives = Window(min(end, max(window.start, interval.floor(listing.listed))), end)
    bars = (oldest if forward else newest)(
        partial(ask.world.candles, listing, interval, price=price), lives, length=interval.longest, limit=limit
    )
    rows = [row(bar, listing, price=price) for bar in reversed(bars)]
    return answer(ask, {"symbol": native(listing), "category": market.value, "list": rows})


def interval_of(ask: Ask) -> Interval:
    """The interval asked for."""
    interval = INTERVALS.get(ask.params.get("interval", ""))
    if interval is None:
        raise refusal(ask, "params error: Interval is invalid")
    return interval


def opens(ask: Ask, interval: Interval) -> tuple[Window, bool]:
    """The open times asked for, and whether the oldest of them come: only if a start alone is given.

    A start inside an interval means the candle that holds it.
    """
    start, end = times_of(ask, "start", "end")
    first: Micros = 0 if start is None else interval.floor(start)
    return Window(first, (ask.now if end is None else end) + 1), start is not None and end is None


def row(bar: Bar, listing: Listing, *, price: str) -> list[str]:
    """A candle as texts; inverse counts dollars where the others count base, and base where they count quote."""
    digits = places(listing.tick) if price == "trade" else 8
    prices = [decimal(value, digits) for value in (bar.open, bar.high, bar.low, bar.close)]
    opened = str(bar.time // MILLISECOND)
    if price != "trade":
        return [opened, *prices]
    if listing.market is INVERSE:
        return [opened, *prices, str(in_dollars(bar.contracts, listing)), decimal(bar.volume_base, 8)]
    return [opened, *prices, decimal(bar.volume_base, places(listing.lot)), decimal(bar.volume_quote, 4)]
