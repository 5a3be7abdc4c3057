"""Candles: which window is meant, which cell answers, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias

from marketcli.api.answer import Asking
from marketcli.api.session import cell
from marketcli.datasets import CANDLES, Dataset
from marketcli.errors import UsageError
from marketcli.history.candles import History, Source, reaches, resampled
from marketcli.history.check import closed_until
from marketcli.models import Instrument, Interval, Micros, Window, iso, to_micros
from marketcli.spec import Query
from marketcli.windows import parse_span, parse_span_after, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from marketcli.api.answer import Answer
    from marketcli.api.session import Session
    from marketcli.models import Market
    from marketcli.spec import Endpoint, Exchange, Page

Moment: TypeAlias = "str | int | date | datetime"

LAST = 100  # candles when nothing else is asked for
MOST_ROWS = 20_000_000  # what one instrument's answer may hold in memory
CLOCK_OFF: Micros = 2_000_000  # a better-known clock that differs so much moves the end of a window


class Watched(Protocol):
    """What is told how work comes along."""

    def expect(self, rows: int) -> None:
        """So many rows more will come."""

    def advance(self, rows: int) -> None:
        """So many rows have come, in a page."""


class Unwatched:
    """Nobody."""

    def expect(self, rows: int) -> None:
        """Nothing."""

    def advance(self, rows: int) -> None:
        """Nothing."""


UNWATCHED = Unwatched()


@dataclass(frozen=True, slots=True)
class Range:
    """The window a user means: the last N candles, or from, until, and for how long."""

    last: int | None = None
    since: Moment | None = None
    until: Moment | None = None
    span: str | None = None

    def __post_init__(self) -> None:
        if self.last is not None and self.last < 1:
            raise UsageError(f"--last {self.last} asks for no candles.", hint="Ask for at least 1.")
        if self.last is not None and (self.since is not None or self.span is not None):
            raise UsageError("--last goes with --until only.", hint="Leave out --last, or --since and --for.")
        if None not in (self.since, self.until, self.span):
            raise UsageError("--since, --until and --for together say the same thing twice.", hint="Give two of them.")

    @property
    def relative(self) -> bool:
        """Whether the window depends on what time it is."""
        return self.until is None

    def window(self, interval: Interval, *, now: Micros, expiry: Micros | None, include_open: bool) -> Window:
        """The open times asked for, on the interval's grid; closed candles only unless `include_open`."""
        running = closed_until(interval, now=now)
        limit = interval.step(running) if include_open else running
        until = read(self.until, now=now, what="--until date") if self.until is not None else None
        end = limit if until is None else min(limit, interval.ceil(until))
        if self.since is None and self.span is None:
            end = end if expiry is None else min(end, interval.ceil(expiry))
            count = (self.last or LAST) + (1 if include_open and end > running else 0)
            return Window(interval.step(end, -count), end)
        since = self.start(now=now, until=until)
        if self.span is not None and self.since is not None:
            end = min(limit, interval.ceil(parse_span_after(self.span, start=since)))
        return checked(Window(interval.ceil(since), end), interval, since=since, until=until, now=now)

    def start(self, *, now: Micros, until: Micros | None) -> Micros:
        """Where the window begins."""
        if self.since is not None:
            return read(self.since, now=now, what="--since date")
        return parse_span(str(self.span), ending=now if until is None else until, what="--for span")


def read(moment: Moment, *, now: Micros, what: str) -> Micros:
    """A moment as a user or a Python caller gives it."""
    if isinstance(moment, datetime):
        return to_micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return parse_time(str(moment), now=now, what=what)


def checked(window: Window, interval: Interval, *, since: Micros, until: Micros | None, now: Micros) -> Window:
    """Refuse windows that are reversed, lie in the future, or hold no candle."""
    if until is not None and since >= until:
        raise UsageError(f"The window ends ({iso(until)}) before it begins ({iso(since)}).", hint="Swap the dates.")
    if since > now:
        raise UsageError(f"The window begins in the future ({iso(since)}).", hint="Nothing has happened there yet.")
    if window.start >= window.end:
        raise UsageError(
            f"No {interval} candle has begun and ended in the window that begins at {iso(since)}.",
            hint="Ask for a longer window, a shorter interval, or --include-open.",
        )
    if (rows := interval.count_in(window)) > MOST_ROWS:
        raise UsageError(
            f"That is {rows:,} candles, more than fit into memory.", hint=f"Ask for {MOST_ROWS:,} at most."
        )
    return window


@dataclass(frozen=True, slots=True)
class Plan:
    """How one instrument's candles are going to be asked for."""

    exchange: Exchange
    endpoint: Endpoint
    instrument: Instrument
    interval: Interval
    finer: Interval | None  # what is really asked for where the exchange lacks the interval
    window: Window
    now: Micros

    @property
    def asked(self) -> Interval:
        """The interval on the wire."""
        return self.finer or self.interval

    def pages(self) -> list[tuple[Endpoint, Page]]:
        """The requests, as far as they are known before the answers."""
        return [
            (endpoint, page)
            for endpoint, part in reaches(self.endpoint, self.asked, self.window, now=self.now)
            for page in endpoint.pages(
                endpoint, Query(endpoint.dataset, self.instrument.market, self.instrument, self.asked, part)
            )
        ]

    def cost(self) -> Mapping[str, int]:
        """What the requests weigh, by budget."""
        total: dict[str, int] = {}
        for endpoint, page in self.pages():
            for name, units in endpoint.cost(page).items():
                total[name] = total.get(name, 0) + units
        return total


@dataclass(frozen=True, slots=True)
class CandleQuestion:
    """What to ask of every instrument."""

    interval: Interval
    range: Range
    price: str = "trade"
    include_open: bool = False
    market: Market | None = None

    @property
    def dataset(self) -> Dataset:
        """The dataset of the price asked for. Raises `UsageError`."""
        if self.price not in CANDLES:
            raise UsageError(f"There is no price {self.price!r}.", hint=f"Use one of {', '.join(CANDLES)}.")
        return CANDLES[self.price]


async def plan(session: Session, exchange: Exchange, symbol: str, *, question: CandleQuestion) -> Plan:
    """Resolve the symbol and the window; only instrument lists are asked for."""
    catalog = session.catalog(exchange)
    if question.market:
        cell(exchange, question.dataset, question.market)
    instrument = await catalog.resolve(symbol, question.market)
    endpoint = cell(exchange, question.dataset, instrument.market)
    finer = finer_than(question.interval, exchange, endpoint)
    now = session.client.now(exchange.name)
    return Plan(exchange, endpoint, instrument, question.interval, finer, windowed(question, instrument, now), now)


def windowed(question: CandleQuestion, instrument: Instrument, now: Micros) -> Window:
    """The window a question means for an instrument at this moment."""
    return question.range.window(
        question.interval, now=now, expiry=instrument.expiry, include_open=question.include_open
    )


def finer_than(interval: Interval, exchange: Exchange, endpoint: Endpoint) -> Interval | None:
    """The longest interval to build a missing one from; None if the exchange has it. Raises `UsageError`."""
    known = exchange.spelled(endpoint)
    if interval in known:
        return None
    parts = [one for one in known if one.divides(interval)]
    if not parts:
        names = " ".join(str(one) for one in known)
        raise UsageError(
            f"{exchange.title} has no {interval} candles and nothing to build them from.", hint=f"It has {names}."
        )
    return max(parts, key=lambda one: one.longest)


async def candles(
    session: Session,
    exchange: Exchange,
    symbol: str,
    *,
    question: CandleQuestion,
    progress: Watched = UNWATCHED,
) -> Answer:
    """All candles of one instrument that the question means."""
    client = session.client
    asking = Asking(session, exchange)
    made = await plan(session, exchange, symbol, question=question)
    progress.expect(made.asked.count_in(made.window))
    believed = client.moment(exchange.name)()
    moment, history = await carry_out(asking, made, progress)
    if question.range.relative:
        again = replace(made, window=windowed(question, made.instrument, moment()))
        last = question.range.since is None and question.range.span is None
        # The answers have told the exchange's clock better than we knew it: the last N are others, or the end is.
        if again.window != made.window and (last or abs(moment() - believed) > CLOCK_OFF):
            made = again
            moment, history = await carry_out(asking, made, progress)
    return asking.answered(
        made.instrument,
        question.dataset,
        history.frame if question.include_open else finished(history.frame),
        interval=question.interval,
        window=made.window,
        gaps=history.gaps,
        notes=notes(made, history),
    )


def finished(frame: pl.DataFrame) -> pl.DataFrame:
    """The candles that are closed."""
    return frame if frame["closed"].all() else frame.filter("closed")


async def carry_out(asking: Asking, made: Plan, progress: Watched) -> tuple[Callable[[], Micros], History]:
    """Ask for what was planned; the moment it was begun at by the exchange's clock, and what came."""
    session, moment = asking.session, asking.session.client.moment(made.exchange.name)
    source = Source(asking.ask, made.endpoint, made.instrument, made.interval, moment, progress.advance, session.origin)
    if made.finer is None:
        return moment, await source.candles(made.window)
    return moment, await resampled(source, made.finer, made.window)


def notes(made: Plan, history: History) -> list[str]:
    """What a reader should know beside the rows."""
    said, expiry = [made.endpoint.note], made.instrument.expiry
    if made.finer is not None:
        said.append(f"These {made.interval} candles were built from the {made.finer} ones of {made.exchange.title}.")
    if expiry is not None and expiry < made.window.end:
        said.append(f"{made.instrument.symbol} ended at {iso(expiry)}; there is nothing after it.")
    if history.impossible:
        said.append(f"{history.impossible} rows contradict themselves (a high below a low, or a price of zero).")
    if history.off_grid:
        said.append(f"{history.off_grid} rows begin where no {made.asked} candle does.")
    return said
