"""Lines of styled pieces: cut to a width, put beside each other, made of columns that do not jump."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from marketcli.output.layout import GAP, Column, Piece, fit, padded, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

Line: TypeAlias = "list[Piece]"


class Grid:
    """Columns as lines; a column is never narrower than it was before, so that nothing jumps."""

    def __init__(self) -> None:
        self.widths: dict[str, int] = {}

    def lines(self, columns: Sequence[Column], width: int) -> list[Line]:
        """The names and the rows of the columns that fit."""
        kept = fit([self.steady(column) for column in columns], width)
        widths = [column.width for column in kept]
        head: Line = [
            (GAP.join(padded(c.header, w, right=c.right) for c, w in zip(kept, widths, strict=True)), "faint")
        ]
        cells = [[padded(cell, w, right=c.right) for cell in c.cells] for c, w in zip(kept, widths, strict=True)]
        styles = [column.styles or [""] * len(column.cells) for column in kept]
        rows = zip(zip(*cells, strict=True), zip(*styles, strict=True), strict=True)
        return [head, *(joined(row, named) for row, named in rows)]

    def steady(self, column: Column) -> Column:
        """The column with a header as wide as it ever was."""
        name = column.header
        self.widths[name] = max(self.widths.get(name, 0), column.width)
        header = padded(name, self.widths[name], right=column.right)
        return Column(header, column.cells, column.right, column.styles, column.rank)


def joined(row: Sequence[str], styles: Sequence[str]) -> Line:
    """Cells beside each other, neighbours of one style in one piece."""
    line: Line = []
    for cell, style in zip(row, styles, strict=True):
        if line and line[-1][1] == style:
            line[-1] = (f"{line[-1][0]}{GAP}{cell}", style)
        else:
            if line:
                line[-1] = (f"{line[-1][0]}{GAP}", line[-1][1])
            line.append((cell, style))
    return line


def length(line: Line) -> int:
    """Columns of the terminal that a line takes."""
    return sum(width_of(text) for text, _ in line)


def cut(line: Line, width: int) -> Line:
    """As much of a line as fits; wide characters are never halved."""
    if length(line) <= width:
        return line
    kept: Line = []
    for text, style in line:
        if width <= 0:
            break
        part = cut_text(text, width)
        kept.append((part, style))
        width -= width_of(part) if part == text else width
    return kept


def cut_text(text: str, width: int) -> str:
    """As many characters as fit."""
    if text.isascii():
        return text[:width]
    while width_of(text) > width:
        text = text[:-1]
    return text


def filled(line: Line, width: int) -> Line:
    """A line cut or filled to exactly this width."""
    kept = cut(line, width)
    return [*kept, (" " * (width - length(kept)), "")]


def beside(left: Sequence[Line], right: Sequence[Line], width: int) -> list[Line]:
    """Two blocks beside each other, the left one so wide."""
    count = max(len(left), len(right))
    blocks = [[*block, *([[]] * (count - len(block)))] for block in (left, right)]
    return [[*filled(one, width), (GAP, ""), *other] for one, other in zip(*blocks, strict=True)]


def flowed(label: str, parts: Sequence[str], width: int, *, dot: str) -> Line:
    """A label and as many of the parts behind it as fit on the line, at least one."""
    shown = ""
    for part in parts:
        longer = f"{shown}{dot}{part}" if shown else part
        if shown and width_of(label) + len(GAP) + width_of(longer) > width:
            break
        shown = longer
    return [(f"{label}{GAP}", "faint"), (shown, "")]


def text_of(lines: Sequence[Line], width: int) -> Text:
    """All lines as one text, each cut to the width."""
    from rich.text import Span, Text  # noqa: PLC0415

    parts: list[str] = []
    spans: list[Span] = []
    at = 0
    for place, line in enumerate(lines):
        if place:
            parts.append("\n")
            at += 1
        for text, style in cut(line, width):
            parts.append(text)
            if style:
                spans.append(Span(at, at + len(text), style))
            at += len(text)
    return Text("".join(parts), spans=spans, no_wrap=True, overflow="ignore", end="")
