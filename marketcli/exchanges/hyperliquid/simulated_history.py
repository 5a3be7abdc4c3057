"""Hyperliquid's candles and funding as the sandbox plays them.

Documentation: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint#candle-snapshot,
https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint/perpetuals and
https://hyperliquid.gitbook.io/hyperliquid-docs/trading/funding
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from marketcli.exchanges.hyperliquid.simulated_requests import (
    LINEAR,
    SPOT,
    answer,
    asked,
    find,
    misunderstood,
    native,
    text,
    unknown,
)
from marketcli.models import HOUR, MILLISECOND, Interval, Micros, Window
from marketcli.simulator import Ask, Payment, Refusal, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketcli.world import Bar, Listing, World

SPELLINGS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "3d", "1M")
INTERVALS = {name: Interval.parse(name) for name in SPELLINGS} | {"1w": Interval(7, "d")}  # weeks begin on Thursdays
NEWEST = 5_000  # candles of each interval that there are
MOST = 500  # settlements in an answer
USUAL = 20  # what an answer weighs before its rows are counted


# --- candles


class Snapshot(msgspec.Struct, frozen=True, rename="camel"):
    """Which candles are asked for, by open time; both bounds belong to them."""

    coin: str
    interval: str
    start_time: int
    end_time: int | None = None


class CandleAsk(msgspec.Struct, frozen=True):
    """A request for candles."""

    req: Snapshot


def candles(ask: Ask) -> Reply:
    """The candles of a window that are still there, oldest first."""
    listing, interval, window = candles_asked(ask)
    return answer([row(bar, listing, interval) for bar in ask.world.candles(listing, interval, window)])


def candles_asked(ask: Ask) -> tuple[Listing, Interval, Window]:
    """What is asked for; the window holds only what there is: the newest candles of a life."""
    req = asked(ask, CandleAsk).req
    if req.interval not in INTERVALS:
        raise misunderstood()
    listing, interval = find(ask.world, req.coin, LINEAR, SPOT), INTERVALS[req.interval]
    if listing is None:
        raise unknown()
    last = ask.now if listing.expiry is None else min(ask.now, listing.expiry - 1)
    oldest = max(interval.step(interval.floor(last), 1 - NEWEST), interval.floor(listing.listed))
    end = last if req.end_time is None else min(req.end_time * MILLISECOND, last)
    return listing, interval, Window(max(req.start_time * MILLISECOND, oldest), end + 1)


def row(bar: Bar, listing: Listing, interval: Interval) -> dict[str, Any]:
    """A candle: open and close time, coin, interval, prices, base volume, number of trades."""
    spelled = next(name for name, one in INTERVALS.items() if one == interval)
    names = {"t": bar.time // MILLISECOND, "T": interval.step(bar.time) // MILLISECOND - 1}
    prices = {"o": text(bar.open), "c": text(bar.close), "h": text(bar.high), "l": text(bar.low)}
    return names | {"s": native(listing), "i": spelled} | prices | {"v": text(bar.volume_base), "n": bar.trades}


def candles_weight(ask: Ask) -> int:
    """20, and 1 for every 60 candles; that begun sixties count is this sandbox's reading."""
    try:
        _, interval, window = candles_asked(ask)
    except Refusal:
        return USUAL
    return USUAL - (-interval.count_in(window) // 60) if window.start < window.end else USUAL


# --- funding: settled every hour, by a formula of the exchange's own


INTEREST, CLAMP, PERIODS, CAP = 0.000_1, 0.000_5, 8, 0.04  # rates of 8 hours, of which an hour pays an eighth
HOURS = Interval(1, "h")


class FundingAsk(msgspec.Struct, frozen=True, rename="camel"):
    """Which settlements are asked for; both bounds belong to them."""

    coin: str
    start_time: int
    end_time: int | None = None


class Paid(NamedTuple):
    """A settlement: when it was written down, for one hour, and the premium of that hour, in rates of 8 hours."""

    time: Micros
    rate: float
    premium: float


def funding(ask: Ask) -> Reply:
    """The oldest settlements of a window."""
    listing, window = funding_asked(ask)
    return answer(
        [
            {
                "coin": native(listing),
                "fundingRate": text(one.rate),
                "premium": text(one.premium),
                "time": one.time // MILLISECOND,
            }
            for one in islice(settlements(ask.world, listing, window), MOST)
        ]
    )


def funding_asked(ask: Ask) -> tuple[Listing, Window]:
    """What is asked for; the window holds only what there is."""
    req = asked(ask, FundingAsk)
    listing = find(ask.world, req.coin, LINEAR)
    if listing is None:
        raise unknown()
    end = ask.now if req.end_time is None else min(req.end_time * MILLISECOND, ask.now)
    return listing, Window(max(req.start_time * MILLISECOND, listing.listed), end + 1)


def funding_weight(ask: Ask) -> int:
    """20, and 1 for every 20 settlements; that begun twenties count is this sandbox's reading."""
    try:
        _, window = funding_asked(ask)
    except Refusal:
        return USUAL
    return USUAL - (-min(MOST, HOURS.count_in(window)) // 20) if window.start < window.end else USUAL


def settlements(world: World, listing: Listing, window: Window) -> Iterator[Paid]:
    """The settlements written down inside a window so far, in order.

    The world's own perpetuals settle every 8, 4 or 1 hours. Hyperliquid's settle hourly, so the rate of an hour comes
    from what the world's prices were in it, by Hyperliquid's formula.
    """
    for first in range(HOURS.floor(window.start) - HOUR, window.end, MOST * HOUR):
        hours = Window(first, min(first + MOST * HOUR, window.end))
        for opened, above in premiums(world, listing, hours):
            time = written(opened + HOUR)
            if time in window and time <= world.now():
                yield Paid(time, rate(above), above)


def payments(world: World, listing: Listing, window: Window) -> list[Payment]:
    """The same as what was paid, for the truth about it."""
    return [Payment(one.time, one.rate, None, interval_h=1) for one in settlements(world, listing, window)]


def premiums(world: World, listing: Listing, window: Window) -> Iterator[tuple[Micros, float]]:
    """How far hours of a window were traded above the oracle, by the time they opened; the last may still run."""
    traded = world.candles(listing, HOURS, window)
    oracle = {bar.time: bar for bar in world.candles(listing, HOURS, window, price="index")}
    for bar in traded:
        if bar.time in oracle:
            yield bar.time, round(middle(bar) / middle(oracle[bar.time]) - 1, 10) + 0.0  # no negative zero


def middle(bar: Bar) -> float:
    """About what a price was in a candle."""
    return (bar.open + bar.high + bar.low + bar.close) / 4


def written(due: Micros) -> Micros:
    """When a settlement is written down: 1 to 120 ms late, another time each hour."""
    return due + (due // HOUR * 37 % 120 + 1) * MILLISECOND


def rate(above: float) -> float:
    """What an hour pays: the interest while the premium is near it, an eighth of it, and never more than 4 %."""
    eight_hours = above + max(-CLAMP, min(CLAMP, INTEREST - above))
    return round(max(-CAP, min(CAP, eight_hours / PERIODS)), 10) + 0.0


def running(world: World, listing: Listing) -> Paid | None:
    """The estimate for the coming hour: that of its premium so far; None where funding is not paid."""
    now = world.now()
    found = [above for _, above in premiums(world, listing, Window(HOURS.floor(now), now + 1))]
    return Paid(now, rate(found[-1]), found[-1]) if found else None
