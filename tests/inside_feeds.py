"""Feeds of the program over the sandbox's exchanges in one process, on one clock that jumps: REST and streams alike."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from faults.bench import VIA, BenchTransport, Clock, FloorTransport
from inside_sockets import dial

from marketcli.api.live import watched
from marketcli.api.session import Session
from marketcli.config import Config
from marketcli.exchanges import load
from marketcli.live.events import Blind, Status
from marketcli.net.transport import Settings
from marketcli.sandbox.floor import Floor
from marketcli.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from virtual_time import Hours

    from marketcli.api.live import Feeds, Watch
    from marketcli.live.events import Event

SEED = 7


@dataclass(eq=False)
class Place:
    """A floor of exchanges and a session that is led to it."""

    hours: Hours
    floor: Floor
    session: Session
    events: list[Event] = field(default_factory=list)
    rest: list[Any] = field(default_factory=list)  # requests that were sent

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def records(self) -> list[Any]:
        """The records."""
        return [event for event in self.events if not isinstance(event, (Blind, Status))]

    @asynccontextmanager
    async def watching(self, *exchanges: str, watch: Watch) -> AsyncIterator[Feeds]:
        """Watch, and collect what comes into `events`; the last words too."""
        way = dial(self.floor)
        tables = [load(name) for name in exchanges]
        async with watched(self.session, tables, watch, dial=lambda _: way) as feeds:
            pumping = asyncio.ensure_future(self.pump(feeds))
            try:
                yield feeds
            finally:
                last = await feeds.stop()
                await pumping
                self.events += last

    async def pump(self, feeds: Feeds) -> None:
        """Collect events to the end."""
        async for batch in feeds:
            self.events += batch


@asynccontextmanager
async def place(hours: Hours, *, faults: Sequence[str] = (), limits: bool = True, **more: Any) -> AsyncIterator[Place]:
    """A place on the clock of a virtual loop."""
    floor = Floor(World(SEED, clock=hours.micros), limits=limits, faults=faults, **more)
    outside = hours.outside()
    transport = BenchTransport(Settings(via=VIA), outside.monotonic)
    transport.way = FloorTransport(floor, cast("Clock", Seconds(hours)))
    async with Session(Config.model_validate({"via": VIA}), outside=outside, transport=transport) as session:
        yield Place(hours, floor, session, rest=transport.way.sent)


class Seconds:
    """The clock of requests."""

    def __init__(self, hours: Hours) -> None:
        self.hours = hours

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return self.hours.passed()
