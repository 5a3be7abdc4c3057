"""The sandbox tells the world's own trades, book, tickers and ratios."""

from __future__ import annotations

import csv
import http.client
import io
from dataclasses import replace
from typing import Any

import pytest
from sandbox.small_world import NOW, ms

from marketcli.errors import UsageError
from marketcli.models import HOUR, MILLISECOND, MINUTE, Interval, Market, Window
from marketcli.sandbox import truth
from marketcli.sandbox.floor import Floor
from marketcli.sandbox.server import Sandbox
from marketcli.world import Listing, World

WORLD = World(7, clock=lambda: NOW)
FLOOR = Floor(WORLD, limits=True, faults=())
START, END = ms("2026-11-20T10:00"), ms("2026-11-20T10:01")
WINDOW = Window(START * MILLISECOND, END * MILLISECOND)
NAMES = {"linear": ("BTCUSDT", "BTC-USDT-PERP"), "inverse": ("BTCUSD_PERP", "BTC-USD-PERP")}


def asked(market: str, symbol: str, **more: str) -> dict[str, str]:
    return {"exchange": "binance", "market": market, "symbol": symbol} | more


def find(market: str) -> Listing:
    return next(item for item in WORLD.listings(Market(market)) if item.base == "BTC")


@pytest.mark.parametrize("market", NAMES)
def test_trades(market: str) -> None:
    rows = truth.trades(FLOOR, asked(market, NAMES[market][0], start=str(START), end=str(END)))
    true = WORLD.trades(find(market), WINDOW)
    assert len(rows) == len(true) > 100
    assert [(row["id"], row["time_ms"] * MILLISECOND, row["taker"]) for row in rows] == [
        (row.id, row.time, row.taker) for row in true
    ]
    assert [tuple(row[name] for name in ("price", "size", "value", "contracts")) for row in rows] == [
        row[2:6] for row in true
    ]
    assert list(rows[0]) == ["time", "time_ms", "id", "price", "size", "value", "contracts", "taker"]


def test_trades_are_those_of_the_last_minute_unless_said_and_never_too_many() -> None:
    rows = truth.trades(FLOOR, asked("linear", "BTCUSDT"))
    assert len(rows) == len(WORLD.trades(find("linear"), Window(NOW - MINUTE, NOW)))
    with pytest.raises(UsageError, match=r"There are \d,\d\d\d,\d\d\d trades in that time") as caught:
        truth.trades(FLOOR, asked("linear", "BTCUSDT", start="8h"))
    assert caught.value.hint == "100,000 are given at once."


def test_the_book() -> None:
    rows = truth.book(FLOOR, asked("inverse", "BTC-USD-PERP", depth="7"))
    true = WORLD.book(find("inverse"), 7)
    assert [row["side"] for row in rows] == ["bid"] * 7 + ["ask"] * 7
    levels = [tuple(row[name] for name in ("price", "size", "contracts", "orders")) for row in rows]
    assert levels == [*true.bids, *true.asks]
    assert {(row["time_ms"], row["update_id"]) for row in rows} == {(true.time // MILLISECOND, true.update_id)}
    assert len(truth.book(FLOOR, asked("linear", "BTCUSDT"))) == 40
    for depth in ("0", "-1", "many", "10001", "²"):
        with pytest.raises(UsageError, match="is not a depth"):
            truth.book(FLOOR, asked("linear", "BTCUSDT", depth=depth))


def test_one_ticker_and_those_of_a_market() -> None:
    (row,) = truth.ticker(FLOOR, asked("linear", "BTC-USDT-PERP"))
    true = WORLD.ticker(find("linear"))
    assert (row["symbol"], row["native"], row["time_ms"]) == ("BTC-USDT-PERP", "BTCUSDT", NOW // MILLISECOND)
    assert row["open_time"] == "2026-11-20T12:00:30Z"
    rest = true._asdict()
    assert {name: row[name] for name in rest if "time" not in name} == {
        name: value for name, value in rest.items() if "time" not in name
    }
    rows = truth.ticker(FLOOR, {"exchange": "binance", "market": "linear"})
    begun = [item for item in WORLD.listings(Market.LINEAR) if item.listed <= NOW]
    assert row in rows
    assert [found["last"] for found in rows] == [WORLD.last(item) for item in begun]


def test_an_exchange_has_its_own_list_and_its_own_names_for_coins() -> None:
    floor = Floor(WORLD, limits=True, faults=())
    few = replace(
        floor.simulators["binance"],
        lists=lambda listing: listing.quote == "USDC",
        base=lambda listing: listing.base.replace("1000", "k"),
    )
    floor.simulators = {"binance": few}
    asked = {"exchange": "binance", "market": "linear"}
    symbols = ["BTC-USDC-PERP", "ETH-USDC-PERP", "SOL-USDC-PERP", "kPEPE-USDC-PERP"]
    assert [row["symbol"] for row in truth.ticker(floor, asked)] == symbols
    instruments = truth.instruments(floor, asked)
    assert [(row["symbol"], row["base"]) for row in instruments] == [(name, name[:-10]) for name in symbols]
    for symbol in ("kPEPE-USDC-PERP", "1000PEPEUSDC"):
        assert len(truth.book(floor, asked | {"symbol": symbol})) == 40
    with pytest.raises(UsageError, match="is called 'BTCUSDT'"):
        truth.book(floor, asked | {"symbol": "BTCUSDT"})


@pytest.mark.parametrize("market", NAMES)
def test_ratios(market: str) -> None:
    window = {"start": str(START), "end": str(START + 2 * HOUR // MILLISECOND)}
    rows = truth.ratio(FLOOR, asked(market, NAMES[market][1], interval="15m") | window)
    times = [START * MILLISECOND + n * 15 * MINUTE for n in range(8)]
    true = WORLD.ratios(find(market), Interval.parse("15m"), times)
    assert [row["time_ms"] * MILLISECOND for row in rows] == times
    assert [tuple(row.values())[2:] for row in rows] == [tuple(row)[1:] for row in true]
    with pytest.raises(UsageError, match="interval is missing"):
        truth.ratio(FLOOR, asked(market, NAMES[market][1]))


def get(port: int, path: str) -> tuple[int, str]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        client.request("GET", path)
        answer = client.getresponse()
        return answer.status, answer.read().decode()
    finally:
        client.close()


def test_they_have_addresses_and_the_home_page_names_them() -> None:
    names: dict[str, dict[str, Any]] = {
        "trades": {"first": "time,time_ms,id,price,size,value,contracts,taker", "more": ""},
        "book": {"first": "time,time_ms,update_id,side,price,size,contracts,orders", "more": "&depth=2"},
        "ticker": {"first": "symbol,native,time,time_ms,open_time,open,high,low,last,last_size", "more": ""},
        "ratio": {"first": "time,time_ms,accounts_long,top_accounts_long", "more": "&interval=1h"},
    }
    with Sandbox(clock=lambda: NOW) as here:
        home = get(here.port, "/")[1]
        for name, what in names.items():
            address = f"/truth/{name}?exchange=binance&market=um&symbol=BTCUSDT&format=csv{what['more']}"
            status, body = get(here.port, address)
            assert (status, body.startswith(what["first"])) == (200, True)
            assert len(list(csv.DictReader(io.StringIO(body)))) > 0
            assert f"/truth/{name}?exchange=&market=" in home
        assert get(here.port, "/truth/book?exchange=binance&market=um&symbol=BTCUSDT&depth=x")[0] == 400
