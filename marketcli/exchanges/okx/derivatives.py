"""OKX's funding, open interest, prices and ratios: wire shapes, decoders, parameters.

Source: the public data, market data and trading statistics pages of https://www.okx.com/docs-v5/en/, read in 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from marketcli.exchanges.okx.rest import INTERVALS, answered, asked, bounds, sent, source, table
from marketcli.models import HOUR, MILLISECOND, MINUTE, Interval
from marketcli.spec import Amount, Count, Real, micros, number_or_none, settlement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketcli.spec import Page, Params, Query, Rows


# --- funding: https://www.okx.com/docs-v5/en/#public-data-rest-api-get-funding-rate


class Coming(msgspec.Struct, frozen=True, rename="camel"):
    """The running forecast for the settlement at `funding_time`; the one after that tells the interval."""

    inst_id: str
    funding_rate: str
    funding_time: str
    next_funding_time: str
    ts: Count


def funding_rows(items: list[Coming], query: Query) -> Rows:
    """Coming funding, with the pair that its index price is found by."""
    what, rows = source(query), []
    for item in items:
        rate, due, after = (
            number_or_none(text, what=what) for text in (item.funding_rate, item.funding_time, item.next_funding_time)
        )
        hours = (after - due) * MILLISECOND / HOUR if due and after else None
        coming = micros(int(due), what=what) if due else None
        rows.append((item.inst_id, asked(query).pair, micros(item.ts, what=what), rate, hours, coming))
    return rows


FUNDING = answered(Coming, funding_rows), ("native", "pair", "time", "rate", "interval_h", "next_time")


class Paid(msgspec.Struct, frozen=True, rename="camel"):
    """A settlement and what was charged; `fundingRate` beside it is only what had been forecast."""

    funding_time: Count
    realized_rate: str = ""


def settlements(body: bytes, query: Query) -> Rows:
    """What was charged; null where OKX does not say it."""
    what = source(query)
    return [
        (settlement(item.funding_time, what=what), number_or_none(item.realized_rate, what=what))
        for item in sent(body, query, Paid)
    ]


SETTLEMENTS = settlements, ("time", "rate")


def settlement_params(query: Query, page: Page) -> Params:
    """Bounds a minute wider than asked, because times are snapped to minutes; the engine clips."""
    newer, older = bounds(page, margin=MINUTE)
    return {"instId": asked(query).native, "after": older, "before": newer, "limit": page.limit}


# --- open interest and prices now: https://www.okx.com/docs-v5/en/#public-data-rest-api-get-open-interest


class Interest(msgspec.Struct, frozen=True, rename="camel"):
    """What is open now, one side counted: contracts and base."""

    inst_id: str
    ts: Count
    oi: Amount
    oi_ccy: Amount


class Mark(msgspec.Struct, frozen=True, rename="camel"):
    """The mark price of a contract."""

    inst_id: str
    mark_px: Real


class Index(msgspec.Struct, frozen=True, rename="camel"):
    """The price of an index, which has the name of a pair."""

    inst_id: str
    idx_px: Real


INTEREST = table(Interest, "native", "time", "oi_contracts", "oi_base")
MARKS = table(Mark, "native", "mark")
INDICES = table(Index, "pair", "index")


def typed_params(query: Query, _: Page) -> Params:
    """One instrument by its type and name."""
    return {"instType": asked(query).kind, "instId": asked(query).native}


def by_pair(query: Query, _: Page) -> Params:
    """The index that an instrument follows."""
    return {"instId": asked(query).pair}


# --- statistics: https://www.okx.com/docs-v5/en/#trading-statistics-rest-api-get-contract-open-interest-history

FINEST = {Interval.parse("1m"), Interval.parse("3m")}  # of candles only
PERIODS: Mapping[Interval, str] = {one: text for one, text in INTERVALS.items() if one not in FINEST}


class Point(msgspec.Struct, array_like=True, frozen=True):
    """Open interest at a time: contracts, base, and its value in USD."""

    ts: Count
    contracts: Amount
    base: Amount
    dollars: Amount


class Share(msgspec.Struct, array_like=True, frozen=True):
    """Long to short at a time."""

    ts: Count
    ratio: Amount


class Taken(msgspec.Struct, array_like=True, frozen=True):
    """What takers did; what they sold comes first."""

    ts: Count
    sold: Amount
    bought: Amount


RATIOS = table(Share, "time", "ratio")


def points(body: bytes, query: Query) -> Rows:
    """Open interest at regular times; its value in USD is one in quote only where that is USD."""
    dollars = asked(query).quote == "USD"
    return [
        (micros(one.ts, what=source(query)), one.contracts, one.base, one.dollars if dollars else None)
        for one in sent(body, query, Point)
    ]


POINTS = points, ("time", "oi_contracts", "oi_base", "oi_quote")


def takers(body: bytes, query: Query) -> Rows:
    """What takers bought and sold."""
    return [
        (micros(one.ts, what=source(query)), one.bought / one.sold if one.sold else None, one.bought, one.sold)
        for one in sent(body, query, Taken)
    ]


TAKERS = takers, ("time", "ratio", "buy_base", "sell_base")


def point_params(query: Query, page: Page) -> Params:
    """What a page of statistics is asked with."""
    if query.interval is None:
        raise TypeError("statistics need an interval")
    newer, older = bounds(page)
    period = PERIODS[query.interval]
    return {"instId": asked(query).native, "period": period, "begin": newer, "end": older, "limit": page.limit}


def taker_params(query: Query, page: Page) -> Params:
    """The same for what takers did, which is asked for in coins."""
    return {**point_params(query, page), "unit": 0}
