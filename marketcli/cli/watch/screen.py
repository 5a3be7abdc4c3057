"""A watch as a panel: drawn at most four times a second, with keys where somebody can press them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Self

from marketcli.output.keys import Keys
from marketcli.output.panels.panel import About
from marketcli.output.panels.views import panel_of
from marketcli.output.screen import Screen
from marketcli.output.theme import console, glyphs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from marketcli.cli.watch.plan import Plan
    from marketcli.cli.watch.stop import Stop
    from marketcli.live.events import Event

TITLES = {
    "liquidations": "Liquidations",
    "large_trades": "Large trades",
    "trades": "Trades",
    "ohlc": "Candles",
    "ticker": "Tickers",
    "funding": "Funding",
    "oi": "Open interest",
}


class PanelSink:
    """Draws what is watched."""

    dropped = 0
    failure = None

    def __init__(self, plan: Plan, feeds: Any, *, stop: Stop) -> None:
        self.stop = stop
        self.keys = Keys(sys.stdin, self.pressed)
        about = About(TITLES[plan.dataset.name], plan.conditions, keys=self.keys.listening, glyphs=glyphs(sys.stdout))
        self.panel = panel_of(plan.dataset, feeds, about)
        self.console = console(sys.stdout, color=False if plan.config.no_color else None)
        self.screen = Screen(sys.stdout)
        self.stack = contextlib.ExitStack()
        stop.restore = self.restore

    def __enter__(self) -> Self:
        self.stack.enter_context(self.screen)
        self.stack.enter_context(self.keys)
        if hasattr(signal, "SIGTSTP") and threading.current_thread() is threading.main_thread():
            before = signal.signal(signal.SIGTSTP, self.suspended)
            self.stack.callback(signal.signal, signal.SIGTSTP, before)
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def restore(self) -> None:
        """Give the terminal back at once, from a signal handler."""
        self.keys.restore()
        self.screen.abandon()

    def suspended(self, number: int, _: FrameType | None) -> None:
        """Ctrl-Z: give the terminal back, wait to be continued, and take it again."""
        self.keys.give_back()
        self.screen.go_away()
        before = signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, before)
        self.screen.come_back()
        self.keys.take()

    def take(self, events: Sequence[Event]) -> None:
        """Take events in."""
        for event in events:
            self.panel.apply(event)

    def tick(self) -> None:
        """Draw, if the terminal has taken the last drawing."""
        if self.screen.ready:
            columns, lines = self.screen.size
            self.screen.show(drawn(self.console, self.panel, columns, lines))

    def pressed(self, key: str) -> None:
        """A key, from the thread that reads them."""
        self.stop.loop.call_soon_threadsafe(self.press, key)

    def press(self, key: str) -> None:
        """Do what a key stands for."""
        if key in "qQ":
            self.stop.event.set()
        elif key in "pP":
            self.panel.pause()
        elif key in "sS":
            self.panel.sort()

    async def end(self, *, whole: bool) -> None:  # noqa: ARG002 - nothing is lost on a screen
        """Give the screen back."""
        self.stack.close()

    def said(self) -> list[str]:
        """What the summary says besides the number of records."""
        return self.panel.said()


def drawn(on: Any, panel: Any, columns: int, lines: int) -> list[str]:
    """The lines of a panel for a terminal, colours and all."""
    with on.capture() as captured:
        on.print(panel, width=columns, height=lines, soft_wrap=True, end="")
    return str(captured.get()).split("\n")
