"""What an order book is good for: against brute force in exact fractions, and by laws that any book obeys."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.analysis.depth import Fill, Ladder, Level, Side

if TYPE_CHECKING:
    from collections.abc import Sequence

TICKS = st.lists(st.integers(1, 400), unique=True, max_size=40)
LOTS = st.integers(1, 10**6)
ORDERS = st.floats(0.01, 1e9)


def side(ticks: Sequence[int], lots: Sequence[int], *, way: int, whole: bool = False) -> Side:
    """Levels so many ticks of 0.1 above (1) or below (-1) 100, best first."""
    prices = [(1_000 + way * tick) / 10 for tick in sorted(ticks)]
    levels = [Level(price, lot / 1_000, price * lot / 1_000) for price, lot in zip(prices, lots, strict=False)]
    return Side(tuple(levels), whole)


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    bids, asks = draw(TICKS), draw(TICKS)
    lots = draw(st.lists(LOTS, min_size=40, max_size=40))
    whole = draw(st.booleans())
    return Ladder(side(bids, lots, way=-1, whole=whole), side(asks, lots[::-1], way=1, whole=whole))


def paid(levels: Sequence[Level], order: float) -> tuple[Fraction, Fraction]:
    """Quote and base units that an order takes, one level after the other, in exact fractions."""
    left, size = Fraction(order), Fraction(0)
    for level in levels:
        part = min(Fraction(level.value), left)
        size += Fraction(level.size) * part / Fraction(level.value)
        left -= part
    return Fraction(order) - left, size


BOOK = Ladder(
    Side((Level(99.5, 4.0, 398.0), Level(99.0, 10.0, 990.0), Level(98.0, 20.0, 1960.0)), whole=False),
    Side((Level(100.5, 1.0, 100.5), Level(101.0, 5.0, 505.0), Level(103.0, 50.0, 5150.0)), whole=False),
)


def test_prices_between_the_sides() -> None:
    assert BOOK.mid == 100.0
    assert BOOK.spread == 0.01
    assert BOOK.microprice == pytest.approx((99.5 * 1 + 100.5 * 4) / 5)  # the thin side gives way first
    assert BOOK.imbalance == pytest.approx((3348 - 5755.5) / (3348 + 5755.5))


@pytest.mark.parametrize(
    ("share", "bids", "asks", "exact"),
    [(0.005, 398, 100.5, True), (0.01, 1388, 605.5, True), (0.0099, 398, 100.5, True), (0.03, 3348, 5755.5, False)],
)
def test_depth_says_where_the_levels_end_too_early(share: float, bids: float, asks: float, *, exact: bool) -> None:
    for one, value in ((BOOK.bids, bids), (BOOK.asks, asks)):
        depth = one.within(share, mid=100.0)
        assert (depth.value, depth.exact) == (value, exact)


def test_a_side_that_is_all_there_is_deep_enough_for_any_distance() -> None:
    assert Side(BOOK.bids.levels, whole=True).within(0.5, mid=100.0).exact
    assert Side((), whole=True).within(0.5, mid=100.0).exact
    assert not Side((), whole=False).within(0.5, mid=100.0).exact


@pytest.mark.parametrize(("price", "mid", "share"), [(0.303, 0.3, 0.01), (0.297, 0.3, 0.01), (1.001, 1.0, 0.001)])
def test_a_level_at_the_very_end_of_a_band_belongs_to_it(price: float, mid: float, share: float) -> None:
    levels = (Level(price, 1.0, 7.0), Level(price * 2, 1.0, 9.0))
    assert Side(levels, whole=False).within(share, mid=mid).value == 7.0


def test_a_market_order_takes_level_after_level() -> None:
    fill = BOOK.asks.fill(605.5)
    assert fill == Fill(value=605.5, size=6.0, levels=2, worst=101.0, complete=True)
    assert fill is not None
    assert fill.average == pytest.approx(605.5 / 6)
    assert BOOK.slippage(fill, buying=True) == pytest.approx(605.5 / 6 / 100 - 1)
    part = BOOK.bids.fill(497)
    assert part is not None
    assert part.size == pytest.approx(5.0)
    assert (part.worst, part.levels) == (99.0, 2)
    assert BOOK.slippage(part, buying=False) == pytest.approx(1 - 497 / 5 / 100)


def test_an_order_that_is_too_large_is_not_filled() -> None:
    fill = BOOK.asks.fill(5_756)
    assert fill is not None
    assert (fill.complete, fill.value, fill.size, fill.worst) == (False, 5755.5, 56.0, 103.0)
    assert Side((), whole=True).fill(1.0) is None


def test_an_inverse_book_is_paid_in_face_value() -> None:
    asks = (Level(50_000.0, 0.02, 1_000.0), Level(51_000.0, 2_000 / 51_000, 2_000.0))
    fill = Side(asks, whole=False).fill(2_000.0)
    assert fill is not None
    assert fill.average == pytest.approx(2_000 / (0.02 + 1_000 / 51_000))


def test_a_crossed_book_has_a_negative_spread_and_costs_less_than_nothing() -> None:
    crossed = Ladder(Side((Level(101.0, 1.0, 101.0),), whole=True), Side((Level(99.0, 1.0, 99.0),), whole=True))
    assert crossed.spread == -0.02
    fill = crossed.asks.fill(99.0)
    assert fill is not None
    assert crossed.slippage(fill, buying=True) == pytest.approx(-0.01)


@pytest.mark.parametrize(
    "ladder",
    [Ladder(BOOK.bids, Side((), whole=True)), Ladder(Side((), whole=True), BOOK.asks)],
    ids=["no asks", "no bids"],
)
def test_without_one_side_there_is_no_middle(ladder: Ladder) -> None:
    assert (ladder.mid, ladder.spread, ladder.microprice, ladder.imbalance) == (None, None, None, None)
    fill = (ladder.asks if ladder.asks.levels else ladder.bids).fill(10.0)
    assert fill is not None
    assert ladder.slippage(fill, buying=True) is None


@given(ladders(), ORDERS)
def test_an_order_pays_what_brute_force_says(ladder: Ladder, order: float) -> None:
    for one in (ladder.bids, ladder.asks):
        fill, (met, size) = one.fill(order), paid(one.levels, order)
        if not one.levels:
            assert fill is None
            continue
        assert fill is not None
        assert fill.value == pytest.approx(float(met), rel=1e-9)
        assert fill.size == pytest.approx(float(size), rel=1e-8)
        assert fill.complete == (met >= Fraction(order) * (1 - Fraction(1, 10**9)))


@given(ladders(), ORDERS, st.floats(1, 100))
def test_a_larger_order_never_pays_less(ladder: Ladder, order: float, times: float) -> None:
    if not (ladder.bids.levels and ladder.asks.levels):
        return
    for one, buying in ((ladder.asks, True), (ladder.bids, False)):
        small, large = one.fill(order), one.fill(order * times)
        assert small is not None
        assert large is not None
        costs = [ladder.slippage(fill, buying=buying) for fill in (small, large)]
        assert costs[0] is not None
        assert costs[1] is not None
        assert costs[0] > -1e-9
        assert costs[0] <= costs[1] + 1e-9
        assert small.value <= large.value <= one.value * (1 + 1e-12)
        best, worst = sorted((one.levels[0].price, large.worst))
        assert best * (1 - 1e-9) <= large.average <= worst * (1 + 1e-9)


@given(ladders(), st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_depth_grows_with_distance_and_never_exceeds_what_is_there(ladder: Ladder, shares: list[float]) -> None:
    mid = 100.0
    for one in (ladder.bids, ladder.asks):
        depths = [one.within(share, mid=mid) for share in sorted(shares)]
        values = [depth.value for depth in depths]
        assert values == sorted(values)
        for share, depth in zip(sorted(shares), depths, strict=True):
            inside = [level for level in one.levels if abs(level.price - mid) <= share * mid * (1 + 1e-9)]
            assert depth.value == pytest.approx(float(sum(Fraction(level.value) for level in inside)))
            assert depth.exact == (one.whole or one.reach(mid) > share * (1 + 1e-9))
            assert depth.exact or depth.value == one.value


@given(ladders())
def test_what_lies_between_lies_between(ladder: Ladder) -> None:
    if ladder.mid is None or ladder.microprice is None or ladder.spread is None or ladder.imbalance is None:
        assert not (ladder.bids.levels and ladder.asks.levels)
        return
    bid, ask = ladder.bids.levels[0], ladder.asks.levels[0]
    assert bid.price < ladder.mid < ask.price
    assert bid.price <= ladder.microprice <= ask.price
    assert (ladder.microprice - ladder.mid) * (bid.size - ask.size) >= -1e-6
    assert ladder.spread > 0
    assert -1 < ladder.imbalance < 1
    turned = Ladder(Side(ladder.asks.levels, ladder.asks.whole), Side(ladder.bids.levels, ladder.bids.whole))
    assert turned.imbalance == pytest.approx(-ladder.imbalance)
