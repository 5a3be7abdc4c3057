"""What an order book is good for: the prices between its sides, the depth around them, what a market order pays.

A book is mostly asked for down to some level only. What lies beyond is never guessed: a depth says whether the levels
reach so far, and an order whether they fill it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from math import fsum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ROUNDING = 1e-9  # share of a number that may be rounding: a level exactly at the end of a band belongs to it


@dataclass(frozen=True, slots=True)
class Level:
    """A price and what rests there: base units, and their value in quote units."""

    price: float
    size: float
    value: float


@dataclass(frozen=True, slots=True)
class Depth:
    """A value in quote units, and whether there is more that the levels do not show."""

    value: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Fill:
    """What a market order meets: quote units, base units, levels; `complete` if the levels are enough for all of it."""

    value: float
    size: float
    levels: int
    worst: float
    complete: bool

    @property
    def average(self) -> float:
        """The price paid for all of it."""
        return self.value / self.size


@dataclass(frozen=True, slots=True)
class Side:
    """The levels of one side, best price first; `whole` if there are no more of them."""

    levels: tuple[Level, ...]
    whole: bool

    @property
    def best(self) -> Level | None:
        """The best price."""
        return self.levels[0] if self.levels else None

    @property
    def value(self) -> float:
        """What rests at all levels, in quote units."""
        return fsum(level.value for level in self.levels)

    def reach(self, mid: float) -> float:
        """How far the levels go from `mid`, as a share of it."""
        return abs(self.levels[-1].price / mid - 1) if self.levels else 0.0

    def within(self, share: float, *, mid: float) -> Depth:
        """What rests no farther from `mid` than a share of it."""
        limit = share * mid * (1 + ROUNDING)
        inside = list(takewhile(lambda level: abs(level.price - mid) <= limit, self.levels))
        return Depth(fsum(level.value for level in inside), self.whole or len(inside) < len(self.levels))

    def fill(self, value: float) -> Fill | None:
        """What a market order of so many quote units takes from this side; None where it takes nothing."""
        taken = list(takings(self.levels, value))
        if not taken:
            return None
        size = fsum(level.size * part / level.value for level, part in taken)
        met = fsum(part for _, part in taken)
        complete = met >= value * (1 - ROUNDING)
        return Fill(value if complete else met, size, len(taken), taken[-1][0].price, complete)


def takings(levels: Iterable[Level], value: float) -> Iterable[tuple[Level, float]]:
    """The levels that an order meets, with the quote units it takes from each."""
    left = value
    for level in levels:
        if left <= value * ROUNDING:
            return
        if level.value > 0:
            yield level, min(level.value, left)
            left -= level.value


@dataclass(frozen=True, slots=True)
class Ladder:
    """Both sides of a book. Figures that need both are None where one is empty."""

    bids: Side
    asks: Side

    @property
    def best(self) -> tuple[Level, Level] | None:
        """The best bid and the best ask."""
        bid, ask = self.bids.best, self.asks.best
        return None if bid is None or ask is None else (bid, ask)

    @property
    def mid(self) -> float | None:
        """The middle between the best prices."""
        return (self.best[0].price + self.best[1].price) / 2 if self.best else None

    @property
    def spread(self) -> float | None:
        """The distance of the best prices as a share of mid."""
        if self.best is None:
            return None
        bid, ask = (level.price for level in self.best)
        return 2 * (ask - bid) / (ask + bid)

    @property
    def microprice(self) -> float | None:
        """The best prices weighed by what rests opposite: nearer to the side that would give way first."""
        if self.best is None:
            return None
        bid, ask = self.best
        total = bid.size + ask.size
        return (bid.price * ask.size + ask.price * bid.size) / total if total > 0 else None

    @property
    def imbalance(self) -> float | None:
        """Value of bids less that of asks, as a share of both, over as many levels as both sides have."""
        count = min(len(self.bids.levels), len(self.asks.levels))
        bids, asks = (fsum(level.value for level in side.levels[:count]) for side in (self.bids, self.asks))
        return (bids - asks) / (bids + asks) if bids + asks > 0 else None

    def slippage(self, fill: Fill, *, buying: bool) -> float | None:
        """How much worse than mid an order's average price is, as a share of mid."""
        if self.mid is None:
            return None
        dearer = fill.average / self.mid - 1
        return dearer if buying else -dearer
