"""What is said on stderr: errors with what to do, warnings and notes, as sentences or as JSON."""

from __future__ import annotations

import json
import shutil
from typing import IO, TYPE_CHECKING

from marketcli.output.theme import colour, console, terminal, wrapped
from marketcli.text import clean

if TYPE_CHECKING:
    from marketcli.errors import MarketError

SENTENCE = 1_000  # characters


def error(stream: IO[str], problem: MarketError, *, color: bool | None = None) -> None:
    """`error: sentence`, and what to do about it on the next line."""
    say(stream, "error", problem.message, color=color)
    if problem.hint:
        say(stream, "", problem.hint, color=color)


def warning(stream: IO[str], sentence: str, *, color: bool | None = None) -> None:
    """`warning: sentence`: something asked for is missing or doubtful."""
    say(stream, "warning", sentence, color=color)


def note(stream: IO[str], sentence: str, *, color: bool | None = None) -> None:
    """`note: sentence`: good to know."""
    say(stream, "note", sentence, color=color)


def say(stream: IO[str], label: str, sentence: str, *, color: bool | None) -> None:
    """A sentence, its label coloured where the stream has colour; otherwise rich is not even imported."""
    lead, text = (f"{label}:", clean(sentence, SENTENCE)) if label else (" ", clean(sentence, SENTENCE))
    width = shutil.get_terminal_size().columns if terminal(stream) else SENTENCE * 8
    first, *rest = wrapped(f"{lead} {text}" if label else f"~ {text}", width)
    lines = [first if label else f"  {first[2:]}", *rest]
    if colour(stream, flag=color):
        from rich.text import Text  # noqa: PLC0415

        shown = Text("\n".join(lines))
        shown.stylize(label, 0, len(lead) if label else 0)
        console(stream, color=True).print(shown, soft_wrap=True)
    else:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        print("\n".join(lines).encode(encoding, "replace").decode(encoding), file=stream)


def as_json(problem: MarketError) -> str:
    """The error as one line of JSON in ASCII, for `--json-errors`."""
    return json.dumps(
        {
            "error": {
                "code": problem.code,
                "message": problem.message,
                "retryable": problem.retryable,
                "retry_after": problem.retry_after,
                "hint": problem.hint,
                "exit": int(problem.exit),
            }
        }
    )
