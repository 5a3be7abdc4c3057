"""A watch as lines: records, gaps and statuses in their order, to a pipe or into a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Self

from marketcli import __version__
from marketcli.live.events import Blind, Cause, Status
from marketcli.models import Market, Window
from marketcli.output.lines import Lines, span_of
from marketcli.output.targets import target_of
from marketcli.output.writer import Chunk, Writer
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.cli.watch.plan import Plan
    from marketcli.cli.watch.stop import Stop
    from marketcli.cli.watch.talk import Talk
    from marketcli.errors import MarketError
    from marketcli.live.events import Event
    from marketcli.output.writer import Missing

BATCH = 256  # records whose lines go together: what is thrown away at once where somebody reads too slowly
NAMED = 3  # instruments that a sentence names
GRACE = 0.8  # seconds after a signal in which a slow reader may still read


class LineSink:
    """Writes what is watched, and nothing else; where the format has no place for a gap, stderr tells it."""

    def __init__(self, plan: Plan, feeds: Any, *, stop: Stop, talk: Talk) -> None:
        self.plan, self.feeds, self.stop, self.talk = plan, feeds, stop, talk
        terminal = plan.path is None and sys.stdout.isatty()
        self.lines = Lines(
            plan.dataset,
            format_name=plan.format,
            fields=plan.fields,
            time=plan.config.time,
            safe=plan.safe,
            terminal=terminal,
        )
        lead = self.meta() if plan.live.meta else self.lines.lead
        sys.stdout.flush()
        self.target = target_of(plan.path, number=sys.stdout.fileno(), force=plan.live.force)
        self.writer = Writer(self.target, gap=self.missing, ended=stop.now, lead=lead)

    def __enter__(self) -> Self:
        self.writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.finish(whole=False)

    def take(self, events: Sequence[Event]) -> None:
        """Hand events to the writer, in their order."""
        records: list[Any] = []
        for event in events:
            if isinstance(event, (Status, Blind)):
                self.put(records)
                records = []
                self.tell(event)
            else:
                records.append(event)
                if len(records) == BATCH:
                    self.put(records)
                    records = []
        self.put(records)

    def put(self, records: Sequence[Any]) -> None:
        """Hand lines of records to the writer."""
        if records:
            now = self.feeds.now(records[0].exchange)
            self.writer.put(Chunk(self.lines.of(records), span_of(records, now=now)))

    def tell(self, event: Status | Blind) -> None:
        """A gap or a status as a line, where there is a place for it."""
        if self.plan.format != "ndjson":
            if isinstance(event, Blind):
                (self.talk.note if event.repaired else self.talk.warning)(sentence(event))
        elif isinstance(event, Blind):
            window = event.window
            holds = {(event.exchange, str(event.market)): (0, window.start, window.end - 1)}
            self.writer.put(Chunk(self.lines.gap(event), holds))
        elif self.plan.live.meta:
            self.writer.put(Chunk(self.lines.status(event)))

    def tick(self) -> None:
        """Notice a reader that has left while nothing came."""
        if self.target.deserted():
            self.stop.now()

    def missing(self, missing: Missing) -> bytes:
        """What says that records were thrown away: called by the writer, right before the next one."""
        told = [
            Blind(exchange, Market(market), self.plan.dataset, (), Window(first, last + 1), Cause.DROPPED, False, count)
            for (exchange, market), (count, first, last) in missing.items()
        ]
        if self.plan.format == "ndjson":
            return b"".join(map(self.lines.gap, told))
        for blind in told:
            self.talk.warning(sentence(blind))
        return b""

    def meta(self) -> bytes:
        """The first line: what is watched, and how complete that is."""
        sources = [
            {
                "exchange": source.exchange,
                "market": source.market,
                "symbols": [one.symbol for one in source.instruments],
                "completeness": source.completeness or None,
                "notes": list(source.notes),
            }
            for source in self.feeds.sources
        ]
        started = max(self.feeds.now(source.exchange) for source in self.feeds.sources)
        return self.lines.control(
            "meta",
            version=__version__,
            dataset=self.plan.dataset.name,
            started=self.lines.time(started),
            fields=self.plan.fields or list(self.plan.dataset.fields),
            conditions=list(self.plan.conditions),
            sources=sources,
        )

    async def end(self, *, whole: bool) -> None:
        """Have everything written; after a signal a reader gets less than a second more."""
        from asyncio import sleep

        self.writer.finish(whole=whole)
        waited = 0.0
        while self.writer.is_alive() and waited < GRACE:
            await sleep(0.01)
            waited += 0.01 if self.stop.code is not None else 0.0
        if left := self.writer.left() if self.writer.is_alive() else 0:
            self.talk.warning(f"{left:,} records were not written: the reader was too slow.")
        if self.lines.changed:
            from marketcli.output.files import formula_note

            self.talk.note(formula_note(self.lines.changed))

    @property
    def failure(self) -> MarketError | None:
        """Why nothing can be written any more."""
        return self.writer.failure

    @property
    def dropped(self) -> int:
        """Records that a slow reader lost."""
        return self.writer.dropped

    def said(self) -> list[str]:
        """What the summary says besides the number of records."""
        return [f"{self.dropped:,} dropped because the reader was too slow"] if self.dropped else []


def sentence(blind: Blind) -> str:
    """A gap as a sentence: where, when, why, and what became of it."""
    some = [clean(one) for one in blind.symbols[:NAMED]]
    which = f" of {', '.join(some)}{' and others' if len(blind.symbols) > NAMED else ''}" if some else ""
    where = f"{blind.exchange} {blind.market}: {blind.dataset.title}{which} from {blind.window}"
    rows = f"{blind.rows:,} row{'' if blind.rows == 1 else 's'}"
    if blind.cause is Cause.DROPPED and blind.rows:
        return f"{where} were thrown away: the reader was too slow for {rows}."
    if blind.repaired:
        return f"{where} were filled from REST after a gap ({blind.cause}): {rows}."
    return f"{where} may be missing ({blind.cause})."
