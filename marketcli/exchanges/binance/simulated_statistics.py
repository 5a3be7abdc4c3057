"""What Binance's statistics at regular times have in common, as the sandbox plays them.

Documentation: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/
Open-Interest-Statistics, Long-Short-Ratio and the pages beside them, and the same pages of coin-margined-futures.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from marketcli.exchanges.binance.simulated_instruments import contract_type
from marketcli.exchanges.binance.simulated_requests import INVERSE, limit_of, needed, refusal, times_of
from marketcli.models import DAY, MILLISECOND, Interval, Market, Window
from marketcli.simulator import Ask, newest, oldest

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.world import Listing

T = TypeVar("T")

PERIODS = {text: Interval.parse(text) for text in ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")}
LIMIT, MOST = 30, 500
KEPT = 30 * DAY
EVERY_TYPE = "ALL"
TYPES = ("PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER", EVERY_TYPE)


def page(ask: Ask, market: Market, points: Callable[[Interval, Window], list[T]]) -> list[T]:
    """The points asked for, oldest first, of the last 30 days.

    A `timestamp` is the start of its period since 2026-06-25. Whether a standing value is the one at that moment or at
    the period's end is not known; here it is the one at `timestamp`.
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
    rows = partial(points, period)
    return (newest if start is None else oldest)(rows, window, length=period.longest, limit=limit)


def grid(period: Interval, window: Window) -> range:
    """The moments of a window that points stand at."""
    return range(period.ceil(window.start), window.end, period.longest)


def pair_of(ask: Ask) -> tuple[str, list[Listing]]:
    """The COIN-M pair asked for, and all its contracts."""
    pair = needed(ask, "pair")
    listings = [listing for listing in ask.world.listings(INVERSE) if listing.base + listing.quote == pair]
    if not listings:
        raise refusal(-1121, "Invalid symbol.")
    return pair, listings


def of_type(ask: Ask, listings: list[Listing], kind: str) -> list[Listing]:
    """The contracts of a type, or of all types."""
    if kind not in TYPES:
        raise invalid("contractType")
    return [listing for listing in listings if kind in {EVERY_TYPE, contract_type(ask, listing)}]


def invalid(name: str) -> Exception:
    """The refusal of a parameter, in the words of the statistics."""
    return refusal(-1130, f"parameter '{name}' is invalid.")
