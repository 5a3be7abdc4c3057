"""`--where`: a small typed filter over columns, read into a Polars expression.

It is no SQL: `pl.sql_expr` (Polars 2.1) takes `trades > 1_0` for `trades > 1`, `0 / 0 > 5` for true, and compares times
with numbers. Here every part has a kind, and what does not fit is an error before anything is asked.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from marketcli.errors import UsageError
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

EXAMPLE = "For example: --where \"close > open and time >= '2024-01'\". Text and dates stand in single quotes."
TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])
    |'(?P<text>(?:[^']|'')*)' |(?P<word>[A-Za-z_]\w*) |(?P<sign><=|>=|<>|!=|==|[=<>+\-*/(),]))""",
    re.VERBOSE | re.ASCII,
)
KEYWORDS = frozenset({"and", "or", "not", "in", "between", "like", "is", "null", "true", "false"})
COMPARED: Mapping[str, str] = {
    "=": "eq", "==": "eq", "!=": "ne", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge",
}  # fmt: skip
LONGEST, DEEPEST = 2_000, 50  # characters; brackets and negations
KINDS = {"prose": "text", "integer": "number"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the filter: number, text, word, sign or end."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Value:
    """A part of the filter: its kind (text, number, boolean, time), and what was written if it is a constant."""

    kind: str
    expression: pl.Expr
    shown: str
    constant: str | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """A filter that has been understood."""

    text: str
    predicate: pl.Expr

    @classmethod
    def of(cls, text: str, kinds: Mapping[str, str]) -> Where:
        """Read a filter over columns of these kinds. Raises `UsageError` that says what does not fit."""
        found = Reader(tokens(text), kinds).whole()
        return cls(text, found.expression)

    def kept(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows for which it is true; a row without the value is not one of them."""
        return frame.filter(self.predicate)


def tokens(text: str) -> list[Token]:
    """The words of a filter, and an end."""
    if len(text) > LONGEST:
        raise UsageError(f"The filter has {len(text):,} characters.", hint=f"Use at most {LONGEST:,}.")
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = TOKEN.match(text, at)
        if match is None:
            raise broken(f"{clean(text[at:].strip(), 40)!r} is nothing a filter knows")
        kind = match.lastgroup or ""
        found.append(Token(kind, match[kind].lower() if match[kind].lower() in KEYWORDS else match[kind]))
        at = match.end()
    if sum(token.text in {"(", "-", "not"} for token in found) > DEEPEST:
        raise UsageError("The filter is nested too deep.", hint=f"Use at most {DEEPEST} brackets and negations.")
    return [*found, Token("end", "")]


@dataclass(slots=True)
class Reader:
    """Reads tokens from left to right: or, and, not, comparison, sum, product, one value."""

    tokens: Sequence[Token]
    kinds: Mapping[str, str]
    at: int = field(default=0)

    def whole(self) -> Value:
        """The filter, to its end."""
        found = needs("boolean", self.any_of())
        if self.tokens[self.at].kind != "end":
            raise broken(f"{self.seen()} stands where `and`, `or` or the end should")
        return found

    def take(self, *texts: str) -> str:
        """The next word if it is one of these, and a step on."""
        token = self.tokens[self.at]
        if token.kind in {"word", "sign"} and token.text in texts:
            self.at += 1
            return token.text
        return ""

    def expect(self, text: str) -> None:
        """A word that must come next."""
        if not self.take(text):
            raise broken(f"{self.seen()} stands where {text!r} should")

    def seen(self) -> str:
        """The next word as an error names it."""
        return repr(clean(self.tokens[self.at].text, 40)) if self.tokens[self.at].kind != "end" else "the end"

    def any_of(self) -> Value:
        """Parts joined by `or`."""
        return self.chain(self.all_of, {"or": lambda one, other: one | other}, "boolean")

    def all_of(self) -> Value:
        """Parts joined by `and`."""
        return self.chain(self.negated, {"and": lambda one, other: one & other}, "boolean")

    def sum(self) -> Value:
        """Parts joined by `+` and `-`."""
        steps = {"+": lambda one, other: one + other, "-": lambda one, other: one - other}
        return self.chain(self.product, steps, "number")

    def product(self) -> Value:
        """Parts joined by `*` and `/`."""
        return self.chain(self.single, {"*": lambda one, other: one * other, "/": quotient}, "number")

    def chain(
        self, part: Callable[[], Value], steps: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]], kind: str
    ) -> Value:
        """Parts of one kind joined from the left."""
        found = part()
        while sign := self.take(*steps):
            one, other = needs(kind, found), needs(kind, part())
            expression = steps[sign](one.expression, other.expression)
            found = Value(kind, expression, f"{one.shown} {sign} {other.shown}")
        return found

    def negated(self) -> Value:
        """A comparison, or one that `not` turns around."""
        if not self.take("not"):
            return self.comparison()
        inner = needs("boolean", self.negated())
        return Value("boolean", ~inner.expression, f"not {inner.shown}")

    def comparison(self) -> Value:
        """Two values compared, or one value and `in`, `between`, `like`, `is null`."""
        left = self.sum()
        if sign := self.take(*COMPARED):
            one, other = alike(left, self.sum())
            return truth(getattr(one.expression, COMPARED[sign])(other.expression), left)
        if self.take("is"):
            turned = self.take("not")
            self.expect("null")
            return truth(left.expression.is_not_null() if turned else left.expression.is_null(), left)
        turned = self.take("not")
        for word, read in (("in", self.one_of), ("between", self.between), ("like", self.like)):
            if self.take(word):
                found = read(left)
                return truth(~found if turned else found, left)
        if turned:
            raise broken(f"{self.seen()} stands where in, between or like should")
        return left

    def one_of(self, left: Value) -> pl.Expr:
        """What stands behind `in`."""
        self.expect("(")
        found = equals(left, self.sum())
        while self.take(","):
            found |= equals(left, self.sum())
        self.expect(")")
        return found

    def between(self, left: Value) -> pl.Expr:
        """What stands behind `between`, both ends included."""
        one, low = alike(left, self.sum())
        self.expect("and")
        other, high = alike(left, self.sum())
        return one.expression.ge(low.expression) & other.expression.le(high.expression)

    def like(self, left: Value) -> pl.Expr:
        """What stands behind `like`: `%` is any text, `_` any character."""
        pattern = needs("text", self.single())
        if pattern.constant is None:
            raise broken("like takes a text in single quotes")
        body = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern.constant)
        return needs("text", left).expression.str.contains(f"(?s)^{body}$")

    def single(self) -> Value:
        """A number, text, column, bracket, or the negative of one."""
        import polars as pl

        if self.take("-"):
            inner = needs("number", self.single())
            return Value("number", -inner.expression, f"-{inner.shown}")
        if self.take("("):
            inner = self.any_of()
            self.expect(")")
            return inner
        if word := self.take("true", "false"):
            return Value("boolean", pl.lit(word == "true"), word)
        token = self.tokens[self.at]
        if token.kind in {"sign", "end"} or (token.kind == "word" and token.text in KEYWORDS):
            raise broken(f"{self.seen()} stands where a column, number or text should")
        self.at += 1
        return column(token.text, self.kinds) if token.kind == "word" else constant(token)


def constant(token: Token) -> Value:
    """A number or text as it was written."""
    import polars as pl

    if token.kind == "text":
        text = token.text.replace("''", "'")
        return Value("text", pl.lit(text), repr(clean(text, 40)), text)
    if not math.isfinite(float(token.text)):
        raise broken(f"{clean(token.text, 40)} is too large")
    return Value("number", pl.lit(float(token.text)), token.text, token.text)


def column(name: str, kinds: Mapping[str, str]) -> Value:
    """A column by its name; numbers are compared as decimals, and one that is none is absent."""
    import polars as pl

    from marketcli.cli.show import check_fields

    check_fields([name], list(kinds))
    kind = KINDS.get(kinds[name], kinds[name])
    read = pl.col(name)
    return Value(kind, read.cast(pl.Float64).fill_nan(None) if kind == "number" else read, name)


def quotient(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """A division; by zero it gives nothing."""
    import polars as pl

    return pl.when(other != 0).then(one / other)


def needs(kind: str, value: Value) -> Value:
    """The value if it is of the kind."""
    if value.kind != kind:
        raise broken(f"{value.shown} is {named(value.kind)} where {named(kind)} should stand")
    return value


def alike(one: Value, other: Value) -> tuple[Value, Value]:
    """Two values that can be compared; a constant beside a time is read as a date."""
    if one.kind == "time" != other.kind:
        return one, moment(other)
    if other.kind == "time" != one.kind:
        return moment(one), other
    if one.kind != other.kind:
        raise broken(f"{one.shown} is {named(one.kind)} and {other.shown} is {named(other.kind)}")
    return one, other


def moment(value: Value) -> Value:
    """A constant as a moment, in the forms of --since that do not depend on now."""
    import polars as pl

    from marketcli.windows import FORMS, read_date

    if value.constant is None:
        raise broken(f"{value.shown} is {named(value.kind)} where a date should stand")
    try:
        micros = read_date(value.constant.strip())
    except (ValueError, OverflowError):
        raise UsageError(
            f"{value.shown} in the filter is not a date.", hint=FORMS.partition(", a span")[0] + "."
        ) from None
    return Value("time", pl.lit(micros).cast(pl.Datetime("us", "UTC")), value.shown)


def equals(left: Value, right: Value) -> pl.Expr:
    """Whether two values are the same."""
    one, other = alike(left, right)
    return one.expression.eq(other.expression)


def truth(expression: pl.Expr, left: Value) -> Value:
    """What a comparison gives."""
    return Value("boolean", expression, f"the comparison of {left.shown}")


def named(kind: str) -> str:
    """A kind as errors call it."""
    return {"number": "a number", "time": "a time", "boolean": "true or false"}.get(kind, "text")


def broken(what: str) -> UsageError:
    """The error for a filter that cannot be read."""
    return UsageError(f"The filter cannot be read: {what}.", hint=EXAMPLE)
