"""What comes out of Bybit's simulator through the adapter and the whole program is what the world says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from sandbox.small_world import NOW, at

import marketcli
from marketcli import exchanges
from marketcli.datasets import BOOK, INSTRUMENTS, RATIO_ACCOUNTS, TICKER, TRADES, Dataset
from marketcli.errors import NotOffered
from marketcli.exchanges.bybit.sandbox import SIMULATOR
from marketcli.models import DAY, HOUR, MINUTE, Instrument, Interval, Market, Micros, Window, to_micros
from marketcli.sandbox.candles import load
from marketcli.sandbox.floor import Floor
from marketcli.sandbox.server import Sandbox
from marketcli.spec import Continued, Endpoint, Page, Query, Rows
from marketcli.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from marketcli.world import Listing

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
BYBIT = exchanges.load("bybit")
BTC = {SPOT: "BTC-USDT", LINEAR: "BTC-USDT-PERP", INVERSE: "BTC-USD-PERP"}
NATIVE = {SPOT: "BTCUSDT", LINEAR: "BTCUSDT", INVERSE: "BTCUSD"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(clock=lambda: NOW, limits=False) as running:
        yield running


def get(call: Any, sandbox: Sandbox, *words: str, **asked: Any) -> pl.DataFrame:
    """What a function of the package gives of Bybit."""
    frame: pl.DataFrame = call(*words, exchange="bybit", via=sandbox.url, **asked)
    return frame


def item(world: World, market: Market, native: str) -> Listing:
    return next(one for one in world.listings(market) if SIMULATOR.native(one) == native)


def micros(frame: pl.DataFrame, name: str = "time") -> list[Micros]:
    return [to_micros(moment) for moment in frame[name].to_list()]


@pytest.mark.parametrize("market", Market)
def test_candles_of_several_pages(sandbox: Sandbox, market: Market) -> None:
    frame = get(marketcli.ohlc, sandbox, BTC[market], "15m", since="2026-10-01", until="2026-11-01")
    listing = item(sandbox.world, market, NATIVE[market])
    bars = sandbox.world.candles(listing, Interval(15, "m"), Window(at("2026-10-01"), at("2026-11-01")))
    assert len(bars) == 31 * 96
    assert micros(frame) == [bar.time for bar in bars]
    for name in ("open", "high", "low", "close", "volume_base", "volume_quote"):
        assert frame[name].to_list() == [getattr(bar, name) for bar in bars]
    contracts = [bar.contracts * listing.contract_size for bar in bars] if market is INVERSE else [None] * len(bars)
    assert frame["volume_contracts"].to_list() == contracts
    assert frame["trades"].null_count() == frame["taker_buy_base"].null_count() == len(bars)


@pytest.mark.parametrize(
    ("market", "price"),
    [(LINEAR, "mark"), (LINEAR, "index"), (LINEAR, "premium"), (INVERSE, "mark"), (INVERSE, "index")],
)
def test_candles_of_other_prices(sandbox: Sandbox, market: Market, price: str) -> None:
    frame = get(marketcli.ohlc, sandbox, BTC[market], "1h", since="2026-09-01", until="2026-11-01", price=price)
    listing, days = item(sandbox.world, market, NATIVE[market]), Window(at("2026-09-01"), at("2026-11-01"))
    bars = sandbox.world.candles(listing, Interval(1, "h"), days, price=price)
    assert frame.height == len(bars) == 61 * 24
    assert frame["close"].to_list() == [bar.close for bar in bars]
    assert frame["low"].to_list() == [bar.low for bar in bars]


def test_eight_hours_are_built_from_four(sandbox: Sandbox) -> None:
    frame = get(marketcli.ohlc, sandbox, "BTCUSD", "8h", since="2026-10-01", until="2026-11-01", market="inverse")
    listing = item(sandbox.world, INVERSE, "BTCUSD")
    bars = sandbox.world.candles(listing, Interval(8, "h"), Window(at("2026-10-01"), at("2026-11-01")))
    assert frame["high"].to_list() == [bar.high for bar in bars]
    assert frame["volume_contracts"].to_list() == [bar.contracts * listing.contract_size for bar in bars]
    assert set(frame["source"]) == {"resampled:4h"}


def test_premium_candles_of_inverse_contracts_are_not_offered(sandbox: Sandbox) -> None:
    with pytest.raises(NotOffered, match="linear perpetuals only"):
        get(marketcli.ohlc, sandbox, "BTCUSD", "1h", market="inverse", price="premium")


def test_a_delisted_contract_still_has_its_candles(sandbox: Sandbox) -> None:
    frame = get(marketcli.ohlc, sandbox, "MATIC", "1h", last=3)
    assert micros(frame) == [at("2024-09-10T06:00") + HOUR * n for n in range(3)]
    assert set(frame["native"]) == {"MATICUSDT"}


@pytest.mark.parametrize("market", Market)
def test_candles_of_a_file_are_found_though_they_ended(tmp_path: Path, market: Market) -> None:
    file, opened = tmp_path / "candles.csv", [at("2026-11-01") + HOUR * n for n in range(30)]
    lines = [f"{time // 1_000},100,110,90,{100 + n % 5},12.5" for n, time in enumerate(opened)]
    file.write_text("\n".join(["timestamp_ms,open,high,low,close,volume", *lines]))
    name = "BTCUSD" if market is INVERSE else "BTCUSDT"
    with Sandbox(clock=lambda: NOW, series=[load(f"{market}:{name}={file}")]) as other:
        frame = get(marketcli.ohlc, other, name, "1h", market=market.value, since="2026-11-01", until="2026-11-02")
        listed = instrument_rows(other, market)[name]
    assert micros(frame) == opened[:24]
    assert frame["close"].to_list() == [100.0 + n % 5 for n in range(24)]
    assert listed["status"] == ("trading" if market is SPOT else "closed")


def instrument_rows(sandbox: Sandbox, market: Market) -> dict[str, dict[str, Any]]:
    frame = get(marketcli.instruments, sandbox, market.value)
    return {row["native"]: row for row in frame.iter_rows(named=True)}


@pytest.mark.parametrize("market", Market)
def test_instruments(sandbox: Sandbox, market: Market) -> None:
    found = instrument_rows(sandbox, market)
    listings = {SIMULATOR.native(one): one for one in sandbox.world.listings(market)}
    if market is SPOT:
        assert listings.pop("MATICUSDT").status == "halted"  # delisted pairs are in no list
    assert set(found) == set(listings)
    for native, one in listings.items():
        row = found[native]
        assert (row["base"], row["quote"], row["settle"]) == (one.base, one.quote, one.settle)
        assert (row["tick"], row["lot"], row["contract_size"]) == (float(one.tick), float(one.lot), 1.0)
        assert row["status"] == ("closed" if one.status == "closing" else one.status)
        if market is not SPOT:
            assert to_micros(row["listed"]) == one.listed
            assert (None if row["expiry"] is None else to_micros(row["expiry"])) == one.expiry
    symbols = [row["symbol"] for row in found.values()]
    assert len(set(symbols)) == len(symbols)
    assert not [symbol for symbol in symbols if symbol in found]  # each has a canonical name, none only its native one


def test_names_of_usdc_and_dated_contracts(sandbox: Sandbox) -> None:
    symbols = {native: row["symbol"] for native, row in instrument_rows(sandbox, LINEAR).items()}
    assert symbols["BTCPERP"] == "BTC-USDC-PERP"
    assert symbols["1000PEPEPERP"] == "1000PEPE-USDC-PERP"
    assert symbols["BTCUSDT-26MAR27"] == "BTC-USDT-270326"
    inverse = {native: row["symbol"] for native, row in instrument_rows(sandbox, INVERSE).items()}
    assert (inverse["BTCUSD"], inverse["BTCUSDH27"]) == ("BTC-USD-PERP", "BTC-USD-270326")


def test_a_contract_before_its_launch_is_pending() -> None:
    with Sandbox(clock=lambda: at("2024-09-12T00:00")) as early:
        row = instrument_rows(early, LINEAR)["POLUSDT"]
    assert row["status"] == "pending"
    assert to_micros(row["listed"]) == at("2024-09-13T10:30")


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_settlements_of_several_pages(sandbox: Sandbox, market: Market) -> None:
    frame = get(marketcli.funding, sandbox, BTC[market], since="2025-10-01", until="2026-11-01")
    listing = item(sandbox.world, market, NATIVE[market])
    true = sandbox.world.settlements(listing, Window(at("2025-10-01"), at("2026-11-01")))
    assert frame.height == len(true) == 396 * 3
    assert micros(frame) == [row.time // MINUTE * MINUTE for row in true]
    assert frame["rate"].to_list() == [row.rate for row in true]
    assert set(frame["interval_h"]) == {8.0}
    assert frame["mark"].null_count() == frame.height


def test_settlements_whose_interval_changed(sandbox: Sandbox) -> None:
    frame = get(marketcli.funding, sandbox, "DOGE", since="2026-08-31T20:00", until="2026-09-01T02:30")
    assert frame["interval_h"].to_list() == [4.0, 4.0, 1.0, 1.0]


@pytest.mark.parametrize(("native", "hours"), [("BTCUSDT", 8), ("SOLUSDT", 4), ("DOGEUSDT", 1), ("BTCPERP", 8)])
def test_coming_funding(sandbox: Sandbox, native: str, hours: int) -> None:
    (row,) = get(marketcli.funding, sandbox, native).iter_rows(named=True)
    true = sandbox.world.derivative(item(sandbox.world, LINEAR, native))
    assert (row["rate"], row["interval_h"], to_micros(row["next_time"])) == (true.rate, hours, true.next_time)
    assert (row["mark"], row["index"], to_micros(row["time"])) == (true.mark, true.index, NOW)


@pytest.mark.parametrize("native", ["BTCUSDT", "BTCPERP", "BTCUSDT-26MAR27"])
def test_prices(sandbox: Sandbox, native: str) -> None:
    (row,) = get(marketcli.price, sandbox, native).iter_rows(named=True)
    listing = item(sandbox.world, LINEAR, native)
    true = sandbox.world.derivative(listing)
    assert (row["last"], row["mark"], row["index"]) == (sandbox.world.last(listing), true.mark, true.index)


def test_the_price_of_spot_is_the_last_alone(sandbox: Sandbox) -> None:
    (row,) = get(marketcli.price, sandbox, "BTC-USDT", market="spot").iter_rows(named=True)
    assert row["last"] == sandbox.world.last(item(sandbox.world, SPOT, "BTCUSDT"))
    assert (row["mark"], row["average"]) == (None, None)


def test_open_interest_now_is_one_side(sandbox: Sandbox) -> None:
    world = sandbox.world
    (row,) = get(marketcli.oi, sandbox, "BTCUSDT").iter_rows(named=True)
    linear, inverse = item(world, LINEAR, "BTCUSDT"), item(world, INVERSE, "BTCUSD")
    (true,) = world.interest(linear, [NOW])
    assert (row["oi_base"], row["oi_contracts"]) == (true.base, None)
    assert row["oi_quote"] == pytest.approx(true.quote)
    (before,) = world.interest(linear, [at("2026-11-20T12:00")])
    assert row["change_24h"] == pytest.approx(true.base / before.base - 1)
    (row,) = get(marketcli.oi, sandbox, "BTCUSD", market="inverse").iter_rows(named=True)
    (true,) = world.interest(inverse, [NOW])
    assert row["oi_contracts"] == row["oi_quote"] == true.contracts * inverse.contract_size
    assert row["oi_base"] == pytest.approx(true.base)


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_open_interest_history_of_several_pages_across_the_day_that_one_side_began_to_be_told(
    sandbox: Sandbox, market: Market
) -> None:
    days = Window(at("2026-06-09"), at("2026-06-13"))
    frame = get(marketcli.oi, sandbox, BTC[market], interval="5m", since="2026-06-09", until="2026-06-13")
    listing = item(sandbox.world, market, NATIVE[market])
    true = sandbox.world.interest(listing, range(days.start, days.end, 5 * MINUTE))
    assert micros(frame) == [row.time for row in true]
    assert frame.height == 4 * 288
    if market is LINEAR:
        assert frame["oi_base"].to_list() == [row.base for row in true]
    else:
        assert frame["oi_contracts"].to_list() == [row.contracts * listing.contract_size for row in true]
        assert frame["oi_quote"].to_list() == frame["oi_contracts"].to_list()


def test_nothing_was_refused_and_every_request_counted(sandbox: Sandbox) -> None:
    stats = sandbox.stats()
    assert (stats["refused_429"], stats["statuses"].keys() <= {"200"}) == (0, True)
    assert stats["weight"] == {"bybit requests": stats["requests"]}


# --- what the simulator answers, decoded by the adapter


@pytest.fixture(scope="module")
def floor() -> Floor:
    return Floor(World(7, clock=lambda: NOW), limits=True, faults=())


def cell(dataset: Dataset, market: Market) -> Endpoint:
    endpoint = BYBIT.endpoint(dataset, market)
    assert endpoint is not None
    return endpoint


def sent(floor: Floor, endpoint: Endpoint, query: Query, page: Page) -> Rows:
    """The rows of one page, asked for and decoded by the adapter and answered by the simulator."""
    draft = floor.answer("GET", "api.bybit.com", path=endpoint.path, query=urlencode(endpoint.params(query, page)))
    return endpoint.decode(draft.body, query)


def rows(
    floor: Floor, dataset: Dataset, market: Market, *, limit: int = 1, whole: bool = False, **more: Any
) -> list[dict[str, Any]]:
    endpoint = cell(dataset, market)
    instrument = Instrument("bybit", market, BTC[market], NATIVE[market], "BTC", "USDT", "USDT")
    query = Query(dataset, market, None if whole else instrument, **more)
    found = sent(floor, endpoint, query, Page(query.window, limit))
    return [dict(zip(endpoint.columns, row, strict=True)) for row in found]


@pytest.mark.parametrize("market", Market)
def test_tickers(floor: Floor, market: Market) -> None:
    found = {row["native"]: row for row in rows(floor, TICKER, market, whole=True)}
    trading = [one for one in floor.world.listings(market) if one.status == "trading"]
    assert set(found) == {SIMULATOR.native(one) for one in trading}
    for one in trading:
        row, true = found[SIMULATOR.native(one)], floor.world.ticker(one)
        for name in ("last", "open", "high", "low", "bid", "ask", "volume_base", "volume_quote"):
            assert row[name] == getattr(true, name), name
        if market is INVERSE:
            assert row["bid_contracts"] == true.bid_contracts * one.contract_size
            assert row["ask_contracts"] == true.ask_contracts * one.contract_size
        else:
            assert (row["bid_size"], row["ask_size"]) == (true.bid_size, true.ask_size)
        assert row["time"] == NOW
        assert row.get("mark") == (None if market is SPOT else floor.world.derivative(one).mark)


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_tickers_say_what_is_open_on_both_sides_and_on_one(floor: Floor, market: Market) -> None:
    query = urlencode({"category": market.value, "symbol": NATIVE[market]})
    (ticker,) = floor.answer("GET", "api.bybit.com", path="/v5/market/tickers", query=query).document()["result"][
        "list"
    ]
    listing = item(floor.world, market, NATIVE[market])
    (true,) = floor.world.interest(listing, [NOW])
    single = true.base if market is LINEAR else true.contracts * listing.contract_size
    assert float(ticker["openInterest"]) == 2 * single
    assert float(ticker["singleOpenInterest"]) == single
    assert float(ticker["openInterestValue"]) == 2 * (true.quote if market is LINEAR else true.base)


@pytest.mark.parametrize("market", Market)
def test_one_ticker_is_that_of_the_instrument(floor: Floor, market: Market) -> None:
    (row,) = rows(floor, TICKER, market)
    assert row in rows(floor, TICKER, market, whole=True)


@pytest.mark.parametrize("market", Market)
@pytest.mark.parametrize("depth", [1, 50, 1_000])
def test_books(floor: Floor, market: Market, depth: int) -> None:
    listing = item(floor.world, market, NATIVE[market])
    true, found = floor.world.book(listing, depth), rows(floor, BOOK, market, limit=depth)
    assert [row["side"] for row in found] == ["bid"] * depth + ["ask"] * depth
    levels = [*true.bids, *true.asks]
    assert [row["price"] for row in found] == [level.price for level in levels]
    if market is INVERSE:
        assert [row["size_contracts"] for row in found] == [level.contracts * listing.contract_size for level in levels]
    else:
        assert [row["size"] for row in found] == [level.size for level in levels]
    assert {(row["time"], row["update_id"]) for row in found} == {(true.time, str(true.update_id))}


@pytest.mark.parametrize("market", Market)
def test_trades(floor: Floor, market: Market) -> None:
    listing, most = item(floor.world, market, NATIVE[market]), cell(TRADES, market).limit
    true, found = floor.world.recent_trades(listing, most), rows(floor, TRADES, market, limit=most)
    assert len(found) == most
    assert [row["time"] for row in found] == [trade.time for trade in true]
    assert [row["price"] for row in found] == [trade.price for trade in true]
    assert [row["side"] for row in found] == [trade.taker for trade in true]
    assert len({row["id"] for row in found}) == most
    if market is INVERSE:
        assert [row["size_contracts"] for row in found] == [trade.contracts * listing.contract_size for trade in true]
    else:
        assert [row["size"] for row in found] == [trade.size for trade in true]


def test_spot_gives_sixty_trades_at_most(floor: Floor) -> None:
    assert len(rows(floor, TRADES, SPOT, limit=1_000)) == 60


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_account_ratios(floor: Floor, market: Market) -> None:
    hour, days = Interval(1, "h"), Window(at("2026-10-01"), at("2026-11-01"))
    endpoint = cell(RATIO_ACCOUNTS, market)
    instrument = Instrument("bybit", market, BTC[market], NATIVE[market], "BTC", "USDT", "USDT")
    query = Query(RATIO_ACCOUNTS, market, instrument, hour, days)
    found = sorted(row for page in endpoint.pages(endpoint, query) for row in sent(floor, endpoint, query, page))
    listing = item(floor.world, market, NATIVE[market])
    true = floor.world.ratios(listing, hour, range(days.start, days.end, HOUR))
    assert [row[0] for row in found] == [row.time for row in true]
    assert [row[1] for row in found] == [row.accounts_long for row in true]
    assert [row[2] for row in found] == [pytest.approx(1 - row.accounts_long) for row in true]
    assert len(found) == 31 * 24


def test_account_ratios_begin_in_july_2020_and_cover_usdt_perpetuals_alone(floor: Floor) -> None:
    whole = Window(at("2020-07-10"), at("2020-07-23"))
    found = rows(floor, RATIO_ACCOUNTS, LINEAR, limit=100, interval=Interval(1, "d"), window=whole)
    assert [row["time"] for row in found] == [at("2020-07-20") + DAY * n for n in (2, 1, 0)]
    coin = Instrument("bybit", LINEAR, "BTC-USDC-PERP", "BTCPERP", "BTC", "USDC", "USDC")
    query = Query(RATIO_ACCOUNTS, LINEAR, coin, Interval(1, "d"), Window(NOW - 9 * DAY, NOW))
    assert sent(floor, cell(RATIO_ACCOUNTS, LINEAR), query, Page(query.window, 10)) == []


def test_the_list_of_contracts_in_pages_of_three_is_the_list(floor: Floor) -> None:
    endpoint, query = cell(INSTRUMENTS, LINEAR), Query(INSTRUMENTS, LINEAR)

    def walked(limit: int) -> list[Any]:
        asked = replace(endpoint, limit=limit)
        pages: Any = asked.pages(asked, query)
        found: list[Any] = []
        try:
            page = next(pages)
            while True:
                came = sent(floor, asked, query, page)
                assert isinstance(came, Continued)
                assert len(came) <= limit
                found += came
                page = pages.send(came)
        except StopIteration:
            return found

    assert walked(3) == walked(1_000)
    assert len(walked(3)) == len(floor.world.listings(LINEAR))
