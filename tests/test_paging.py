"""Pagers against a small exchange in memory: everything, once, whatever the page size."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.datasets import OHLC
from marketcli.errors import PageStalled
from marketcli.models import DAY, HOUR, Interval, Market, Window
from marketcli.paging import backward, by_cursor, by_window, forward, whole
from marketcli.spec import Continued, Endpoint, Page, Query

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.spec import Pager, Rows


def endpoint(pager: Pager, limit: int, *, span: timedelta | None = None) -> Endpoint:
    return Endpoint(OHLC, "/x", lambda *_: {}, lambda *_: [], ("time", "id"), pager, limit, docs="", span=span)


def query(window: Window, interval: str = "1h") -> Query:
    return Query(OHLC, Market.SPOT, None, Interval.parse(interval), window)


def walk(pager: Pager, limit: int, window: Window, answer: Callable[[Page], Rows]) -> tuple[Rows, int]:
    """Drive a walk as the engine does; give all rows once and the number of pages."""
    cell = endpoint(pager, limit)
    pages = pager(cell, query(window))
    assert isinstance(pages, Generator)
    found: dict[tuple[int, int], None] = {}
    asked = 0
    try:
        page = next(pages)
        while True:
            asked += 1
            rows = answer(page)
            found |= {(row[0], row[1]): None for row in rows}
            page = pages.send(rows)
    except StopIteration:
        return list[tuple[object, ...]](sorted(found)), asked


@given(
    st.sampled_from(["1m", "1h", "1d", "3d", "1w", "1M"]),
    st.integers(0, 400),
    st.integers(1, 900),
    st.integers(1, 50),
    st.sampled_from([None, 200]),
)
def test_slices_cover_the_window_once_within_limit_and_span(
    text: str, start: int, length: int, limit: int, days: int | None
) -> None:
    interval = Interval.parse(text)
    window = Window(1_600_000_000_000_000 + start * 7 * HOUR, 1_600_000_000_000_000 + (start * 7 + length * 13) * HOUR)
    span = timedelta(days=days) if days else None
    pages = by_window(endpoint(by_window, limit, span=span), query(window, text))
    opens = [time for page in pages if page.window for time in grid(interval, page.window)]
    assert opens == grid(interval, window)
    for page in pages:
        assert page.window is not None
        assert 1 <= page.limit <= limit
        assert page.limit == len(grid(interval, page.window))
        if span:
            assert page.window.end - page.window.start <= max(200 * DAY, interval.longest)


def grid(interval: Interval, window: Window) -> list[int]:
    opens, time = [], interval.ceil(window.start)
    while time < window.end:
        opens.append(time)
        time = interval.step(time)
    return opens


EVENTS = st.lists(st.integers(0, 60), max_size=80).map(
    lambda times: [(time, n) for n, time in enumerate(sorted(times))]
)
crowded = 6  # events that share one time at most, kept below the page limit


@given(EVENTS, st.integers(0, 40), st.integers(1, 40), st.integers(7, 12))
def test_walks_find_every_event_once(events: Rows, start: int, length: int, limit: int) -> None:
    events = [row for row in events if sum(other[0] == row[0] for other in events) <= crowded]
    window = Window(start, start + length)
    inside = [row for row in events if row[0] in window]

    def oldest_first(page: Page) -> Rows:
        return [row for row in events if page.window and row[0] in page.window][: page.limit]

    def newest_first(page: Page) -> Rows:
        return [row for row in events if page.window and row[0] in page.window][-page.limit :]

    assert walk(forward, limit, window, oldest_first)[0] == inside
    assert walk(backward, limit, window, newest_first)[0] == inside


@pytest.mark.parametrize("pager", [forward, backward])
def test_a_page_full_of_one_time_is_an_error_not_a_skip(pager: Pager) -> None:
    events: Rows = [(10, n) for n in range(20)]
    with pytest.raises(PageStalled, match="cannot be reached"):
        walk(pager, 5, Window(0, 20), lambda page: [row for row in events if page.window and row[0] in page.window][:5])


def test_whole_is_one_page() -> None:
    window = Window(0, DAY)
    assert whole(endpoint(whole, 100), query(window)) == (Page(window, 100),)


def walked(answers: dict[str | int | None, Rows]) -> list[str | int | None]:
    """The cursors that a walk asks with."""
    pages = by_cursor(endpoint(whole, 2), query(Window(0, DAY)))
    assert isinstance(pages, Generator)
    asked: list[str | int | None] = []
    try:
        page = next(pages)
        while True:
            asked.append(page.cursor)
            page = pages.send(answers[page.cursor])
    except StopIteration:
        return asked


def test_a_walk_continues_where_the_exchange_says() -> None:
    first, second = Continued([(1, 1)], "b"), Continued([(2, 2)], "")
    assert walked({None: first, "b": second}) == [None, "b"]
    assert walked({None: [(1, 1)]}) == [None]


def test_a_page_without_rows_may_be_followed_by_one_with_rows() -> None:
    assert walked({None: Continued([], "b"), "b": Continued([(2, 2)], "")}) == [None, "b"]


def test_a_cursor_that_comes_again_is_an_error() -> None:
    with pytest.raises(PageStalled, match="again and again"):
        walked({None: Continued([(1, 1)], "b"), "b": Continued([(1, 1)], "b")})


def test_rows_from_outside_the_window_do_not_move_a_walk() -> None:
    def walk(pager: Pager, rows: Rows) -> list[Window | None]:
        pages = pager(endpoint(whole, 3), query(Window(0, 10 * HOUR)))
        assert isinstance(pages, Generator)
        return [next(pages).window, pages.send(rows).window]

    strange = [(-5 * HOUR, 0), (2 * HOUR, 1), (3 * HOUR, 2), (40 * HOUR, 3)]
    assert walk(forward, strange) == [Window(0, 10 * HOUR), Window(3 * HOUR, 10 * HOUR)]
    assert walk(backward, strange) == [Window(0, 10 * HOUR), Window(0, 2 * HOUR + 1)]
