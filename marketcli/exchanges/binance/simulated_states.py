"""Binance's streams of states as the sandbox plays them: tickers, the best of books, mark prices.

Documentation: as in `simulated_frames`. Values are those of the REST answers of the same moment.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from marketcli.exchanges.binance.simulated_frames import FAMILIES, Event, known, listings, there
from marketcli.exchanges.binance.simulated_funding import inverse_premium, premium
from marketcli.exchanges.binance.simulated_requests import INVERSE, SPOT, native
from marketcli.exchanges.binance.simulated_tickers import NOBODY, day, price_digits, quantity
from marketcli.models import MILLISECOND, SECOND, Interval, Window
from marketcli.simulator import Ask, decimal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marketcli.exchanges.binance.simulated_frames import Document, Scene
    from marketcli.models import Market, Micros
    from marketcli.world import Listing, World


def alive(listing: Listing, time: Micros) -> bool:
    """Whether it trades at a moment."""
    return listing.listed <= time and (listing.expiry is None or time < listing.expiry)


# --- tickers

MINI = {"c": "lastPrice", "o": "openPrice", "h": "highPrice", "l": "lowPrice", "v": "volume", "q": "quoteVolume"}
DAY = MINI | {"p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice", "Q": "lastQty"}
DAY |= {"O": "openTime", "C": "closeTime", "F": "firstId", "L": "lastId", "n": "count"}
SPOT_DAY = DAY | {"x": "prevClosePrice", "b": "bidPrice", "B": "bidQty", "a": "askPrice", "A": "askQty"}


def ticker(world: World, listing: Listing, *, short: bool = False) -> Document:
    """The last 24 hours, in short or in full; COIN-M says base where others say quote."""
    found, names = day(Ask("", "", {}, world), listing), SPOT_DAY if listing.market is SPOT else DAY
    found.setdefault("quoteVolume", found.get("baseVolume"))
    head = {"e": "24hrMiniTicker" if short else "24hrTicker", "E": world.now() // MILLISECOND} | known(listing)
    return head | {key: found[name] for key, name in (MINI if short else names).items()} | FAMILIES[listing.market]


full, short = partial(ticker, short=False), partial(ticker, short=True)


def tickers(scene: Scene, listing: Listing, every: float, say: Callable[[World, Listing], Document]) -> Iterator[Event]:
    """Tickers of an instrument while it trades."""
    for time in scene.moments(every):
        if alive(listing, time):
            yield Event(time, say(scene.world.at(time), listing))


ONE_SECOND = Interval(1, "s")


def changed(scene: Scene, listing: Listing, time: Micros) -> bool:
    """Whether it was traded since tickers were sent last."""
    ends = (time - max(SECOND, round(SECOND / scene.pace)), time)
    since = Window(*(end // SECOND * SECOND for end in ends))
    return alive(listing, time) and any(bar.trades for bar in scene.world.at(time).candles(listing, ONE_SECOND, since))


def bests(scene: Scene, listing: Listing, every: float) -> Iterator[Event]:
    """The best of a book; nothing where nobody offers."""
    digits = price_digits(listing)
    for time in scene.moments(every):
        book = scene.world.at(time).book(listing, 1)
        if not book.bids and not book.asks:
            continue
        bid, offer = (side[0] if side else NOBODY for side in (book.bids, book.asks))
        found = known(listing) | {
            "u": book.update_id,
            "b": decimal(bid.price, digits),
            "B": quantity(listing, bid),
            "a": decimal(offer.price, digits),
            "A": quantity(listing, offer),
        }
        own = {"e": "bookTicker", "T": book.time // MILLISECOND, "E": time // MILLISECOND} | FAMILIES[listing.market]
        yield Event(time, found if listing.market is SPOT else own | found)


# --- funding


def mark(world: World, listing: Listing) -> Document:
    """Mark, index and coming funding; the average of the mark is the mark itself here."""
    ask = Ask("", "", {}, world)
    said = inverse_premium(ask, listing) if listing.market is INVERSE else premium(ask, listing)
    return {
        "e": "markPriceUpdate",
        "E": world.now() // MILLISECOND,
        "s": native(listing),
        "p": said["markPrice"],
        "ap": said["markPrice"],
        "P": said["estimatedSettlePrice"],
        "i": said["indexPrice"],
        "r": said["lastFundingRate"],
        "T": said["nextFundingTime"],
    } | FAMILIES[listing.market]


def marks(scene: Scene, listing: Listing, every: float) -> Iterator[Event]:
    """Mark prices of a contract since it is listed, even when it trades no more."""
    for time in scene.moments(every):
        if there(scene, listing, time):
            yield Event(time, mark(scene.world.at(time), listing))


# --- all instruments at once


def lists(
    scene: Scene,
    markets: tuple[Market, ...],
    every: float,
    *,
    say: Callable[[World, Listing], Document],
    counts: Callable[[Scene, Listing, Micros], bool],
) -> Iterator[Event]:
    """Lists of states of all instruments that count at a moment; none where nothing does."""
    all_of_them = listings(scene, *markets).values()
    for time in scene.moments(every):
        world = scene.world.at(time)
        found = [say(world, listing) for listing in all_of_them if counts(scene, listing, time)]
        if found:
            yield Event(time, found)
