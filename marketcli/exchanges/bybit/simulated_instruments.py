"""Bybit's lists of instruments as the sandbox plays them.

Documentation: https://bybit-exchange.github.io/docs/v5/market/instrument
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.exchanges.bybit.simulated_requests import (
    CONTRACTS,
    INVERSE,
    SPOT,
    answer,
    category_of,
    cursor,
    cursor_of,
    limit_of,
    native,
    refusal,
)
from marketcli.models import HOUR, MILLISECOND
from marketcli.simulator import Ask, Reply, decimal, places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketcli.world import Listing

LIMIT, MOST = 500, 1_000
KEY = "first"
OPTIONS = "option"  # a category of its own, of which the world has none
TRADING, PENDING, DELIVERING, CLOSED = "Trading", "PreLaunch", "Delivering", "Closed"
STATES = (TRADING, PENDING, "Settling", DELIVERING, CLOSED)
SETTLING = HOUR  # how long a contract is being settled after its end (the sandbox's own figure)


def instruments(ask: Ask) -> Reply:
    """A list of instruments; of contracts in pages."""
    if ask.params.get("category") == OPTIONS:
        return answer(ask, {"category": OPTIONS, "nextPageCursor": "", "list": []})
    market = category_of(ask, (SPOT, *CONTRACTS))
    found = named(ask, [item for item in ask.world.listings(market) if state(ask, item) in states(ask)])
    if market is SPOT:
        return answer(ask, {"category": market.value, "list": [pair(item) for item in found]})
    limit = limit_of(ask, default=LIMIT, most=MOST)
    names = [native(item) for item in found]
    first = cursor_of(ask, KEY)
    if first and first not in names:
        raise refusal(ask, "params error: cursor invalid")
    start = names.index(first) if first else 0
    following = names[start + limit : start + limit + 1]
    page = [contract(ask, item) for item in found[start : start + limit]]
    more = cursor(KEY, following[0]) if following else ""
    return answer(ask, {"category": market.value, "nextPageCursor": more, "list": page})


def named(ask: Ask, listings: list[Listing]) -> list[Listing]:
    """Those that `symbol` and `baseCoin` name, in order; only spot does not refuse an unknown one."""
    symbol, coin = ask.params.get("symbol"), ask.params.get("baseCoin")
    found = [item for item in listings if symbol in {None, native(item)} and coin in {None, item.base}]
    if symbol and not found and ask.params.get("category") != SPOT.value:
        raise refusal(ask, "params error: symbol invalid")
    return sorted(found, key=native)


def states(ask: Ask) -> tuple[str, ...]:
    """The states asked for: what trades, unless another is named."""
    wanted = ask.params.get("status") or TRADING
    if wanted not in STATES:
        raise refusal(ask, "params error: status invalid")
    return (wanted,)


def state(ask: Ask, listing: Listing) -> str:
    """Where an instrument is in its life, in Bybit's words; ended pairs of spot are in no list."""
    if listing.listed > ask.now:
        return PENDING if listing.market is not SPOT else ""
    if listing.expiry is None or listing.expiry > ask.now:
        return TRADING
    if listing.market is SPOT:
        return "" if listing.status == "halted" else TRADING  # candles of a file end, and should be found all the same
    return DELIVERING if ask.now < listing.expiry + SETTLING else CLOSED


def pair(listing: Listing) -> dict[str, Any]:
    """An instrument of the spot list."""
    return {
        "symbol": native(listing),
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "innovation": "0",
        "symbolType": "",
        "status": TRADING,
        "marginTrading": "utaOnly",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": listing.lot,
            "quotePrecision": "0.00000001",
            "minOrderQty": listing.lot,
            "maxOrderQty": "1000000",
            "minOrderAmt": "5",
            "maxOrderAmt": "8000000",
        },
        "priceFilter": {"tickSize": listing.tick},
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
    }


def contract(ask: Ask, listing: Listing) -> dict[str, Any]:
    """An instrument of the linear or the inverse list; a perpetual's delivery is its end, if one is known."""
    kind = f"{'Inverse' if listing.market is INVERSE else 'Linear'}{'Perpetual' if listing.perpetual else 'Futures'}"
    return {
        "symbol": native(listing),
        "contractType": kind,
        "status": state(ask, listing),
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "settleCoin": listing.settle,
        "symbolType": "",
        "launchTime": str(listing.listed // MILLISECOND),
        "deliveryTime": str((listing.expiry or 0) // MILLISECOND),
        "deliveryFeeRate": "" if listing.perpetual else "0.0005",
        "priceScale": str(places(listing.tick)),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": listing.tick, "maxPrice": "1999999.80", "tickSize": listing.tick},
        "lotSizeFilter": lot_rules(listing),
        "unifiedMarginTrade": True,
        "copyTrading": "none",
        "displayName": "",
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
        "isPreListing": state(ask, listing) == PENDING,
        "preListingInfo": None,
        **funding_terms(ask, listing),
    }


def lot_rules(listing: Listing) -> Mapping[str, str]:
    """What sizes are allowed; contracts of one dollar on inverse."""
    return {
        "minNotionalValue": "5",
        "maxOrderQty": "1000000",
        "maxMktOrderQty": "100000",
        "minOrderQty": listing.lot,
        "qtyStep": listing.lot,
        "postOnlyMaxOrderQty": "1000000",
    }


def funding_terms(ask: Ask, listing: Listing) -> dict[str, Any]:
    """Minutes between settlements and the bounds of a rate; dated contracts have neither."""
    if not listing.perpetual:
        return {"fundingInterval": 0, "upperFundingRate": "", "lowerFundingRate": ""}
    terms = ask.world.terms(listing)
    return {
        "fundingInterval": 60 * terms.interval_h,
        "upperFundingRate": decimal(terms.cap, 5),
        "lowerFundingRate": decimal(terms.floor, 5),
    }
