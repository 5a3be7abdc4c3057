"""How many trades there were before a moment, and when a trade of a number was, without walking through them."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from marketcli.models import DAY, Micros
from marketcli.world.tree import LENGTHS, day_trades

if TYPE_CHECKING:
    from marketcli.world.prices import Path
    from marketcli.world.tree import Tree


class Place(NamedTuple):
    """The second that holds a trade, and how many trades were before that second."""

    second: Micros
    before: int


class Counts:
    """Trades of paths counted from the start of the day of their listing; sums of days are remembered."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.sums: dict[Path, list[int]] = {}

    def before(self, path: Path, time: Micros) -> int:
        """How many trades a listing had before a whole second of its life."""
        return self.counted(path, time) - self.counted(path, path.listing.listed)

    def place(self, path: Path, trade: int, *, until: Micros) -> Place:
        """Where a trade is that happened before a moment; trades are numbered from 0."""
        unlisted = self.counted(path, path.listing.listed)
        number = trade + unlisted
        sums = self.days(path, until // DAY + 1)
        day = bisect_right(sums, number) - 1
        time, left = (path.listing.listed // DAY + day) * DAY, number - sums[day]
        for depth in range(len(LENGTHS) - 1):
            parts = self.tree.parts(path, depth, time)
            ends = list(accumulate(cell.trades for cell in parts))
            part = bisect_right(ends, left)
            time, left = parts[part].time, left - (ends[part - 1] if part else 0)
        return Place(time, trade - left)

    def counted(self, path: Path, time: Micros) -> int:
        """How many trades there were between the start of the day of the listing and a whole second."""
        day = time // DAY - path.listing.listed // DAY
        found = self.days(path, time // DAY)[day]
        for depth in range(len(LENGTHS) - 1):
            opened = time - time % LENGTHS[depth]
            parts = self.tree.parts(path, depth, opened) if opened < time else []
            found += sum(cell.trades for cell in parts[: (time - opened) // LENGTHS[depth + 1]])
        return found

    def days(self, path: Path, date: int) -> list[int]:
        """How many trades there were before each day from that of the listing to a date, at least."""
        first, sums = path.listing.listed // DAY, self.sums.setdefault(path, [0])
        if missing := range(first + len(sums) - 1, date):
            dearest = path.dearest_lot
            more = (day_trades(path, day, dearest_lot=dearest) for day in missing)
            sums[-1:] = accumulate(more, initial=sums[-1])
        return sums
