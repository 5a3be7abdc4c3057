"""Tables for people: candles with their course, and every other frame column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketcli.output import cells
from marketcli.output.candles import SPARK, candle_columns, summary, waiting
from marketcli.output.layout import GAP, Column, draw, fit, flow, line_width, unfold
from marketcli.output.theme import glyphs
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from marketcli.output.layout import Piece
    from marketcli.output.theme import Glyphs
    from marketcli.output.view import View

SENTENCE = 1_000  # characters of a sentence
# What a narrow terminal can do without, first to go first; after them columns go from the right.
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


def show_candles(console: Console, views: Sequence[View], *, wide: bool = False) -> None:
    """One block per instrument: headline, course, table, caption."""
    drawn = glyphs(console.file)
    for place, view in enumerate(views):
        if place:
            console.print()
        if not view.frame.height:
            show(console, view, wide=wide)
            continue
        when = cells.period(view.frame["time"], drawn.dash)
        headline(console, [*view.title, when], drawn)
        course(console, view, drawn)
        dropped = table(console, candle_columns(view, drawn), drawn, wide=wide)
        footer(console, view, drawn, first=waiting(view, drawn), dropped=dropped)


def show(console: Console, view: View, *, wide: bool = False) -> None:
    """Any frame: text to the left, numbers to the right, dates short, sentences wrapped."""
    drawn = glyphs(console.file)
    headline(console, view.title, drawn)
    dropped = table(console, plain_columns(view, drawn), drawn, wide=wide) if view.frame.height else 0
    footer(console, view, drawn, first="" if view.frame.height else "no rows", dropped=dropped)


def table(console: Console, columns: Sequence[Column], drawn: Glyphs, *, wide: bool) -> int:
    """Draw the columns that fit and give back how many do not."""
    kept = list(columns) if wide else fit(columns, console.width)
    draw(console, unfold(kept, console.width), drawn)
    return len(columns) - len(kept)


def headline(console: Console, parts: Sequence[str], drawn: Glyphs) -> None:
    """What the table is about, its first part set off."""
    pieces = [(clean(part), "" if place else "accent") for place, part in enumerate(parts)]
    dot = f" {drawn.dot} "
    for line in flow(pieces, console.width, dot):
        say(console, line, dot)


def course(console: Console, view: View, drawn: Glyphs) -> None:
    """What happened in the period: figures, and bars where there is room beside them."""
    lines = flow(summary(view, drawn), console.width, GAP)
    room = min(SPARK, console.width - line_width(lines[-1], GAP) - len(GAP))
    if room >= SPARK // 4 and (bars := cells.spark(view.frame["close"].to_list(), room, drawn.bars)):
        lines[-1].append((bars, "faint"))
    for line in lines:
        say(console, line, GAP)
    console.print()


def footer(console: Console, view: View, drawn: Glyphs, *, first: str, dropped: int) -> None:
    """Where the rows come from, what is not shown, and what else there is to say."""
    hidden = [f"+{dropped} column{'s' if dropped > 1 else ''} (--wide, or -f csv)"] if dropped else []
    pieces = [(clean(part), "faint") for part in (*view.caption, *hidden)]
    dot = f" {drawn.dot} "
    for line in ([(first, "faint")] if first else [], *flow(pieces, console.width, dot)):
        if line:
            say(console, line, dot)
    for note in view.notes:
        say(console, [(clean(note, SENTENCE), "note")], "")


def say(console: Console, pieces: Sequence[Piece], separator: str) -> None:
    """One line of styled pieces, never wrapped by the console."""
    from rich.text import Text  # noqa: PLC0415

    console.print(Text(separator).join(Text(text, style) for text, style in pieces), soft_wrap=True)


def plain_columns(view: View, drawn: Glyphs) -> list[Column]:
    """A column for each of the frame, but none for what the headline already says of all rows."""
    said = set(view.title)
    names = [
        name
        for name in view.frame.columns
        if not (name in ("exchange", "market") and view.frame[name].n_unique() == 1 and view.frame[name][0] in said)
    ]
    order = [name for name in names[1:] if name not in LEAST] + [name for name in reversed(LEAST) if name in names[1:]]
    return [plain_column(view, name, drawn, rank=order.index(name) + 1 if name in order else 0) for name in names]


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
