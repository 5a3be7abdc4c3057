"""Who is long, and what takers do."""

from __future__ import annotations

from itertools import pairwise

import pytest

from marketcli.models import DAY, HOUR, MINUTE, Interval, Market, Window
from marketcli.windows import parse_time
from marketcli.world import Listing, World

NOW = parse_time("2026-11-21T12:02:03", now=0)
WORLD = World(clock=lambda: NOW)
FIVE = Interval.parse("5m")
SHARES = ("accounts_long", "top_accounts_long", "top_positions_long")


def find(market: Market, base: str) -> Listing:
    return next(item for item in WORLD.listings(market) if item.base == base)


BTC, INVERSE, MATIC = find(Market.LINEAR, "BTC"), find(Market.INVERSE, "BTC"), find(Market.LINEAR, "MATIC")


def grid(start: int, end: int, length: int = 5 * MINUTE) -> list[int]:
    return list(range(-(-start // length) * length, end, length))


@pytest.mark.parametrize("text", ["5m", "1h", "1d"])
@pytest.mark.parametrize("listing", [BTC, INVERSE], ids=["linear", "inverse"])
def test_taker_volumes_are_those_of_the_candle_that_opens_then(listing: Listing, text: str) -> None:
    interval = Interval.parse(text)
    times = grid(NOW - 3 * DAY, NOW, interval.micros or 0)
    rows = WORLD.ratios(listing, interval, times)
    bars = WORLD.candles(listing, interval, Window(times[0], NOW + 1))
    assert [row.time for row in rows] == times == [bar.time for bar in bars]
    for row, bar in zip(rows, bars, strict=True):
        assert row.taker_buy == bar.taker_buy_base > 0
        assert row.taker_buy + row.taker_sell == pytest.approx(bar.volume_base)
        assert row.taker_buy_contracts == bar.taker_buy_contracts
        assert row.taker_buy_contracts + row.taker_sell_contracts == bar.contracts
        assert (bar.contracts > 0) == (listing is INVERSE)


@pytest.mark.parametrize("kind", SHARES)
def test_shares_are_fractions_of_four_places_that_move_slowly(kind: str) -> None:
    rows = WORLD.ratios(BTC, FIVE, grid(NOW - 20 * DAY, NOW))
    shares = [getattr(row, kind) for row in rows]
    assert all(0.3 < share < 0.8 and share == round(share, 4) for share in shares)
    assert max(abs(after - before) for before, after in pairwise(shares)) < 0.01
    assert len(set(shares)) > 200
    others = {name: [getattr(row, name) for row in rows] for name in SHARES if name != kind}
    assert all(found != shares for found in others.values())
    assert [getattr(row, kind) for row in WORLD.ratios(INVERSE, FIVE, grid(NOW - DAY, NOW))] != shares[-288:]


def test_only_the_life_of_a_contract_has_ratios() -> None:
    assert WORLD.ratios(find(Market.SPOT, "BTC"), FIVE, [NOW // HOUR * HOUR]) == []
    assert WORLD.ratios(BTC, FIVE, []) == []
    end = MATIC.expiry or 0
    rows = WORLD.ratios(MATIC, FIVE, grid(end - HOUR, end + HOUR))
    assert [row.time for row in rows] == grid(end - HOUR, end)
    first = WORLD.ratios(BTC, Interval.parse("1h"), grid(BTC.listed - DAY, BTC.listed + 3 * HOUR, HOUR))
    assert first[0].time == -(-BTC.listed // HOUR) * HOUR
    last = WORLD.ratios(BTC, FIVE, grid(NOW - HOUR, NOW + HOUR))[-1]
    assert last.time == NOW // (5 * MINUTE) * 5 * MINUTE


def test_any_moment_can_be_asked_alone_and_in_any_order() -> None:
    times = grid(NOW - DAY, NOW)
    rows = WORLD.ratios(BTC, FIVE, times)
    assert World(clock=lambda: NOW).ratios(BTC, FIVE, [times[40]]) == [rows[40]]
    assert WORLD.ratios(BTC, FIVE, times[::-1]) == rows[::-1]
    assert WORLD.ratios(BTC, FIVE, [times[3] + 1]) == []
    assert World(8, clock=lambda: NOW).ratios(BTC, FIVE, times) != rows
