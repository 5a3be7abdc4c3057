"""Wrong clocks, ours and the exchange's: what is finished is decided by the exchange's (reliability.md C1, D5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faults.bench import NOW, Ask, Bench
from faults.truth import delivered, lies, meant, truth

from marketcli.api.candles import Range
from marketcli.errors import ExitCode
from marketcli.models import MINUTE, SECOND, Interval, Market, Window

if TYPE_CHECKING:
    from faults.bench import Outcome

MARKETS = pytest.mark.parametrize("market", Market)
TEN_MINUTES = pytest.mark.parametrize("seconds", [-600, 600])


def notes(outcome: Outcome) -> str:
    assert outcome.answer is not None
    return " ".join(outcome.answer.notes)


@MARKETS
@pytest.mark.parametrize("interval", ["1m", "5m", "1h"])
@pytest.mark.parametrize("seconds", [-600, -31, -3, 3, 31, 600])
def test_a_wrong_clock_of_ours_changes_no_candle(market: Market, interval: str, seconds: int) -> None:
    bench, ask = Bench(ahead=seconds), Ask(market, Range(last=30), interval)
    outcome = bench.one(ask)
    assert (outcome.exit, lies(bench, ask, outcome)) == (ExitCode.OK, [])
    assert ("clock" in notes(outcome)) is (abs(seconds) > 5)


@MARKETS
@TEN_MINUTES
def test_the_first_candles_may_tell_the_time(market: Market, seconds: int) -> None:
    bench, ask = Bench(ahead=seconds), Ask(market, Range(last=30))

    async def with_a_list_from_before() -> Outcome:
        async with bench.session() as before:
            catalog = before.catalog(ask.where)
            await catalog.instruments(market)
        async with bench.session() as session:
            session.catalog(ask.where).lists = catalog.lists
            return await bench.outcome(session, ask)

    outcome = bench.run(with_a_list_from_before())
    assert sum(bench.requests("exchangeInfo").values()) == 1
    assert (outcome.exit, lies(bench, ask, outcome)) == (ExitCode.OK, [])


@MARKETS
def test_an_exchange_whose_clock_is_behind_has_finished_less(market: Market) -> None:
    bench, ask = Bench("clock_skew:seconds=-600"), Ask(market, Range(last=30))
    outcome = bench.one(ask)
    assert (outcome.exit, lies(bench, ask, outcome, skew=-600 * SECOND)) == (ExitCode.OK, [])
    assert outcome.window.end == meant(ask, NOW).end - 10 * MINUTE


@MARKETS
def test_an_exchange_whose_clock_is_ahead_lacks_what_it_should_have(market: Market) -> None:
    bench, ask = Bench("clock_skew:seconds=600"), Ask(market, Range(last=30))
    outcome = bench.one(ask)
    running = Interval.parse("1m").floor(NOW)
    (gap,) = outcome.answer.lost if outcome.answer else ()
    assert outcome.exit is ExitCode.INCOMPLETE
    assert gap.window == Window(running + MINUTE, running + 10 * MINUTE)
    assert delivered(outcome) == truth(bench, ask, Window(running - 20 * MINUTE, running + MINUTE))


@MARKETS
@TEN_MINUTES
def test_a_window_of_the_past_needs_no_clock(market: Market, seconds: int) -> None:
    window = Range(since="2026-11-21T08:00", until="2026-11-21T09:00")
    for bench in (Bench(f"clock_skew:seconds={seconds}"), Bench(ahead=seconds)):
        outcome = bench.one(Ask(market, window))
        assert (outcome.exit, lies(bench, Ask(market, window), outcome)) == (ExitCode.OK, [])


@MARKETS
def test_a_list_that_is_old_by_its_date_does_not_set_the_clock(market: Market) -> None:
    bench, ask = Bench("clock_skew:path=exchangeInfo,seconds=-600"), Ask(market, Range(last=30))
    outcome = bench.one(ask)
    assert (outcome.exit, lies(bench, ask, outcome)) == (ExitCode.OK, [])


@MARKETS
@TEN_MINUTES
def test_a_wait_that_ends_at_a_date_ends_by_the_exchanges_clock(market: Market, seconds: int) -> None:
    bench = Bench("http429_retry_after:path=klines,style=date,seconds=20,first=1", ahead=seconds)
    outcome = bench.one(Ask(market))
    assert outcome.exit is ExitCode.OK
    assert 18 <= bench.clock.seconds < 22


@pytest.mark.xfail(
    strict=True,
    reason="net/client.py better_offset: of two dates the one nearer to our wrong clock wins, also if older",
)
@MARKETS
@pytest.mark.parametrize("window", [Range(last=30), Range(since="2026-11-21T11:30")], ids=["last", "since"])
def test_an_old_date_is_not_believed_because_our_clock_is_as_late(market: Market, window: Range) -> None:
    bench, ask = Bench("clock_skew:path=exchangeInfo,seconds=-600", ahead=-600), Ask(market, window)
    outcome = bench.one(ask)
    assert lies(bench, ask, outcome) == []


@MARKETS
@pytest.mark.parametrize("ahead", [-600, 0, 600])
@pytest.mark.parametrize("path", ["klines", "exchangeInfo"])
def test_slow_answers_do_not_set_the_clock_back(market: Market, ahead: int, path: str) -> None:
    bench, ask = Bench(f"delay:ms=5000,path={path}", ahead=ahead), Ask(market, Range(last=30))
    outcome = bench.one(ask)
    assert (outcome.exit, lies(bench, ask, outcome)) == (ExitCode.OK, [])
