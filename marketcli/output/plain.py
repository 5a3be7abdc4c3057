"""Any frame as columns: text to the left, numbers to the right, dates short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketcli.output import cells
from marketcli.output.layout import Column

if TYPE_CHECKING:
    from marketcli.output.theme import Glyphs
    from marketcli.output.view import View

SENTENCE = 1_000  # characters of a sentence
# What a narrow terminal can do without, first to go first; after them others go from the right.
LEAST = (
    "unified",
    "multiplier",
    "contract_size",
    "settle",
    "expiry",
    "listed",
    "base",
    "quote",
    "native",
    "exchange",
    "market",
)


def plain_columns(view: View, drawn: Glyphs) -> list[Column]:
    """A column for each of the frame, but none for what the headline already says of all rows."""
    said = set(view.title)
    names = [
        name
        for name in view.frame.columns
        if not (name in ("exchange", "market") and view.frame[name].n_unique() == 1 and view.frame[name][0] in said)
    ]
    order = sorted(names[1:], key=lambda name: dispensable(name, view.kinds[name]))
    return [plain_column(view, name, drawn, rank=order.index(name) + 1 if name in order else 0) for name in names]


def dispensable(name: str, kind: str) -> int:
    """How soon a column leaves a narrow terminal: sentences last, those of `LEAST` first."""
    if kind == "prose":
        return 0
    return 1 + len(LEAST) - LEAST.index(name) if name in LEAST else 1


def plain_column(view: View, name: str, drawn: Glyphs, *, rank: int) -> Column:
    """One column by its kind."""
    values, kind = view.frame[name], view.kinds[name]
    if kind == "prose":
        return Column(name, cells.words(values, SENTENCE), right=False, rank=rank, prose=name == view.frame.columns[-1])
    if kind == "time":
        pattern = cells.full_pattern(values) if name == "time" else "%Y-%m-%d"
        return Column(f"{name} UTC" if "%H" in pattern else name, cells.times(values, pattern), rank=rank, right=False)
    if kind == "boolean":
        return Column(name, cells.flags(values, drawn), rank=rank, right=False)
    if kind == "integer":
        return Column(name, cells.counts(values), rank=rank)
    if kind == "number":
        return Column(name, cells.exact(values), rank=rank)
    return Column(name, cells.words(values), right=False, rank=rank)
