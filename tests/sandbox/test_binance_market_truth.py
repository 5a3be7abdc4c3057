"""Tickers, books, trades and ratios of Binance's simulator come through adapter and engine as the world has them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from sandbox.small_world import HOSTS, NOW

from marketcli.catalog import listed
from marketcli.datasets import (
    BOOK,
    INSTRUMENTS,
    OI_HISTORY,
    RATIO_ACCOUNTS,
    RATIO_TAKER,
    RATIO_TOP_ACCOUNTS,
    RATIO_TOP_POSITIONS,
    TICKER,
    TRADES,
    TRADES_HISTORY,
    Dataset,
)
from marketcli.exchanges import load
from marketcli.exchanges.binance.sandbox import SIMULATOR
from marketcli.history.fetch import every_row, fetch
from marketcli.history.market import ladder
from marketcli.history.snapshot import joined, snapshots
from marketcli.history.trades import Tape
from marketcli.models import DAY, HOUR, MILLISECOND, MINUTE, Instrument, Interval, Market, Window
from marketcli.sandbox.floor import Floor
from marketcli.spec import Endpoint, Page, Query, Rows
from marketcli.values import with_change
from marketcli.world import World

if TYPE_CHECKING:
    import polars as pl

    from marketcli.world import Listing, Ratio

BINANCE = load("binance")
SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
NATIVE = {SPOT: "BTCUSDT", LINEAR: "BTCUSDT", INVERSE: "BTCUSD_PERP"}


class Wire:
    """Asks the simulator through the adapter's own parameters and decoders, and counts what that weighs."""

    def __init__(self, faults: tuple[str, ...] = ()) -> None:
        self.world = World(7, clock=lambda: NOW)
        self.floor = Floor(self.world, limits=False, faults=faults)
        self.weight = 0
        self.requests = 0

    async def __call__(self, endpoint: Endpoint, query: Query, page: Page) -> Rows:
        host, _ = HOSTS[query.market]
        asked = urlencode(endpoint.params(query, page))
        draft = self.floor.answer("GET", host, path=endpoint.path, query=asked)
        assert draft.status == 200, draft.body
        self.weight += sum(endpoint.cost(page).values())
        self.requests += 1
        return endpoint.decode(draft.body, query)

    def endpoint(self, dataset: Dataset, market: Market) -> Endpoint:
        endpoint = BINANCE.endpoint(dataset, market)
        assert endpoint is not None
        return endpoint

    def listing(self, market: Market, native: str = "") -> Listing:
        wanted = native or NATIVE[market]
        return next(one for one in self.world.listings(market) if SIMULATOR.native(one) == wanted)

    def instruments(self, market: Market) -> dict[str, Instrument]:
        endpoint = self.endpoint(INSTRUMENTS, market)
        rows = asyncio.run(every_row(self, endpoint, Query(INSTRUMENTS, market)))
        found = (listed("binance", market, dict(zip(endpoint.columns, row, strict=True))) for row in rows)
        return {one.native: one for one in found}

    def instrument(self, market: Market, native: str = "") -> Instrument:
        return self.instruments(market)[native or NATIVE[market]]

    def tape(self, dataset: Dataset, market: Market) -> Tape:
        constants = {"exchange": "binance", "market": market.value, "symbol": "BTC", "native": NATIVE[market]}
        endpoint, instrument = self.endpoint(dataset, market), self.instrument(market)
        return Tape(self, endpoint, instrument, lambda: NOW, lambda _: None, constants)


@pytest.fixture(scope="module")
def wire() -> Wire:
    return Wire()


def times(frame: pl.DataFrame) -> list[int]:
    return list(frame["time"].to_physical().to_list())


@pytest.mark.parametrize("market", Market)
def test_tickers_of_a_whole_market(wire: Wire, market: Market) -> None:
    endpoint, before = wire.endpoint(TICKER, market), wire.weight
    found = asyncio.run(snapshots(wire, endpoint, Query(TICKER, market), now=lambda: NOW))
    assert wire.weight - before == (80 if market is SPOT else 45)
    instruments = wire.instruments(market)
    begun = [one for one in wire.world.listings(market) if one.listed <= NOW]
    assert len(found) == len(begun)
    for listing in begun:
        true, instrument = wire.world.ticker(listing), instruments[SIMULATOR.native(listing)]
        row = with_change(found[instrument.native], instrument)
        assert (row["last"], row["open"], row["high"], row["low"]) == (true.last, true.open, true.high, true.low)
        assert (row["time"], row["trades"]) == (true.time // MILLISECOND * MILLISECOND, true.trades)
        assert (row["bid"], row["ask"]) == (true.bid or None, true.ask or None)
        assert row["volume_base"] == pytest.approx(true.volume_base, abs=1e-8)
        assert row["volume_quote"] == pytest.approx(true.volume_quote, rel=1e-12)
        assert row["bid_size"] == (pytest.approx(true.bid_size, rel=1e-12) if true.bid_size else None)


@pytest.mark.parametrize("market", Market)
def test_the_ticker_of_one_says_the_same_for_less(wire: Wire, market: Market) -> None:
    endpoint, before = wire.endpoint(TICKER, market), wire.weight
    query = Query(TICKER, market, wire.instrument(market))
    before = wire.weight
    (row,) = asyncio.run(joined(wire, endpoint, query, now=lambda: NOW))
    assert wire.weight - before == (2 if market is SPOT else 3)
    every = asyncio.run(snapshots(wire, endpoint, Query(TICKER, market), now=lambda: NOW))
    assert row == every[NATIVE[market]]


@pytest.mark.parametrize("depth", [1, 7, 100, 1_000])
@pytest.mark.parametrize("market", Market)
def test_books(wire: Wire, market: Market, depth: int) -> None:
    endpoint, instrument = wire.endpoint(BOOK, market), wire.instrument(market)
    rows = asyncio.run(wire(endpoint, Query(BOOK, market, instrument), Page(None, depth)))
    named = [dict(zip(endpoint.columns, row, strict=True)) for row in rows]
    levels = ladder(named, instrument, depth=depth)
    true = wire.world.book(wire.listing(market), depth)
    for side, rungs in (("bid", true.bids), ("ask", true.asks)):
        mine = [level for level in levels if level["side"] == side]
        assert [level["price"] for level in mine] == [rung.price for rung in rungs]
        assert [level["size"] for level in mine] == pytest.approx([rung.size for rung in rungs], rel=1e-12)
    assert {level["update_id"] for level in levels} == {str(true.update_id)}


@pytest.mark.parametrize("market", Market)
def test_recent_trades(wire: Wire, market: Market) -> None:
    frame, true = asyncio.run(wire.tape(TRADES, market).newest()), wire.world.recent_trades(wire.listing(market), 1_000)
    assert frame["id"].to_list() == [str(row.id) for row in true]
    assert frame["side"].to_list() == [row.taker for row in true]
    assert frame["price"].to_list() == [row.price for row in true]
    assert frame["size"].to_list() == pytest.approx([row.size for row in true], abs=1e-8)
    assert frame["notional"].to_list() == pytest.approx([row.value for row in true], rel=1e-9)
    contracts = [row.contracts for row in true] if market is INVERSE else [None] * len(true)
    assert frame["size_contracts"].to_list() == contracts


@pytest.mark.parametrize(
    ("market", "ago", "length"), [(SPOT, 40 * DAY, 3 * MINUTE), (LINEAR, DAY, MINUTE), (INVERSE, 23 * HOUR, 5 * MINUTE)]
)
def test_past_trades_over_several_pages(market: Market, ago: int, length: int) -> None:
    wire = Wire()
    window = Window(NOW - ago, NOW - ago + length)
    frame, gaps = asyncio.run(wire.tape(TRADES_HISTORY, market).past(window))
    true = wire.world.trades(wire.listing(market), window)
    assert len(true) > 2_000
    assert gaps == ()
    assert frame["id"].to_list() == [str(row.id) for row in true]
    assert times(frame) == [row.time for row in true]
    assert frame["side"].to_list() == [row.taker for row in true]
    assert frame["price"].to_list() == [row.price for row in true]
    assert frame["size"].to_list() == pytest.approx([row.size for row in true], rel=1e-12)
    assert frame["notional"].to_list() == pytest.approx([row.value for row in true], rel=1e-9)
    pages = (len(true) + 1) // 1_000 + 1
    assert wire.requests == pages + 2  # one more to find the first trade, and the list of instruments


def test_past_trades_up_to_now_end_with_the_newest(wire: Wire) -> None:
    window = Window(NOW - 10_000_000, NOW)
    frame, gaps = asyncio.run(wire.tape(TRADES_HISTORY, LINEAR).past(window))
    true = wire.world.trades(wire.listing(LINEAR), window)
    assert (frame["id"].to_list(), gaps) == ([str(row.id) for row in true], ())


@pytest.mark.parametrize("fault", ["duplicate_rows", "unordered_rows"])
def test_rows_out_of_order_or_twice_are_put_right(fault: str) -> None:
    wire = Wire((fault,))
    window = Window(NOW - HOUR, NOW - HOUR + MINUTE)
    frame, gaps = asyncio.run(wire.tape(TRADES_HISTORY, LINEAR).past(window))
    true = wire.world.trades(wire.listing(LINEAR), window)
    assert (frame["id"].to_list(), gaps) == ([str(row.id) for row in true], ())


RATIOS = {
    RATIO_ACCOUNTS: "accounts_long",
    RATIO_TOP_ACCOUNTS: "top_accounts_long",
    RATIO_TOP_POSITIONS: "top_positions_long",
}


def history(wire: Wire, dataset: Dataset, market: Market, window: Window) -> tuple[pl.DataFrame, list[Ratio]]:
    """Points of five minutes through the engine, and the world's own."""
    interval, endpoint, instrument = Interval(5, "m"), wire.endpoint(dataset, market), wire.instrument(market)
    query = Query(dataset, market, instrument, interval, window)
    frame = asyncio.run(fetch(wire, endpoint, query, now=lambda: NOW, constants={"exchange": "binance"}))
    grid = range(interval.ceil(window.start), window.end, 5 * MINUTE)
    return frame, wire.world.ratios(wire.listing(market), interval, grid)


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
@pytest.mark.parametrize("dataset", RATIOS)
def test_long_and_short_over_several_pages(wire: Wire, dataset: Dataset, market: Market) -> None:
    before = wire.requests
    frame, true = history(wire, dataset, market, Window(NOW - 5 * DAY, NOW - HOUR))
    assert len(true) > 1_400
    assert wire.requests - before == 1 + 3  # the list of instruments and three pages
    assert times(frame) == [row.time for row in true]
    shares = [getattr(row, RATIOS[dataset]) for row in true]
    assert frame["long"].to_list() == shares
    assert frame["short"].to_list() == pytest.approx([1 - share for share in shares])
    assert frame["ratio"].to_list() == pytest.approx([share / (1 - share) for share in shares], abs=1e-4)


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_what_takers_did_over_several_pages(wire: Wire, market: Market) -> None:
    frame, true = history(wire, RATIO_TAKER, market, Window(NOW - 5 * DAY, NOW - HOUR))
    assert times(frame) == [row.time for row in true]
    assert frame["buy_base"].to_list() == pytest.approx([row.taker_buy for row in true], abs=1e-8)
    assert frame["sell_base"].to_list() == pytest.approx([row.taker_sell for row in true], abs=1e-8)


def test_open_interest_is_asked_as_before(wire: Wire) -> None:
    endpoint = wire.endpoint(OI_HISTORY, INVERSE)
    window = Window(NOW - DAY, NOW - HOUR)
    query = Query(OI_HISTORY, INVERSE, wire.instrument(INVERSE), Interval(1, "h"), window)
    rows = asyncio.run(every_row(wire, endpoint, query))
    true = wire.world.interest(wire.listing(INVERSE), [row[0] for row in rows])
    assert len(true) == 23
    assert [row[1:] for row in rows] == [
        (row.contracts, pytest.approx(row.base, abs=1e-8), row.contracts * 100.0) for row in true
    ]


def test_instruments_have_what_their_lists_say(wire: Wire) -> None:
    dated = wire.instrument(INVERSE, "BTCUSD_270326")
    assert (dated.symbol, dated.contract_size, dated.inverse, dated.pair) == ("BTC-USD-270326", 100.0, True, "BTCUSD")
    assert dated.kind in {"CURRENT_QUARTER", "NEXT_QUARTER"}
    spot = wire.instrument(SPOT)
    assert (spot.listed, spot.expiry, spot.inverse, spot.pair) == (None, None, False, "BTCUSDT")
