"""What a watch says on stderr while it goes on: by a thread of its own, because a stalled terminal must not stop it."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING

from marketcli.cli.notice import complain, tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.config import Config
    from marketcli.errors import MarketError

WAITING = 256  # sentences that wait for a stalled terminal at most
PATIENCE = 0.5  # seconds it is given at the end


class Talk:
    """Sentences on stderr; where a panel has the terminal they are `held` until it has left."""

    def __init__(self, config: Config, *, quiet: bool, held: bool) -> None:
        self.config, self.quiet, self.held = config, quiet, held
        self.said: queue.Queue[Callable[[], None] | None] = queue.Queue(WAITING)
        self.thread = threading.Thread(target=self.speak, daemon=True, name="talk")
        if not held:
            self.thread.start()

    def note(self, sentence: str) -> None:
        """Good to know; nothing under -q."""
        if not self.quiet:
            self.put(lambda: tell(self.config, notes=[sentence]))

    def warning(self, sentence: str) -> None:
        """Something asked for is missing or doubtful."""
        self.put(lambda: tell(self.config, warnings=[sentence]))

    def error(self, problem: MarketError) -> None:
        """Something failed."""
        self.put(lambda: complain(problem, self.config))

    def put(self, say: Callable[[], None]) -> None:
        """Have it said when stderr takes it; of too many that wait the newest are lost."""
        with contextlib.suppress(queue.Full):
            self.said.put_nowait(say)

    def speak(self) -> None:
        """Say what there is to say."""
        while (say := self.said.get()) is not None:
            with contextlib.suppress(OSError, ValueError):
                say()

    def end(self) -> bool:
        """Say the rest, what was held back too; whether stderr took it."""
        if self.held:
            self.thread.start()
        with contextlib.suppress(queue.Full):
            self.said.put(None, timeout=PATIENCE)
        self.thread.join(PATIENCE)
        return not self.thread.is_alive()
