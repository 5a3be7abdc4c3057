"""What is missing is named, and called 'not listed yet' or whole only where that is so (reliability.md H9, D2, D11)."""

from __future__ import annotations

import pytest
from faults.bench import Ask, Bench
from faults.schedules import BEGAN
from faults.truth import lies

from marketcli.api.candles import Range
from marketcli.errors import ExitCode
from marketcli.history.check import ABSENT, ENDED, NOT_LISTED
from marketcli.models import DAY, HOUR, Interval, Market, Window, iso

MARKETS = pytest.mark.parametrize("market", Market)


@MARKETS
@pytest.mark.parametrize("interval", ["1m", "1h", "1d", "10m"])
def test_before_the_beginning_nothing_is_missing(market: Market, interval: str) -> None:
    grid = Interval.parse(interval)
    end = grid.step(grid.floor(BEGAN[market]), 20)
    bench, ask = Bench(), Ask(market, Range(since=iso(grid.step(end, -50)), until=iso(end)), interval)
    outcome = bench.one(ask)
    assert (outcome.exit, lies(bench, ask, outcome)) == (ExitCode.OK, [])
    assert outcome.answer is not None
    assert [gap.cause for gap in outcome.answer.gaps] == [NOT_LISTED]
    assert outcome.answer.frame.height == 20


@pytest.mark.parametrize("market", [Market.LINEAR, Market.INVERSE])
def test_the_candle_in_which_it_was_listed_is_missing_and_not_unlisted(market: Market) -> None:
    grid = Interval.parse("4h")
    first = grid.floor(BEGAN[market])
    span = Range(since=iso(grid.step(first, -5)), until=iso(grid.step(first, 5)))
    bench, ask = Bench("empty_200:path=klines"), Ask(market, span, "4h")
    outcome = bench.one(ask)
    assert (outcome.exit, lies(bench, ask, outcome)) == (ExitCode.INCOMPLETE, [])
    assert outcome.answer is not None
    assert [(gap.cause, gap.missing) for gap in outcome.answer.gaps] == [(NOT_LISTED, 5), (ABSENT, 5)]


@pytest.mark.parametrize("market", [Market.LINEAR, Market.INVERSE])
def test_a_hole_at_the_start_of_a_window_long_after_the_listing_is_a_gap(market: Market) -> None:
    bench = Bench(f"missing_rows:from={iso(BEGAN[market] - DAY)},to=2026-11-10")
    ask = Ask(market, Range(since="2026-11-01", until="2026-11-20"), "1d")
    outcome = bench.one(ask)
    assert lies(bench, ask, outcome) == []
    assert outcome.exit is ExitCode.INCOMPLETE


@MARKETS
def test_a_stalled_page_does_not_prove_that_there_is_nothing_before(market: Market) -> None:
    end = Interval.parse("1h").ceil(BEGAN[market]) + 50 * HOUR
    bench = Bench("stalled_page")
    whole = Ask(market, Range(since=iso(end - 10 * HOUR), until=iso(end)), "1h", limit=10)
    ask = Ask(market, Range(since=iso(end - 30 * HOUR), until=iso(end)), "1h", limit=10)

    async def one_after_the_other() -> list[str]:
        async with bench.session() as session:
            await bench.outcome(session, whole)
            return lies(bench, ask, await bench.outcome(session, ask))

    assert bench.run(one_after_the_other()) == []


@MARKETS
def test_an_empty_page_that_comes_twice_does_not_move_the_beginning(market: Market) -> None:
    began = Interval.parse("1h").ceil(BEGAN[market])
    bench = Bench("empty_200:path=klines,first=1", "empty_200:path=klines,every=3,first=3")
    ask = Ask(market, Range(since=iso(began - 10 * HOUR), until=iso(began + 20 * HOUR)), "1h", limit=15)
    outcome = bench.one(ask)
    assert lies(bench, ask, outcome) == []
    assert outcome.exit is ExitCode.INCOMPLETE


AROUND_THE_END = Ask(Market.SPOT, Range(since="2024-09-09", until="2024-09-12"), "1h", limit=15, base="MATIC")


def test_after_the_end_nothing_is_missing() -> None:
    bench = Bench()
    outcome = bench.one(AROUND_THE_END)
    assert (outcome.exit, lies(bench, AROUND_THE_END, outcome)) == (ExitCode.OK, [])
    assert outcome.answer is not None
    assert [gap.cause for gap in outcome.answer.gaps] == [ENDED]


def test_a_stalled_page_does_not_move_the_end() -> None:
    bench = Bench("stalled_page:path=klines")
    outcome = bench.one(AROUND_THE_END)
    assert lies(bench, AROUND_THE_END, outcome) == []


@MARKETS
@pytest.mark.parametrize("page", [7, 25, 499])
def test_a_hole_inside_a_window_is_one_gap_with_its_bounds(market: Market, page: int) -> None:
    bench = Bench("missing_rows:from=2026-11-20T10:03,to=2026-11-20T11:44")
    ask = Ask(market, Range(since="2026-11-20T09:00", until="2026-11-20T13:00"), limit=page)
    outcome = bench.one(ask)
    assert (outcome.exit, lies(bench, ask, outcome)) == (ExitCode.INCOMPLETE, [])
    assert outcome.answer is not None
    start = outcome.window.start
    (gap,) = outcome.answer.gaps
    assert (gap.cause, gap.missing) == (ABSENT, 101)
    assert gap.window == Window(start + 63 * HOUR // 60, start + 164 * HOUR // 60)


@MARKETS
def test_a_hole_of_years_is_asked_about_in_few_requests(market: Market) -> None:
    bench = Bench("missing_rows:from=2022-01-01,to=2026-11-01")
    ask = Ask(market, Range(since="2021-12-01", until="2026-11-10"), "1d", limit=25)
    outcome = bench.one(ask)
    assert (outcome.exit, lies(bench, ask, outcome)) == (ExitCode.INCOMPLETE, [])
    assert sum(bench.requests().values()) <= 1_805 // 25 + 1 + (
        1 + 1_765 * DAY // (200 * DAY) if market == "inverse" else 1
    )


@MARKETS
def test_a_candle_is_not_built_from_some_of_its_parts(market: Market) -> None:
    bench = Bench("missing_rows:from=2026-11-20T10:05,to=2026-11-20T10:10")
    ask = Ask(market, Range(since="2026-11-20T09:00", until="2026-11-20T12:00"), "10m")
    outcome = bench.one(ask)
    assert (outcome.exit, lies(bench, ask, outcome)) == (ExitCode.INCOMPLETE, [])


@MARKETS
@pytest.mark.parametrize("interval", ["10m", "90m", "2d", "3h"])
def test_candles_the_exchange_lacks_are_built_from_whole_ones(market: Market, interval: str) -> None:
    bench, ask = Bench(), Ask(market, Range(last=30), interval)
    outcome = bench.one(ask)
    assert (outcome.exit, lies(bench, ask, outcome)) == (ExitCode.OK, [])
