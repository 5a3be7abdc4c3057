"""The last 24 hours of a listing in one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from marketcli.models import DAY, Interval, Micros, Window
from marketcli.world.bars import Bar, bars
from marketcli.world.book import Book, Level
from marketcli.world.candles import Life, cells, life_of, merged, ticks_at
from marketcli.world.tree import Cell

if TYPE_CHECKING:
    from marketcli.world.counts import Counts
    from marketcli.world.prices import Path
    from marketcli.world.trades import Trade
    from marketcli.world.tree import Tree


class Ticker(NamedTuple):
    """What happened in the 24 hours up to now, or up to the end of a life, and the best of the book.

    Volumes in base and quote, `contracts` 0 unless the market is inverse; ids are 0 where there was no trade, and
    what is offered is 0 where nothing trades.
    """

    time: Micros
    open_time: Micros
    open: float
    high: float
    low: float
    last: float
    last_size: float
    volume_base: float
    volume_quote: float
    contracts: int
    trades: int
    first_id: int
    last_id: int
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    bid_contracts: int
    ask_contracts: int


def ticker_of(counts: Counts, path: Path, *, now: Micros, recent: list[Trade], book: Book) -> Ticker:
    """A listing's ticker, when its newest trade and the best of its book are known."""
    life = life_of(path.listing, now)
    time = min(now, path.listing.expiry or now)
    opened = max(life.start, life.settled - DAY)
    day = rolling(counts.tree, path, Life(opened, life.settled, life.settled))
    before = counts.before(path, opened) if day.trades else 0
    return Ticker(
        time=time,
        open_time=opened,
        open=day.open,
        high=day.high,
        low=day.low,
        last=day.close,
        last_size=recent[-1].size if recent else 0.0,
        volume_base=day.volume_base,
        volume_quote=day.volume_quote,
        contracts=day.contracts,
        trades=day.trades,
        first_id=before + 1 if day.trades else 0,
        last_id=before + day.trades,
        **best(book),
    )


def rolling(tree: Tree, path: Path, life: Life) -> Bar:
    """One candle of a stretch of whole seconds; of none, the price alone."""
    found = cells(tree, path, interval=Interval(1, "d"), window=Window(0, life.end), life=life)
    price = ticks_at(tree, path, life.end)
    whole = merged(life.start, found) if found else Cell(life.start, price, price, price, price)
    return bars(path, Interval(1, "s"), [whole], life.end)[0]


def best(book: Book) -> dict[str, Any]:
    """The best of both sides; zeros where nothing is offered."""
    bid, ask = (side[0] if side else Level(0.0, 0.0, 0, 0) for side in (book.bids, book.asks))
    return {
        "bid": bid.price,
        "bid_size": bid.size,
        "ask": ask.price,
        "ask_size": ask.size,
        "bid_contracts": bid.contracts,
        "ask_contracts": ask.contracts,
    }


def real_ticker(found: list[Bar], *, now: Micros, last: float) -> Ticker:
    """The ticker of real candles: those of the last day, without what a file does not know."""
    return Ticker(
        time=now,
        open_time=found[0].time if found else now,
        open=found[0].open if found else last,
        high=max((bar.high for bar in found), default=last),
        low=min((bar.low for bar in found), default=last),
        last=last,
        last_size=0.0,
        volume_base=sum(bar.volume_base for bar in found),
        volume_quote=sum(bar.volume_quote for bar in found),
        contracts=sum(bar.contracts for bar in found),
        trades=0,
        first_id=0,
        last_id=0,
        **best(Book(now, 0, [], [])),
    )
