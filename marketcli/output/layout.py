"""Columns of text beside each other: which fit, and how they are drawn.

The writer is our own because a rich table of 5,000 rows takes seconds; what it draws is rich segments, so colour,
capture and old consoles stay rich's business.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console
    from rich.segment import Segment

    from marketcli.output.theme import Glyphs

Piece: TypeAlias = tuple[str, str]  # a text and the name of its style

GAP = "  "
NARROWEST = 20  # columns of the terminal under which sentences are not worth wrapping
LONG = 30  # rows after which the names of the columns stand below, too: the upper ones have scrolled away
BATCH = 4_000  # segments handed to the console at a time


@dataclass(frozen=True, slots=True)
class Column:
    """One column as drawn: `styles` holds a style name per row, and lower ranks are served first; 0 always is."""

    header: str
    cells: Sequence[str]
    right: bool = True
    styles: Sequence[str] = ()
    rank: int = 0
    prose: bool = False

    @property
    def width(self) -> int:
        """Columns of the terminal that the widest cell takes."""
        return max(map(width_of, (self.header, *self.cells)))


def width_of(text: str) -> int:
    """Columns of the terminal that a text takes; Chinese characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415

    return cell_len(text)


def total(columns: Sequence[Column]) -> int:
    """The width of columns with the gaps between them."""
    widths = (min(NARROWEST, column.width) if column.prose else column.width for column in columns)
    return sum(widths) + len(GAP) * (len(columns) - 1)


def fit(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns that fit, taken rank by rank, those of one rank together; none is crushed."""
    taken = {0}
    for rank in sorted({column.rank for column in columns} - taken):
        if total([column for column in columns if column.rank in taken | {rank}]) <= width:
            taken.add(rank)
    return [column for column in columns if column.rank in taken]


def unfold(columns: Sequence[Column], width: int) -> list[Column]:
    """Columns of sentences broken at words, so that their rows take several lines."""
    if not columns or not columns[-1].prose:
        return list(columns)
    *others, last = columns
    room = max(NARROWEST, width - total(others) - len(GAP))
    folded = [textwrap.wrap(cell, room, break_on_hyphens=False) or [""] for cell in last.cells]
    spread = [replace(column, cells=stretched(column.cells, folded)) for column in others]
    return [*spread, replace(last, cells=[line for lines in folded for line in lines])]


def stretched(cells: Sequence[str], folded: Sequence[Sequence[str]]) -> list[str]:
    """Cells with blanks below for the lines that the sentence beside them takes."""
    return [line for cell, lines in zip(cells, folded, strict=True) for line in (cell, *[""] * (len(lines) - 1))]


def draw(console: Console, columns: Sequence[Column], glyphs: Glyphs) -> None:
    """Print the names of the columns, a rule and the rows; after many rows the names once more."""
    from rich.segment import Segment, Segments  # noqa: PLC0415

    widths = [column.width for column in columns]
    names = GAP.join(padded(c.header, w, right=c.right) for c, w in zip(columns, widths, strict=True)).rstrip()
    line = glyphs.rule * (sum(widths) + len(GAP) * (len(widths) - 1))
    head = [Segment(f"{names}\n", console.get_style("accent"))]
    rule = [Segment(f"{line}\n", console.get_style("faint"))]
    long = len(columns[0].cells) > LONG and not columns[-1].prose
    for batch in batches(chain(head, rule, rows(console, columns, widths), *([rule, head] if long else []))):
        console.print(Segments(batch), soft_wrap=True, end="")


def batches(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    """The segments in lists of bounded length."""
    source = iter(segments)
    while batch := list(islice(source, BATCH)):
        yield batch


def rows(console: Console, columns: Sequence[Column], widths: Sequence[int]) -> Iterator[Segment]:
    """Every row as segments; neighbours of one style share one."""
    from rich.segment import Segment  # noqa: PLC0415

    found = {name: console.get_style(name) for column in columns for name in {*column.styles} if name}
    cells = [[padded(cell, w, right=c.right) for cell in c.cells] for c, w in zip(columns, widths, strict=True)]
    blank = [""] * len(cells[0])
    names = [column.styles or blank for column in columns]
    for row, styles in zip(zip(*cells, strict=True), zip(*names, strict=True), strict=True):
        for style, text in runs(row, styles):
            yield Segment(text, found.get(style))


def runs(row: Sequence[str], styles: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Style and text of the stretches of a row that are styled alike, the last with the line end."""
    text, style = "", styles[0]
    for cell, name in zip(row, styles, strict=True):
        if name != style:
            yield style, text
            text, style = "", name
        text += cell + GAP
    yield style, f"{text.rstrip()}\n"


def padded(text: str, width: int, *, right: bool) -> str:
    """A cell with blanks to its width."""
    blanks = " " * (width - (len(text) if text.isascii() else width_of(text)))
    return blanks + text if right else text + blanks


def flow(parts: Sequence[Piece], width: int, separator: str) -> list[list[Piece]]:
    """Pieces in as many lines as the width needs; a piece is never broken."""
    lines: list[list[Piece]] = []
    for part in parts:
        if lines and line_width([*lines[-1], part], separator) <= width:
            lines[-1].append(part)
        else:
            lines.append([part])
    return lines


def line_width(pieces: Sequence[Piece], separator: str) -> int:
    """Columns of the terminal that pieces and the separators between them take."""
    return width_of(separator.join(text for text, _ in pieces))
