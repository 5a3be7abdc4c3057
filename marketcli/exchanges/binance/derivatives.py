"""Binance's funding, open interest now and prices: wire shapes, decoders, parameters.

Sources: the USD-M, COIN-M and spot market data pages of https://developers.binance.com/docs, read in 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from marketcli.exchanges.binance.rest import one_or_many, source, symbol_params
from marketcli.models import MINUTE
from marketcli.spec import Amount, Count, Real, decode_json, micros, number_or_none, settlement

if TYPE_CHECKING:
    from marketcli.spec import Page, Params, Query, Rows

Blank: TypeAlias = str  # a number as text, or "" where there is none


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
    return [
        (
            item.symbol,
            micros(item.time, what=what),
            number_or_none(item.mark_price, what=what),
            number_or_none(item.index_price, what=what),
            number_or_none(item.last_funding_rate, what=what) if item.next_funding_time else None,
            micros(item.next_funding_time, what=what) if item.next_funding_time else None,
        )
        for item in one_or_many(body, list[Premium] | Premium, query)
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
            settlement(item.funding_time, what=what),
            item.funding_rate,
            number_or_none(item.mark_price, what=what),
        )
        for item in found
    ]


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


OPEN = ("native", "time", "oi_base")
INVERSE_OPEN = ("native", "time", "oi_contracts")


def interest(body: bytes, query: Query) -> Rows:
    """Open interest now, in the market's own unit."""
    item: Interest = decode_json(body, Interest, what=source(query))
    return [(item.symbol, micros(item.time, what=source(query)), item.open_interest)]


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
    return [
        (item.symbol, micros(item.time, what=source(query)) if item.time else None, item.price)
        for item in one_or_many(body, list[Last] | Last, query)
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
