"""Exact text: every value of a frame in its shortest true form, column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from marketcli.errors import UsageError
from marketcli.text import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

Kinds: TypeAlias = "Mapping[str, str]"  # column -> text, integer, number, boolean, time (or prose: text that may wrap)

TEXTUAL = frozenset({"text", "prose"})
TIMES = ("iso", "s", "ms", "us", "ns")


def texts(frame: pl.DataFrame, kinds: Kinds, *, time: str = "iso") -> pl.DataFrame:
    """The frame with every column as exact text; null stays null.

    Numbers have no exponent and no needless `.0`, and one that is not finite is null. Times are ISO 8601 UTC, or whole
    units since the epoch for `time` s, ms, us or ns (rounded down).
    """
    if time not in TIMES:
        raise UsageError(f"There is no time format {time!r}.", hint=f"Use one of {', '.join(TIMES)}.")
    return frame.select(column_text(frame[name], kinds[name], time) for name in frame.columns)


def column_text(values: pl.Series, kind: str, time: str) -> pl.Series:
    """One column as exact text."""
    import polars as pl  # noqa: PLC0415

    if kind == "time":
        return iso(values) if time == "iso" else epoch(values, time)
    if values.dtype.is_float():
        return decimals(values)
    return values.cast(pl.String)


def decimals(values: pl.Series) -> pl.Series:
    """Numbers as `marketcli.text.number` writes them; Polars does it fast for all but the very small and large."""
    import polars as pl  # noqa: PLC0415

    finite = values.set(~values.is_finite(), None)
    return patched(finite.cast(pl.String).str.strip_suffix(".0"), "e", lambda shown: number(float(shown)), literal=True)


def iso(values: pl.Series) -> pl.Series:
    """Times as `2026-11-21T12:00:00Z`, with three or six digits of a second where they are needed."""
    return values.dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ")


def epoch(values: pl.Series, unit: str) -> pl.Series:
    """Times as whole units since 1970, rounded down."""
    import polars as pl  # noqa: PLC0415

    micros = values.to_physical()
    counted = micros * 1_000 if unit == "ns" else micros // {"s": 1_000_000, "ms": 1_000, "us": 1}[unit]
    return counted.cast(pl.String)


def patched(values: pl.Series, pattern: str, change: Callable[[str], str], *, literal: bool = False) -> pl.Series:
    """The texts with `change` made to those that contain the pattern, which are expected to be few."""
    import polars as pl  # noqa: PLC0415

    odd = values.str.contains(pattern, literal=literal).fill_null(value=False)
    if not odd.any():
        return values
    texts_in = values.filter(odd)
    changed = pl.Series([change(text) for text in texts_in], dtype=pl.String)
    return values.scatter(odd.arg_true(), changed)
