"""The trades of the world: those of its candles, numbered, the same whenever asked, and never ahead of the clock."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketcli.models import DAY, HOUR, MILLISECOND, MINUTE, SECOND, Interval, Market, Micros, Window, iso
from marketcli.windows import parse_time
from marketcli.world import Bar, Listing, Series, Trade, World
from marketcli.world.tree import day, day_trades

NOW = parse_time("2026-11-21T00:02:03.456", now=0)
WORLD = World(clock=lambda: NOW)
BEGUN = [item for item in WORLD.listings() if item.listed < NOW]
CALM = settings(deadline=None, derandomize=True, database=None)
SECONDS = Interval.parse("1s")
listings = st.sampled_from(BEGUN)


def name(item: Listing) -> str:
    return f"{item.market}-{item.base}-{item.quote}{'' if item.expiry is None else f'-{iso(item.expiry)[:10]}'}"


def find(market: Market, base: str, quote: str) -> Listing:
    return next(item for item in WORLD.listings(market) if (item.base, item.quote) == (base, quote))


SPOT = find(Market.SPOT, "BTC", "USDT")
BTC = find(Market.LINEAR, "BTC", "USDT")
INVERSE = find(Market.INVERSE, "BTC", "USD")
MATIC = find(Market.SPOT, "MATIC", "USDT")
THIN = find(Market.SPOT, "ETH", "BTC")
ENDS = MATIC.expiry or 0


def moments(listing: Listing) -> st.SearchStrategy[Micros]:
    return st.integers(listing.listed - MINUTE, min(listing.expiry or NOW, NOW) + SECOND)


def by_second(rows: list[Trade]) -> dict[Micros, list[Trade]]:
    found: dict[Micros, list[Trade]] = defaultdict(list)
    for row in rows:
        found[SECONDS.floor(row.time)].append(row)
    return found


@settings(CALM, max_examples=120)
@given(data=st.data(), listing=listings)
def test_every_second_is_exactly_its_candle(data: st.DataObject, listing: Listing) -> None:
    start = data.draw(moments(listing)) // SECOND * SECOND
    window = Window(start, start + 30 * SECOND)
    found = by_second(WORLD.trades(listing, window))
    bars = WORLD.candles(listing, SECONDS, window)
    assert set(found) == {bar.time for bar in bars if bar.trades}
    for bar in bars:
        if bar.trades:
            assert_agrees(listing, bar, found[bar.time])


def assert_agrees(listing: Listing, bar: Bar, rows: list[Trade]) -> None:
    taken = [row for row in rows if row.taker == "buy"]
    assert {row.taker for row in rows} <= {"buy", "sell"}
    assert len(rows) == bar.trades
    if listing.market is Market.INVERSE:
        assert sum(row.contracts for row in rows) == bar.contracts
        assert sum(row.contracts for row in taken) == bar.taker_buy_contracts
    else:
        assert sum(row.contracts for row in rows) == 0
        assert sum(row.size for row in rows) == pytest.approx(bar.volume_base, rel=1e-12)
        assert sum(row.size for row in taken) == pytest.approx(bar.taker_buy_base, rel=1e-12)
    assert all(bar.low <= row.price <= bar.high for row in rows)
    if len(rows) >= 2:
        assert (rows[0].price, rows[-1].price) == (bar.open, bar.close)
    if len(rows) >= 4:
        assert (max(row.price for row in rows), min(row.price for row in rows)) == (bar.high, bar.low)


@pytest.mark.parametrize("listing", BEGUN, ids=name)
def test_prices_sizes_and_values_fit_the_grid_and_each_other(listing: Listing) -> None:
    for row in WORLD.recent_trades(listing, 200):
        assert float(f"{row.price / float(listing.tick):.6f}").is_integer()
        assert row.time % MILLISECOND == 0
        assert row.value == pytest.approx(row.price * row.size, rel=1e-12)
        if listing.market is Market.INVERSE:
            assert row.value == row.contracts * listing.contract_size > 0
        else:
            assert float(f"{row.size / float(listing.lot):.4f}").is_integer()
            assert row.size >= float(listing.lot)


@pytest.mark.parametrize("listing", [SPOT, BTC, INVERSE, find(Market.LINEAR, "SOL", "USDT")], ids=name)
def test_the_values_of_a_minute_are_nearly_those_of_its_candle(listing: Listing) -> None:
    window, inverse = Window(NOW - 20 * MINUTE, NOW // MINUTE * MINUTE), listing.market is Market.INVERSE
    missed = []
    for bar in WORLD.candles(listing, Interval.parse("1m"), window):
        rows = WORLD.trades(listing, Window(bar.time, bar.time + MINUTE))
        bought = sum(row.size if inverse else row.value for row in rows if row.taker == "buy")
        assert bought == pytest.approx(bar.taker_buy_base if inverse else bar.taker_buy_quote, rel=1e-3)
        value = sum(row.size if inverse else row.value for row in rows)
        missed.append(abs(value / (bar.volume_base if inverse else bar.volume_quote) - 1))
    assert max(missed) < 1e-3
    assert sum(missed) / len(missed) < 2e-5


@settings(CALM, max_examples=80)
@given(data=st.data(), listing=listings, count=st.integers(1, 300), skipped=st.integers(0, 299))
def test_the_same_trades_come_whatever_was_asked_before(
    data: st.DataObject, listing: Listing, count: int, skipped: int
) -> None:
    time = data.draw(moments(listing))
    first = WORLD.next_id(listing, time)
    rows = WORLD.trades_from(listing, first, 300)
    assert [row.id for row in rows] == list(range(first, first + len(rows)))
    assert [row.time for row in rows] == sorted(row.time for row in rows)
    assert all(time <= row.time <= NOW for row in rows)
    fresh = World(clock=lambda: NOW)
    assert fresh.trades_from(listing, first + skipped, count)[: 300 - skipped] == rows[skipped : skipped + count]
    if rows:
        window = Window(time, rows[-1].time)
        assert World(clock=lambda: NOW).trades(listing, window) == [row for row in rows if row.time < window.end]
        assert WORLD.trades(listing, Window(time, NOW), limit=count) == rows[:count]


@pytest.mark.parametrize("listing", [SPOT, BTC, INVERSE, MATIC, THIN], ids=name)
def test_ids_count_the_trades_since_the_listing(listing: Listing) -> None:
    (first, second) = WORLD.trades_from(listing, 1, 2)
    assert (first.id, second.id) == (1, 2)
    assert WORLD.trades_from(listing, -5, 2) == [first, second]
    assert WORLD.trades(listing, Window(0, first.time + 1), limit=1) == [first]
    assert WORLD.next_id(listing, 0) == 1
    all_of_them = sum(bar.trades for bar in WORLD.candles(listing, Interval.parse("1d"), Window(0, NOW)))
    (last,) = WORLD.recent_trades(listing, 1)
    assert last.id == all_of_them == WORLD.next_id(listing, NOW) - 1
    assert WORLD.trades_from(listing, last.id, 10) == [last]
    assert WORLD.trades_from(listing, last.id + 1, 10) == []


def test_days_are_counted_without_their_prices_where_these_cannot_matter() -> None:
    for listing in BEGUN:
        path = WORLD.path(listing, "trade")
        last = min(NOW, listing.expiry or NOW) // DAY
        for date in range(listing.listed // DAY, last, 97):
            whole = day(path, date * DAY)
            assert day_trades(path, date, dearest_lot=path.dearest_lot) == whole.trades
            if listing.market is not Market.INVERSE:
                assert whole.high * float(path.unit) * float(path.lot) < path.dearest_lot


def test_the_next_id_is_that_of_the_first_trade_from_a_moment_on() -> None:
    rows = WORLD.recent_trades(BTC, 50)
    for before, row in pairwise(rows):
        if before.time < row.time:
            assert WORLD.next_id(BTC, row.time) == row.id
            assert WORLD.next_id(BTC, before.time + 1) == row.id


def test_recent_trades_are_the_newest_even_where_few_trade() -> None:
    for listing in (BTC, THIN, MATIC):
        rows = WORLD.recent_trades(listing, 40)
        assert len(rows) == 40
        assert rows == WORLD.trades(listing, Window(rows[0].time, NOW))[-40:]
        assert WORLD.recent_trades(listing, 7) == rows[-7:]
        assert WORLD.recent_trades(listing, 0) == []


def test_a_second_of_very_many_trades_can_be_entered_anywhere() -> None:
    second = max(WORLD.candles(BTC, SECONDS, Window(NOW - 4 * HOUR, NOW)), key=lambda bar: bar.trades)
    rows = WORLD.trades(BTC, Window(second.time, second.time + SECOND))
    assert len(rows) == second.trades > 50_000
    assert_agrees(BTC, second, rows)
    for place in (1, 999, 1_000, 40_404, len(rows) - 1):
        assert WORLD.trades_from(BTC, rows[place].id, 1_500)[: len(rows) - place] == rows[place : place + 1_500]
    for start, end in ((0, 3), (17, 18), (499, 503), (997, 1_000)):
        window = Window(second.time + start * MILLISECOND, second.time + end * MILLISECOND)
        inside = [row for row in rows if row.time in window]
        assert WORLD.trades(BTC, window) == inside
        assert WORLD.next_id(BTC, window.start) == inside[0].id


def test_what_has_happened_stays_and_the_running_second_has_not() -> None:
    clock = NOW
    world = World(clock=lambda: clock)
    rows = world.recent_trades(BTC, 30)
    assert rows[-1].time < NOW // SECOND * SECOND
    clock = NOW // SECOND * SECOND + SECOND - 1
    assert world.recent_trades(BTC, 30) == rows
    clock += 1
    more = world.trades_from(BTC, rows[-1].id + 1, 1_000)
    assert world.trades_from(BTC, rows[0].id, 30) == rows
    assert more
    assert {row.time // SECOND for row in more} == {NOW // SECOND}
    assert world.last(BTC) == more[-1].price


def test_nothing_trades_before_the_listing_or_after_the_end() -> None:
    early = World(clock=lambda: BTC.listed - HOUR)
    assert early.recent_trades(BTC, 5) == early.trades_from(BTC, 1, 5) == early.trades(BTC, Window(0, NOW)) == []
    assert early.next_id(BTC, NOW) == 1
    assert WORLD.trades(MATIC, Window(ENDS, NOW)) == []
    assert ENDS - MINUTE < WORLD.recent_trades(MATIC, 1)[0].time < ENDS
    assert WORLD.trades(BTC, Window(0, BTC.listed + 500 * MILLISECOND)) == [
        row for row in WORLD.trades_from(BTC, 1, 999) if row.time < BTC.listed + 500 * MILLISECOND
    ]
    assert WORLD.trades(BTC, Window(NOW, 0)) == []


def test_a_file_of_candles_has_no_trades() -> None:
    times = [(NOW // MINUTE - 5 + n) * MINUTE // MILLISECOND for n in range(5)]
    rows = pl.DataFrame({"timestamp_ms": times, "open": 2.0, "high": 3.0, "low": 1.0, "close": 2.5, "volume": 7.0})
    world = World(clock=lambda: NOW, series=[Series.of(Market.LINEAR, "BTC", "USDT", rows)])
    listing = next(item for item in world.listings(Market.LINEAR) if item.base == "BTC" and item.perpetual)
    assert world.trades(listing, Window(0, NOW)) == world.trades_from(listing, 1, 9) == []
    assert world.recent_trades(listing, 9) == []
    assert world.next_id(listing, NOW) == 1


def test_seed_seven_gives_these_trades_on_every_machine() -> None:
    march = parse_time("2025-03-01", now=0)
    (row,) = WORLD.trades(BTC, Window(march, NOW), limit=1)
    assert row == Trade(34_888_872_125, march + 69 * MILLISECOND, 78729.7, 0.003, 236.1891, 0, "buy")
    (row,) = WORLD.trades(INVERSE, Window(march, NOW), limit=1)
    assert row == Trade(12_433_963_983, march + 26 * MILLISECOND, 78717.5, 700 / 78717.5, 700.0, 7, "sell")
