"""Binance's candles as the sandbox plays them.

Documentation: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from marketcli.exchanges.binance.simulated_requests import (
    INVERSE,
    LINEAR,
    SPOT,
    answer,
    limit_of,
    listing_of,
    needed,
    refusal,
    times_of,
)
from marketcli.models import DAY, MILLISECOND, SECOND, Interval, Market, Window
from marketcli.simulator import Ask, Reply, decimal, newest, oldest, places

if TYPE_CHECKING:
    from marketcli.world import Bar, Listing

SPELLINGS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
FUTURES_INTERVALS = {text: Interval.parse(text) for text in SPELLINGS}
INTERVALS = {SPOT: {"1s": Interval.parse("1s"), **FUTURES_INTERVALS}, LINEAR: FUTURES_INTERVALS}
INTERVALS[INVERSE] = FUTURES_INTERVALS

LIMIT = 500  # rows if nothing is asked
LIMITS = {SPOT: 1_000, LINEAR: 1_500, INVERSE: 1_500}
SPAN = 200 * DAY  # the longest COIN-M lookup
UTC_ZONES = ("0", "+0", "0:00", "00:00", "+00:00")


def interval_of(ask: Ask, market: Market) -> Interval:
    """The interval asked for; seconds exist on spot only."""
    interval = INTERVALS[market].get(needed(ask, "interval"))
    if interval is None:
        raise refusal(-1120, "Invalid interval.")
    return interval


def klines(ask: Ask, market: Market, *, price: str = "trade", by: str = "symbol") -> Reply:
    """A page of candles; `price` says of what, `by` names the parameter that names the instrument."""
    listing, interval = listing_of(ask, market, by), interval_of(ask, market)
    if ask.params.get("timeZone", "0") not in UTC_ZONES:  # the world has UTC candles only
        raise refusal(-1130, "Data sent for parameter 'timeZone' is not valid.")
    window, backward = bounds(ask, market)
    limit = limit_of(ask, market, default=LIMIT, most=LIMITS[market])
    end = min(window.end, ask.now + 1, listing.expiry or window.end)
    lives = Window(min(end, max(window.start, interval.floor(listing.listed))), end)
    bars = (newest if backward else oldest)(
        partial(ask.world.candles, listing, interval, price=price), lives, length=interval.longest, limit=limit
    )
    return answer([row(bar, listing, interval, price=price) for bar in bars])


def bounds(ask: Ask, market: Market) -> tuple[Window, bool]:
    """The open times asked for (both bounds belong to them), and whether the newest of them come or the oldest."""
    start, end = times_of(ask, market)
    backward = start is None
    if market is INVERSE:
        span, backward = SPAN // MILLISECOND, True
        if start is not None and end is not None and end - start > span:
            raise refusal(-1127, "Lookup interval is too big.")
        end = start + span if start is not None and end is None else end
        start = end - span if end is not None and start is None else start
    until = ask.now if end is None else end * MILLISECOND
    return Window((start or 0) * MILLISECOND, until + 1), backward


def row(bar: Bar, listing: Listing, interval: Interval, *, price: str) -> list[Any]:
    """A candle as twelve elements; COIN-M counts contracts where the others count base, and base for quote."""
    digits = 8 if listing.market is SPOT or price != "trade" else places(listing.tick)
    opened, closes = bar.time // MILLISECOND, interval.step(bar.time) // MILLISECOND - 1
    prices = [decimal(value, digits) for value in (bar.open, bar.high, bar.low, bar.close)]
    if price != "trade":
        samples = (interval.step(bar.time) - bar.time) // SECOND
        return [opened, *prices, "0", closes, "0", samples, "0", "0", "0"]
    volumes: tuple[float, float, float, float]
    if listing.market is INVERSE:
        sizes = (0, 8)
        volumes = (bar.contracts, bar.volume_base, bar.taker_buy_contracts, bar.taker_buy_base)
    else:
        sizes = (8 if listing.market is SPOT else places(listing.lot), digits)
        volumes = (bar.volume_base, bar.volume_quote, bar.taker_buy_base, bar.taker_buy_quote)
    first, second, taker_first, taker_second = map(decimal, volumes, sizes * 2)
    return [opened, *prices, first, closes, second, bar.trades, taker_first, taker_second, "0"]


def rows_weight(ask: Ask) -> int:
    """What a page of futures candles weighs: by the rows asked for."""
    text = ask.params.get("limit", str(LIMIT))
    limit = int(text) if re.fullmatch(r"[0-9]{1,20}", text, re.ASCII) else 1
    return next((weight for below, weight in ((100, 1), (500, 2), (1_001, 5)) if limit < below), 10)
