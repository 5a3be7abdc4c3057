"""The fills of a second, piece by piece: their number, lots, values and prices are those of its candle."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

from marketcli.world.noise import stream
from marketcli.world.tree import fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.models import Micros
    from marketcli.world.pieces import Flow, Piece
    from marketcli.world.prices import Path

SMALLEST, TAIL = 0.05, 4  # of what fills weigh: most are small, few are large
PACE = 2.0  # width of a price step, in ranges of the second by the root of its fills


class Fill(NamedTuple):
    """A trade in whole units: milliseconds into its second, ticks and lots."""

    offset: int
    price: int
    lots: int
    bought: bool


def fills(path: Path, second: Micros, piece: Piece) -> list[Fill]:
    """The fills of a piece of a second in order of time.

    Of two or more the first is at the open and the last at the close; of four or more one is at the high and one at
    the low. Each side has exactly its number and lots. Its average price is off by no more than the range of the
    piece, and hardly at all from ten fills on: the values of a minute of a hundred trades are within about one in
    10,000 of the candle's, and mostly ten times nearer.
    """
    chance = stream(path.seed, path.name, "fills", second, piece.number).random
    offsets = sorted([int(piece.begin + (piece.end - piece.begin) * chance()) for _ in range(piece.trades)])
    prices, held = route(piece, chance)
    keys, lots = [chance() for _ in prices], [0] * piece.trades
    order = sorted(range(piece.trades), key=keys.__getitem__)
    buys, sells = order[: piece.bought.trades], order[piece.bought.trades :]
    for places, flow in ((buys, piece.bought), (sells, piece.sold)):
        for place, part in zip(places, shares(flow, chance), strict=True):
            lots[place] = part
        settle(places, prices, lots, value=flow.value, bounds=(piece.low, piece.high), held=held)
    takers = set(buys)
    return [Fill(*row, bought=place in takers) for place, row in enumerate(zip(offsets, prices, lots, strict=True))]


def route(piece: Piece, chance: Callable[[], float]) -> tuple[list[int], set[int]]:
    """Prices from the open to the close of a piece, and the places that must not change."""
    count = piece.trades
    if count <= 1:
        return [piece.open] * count, set()
    width = PACE * (piece.high - piece.low) / count**0.5
    steps = [width * (chance() - 0.5) for _ in range(count - 1)]
    slope = (piece.close - piece.open - sum(steps)) / len(steps)
    inner = accumulate((step + slope for step in steps[:-1]), initial=float(piece.open))
    prices = [fold(round(price), piece.low, piece.high) for price in inner]
    prices.append(piece.close)
    held = {0, count - 1}
    extremes, first = ((piece.high, max), (piece.low, min)), round(chance())
    for extreme, pick in (*extremes[first:], *extremes[:first]):
        spare = [place for place in range(count) if place not in held]
        if spare and extreme not in {piece.open, piece.close}:
            place = pick(spare, key=prices.__getitem__)
            prices[place] = extreme
            held.add(place)
    return prices, held


def shares(flow: Flow, chance: Callable[[], float]) -> list[int]:
    """Lots for each fill of a side, one at least."""
    if not flow.trades:
        return []
    sums = list(accumulate([SMALLEST + chance() ** TAIL for _ in range(flow.trades)]))
    spare = flow.lots - flow.trades
    cuts = [int(spare * part / sums[-1]) for part in sums[:-1]] + [spare]
    return [high - low + 1 for low, high in zip([0, *cuts], cuts, strict=False)]


def settle(
    places: list[int], prices: list[int], lots: list[int], *, value: int, bounds: tuple[int, int], held: set[int]
) -> None:
    """Move free prices towards a bound, then lots between prices, until a side comes to its value or no nearer."""
    missing = value - sum([prices[place] * lots[place] for place in places])
    bound = bounds[1] if missing > 0 else bounds[0]
    free = [place for place in places if place not in held]
    room = sum([(bound - prices[place]) * lots[place] for place in free])
    share = min(1.0, missing / room) if room else 0.0
    for place in free:
        move = int(share * (bound - prices[place]))
        prices[place] += move
        missing -= move * lots[place]
    for place in sorted(free, key=lots.__getitem__, reverse=True):
        move = max(bounds[0] - prices[place], min(bounds[1] - prices[place], round(missing / lots[place])))
        prices[place] += move
        missing -= move * lots[place]
    if missing:
        swap(places, prices, lots, missing)


def swap(places: list[int], prices: list[int], lots: list[int], missing: int) -> None:
    """Move lots from the wrong end of a side's prices to the right one, then between neighbours."""
    order = sorted(places, key=prices.__getitem__, reverse=missing < 0)
    for giver, taker in (*((place, order[-1]) for place in order), *pairwise(order)):
        apart = prices[taker] - prices[giver]
        if apart:
            move = min(lots[giver] - 1, missing // apart)
            lots[giver] -= move
            lots[taker] += move
            missing -= move * apart
