from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.models import DAY, HOUR, MINUTE, SECOND
from marketcli.output import cells
from marketcli.output.theme import ASCII, DRAWN

MIDNIGHT = 1_795_219_200_000_000  # 2026-11-21


def moments(*micros: int | None) -> pl.Series:
    return pl.Series("time", [*micros], dtype=pl.Datetime("us", "UTC"))


def test_prices_stand_with_their_points_under_each_other() -> None:
    assert cells.exact(pl.Series([61234.5, 7.0, None, 0.25])) == ["61,234.5 ", "7   ", "", "0.25"]


def test_prices_show_the_digits_of_the_tick() -> None:
    assert cells.exact(pl.Series([61234.0, 61234.5]), filled=2) == ["61,234.00", "61,234.50"]
    assert cells.places_of(0.1) == 1
    assert cells.places_of(1e-7) == 7
    assert cells.places_of(5.0) == 0
    assert cells.places_of(None) == 0


def test_no_digit_of_a_price_is_lost() -> None:
    assert cells.exact(pl.Series([-0.000000123, 1e16, 0.30000000000000004])) == [
        "-0.000000123        ",
        "10,000,000,000,000,000                  ",
        "0.30000000000000004",
    ]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_exact_cells_read_back_as_the_numbers(values: list[float]) -> None:
    shown = cells.exact(pl.Series(values))
    assert [float(cell.replace(",", "")) for cell in shown] == values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.00123456, "0.00123"),
        (0.5, "0.500"),
        (9.999, "10.0"),
        (987.4, "987"),
        (999.6, "1.00k"),
        (12_345.0, "12.3k"),
        (999_499.0, "999k"),
        (999_999.0, "1.00M"),
        (4_560_000.0, "4.56M"),
        (1.5e9, "1.50B"),
        (2.25e12, "2.25T"),
        (7.5e15, "7500T"),
        (-12_345.0, "-12.3k"),
        (float("nan"), ""),
    ],
)
def test_amounts_in_three_digits(value: float, text: str) -> None:
    assert cells.short(value) == text


@given(st.floats(min_value=1e-9, max_value=1e15))
def test_a_short_amount_is_within_half_a_percent(value: float) -> None:
    text = cells.short(value)
    factor = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(text[-1], 1.0)
    assert float(text.rstrip("kMBT")) * factor == pytest.approx(value, rel=0.0051)


def test_amounts_with_and_without_suffix_stand_under_each_other() -> None:
    assert cells.shorts(pl.Series([987.0, 12_345.0, None])) == ["987 ", "12.3k", ""]
    assert cells.shorts(pl.Series([987.0, 1.0])) == ["987", "1.00"]


def test_changes_have_a_sign_and_an_arrow() -> None:
    before, after = [100.0, 100.0, 100.0, None], [101.25, 99.5, 100.0, 1.0]
    assert cells.changes(before, after, DRAWN) == ["▲+1.25%", "▼-0.50%", "0.00%", ""]
    assert cells.changes(before, after, ASCII) == ["+1.25%", "-0.50%", "0.00%", ""]


def test_what_may_be_negative_has_no_percent() -> None:
    assert cells.changes([-0.001, 0.0, 0.5], [0.001, -0.1, 0.5], DRAWN) == ["▲", "▼", "="]
    assert cells.changes([-0.001, 0.0, 0.5], [0.001, -0.1, 0.5], ASCII) == ["+", "-", "="]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((MIDNIGHT, MIDNIGHT + DAY), "2026-11-21"),
        ((MIDNIGHT, MIDNIGHT + HOUR), "00:00"),
        ((MIDNIGHT + HOUR, MIDNIGHT + DAY), "11-21 01:00"),
        ((MIDNIGHT + HOUR, MIDNIGHT + 50 * DAY), "2026-11-21 01:00"),
        ((MIDNIGHT, MIDNIGHT + SECOND), "00:00:00"),
        ((MIDNIGHT, MIDNIGHT + 1_000), "00:00:00.000"),
        ((MIDNIGHT, MIDNIGHT + 1), "00:00:00.000000"),
    ],
)
def test_times_show_what_varies(times: tuple[int, int], expected: str) -> None:
    values = moments(*times)
    assert cells.times(values, cells.lean_pattern(values))[0] == expected


def test_a_period_says_the_date_once() -> None:
    assert cells.period(moments(MIDNIGHT, MIDNIGHT + HOUR), "–") == "2026-11-21 00:00 – 01:00"  # noqa: RUF001 - as drawn
    assert cells.period(moments(MIDNIGHT + HOUR, MIDNIGHT + DAY), "to") == "2026-11-21 01:00 to 2026-11-22 00:00"
    assert cells.period(moments(MIDNIGHT, MIDNIGHT + DAY), "to") == "2026-11-21 to 2026-11-22"
    assert cells.period(moments(MIDNIGHT), "to") == "2026-11-21"


def test_times_are_those_of_the_clock_in_utc() -> None:
    (text,) = cells.times(moments(MIDNIGHT + HOUR + MINUTE), "%Y-%m-%d %H:%M")
    assert datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp() * 1e6 == MIDNIGHT + HOUR + MINUTE
    assert cells.times(moments(None), "%H:%M") == [""]


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (754 * SECOND, "12:34"),
        (3 * HOUR + 754 * SECOND, "3:12:34"),
        (2 * DAY + 3 * HOUR + 754 * SECOND, "2 d 03:12"),
        (0, "00:00"),
        (-SECOND, "00:00"),
    ],
)
def test_a_countdown_reads_like_a_clock(left: int, text: str) -> None:
    assert cells.countdown(left) == text


def test_a_sparkline_rises_and_falls_with_the_values() -> None:
    assert cells.spark([1.0, 2.0, 3.0, 2.0], 10, DRAWN.bars) == "▁▅█▅"
    assert cells.spark([float(value) for value in range(100)], 8, DRAWN.bars) == "▁▂▃▄▅▆▇█"
    assert cells.spark([5.0, 5.0], 8, DRAWN.bars) == "▅▅"
    assert cells.spark([5.0], 8, DRAWN.bars) == ""
    assert cells.spark([1.0, 2.0], 8, ASCII.bars) == ""


@given(st.lists(st.floats(-1e15, 1e15), min_size=2), st.integers(1, 60))
def test_a_sparkline_ends_with_the_last_value_and_fits(values: list[float], width: int) -> None:
    line = cells.spark(values, width, DRAWN.bars)
    assert len(line) == min(width, len(values))
    if values[-1] == max(values) > min(values) and width >= len(values):
        assert line[-1] == "█"


def test_flags_and_counts() -> None:
    assert cells.flags(pl.Series([True, False, None]), DRAWN) == ["✓", DRAWN.no, ""]
    assert cells.counts(pl.Series([1_234_567, None])) == ["1,234,567", ""]
