"""The candles of the world: consistent between intervals, the same whenever asked, and never ahead of the clock."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketcli.models import DAY, HOUR, MINUTE, SECOND, Interval, Market, Window
from marketcli.windows import parse_time
from marketcli.world import Bar, Listing, World
from marketcli.world.tree import LENGTHS, Cell, Tree

NOW = parse_time("2026-11-21T00:02:03.456", now=0)
WORLD = World(clock=lambda: NOW)
LISTINGS = WORLD.listings()
PAIRS = (
    ("1s", "1m"),
    ("1m", "3m"),
    ("1m", "5m"),
    ("5m", "15m"),
    ("1m", "1h"),
    ("15m", "1h"),
    ("30m", "2h"),
    ("1h", "4h"),
    ("4h", "8h"),
    ("1h", "1d"),
    ("1d", "3d"),
    ("1d", "1w"),
    ("1d", "1M"),
)
CALM = settings(deadline=None, derandomize=True, database=None)
intervals = st.sampled_from([Interval.parse(text) for pair in PAIRS for text in pair])
listings = st.sampled_from(LISTINGS)
prices = st.sampled_from(["trade", "mark", "index", "premium"])


def find(market: Market, base: str, quote: str, *, world: World = WORLD) -> Listing:
    return next(item for item in world.listings(market) if (item.base, item.quote) == (base, quote))


BTC = find(Market.LINEAR, "BTC", "USDT")
SPOT = find(Market.SPOT, "BTC", "USDT")
INVERSE = find(Market.INVERSE, "BTC", "USD")
MATIC = find(Market.LINEAR, "MATIC", "USDT")


def moments(listing: Listing) -> st.SearchStrategy[int]:
    return st.integers(listing.listed - 2 * DAY, min(listing.expiry or NOW, NOW) + 2 * DAY)


def aggregate(opened: int, parts: list[Bar], *, closed: bool) -> Bar:
    return Bar(
        time=opened,
        open=parts[0].open,
        high=max(part.high for part in parts),
        low=min(part.low for part in parts),
        close=parts[-1].close,
        volume_base=sum(part.volume_base for part in parts),
        volume_quote=sum(part.volume_quote for part in parts),
        trades=sum(part.trades for part in parts),
        taker_buy_base=sum(part.taker_buy_base for part in parts),
        taker_buy_quote=sum(part.taker_buy_quote for part in parts),
        contracts=sum(part.contracts for part in parts),
        taker_buy_contracts=sum(part.taker_buy_contracts for part in parts),
        closed=closed,
    )


@settings(CALM, max_examples=150)
@given(data=st.data(), listing=listings, pair=st.sampled_from(PAIRS), price=prices)
def test_a_candle_is_exactly_its_finer_ones(
    data: st.DataObject, listing: Listing, pair: tuple[str, str], price: str
) -> None:
    finer, coarse = map(Interval.parse, pair)
    opened = coarse.floor(data.draw(moments(listing)))
    window = Window(opened, coarse.step(opened))
    whole = WORLD.candles(listing, coarse, window, price=price)
    parts = WORLD.candles(listing, finer, window, price=price)
    assert len(whole) == bool(parts)
    for bar in whole:
        assert bar == pytest.approx(aggregate(opened, parts, closed=window.end <= NOW), rel=1e-12)
        assert (bar.trades, bar.contracts) == (sum(part.trades for part in parts), sum(p.contracts for p in parts))


@settings(CALM, max_examples=100)
@given(
    data=st.data(), listing=listings, depth=st.integers(0, len(LENGTHS) - 2), price=st.sampled_from(["trade", "mark"])
)
def test_parts_make_up_their_whole_to_the_last_unit(
    data: st.DataObject, listing: Listing, depth: int, price: str
) -> None:
    tree, path = Tree(), WORLD.path(listing, price)
    time = data.draw(moments(listing)) // LENGTHS[depth] * LENGTHS[depth]
    whole = tree.cell(path, depth, time) if depth else tree.day(path, time)
    parts = tree.between(path, depth + 1, time, time + LENGTHS[depth])
    assert [part.time for part in parts] == list(range(time, time + LENGTHS[depth], LENGTHS[depth + 1]))
    assert (parts[0].open, parts[-1].close) == (whole.open, whole.close)
    assert (max(part.high for part in parts), min(part.low for part in parts)) == (whole.high, whole.low)
    sums = tuple(map(sum, zip(*(part[5:] for part in parts), strict=True)))
    assert sums == whole[5:]
    for part in (*parts, whole):
        assert_sound(part, inverse=listing.market is Market.INVERSE)


def assert_sound(cell: Cell, *, inverse: bool) -> None:
    assert cell.low <= min(cell.open, cell.close) <= max(cell.open, cell.close) <= cell.high
    for trades, lots, value in (cell[5:8], cell[8:11]):
        assert 0 <= trades <= lots
        assert (trades == 0) == (lots == 0)
        if not inverse:
            assert lots * cell.low <= value <= lots * cell.high


@settings(CALM, max_examples=60)
@given(data=st.data(), listing=listings, interval=intervals, price=prices)
def test_the_same_candle_comes_whatever_window_was_asked(
    data: st.DataObject, listing: Listing, interval: Interval, price: str
) -> None:
    opened = interval.floor(data.draw(moments(listing)))
    first, count = data.draw(st.integers(0, 20)), data.draw(st.integers(1, 30))
    long = Window(opened, interval.step(opened, 50))
    short = Window(interval.step(opened, first), interval.step(opened, first + count))
    found = [bar for bar in WORLD.candles(listing, interval, long, price=price) if bar.time in short]
    assert World(clock=lambda: NOW).candles(listing, interval, short, price=price) == found


@settings(CALM, max_examples=60)
@given(data=st.data(), listing=listings, interval=intervals, price=prices)
def test_candles_join_without_holes_inside_their_life(
    data: st.DataObject, listing: Listing, interval: Interval, price: str
) -> None:
    opened = interval.floor(data.draw(moments(listing)))
    window = Window(opened, interval.step(opened, 40))
    bars = WORLD.candles(listing, interval, window, price=price)
    last = min(listing.expiry or NOW + 1, NOW + 1)
    expected, time = [], opened
    while time < window.end and price in ({"trade"} if listing.market is Market.SPOT else {price}):
        if interval.step(time) > listing.listed and time < last and listing.listed < last:
            expected.append(time)
        time = interval.step(time)
    assert [bar.time for bar in bars] == expected
    assert [bar.open for bar in bars[1:]] == [bar.close for bar in bars[:-1]]
    assert [bar.closed for bar in bars] == [interval.step(bar.time) <= NOW for bar in bars]


@settings(CALM, max_examples=40)
@given(data=st.data(), listing=listings, interval=intervals)
def test_numbers_are_possible(data: st.DataObject, listing: Listing, interval: Interval) -> None:
    opened = interval.floor(data.draw(moments(listing)))
    for bar in WORLD.candles(listing, interval, Window(opened, interval.step(opened, 20))):
        assert 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
        assert 0 <= bar.taker_buy_base <= bar.volume_base
        assert 0 <= bar.taker_buy_quote <= bar.volume_quote
        assert 0 <= bar.taker_buy_contracts <= bar.contracts
        assert bar.volume_quote == pytest.approx(bar.contracts * listing.contract_size) or not bar.contracts
        assert (bar.contracts > 0) == (listing.market is Market.INVERSE and bar.trades > 0)
        rounding = 2e-8 * (listing.market is Market.INVERSE) * bar.high
        assert bar.low * bar.volume_base * (1 - 1e-12) <= bar.volume_quote + rounding
        assert bar.volume_quote <= bar.high * bar.volume_base * (1 + 1e-12) + rounding


def test_prices_are_multiples_of_the_tick_and_sizes_of_the_lot() -> None:
    for listing in LISTINGS:
        start = max(listing.listed, (listing.expiry or NOW) - HOUR)
        for bar in WORLD.candles(listing, Interval.parse("1m"), Window(min(start, NOW - HOUR), NOW)):
            for value in (bar.open, bar.high, bar.low, bar.close):
                assert float(f"{value / float(listing.tick):.6f}").is_integer()
            if listing.market is not Market.INVERSE:
                assert float(f"{bar.volume_base / float(listing.lot):.3f}").is_integer()


@pytest.mark.parametrize("interval", ["1m", "1h", "1d", "1M"])
@pytest.mark.parametrize("listing", [SPOT, BTC, INVERSE], ids=["spot", "linear", "inverse"])
def test_the_unfinished_candle_grows_into_the_closed_one(listing: Listing, interval: str) -> None:
    clock = [NOW]
    world = World(clock=lambda: clock[0])
    length = Interval.parse(interval)
    opened = length.floor(NOW)
    window, trades, highs = Window(opened, NOW + 40 * DAY), [], []
    for later in (0, 900, 20 * SECOND, 50 * SECOND):
        clock[0] = min(NOW + later, length.step(opened) - 1)
        (bar,) = world.candles(listing, length, window)
        assert not bar.closed
        seconds = world.candles(listing, Interval.parse("1s"), Window(clock[0] // MINUTE * MINUTE, clock[0] + 1))
        assert bar.close == seconds[-1].close
        trades.append(bar.trades)
        highs.append(bar.high)
    assert trades == sorted(trades)
    assert trades[0] < trades[-1]
    assert highs == sorted(highs)
    clock[0] = length.step(opened)
    closed, following = world.candles(listing, length, window)
    assert closed.closed
    assert closed.trades >= trades[-1]
    assert closed == World(clock=lambda: NOW + 400 * DAY).candles(listing, length, Window(opened, opened + 1))[0]
    assert (following.open, following.high, following.trades) == (closed.close, closed.close, 0)


def test_only_whole_seconds_have_happened() -> None:
    second = Interval.parse("1s")
    *before, last = WORLD.candles(SPOT, second, Window(NOW - 5 * SECOND, NOW + MINUTE))
    assert all(bar.closed for bar in before)
    assert (last.time, last.closed, last.trades, last.volume_base) == (second.floor(NOW), False, 0, 0)
    assert last.open == last.high == last.low == last.close == before[-1].close


def test_a_delisted_contract_ends_at_its_hour() -> None:
    expiry = parse_time("2024-09-10T09:00", now=0)
    assert MATIC.expiry == expiry
    minutes = WORLD.candles(MATIC, Interval.parse("1m"), Window(expiry - HOUR, expiry + DAY))
    assert [bar.time for bar in minutes] == list(range(expiry - HOUR, expiry, MINUTE))
    (day,) = WORLD.candles(MATIC, Interval.parse("1d"), Window(expiry - 9 * HOUR, expiry + 5 * DAY))
    hours = WORLD.candles(MATIC, Interval.parse("1h"), Window(expiry - 9 * HOUR, expiry + 5 * DAY))
    assert (len(hours), day.trades, day.close) == (9, sum(bar.trades for bar in hours), minutes[-1].close)


def test_nothing_exists_before_the_listing() -> None:
    first = WORLD.candles(BTC, Interval.parse("1m"), Window(0, BTC.listed + 2 * MINUTE))
    assert [bar.time for bar in first] == [BTC.listed, BTC.listed + MINUTE]
    (month,) = WORLD.candles(BTC, Interval.parse("1M"), Window(0, BTC.listed + DAY))
    assert month.time == to_micros_of("2019-09-01")
    assert month.open == first[0].open
    early = World(clock=lambda: BTC.listed - 1)
    assert early.candles(BTC, Interval.parse("1d"), Window(0, NOW)) == []


def to_micros_of(text: str) -> int:
    return parse_time(text, now=0)


def test_another_seed_is_another_market_and_the_same_seed_the_same() -> None:
    window, interval = Window(NOW - DAY, NOW), Interval.parse("1h")
    same, other = World(7, clock=lambda: NOW), World(8, clock=lambda: NOW)
    assert same.candles(BTC, interval, window) == WORLD.candles(BTC, interval, window)
    assert other.candles(BTC, interval, window) != WORLD.candles(BTC, interval, window)


def test_seed_seven_gives_these_numbers_on_every_machine() -> None:
    march = to_micros_of("2025-03-01")
    assert WORLD.candles(BTC, Interval.parse("1m"), Window(march, march + 1)) == [
        Bar(
            time=1_740_787_200_000_000,
            open=78729.7,
            high=78880.2,
            low=78645.8,
            close=78851.9,
            volume_base=17.557,
            volume_quote=1382430.3826,
            trades=1587,
            taker_buy_base=6.547,
            taker_buy_quote=515507.8743,
            contracts=0,
            taker_buy_contracts=0,
            closed=True,
        )
    ]


def test_futures_stay_near_spot_and_the_mark_between() -> None:
    window, interval = Window(NOW - 30 * DAY, NOW - DAY), Interval.parse("1h")
    last = WORLD.candles(BTC, interval, window)
    spot = WORLD.candles(SPOT, interval, window)
    mark, index, premium = (WORLD.candles(BTC, interval, window, price=price) for price in ("mark", "index", "premium"))
    assert len(last) == len(spot) == len(mark) == len(index) == len(premium)
    for bars in zip(last, spot, mark, index, premium, strict=True):
        future, coin, marked, fair, above = (bar.open for bar in bars)
        assert abs(coin / fair - 1) < 1e-6
        assert abs(future / fair - 1) < 2e-3
        assert above == pytest.approx(marked / fair - 1, abs=3e-4)
    assert all(bar.trades == bar.volume_base == bar.volume_quote == 0 for bar in mark)


def test_the_premium_has_both_signs() -> None:
    bars = WORLD.candles(BTC, Interval.parse("1d"), Window(NOW - 300 * DAY, NOW), price="premium")
    assert min(bar.low for bar in bars) < -1e-4
    assert max(bar.high for bar in bars) > 1e-4
    assert all(abs(bar.close) < 2e-3 for bar in bars)


def test_levels_and_volatility_are_believable() -> None:
    bars = WORLD.candles(SPOT, Interval.parse("1d"), Window(NOW - 1500 * DAY, NOW))
    moves = [bar.close / bar.open - 1 for bar in bars]
    assert 40_000 < min(bar.low for bar in bars) < max(bar.high for bar in bars) < 160_000
    assert 0.02 < (sum(move**2 for move in moves) / len(moves)) ** 0.5 < 0.05


def test_spot_has_trades_only() -> None:
    for price in ("mark", "index", "premium"):
        assert WORLD.candles(SPOT, Interval.parse("1d"), Window(NOW - 9 * DAY, NOW), price=price) == []


def test_a_dated_contract_meets_the_index_at_its_delivery() -> None:
    dated = next(item for item in WORLD.listings(Market.LINEAR) if item.base == "BTC" and not item.perpetual)
    assert dated.expiry is not None
    expiry = dated.expiry
    world, interval = World(clock=lambda: expiry + DAY), Interval.parse("1m")
    window = Window(expiry - DAY, expiry + DAY)
    last, fair = world.candles(dated, interval, window)[-1], world.candles(dated, interval, window, price="index")[-1]
    early = world.candles(dated, interval, Window(dated.listed, dated.listed + MINUTE))[0].open
    base = world.candles(dated, interval, Window(dated.listed, dated.listed + MINUTE), price="index")[0].open
    assert last.time == expiry - MINUTE
    assert abs(last.close / fair.close - 1) < 1e-3
    assert early / base - 1 > 0.01


def test_what_is_remembered_is_bounded() -> None:
    world = World(clock=lambda: NOW)
    for days in range(0, 80, 4):
        world.candles(BTC, Interval.parse("1m"), Window(NOW - (days + 1) * DAY, NOW - days * DAY))
    assert world.tree.parts.cache_info().maxsize is not None
    assert world.tree.parts.cache_info().currsize <= 3_072
    assert world.tree.day.cache_info().maxsize is not None


@pytest.mark.parametrize("age", [0, 2 * SECOND, 90 * SECOND, 20 * MINUTE, 5 * HOUR, 30 * HOUR])
def test_a_listing_of_today_has_one_candle_of_what_happened_so_far(age: int) -> None:
    world = World(clock=lambda: BTC.listed + age + 500)
    window = Window(0, NOW)
    minutes = world.candles(BTC, Interval.parse("1m"), window)
    for text in ("15m", "1h", "1d", "1M"):
        bars = world.candles(BTC, Interval.parse(text), window)
        assert len({bar.time for bar in bars}) == len(bars)
        assert sum(bar.trades for bar in bars) == sum(bar.trades for bar in minutes)
        assert (bars[0].open, bars[-1].close) == (minutes[0].open, minutes[-1].close)
