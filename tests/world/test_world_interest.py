"""Open interest and prices of the world now and then."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketcli.models import DAY, HOUR, MINUTE, SECOND, Interval, Market, Micros, Window
from marketcli.windows import parse_time
from marketcli.world import Listing, Series, World


def at(text: str) -> Micros:
    return parse_time(text, now=0)


NOW = at("2026-11-21T12:00:30")
WORLD = World(clock=lambda: NOW)
CONTRACTS = [item for item in WORLD.listings() if item.market is not Market.SPOT and item.listed < NOW]


def find(market: Market, base: str, *, perpetual: bool = True) -> Listing:
    return next(item for item in WORLD.listings(market) if item.base == base and item.perpetual is perpetual)


BTC, MATIC = find(Market.LINEAR, "BTC"), find(Market.LINEAR, "MATIC")
SPOT = find(Market.SPOT, "BTC", perpetual=False)
INVERSE = find(Market.INVERSE, "BTC")


@pytest.mark.parametrize("listing", [BTC, INVERSE], ids=["linear", "inverse"])
def test_what_is_open_moves_by_a_few_per_cent_a_day(listing: Listing) -> None:
    days = WORLD.interest(listing, range(at("2025-01-01"), at("2026-01-01"), DAY))
    amounts = [row.contracts or row.base for row in days]
    moves = [abs(later / sooner - 1) for sooner, later in pairwise(amounts)]
    assert 0.005 < sum(moves) / len(moves) < 0.04
    assert max(moves) < 0.08
    points = WORLD.interest(listing, range(at("2026-11-20"), at("2026-11-21"), 5 * MINUTE))
    amounts = [row.contracts or row.base for row in points]
    assert len(set(amounts)) > 280
    assert max(abs(later / sooner - 1) for sooner, later in pairwise(amounts)) < 0.005


def test_units_agree_at_the_mark_price() -> None:
    time = at("2026-11-20T08:00")
    for listing in (BTC, INVERSE):
        (row,) = WORLD.interest(listing, [time])
        (bar,) = WORLD.candles(listing, Interval.parse("1m"), Window(time, time + 1), price="mark")
        assert row.quote == pytest.approx(row.base * bar.open, rel=1e-9)
        assert row.contracts == (0 if listing is BTC else row.quote / listing.contract_size)
        assert row.base == round(row.base, 3 if listing is BTC else 8)


def test_a_contract_fills_after_its_listing_and_is_empty_before_and_after_its_life() -> None:
    first, later = WORLD.interest(MATIC, [MATIC.listed, MATIC.listed + 30 * DAY])
    assert first.base < 0.2 * later.base
    assert MATIC.expiry is not None
    asked = [MATIC.listed - 1, MATIC.expiry - 1, MATIC.expiry, NOW]
    assert [row.time for row in WORLD.interest(MATIC, asked)] == [MATIC.expiry - 1]
    assert [row.time for row in WORLD.interest(BTC, [NOW, NOW + 1])] == [NOW]
    assert WORLD.interest(SPOT, [NOW]) == []


@settings(max_examples=40)
@given(listing=st.sampled_from(CONTRACTS), share=st.floats(0, 1))
def test_any_moment_of_a_life_can_be_asked_alone(listing: Listing, share: float) -> None:
    end = min(NOW, (listing.expiry or NOW) - 1)
    time = listing.listed + int(share * (end - listing.listed))
    (row,) = WORLD.interest(listing, [time])
    assert row == World(clock=lambda: NOW).interest(listing, [time - HOUR, time])[-1]
    assert min(row.base, row.quote) > 0


def test_the_last_price_is_the_close_of_the_newest_candle() -> None:
    for listing in (SPOT, BTC, INVERSE):
        bars = WORLD.candles(listing, Interval.parse("1m"), Window(NOW - MINUTE, NOW))
        assert WORLD.last(listing) == bars[-1].close
    end = MATIC.expiry or 0
    (bar,) = WORLD.candles(MATIC, Interval.parse("1m"), Window(end - MINUTE, end))
    assert WORLD.last(MATIC) == bar.close


def test_the_average_is_that_of_the_last_minutes_by_volume() -> None:
    for listing in (SPOT, BTC, INVERSE):
        bars = WORLD.candles(listing, Interval.parse("1s"), Window(NOW - 5 * MINUTE, NOW))
        mean = sum(bar.volume_quote for bar in bars) / sum(bar.volume_base for bar in bars)
        assert WORLD.average(listing) == pytest.approx(mean, rel=1e-8)
        assert WORLD.average(listing, 1) != WORLD.average(listing)
        assert min(bar.low for bar in bars) <= WORLD.average(listing) <= max(bar.high for bar in bars)


def test_real_candles_have_a_last_price_and_nothing_that_only_contracts_have() -> None:
    start, closes = at("2025-03-03"), [float(100 + n) for n in range(10)]
    columns = {"open": [value - 0.5 for value in closes], "high": [200.0] * 10, "low": [1.0] * 10, "close": closes}
    times = [(start + n * MINUTE) // 1_000 for n in range(10)]
    series = Series.of(
        Market.LINEAR, "DOGE", "USDT", pl.DataFrame({"timestamp_ms": times, **columns, "volume": closes})
    )
    clock = start + 3 * MINUTE + 30 * SECOND
    world = World(clock=lambda: clock, series=[series])

    def prices() -> list[float]:
        listing = next(item for item in world.listings(Market.LINEAR) if item.base == "DOGE")
        now = world.derivative(listing)
        assert (now.rate, now.next_time, now.mark) == (0.0, 0, now.index)
        assert world.terms(listing).interval_h == 8
        assert world.interest(listing, [clock]) == []
        assert world.settlements(listing, Window(0, clock + DAY)) == []
        return [world.last(listing), world.average(listing), now.mark]

    assert prices() == [102.5] * 3  # the fourth minute has only begun
    clock = start + DAY
    assert prices() == [109.0] * 3
    clock = start - DAY
    assert prices() == [99.5] * 3
