"""Dividing what was traded: sums are kept whatever the ranges of the parts are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from marketcli.world.flows import Ranges, divide


@st.composite
def ranges(draw: st.DrawFn) -> Ranges:
    """Parts that join, as the prices of a path do."""
    corners = draw(st.lists(st.integers(900, 1_000), min_size=2, max_size=61))
    wicks = draw(st.lists(st.integers(0, 20), min_size=len(corners), max_size=len(corners)))
    pairs = list(zip(pairwise(corners), wicks, strict=False))
    return Ranges([min(pair) - wick for pair, wick in pairs], [max(pair) + wick // 2 for pair, wick in pairs])


@settings(deadline=None, derandomize=True, database=None, max_examples=400)
@given(
    parts=ranges(),
    lots=st.integers(1, 10**12),
    many=st.floats(0, 1),
    place=st.floats(0, 1),
    weights=st.lists(st.floats(0.15, 1.15), min_size=60, max_size=60),
)
@example(parts=Ranges([5, 5], [5, 9]), lots=3, many=1.0, place=1.0, weights=[1.0] * 60)
@example(parts=Ranges([5], [5]), lots=1, many=1.0, place=0.0, weights=[1.0] * 60)
@example(parts=Ranges([5, 7, 9] * 20, [7, 9, 9] * 20), lots=10**9, many=1e-9, place=0.99, weights=[1.0] * 60)
def test_nothing_is_lost_and_every_average_is_in_range(
    parts: Ranges, lots: int, many: float, place: float, weights: list[float]
) -> None:
    low, high = int(min(parts.least)) * lots, int(max(parts.greatest)) * lots
    value = min(high, low + int((high - low) * place))
    trades = max(1, int(lots * many))
    found = divide(trades, lots, value, ranges=parts, weights=weights[: len(parts.least)])
    assert (sum(found.trades), sum(found.lots), sum(found.values)) == (trades, lots, value)
    for count, amount, worth, least, greatest in zip(*found, *parts, strict=True):
        assert 0 <= count <= amount
        assert (count == 0) == (amount == 0)
        assert amount * least <= worth <= amount * greatest


def test_nothing_divides_into_nothing() -> None:
    found = divide(0, 0, 0, ranges=Ranges([1, 1], [2, 2]), weights=[1.0, 1.0])
    assert found == ([0, 0], [0, 0], [0, 0])


def test_weights_decide_where_the_average_allows() -> None:
    found = divide(10_000, 40_000, 60_000, ranges=Ranges([1, 1], [2, 2]), weights=[3.0, 1.0])
    assert found.lots[0] == pytest.approx(3 * found.lots[1], rel=1e-3)


def test_parts_that_do_not_cover_their_whole_are_a_bug() -> None:
    with pytest.raises(AssertionError, match="do not cover"):
        divide(1, 1, 10, ranges=Ranges([1, 1], [2, 2]), weights=[1.0, 1.0])
