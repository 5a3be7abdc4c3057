"""Filling from REST what a stream missed, and saying of what it could not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from marketcli.errors import MarketError
from marketcli.live import defaults
from marketcli.live.events import Blind, Cause
from marketcli.models import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marketcli.datasets import Dataset
    from marketcli.live.lanes import Lane
    from marketcli.live.outbox import Origin, Outbox
    from marketcli.models import Instrument, Interval, Micros, Window
    from marketcli.net.client import Outside
    from marketcli.records import Record


class Repaired(NamedTuple):
    """What REST has of a window, whether that is all there was, and whether it reaches back no further than its end."""

    records: Sequence[Record]
    whole: bool
    later: bool = False


class Repair(Protocol):
    """Asks REST for a window of an instrument. Raises what the client raises."""

    async def __call__(
        self, dataset: Dataset, instrument: Instrument, *, interval: Interval | None, window: Window
    ) -> Repaired:
        """The records of the window."""


@dataclass(slots=True, eq=False)
class Job:
    """A stretch that is being asked for."""

    lanes: tuple[Lane, ...]
    window: Window
    cause: Cause
    audit: bool = False  # nothing is known to be missing


class Repairs:
    """The repairs of one feed. Those that are not through when it ends are told as blind intervals."""

    def __init__(
        self,
        origin: Origin,
        repair: Repair | None,
        *,
        dataset: Dataset,
        interval: Interval | None,
        outbox: Outbox,
        outside: Outside,
        now: Callable[[], Micros],
        turns: asyncio.Semaphore,
        reaches: bool = True,
    ) -> None:
        self.origin = origin
        self.repair = repair
        self.dataset = dataset  # that REST is asked for
        self.interval = interval
        self.outbox = outbox
        self.outside = outside
        self.now = now
        self.turns = turns
        self.reaches = reaches  # whether REST's trades reach far enough back to compare streams with them
        self.jobs: dict[Job, asyncio.Task[None]] = {}

    def busy(self, lane: Lane) -> bool:
        """Whether a stretch of an instrument is being asked for."""
        return any(lane in job.lanes for job in self.jobs)

    def check(self) -> None:
        """Raise what went wrong in a way that nobody expected: a job that is through is not here any more."""
        for task in self.jobs.values():
            if task.done():
                task.result()

    def start(self, lanes: Sequence[Lane], window: Window, cause: Cause) -> None:
        """Begin to fill a stretch of these instruments."""
        job = Job(tuple(lanes), window, cause)
        if self.repair is None:
            self.tell(job, job.lanes, rows=0, repaired=False)
            return
        self.jobs[job] = asyncio.ensure_future(self.carry_out(job))

    def audit(self, lane: Lane, window: Window, lacking: Callable[[], bool]) -> None:
        """Ask for a stretch that should be whole; only if something was missing, that is told, and `lacking` called.

        Where that says that the connection is no good, all of it is asked for once more behind the next one.
        """
        if self.repair is not None and not self.busy(lane):
            job = Job((lane,), window, Cause.SKIPPED, audit=True)
            self.jobs[job] = asyncio.ensure_future(self.compare(job, lacking))

    async def compare(self, job: Job, lacking: Callable[[], bool]) -> None:
        """Hand on what was missing; an answer that does not come proves nothing."""
        (lane,) = job.lanes
        try:
            async with self.turns:
                found = await self.asked(lane, job.window)
        except MarketError:
            found = Repaired((), whole=False)
        del self.jobs[job]
        records = lane.filled(one for one in found.records if getattr(one, "time", 0) in job.window)
        if records:
            self.outbox.put(self.origin, records)
        dead = (records or found.later) and lacking()
        if records and not dead:
            self.tell(job, job.lanes, rows=len(records), repaired=found.whole)

    async def carry_out(self, job: Job) -> None:
        """Fill the stretch, instrument by instrument, and tell what came of it."""
        # REST lists a trade, and settles a candle, a moment after the streams have told them.
        settled = (job.window.end - self.now()) / SECOND + defaults.SETTLE_SECONDS
        await self.outside.sleep(max(0.0, settled))
        outcomes = await asyncio.gather(*(self.one(lane, job.window) for lane in job.lanes))
        del self.jobs[job]
        for repaired in (True, False):
            lanes = [lane for lane, (whole, _) in zip(job.lanes, outcomes, strict=True) if whole is repaired]
            rows = sum(count for whole, count in outcomes if whole is repaired)
            if lanes:
                self.tell(job, lanes, rows=rows, repaired=repaired)

    async def one(self, lane: Lane, window: Window) -> tuple[bool, int]:
        """Fill the stretch of one instrument: whether it is whole now, and how many records came."""
        count = 0
        for tried in range(defaults.REPAIR_TRIES):
            if tried:
                await self.outside.sleep(defaults.SETTLE_SECONDS)
            try:
                async with self.turns:
                    found = await self.asked(lane, window)
            except MarketError:
                continue
            records = lane.filled(found.records)
            count += len(records)
            if records:
                self.outbox.put(self.origin, records)
            if found.whole and lane.settled(window):
                return True, count
        lane.give_up(window)
        return False, count

    async def asked(self, lane: Lane, window: Window) -> Repaired:
        """What REST says."""
        if self.repair is None:
            return Repaired((), whole=False)
        return await self.repair(self.dataset, lane.instrument, interval=self.interval, window=window)

    def tell(self, job: Job, lanes: Sequence[Lane], *, rows: int, repaired: bool) -> None:
        """Say what became of a stretch, and count it."""
        vitals = self.outbox.health(self.origin.exchange, self.origin.market)
        vitals.repaired += repaired
        vitals.gaps += not repaired
        symbols = tuple(lane.instrument.symbol for lane in lanes)
        self.outbox.tell(Blind(*self.origin, symbols, job.window, job.cause, repaired, rows))

    def give_up(self, lane: Lane, window: Window) -> None:
        """Tell of a stretch that nobody will ask for any more."""
        self.tell(Job((lane,), window, Cause.SKIPPED), (lane,), rows=0, repaired=False)

    async def stop(self) -> None:
        """End what is under way; it is told as not repaired."""
        jobs = dict(self.jobs)
        self.jobs.clear()
        for task in jobs.values():
            task.cancel()
        await asyncio.gather(*jobs.values(), return_exceptions=True)
        for job in (job for job in jobs if not job.audit):
            self.tell(job, job.lanes, rows=0, repaired=False)
