"""The world: what is listed, its candles, funding and open interest, at the moment a clock shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from marketcli.models import MILLISECOND, MINUTE, SECOND, Interval, Market, Micros, Window
from marketcli.world import funding
from marketcli.world.candles import cells, life_of, price_at
from marketcli.world.funding import Derivative, Settlement, Terms
from marketcli.world.interest import Interest, interest_at
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
        real = self.real(listing)
        if price != "trade" and (real is not None or listing.market is Market.SPOT):
            return []
        if real is not None:
            return list(real_bars(listing, interval, real.rows(interval, window, now), now))
        path = self.path(listing, price)
        found = cells(self.tree, path, interval=interval, window=window, life=life_of(listing, now))
        return bars(path, interval, found, now)

    def settlements(self, listing: Listing, window: Window) -> list[Settlement]:
        """Funding paid by a perpetual inside the window so far, in order; nothing by anything else."""
        if not listing.perpetual or listing.market is Market.SPOT or self.real(listing) is not None:
            return []
        reach = Window(window.start - funding.LATE * MILLISECOND, window.end)
        times = ((time, funding.written(self.seed, listing, time)) for time in funding.due(listing, reach))
        now = self.now()
        return [
            Settlement(
                written,
                funding.rate_for(self.seed, listing, time, until=time),
                price_at(self.tree, self.path(listing, "mark"), time),
            )
            for time, written in times
            if written in window and written <= now
        ]

    def terms(self, listing: Listing, at: Micros | None = None) -> Terms:
        """The terms of a perpetual's funding at a moment, or now; real candles from a file have the usual ones."""
        if self.real(listing) is not None:
            return funding.usual_terms(listing)
        return funding.terms_at(listing, self.now() if at is None else at)

    def derivative(self, listing: Listing) -> Derivative:
        """Mark, index and coming funding of a contract now; where a file knows only trades, those are all three."""
        now = self.now()
        if self.real(listing) is not None:
            last = self.last(listing)
            return Derivative(now, last, last, 0.0, 0)
        time = min(now, listing.expiry or now)
        mark, index = (price_at(self.tree, self.path(listing, price), time) for price in ("mark", "index"))
        coming = funding.next_due(listing, now)
        rate = funding.rate_for(self.seed, listing, coming, until=now) if coming else 0.0
        return Derivative(now, mark, index, rate, coming)

    def interest(self, listing: Listing, times: Sequence[Micros]) -> list[Interest]:
        """Open interest at those of some moments at which there was any; spot and real candles have none."""
        if listing.market is Market.SPOT or self.real(listing) is not None:
            return []
        now, mark = self.now(), self.path(listing, "mark")
        return [
            interest_at(self.seed, listing, time, mark=price_at(self.tree, mark, time))
            for time in times
            if listing.listed <= time <= now and (listing.expiry is None or time < listing.expiry)
        ]

    def last(self, listing: Listing) -> float:
        """The last price traded at, so far or ever."""
        now, real = self.now(), self.real(listing)
        if real is not None:
            return real.last(now)
        return price_at(self.tree, self.path(listing, "trade"), min(now, listing.expiry or now))

    def average(self, listing: Listing, minutes: int = 5) -> float:
        """The average price of what was traded in the last minutes, to 8 places; the last price if nothing was."""
        now = self.now()
        until = min(now, listing.expiry or now) // SECOND * SECOND
        bars = self.candles(listing, Interval(1, "s"), Window(until - minutes * MINUTE, until))
        base, quote = sum(bar.volume_base for bar in bars), sum(bar.volume_quote for bar in bars)
        return round(quote / base, 8) if base else self.last(listing)

    def real(self, listing: Listing) -> Series | None:
        """The real candles that a listing stands for, if any."""
        return self.series.get(key(listing)) if lasting(listing) else None

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
