"""Candles in the numbers people read, from the whole units of cells or from the rows of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from marketcli.models import Interval, Market, Micros
from marketcli.world.prices import FINE, Path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction

    from marketcli.world.listings import Listing
    from marketcli.world.series import Row
    from marketcli.world.tree import Cell


class Bar(NamedTuple):
    """A candle of the world.

    Base and quote volumes are exact decimals as near as a float comes; contracts are 0 unless the market is inverse.
    """

    time: Micros
    open: float
    high: float
    low: float
    close: float
    volume_base: float
    volume_quote: float
    trades: int
    taker_buy_base: float
    taker_buy_quote: float
    contracts: int
    taker_buy_contracts: int
    closed: bool


def bars(path: Path, interval: Interval, found: list[Cell], now: Micros) -> list[Bar]:
    """Cells in the numbers people read; only the last can be unfinished."""
    make = price_bar if not path.traded else inverse_bar if path.listing.market is Market.INVERSE else base_bar
    unfinished = bool(found) and interval.step(found[-1].time) > now
    rows = list(make(path, found))
    return [*rows[:-1], rows[-1]._replace(closed=False)] if unfinished else rows


def base_bar(path: Path, found: Iterable[Cell]) -> Iterable[Bar]:
    """Candles of spot and linear: lots are base."""
    tick, scale = ratio(path.unit)
    lot, size = ratio(path.lot)
    worth, whole = tick * lot, scale * size
    for time, first, high, low, last, buys, bought, paid, sells, sold, earned in found:
        yield Bar(
            time,
            first * tick / scale,
            high * tick / scale,
            low * tick / scale,
            last * tick / scale,
            (bought + sold) * lot / size,
            (paid + earned) * worth / whole,
            buys + sells,
            bought * lot / size,
            paid * worth / whole,
            0,
            0,
            closed=True,
        )


def inverse_bar(path: Path, found: Iterable[Cell]) -> Iterable[Bar]:
    """Candles of inverse contracts: lots are contracts that stand for quote, their value is base."""
    tick, scale = ratio(path.unit)
    contract, fine = path.listing.contract_size, FINE.denominator
    for time, first, high, low, last, buys, bought, paid, sells, sold, earned in found:
        yield Bar(
            time,
            first * tick / scale,
            high * tick / scale,
            low * tick / scale,
            last * tick / scale,
            (paid + earned) / fine,
            float((bought + sold) * contract),
            buys + sells,
            paid / fine,
            float(bought * contract),
            bought + sold,
            bought,
            closed=True,
        )


def price_bar(path: Path, found: Iterable[Cell]) -> Iterable[Bar]:
    """Candles of a price nobody trades at."""
    tick, scale = ratio(path.unit)
    for time, *prices in (cell[:5] for cell in found):
        first, high, low, last = (price * tick / scale for price in prices)
        yield Bar(time, first, high, low, last, 0.0, 0.0, 0, 0.0, 0.0, 0, 0, closed=True)


def ratio(value: Fraction) -> tuple[int, int]:
    """Numerator and denominator: dividing whole numbers gives the float nearest to the decimal."""
    return value.numerator, value.denominator


def real_bars(listing: Listing, interval: Interval, rows: Iterable[Row], now: Micros) -> Iterable[Bar]:
    """Real candles; what a file of candles does not know is 0."""
    for time, first, high, low, last, volume, value in rows:
        closed = interval.step(time) <= now
        if listing.market is not Market.INVERSE:
            yield Bar(time, first, high, low, last, volume, value, 0, 0.0, 0.0, 0, 0, closed)
            continue
        quote = volume * listing.contract_size
        yield Bar(time, first, high, low, last, quote / last, quote, 0, 0.0, 0.0, int(volume), 0, closed)
