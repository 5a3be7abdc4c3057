"""A line on stderr that says how far long work has come, and leaves no trace."""

from __future__ import annotations

import os
import select
import shutil
import time
from dataclasses import KW_ONLY, dataclass, field
from typing import IO, TYPE_CHECKING, Self

from marketcli.models import SECOND
from marketcli.output.cells import countdown
from marketcli.output.theme import glyphs, terminal

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 0.5  # seconds of silence: what is done by then needs no bar
REDRAW = 0.1  # seconds between two drawings
BAR = 16  # columns of the bar


@dataclass(slots=True)
class Progress:
    """A bar for work of `total` rows: `with Progress(sys.stderr, 525_600) as progress: progress.advance(1_000)`.

    Where nobody knows how many there will be (0), it tells how many have come.

    It appears after half a second, on a terminal only, and draws from inside `advance`: no thread, and a terminal that
    does not take more at the moment is left alone rather than waited for.
    """

    stream: IO[str]
    total: int
    _: KW_ONLY
    quiet: bool = False
    clock: Callable[[], float] = time.monotonic
    width: int | None = None
    rows: int = field(default=0, init=False)
    pages: int = field(default=0, init=False)
    started: float = field(default=0.0, init=False)
    due: float = field(default=0.0, init=False)
    drawn: int = field(default=0, init=False)

    def __enter__(self) -> Self:
        self.started = self.clock()
        self.due = self.started + PATIENCE
        if self.quiet or not terminal(self.stream):
            self.due = float("inf")
        return self

    def __exit__(self, *_: object) -> None:
        self.due = float("inf")
        if self.drawn:
            self.put("")

    def expect(self, rows: int) -> None:
        """Count on so many rows more."""
        self.total += rows

    def advance(self, rows: int, pages: int = 1) -> None:
        """Count what has come, and redraw if it is time."""
        self.rows += rows
        self.pages += pages
        now = self.clock()
        if now >= self.due:
            self.due = now + REDRAW
            self.put(self.line(now - self.started))

    def line(self, seconds: float) -> str:
        """The bar in words and figures, cut to the terminal."""
        speed = self.rows / seconds if seconds > 0 else 0.0
        parts = [f"{self.rows:,} rows in {self.pages:,} pages"]
        if self.total:
            share = min(1.0, self.rows / self.total)
            parts = [self.bar(share), f"{share:4.0%}", *parts]
        if speed:
            parts.append(f"{speed:,.0f} rows/s")
        if speed and self.total:
            left = max(0, self.total - self.rows) / speed
            parts.append(f"{countdown(int(left * SECOND))} left")
        width = self.width or shutil.get_terminal_size().columns
        return "  ".join(parts)[: max(0, width - 1)]

    def bar(self, share: float) -> str:
        """The bar itself."""
        full = round(share * BAR)
        mark, rest = ("█", "░") if glyphs(self.stream).bars else ("#", ".")
        return mark * full + rest * (BAR - full)

    def put(self, text: str) -> None:
        """Replace what stands on the line, if the terminal takes it now."""
        if not writable(self.stream):
            return
        self.stream.write(f"\r{text.ljust(self.drawn)}" + ("" if text else "\r"))
        self.stream.flush()
        self.drawn = len(text)


def writable(stream: IO[str]) -> bool:
    """Whether a write would go through at once; a stalled terminal (Ctrl-S, a slow line) says no."""
    if os.name == "nt":  # select knows only sockets there
        return True
    try:
        return bool(select.select([], [stream.fileno()], [], 0)[1])
    except (OSError, ValueError):  # not a file of the system
        return True
