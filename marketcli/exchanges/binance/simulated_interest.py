"""Binance's open interest as the sandbox plays it.

Documentation: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Open-Interest
and Open-Interest-Statistics beside it, and the same pages of coin-margined-futures.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from marketcli.exchanges.binance.simulated_instruments import contract_type
from marketcli.exchanges.binance.simulated_requests import (
    INVERSE,
    LINEAR,
    answer,
    limit_of,
    listing_of,
    native,
    needed,
    refusal,
    times_of,
)
from marketcli.models import DAY, MILLISECOND, Interval, Market, Micros, Window
from marketcli.simulator import Ask, Reply, decimal, newest, oldest, places
from marketcli.world import Interest

if TYPE_CHECKING:
    from marketcli.world import Listing

PERIODS = {text: Interval.parse(text) for text in ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")}
LIMIT, MOST = 30, 500
KEPT = 30 * DAY
EVERY_TYPE = "ALL"
TYPES = ("PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER", EVERY_TYPE)


def open_interest(ask: Ask, market: Market) -> Reply:
    """What is open now: base on USD-M, contracts on COIN-M."""
    listing = listing_of(ask, market, "symbol")
    found = ask.world.interest(listing, [ask.now])
    if not found:
        raise refusal(-4108, "Symbol is on delivering or delivered or settling or closed or pre-trading.")
    row = {"symbol": native(listing), "time": ask.now // MILLISECOND}
    if market is LINEAR:
        return answer(row | {"openInterest": decimal(found[0].base, places(listing.lot))})
    own = {"pair": listing.base + listing.quote, "contractType": contract_type(ask, listing)}
    return answer(row | own | {"openInterest": str(found[0].contracts)})


def open_interest_history(ask: Ask) -> Reply:
    """USD-M: base, and its value in quote."""
    listing = listing_of(ask, LINEAR, "symbol")
    return answer(
        [
            {
                "symbol": native(listing),
                "sumOpenInterest": decimal(row.base, 8),
                "sumOpenInterestValue": decimal(row.quote, 8),
                "CMCCirculatingSupply": "0.00000000",
                "timestamp": row.time // MILLISECOND,
            }
            for row in page(ask, [listing], LINEAR)
        ]
    )


def inverse_history(ask: Ask) -> Reply:
    """COIN-M: contracts, and what they are worth in base; of one type of contract, or of all together."""
    pair, kind = needed(ask, "pair"), ask.params.get("contractType") or EVERY_TYPE
    if kind not in TYPES:
        raise invalid("contractType")
    named = [listing for listing in ask.world.listings(INVERSE) if listing.base + listing.quote == pair]
    if not named:
        raise refusal(-1121, "Invalid symbol.")
    listings = [listing for listing in named if kind in {EVERY_TYPE, contract_type(ask, listing)}]
    return answer(
        [
            {
                "pair": pair,
                "contractType": kind,
                "sumOpenInterest": str(row.contracts),
                "sumOpenInterestValue": decimal(round(row.base, 8), 8),
                "timestamp": row.time // MILLISECOND,
            }
            for row in page(ask, listings, INVERSE)
        ]
    )


def page(ask: Ask, listings: list[Listing], market: Market) -> list[Interest]:
    """The points asked for, oldest first.

    A `timestamp` is the start of its period since 2026-06-25. Whether the value is the one at that moment or at the
    period's end is not known; here it is the one at `timestamp`.
    """
    period = PERIODS.get(needed(ask, "period"))
    if period is None:
        raise invalid("period")
    start, end = times_of(ask, market)
    limit, kept = limit_of(ask, market, default=LIMIT, most=MOST), ask.now - KEPT
    if start is not None and start * MILLISECOND < kept:
        raise invalid("startTime")
    last = ask.now if end is None else min(end * MILLISECOND, ask.now)
    window = Window(kept if start is None else start * MILLISECOND, last + 1)
    rows = partial(points, ask, listings, period)
    return (newest if start is None else oldest)(rows, window, length=period.longest, limit=limit)


def points(ask: Ask, listings: list[Listing], period: Interval, window: Window) -> list[Interest]:
    """What is open in some contracts together at the moments of a grid."""
    times = range(period.ceil(window.start), window.end, period.longest)
    sums: dict[Micros, Interest] = {}
    for listing in listings:
        for row in ask.world.interest(listing, times):
            sums[row.time] = together(sums[row.time], row) if row.time in sums else row
    return [sums[time] for time in sorted(sums)]


def together(one: Interest, other: Interest) -> Interest:
    """What is open in two contracts at the same moment."""
    return Interest(one.time, one.base + other.base, one.quote + other.quote, one.contracts + other.contracts)


def invalid(name: str) -> Exception:
    """The refusal of a parameter, in the words of the statistics."""
    return refusal(-1130, f"parameter '{name}' is invalid.")
