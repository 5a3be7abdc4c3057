"""Real candles for one listing of the world, from a frame that somebody read."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log10
from typing import TYPE_CHECKING

import polars as pl

from marketcli.errors import UsageError
from marketcli.models import DAY, MILLISECOND, SECOND, Interval, Market, Micros, Window, iso
from marketcli.text import clean
from marketcli.world.listings import Listing, contract_size, status_at

if TYPE_CHECKING:
    from collections.abc import Iterator

PRICES = ("open", "high", "low", "close")
NUMBERS = (*PRICES, "volume")
TIMES = ("time", "timestamp_ms")
MOST_DECIMALS = 10
WEEKS = 7 * DAY
SHORTEST_MONTH = 28 * DAY


class Row(tuple[Micros, float, float, float, float, float]):
    """Time, open, high, low, close, volume."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Real candles of one listing: `frame` has `time` (microseconds, ascending), open, high, low, close, volume.

    The volume of an inverse market counts contracts. Holes in the frame stay holes.
    """

    market: Market
    base: str
    quote: str
    frame: pl.DataFrame
    interval: Interval

    @classmethod
    def of(cls, market: Market, base: str, quote: str, frame: pl.DataFrame) -> Series:
        """Candles from a frame with `time` or `timestamp_ms` (milliseconds or dates), OHLC and volume.

        Raises `UsageError` that says which column is missing or wrong.
        """
        name = next((name for name in TIMES if name in frame.columns), None)
        missing = [column for column in NUMBERS if column not in frame.columns]
        if name is None or missing:
            lacking = ", ".join([*([] if name else ["time"]), *missing])
            raise UsageError(
                f"The candles have no column {lacking}.",
                hint="They need time (or timestamp_ms), open, high, low, close, volume.",
            )
        times = microseconds(frame[name])
        tidy = pl.DataFrame([times.rename("time"), *(numbers(frame[column]) for column in NUMBERS)]).sort("time")
        return cls(market, base, quote, tidy, spacing(tidy["time"]))

    @property
    def span(self) -> Window:
        """From the first candle's open to the last one's close."""
        times = self.frame["time"]
        return Window(times[0], self.interval.step(times[-1]))

    def listing(self, now: Micros) -> Listing:
        """The listing these candles make; its life is over if they end before now."""
        inverse, span = self.market is Market.INVERSE, self.span
        expiry = span.end if span.end <= now else None
        return Listing(
            market=self.market,
            base=self.base,
            quote=self.quote,
            settle=self.base if inverse else self.quote,
            perpetual=self.market is not Market.SPOT,
            listed=span.start,
            expiry=expiry,
            status="closing" if expiry is not None else status_at(now, self.market, span.start, None),
            contract_size=contract_size(self.base) if inverse else 1,
            tick=step(self.frame.select(PRICES).max_horizontal_decimals) if False else smallest(self.frame, PRICES),
            lot="1" if inverse else smallest(self.frame, ("volume",)),
        )
