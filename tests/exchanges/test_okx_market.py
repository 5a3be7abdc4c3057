"""OKX's tickers, order book and trades: exact rows, what is asked with, and the walk through past trades."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from exchanges.test_okx import BTC, INVERSE, LINEAR, SPOT, START, cell, payload

from marketcli.datasets import BOOK, PRICE, TICKER, TRADES, TRADES_HISTORY, Dataset
from marketcli.errors import DecodeError, PageStalled
from marketcli.models import HOUR, SECOND, Market, Window
from marketcli.spec import Page, Query, Rows

if TYPE_CHECKING:
    from collections.abc import Generator


def decoded(dataset: Dataset, market: Market, name: str) -> list[dict[str, Any]]:
    endpoint = cell(dataset, market)
    rows = endpoint.decode(payload(name), Query(dataset, market, BTC[market]))
    return [dict(zip(endpoint.columns, row, strict=True)) for row in rows]


PRICES = {"last": 91000.1, "bid": 91000.0, "ask": 91000.2, "open": 90000.0, "high": 92000.0, "low": 88888.8}


def test_spot_tickers_count_base_and_quote() -> None:
    sizes = {"bid_size": 5.0, "ask_size": 11.5, "volume_base": 3601.15, "volume_quote": 327704650.5}
    assert decoded(TICKER, SPOT, "tickers_spot.json") == [
        {"native": "BTC-USDT", "time": START + 123_000} | PRICES | sizes
    ]


def test_tickers_of_contracts_count_contracts_and_base() -> None:
    first, new = decoded(TICKER, LINEAR, "tickers_swap.json")
    sizes = {"bid_contracts": 5.0, "ask_contracts": 11.5, "volume_contracts": 7399887.86, "volume_base": 73998.8786}
    assert first == {"native": "BTC-USDT-SWAP", "time": START + 123_000} | PRICES | sizes
    assert [new[name] for name in (*PRICES, "bid_contracts")] == [None] * 7
    assert new["volume_base"] == 0.0


def test_the_last_price_comes_with_the_pair_of_its_index() -> None:
    row, _ = decoded(PRICE, LINEAR, "tickers_swap.json")
    assert row == {"native": "BTC-USDT-SWAP", "pair": "BTC-USDT", "time": START + 123_000, "last": 91000.1}


def test_tickers_are_asked_for_by_type() -> None:
    endpoint = cell(TICKER, LINEAR)

    def asked(query: Query) -> list[Any]:
        pages = cast("tuple[Page, ...]", endpoint.pages(endpoint, query))
        return [endpoint.params(query, page) for page in pages]

    assert asked(Query(TICKER, INVERSE)) == [{"instType": "SWAP"}, {"instType": "FUTURES"}]
    assert asked(Query(TICKER, LINEAR, BTC[LINEAR])) == [{"instType": "SWAP"}]
    assert asked(Query(TICKER, SPOT)) == asked(Query(TICKER, SPOT, BTC[SPOT])) == [{"instType": "SPOT"}]


@pytest.mark.parametrize(("market", "size"), [(SPOT, "size"), (LINEAR, "size_contracts"), (INVERSE, "size_contracts")])
def test_the_order_book(market: Market, size: str) -> None:
    rows = decoded(BOOK, market, "books.json")
    state = {"time": START + 50_000, "update_id": "333794734980"}
    assert rows == [
        state | {"side": "bid", "price": 91000.0, size: 5.0, "orders": 2},
        state | {"side": "ask", "price": 91000.2, size: 11.5, "orders": 3},
        state | {"side": "ask", "price": 91000.3, size: 2.0, "orders": 1},
    ]


@pytest.mark.parametrize(("market", "size"), [(SPOT, "size"), (LINEAR, "size_contracts")])
@pytest.mark.parametrize("dataset", [TRADES, TRADES_HISTORY])
def test_trades_and_the_taker_s_side(dataset: Dataset, market: Market, size: str) -> None:
    assert decoded(dataset, market, "trades.json") == [
        {"time": START + 123_000, "id": "501", "price": 91000.1, size: 12.5, "side": "sell"},
        {"time": START + 123_000, "id": "500", "price": 91000.2, size: 3.0, "side": "buy"},
    ]


@pytest.mark.parametrize(("field", "value"), [("side", "BUY"), ("tradeId", "x1"), ("sz", "-1"), ("px", "")])
def test_a_trade_that_cannot_be_is_refused(field: str, value: str) -> None:
    document = json.loads(payload("trades.json"))
    document["data"][0][field] = value
    with pytest.raises(DecodeError, match="OKX linear trades"):
        cell(TRADES, LINEAR).decode(json.dumps(document).encode(), Query(TRADES, LINEAR, BTC[LINEAR]))


def test_questions_about_now() -> None:
    for dataset, name, limit in ((BOOK, "sz", 400), (TRADES, "limit", 500)):
        endpoint, query = cell(dataset, LINEAR), Query(dataset, LINEAR, BTC[LINEAR])
        assert endpoint.limit == limit
        assert endpoint.params(query, Page(None, 7)) == {"instId": "BTC-USDT-SWAP", name: 7}


WINDOW = Window(START, START + HOUR)


def test_past_trades_are_found_by_time_and_followed_by_id() -> None:
    endpoint = cell(TRADES_HISTORY, LINEAR)
    query = Query(TRADES_HISTORY, LINEAR, BTC[LINEAR], None, WINDOW)
    first = {"instId": "BTC-USDT-SWAP", "type": 2, "after": WINDOW.end // 1_000, "limit": 100}
    assert endpoint.params(query, Page(WINDOW, 100)) == first
    assert endpoint.params(query, Page(WINDOW, 100, 500)) == first | {"type": 1, "after": 500}


def trades(newest: int, oldest: int, time: int) -> Rows:
    return [(time, str(number), 1.0, 1.0, "buy") for number in range(newest, oldest - 1, -1)]


def walk() -> Generator[Page, Rows, None]:
    endpoint = cell(TRADES_HISTORY, LINEAR)
    query = Query(TRADES_HISTORY, LINEAR, BTC[LINEAR], None, WINDOW)
    return cast("Generator[Page, Rows, None]", endpoint.pages(endpoint, query))


def test_trades_go_on_below_the_lowest_id_even_if_all_share_a_time() -> None:
    pages = walk()
    assert next(pages) == Page(WINDOW, 100)
    assert pages.send(trades(1_000, 901, START + SECOND)).cursor == 901
    assert pages.send(trades(900, 801, START + SECOND)[::-1]).cursor == 801
    with pytest.raises(StopIteration):
        pages.send(trades(800, 799, START - SECOND))


def test_a_page_that_reaches_the_very_start_may_have_more_of_that_moment_before_it() -> None:
    pages = walk()
    next(pages)
    assert pages.send(trades(1_000, 901, START)).cursor == 901


def test_the_walk_ends_where_there_are_no_trades() -> None:
    pages = walk()
    next(pages)
    with pytest.raises(StopIteration):
        pages.send([])


def test_a_page_that_comes_again_is_an_error() -> None:
    pages = walk()
    next(pages)
    pages.send(trades(1_000, 901, START + SECOND))
    with pytest.raises(PageStalled):
        pages.send(trades(1_000, 901, START + SECOND))
