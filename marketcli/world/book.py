"""The order book: what could be traded now, around the last price."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, count, islice
from math import log
from typing import TYPE_CHECKING, NamedTuple

from marketcli.models import DAY, MILLISECOND, Micros
from marketcli.world.noise import stream
from marketcli.world.tree import inverse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketcli.world.prices import Path

TENTH = 100 * MILLISECOND
LASTING = 50  # tenths of a second until what stands at a price is something else
BLOCK, BLOCKS = 64, 1_024  # prices that change together, and how many such blocks are remembered
EMPTY = 0.1  # the share of prices at which nothing stands
DIGITS, NEAR = 6, 16  # people offer at prices of so many digits, and at each of the ticks next to the best
WIDEST, RARE = 2e-5, 8  # the widest spread, as a share of the price, and how rare it is
LEAST = 2e-7  # days of turnover at every price, and how those per share of the price grow with distance
KNEE, GROWTH, FALL, DENSITY = 0.02, 0.3, 1.5, 2.0
ORDER = 1e-6  # days of turnover in a usual order


class Level(NamedTuple):
    """What is offered at a price: `size` in base, `contracts` 0 unless the market is inverse."""

    price: float
    size: float
    contracts: int
    orders: int


class Book(NamedTuple):
    """Bids from the highest down and asks from the lowest up; nothing where nothing trades."""

    time: Micros
    update_id: int
    bids: list[Level]
    asks: list[Level]


class Offer(NamedTuple):
    """What is offered at a price in ticks: how many usual orders, and quote units."""

    price: int
    orders: float
    value: float


def book_at(path: Path, time: Micros, *, last: int, depth: int) -> Book:
    """The book of a tenth of a second when the last price is known in ticks.

    The last price is the best of one side. What is offered at a price grows with the distance up to about half a per
    cent; two per cent to a side hold about a fiftieth of a day's turnover, and all prices about a tenth. Bids end at
    the smallest price there is.
    """
    tenth = time // TENTH
    chance = stream(path.seed, path.name, "book", tenth).random
    spread = 1 + int(last * WIDEST * chance() ** RARE)
    ask = max(1 + spread, last + spread * round(chance()))
    make = contract_levels if inverse(path) else base_levels
    bids, asks = (
        make(path, list(islice(offers(path, tenth, last=last, prices=prices, left=chance()), depth)))
        for prices in (ladder(ask - spread, way=-1), ladder(ask, way=1))
    )
    return Book(tenth * TENTH, tenth - path.listing.listed // TENTH + 1, bids, asks)


def ladder(best: int, *, way: int) -> Iterator[int]:
    """Prices from the best of a side up (1) or down (-1): every tick first, those of six digits farther away."""
    step = way * 10 ** max(0, len(str(best)) - DIGITS)
    near = best + way * NEAR
    for price in chain(range(best, near, way), count(-(-near // step) * step, step)):
        if price <= 0:
            return
        yield price


def offers(path: Path, tenth: int, *, last: int, prices: Iterator[int], left: float) -> Iterator[Offer]:
    """What is offered at prices from the best on; of what stood at the best, only a part is left."""
    order = path.turnover(tenth * TENTH // DAY) * ORDER
    before, share = last, left
    for price in prices:
        block, place = divmod(price, BLOCK)
        crowd = crowds(path, block, (tenth + block) // LASTING)[place]
        if crowd < EMPTY and share == 1:  # the best price is never empty
            continue
        away = (1 + abs(price - last)) / last / KNEE
        days = LEAST + DENSITY * away**GROWTH / (1 + away) ** FALL * max(1, abs(price - before)) / last
        orders = days / ORDER * share * -log(1 - crowd)
        yield Offer(price, orders, orders * order)
        before, share = price, 1


@lru_cache(BLOCKS)
def crowds(path: Path, block: int, since: int) -> list[float]:
    """How much stands at each price of a block, compared with others: from 0 to 1."""
    chance = stream(path.seed, path.name, "crowds", block, since).random
    return [chance() for _ in range(BLOCK)]


def base_levels(path: Path, offered: list[Offer]) -> list[Level]:
    """Levels of spot and linear: lots are base."""
    tick, scale = path.unit.as_integer_ratio()
    lot, size = path.lot.as_integer_ratio()
    worth = tick * lot / (scale * size)
    found = []
    for price, orders, value in offered:
        lots = max(1, round(value / (price * worth)))
        found.append(Level(price * tick / scale, lots * lot / size, 0, min(lots, 1 + int(orders**0.5))))
    return found


def contract_levels(path: Path, offered: list[Offer]) -> list[Level]:
    """Levels of inverse contracts: lots are contracts that stand for quote."""
    tick, scale = path.unit.as_integer_ratio()
    contract = path.listing.contract_size
    found = []
    for price, orders, value in offered:
        contracts, cost = max(1, round(value / contract)), price * tick / scale
        found.append(Level(cost, contracts * contract / cost, contracts, min(contracts, 1 + int(orders**0.5))))
    return found
