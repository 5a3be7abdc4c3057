from __future__ import annotations

import random
import struct
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.errors import UsageError
from marketcli.models import iso
from marketcli.output.text import texts
from marketcli.text import number

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def shown(values: list[object], kind: str, dtype: pl.DataType, *, time: str = "iso") -> list[str | None]:
    return texts(pl.DataFrame({"x": pl.Series(values, dtype=dtype)}), {"x": kind}, time=time)["x"].to_list()


def micros(*values: int | None, time: str = "iso") -> list[str | None]:
    return shown([*values], "time", pl.Datetime("us", "UTC"), time=time)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00001, "0.00001"),
        (1e-7, "0.0000001"),
        (9.9e-6, "0.0000099"),
        (61000.5, "61000.5"),
        (43.0, "43"),
        (-43.0, "-43"),
        (1e16, "10000000000000000"),
        (1e22, "10000000000000000000000"),
        (9_900_000_000_000_000.0, "9900000000000000"),
        (0.1 + 0.2, "0.30000000000000004"),
        (0.0, "0"),
    ],
)
def test_numbers_have_no_exponent_and_no_needless_zero(value: float, text: str) -> None:
    assert shown([value], "number", pl.Float64()) == [text]


@given(st.lists(FINITE, min_size=1))
def test_every_finite_number_is_written_as_one_is(values: list[float]) -> None:
    assert shown([*values], "number", pl.Float64()) == [number(value) for value in values]


def test_random_bit_patterns_read_back_as_the_same_number() -> None:
    patterns = random.Random(7).randbytes(8 * 4_000)
    values = [value for (value,) in struct.iter_unpack("<d", patterns) if abs(value) < float("inf")]
    texts_of = shown([*values], "number", pl.Float64())
    assert [float(text or "") for text in texts_of] == values
    assert not any("e" in (text or "") for text in texts_of)


def test_what_is_no_number_is_null() -> None:
    values = [float("nan"), float("inf"), -float("inf"), None, 1.5]
    assert shown([*values], "number", pl.Float64()) == [None, None, None, None, "1.5"]


def test_times_have_as_many_digits_as_they_need() -> None:
    second = 1_795_262_400_000_000
    assert micros(second, second + 123_000, second + 1, None) == [
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00.123Z",
        "2026-11-21T12:00:00.000001Z",
        None,
    ]


@given(st.datetimes(datetime(2009, 1, 3), datetime(2200, 1, 1)))  # noqa: DTZ001 - made UTC below
def test_times_are_written_as_everywhere_else(moment: datetime) -> None:
    time = round(moment.replace(tzinfo=UTC).timestamp() * 1_000_000)
    assert micros(time) == [iso(time)]


@pytest.mark.parametrize(
    ("unit", "text"),
    [("s", "1795262400"), ("ms", "1795262400123"), ("us", "1795262400123456"), ("ns", "1795262400123456000")],
)
def test_times_as_whole_units(unit: str, text: str) -> None:
    assert micros(1_795_262_400_123_456, None, time=unit) == [text, None]


def test_an_unknown_time_format_is_explained() -> None:
    with pytest.raises(UsageError, match="no time format") as caught:
        micros(0, time="minutes")
    assert "iso, s, ms, us, ns" in caught.value.hint


def test_booleans_integers_and_texts() -> None:
    assert shown([True, False, None], "boolean", pl.Boolean()) == ["true", "false", None]
    assert shown([2**53 + 1, -1, None], "integer", pl.Int64()) == ["9007199254740993", "-1", None]
    assert shown(["1e5", "", None], "text", pl.String()) == ["1e5", "", None]
