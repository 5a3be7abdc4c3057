"""The three standard streams, made safe to use whatever state they come in."""

from __future__ import annotations

import os
import sys

closed: set[str] = set()  # the streams that were closed when the program began


def prepare() -> None:
    """Give closed streams somewhere to go, so that no data file takes their place; UTF-8 wherever bytes are read."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8"))
            closed.add(name)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and not stream.isatty():
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def discard_stdout() -> None:
    """Nobody reads any more: what is left goes nowhere, without a complaint at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
