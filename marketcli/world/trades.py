"""Single trades: every second divided into those that make up its candle."""

from __future__ import annotations

from functools import lru_cache
from itertools import dropwhile, takewhile
from typing import TYPE_CHECKING, NamedTuple

from marketcli.models import MILLISECOND, SECOND, Micros, Window
from marketcli.world.candles import SECONDS
from marketcli.world.fills import Fill, fills
from marketcli.world.pieces import Piece, pieces
from marketcli.world.tree import LENGTHS, Cell, inverse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marketcli.world.candles import Life
    from marketcli.world.counts import Counts
    from marketcli.world.prices import Path
    from marketcli.world.tree import Tree


REMEMBERED = 256  # pieces of seconds


class Trade(NamedTuple):
    """A trade: `size` in base, `value` in quote, `contracts` 0 unless the market is inverse.

    Ids are consecutive from 1 at the first trade of a listing; times are whole milliseconds and ascend with the ids.
    """

    id: int
    time: Micros
    price: float
    size: float
    value: float
    contracts: int
    taker: str


def within(counts: Counts, path: Path, *, window: Window, life: Life) -> Iterator[Trade]:
    """The trades inside a window, in order."""
    inside = Window(max(window.start, life.start), min(window.end, life.settled))
    if inside.start < inside.end:
        before = counts.before(path, inside.start - inside.start % SECOND)
        found = following(counts.tree, path, inside, before=before)
        yield from takewhile(lambda row: row.time < inside.end, dropwhile(lambda row: row.time < inside.start, found))


def numbered(counts: Counts, path: Path, first_id: int, *, life: Life) -> Iterator[Trade]:
    """The trades from an id on, in order."""
    if first_id <= last_id(counts, path, life):
        place = counts.place(path, first_id - 1, until=life.settled)
        seconds = Window(place.second, life.settled)
        found = following(counts.tree, path, seconds, before=place.before, first_id=first_id)
        yield from dropwhile(lambda row: row.id < first_id, found)


def last_id(counts: Counts, path: Path, life: Life) -> int:
    """The id of the newest trade; 0 if there was none."""
    return counts.before(path, life.settled) if life.settled > life.start else 0


def following(tree: Tree, path: Path, window: Window, *, before: int, first_id: int = 0) -> Iterator[Trade]:
    """The trades of a window, when it is known how many were before its first second.

    Of a second, pieces that end before the window begins or before an id are passed over; what they begin with is not.
    """
    for second in busy(tree, path, window):
        for piece in pieces(path, second):
            if second.time + piece.end * MILLISECOND > window.start and before + piece.trades >= first_id:
                yield from trades_of(path, second.time, piece, before=before)
            before += piece.trades


def busy(tree: Tree, path: Path, window: Window, *, depth: int = 0) -> Iterator[Cell]:
    """The seconds of a window in which something was traded."""
    length = LENGTHS[depth]
    for time in range(window.start - window.start % length, window.end, length):
        cell = tree.cell(path, depth, time) if depth else tree.day(path, time)
        if cell.trades and depth == SECONDS:
            yield cell
        elif cell.trades:
            inside = Window(max(time, window.start), min(time + length, window.end))
            yield from busy(tree, path, inside, depth=depth + 1)


@lru_cache(maxsize=REMEMBERED)
def trades_of(path: Path, second: Micros, piece: Piece, *, before: int) -> Sequence[Trade]:
    """The trades of a piece of a second in the numbers people read; streams of several exchanges share them."""
    make = contract_trades if inverse(path) else base_trades
    return make(path, second, fills(path, second, piece), before=before)


def base_trades(path: Path, second: Micros, found: list[Fill], *, before: int) -> list[Trade]:
    """Trades of spot and linear: lots are base."""
    tick, scale = path.unit.as_integer_ratio()
    lot, size = path.lot.as_integer_ratio()
    worth, whole = tick * lot, scale * size
    return [
        Trade(
            number,
            second + offset * MILLISECOND,
            price * tick / scale,
            lots * lot / size,
            price * lots * worth / whole,
            0,
            "buy" if bought else "sell",
        )
        for number, (offset, price, lots, bought) in enumerate(found, before + 1)
    ]


def contract_trades(path: Path, second: Micros, found: list[Fill], *, before: int) -> list[Trade]:
    """Trades of inverse contracts: lots are contracts that stand for quote."""
    tick, scale = path.unit.as_integer_ratio()
    contract = path.listing.contract_size
    return [
        Trade(
            number,
            second + offset * MILLISECOND,
            price * tick / scale,
            lots * contract / (price * tick / scale),
            float(lots * contract),
            lots,
            "buy" if bought else "sell",
        )
        for number, (offset, price, lots, bought) in enumerate(found, before + 1)
    ]
