"""Binance's lists of instruments as the sandbox plays them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.exchanges.binance.simulated_requests import (
    INVERSE,
    LINEAR,
    POOLS,
    SPOT,
    answer,
    listing_of,
    native,
    refusal,
)
from marketcli.models import MILLISECOND, Market
from marketcli.simulator import Ask, Reply, places

if TYPE_CHECKING:
    from marketcli.world import Listing

NEVER = 4_133_404_800_000  # 2100-12-25: the delivery date of a perpetual


def exchange_info(ask: Ask, market: Market) -> Reply:
    """The list of instruments."""
    listings, limit = ask.world.listings(market), POOLS[market].limit
    chosen, describe = (chosen_symbols(ask, listings), spot_symbol) if market is SPOT else (listings, contract)
    document = {
        "timezone": "UTC",
        "serverTime": ask.now // MILLISECOND,
        "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": limit}],
        "exchangeFilters": [],
        "symbols": [describe(ask, listing) for listing in chosen],
    }
    if market is LINEAR:
        assets = [{"asset": name, "marginAvailable": True} for name in sorted({item.settle for item in listings})]
        document |= {"futuresType": "U_MARGINED", "assets": assets}
    return answer(document)


def chosen_symbols(ask: Ask, listings: list[Listing]) -> list[Listing]:
    """The spot instruments that `symbol` or `symbols` name; all without them."""
    if "symbol" in ask.params and "symbols" in ask.params:
        raise refusal(-1128, "Combination of optional parameters invalid.")
    if "symbol" in ask.params:
        return [listing_of(ask, SPOT, "symbol")]
    if "symbols" not in ask.params:
        return listings
    try:
        wanted = msgspec.json.decode(ask.params["symbols"], type=list[str])
    except msgspec.DecodeError:
        raise refusal(-1100, "Illegal characters found in parameter 'symbols'.") from None
    if len(set(wanted)) < len(wanted):
        raise refusal(-1151, "Symbol is present multiple times in the list.")
    known = {native(listing): listing for listing in listings}
    if not known.keys() >= set(wanted):
        raise refusal(-1121, "Invalid symbol.")
    return [known[name] for name in wanted]


STATUS = {
    SPOT: {"trading": "TRADING", "pending": "BREAK", "halted": "BREAK", "closing": "BREAK"},
    LINEAR: {"trading": "TRADING", "pending": "PENDING_TRADING", "halted": "PRE_SETTLE", "closing": "SETTLING"},
    INVERSE: {"trading": "TRADING", "pending": "PENDING_TRADING", "halted": "PRE_SETTLE", "closing": "DELIVERING"},
}


def filters(listing: Listing) -> list[dict[str, Any]]:
    """The trading rules every market writes."""
    top = str(10 ** (15 - places(listing.tick)))
    sizes = {"minQty": listing.lot, "maxQty": "1000000", "stepSize": listing.lot}
    return [
        {"filterType": "PRICE_FILTER", "minPrice": listing.tick, "maxPrice": top, "tickSize": listing.tick},
        {"filterType": "LOT_SIZE"} | sizes,
        {"filterType": "MARKET_LOT_SIZE"} | sizes,
    ]


SPOT_PRECISIONS = tuple(
    f"{name}Precision" for name in ("baseAsset", "quote", "quoteAsset", "baseCommission", "quoteCommission")
)
SPOT_ALLOWS = tuple(f"{name}Allowed" for name in ("iceberg", "oco", "oto", "quoteOrderQtyMarket", "cancelReplace"))
SPOT_RULES: list[dict[str, Any]] = [
    {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True, "avgPriceMins": 5},
    {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
]
SPOT_ORDERS = {
    "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
    "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
    "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
}
CONTRACT_MARGINS = {"maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000", "triggerProtect": "0.0500"}
CONTRACT_ORDERS = {
    "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
    "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    "liquidationFee": "0.015000",
    "marketTakeBound": "0.05",
    "maxMoveOrderLimit": 10_000,
}


def spot_symbol(ask: Ask, listing: Listing) -> dict[str, Any]:
    """An instrument of the spot list."""
    return {
        "symbol": native(listing),
        "status": STATUS[listing.market][listing.status],
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        **dict.fromkeys(SPOT_PRECISIONS, 8),
        **dict.fromkeys(SPOT_ALLOWS, True),
        **dict.fromkeys(("isSpotTradingAllowed", "isMarginTradingAllowed"), listing.status == "trading"),
        "filters": [*filters(listing), *SPOT_RULES],
        "permissions": [],
        "permissionSets": [] if ask.params.get("showPermissionSets") == "false" else [["SPOT", "MARGIN"]],
        **SPOT_ORDERS,
    }


def contract(ask: Ask, listing: Listing) -> dict[str, Any]:
    """An instrument of the USD-M or the COIN-M list, which differ in the name of the status."""
    own: dict[str, Any] = {"status": STATUS[listing.market][listing.status], "settlePlan": 0}
    if listing.market is INVERSE:
        own = {
            "contractStatus": STATUS[listing.market][listing.status],
            "contractSize": listing.contract_size,
            "equalQtyPrecision": 4,
        }
    return {
        "symbol": native(listing),
        "pair": listing.base + listing.quote,
        "contractType": contract_type(ask, listing),
        "deliveryDate": NEVER if listing.expiry is None else listing.expiry // MILLISECOND,
        "onboardDate": listing.listed // MILLISECOND,
        **own,
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        "marginAsset": listing.settle,
        "pricePrecision": places(listing.tick),
        "quantityPrecision": places(listing.lot),
        **dict.fromkeys(("baseAssetPrecision", "quotePrecision"), 8),
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "filters": [*filters(listing), {"filterType": "MAX_NUM_ORDERS", "limit": 200}],
        **CONTRACT_MARGINS,
        **CONTRACT_ORDERS,
    }


def contract_type(ask: Ask, listing: Listing) -> str:
    """PERPETUAL, or which of the pair's quarters to come a dated contract is."""
    if listing.perpetual or listing.expiry is None:
        return "PERPETUAL"
    if listing.expiry <= ask.now:
        return "CURRENT_QUARTER DELIVERING"
    sooner = {
        other.expiry
        for other in ask.world.listings(listing.market)
        if (other.base, other.quote, other.perpetual) == (listing.base, listing.quote, False)
        and other.expiry is not None
        and ask.now < other.expiry < listing.expiry
    }
    return "NEXT_QUARTER" if sooner else "CURRENT_QUARTER"
