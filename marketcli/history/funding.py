"""Funding history: every settlement, the interval each was for, and the ones that are missing.

There is no grid to hold it against: symbols settle every 8, 4, 2 or 1 hours, and that changes. The intervals are read
off the times themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from marketcli import frames
from marketcli.history.candles import LATE_START
from marketcli.history.check import ABSENT, Gap
from marketcli.history.fetch import fetch
from marketcli.models import HOUR, MINUTE, Interval, Window
from marketcli.spec import Query
from marketcli.values import YEAR_HOURS

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from marketcli.history.fetch import Ask
    from marketcli.models import Instrument, Micros
    from marketcli.spec import Endpoint

LONGEST = 8 * HOUR  # between two settlements, on every exchange so far
MARGIN = 3 * LONGEST  # asked for on both sides of a window: a hole at its edge shows only between what surrounds it
SETTLE = 5 * MINUTE  # a settlement is listed this long after it at the latest


@dataclass(frozen=True, slots=True)
class Settlements:
    """What came of a query: settlements, and stretches where there should be more."""

    frame: pl.DataFrame
    gaps: tuple[Gap, ...]


async def settlements(
    ask: Ask,
    endpoint: Endpoint,
    instrument: Instrument,
    *,
    window: Window,
    now: Callable[[], Micros],
    progress: Callable[[int], None],
) -> Settlements:
    """All settlements of a window, with the hours each was for; a doubtful stretch is asked for twice."""
    due = min(now() - SETTLE, instrument.expiry or now())
    around = Window(window.start - MARGIN, max(window.end, min(window.end + MARGIN, due)))

    async def ask_for(part: Window) -> pl.DataFrame:
        query = Query(endpoint.dataset, instrument.market, instrument, None, part)
        constants = {
            "exchange": instrument.exchange,
            "market": instrument.market.value,
            "symbol": instrument.symbol,
            "native": instrument.native,
        }
        return await fetch(ask, endpoint, query, now=now, constants=constants, progress=progress)

    def missing(frame: pl.DataFrame) -> list[Gap]:
        return silent(frames.opens(frame), window, until=min(due, around.end), listed=instrument.listed)

    frame = await ask_for(around)
    if holes := missing(frame):
        again = [await ask_for(widened(hole.window, until=around.end)) for hole in holes]
        fresh = [part.join(frame, on="time", how="anti") for part in again]
        joined = frames.concat(endpoint.dataset, [frame, *fresh])
        frame = frames.tidy(joined, endpoint.dataset, who=instrument.exchange)
        holes = missing(frame)
    return Settlements(inside(with_intervals(frame), window), tuple(holes))


def widened(hole: Window, *, until: Micros) -> Window:
    """A hole with what surrounds it, without which it would still seem one after it was filled."""
    return Window(hole.start - MARGIN, min(hole.end + MARGIN, until))


def silent(times: list[Micros], window: Window, *, until: Micros, listed: Micros | None) -> list[Gap]:
    """Stretches without settlements where there should be some, inside the window and the instrument's life.

    Longer than any interval; or longer than the intervals on both sides of it, which no change of interval explains.
    """
    begin = window.start - MARGIN
    if listed is not None and listed > begin:
        begin = listed + LATE_START
    elif listed is None and times:
        begin = max(begin, times[0])
    known = [begin, *(time for time in times if time > begin), until]
    lengths = [later - earlier for earlier, later in pairwise(known)]
    found = []
    for place, (earlier, later) in enumerate(pairwise(known)):
        beside = lengths[place - 1 : place] + lengths[place + 1 : place + 2] if 0 < place < len(lengths) - 1 else []
        usual = min(LONGEST, max(beside, default=LONGEST))
        hole = Window(max(earlier + MINUTE, window.start), min(later, window.end))
        if hole.start < hole.end and hole.end - earlier > usual + MINUTE:
            found.append(Gap(hole, Interval(max(1, round(usual / HOUR)), "h"), ABSENT))
    return found


def with_intervals(frame: pl.DataFrame) -> pl.DataFrame:
    """Hours since the settlement before; across a gap, and for the first ever, those to the next one."""
    import polars as pl  # noqa: PLC0415

    time = pl.col("time").to_physical()
    before = (time - time.shift(1)) / HOUR
    after = before.shift(-1)
    gap = before > pl.max_horizontal(before.shift(1), after) + 0.1
    plausible = (
        pl.when(before.is_between(0.5, 8.5) & ~gap.fill_null(value=False))
        .then(before)
        .when(after.is_between(0.5, 8.5))
        .then(after)
    )
    hours = plausible.round(0).cast(pl.Float64)
    return frame.with_columns(hours.alias("interval_h")).with_columns(
        (pl.col("rate") * YEAR_HOURS / pl.col("interval_h")).alias("apr")
    )


def inside(frame: pl.DataFrame, window: Window) -> pl.DataFrame:
    """The settlements of the window itself."""
    import polars as pl  # noqa: PLC0415

    time = pl.col("time").to_physical()
    return frame.filter(time.ge(window.start) & time.lt(window.end))
