"""What Binance's routes say of funding, open interest and prices is what the world says."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from sandbox.small_world import NOW, ms

from marketcli.errors import UsageError
from marketcli.sandbox import truth
from marketcli.sandbox.floor import Floor
from marketcli.world import World

START, END = ms("2026-11-14"), ms("2026-11-16")
NAMES = {"linear": ("fapi.binance.com", "BTCUSDT"), "inverse": ("dapi.binance.com", "BTCUSD_PERP")}
HISTORY = "/futures/data/openInterestHist"


@pytest.fixture(scope="module")
def real() -> Floor:
    return Floor(World(7, clock=lambda: NOW), limits=True, faults=())


def wire(on: Floor, host: str, path: str, **params: object) -> Any:
    return on.answer("GET", host, path=path, query=urlencode(params)).document()


def asked(market: str, symbol: str, **more: str) -> dict[str, str]:
    return {"exchange": "binance", "market": market, "symbol": symbol, "start": str(START), "end": str(END)} | more


@pytest.mark.parametrize("market", NAMES)
def test_settlements(real: Floor, market: str) -> None:
    host, symbol = NAMES[market]
    path = f"/{host[:4]}/v1/fundingRate"
    rows = wire(real, host, path, symbol=symbol, startTime=START, endTime=END - 1)
    true = truth.funding(real, asked(market, symbol))
    assert [row["fundingTime"] for row in rows] == [row["time_ms"] for row in true]
    assert [float(row["fundingRate"]) for row in rows] == [row["rate"] for row in true]
    if market == "linear":
        assert [float(row["markPrice"]) for row in rows] == [row["mark"] for row in true]
    assert len(true) == 6


def test_the_hours_a_settlement_was_for(real: Floor) -> None:
    window = {"start": "2026-08-31T19:00", "end": "2026-09-01T02:30"}
    rows = truth.funding(real, asked("linear", "DOGE-USDT-PERP") | window)
    assert [(row["time"][11:13], row["interval_h"]) for row in rows] == [("20", 4), ("00", 4), ("01", 1), ("02", 1)]
    listed = wire(real, "fapi.binance.com", "/fapi/v1/fundingInfo")
    assert {row["symbol"]: row["fundingIntervalHours"] for row in listed} == {
        "DOGEUSDT": 1,
        "SOLUSDT": 4,
        "SOLUSDC": 4,
    }


def test_open_interest(real: Floor) -> None:
    true = truth.interest(real, asked("linear", "BTCUSDT", interval="5m"))
    times = {"startTime": START, "endTime": END - 1, "period": "5m", "limit": 500}
    rows = wire(real, "fapi.binance.com", HISTORY, symbol="BTCUSDT", **times)
    assert len(true) == 576
    assert [(row["timestamp"], float(row["sumOpenInterest"]), float(row["sumOpenInterestValue"])) for row in rows] == [
        (row["time_ms"], row["base"], row["quote"]) for row in true[:500]
    ]
    true = truth.interest(real, asked("inverse", "BTCUSD_PERP", interval="1h"))
    more = times | {"period": "1h", "pair": "BTCUSD", "contractType": "PERPETUAL"}
    rows = wire(real, "dapi.binance.com", HISTORY, **more)
    assert [(row["timestamp"], int(row["sumOpenInterest"]), float(row["sumOpenInterestValue"])) for row in rows] == [
        (row["time_ms"], row["contracts"], row["base"]) for row in true
    ]


@pytest.mark.parametrize("market", NAMES)
def test_prices_and_coming_funding(real: Floor, market: str) -> None:
    host, symbol = NAMES[market]
    api = host[:4]
    (true,) = truth.price(real, asked(market, symbol))
    premium = wire(real, host, f"/{api}/v1/premiumIndex", symbol=symbol)
    premium = premium[0] if market == "inverse" else premium
    last = wire(real, host, "/fapi/v2/ticker/price" if market == "linear" else "/dapi/v1/ticker/price", symbol=symbol)
    last = last[0] if market == "inverse" else last
    assert float(last["price"]) == true["last"]
    found = {name: float(premium[key]) for name, key in (("mark", "markPrice"), ("index", "indexPrice"))}
    assert found | {"rate": float(premium["lastFundingRate"])} == {
        name: true[name] for name in ("mark", "index", "rate")
    }
    assert (true["next_time"], true["interval_h"]) == ("2026-11-21T16:00:00Z", 8)
    assert premium["nextFundingTime"] == ms(true["next_time"])


def test_spot_has_prices_only(real: Floor) -> None:
    (true,) = truth.price(real, asked("spot", "BTC-USDT"))
    host = "api.binance.com"
    assert float(wire(real, host, "/api/v3/ticker/price", symbol="BTCUSDT")["price"]) == true["last"]
    assert float(wire(real, host, "/api/v3/avgPrice", symbol="BTCUSDT")["price"]) == true["average"]
    assert {true[name] for name in ("mark", "index", "rate", "next_time", "interval_h")} == {None}
    assert truth.funding(real, asked("spot", "BTC-USDT")) == []
    assert truth.interest(real, asked("spot", "BTC-USDT", interval="1h")) == []


def test_a_dated_contract_has_a_mark_and_no_rate(real: Floor) -> None:
    (true,) = truth.price(real, asked("linear", "BTC-USDT-261225"))
    assert (true["rate"], true["next_time"], true["interval_h"]) == (None, None, None)
    assert true["mark"] > true["index"] > 0


def test_what_is_needed_is_said(real: Floor) -> None:
    with pytest.raises(UsageError, match="interval is missing"):
        truth.interest(real, asked("linear", "BTCUSDT"))
    with pytest.raises(UsageError, match="No linear instrument"):
        truth.funding(real, asked("linear", "NOPE"))
    with pytest.raises(UsageError, match="market is missing"):
        truth.price(real, {"exchange": "binance"})
