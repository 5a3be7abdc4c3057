"""Binance's funding, open interest and prices: exact rows from documented shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from marketcli.datasets import FUNDING, FUNDING_HISTORY, OI, OI_HISTORY, PRICE, Dataset
from marketcli.errors import DecodeError
from marketcli.exchanges import load
from marketcli.models import DAY, HOUR, MINUTE, Instrument, Interval, Market, Window
from marketcli.spec import Endpoint, Page, Query

BINANCE = load("binance")
PAYLOADS = Path(__file__).parent.parent / "payloads" / "binance"
START = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
BTC = {
    Market.SPOT: Instrument("binance", Market.SPOT, "BTC-USDT", "BTCUSDT", "BTC", "USDT", "USDT"),
    Market.LINEAR: Instrument(
        "binance", Market.LINEAR, "BTC-USDT-PERP", "BTCUSDT", "BTC", "USDT", "USDT", pair="BTCUSDT"
    ),
    Market.INVERSE: Instrument(
        "binance", Market.INVERSE, "BTC-USD-PERP", "BTCUSD_PERP", "BTC", "USD", "BTC",
        contract_size=100.0, inverse=True, pair="BTCUSD", kind="PERPETUAL",
    ),
}  # fmt: skip


def cell(dataset: Dataset, market: Market) -> Endpoint:
    endpoint = BINANCE.endpoint(dataset, market)
    assert endpoint is not None
    return endpoint


def decoded(endpoint: Endpoint, market: Market, name: str) -> list[dict[str, Any]]:
    body = (PAYLOADS / name).read_bytes()
    query = Query(endpoint.dataset, market, BTC[market])
    return [dict(zip(endpoint.columns, row, strict=True)) for row in endpoint.decode(body, query)]


def test_coming_funding() -> None:
    (row,) = decoded(cell(FUNDING, Market.LINEAR), Market.LINEAR, "linear_premiumIndex.json")
    assert row == {
        "native": "BTCUSDT", "time": START + 1_000_000, "mark": 91001.2, "index": 91005.0, "rate": 0.000041,
        "next_time": START + 8 * HOUR,
    }  # fmt: skip


def test_dated_contracts_have_no_funding_rather_than_none_to_pay() -> None:
    perpetual, dated = decoded(cell(FUNDING, Market.INVERSE), Market.INVERSE, "inverse_premiumIndex.json")
    assert perpetual["rate"] == -0.000025
    assert (dated["native"], dated["rate"], dated["next_time"]) == ("BTCUSD_270326", None, None)


def test_terms_name_the_exceptions_and_all_others_are_eight_hours() -> None:
    endpoint = cell(FUNDING, Market.LINEAR)
    (terms,) = endpoint.joins
    assert decoded(terms, Market.LINEAR, "fundingInfo.json") == [{"native": "SOLUSDT", "interval_h": 4.0}]
    assert endpoint.fill == {"interval_h": 8.0}


def test_settlements_are_snapped_and_blank_marks_are_null() -> None:
    rows = decoded(cell(FUNDING_HISTORY, Market.LINEAR), Market.LINEAR, "fundingRate.json")
    assert [(row["time"] - START) // HOUR for row in rows] == [-24, -16, -8]
    assert [(row["time"] - START) % HOUR for row in rows] == [0, 0, 0]
    assert [(row["rate"], row["mark"]) for row in rows] == [(0.0001, 90500.1), (-0.00003, None), (0.0, None)]


def test_open_interest_in_the_market_s_own_unit() -> None:
    (linear,) = decoded(cell(OI, Market.LINEAR), Market.LINEAR, "linear_openInterest.json")
    (inverse,) = decoded(cell(OI, Market.INVERSE), Market.INVERSE, "inverse_openInterest.json")
    assert (linear["oi_base"], linear["time"]) == (85000.123, START + 123_000)
    assert inverse["oi_contracts"] == 1_500_400


def test_open_interest_history_with_times_as_number_or_text() -> None:
    first, second = decoded(cell(OI_HISTORY, Market.LINEAR), Market.LINEAR, "linear_openInterestHist.json")
    assert (first["oi_base"], first["oi_quote"], first["time"]) == (85000.1, 7735000000.5, START)
    assert second["time"] == START + 5 * MINUTE
    (point,) = decoded(cell(OI_HISTORY, Market.INVERSE), Market.INVERSE, "inverse_openInterestHist.json")
    assert (point["oi_contracts"], point["oi_base"], point["oi_quote"]) == (1_500_400, 1648.79120879, 150_040_000)


@pytest.mark.parametrize(
    ("market", "name", "time"),
    [
        (Market.SPOT, "spot_price.json", None),
        (Market.LINEAR, "linear_price.json", START + 123_000),
        (Market.INVERSE, "inverse_price.json", START + 123_000),
    ],
)
def test_last_prices(market: Market, name: str, time: int | None) -> None:
    (row,) = decoded(cell(PRICE, market), market, name)
    assert (row["native"], row["last"], row["time"]) == (BTC[market].native, 91000.1, time)


def test_the_average_price_is_of_the_instrument_asked_for() -> None:
    (average,) = cell(PRICE, Market.SPOT).joins
    assert decoded(average, Market.SPOT, "avgPrice.json") == [
        {"native": "BTCUSDT", "average_minutes": 5, "average": 90998.35751786}
    ]


def test_requests_for_history() -> None:
    window = Window(START, START + DAY)
    linear = cell(OI_HISTORY, Market.LINEAR)
    query = Query(OI_HISTORY, Market.LINEAR, BTC[Market.LINEAR], Interval.parse("5m"), window)
    assert linear.params(query, Page(window, 288)) == {
        "symbol": "BTCUSDT",
        "period": "5m",
        "startTime": START // 1_000,
        "endTime": (START + DAY) // 1_000 - 1,
        "limit": 288,
    }
    inverse = Query(OI_HISTORY, Market.INVERSE, BTC[Market.INVERSE], Interval.parse("5m"), window)
    params = cell(OI_HISTORY, Market.INVERSE).params(inverse, Page(window, 288))
    assert (params["pair"], params["contractType"], "symbol" in params) == ("BTCUSD", "PERPETUAL", False)
    settled = cell(FUNDING_HISTORY, Market.LINEAR)
    asked = settled.params(Query(FUNDING_HISTORY, Market.LINEAR, BTC[Market.LINEAR], None, window), Page(window, 1_000))
    assert (asked["startTime"], asked["endTime"]) == (START // 1_000 - 60_000, (START + DAY) // 1_000 + 60_000)


def test_each_kind_is_paid_from_its_own_budget() -> None:
    page = Page(None, 1)
    assert dict(cell(OI_HISTORY, Market.LINEAR).cost(page)) == {"futures data requests": 1}
    assert dict(cell(OI_HISTORY, Market.INVERSE).cost(page)) == {"futures data requests": 1}
    assert dict(cell(FUNDING_HISTORY, Market.LINEAR).cost(page)) == {"funding requests": 1}
    assert dict(cell(FUNDING, Market.INVERSE).cost(page)) == {"futures weight": 10}
    for name in ("futures data requests", "funding requests", "futures weight", "spot weight"):
        assert BINANCE.budget(name).limit > 0


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1_000", "x", " 1"])
@pytest.mark.parametrize("field", ["markPrice", "lastFundingRate"])
def test_numbers_that_are_none_are_refused(field: str, value: str) -> None:
    body = json.loads((PAYLOADS / "linear_premiumIndex.json").read_bytes()) | {field: value}
    endpoint = cell(FUNDING, Market.LINEAR)
    with pytest.raises(DecodeError, match="Binance linear funding"):
        endpoint.decode(json.dumps(body).encode(), Query(FUNDING, Market.LINEAR, BTC[Market.LINEAR]))
