"""What went each of two ways: in windows of time and since the start, by symbol, by exchange, and the largest."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import nlargest
from typing import TYPE_CHECKING, Generic, TypeVar

from marketcli.models import SECOND
from marketcli.output.layout import Column
from marketcli.output.panels import figures
from marketcli.output.panels.seconds import Largest, Seconds

if TYPE_CHECKING:
    from marketcli.models import Micros
    from marketcli.output.panels.panel import Feeds

WINDOWS = {"1 m": 60, "5 m": 300, "1 h": 3_600}
RANKED = 20  # that are remembered as the largest

R = TypeVar("R")


@dataclass(slots=True)
class Tally:
    """How much went each of two ways, and how often."""

    amounts: list[float] = field(default_factory=lambda: [0.0, 0.0])
    counts: list[int] = field(default_factory=lambda: [0, 0])

    def add(self, side: int, amount: float) -> None:
        """Count one."""
        self.amounts[side] += amount
        self.counts[side] += 1

    @property
    def total(self) -> float:
        """Both ways together."""
        return self.amounts[0] + self.amounts[1]


class Flow(Generic[R]):
    """Sums in dollars by the events' own times, of each exchange by its own clock."""

    def __init__(self, feeds: Feeds, sides: tuple[str, str]) -> None:
        self.feeds, self.sides = feeds, sides
        self.rings: dict[str, tuple[Seconds, Seconds]] = {}
        self.ever = Tally()
        self.symbols: dict[str, Tally] = {}
        self.exchanges: dict[str, Tally] = {}
        self.largest: Largest[R] = Largest(RANKED)
        self.unvalued = 0

    def add(self, record: R, *, exchange: str, symbol: str, side: int, amount: float | None, time: Micros) -> None:
        """Count a record; one without a value in dollars counts as one, and as nothing in sums."""
        if amount is None:
            self.unvalued += 1
            amount = 0.0
        rings = self.rings.get(exchange)
        if rings is None:
            rings = self.rings[exchange] = (Seconds(), Seconds())
        rings[side].add(amount, time, now=self.feeds.now(exchange))
        self.ever.add(side, amount)
        for tallies, key in ((self.symbols, symbol), (self.exchanges, exchange)):
            tally = tallies.get(key)
            if tally is None:
                tally = tallies[key] = Tally()
            tally.add(side, amount)
        self.largest.add(amount, record)

    def over(self, seconds: int) -> Tally:
        """The sums of the last so many seconds."""
        found = Tally()
        for exchange, rings in self.rings.items():
            now = self.feeds.now(exchange)
            for side, ring in enumerate(rings):
                amount, count = ring.over(seconds, now=now)
                found.amounts[side] += amount
                found.counts[side] += count
        return found

    def table(self, *, watched: Micros, rows: tuple[str, ...] = ()) -> list[Column]:
        """The sums of both sides over the windows and since the start; `rows` are `imbalance` and `per second`."""
        found = [Column("USD", [*(f"{side}s" for side in self.sides), *rows], right=False)]
        tallies = {name: (self.over(seconds), seconds) for name, seconds in WINDOWS.items()}
        lasted = max(1.0, watched / SECOND)
        tallies["since start"] = (self.ever, 0)
        for name, (tally, seconds) in tallies.items():
            short = seconds * SECOND > watched  # the window is longer than the watch
            cells = [f"{figures.amount(tally.amounts[side])} ({tally.counts[side]:,})" for side in (0, 1)]
            more = {
                "imbalance": imbalance(tally),
                "per second": figures.rate(sum(tally.counts) / min(seconds or lasted, lasted)),
            }
            cells += [more[row] for row in rows]
            styles = ["", "", *(figures.move(lean(tally)) if row == "imbalance" else "" for row in rows)]
            found.append(Column(f"{name} so far" if short else name.ljust(len(f"{name} so far")), cells, styles=styles))
        return found

    def ranked(self, tallies: dict[str, Tally], most: int) -> list[tuple[str, Tally]]:
        """The symbols or exchanges with the largest sums."""
        return nlargest(most, tallies.items(), key=lambda entry: (entry[1].total, sum(entry[1].counts)))


def lean(tally: Tally) -> float | None:
    """How far the sums lean to the first side: 1 if all is there, -1 if all is on the other."""
    return (tally.amounts[0] - tally.amounts[1]) / tally.total if tally.total else None


def imbalance(tally: Tally) -> str:
    """How far they lean, in percent."""
    return figures.percent(lean(tally), 1)
