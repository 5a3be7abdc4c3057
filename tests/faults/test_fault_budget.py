"""Asking much: nine tenths of a limit are never passed, whoever spent them (reliability.md P2, P3, goal G6)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from faults.bench import Ask, Bench
from faults.truth import lies

from marketcli.api.candles import Range
from marketcli.errors import ExitCode
from marketcli.exchanges.binance import EXCHANGE
from marketcli.exchanges.binance.sandbox import SIMULATOR
from marketcli.models import Market

MARKETS = pytest.mark.parametrize("market", Market)
LIMIT = 240  # units a minute, a tenth of what the futures give
SHARE, MINUTE = 0.9, 60.0


def small() -> Bench:
    """An exchange that gives little, and says so to both sides."""
    bench = Bench(exchange=replace(EXCHANGE, budgets=tuple(replace(one, limit=LIMIT) for one in EXCHANGE.budgets)))
    futures, spot = (replace(SIMULATOR.pools[market], limit=LIMIT) for market in (Market.LINEAR, Market.SPOT))
    simulator = replace(SIMULATOR, pools={Market.SPOT: spot, Market.LINEAR: futures, Market.INVERSE: futures})
    bench.floor.hosts = dict.fromkeys(SIMULATOR.hosts, simulator)
    return bench


def busiest(bench: Bench) -> int:
    """The most that arrived at the exchange in any minute."""
    arrived: list[tuple[int, int]] = [(line["ms"], line["weight"]) for line in bench.floor.log]
    return max(
        sum(weight for ms, weight in arrived if since <= ms < since + MINUTE * 1_000)
        for since in {ms for ms, _ in arrived}
    )


@MARKETS
def test_more_than_a_minutes_budget_is_spread_over_minutes(market: Market) -> None:
    bench = small()
    ask = Ask(market, Range(last=300), limit=1)
    outcome = bench.one(ask)
    assert (outcome.exit, lies(bench, ask, outcome)) == (ExitCode.OK, [])
    assert bench.floor.stats()["refused_429"] == 0
    assert 0.75 * LIMIT <= busiest(bench) <= SHARE * LIMIT
    weight = sum(line["weight"] for line in bench.floor.log)
    assert MINUTE * (weight // (SHARE * LIMIT)) <= bench.clock.seconds <= MINUTE * (weight / (SHARE * LIMIT) + 1)


def test_both_futures_spend_from_one_budget() -> None:
    bench = small()
    asks = [Ask(market, Range(last=150), limit=1) for market in (Market.LINEAR, Market.INVERSE)]
    for ask, outcome in zip(asks, bench.ask(*asks), strict=True):
        assert (outcome.exit, lies(bench, ask, outcome)) == (ExitCode.OK, [])
    assert bench.floor.stats()["refused_429"] == 0
    assert busiest(bench) <= SHARE * LIMIT


def test_what_others_spent_is_left_to_them() -> None:
    alone, beside = small(), small()
    ask = Ask(Market.LINEAR, Range(last=100), limit=1)
    alone.one(ask)
    beside.floor.answer("GET", "fapi.binance.com", path="/fapi/v1/ping", query="")
    (meter,) = beside.floor.meters.values()
    meter.used = round(0.8 * LIMIT)
    outcome = beside.one(ask)
    assert (outcome.exit, lies(beside, ask, outcome)) == (ExitCode.OK, [])
    assert alone.clock.seconds < 5
    assert beside.clock.seconds > MINUTE / 2  # when the exchange's own minute ends
    assert beside.floor.stats()["refused_429"] == 0
    first_minute = [
        line["weight"] for line in beside.floor.log if line["ms"] // 60_000 == beside.floor.log[0]["ms"] // 60_000
    ]
    assert sum(first_minute) <= (SHARE - 0.8) * LIMIT + 16  # what was under way when the first answer told


def test_a_wait_for_the_budget_that_is_too_long_is_left_to_the_user() -> None:
    bench = small()
    outcome = bench.one(Ask(Market.LINEAR, Range(last=300), limit=1), max_wait=30)
    assert outcome.exit is ExitCode.LIMITED
    assert bench.floor.stats()["refused_429"] == 0


YEAR = Range(since="2025-11-01", until="2026-11-01")
PAGE = {Market.SPOT: 1_000, Market.LINEAR: 499, Market.INVERSE: 499}


@pytest.mark.soak
@MARKETS
def test_a_year_of_minutes_is_whole_and_within_the_budget(market: Market) -> None:
    bench = Bench()
    ask = Ask(market, YEAR, limit=PAGE[market])
    outcome = bench.one(ask)
    assert outcome.answer is not None
    assert outcome.answer.frame.height == 525_600
    assert lies(bench, ask, outcome) == []
    limit = EXCHANGE.budget("spot weight" if market is Market.SPOT else "futures weight").limit
    used = busiest(bench)
    stats = bench.floor.stats()
    print(f"{market}: {stats['requests']} requests, {used} of {limit} at most, {bench.clock.seconds:.0f} s")
    assert (stats["refused_429"], used <= SHARE * limit) == (0, True)


@pytest.mark.soak
def test_a_year_of_both_futures_at_once_is_within_one_budget() -> None:
    bench = Bench()
    outcomes = bench.ask(*(Ask(market, YEAR, limit=499) for market in (Market.LINEAR, Market.INVERSE)))
    assert [outcome.answer.frame.height for outcome in outcomes if outcome.answer] == [525_600] * 2
    used = busiest(bench)
    print(f"both: {bench.floor.stats()['requests']} requests, {used} of 2,400 at most, {bench.clock.seconds:.0f} s")
    assert (bench.floor.stats()["refused_429"], used <= SHARE * 2_400) == (0, True)
