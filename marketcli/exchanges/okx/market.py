"""OKX's tickers, order book and trades: wire shapes, decoders, parameters.

Source: the market data pages of https://www.okx.com/docs-v5/en/#order-book-trading-market-data, read in 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from marketcli.exchanges.okx.rest import answered, asked, bounds, sent, source
from marketcli.models import GENESIS, MILLISECOND
from marketcli.paging import needed, stalled
from marketcli.spec import LATEST_STAMP, Amount, Count, Page, Real, micros, number_or_none

if TYPE_CHECKING:
    from collections.abc import Generator

    from marketcli.spec import Endpoint, Params, Query, Rows


# --- tickers: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-tickers


class Ticker(msgspec.Struct, frozen=True, rename="camel"):
    """The last 24 hours; blank is what has never been traded or is not offered.

    `vol24h` counts base on spot and contracts elsewhere, `vol_ccy` quote on spot and base elsewhere.
    """

    inst_id: str
    ts: Count
    last: str
    bid_px: str
    ask_px: str
    open24h: str
    high24h: str
    low24h: str
    bid_sz: str
    ask_sz: str
    vol24h: str
    vol_ccy: str = msgspec.field(name="volCcy24h")


PRICES = ("native", "time", "last", "bid", "ask", "open", "high", "low")


def ticker_rows(items: list[Ticker], query: Query) -> Rows:
    """Tickers of any market; the columns say what is counted."""
    what, rows = source(query), []
    for item in items:
        native, time, *texts = msgspec.structs.astuple(item)
        rows.append((native, micros(time, what=what), *(number_or_none(text, what=what) for text in texts)))
    return rows


tickers = answered(Ticker, ticker_rows)
SPOT_TICKERS = tickers, (*PRICES, "bid_size", "ask_size", "volume_base", "volume_quote")
CONTRACT_TICKERS = tickers, (*PRICES, "bid_contracts", "ask_contracts", "volume_contracts", "volume_base")


def last_prices(body: bytes, query: Query) -> Rows:
    """The last price alone, with the pair that its index price is found by."""
    return [(native, asked(query).pair, time, last) for native, time, last, *_ in tickers(body, query)]


LAST_PRICES = last_prices, ("native", "pair", "time", "last")


# --- the order book: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-order-book


class Level(msgspec.Struct, array_like=True, frozen=True):
    """A price, what rests there (base on spot, contracts elsewhere), a number without meaning by now, and orders."""

    price: Real
    size: Amount
    unused: str
    orders: Count


class Book(msgspec.Struct, frozen=True, rename="camel"):
    """Both sides at a time."""

    asks: list[Level]
    bids: list[Level]
    ts: Count
    seq_id: Count | None = None


def book(body: bytes, query: Query) -> Rows:
    """The levels of both sides."""
    rows = []
    for item in sent(body, query, Book):
        state = micros(item.ts, what=source(query)), None if item.seq_id is None else str(item.seq_id)
        for side, levels in (("bid", item.bids), ("ask", item.asks)):
            rows += [(*state, side, level.price, level.size, level.orders) for level in levels]
    return rows


SPOT_BOOK = book, ("time", "update_id", "side", "price", "size", "orders")
CONTRACT_BOOK = book, ("time", "update_id", "side", "price", "size_contracts", "orders")


def book_params(query: Query, page: Page) -> Params:
    """A book of any depth up to the deepest."""
    return {"instId": asked(query).native, "sz": page.limit}


# --- trades: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-trades


class Trade(msgspec.Struct, frozen=True, rename="camel"):
    """A trade; the side is the taker's."""

    ts: Count
    trade_id: Count
    px: Real
    sz: Amount
    side: Literal["buy", "sell"]


FIRST, LAST = GENESIS // MILLISECOND, LATEST_STAMP // MILLISECOND


def trade_rows(items: list[Trade], query: Query) -> Rows:
    """Trades; written out, because nothing comes as often."""
    return [
        (
            item.ts * MILLISECOND if FIRST <= item.ts < LAST else micros(item.ts, what=source(query)),
            str(item.trade_id),
            item.px,
            item.sz,
            item.side,
        )
        for item in items
    ]


trades = answered(Trade, trade_rows)
SPOT_TRADES = trades, ("time", "id", "price", "size", "side")
CONTRACT_TRADES = trades, ("time", "id", "price", "size_contracts", "side")


def trade_params(query: Query, page: Page) -> Params:
    """The newest trades."""
    return {"instId": asked(query).native, "limit": page.limit}


def by_trade(endpoint: Endpoint, query: Query) -> Generator[Page, Rows, None]:
    """The trades before the end of a window by time, then ever older ones by id, back to its start.

    Ids go on exactly where a page ends, however many trades share a time. Raises `PageStalled` if they do not.
    """
    window, oldest = needed(query), None
    time, name = endpoint.columns.index("time"), endpoint.columns.index("id")
    while rows := (yield Page(window, endpoint.limit, oldest)):
        reached = min(int(row[name]) for row in rows)
        if oldest is not None and reached >= oldest:
            raise stalled(endpoint)
        if min(row[time] for row in rows) < window.start:
            return
        oldest = reached


ONE_BY_ONE, BY_TIME = 1, 2  # what `type` says that `after` is


def past_params(query: Query, page: Page) -> Params:
    """Trades older than an id; on the first page, than a time."""
    after = {"type": BY_TIME, "after": bounds(page)[1]}
    if page.cursor is not None:
        after = {"type": ONE_BY_ONE, "after": int(page.cursor)}
    return {"instId": asked(query).native, **after, "limit": page.limit}
