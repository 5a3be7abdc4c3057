"""Binance's statistics at regular times, open interest and ratios: wire shapes, decoders, parameters.

Sources: Open-Interest-Statistics, Long-Short-Ratio and the pages beside them in the USD-M and COIN-M market data of
https://developers.binance.com/docs/derivatives, read in 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.exchanges.binance.rest import bounds, source
from marketcli.models import Interval, Market
from marketcli.spec import Amount, Count, decode_json, micros

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from marketcli.models import Micros
    from marketcli.spec import Page, Params, Query, Rows

PERIODS: Mapping[Interval, str] = {
    Interval.parse(text): text for text in ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
}


class Point(msgspec.Struct, frozen=True, rename="camel"):
    """A moment, written as a number or as text."""

    timestamp: Count


class Interest(Point, frozen=True, rename="camel"):
    """Open interest; the second number is its value in USDT on USD-M and in base on COIN-M."""

    sum_open_interest: Amount
    sum_open_interest_value: Amount


class Shares(Point, frozen=True, rename="camel"):
    """Parts that are long and short: of accounts and, on USD-M under the same names, of positions."""

    long_short_ratio: Amount
    long_account: Amount
    short_account: Amount


class PositionShares(Point, frozen=True, rename="camel"):
    """The same of positions, as COIN-M names them."""

    long_short_ratio: Amount
    long_position: Amount
    short_position: Amount


class Taken(Point, frozen=True, rename="camel"):
    """What takers of USD-M bought and sold, in base."""

    buy_sell_ratio: Amount
    buy_vol: Amount
    sell_vol: Amount


class InverseTaken(Point, frozen=True, rename="camel"):
    """The same on COIN-M, where the volumes count contracts and their values are base; no ratio is given."""

    taker_buy_vol_value: Amount
    taker_sell_vol_value: Amount


INTEREST = ("time", "oi_base", "oi_quote")
INVERSE_INTEREST = ("time", "oi_contracts", "oi_base", "oi_quote")
SHARES = ("time", "ratio", "long", "short")
TAKEN = ("time", "ratio", "buy_base", "sell_base")
INVERSE_TAKEN = ("time", "buy_base", "sell_base")


def timed(body: bytes, shape: Any, query: Query) -> Iterator[tuple[Micros, Any]]:
    """The points of an answer, each with its time."""
    what = source(query)
    return ((micros(point.timestamp, what=what), point) for point in decode_json(body, shape, what=what))


def interest(body: bytes, query: Query) -> Rows:
    """Open interest of USD-M: base and quote."""
    found = timed(body, list[Interest], query)
    return [(time, point.sum_open_interest, point.sum_open_interest_value) for time, point in found]


def inverse_interest(body: bytes, query: Query) -> Rows:
    """Open interest of COIN-M: contracts, base, and the contracts' face value."""
    size = query.instrument.contract_size if query.instrument else 1.0
    return [
        (time, point.sum_open_interest, point.sum_open_interest_value, point.sum_open_interest * size)
        for time, point in timed(body, list[Interest], query)
    ]


def shares(body: bytes, query: Query) -> Rows:
    """Who is long and who is short."""
    found = timed(body, list[Shares], query)
    return [(time, point.long_short_ratio, point.long_account, point.short_account) for time, point in found]


def position_shares(body: bytes, query: Query) -> Rows:
    """The same of positions on COIN-M."""
    found = timed(body, list[PositionShares], query)
    return [(time, point.long_short_ratio, point.long_position, point.short_position) for time, point in found]


def taken(body: bytes, query: Query) -> Rows:
    """What takers of USD-M did."""
    found = timed(body, list[Taken], query)
    return [(time, point.buy_sell_ratio, point.buy_vol, point.sell_vol) for time, point in found]


def inverse_taken(body: bytes, query: Query) -> Rows:
    """What takers of COIN-M did."""
    found = timed(body, list[InverseTaken], query)
    return [(time, point.taker_buy_vol_value, point.taker_sell_vol_value) for time, point in found]


def params(query: Query, page: Page) -> Params:
    """What a page of points is asked with: on COIN-M by pair and type of contract."""
    kind = {"contractType": query.instrument.kind} if query.market is Market.INVERSE and query.instrument else {}
    return {**pair_params(query, page), **kind}


def pair_params(query: Query, page: Page) -> Params:
    """The same for what COIN-M has for all contracts of a pair together."""
    if query.interval is None or query.instrument is None:
        raise TypeError("statistics need an instrument and an interval")
    inverse = query.market is Market.INVERSE
    whose = {"pair": query.instrument.pair} if inverse else {"symbol": query.instrument.native}
    return {**whose, "period": PERIODS[query.interval], **bounds(page), "limit": page.limit}
