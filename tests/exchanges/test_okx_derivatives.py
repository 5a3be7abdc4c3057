"""OKX's funding, open interest, prices and ratios: exact rows from documented shapes, and what is asked with."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from exchanges.test_okx import BTC, INVERSE, LINEAR, OKX, START, cell, payload

from marketcli.datasets import (
    FUNDING,
    FUNDING_HISTORY,
    OI,
    OI_HISTORY,
    PRICE,
    RATIO_ACCOUNTS,
    RATIO_TAKER,
    RATIO_TOP_ACCOUNTS,
    RATIO_TOP_POSITIONS,
    Dataset,
)
from marketcli.errors import DecodeError
from marketcli.models import DAY, HOUR, MINUTE, Instrument, Interval, Market, Window
from marketcli.spec import Endpoint, Page, Query

FIVE = Interval.parse("5m")


def decoded(endpoint: Endpoint, name: str, instrument: Instrument = BTC[LINEAR]) -> list[dict[str, Any]]:
    query = Query(endpoint.dataset, instrument.market, instrument)
    return [dict(zip(endpoint.columns, row, strict=True)) for row in endpoint.decode(payload(name), query)]


def test_coming_funding_and_its_interval() -> None:
    assert decoded(cell(FUNDING, LINEAR), "funding_rate.json") == [
        {
            "native": "BTC-USDT-SWAP",
            "pair": "BTC-USDT",
            "time": START + 1_000_000,
            "rate": 0.000041,
            "interval_h": 4.0,
            "next_time": START + 4 * HOUR,
        }
    ]


def test_blanks_of_funding_are_null() -> None:
    endpoint, document = cell(FUNDING, LINEAR), json.loads(payload("funding_rate.json"))
    document["data"][0] |= dict.fromkeys(("fundingRate", "fundingTime", "nextFundingTime"), "")
    (row,) = endpoint.decode(json.dumps(document).encode(), Query(FUNDING, LINEAR, BTC[LINEAR]))
    assert row[3:] == (None, None, None)


def test_prices_beside_are_found_by_name_and_by_pair() -> None:
    for dataset in (FUNDING, PRICE):
        mark, index = cell(dataset, LINEAR).joins
        assert (mark.on, index.on) == ("native", "pair")
        assert decoded(mark, "mark_price.json") == [{"native": "BTC-USDT-SWAP", "mark": 91001.2}]
        assert decoded(index, "index_tickers.json") == [{"pair": "BTC-USDT", "index": 91005.0}]
    assert [one.path for one in cell(OI, LINEAR).joins] == ["/api/v5/public/mark-price"]
    assert cell(PRICE, Market.SPOT).joins == ()


def test_settlements_are_what_was_charged_and_a_forecast_never_stands_in() -> None:
    rows = decoded(cell(FUNDING_HISTORY, LINEAR), "funding_rate_history.json")
    assert [(row["time"] - START) / HOUR for row in rows] == [0, -8, -16]
    assert [row["rate"] for row in rows] == [None, -0.00003, 0.0]


def test_open_interest_is_contracts_and_base() -> None:
    assert decoded(cell(OI, LINEAR), "open_interest.json") == [
        {"native": "BTC-USDT-SWAP", "time": START + 123_000, "oi_contracts": 2216113.01000000309, "oi_base": 22161.1301}
    ]


def test_past_open_interest_has_a_value_only_where_the_quote_is_the_dollar() -> None:
    rows = decoded(cell(OI_HISTORY, INVERSE), "open_interest_history.json", BTC[INVERSE])
    assert rows[1] == {"time": START, "oi_contracts": 150000.0, "oi_base": 1650.2, "oi_quote": 15000000.5}
    assert rows[0]["time"] == START + 5 * MINUTE
    tether = decoded(cell(OI_HISTORY, LINEAR), "open_interest_history.json")
    assert [row["oi_quote"] for row in tether] == [None, None]
    dollar = decoded(cell(OI_HISTORY, LINEAR), "open_interest_history.json", replace(BTC[LINEAR], quote="USD"))
    assert dollar[1]["oi_quote"] == 15000000.5


@pytest.mark.parametrize("dataset", [RATIO_ACCOUNTS, RATIO_TOP_ACCOUNTS, RATIO_TOP_POSITIONS])
def test_ratios(dataset: Dataset) -> None:
    rows = decoded(cell(dataset, LINEAR), "long_short_ratio.json")
    assert rows == [{"time": START + 5 * MINUTE, "ratio": 1.2740831113213654}, {"time": START, "ratio": 0.98}]


def test_of_taker_volume_what_was_sold_comes_first() -> None:
    rows = decoded(cell(RATIO_TAKER, LINEAR), "taker_volume.json")
    assert rows[0] == {"time": START + 5 * MINUTE, "ratio": 2.0, "buy_base": 41.0, "sell_base": 20.5}
    assert rows[1] == {"time": START, "ratio": None, "buy_base": 3.5, "sell_base": 0.0}


def test_questions_about_now() -> None:
    page = Page(None, 1)
    for market, kind in ((LINEAR, "SWAP"), (INVERSE, "FUTURES")):
        query = Query(OI, market, BTC[market])
        typed = {"instType": kind, "instId": BTC[market].native}
        mark, index = cell(PRICE, market).joins
        assert cell(OI, market).params(query, page) == mark.params(query, page) == typed
        assert index.params(query, page) == {"instId": BTC[market].pair}
        assert cell(FUNDING, market).params(query, page) == {"instId": BTC[market].native}
        assert cell(PRICE, market).params(query, page) == {"instId": BTC[market].native}


def test_settlements_are_asked_with_a_minute_to_spare() -> None:
    window = Window(START, START + DAY)
    query = Query(FUNDING_HISTORY, LINEAR, BTC[LINEAR], None, window)
    assert cell(FUNDING_HISTORY, LINEAR).params(query, Page(window, 400)) == {
        "instId": "BTC-USDT-SWAP",
        "after": (START + DAY + MINUTE) // 1_000,
        "before": (START - MINUTE) // 1_000 - 1,
        "limit": 400,
    }


@pytest.mark.parametrize(
    ("dataset", "path", "more"),
    [
        (OI_HISTORY, "rubik/stat/contracts/open-interest-history", {}),
        (RATIO_ACCOUNTS, "rubik/stat/contracts/long-short-account-ratio-contract", {}),
        (RATIO_TOP_ACCOUNTS, "rubik/stat/contracts/long-short-account-ratio-contract-top-trader", {}),
        (RATIO_TOP_POSITIONS, "rubik/stat/contracts/long-short-position-ratio-contract-top-trader", {}),
        (RATIO_TAKER, "rubik/stat/taker-volume-contract", {"unit": 0}),
    ],
)
def test_statistics_begin_newer_and_end_older(dataset: Dataset, path: str, more: dict[str, int]) -> None:
    window = Window(START, START + 100 * 5 * MINUTE)
    endpoint, query = cell(dataset, LINEAR), Query(dataset, LINEAR, BTC[LINEAR], FIVE, window)
    assert endpoint.path == f"/api/v5/{path}"
    assert endpoint.params(query, Page(window, 100)) == {
        "instId": "BTC-USDT-SWAP",
        "period": "5m",
        "begin": START // 1_000 - 1,
        "end": window.end // 1_000,
        "limit": 100,
        **more,
    }
    assert (endpoint.newest, endpoint.limit, len(list(endpoint.pages(endpoint, query)))) == (1_440, 100, 1)
    assert dict(endpoint.cost(Page(None, 1))) == {f"okx {path}": 1}


def test_points_are_those_of_utc_days_and_none_are_finer_than_five_minutes() -> None:
    known = OKX.spelled(cell(OI_HISTORY, LINEAR))
    assert known[Interval.parse("1d")] == "1Dutc"
    assert {Interval.parse("1m"), Interval.parse("3m")}.isdisjoint(known)


@pytest.mark.parametrize(
    ("dataset", "name", "field"),
    [
        (FUNDING, "funding_rate.json", "fundingRate"),
        (FUNDING, "funding_rate.json", "nextFundingTime"),
        (FUNDING_HISTORY, "funding_rate_history.json", "realizedRate"),
        (FUNDING_HISTORY, "funding_rate_history.json", "fundingTime"),
        (OI, "open_interest.json", "oiCcy"),
    ],
)
@pytest.mark.parametrize("value", ["NaN", "Infinity", "1_000", "x", " 1"])
def test_numbers_that_are_none_are_refused(dataset: Dataset, name: str, field: str, value: str) -> None:
    document = json.loads(payload(name))
    document["data"][0][field] = value
    with pytest.raises(DecodeError, match=f"OKX linear {dataset.title}"):
        cell(dataset, LINEAR).decode(json.dumps(document).encode(), Query(dataset, LINEAR, BTC[LINEAR]))
