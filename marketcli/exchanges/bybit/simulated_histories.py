"""Bybit's funding, open interest and account ratios of times gone by as the sandbox plays them.

Documentation: https://bybit-exchange.github.io/docs/v5/market/history-fund-rate, open-interest and long-short-ratio
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from marketcli.exchanges.bybit.simulated_requests import (
    CONTRACTS,
    LINEAR,
    answer,
    category_of,
    cursor,
    cursor_of,
    in_dollars,
    limit_of,
    listing_of,
    native,
    refusal,
    times_of,
)
from marketcli.models import HOUR, MILLISECOND, MINUTE, Interval, Market, Micros, Window
from marketcli.simulator import Ask, Reply, decimal, newest

if TYPE_CHECKING:
    from marketcli.world import Interest, Listing, Ratio, Settlement

PERIODS = {
    "5min": Interval(5, "m"),
    "15min": Interval(15, "m"),
    "30min": Interval(30, "m"),
    "1h": Interval(1, "h"),
    "4h": Interval(4, "h"),
    "1d": Interval(1, "d"),
}
SETTLEMENTS = 200
KEY = "lasttime"
ONE_SIDE_SINCE: Micros = 1_781_136_000_000_000  # 2026-06-11, when singleOpenInterest was added
RATIOS_SINCE: Micros = 1_595_203_200_000_000  # 2020-07-20


def funding_history(ask: Ask) -> Reply:
    """Settlements, newest first, at the minute they were due."""
    market = category_of(ask, CONTRACTS)
    listing = listing_of(ask, market)
    start, end = times_of(ask, "startTime", "endTime")
    if start is not None and end is None:
        raise refusal(ask, "params error: endTime is required with startTime")
    limit = limit_of(ask, default=SETTLEMENTS, most=SETTLEMENTS)
    window = Window(max(start or 0, listing.listed), (ask.now if end is None else min(end, ask.now)) + 1)
    found = newest(partial(settled, ask, listing), window, length=8 * HOUR, limit=limit)
    rows = [
        {
            "symbol": native(listing),
            "fundingRate": decimal(row.rate, 8),
            "fundingRateTimestamp": str(row.time // MILLISECOND),
        }
        for row in reversed(found)
    ]
    return answer(ask, {"category": market.value, "list": rows})


def settled(ask: Ask, listing: Listing, window: Window) -> list[Settlement]:
    """The settlements due in a window; the world writes them down some milliseconds late."""
    written = ask.world.settlements(listing, Window(window.start, window.end + MINUTE))
    due = [row._replace(time=row.time // MINUTE * MINUTE) for row in written]
    return [row for row in due if row.time in window]


class Grid(NamedTuple):
    """What a page of points is asked for: whose, how far apart, between which moments, and how many."""

    market: Market
    listing: Listing
    period: Interval
    window: Window
    limit: int

    def times(self, window: Window) -> list[Micros]:
        """The moments of the grid inside a window."""
        return list(range(self.period.ceil(window.start), window.end, self.period.longest))


def grid_of(ask: Ask, name: str, *, default: int, most: int) -> Grid:
    """The points asked for; a cursor says up to where they were given already."""
    market = category_of(ask, CONTRACTS)
    listing, period = listing_of(ask, market), PERIODS.get(ask.params.get(name, ""))
    if period is None:
        raise refusal(ask, f"params error: {name} invalid")
    start, end = times_of(ask, "startTime", "endTime")
    limit = limit_of(ask, default=default, most=most)
    last = ask.now if end is None else min(end, ask.now)
    if given := cursor_of(ask, KEY):
        last = min(last, int(given) * MILLISECOND - 1) if given.isdecimal() else 0
    return Grid(market, listing, period, Window(max(start or 0, listing.listed), last + 1), limit)


def more_before(page: list[Any], grid: Grid, before: list[Any]) -> str:
    """The cursor of the next page, if there is one."""
    return cursor(KEY, page[0].time // MILLISECOND) if len(page) == grid.limit and before else ""


def open_interest(ask: Ask) -> Reply:
    """Open interest at the moments of a grid, newest first; both sides, and since June 2026 one beside them."""
    grid = grid_of(ask, "intervalTime", default=50, most=200)

    def rows(window: Window) -> list[Interest]:
        return ask.world.interest(grid.listing, grid.times(window))

    page = newest(rows, grid.window, length=grid.period.longest, limit=grid.limit)
    before = rows(Window(max(grid.window.start, page[0].time - grid.period.longest), page[0].time)) if page else []
    return answer(
        ask,
        {
            "symbol": native(grid.listing),
            "category": grid.market.value,
            "list": [point(row, grid.listing) for row in reversed(page)],
            "nextPageCursor": more_before(page, grid, before),
        },
    )


def point(row: Interest, listing: Listing) -> dict[str, str]:
    """Open interest as texts: base on linear, dollars on inverse."""
    single = row.base if listing.market is LINEAR else in_dollars(row.contracts, listing)
    both = {"openInterest": decimal(2 * single, 8), "timestamp": str(row.time // MILLISECOND)}
    return both | ({"singleOpenInterest": decimal(single, 0)} if row.time >= ONE_SIDE_SINCE else {})


def account_ratio(ask: Ask) -> Reply:
    """Which shares of the accounts are long and short, newest first; on linear of USDT perpetuals only."""
    grid = grid_of(ask, "period", default=50, most=500)
    covered = grid.market is not LINEAR or (grid.listing.perpetual and grid.listing.quote == "USDT")

    def rows(window: Window) -> list[Ratio]:
        since = Window(max(window.start, RATIOS_SINCE), window.end)
        return ask.world.ratios(grid.listing, grid.period, grid.times(since)) if covered else []

    page = newest(rows, grid.window, length=grid.period.longest, limit=grid.limit)
    before = rows(Window(max(grid.window.start, page[0].time - grid.period.longest), page[0].time)) if page else []
    return answer(
        ask,
        {
            "list": [share(row, grid.listing) for row in reversed(page)],
            "nextPageCursor": more_before(page, grid, before),
        },
    )


def share(row: Ratio, listing: Listing) -> dict[str, str]:
    """A row of the ratios; the shares are one together."""
    return {
        "symbol": native(listing),
        "buyRatio": decimal(row.accounts_long, 4),
        "sellRatio": decimal(round(1 - row.accounts_long, 4), 4),
        "timestamp": str(row.time // MILLISECOND),
    }
