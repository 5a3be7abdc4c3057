"""Candles of one instrument: everything the exchange has in a window, and a reason for everything it has not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from marketcli import frames
from marketcli.errors import NotOffered
from marketcli.history.check import (
    ABSENT,
    ENDED,
    NOT_KEPT,
    NOT_LISTED,
    Gap,
    closed_until,
    holes,
    impossible,
    mark_closed,
    off_grid,
)
from marketcli.history.fetch import fetch, spread
from marketcli.models import DAY, GENESIS, Instrument, Interval, Micros, Window, iso
from marketcli.spec import Endpoint, Page, Query
from marketcli.windows import split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import polars as pl

    from marketcli.history.fetch import Ask
    from marketcli.spec import Rows

MICROSECOND = timedelta(microseconds=1)
LATE_START = 2 * DAY  # the first trade may come a while after the listing date; later than this it is a gap
OVER = frozenset({"halted", "closed"})


@dataclass(frozen=True, slots=True)
class History:
    """What came of a query: the rows, what is missing, and what is odd about the rows."""

    frame: pl.DataFrame
    gaps: tuple[Gap, ...]
    impossible: int = 0  # rows that contradict themselves
    off_grid: int = 0  # rows that open where no candle of the interval does

    @property
    def lost(self) -> tuple[Gap, ...]:
        """The gaps where something should be."""
        return tuple(gap for gap in self.gaps if not gap.expected)


@dataclass(frozen=True, slots=True)
class Source:
    """One cell and one instrument, and the way to ask."""

    ask: Ask
    endpoint: Endpoint
    instrument: Instrument
    interval: Interval
    now: Callable[[], Micros]
    progress: Callable[[int], None]
    origin: str = "rest"  # what `source` says of rows as they come

    async def candles(self, window: Window) -> History:
        """All candles that open in the window, the unfinished one marked; missing ones asked for twice."""
        window, lost = self.kept(self.alive(window))
        frame = await self.fetch(window)
        due = Window(window.start, min(window.end, closed_until(self.interval, now=self.now())))
        missing = holes(frame, self.interval, due)
        if missing:
            frame = await self.mended(frame, missing)
            missing = holes(frame, self.interval, due)
        gaps = [*lost, *[gap for hole in missing for gap in await self.explained(hole, frame, due)]]
        if "closed" not in frame.columns:  # points of a grid that are no candles
            return History(frame, tuple(gaps), 0, off_grid(frame, self.interval))
        frame = mark_closed(frame, self.interval, now=self.now())
        return History(frame, tuple(gaps), impossible(frame).height, off_grid(frame, self.interval))

    def alive(self, window: Window) -> Window:
        """The part of a window in which the instrument can trade: it closes at delivery or delisting."""
        if self.instrument.expiry is None or self.instrument.expiry >= window.end:
            return window
        return Window(window.start, max(window.start, self.interval.ceil(self.instrument.expiry)))

    def kept(self, window: Window) -> tuple[Window, list[Gap]]:
        """The part of a window the exchange still has, and what is older. Raises `NotOffered` if it has none of it."""
        reach = reaches(self.endpoint, self.interval, window, now=self.now())
        if not reach:
            raise not_kept(self.instrument.exchange, self.endpoint, self.interval, now=self.now())
        start = min(part.start for _, part in reach)
        if start <= window.start:
            return window, []
        before = Window(window.start, start)
        return Window(start, window.end), [Gap(before, self.interval, NOT_KEPT, kept=self.endpoint.newest)]

    def query(self, window: Window) -> Query:
        """The question for a window."""
        return Query(self.endpoint.dataset, self.instrument.market, self.instrument, self.interval, window)

    async def fetch(self, window: Window) -> pl.DataFrame:
        """What one pass over the window's pages brings."""
        constants = {
            "exchange": self.instrument.exchange,
            "market": self.instrument.market.value,
            "symbol": self.instrument.symbol,
            "native": self.instrument.native,
            "interval": str(self.interval),
            "closed": False,
            "source": self.origin,
            **dict(self.endpoint.dataset.fixed),
        }
        parts = [
            await fetch(self.ask, endpoint, self.query(part), now=self.now, constants=constants, progress=self.progress)
            for endpoint, part in reaches(self.endpoint, self.interval, window, now=self.now())
        ]
        dataset = self.endpoint.dataset
        if len(parts) == 1:
            return parts[0]
        return frames.tidy(frames.concat(dataset, parts), dataset, who=self.instrument.exchange)

    async def mended(self, frame: pl.DataFrame, missing: list[Window]) -> pl.DataFrame:
        """Ask for missing stretches once more; long ones only if one row of them shows up."""
        parts = [frame]
        for stretch in self.gathered(missing):
            if self.interval.count_in(stretch) <= self.endpoint.limit or await self.any_rows(stretch):
                again = await self.fetch(stretch)
                parts.append(again.join(frame, on="time", how="anti"))
        dataset = self.endpoint.dataset
        return frames.tidy(frames.concat(dataset, parts), dataset, who=self.instrument.exchange)

    def gathered(self, missing: list[Window]) -> list[Window]:
        """Missing stretches that one page can cover taken together."""
        gathered: list[Window] = []
        for hole in missing:
            both = Window(gathered[-1].start, hole.end) if gathered else hole
            if gathered and self.interval.count_in(both) <= self.endpoint.limit:
                gathered[-1] = both
            else:
                gathered.append(hole)
        return gathered

    async def any_rows(self, window: Window) -> bool:
        """Whether the exchange may have rows in a window: one request of one row, however long it is.

        An answer that keeps to the window and is empty proves that there are none; rows from elsewhere prove nothing.
        """
        for endpoint, part in reaches(self.endpoint, self.interval, window, now=self.now()):
            if await self.any_at(endpoint, part):
                return True
        return False

    async def any_at(self, endpoint: Endpoint, window: Window) -> bool:
        """The same for one endpoint and a window it has."""
        query = self.query(window)

        async def one(page: Page) -> tuple[Rows, bool]:
            rows = await self.ask(endpoint, query, page)
            return rows, bool(rows)

        parts = [window] if endpoint.span is None else split(window, endpoint.span // MICROSECOND)
        return any(await spread([Page(part, 1) for part in parts], one))

    async def explained(self, hole: Window, frame: pl.DataFrame, due: Window) -> list[Gap]:
        """Why a stretch is missing; the stretch is cut where the reason changes."""
        if hole.start == self.interval.ceil(due.start):
            began = await self.began(hole, frame)
            early = [self.gap(Window(hole.start, began), NOT_LISTED)] if began > hole.start else []
            return early + ([self.gap(Window(began, hole.end), ABSENT)] if began < hole.end else [])
        over = hole.end >= self.interval.ceil(due.end) and frame.height and self.instrument.status in OVER
        return [self.gap(hole, ENDED if over and not await self.any_rows(hole) else ABSENT)]

    async def began(self, hole: Window, frame: pl.DataFrame) -> Micros:
        """Up to when, inside a stretch at the beginning of a window, the instrument had not traded yet.

        By its listing date; where the exchange gives none, or trading began a little later, by its having rows after
        the stretch and, asked once more, none in it and none before it.
        """
        listed = self.instrument.listed
        if listed is not None and not (frame.height and listed < hole.end <= listed + LATE_START):
            return max(hole.start, min(hole.end, self.interval.floor(listed)))
        if not frame.height or (listed is None and self.endpoint.span is not None):
            return hole.start
        since = self.interval.ceil(GENESIS if listed is None else listed)
        return hole.start if await self.any_rows(Window(min(since, hole.start), hole.end)) else hole.end

    def gap(self, window: Window, cause: str) -> Gap:
        """A gap of this source's grid."""
        return Gap(window, self.interval, cause)


SPARE = 5  # rows that an endpoint may drop while it is asked


def reaches(endpoint: Endpoint, interval: Interval, window: Window, *, now: Micros) -> list[tuple[Endpoint, Window]]:
    """Which endpoint has which part of a window, in order of time; what none has is in no part."""
    if endpoint.newest is None:
        return [(endpoint, window)]
    oldest = interval.step(interval.floor(now), SPARE - endpoint.newest)
    parts = []
    if window.start < oldest and endpoint.earlier is not None:
        parts = reaches(endpoint.earlier, interval, Window(window.start, min(oldest, window.end)), now=now)
    if window.end > oldest:
        parts.append((endpoint, Window(max(oldest, window.start), window.end)))
    return parts


def not_kept(exchange: str, endpoint: Endpoint, interval: Interval, *, now: Micros) -> NotOffered:
    """The error for a window that lies before everything the exchange keeps."""
    oldest = interval.step(interval.floor(now), SPARE - (endpoint.newest or 0))
    return NotOffered(
        f"{exchange} keeps the newest {endpoint.newest:,} {interval} {endpoint.dataset.title}: nothing before "
        f"{iso(oldest)}.",
        hint="Ask for a later window or a longer interval.",
    )


async def resampled(source: Source, finer: Interval, window: Window) -> History:
    """Candles of an interval the exchange lacks, built from whole finer ones; one that lacks a part is missing."""
    wanted = source.interval
    whole = Window(wanted.ceil(window.start), wanted.ceil(window.end))
    parts = await replace(source, interval=finer).candles(whole)
    lost = widened(parts.lost, wanted)
    frame = frames.resample(parts.frame, wanted) if parts.frame.height else parts.frame
    frame = mark_closed(outside(frame, [gap.window for gap in lost]), wanted, now=source.now())
    gaps = [*(gap for gap in parts.gaps if gap.expected), *lost]
    return History(frame, tuple(gaps), impossible(frame).height, parts.off_grid)


def widened(gaps: Iterable[Gap], interval: Interval) -> list[Gap]:
    """Gaps of a finer grid as gaps of this one: a candle that lacks a part is missing whole."""
    found: list[Gap] = []
    for gap in sorted(gaps, key=lambda gap: gap.window):
        window = Window(interval.floor(gap.window.start), interval.ceil(gap.window.end))
        if found and found[-1].cause == gap.cause and window.start <= found[-1].window.end:
            window = Window(found.pop().window.start, window.end)
        elif found:
            window = Window(max(window.start, found[-1].window.end), window.end)
        if window.start < window.end:
            found.append(replace(gap, window=window, interval=interval))
    return found


def outside(frame: pl.DataFrame, windows: list[Window]) -> pl.DataFrame:
    """The rows that open in none of the windows."""
    import polars as pl  # noqa: PLC0415

    time = pl.col("time").to_physical()
    for window in windows:
        frame = frame.filter(~(time.ge(window.start) & time.lt(window.end)))
    return frame
