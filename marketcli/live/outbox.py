"""What waits between feeds and who reads: bounded, and never silent about what was thrown away."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from marketcli.live import defaults
from marketcli.live.events import Blind, Cause, Vitals
from marketcli.models import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.datasets import Dataset
    from marketcli.errors import MarketError
    from marketcli.live.events import Event
    from marketcli.models import Market, Micros
    from marketcli.records import Record


class Origin(NamedTuple):
    """Whose records they are."""

    exchange: str
    market: Market
    dataset: Dataset


class Loss(NamedTuple):
    """Records that nobody fetched in time."""

    first: Micros
    last: Micros
    rows: int


class Outbox:
    """Events for one reader. Feeds never wait for it: when it is full, the records that waited longest go.

    They are counted, and the stretch they are missing from is told before what comes next. Statuses and blind
    intervals are few and never thrown away.
    """

    def __init__(self, *, limit: int = defaults.QUEUE) -> None:
        self.limit = limit
        self.vitals: dict[tuple[str, Market], Vitals] = {}
        self.failures: list[MarketError] = []  # what is not watched, or not any more
        self.waiting: deque[tuple[Origin | None, Sequence[Event]]] = deque()
        self.size = 0
        self.kept: list[Event] = []  # what was told among records that are gone
        self.losses: dict[Origin, Loss] = {}
        self.ready = asyncio.Event()
        self.over = False

    def health(self, exchange: str, market: Market) -> Vitals:
        """The counts of one exchange and market."""
        found = self.vitals.get((exchange, market))
        if found is None:
            found = self.vitals[exchange, market] = Vitals(exchange, market)
        return found

    def put(self, origin: Origin, records: Sequence[Record]) -> None:
        """Add records, oldest first."""
        self.waiting.append((origin, records))
        self.size += len(records)
        self.health(origin.exchange, origin.market).records += len(records)
        while self.size > self.limit and len(self.waiting) > 1:
            self.drop()
        self.ready.set()

    def tell(self, event: Event) -> None:
        """Add a status or a blind interval, after the records before it."""
        self.waiting.append((None, (event,)))
        self.ready.set()

    def fail(self, error: MarketError) -> None:
        """Something is not watched any more; several connections may say the same."""
        if error.message not in {known.message for known in self.failures}:
            self.failures.append(error)

    def drop(self) -> None:
        """Throw away what waited longest."""
        origin, events = self.waiting.popleft()
        if origin is None:
            self.kept += events
            return
        self.size -= len(events)
        self.health(origin.exchange, origin.market).dropped += len(events)
        times = [getattr(event, "time", 0) for event in events]
        known = self.losses.get(origin, Loss(min(times), max(times), 0))
        self.losses[origin] = Loss(min(known.first, *times), max(known.last, *times), known.rows + len(events))

    def close(self) -> None:
        """Nothing more will come."""
        self.over = True
        self.ready.set()

    async def take(self) -> list[Event]:
        """What came since the last time, at least one event; nothing when nothing more will come."""
        while not (self.waiting or self.kept or self.over):
            self.ready.clear()
            await self.ready.wait()
        return self.rest(defaults.BATCH)

    def rest(self, most: int | None = None) -> list[Event]:
        """What waits now, that which was thrown away named first."""
        found: list[Event] = [*map(self.blind, list(self.losses)), *self.kept]
        self.losses.clear()
        self.kept.clear()
        while self.waiting and (most is None or len(found) < most):
            origin, events = self.waiting.popleft()
            self.size -= 0 if origin is None else len(events)
            found += events
        return found

    def blind(self, origin: Origin) -> Blind:
        """The stretch that records are missing from because nobody fetched them."""
        loss = self.losses[origin]
        self.health(origin.exchange, origin.market).gaps += 1
        window = Window(loss.first, loss.last + 1)
        return Blind(*origin, symbols=(), window=window, cause=Cause.DROPPED, repaired=False, rows=loss.rows)
