"""What should be there, what is, and why the rest is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketcli import frames
from marketcli.models import Interval, Micros, Window

if TYPE_CHECKING:
    import polars as pl

SETTLE: Micros = 2_000_000  # the newest closed candle may still change for seconds (reliability.md D6)

NOT_LISTED = "not-listed"
ENDED = "ended"
ABSENT = "absent"
NOT_KEPT = "not-kept"


@dataclass(frozen=True, slots=True)
class Gap:
    """Rows that are missing: which stretch, of which grid, and why.

    Causes: `not-listed` (before the instrument's first candle), `ended` (after its last), `absent` (the exchange has
    no rows there, asked twice), `not-kept` (the exchange keeps the newest only). `counted` is how many rows are missing
    where their ids tell; `kept` how many rows the exchange keeps.
    """

    window: Window
    interval: Interval | None
    cause: str
    counted: int | None = None
    kept: int | None = None

    @property
    def missing(self) -> int:
        """How many rows are not there; one at least, where nothing tells."""
        if self.counted is not None:
            return self.counted
        return 1 if self.interval is None else self.interval.count_in(self.window)

    @property
    def expected(self) -> bool:
        """Whether there is nothing that could be there."""
        return self.cause in {NOT_LISTED, ENDED}


def closed_until(interval: Interval, *, now: Micros) -> Micros:
    """The open time of the candle that is not finished at `now`: all before it are."""
    return interval.floor(now - SETTLE)


def mark_closed(frame: pl.DataFrame, interval: Interval, *, now: Micros) -> pl.DataFrame:
    """The frame with `closed` decided by the exchange's clock."""
    import polars as pl  # noqa: PLC0415

    return frame.with_columns((pl.col("time").to_physical() < closed_until(interval, now=now)).alias("closed"))


def holes(frame: pl.DataFrame, interval: Interval, window: Window) -> list[Window]:
    """The stretches of the grid inside `window` without rows; the frame is sorted and unique by time."""
    if frame.height == interval.count_in(window) and not off_grid(frame, interval):
        return []
    found: list[Window] = []
    expected, end = interval.ceil(window.start), interval.ceil(window.end)
    for time in frames.opens(frame):
        slot = interval.floor(time)
        if slot > expected:
            found.append(Window(expected, slot))
        expected = max(expected, interval.step(slot))
    if expected < end:
        found.append(Window(expected, end))
    return found


def off_grid(frame: pl.DataFrame, interval: Interval) -> int:
    """How many rows begin where no candle of the interval can."""
    if (length := interval.micros) is not None:
        return int(((frame["time"].to_physical() - interval.origin) % length != 0).sum())
    return sum(1 for time in frames.opens(frame) if interval.floor(time) != time)


def impossible(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows that contradict themselves: high below low, a price outside them, a negative volume, no price."""
    import polars as pl  # noqa: PLC0415

    body = pl.min_horizontal("open", "close"), pl.max_horizontal("open", "close")
    wrong = (pl.col("high") < body[1]) | (pl.col("low") > body[0])
    if "volume_base" in frame.columns:
        wrong |= (pl.col("low") <= 0) | (pl.col("taker_buy_base") > pl.col("volume_base") * (1 + 1e-9))
    return frame.filter(wrong)
