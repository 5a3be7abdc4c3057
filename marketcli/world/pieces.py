"""Seconds in pieces of some trades, so that whoever wants a few of a million does not wait for all of them."""

from __future__ import annotations

from itertools import pairwise
from math import ceil, floor
from typing import NamedTuple

from marketcli.world.noise import stream
from marketcli.world.prices import FINE, Path
from marketcli.world.tree import Cell, inverse

MOST = 1_000  # trades of a piece
MILLISECONDS = 1_000
ENDS, INSIDE = 1 / 8, 1 / 4  # how far from the averages prices of a piece are, as a share of the range of the second


class Flow(NamedTuple):
    """What takers did on one side: how often, lots, and what these came to in lots times ticks."""

    trades: int
    lots: int
    value: int


class Piece(NamedTuple):
    """A stretch of a second: its number, when it begins and ends in milliseconds, prices in ticks, and both sides."""

    number: int
    begin: float
    end: float
    open: int
    high: int
    low: int
    close: int
    bought: Flow
    sold: Flow

    @property
    def trades(self) -> int:
        """How often it was traded."""
        return self.bought.trades + self.sold.trades


def pieces(path: Path, second: Cell) -> list[Piece]:
    """The pieces that make up a second: most seconds are one.

    Of several each has the averages of the second, and prices near them; high and low are touched in one piece each.
    """
    sides = flows_of(path, second)
    count = -(-second.trades // MOST)
    if count <= 1:
        return [Piece(0, 0.0, MILLISECONDS, *second[1:5], *sides)]
    chance = stream(path.seed, path.name, "pieces", second.time).random
    inner = [around(second, sides, ENDS * (2 * chance() - 1)) for _ in range(count - 1)]
    highest, lowest = int(count * chance()), int(count * chance())
    high, low = around(second, sides, INSIDE), around(second, sides, -INSIDE)
    parts = zip(pairwise([second.open, *inner, second.close]), *(split(side, count) for side in sides), strict=True)
    return [
        Piece(
            number,
            number * MILLISECONDS / count,
            (number + 1) * MILLISECONDS / count,
            ends[0],
            second.high if number == highest else max(high, *ends),
            second.low if number == lowest else min(low, *ends),
            ends[1],
            bought,
            sold,
        )
        for number, (ends, bought, sold) in enumerate(parts)
    ]


def flows_of(path: Path, second: Cell) -> tuple[Flow, Flow]:
    """What takers bought and sold; the value of inverse contracts, which falls with the price, is turned around."""
    bought, sold = Flow(*second[5:8]), Flow(*second[8:11])
    if not inverse(path):
        return bought, sold
    worth = float(path.listing.contract_size / path.unit / FINE)  # of a contract at a price of one tick
    return turned(bought, worth), turned(sold, worth)


def turned(flow: Flow, worth: float) -> Flow:
    """Lots times ticks of contracts instead of their worth in base: very nearly, as prices of a second are near."""
    return flow._replace(value=round(worth * flow.lots * flow.lots / flow.value)) if flow.lots else flow


def around(second: Cell, sides: tuple[Flow, Flow], far: float) -> int:
    """A price above the averages of both sides, or below if negative, by a share of the range of the second."""
    averages = [side.value / side.lots for side in sides if side.lots]
    near = ceil(max(averages)) if far > 0 else floor(min(averages))
    return max(second.low, min(second.high, near + round(far * (second.high - second.low))))


def split(flow: Flow, count: int) -> list[Flow]:
    """A side in parts as equal as can be; where there is a trade there is a lot."""
    trades = [flow.trades * part // count for part in range(count + 1)]
    spare = flow.lots - flow.trades
    lots = [many + spare * many // max(1, flow.trades) for many in trades]
    values = [flow.value * many // max(1, flow.lots) for many in lots]
    return [
        Flow(*(after - before for before, after in ends))
        for ends in zip(pairwise(trades), pairwise(lots), pairwise(values), strict=True)
    ]
