"""Keys, one by one and without Enter, where somebody sits at the terminal."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

TICK = 0.1  # seconds between two looks


class Keys:
    """`with Keys(sys.stdin, pressed)`: calls `pressed` with each key, from a thread of its own.

    The terminal is given back as it was found. Where nobody can type, nothing happens and `listening` is false.
    """

    def __init__(self, stream: IO[str] | None, pressed: Callable[[str], None]) -> None:
        self.pressed = pressed
        self.number = at_terminal(stream)
        self.listening = self.number is not None
        self.found: list[Any] | None = None
        self.over = threading.Event()

    def __enter__(self) -> Self:
        if self.number is not None:
            self.take()
            threading.Thread(target=self.listen, daemon=True, name="keys").start()
        return self

    def __exit__(self, *_: object) -> None:
        self.restore()

    def restore(self) -> None:
        """Give the terminal back for good; twice does no harm."""
        self.over.set()
        self.give_back()

    def take(self) -> None:
        """Have keys come one by one."""
        if self.number is not None and os.name != "nt":
            self.found = one_by_one(self.number)

    def give_back(self) -> None:
        """Leave the terminal as it was found."""
        if self.found is not None and self.number is not None:
            import termios  # noqa: PLC0415 - Windows has none

            found, self.found = self.found, None
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.number, termios.TCSANOW, found)

    def listen(self) -> None:
        """Hand over what is typed until it is over."""
        read = typed_on_windows if os.name == "nt" else self.typed
        while not self.over.is_set():
            for key in read():
                if not self.over.is_set():
                    self.pressed(key)

    def typed(self) -> str:
        """What was typed within a moment."""
        assert self.number is not None  # noqa: S101 - `listen` runs only then
        try:
            if not select.select([self.number], [], [], TICK)[0]:
                return ""
            text = os.read(self.number, 64)
        except OSError:
            text = b""
        if not text:  # the terminal is gone
            self.over.set()
        return "" if text.startswith(b"\x1b") else text.decode("ascii", "ignore")


def at_terminal(stream: IO[str] | None) -> int | None:
    """The number of a terminal whose keys are ours to read: not those of somebody in the foreground before us."""
    try:
        if stream is None or not stream.isatty():
            return None
        number = stream.fileno()
        if os.name != "nt" and os.tcgetpgrp(number) != os.getpgrp():
            return None
    except (OSError, ValueError):
        return None
    return number


def one_by_one(number: int) -> list[Any] | None:
    """Have keys come without Enter and without being shown; gives the state before, None if that is not to be had."""
    import termios  # noqa: PLC0415 - Windows has none

    try:
        found = termios.tcgetattr(number)
        signs = list(found[6])
        signs[termios.VMIN], signs[termios.VTIME] = 1, 0
        changed = [*found[:3], found[3] & ~(termios.ICANON | termios.ECHO), *found[4:6], signs]
        termios.tcsetattr(number, termios.TCSANOW, changed)
    except termios.error:
        return None
    return found


def typed_on_windows() -> str:
    """What was typed within a moment."""
    if sys.platform == "win32":  # what mypy takes for Windows
        import msvcrt  # noqa: PLC0415
        import time  # noqa: PLC0415

        time.sleep(TICK)
        return msvcrt.getwch() if msvcrt.kbhit() else ""
    return ""
