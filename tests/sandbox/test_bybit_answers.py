"""Bybit as the sandbox plays it, by its documentation: rows, orders, bounds, limits, names, refusals."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from sandbox.small_world import ENDED, JUNE, LISTED, MARCH, NOW, SmallWorld, at, listing, minutes, ms

from marketcli import exchanges
from marketcli.exchanges.bybit.simulated_requests import native
from marketcli.models import DAY, HOUR, MILLISECOND, MINUTE, Market
from marketcli.sandbox.floor import Floor
from marketcli.spec import Response

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
NAMES = {SPOT: "BTCUSDT", LINEAR: "BTCUSDT", INVERSE: "BTCUSD"}
NOON = "2026-11-21T12:00"
STEP = 300_000


def floor(*, limits: bool = True) -> Floor:
    world: Any = SmallWorld()
    return Floor(world, limits=limits, faults=())


def sent(path: str, *, on: Floor | None = None, host: str = "api.bybit.com", **params: Any) -> Any:
    """The draft of an answer."""
    return (on or floor()).answer("GET", host, path=f"/v5/market/{path}", query=urlencode(params))


def ask(path: str, **params: Any) -> Any:
    """The document of an answer."""
    return msgspec.json.decode(sent(path, **params).body)


def rows(path: str, **params: Any) -> Any:
    """The rows of an answer that went well."""
    document = ask(path, **params)
    assert (document["retCode"], document["retMsg"], document["time"]) == (0, "OK", NOW // MILLISECOND)
    return document["result"]["list"]


def klines(market: Market, interval: str = "1", **params: Any) -> Any:
    return rows("kline", category=market.value, symbol=NAMES[market], interval=interval, **params)


def opens(found: Any) -> list[int]:
    return [int(row[0]) for row in found]


# --- candles


@pytest.mark.parametrize("market", Market)
def test_a_page_has_200_candles_unless_asked_and_1000_at_most_newest_first(market: Market) -> None:
    assert len(klines(market)) == 200
    assert len(klines(market, limit=1_001)) == 1_000
    assert opens(klines(market, limit=3)) == minutes("2026-11-21T11:58", 3)[::-1]


@pytest.mark.parametrize("market", Market)
def test_both_bounds_belong_to_the_page_and_a_start_means_the_candle_that_holds_it(market: Market) -> None:
    found = klines(market, start=ms("2026-11-01T00:00"), end=ms("2026-11-01T00:03"))
    assert opens(found) == minutes("2026-11-01T00:00", 4)[::-1]
    found = klines(market, start=ms("2026-11-01T00:00") + 59_999, end=ms("2026-11-01T00:03") - 1)
    assert opens(found) == minutes("2026-11-01T00:00", 3)[::-1]


def test_of_too_long_a_window_the_newest_come_and_of_a_start_alone_the_oldest() -> None:
    day: dict[str, Any] = {"start": ms("2026-11-01"), "end": ms("2026-11-02")}
    assert opens(klines(LINEAR, limit=5, **day)) == minutes("2026-11-01T23:56", 5)[::-1]
    assert opens(klines(LINEAR, limit=5, start=day["start"])) == minutes("2026-11-01T00:00", 5)[::-1]
    assert opens(klines(LINEAR, limit=5, end=day["end"])) == minutes("2026-11-01T23:56", 5)[::-1]


def test_candles_are_texts_and_inverse_counts_dollars_and_base() -> None:
    start = ms("2026-11-01T00:07")
    (linear,) = klines(LINEAR, start=start, limit=1)
    assert linear == [str(start), "90527.00", "90536.50", "90521.75", "90528.50", "12.500", "1137600.2500"]
    (inverse,) = klines(INVERSE, start=start, limit=1)
    assert inverse[5:] == ["700", "12.50000000"]  # seven contracts of a hundred dollars


@pytest.mark.parametrize(
    ("path", "market"),
    [
        ("mark-price-kline", LINEAR),
        ("index-price-kline", LINEAR),
        ("premium-index-price-kline", LINEAR),
        ("mark-price-kline", INVERSE),
        ("index-price-kline", INVERSE),
    ],
)
def test_prices_nobody_trades_at_have_five_columns(path: str, market: Market) -> None:
    found = rows(path, category=market.value, symbol=NAMES[market], interval="60", limit=2)
    assert opens(found) == [ms(NOON), ms("2026-11-21T11:00")]
    assert {len(row) for row in found} == {5}


def test_linear_is_meant_where_no_category_is_named() -> None:
    assert rows("kline", symbol="BTCUSDT", interval="D", limit=1) == klines(LINEAR, "D", limit=1)


def test_weeks_and_months() -> None:
    assert opens(klines(LINEAR, "W", limit=1)) == [ms("2026-11-16")]
    assert opens(klines(LINEAR, "M", limit=2)) == [ms("2026-11-01"), ms("2026-10-01")]


def test_nothing_trades_before_it_is_listed_or_after_it_ended() -> None:
    before: dict[str, Any] = {"start": ms("2019-12-31T23:58"), "end": ms("2020-01-01T00:01")}
    assert opens(klines(LINEAR, **before)) == minutes("2020-01-01T00:00", 2)[::-1]
    after = rows("kline", category="linear", symbol="OLDUSDT", interval="1", limit=2)
    assert opens(after) == minutes("2024-09-10T08:58", 2)[::-1]
    assert klines(LINEAR, start=NOW // MILLISECOND + 60_000) == []


GOOD: dict[str, Any] = {"category": "linear", "symbol": "BTCUSDT", "interval": "1"}


@pytest.mark.parametrize(
    ("path", "params", "words"),
    [
        ("kline", {"symbol": "NOPE"}, "symbol invalid"),
        ("kline", {"symbol": "NEWUSDT"}, "symbol invalid"),
        ("kline", {"symbol": "btcusdt"}, "symbol invalid"),
        ("kline", {"category": "spot", "symbol": "BTCPERP"}, "symbol invalid"),
        ("kline", {"category": "moon"}, "Category"),
        ("kline", {"interval": "480"}, "Interval"),
        ("kline", {"interval": "1h"}, "Interval"),
        ("kline", {"limit": "0"}, "limit"),
        ("kline", {"start": "yesterday"}, "start"),
        ("kline", {"start": "2", "end": "1"}, "start"),
        ("mark-price-kline", {"category": "spot"}, "Category"),
        ("premium-index-price-kline", {"category": "inverse", "symbol": "BTCUSD"}, "Category"),
        ("premium-index-price-kline", {"symbol": "BTCUSDT-26MAR27"}, "symbol"),
        ("instruments-info", {"category": ""}, "Category"),
        ("instruments-info", {"symbol": "NOPE"}, "symbol"),
        ("instruments-info", {"symbol": "", "status": "Gone"}, "status"),
        ("instruments-info", {"symbol": "", "cursor": "first%3DBTCUSDT"}, "cursor"),
        ("tickers", {"symbol": "NOPE"}, "symbol"),
        ("funding/history", {"category": "spot"}, "Category"),
        ("funding/history", {"startTime": "1"}, "endTime"),
        ("open-interest", {"intervalTime": "1m"}, "intervalTime"),
        ("account-ratio", {"period": "5m"}, "period"),
        ("orderbook", {"symbol": "NOPE"}, "symbol"),
        ("recent-trade", {"symbol": "NOPE"}, "symbol"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_status_200_and_the_adapter_says_why(
    path: str, params: dict[str, Any], words: str
) -> None:
    draft = sent(path, **(GOOD | params))
    document = msgspec.json.decode(draft.body)
    assert (draft.status, document["retCode"]) == (200, 10001)
    assert words in document["retMsg"]
    assert document["result"] == {}


def test_spot_knows_no_error_for_a_symbol_it_has_not() -> None:
    assert rows("instruments-info", category="spot", symbol="NOPE") == []
    assert rows("tickers", category="spot", symbol="NOPE") == []


# --- instruments


def listed(market: Market, **params: Any) -> dict[str, Any]:
    return {item["symbol"]: item for item in rows("instruments-info", category=market.value, **params)}


def test_names_are_spelled_as_bybit_spells_them() -> None:
    assert [*listed(SPOT)] == ["BTCUSDT", "ETHBTC"]
    assert [*listed(LINEAR)] == ["BTCUSDT", "BTCUSDT-25JUN27", "BTCUSDT-26MAR27"]
    assert [*listed(INVERSE)] == ["BTCUSD", "BTCUSDH27"]


@pytest.mark.parametrize(
    ("market", "base", "quote", "expiry", "name"),
    [
        ("linear", "BTC", "USDC", None, "BTCPERP"),
        ("linear", "1000PEPE", "USDC", None, "1000PEPEPERP"),
        ("linear", "BTC", "USDC", "2026-12-04T08:00", "BTC-4DEC26"),
        ("linear", "ETH", "USDT", "2026-12-25T08:00", "ETHUSDT-25DEC26"),
        ("inverse", "ETH", "USD", "2026-12-25T08:00", "ETHUSDZ26"),
        ("inverse", "BTC", "USD", "2027-06-25T08:00", "BTCUSDM27"),
        ("inverse", "BTC", "USD", "2027-09-24T08:00", "BTCUSDU27"),
    ],
)
def test_coins_of_usdc_and_dated_contracts_have_names_of_their_own(
    market: str, base: str, quote: str, expiry: str | None, name: str
) -> None:
    item = listing(market, base, quote, perpetual=expiry is None, expiry=None if expiry is None else at(expiry))
    assert native(item) == name


def test_only_what_trades_is_listed_unless_another_state_is_asked_for() -> None:
    assert {item["status"] for item in listed(LINEAR).values()} == {"Trading"}
    (soon,) = listed(LINEAR, status="PreLaunch").values()
    assert (soon["symbol"], soon["status"], soon["isPreListing"]) == ("NEWUSDT", "PreLaunch", True)
    assert soon["launchTime"] == str((NOW + DAY) // MILLISECOND)
    (old,) = listed(LINEAR, status="Closed").values()
    assert (old["symbol"], old["deliveryTime"]) == ("OLDUSDT", str(ENDED // MILLISECOND))
    assert listed(LINEAR, status="Delivering") == {}
    assert [*listed(INVERSE, status="Closed")] == ["OLDUSD"]


def test_contracts_say_their_terms() -> None:
    linear, inverse = listed(LINEAR), listed(INVERSE)
    btc, dated = linear["BTCUSDT"], linear["BTCUSDT-26MAR27"]
    assert (btc["contractType"], btc["deliveryTime"], btc["fundingInterval"]) == ("LinearPerpetual", "0", 480)
    assert (btc["launchTime"], btc["settleCoin"]) == (str(LISTED // MILLISECOND), "USDT")
    assert (btc["priceFilter"]["tickSize"], btc["lotSizeFilter"]["qtyStep"]) == ("0.10", "0.001")
    assert (dated["contractType"], dated["deliveryTime"]) == ("LinearFutures", str(MARCH // MILLISECOND))
    assert dated["fundingInterval"] == 0
    assert linear["BTCUSDT-25JUN27"]["deliveryTime"] == str(JUNE // MILLISECOND)
    assert [item["contractType"] for item in inverse.values()] == ["InversePerpetual", "InverseFutures"]
    assert inverse["BTCUSD"]["settleCoin"] == "BTC"


def test_contracts_come_in_pages_whose_cursors_are_encoded_already() -> None:
    first = ask("instruments-info", category="linear", limit=2)["result"]
    assert [item["symbol"] for item in first["list"]] == ["BTCUSDT", "BTCUSDT-25JUN27"]
    assert first["nextPageCursor"] == "first%3DBTCUSDT-26MAR27"
    second = ask("instruments-info", category="linear", limit=2, cursor="first=BTCUSDT-26MAR27")["result"]
    assert [item["symbol"] for item in second["list"]] == ["BTCUSDT-26MAR27"]
    assert second["nextPageCursor"] == ""


def test_what_other_clients_ask_for_is_there() -> None:
    assert ask("instruments-info", category="option")["result"]["list"] == []
    clock = ask("time")["result"]
    assert clock == {"timeSecond": str(NOW // 1_000_000), "timeNano": str(NOW * 1_000)}


# --- histories


def test_settlements_come_newest_first_at_the_minute_they_were_due() -> None:
    found = rows("funding/history", category="linear", symbol="BTCUSDT")
    times = [int(row["fundingRateTimestamp"]) for row in found]
    assert times == [ms("2026-11-21T08:00") - 8 * 3_600_000 * n for n in range(200)]
    assert float(found[0]["fundingRate"]) == (at("2026-11-21T08:00") // HOUR % 1_000 - 500) / 10**7
    window: dict[str, Any] = {"startTime": ms("2026-11-20T08:00"), "endTime": ms("2026-11-21T00:00")}
    found = rows("funding/history", category="linear", symbol="BTCUSDT", **window)
    assert [int(row["fundingRateTimestamp"]) for row in found] == [
        ms("2026-11-21T00:00"), ms("2026-11-20T16:00"), ms("2026-11-20T08:00"),
    ]  # fmt: skip
    found = rows("funding/history", category="linear", symbol="BTCUSDT", limit=1, endTime=window["endTime"] - 1)
    assert [int(row["fundingRateTimestamp"]) for row in found] == [ms("2026-11-20T16:00")]


def test_a_settlement_that_is_due_is_there_as_soon_as_the_world_has_written_it() -> None:
    world: Any = SmallWorld()
    world.time = at("2026-11-21T08:00:00") + 3 * MILLISECOND
    on = Floor(world, limits=True, faults=())
    newest = msgspec.json.decode(sent("funding/history", on=on, category="linear", symbol="BTCUSDT", limit=1).body)
    assert newest["result"]["list"][0]["fundingRateTimestamp"] == str(ms("2026-11-21T08:00"))


def test_dated_contracts_have_no_settlements() -> None:
    assert rows("funding/history", category="linear", symbol="BTCUSDT-26MAR27") == []


def count(text: str) -> int:
    return at(text) // (5 * MINUTE) % 10_000


def test_open_interest_counts_both_sides_and_one_since_june_2026() -> None:
    whole = {"category": "linear", "symbol": "BTCUSDT", "intervalTime": "5min"}
    (row,) = rows("open-interest", **whole, startTime=ms(NOON), endTime=ms(NOON))
    base = 1_000.5 + count(NOON)
    assert row == {"openInterest": f"{2 * base:.8f}", "singleOpenInterest": f"{base}", "timestamp": str(ms(NOON))}
    before = "2026-06-10T23:55"
    (row,) = rows("open-interest", **whole, startTime=ms(before), endTime=ms(before))
    assert row == {"openInterest": f"{2 * (1_000.5 + count(before)):.8f}", "timestamp": str(ms(before))}
    coin = {"category": "inverse", "symbol": "BTCUSD", "intervalTime": "5min"}
    (row,) = rows("open-interest", **coin, startTime=ms(NOON), endTime=ms(NOON))
    assert row["singleOpenInterest"] == str(100 * (7 + count(NOON)))
    assert float(row["openInterest"]) == 200 * (7 + count(NOON))


def test_points_come_newest_first_in_pages() -> None:
    whole: dict[str, Any] = {"category": "linear", "symbol": "BTCUSDT", "intervalTime": "5min"}
    first = ask("open-interest", **whole)["result"]
    times = [int(row["timestamp"]) for row in first["list"]]
    assert times == [ms(NOON) - STEP * n for n in range(50)]
    assert first["nextPageCursor"] == f"lasttime%3D{times[-1]}"
    second = ask("open-interest", **whole, cursor=f"lasttime={times[-1]}")["result"]
    assert int(second["list"][0]["timestamp"]) == times[-1] - STEP
    assert len(rows("open-interest", **whole, limit=9_999)) == 200
    bounded = ask("open-interest", **whole, startTime=ms(NOON) - STEP, endTime=ms(NOON))["result"]
    assert len(bounded["list"]) == 2
    assert bounded["nextPageCursor"] == ""
    assert rows("open-interest", **(whole | {"intervalTime": "1d"}), limit=1)[0]["timestamp"] == str(ms("2026-11-21"))


# --- limits and hosts


def test_six_hundred_requests_in_five_seconds_are_allowed_and_then_it_refuses_and_bans() -> None:
    on = floor()
    assert {sent("time", on=on).status for _ in range(600)} == {200}
    over = sent("time", on=on)
    assert (over.status, over.document()["retCode"]) == (429, 10006)
    on.world.time += 200 * MILLISECOND  # type: ignore[attr-defined]
    last = [sent("time", on=on) for _ in range(20)][-1]
    assert last.status == 403
    assert b"access too frequent" in last.body
    exchange = exchanges.load("bybit")
    refused = exchange.refuse(Response(last.status, last.headers, last.body, "x"))
    assert refused is not None
    assert refused.code == "banned"


def test_all_hosts_and_markets_share_one_limit() -> None:
    on = floor()
    for host in ("api.bybit.com", "api.bytick.com", "api-testnet.bybit.com", "api.bybit.kz", "api.manepa.jp"):
        assert sent("kline", on=on, host=host, **GOOD).status == 200
    assert sent("kline", on=on, category="spot", symbol="BTCUSDT", interval="1").status == 200
    assert on.stats()["weight"] == {"bybit requests": 6}


def test_other_paths_and_methods_are_not_found() -> None:
    gone = sent("klines")
    assert (gone.status, gone.document()["retCode"]) == (404, 10017)
    assert floor().answer("POST", "api.bybit.com", path="/v5/market/time", query="").status == 404
