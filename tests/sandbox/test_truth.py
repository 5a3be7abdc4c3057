from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from sandbox.small_world import NOW, floor, ms

from marketcli.errors import UsageError
from marketcli.sandbox import truth
from marketcli.sandbox.floor import Floor
from marketcli.world import World

ASKED = {"exchange": "binance", "interval": "1m", "start": "2026-11-20T23:50", "end": "2026-11-21T00:10"}
PLACES = {
    "spot": ("api.binance.com", "/api/v3/klines", "BTCUSDT", "BTC-USDT"),
    "linear": ("fapi.binance.com", "/fapi/v1/klines", "BTCUSDT", "BTC-USDT-PERP"),
    "inverse": ("dapi.binance.com", "/dapi/v1/klines", "BTCUSD_PERP", "BTC-USD-PERP"),
}
PRICES = {"mark": "markPriceKlines", "index": "indexPriceKlines", "premium": "premiumIndexKlines"}


@pytest.fixture(scope="module")
def real() -> Floor:
    return Floor(World(7, clock=lambda: NOW), limits=True, faults=())


def answered(on: Floor, host: str, *, path: str, **params: object) -> Any:
    return on.answer("GET", host, path=path, query=urlencode(params)).document()


@pytest.mark.parametrize("market", PLACES)
@pytest.mark.parametrize("interval", ["1m", "1h", "1d", "1w", "1M"])
def test_candles_on_the_wire_are_the_truth(real: Floor, market: str, interval: str) -> None:
    host, path, native, symbol = PLACES[market]
    end = NOW // 1_000
    start = {"1m": end - 90 * 60_000, "1h": ms("2026-11-01")}.get(interval, ms("2026-09-20"))
    rows = answered(real, host, path=path, symbol=native, interval=interval, startTime=start, endTime=end, limit=1_000)
    true = truth.ohlc(
        real, ASKED | {"market": market, "symbol": symbol, "interval": interval, "start": str(start), "end": "now"}
    )
    assert len(rows) == len(true) > 0
    for row, bar in zip(rows, true, strict=True):
        volumes = [bar["volume_base"], bar["volume_quote"], bar["taker_buy_base"], bar["taker_buy_quote"]]
        if market == "inverse":
            volumes = [bar["contracts"], bar["volume_base"], bar["taker_buy_contracts"], bar["taker_buy_base"]]
        assert row[0] == bar["time_ms"]
        assert [float(text) for text in row[1:5]] == [bar[name] for name in ("open", "high", "low", "close")]
        assert [float(row[index]) for index in (5, 7, 9, 10)] == volumes
        assert row[8] == bar["trades"]
        assert bar["closed"] is (row[6] < NOW // 1_000)


@pytest.mark.parametrize("price", PRICES)
def test_prices_nobody_trades_at_are_the_truth(real: Floor, price: str) -> None:
    start, end = ms("2026-11-20"), ms("2026-11-20T05:00")
    name = "pair" if price == "index" else "symbol"
    path = f"/fapi/v1/{PRICES[price]}"
    asked = {name: "BTCUSDT", "interval": "1h", "startTime": start, "endTime": end}
    rows = answered(real, "fapi.binance.com", path=path, **asked)
    more = {"market": "linear", "symbol": "BTCUSDT", "interval": "1h", "price": price}
    true = truth.ohlc(real, ASKED | more | {"start": str(start), "end": str(end + 1)})
    assert [[float(text) for text in row[1:5]] for row in rows] == [
        [bar[key] for key in ("open", "high", "low", "close")] for bar in true
    ]
    assert len(rows) == 6


def test_every_instrument_of_the_world_is_listed_under_its_names(real: Floor) -> None:
    for market, (host, path, _, symbol) in PLACES.items():
        listed = answered(real, host, path=path.replace("klines", "exchangeInfo"))["symbols"]
        true = truth.instruments(real, {"exchange": "binance", "market": market})
        assert [item["symbol"] for item in listed] == [row["native"] for row in true]
        assert symbol in {row["symbol"] for row in true}
        assert len({row["symbol"] for row in true}) == len(true)


def test_the_window_is_half_open_and_times_come_in_two_spellings() -> None:
    asked = ASKED | {"market": "linear", "symbol": "BTCUSDT"}
    rows = truth.ohlc(floor(), asked)
    assert (rows[0]["time"], rows[-1]["time"], len(rows)) == ("2026-11-20T23:50:00Z", "2026-11-21T00:09:00Z", 20)
    assert truth.ohlc(floor(), asked | {"start": str(ms(asked["start"])), "end": str(ms(asked["end"]))}) == rows
    assert rows[0]["time_ms"] == ms(asked["start"])
    last_day = truth.ohlc(floor(), asked | {"start": "", "end": ""})
    assert (last_day[0]["time"], last_day[-1]["closed"]) == ("2026-11-20T12:01:00Z", False)


def test_csv_and_json_hold_the_same_numbers_without_exponents() -> None:
    asked = ASKED | {"market": "linear", "symbol": "BTCUSDT", "price": "premium"}
    rows = truth.ohlc(floor(), asked)
    body, kind = truth.written(rows, "csv")
    assert kind == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(body.decode())))
    assert [float(line["low"]) for line in table] == [row["low"] for row in rows]
    assert (table[0]["low"], table[0]["closed"], table[0]["trades"]) == ("-0.00000005", "true", "0")
    assert json.loads(truth.written(rows, "json")[0]) == rows
    assert truth.written([], "csv")[0] == b""
    instruments = truth.written(truth.instruments(floor(), {"exchange": "binance"}), "csv")[0].decode()
    assert "linear,BTC-USDT-PERP,BTCUSDT,BTC,USDT,USDT,1,0.10,0.001,trading,true,2020-01-01T00:00:00Z,\n" in instruments
    assert "linear,BTC-USDT-270326,BTCUSDT_270326," in instruments
    assert "inverse,OLD-USD-PERP,OLDUSD_PERP," in instruments


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"exchange": "mtgox"}, "The sandbox has no exchange 'mtgox'."),
        ({"market": ""}, "The parameter market is missing."),
        ({"symbol": "NOPE"}, "No linear instrument is called 'NOPE'."),
        ({"start": "soon"}, "'soon' is not a start this program understands."),
        ({"price": "fair"}, "There is no price 'fair' here."),
        ({"interval": "1x"}, "'1x' is not an interval."),
    ],
)
def test_what_cannot_be_answered_is_said(more: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        truth.ohlc(floor(), ASKED | {"market": "linear", "symbol": "BTCUSDT"} | more)
    assert caught.value.message == message


def test_spot_has_no_mark_price_and_there_are_two_formats() -> None:
    with pytest.raises(UsageError, match="no price"):
        truth.ohlc(floor(), ASKED | {"market": "spot", "symbol": "BTCUSDT", "price": "mark"})
    with pytest.raises(UsageError, match="no format"):
        truth.written([], "xlsx")
