"""Binance's tickers, order books and trades: wire shapes, decoders, parameters, and the walk through past trades.

Sources: the spot, USD-M and COIN-M market data pages of https://developers.binance.com/docs, read in 2026.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from marketcli.errors import PageStalled
from marketcli.exchanges.binance.rest import bounds, one_or_many, source, symbol_params
from marketcli.models import Window
from marketcli.paging import needed
from marketcli.spec import Amount, Count, Page, decode_json, micros, moments

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from marketcli.models import Micros
    from marketcli.spec import Endpoint, Params, Query, Rows


# --- tickers: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints


class Day(msgspec.Struct, frozen=True, rename="camel"):
    """The last 24 hours of an instrument; prices are 0 where there was no trade."""

    symbol: str
    close_time: Count
    last_price: Amount
    open_price: Amount
    high_price: Amount
    low_price: Amount
    volume: Amount
    count: Count


class LinearDay(Day, frozen=True, rename="camel"):
    """The same of USD-M, in base and quote."""

    quote_volume: Amount


class InverseDay(Day, frozen=True, rename="camel"):
    """The same of COIN-M, in contracts and base."""

    base_volume: Amount


class SpotDay(LinearDay, frozen=True, rename="camel"):
    """The same of spot, with the best of the book."""

    bid_price: Amount
    bid_qty: Amount
    ask_price: Amount
    ask_qty: Amount


class Best(msgspec.Struct, frozen=True, rename="camel"):
    """The best of a book; prices are 0 on a side that is empty. COIN-M counts contracts."""

    symbol: str
    bid_price: Amount
    bid_qty: Amount
    ask_price: Amount
    ask_qty: Amount


DAY = ("native", "time", "last", "open", "high", "low", "trades")
LINEAR_DAY = (*DAY, "volume_base", "volume_quote")
INVERSE_DAY = (*DAY, "volume_base", "volume_contracts")
BEST = ("native", "bid", "bid_size", "ask", "ask_size")
INVERSE_BEST = ("native", "bid", "bid_contracts", "ask", "ask_contracts")
SPOT_DAY = (*LINEAR_DAY, *BEST[1:])


def spot_days(body: bytes, query: Query) -> Rows:
    """Tickers of spot."""
    found: list[SpotDay] = one_or_many(body, list[SpotDay] | SpotDay, query)
    return [(*day(item, query), item.volume, item.quote_volume, *best(item)) for item in found]


def linear_days(body: bytes, query: Query) -> Rows:
    """Tickers of USD-M."""
    found: list[LinearDay] = one_or_many(body, list[LinearDay] | LinearDay, query)
    return [(*day(item, query), item.volume, item.quote_volume) for item in found]


def inverse_days(body: bytes, query: Query) -> Rows:
    """Tickers of COIN-M, which come in a list even if one is asked for."""
    found: list[InverseDay] = one_or_many(body, list[InverseDay] | InverseDay, query)
    return [(*day(item, query), item.base_volume, item.volume) for item in found]


def bests(body: bytes, query: Query) -> Rows:
    """The best of books."""
    return [(item.symbol, *best(item)) for item in one_or_many(body, list[Best] | Best, query)]


def day(item: Day, query: Query) -> tuple[object, ...]:
    """What the tickers of all markets have in common."""
    prices = (item.last_price, item.open_price, item.high_price, item.low_price)
    return item.symbol, micros(item.close_time, what=source(query)), *(price or None for price in prices), item.count


def best(item: Best | SpotDay) -> tuple[object, ...]:
    """Both sides; nothing where nobody offers."""
    bid = (item.bid_price, item.bid_qty) if item.bid_price else (None, None)
    return (*bid, item.ask_price, item.ask_qty) if item.ask_price else (*bid, None, None)


def one_or_all(endpoint: Endpoint, query: Query) -> Sequence[Page]:
    """One page: of one row if an instrument is named, else of all there are, which weighs more."""
    return (Page(None, 1 if query.instrument else endpoint.limit),)


# --- order books: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Order-Book


class Level(msgspec.Struct, array_like=True, frozen=True):
    """A price and what rests there: base, or contracts on COIN-M."""

    price: Amount
    size: Amount


class Depth(msgspec.Struct, frozen=True, rename="camel"):
    """The book of a spot instrument, which says no time."""

    last_update_id: Count
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class FuturesDepth(Depth, frozen=True, rename="camel"):
    """The book of a contract; the time is when it was sent, not when it last changed."""

    sent: Count = msgspec.field(name="E")


LEVEL = ("update_id", "side", "price", "size")
LINEAR_LEVEL = (*LEVEL, "time")
INVERSE_LEVEL = ("update_id", "side", "price", "size_contracts", "time")
DEPTHS = (5, 10, 20, 50, 100, 500, 1_000)  # how many levels futures give; any other number is refused


def spot_book(body: bytes, query: Query) -> Rows:
    """The book of a spot instrument."""
    return levels(decode_json(body, Depth, what=source(query)))


def futures_book(body: bytes, query: Query) -> Rows:
    """The book of a contract, with its time."""
    found: FuturesDepth = decode_json(body, FuturesDepth, what=source(query))
    time = micros(found.sent, what=source(query))
    return [(*row, time) for row in levels(found)]


def levels(found: Depth) -> Rows:
    """The levels of both sides."""
    number, sides = str(found.last_update_id), (("bid", found.bids), ("ask", found.asks))
    return [(number, name, level.price, level.size) for name, side in sides for level in side]


def limit_params(query: Query, page: Page) -> Params:
    """The instrument and how many rows."""
    return {**symbol_params(query, page), "limit": page.limit}


def depth_params(query: Query, page: Page) -> Params:
    """The same with as many levels as futures permit, rounded up."""
    permitted = next((depth for depth in DEPTHS if depth >= page.limit), DEPTHS[-1])
    return {**symbol_params(query, page), "limit": permitted}


# --- trades: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Recent-Trades-List


class Trade(msgspec.Struct, frozen=True, rename="camel"):
    """A trade of spot or USD-M."""

    id: Count
    price: Amount
    qty: Amount
    time: Count
    is_buyer_maker: bool


class InverseTrade(Trade, frozen=True, rename="camel"):
    """A trade of COIN-M, where `qty` counts contracts."""

    base_qty: Amount


class Merged(msgspec.Struct, frozen=True):
    """What one taker traded at one price; `a` numbers these rows without gaps. COIN-M counts contracts."""

    a: Count
    p: Amount
    q: Amount
    T: Count
    m: bool


TRADE = ("time", "id", "price", "side", "size")
CONTRACTS = ("time", "id", "price", "side", "size_contracts")
INVERSE_TRADE = (*CONTRACTS, "size")


def trades(body: bytes, query: Query) -> Rows:
    """The newest trades of spot and USD-M."""
    what = source(query)
    found: list[Trade] = decode_json(body, list[Trade], what=what)
    return [(micros(x.time, what=what), str(x.id), x.price, taker(x.is_buyer_maker), x.qty) for x in found]


def inverse_trades(body: bytes, query: Query) -> Rows:
    """The newest trades of COIN-M."""
    what = source(query)
    found: list[InverseTrade] = decode_json(body, list[InverseTrade], what=what)
    return [(micros(x.time, what=what), str(x.id), x.price, taker(x.is_buyer_maker), x.qty, x.base_qty) for x in found]


def merged(body: bytes, query: Query) -> Rows:
    """Past trades of all markets."""
    what = source(query)
    found: list[Merged] = decode_json(body, list[Merged], what=what)
    times = moments([x.T for x in found], what=what)
    return [merged_row(time, x) for time, x in zip(times, found, strict=True)]


def merged_row(time: Micros, x: Merged) -> tuple[object, ...]:
    """A merged trade of REST or of a stream as a row."""
    return time, str(x.a), x.p, taker(x.m), x.q


def taker(buyer_rested: bool) -> str:  # noqa: FBT001 - it is what the wire says
    """What the taker did: he sold to a buyer whose order was there before."""
    return "sell" if buyer_rested else "buy"


def merged_params(query: Query, page: Page) -> Params:
    """What a page of past trades is asked with: an id to begin at or a window, for both together may time out."""
    begin = {"fromId": page.cursor} if page.cursor is not None else bounds(page)
    return {**limit_params(query, page), **begin}


def by_id(endpoint: Endpoint, query: Query) -> Generator[Page, Rows, None]:
    """Find a trade of the window by its time, then walk by id to both ends and past them.

    A full page of a window may hold its oldest rows or its newest (binance-spot-api-docs, issue 10), and a short page
    may be a cut one. So no trade counts as the first or the last before one beyond it was seen, or none is there.
    """
    window = needed(query)
    if not (some := (yield from sought(endpoint, window))):
        return
    cursor = max(0, numbers(some)[0] - 1)
    rows = yield Page(window, endpoint.limit, cursor)
    yield from back(endpoint, window, cursor, rows)
    while rows and max(row[0] for row in rows) < window.end:
        cursor = max(numbers(rows)) + 1
        rows = yield Page(window, endpoint.limit, cursor)
        if rows and max(numbers(rows)) < cursor:
            raise PageStalled(f"{endpoint.path} gives older trades than asked for.", hint="Ask for a shorter window.")


def sought(endpoint: Endpoint, window: Window) -> Generator[Page, Rows, Rows]:
    """A trade of a window, looked for in stretches as long as one request may cover."""
    span = (window.end - window.start) if endpoint.span is None else endpoint.span // timedelta(microseconds=1)
    for start in range(window.start, window.end, span):
        if rows := (yield Page(Window(start, min(start + span, window.end)), 1)):
            return rows
    return []


def back(endpoint: Endpoint, window: Window, cursor: int, rows: Rows) -> Generator[Page, Rows, None]:
    """Pages before one that begins at `cursor`, until one reaches beyond the window or nothing older is kept."""
    while cursor > 0 and rows and min(numbers(rows)) == cursor and min(row[0] for row in rows) >= window.start:
        cursor = max(0, cursor - endpoint.limit)
        rows = yield Page(window, endpoint.limit, cursor)


def numbers(rows: Rows) -> list[int]:
    """The ids of trades."""
    return [int(row[1]) for row in rows]
