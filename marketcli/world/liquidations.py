"""Positions closed by force: some of the trades, more where prices move fast, and mostly of those they move against.

They are found minute by minute: how many there are is known from the minute's candle, and only they are made.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from math import exp
from typing import TYPE_CHECKING, NamedTuple

from marketcli.models import DAY, MINUTE, Micros, Window
from marketcli.world.candles import Life
from marketcli.world.noise import draw, stream
from marketcli.world.trades import numbered
from marketcli.world.tree import LENGTHS, movement, scale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marketcli.world.counts import Counts
    from marketcli.world.prices import Path
    from marketcli.world.trades import Trade
    from marketcli.world.tree import Cell

SHARE = 0.0003  # of trades, in a usual minute of a usual day
WILD = 1.0  # how much that differs from day to day, at most, as a logarithm
CALM, MOST, USUAL = 0.5, 2.5, 2.2  # a minute's share grows from the first with the square of its move
AGAINST = 0.9  # how many are on the side that the minute moves against
NEAR = 16  # trades looked at for one of the right side
SLACK = 0.004  # a bankruptcy price lies so far beyond the price of the trade at most
DEPTH = LENGTHS.index(MINUTE)
REMEMBERED = 16_384  # minutes


class Liquidation(NamedTuple):
    """A position closed by force: `id` is that of the trade that closed it, `bankrupt` where nothing is left of it.

    `size` is in base, `value` in quote, `contracts` 0 unless the market is inverse. A long is closed by selling.
    """

    id: int
    time: Micros
    liquidated: str
    price: float
    bankrupt: float
    size: float
    value: float
    contracts: int


class Liquidations:
    """The positions closed by force on all paths; minutes looked at lately are remembered."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self.minute = lru_cache(REMEMBERED)(self.found)

    def within(self, path: Path, *, window: Window, life: Life) -> list[Liquidation]:
        """Those inside a window so far, in order."""
        inside = Window(max(window.start, life.start), min(window.end, life.settled))
        minutes = range(inside.start - inside.start % MINUTE, inside.end, MINUTE)
        rows = (row for time in minutes if time >= life.start for row in self.minute(path, time))
        return [row for row in rows if row.time in inside]

    def found(self, path: Path, time: Micros) -> Sequence[Liquidation]:
        """Those of a whole minute; that some of it may lie ahead of a clock changes nothing."""
        cell = self.counts.tree.cell(path, DEPTH, time)
        chance = stream(path.seed, path.name, "forced", time).random
        many = drawn(share(path, cell) * cell.trades, chance)
        if not many:
            return ()
        before = self.counts.before(path, time)
        life = Life(path.listing.listed, time + MINUTE, time + MINUTE)
        last = before + cell.trades
        rows: dict[int, Liquidation] = {}
        for _ in range(many):
            first, side = before + 1 + int(chance() * cell.trades), self.side(cell, chance())
            near = list(islice(numbered(self.counts, path, first, life=life), min(NEAR, last + 1 - first)))
            trade = next((trade for trade in near if trade.taker == side), near[0])
            rows[trade.id] = forced(path, trade)
        return [rows[number] for number in sorted(rows)]

    @staticmethod
    def side(cell: Cell, chance: float) -> str:
        """What takers do who close a position: sell, when prices fall."""
        usual, other = ("sell", "buy") if cell.close < cell.open else ("buy", "sell")
        return usual if chance < AGAINST else other


def share(path: Path, cell: Cell) -> float:
    """Which share of the trades of a minute closes positions by force."""
    date = cell.time // DAY
    usual = movement(path, date) * scale(path, cell.open) * (MINUTE / DAY) ** 0.5
    move = min(MOST, abs(cell.close - cell.open) / usual)
    heat: float = (CALM + move * move) / USUAL
    return SHARE * heat * exp(WILD * (2 * draw(path.seed, path.name, "forced day", date) - 1))


def drawn(mean: float, chance: Callable[[], float]) -> int:
    """How often something happens that happens so often on average."""
    count, left = 0, chance()
    while left > exp(-mean):
        count, left = count + 1, left * chance()
    return count


def forced(path: Path, trade: Trade) -> Liquidation:
    """The position that a trade closed."""
    long = trade.taker == "sell"
    away = SLACK * draw(path.seed, path.name, "bankrupt", trade.id) * (-1 if long else 1)
    tick, whole = path.unit.as_integer_ratio()
    bankrupt = max(1, round(trade.price * (1 + away) * whole / tick))
    return Liquidation(
        trade.id,
        trade.time,
        "long" if long else "short",
        trade.price,
        bankrupt * tick / whole,
        trade.size,
        trade.value,
        trade.contracts,
    )
