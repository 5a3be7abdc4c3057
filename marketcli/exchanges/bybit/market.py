"""Bybit's tickers, order books and trades: wire shapes, decoders, parameters.

Sources: https://bybit-exchange.github.io/docs/v5/market/tickers, orderbook and recent-trade, read in 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from marketcli.exchanges.bybit.rest import Blank, Envelope, Listed, price_or_none, rows_of, source, whose
from marketcli.models import Market
from marketcli.spec import Amount, Count, decode_json, micros, number_or_none

if TYPE_CHECKING:
    from marketcli.models import Micros
    from marketcli.spec import Page, Params, Query, Rows


# --- tickers: one shape for the ticker, prices, funding and open interest of now
# https://bybit-exchange.github.io/docs/v5/market/tickers


class Ticker(msgspec.Struct, frozen=True, rename="camel"):
    """An instrument of any market; volume and turnover are base and quote, on inverse dollars and base."""

    symbol: str
    last_price: Blank
    prev_price: Blank = msgspec.field(name="prevPrice24h")
    high_price: Blank = msgspec.field(name="highPrice24h")
    low_price: Blank = msgspec.field(name="lowPrice24h")
    bid1_price: Blank
    bid1_size: Blank
    ask1_price: Blank
    ask1_size: Blank
    volume24h: Blank
    turnover24h: Blank


class ContractTicker(Ticker, frozen=True, rename="camel"):
    """A contract; open interest counts both sides, `single_open_interest` one since June 2026."""

    mark_price: Blank
    index_price: Blank
    open_interest: Blank
    funding_rate: Blank
    next_funding_time: Blank
    funding_interval_hour: Blank = None
    single_open_interest: Blank = None


TICKERS: Any = Envelope[Listed[Ticker]]
CONTRACT_TICKERS: Any = Envelope[Listed[ContractTicker]]

OPEN_HIGH_LOW = ("open", "high", "low", "volume_base", "volume_quote")
SPOT_TICKER = ("native", "time", "last", "bid", "bid_size", "ask", "ask_size", *OPEN_HIGH_LOW)
LINEAR_TICKER = (*SPOT_TICKER, "mark")
INVERSE_TICKER = ("native", "time", "last", "bid", "bid_contracts", "ask", "ask_contracts", *OPEN_HIGH_LOW, "mark")


def spot_tickers(body: bytes, query: Query) -> Rows:
    """The last 24 hours of spot instruments."""
    time, found = tickers(body, TICKERS, query)
    return [day(item, time, query) for item in found]


def contract_tickers(body: bytes, query: Query) -> Rows:
    """The same of contracts, with the mark price."""
    time, found = tickers(body, CONTRACT_TICKERS, query)
    return [contract_day(item, time, query) for item in found]


def contract_day(item: ContractTicker, time: Micros, query: Query) -> tuple[Any, ...]:
    """The row of a contract."""
    return (*day(item, time, query), price_or_none(item.mark_price, what=source(query)))


def tickers(body: bytes, type_: Any, query: Query) -> tuple[Micros, tuple[Any, ...]]:
    """When an answer was written, and its tickers, which have no time of their own."""
    envelope = decode_json(body, type_, what=source(query))
    return micros(envelope.time, what=source(query)), envelope.result.rows


def day(item: Ticker, time: Micros, query: Query) -> tuple[Any, ...]:
    """The last 24 hours; of inverse contracts the turnover is base. Where nobody offers there is no size either."""
    what = source(query)
    prices = (item.last_price, item.bid1_price, item.ask1_price)
    span = (item.prev_price, item.high_price, item.low_price)
    last, bid, ask = (price_or_none(text, what=what) for text in prices)
    sizes = (item.bid1_size if bid else None, item.ask1_size if ask else None)
    bid_size, ask_size = (number_or_none(text, what=what) for text in sizes)
    volumes = (item.volume24h, item.turnover24h)
    return (
        *(item.symbol, time, last, bid, bid_size, ask, ask_size),
        *(price_or_none(text, what=what) for text in span),
        *(number_or_none(text, what=what) for text in (volumes[::-1] if query.market is Market.INVERSE else volumes)),
    )


PRICES = ("native", "time", "last")
CONTRACT_PRICES = (*PRICES, "mark", "index")


def spot_prices(body: bytes, query: Query) -> Rows:
    """Last prices of spot instruments."""
    time, found = tickers(body, TICKERS, query)
    return [(item.symbol, time, price_or_none(item.last_price, what=source(query))) for item in found]


def contract_prices(body: bytes, query: Query) -> Rows:
    """Last, mark and index prices of contracts."""
    time, found = tickers(body, CONTRACT_TICKERS, query)
    return [
        (
            item.symbol,
            time,
            *(price_or_none(text, what=source(query)) for text in (item.last_price, item.mark_price, item.index_price)),
        )
        for item in found
    ]


# --- order books: https://bybit-exchange.github.io/docs/v5/market/orderbook


class Level(msgspec.Struct, array_like=True, frozen=True):
    """A price and what rests there: base, on inverse contracts of one dollar."""

    price: Amount
    size: Amount


class Depth(msgspec.Struct, frozen=True):
    """A book: `ts` is when it was written, `cts` when the matching engine made it so, where it says that."""

    bids: tuple[Level, ...] = msgspec.field(name="b")
    asks: tuple[Level, ...] = msgspec.field(name="a")
    update_id: Count = msgspec.field(name="u")
    ts: Count
    cts: Count = 0


BOOKS: Any = Envelope[Depth]
BOOK_LEVEL = ("time", "update_id", "side", "price")


def book(body: bytes, query: Query) -> Rows:
    """The levels of both sides."""
    what = source(query)
    found: Depth = decode_json(body, BOOKS, what=what).result
    about = micros(found.cts or found.ts, what=what), str(found.update_id)
    sides = (("bid", found.bids), ("ask", found.asks))
    return [(*about, side, level.price, level.size) for side, levels in sides for level in levels]


def limited_params(query: Query, page: Page) -> Params:
    """The instrument and how many rows: any number is taken, up to the most there are."""
    return {**whose(query), "limit": page.limit}


# --- trades: https://bybit-exchange.github.io/docs/v5/market/recent-trade


class Trade(msgspec.Struct, frozen=True, rename="camel"):
    """A trade; `side` is the taker's, `size` base or, on inverse, contracts of one dollar."""

    exec_id: str
    price: Amount
    size: Amount
    side: Literal["Buy", "Sell"]
    time: Count


TRADES: Any = Envelope[Listed[Trade]]
TRADE = ("time", "id", "side", "price")


def trades(body: bytes, query: Query) -> Rows:
    """The newest trades, in the order they were made."""
    what = source(query)
    found: tuple[Trade, ...] = rows_of(body, TRADES, query)
    return [
        (micros(item.time, what=what), item.exec_id, item.side.lower(), item.price, item.size)
        for item in reversed(found)
    ]
