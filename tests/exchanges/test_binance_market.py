"""Binance's tickers, order books, trades and ratios: exact rows from documented shapes, exact requests, costs."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from marketcli.datasets import (
    BOOK,
    EVERY_DATASET,
    FUNDING,
    RATIO_ACCOUNTS,
    RATIO_TAKER,
    RATIO_TOP_ACCOUNTS,
    RATIO_TOP_POSITIONS,
    TICKER,
    TRADES,
    TRADES_HISTORY,
    Dataset,
)
from marketcli.errors import DecodeError, NotOffered
from marketcli.exchanges import load
from marketcli.models import DAY, HOUR, MILLISECOND, MINUTE, Instrument, Interval, Market, Window
from marketcli.spec import Endpoint, Page, Query, Response

BINANCE = load("binance")
PAYLOADS = Path(__file__).parent.parent / "payloads" / "binance"
SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
START = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
BTC = {
    SPOT: Instrument("binance", SPOT, "BTC-USDT", "BTCUSDT", "BTC", "USDT", "USDT", pair="BTCUSDT"),
    LINEAR: Instrument("binance", LINEAR, "BTC-USDT-PERP", "BTCUSDT", "BTC", "USDT", "USDT", pair="BTCUSDT"),
    INVERSE: Instrument(
        "binance", INVERSE, "BTC-USD-PERP", "BTCUSD_PERP", "BTC", "USD", "BTC",
        contract_size=100.0, inverse=True, pair="BTCUSD", kind="PERPETUAL",
    ),
}  # fmt: skip


def cell(dataset: Dataset, market: Market) -> Endpoint:
    endpoint = BINANCE.endpoint(dataset, market)
    assert endpoint is not None
    return endpoint


def decoded(endpoint: Endpoint, market: Market, body: bytes) -> list[dict[str, Any]]:
    rows = endpoint.decode(body, Query(endpoint.dataset, market, BTC[market]))
    return [dict(zip(endpoint.columns, row, strict=True)) for row in rows]


def rows_of(dataset: Dataset, market: Market, name: str) -> list[dict[str, Any]]:
    return decoded(cell(dataset, market), market, (PAYLOADS / name).read_bytes())


def params(dataset: Dataset, market: Market, page: Page, interval: str = "5m") -> dict[str, Any]:
    query = Query(dataset, market, BTC[market], Interval.parse(interval), page.window)
    return dict(cell(dataset, market).params(query, page))


def test_a_spot_ticker_has_all_in_one_answer() -> None:
    assert rows_of(TICKER, SPOT, "spot_ticker.json") == [
        {
            "native": "BTCUSDT", "time": START + 123 * MILLISECOND, "last": 91000.1, "open": 91410.3, "high": 91999.99,
            "low": 90120.0, "volume_base": 18250.12345, "volume_quote": 1662959284.12345678, "trades": 3_000_000,
            "bid": 91000.0, "bid_size": 4.31, "ask": 91000.01, "ask_size": 9.99,
        }
    ]  # fmt: skip
    assert cell(TICKER, SPOT).joins == ()


def test_prices_of_what_nobody_trades_are_null_and_its_volume_is_none_traded() -> None:
    there, old = rows_of(TICKER, SPOT, "spot_tickers.json")
    assert (there["bid"], there["bid_size"], there["ask"], there["ask_size"]) == (0.03231, 20.1, None, None)
    assert [old[name] for name in ("last", "open", "high", "low", "bid", "bid_size")] == [None] * 6
    assert (old["volume_base"], old["volume_quote"], old["trades"]) == (0.0, 0.0, 0)


def test_a_linear_ticker_and_its_best_of_the_book() -> None:
    (row,) = rows_of(TICKER, LINEAR, "linear_ticker.json")
    assert row == {
        "native": "BTCUSDT", "time": START + 123 * MILLISECOND, "last": 91000.1, "open": 91410.3, "high": 91999.9,
        "low": 90120.0, "volume_base": 182501.234, "volume_quote": 16629592841.23, "trades": 3_999_812,
    }  # fmt: skip
    (best,) = cell(TICKER, LINEAR).joins
    assert decoded(best, LINEAR, (PAYLOADS / "linear_bookTicker.json").read_bytes()) == [
        {"native": "BTCUSDT", "bid": 91000.0, "bid_size": 12.345, "ask": 91000.1, "ask_size": 3.21}
    ]


def test_an_inverse_ticker_counts_contracts_beside_base() -> None:
    (row,) = rows_of(TICKER, INVERSE, "inverse_ticker.json")
    assert (row["volume_contracts"], row["volume_base"]) == (7_199_646, 7901.25015537)
    assert "volume_quote" not in row
    (best,) = cell(TICKER, INVERSE).joins
    first, second = decoded(best, INVERSE, (PAYLOADS / "inverse_bookTicker.json").read_bytes())
    assert first == {
        "native": "BTCUSD_PERP", "bid": 91000.0, "bid_contracts": 4193, "ask": 91000.1, "ask_contracts": 16,
    }  # fmt: skip
    assert (second["bid"], second["bid_contracts"], second["ask_contracts"]) == (None, None, 7)


@pytest.mark.parametrize(
    ("market", "one", "every", "best"), [(SPOT, 2, 80, None), (LINEAR, 1, 40, (2, 5)), (INVERSE, 1, 40, (2, 5))]
)
def test_tickers_of_a_whole_market_are_asked_without_a_name_and_weigh_more(
    market: Market, one: int, every: int, best: tuple[int, int] | None
) -> None:
    endpoint, instrument = cell(TICKER, market), BTC[market]
    weights = []
    for part in (endpoint, *endpoint.joins):
        for query, asked in (
            (Query(TICKER, market, instrument), {"symbol": instrument.native}),
            (Query(TICKER, market), {}),
        ):
            (page,) = list(part.pages(part, query))
            assert part.params(query, page) == asked
            weights.append(sum(part.cost(page).values()))
    assert weights == [one, every, *(best or ())]


def test_books() -> None:
    assert rows_of(BOOK, SPOT, "spot_depth.json") == [
        {"update_id": "82231587801", "side": "bid", "price": 91000.0, "size": 4.31},
        {"update_id": "82231587801", "side": "bid", "price": 90999.99, "size": 0.00001},
        {"update_id": "82231587801", "side": "ask", "price": 91000.01, "size": 9.99},
    ]
    linear = rows_of(BOOK, LINEAR, "linear_depth.json")
    assert linear[0] == {
        "update_id": "9007199254740993", "side": "bid", "price": 91000.0, "size": 12.345,
        "time": START + 125 * MILLISECOND,
    }  # fmt: skip
    assert [(row["side"], row["price"]) for row in linear[2:]] == [("ask", 91000.1), ("ask", 91000.3)]
    (bid, *asks) = rows_of(BOOK, INVERSE, "inverse_depth.json")
    assert (bid["size_contracts"], [row["size_contracts"] for row in asks]) == (4193, [16, 80])
    assert "size" not in bid


@pytest.mark.parametrize(
    ("market", "wanted", "asked", "weight"),
    [
        (SPOT, 1, 1, 5), (SPOT, 100, 100, 5), (SPOT, 101, 101, 25), (SPOT, 1_000, 1_000, 50), (SPOT, 5_000, 5_000, 250),
        (LINEAR, 1, 5, 2), (LINEAR, 5, 5, 2), (LINEAR, 6, 10, 2), (LINEAR, 21, 50, 2), (LINEAR, 51, 100, 5),
        (LINEAR, 101, 500, 10), (LINEAR, 501, 1_000, 20), (INVERSE, 11, 20, 2), (INVERSE, 1_000, 1_000, 20),
    ],
)  # fmt: skip
def test_a_book_is_asked_for_as_deep_as_permitted(market: Market, wanted: int, asked: int, weight: int) -> None:
    page = Page(None, wanted)
    assert params(BOOK, market, page) == {"symbol": BTC[market].native, "limit": asked}
    assert sum(cell(BOOK, market).cost(page).values()) == weight
    assert cell(BOOK, market).limit == (5_000 if market is SPOT else 1_000)


def test_the_taker_of_a_trade_sold_if_the_buyer_was_the_maker() -> None:
    for market, name in ((SPOT, "spot_trades.json"), (LINEAR, "linear_trades.json")):
        first, last = rows_of(TRADES, market, name)
        assert (first["side"], last["side"]) == ("buy", "sell")
    assert last == {
        "time": START + 123 * MILLISECOND, "id": "6904000000", "price": 91000.0, "side": "sell", "size": 0.012,
    }  # fmt: skip
    (first, _) = rows_of(TRADES, INVERSE, "inverse_trades.json")
    assert (first["size_contracts"], first["size"], first["side"]) == (21, 0.02307689, "buy")


def test_merged_trades_have_the_id_of_the_merged_row_and_all_that_was_filled() -> None:
    for market in (SPOT, LINEAR):
        first, last = rows_of(TRADES_HISTORY, market, f"{market}_aggTrades.json")
        assert (first["side"], last["side"]) == ("buy", "sell")
    assert first == {
        "time": START + 84 * MILLISECOND, "id": "3249829980", "price": 91000.1, "side": "buy", "size": 0.25,
    }  # fmt: skip
    (row,) = rows_of(TRADES_HISTORY, INVERSE, "inverse_aggTrades.json")
    assert (row["id"], row["size_contracts"], "size" in row) == ("416690", 21, False)


def test_past_trades_are_asked_by_time_or_by_id_and_never_by_both() -> None:
    window = Window(START + 1, START + HOUR)
    by_time = params(TRADES_HISTORY, LINEAR, Page(window, 1))
    assert by_time == {
        "symbol": "BTCUSDT", "limit": 1, "startTime": START // 1_000 + 1, "endTime": (START + HOUR) // 1_000 - 1,
    }  # fmt: skip
    by_id = params(TRADES_HISTORY, LINEAR, Page(window, 1_000, 0))
    assert by_id == {"symbol": "BTCUSDT", "limit": 1_000, "fromId": 0}
    assert params(TRADES, SPOT, Page(None, 7)) == {"symbol": "BTCUSDT", "limit": 7}


@pytest.mark.parametrize(
    ("market", "newest", "past", "lookback"),
    [(SPOT, 25, 4, None), (LINEAR, 5, 20, timedelta(hours=48)), (INVERSE, 5, 20, timedelta(hours=24))],
)
def test_what_trades_weigh_and_how_far_back_they_reach(
    market: Market, newest: int, past: int, lookback: timedelta | None
) -> None:
    recent, history = cell(TRADES, market), cell(TRADES_HISTORY, market)
    assert sum(recent.cost(Page(None, 1_000)).values()) == newest
    assert sum(history.cost(Page(None, 1_000)).values()) == past
    assert (history.lookback, recent.lookback, history.consecutive) == (lookback, None, True)
    assert (recent.limit, history.limit) == (1_000, 1_000)
    assert "one row" in history.note


def test_long_and_short() -> None:
    for dataset in (RATIO_ACCOUNTS, RATIO_TOP_ACCOUNTS, RATIO_TOP_POSITIONS):
        first, second = rows_of(dataset, LINEAR, "linear_longShortRatio.json")
        assert first == {"time": START, "ratio": 1.3804, "long": 0.5799, "short": 0.4201}
        assert (second["time"], second["long"]) == (START + 5 * MINUTE, 0.47)
    (accounts,) = rows_of(RATIO_TOP_ACCOUNTS, INVERSE, "inverse_longShortRatio.json")
    assert (accounts["ratio"], accounts["long"], accounts["short"]) == (1.613, 0.6173, 0.3827)
    (positions,) = rows_of(RATIO_TOP_POSITIONS, INVERSE, "inverse_positionRatio.json")
    assert (positions["ratio"], positions["long"], positions["short"]) == (0.7869, 0.4404, 0.5596)


def test_what_takers_did_is_in_base() -> None:
    (linear,) = rows_of(RATIO_TAKER, LINEAR, "linear_takerRatio.json")
    assert linear == {"time": START, "ratio": 1.2946, "buy_base": 280.863, "sell_base": 216.95}
    (inverse,) = rows_of(RATIO_TAKER, INVERSE, "inverse_takerVolume.json")
    assert inverse == {"time": START, "buy_base": 2.5121, "sell_base": 0.4286}


PATHS = {
    RATIO_ACCOUNTS: "globalLongShortAccountRatio",
    RATIO_TOP_ACCOUNTS: "topLongShortAccountRatio",
    RATIO_TOP_POSITIONS: "topLongShortPositionRatio",
}


@pytest.mark.parametrize("dataset", PATHS)
def test_requests_for_long_and_short(dataset: Dataset) -> None:
    window = Window(START, START + DAY)
    asked = {"period": "1h", "startTime": START // 1_000, "endTime": (START + DAY) // 1_000 - 1, "limit": 24}
    page = Page(window, 24)
    assert params(dataset, LINEAR, page, "1h") == {"symbol": "BTCUSDT", **asked}
    assert params(dataset, INVERSE, page, "1h") == {"pair": "BTCUSD", **asked}
    for market in (LINEAR, INVERSE):
        endpoint = cell(dataset, market)
        assert endpoint.path == f"/futures/data/{PATHS[dataset]}"
        assert dict(endpoint.cost(page)) == {"futures data requests": 1}
        assert (endpoint.lookback, endpoint.limit) == (timedelta(days=30), 500)
    assert "pair" in cell(dataset, INVERSE).note
    assert cell(dataset, LINEAR).note == ""


def test_requests_for_taker_volume() -> None:
    page = Page(Window(START, START + DAY), 288)
    linear, inverse = params(RATIO_TAKER, LINEAR, page), params(RATIO_TAKER, INVERSE, page)
    assert (linear["symbol"], linear["period"], "contractType" in linear) == ("BTCUSDT", "5m", False)
    assert (inverse["pair"], inverse["contractType"], "symbol" in inverse) == ("BTCUSD", "PERPETUAL", False)
    assert cell(RATIO_TAKER, LINEAR).path == "/futures/data/takerlongshortRatio"
    assert cell(RATIO_TAKER, INVERSE).path == "/futures/data/takerBuySellVol"


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_the_terms_of_funding_may_serve_again_for_an_hour(market: Market) -> None:
    (terms,) = cell(FUNDING, market).joins
    assert terms.keep == timedelta(hours=1)
    assert cell(FUNDING, market).keep is None


def test_every_dataset_of_every_market_is_offered_or_explained() -> None:
    for market in Market:
        for dataset in EVERY_DATASET:
            offered = BINANCE.endpoint(dataset, market) is not None
            assert offered != ((dataset, market) in BINANCE.absent), (dataset.name, market)


REFUSED = [
    (TICKER, SPOT, "spot_ticker.json", "bidPrice"),
    (TICKER, LINEAR, "linear_ticker.json", "quoteVolume"),
    (TICKER, INVERSE, "inverse_ticker.json", "baseVolume"),
    (BOOK, SPOT, "spot_depth.json", "lastUpdateId"),
    (BOOK, LINEAR, "linear_depth.json", "E"),
    (BOOK, INVERSE, "inverse_depth.json", "asks"),
    (TRADES, SPOT, "spot_trades.json", "isBuyerMaker"),
    (TRADES, INVERSE, "inverse_trades.json", "baseQty"),
    (TRADES_HISTORY, LINEAR, "linear_aggTrades.json", "a"),
    (TRADES_HISTORY, SPOT, "spot_aggTrades.json", "m"),
    (RATIO_ACCOUNTS, LINEAR, "linear_longShortRatio.json", "longAccount"),
    (RATIO_TOP_POSITIONS, INVERSE, "inverse_positionRatio.json", "longPosition"),
    (RATIO_TAKER, LINEAR, "linear_takerRatio.json", "buyVol"),
    (RATIO_TAKER, INVERSE, "inverse_takerVolume.json", "takerSellVolValue"),
]


@pytest.mark.parametrize(("dataset", "market", "name", "field"), REFUSED)
@pytest.mark.parametrize("value", ["missing", {"x": 1}, "NaN", -1.5])
def test_a_field_that_is_missing_or_wrong_is_named(
    dataset: Dataset, market: Market, name: str, field: str, value: object
) -> None:
    document = json.loads((PAYLOADS / name).read_bytes())
    found = document[0] if isinstance(document, list) else document
    if value == "missing":
        del found[field]
    else:
        found[field] = value
    with pytest.raises(DecodeError, match=f"Binance {market} {dataset.title}.*{field}"):
        decoded(cell(dataset, market), market, json.dumps(document).encode())


def test_what_is_not_trading_is_not_offered() -> None:
    body = b'{"code":-4108,"msg":"Symbol is on delivering or delivered or settling or closed or pre-trading."}'
    error = BINANCE.refuse(Response(400, {}, body, "x"))
    assert isinstance(error, NotOffered)
    assert "not trading" in str(error)
