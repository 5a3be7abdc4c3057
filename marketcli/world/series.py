"""Real candles for one listing of the world, from a frame that somebody read."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from math import fsum
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from marketcli.errors import UsageError
from marketcli.models import DAY, GENESIS, MILLISECOND, SECOND, UNITS, WEEK, Interval, Market, Micros, Window, iso
from marketcli.world.listings import Listing, contract_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TIMES = ("time", "timestamp_ms")
PRICES = ("open", "high", "low", "close")
NUMBERS = (*PRICES, "volume")
MOST_DECIMALS = 10
NOISE = 1e-12  # relative: what arithmetic may have added to a decimal
LAST: Micros = 4_102_444_800 * SECOND  # 2100-01-01
SHORTEST_MONTH = 28 * DAY


class Row(NamedTuple):
    """A real candle; `value` is volume times close, row by row."""

    time: Micros
    open: float
    high: float
    low: float
    close: float
    volume: float
    value: float


@dataclass(frozen=True, eq=False)
class Series:
    """Real candles of one listing: `frame` has time (microseconds, ascending), open, high, low, close and volume.

    The volume of an inverse market counts contracts. Holes in the frame stay holes.
    """

    market: Market
    base: str
    quote: str
    frame: pl.DataFrame
    interval: Interval

    @classmethod
    def of(cls, market: Market, base: str, quote: str, frame: pl.DataFrame) -> Series:
        """Candles from a frame with `time` or `timestamp_ms` (milliseconds or dates), OHLC and volume, in any order.

        Raises `UsageError` that says which column is missing or wrong.
        """
        name = next((name for name in TIMES if name in frame.columns), "")
        missing = [*([] if name else ["time"]), *(column for column in NUMBERS if column not in frame.columns)]
        if missing:
            raise UsageError(
                f"The candles have no column {', '.join(missing)}.",
                hint="They need time (or timestamp_ms), open, high, low, close and volume.",
            )
        columns = [microseconds(frame[name]), *(numbers(frame[column]) for column in NUMBERS)]
        tidy = pl.DataFrame(columns).sort("time")
        return cls(market, base, quote, tidy, spacing(tidy["time"]))

    @cached_property
    def columns(self) -> tuple[Sequence[float], ...]:
        """Times, open, high, low, close, volume and value as lists."""
        value = self.frame["volume"] * self.frame["close"]
        return (*(self.frame[name].to_list() for name in ("time", *NUMBERS)), value.to_list())

    @cached_property
    def steps(self) -> tuple[str, str]:
        """The smallest steps of price and volume that occur."""
        return smallest(self.frame.select(PRICES)), smallest(self.frame.select("volume"))

    @property
    def span(self) -> Window:
        """From the first candle's open to the last one's close."""
        times = self.frame["time"]
        return Window(times[0], self.interval.step(times[-1]))

    def listing(self, now: Micros) -> Listing:
        """The listing these candles make: if they end before now, its life is over."""
        inverse, span = self.market is Market.INVERSE, self.span
        over = span.end <= now
        return Listing(
            market=self.market,
            base=self.base,
            quote=self.quote,
            settle=self.base if inverse else self.quote,
            perpetual=self.market is not Market.SPOT,
            listed=span.start,
            expiry=span.end if over else None,
            status="closing" if over else "trading" if span.start <= now else "pending",
            contract_size=contract_size(self.base) if inverse else 1,
            tick=self.steps[0],
            lot="1" if inverse else self.steps[1],
        )

    def last(self, now: Micros) -> float:
        """The close of the newest candle so far; of one that holds now only its open has happened."""
        times = self.columns[0]
        place = max(0, bisect_right(times, now) - 1)
        finished = self.interval.step(int(times[place])) <= now
        return self.columns[4 if finished else 1][place]

    def rows(self, interval: Interval, window: Window, now: Micros) -> Iterator[Row]:
        """Candles of an interval that open in the window; nothing for intervals these cannot be put together to."""
        if not self.interval.divides(interval):
            return
        span = self.span
        opened = max(interval.ceil(window.start), interval.floor(span.start))
        end = min(window.end, span.end, now + 1)
        times = self.columns[0]
        place = bisect_left(times, opened)
        while opened < end:
            following = interval.step(opened)
            first, place = place, bisect_left(times, min(following, now + 1), place)
            if first < place:
                yield self.merged(opened, first, place, now)
            opened = following

    def merged(self, opened: Micros, first: int, last: int, now: Micros) -> Row:
        """One candle from some rows; of the row that holds now only its open has happened."""
        opens, highs, lows, closes, volumes, values = (column[first:last] for column in self.columns[1:])
        if self.interval.step(int(self.columns[0][last - 1])) > now:
            begun = [opens[-1]]
            highs, lows, closes = [*highs[:-1], *begun], [*lows[:-1], *begun], begun
            volumes, values = volumes[:-1], values[:-1]
        return Row(opened, opens[0], max(highs), min(lows), closes[-1], fsum(volumes), fsum(values))


def microseconds(times: pl.Series) -> pl.Series:
    """Open times as microseconds. Raises `UsageError` for other kinds of columns."""
    kind = times.dtype
    if isinstance(kind, pl.Datetime):
        found = times.dt.epoch("us")
    elif kind == pl.Date:
        found = times.cast(pl.Datetime("us")).dt.epoch("us")
    elif kind.is_integer():
        found = times.cast(pl.Int64) * MILLISECOND
    else:
        raise UsageError(
            f"The column {times.name} of the candles is neither a date nor a whole number of milliseconds."
        )
    if found.null_count() or not found.is_between(GENESIS, LAST).all():
        raise UsageError(f"The column {times.name} of the candles has values that are no milliseconds since 1970.")
    if found.n_unique() < found.len():
        raise UsageError(f"The column {times.name} of the candles has the same time twice.")
    return found.rename("time")


def numbers(values: pl.Series) -> pl.Series:
    """A column of finite numbers. Raises `UsageError`."""
    if not values.dtype.is_numeric():
        raise UsageError(f"The column {values.name} of the candles holds no numbers.")
    found = values.cast(pl.Float64)
    possible = (found >= 0) if values.name == "volume" else (found > 0)
    if found.null_count() or not (found.is_finite() & possible).all():
        raise UsageError(f"The column {values.name} of the candles has empty or impossible values.")
    return found


def spacing(times: pl.Series) -> Interval:
    """The interval of candles: their smallest distance. Raises `UsageError` if they lie on no grid."""
    if times.len() <= 1:
        raise UsageError("The candles are too few to tell their interval.", hint="Two rows are the least.")
    distance = times.diff().drop_nulls().min()
    if not isinstance(distance, int) or distance % SECOND:
        raise UsageError("The candles do not open at whole seconds.")
    for interval in candidates(distance):
        if (length := interval.micros) is None:
            stray = [time for time in times.to_list() if interval.floor(time) != time]
        else:
            stray = times.filter((times - interval.origin) % length != 0).to_list()
        if not stray:
            return interval
    raise UsageError(f"The candles are {interval} apart, but the one at {iso(stray[0])} is not on that grid.")


def candidates(distance: Micros) -> list[Interval]:
    """Intervals whose candles can be this far apart; the last is the one errors name."""
    found = [Interval(1, "M")] if SHORTEST_MONTH <= distance <= Interval(1, "M").longest else []
    if distance % WEEK == 0:
        found.append(Interval(distance // WEEK, "w"))
        return [*found, Interval(distance // DAY, "d")]
    unit, length = next((unit, length) for unit, length in reversed(UNITS.items()) if distance % length == 0)
    return [*found, Interval(distance // length, unit)]


def smallest(frame: pl.DataFrame) -> str:
    """The smallest decimal step that the values of a frame are multiples of, as text."""
    for decimals in range(MOST_DECIMALS):
        apart = (pl.all().round(decimals) - pl.all()).abs() <= NOISE * pl.all()
        if all(frame.select(apart.all()).row(0)):
            break
    else:
        decimals = MOST_DECIMALS
    return f"0.{'1':0>{decimals}}" if decimals else "1"
