"""How Hyperliquid's markets stand, their books and trades, as the sandbox plays them.

Documentation: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint, its pages about
perpetuals and spot, and https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.exchanges.hyperliquid.simulated_history import running
from marketcli.exchanges.hyperliquid.simulated_instruments import check_dex, pairs, perpetuals
from marketcli.exchanges.hyperliquid.simulated_requests import (
    LINEAR,
    SPOT,
    CoinAsk,
    answer,
    asked,
    find,
    listed,
    native,
    over,
    text,
    unknown,
)
from marketcli.models import MILLISECOND

if TYPE_CHECKING:
    from marketcli.simulator import Ask, Reply
    from marketcli.world import Level, Listing, Ticker, Trade, World

LEVELS = 20  # of each side of a book
RECENT = 10  # trades in an answer; how many there really are is not documented
HASHES, ODD = 2**50, 0x2_545F_4914_F6CD  # trade ids have 50 bits; times an odd number they stay apart
SUPPLY = 1_000_000.0


# --- state


def perpetual_state(ask: Ask) -> Reply:
    """Every perpetual and how it stands: two lists that belong together by position."""
    check_dex(ask)
    return answer([perpetuals(ask), [context(ask.world, one) for one in listed(ask.world, LINEAR)]])


def context(world: World, listing: Listing) -> dict[str, Any]:
    """How a perpetual stands; of what is delisted prices remain."""
    now, day, paid = world.derivative(listing), world.ticker(listing), running(world, listing)
    alive = not over(world, listing)
    interest = world.interest(listing, [world.now()])
    return {
        "funding": text(paid.rate if paid and alive else 0.0),
        "openInterest": text(interest[0].base if interest else 0.0),
        "prevDayPx": text(day.open),
        "dayNtlVlm": text(day.volume_quote if alive else 0.0),
        "premium": text(paid.premium) if paid and alive else None,
        "oraclePx": text(now.index),
        "markPx": text(now.mark),
        "midPx": middle(day),
        "impactPxs": [text(day.bid), text(day.ask)] if day.bid and day.ask else None,
        "dayBaseVlm": text(day.volume_base if alive else 0.0),
    }


def middle(day: Ticker) -> str | None:
    """Between the best bid and the best ask; nothing where a side is empty."""
    return text(round((day.bid + day.ask) / 2, 10)) if day.bid and day.ask else None


def spot_state(ask: Ask) -> Reply:
    """Every pair, and how it stands in another order: the two lists belong together by name."""
    return answer([pairs(ask), [spot_context(ask.world, one) for one in reversed(listed(ask.world, SPOT))]])


def spot_context(world: World, listing: Listing) -> dict[str, Any]:
    """How a pair stands; what the mark price of spot is made of is not documented, here it is the last price."""
    day = world.ticker(listing)
    return {
        "prevDayPx": text(day.open),
        "dayNtlVlm": text(day.volume_quote),
        "markPx": text(day.last),
        "midPx": middle(day),
        "circulatingSupply": text(SUPPLY),
        "coin": native(listing),
        "totalSupply": text(SUPPLY),
        "dayBaseVlm": text(day.volume_base),
    }


def middles(ask: Ask) -> Reply:
    """The middle of every book by its name, spot among the perpetuals."""
    check_dex(ask)
    every = [*listed(ask.world, LINEAR), *listed(ask.world, SPOT)]
    found = {native(one): middle(ask.world.ticker(one)) for one in every}
    return answer({name: price for name, price in found.items() if price is not None})


# --- books and trades


def book(ask: Ask) -> Reply:
    """The best prices of both sides; null for what does not exist, and of what is delisted nothing."""
    listing = find(ask.world, asked(ask, CoinAsk).coin, LINEAR, SPOT)
    if listing is None:
        return answer(None)
    found = ask.world.book(listing, LEVELS)
    levels = [[level(one) for one in side] for side in (found.bids, found.asks)]
    return answer({"coin": native(listing), "time": found.time // MILLISECOND, "levels": levels})


def level(found: Level) -> dict[str, Any]:
    """One price of the book."""
    return {"px": text(found.price), "sz": text(found.size), "n": found.orders}


def trades(ask: Ask) -> Reply:
    """The newest trades, the newest first."""
    listing = find(ask.world, asked(ask, CoinAsk).coin, LINEAR, SPOT)
    if listing is None:
        raise unknown()
    return answer([trade(one, listing) for one in reversed(ask.world.recent_trades(listing, RECENT))])


def trade(found: Trade, listing: Listing) -> dict[str, Any]:
    """A trade; its id is a hash that says nothing of its place."""
    tid = found.id * ODD % HASHES
    return {
        "coin": native(listing),
        "side": "B" if found.taker == "buy" else "A",
        "px": text(found.price),
        "sz": text(found.size),
        "time": found.time // MILLISECOND,
        "hash": f"0x{tid:064x}",
        "tid": tid,
        "users": [f"0x{tid:040x}", f"0x{tid ^ 1:040x}"],
    }
