"""Binance's tickers, books, trades and ratios as the sandbox plays them: forms, limits, orders, bounds, refusals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from sandbox.small_world import HOSTS, NOW, SYMBOLS, at

from marketcli.models import DAY, HOUR, MILLISECOND, MINUTE, Interval, Market, Window
from marketcli.sandbox.floor import Floor
from marketcli.world import World

if TYPE_CHECKING:
    from marketcli.sandbox.draft import Draft
    from marketcli.world import Listing

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
USED = "X-MBX-USED-WEIGHT-1M"
MS = NOW // MILLISECOND


@pytest.fixture(scope="module")
def real() -> Floor:
    return Floor(World(7, clock=lambda: NOW), limits=False, faults=())


def send(on: Floor, market: Market, name: str, **params: object) -> Draft:
    host, prefix = HOSTS[market]
    path = name if name.startswith("/") else f"{prefix}/{name}"
    return on.answer("GET", host, path=path, query=urlencode(params))


def ask(on: Floor, market: Market, name: str, **params: object) -> Any:
    return send(on, market, name, **params).document()


def btc(on: Floor, market: Market, name: str, **params: object) -> Any:
    """What is said about the market's Bitcoin."""
    return ask(on, market, name, symbol=SYMBOLS[market], **params)


def listing(on: Floor, market: Market, base: str = "BTC") -> Listing:
    quote = "USD" if market is INVERSE else "USDT"
    named = (one for one in on.world.listings(market) if (one.base, one.quote) == (base, quote))
    return next(one for one in named if one.perpetual or market is SPOT)


@pytest.mark.parametrize("market", Market)
def test_a_ticker_is_the_world_s_last_day(real: Floor, market: Market) -> None:
    said, true = btc(real, market, "ticker/24hr"), real.world.ticker(listing(real, market))
    row = said[0] if market is INVERSE else said
    assert (row["symbol"], row["count"], row["closeTime"]) == (SYMBOLS[market], true.trades, MS)
    assert (row["firstId"], row["lastId"], row["openTime"]) == (true.first_id, true.last_id, true.open_time // 1_000)
    prices = [float(row[f"{name}Price"]) for name in ("last", "open", "high", "low")]
    assert prices == [true.last, true.open, true.high, true.low]
    assert float(row["priceChange"]) == pytest.approx(true.last - true.open)
    assert float(row["priceChangePercent"]) == pytest.approx(100 * (true.last / true.open - 1), abs=0.0006)
    assert true.low <= float(row["weightedAvgPrice"]) <= true.high
    if market is INVERSE:
        assert (row["volume"], row["pair"], "quoteVolume" in row) == (str(true.contracts), "BTCUSD", False)
        assert float(row["baseVolume"]) == pytest.approx(true.volume_base, abs=1e-8)
        assert int(row["lastQty"]) == real.world.recent_trades(listing(real, market), 1)[0].contracts
    else:
        assert (float(row["volume"]), float(row["quoteVolume"])) == (true.volume_base, true.volume_quote)


def test_only_spot_tickers_have_the_best_of_the_book(real: Floor) -> None:
    spot, true = btc(real, SPOT, "ticker/24hr"), real.world.ticker(listing(real, SPOT))
    assert (float(spot["bidPrice"]), float(spot["askQty"])) == (true.bid, true.ask_size)
    assert "bidPrice" not in btc(real, LINEAR, "ticker/24hr")
    assert "bidPrice" not in btc(real, INVERSE, "ticker/24hr")[0]


@pytest.mark.parametrize("name", ["ticker/24hr", "ticker/bookTicker"])
def test_tickers_of_one_several_and_all(real: Floor, name: str) -> None:
    several = ask(real, SPOT, name, symbols='["ETHUSDT","BTCUSDT"]')
    assert [row["symbol"] for row in several] == ["ETHUSDT", "BTCUSDT"]
    of_pair = ask(real, INVERSE, name, pair="BTCUSD")
    assert {row["pair"] for row in of_pair} == {"BTCUSD"}
    assert len(of_pair) > 1
    for market in Market:
        every = {row["symbol"] for row in ask(real, market, name)}
        assert SYMBOLS[market] in every
        assert len(every) == sum(one.listed <= NOW for one in real.world.listings(market))
        assert ask(real, market, name, symbol="NOPE")["code"] == -1121
    assert isinstance(btc(real, LINEAR, name), dict)


@pytest.mark.parametrize("market", Market)
def test_the_best_of_a_book(real: Floor, market: Market) -> None:
    said, book = btc(real, market, "ticker/bookTicker"), real.world.book(listing(real, market), 1)
    row = said[0] if market is INVERSE else said
    assert (float(row["bidPrice"]), float(row["askPrice"])) == (book.bids[0].price, book.asks[0].price)
    size = book.asks[0].contracts if market is INVERSE else book.asks[0].size
    assert float(row["askQty"]) == size
    assert ("time" in row, "lastUpdateId" in row) == (market is not SPOT, market is INVERSE)


def test_nobody_offers_what_does_not_trade(real: Floor) -> None:
    halted = next(one for one in real.world.listings(SPOT) if one.status == "halted")
    name = halted.base + halted.quote
    row = ask(real, SPOT, "ticker/bookTicker", symbol=name)
    assert {float(value) for key, value in row.items() if key != "symbol"} == {0.0}
    book = ask(real, SPOT, "depth", symbol=name)
    assert (book["bids"], book["asks"]) == ([], [])


@pytest.mark.parametrize(("market", "levels"), [(SPOT, 100), (LINEAR, 500), (INVERSE, 500)])
def test_a_book_is_the_world_s(real: Floor, market: Market, levels: int) -> None:
    found, true = btc(real, market, "depth"), real.world.book(listing(real, market), levels)
    assert (len(found["bids"]), len(found["asks"]), found["lastUpdateId"]) == (levels, levels, true.update_id)
    for side, rungs in ((found["bids"], true.bids), (found["asks"], true.asks)):
        sizes = [rung.contracts if market is INVERSE else rung.size for rung in rungs]
        assert [(float(price), float(size)) for price, size in side] == [
            (rung.price, size) for rung, size in zip(rungs, sizes, strict=True)
        ]
    if market is SPOT:
        assert "E" not in found
    else:
        assert (found["E"], found["T"]) == (MS, true.time // MILLISECOND)
    assert found.get("pair") == ("BTCUSD" if market is INVERSE else None)


def test_spot_takes_any_depth_and_cuts_it_and_futures_take_seven(real: Floor) -> None:
    assert len(btc(real, SPOT, "depth", limit=7)["asks"]) == 7
    assert len(btc(real, SPOT, "depth", limit=9_999)["asks"]) == 5_000
    assert btc(real, SPOT, "depth", limit=0)["code"] == -1130
    for market in (LINEAR, INVERSE):
        assert len(btc(real, market, "depth", limit=1_000)["bids"]) == 1_000
        refused = btc(real, market, "depth", limit=7)
        assert refused == {"code": -4021, "msg": "7 is not valid depth limit."}
        assert btc(real, market, "depth", limit="x")["code"] == -1130


@pytest.mark.parametrize("market", Market)
def test_recent_trades_are_the_newest_oldest_first(real: Floor, market: Market) -> None:
    assert len(btc(real, market, "trades")) == 500
    found, true = btc(real, market, "trades", limit=20), real.world.recent_trades(listing(real, market), 20)
    assert [row["id"] for row in found] == [row.id for row in true]
    assert [row["time"] for row in found] == [row.time // MILLISECOND for row in true]
    assert [row["isBuyerMaker"] for row in found] == [row.taker == "sell" for row in true]
    assert {row["isBuyerMaker"] for row in found} == {True, False}
    assert [float(row["price"]) for row in found] == [row.price for row in true]
    sizes = [row.contracts if market is INVERSE else row.size for row in true]
    assert [float(row["qty"]) for row in found] == sizes
    if market is INVERSE:
        assert [float(row["baseQty"]) for row in found] == pytest.approx([row.size for row in true], abs=1e-8)
    assert len(btc(real, market, "trades", limit=9_999)) == 1_000


def merged(on: Floor, market: Market, **params: object) -> Any:
    return btc(on, market, "aggTrades", **params)


@pytest.mark.parametrize("market", Market)
def test_which_merged_trades_come(real: Floor, market: Market) -> None:
    newest = real.world.recent_trades(listing(real, market), 500)
    rows = merged(real, market)
    assert [row["a"] for row in rows] == [row.id for row in newest]
    assert [row["m"] for row in rows] == [row.taker == "sell" for row in newest]
    hour = (NOW - 3 * HOUR) // MILLISECOND
    true = real.world.trades(listing(real, market), Window(hour * MILLISECOND, hour * MILLISECOND + MINUTE))
    ids = [row.id for row in true]
    assert len(ids) > 50
    assert [row["a"] for row in merged(real, market, startTime=hour, limit=50)] == ids[:50]
    assert [row["a"] for row in merged(real, market, startTime=hour, endTime=hour + 59_999, limit=50)] == ids[:50]
    assert [row["a"] for row in merged(real, market, endTime=hour + 59_999, limit=50)] == ids[-50:]
    first = true[0].time // MILLISECOND
    both = merged(real, market, startTime=first, endTime=first)
    assert [row["a"] for row in both] == [row.id for row in true if row.time // MILLISECOND == first]
    assert [row["a"] for row in merged(real, market, fromId=ids[7], limit=5)] == ids[7:12]
    assert merged(real, market, fromId=newest[-1].id + 1) == []


def test_futures_keep_two_days_or_one_and_spot_everything(real: Floor) -> None:
    assert merged(real, SPOT, fromId=0, limit=1)[0]["a"] == 1
    old = (NOW - 90 * DAY) // MILLISECOND
    assert merged(real, SPOT, startTime=old, limit=1)[0]["T"] < old + 60_000
    for market, kept in ((LINEAR, 2 * DAY), (INVERSE, DAY)):
        oldest = (NOW - kept) // MILLISECOND
        rows = merged(real, market, startTime=oldest - 3_600_000, limit=1)
        assert 0 <= rows[0]["T"] - oldest < 60_000
        assert merged(real, market, fromId=0, limit=1) == rows
        assert merged(real, market, startTime=oldest - 3_600_000, endTime=oldest - 1) == []
        assert merged(real, market, endTime=oldest - 1) == []


@pytest.mark.parametrize(
    ("market", "params", "code"),
    [
        (LINEAR, {"startTime": MS - 3_600_001, "endTime": MS}, -1127),
        (INVERSE, {"startTime": MS - 3_600_001, "endTime": MS}, -1127),
        (LINEAR, {"startTime": MS, "endTime": MS - 1}, -1023),
        (LINEAR, {"fromId": 5, "startTime": MS}, -1128),
        (SPOT, {"fromId": 5, "endTime": MS}, -1128),
        (SPOT, {"fromId": "x"}, -1100),
        (LINEAR, {"fromId": "x"}, -1130),
        (LINEAR, {"limit": 0}, -1130),
        (LINEAR, {"symbol": "NOPE"}, -1121),
        (LINEAR, {"symbol": ""}, -1102),
    ],
)
def test_what_is_asked_wrongly_is_refused(real: Floor, market: Market, params: dict[str, Any], code: int) -> None:
    assert ask(real, market, "aggTrades", **({"symbol": SYMBOLS[market]} | params))["code"] == code


def test_an_hour_is_a_window_futures_take(real: Floor) -> None:
    rows = merged(real, LINEAR, startTime=MS - 3_600_000, endTime=MS, limit=1)
    assert len(rows) == 1
    assert len(merged(real, SPOT, startTime=MS - 7_200_000, endTime=MS, limit=1)) == 1


@pytest.mark.parametrize(
    ("market", "name", "params", "weight"),
    [
        (SPOT, "depth", {}, 5),
        (SPOT, "depth", {"limit": 500}, 25),
        (SPOT, "depth", {"limit": 501}, 50),
        (SPOT, "depth", {"limit": 5_000}, 250),
        (LINEAR, "depth", {}, 10),
        (LINEAR, "depth", {"limit": 50}, 2),
        (INVERSE, "depth", {"limit": 100}, 5),
        (INVERSE, "depth", {"limit": 1_000}, 20),
        (SPOT, "trades", {}, 25),
        (LINEAR, "trades", {}, 5),
        (SPOT, "aggTrades", {}, 4),
        (INVERSE, "aggTrades", {}, 20),
        (SPOT, "ticker/24hr", {}, 2),
        (SPOT, "ticker/24hr", {"symbol": ""}, 80),
        (SPOT, "ticker/24hr", {"symbol": "", "symbols": json.dumps([f"A{n}" for n in range(21)])}, 40),
        (SPOT, "ticker/24hr", {"symbol": "", "symbols": json.dumps([f"A{n}" for n in range(101)])}, 80),
        (SPOT, "ticker/bookTicker", {}, 2),
        (SPOT, "ticker/bookTicker", {"symbol": ""}, 4),
        (LINEAR, "ticker/24hr", {}, 1),
        (INVERSE, "ticker/24hr", {"symbol": ""}, 40),
        (LINEAR, "ticker/bookTicker", {"symbol": ""}, 5),
    ],
)
def test_requests_weigh_what_is_documented(market: Market, name: str, params: dict[str, Any], weight: int) -> None:
    on = Floor(World(7, clock=lambda: NOW), limits=True, faults=())
    asked = {"symbol": SYMBOLS[market]} | params
    sent = send(on, market, name, **{key: value for key, value in asked.items() if value != ""})
    assert sent.headers[USED] == str(weight)


FAMILY = "/futures/data/"
STANDING = {
    "globalLongShortAccountRatio": ("accounts_long", "Account"),
    "topLongShortAccountRatio": ("top_accounts_long", "Account"),
    "topLongShortPositionRatio": ("top_positions_long", "Position"),
}


def points(on: Floor, market: Market, name: str, **params: object) -> Any:
    whose = {"symbol": "BTCUSDT"} if market is LINEAR else {"pair": "BTCUSD"}
    return ask(on, market, FAMILY + name, **(whose | {"period": "1h"} | params))


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
@pytest.mark.parametrize("name", STANDING)
def test_long_and_short_are_shares_of_one(real: Floor, market: Market, name: str) -> None:
    column, word = STANDING[name]
    rows = points(real, market, name)
    times = [at("2026-11-21T12:00") - HOUR * n for n in reversed(range(30))]
    true = real.world.ratios(listing(real, market), Interval(1, "h"), times)
    assert [row["timestamp"] * MILLISECOND for row in rows] == times
    word = word if market is INVERSE else "Account"
    assert [float(row[f"long{word}"]) for row in rows] == [getattr(row, column) for row in true]
    for row in rows:
        long, short = float(row[f"long{word}"]), float(row[f"short{word}"])
        assert long + short == pytest.approx(1)
        assert float(row["longShortRatio"]) == pytest.approx(long / short, abs=1e-4)
    assert ("symbol" in rows[0], "pair" in rows[0]) == (market is LINEAR, market is INVERSE)


def test_takers_bought_and_sold_in_periods_that_are_over(real: Floor) -> None:
    rows, last = points(real, LINEAR, "takerlongshortRatio"), at("2026-11-21T11:00")
    times = [last - HOUR * n for n in reversed(range(30))]
    true = real.world.ratios(listing(real, LINEAR), Interval(1, "h"), times)
    assert [row["timestamp"] * MILLISECOND for row in rows[-29:]] == times[-29:]
    by_time = {row.time: row for row in true}
    for row in rows[-29:]:
        here = by_time[row["timestamp"] * MILLISECOND]
        assert (float(row["buyVol"]), float(row["sellVol"])) == (here.taker_buy, here.taker_sell)
        assert float(row["buySellRatio"]) == pytest.approx(here.taker_buy / here.taker_sell, abs=1e-4)
        assert "symbol" not in row


def test_takers_of_coin_m_are_counted_by_type_of_contract_or_all_together(real: Floor) -> None:
    name, start = "takerBuySellVol", at("2026-11-21T08:00") // MILLISECOND
    one = points(real, INVERSE, name, contractType="PERPETUAL", startTime=start, limit=1)[0]
    (true,) = real.world.ratios(listing(real, INVERSE), Interval(1, "h"), [start * MILLISECOND])
    assert (one["takerBuyVol"], one["takerSellVol"]) == (str(true.taker_buy_contracts), str(true.taker_sell_contracts))
    assert float(one["takerBuyVolValue"]) == pytest.approx(true.taker_buy, abs=1e-8)
    kinds = ("PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER")
    parts = [points(real, INVERSE, name, contractType=kind, startTime=start, limit=1) for kind in kinds]
    every = points(real, INVERSE, name, contractType="ALL", startTime=start, limit=1)[0]
    assert int(every["takerBuyVol"]) == sum(int(part[0]["takerBuyVol"]) for part in parts if part)
    assert int(every["takerBuyVol"]) > int(one["takerBuyVol"])
    assert points(real, INVERSE, name)["code"] == -1102
    assert points(real, INVERSE, name, contractType="FOREVER")["code"] == -1130


@pytest.mark.parametrize("name", [*STANDING, "takerlongshortRatio"])
def test_thirty_days_of_ratios_are_kept(real: Floor, name: str) -> None:
    oldest = (NOW - 30 * DAY) // MILLISECOND
    assert points(real, LINEAR, name, startTime=oldest - 1) == {
        "code": -1130,
        "msg": "parameter 'startTime' is invalid.",
    }
    assert len(points(real, LINEAR, name, startTime=oldest + 1, limit=9_999)) == 500
    assert points(real, LINEAR, name, period="3m")["code"] == -1130
    assert points(real, LINEAR, name, symbol="NOPE")["code"] == -1121
    assert points(real, LINEAR, name, startTime=MS - 3_600_000, endTime=MS - 3_600_000) == []


def test_ratios_are_counted_with_the_statistics_and_weigh_nothing() -> None:
    on = Floor(World(7, clock=lambda: NOW), limits=True, faults=())
    for name in STANDING:
        points(on, LINEAR, name)
        points(on, INVERSE, name)
    assert on.stats()["weight"] == {"binance futures data requests": 6}


def test_trades_of_the_coming_second_are_not_there_yet(real: Floor) -> None:
    rows = merged(real, LINEAR, startTime=MS - 1_500, endTime=MS + 60_000, limit=1_000)
    assert len(rows) < 1_000
    assert rows[-1]["T"] <= MS
    assert rows[-1]["a"] == real.world.recent_trades(listing(real, LINEAR), 1)[0].id
