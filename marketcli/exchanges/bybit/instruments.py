"""Bybit's instrument lists: wire shapes, their decoders, and the walk over all states.

Source: https://bybit-exchange.github.io/docs/v5/market/instrument, read in 2026.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

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
from marketcli.models import Market, multiplier_of
from marketcli.paging import by_cursor
from marketcli.spec import Continued, Count, decode_json

if TYPE_CHECKING:
    from collections.abc import Generator

    from marketcli.spec import Endpoint, Page, Params, Query, Rows


class PriceFilter(msgspec.Struct, frozen=True, rename="camel"):
    """The smallest step of a price."""

    tick_size: Blank = None


class LotSizeFilter(msgspec.Struct, frozen=True, rename="camel"):
    """The smallest step of a size: `base_precision` on spot, `qty_step` on contracts."""

    base_precision: Blank = None
    qty_step: Blank = None


class Pair(msgspec.Struct, frozen=True, rename="camel"):
    """An instrument of the spot list."""

    symbol: str
    status: str
    base_coin: str
    quote_coin: str
    price_filter: PriceFilter
    lot_size_filter: LotSizeFilter


class Contract(Pair, frozen=True, rename="camel"):
    """An instrument of the linear or the inverse list; funding intervals are minutes."""

    contract_type: str
    settle_coin: str
    launch_time: Blank
    delivery_time: Blank
    funding_interval: Count


PAIRS: Any = Envelope[Listed[Pair]]
CONTRACTS: Any = Envelope[Listed[Contract]]

PAIR = ("native", "base", "quote", "settle", "multiplier", "tick", "lot", "status")
CONTRACT = (*PAIR, "inverse", "listed", "expiry", "delivery", "interval_h", "kind")

STATUS = {
    "PreLaunch": "pending",
    "PendingOpen": "pending",
    "Trading": "trading",
    "Settling": "closing",
    "Delivering": "closing",
    "Closed": "closed",
}
STATES = ("", "PreLaunch", "Delivering", "Closed")  # asked for without one, the list holds only what trades


def spot_instruments(body: bytes, query: Query) -> Rows:
    """The spot list; it has no listing dates and nothing that was delisted."""
    return [(*described(item, item.quote_coin, query),) for item in rows_of(body, PAIRS, query)]


def contracts(body: bytes, query: Query) -> Rows:
    """A page of the linear or the inverse list of one state."""
    found = decode_json(body, CONTRACTS, what=source(query)).result
    return Continued([contract(item, query) for item in found.rows], found.next_page_cursor)


def described(item: Pair, settle: str, query: Query) -> tuple[Any, ...]:
    """What both kinds of lists say."""
    what = source(query)
    lot = item.lot_size_filter.qty_step or item.lot_size_filter.base_precision
    return (
        item.symbol,
        item.base_coin,
        item.quote_coin,
        settle,
        multiplier(item.base_coin),
        price_or_none(item.price_filter.tick_size, what=what),
        price_or_none(lot, what=what),
        STATUS.get(item.status, item.status.lower()),
    )


def contract(item: Contract, query: Query) -> tuple[Any, ...]:
    """One contract; a perpetual has a delivery time, too, when it is about to be delisted, and keeps its name."""
    what, dated = source(query), item.contract_type.endswith("Futures")
    expiry = moment_or_none(item.delivery_time, what=what)
    return (
        *described(item, item.settle_coin, query),
        query.market is Market.INVERSE,
        moment_or_none(item.launch_time, what=what),
        expiry,
        expiry if dated else None,
        item.funding_interval / 60 if item.funding_interval and not dated else None,
        item.contract_type,
    )


def multiplier(base: str) -> int:
    """How many coins one unit of a base is: Bybit writes 1000PEPE, but SHIB1000."""
    return 1_000 if re.fullmatch(r"[A-Z]+1000", base) else multiplier_of(base)


def every_state(endpoint: Endpoint, query: Query) -> Generator[Page, Rows, None]:
    """The contracts of one state after the other, each list continued by its cursor."""
    for state in STATES:
        pages = by_cursor(endpoint, query)
        page: Page | None = next(pages)
        while page is not None:
            rows = yield replace(page, cursor=f"{state} {page.cursor or ''}")
            page = following(pages, rows)


def following(pages: Generator[Page, Rows, None], rows: Rows) -> Page | None:
    """The page after one that brought these rows, if there is one."""
    try:
        return pages.send(rows)
    except StopIteration:
        return None


def list_params(query: Query, page: Page) -> Params:
    """A state, and where to continue; cursors come percent-encoded and must not be encoded twice."""
    state, _, cursor = str(page.cursor or "").partition(" ")
    plain = re.sub("%([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), cursor)
    asked: dict[str, str | int] = {**whose(query), "status": state, "limit": page.limit, "cursor": plain}
    return {name: value for name, value in asked.items() if value != ""}
