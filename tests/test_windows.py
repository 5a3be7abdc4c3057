"""The date grammar, and arithmetic on windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.errors import UsageError
from marketcli.models import DAY, GENESIS, Window, iso, to_datetime, to_micros
from marketcli.windows import LATEST, join, overlap, parse_span, parse_span_after, parse_time, split, subtract

NOW = to_micros(datetime(2026, 11, 21, 9, 30, 15, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024", "2024-01-01T00:00:00Z"),
        ("2024-01", "2024-01-01T00:00:00Z"),
        ("2024-11", "2024-11-01T00:00:00Z"),
        ("2024Q1", "2024-01-01T00:00:00Z"),
        ("2024q4", "2024-10-01T00:00:00Z"),
        ("2024-Q3", "2024-07-01T00:00:00Z"),
        ("2024-02-29", "2024-02-29T00:00:00Z"),
        ("2024-01-31T12:00", "2024-01-31T12:00:00Z"),
        ("2024-01-31 12:00:30", "2024-01-31T12:00:30Z"),
        ("2024-01-31T12:00:30.25Z", "2024-01-31T12:00:30.250Z"),
        ("2024-01-31T12:00:00+02:00", "2024-01-31T10:00:00Z"),
        ("2026-03-29", "2026-03-29T00:00:00Z"),
        ("1705312800", "2024-01-15T10:00:00Z"),
        ("1705312800000", "2024-01-15T10:00:00Z"),
        ("1705312800000000", "2024-01-15T10:00:00Z"),
        ("1705312800000000000", "2024-01-15T10:00:00Z"),
        ("now", "2026-11-21T09:30:15Z"),
        ("today", "2026-11-21T00:00:00Z"),
        ("Yesterday", "2026-11-20T00:00:00Z"),
        ("7d", "2026-11-14T09:30:15Z"),
        ("-7d", "2026-11-14T09:30:15Z"),
        ("90m", "2026-11-21T08:00:15Z"),
        ("2w", "2026-11-07T09:30:15Z"),
        ("9mo", "2026-02-21T09:30:15Z"),
        ("1y", "2025-11-21T09:30:15Z"),
        (" 2024 ", "2024-01-01T00:00:00Z"),
    ],
)
def test_what_people_write_means_what_they_mean(text: str, moment: str) -> None:
    assert iso(parse_time(text, now=NOW)) == moment


@pytest.mark.parametrize(
    "text",
    ["", "foo", "01/02/2024", "2024-13-01", "2024-13", "2024-02-30", "2024Q5", "20240101", "12", "7", "7 d", "7D", "1M",
     "2024-01-31T25:00", "2024-01-31T12:00 Europe/Rome", "١٢٣٤", "2024-1-1",
     "--7d", "0x7e8", "1e9", "nan", "170531280000"],
)  # fmt: skip
def test_anything_else_is_an_error_that_shows_the_forms(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_time(text, now=NOW)
    assert repr(text) in caught.value.message
    assert "2024Q1" in caught.value.hint


@pytest.mark.parametrize("text", ["2008", "2300", "9999", "1000000000", "4000y", "999999y"])
def test_dates_without_market_data_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_time(text, now=NOW)


def test_months_keep_the_day_or_take_the_last() -> None:
    march_end = to_micros(datetime(2024, 3, 31, 12, tzinfo=UTC))
    assert iso(parse_time("1mo", now=march_end)) == "2024-02-29T12:00:00Z"
    assert iso(parse_time("1y", now=to_micros(datetime(2024, 2, 29, tzinfo=UTC)))) == "2023-02-28T00:00:00Z"
    assert iso(parse_span_after("1mo", start=to_micros(datetime(2024, 1, 31, tzinfo=UTC)))) == "2024-02-29T00:00:00Z"


@pytest.mark.parametrize("text", ["", "0d", "-7d", "7", "d", "7 days", "99999y", "2024"])
def test_spans_are_a_number_and_a_unit(text: str) -> None:
    with pytest.raises(UsageError):
        parse_span(text, ending=NOW)
    with pytest.raises(UsageError):
        parse_span_after(text, start=NOW)


@given(st.text(max_size=40))
def test_arbitrary_text_gives_a_date_with_data_or_our_error(text: str) -> None:
    try:
        time = parse_time(text, now=NOW)
    except UsageError:
        return
    assert GENESIS <= time <= LATEST


@given(st.datetimes(datetime(2010, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_iso_text_reads_back_exactly(moment: datetime) -> None:
    time = to_micros(moment.replace(tzinfo=UTC))
    assert parse_time(iso(time), now=NOW) == time
    assert to_datetime(time) == moment.replace(tzinfo=UTC)


WINDOWS = st.tuples(st.integers(0, 200), st.integers(1, 50)).map(lambda t: Window(t[0], t[0] + t[1]))


def covered(windows: list[Window]) -> set[int]:
    return {time for window in windows for time in range(window.start, window.end)}


@given(WINDOWS, st.lists(WINDOWS, max_size=8))
def test_what_is_left_and_what_is_taken_make_the_whole(window: Window, holes: list[Window]) -> None:
    left = subtract(window, holes)
    assert covered(left) == covered([window]) - covered(holes)
    assert left == join(left)


@given(st.lists(WINDOWS, max_size=8))
def test_joined_windows_cover_the_same_and_do_not_touch(windows: list[Window]) -> None:
    joined = join(windows)
    assert covered(joined) == covered(windows)
    assert all(one.end < other.start for one, other in pairwise(joined))


@given(WINDOWS, WINDOWS)
def test_overlap_is_what_both_hold(one: Window, other: Window) -> None:
    shared = overlap(one, other)
    assert covered([shared] if shared else []) == covered([one]) & covered([other])


def test_split_cuts_into_pieces_that_follow_each_other() -> None:
    pieces = split(Window(0, 5 * DAY + 7), 2 * DAY)
    assert [piece.end - piece.start for piece in pieces] == [2 * DAY, 2 * DAY, DAY + 7]
    assert timedelta(microseconds=pieces[-1].end).days == 5
