"""OKX's trading statistics as the sandbox plays them.

Documentation: https://www.okx.com/docs-v5/en/#trading-statistics-rest-api-get-contract-open-interest-history and the
pages of ratios and taker volume beside it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from marketcli.exchanges.okx.simulated_candles import PRICE_BARS, TWO_HOURS, Grid, bars, both, grid_of
from marketcli.exchanges.okx.simulated_requests import (
    INVERSE,
    LINEAR,
    NEWEST,
    answer,
    between,
    limit_of,
    listing_of,
    sized,
    stamp,
    wrong,
)
from marketcli.models import DAY, Interval, Window
from marketcli.simulator import Ask, Reply, newest
from marketcli.text import number
from marketcli.windows import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.world import Bar, Interest, Listing, Ratio

ODD = {f"{count}D": Interval(count, "d") for count in (2, 3, 5)}
FINEST = ("1m", "3m")  # of candles only
PERIODS = {text: grid for text, grid in (PRICE_BARS | both(ODD)).items() if text not in FINEST}
DAILY_SINCE = parse_time("2024-01-01", now=0)  # points of a day and more are not older


def asked(ask: Ask) -> tuple[Listing, Grid, Window, int]:
    """The contract, the points and how many are asked for, as far as they are among the newest."""
    listing = listing_of(ask, (LINEAR, INVERSE))
    grid, limit = grid_of(ask, PERIODS, "period", "5m"), limit_of(ask, most=100)
    start, end = between(ask, "begin", "end", until=ask.now + 1)
    start = max(start, grid.step(grid.floor(ask.now), 1 - NEWEST), listing.listed)
    if grid.interval.longest >= DAY:
        start = max(start, DAILY_SINCE)
    return listing, grid, Window(start, min(end, listing.expiry or end)), limit


def open_interest_history(ask: Ask) -> Reply:
    """What was open, newest first: contracts, base, dollars."""
    listing, grid, window, limit = asked(ask)

    def points(part: Window) -> list[Interest]:
        return ask.world.interest(listing, grid.opens(part))

    rows = newest(points, window, length=grid.interval.longest, limit=limit)
    return answer(
        [
            [stamp(row.time), sized(listing, row.base, row.contracts), number(row.base), number(row.quote)]
            for row in reversed(rows)
        ]
    )


def long_short(ask: Ask, share: Callable[[Ratio], float]) -> Reply:
    """Long to short, newest first."""
    listing, grid, window, limit = asked(ask)
    opening = TWO_HOURS if grid.ahead else grid.interval

    def points(part: Window) -> list[Ratio]:
        return ask.world.ratios(listing, opening, grid.opens(part))

    rows = newest(points, window, length=grid.interval.longest, limit=limit)
    return answer([[stamp(row.time), number(share(row) / (1 - share(row)))] for row in reversed(rows)])


def taker_volume(ask: Ask) -> Reply:
    """What takers sold and bought, newest first, in coins (unit 0), contracts (1, unless said) or money (2)."""
    listing, grid, window, limit = asked(ask)
    unit = ask.params.get("unit") or "1"
    if unit not in UNITS:
        raise wrong("unit")
    rows = newest(partial(bars, ask, listing, grid, "trade"), window, length=grid.interval.longest, limit=limit)
    return answer([[stamp(bar.time), *UNITS[unit](listing, bar)] for bar in reversed(rows)])


def in_coins(_: Listing, bar: Bar) -> tuple[str, str]:
    """Sold and bought in base."""
    return number(round(bar.volume_base - bar.taker_buy_base, 10)), number(bar.taker_buy_base)


def in_contracts(listing: Listing, bar: Bar) -> tuple[str, str]:
    """Sold and bought in contracts."""
    sold = round(bar.volume_base - bar.taker_buy_base, 10), bar.contracts - bar.taker_buy_contracts
    return sized(listing, *sold), sized(listing, bar.taker_buy_base, bar.taker_buy_contracts)


def in_money(_: Listing, bar: Bar) -> tuple[str, str]:
    """Sold and bought in quote."""
    return number(round(bar.volume_quote - bar.taker_buy_quote, 10)), number(bar.taker_buy_quote)


UNITS = {"0": in_coins, "1": in_contracts, "2": in_money}
