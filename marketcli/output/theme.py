"""Colour, glyphs and width: what a stream can show, decided once per stream."""

from __future__ import annotations

import io
import os
import textwrap
from dataclasses import astuple, dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

# Names for the sixteen colours a user chose for their terminal, so that both dark and light backgrounds work.
STYLES = {
    "up": "green",
    "down": "red",
    "faint": "dim",
    "accent": "bold",
    "note": "cyan",
    "warning": "bold yellow",
    "error": "bold red",
}
UNLIMITED = 100_000  # columns of a stream that is no terminal


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters a table is drawn with."""

    rule: str
    up: str
    down: str
    arrow: str
    dash: str
    dot: str
    yes: str
    no: str
    running: str
    bars: str  # eight heights of a sparkline, or nothing where there are none


DRAWN = Glyphs("─", "▲", "▼", "→", "\N{EN DASH}", "·", "✓", "\N{EN DASH}", "◦", "▁▂▃▄▅▆▇█")
ASCII = Glyphs("-", "", "", "->", "to", "|", "yes", "-", "*", "")


def colour(stream: IO[str], *, flag: bool | None = None, environ: Mapping[str, str] | None = None) -> bool:
    """Whether a stream gets colour; `flag` is what `--color` or `--no-color` says and wins.

    After it come `NO_COLOR` and `MKT_NO_COLOR`, `FORCE_COLOR` and `CLICOLOR_FORCE`, `TERM=dumb`, and at last whether
    the stream is a terminal.
    """
    if flag is not None:
        return flag
    names = os.environ if environ is None else environ
    if names.get("NO_COLOR") or names.get("MKT_NO_COLOR"):
        return False
    if any(names.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return names.get("TERM") != "dumb" and terminal(stream)


def terminal(stream: IO[str]) -> bool:
    """Whether a stream is an open terminal."""
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False


def glyphs(stream: IO[str]) -> Glyphs:
    """The drawn characters if the stream's encoding has them all, else ASCII."""
    try:
        "".join(astuple(DRAWN)).encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return DRAWN


def console(
    stream: IO[str], *, color: bool | None = None, width: int | None = None, environ: Mapping[str, str] | None = None
) -> Console:
    """A console that draws nothing but what it is given: no markup, no highlighting, no emoji codes.

    `color` is what the user's flag says, None if nothing; `width` None or 0 is the terminal's own, and what is no
    terminal has no limit. A character the stream cannot encode becomes `?` instead of an exception.
    """
    from rich.console import Console  # noqa: PLC0415
    from rich.theme import Theme  # noqa: PLC0415

    tolerate(stream)
    lively = colour(stream, flag=color, environ=environ)
    return Console(
        file=stream,
        force_terminal=lively,
        color_system="standard" if lively else None,
        no_color=not lively,
        width=width or (None if terminal(stream) else UNLIMITED),
        markup=False,
        highlight=False,
        emoji=False,
        theme=Theme(STYLES, inherit=False),
    )


def wrapped(text: str, width: int) -> list[str]:
    """A sentence in lines of whole words, the later ones set in; what has no blanks is left whole."""
    return textwrap.wrap(text, max(width, 20), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def tolerate(stream: IO[str]) -> None:
    """Let the stream replace what it cannot encode."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
