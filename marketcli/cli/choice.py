"""Which of many tickers: by quote, by name, in which order, how many."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from marketcli.cli.show import check_fields
from marketcli.errors import UsageError
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

    from marketcli.models import Instrument


@dataclass(frozen=True, slots=True)
class Order:
    """A column to sort by, and whether the largest comes first."""

    column: str
    falling: bool

    @classmethod
    def parse(cls, text: str, kinds: Mapping[str, str]) -> Order:
        """`COLUMN`, `COLUMN:asc` or `COLUMN:desc`; numbers fall and names rise unless told. Raises `UsageError`."""
        column, colon, way = text.strip().partition(":")
        check_fields([column], list(kinds))
        if colon and way not in {"asc", "desc"}:
            raise UsageError(
                f"--sort {clean(text)!r} has no direction mkt knows.", hint=f"Write {column}:asc or {column}:desc."
            )
        return cls(column, way == "desc" if colon else kinds[column] != "text")

    def __str__(self) -> str:
        return f"{'largest' if self.falling else 'smallest'} {self.column} first"


@dataclass(frozen=True, slots=True)
class Choice:
    """The tickers wanted: their quotes (none: any), names to leave out, order, and how many of the first."""

    quotes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    order: Order | None = None
    top: int | None = None

    def __post_init__(self) -> None:
        if self.top is not None and self.top < 1:
            raise UsageError(f"--top {self.top} asks for nothing.", hint="Ask for at least 1.")

    def wants(self, one: Instrument) -> bool:
        """Whether an instrument is among those wanted."""
        if self.quotes and one.quote.upper() not in self.quotes:
            return False
        names = [name.upper() for name in (one.symbol, one.native, one.base)]
        return not any(fnmatchcase(name, pattern) for name in names for pattern in self.left_out)

    def ranked(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The first rows in the order; those without a value come last, equals stay as they were."""
        if self.order is not None:
            column, falling = self.order.column, self.order.falling
            frame = frame.sort(column, descending=falling, nulls_last=True, maintain_order=True)
        return frame if self.top is None else frame.head(self.top)


def upper(texts: Iterable[str]) -> tuple[str, ...]:
    """Words of lists with commas, in capitals."""
    return tuple(word.strip().upper() for text in texts for word in text.split(",") if word.strip())
