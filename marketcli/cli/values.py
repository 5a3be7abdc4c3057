"""The parts of a filter: what each is, which fit together, and the Polars expression they make."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketcli.errors import UsageError
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

HINT = "Text and dates stand in single quotes; `mkt help filters` shows how."
SHOWN = 40  # characters of a part in an error
KINDS = {"prose": "text", "integer": "number"}
COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Value:
    """A part of a filter: its kind (text, number, boolean, time), and what was written if it is a constant."""

    kind: str
    expression: pl.Expr
    shown: str
    constant: str | None = None


def written_text(text: str) -> Value:
    """A text as it stands between its quotes."""
    import polars as pl

    text = text.replace("''", "'")
    return Value("text", pl.lit(text), quoted(text), text)


def written_number(text: str) -> Value:
    """A number. Raises `UsageError` if it is too large for a decimal."""
    import polars as pl

    shown = clean(text, SHOWN)
    if not math.isfinite(float(text)):
        raise broken(f"{shown} is too large")
    return Value("number", pl.lit(float(text)), shown, text)


def column(name: str, kinds: Mapping[str, str]) -> Value:
    """A column by its name; all numbers are decimals here. Raises `UsageError` with the nearest name."""
    import polars as pl

    from marketcli.cli.show import check_fields

    check_fields([name], list(kinds))
    kind = KINDS.get(kinds[name], kinds[name])
    return Value(kind, pl.col(name).cast(pl.Float64) if kind == "number" else pl.col(name), name)


def quotient(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """A division; by zero it gives nothing.

    `other` stands here once: nested in each other, divisions that had it twice would double the work each time.
    """
    return one / other.replace(0.0, None)


def known(value: Value) -> pl.Expr:
    """A value that can be compared; a number that is none counts as absent, to Polars it is the greatest."""
    return value.expression.fill_nan(None) if value.kind == "number" else value.expression


def null(value: Value) -> pl.Expr:
    """Whether there is no value."""
    return known(value).is_null()


def compared(one: Value, sign: str, other: Value) -> pl.Expr:
    """Whether two values stand so to each other. Raises `UsageError` if they cannot."""
    left, right = alike(one, other)
    found: pl.Expr = COMPARED[sign](known(left), known(right))
    return found


def alike(one: Value, other: Value) -> tuple[Value, Value]:
    """Two values that can be compared; a constant beside a time is read as a date."""
    if one.kind == other.kind:
        return one, other
    if "time" in {one.kind, other.kind}:
        return moment(one), moment(other)
    raise broken(f"{one.shown} is {named(one.kind)} and {other.shown} is {named(other.kind)}")


def moment(value: Value) -> Value:
    """A time, or a constant as one, in the forms of --since that do not depend on now."""
    import polars as pl

    from marketcli.windows import FORMS, read_date

    if value.kind == "time":
        return value
    if value.constant is None:
        raise broken(f"{value.shown} is {named(value.kind)} where a date should stand")
    try:
        micros = read_date(value.constant.strip())
    except (ValueError, OverflowError):
        raise UsageError(
            f"{value.shown} in the filter is not a date.", hint=FORMS.partition(", a span")[0] + "."
        ) from None
    return Value("time", pl.lit(micros).cast(pl.Datetime("us", "UTC")), value.shown)


def needs(kind: str, value: Value) -> Value:
    """The value if it is of the kind."""
    if value.kind != kind:
        raise broken(f"{value.shown} is {named(value.kind)} where {named(kind)} should stand")
    return value


def named(kind: str) -> str:
    """A kind as errors call it."""
    return {"number": "a number", "time": "a time", "boolean": "true or false"}.get(kind, "text")


def broken(what: str) -> UsageError:
    """The error for a filter that cannot be read."""
    return UsageError(f"The filter cannot be read: {what}.", hint=HINT)


def quoted(text: str) -> str:
    """A part of a filter as errors show it."""
    return f"'{clean(text, SHOWN)}'"
