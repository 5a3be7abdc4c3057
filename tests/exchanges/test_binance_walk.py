"""The walk through Binance's past trades: nothing lost, nothing twice, whichever rows a page by time holds."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.datasets import TRADES_HISTORY
from marketcli.errors import PageStalled
from marketcli.exchanges import load
from marketcli.history.fetch import every_row
from marketcli.models import HOUR, MILLISECOND, MINUTE, SECOND, Market, Window
from marketcli.spec import Query

if TYPE_CHECKING:
    from marketcli.spec import Endpoint, Page, Rows

START = 1_795_219_200_000_000
LINEAR = load("binance").endpoint(TRADES_HISTORY, Market.LINEAR)
SPOT = load("binance").endpoint(TRADES_HISTORY, Market.SPOT)


@dataclass
class Tape:
    """Trades at some times, numbered from `first`; `newest` says which rows a full page by time holds."""

    times: list[int]
    first: int = 100
    newest: bool = False
    most: int = 1_000  # rows an answer has at most, whatever is asked
    kept: int = 0  # ids before it are not served
    pages: list[Page] = field(default_factory=list)

    def rows(self) -> list[tuple[int, str]]:
        return [
            (time, str(number)) for number, time in enumerate(sorted(self.times), self.first) if number >= self.kept
        ]

    async def __call__(self, endpoint: Endpoint, query: Query, page: Page) -> Rows:
        del endpoint
        self.pages.append(page)
        assert len(self.pages) < 1_000
        limit = min(page.limit, self.most)
        if page.cursor is not None:
            return [row for row in self.rows() if int(row[1]) >= int(page.cursor)][:limit]
        assert page.window is not None
        assert query.window is not None
        assert page.window.end - page.window.start <= HOUR
        assert query.window.start <= page.window.start < page.window.end <= query.window.end
        found = [row for row in self.rows() if row[0] in page.window]
        return found[-limit:] if self.newest else found[:limit]


def walked(tape: Tape, window: Window, *, limit: int, endpoint: Endpoint | None = LINEAR) -> list[str]:
    """The ids of the window's rows that came, as often as they came."""
    assert endpoint is not None
    small = replace(endpoint, limit=limit, columns=("time", "id"))
    rows = asyncio.run(every_row(tape, small, Query(TRADES_HISTORY, Market.LINEAR, None, None, window)))
    return [row[1] for row in rows if row[0] in window]


def expected(tape: Tape, window: Window) -> list[str]:
    return [number for time, number in tape.rows() if time in window]


OFFSETS = st.lists(st.integers(-40, 200).map(lambda minute: minute * MINUTE), max_size=60)


@given(offsets=OFFSETS, newest=st.booleans(), limit=st.integers(2, 7), first=st.sampled_from([0, 1, 100]))
def test_every_trade_of_the_window_comes(offsets: list[int], newest: bool, limit: int, first: int) -> None:  # noqa: FBT001
    tape = Tape([START + offset for offset in offsets], newest=newest, first=first)
    window = Window(START, START + 150 * MINUTE)
    came = walked(tape, window, limit=limit)
    assert sorted(set(came), key=int) == expected(tape, window)


@given(offsets=OFFSETS, limit=st.integers(2, 7))
def test_no_page_repeats_another_where_the_oldest_come_first(offsets: list[int], limit: int) -> None:
    tape = Tape([START + offset for offset in offsets])
    came = Counter(walked(tape, Window(START, START + 150 * MINUTE), limit=limit))
    first = min(came, key=int, default=None)
    assert all(count == (2 if number == first else 1) for number, count in came.items())  # the one that was looked for


@pytest.mark.parametrize("newest", [False, True])
def test_many_trades_of_one_millisecond_are_told_apart_by_their_ids(newest: bool) -> None:  # noqa: FBT001
    tape = Tape([START + SECOND] * 25, newest=newest)
    window = Window(START, START + MINUTE)
    assert sorted(set(walked(tape, window, limit=4)), key=int) == expected(tape, window)


def test_an_answer_with_fewer_rows_than_asked_for_is_not_the_end() -> None:
    tape = Tape([START + second * SECOND for second in range(100)], most=10)
    window = Window(START + 5 * SECOND, START + 95 * SECOND)
    assert sorted(set(walked(tape, window, limit=1_000)), key=int) == expected(tape, window)


def test_a_short_window_takes_two_requests_and_a_long_one_as_few_as_there_are_pages() -> None:
    tape = Tape([START + second * SECOND for second in range(-10, 3_000)])
    walked(tape, Window(START, START + 500 * SECOND), limit=1_000)
    assert [page.limit for page in tape.pages] == [1, 1_000]
    assert tape.pages[1].cursor == 109  # the one before the first
    tape.pages.clear()
    walked(tape, Window(START, START + 2_500 * SECOND), limit=1_000)
    assert [page.cursor for page in tape.pages] == [None, 109, 1_109, 2_109]


def test_hours_without_trades_are_passed_over_one_by_one_on_futures_only() -> None:
    window = Window(START, START + 5 * HOUR)
    futures, spot = Tape([START + 4 * HOUR + MINUTE]), Tape([START + 30 * MINUTE])
    assert walked(futures, window, limit=10) == ["100"] * 2
    asked = [page.window for page in futures.pages if page.cursor is None]
    assert asked == [Window(START + hour * HOUR, START + (hour + 1) * HOUR) for hour in range(5)]
    silent = Tape([])
    assert walked(silent, window, limit=10) == []
    assert len(silent.pages) == 5
    walked(spot, Window(START, START + HOUR), limit=10, endpoint=SPOT)
    assert [page.window for page in spot.pages if page.cursor is None] == [Window(START, START + HOUR)]


def test_what_is_kept_no_longer_ends_the_walk_back() -> None:
    tape = Tape([START + second * SECOND for second in range(50)], newest=True, kept=120)
    window = Window(START, START + MINUTE)
    assert sorted(set(walked(tape, window, limit=10)), key=int) == expected(tape, window)
    assert len(tape.pages) < 12


def test_an_exchange_that_ignores_ids_is_not_asked_forever() -> None:
    class Stuck(Tape):
        async def __call__(self, endpoint: Endpoint, query: Query, page: Page) -> Rows:
            rows = await super().__call__(
                endpoint, query, replace(page, cursor=None, window=Window(START, START + HOUR))
            )
            assert len(self.pages) < 10
            return rows

    with pytest.raises(PageStalled, match="aggTrades"):
        walked(Stuck([START + second * SECOND for second in range(50)]), Window(START, START + HOUR), limit=10)


def test_trades_after_the_window_are_not_walked_through() -> None:
    tape = Tape([START + step * 10 * MILLISECOND for step in range(5_000)])
    walked(tape, Window(START, START + SECOND), limit=50)
    assert len(tape.pages) == 4  # 100 trades and one on each side
