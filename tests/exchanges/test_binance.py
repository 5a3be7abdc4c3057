"""Binance's wire shapes decoded to exact rows, its requests, and what its errors mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.catalog import listed
from marketcli.datasets import INDEX_OHLC, INSTRUMENTS, MARK_OHLC, OHLC, PREMIUM_OHLC, Dataset
from marketcli.errors import (
    Banned,
    DecodeError,
    ExchangeDown,
    ExchangeError,
    MarketError,
    NotOffered,
    RateLimited,
    UnknownSymbol,
    UsageError,
)
from marketcli.exchanges import load
from marketcli.models import DAY, HOUR, Instrument, Interval, Market, Window, iso
from marketcli.spec import Page, Query, Response

BINANCE = load("binance")
PAYLOADS = Path(__file__).parent.parent / "payloads" / "binance"
START = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
BTC = {
    Market.SPOT: Instrument("binance", Market.SPOT, "BTC-USDT", "BTCUSDT", "BTC", "USDT", "USDT", pair="BTCUSDT"),
    Market.LINEAR: Instrument(
        "binance", Market.LINEAR, "BTC-USDT-PERP", "BTCUSDT", "BTC", "USDT", "USDT", pair="BTCUSDT"
    ),
    Market.INVERSE: Instrument(
        "binance", Market.INVERSE, "BTC-USD-PERP", "BTCUSD_PERP", "BTC", "USD", "BTC",
        contract_size=100.0, inverse=True, pair="BTCUSD",
    ),
}  # fmt: skip


def payload(name: str) -> bytes:
    return (PAYLOADS / name).read_bytes()


def query(dataset: Dataset, market: Market, interval: str = "1h") -> Query:
    return Query(dataset, market, BTC[market], Interval.parse(interval), Window(START, START + DAY))


def decoded(dataset: Dataset, market: Market, body: bytes) -> list[dict[str, Any]]:
    endpoint = BINANCE.endpoint(dataset, market)
    assert endpoint is not None
    return [dict(zip(endpoint.columns, row, strict=True)) for row in endpoint.decode(body, query(dataset, market))]


def test_spot_candles() -> None:
    rows = decoded(OHLC, Market.SPOT, payload("spot_klines.json"))
    assert rows[0] == {
        "time": START, "open": 91000.1, "high": 91020.0, "low": 90990.0, "close": 91010.55, "volume_base": 12.5,
        "volume_quote": 1137600.12345678, "trades": 9, "taker_buy_base": 6.1,
    }  # fmt: skip
    assert rows[1]["time"] == START + HOUR
    assert (rows[1]["volume_base"], rows[1]["trades"], rows[1]["close"]) == (0.0, 0, 0.00001234)


def test_linear_candles() -> None:
    (row,) = decoded(OHLC, Market.LINEAR, payload("linear_klines.json"))
    assert (row["volume_base"], row["volume_quote"], row["taker_buy_base"]) == (1500.25, 136531500.12345, 700.125)


def test_inverse_candles_are_converted_and_keep_their_contracts() -> None:
    (row,) = decoded(OHLC, Market.INVERSE, payload("inverse_klines.json"))
    assert row["volume_contracts"] == 15000
    assert row["volume_base"] == 16.48351648
    assert row["volume_quote"] == 1_500_000.0
    assert row["taker_buy_base"] == 7.69230769


@pytest.mark.parametrize("market", [Market.LINEAR, Market.INVERSE])
@pytest.mark.parametrize(
    ("dataset", "name", "close"),
    [
        (MARK_OHLC, "mark_klines.json", 91010.5),
        (INDEX_OHLC, "mark_klines.json", 91010.5),
        (PREMIUM_OHLC, "premium_klines.json", -0.000031),
    ],
)
def test_price_candles_have_prices_and_no_volume(market: Market, dataset: Dataset, name: str, close: float) -> None:
    (row,) = decoded(dataset, market, payload(name))
    assert row["close"] == close
    assert list(row) == ["time", "open", "high", "low", "close"]


@pytest.mark.parametrize("market", list(Market))
def test_requests_have_both_bounds_and_a_limit(market: Market) -> None:
    endpoint = BINANCE.endpoint(OHLC, market)
    assert endpoint is not None
    params = endpoint.params(query(OHLC, market), Page(Window(START, START + 3 * HOUR), 3))
    assert params == {
        "symbol": BTC[market].native,
        "interval": "1h",
        "startTime": START // 1_000,
        "endTime": (START + 3 * HOUR) // 1_000 - 1,
        "limit": 3,
    }


@pytest.mark.parametrize(("market", "pair"), [(Market.LINEAR, "BTCUSDT"), (Market.INVERSE, "BTCUSD")])
def test_index_prices_are_asked_by_pair(market: Market, pair: str) -> None:
    endpoint = BINANCE.endpoint(INDEX_OHLC, market)
    assert endpoint is not None
    params = endpoint.params(query(INDEX_OHLC, market), Page(Window(START, START + HOUR), 1))
    assert params["pair"] == pair
    assert "symbol" not in params


def test_a_year_of_minutes_fits_one_minute_s_budget() -> None:
    endpoint = BINANCE.endpoint(OHLC, Market.LINEAR)
    assert endpoint is not None
    year = Query(OHLC, Market.LINEAR, BTC[Market.LINEAR], Interval.parse("1m"), Window(START - 365 * DAY, START))
    weight = sum(sum(endpoint.cost(page).values()) for page in endpoint.pages(endpoint, year))
    assert weight == 2_108
    assert weight <= 0.9 * 2_400


@pytest.mark.parametrize(("rows", "weight"), [(1, 1), (99, 1), (100, 2), (499, 2), (500, 5), (1_000, 5), (1_001, 10)])
def test_futures_pages_weigh_by_their_size(rows: int, weight: int) -> None:
    endpoint = BINANCE.endpoint(OHLC, Market.LINEAR)
    assert endpoint is not None
    assert dict(endpoint.cost(Page(None, rows))) == {"futures weight": weight}


def test_both_futures_markets_spend_one_budget() -> None:
    linear, inverse = BINANCE.endpoint(OHLC, Market.LINEAR), BINANCE.endpoint(OHLC, Market.INVERSE)
    assert linear is not None
    assert inverse is not None
    assert set(linear.cost(Page(None, 1))) == set(inverse.cost(Page(None, 1)))


def instruments(market: Market, name: str) -> dict[str, Instrument]:
    endpoint = BINANCE.endpoint(INSTRUMENTS, market)
    assert endpoint is not None
    rows = endpoint.decode(payload(name), Query(INSTRUMENTS, market))
    found = [listed("binance", market, dict(zip(endpoint.columns, row, strict=True))) for row in rows]
    return {one.native: one for one in found}


def test_spot_instruments() -> None:
    found = instruments(Market.SPOT, "spot_exchangeInfo.json")
    btc = found["BTCUSDT"]
    assert (btc.symbol, btc.unified, btc.tick, btc.lot, btc.status) == (
        "BTC-USDT",
        "BTC/USDT",
        0.01,
        0.00001,
        "trading",
    )
    assert found["MATICUSDT"].status == "halted"
    assert (found["NEWUSDT"].status, found["NEWUSDT"].tick) == ("cancel_only", None)


def test_linear_instruments() -> None:
    found = instruments(Market.LINEAR, "linear_exchangeInfo.json")
    btc, pepe, dated, matic = (found[name] for name in ("BTCUSDT", "1000PEPEUSDT", "BTCUSDT_270326", "MATICUSDT"))
    assert (btc.symbol, btc.unified, btc.expiry, btc.tick) == ("BTC-USDT-PERP", "BTC/USDT:USDT", None, 0.1)
    assert btc.listed is not None
    assert iso(btc.listed) == "2019-09-25T08:00:00Z"
    assert (pepe.symbol, pepe.multiplier, pepe.coin) == ("1000PEPE-USDT-PERP", 1000, "PEPE")
    assert (dated.symbol, dated.unified) == ("BTC-USDT-270326", "BTC/USDT:USDT-270326")
    assert (matic.symbol, matic.status) == ("MATIC-USDT-PERP", "closing")
    assert matic.expiry is not None
    assert iso(matic.expiry) == "2024-09-10T09:00:00Z"
    assert found["TSLAUSDT"].perpetual
    assert (found["SOONUSDT"].status, found["SOONUSDT"].listed) == ("pending", None)


def test_inverse_instruments() -> None:
    found = instruments(Market.INVERSE, "inverse_exchangeInfo.json")
    btc, eth = found["BTCUSD_PERP"], found["ETHUSD_260925"]
    assert (btc.symbol, btc.contract_size, btc.inverse, btc.settle) == ("BTC-USD-PERP", 100.0, True, "BTC")
    assert (eth.symbol, eth.status, eth.contract_size) == ("ETH-USD-260925", "closing", 10.0)


def answer(status: int, body: bytes) -> Response:
    return Response(status, {}, body, "x")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, payload("error_unknown_symbol.json"), UnknownSymbol),
        (400, b'{"code":-1120,"msg":"Invalid interval."}', UsageError),
        (400, b'{"code":-1127,"msg":"too long"}', NotOffered),
        (400, b'{"code":-1130,"msg":"parameter \'startTime\' is invalid."}', NotOffered),
        (400, b'{"code":-9999,"msg":"new"}', ExchangeError),
        (429, payload("error_banned.json"), RateLimited),
        (418, payload("error_banned.json"), Banned),
        (503, b'{"code":-1008,"msg":"busy"}', ExchangeDown),
        (500, b'{"code":-1007,"msg":"timeout"}', ExchangeDown),
    ],
)
def test_errors_are_told_apart_by_code(status: int, body: bytes, kind: type[MarketError]) -> None:
    assert type(BINANCE.refuse(answer(status, body))) is kind


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"[]"), (451, b'{"code":0,"msg":"x"}'), (403, b"<html>"), (502, b"")]
)
def test_what_binance_does_not_explain_is_left_to_the_status(status: int, body: bytes) -> None:
    assert BINANCE.refuse(answer(status, body)) is None


def test_remote_text_in_errors_is_cleaned() -> None:
    error = BINANCE.refuse(answer(400, b'{"code":-9999,"msg":"\\u001b[31mred\\u202e"}'))
    assert error is not None
    assert "\x1b" not in str(error)
    assert "\\x1b[31mred\\u202e" in str(error)


KLINE: list[Any] = json.loads(payload("spot_klines.json"))[0]


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e400", None, "", "1_000", "\uff11\uff12", " 1", "x", [], "9" * 400]
)
@pytest.mark.parametrize("place", [1, 4, 5, 7])
def test_numbers_that_are_none_are_refused_with_the_field_s_place(place: int, value: object) -> None:
    row = [*KLINE[:place], value, *KLINE[place + 1 :]]
    with pytest.raises(DecodeError) as caught:
        decoded(OHLC, Market.SPOT, json.dumps([KLINE, row]).encode())
    assert "Binance spot candles" in str(caught.value)
    assert "$[" in str(caught.value)


@pytest.mark.parametrize("stamp", [1_795_219_200, 1_795_219_200_000, 1_795_219_200_000_000, 1_795_219_200_000_000_000])
def test_the_unit_of_a_time_is_told_by_its_size(stamp: int) -> None:
    (row,) = decoded(OHLC, Market.SPOT, json.dumps([[stamp, *KLINE[1:]]]).encode())
    assert row["time"] == START


@pytest.mark.parametrize("stamp", [0, -1, 17_952_192_000, 179_521_920_000, 4_133_404_800_000, 2**63, 10**30])
def test_times_that_are_no_time_are_refused(stamp: int) -> None:
    with pytest.raises(DecodeError):
        decoded(OHLC, Market.SPOT, json.dumps([[stamp, *KLINE[1:]]]).encode())


def test_counts_beyond_two_to_the_53_stay_exact() -> None:
    (row,) = decoded(OHLC, Market.SPOT, json.dumps([[*KLINE[:8], 2**53 + 1, *KLINE[9:]]]).encode())
    assert row["trades"] == 2**53 + 1


def test_more_columns_are_ignored_and_fewer_are_not() -> None:
    assert decoded(OHLC, Market.SPOT, json.dumps([[*KLINE, "new", {"x": 1}]]).encode())
    with pytest.raises(DecodeError):
        decoded(OHLC, Market.SPOT, json.dumps([KLINE[:9]]).encode())


CELLS = [
    (endpoint, market) for endpoint in (*BINANCE.instruments, *BINANCE.endpoints) for market in sorted(endpoint.markets)
]
WIRE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=13) | st.dictionaries(st.text(max_size=12), inner, max_size=8),
    max_leaves=40,
)


@pytest.mark.parametrize(("endpoint", "market"), CELLS)
@given(body=st.binary(max_size=300) | WIRE.map(lambda value: json.dumps(value).encode()))
def test_arbitrary_bytes_give_rows_or_our_error(endpoint: Any, market: Market, body: bytes) -> None:
    asked = query(endpoint.dataset, market)
    try:
        rows = endpoint.decode(body, asked)
    except MarketError:
        return
    assert all(len(row) == len(endpoint.columns) for row in rows)


@given(place=st.integers(0, 10), value=WIRE)
def test_one_strange_field_in_a_candle_gives_a_finite_row_or_our_error(place: int, value: object) -> None:
    body = json.dumps([[*KLINE[:place], value, *KLINE[place + 1 :]]]).encode()
    try:
        (row,) = decoded(OHLC, Market.SPOT, body)
    except MarketError:
        return
    assert all(abs(number) < 1e22 for number in row.values())


@given(
    body=st.binary(max_size=200) | WIRE.map(lambda value: json.dumps(value).encode()),
    status=st.sampled_from([400, 418, 429, 500]),
)
def test_arbitrary_errors_are_told_as_ours(body: bytes, status: int) -> None:
    error = BINANCE.refuse(answer(status, body))
    assert error is None or isinstance(error, MarketError)


# What engines work with and users do not see.
OTHER_COLUMNS = ("inverse", "pair", "kind", "delivery", "bid_contracts", "ask_contracts", "volume_contracts")


@pytest.mark.parametrize(("endpoint", "market"), CELLS)
def test_every_cell_has_documentation_a_limit_and_a_budget(endpoint: Any, market: Market) -> None:
    assert endpoint.docs.startswith("https://developers.binance.com/docs/")
    assert endpoint.limit > 0
    assert BINANCE.sites["live"].hosts[market]
    for name, units in endpoint.cost(Page(None, endpoint.limit)).items():
        assert 0 < units <= BINANCE.budget(name).limit
    assert set(endpoint.columns) <= {*endpoint.dataset.fields, *OTHER_COLUMNS}


def test_intervals_are_spelled_as_binance_does() -> None:
    assert {str(interval): spelled for interval, spelled in BINANCE.intervals.items()} == {
        text: text
        for text in ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
    }
    spot = BINANCE.endpoint(OHLC, Market.SPOT)
    assert spot is not None
    assert Interval.parse("1s") in BINANCE.spelled(spot)
    assert Interval.parse("1s") not in BINANCE.intervals
