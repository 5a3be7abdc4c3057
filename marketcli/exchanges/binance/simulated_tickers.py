"""Binance's tickers as the sandbox plays them.

Documentation: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints and
24hr-Ticker-Price-Change-Statistics and Symbol-Order-Book-Ticker of
https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api and coin-margined-futures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.exchanges.binance.simulated_instruments import chosen_symbols
from marketcli.exchanges.binance.simulated_requests import (
    INVERSE,
    SPOT,
    answer,
    begun,
    begun_listing,
    native,
    of_pair,
)
from marketcli.models import MILLISECOND, Market
from marketcli.simulator import Ask, Reply, decimal, places
from marketcli.world import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.world import Listing, Ticker


def day_tickers(ask: Ask, market: Market) -> Reply:
    """What happened in the last 24 hours: to one instrument as an object, to several or all as a list."""
    return told(ask, market, day)


def book_tickers(ask: Ask, market: Market) -> Reply:
    """The best of the books, in the same forms."""
    return told(ask, market, best)


def told(ask: Ask, market: Market, of: Callable[[Ask, Listing], dict[str, Any]]) -> Reply:
    """Something about the instruments asked for; COIN-M always answers with a list."""
    if market is INVERSE:
        return answer([of(ask, listing) for listing in of_pair(ask)])
    if ask.params.get("symbol"):
        return answer(of(ask, begun_listing(ask, market)))
    listings = begun(ask, market)
    return answer([of(ask, listing) for listing in (chosen_symbols(ask, listings) if market is SPOT else listings)])


def day(ask: Ask, listing: Listing) -> dict[str, Any]:
    """The last 24 hours of an instrument: volumes in base and quote, on COIN-M in contracts and base."""
    found, digits = ask.world.ticker(listing), price_digits(listing)
    change, mean = found.last - found.open, found.volume_quote / found.volume_base if found.volume_base else 0.0
    row = {
        "symbol": native(listing),
        "priceChange": rounded(change, digits),
        "priceChangePercent": rounded(100 * change / found.open, 3),
        "weightedAvgPrice": rounded(mean, digits),
        "lastPrice": decimal(found.last, digits),
        "openPrice": decimal(found.open, digits),
        "highPrice": decimal(found.high, digits),
        "lowPrice": decimal(found.low, digits),
        "openTime": found.open_time // MILLISECOND,
        "closeTime": found.time // MILLISECOND,
        "firstId": found.first_id if found.trades else -1,
        "lastId": found.last_id if found.trades else -1,
        "count": found.trades,
    }
    return row | volumes(listing, found) | (of_spot(listing, found) if listing.market is SPOT else {})


def volumes(listing: Listing, found: Ticker) -> dict[str, Any]:
    """What was traded, and how much at last."""
    if listing.market is not INVERSE:
        digits = size_digits(listing)
        return {
            "lastQty": decimal(found.last_size, digits),
            "volume": decimal(found.volume_base, digits),
            "quoteVolume": decimal(found.volume_quote, price_digits(listing)),
        }
    return {
        "pair": listing.base + listing.quote,
        "lastQty": str(round(found.last_size * found.last / listing.contract_size)),
        "volume": str(found.contracts),
        "baseVolume": rounded(found.volume_base, 8),
    }


def of_spot(listing: Listing, found: Ticker) -> dict[str, Any]:
    """What only spot tickers have: the close of the day before and the best of the book."""
    digits = price_digits(listing)
    return {
        "prevClosePrice": decimal(found.open, digits),
        "bidPrice": decimal(found.bid, digits),
        "bidQty": decimal(found.bid_size, 8),
        "askPrice": decimal(found.ask, digits),
        "askQty": decimal(found.ask_size, 8),
    }


NOBODY = Level(0.0, 0.0, 0, 0)


def best(ask: Ask, listing: Listing) -> dict[str, Any]:
    """The best of a book, zeros where nobody offers; spot says no time."""
    book, digits = ask.world.book(listing, 1), price_digits(listing)
    bid, offer = (side[0] if side else NOBODY for side in (book.bids, book.asks))
    row = {
        "symbol": native(listing),
        "bidPrice": decimal(bid.price, digits),
        "bidQty": quantity(listing, bid),
        "askPrice": decimal(offer.price, digits),
        "askQty": quantity(listing, offer),
    }
    if listing.market is SPOT:
        return row
    own = {"pair": listing.base + listing.quote, "lastUpdateId": book.update_id} if listing.market is INVERSE else {}
    return row | own | {"time": book.time // MILLISECOND}


def price_digits(listing: Listing) -> int:
    """How many decimals prices have."""
    return 8 if listing.market is SPOT else places(listing.tick)


def size_digits(listing: Listing) -> int:
    """How many decimals sizes in base have."""
    return 8 if listing.market is SPOT else places(listing.lot)


def quantity(listing: Listing, level: Level) -> str:
    """What rests at a price: base, on COIN-M contracts."""
    return str(level.contracts) if listing.market is INVERSE else decimal(level.size, size_digits(listing))


def rounded(value: float, digits: int) -> str:
    """A number that was calculated, with so many decimals."""
    return decimal(round(value, digits), digits)


STEPS = ((20, 2), (100, 40))  # so many spot instruments, so much weight; more of them weigh as much as all
EVERY = 80


def spot_day_weight(ask: Ask) -> int:
    """What tickers of spot weigh: by the number of instruments that are named."""
    if ask.params.get("symbol"):
        return STEPS[0][1]
    named = ask.params.get("symbols", "").count('"') // 2
    return next((weight for count, weight in STEPS if 0 < named <= count), EVERY)
