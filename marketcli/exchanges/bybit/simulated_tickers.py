"""Bybit's tickers as the sandbox plays them: 24 hours, prices, funding and open interest in one answer.

Documentation: https://bybit-exchange.github.io/docs/v5/market/tickers
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.exchanges.bybit.simulated_market import level
from marketcli.exchanges.bybit.simulated_requests import (
    EVERY,
    INVERSE,
    LINEAR,
    SPOT,
    answer,
    category_of,
    in_dollars,
    native,
    refusal,
)
from marketcli.models import HOUR, MILLISECOND, MINUTE, Interval, Window
from marketcli.simulator import Ask, Reply, decimal, places

if TYPE_CHECKING:
    from marketcli.world import Listing, World

MINUTES = Interval(1, "m")


def tickers(ask: Ask) -> Reply:
    """The tickers of one instrument or of all that trade; spot has an empty list for what it does not know."""
    market = category_of(ask, EVERY)
    symbol = ask.params.get("symbol")
    trading = [item for item in ask.world.listings(market) if item.status == "trading"]
    found = [item for item in trading if symbol in {None, native(item)}]
    if symbol and not found and market is not SPOT:
        raise refusal(ask, "params error: symbol invalid")
    write = spot if market is SPOT else contract
    return answer(ask, {"category": market.value, "list": [write(ask, item) for item in found]})


def spot(ask: Ask, listing: Listing) -> dict[str, Any]:
    """The ticker of a spot instrument; the dollar index may be blank."""
    row = day(ask, listing)
    return row | {"usdIndexPrice": row["lastPrice"] if listing.quote == "USDT" else ""}


def day(ask: Ask, listing: Listing) -> dict[str, Any]:
    """What all markets have; inverse counts dollars where the others count base, and base where they count quote."""
    found, digits, sizes = ask.world.ticker(listing), places(listing.tick), places(listing.lot)
    inverse = listing.market is INVERSE
    volumes = (found.volume_base, found.volume_quote)
    if inverse:
        volumes = (in_dollars(found.contracts, listing), found.volume_base)
    return {
        "symbol": native(listing),
        "lastPrice": decimal(found.last, digits),
        "prevPrice24h": decimal(found.open, digits),
        "price24hPcnt": decimal(round(found.last / found.open - 1, 6), 6),
        "highPrice24h": decimal(found.high, digits),
        "lowPrice24h": decimal(found.low, digits),
        "turnover24h": decimal(volumes[1], 8 if inverse else 4),
        "volume24h": decimal(volumes[0], 0 if inverse else sizes),
        **best(listing, ask.world),
    }


def best(listing: Listing, world: World) -> dict[str, str]:
    """The best of both sides; blank where nobody offers."""
    book = world.book(listing, 1)
    bid, ask = (level(side[0], listing) if side else ["", ""] for side in (book.bids, book.asks))
    return {"bid1Price": bid[0], "bid1Size": bid[1], "ask1Price": ask[0], "ask1Size": ask[1]}


def contract(ask: Ask, listing: Listing) -> dict[str, Any]:
    """The ticker of a contract; what is not settled or not known is blank."""
    now, terms = ask.world.derivative(listing), ask.world.terms(listing)
    settles, dated = now.next_time > 0, not listing.perpetual
    return {
        **day(ask, listing),
        **interest(ask, listing),
        "prevPrice1h": decimal(hour_ago(ask, listing), places(listing.tick)),
        "markPrice": decimal(now.mark, 2),
        "indexPrice": decimal(now.index, 2),
        "fundingRate": decimal(now.rate, 6) if settles else "",
        "nextFundingTime": str(now.next_time // MILLISECOND),
        "fundingIntervalHour": str(terms.interval_h) if settles else "",
        "fundingCap": decimal(terms.cap, 3) if settles else "",
        "predictedDeliveryPrice": "",
        "basisRate": decimal(round(now.mark / now.index - 1, 8), 8) if dated else "",
        "basis": decimal(round(now.mark - now.index, 2), 2) if dated else "",
        "deliveryFeeRate": "0.0005" if dated else "",
        "deliveryTime": str((listing.expiry or 0) // MILLISECOND),
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
    }


def interest(ask: Ask, listing: Listing) -> dict[str, str]:
    """Open interest of both sides and of one, with their values; inverse counts dollars, worth so much base."""
    found = ask.world.interest(listing, [ask.now])
    if not found:
        return dict.fromkeys(("openInterest", "openInterestValue", "singleOpenInterest", "singleOpenInterestValue"), "")
    linear, digits = listing.market is LINEAR, places(listing.lot)
    single = found[0].base if linear else in_dollars(found[0].contracts, listing)
    value = found[0].quote if linear else found[0].base
    return {
        "openInterest": decimal(2 * single, digits),
        "openInterestValue": decimal(2 * value, 2),
        "singleOpenInterest": decimal(single, digits),
        "singleOpenInterestValue": decimal(value, 2),
    }


def hour_ago(ask: Ask, listing: Listing) -> float:
    """The price an hour ago, as the minute that held it opened; that of the listing's first minute if it is younger."""
    then = MINUTES.floor(max(ask.now - HOUR, listing.listed))
    bars = ask.world.candles(listing, MINUTES, Window(then, then + MINUTE))
    return bars[0].open if bars else ask.world.last(listing)
