"""Following feeds to their end: events into lines or a panel, what fails onto stderr, one exit code."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

from marketcli.cli.watch.stop import Stop
from marketcli.cli.watch.talk import Talk
from marketcli.errors import DatasetAbsent, Incomplete, IntegrityError, MarketError, worst
from marketcli.live.events import Blind, State, Status
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marketcli.api.live import Feeds, Watch
    from marketcli.cli.watch.lines import LineSink
    from marketcli.cli.watch.plan import Plan
    from marketcli.cli.watch.screen import PanelSink
    from marketcli.errors import ExitCode
    from marketcli.live.events import Event

FRAME = 0.25  # seconds between two drawings, and between two looks at what else there is to see
TOLD = frozenset({State.LOST, State.RENEWED})  # what stderr says of connections, and LIVE after a loss


async def follow(plan: Plan, watch: Watch) -> int:
    """Watch until something ends it; the exit code."""
    from marketcli import exchanges
    from marketcli.api.live import watched
    from marketcli.api.session import Session

    asked, stop = exchanges.chosen(plan.config.exchange), Stop()
    try:
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(stop.signals())
            with waiting(plan):
                session = await stack.enter_async_context(Session(plan.config, refresh=plan.refresh))
                feeds = await stack.enter_async_context(watched(session, asked, watch))
            stop.under_way = True
            return await Following(plan, feeds, stop).go()
    except asyncio.CancelledError:
        if stop.code is None:
            raise
        return stop.code


@contextlib.contextmanager
def waiting(plan: Plan) -> Iterator[None]:
    """A sign of life on a terminal until the feeds are there."""
    shown = sys.stderr.isatty() and not plan.manner.quiet and os.environ.get("TERM") != "dumb"
    if shown:
        sys.stderr.write(f"connecting to {clean(plan.config.exchange)} ...\r")
        sys.stderr.flush()
    try:
        yield
    finally:
        if shown:
            sys.stderr.write("\x1b[K")
            sys.stderr.flush()


class Following:
    """A watch under way."""

    def __init__(self, plan: Plan, feeds: Feeds, stop: Stop) -> None:
        self.plan, self.feeds, self.stop = plan, feeds, stop
        self.talk = Talk(plan.config, quiet=plan.manner.quiet, held=plan.panel and sys.stderr.isatty())
        self.records = 0
        self.blind = 0
        self.known = 0  # failures that have been told
        self.lost: dict[tuple[str, str, int], str] = {}  # connections, and why
        self.started = feeds.monotonic()

    async def go(self) -> ExitCode:
        """Watch, end in order, sum up; the exit code."""
        sink = self.sink()
        self.introduce()
        pump = asyncio.create_task(self.pump(sink))
        with sink:
            ticks = asyncio.create_task(self.tick(sink))
            ended = asyncio.create_task(self.stop.event.wait())
            first = {pump, ticks, ended}
            await asyncio.wait(first, timeout=self.plan.seconds, return_when=asyncio.FIRST_COMPLETED)
            if not ticks.cancel():  # a drawing that failed is a bug, and not to be hidden by a blank screen
                await ticks
            ended.cancel()
            await self.close(pump, sink)
            await sink.end(whole=self.stop.code is None and sink.failure is None)
        await pump  # raises what went wrong in it
        code = self.summary(sink)
        if not self.talk.end():
            self.stop.leave(code)  # stderr is stalled, and would stall the end of the program too
        return code

    def sink(self) -> LineSink | PanelSink:
        """What takes the events."""
        if self.plan.panel:
            from marketcli.cli.watch.screen import PanelSink

            return PanelSink(self.plan, self.feeds, stop=self.stop)
        from marketcli.cli.watch.lines import LineSink

        return LineSink(self.plan, self.feeds, stop=self.stop, talk=self.talk)

    def introduce(self) -> None:
        """What there is to know beforehand."""
        if self.plan.config.sandbox:
            self.talk.note("These rows are simulated by the embedded sandbox.")
        for source in self.feeds.sources:
            for note in source.notes:
                self.talk.note(f"{source.exchange}: {note}")
        if self.plan.wanted.least is not None and (quotes := self.without_dollars()):
            named = ", ".join(map(clean, quotes))
            self.talk.note(f"There is no notional_usd: {named} is no dollar, so --min-usd leaves these out.")
        self.failures()

    def without_dollars(self) -> list[str]:
        """The quotes of what is watched that are no dollars."""
        from marketcli.values import DOLLARS

        return sorted({one.quote for source in self.feeds.sources for one in source.instruments} - DOLLARS)

    async def pump(self, sink: LineSink | PanelSink) -> None:
        """Take batch after batch until there are no more, or enough."""
        async for events in self.feeds:
            self.take(events, sink)
            if self.enough:
                return

    @property
    def enough(self) -> bool:
        """Whether as many records have come as were asked for."""
        return self.plan.live.count is not None and self.records >= self.plan.live.count

    def take(self, events: Sequence[Event], sink: LineSink | PanelSink) -> None:
        """Keep the records that are wanted, as many as are wanted, and hand them on with all else."""
        kept = self.chosen(events)
        for event in kept:
            if isinstance(event, Blind):
                self.blind += not event.repaired
            elif isinstance(event, Status):
                self.hear(event)
        sink.take(kept)

    def chosen(self, events: Sequence[Event]) -> list[Event]:
        """The events without the records that are not wanted, or too many."""
        records: list[Any] = [event for event in events if not isinstance(event, (Blind, Status))]
        kept = self.plan.kept(records) if records else []
        if self.plan.live.count is not None:
            kept = kept[: max(0, self.plan.live.count - self.records)]
        self.records += len(kept)
        if len(kept) == len(records):
            return list(events)
        passed = set(map(id, kept))
        return [event for event in events if isinstance(event, (Blind, Status)) or id(event) in passed]

    def hear(self, status: Status) -> None:
        """Say what became of a connection, unless the stream itself does."""
        place = status.exchange, str(status.market), status.connection
        back = status.state is State.LIVE and self.lost.pop(place, None) is not None
        known = status.state is State.LOST and self.lost.get(place) == status.text  # it was tried once more
        if status.state is State.LOST:
            self.lost[place] = status.text
        if self.plan.live.meta or self.plan.panel or known or not (status.state in TOLD or back):
            return
        text = f": {clean(status.text)}" if status.text else "."
        state = "live again" if back else status.state.value
        self.talk.note(f"{status.exchange} {status.market} connection {status.connection} {state}{text}")

    async def tick(self, sink: LineSink | PanelSink) -> None:
        """Draw, and look what has failed."""
        while True:
            sink.tick()
            self.failures()
            await asyncio.sleep(FRAME)

    def failures(self) -> None:
        """Say what cannot be watched, or no more, while the rest goes on."""
        for error in self.feeds.failures[self.known :]:
            if self.harmless(error):
                self.talk.note(error.message)
            else:
                self.talk.warning(f"{error.message} {error.hint}".strip())
        self.known = len(self.feeds.failures)

    def harmless(self, error: MarketError) -> bool:
        """Whether it is only to be told: that one of everybody does not offer it."""
        return isinstance(error, DatasetAbsent) and "all" in self.plan.config.exchange.split(",")

    async def close(self, pump: asyncio.Task[None], sink: LineSink | PanelSink) -> None:
        """End the feeds, and take in what they still have to say."""
        last = await self.feeds.stop()
        await asyncio.wait({pump})
        self.take(last, sink)

    def summary(self, sink: LineSink | PanelSink) -> ExitCode:
        """Say what came and what did not; the exit code."""
        failed = [error for error in self.feeds.failures if not self.harmless(error)]
        for error in self.feeds.failures[self.known :]:
            self.talk.error(error)
        if not self.plan.manner.quiet:
            self.talk.note(self.sums(sink))
        failed += [error for error in (sink.failure, self.conflicts(), self.missed(sink)) if error is not None]
        for error in failed:
            if error not in self.feeds.failures:
                self.talk.error(error)
        return self.stop.code or worst([error.exit for error in failed])

    def sums(self, sink: LineSink | PanelSink) -> str:
        """A line about all of it."""
        from marketcli.output.panels.figures import counted, elapsed

        vitals = self.feeds.vitals.values()
        lasted = elapsed(int((self.feeds.monotonic() - self.started) * 1_000_000))
        parts = [f"{counted(self.records, 'record')} in {lasted}", *sink.said()]
        parts.append(f"{counted(self.blind, 'gap')}, {sum(one.repaired for one in vitals):,} filled")
        parts.append(counted(sum(one.reconnects for one in vitals), "reconnect"))
        more = {
            "dropped": sum(one.dropped for one in vitals),
            "unreadable": sum(one.garbage for one in vitals),
            "of instruments that were not listed at the beginning": sum(one.unlisted for one in vitals),
        }
        parts += [f"{count:,} {what}" for what, count in more.items() if count]
        return f"{'; '.join(parts)}."

    def conflicts(self) -> IntegrityError | None:
        """The error for trades or candles that came twice and differed."""
        found = {one.exchange: one.conflicts for one in self.feeds.vitals.values() if one.conflicts}
        if not found:
            return None
        return IntegrityError(
            f"{sum(found.values()):,} of the records came twice with different values, from {', '.join(found)}.",
            hint="Ask the exchange again for that time with mkt trades or mkt ohlc.",
        )

    def missed(self, sink: LineSink | PanelSink) -> Incomplete | None:
        """The error of --strict for what was missed."""
        if not self.plan.live.strict or not (self.blind or sink.dropped):
            return None
        count = max(self.blind, 1)
        stretches = "1 stretch" if count == 1 else f"{count:,} stretches"
        return Incomplete(f"{stretches} of time may have been missed.", hint="Each was told as a gap.")
