"""One connection's worth of topics, kept alive: connects, comes back, renews itself, and says when it was blind."""

from __future__ import annotations

import asyncio
import logging
import math
from functools import partial
from typing import TYPE_CHECKING

from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, TRADES
from marketcli.errors import MarketError
from marketcli.live import defaults
from marketcli.live.events import Blind, Cause, State, Status
from marketcli.live.lanes import grouped
from marketcli.live.link import Away, Link, Refusal, Silence, Stage, Unanswered
from marketcli.live.tasks import either, ended
from marketcli.models import SECOND, Window
from marketcli.net.backoff import delay
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.live.doorway import Doorway
    from marketcli.live.lanes import Lane
    from marketcli.live.outbox import Origin, Outbox
    from marketcli.live.plan import Plan, Topic
    from marketcli.live.repair import Repairs
    from marketcli.models import Instrument, Micros
    from marketcli.net.client import Clock, Outside
    from marketcli.net.socket import Wire
    from marketcli.spec import Channel, Decode

log = logging.getLogger("marketcli.live")


class Feed:
    """`run` ends only by an error that no trying again can mend, or when it is cancelled.

    `lane` makes what an instrument's rows go through. `max_down` are the seconds that the exchange may be away.
    """

    def __init__(
        self,
        plan: Plan,
        number: int,
        *,
        origin: Origin,
        doorway: Doorway,
        lane: Callable[[Instrument, Channel], Lane],
        repairs: Repairs,
        outbox: Outbox,
        outside: Outside,
        clock: Clock,
        max_down: float | None = None,
    ) -> None:
        self.plan = plan
        self.topics = plan.topics
        self.number = number
        self.origin = origin
        self.doorway = doorway
        self.make_lane = lane
        self.repairs = repairs
        self.outbox = outbox
        self.outside = outside
        self.clock = clock
        self.now = clock.now
        self.max_down = max_down
        self.wanted = {one.native: one for one in plan.instruments}
        self.lanes: dict[str, Lane] = {}
        self.vitals = outbox.health(origin.exchange, origin.market)
        self.links: list[Link] = []
        self.stopped: Micros | None = None  # when it was told to end
        self.last: Link | None = None  # the connection that ended last
        self.counted = 0  # messages of connections that are gone
        self.frames: dict[bytes, None] = {}  # the newest of streams without ids
        self.well = outside.monotonic()  # when the exchange was last known to be there
        self.began = clock.now()
        self.started: Micros | None = None  # since when everything is wanted: the first complete connection, or failure
        self.blind: tuple[Micros, Cause] | None = None  # since when nothing is seen

    # --- connections

    async def run(self) -> None:
        """Stay connected, and look after what waits."""
        self.vitals.wanted += 1
        ticking, staying = asyncio.ensure_future(self.tick()), asyncio.ensure_future(self.stay())
        try:
            await either(ticking, staying)
        finally:
            await ended(staying)
            await ended(ticking)
            self.vitals.wanted -= 1

    async def stay(self) -> None:
        """Stay connected."""
        failures = unanswered = 0
        try:
            while True:
                link = self.link(await self.opened())
                try:
                    await self.live(link)
                except MarketError as error:
                    if self.stopped is not None:
                        return
                    failures = 0 if link.settled.is_set() else failures + 1
                    unanswered = unanswered + 1 if isinstance(error, Unanswered) else 0
                    self.lost(error)
                    if not error.retryable or unanswered >= defaults.ACK_TRIES:
                        raise
                await self.rest(failures)
        except MarketError as error:
            self.tell(State.REFUSED, error.message)
            raise

    async def opened(self) -> Wire:
        """An open connection, unless the exchange stays away for too long; the doorway sees to the waiting."""
        while True:
            self.tell(State.CONNECTING)
            left = self.well + (math.inf if self.max_down is None else self.max_down) - self.outside.monotonic()
            try:
                async with asyncio.timeout(None if left == math.inf else max(0.0, left)):
                    return await self.doorway.open(self.plan.socket)
            except TimeoutError:
                raise Away(
                    f"{self.origin.exchange} {self.origin.market} has been away for {self.max_down:g} s (--max-down).",
                    hint="Run again when it is back.",
                ) from None
            except MarketError as error:
                if not error.retryable:
                    raise
                if not self.links:
                    self.lost(error)

    async def rest(self, failures: int) -> None:
        """Wait a little before the next connection, longer when the last ones brought nothing."""
        cap = defaults.BACKOFF_CAP_SECONDS
        await self.outside.sleep(delay(failures, defaults.BACKOFF_SECONDS, cap=cap, random=self.outside.random))

    def link(self, wire: Wire) -> Link:
        """A connection with decoders of its own."""
        decoders: dict[Channel, Decode] = {}
        for topic in self.topics:
            if topic.channel not in decoders:
                decoders[topic.channel] = topic.channel.decoder()
        stages = [
            Stage(topic.name, topic.channel, topic.query, decoders[topic.channel], self.lane_of(topic))
            for topic in self.topics
        ]
        names = self.plan.names(self.topics)
        return Link(wire, self.plan.socket, names, stages=stages, receiver=self, outside=self.outside)

    async def live(self, link: Link) -> None:
        """Take what a connection brings; another one takes over before the exchange closes it."""
        running = self.start(link)
        try:
            await either(running, link.settled.wait())
            self.seen(link)
            while True:
                await either(running, link.leaving.wait())
                try:
                    heir = self.link(await either(running, self.opened()))
                except MarketError as error:
                    log.info("No other connection can take over: %s", error.message)
                    await asyncio.wait({running})  # what works is used to its end
                    raise
                follows = self.start(heir)
                try:
                    await either(running, either(follows, heir.settled.wait()))
                    await asyncio.wait([running, follows], timeout=defaults.OVERLAP_SECONDS)
                except MarketError as error:
                    await ended(follows)
                    if running.done():
                        raise
                    log.info("The next connection failed: %s", error.message)
                    await either(running, self.rest(3))
                    continue
                await link.close()
                await ended(running)
                link, running = heir, follows
                self.tell(State.RENEWED)
        finally:
            await ended(running)

    def start(self, link: Link) -> asyncio.Task[None]:
        """Let a connection run."""

        async def running() -> None:
            self.links.append(link)
            self.vitals.connections += 1
            try:
                await link.run()
            finally:
                self.links.remove(link)
                self.counted += link.messages
                self.vitals.connections -= 1
                self.last = link

        return asyncio.ensure_future(running())

    # --- what is not seen

    def lost(self, error: MarketError) -> None:
        """The connection is gone, or there is none: remember since when nothing is seen."""
        if self.started is None and not isinstance(error, Refusal):
            self.started = self.began
        if self.blind is None and self.started is not None:
            self.vitals.reconnects += self.last is not None
            seen = self.began if self.last is None else self.last.last_seen(self.now())
            self.blind = max(self.started, seen), Cause.SILENT if isinstance(error, Silence) else Cause.DISCONNECTED
            for lane in self.lanes.values():
                lane.lost()
        self.tell(State.LOST, error.message)

    def seen(self, link: Link) -> None:
        """A connection is complete: what was missed until now is filled, or told."""
        self.timed(link, self.outside.monotonic())
        self.tell(State.LIVE)
        told, now = link.sent(link.first), self.now()
        if self.blind is not None:
            (start, cause), self.blind = self.blind, None
            end = now + SECOND if told is None else told  # the exchange's clock is known to a second, from below
            self.missed(Window(max(start - self.late, self.started or 0), max(end, start + 1)), cause)
        elif self.started is None:
            self.started = now if told is None else told

    @property
    def late(self) -> Micros:
        """How long after an event it may still be pushed."""
        return round(max(topic.channel.delay for topic in self.topics) * SECOND)

    def missed(self, window: Window, cause: Cause) -> None:
        """Fill a stretch in which nothing was seen, or tell that it cannot be."""
        consecutive = any(topic.channel.consecutive for topic in self.topics)
        asked = {TRADES: not consecutive or len(self.wanted) <= defaults.REPAIR_MOST, OHLC: True}
        asked[FUNDING] = len(self.wanted) <= defaults.REPAIR_MOST
        if asked.get(self.plan.dataset, False):
            self.repairs.start([self.lane(one) for one in self.wanted.values()], window, cause)
        else:
            self.unseen(window, cause)

    def unread(self, until: Micros) -> None:
        """Tell of the end, where nothing came yet, what came last was late, or it came long before."""
        link = self.last
        if self.started is None or link is None:
            seen, usual, cause = self.began, 0.0, Cause.DISCONNECTED if link is None else Cause.SILENT
        else:
            seen, usual = link.last_seen(self.now()), link.cadence()
            came = self.outside.monotonic() - link.last <= defaults.BEHIND_SECONDS
            cause = Cause.DROPPED if came else Cause.SILENT
        if until - seen > round((defaults.BEHIND_SECONDS + usual) * SECOND):
            self.unseen(Window(seen, until), cause)

    def unseen(self, window: Window, cause: Cause) -> None:
        """Tell of a stretch that stays dark."""
        self.vitals.gaps += 1
        symbols = () if self.plan.everything else tuple(one.symbol for one in self.wanted.values())
        self.outbox.tell(Blind(*self.origin, symbols, window, cause, repaired=False))

    def tell(self, state: State, text: str = "") -> None:
        """Say what became of the connection."""
        exchange, market, _ = self.origin
        if state is State.LIVE:
            self.well = math.inf
        elif self.well == math.inf and state is State.LOST:
            self.well = self.outside.monotonic()
        self.outbox.tell(Status(exchange, market, state, self.now(), self.number, text))

    # --- what comes

    def lane_of(self, topic: Topic) -> Lane | None:
        """The lane of a topic about one instrument."""
        one = topic.query.instrument
        return None if one is None else self.lane(one)

    def lane(self, instrument: Instrument) -> Lane:
        """The lane of an instrument, which outlives connections."""
        if instrument.native not in self.lanes:
            self.lanes[instrument.native] = self.make_lane(instrument, self.topics[0].channel)
        return self.lanes[instrument.native]

    def received(self, stage: Stage, data: bytes) -> None:
        """Data of a topic that was asked for."""
        if self.plan.dataset is LIQUIDATIONS and self.twice(bytes(data)):
            return
        rows = stage.decode(data, stage.query)
        if not rows:
            return
        if stage.lane is not None:
            if records := stage.lane.take(rows, stage.channel):
                self.outbox.put(self.origin, records)
            return
        for native, mine in grouped(rows):
            one = self.wanted.get(native)
            if one is not None and (records := self.lane(one).take(mine, stage.channel)):
                self.outbox.put(self.origin, records)
            if one is None and self.plan.everything and native not in self.plan.others:
                self.vitals.unlisted += len(mine)

    def twice(self, frame: bytes) -> bool:
        """Whether a frame of a stream without ids came before, by this connection or the one that it followed."""
        if frame in self.frames:
            self.vitals.duplicates += 1
            return True
        self.frames[frame] = None
        if len(self.frames) > defaults.KNOWN_FRAMES:
            del self.frames[next(iter(self.frames))]
        return False

    def refused(self, topic: str, error: Refusal) -> None:
        """A topic that will not come, by no connection."""
        about = {one.query.instrument for one in self.topics if one.name == topic}
        self.topics = tuple(one for one in self.topics if one.name != topic)
        for gone in filter(None, about - {one.query.instrument for one in self.topics}):
            del self.wanted[gone.native], self.lanes[gone.native]
        self.tell(State.REFUSED, error.message)
        self.outbox.fail(error)

    def unreadable(self, frame: bytes, error: MarketError) -> None:
        """A frame that is none of the exchange's: counted, a sample of it logged, and what was in it asked for or told.

        Where ids are consecutive, or the next frame says it all again, nothing of it goes unnoticed anyhow.
        """
        self.vitals.garbage += 1
        proven = all(topic.channel.consecutive for topic in self.topics)
        if self.plan.dataset in {TRADES, LIQUIDATIONS} and not proven and self.started is not None:
            now = self.now()  # known to about a second
            self.missed(Window(now - self.late - SECOND, now + SECOND), Cause.SKIPPED)
        log.info("%s It began with: %s", error.message, clean(frame[:200].decode(errors="replace")))

    async def tick(self) -> None:
        """Let go what waited long enough, and ask for what is missing."""
        while True:
            await self.outside.sleep(defaults.TICK_SECONDS)
            now = self.outside.monotonic()
            self.repairs.check()
            self.flush(now, self.now())
            if self.plan.dataset is TRADES and self.blind is None and len(self.wanted) <= defaults.REPAIR_MOST:
                self.audit(now)
            self.vitals.messages += sum(link.messages for link in self.links) + self.counted
            self.counted = 0
            for link in self.links:
                link.messages = 0
                if link.latest is not None:
                    self.timed(link, now)

    def timed(self, link: Link, now: float) -> None:
        """Take from its last data what time it is there at least, and how late they came."""
        told, when = link.sent(link.latest), link.last
        if told is not None:
            self.clock.learn(told, now - when)
            when = min(when, now - (self.now() - told) / SECOND)
        self.vitals.last = when if self.vitals.last is None else max(self.vitals.last, when)

    def flush(self, now: float, time: Micros) -> None:
        """The same, once."""
        for lane in list(self.lanes.values()):
            if records := lane.release(now):
                self.outbox.put(self.origin, records)
            if not self.repairs.busy(lane) and (window := lane.missing(time)) is not None:
                self.repairs.start([lane], window, Cause.SKIPPED)

    def audit(self, now: float) -> None:
        """Compare with REST what the ids of trades cannot prove: whether any was left out, whether a topic is dead.

        Trades with consecutive ids prove it themselves as long as they come at all; of a topic that is silent REST is
        asked ever less often, as long as it knows nothing newer either.
        """
        time = self.now() - round(defaults.SETTLE_SECONDS * SECOND)
        for link in self.links:
            for stage in link.every():
                proven = stage.channel.consecutive or not self.repairs.reaches
                seconds = stage.audit.due(now, link.heard(stage), proven=proven)
                if stage.lane is None or self.started is None or not seconds:
                    continue
                begin = stage.audit.end or time - round(seconds * SECOND)
                since = max(self.started, min(begin, stage.lane.newest or begin))
                stage.audit.end = time
                if since < time:
                    self.repairs.audit(stage.lane, Window(since, time), partial(link.found_out, stage, seconds))

    async def stop(self) -> None:
        """Close what is open."""
        self.stopped = self.now()
        await asyncio.gather(*(link.close() for link in list(self.links)), return_exceptions=True)

    async def last_words(self) -> None:
        """After `run` has ended: hand over what waited, and tell of every stretch that was not filled."""
        now = self.now()
        for moment in (0.0, math.inf):  # at the first they begin to wait, by the second they have waited enough
            self.flush(moment, now)
        await self.repairs.stop()
        for lane in self.lanes.values():
            if (window := lane.owed()) is not None:
                self.repairs.give_up(lane, window)
        if self.blind is not None:
            self.unseen(Window(self.blind[0], max(now, self.blind[0] + 1)), self.blind[1])
        elif self.stopped is not None:
            self.unread(self.stopped)
