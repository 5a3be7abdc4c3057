"""Binance's open interest as the sandbox plays it.

Documentation: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Open-Interest
and Open-Interest-Statistics beside it, and the same pages of coin-margined-futures.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from marketcli.exchanges.binance.simulated_instruments import contract_type
from marketcli.exchanges.binance.simulated_requests import INVERSE, LINEAR, answer, listing_of, native, refusal
from marketcli.exchanges.binance.simulated_statistics import EVERY_TYPE, grid, of_type, page, pair_of
from marketcli.models import MILLISECOND, Interval, Market, Micros, Window
from marketcli.simulator import Ask, Reply, decimal, places
from marketcli.world import Interest

if TYPE_CHECKING:
    from marketcli.world import Listing


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
            for row in page(ask, LINEAR, partial(open_in, ask, [listing]))
        ]
    )


def inverse_history(ask: Ask) -> Reply:
    """COIN-M: contracts, and what they are worth in base; of one type of contract, or of all together."""
    kind = ask.params.get("contractType") or EVERY_TYPE
    pair, named = pair_of(ask)
    listings = of_type(ask, named, kind)
    return answer(
        [
            {
                "pair": pair,
                "contractType": kind,
                "sumOpenInterest": str(row.contracts),
                "sumOpenInterestValue": decimal(round(row.base, 8), 8),
                "timestamp": row.time // MILLISECOND,
            }
            for row in page(ask, INVERSE, partial(open_in, ask, listings))
        ]
    )


def open_in(ask: Ask, listings: list[Listing], period: Interval, window: Window) -> list[Interest]:
    """What is open in some contracts together at the moments of a grid."""
    sums: dict[Micros, Interest] = {}
    for listing in listings:
        for row in ask.world.interest(listing, grid(period, window)):
            sums[row.time] = together(sums[row.time], row) if row.time in sums else row
    return [sums[time] for time in sorted(sums)]


def together(one: Interest, other: Interest) -> Interest:
    """What is open in two contracts at the same moment."""
    return Interest(one.time, one.base + other.base, one.quote + other.quote, one.contracts + other.contracts)
