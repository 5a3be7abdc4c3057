"""The world: what is listed, and its candles, at the moment a clock shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from marketcli.models import Interval, Market, Micros, Window
from marketcli.world.candles import cells, life_of
from marketcli.world.listings import Listing, listings_at
from marketcli.world.prices import FINE, Path
from marketcli.world.tree import Cell, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from fractions import Fraction

    from marketcli.world.series import Row, Series


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


class World:
    """A market without an exchange: the same seed and clock give the same candles, whatever was asked before.

    `clock` says what time it is in microseconds; `series` are real candles that replace or add listings.
    """

    def __init__(self, seed: int = 7, *, clock: Callable[[], Micros], series: Sequence[Series] = ()) -> None:
        self.seed = seed
        self.clock = clock
        self.series = {(real.market, real.base, real.quote): real for real in series}
        self.tree = Tree()
        self.paths: dict[tuple[object, ...], Path] = {}

    def now(self) -> Micros:
        """What the clock shows."""
        return self.clock()

    def listings(self, market: Market | None = None) -> list[Listing]:
        """What is listed now, in a stable order: ended listings too, and those about to begin."""
        now = self.now()
        real = {key: series.listing(now) for key, series in self.series.items()}
        listed = [real.pop(key(item), item) if lasting(item) else item for item in listings_at(now)]
        return [item for item in (*listed, *real.values()) if market in {None, item.market}]

    def candles(self, listing: Listing, interval: Interval, window: Window, *, price: str = "trade") -> list[Bar]:
        """Candles that open inside the window, in order; the one that holds now is not closed.

        `price` is trade, mark, index or premium; spot, and real candles from a file, know trades only.
        """
        now = self.now()
        real = self.series.get(key(listing)) if lasting(listing) else None
        if price != "trade" and (real is not None or listing.market is Market.SPOT):
            return []
        if real is not None:
            return list(real_bars(listing, interval, real.rows(interval, window, now), now))
        path = self.path(listing, price)
        found = cells(self.tree, path, interval=interval, window=window, life=life_of(listing, now))
        return bars(path, interval, found, now)

    def path(self, listing: Listing, price: str) -> Path:
        """The one path of a listing's price: what is remembered is remembered for it."""
        name = (*key(listing), None if lasting(listing) else listing.expiry, price)
        return self.paths.setdefault(name, Path(self.seed, listing, price))


def key(listing: Listing) -> tuple[Market, str, str]:
    """What real candles are given for."""
    return listing.market, listing.base, listing.quote


def lasting(listing: Listing) -> bool:
    """Whether it is spot or perpetual."""
    return listing.perpetual or listing.market is Market.SPOT


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
