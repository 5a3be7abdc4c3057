"""Binance's funding, open interest and prices: wire shapes, decoders, parameters.

Sources: the USD-M, COIN-M and spot market data pages of https://developers.binance.com/docs, read in 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from marketcli.exchanges.binance.rest import FUTURES_WEIGHT, SPOT_WEIGHT, source
from marketcli.models import MINUTE, Interval, Market
from marketcli.spec import Amount, Count, Real, decode_json, micros, number_or_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketcli.models import Micros
    from marketcli.spec import Page, Params, Query, Rows

STATISTICS = "futures data requests"  # /futures/data/*, which weighs nothing
FUNDING_REQUESTS = "funding requests"  # fundingRate and fundingInfo together

Blank: TypeAlias = str  # a number as text, or "" where there is none
PERIODS: Mapping[Interval, str] = {
    Interval.parse(text): text for text in ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
}


# --- premium index: mark, index and the coming funding
# https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Mark-Price


class Premium(msgspec.Struct, frozen=True, rename="camel"):
    """One instrument; `last_funding_rate` is, despite its name, the estimate for the coming settlement."""

    symbol: str
    mark_price: Blank
    index_price: Blank
    last_funding_rate: Blank
    next_funding_time: Count
    time: Count


PREMIUM = ("native", "time", "mark", "index", "rate", "next_time")


def premium(body: bytes, query: Query) -> Rows:
    """Mark, index and coming funding; one object for a symbol of USD-M, a list for all and on COIN-M."""
    what = source(query)
    found: list[Premium] | Premium = decode_json(body, list[Premium] | Premium, what=what)
    return [
        (
            item.symbol,
            micros(item.time, what=what),
            number_or_none(item.mark_price, what=what),
            number_or_none(item.index_price, what=what),
            number_or_none(item.last_funding_rate, what=what) if item.next_funding_time else None,
            micros(item.next_funding_time, what=what) if item.next_funding_time else None,
        )
        for item in (found if isinstance(found, list) else [found])
    ]


# --- funding: terms and history
# https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Get-Funding-Rate-History


class Terms(msgspec.Struct, frozen=True, rename="camel"):
    """An instrument whose terms were adjusted; all others settle every 8 hours."""

    symbol: str
    funding_interval_hours: Count


TERMS = ("native", "interval_h")


def terms(body: bytes, query: Query) -> Rows:
    """Hours between settlements, of the instruments that are listed."""
    found: list[Terms] = decode_json(body, list[Terms], what=source(query))
    return [(item.symbol, float(item.funding_interval_hours)) for item in found if item.funding_interval_hours]


class Rate(msgspec.Struct, frozen=True, rename="camel"):
    """A settlement; old ones have no mark price."""

    symbol: str
    funding_rate: Real
    funding_time: Count
    mark_price: Blank = ""


SETTLEMENT = ("time", "rate", "mark")


def settlements(body: bytes, query: Query) -> Rows:
    """Settlements, their times snapped to the minute: they carry milliseconds of jitter."""
    what = source(query)
    found: list[Rate] = decode_json(body, list[Rate], what=what)
    return [
        (
            snapped(micros(item.funding_time, what=what)),
            item.funding_rate,
            number_or_none(item.mark_price, what=what),
        )
        for item in found
    ]


def snapped(time: Micros) -> Micros:
    """The minute a time is nearest to."""
    return (time + MINUTE // 2) // MINUTE * MINUTE


def settlement_params(query: Query, page: Page) -> Params:
    """Bounds a minute wider than asked, for the jitter; the engine clips."""
    if page.window is None:
        raise TypeError("settlements need a window")
    return {
        **symbol_params(query, page),
        "startTime": (page.window.start - MINUTE) // 1_000,
        "endTime": (page.window.end + MINUTE) // 1_000,
        "limit": page.limit,
    }


# --- open interest
# https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Open-Interest


class Interest(msgspec.Struct, frozen=True, rename="camel"):
    """What is open now: base on USD-M, contracts on COIN-M; one side counted."""

    symbol: str
    open_interest: Amount
    time: Count


def interest(body: bytes, query: Query) -> Rows:
    """Open interest now, in the market's own unit."""
    item: Interest = decode_json(body, Interest, what=source(query))
    return [(item.symbol, micros(item.time, what=source(query)), item.open_interest)]


class Point(msgspec.Struct, frozen=True, rename="camel"):
    """Open interest at a time; the second number is its value in USDT on USD-M and in base on COIN-M."""

    sum_open_interest: Amount
    sum_open_interest_value: Amount
    timestamp: Count  # written as a number or as text


def points(body: bytes, query: Query) -> Rows:
    """USD-M: base and quote."""
    what = source(query)
    found: list[Point] = decode_json(body, list[Point], what=what)
    return [(micros(item.timestamp, what=what), item.sum_open_interest, item.sum_open_interest_value) for item in found]


def inverse_points(body: bytes, query: Query) -> Rows:
    """COIN-M: contracts, base, and the contracts' face value."""
    what, size = source(query), query.instrument.contract_size if query.instrument else 1.0
    found: list[Point] = decode_json(body, list[Point], what=what)
    return [
        (
            micros(item.timestamp, what=what),
            item.sum_open_interest,
            item.sum_open_interest_value,
            item.sum_open_interest * size,
        )
        for item in found
    ]


def point_params(query: Query, page: Page) -> Params:
    """What a page of open interest is asked with."""
    if page.window is None or query.interval is None or query.instrument is None:
        raise TypeError("open interest history needs an instrument, a window and an interval")
    who: dict[str, str | int] = {"symbol": query.instrument.native}
    if query.market is Market.INVERSE:
        who = {"pair": query.instrument.pair, "contractType": query.instrument.kind}
    return {
        **who,
        "period": PERIODS[query.interval],
        "startTime": -(-page.window.start // 1_000),
        "endTime": (page.window.end - 1) // 1_000,
        "limit": page.limit,
    }


# --- prices
# https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Symbol-Price-Ticker-v2


class Last(msgspec.Struct, frozen=True):
    """The last price; spot says no time."""

    symbol: str
    price: Amount
    time: Count | None = None


LAST = ("native", "time", "last")


def last_prices(body: bytes, query: Query) -> Rows:
    """Last prices; one object for a symbol, a list for all and on COIN-M."""
    what = source(query)
    found: list[Last] | Last = decode_json(body, list[Last] | Last, what=what)
    return [
        (item.symbol, micros(item.time, what=what) if item.time else None, item.price)
        for item in (found if isinstance(found, list) else [found])
    ]


class Average(msgspec.Struct, frozen=True):
    """The average price of some minutes; it does not say of what."""

    mins: Count
    price: Amount


AVERAGE = ("native", "average_minutes", "average")


def average_price(body: bytes, query: Query) -> Rows:
    """The average price of the instrument that was asked for."""
    item: Average = decode_json(body, Average, what=source(query))
    return [(query.instrument.native if query.instrument else "", item.mins, item.price)]


def symbol_params(query: Query, _: Page) -> Params:
    """The instrument alone."""
    return {"symbol": query.instrument.native} if query.instrument else {}


def nothing(_: Query, __: Page) -> Params:
    """Everything, by asking for nothing."""
    return {}


def futures_units(count: int) -> Mapping[str, int]:
    """So much weight of the futures pool."""
    return {FUTURES_WEIGHT: count}


ONE_STATISTIC: Mapping[str, int] = {STATISTICS: 1}
ONE_FUNDING: Mapping[str, int] = {FUNDING_REQUESTS: 1}
TWO_SPOT: Mapping[str, int] = {SPOT_WEIGHT: 2}
FUNDING_AND_WEIGHT: Mapping[str, int] = {FUNDING_REQUESTS: 1, FUTURES_WEIGHT: 1}  # COIN-M history weighs, too
