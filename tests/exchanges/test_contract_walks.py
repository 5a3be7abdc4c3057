"""A walk through every cell with the real program and the real sandbox: what comes out is the world's, all of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from exchanges.contract import NOW, QUOTES, Cell, bitcoin, cells

import marketcli
from marketcli.datasets import CANDLES, RATIOS
from marketcli.models import DAY, MINUTE, SECOND, Interval, Market, Micros, Window, iso
from marketcli.sandbox.server import Sandbox
from marketcli.spec import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import polars as pl

    from marketcli.simulator import Simulator
    from marketcli.world import Listing, World

MONTH: Micros = 31 * DAY
STEPS = ("15m", "5m", "1h")  # of a month's walk, the first that the exchange has
SPARED = 10  # rows at the end of what an endpoint has that the program leaves alone: they may go while it asks
SUM = 1e-9  # of sums and products of floats, which are not always made in the same order
PRICE_OF = {dataset.name: price for price, dataset in CANDLES.items()}
KIND_OF = {dataset.name: kind for kind, dataset in RATIOS.items()}
ROUNDED = 1e-8  # what some exchanges round sizes to
MERGED = "aggTrades"  # trades at one price by one taker, which Binance counts as one


@dataclass(frozen=True)
class Place:
    """A cell and the sandbox it is asked of, about the Bitcoin of its market."""

    cell: Cell
    sandbox: Sandbox

    @property
    def world(self) -> World:
        """The truth."""
        return self.sandbox.world

    @property
    def simulator(self) -> Simulator:
        """Who answers."""
        return self.sandbox.floor.simulators[self.cell.exchange.name]

    @property
    def listing(self) -> Listing:
        """What is asked about."""
        return bitcoin(self.simulator, self.world, self.cell.market)

    @property
    def columns(self) -> tuple[str, ...]:
        """What the cell and what is joined to it say."""
        joined = (one.columns for one in self.cell.endpoint.joins)
        return tuple(dict.fromkeys(name for names in (self.cell.endpoint.columns, *joined) for name in names))

    def asked(self, call: Callable[..., pl.DataFrame], *, listing: Listing | None = None, **more: Any) -> pl.DataFrame:
        """The rows of a function of the program, about the Bitcoin unless said."""
        where = {"exchange": self.cell.exchange.name, "market": self.cell.market.value, "via": self.sandbox.url}
        return call(self.simulator.native(listing or self.listing), **where, **more)

    def walk(self, *, whole: bool) -> tuple[Interval, Window]:
        """The steps of a walk and its window: the last month, or as far back as the cell reaches.

        Unless it is to be whole, as much of it as can be asked for without waiting: from its beginning, or around the
        moment at which another endpoint takes over.
        """
        endpoint = self.cell.endpoint
        interval = next(one for one in map(Interval.parse, STEPS) if one in self.cell.exchange.spelled(endpoint))
        end, reached, step = interval.floor(NOW), MONTH, interval.longest
        if endpoint.lookback is not None:
            reached = min(reached, endpoint.lookback // timedelta(microseconds=1) - DAY)
        if endpoint.newest is not None and endpoint.earlier is None:
            reached = min(reached, (endpoint.newest - SPARED) * step)
        start = interval.ceil(end - reached)
        if whole:
            return interval, Window(start, end)
        length = self.at_once() * endpoint.limit * step
        if endpoint.earlier is not None and endpoint.newest is not None:
            start = end - endpoint.newest * step - length // 2
        return interval, Window(start, min(start + length, end))

    def at_once(self) -> int:
        """How many pages may be asked for in one go."""
        costs = self.cell.endpoint.cost(Page(None, self.cell.endpoint.limit)).items()
        return max(2, min(self.cell.exchange.budget(name).limit // units for name, units in costs) // 2)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(clock=lambda: NOW, limits=False) as running:
        yield running


@pytest.fixture
def place(cell: Cell, sandbox: Sandbox) -> Place:
    return Place(cell, sandbox)


WHOLE = pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["part", "whole"])


def of(*datasets: str) -> pytest.MarkDecorator:
    """The cells of some datasets that users ask for by themselves."""
    found = [cell for cell in cells() if cell.endpoint.dataset.name in datasets and not cell.role]
    return pytest.mark.parametrize("cell", found, ids=str)


def told(frame: pl.DataFrame, names: Iterable[str]) -> dict[str, list[Any]]:
    """Columns of a frame as they are compared, times in microseconds."""
    return {name: (frame[name].dt.epoch("us") if name == "time" else frame[name]).to_list() for name in names}


def agree(frame: pl.DataFrame, truth: Mapping[str, list[Any]]) -> None:
    """Whether columns say what is so: times, prices and counts exactly, sums but for the order of adding."""
    said = told(frame, truth)
    for name, values in truth.items():
        assert len(said[name]) == len(values), name
        amounts = name.startswith(("volume", "taker", "size", "oi"))
        assert said[name] == (pytest.approx(values, rel=SUM, abs=ROUNDED) if amounts else values), name


@WHOLE
@of(*PRICE_OF)
def test_candles_of_a_month(place: Place, *, whole: bool) -> None:
    price = PRICE_OF[place.cell.endpoint.dataset.name]
    interval, window = place.walk(whole=whole)
    bars = place.world.candles(place.listing, interval, window, price=price)
    since, until = iso(window.start), iso(window.end)
    frame = place.asked(marketcli.ohlc, interval=str(interval), since=since, until=until, price=price)
    assert len(bars) == interval.count_in(window)
    names = [name for name in place.columns if name != "volume_contracts"]
    agree(frame, {name: [getattr(bar, name) for bar in bars] for name in names})


@WHOLE
@of("oi_history")
def test_open_interest_of_a_month(place: Place, *, whole: bool) -> None:
    interval, window = place.walk(whole=whole)
    frame = place.asked(marketcli.oi, interval=str(interval), since=iso(window.start), until=iso(window.end))
    points = place.world.interest(place.listing, times_of(interval, window))
    name, mine = ("oi_quote", "quote") if place.cell.market is Market.INVERSE else ("oi_base", "base")
    agree(frame, {"time": [point.time for point in points], name: [getattr(point, mine) for point in points]})


def times_of(interval: Interval, window: Window) -> list[Micros]:
    """The moments of a grid."""
    return list(range(window.start, window.end, interval.longest))


@WHOLE
@of(*KIND_OF)
def test_ratios_of_a_month(place: Place, *, whole: bool) -> None:
    kind = KIND_OF[place.cell.endpoint.dataset.name]
    interval, window = place.walk(whole=whole)
    since, until = iso(window.start), iso(window.end)
    frame = place.asked(marketcli.ratio, kinds=[kind], interval=str(interval), since=since, until=until)
    points = place.world.ratios(place.listing, interval, times_of(interval, window))
    assert told(frame, ["time"])["time"] == [point.time for point in points]
    if kind == "taker":
        shares = [point.taker_buy / (point.taker_buy + point.taker_sell) for point in points]
    else:
        shares = [getattr(point, f"{kind}_long") for point in points]
    assert frame["long"].to_list() == pytest.approx(shares, abs=1e-4)


@of("funding_history")
def test_settlements_of_a_month_of_who_settles_most(place: Place) -> None:
    window = Window(NOW - MONTH, NOW)
    listings = [one for one in place.simulator.listings(place.world, place.cell.market) if one.expiry is None]
    paid = max((list(place.simulator.payments(place.world, one, window)) for one in listings), key=len)
    listing = next(one for one in listings if list(place.simulator.payments(place.world, one, window)) == paid)
    frame = place.asked(marketcli.funding, listing=listing, since=iso(window.start))
    assert len(paid) >= 31 * 3
    agree(frame, {"time": [one.time // MINUTE * MINUTE for one in paid], "rate": [one.rate for one in paid]})
    assert frame["interval_h"].to_list()[1:] == [one.interval_h for one in paid][1:]


@of("trades_history")
def test_trades_some_time_ago(place: Place) -> None:
    lookback = place.cell.endpoint.lookback or timedelta(days=5)
    start = NOW - lookback // timedelta(microseconds=2)
    windows = (Window(start, start + (5 * SECOND << doubled)) for doubled in range(12))
    window = next(one for one in windows if len(place.world.trades(place.listing, one)) > place.cell.endpoint.limit)
    frame = place.asked(marketcli.trades, since=iso(window.start), until=iso(window.end))
    trades = place.world.trades(place.listing, window)
    if MERGED in place.cell.endpoint.path:
        assert {trade.time for trade in trades} == set(told(frame, ["time"])["time"])
        assert frame["size"].sum() == pytest.approx(sum(trade.size for trade in trades), rel=SUM)
    else:
        agree(frame, trades_told(trades))


def trades_told(trades: list[Any]) -> dict[str, list[Any]]:
    """Trades of the world in our words."""
    return {
        "time": [trade.time for trade in trades],
        "id": [str(trade.id) for trade in trades],
        "price": [trade.price for trade in trades],
        "side": [trade.taker for trade in trades],
        "size": [trade.size for trade in trades],
    }


@of("trades")
def test_the_newest_trades(place: Place) -> None:
    frame = place.asked(marketcli.trades)
    assert 0 < frame.height <= 100
    assert frame["id"].n_unique() == frame.height
    trades = place.world.recent_trades(place.listing, frame.height)
    rows = sorted(zip(*told(frame, ["time", "price", "side", "size"]).values(), strict=True))
    truth = sorted((trade.time, trade.price, trade.taker, trade.size) for trade in trades)
    assert [row[:-1] for row in rows] == [row[:-1] for row in truth]
    assert [row[-1] for row in rows] == pytest.approx([row[-1] for row in truth], rel=SUM, abs=ROUNDED)


@of("book")
def test_the_order_book(place: Place) -> None:
    depth = min(50, place.cell.endpoint.limit)
    frame = place.asked(marketcli.book, depth=depth)
    book = place.world.book(place.listing, depth)
    for side, levels in (("bid", book.bids), ("ask", book.asks)):
        mine = frame.filter(frame["side"] == side)
        assert len(levels) == depth
        agree(mine, {"price": [level.price for level in levels], "size": [level.size for level in levels]})


@of("ticker")
def test_the_last_day(place: Place) -> None:
    (row,) = place.asked(marketcli.ticker).iter_rows(named=True)
    day = place.world.ticker(place.listing)
    names = ("last", "bid", "ask", "open", "high", "low", "bid_size", "ask_size", "volume_base", "volume_quote")
    known = {name: getattr(day, name) for name in names if row[name] is not None}
    assert {"open", "volume_base"} <= known.keys()
    assert {name: row[name] for name in known} == pytest.approx(known, rel=SUM)


@of("price", "funding")
def test_prices_and_the_coming_funding(place: Place) -> None:
    call = {"price": marketcli.price, "funding": marketcli.funding}[place.cell.endpoint.dataset.name]
    (row,) = place.asked(call).iter_rows(named=True)
    known: dict[str, Any] = dict.fromkeys(("last", "mark"), place.world.last(place.listing))
    if place.cell.market is not Market.SPOT:
        now = place.world.derivative(place.listing)
        known |= {"mark": now.mark, "index": now.index}
    shared = {name: value for name, value in known.items() if row.get(name) is not None}
    assert shared
    assert {name: row[name] for name in shared} == shared


@of("oi")
def test_open_interest_now(place: Place) -> None:
    (row,) = place.asked(marketcli.oi).iter_rows(named=True)
    (point,) = place.world.interest(place.listing, [NOW])
    assert row["oi_base"] == pytest.approx(point.base, rel=1e-3)  # of contracts, at a price of now


@of("instruments")
def test_everything_that_is_listed(place: Place) -> None:
    cell = place.cell
    frame = marketcli.instruments(cell.market.value, exchange=cell.exchange.name, via=place.sandbox.url)
    listed = place.simulator.listings(place.world, cell.market)
    living = {place.simulator.native(one) for one in listed if one.status == "trading"}
    trading = frame.filter(frame["status"] == "trading")
    assert set(trading["native"]) == living
    assert set(frame["native"]) <= {place.simulator.native(one) for one in listed}
    assert set(frame["quote"]) <= {one.quote for one in listed} | set(QUOTES)
