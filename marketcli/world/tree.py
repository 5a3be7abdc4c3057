"""Candles from days down to seconds: each is divided into parts that make it up exactly.

A day is known from its date alone and a part from its whole, so any moment can be asked at once, and a day is the
aggregate of its 86,400 seconds without anybody counting them.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

from marketcli.models import DAY, HOUR, MINUTE, SECOND, Market, Micros
from marketcli.world.flows import Ranges, divide
from marketcli.world.noise import draw, smooth, stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from marketcli.world.prices import Path

LENGTHS = (DAY, HOUR, 15 * MINUTE, MINUTE, SECOND)
STEP = 1.3 * 12**0.5  # width of a uniform step of standard deviation one
WICK = 0.35  # how far a part's range goes beyond its ends, in widths of a step
WIDE, NARROW = 1.3, 0.7  # how much more, or less, than usual a day may move
QUIET = 0.15  # the least weight of a part
TRADES = 0.7  # the power of a day's turnover that is its number of trades
DAYS = 16_384  # remembered days: 40 years of one path
DIVISIONS = 3_072  # remembered divisions: a month of one path's minutes


class Cell(NamedTuple):
    """A candle in whole units: prices in ticks, lots, values in the smallest unit of quote (base if inverse)."""

    time: Micros
    open: int
    high: int
    low: int
    close: int
    buys: int = 0
    bought: int = 0
    bought_value: int = 0
    sells: int = 0
    sold: int = 0
    sold_value: int = 0

    @property
    def trades(self) -> int:
        """How often it was traded."""
        return self.buys + self.sells


class Tree:
    """The candles of all paths; what was divided lately is remembered."""

    def __init__(self) -> None:
        self.day = lru_cache(DAYS)(day)
        self.parts = lru_cache(DIVISIONS)(self.divided)

    def divided(self, path: Path, depth: int, time: Micros) -> list[Cell]:
        """The parts of the candle that opens at `time`, one level further down."""
        whole = self.day(path, time) if depth == 0 else self.cell(path, depth, time)
        return parts_of(path, depth, whole)

    def cell(self, path: Path, depth: int, time: Micros) -> Cell:
        """One candle of a level below days."""
        offset = time % LENGTHS[depth - 1]
        return self.parts(path, depth - 1, time - offset)[offset // LENGTHS[depth]]

    def between(self, path: Path, depth: int, start: Micros, end: Micros) -> list[Cell]:
        """The whole candles of a level from `start` to `end`, both on its grid."""
        if depth == 0:
            return [self.day(path, time) for time in range(start, end, DAY)]
        above, length, cells = LENGTHS[depth - 1], LENGTHS[depth], []
        for time in range(start - start % above, end, above):
            parts = self.parts(path, depth - 1, time)
            first, last = max(0, (start - time) // length), min(len(parts), (end - time) // length)
            cells.extend(parts[first:last] if (first, last) != (0, len(parts)) else parts)
        return cells


def day(path: Path, time: Micros) -> Cell:
    """The candle of a UTC day."""
    date = time // DAY
    first, last = path.corner(date), path.corner(date + 1)
    reach = movement(path, date) * scale(path, first)
    high = max(first, last) + round(reach * draw(path.seed, path.shape, "high", date) ** 2)
    low = min(first, last) - round(reach * draw(path.seed, path.shape, "low", date) ** 2)
    cell = Cell(time, first, high, low if path.price == "premium" else max(1, low), last)
    return cell._replace(**day_volume(path, cell)) if path.traded else cell


def movement(path: Path, date: int) -> float:
    """Standard deviation of a path on a day, as a share of its scale."""
    mood = smooth(date / 4, path.seed, "volatility", path.shape)
    return path.volatility * (NARROW + (WIDE - NARROW) * (mood + 1) / 2) + path.jitter


def scale(path: Path, price: int) -> float:
    """What movements are a share of: the price, or one for a premium."""
    return float(1 / path.unit) if path.price == "premium" else float(price)


def day_volume(path: Path, cell: Cell) -> dict[str, int]:
    """How much takers bought and sold on a day."""
    date = cell.time // DAY
    mean = round((cell.open + cell.high + cell.low + cell.close) / 4)
    worth = lot_values(path, [mean], [mean]).least[0]
    quote_per_lot = path.listing.contract_size if inverse(path) else mean * float(path.unit) * float(path.listing.lot)
    lots = path.turnover(date) / quote_per_lot
    share = bought_share(path, date)
    found: dict[str, int] = {}
    for side, many, part in (("bought", "buys", share), ("sold", "sells", 1 - share)):
        amount = max(1, int(lots * part))
        found[side] = amount
        found[many] = max(1, min(amount // 2, int((path.turnover(date) * part) ** TRADES)))
        found[f"{side}_value"] = round(amount * worth)
    return found


def bought_share(path: Path, date: int) -> float:
    """The share of a day's turnover that takers bought."""
    return 0.45 + 0.1 * draw(path.seed, path.name, "share", date)


def day_trades(path: Path, date: int, *, dearest_lot: float) -> int:
    """How many trades a day has; without its prices, which take ten times as long, where they cannot matter."""
    turnover, share = path.turnover(date), bought_share(path, date)
    counts = [(turnover * part) ** TRADES for part in (share, 1 - share)]
    if 2 * max(counts) + 2 < turnover * min(share, 1 - share) / dearest_lot:
        return sum(max(1, int(count)) for count in counts)
    return day(path, date * DAY).trades


def inverse(path: Path) -> bool:
    """Whether lots are contracts that stand for quote and are worth base."""
    return path.listing.market is Market.INVERSE


def lot_values(path: Path, lows: Sequence[int], highs: Sequence[int]) -> Ranges:
    """The least and greatest value of a lot at the prices of some candles."""
    if not inverse(path):
        return Ranges(lows, highs)
    size = float(path.listing.contract_size / path.unit) * 10**8
    return Ranges([size / high for high in highs], [size / low for low in lows])


def parts_of(path: Path, depth: int, whole: Cell) -> list[Cell]:
    """Divide a candle into those of the next level."""
    length = LENGTHS[depth + 1]
    times = range(whole.time, whole.time + LENGTHS[depth], length)
    own = stream(path.seed, path.name, depth, whole.time).random
    corners, reach = walk(path, whole, [own() for _ in times], length)
    common = stream(path.seed, path.shape, "wick", depth, whole.time).random
    ends = list(pairwise(corners))
    highs = [min(whole.high, max(pair) + round(reach * common() ** 2)) for pair in ends]
    lows = [max(whole.low, min(pair) - round(reach * common() ** 2)) for pair in ends]
    highs[highs.index(max(highs))], lows[lows.index(min(lows))] = whole.high, whole.low
    columns: list[Sequence[int]] = [times, corners[:-1], highs, lows, corners[1:]]
    columns.extend(volumes(whole, lot_values(path, lows, highs), own) if path.traded else [[0] * len(times)] * 6)
    return list(map(Cell._make, zip(*columns, strict=True)))


def volumes(whole: Cell, ranges: Ranges, chance: Callable[[], float]) -> Iterator[Sequence[int]]:
    """The columns of what takers bought and sold in the parts of a candle."""
    for flow in (whole[5:8], whole[8:11]):
        weights = [QUIET + chance() * chance() for _ in ranges.least]
        yield from divide(*flow, ranges=ranges, weights=weights)


def walk(path: Path, whole: Cell, own: Sequence[float], length: Micros) -> tuple[list[int], float]:
    """The prices between the parts of a candle, from its open to its close, and how far a part reaches beyond."""
    common = stream(path.seed, path.shape, length, whole.time).random
    width = STEP * scale(path, whole.open) * (length / DAY) ** 0.5
    size, jitter = width * movement(path, whole.time // DAY) - width * path.jitter, width * path.jitter
    steps = [size * (common() - 0.5) + jitter * (chance - 0.5) for chance in own]
    slope = (whole.close - whole.open - sum(steps)) / len(steps)
    inner = accumulate((step + slope for step in steps[:-1]), initial=float(whole.open))
    folded = [fold(round(price), whole.low, whole.high) for price in inner]
    return [*folded, whole.close], WICK * (size + jitter)


def fold(price: int, low: int, high: int) -> int:
    """A price turned back at the ends of its range."""
    if price > high:
        return max(low, 2 * high - price)
    if price < low:
        return min(high, 2 * low - price)
    return price
