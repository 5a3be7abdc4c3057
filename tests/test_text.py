"""Remote text made harmless, numbers made exact."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.text import clean, number, path_part


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("BTCUSDT", "BTCUSDT"),
        ("币安人生", "币安人生"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\tb\nc\0", "a\\x09b\\x0ac\\x00"),
        ("\x9b1m", "\\x9b1m"),
        ("\u202egpj", "\\u202egpj"),
        ("\u200b\ufeff", "\\u200b\\ufeff"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_what_is_not_drawn_is_shown(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.text(max_size=400))
def test_clean_text_is_printable_and_bounded(text: str) -> None:
    shown = clean(text)
    assert shown.isprintable()
    assert len(shown) <= 200
    assert clean(shown) == shown


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-05, "0.00001"), (61000.5, "61000.5"), (43.0, "43"), (1e22, "1" + "0" * 22), (-0.000012, "-0.000012")],
)
def test_numbers_have_no_exponent(value: float, text: str) -> None:
    assert number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_exactly(value: float) -> None:
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", number(value))
    assert math.isclose(float(number(value)), value, rel_tol=0, abs_tol=0)


@given(st.text(max_size=300), st.text(max_size=300))
def test_path_parts_are_harmless_and_tell_names_apart(one: str, other: str) -> None:
    part = path_part(one)
    assert re.fullmatch(r"[A-Za-z0-9_%-][A-Za-z0-9._%-]*", part)
    assert len(part) <= 103
    assert (part == path_part(other)) is (one == other)


def test_no_name_and_a_dot_are_two_names() -> None:
    assert path_part("") != path_part(".")
