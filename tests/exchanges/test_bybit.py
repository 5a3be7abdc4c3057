"""Bybit's wire shapes decoded to exact rows, its requests, and what its errors mean."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.datasets import (
    EVERY_DATASET,
    INDEX_OHLC,
    MARK_OHLC,
    OHLC,
    OI_HISTORY,
    PREMIUM_OHLC,
    TICKER,
    TRADES,
    Dataset,
)
from marketcli.errors import (
    Banned,
    CutBody,
    DecodeError,
    ExchangeDown,
    ExchangeError,
    MarketError,
    NotOffered,
    RateLimited,
    RegionRefused,
    UnknownSymbol,
    UsageError,
    WrongAddress,
)
from marketcli.exchanges import load
from marketcli.models import DAY, HOUR, Instrument, Interval, Market, Window
from marketcli.spec import Endpoint, Page, Query, Response

BYBIT = load("bybit")
PAYLOADS = Path(__file__).parent.parent / "payloads" / "bybit"
START = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
BTC = {
    Market.SPOT: Instrument("bybit", Market.SPOT, "BTC-USDT", "BTCUSDT", "BTC", "USDT", "USDT"),
    Market.LINEAR: Instrument("bybit", Market.LINEAR, "BTC-USDT-PERP", "BTCUSDT", "BTC", "USDT", "USDT"),
    Market.INVERSE: Instrument("bybit", Market.INVERSE, "BTC-USD-PERP", "BTCUSD", "BTC", "USD", "BTC", inverse=True),
}


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def cell(dataset: Dataset, market: Market) -> Endpoint:
    endpoint = BYBIT.endpoint(dataset, market)
    assert endpoint is not None
    return endpoint


def query(dataset: Dataset, market: Market, interval: str = "1h") -> Query:
    return Query(dataset, market, BTC[market], Interval.parse(interval), Window(START, START + DAY))


def decoded(dataset: Dataset, market: Market, body: bytes) -> list[dict[str, Any]]:
    endpoint = cell(dataset, market)
    return [dict(zip(endpoint.columns, row, strict=True)) for row in endpoint.decode(body, query(dataset, market))]


def test_spot_candles() -> None:
    newer, older = decoded(OHLC, Market.SPOT, payload("spot_kline"))
    assert older == {
        "time": START, "open": 91000.1, "high": 91020.0, "low": 90990.0, "close": 91010.55, "volume_base": 12.5,
        "volume_quote": 1137600.12345678,
    }  # fmt: skip
    assert newer["time"] == START + HOUR
    assert (newer["volume_base"], newer["volume_quote"]) == (0.0, 0.0)


def test_linear_candles() -> None:
    (row,) = decoded(OHLC, Market.LINEAR, payload("linear_kline"))
    assert (row["volume_base"], row["volume_quote"]) == (1500.25, 136531500.1234)
    assert "volume_contracts" not in row


def test_the_turnover_of_inverse_candles_is_base_and_contracts_are_dollars() -> None:
    (row,) = decoded(OHLC, Market.INVERSE, payload("inverse_kline"))
    assert row == {
        "time": START, "open": 91000.5, "high": 91020.0, "low": 90990.0, "close": 91010.5,
        "volume_base": 16.48791209, "volume_quote": 1_500_400.0, "volume_contracts": 1_500_400.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("market", "dataset", "name", "close"),
    [
        (Market.LINEAR, MARK_OHLC, "mark_kline", 91010.5),
        (Market.INVERSE, MARK_OHLC, "mark_kline", 91010.5),
        (Market.LINEAR, INDEX_OHLC, "mark_kline", 91010.5),
        (Market.INVERSE, INDEX_OHLC, "mark_kline", 91010.5),
        (Market.LINEAR, PREMIUM_OHLC, "premium_kline", -0.000031),
    ],
)
def test_price_candles_have_prices_and_no_volume(market: Market, dataset: Dataset, name: str, close: float) -> None:
    (row,) = decoded(dataset, market, payload(name))
    assert row["close"] == close
    assert list(row) == ["time", "open", "high", "low", "close"]


@pytest.mark.parametrize("market", list(Market))
def test_candles_are_asked_for_by_category_with_both_bounds_and_a_limit(market: Market) -> None:
    params = cell(OHLC, market).params(query(OHLC, market), Page(Window(START, START + 3 * HOUR), 3))
    assert params == {
        "category": market.value,
        "symbol": BTC[market].native,
        "interval": "60",
        "start": START // 1_000,
        "end": (START + 3 * HOUR) // 1_000 - 1,
        "limit": 3,
    }


@pytest.mark.parametrize(
    ("dataset", "path"),
    [
        (OHLC, "/v5/market/kline"),
        (MARK_OHLC, "/v5/market/mark-price-kline"),
        (INDEX_OHLC, "/v5/market/index-price-kline"),
        (PREMIUM_OHLC, "/v5/market/premium-index-price-kline"),
    ],
)
def test_each_price_has_its_path(dataset: Dataset, path: str) -> None:
    assert cell(dataset, Market.LINEAR).path == path


def test_a_page_never_holds_more_intervals_than_a_request_may_give() -> None:
    endpoint = cell(OHLC, Market.LINEAR)
    asked = replace(query(OHLC, Market.LINEAR, "1m"), window=Window(START - 30 * DAY, START))
    pages = list(endpoint.pages(endpoint, asked))
    assert len(pages) == 44
    assert {page.limit for page in pages[:-1]} == {1_000}
    assert sum(page.limit for page in pages) == 43_200
    assert sum(endpoint.cost(page)["requests"] for page in pages) == 44


def test_intervals_are_spelled_in_minutes_and_letters() -> None:
    assert {str(interval): spelled for interval, spelled in BYBIT.intervals.items()} == {
        "1m": "1", "3m": "3", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "2h": "120", "4h": "240", "6h": "360",
        "12h": "720", "1d": "D", "1w": "W", "1M": "M",
    }  # fmt: skip


def answer(status: int, body: bytes) -> Response:
    return Response(status, {}, body, "x")


def said(code: int, message: str = "x") -> bytes:
    return json.dumps({"retCode": code, "retMsg": message, "result": {}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, payload("error_unknown_symbol"), UnknownSymbol),
        (200, said(10001, "Not supported symbols"), UnknownSymbol),
        (200, said(10001, "params error: Interval is invalid"), UsageError),
        (200, payload("error_too_many_visits"), RateLimited),
        (429, payload("error_too_many_visits"), RateLimited),
        (200, said(10018), RateLimited),
        (200, said(10000), ExchangeDown),
        (200, said(10016), ExchangeDown),
        (500, said(10016), ExchangeDown),
        (404, said(10017), WrongAddress),
        (200, said(10009), RegionRefused),
        (200, said(10024), RegionRefused),
        (200, said(10029), NotOffered),
        (200, said(99999, "new"), ExchangeError),
        (403, b"403, Access Too Frequent. Please try again later.", Banned),
        (403, b'{"retCode":10006,"retMsg":"access too frequent"}', Banned),
    ],
)
def test_errors_are_told_apart_by_code(status: int, body: bytes, kind: type[MarketError]) -> None:
    assert type(BYBIT.refuse(answer(status, body))) is kind


def test_a_ban_lasts_ten_minutes_at_least() -> None:
    error = BYBIT.refuse(answer(403, b"access too frequent"))
    assert error is not None
    assert error.retry_after == 600


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, payload("spot_unknown_symbol")),
        (200, payload("linear_kline")),
        (403, b"<html>The Amazon CloudFront distribution is configured to block access from your country.</html>"),
        (403, said(10006, "x")),
        (404, b"404 page not found"),
        (429, b""),
        (502, b"<html>"),
        (500, b"null"),
        (200, b"[]"),
    ],
)
def test_what_bybit_does_not_explain_is_left_to_the_status(status: int, body: bytes) -> None:
    assert BYBIT.refuse(answer(status, body)) is None


@pytest.mark.parametrize("code", [99999, 10001])
def test_remote_text_in_errors_is_cleaned(code: int) -> None:
    error = BYBIT.refuse(answer(200, said(code, "\x1b[31mred\u202e")))
    assert error is not None
    assert "\x1b" not in str(error)
    assert "\\x1b[31mred\\u202e" in str(error)


CANDLE: dict[str, Any] = json.loads(payload("spot_kline"))
KLINE: list[Any] = CANDLE["result"]["list"][1]


def with_rows(*rows: Any) -> bytes:
    return json.dumps(CANDLE | {"result": CANDLE["result"] | {"list": rows}}).encode()


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e400", None, "", "1_000", " 1", "x", [], "9" * 400]
)
@pytest.mark.parametrize("place", [0, 1, 4, 5, 6])
def test_numbers_that_are_none_are_refused_with_the_field_s_place(place: int, value: object) -> None:
    row = [*KLINE[:place], value, *KLINE[place + 1 :]]
    with pytest.raises(DecodeError) as caught:
        decoded(OHLC, Market.SPOT, with_rows(KLINE, row))
    assert "Bybit spot candles" in str(caught.value)


@pytest.mark.parametrize("name", ["retCode", "result"])
def test_an_envelope_without_its_parts_is_refused_by_name(name: str) -> None:
    body = {key: value for key, value in CANDLE.items() if key != name}
    with pytest.raises(DecodeError, match=f"Bybit spot candles.*{name}"):
        decoded(OHLC, Market.SPOT, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "kind"), [(b"", CutBody), (payload("spot_kline")[:99], CutBody), (b"[]", DecodeError)]
)
def test_bodies_that_are_no_answer_are_our_errors(body: bytes, kind: type[MarketError]) -> None:
    with pytest.raises(kind, match="Bybit spot candles"):
        decoded(OHLC, Market.SPOT, body)


def test_an_empty_list_is_no_candles() -> None:
    assert decoded(OHLC, Market.SPOT, with_rows()) == []


def test_more_columns_are_ignored_and_fewer_are_not() -> None:
    assert decoded(OHLC, Market.SPOT, with_rows([*KLINE, "new", {"x": 1}]))
    with pytest.raises(DecodeError):
        decoded(OHLC, Market.SPOT, with_rows(KLINE[:6]))


CELLS = [
    (endpoint, market) for endpoint in (*BYBIT.instruments, *BYBIT.endpoints) for market in sorted(endpoint.markets)
]
WIRE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=13) | st.dictionaries(st.text(max_size=12), inner, max_size=8),
    max_leaves=40,
)
ENVELOPED = WIRE.map(lambda value: json.dumps({"retCode": 0, "result": {"list": value}, "time": 1}).encode())


@pytest.mark.parametrize(("endpoint", "market"), CELLS)
@given(body=st.binary(max_size=300) | WIRE.map(lambda value: json.dumps(value).encode()) | ENVELOPED)
def test_arbitrary_bytes_give_rows_or_our_error(endpoint: Any, market: Market, body: bytes) -> None:
    try:
        rows = endpoint.decode(body, query(endpoint.dataset, market))
    except MarketError:
        return
    assert all(len(row) == len(endpoint.columns) for row in rows)


@given(name=st.sampled_from(list(json.loads(payload("linear_tickers"))["result"]["list"][0])), value=WIRE)
def test_one_strange_field_in_a_ticker_gives_a_row_or_our_error(name: str, value: object) -> None:
    body = json.loads(payload("linear_tickers"))
    body["result"]["list"][0][name] = value
    try:
        rows = decoded(TICKER, Market.LINEAR, json.dumps(body).encode())
    except MarketError:
        return
    assert all(isinstance(number, (int, float, str, type(None))) for number in rows[0].values())


@given(
    body=st.binary(max_size=200) | WIRE.map(lambda value: json.dumps(value).encode()),
    status=st.sampled_from([200, 403, 404, 429, 500]),
)
def test_arbitrary_errors_are_told_as_ours(body: bytes, status: int) -> None:
    error = BYBIT.refuse(answer(status, body))
    assert error is None or isinstance(error, MarketError)


@pytest.mark.parametrize(("endpoint", "market"), CELLS)
def test_every_cell_has_documentation_a_limit_and_costs_one_request(endpoint: Any, market: Market) -> None:
    assert endpoint.docs.startswith("https://bybit-exchange.github.io/docs/v5/market/")
    assert endpoint.limit > 0
    assert BYBIT.sites["live"].hosts[market] == ("https://api.bybit.com", "https://api.bytick.com")
    assert BYBIT.sites["testnet"].hosts[market] == ("https://api-testnet.bybit.com",)
    assert dict(endpoint.cost(Page(None, endpoint.limit))) == {"requests": 1}
    assert (BYBIT.budget("requests").limit, BYBIT.budget("requests").seconds) == (600, 5)


@pytest.mark.parametrize("market", list(Market))
@pytest.mark.parametrize("dataset", EVERY_DATASET)
def test_every_cell_is_offered_or_says_why_not(dataset: Dataset, market: Market) -> None:
    assert (BYBIT.endpoint(dataset, market) is None) is ((dataset, market) in BYBIT.absent)


def test_limits_are_those_of_the_documentation() -> None:
    assert cell(OHLC, Market.SPOT).limit == 1_000
    assert cell(OI_HISTORY, Market.LINEAR).limit == cell(OI_HISTORY, Market.INVERSE).limit == 200
    assert [cell(TRADES, market).limit for market in (Market.SPOT, Market.LINEAR, Market.INVERSE)] == [60, 1_000, 1_000]
