"""Binance's order books and trades as the sandbox plays them.

Documentation: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints and Order-Book,
Recent-Trades-List and Compressed-Aggregate-Trades-List of
https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api and coin-margined-futures.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from marketcli.exchanges.binance.simulated_requests import (
    INVERSE,
    LINEAR,
    SPOT,
    answer,
    begun_listing,
    limit_of,
    native,
    refusal,
    times_of,
    whole_number,
)
from marketcli.exchanges.binance.simulated_tickers import price_digits, quantity, rounded, size_digits
from marketcli.models import DAY, HOUR, MILLISECOND, Market, Window
from marketcli.simulator import Ask, Reply, decimal

if TYPE_CHECKING:
    from marketcli.world import Level, Listing, Trade

DEPTHS = (5, 10, 20, 50, 100, 500, 1_000)  # what futures permit
DEPTH, DEEPEST = {SPOT: 100, LINEAR: 500, INVERSE: 500}, 5_000  # levels unless said; at most on spot
LIMIT, MOST = 500, 1_000  # trades
KEPT = {LINEAR: 2 * DAY, INVERSE: DAY}  # how far back merged trades of futures reach


def depth(ask: Ask, market: Market) -> Reply:
    """The order book; spot cuts a depth that is too large, futures refuse all but some."""
    listing, limit = begun_listing(ask, market), whole_number(ask, "limit", market)
    wanted = DEPTH[market] if limit is None else limit
    if market is SPOT and wanted == 0:
        raise refusal(-1130, "Data sent for parameter 'limit' is not valid.")
    if market is not SPOT and wanted not in DEPTHS:
        raise refusal(-4021, f"{wanted} is not valid depth limit.")
    book = ask.world.book(listing, min(wanted, DEEPEST))
    own: dict[str, Any] = {} if market is SPOT else {"E": ask.now // MILLISECOND, "T": book.time // MILLISECOND}
    if market is INVERSE:
        own |= {"symbol": native(listing), "pair": listing.base + listing.quote}
    sides = {"bids": rungs(listing, book.bids), "asks": rungs(listing, book.asks)}
    return answer({"lastUpdateId": book.update_id} | own | sides)


def rungs(listing: Listing, levels: list[Level]) -> list[list[str]]:
    """One side of a book, from the best price on."""
    return [[decimal(level.price, price_digits(listing)), quantity(listing, level)] for level in levels]


SPOT_DEPTHS = ((100, 5), (500, 25), (1_000, 50), (DEEPEST, 250))
FUTURES_DEPTHS = ((50, 2), (100, 5), (500, 10), (1_000, 20))


def depth_weight(ask: Ask, market: Market) -> int:
    """What a book weighs: by the levels asked for."""
    text, steps = ask.params.get("limit", ""), SPOT_DEPTHS if market is SPOT else FUTURES_DEPTHS
    wanted = int(text) if re.fullmatch(r"[0-9]{1,20}", text, re.ASCII) else DEPTH[market]
    return next((weight for levels, weight in steps if wanted <= levels), steps[-1][1])


def recent_trades(ask: Ask, market: Market) -> Reply:
    """The newest trades, oldest first."""
    listing, limit = begun_listing(ask, market), limit_of(ask, market, default=LIMIT, most=MOST)
    return answer([trade(listing, row) for row in ask.world.recent_trades(listing, limit)])


def trade(listing: Listing, row: Trade) -> dict[str, Any]:
    """A single trade as one market or the other writes it."""
    own: dict[str, Any] = {"qty": sized(listing, row)}
    if listing.market is INVERSE:
        own |= {"baseQty": rounded(row.size, 8)}
    else:
        own |= {"quoteQty": rounded(row.value, 8 if listing.market is SPOT else 2)}
    known = {"id": row.id, "price": decimal(row.price, price_digits(listing)), **own, "time": row.time // MILLISECOND}
    last = {SPOT: {"isBestMatch": True}, LINEAR: {"isRPITrade": False}, INVERSE: {}}[listing.market]
    return known | {"isBuyerMaker": row.taker == "sell"} | last


def sized(listing: Listing, row: Trade) -> str:
    """The size of a trade: base, on COIN-M contracts."""
    return str(row.contracts) if listing.market is INVERSE else decimal(row.size, size_digits(listing))


def merged_trades(ask: Ask, market: Market) -> Reply:
    """Merged trades, oldest first. Takers of this world trade once, so every trade is a row by itself."""
    listing, limit = begun_listing(ask, market), limit_of(ask, market, default=LIMIT, most=MOST)
    return answer([merged(listing, row) for row in chosen(ask, listing, limit)])


def chosen(ask: Ask, listing: Listing, limit: int) -> list[Trade]:
    """The trades from an id on, else the oldest from a start on, else the newest up to an end.

    What futures keep no longer is not there; an id of those days begins with the oldest that is. A window of futures
    should be under an hour; a whole one is let through, for ccxt asks for that.
    """
    market, world = listing.market, ask.world
    first, (start, end) = whole_number(ask, "fromId", market), times_of(ask, market)
    if first is not None and (start is not None or end is not None):
        raise refusal(-1128, "Combination of optional parameters invalid.")
    if market is not SPOT and start is not None and end is not None and (end - start) * MILLISECOND > HOUR:
        raise refusal(-1127, "More than 1 hours between startTime and endTime.")
    kept, until = ask.now - KEPT.get(market, ask.now), ask.now if end is None else min(end * MILLISECOND, ask.now)
    if start is not None:
        return world.trades(listing, Window(max(start * MILLISECOND, kept), until + 1), limit=limit)
    oldest, beyond = world.next_id(listing, kept), world.next_id(listing, until + 1)
    if first is not None:
        return world.trades_from(listing, max(first, oldest), limit)
    return world.trades_from(listing, max(oldest, beyond - limit), min(limit, max(0, beyond - oldest)))


def merged(listing: Listing, row: Trade) -> dict[str, Any]:
    """A merged trade as one market or the other writes it; `nq` is without retail price improvement."""
    known = {"a": row.id, "p": decimal(row.price, price_digits(listing)), "q": sized(listing, row)}
    own = {"nq": known["q"]} if listing.market is LINEAR else {}
    last = {"M": True} if listing.market is SPOT else {}
    return known | own | {"f": row.id, "l": row.id, "T": row.time // MILLISECOND, "m": row.taker == "sell"} | last
