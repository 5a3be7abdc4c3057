"""Binance's mark price and funding as the sandbox plays them.

Documentation: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Mark-Price,
Get-Funding-Rate-History and Get-Funding-Rate-Info beside it, and the same pages of coin-margined-futures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from marketcli.exchanges.binance.simulated_prices import second_of
from marketcli.exchanges.binance.simulated_requests import (
    INVERSE,
    LINEAR,
    answer,
    begun,
    begun_listing,
    limit_of,
    listing_of,
    native,
    of_pair,
    times_of,
)
from marketcli.models import HOUR, MILLISECOND, Market, Micros, Window
from marketcli.simulator import Ask, Reply, decimal, newest, oldest

if TYPE_CHECKING:
    from marketcli.world import Listing, Settlement

INTEREST = "0.00010000"
NOTHING = "0.00000000"
USUAL = 8  # hours between settlements unless the terms were adjusted
LIMIT, MOST, NEWEST = 100, 1_000, 200  # rows unless said, at most, and unless any time is said either


def premium_index(ask: Ask) -> Reply:
    """Mark, index and coming funding of one USD-M instrument as an object, of all as a list."""
    if ask.params.get("symbol"):
        return answer(premium(ask, begun_listing(ask, LINEAR)))
    return answer([premium(ask, listing) for listing in begun(ask, LINEAR)])


def inverse_premium_index(ask: Ask) -> Reply:
    """The same of COIN-M: always a list, and where nothing is settled the rates are blank."""
    return answer([inverse_premium(ask, listing) for listing in of_pair(ask)])


def inverse_premium(ask: Ask, listing: Listing) -> dict[str, Any]:
    """Mark, index and coming funding of a COIN-M instrument."""
    row = premium(ask, listing) | {"pair": listing.base + listing.quote}
    return row if row["nextFundingTime"] else row | {"lastFundingRate": "", "interestRate": ""}


def premium(ask: Ask, listing: Listing) -> dict[str, Any]:
    """Mark, index and coming funding; what is called the last rate is the estimate for the next."""
    now = ask.world.derivative(listing)
    settles = now.next_time > 0
    return {
        "symbol": native(listing),
        "markPrice": decimal(now.mark, 8),
        "indexPrice": decimal(now.index, 8),
        "estimatedSettlePrice": decimal(now.index, 8),
        "lastFundingRate": decimal(now.rate, 8) if settles else NOTHING,
        "interestRate": INTEREST if settles else NOTHING,
        "nextFundingTime": now.next_time // MILLISECOND,
        "time": second_of(ask),
    }


class Paid(NamedTuple):
    """A settlement and whose it was."""

    settlement: Settlement
    listing: Listing


def funding_rate(ask: Ask, market: Market) -> Reply:
    """Settlements in order; of one instrument, or on USD-M of all."""
    if market is INVERSE or ask.params.get("symbol"):
        listings, length = [listing_of(ask, market, "symbol")], USUAL * HOUR
    else:
        listings, length = ask.world.listings(market), HOUR
    start, end = times_of(ask, market)
    limit = limit_of(ask, market, default=NEWEST if start is end is None else LIMIT, most=MOST)
    first = max((start or 0) * MILLISECOND, min(listing.listed for listing in listings))
    last = ask.now if end is None else min(end * MILLISECOND, ask.now)

    def paid(window: Window) -> list[Paid]:
        rows = [Paid(row, listing) for listing in listings for row in ask.world.settlements(listing, window)]
        return sorted(rows, key=lambda row: row.settlement.time)

    page = newest if start is None else oldest
    return answer([written(row, market) for row in page(paid, Window(first, last + 1), length=length, limit=limit)])


MARKS_SINCE: Micros = 1_698_796_800_000_000  # 2023-11-01: older rows have no mark price (the date is the sandbox's own)


def written(row: Paid, market: Market) -> dict[str, Any]:
    """A settlement as one market or the other writes it."""
    time, rate, mark = row.settlement
    found = {"symbol": native(row.listing), "fundingTime": time // MILLISECOND, "fundingRate": decimal(rate, 8)}
    if market is INVERSE:
        return found
    return found | {"markPrice": decimal(mark, 8) if time >= MARKS_SINCE else "", "rateType": "Regular"}


def funding_info(ask: Ask, market: Market) -> Reply:
    """The terms of instruments that do not settle every eight hours, and only of those."""
    trading = (listing for listing in begun(ask, market) if listing.perpetual and listing.status == "trading")
    terms = ((listing, ask.world.terms(listing)) for listing in trading)
    return answer(
        [
            {
                "symbol": native(listing),
                "adjustedFundingRateCap": decimal(each.cap, 8),
                "adjustedFundingRateFloor": decimal(each.floor, 8),
                "fundingIntervalHours": each.interval_h,
                "disclaimer": False,
            }
            for listing, each in terms
            if each.interval_h != USUAL
        ]
    )
