"""Tables for people: candles with their course, and every other frame column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketcli.output import cells
from marketcli.output.candles import SPARK, candle_columns, summary, waiting
from marketcli.output.layout import GAP, draw, fit, flow, line_width, unfold
from marketcli.output.plain import SENTENCE, plain_columns
from marketcli.output.theme import glyphs, wrapped
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from marketcli.output.layout import Column, Piece
    from marketcli.output.theme import Glyphs
    from marketcli.output.view import View


def show_candles(console: Console, views: Sequence[View], *, wide: bool = False) -> None:
    """One block per instrument: headline, table, course, caption.

    The course stands below because the top of a hundred rows has scrolled away when a person looks.
    """
    drawn = glyphs(console.file)
    for place, view in enumerate(views):
        if place:
            console.print()
        if not view.frame.height:
            show(console, view, wide=wide)
            continue
        headline(console, [*view.title, cells.period(view.frame["time"], drawn.dash)], drawn)
        dropped = table(console, candle_columns(view, drawn), drawn, wide=wide)
        if unfinished := waiting(view, drawn):
            say(console, [(unfinished, "faint")])
        console.print()
        course(console, view, drawn)
        footer(console, view, drawn, dropped=dropped)


def show(console: Console, view: View, *, wide: bool = False) -> None:
    """Any frame: text to the left, numbers to the right, dates short, sentences wrapped."""
    drawn = glyphs(console.file)
    headline(console, view.title, drawn)
    dropped = table(console, plain_columns(view, drawn), drawn, wide=wide) if view.frame.height else 0
    if not view.frame.height:
        say(console, [("no rows", "")])
    footer(console, view, drawn, dropped=dropped)


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


def footer(console: Console, view: View, drawn: Glyphs, *, dropped: int) -> None:
    """Where the rows come from, what is not shown, and what else there is to say."""
    hidden = [f"+{dropped} column{'s' if dropped > 1 else ''} (--wide, or -f csv)"] if dropped else []
    pieces = [(clean(part), "faint") for part in (*view.caption, *hidden)]
    dot = f" {drawn.dot} "
    for line in flow(pieces, console.width, dot):
        say(console, line, dot)
    for note in view.notes:
        for text in wrapped(clean(note, SENTENCE), console.width):
            say(console, [(text, "note")])


def say(console: Console, pieces: Sequence[Piece], separator: str = "") -> None:
    """One line of styled pieces, never wrapped by the console."""
    from rich.text import Text  # noqa: PLC0415

    parts = [part for piece in pieces for part in ((separator, "faint"), piece)]
    console.print(Text.assemble(*parts[1:]), soft_wrap=True)
