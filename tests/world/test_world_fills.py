"""A second of any kind divided into its trades."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketcli.models import SECOND, Market
from marketcli.windows import parse_time
from marketcli.world import World
from marketcli.world.fills import Fill
from marketcli.world.fills import fills as fills_of
from marketcli.world.pieces import pieces
from marketcli.world.prices import Path
from marketcli.world.tree import Cell

NOW = parse_time("2026-11-21T00:02:03.456", now=0)
WORLD = World(clock=lambda: NOW)
CALM = settings(deadline=None, derandomize=True, database=None, max_examples=300)


def path_of(market: Market) -> Path:
    listing = next(item for item in WORLD.listings(market) if item.base == "BTC")
    return WORLD.path(listing, "trade")


LINEAR, INVERSE = path_of(Market.LINEAR), path_of(Market.INVERSE)


def fills(path: Path, second: Cell) -> list[Fill]:
    return [fill for piece in pieces(path, second) for fill in fills_of(path, second.time, piece)]


def value(draw: st.DrawFn, lots: int, low: int, high: int) -> int:
    return draw(st.integers(lots * low, lots * high))


@st.composite
def seconds(draw: st.DrawFn, most: int = 12) -> Cell:
    low = draw(st.integers(700_000, 701_000))
    high = low + draw(st.integers(0, 300))
    buys, sells = draw(st.integers(0, most)), draw(st.integers(0, most))
    bought = buys and buys + draw(st.integers(0, 1_000))
    sold = sells and sells + draw(st.integers(0, 1_000))
    return Cell(
        draw(st.integers(0, 10**9)) * SECOND,
        draw(st.integers(low, high)),
        high,
        low,
        draw(st.integers(low, high)),
        buys,
        bought,
        value(draw, bought, low, high),
        sells,
        sold,
        value(draw, sold, low, high),
    )


def side(found: list[Fill], *, bought: bool) -> list[Fill]:
    return [fill for fill in found if fill.bought is bought]


@CALM
@given(second=seconds())
def test_number_and_lots_of_both_sides_are_those_of_the_candle(second: Cell) -> None:
    found = fills(LINEAR, second)
    bought, sold = side(found, bought=True), side(found, bought=False)
    assert (len(bought), sum(fill.lots for fill in bought)) == (second.buys, second.bought)
    assert (len(sold), sum(fill.lots for fill in sold)) == (second.sells, second.sold)
    assert all(fill.lots >= 1 for fill in found)
    assert [fill.offset for fill in found] == sorted(fill.offset for fill in found)
    assert all(0 <= fill.offset < 1_000 for fill in found)


@CALM
@given(second=seconds())
def test_prices_go_from_the_open_to_the_close_through_high_and_low(second: Cell) -> None:
    prices = [fill.price for fill in fills(LINEAR, second)]
    assert all(second.low <= price <= second.high for price in prices)
    if len(prices) >= 2:
        assert (prices[0], prices[-1]) == (second.open, second.close)
    if len(prices) == 3:
        assert second.high in prices or second.low in prices
    if len(prices) >= 4:
        assert (max(prices), min(prices)) == (second.high, second.low)


@CALM
@given(second=seconds(most=60), path=st.sampled_from([LINEAR, INVERSE]))
def test_each_side_comes_as_near_to_its_value_as_its_prices_allow(second: Cell, path: Path) -> None:
    """Nobody comes farther off than the range of the second; who has fills enough, hardly at all."""
    found = fills(path, in_base(second) if path is INVERSE else second)
    for lots, expected, bought in ((second.bought, second.bought_value, True), (second.sold, second.sold_value, False)):
        fills_of_side = side(found, bought=bought)
        missed = abs(sum(fill.lots * fill.price for fill in fills_of_side) - expected)
        assert missed <= lots * (second.high - second.low) + 1e-6 * expected
        average = expected / lots if lots else 0.0
        inside = min(average - second.low, second.high - average) > 0.1 * (second.high - second.low)
        if len(fills_of_side) >= 10 and inside:
            assert missed <= 1e-5 * expected


def in_base(second: Cell) -> Cell:
    """The same second of inverse contracts, whose value is base."""
    worth = 100 / 0.1 * 10**8  # of a contract at a price of one tick

    def base(lots: int, ticks: int) -> int:
        return round(worth * lots * lots / ticks) if lots else 0

    return second._replace(
        bought_value=base(second.bought, second.bought_value), sold_value=base(second.sold, second.sold_value)
    )


def test_a_single_trade_is_at_the_average_and_nothing_is_nothing() -> None:
    quiet = Cell(0, 700_000, 700_000, 700_000, 700_000)
    assert fills(LINEAR, quiet) == []
    alone = Cell(0, 700_000, 700_100, 699_900, 700_050, 1, 7, 7 * 700_033 + 3)
    (fill,) = fills(LINEAR, alone)
    assert (fill.price, fill.lots, fill.bought) == (700_033, 7, True)


@CALM
@given(share=st.integers(1, 99), time=st.integers(0, 10**6), taker=st.sampled_from(["buy", "sell"]))
def test_two_trades_of_one_side_share_the_lots_so_that_the_value_is_exact(share: int, time: int, taker: str) -> None:
    flow = (2, 100, 100 * 700_000 + 100 * share)
    flows = (*flow, 0, 0, 0) if taker == "buy" else (0, 0, 0, *flow)
    first, last = fills(LINEAR, Cell(time * SECOND, 700_000, 700_150, 699_900, 700_100, *flows))
    assert (first.price, first.lots, last.price, last.lots) == (700_000, 100 - share, 700_100, share)


@pytest.mark.parametrize("above", [60, -60])
def test_to_come_to_a_value_all_prices_move_a_little_and_none_far(above: int) -> None:
    middle = 700_100
    for time in range(50):
        second = Cell(time * SECOND, middle, 700_200, 700_000, middle, 30, 900, 900 * (middle + above), 0, 0, 0)
        prices = [fill.price for fill in fills(LINEAR, second)]
        assert sum(price in (700_000, 700_200) for price in prices) <= 4


def test_sizes_differ_and_a_second_is_not_all_bought_before_it_is_sold() -> None:
    second = Cell(0, 700_000, 700_300, 699_900, 700_050, 40, 900, 900 * 700_100, 40, 800, 800 * 700_050)
    found = fills(LINEAR, second)
    sizes = sorted(fill.lots for fill in found)
    assert sizes[-1] > 10 * sizes[0]
    takers = [fill.bought for fill in found]
    assert 20 < sum(before != after for before, after in pairwise(takers)) < 60
    assert len({fill.offset for fill in found}) > 60
    assert fills(LINEAR, second._replace(time=SECOND)) != found


@pytest.mark.parametrize("seed", [7, 8])
def test_another_seed_trades_otherwise(seed: int) -> None:
    second = Cell(0, 700_000, 700_300, 699_900, 700_050, 4, 90, 90 * 700_100, 4, 80, 80 * 700_050)
    other = Path(seed, LINEAR.listing, "trade")
    assert (fills(other, second) == fills(LINEAR, second)) == (seed == 7)


@settings(CALM, max_examples=25)
@given(second=seconds(most=4_000), path=st.sampled_from([LINEAR, INVERSE]))
def test_a_second_of_many_trades_is_made_of_pieces_and_still_its_candle(second: Cell, path: Path) -> None:
    cut = pieces(path, in_base(second) if path is INVERSE else second)
    assert all(piece.trades <= 1_000 for piece in cut)
    assert (cut[0].begin, cut[-1].end) == (0, 1_000)
    assert all(before.end == after.begin for before, after in pairwise(cut))
    parts = [fills_of(path, second.time, piece) for piece in cut]
    assert [len(part) for part in parts] == [piece.trades for piece in cut]
    for piece, part in zip(cut, parts, strict=True):
        assert all(piece.begin <= fill.offset + 1 and fill.offset <= piece.end for fill in part)
    found = [fill for part in parts for fill in part]
    assert [fill.offset for fill in found] == sorted(fill.offset for fill in found)
    prices = [fill.price for fill in found]
    if len(found) >= 4:
        assert (prices[0], prices[-1]) == (second.open, second.close)
        assert (max(prices), min(prices)) == (second.high, second.low)
    for lots, expected, bought in ((second.bought, second.bought_value, True), (second.sold, second.sold_value, False)):
        fills_of_side = side(found, bought=bought)
        assert sum(fill.lots for fill in fills_of_side) == lots
        missed = abs(sum(fill.lots * fill.price for fill in fills_of_side) - expected)
        few = len(fills_of_side) < 100 * len(cut)
        assert missed <= (lots if few else 4 * len(cut)) * (second.high - second.low) + 1e-6 * expected


def test_a_second_of_many_trades_has_many_prices_and_its_averages_all_along() -> None:
    second = Cell(
        0, 700_000, 700_400, 699_800, 700_000, 9_000, 50_000, 50_000 * 700_060, 6_000, 40_000, 40_000 * 700_050
    )
    cut = pieces(LINEAR, second)
    assert len(cut) == 15
    for piece in cut:
        assert piece.bought.value / piece.bought.lots == pytest.approx(700_060, abs=0.01)
        found = fills_of(LINEAR, 0, piece)
        assert len({fill.price for fill in found}) > 100
    assert len({piece.open for piece in cut}) > 10
    assert len({tuple(fill.bought for fill in fills_of(LINEAR, 0, piece)) for piece in cut}) == 15
    assert sum(piece.high == second.high for piece in cut) == sum(piece.low == second.low for piece in cut) == 1
