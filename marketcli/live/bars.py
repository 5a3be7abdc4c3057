"""Candles of one instrument as they come: the open one as it changes, every closed one once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.live import defaults
from marketcli.models import SECOND, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from marketcli.live.events import Vitals
    from marketcli.models import Instrument, Interval, Micros
    from marketcli.records import Candle, Record
    from marketcli.spec import Channel, Rows


class Bars:
    """Knows which candle closes next: what is jumped over or stays away is asked for, and comes when it can.

    Where an exchange never says whether a candle is closed, the last word about each comes from REST.
    """

    newest: Micros = 0

    def __init__(
        self,
        instrument: Instrument,
        interval: Interval,
        make: Callable[[tuple[Any, ...]], Candle],
        vitals: Vitals,
    ) -> None:
        self.instrument = instrument
        self.interval = interval
        self.make = make
        self.vitals = vitals
        self.grace: Micros = round(defaults.CLOSING_SECONDS * SECOND)  # after its end, a candle is overdue
        self.began: Micros | None = None  # opening time of the candle that holds the first look
        self.next: Micros | None = None  # opening time of the candle that closes next
        self.lacking: set[Micros] = set()  # opening times of closed candles that did not come
        self.unasked = False
        self.open: Candle | None = None
        self.last: Candle | None = None  # that came closed

    def take(self, rows: Rows, channel: Channel) -> Sequence[Record]:
        """Changes of the open candle, and closed ones."""
        if rows and rows[0][channel.columns.index("closed")] is None:
            self.grace = round(defaults.SETTLE_SECONDS * SECOND)  # nobody will say so
        found: list[Record] = []
        for candle in sorted(map(self.make, rows), key=lambda candle: candle.time):
            if self.next is None:
                self.next = candle.time
            if candle.closed:
                found += self.closed(candle)
            elif candle.time >= self.next and candle != self.open and not self.older(candle):
                self.open = candle
                found.append(candle)
        return found

    def closed(self, candle: Candle) -> list[Record]:
        """A closed candle, unless it came before."""
        if candle.time in self.lacking:
            self.lacking.discard(candle.time)
            return [candle]
        if self.next is not None and candle.time < self.next:
            self.again(candle)
            return []
        self.jump(candle.time)
        self.next, self.last = self.interval.step(candle.time), candle
        return [candle]

    def jump(self, time: Micros) -> None:
        """All candles before this one should have come."""
        while self.next is not None and self.next < time:
            self.lacking.add(self.next)
            self.unasked = True
            self.next = self.interval.step(self.next)

    def again(self, candle: Candle) -> None:
        """Count a candle that closed twice; with other values it contradicts the first."""
        if self.last is not None and self.last.time == candle.time and values(self.last) != values(candle):
            self.vitals.conflicts += 1
        else:
            self.vitals.duplicates += 1

    def older(self, candle: Candle) -> bool:
        """Whether a change of the open candle comes after a later one: what was traded only grows."""
        known = self.open
        if known is None or known.time != candle.time:
            return known is not None and candle.time < known.time
        return any(
            before is not None and after is not None and after < before
            for before, after in ((known.volume_base, candle.volume_base), (known.trades, candle.trades))
        )

    def filled(self, records: Iterable[Record]) -> Sequence[Record]:
        """Those closed candles that did not come."""
        found: list[Record] = []
        for record in records:
            candle: Any = record
            if candle.closed and candle.time in self.lacking:
                self.lacking.discard(candle.time)
                found.append(candle)
        return found

    def release(self, now: float) -> Sequence[Record]:
        """Nothing waits."""
        return ()

    def missing(self, time: Micros) -> Window | None:
        """From the first candle to the last that should have come; a stream that never speaks is overdue, too."""
        self.began = self.interval.floor(time) if self.began is None else self.began
        over = self.interval.floor(time - self.grace)
        if self.next is None and over > self.began:
            self.next = self.began
        self.jump(over)
        return self.owed()

    def owed(self) -> Window | None:
        """The same of those candles that are known to be missing."""
        asked, self.unasked = not self.unasked, False
        if asked or not self.lacking:  # what was lacking may have come late
            return None
        return Window(min(self.lacking), self.interval.step(max(self.lacking)))

    def settled(self, window: Window) -> bool:
        """Whether all candles of a stretch have come."""
        return not any(time in window for time in self.lacking)

    def give_up(self, window: Window) -> None:
        """The exchange has none there."""
        self.lacking -= {time for time in self.lacking if time in window}

    def lost(self) -> None:
        """The open candle goes on with whatever comes next."""
        self.open = None


def values(candle: Candle) -> tuple[float, ...]:
    """What a closed candle says."""
    return candle.open, candle.high, candle.low, candle.close
