"""The whole screen of a terminal: taken, drawn by a thread of its own, and given back whatever happens."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import threading
import time
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"  # the other screen, no cursor
LEAVE = "\x1b[0m\x1b[?25h\x1b[?1049l"
PATIENCE = 0.5  # seconds a terminal that takes nothing is given to take the last of it
NARROWEST, LOWEST = 60, 10  # what a panel needs


class Screen:
    """`with Screen(sys.stdout) as screen: screen.show(lines)`: they are drawn when the terminal takes them.

    At most one frame waits, and a newer one takes its place. Only lines that changed are sent.
    """

    def __init__(self, stream: IO[str]) -> None:
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self.number = own(stream.fileno())
        self.frame: Sequence[str] | None = None
        self.drawn: list[str] = []
        self.at = (0, 0)
        self.change = threading.Condition()
        self.leaving = False
        self.left = False
        self.away = False
        self.thread = threading.Thread(target=self.draw, daemon=True, name="screen")

    def __enter__(self) -> Self:
        self.write(ENTER, time.monotonic() + PATIENCE)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of the terminal now; 80 by 24 where it does not say."""
        try:
            columns, lines = os.get_terminal_size(self.number)
        except OSError:
            columns, lines = 0, 0
        return (columns, lines) if columns and lines else shutil.get_terminal_size()

    @property
    def ready(self) -> bool:
        """Whether the last frame has been drawn."""
        return self.frame is None

    def show(self, frame: Sequence[str]) -> None:
        """Draw these lines as soon as the terminal takes them, instead of any that still wait."""
        with self.change:
            self.frame = frame
            self.change.notify()

    def draw(self) -> None:
        """Send frame after frame."""
        while True:
            with self.change:
                while self.frame is None and not self.leaving:
                    self.change.wait()
                frame = self.frame
            if self.leaving or frame is None:
                return
            if not self.away:
                self.write(self.changes(list(frame)))
            with self.change:
                if self.frame is frame:
                    self.frame = None

    def changes(self, frame: list[str]) -> str:
        """What turns the lines that stand there into these."""
        fresh = self.size != self.at
        self.at = self.size
        known = [] if fresh else self.drawn
        self.drawn = frame
        lines = [
            f"\x1b[{place + 1};1H{line}\x1b[0m\x1b[K"
            for place, line in enumerate(frame)
            if place >= len(known) or known[place] != line
        ]
        cleared = "\x1b[2J" if fresh else f"\x1b[{len(frame) + 1};1H\x1b[J" if len(known) > len(frame) else ""
        return cleared + "".join(lines)

    def write(self, text: str, until: float | None = None) -> None:
        """Send a text; one that the terminal has not taken by `until`, or when it is time to leave, is given up."""
        left = memoryview(text.encode(self.encoding, "replace"))
        with contextlib.suppress(OSError):  # the terminal is gone
            while left and not (self.leaving if until is None else time.monotonic() >= until):
                try:
                    left = left[os.write(self.number, left) :]
                except BlockingIOError:
                    select.select([], [self.number], [], 0.1)

    def go_away(self) -> None:
        """Give the screen back for a while."""
        self.away = True
        self.write(LEAVE, time.monotonic() + PATIENCE)

    def come_back(self) -> None:
        """Take it again, and draw everything anew."""
        self.at = (0, 0)
        self.write(ENTER, time.monotonic() + PATIENCE)
        self.away = False

    def leave(self) -> None:
        """Give the screen back, cursor and all; at most half a second is spent on a terminal that takes nothing."""
        if self.left:
            return
        self.left = self.leaving = True
        if self.thread.is_alive() and self.change.acquire(timeout=PATIENCE):
            self.change.notify_all()
            self.change.release()
        resume(self.number)
        if self.thread.is_alive():
            self.thread.join(PATIENCE)
        self.write(LEAVE, time.monotonic() + PATIENCE)

    def abandon(self) -> None:
        """Give the screen back at once, from a signal handler: no lock is taken and nobody waited for."""
        self.left = self.leaving = True
        resume(self.number)
        self.write(LEAVE, time.monotonic() + PATIENCE)


def own(number: int) -> int:
    """The terminal opened anew, so that not to wait for it is a matter between it and us; else the same as it is."""
    try:
        return os.open(os.ttyname(number), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except (OSError, AttributeError):
        return os.dup(number)


def resume(number: int) -> None:
    """Let a terminal that was stopped with Ctrl-S go on, or it would never show that we have left."""
    try:
        import termios  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    with contextlib.suppress(termios.error, OSError):
        if os.tcgetpgrp(number) != os.getpgrp():
            return  # in the background the terminal is not ours to start, and trying would stop us
        termios.tcflow(number, termios.TCOOFF)  # what was stopped by a key only goes on after a stop of our own
        termios.tcflow(number, termios.TCOON)
