"""Trades of one instrument: what came already, what comes twice, which ids were jumped over. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.live import defaults
from marketcli.live.lanes import Plain
from marketcli.models import SECOND, Micros, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from marketcli.live.events import Vitals
    from marketcli.models import Instrument
    from marketcli.records import Record, Trade
    from marketcli.spec import Channel, Rows


class Known:
    """The newest trades of an instrument by their ids, to tell what came twice from what contradicts.

    Of each a hash of its values is kept. The older ones are forgotten all at once: one by one costs more than a trade.
    """

    def __init__(self, vitals: Vitals, most: int | None = None) -> None:
        self.vitals = vitals
        self.most = defaults.KNOWN_IDS if most is None else most
        self.newer: dict[str, int | None] = {}
        self.older: dict[str, int | None] = {}

    def __contains__(self, number: str) -> bool:
        return number in self.newer or number in self.older

    def add(self, number: str, row: tuple[Any, ...] | None = None) -> None:
        """Remember a trade."""
        self.newer[number] = None if row is None else hash(row)
        if len(self.newer) >= self.most:
            self.older, self.newer = self.newer, {}

    def again(self, number: str, row: tuple[Any, ...]) -> None:
        """Count a trade that came once more; with other values it contradicts the first."""
        before = self.newer.get(number, self.older.get(number))
        if before is not None and before != hash(row):
            self.vitals.conflicts += 1
        else:
            self.vitals.duplicates += 1


class Named(Plain):
    """Trades whose ids say nothing of what lies between them: every one comes once."""

    def __init__(
        self,
        instrument: Instrument,
        make: Callable[[tuple[Any, ...]], Trade],
        vitals: Vitals,
        remembered: int | None = None,
    ) -> None:
        super().__init__(instrument)
        self.make = make
        self.known = Known(vitals, remembered)

    def take(self, rows: Rows, channel: Channel) -> Sequence[Record]:
        """The trades that were not there yet."""
        known, found = self.known, []
        for row in rows:
            trade = self.make(row)
            if trade.id in known:
                known.again(trade.id, row)
            else:
                known.add(trade.id, row)
                found.append(trade)
        return found

    def filled(self, records: Iterable[Record]) -> Sequence[Record]:
        """The trades that were not there yet."""
        found: list[Record] = []
        for record in records:
            trade: Any = record
            if trade.id not in self.known:
                self.known.add(trade.id)
                found.append(trade)
        return found


class Hole:
    """Ids that were jumped over, between two trades of these times, and those of them that came since."""

    def __init__(self, ids: range, window: Window) -> None:
        self.ids = ids
        self.window = window
        self.found: set[int] = set()
        self.waited_for = True

    @property
    def whole(self) -> bool:
        """Whether all of them came."""
        return len(self.found) == len(self.ids)


class Numbered(Named):
    """Trades whose ids are whole numbers without gaps: every jump is a hole, and trades come in order.

    Behind a jump they wait for a second, because it may be disorder. Then they go on, and the hole is asked for.
    """

    def __init__(
        self,
        instrument: Instrument,
        make: Callable[[tuple[Any, ...]], Trade],
        vitals: Vitals,
        remembered: int | None = None,
    ) -> None:
        super().__init__(instrument, make, vitals, remembered)
        self.next: int | None = None  # the id that comes next
        self.newest: Micros = 0  # time of the trade before
        self.held: dict[int, tuple[Trade, tuple[Any, ...] | None]] = {}
        self.since: float | None = None  # when somebody looked and trades waited first
        self.first: int | None = None  # the id that came first of all
        self.holes: list[Hole] = []
        self.stretch: Window | None = None  # around holes that were not asked for yet

    def take(self, rows: Rows, channel: Channel) -> Sequence[Record]:
        """The trades that come next."""
        found: list[Record] = []
        for row in rows:
            trade = self.make(row)
            number = int(trade.id)
            if self.next is None or number == self.next:
                found.append(self.passed(number, trade, row))
                if self.held:
                    found += self.following()
            elif number > self.next and number not in self.held:
                self.held[number] = trade, row
            elif self.fills(number):
                self.known.add(trade.id, row)
                found.append(trade)
            else:
                self.known.again(trade.id, row)
        return [*found, *self.jump()] if len(self.held) > defaults.HELD else found

    def passed(self, number: int, trade: Trade, row: tuple[Any, ...] | None) -> Trade:
        """The trade whose turn it is."""
        self.next, self.newest = number + 1, trade.time
        self.first = number if self.first is None else self.first
        self.known.add(trade.id, row)
        return trade

    def following(self) -> list[Record]:
        """The held trades that follow without a jump."""
        found: list[Record] = []
        while self.next in self.held:
            number = self.next
            found.append(self.passed(number, *self.held.pop(number)))
        return found

    def fills(self, number: int) -> bool:
        """Whether a trade is one that is missing; then it is not any more."""
        for hole in self.holes:
            if number in hole.ids and number not in hole.found:
                hole.found.add(number)
                return True
        return False

    def release(self, now: float) -> Sequence[Record]:
        """Held trades, when what is missing did not come in time."""
        if not self.held:
            self.since = None
        elif self.since is None:
            self.since = now
        elif now - self.since >= defaults.ORDER_SECONDS:
            self.since = None
            return self.jump()
        return ()

    def jump(self) -> list[Record]:
        """Go on behind the holes, and remember to ask for them."""
        if len(self.holes) > defaults.HOLES:
            self.holes = [hole for hole in self.holes if hole.waited_for and not hole.whole]
        found: list[Record] = []
        while self.held:
            first = min(self.held)
            time = self.held[first][0].time
            if self.next is not None and first > self.next:
                around = Window(min(self.newest or time, time), time + 1)
                self.holes.append(Hole(range(self.next, first), around))
                self.stretch = around if self.stretch is None else Window(self.stretch.start, around.end)
            self.next = first
            found += self.following()
        return found

    def missing(self, time: Micros) -> Window | None:
        """The stretch around holes, once they are so old that REST lists their trades."""
        if self.stretch is None or time < self.stretch.end + round(defaults.SETTLE_SECONDS * SECOND):
            return None
        return self.owed()

    def owed(self) -> Window | None:
        """The stretch around holes, unless they were filled meanwhile."""
        found, self.stretch = self.stretch, None
        return None if found is None or self.settled(found) else found

    def filled(self, records: Iterable[Record]) -> Sequence[Record]:
        """The trades of holes, those from before the first that came, and those that come next in turn."""
        found: list[Record] = []
        for record in records:
            trade: Any = record
            number = int(trade.id)
            if self.next is None or number == self.next:
                found.append(self.passed(number, trade, None))
                found += self.following()
            elif number > self.next:
                self.held.setdefault(number, (trade, None))
            elif self.fills(number):
                found.append(trade)
            elif self.first is not None and number < self.first and trade.id not in self.known:
                self.known.add(trade.id)
                found.append(trade)
        return found

    def settled(self, window: Window) -> bool:
        """Whether all trades of the holes in a stretch have come."""
        return all(hole.whole for hole in self.holes if hole.waited_for and within(hole.window, window))

    def give_up(self, window: Window) -> None:
        """What did not come from REST may still come late by stream, but is not waited for."""
        for hole in self.holes:
            if within(hole.window, window):
                hole.waited_for = False


def within(inner: Window, outer: Window) -> bool:
    """Whether a stretch lies in another one."""
    return outer.start <= inner.start and inner.end <= outer.end
