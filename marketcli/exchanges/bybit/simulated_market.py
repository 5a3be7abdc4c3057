"""Bybit's order books and trades as the sandbox plays them.

Documentation: https://bybit-exchange.github.io/docs/v5/market/orderbook and recent-trade
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.exchanges.bybit.simulated_requests import (
    EVERY,
    INVERSE,
    SPOT,
    answer,
    category_of,
    in_dollars,
    limit_of,
    listing_of,
    native,
)
from marketcli.models import MILLISECOND
from marketcli.simulator import Ask, Reply, decimal, places

if TYPE_CHECKING:
    from marketcli.world import Level, Listing, Trade

MOST_LEVELS = 1_000
SPOT_TRADES, TRADES, MOST_TRADES = 60, 500, 1_000
SIDES = {"buy": "Buy", "sell": "Sell"}


def order_book(ask: Ask) -> Reply:
    """The best levels of both sides: bids from the highest down, asks from the lowest up."""
    market = category_of(ask, EVERY)
    listing = listing_of(ask, market)
    limit = limit_of(ask, default=1 if market is SPOT else 25, most=MOST_LEVELS)
    found = ask.world.book(listing, limit)
    return answer(
        ask,
        {
            "s": native(listing),
            "b": [level(one, listing) for one in found.bids],
            "a": [level(one, listing) for one in found.asks],
            "ts": ask.now // MILLISECOND,
            "u": found.update_id,
            "seq": 2 * found.update_id,
            "cts": found.time // MILLISECOND,
        },
    )


def level(one: Level, listing: Listing) -> list[str]:
    """A price and what rests there."""
    return [decimal(one.price, places(listing.tick)), size(one.size, one.contracts, listing)]


def size(base: float, contracts: int, listing: Listing) -> str:
    """A size as Bybit counts it: base, on inverse dollars."""
    if listing.market is INVERSE:
        return str(in_dollars(contracts, listing))
    return decimal(base, places(listing.lot))


def recent_trades(ask: Ask) -> Reply:
    """The newest trades, newest first."""
    market = category_of(ask, EVERY)
    listing = listing_of(ask, market)
    spot = market is SPOT
    limit = limit_of(ask, default=SPOT_TRADES if spot else TRADES, most=SPOT_TRADES if spot else MOST_TRADES)
    found = reversed(ask.world.recent_trades(listing, limit))
    return answer(ask, {"category": market.value, "list": [trade(one, listing) for one in found]})


def trade(one: Trade, listing: Listing) -> dict[str, Any]:
    """A trade; ids are numbers on spot and hexadecimal on contracts."""
    return {
        "execId": f"22{one.id:017}" if listing.market is SPOT else hexadecimal(one.id),
        "symbol": native(listing),
        "price": decimal(one.price, places(listing.tick)),
        "size": size(one.size, one.contracts, listing),
        "side": SIDES[one.taker],
        "time": str(one.time // MILLISECOND),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(one.id),
    }


def hexadecimal(number: int) -> str:
    """An id as contracts have it: 32 digits in five groups."""
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
