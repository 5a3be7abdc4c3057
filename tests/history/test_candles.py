"""The engine against an exchange in memory: everything it has, each once, and a reason for the rest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli import frames
from marketcli.datasets import OHLC
from marketcli.errors import DecodeError, IntegrityError, NetworkError
from marketcli.history.candles import History, Source, resampled
from marketcli.history.check import SETTLE
from marketcli.models import DAY, HOUR, MINUTE, Instrument, Interval, Market, Window
from marketcli.paging import by_window
from marketcli.spec import Endpoint, Page, Query

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.spec import Rows

START = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z, a Saturday
COLUMNS = ("time", "open", "high", "low", "close", "volume_base", "volume_quote", "trades", "taker_buy_base")
BTC = Instrument("x", Market.LINEAR, "BTC-USDT-PERP", "BTCUSDT", "BTC", "USDT", "USDT")
MINUTES = Interval.parse("1m")


def candle(time: int) -> tuple[Any, ...]:
    price = 100.0 + time // MINUTE % 97
    return (time, price, price + 2, price - 2, price + 1, 3.0, 3 * price, 5, 1.0)


@dataclass
class Exchange:
    """Has candles at `times`; `spoil` may change what a page gives, told how often it was asked before."""

    times: list[int]
    interval: Interval = MINUTES
    limit: int = 10
    now: int = START + 3 * DAY
    spoil: Callable[[Rows, Page, int], Rows] = lambda rows, *_: rows
    span: timedelta | None = None
    instrument: Instrument = BTC
    asked: list[Page] = field(default_factory=list)

    async def ask(self, endpoint: Endpoint, query: Query, page: Page) -> Rows:
        assert endpoint.limit == self.limit
        assert page.window is not None
        before = sum(page.window == other.window for other in self.asked)
        self.asked.append(page)
        await asyncio.sleep(0)
        if self.span is not None:
            assert page.window.end - page.window.start <= self.span // timedelta(microseconds=1)
        rows = [candle(time) for time in self.times if time in page.window][: page.limit]
        assert query.window is not None
        return self.spoil(rows, page, before)

    def source(self) -> Source:
        endpoint = Endpoint(
            OHLC, "/x", lambda *_: {}, lambda *_: [], COLUMNS, by_window, self.limit, "", span=self.span
        )
        return Source(self.ask, endpoint, self.instrument, self.interval, lambda: self.now, lambda _: None)

    def get(self, window: Window) -> History:
        return asyncio.run(self.source().candles(window))


def grid(count: int, *, start: int = START, step: int = MINUTE) -> list[int]:
    return [start + number * step for number in range(count)]


def times(history: History) -> list[int]:
    return frames.opens(history.frame)


def gaps(history: History) -> list[tuple[int, int, str]]:
    return [((gap.window.start - START) // MINUTE, gap.missing, gap.cause) for gap in history.gaps]


def test_all_pages_make_one_answer() -> None:
    exchange = Exchange(grid(95))
    history = exchange.get(Window(START, START + 95 * MINUTE))
    assert times(history) == grid(95)
    assert history.gaps == ()
    assert len(exchange.asked) == 10
    row = history.frame.row(0, named=True)
    assert (row["exchange"], row["market"], row["symbol"], row["native"], row["interval"], row["source"]) == (
        "x", "linear", "BTC-USDT-PERP", "BTCUSDT", "1m", "rest",
    )  # fmt: skip
    assert row["volume_contracts"] is None


def test_a_hole_is_asked_for_twice_and_told() -> None:
    have = [time for time in grid(100) if not START + 20 * MINUTE <= time < START + 57 * MINUTE]
    exchange = Exchange(have)
    history = exchange.get(Window(START, START + 100 * MINUTE))
    assert times(history) == have
    assert gaps(history) == [(20, 37, "absent")]
    assert len(exchange.asked) == 10 + 1  # one row of the long hole is looked for, not its four pages
    assert exchange.asked[-1].limit == 1


def test_a_page_that_was_wrongly_empty_is_mended() -> None:
    exchange = Exchange(grid(100), spoil=lambda rows, page, before: [] if page.window == bad and not before else rows)
    bad = Window(START + 30 * MINUTE, START + 40 * MINUTE)
    history = exchange.get(Window(START, START + 100 * MINUTE))
    assert times(history) == grid(100)
    assert history.gaps == ()


def test_missing_rows_here_and_there_are_mended() -> None:
    exchange = Exchange(grid(100), spoil=lambda rows, *_: rows if len(exchange.asked) > 10 else rows[::3])
    assert times(exchange.get(Window(START, START + 100 * MINUTE))) == grid(100)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows, *_: [candle(START - MINUTE), *rows, candle(START + 500 * MINUTE)],
        lambda rows, *_: [*rows, *rows],
        lambda rows, *_: rows[::-1],
        lambda rows, *_: rows[1:] + rows[:1] + rows[:2],
    ],
    ids=["outside the window", "twice", "newest first", "shuffled and twice"],
)
def test_disorder_leaves_no_trace(spoil: Callable[[Rows, Page, int], Rows]) -> None:
    history = Exchange(grid(45), spoil=spoil).get(Window(START, START + 45 * MINUTE))
    assert times(history) == grid(45)
    assert history.gaps == ()


def test_two_different_rows_for_one_time_are_an_error() -> None:
    exchange = Exchange(grid(5), spoil=lambda rows, *_: [*rows, (rows[0][0], 9.9, *rows[0][2:])])
    with pytest.raises(IntegrityError, match="two different rows"):
        exchange.get(Window(START, START + 5 * MINUTE))


def test_rows_from_the_future_are_an_error() -> None:
    exchange = Exchange(grid(5), now=START - 2 * DAY)
    with pytest.raises(DecodeError, match="future"):
        exchange.get(Window(START, START + 5 * MINUTE))


def test_an_error_of_one_page_is_the_answer() -> None:
    def spoil(rows: Rows, page: Page, _: int) -> Rows:
        if page.window and page.window.start >= START + 50 * MINUTE:
            raise NetworkError("down")
        return rows

    with pytest.raises(NetworkError, match="down"):
        Exchange(grid(100), spoil=spoil).get(Window(START, START + 100 * MINUTE))


def test_the_unfinished_candle_is_marked_by_the_exchange_s_clock() -> None:
    exchange = Exchange(grid(10), now=START + 9 * MINUTE + 30_000_000)
    history = exchange.get(Window(START, START + 10 * MINUTE))
    assert history.frame["closed"].to_list() == [True] * 9 + [False]
    assert history.gaps == ()


def test_a_candle_counts_as_closed_only_when_it_has_settled() -> None:
    end = START + 10 * MINUTE
    assert not Exchange(grid(10), now=end + SETTLE - 1).get(Window(START, end)).frame["closed"][-1]
    assert Exchange(grid(10), now=end + SETTLE).get(Window(START, end)).frame["closed"][-1]


def test_what_is_not_over_yet_is_not_missing() -> None:
    history = Exchange(grid(5), now=START + 5 * MINUTE).get(Window(START, START + 60 * MINUTE))
    assert history.gaps == ()


def test_before_the_listing_nothing_is_missing() -> None:
    instrument = replace(BTC, listed=START + 30 * MINUTE)
    have = grid(70, start=START + 30 * MINUTE)
    history = Exchange(have, instrument=instrument).get(Window(START, START + 100 * MINUTE))
    assert gaps(history) == [(0, 30, "not-listed")]
    assert history.gaps[0].expected


def test_without_a_listing_date_the_first_candle_is_looked_for() -> None:
    have = grid(70, start=START + 30 * MINUTE)
    exchange = Exchange(have)
    assert gaps(exchange.get(Window(START, START + 100 * MINUTE))) == [(0, 30, "not-listed")]
    older = Exchange([START - 900 * DAY, *have])
    assert gaps(older.get(Window(START, START + 100 * MINUTE))) == [(0, 30, "absent")]


def test_a_long_hole_after_the_listing_date_is_not_excused_by_it() -> None:
    instrument = replace(BTC, listed=START + 5 * DAY)
    have = grid(48, start=START + 9 * DAY, step=HOUR)
    exchange = Exchange(have, interval=Interval.parse("1h"), instrument=instrument, now=START + 20 * DAY)
    history = exchange.get(Window(START, START + 11 * DAY))
    assert [(gap.missing, gap.cause) for gap in history.gaps] == [(120, "not-listed"), (96, "absent")]


def test_a_window_closes_where_the_instrument_ends() -> None:
    instrument = replace(BTC, expiry=START + 50 * MINUTE)
    exchange = Exchange(grid(50), instrument=instrument)
    history = exchange.get(Window(START, START + 100 * MINUTE))
    assert times(history) == grid(50)
    assert history.gaps == ()
    assert all(page.window and page.window.end <= START + 50 * MINUTE for page in exchange.asked)


def test_a_halted_instrument_has_ended() -> None:
    history = Exchange(grid(50), instrument=replace(BTC, status="halted")).get(Window(START, START + 100 * MINUTE))
    assert gaps(history) == [(50, 50, "ended")]


def test_no_request_is_longer_than_the_exchange_allows() -> None:
    hours = Interval.parse("1h")
    have = [*grid(24, step=HOUR), *grid(24, start=START + 60 * DAY, step=HOUR)]
    exchange = Exchange(have, interval=hours, limit=500, span=timedelta(days=10), now=START + 90 * DAY)
    history = exchange.get(Window(START, START + 61 * DAY))
    assert [(gap.missing, gap.cause) for gap in history.gaps] == [(59 * 24, "absent")]


def test_rows_that_contradict_themselves_are_counted_and_kept() -> None:
    def spoil(rows: Rows, *_: object) -> Rows:
        return [(*rows[0][:2], rows[0][3], rows[0][2], *rows[0][4:]), *rows[1:]]

    history = Exchange(grid(30), spoil=spoil).get(Window(START, START + 30 * MINUTE))
    assert history.impossible == 3
    assert len(times(history)) == 30


def test_rows_off_the_grid_are_counted_and_kept() -> None:
    have = [*grid(9), START + 9 * MINUTE + 1_000_000]
    history = Exchange(have).get(Window(START, START + 10 * MINUTE))
    assert (history.off_grid, history.gaps) == (1, ())


def test_longer_candles_are_built_from_whole_shorter_ones() -> None:
    exchange = Exchange(grid(60))
    target = replace(exchange.source(), interval=Interval.parse("7m"))
    first = Interval.parse("7m").ceil(START)
    history = asyncio.run(resampled(target, MINUTES, Window(START, START + 50 * MINUTE)))
    row = history.frame.row(0, named=True)
    parts = [candle(first + number * MINUTE) for number in range(7)]
    assert (row["interval"], row["source"]) == ("7m", "resampled:1m")
    assert (row["open"], row["close"]) == (parts[0][1], parts[-1][4])
    assert (row["high"], row["low"]) == (max(p[2] for p in parts), min(p[3] for p in parts))
    assert (row["volume_base"], row["trades"]) == (21.0, 35)
    assert row["volume_contracts"] is None


def test_a_resampled_candle_is_closed_when_it_is_over() -> None:
    exchange = Exchange(grid(30), now=START + 25 * MINUTE + SETTLE)
    target = replace(exchange.source(), interval=Interval.parse("10m"))
    history = asyncio.run(resampled(target, MINUTES, Window(START, START + 30 * MINUTE)))
    assert history.frame["closed"].to_list() == [True, True, False]


@given(
    missing=st.sets(st.integers(0, 119), max_size=60),
    limit=st.integers(1, 40),
    start=st.integers(0, 60),
    length=st.integers(1, 60),
)
def test_rows_and_gaps_together_are_the_window(missing: set[int], limit: int, start: int, length: int) -> None:
    have = [START + number * MINUTE for number in range(120) if number not in missing]
    window = Window(START + start * MINUTE, START + (start + length) * MINUTE)
    history = Exchange([START - DAY, *have], limit=limit).get(window)
    lost = [
        time
        for gap in history.gaps
        for time in range(gap.window.start, gap.window.end, MINUTE)
    ]  # fmt: skip
    assert sorted(times(history) + lost) == [time for time in grid(120) if time in window]
    assert set(times(history)) <= set(have)
