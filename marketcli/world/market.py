"""The world: what is listed, its candles, trades, book, funding and open interest, at the moment a clock shows."""

from __future__ import annotations

from copy import copy
from itertools import islice
from typing import TYPE_CHECKING

from marketcli.models import DAY, MILLISECOND, MINUTE, SECOND, Interval, Market, Micros, Window
from marketcli.world import funding, trades
from marketcli.world.bars import Bar, bars, real_bars
from marketcli.world.book import Book, book_at
from marketcli.world.candles import cells, life_of, price_at, ticks_at
from marketcli.world.counts import Counts
from marketcli.world.funding import Derivative, Settlement, Terms
from marketcli.world.interest import Interest, interest_at
from marketcli.world.liquidations import Liquidation, Liquidations
from marketcli.world.listings import Listing, listings_at
from marketcli.world.prices import Path
from marketcli.world.ratios import Ratio, ratio_of
from marketcli.world.ticker import Ticker, real_ticker, ticker_of
from marketcli.world.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marketcli.world.series import Series
    from marketcli.world.trades import Trade


class World:
    """A market without an exchange: the same seed and clock give the same candles, whatever was asked before.

    `clock` says what time it is in microseconds; `series` are real candles that replace or add listings.
    """

    def __init__(self, seed: int = 7, *, clock: Callable[[], Micros], series: Sequence[Series] = ()) -> None:
        self.seed = seed
        self.clock = clock
        self.series = {(real.market, real.base, real.quote): real for real in series}
        self.tree = Tree()
        self.counts = Counts(self.tree)
        self.forced = Liquidations(self.counts)
        self.paths: dict[tuple[object, ...], Path] = {}

    def now(self) -> Micros:
        """What the clock shows."""
        return self.clock()

    def at(self, time: Micros) -> World:
        """The same world when its clock shows another time; what is remembered is remembered for both."""
        other = copy(self)
        other.clock = lambda: time
        return other

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

    def ratios(self, listing: Listing, interval: Interval, times: Sequence[Micros]) -> list[Ratio]:
        """Ratios at those of some moments of a contract's life at which a candle of the interval opens."""
        if not times or listing.market is Market.SPOT or self.real(listing) is not None:
            return []
        found = self.candles(listing, interval, Window(max(min(times), listing.listed), max(times) + 1))
        opened = {bar.time: bar for bar in found}
        return [ratio_of(self.seed, listing, opened[time]) for time in times if time in opened]

    def trades(self, listing: Listing, window: Window, *, limit: int | None = None) -> list[Trade]:
        """The trades inside a window so far, in order; only the first of them with a limit."""
        if self.real(listing) is not None:
            return []
        path, life = self.path(listing, "trade"), life_of(listing, self.now())
        return list(islice(trades.within(self.counts, path, window=window, life=life), limit))

    def trades_from(self, listing: Listing, first_id: int, limit: int) -> list[Trade]:
        """The trades from an id on, in order; ids begin at 1."""
        if self.real(listing) is not None:
            return []
        path, life = self.path(listing, "trade"), life_of(listing, self.now())
        return list(islice(trades.numbered(self.counts, path, max(1, first_id), life=life), limit))

    def recent_trades(self, listing: Listing, limit: int) -> list[Trade]:
        """The newest trades, in order."""
        return self.trades_from(listing, self.next_id(listing, self.now()) - limit, limit)

    def next_id(self, listing: Listing, time: Micros) -> int:
        """The id of the first trade at or after a moment; that of the coming trade if there is none yet."""
        if self.real(listing) is not None:
            return 1
        path, life = self.path(listing, "trade"), life_of(listing, self.now())
        found = trades.within(self.counts, path, window=Window(time, life.settled), life=life)
        return next((row.id for row in found), trades.last_id(self.counts, path, life) + 1)

    def liquidations(self, listing: Listing, window: Window) -> list[Liquidation]:
        """The positions closed by force inside a window so far, in order; each is one of the trades."""
        if listing.market is Market.SPOT or self.real(listing) is not None:
            return []
        return self.forced.within(self.path(listing, "trade"), window=window, life=life_of(listing, self.now()))

    def book(self, listing: Listing, depth: int) -> Book:
        """What is offered now; nothing where nothing trades."""
        now = self.now()
        if self.real(listing) is not None or now < listing.listed or now >= (listing.expiry or now + 1):
            return Book(now, 0, [], [])
        path = self.path(listing, "trade")
        return book_at(path, now, last=ticks_at(self.tree, path, now), depth=depth)

    def ticker(self, listing: Listing) -> Ticker:
        """The last 24 hours, or those before the end."""
        now, real = self.now(), self.real(listing)
        if real is not None:
            time = min(now, real.span.end)
            window = Window(real.interval.floor(time - DAY), time)
            found = self.candles(listing, real.interval, window)
            return real_ticker(found, now=time, last=self.last(listing))
        recent = self.recent_trades(listing, 1)
        return ticker_of(self.counts, self.path(listing, "trade"), now=now, recent=recent, book=self.book(listing, 1))

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
