"""OKX's candles and instruments decoded to exact rows, what is asked with, and what its errors mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.catalog import distinct, listed
from marketcli.datasets import (
    EVERY_DATASET,
    FUNDING,
    INDEX_OHLC,
    INSTRUMENTS,
    MARK_OHLC,
    OHLC,
    OI,
    PREMIUM_OHLC,
    RATIOS,
    Dataset,
)
from marketcli.errors import (
    DecodeError,
    ExchangeDown,
    ExchangeError,
    MarketError,
    NotOffered,
    RateLimited,
    RegionRefused,
    UnknownSymbol,
    UsageError,
)
from marketcli.exchanges import load
from marketcli.history.candles import reaches
from marketcli.models import DAY, HOUR, MINUTE, Instrument, Interval, Market, Window, iso
from marketcli.spec import Endpoint, Page, Query, Response

OKX = load("okx")
PAYLOADS = Path(__file__).parent.parent / "payloads" / "okx"
START = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
BTC = {
    SPOT: Instrument("okx", SPOT, "BTC-USDT", "BTC-USDT", "BTC", "USDT", "USDT", pair="BTC-USDT", kind="SPOT"),
    LINEAR: Instrument(
        "okx", LINEAR, "BTC-USDT-PERP", "BTC-USDT-SWAP", "BTC", "USDT", "USDT",
        contract_size=0.01, pair="BTC-USDT", kind="SWAP",
    ),
    INVERSE: Instrument(
        "okx", INVERSE, "BTC-USD-261225", "BTC-USD-261225", "BTC", "USD", "BTC",
        contract_size=100.0, inverse=True, pair="BTC-USD", kind="FUTURES",
    ),
}  # fmt: skip


def payload(name: str) -> bytes:
    return (PAYLOADS / name).read_bytes()


def cell(dataset: Dataset, market: Market) -> Endpoint:
    endpoint = OKX.endpoint(dataset, market)
    assert endpoint is not None
    return endpoint


def query(dataset: Dataset, market: Market, interval: str = "1h") -> Query:
    return Query(dataset, market, BTC[market], Interval.parse(interval), Window(START, START + DAY))


def decoded(dataset: Dataset, market: Market, body: bytes) -> list[dict[str, Any]]:
    endpoint = cell(dataset, market)
    return [dict(zip(endpoint.columns, row, strict=True)) for row in endpoint.decode(body, query(dataset, market))]


def instruments(market: Market, name: str) -> dict[str, Instrument]:
    rows = decoded(INSTRUMENTS, market, payload(name))
    return {one.native: one for one in distinct([listed("okx", market, row) for row in rows])}


def test_spot_candles_count_base_and_quote() -> None:
    newer, older = decoded(OHLC, SPOT, payload("candles_spot.json"))
    assert older == {
        "time": START, "open": 91000.0, "high": 91015.5, "low": 90990.1, "close": 91010.1,
        "volume_base": 12.25, "volume_quote": 1114750.5,
    }  # fmt: skip
    assert newer["time"] == START + MINUTE


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_candles_of_contracts_count_contracts_base_and_quote(market: Market) -> None:
    _, older = decoded(OHLC, market, payload("candles_contract.json"))
    assert older == {
        "time": START, "open": 91000.0, "high": 91015.5, "low": 90990.1, "close": 91010.1,
        "volume_contracts": 1250.0, "volume_base": 12.5, "volume_quote": 1137600.25,
    }  # fmt: skip


@pytest.mark.parametrize("dataset", [MARK_OHLC, INDEX_OHLC])
def test_price_candles_have_no_volume(dataset: Dataset) -> None:
    _, older = decoded(dataset, LINEAR, payload("candles_price.json"))
    assert older == {"time": START, "open": 91000.0, "high": 91015.5, "low": 90990.1, "close": 91010.1}


def test_after_means_older_and_before_means_newer_and_neither_bound_is_in() -> None:
    page = Page(Window(START, START + 3 * HOUR), 3)
    assert cell(OHLC, LINEAR).params(query(OHLC, LINEAR), page) == {
        "instId": "BTC-USDT-SWAP",
        "bar": "1H",
        "after": (START + 3 * HOUR) // 1_000,
        "before": START // 1_000 - 1,
        "limit": 3,
    }
    odd = cell(OHLC, LINEAR).params(query(OHLC, LINEAR), Page(Window(START + 1, START + HOUR + 1), 1))
    assert (odd["before"], odd["after"]) == (START // 1_000, (START + HOUR) // 1_000 + 1)


def test_index_prices_are_asked_by_pair_and_mark_prices_by_instrument() -> None:
    page = Page(Window(START, START + HOUR), 1)
    assert cell(INDEX_OHLC, INVERSE).params(query(INDEX_OHLC, INVERSE), page)["instId"] == "BTC-USD"
    assert cell(MARK_OHLC, INVERSE).params(query(MARK_OHLC, INVERSE), page)["instId"] == "BTC-USD-261225"


@pytest.mark.parametrize(
    ("interval", "bar"),
    [
        *((text, text) for text in ("1m", "3m", "5m", "15m", "30m")),
        *(("1h", "1H"), ("2h", "2H"), ("4h", "4H"), ("6h", "6Hutc"), ("12h", "12Hutc"), ("1d", "1Dutc")),
        *(("2d", "2Dutc"), ("3d", "3Dutc"), ("1w", "1Wutc"), ("1M", "1Mutc"), ("3M", "3Mutc")),
    ],
)
def test_days_are_those_of_utc_and_a_minute_is_no_month(interval: str, bar: str) -> None:
    page = Page(Window(START, START + DAY), 1)
    assert cell(OHLC, SPOT).params(query(OHLC, SPOT, interval), page)["bar"] == bar
    assert OKX.intervals[Interval.parse(interval)] == bar


@pytest.mark.parametrize(
    ("dataset", "market", "newest", "earlier"),
    [
        (OHLC, SPOT, "/api/v5/market/candles", "/api/v5/market/history-candles"),
        (OHLC, INVERSE, "/api/v5/market/candles", "/api/v5/market/history-candles"),
        (MARK_OHLC, LINEAR, "/api/v5/market/mark-price-candles", "/api/v5/market/history-mark-price-candles"),
        (INDEX_OHLC, LINEAR, "/api/v5/market/index-candles", "/api/v5/market/history-index-candles"),
    ],
)
def test_older_candles_come_from_where_the_years_are(
    dataset: Dataset, market: Market, newest: str, earlier: str
) -> None:
    parts = reaches(cell(dataset, market), Interval.parse("1m"), Window(START - 3 * DAY, START), now=START)
    assert [endpoint.path for endpoint, _ in parts] == [earlier, newest]
    assert parts[1][1].start == parts[0][1].end == START - 1_435 * MINUTE
    assert parts[0][0].docs == parts[1][0].docs + "-history"


@pytest.mark.parametrize(
    ("dataset", "budget", "history", "rows"),
    [
        (OHLC, "okx market/candles", "okx market/history-candles", 300),
        (MARK_OHLC, "okx market/mark-price-candles", "okx market/history-mark-price-candles", 100),
        (INDEX_OHLC, "okx market/index-candles", "okx market/history-index-candles", 100),
    ],
)
def test_each_path_has_a_budget_and_a_page_of_its_own(dataset: Dataset, budget: str, history: str, rows: int) -> None:
    endpoint = cell(dataset, LINEAR)
    assert endpoint.earlier is not None
    page = Page(None, 1)
    assert (dict(endpoint.cost(page)), dict(endpoint.earlier.cost(page))) == ({budget: 1}, {history: 1})
    assert endpoint.limit == endpoint.earlier.limit == rows


@pytest.mark.parametrize(
    ("path", "limit"),
    [("market/candles", 40), ("market/history-candles", 20), ("market/history-index-candles", 10),
     ("market/trades", 100), ("public/funding-rate", 10), ("rubik/stat/taker-volume-contract", 5)],
)  # fmt: skip
def test_budgets_are_requests_in_two_seconds(path: str, limit: int) -> None:
    budget = OKX.budget(f"okx {path}")
    assert (budget.limit, budget.seconds) == (limit, 2)


def test_every_cell_has_a_budget_and_a_page_of_documentation() -> None:
    for endpoint in (*OKX.instruments, *OKX.endpoints):
        for one in (endpoint, *endpoint.joins, *([endpoint.earlier] if endpoint.earlier else [])):
            assert one.docs.startswith("https://www.okx.com/docs-v5/en/#")
            assert all(OKX.budget(name).limit > 0 for name in one.cost(Page(None, 1)))


@pytest.mark.parametrize("market", list(Market))
def test_what_is_not_offered_has_a_reason(market: Market) -> None:
    for dataset in EVERY_DATASET:
        assert (OKX.endpoint(dataset, market) is None) == ((dataset, market) in OKX.absent), dataset.name
    assert "premium" in OKX.absent[PREMIUM_OHLC, LINEAR]
    assert "no positions" in OKX.absent[OI, SPOT]
    assert all((dataset, SPOT) in OKX.absent for dataset in RATIOS.values())


def test_lists_of_contracts_are_two_and_those_of_spot_one() -> None:
    endpoint = cell(INSTRUMENTS, LINEAR)
    asked = {
        market: [endpoint.params(Query(INSTRUMENTS, market), page) for page in pages_of(endpoint, market)]
        for market in Market
    }
    both = [{"instType": "SWAP"}, {"instType": "FUTURES"}]
    assert asked == {SPOT: [{"instType": "SPOT"}], LINEAR: both, INVERSE: both}


def pages_of(endpoint: Endpoint, market: Market) -> list[Page]:
    return list(endpoint.pages(endpoint, Query(INSTRUMENTS, market)))


def test_spot_instruments() -> None:
    found = instruments(SPOT, "instruments_spot.json")
    assert found["BTC-USDT"] == Instrument(
        "okx", SPOT, "BTC-USDT", "BTC-USDT", "BTC", "USDT", "USDT", tick=0.1, lot=1e-8,
        listed=1_611_907_686_000_000, pair="BTC-USDT", kind="SPOT",
    )  # fmt: skip
    assert (found["OLD-USDT"].status, found["OLD-USDT"].expiry) == ("halted", START)
    assert "SOON-USDT" not in found  # all that is known of it is its name


def test_swaps_of_the_market_asked_for() -> None:
    found = instruments(LINEAR, "instruments_swap.json")
    assert list(found) == ["BTC-USDT-SWAP", "ETH-USDT-SWAP", "ETH-USD_UM-SWAP"]
    assert found["BTC-USDT-SWAP"] == Instrument(
        "okx", LINEAR, "BTC-USDT-PERP", "BTC-USDT-SWAP", "BTC", "USDT", "USDT", contract_size=0.01, tick=0.1,
        lot=0.0001, listed=1_573_557_408_000_000, pair="BTC-USDT", kind="SWAP",
    )  # fmt: skip
    assert found["ETH-USDT-SWAP"].lot == 0.01  # and not 0.010000000000000002
    (inverse,) = instruments(INVERSE, "instruments_swap.json").values()
    assert inverse == Instrument(
        "okx", INVERSE, "BTC-USD-PERP", "BTC-USD-SWAP", "BTC", "USD", "BTC", contract_size=100.0, inverse=True,
        tick=0.1, lot=0.1, listed=1_535_424_203_000_000, pair="BTC-USD", kind="SWAP",
    )  # fmt: skip


def test_a_contract_s_size_is_its_value_times_its_multiplier() -> None:
    found = instruments(LINEAR, "instruments_swap.json")["ETH-USD_UM-SWAP"]
    assert (found.contract_size, found.lot) == (0.1, 0.001)


@pytest.mark.parametrize("value", ["", "0", "0.0"])
def test_a_contract_without_a_size_is_only_announced(value: str) -> None:
    document = json.loads(payload("instruments_swap.json"))
    document["data"][0]["ctVal"] = value
    rows = decoded(INSTRUMENTS, LINEAR, json.dumps(document).encode())
    assert [row["native"] for row in rows] == ["ETH-USDT-SWAP", "ETH-USD_UM-SWAP"]


def test_a_future_without_a_date_is_only_announced() -> None:
    document = json.loads(payload("instruments_futures.json"))
    for row in document["data"]:
        row["expTime"] = ""
    rows = decoded(INSTRUMENTS, LINEAR, json.dumps(document).encode())
    assert [(row["native"], row["symbol"]) for row in rows] == [("BTC-USD_UM_XPERP-310404", "BTC-USD_UM_XPERP-PERP")]


def test_what_settles_in_dollars_keeps_a_name_apart_from_the_inverse_contract() -> None:
    linear = instruments(LINEAR, "instruments_swap.json") | instruments(LINEAR, "instruments_futures.json")
    swap, dated = linear["ETH-USD_UM-SWAP"], linear["BTC-USD_UM-261030"]
    assert (swap.symbol, swap.base, swap.quote, swap.settle) == ("ETH-USD_UM-PERP", "ETH", "USD", "USD")
    assert (dated.symbol, dated.pair, dated.status) == ("BTC-USD_UM-261030", "BTC-USD", "closed")
    assert dated.delivery == dated.expiry == 1_793_347_200_000_000
    (inverse,) = instruments(INVERSE, "instruments_futures.json").values()
    assert (inverse.symbol, inverse.settle, inverse.perpetual) == ("BTC-USD-261225", "BTC", False)


def test_x_perps_pay_funding_although_they_have_a_last_day() -> None:
    found = instruments(LINEAR, "instruments_futures.json")["BTC-USD_UM_XPERP-310404"]
    assert (found.symbol, found.perpetual, found.kind) == ("BTC-USD_UM_XPERP-310404", True, "FUTURES")
    assert iso(found.expiry or 0) == "2031-04-04T08:00:00Z"
    assert found.status == "post_only"


@pytest.mark.parametrize("field", ["instId", "state", "ctVal", "uly", "expTime"])
def test_a_missing_field_is_named(field: str) -> None:
    document = json.loads(payload("instruments_swap.json"))
    del document["data"][0][field]
    with pytest.raises(DecodeError, match=f"OKX linear instruments.*{field}"):
        decoded(INSTRUMENTS, LINEAR, json.dumps(document).encode())


@pytest.mark.parametrize(("field", "value"), [("ctVal", "x"), ("tickSz", "NaN"), ("listTime", "1"), ("lotSz", {})])
def test_a_field_that_cannot_be_is_refused(field: str, value: object) -> None:
    document = json.loads(payload("instruments_swap.json"))
    document["data"][0][field] = value
    with pytest.raises(DecodeError, match="OKX linear instruments"):
        decoded(INSTRUMENTS, LINEAR, json.dumps(document).encode())


@pytest.mark.parametrize("value", ["", "NaN", "Infinity", "1_000", " 1", None, []])
@pytest.mark.parametrize("place", [0, 1, 4, 5, 7])
def test_candles_with_something_that_is_no_number_are_refused(place: int, value: object) -> None:
    document = json.loads(payload("candles_contract.json"))
    document["data"][0][place] = value
    with pytest.raises(DecodeError, match="OKX linear candles"):
        decoded(OHLC, LINEAR, json.dumps(document).encode())


def test_a_candle_that_is_cut_is_refused_and_one_that_grows_is_not() -> None:
    document = json.loads(payload("candles_contract.json"))
    document["data"][0] += ["new"]
    assert len(decoded(OHLC, LINEAR, json.dumps(document).encode())) == 2
    document["data"][0] = document["data"][0][:7]
    with pytest.raises(DecodeError):
        decoded(OHLC, LINEAR, json.dumps(document).encode())


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"code":"0"}', b'{"code":"0","data":{}}', b'{"code":"0","data":null}']
)
def test_an_answer_of_another_shape_is_no_empty_answer(body: bytes) -> None:
    with pytest.raises(DecodeError, match="OKX linear candles"):
        decoded(OHLC, LINEAR, body)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_give_our_errors_only(body: bytes) -> None:
    OKX.refuse(Response(200, {}, body, "okx"))
    for endpoint in (*OKX.instruments, *OKX.endpoints):
        for market in sorted(endpoint.markets):
            try:
                endpoint.decode(body, query(endpoint.dataset, market))
            except MarketError:
                continue


@given(st.lists(st.one_of(st.none(), st.text(max_size=9), st.integers(), st.lists(st.text(max_size=5))), max_size=9))
def test_arbitrary_rows_give_our_errors_only(row: list[object]) -> None:
    body = json.dumps({"code": "0", "data": [row]}).encode()
    for endpoint in OKX.endpoints:
        for market in sorted(endpoint.markets):
            try:
                endpoint.decode(body, query(endpoint.dataset, market))
            except MarketError:
                continue


def refused(code: str, status: int = 200, message: str = "") -> MarketError | None:
    body = json.dumps({"code": code, "data": [], "msg": message}).encode()
    return OKX.refuse(Response(status, {}, body, "https://www.okx.com/x"))


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("50001", 503, ExchangeDown),
        ("50004", 400, ExchangeDown),
        ("50005", 410, NotOffered),
        ("50011", 429, RateLimited),
        ("50011", 200, RateLimited),
        ("50013", 429, ExchangeDown),
        ("50026", 500, ExchangeDown),
        ("50030", 200, RegionRefused),
        ("50040", 200, RateLimited),
        ("50047", 200, NotOffered),
        ("50051", 200, RegionRefused),
        ("50014", 400, UsageError),
        ("51000", 400, UsageError),
        ("51001", 200, UnknownSymbol),
        ("59999", 200, ExchangeError),
    ],
)
def test_a_code_means_the_same_with_any_status(code: str, status: int, kind: type[MarketError]) -> None:
    error = refused(code, status, "what OKX says")
    assert type(error) is kind
    assert error.message.startswith("OKX ")
    assert error.message.endswith(".")


def test_errors_as_they_are_documented() -> None:
    for name, kind in (
        ("error_unknown_instrument.json", UnknownSymbol),
        ("error_too_many.json", RateLimited),
        ("error_parameter.json", UsageError),
    ):
        assert type(OKX.refuse(Response(200, {}, payload(name), "x"))) is kind
    parameter = OKX.refuse(Response(400, {}, payload("error_parameter.json"), "x"))
    assert parameter is not None
    assert "Parameter bar error" in parameter.message


def test_an_error_s_text_cannot_move_the_cursor() -> None:
    for code in ("51000", "59999"):
        error = refused(code, 200, "\x1b[2Jgone")
        assert error is not None
        assert "\x1b" not in error.message


@pytest.mark.parametrize("status", [403, 404, 451, 500])
def test_what_a_gateway_says_is_judged_by_its_status(status: int) -> None:
    assert refused("404", status) is None
    assert OKX.refuse(Response(status, {}, b"<html>", "x")) is None


def test_data_are_no_error() -> None:
    assert OKX.refuse(Response(200, {}, payload("candles_spot.json"), "x")) is None


def test_sites() -> None:
    assert {name: site.hosts[LINEAR] for name, site in OKX.sites.items()} == {
        "live": ("https://www.okx.com",),
        "eea": ("https://eea.okx.com",),
        "us": ("https://us.okx.com",),
        "testnet": ("https://www.okx.com",),
    }
    assert OKX.sites["testnet"].headers == {"x-simulated-trading": "1"}
    assert OKX.sites["live"].headers == {}


def test_questions_that_cannot_be_asked_are_our_own_mistakes() -> None:
    for dataset in (OHLC, FUNDING):
        with pytest.raises(TypeError):
            cell(dataset, LINEAR).params(Query(dataset, LINEAR), Page(None, 1))
