"""What all panels have: a headline, a body of their own, the state of every feed below, and a pause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from marketcli.live.events import Blind, Status
from marketcli.output.layout import GAP, flow, width_of
from marketcli.output.panels import figures
from marketcli.output.panels.footer import Footer
from marketcli.output.panels.lines import cut, text_of
from marketcli.output.screen import LOWEST, NARROWEST
from marketcli.output.theme import DRAWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from marketcli.errors import MarketError
    from marketcli.live.events import Event, Vitals
    from marketcli.models import Instrument, Market, Micros
    from marketcli.output.panels.lines import Line
    from marketcli.output.theme import Glyphs
    from marketcli.records import Record

NAMED = 3  # instruments that the headline names; of more it gives the number
HEADLINES, MORE = 3, " …"  # lines of the headline at most, and what stands at the end of more


class Source(Protocol):
    """One exchange and market of a watch, as `marketcli.api.live.Source` describes it."""

    @property
    def exchange(self) -> str:
        """Its name."""

    @property
    def market(self) -> Market:
        """The market."""

    @property
    def instruments(self) -> Sequence[Instrument]:
        """What is watched of it; none: all."""

    @property
    def completeness(self) -> str:
        """Whether the feed shows all events or some, where that is a question."""


class Feeds(Protocol):
    """What a panel asks of the feeds it shows."""

    @property
    def sources(self) -> Sequence[Source]:
        """What is watched."""

    @property
    def vitals(self) -> Mapping[tuple[str, Market], Vitals]:
        """How each feed is."""

    @property
    def failures(self) -> Sequence[MarketError]:
        """What cannot be watched, or no more."""

    def now(self, exchange: str) -> Micros:
        """The exchange's clock."""

    def monotonic(self) -> float:
        """The clock of `Vitals.last`."""


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a watch: its title, the conditions of its records, whether there are keys; how it is drawn."""

    title: str
    conditions: tuple[str, ...] = ()
    keys: bool = True
    glyphs: Glyphs = DRAWN


@dataclass(frozen=True, slots=True)
class Sort:
    """A way to sort: what it is called, the column, and whether the largest comes first."""

    label: str
    column: str
    falling: bool = True
    absolute: bool = False


class Panel:
    """A view of a watch: `apply` takes events in, and rich draws it in as many lines as the terminal has."""

    sorts: ClassVar[tuple[Sort, ...]] = ()
    noun: ClassVar[str] = "record"

    def __init__(self, feeds: Feeds, about: About) -> None:
        self.feeds, self.about = feeds, about
        self.glyphs = about.glyphs
        self.started = max((feeds.now(source.exchange) for source in feeds.sources), default=0)
        self.records = 0
        self.order = 0
        self.footer = Footer(feeds, self.glyphs)
        self.paused = False
        self.paused_at = 0
        self.standing: list[Line] | None = None

    def apply(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, Status):
            self.footer.heard(event)
        elif isinstance(event, Blind):
            self.footer.missed(event)
            self.missed(event)
        else:
            self.records += 1
            self.take(event)

    def take(self, record: Record) -> None:
        """Take a record in."""
        raise NotImplementedError

    def missed(self, blind: Blind) -> None:
        """Note where something may be missing."""

    def body(self, width: int, height: int) -> list[Line]:
        """The view itself, in at most so many lines."""
        raise NotImplementedError

    def said(self) -> list[str]:
        """What the summary at the end says besides the number of records."""
        return []

    def pause(self) -> None:
        """Let the body stand as it was last drawn, or go on."""
        self.paused, self.paused_at = not self.paused, self.records

    def sort(self) -> None:
        """Sort by the next column."""
        self.order = (self.order + 1) % max(1, len(self.sorts))

    def now(self) -> Micros:
        """The latest of the exchanges' clocks."""
        return max((self.feeds.now(source.exchange) for source in self.feeds.sources), default=0)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One text of as many lines as there are."""
        yield text_of(self.lines(options.max_width, options.height or console.height), options.max_width)

    def lines(self, width: int, height: int) -> list[Line]:
        """Headline, body, and what is said below."""
        if width < NARROWEST or height < LOWEST:
            return self.too_small(width, height)
        head = self.headline(width)
        foot = [*self.footer.lines(width, max(2, height // 4)), self.keys()]
        room = height - len(head) - len(foot)
        if not self.paused or self.standing is None:
            self.standing = self.body(width, room)
        body = self.standing[:room]
        return [*head, *body, *([[]] * (room - len(body))), *foot]

    def too_small(self, width: int, height: int) -> list[Line]:
        """A sentence instead of a panel."""
        words = f"The terminal is {width} x {height}; a panel needs {NARROWEST} x {LOWEST}. q or Ctrl-C ends it."
        lines: list[str] = [""]
        for word in words.split():
            if lines[-1] and width_of(lines[-1]) + 1 + len(word) > width:
                lines.append("")
            lines[-1] = f"{lines[-1]} {word}".strip()
        return [[(line, "warning")] for line in lines[: max(1, height)]]

    def headline(self, width: int) -> list[Line]:
        """What is watched, since when, and how complete that is."""
        dot = f" {self.glyphs.dot} "
        parts = [(self.about.title, "accent"), (f"since {figures.clock(self.started)} UTC", "faint")]
        parts += [(text, "note") for text in self.about.conditions]
        lines = [separated(line, dot) for line in flow([*parts, *((one, "") for one in self.watched())], width, dot)]
        if len(lines) > HEADLINES:
            lines[HEADLINES - 1] = [*cut(lines[HEADLINES - 1], width - len(MORE)), (MORE, "")]
        return lines[:HEADLINES]

    def watched(self) -> Iterator[str]:
        """The exchanges of each market with the instruments, and whether their feeds show all."""
        alike: dict[tuple[str, str], list[str]] = {}
        for source in self.feeds.sources:
            some = [figures.name(one.symbol) for one in source.instruments]
            which = ", ".join(some) if len(some) <= NAMED else f"{len(some):,} instruments"
            full = f" ({source.completeness})" if source.completeness else ""
            alike.setdefault((source.market, f"{which or 'all'}{full}"), []).append(source.exchange)
        for (market, which), names in alike.items():
            yield f"{', '.join(names)} {market}: {which}"

    def keys(self) -> Line:
        """What the keys do."""
        if not self.about.keys:
            return [("Ctrl-C ends it", "faint")]
        words = ["q quit", "p go on" if self.paused else "p pause"]
        if self.sorts:
            words.append(f"s sort: {self.sorts[self.order].label}")
        new = figures.counted(self.records - self.paused_at, self.noun)
        paused = [(f"PAUSED, {new} since{GAP}", "warning")] if self.paused else []
        return [*paused, (f"  {self.glyphs.dot}  ".join(words), "faint")]


def separated(pieces: Sequence[tuple[str, str]], separator: str) -> Line:
    """Pieces with separators between them."""
    line = [part for piece in pieces for part in ((separator, "faint"), piece)]
    return cut(line[1:], 1_000)
