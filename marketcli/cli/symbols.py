"""Symbols from the command line and from standard input."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from marketcli.errors import UsageError
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST = 200


def expand(words: Sequence[str], *, example: str) -> list[str]:
    """The symbols meant, each once: `-` stands for those on standard input, one per line or as NDJSON."""
    found: list[str] = []
    for word in words:
        found += from_stdin(example) if word == "-" else [word]
    symbols = list(dict.fromkeys(found))
    for symbol in symbols:
        if not symbol.strip() or len(symbol) > LONGEST:
            raise UsageError(f"{clean(symbol)!r} is no symbol.", hint=f"Write one like in `{example}`.")
    return symbols


def from_stdin(example: str) -> list[str]:
    """Symbols on standard input. Raises `UsageError` if somebody sits there, or if there are none."""
    if sys.stdin.isatty():
        raise UsageError("`-` reads symbols from a pipe, and there is none.", hint=f"For example: {example}")
    found = list(read(sys.stdin))
    if not found:
        raise UsageError("There are no symbols on standard input.", hint="Write one per line.")
    return found


def read(lines: Iterable[str]) -> Iterable[str]:
    """The symbols of lines: comments and blank lines left out, NDJSON rows by their `symbol`."""
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if text.startswith("{"):
            yield named(line, number)
        elif text:
            yield text.split()[0]


def named(line: str, number: int) -> str:
    """The `symbol` of an NDJSON row."""
    try:
        symbol = json.loads(line)["symbol"]
    except (json.JSONDecodeError, KeyError, TypeError, RecursionError):
        symbol = None
    if not isinstance(symbol, str):
        raise UsageError(
            f"Line {number} of standard input is no row with a `symbol`.", hint="Write one symbol per line, or NDJSON."
        )
    return symbol
