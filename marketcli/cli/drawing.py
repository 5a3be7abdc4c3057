"""Tables whose columns a command makes itself, and what is said around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from marketcli.api.answer import Answer
    from marketcli.cli.show import Destination
    from marketcli.output.layout import Column
    from marketcli.output.theme import Glyphs
    from marketcli.output.view import View


def draw(
    destination: Destination,
    view: View,
    columns: Callable[[Console, Glyphs], Sequence[Column]],
    *,
    below: Callable[[Console, Glyphs], None] = lambda *_: None,
) -> None:
    """A headline, columns as far as they fit, what comes `below` them, a caption and notes."""
    from marketcli.output.table import footer, headline, say, table
    from marketcli.output.theme import glyphs

    console = destination.console()
    drawn = glyphs(console.file)
    headline(console, view.title, drawn)
    found = columns(console, drawn)
    if found[0].cells:
        dropped = table(console, found, drawn, wide=destination.output.wide)
    else:
        dropped = 0
        say(console, [("no rows", "")])
    below(console, drawn)
    footer(console, view, drawn, dropped=dropped)


def took(answers: Sequence[Answer]) -> str:
    """How many requests it took, and how long; the answers came side by side."""
    count = sum(answer.requests for answer in answers)
    slowest = max(answer.seconds for answer in answers)
    return f"{count} request{'s' if count != 1 else ''}, {slowest * 1_000:,.0f} ms"


def remarks(answers: Sequence[Answer]) -> list[str]:
    """What there is to know beside the rows, each sentence once, and of whom where several answered."""
    several = len({answer.exchange for answer in answers}) > 1
    said = (f"{answer.exchange}: {note}" if several else note for answer in answers for note in answer.notes)
    return list(dict.fromkeys(said))
