"""Bybit's tickers, funding, open interest, ratios, books and trades: exact rows and requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from marketcli.datasets import (
    BOOK,
    FUNDING,
    FUNDING_HISTORY,
    OI,
    OI_HISTORY,
    PRICE,
    RATIO_ACCOUNTS,
    TICKER,
    TRADES,
    Dataset,
)
from marketcli.errors import DecodeError
from marketcli.exchanges import load
from marketcli.models import DAY, HOUR, MINUTE, Instrument, Interval, Market, Window
from marketcli.spec import Endpoint, Page, Query

BYBIT = load("bybit")
PAYLOADS = Path(__file__).parent.parent / "payloads" / "bybit"
START = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
ANSWERED = START + HOUR + 123_000
SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
BTC = {
    SPOT: Instrument("bybit", SPOT, "BTC-USDT", "BTCUSDT", "BTC", "USDT", "USDT"),
    LINEAR: Instrument("bybit", LINEAR, "BTC-USDT-PERP", "BTCUSDT", "BTC", "USDT", "USDT", interval_h=4.0),
    INVERSE: Instrument("bybit", INVERSE, "BTC-USD-PERP", "BTCUSD", "BTC", "USD", "BTC", inverse=True),
}


def cell(dataset: Dataset, market: Market) -> Endpoint:
    endpoint = BYBIT.endpoint(dataset, market)
    assert endpoint is not None
    return endpoint


def decoded(dataset: Dataset, market: Market, name: str, *, every: bool = False) -> list[dict[str, Any]]:
    endpoint, body = cell(dataset, market), (PAYLOADS / f"{name}.json").read_bytes()
    rows = endpoint.decode(body, Query(dataset, market, None if every else BTC[market]))
    return [dict(zip(endpoint.columns, row, strict=True)) for row in rows]


def test_spot_tickers() -> None:
    btc, new = decoded(TICKER, SPOT, "spot_tickers")
    assert btc == {
        "native": "BTCUSDT", "time": ANSWERED, "last": 91000.1, "bid": 91000.0, "bid_size": 0.25, "ask": 91000.1,
        "ask_size": 1.5, "open": 90000.0, "high": 91500.0, "low": 89500.5, "volume_base": 10025.125,
        "volume_quote": 912345678.9,
    }  # fmt: skip
    blank = dict.fromkeys(("last", "bid", "bid_size", "ask", "ask_size", "open", "high", "low"))
    assert new == {"native": "NEWUSDC", "time": ANSWERED, **blank, "volume_base": 0.0, "volume_quote": 0.0}


def test_linear_tickers() -> None:
    btc, dated, _ = decoded(TICKER, LINEAR, "linear_tickers")
    assert btc == {
        "native": "BTCUSDT", "time": ANSWERED, "last": 91000.1, "mark": 91001.2, "bid": 91000.0, "bid_size": 3.75,
        "ask": 91000.1, "ask_size": 0.101, "open": 90000.0, "high": 91500.0, "low": 89500.5, "volume_base": 75000.125,
        "volume_quote": 6800000000.5,
    }  # fmt: skip
    assert (dated["bid"], dated["bid_size"], dated["ask"], dated["ask_size"]) == (None, None, None, None)


def test_inverse_tickers_have_base_as_turnover_and_contracts_at_the_best_prices() -> None:
    (btc,) = decoded(TICKER, INVERSE, "inverse_tickers")
    assert (btc["volume_base"], btc["volume_quote"]) == (7000.25, 637022750.0)
    assert (btc["bid_contracts"], btc["ask_contracts"]) == (190000.0, 540000.0)
    assert not {"bid_size", "ask_size", "volume_contracts"} & set(btc)


def test_prices() -> None:
    assert decoded(PRICE, SPOT, "spot_tickers")[0] == {"native": "BTCUSDT", "time": ANSWERED, "last": 91000.1}
    assert decoded(PRICE, LINEAR, "linear_tickers")[0] == {
        "native": "BTCUSDT", "time": ANSWERED, "last": 91000.1, "mark": 91001.2, "index": 91005.0,
    }  # fmt: skip


def test_coming_funding() -> None:
    btc, dated, sol = decoded(FUNDING, LINEAR, "linear_tickers")
    assert btc == {
        "native": "BTCUSDT", "time": ANSWERED, "rate": 0.000041, "interval_h": 8.0, "next_time": START + 8 * HOUR,
        "mark": 91001.2, "index": 91005.0,
    }  # fmt: skip
    assert (dated["rate"], dated["interval_h"], dated["next_time"]) == (None, None, None)
    assert (sol["rate"], sol["interval_h"]) == (-0.000125, 4.0)  # the hours of the instrument that was asked for


def test_without_an_instrument_hours_that_are_not_told_are_not_known() -> None:
    btc, _, sol = decoded(FUNDING, LINEAR, "linear_tickers", every=True)
    assert (btc["interval_h"], sol["interval_h"]) == (8.0, None)


def test_open_interest_counts_one_side() -> None:
    btc, _, sol = decoded(OI, LINEAR, "linear_tickers")
    assert btc == {"native": "BTCUSDT", "time": ANSWERED, "oi_base": 30000.123, "mark": 91001.2}
    assert sol["oi_base"] == 30000.123  # half of both sides
    (coin,) = decoded(OI, INVERSE, "inverse_tickers")
    assert coin == {"native": "BTCUSD", "time": ANSWERED, "oi_contracts": 300100200.0, "mark": 91001.2}


def test_the_engine_s_notes_say_that_one_side_is_counted() -> None:
    for dataset in (OI, OI_HISTORY):
        for market in (LINEAR, INVERSE):
            assert "one side" in cell(dataset, market).note
    assert any("one side" in sentence for sentence in BYBIT.unknowns)


def test_open_interest_history() -> None:
    newest, middle, oldest = decoded(OI_HISTORY, LINEAR, "linear_open_interest")
    assert newest == {"time": START + 5 * MINUTE, "oi_base": 30000.123}
    assert middle == {"time": START, "oi_base": 30005.25}  # half of both sides
    assert oldest == {"time": START - 5 * MINUTE, "oi_base": 29995.125}  # its time came in seconds
    (coin,) = decoded(OI_HISTORY, INVERSE, "inverse_open_interest")
    assert coin == {"time": START, "oi_contracts": 250100150.0, "oi_quote": 250100150.0}


def test_settlements_are_snapped_and_have_no_mark() -> None:
    rows = decoded(FUNDING_HISTORY, LINEAR, "funding_history")
    assert rows == [
        {"time": START - 8 * HOUR, "rate": 0.0},
        {"time": START - 16 * HOUR, "rate": -0.00003},
        {"time": START - 24 * HOUR, "rate": 0.0001},
    ]


def test_account_ratios_are_shares() -> None:
    assert decoded(RATIO_ACCOUNTS, LINEAR, "account_ratio") == [
        {"time": START + HOUR, "long": 0.5777, "short": 0.4223},
        {"time": START, "long": 0.5770, "short": 0.4230},
    ]


def test_books_stand_at_the_time_of_the_matching_engine_where_that_is_told() -> None:
    assert decoded(BOOK, INVERSE, "contract_orderbook") == [
        {"time": START + 25_000, "update_id": "230001", "side": side, "price": price, "size_contracts": size}
        for side, price, size in (("bid", 91000.0, 190000.0), ("ask", 91000.5, 540000.0), ("ask", 91001.0, 20.0))
    ]
    best = decoded(BOOK, SPOT, "spot_orderbook")[0]
    assert best == {"time": START + 31_000, "update_id": "230001", "side": "bid", "price": 91000.1, "size": 47.25}


def test_trades_come_in_the_order_they_were_made_with_the_taker_s_side() -> None:
    assert decoded(TRADES, SPOT, "spot_recent_trade") == [
        {"time": START + 10_000, "id": "2290000000800000001", "side": "sell", "price": 91000.0, "size": 0.5},
        {"time": START + 20_000, "id": "2290000000800000002", "side": "buy", "price": 91000.1, "size": 0.00012},
    ]
    (coin,) = decoded(TRADES, INVERSE, "contract_recent_trade")
    assert (coin["size_contracts"], coin["side"], "size" in coin) == (1200.0, "sell", False)
    assert coin["id"] == "0a1b2c3d-0000-5000-8000-000000000001"


def test_a_side_that_is_none_is_refused() -> None:
    body = (PAYLOADS / "spot_recent_trade.json").read_text().replace('"Buy"', '"buy"')
    with pytest.raises(DecodeError, match="Bybit spot trades"):
        cell(TRADES, SPOT).decode(body.encode(), Query(TRADES, SPOT, BTC[SPOT]))


DAY_PAGE = Page(Window(START, START + DAY), 7)
BOUNDS = {"startTime": START // 1_000, "endTime": (START + DAY) // 1_000 - 1, "limit": 7}


@pytest.mark.parametrize(
    ("dataset", "path", "own"),
    [
        (TICKER, "tickers", {}),
        (PRICE, "tickers", {}),
        (FUNDING, "tickers", {}),
        (OI, "tickers", {}),
        (FUNDING_HISTORY, "funding/history", BOUNDS),
        (OI_HISTORY, "open-interest", {"intervalTime": "1h", **BOUNDS}),
        (RATIO_ACCOUNTS, "account-ratio", {"period": "1h", **BOUNDS}),
        (BOOK, "orderbook", {"limit": 7}),
        (TRADES, "recent-trade", {"limit": 7}),
    ],
)
@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_requests(market: Market, dataset: Dataset, path: str, own: dict[str, Any]) -> None:
    endpoint = cell(dataset, market)
    asked = Query(dataset, market, BTC[market], Interval.parse("1h"), DAY_PAGE.window)
    assert endpoint.path == f"/v5/market/{path}"
    assert endpoint.params(asked, DAY_PAGE) == {"category": market.value, "symbol": BTC[market].native, **own}


@pytest.mark.parametrize("market", list(Market))
def test_without_an_instrument_the_whole_market_is_asked_for(market: Market) -> None:
    assert cell(TICKER, market).params(Query(TICKER, market), Page(None, 1)) == {"category": market.value}


@pytest.mark.parametrize("dataset", [OI_HISTORY, RATIO_ACCOUNTS])
def test_points_are_five_minutes_to_a_day_apart(dataset: Dataset) -> None:
    spelled = BYBIT.spelled(cell(dataset, LINEAR))
    assert {str(interval): text for interval, text in spelled.items()} == {
        "5m": "5min", "15m": "15min", "30m": "30min", "1h": "1h", "4h": "4h", "1d": "1d",
    }  # fmt: skip


def test_a_month_of_ratios_is_a_handful_of_pages_side_by_side() -> None:
    endpoint = cell(RATIO_ACCOUNTS, LINEAR)
    asked = Query(RATIO_ACCOUNTS, LINEAR, BTC[LINEAR], Interval.parse("5m"), Window(START - 30 * DAY, START))
    assert [page.limit for page in endpoint.pages(endpoint, asked)] == [500] * 17 + [140]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1_000", "x", " 1", 5])
@pytest.mark.parametrize("field", ["markPrice", "fundingRate", "nextFundingTime", "fundingIntervalHour"])
def test_fields_that_are_no_numbers_are_refused(field: str, value: object) -> None:
    body = json.loads((PAYLOADS / "linear_tickers.json").read_bytes())
    body["result"]["list"][0][field] = value
    with pytest.raises(DecodeError, match="Bybit linear funding"):
        cell(FUNDING, LINEAR).decode(json.dumps(body).encode(), Query(FUNDING, LINEAR, BTC[LINEAR]))


@pytest.mark.parametrize("field", ["symbol", "lastPrice", "markPrice", "openInterest", "fundingRate", "prevPrice24h"])
def test_a_missing_field_is_named(field: str) -> None:
    body = json.loads((PAYLOADS / "linear_tickers.json").read_bytes())
    del body["result"]["list"][0][field]
    with pytest.raises(DecodeError, match=f"Bybit linear 24-hour tickers.*{field}"):
        cell(TICKER, LINEAR).decode(json.dumps(body).encode(), Query(TICKER, LINEAR, BTC[LINEAR]))


def test_an_answer_that_does_not_say_when_it_was_written_is_no_ticker() -> None:
    body = json.loads((PAYLOADS / "linear_tickers.json").read_bytes())
    del body["time"]
    with pytest.raises(DecodeError, match="Bybit linear prices"):
        cell(PRICE, LINEAR).decode(json.dumps(body).encode(), Query(PRICE, LINEAR, BTC[LINEAR]))
