"""Bybit's funding, open interest and account ratios: wire shapes, decoders, parameters.

Sources: https://bybit-exchange.github.io/docs/v5/market/tickers, history-fund-rate, open-interest and
long-short-ratio, read in 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.exchanges.bybit.market import CONTRACT_TICKERS, tickers
from marketcli.exchanges.bybit.rest import (
    Blank,
    Envelope,
    Listed,
    moment_or_none,
    price_or_none,
    rows_of,
    source,
    whose,
)
from marketcli.models import Interval
from marketcli.spec import Amount, Count, Real, micros, number_or_none, settlement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketcli.exchanges.bybit.market import ContractTicker
    from marketcli.models import Micros
    from marketcli.spec import Page, Params, Query, Rows

PERIODS: Mapping[Interval, str] = {
    Interval.parse(text): spelled
    for text, spelled in (
        ("5m", "5min"),
        ("15m", "15min"),
        ("30m", "30min"),
        ("1h", "1h"),
        ("4h", "4h"),
        ("1d", "1d"),
    )
}


# --- funding: https://bybit-exchange.github.io/docs/v5/market/history-fund-rate

FUNDING = ("native", "time", "rate", "interval_h", "next_time", "mark", "index")


def funding(body: bytes, query: Query) -> Rows:
    """Coming funding with mark and index; dated contracts have none."""
    time, found = tickers(body, CONTRACT_TICKERS, query)
    return [funding_of(item, time, query) for item in found]


def funding_of(item: ContractTicker, time: Micros, query: Query) -> tuple[Any, ...]:
    """The row of a contract."""
    what = source(query)
    prices = (item.mark_price, item.index_price)
    return (item.symbol, time, *coming(item, query), *(price_or_none(text, what=what) for text in prices))


def coming(item: ContractTicker, query: Query) -> tuple[float | None, float | None, Micros | None]:
    """Rate, hours between settlements and the next one; the list of instruments knows the hours, too."""
    what = source(query)
    following = moment_or_none(item.next_funding_time, what=what)
    if following is None:
        return None, None, None
    listed = query.instrument.interval_h if query.instrument else None
    hours = number_or_none(item.funding_interval_hour, what=what) or listed
    return number_or_none(item.funding_rate, what=what), hours, following


class Rate(msgspec.Struct, frozen=True, rename="camel"):
    """A settlement."""

    funding_rate: Real
    funding_rate_timestamp: Count


RATES: Any = Envelope[Listed[Rate]]
SETTLEMENT = ("time", "rate")


def settlements(body: bytes, query: Query) -> Rows:
    """Settlements, newest first, their times snapped to the minute."""
    what = source(query)
    found: tuple[Rate, ...] = rows_of(body, RATES, query)
    return [(settlement(item.funding_rate_timestamp, what=what), item.funding_rate) for item in found]


def settlement_params(query: Query, page: Page) -> Params:
    """Both bounds, always: a start without an end is refused."""
    return {**whose(query), **bounds(page), "limit": page.limit}


def bounds(page: Page) -> dict[str, str | int]:
    """First and last moment of a page in milliseconds; both are inclusive on the wire."""
    if page.window is None:
        raise TypeError("a history needs a window")
    return {"startTime": -(-page.window.start // 1_000), "endTime": (page.window.end - 1) // 1_000}


# --- open interest: https://bybit-exchange.github.io/docs/v5/market/open-interest

ONE_SIDE = (
    "Bybit's open interest counts both sides of every contract; here one side is counted, as elsewhere: its own figure "
    "for that, else half of both."
)
OPEN = ("native", "time", "oi_base", "mark")
INVERSE_OPEN = ("native", "time", "oi_contracts", "mark")


def interest(body: bytes, query: Query) -> Rows:
    """What is open now, one side counted: base, on inverse contracts of one dollar."""
    time, found = tickers(body, CONTRACT_TICKERS, query)
    return [interest_of(item, time, query) for item in found]


def interest_of(item: ContractTicker, time: Micros, query: Query) -> tuple[Any, ...]:
    """The row of a contract."""
    what = source(query)
    both = number_or_none(item.open_interest, what=what)
    single = one_side(item.single_open_interest, both, query)
    return item.symbol, time, single, price_or_none(item.mark_price, what=what)


def one_side(single: Blank, both: float | None, query: Query) -> float | None:
    """What is open on one side: as Bybit says it, else half of both."""
    told = number_or_none(single, what=source(query))
    return told if told is not None or both is None else both / 2


class Point(msgspec.Struct, frozen=True, rename="camel"):
    """Open interest at a time; both sides, and one since June 2026."""

    open_interest: Amount
    timestamp: Count
    single_open_interest: Blank = None


POINTS: Any = Envelope[Listed[Point]]
POINT = ("time", "oi_base")
INVERSE_POINT = ("time", "oi_contracts", "oi_quote")


def points(body: bytes, query: Query) -> Rows:
    """Linear: base."""
    found: tuple[Point, ...] = rows_of(body, POINTS, query)
    return [
        (micros(item.timestamp, what=source(query)), one_side(item.single_open_interest, item.open_interest, query))
        for item in found
    ]


def inverse_points(body: bytes, query: Query) -> Rows:
    """Inverse: contracts, and as many dollars."""
    return [(time, contracts, contracts) for time, contracts in points(body, query)]


def point_params(query: Query, page: Page) -> Params:
    """What a page of open interest is asked with."""
    return {**whose(query), "intervalTime": period(query), **bounds(page), "limit": page.limit}


def period(query: Query) -> str:
    """The distance of points as Bybit spells it."""
    if query.interval is None:
        raise TypeError("points need an interval")
    return PERIODS[query.interval]


# --- account ratios: https://bybit-exchange.github.io/docs/v5/market/long-short-ratio


class Ratio(msgspec.Struct, frozen=True, rename="camel"):
    """Which shares of the accounts are long and short."""

    buy_ratio: Real
    sell_ratio: Real
    timestamp: Count


RATIOS: Any = Envelope[Listed[Ratio]]
RATIO = ("time", "long", "short")


def ratios(body: bytes, query: Query) -> Rows:
    """Shares of accounts, newest first."""
    found: tuple[Ratio, ...] = rows_of(body, RATIOS, query)
    return [(micros(item.timestamp, what=source(query)), item.buy_ratio, item.sell_ratio) for item in found]


def ratio_params(query: Query, page: Page) -> Params:
    """What a page of ratios is asked with; its times are texts, which a query string makes of all."""
    return {**whose(query), "period": period(query), **bounds(page), "limit": page.limit}
