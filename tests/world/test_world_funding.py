"""Funding of the world: on time, on its terms, consistent with the premium, the same whenever asked."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketcli.models import DAY, HOUR, MILLISECOND, SECOND, Interval, Market, Micros, Window
from marketcli.windows import parse_time
from marketcli.world import Listing, Terms, World
from marketcli.world.funding import rate_of


def at(text: str) -> Micros:
    return parse_time(text, now=0)


NOW = at("2026-11-21T12:00:30")
WORLD = World(clock=lambda: NOW)


def find(market: Market, base: str, quote: str, *, perpetual: bool = True) -> Listing:
    listings = WORLD.listings(market)
    return next(item for item in listings if (item.base, item.quote, item.perpetual) == (base, quote, perpetual))


BTC, DOGE, SOL, MATIC = (find(Market.LINEAR, base, "USDT") for base in ("BTC", "DOGE", "SOL", "MATIC"))
INVERSE = find(Market.INVERSE, "BTC", "USD")
DATED = find(Market.LINEAR, "BTC", "USDT", perpetual=False)
PERPETUALS = [item for item in WORLD.listings() if item.perpetual]


def estimate(now: Micros) -> float:
    """The rate of Bitcoin's coming settlement as it is known at a moment."""
    return World(clock=lambda: now).derivative(BTC).rate


def test_settlements_are_due_every_eight_hours_and_written_within_20_ms() -> None:
    found = WORLD.settlements(BTC, Window(at("2026-10-01"), at("2026-11-01")))
    assert [row.time // HOUR % 24 for row in found] == [0, 8, 16] * 31
    late = [row.time % HOUR for row in found]
    assert max(late) <= 20 * MILLISECOND
    assert len(set(late)) > 5
    assert all(ms % MILLISECOND == 0 for ms in late)


def test_the_first_comes_after_the_listing_and_the_last_before_the_end() -> None:
    found = WORLD.settlements(MATIC, Window(0, NOW))
    assert MATIC.listed < found[0].time < MATIC.listed + 9 * HOUR
    assert MATIC.expiry is not None
    assert MATIC.expiry - 8 * HOUR < found[-1].time < MATIC.expiry


def test_nothing_is_settled_ahead_of_the_clock() -> None:
    clock = at("2026-11-21T08:00:00")
    world = World(clock=lambda: clock)
    window = Window(clock - HOUR, clock + DAY)
    (written,) = WORLD.settlements(BTC, Window(clock, clock + HOUR))
    assert written.time > clock
    assert world.settlements(BTC, window) == []
    clock = written.time
    assert world.settlements(BTC, window) == [written]


def test_the_moment_it_is_written_decides_where_a_settlement_belongs() -> None:
    day = WORLD.settlements(BTC, Window(at("2026-10-01"), at("2026-10-05")))
    late = next(row for row in day if row.time % HOUR > 0)
    assert WORLD.settlements(BTC, Window(late.time, late.time + 1)) == [late]
    assert WORLD.settlements(BTC, Window(late.time - HOUR, late.time)) == []
    assert WORLD.settlements(BTC, Window(late.time + 1, late.time + HOUR)) == []


def test_doge_goes_from_eight_hours_to_four_to_one() -> None:
    times = [
        row.time // HOUR for row in WORLD.settlements(DOGE, Window(at("2026-03-01T16:00"), at("2026-03-02T09:00")))
    ]
    assert [hour % 24 for hour in times] == [16, 0, 4, 8]
    times = [
        row.time // HOUR for row in WORLD.settlements(DOGE, Window(at("2026-08-31T20:00"), at("2026-09-01T03:00")))
    ]
    assert [hour % 24 for hour in times] == [20, 0, 1, 2]
    change = at("2026-09-01")
    assert [WORLD.terms(DOGE, time).interval_h for time in (change - 1, change, None)] == [4, 1, 1]


def test_the_settlement_at_a_change_is_still_for_the_old_hours() -> None:
    window = Window(at("2026-08-31T19:00"), at("2026-09-01T02:30"))
    assert [row.rate for row in WORLD.settlements(DOGE, window)] == [0.00005, 0.00005, 0.0000125, 0.0000125]


def test_sol_settles_every_four_hours_since_may_2025_and_others_never_changed() -> None:
    change = at("2025-05-01")
    assert [WORLD.terms(SOL, time).interval_h for time in (change - 1, change)] == [8, 4]
    assert {item.base for item in PERPETUALS if WORLD.terms(item).interval_h != 8} == {"DOGE", "SOL"}
    assert WORLD.terms(BTC) == Terms(8, 0.003, -0.003)


def test_rates_are_mostly_a_hundredth_of_a_per_cent_and_have_both_signs() -> None:
    rates = Counter(row.rate for row in WORLD.settlements(BTC, Window(at("2024-01-01"), at("2026-01-01"))))
    assert rates[0.0001] > 0.6 * rates.total()
    assert 0 < sum(count for rate, count in rates.items() if rate < 0) < 0.3 * rates.total()
    assert all(round(rate, 8) == rate and abs(rate) < 0.001 for rate in rates)
    halved = Counter(row.rate for row in WORLD.settlements(SOL, Window(at("2026-01-01"), at("2026-06-01"))))
    assert halved.most_common(1)[0][0] == 0.00005


def test_rates_follow_the_premium() -> None:
    window = Window(at("2025-01-01"), at("2026-01-01"))
    paid = WORLD.settlements(BTC, window)
    above = {bar.time: bar.open for bar in WORLD.candles(BTC, Interval.parse("4h"), window, price="premium")}
    dear = [row.rate for row in paid if above.get(row.time // HOUR * HOUR - 4 * HOUR, 0) > 0.0002]
    cheap = [row.rate for row in paid if above.get(row.time // HOUR * HOUR - 4 * HOUR, 0) < -0.0002]
    assert sum(dear) / len(dear) > 0.0001
    assert sum(cheap) / len(cheap) < 0.00005


@pytest.mark.parametrize(
    ("above", "hours", "rate"),
    [
        (0.0, 8, 0.0001),
        (0.0006, 8, 0.0001),
        (-0.0004, 8, 0.0001),
        (0.0008, 8, 0.0003),
        (-0.0009, 8, -0.0004),
        (-0.0009, 4, -0.0002),
        (0.0, 1, 0.0000125),
        (0.05, 8, 0.003),
        (-0.05, 8, -0.003),
    ],
)
def test_a_rate_is_the_interest_unless_the_premium_is_far_from_it_and_has_bounds(
    above: float, hours: int, rate: float
) -> None:
    assert rate_of(above, Terms(hours, 0.003, -0.003)) == rate


def test_a_settlement_has_the_mark_price_of_its_hour() -> None:
    for listing in (BTC, INVERSE):
        (paid,) = WORLD.settlements(listing, Window(at("2026-11-20T07:00"), at("2026-11-20T09:00")))
        hour = at("2026-11-20T08:00")
        (bar,) = WORLD.candles(listing, Interval.parse("1m"), Window(hour, hour + 1), price="mark")
        assert paid.mark == bar.open


@settings(max_examples=40)
@given(data=st.data(), listing=st.sampled_from(PERPETUALS), days=st.integers(1, 20))
def test_any_window_has_the_settlements_that_larger_ones_have(data: st.DataObject, listing: Listing, days: int) -> None:
    start = data.draw(st.integers(listing.listed - 2 * DAY, NOW))
    cuts = sorted(data.draw(st.lists(st.integers(start, start + days * DAY), min_size=2, max_size=2)))
    whole = World(clock=lambda: NOW).settlements(listing, Window(start, start + days * DAY))
    assert WORLD.settlements(listing, Window(*cuts)) == [row for row in whole if row.time in Window(*cuts)]
    assert [row.time for row in whole] == sorted({row.time for row in whole})


def test_a_contract_now_has_the_prices_its_candles_have() -> None:
    for listing in (BTC, INVERSE, DATED):
        now = WORLD.derivative(listing)
        bars = {
            price: WORLD.candles(
                listing, Interval.parse("1m"), Window(NOW - NOW % SECOND - 30 * SECOND, NOW), price=price
            )
            for price in ("mark", "index")
        }
        assert (now.time, now.mark, now.index) == (NOW, bars["mark"][-1].close, bars["index"][-1].close)


def test_the_estimate_becomes_the_rate_that_is_paid() -> None:
    clock = at("2026-06-10T15:59:59.999")
    coming = World(clock=lambda: clock).derivative(BTC)
    assert coming.next_time == at("2026-06-10T16:00")
    (paid,) = WORLD.settlements(BTC, Window(clock, clock + HOUR))
    assert coming.rate == pytest.approx(paid.rate, abs=2e-8)
    clock += MILLISECOND
    assert World(clock=lambda: clock).derivative(BTC).next_time == at("2026-06-11T00:00")


def test_the_estimate_moves_with_the_premium_until_it_is_paid() -> None:
    odd = [row for row in WORLD.settlements(BTC, Window(at("2025-01-01"), at("2026-01-01"))) if row.rate > 0.00011]
    moved = 0
    for due in (row.time // HOUR * HOUR for row in odd):
        rates = [estimate(now) for now in range(due - 7 * HOUR, due, HOUR)]
        moved += len(set(rates)) > 1
        assert max(rates) - min(rates) < 0.0003
    assert moved > len(odd) / 2
    assert len(odd) > 20


def test_what_pays_no_funding_has_none() -> None:
    ever = Window(0, NOW + DAY)
    spot = next(item for item in WORLD.listings(Market.SPOT) if item.base == "BTC")
    for listing in (DATED, spot):
        assert WORLD.settlements(listing, ever) == []
    for listing in (DATED, MATIC):
        now = WORLD.derivative(listing)
        assert (now.rate, now.next_time) == (0.0, 0)
        assert now.mark > 0


def test_the_seed_decides() -> None:
    window = Window(at("2026-10-01"), at("2026-11-01"))
    other: Any = World(8, clock=lambda: NOW)
    assert other.settlements(BTC, window) != WORLD.settlements(BTC, window)
