"""`--where`: a small typed filter over columns, read into a Polars expression.

It is no SQL: `pl.sql_expr` (Polars 2.1) takes `trades > 1_0` for `trades > 1`, `0 / 0 > 5` for true, and compares times
with numbers. Here every part has a kind, and what does not fit is an error before anything is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from marketcli.cli.values import (
    COMPARED,
    Value,
    broken,
    column,
    compared,
    needs,
    null,
    quoted,
    quotient,
    written_number,
    written_text,
)
from marketcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])
    |'(?P<text>(?:[^'\ud800-\udfff]|'')*)'
    |(?P<sign>(?i:and|or|not|in|between|like|is|null|true|false)(?!\w)|<=|>=|<>|!=|==|[=<>+\-*/(),])
    |(?P<column>[A-Za-z_]\w*))""",
    re.VERBOSE | re.ASCII,
)
BLANKS = " \t\n\r\f\v"
LONGEST, MOST, DEEPEST = 2_000, 600, 50  # characters; parts; brackets and negations


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


@dataclass(frozen=True, slots=True)
class Token:
    """A part of the filter: number, text, column, sign (which words such as `and` are, too) or end."""

    kind: str
    text: str

    def __str__(self) -> str:
        """The part as errors name it."""
        return "the end" if self.kind == "end" else quoted(self.text)


def tokens(text: str) -> list[Token]:
    """The parts of a filter, and an end. Raises `UsageError` for what is none, and for more than anybody means."""
    if len(text) > LONGEST:
        raise UsageError(f"The filter has {len(text):,} characters.", hint=f"Use at most {LONGEST:,}.")
    found, at, end = [], 0, len(text.rstrip(BLANKS))
    while at < end:
        match = TOKEN.match(text, at)
        if match is None:
            raise broken(f"{quoted(text[at:].lstrip(BLANKS))} is nothing a filter knows")
        kind = match.lastgroup or ""
        found.append(Token(kind, match[kind].lower() if kind == "sign" else match[kind]))
        at = match.end()
    if sum(token.kind == "sign" and token.text in {"(", "-", "not"} for token in found) > DEEPEST:
        raise UsageError("The filter is nested too deep.", hint=f"Use at most {DEEPEST} brackets, minuses and `not`s.")
    if len(found) > MOST:
        raise UsageError(f"The filter has {len(found):,} parts.", hint=f"Use at most {MOST:,}.")
    return [*found, Token("end", "")]


@dataclass(slots=True)
class Reader:
    """Reads tokens from left to right: or, and, not, comparison, sum, product, one value."""

    tokens: Sequence[Token]
    kinds: Mapping[str, str]
    at: int = field(default=0)

    @property
    def next(self) -> Token:
        """The part that comes next."""
        return self.tokens[self.at]

    def take(self, *signs: str) -> str:
        """The next part if it is one of these signs, and a step on."""
        token = self.next
        if token.kind != "sign" or token.text not in signs:
            return ""
        self.at += 1
        return token.text

    def expect(self, sign: str) -> None:
        """A sign that must come next."""
        if not self.take(sign):
            raise broken(f"{self.next} stands where {quoted(sign)} should")

    def whole(self) -> Value:
        """The filter, to its end."""
        found = needs("boolean", self.any_of())
        if self.next.kind != "end":
            raise broken(f"{self.next} stands where `and`, `or` or the end should")
        return found

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
        """Two values compared, or one value and `is null`, `in`, `between`, `like`, which `not` turns around."""
        left = self.sum()
        if sign := self.take(*COMPARED):
            return truth(compared(left, sign, self.sum()), left)
        tests = {"null": null} if self.take("is") else {"in": self.one_of, "between": self.between, "like": self.like}
        turned = self.take("not")
        if word := self.take(*tests):
            found = tests[word](left)
            return truth(~found if turned else found, left)
        if turned or "null" in tests:
            raise broken(f"{self.next} stands where {' or '.join(tests)} should")
        return left

    def one_of(self, left: Value) -> pl.Expr:
        """What stands behind `in`."""
        self.expect("(")
        found = compared(left, "=", self.sum())
        while self.take(","):
            found |= compared(left, "=", self.sum())
        self.expect(")")
        return found

    def between(self, left: Value) -> pl.Expr:
        """What stands behind `between`, both ends included."""
        low = compared(left, ">=", self.sum())
        self.expect("and")
        return low & compared(left, "<=", self.sum())

    def like(self, left: Value) -> pl.Expr:
        """What stands behind `like`: `%` is any text, `_` any character."""
        pattern = needs("text", self.single())
        if pattern.constant is None:
            raise broken("like takes a text in single quotes")
        body = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern.constant)
        return needs("text", left).expression.str.contains(f"(?s)^{body}$")

    def single(self) -> Value:
        """A number, text, column, true or false, a bracket, or the negative of one."""
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
        token = self.next
        if token.kind in {"sign", "end"}:
            instead = "; write `is null`" if token.text == "null" else ""
            raise broken(f"{token} stands where a column, number or text should{instead}")
        self.at += 1
        if token.kind == "column":
            return column(token.text, self.kinds)
        return written_text(token.text) if token.kind == "text" else written_number(token.text)


def truth(expression: pl.Expr, left: Value) -> Value:
    """What a comparison gives."""
    return Value("boolean", expression, f"the comparison of {left.shown}")
