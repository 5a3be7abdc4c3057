"""What ends a watch: a key, time, enough records, a reader that left, a signal; and what a second signal does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

from marketcli.cli.run import ENDINGS
from marketcli.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

PATIENCE = 1.9  # seconds after a signal within which everything is flushed and closed, or left


class Stop:
    """The end of a watch, once it has come; `code` is the exit code of the signal that brought it, if one did."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.task = asyncio.current_task()
        self.event = asyncio.Event()
        self.under_way = False  # until then there is nothing to end in order
        self.code: ExitCode | None = None
        self.restore: Callable[[], None] = lambda: None  # gives a terminal back, from wherever it is called
        self.alarm: threading.Timer | None = None

    def now(self) -> None:
        """End it; may be called from any thread."""
        self.loop.call_soon_threadsafe(self.event.set)

    def caught(self, number: int, _: FrameType | None) -> None:
        """A signal: the first ends it in order, and a second one at once."""
        code = ENDINGS[signal.Signals(number).name]
        if self.code is not None:
            self.leave(code)
        self.code = code
        self.alarm = threading.Timer(PATIENCE, self.leave, [code])
        self.alarm.daemon = True
        self.alarm.start()
        if self.under_way or self.task is None:
            self.now()
        else:
            self.loop.call_soon_threadsafe(self.task.cancel)

    def leave(self, code: ExitCode) -> None:
        """End the program as it is, with the terminal given back."""
        self.restore()
        os._exit(code)

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Take over the signals that end programs; give them back when all is closed in time."""
        before = {}
        for name in ENDINGS:
            if hasattr(signal, name) and threading.current_thread() is threading.main_thread():
                number = getattr(signal, name)
                before[number] = signal.signal(number, self.caught)
        try:
            yield
        finally:
            if self.alarm is not None:
                self.alarm.cancel()
            for number, handler in before.items():
                signal.signal(number, handler)
