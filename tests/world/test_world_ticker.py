"""The last 24 hours in one row."""

from __future__ import annotations

import polars as pl
import pytest

from marketcli.models import DAY, HOUR, MILLISECOND, MINUTE, SECOND, Interval, Market, Window
from marketcli.windows import parse_time
from marketcli.world import Listing, Series, Ticker, World

NOW = parse_time("2026-11-21T17:42:03.456", now=0)
WORLD = World(clock=lambda: NOW)
BEGUN = [item for item in WORLD.listings() if item.listed < NOW]


def find(market: Market, base: str, quote: str = "USDT", *, world: World = WORLD) -> Listing:
    return next(item for item in world.listings(market) if (item.base, item.quote) == (base, quote))


SPOT, BTC, INVERSE = find(Market.SPOT, "BTC"), find(Market.LINEAR, "BTC"), find(Market.INVERSE, "BTC", "USD")
MATIC, THIN = find(Market.LINEAR, "MATIC"), find(Market.SPOT, "ETH", "BTC")


@pytest.mark.parametrize("listing", [SPOT, BTC, INVERSE, THIN, MATIC], ids=["spot", "linear", "inverse", "thin", "end"])
def test_a_day_is_that_of_its_seconds(listing: Listing) -> None:
    row = WORLD.ticker(listing)
    assert row.time == min(NOW, listing.expiry or NOW)
    assert row.open_time == row.time // SECOND * SECOND - DAY
    assert_sums(row, WORLD, listing)
    assert row.last == WORLD.last(listing)


def assert_sums(row: Ticker, world: World, listing: Listing) -> None:
    """A ticker is its minutes, with the seconds at both ends."""
    first, last = -(-row.open_time // MINUTE) * MINUTE, row.time // MINUTE * MINUTE
    seconds, minutes = Interval.parse("1s"), Interval.parse("1m")
    bars = [
        *world.candles(listing, seconds, Window(row.open_time, first)),
        *world.candles(listing, minutes, Window(first, last)),
        *world.candles(listing, seconds, Window(last, row.time)),
    ]
    assert (row.open, row.last) == (bars[0].open, bars[-1].close)
    assert (row.high, row.low) == (max(bar.high for bar in bars), min(bar.low for bar in bars))
    assert row.volume_base == pytest.approx(sum(bar.volume_base for bar in bars), rel=1e-12)
    assert row.volume_quote == pytest.approx(sum(bar.volume_quote for bar in bars), rel=1e-12)
    assert (row.trades, row.contracts) == (sum(bar.trades for bar in bars), sum(bar.contracts for bar in bars))


@pytest.mark.parametrize("listing", BEGUN, ids=lambda item: f"{item.market}-{item.base}-{item.quote}-{item.expiry}")
def test_trades_and_the_best_of_the_book_are_those_of_the_world(listing: Listing) -> None:
    row, book = WORLD.ticker(listing), WORLD.book(listing, 1)
    (first,), (last,) = WORLD.trades(listing, Window(row.open_time, NOW), limit=1), WORLD.recent_trades(listing, 1)
    assert (row.first_id, row.last_id) == (first.id, last.id)
    assert row.trades == last.id - first.id + 1
    assert row.last_size == last.size
    best = [(level.price, level.size, level.contracts) for side in (book.bids, book.asks) for level in side]
    found = [(row.bid, row.bid_size, row.bid_contracts), (row.ask, row.ask_size, row.ask_contracts)]
    assert found == (best or [(0.0, 0.0, 0)] * 2)
    assert bool(best) == (listing.status == "trading")


def test_the_first_day_begins_with_the_listing() -> None:
    pol = find(Market.SPOT, "POL")
    for age in (1, 999_999, SECOND, 90 * SECOND, 5 * HOUR, 23 * HOUR):
        now = pol.listed + age
        world = World(clock=lambda now=now: now)  # type: ignore[misc]
        row = world.ticker(pol)
        assert (row.time, row.open_time) == (now, pol.listed)
        rows = world.trades(pol, Window(0, now))
        assert (row.trades, row.last_id) == (len(rows), len(rows))
        assert row.volume_base == pytest.approx(sum(trade.size for trade in rows))
        assert row.first_id == (1 if rows else 0)
        assert row.low <= row.last <= row.high
    late = World(clock=lambda: pol.listed + DAY + HOUR).ticker(pol)
    assert late.open_time == pol.listed + HOUR
    assert late.first_id > 1


def test_nothing_has_happened_before_the_listing() -> None:
    pol = find(Market.SPOT, "POL")
    row = World(clock=lambda: pol.listed - DAY).ticker(pol)
    assert (row.trades, row.volume_base, row.first_id, row.last_id, row.bid, row.last_size) == (0, 0, 0, 0, 0, 0)
    assert row.open == row.high == row.low == row.last > 0


def real_world(now: int, length: int, *, market: Market = Market.LINEAR) -> tuple[World, Listing]:
    """A week of candles that end at the full hour: each opens at its number."""
    start = parse_time("2026-11-14", now=0)
    count = 7 * DAY // length
    columns = {
        "timestamp_ms": [(start + n * length) // MILLISECOND for n in range(count)],
        "open": [float(n + 1) for n in range(count)],
        "high": [n + 1.75 for n in range(count)],
        "low": [n + 0.5 for n in range(count)],
        "close": [n + 1.25 for n in range(count)],
        "volume": [2.0] * count,
    }
    quote = "USD" if market is Market.INVERSE else "USDT"
    world = World(clock=lambda: now, series=[Series.of(market, "BTC", quote, pl.DataFrame(columns))])
    return world, find(market, "BTC", quote, world=world)


def test_real_candles_give_a_ticker_without_what_a_file_does_not_know() -> None:
    world, listing = real_world(parse_time("2026-11-18T12:30", now=0), HOUR)
    row = world.ticker(listing)
    assert (row.time, row.open_time) == (world.now(), parse_time("2026-11-17T12:00", now=0))
    first, last = 3 * 24 + 12, 4 * 24 + 12
    assert (row.open, row.high, row.low, row.last) == (first + 1, last + 1, first + 0.5, last + 1)
    assert row.volume_base == 24 * 2.0
    assert row.volume_quote == pytest.approx(sum(2.0 * (n + 1.25) for n in range(first, last)))
    assert (row.trades, row.first_id, row.last_id, row.bid, row.ask_size, row.last_size) == (0, 0, 0, 0, 0, 0)
    assert world.book(listing, 5).bids == []


def test_real_candles_that_have_ended_or_not_begun() -> None:
    ended, listing = real_world(parse_time("2026-12-18T12:30", now=0), HOUR)
    row = ended.ticker(listing)
    assert (row.time, row.open_time) == (parse_time("2026-11-21", now=0), parse_time("2026-11-20", now=0))
    assert (row.last, row.volume_base) == (7 * 24 + 0.25, 48.0)
    coming, listing = real_world(parse_time("2026-11-13T12:30", now=0), HOUR)
    row = coming.ticker(listing)
    assert (row.volume_base, row.open, row.last) == (0.0, 1.0, 1.0)


def test_real_candles_of_days_and_of_contracts() -> None:
    world, listing = real_world(parse_time("2026-11-18T12:30", now=0), DAY, market=Market.INVERSE)
    row = world.ticker(listing)
    assert row.open_time == parse_time("2026-11-17", now=0)  # the day that holds the moment a day ago
    assert (row.contracts, row.volume_quote) == (2, 200.0)
    assert row.volume_base == pytest.approx(200 / 4.25)
