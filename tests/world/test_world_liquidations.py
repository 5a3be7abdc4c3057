from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from marketcli.models import DAY, HOUR, MINUTE, SECOND, Interval, Market, Micros, Window
from marketcli.world import Listing, World

NOW: Micros = 1_795_219_200 * SECOND + 12 * HOUR + 30 * MINUTE + 17 * SECOND + 345_000  # 2026-11-21
SIX = Window(NOW - 6 * HOUR, NOW)


def world(now: Micros = NOW, seed: int = 7) -> World:
    return World(seed, clock=lambda: now)


def listing(base: str, market: Market = Market.LINEAR, quote: str = "USDT") -> Listing:
    return next(
        item for item in world().listings(market) if (item.base, item.quote, item.expiry) == (base, quote, None)
    )


@pytest.mark.parametrize(("base", "market", "quote"), [("ADA", Market.LINEAR, "USDT"), ("BTC", Market.INVERSE, "USD")])
def test_each_is_one_of_the_trades(base: str, market: Market, quote: str) -> None:
    here, of = world(), listing(base, market, quote)
    found = here.liquidations(of, SIX)
    assert len(found) > 20
    for row in found[:40]:
        (trade,) = here.trades_from(of, row.id, 1)
        assert (trade.time, trade.price, trade.size, trade.value, trade.contracts) == (
            row.time,
            row.price,
            row.size,
            row.value,
            row.contracts,
        )
        assert row.liquidated == {"sell": "long", "buy": "short"}[trade.taker]


def test_they_come_in_order_and_each_once_however_the_window_is_cut() -> None:
    of = listing("1000PEPE")
    window = Window(NOW - HOUR, NOW)
    whole = world().liquidations(of, window)
    assert all(before.id < after.id and before.time <= after.time for before, after in pairwise(whole))
    here, parts = world(), []
    for start in range(window.start, window.end, 17 * SECOND):
        parts += here.liquidations(of, Window(start, min(start + 17 * SECOND, window.end)))
    assert parts == whole
    assert len(whole) > 5


def test_what_has_happened_stays_and_nothing_is_told_before_it_happens() -> None:
    of, start = listing("BTC"), NOW - 5 * MINUTE
    later = world(NOW + HOUR).liquidations(of, Window(start, NOW + HOUR))
    for now in range(NOW, NOW + 3 * MINUTE, 13 * SECOND):
        settled = now - now % SECOND
        assert world(now).liquidations(of, Window(start, NOW + HOUR)) == [row for row in later if row.time < settled]


def test_prices_lie_on_the_tick_and_nothing_is_left_beyond_the_price_of_the_trade() -> None:
    for of in (listing("BTC"), listing("1000PEPE"), listing("ETH", Market.INVERSE, "USD")):
        found = world().liquidations(of, Window(NOW - HOUR, NOW))
        tick = float(of.tick)
        assert found
        for row in found:
            assert abs(row.bankrupt / tick - round(row.bankrupt / tick)) < 1e-6
            assert abs(row.bankrupt / row.price - 1) <= 0.004 + tick / row.price
            assert (row.bankrupt <= row.price) is (row.liquidated == "long") or row.bankrupt == row.price


def test_positions_are_closed_where_prices_run_against_them_and_most_where_they_run_fast() -> None:
    here, of = world(), listing("BTC", quote="USDC")
    window = Window(NOW // HOUR * HOUR - 4 * HOUR, NOW // HOUR * HOUR)
    found = here.liquidations(of, window)
    bars = {bar.time: bar for bar in here.candles(of, Interval(1, "m"), window)}
    against = 0
    counts: Counter[Micros] = Counter()
    for row in found:
        bar = bars[row.time - row.time % MINUTE]
        against += (row.liquidated == "long") is (bar.close < bar.open)
        counts[bar.time] += 1
    assert 0.8 < against / len(found) < 0.99
    ranked = sorted(bars.values(), key=lambda bar: abs(bar.close - bar.open))
    calm, wild = ranked[: len(ranked) // 4], ranked[-len(ranked) // 4 :]
    rates = [sum(counts[bar.time] for bar in part) / sum(bar.trades for bar in part) for part in (calm, wild)]
    assert rates[1] > 3 * rates[0] > 0


def test_an_hour_has_hundreds_in_the_largest_market_and_few_in_the_smallest() -> None:
    here, window = world(), Window(NOW - HOUR, NOW)
    for base, least, most in (("BTC", 60, 600), ("POL", 0, 30)):
        found = here.liquidations(listing(base), window)
        assert least <= len(found) <= most
        assert max([0, *Counter(row.time // MINUTE for row in found).values()]) < 400


def test_spot_and_what_does_not_trade_have_none() -> None:
    here = world()
    assert here.liquidations(listing("BTC", Market.SPOT), SIX) == []
    ended = next(item for item in here.listings(Market.LINEAR) if item.expiry is not None and item.expiry < NOW)
    assert ended.expiry is not None
    assert here.liquidations(ended, SIX) == []
    assert all(row.time < ended.expiry for row in here.liquidations(ended, Window(ended.expiry - HOUR, NOW)))
    assert here.liquidations(ended, Window(ended.listed - DAY, ended.listed)) == []
    assert here.liquidations(listing("BTC"), Window(NOW, NOW - HOUR)) == []


def test_another_seed_is_another_market() -> None:
    of = listing("ADA")
    assert [row.id for row in world().liquidations(of, SIX)] != [row.id for row in world(seed=8).liquidations(of, SIX)]
