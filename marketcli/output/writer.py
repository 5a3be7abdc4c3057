"""The thread that writes what a stream gives, so that nothing else ever waits for a slow reader."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from marketcli.errors import MarketError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketcli.models import Micros
    from marketcli.output.targets import Target

WAITING = 8 << 20  # bytes that wait for a slow reader at most (reliability.md 3.2)

Span: TypeAlias = tuple[int, "Micros", "Micros"]  # how many records, and the first and the last time
Missing: TypeAlias = "dict[tuple[str, str], Span]"  # by exchange and market


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines, and what is missing if they are thrown away."""

    data: bytes
    holds: Mapping[tuple[str, str], Span] = field(default_factory=dict)


class Writer(threading.Thread):
    """Writes chunks in their order to a target, and `lead` before them.

    Where the target is not lossless and more than `limit` bytes wait, what has waited longest is thrown away; `gap`
    makes the lines that say so, and they stand before the next record. `ended` is called, from this thread, when all is
    written or nothing more can be.
    """

    def __init__(
        self,
        target: Target,
        *,
        gap: Callable[[Missing], bytes],
        ended: Callable[[], None],
        lead: bytes = b"",
        limit: int = WAITING,
    ) -> None:
        super().__init__(daemon=True, name="writer")
        self.target, self.gap, self.ended, self.lead = target, gap, ended, lead
        self.limit = None if target.lossless else limit
        self.waiting: deque[Chunk] = deque()
        self.size = 0
        self.missing: Missing = {}
        self.dropped = 0
        self.change = threading.Condition()
        self.finishing = False
        self.whole = True
        self.failure: MarketError | None = None
        self.deserted = False

    def put(self, chunk: Chunk) -> None:
        """Hand over lines; this never waits for the target."""
        with self.change:
            if self.finishing:
                return
            self.waiting.append(chunk)
            self.size += len(chunk.data)
            if self.limit is not None and self.size > self.limit:
                self.drop(self.limit)
            self.change.notify()

    def drop(self, limit: int) -> None:
        """Throw away what has waited longest."""
        while self.size > limit and self.waiting:
            chunk = self.waiting.popleft()
            self.size -= len(chunk.data)
            for place, (count, first, last) in chunk.holds.items():
                self.dropped += count
                known = self.missing.get(place, (0, first, last))
                self.missing[place] = known[0] + count, min(known[1], first), max(known[2], last)

    def finish(self, *, whole: bool) -> None:
        """No more comes; what waits is still written. `whole` is whether all that was asked for has come."""
        with self.change:
            self.finishing, self.whole = True, whole
            self.change.notify()

    def left(self) -> int:
        """How many records wait to be written."""
        with self.change:
            return sum(count for chunk in self.waiting for count, _, _ in chunk.holds.values())

    def run(self) -> None:
        """Write until there is no more."""
        try:
            self.target.begin(self.lead)
            while (data := self.next()) is not None:
                self.target.write(data)
            self.target.close(whole=self.whole)
        except BrokenPipeError:
            self.deserted = True
        except MarketError as error:
            self.failure = error
        with self.change:
            self.finishing = True
            self.waiting.clear()
        self.ended()

    def next(self) -> bytes | None:
        """The next bytes to write, with what says that some before them are missing; None at the end."""
        with self.change:
            while not self.waiting and not self.finishing:
                self.change.wait()
            if not self.waiting:
                return self.told()
            chunk = self.waiting.popleft()
            self.size -= len(chunk.data)
            return (self.told() or b"") + chunk.data

    def told(self) -> bytes | None:
        """What says that records are missing, once; None if none are."""
        missing, self.missing = self.missing, {}
        return self.gap(missing) if missing else None
