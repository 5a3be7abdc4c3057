"""Candles of any interval from the cells of a tree, cut to the life of a listing and to the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from marketcli.models import SECOND, Interval, Micros, Window
from marketcli.world.tree import LENGTHS, Cell, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketcli.world.listings import Listing
    from marketcli.world.prices import Path

DAYS, SECONDS = 0, len(LENGTHS) - 1  # depths


class Life(NamedTuple):
    """When there is something to tell: whole seconds up to `settled`, and the second that holds now up to `end`."""

    start: Micros
    settled: Micros
    end: Micros


def life_of(listing: Listing, now: Micros) -> Life:
    """The life of a listing so far."""
    settled = now - now % SECOND
    if listing.expiry is not None and listing.expiry <= settled:
        return Life(listing.listed, listing.expiry, listing.expiry)
    return Life(listing.listed, settled, settled + SECOND)


def cells(tree: Tree, path: Path, *, interval: Interval, window: Window, life: Life) -> list[Cell]:
    """The candles of a path that open inside the window, in order."""
    start = max(interval.ceil(window.start), interval.floor(life.start))
    end = min(window.end, life.end)
    if start >= end or life.start >= life.end:
        return []
    depth = depth_of(interval)
    parts = lived(tree, path, depth=depth, window=Window(start, interval.ceil(end)), life=life)
    if interval.micros == LENGTHS[depth]:
        return parts
    return list(grouped(parts, interval, Window(start, end)))


def depth_of(interval: Interval) -> int:
    """The level whose cells an interval is made of: the longest that fits."""
    length = interval.micros
    return DAYS if length is None else next(depth for depth, cell in enumerate(LENGTHS) if length % cell == 0)


def grouped(parts: list[Cell], interval: Interval, window: Window) -> Iterator[Cell]:
    """Candles of an interval from the cells it is made of; the cells follow each other without holes."""
    place, opened = 0, window.start
    while opened < window.end:
        following, first = interval.step(opened), place
        while place < len(parts) and parts[place].time < following:
            place += 1
        yield merged(opened, parts[first:place])
        opened = following


def lived(tree: Tree, path: Path, *, depth: int, window: Window, life: Life) -> list[Cell]:
    """The cells of a level in a window on its grid; those cut by the ends of a life hold what happened within it."""
    length = LENGTHS[depth]
    first, last = life.start - life.start % length, life.settled - life.settled % length
    whole = Window(max(window.start, -(-life.start // length) * length), min(window.end, last))
    found = tree.between(path, depth, whole.start, whole.end) if whole.start < whole.end else []
    if first in window and first < min(life.start, last):
        found.insert(0, cut(tree, path, depth=depth, time=first, life=life))
    if last in window and last < life.end and first <= last:
        found.append(cut(tree, path, depth=depth, time=last, life=life))
    return found


def cut(tree: Tree, path: Path, *, depth: int, time: Micros, life: Life) -> Cell:
    """The cell at an end of a life, from the cells of the next level; the second that holds now is flat."""
    if depth == SECONDS:
        begun = tree.cell(path, depth, time)
        return Cell(time, begun.open, begun.open, begun.open, begun.open)
    inside = Window(time, time + LENGTHS[depth])
    return merged(time, lived(tree, path, depth=depth + 1, window=inside, life=life))


def price_at(tree: Tree, path: Path, time: Micros) -> float:
    """The price at the start of the second that holds a moment: that of the candles which open there."""
    return ticks_at(tree, path, time) * path.unit.numerator / path.unit.denominator


def ticks_at(tree: Tree, path: Path, time: Micros) -> int:
    """The same price in units of its path."""
    second = time - time % SECOND
    depth = next(depth for depth, length in enumerate(LENGTHS) if second % length == 0)
    return (tree.cell(path, depth, second) if depth else tree.day(path, second)).open


def merged(time: Micros, parts: list[Cell]) -> Cell:
    """One candle from those it is made of."""
    columns = list(zip(*parts, strict=True))
    return Cell(time, parts[0].open, max(columns[2]), min(columns[3]), parts[-1].close, *map(sum, columns[5:]))
