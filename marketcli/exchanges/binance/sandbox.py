"""Binance as the sandbox plays it: spot, USD-M and COIN-M with their limits, weights, bounds and refusals.

Written from the documentation (https://developers.binance.com/docs, read in 2026), not from `rest`: what one side gets
wrong must not be hidden by the other.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.models import DAY, MILLISECOND, SECOND, Interval, Market, Micros, Window, to_datetime
from marketcli.simulator import Ask, Refusal, Reply, Route, Simulator, decimal, newest, oldest, places
from marketcli.spec import Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketcli.world import Bar, Listing

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
PREFIX = {SPOT: "/api/v3", LINEAR: "/fapi/v1", INVERSE: "/dapi/v1"}

SPELLINGS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
FUTURES_INTERVALS = {text: Interval.parse(text) for text in SPELLINGS}
INTERVALS = {SPOT: {"1s": Interval.parse("1s"), **FUTURES_INTERVALS}, LINEAR: FUTURES_INTERVALS}
INTERVALS[INVERSE] = FUTURES_INTERVALS

LIMIT = 500  # rows if nothing is asked
LIMITS = {SPOT: 1_000, LINEAR: 1_500, INVERSE: 1_500}
SPAN = 200 * DAY  # the longest COIN-M lookup

NEVER = 4_133_404_800_000  # 2100-12-25: the delivery date of a perpetual
UTC_ZONES = ("0", "+0", "0:00", "00:00", "+00:00")

HEADER = "X-MBX-USED-WEIGHT-1M"
SPOT_POOL = Budget("spot weight", limit=6_000, seconds=60, header=HEADER)
FUTURES_POOL = Budget("futures weight", limit=2_400, seconds=60, header=HEADER)


def answer(document: Any) -> Reply:
    """An answer with data."""
    return Reply(msgspec.json.encode(document))


def error(code: int, message: str, *, status: int = 400, wait: int | None = None) -> Reply:
    """An error as Binance writes it; `wait` is when to come back, in seconds."""
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return Reply(msgspec.json.encode({"code": code, "msg": message}), status, headers)


def refusal(code: int, message: str) -> Refusal:
    """An error that ends the work on an answer."""
    return Refusal(error(code, message))


def missing(ask: Ask) -> Reply:
    """The answer to a path there is not."""
    return error(-5000, f"Path {ask.path}, Method GET is invalid", status=404)


def limited(pool: Budget, wait: int) -> Reply:
    """The answer beyond the limit."""
    used = f"Too much request weight used; current limit is {pool.limit} request weight per 1 MINUTE."
    return error(-1003, f"{used} Please use WebSocket Streams for live updates.", status=429, wait=wait)


def banned(wait: int, until: Micros) -> Reply:
    """The answer to those who did not stop."""
    ban = f"Way too much request weight used; IP banned until {until // MILLISECOND}."
    return error(-1003, f"{ban} Please use the websocket for live updates to avoid bans.", status=418, wait=wait)


def native(listing: Listing) -> str:
    """How Binance spells an instrument: BTCUSDT, BTCUSDT_270326, BTCUSD_PERP, BTCUSD_270326."""
    pair = listing.base + listing.quote
    if listing.market is SPOT or (listing.market is LINEAR and listing.perpetual):
        return pair
    return f"{pair}_PERP" if listing.perpetual else f"{pair}_{to_datetime(listing.expiry or 0):%y%m%d}"


# --- parameters


def needed(ask: Ask, name: str) -> str:
    """A mandatory parameter."""
    if not (text := ask.params.get(name, "")):
        raise refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    return text


def whole_number(ask: Ask, name: str, market: Market) -> int | None:
    """An optional parameter that is a number."""
    if (text := ask.params.get(name)) is None:
        return None
    if re.fullmatch(r"[0-9]{1,20}", text, re.ASCII):
        return int(text)
    if market is SPOT:
        raise refusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
    raise refusal(-1130, f"Data sent for parameter '{name}' is not valid.")


def listing_of(ask: Ask, market: Market, by: str) -> Listing:
    """The instrument asked for, by symbol or by pair (then its perpetual first)."""
    text = needed(ask, by)
    if market is SPOT and not re.fullmatch(r"[A-Z0-9\-_.]{1,20}", text) and text.isascii():
        raise refusal(-1100, f"Illegal characters found in parameter '{by}'; legal range is '^[A-Z0-9-_.]{{1,20}}$'.")
    for listing in sorted(ask.world.listings(market), key=lambda listing: not listing.perpetual):
        if text == (native(listing) if by == "symbol" else listing.base + listing.quote):
            return listing
    raise refusal(-1121, "Invalid symbol.")


def interval_of(ask: Ask, market: Market) -> Interval:
    """The interval asked for; seconds exist on spot only."""
    interval = INTERVALS[market].get(needed(ask, "interval"))
    if interval is None:
        raise refusal(-1120, "Invalid interval.")
    return interval


def limit_of(ask: Ask, market: Market) -> int:
    """How many rows are asked for; more than there may be is cut to it."""
    limit = whole_number(ask, "limit", market)
    if limit == 0:
        raise refusal(-1130, "Data sent for parameter 'limit' is not valid.")
    return min(LIMIT if limit is None else limit, LIMITS[market])


# --- candles: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints


def klines(ask: Ask, market: Market, *, price: str = "trade", by: str = "symbol") -> Reply:
    """A page of candles; `price` says of what, `by` names the parameter that names the instrument."""
    listing, interval = listing_of(ask, market, by), interval_of(ask, market)
    if ask.params.get("timeZone", "0") not in UTC_ZONES:  # the world has UTC candles only
        raise refusal(-1130, "Data sent for parameter 'timeZone' is not valid.")
    window, backward = bounds(ask, market)
    limit, end = limit_of(ask, market), min(window.end, ask.now + 1, listing.expiry or window.end)
    lives = Window(min(end, max(window.start, interval.floor(listing.listed))), end)
    bars = (newest if backward else oldest)(
        partial(ask.world.candles, listing, interval, price=price), interval, lives, limit
    )
    return answer([row(bar, listing, interval, price=price) for bar in bars])


def bounds(ask: Ask, market: Market) -> tuple[Window, bool]:
    """The open times asked for (both bounds belong to them), and whether the newest of them come or the oldest."""
    start, end = (whole_number(ask, name, market) for name in ("startTime", "endTime"))
    backward = start is None
    if start is not None and end is not None and start > end and market is not SPOT:
        raise refusal(-1023, "Start time is greater than end time.")
    if market is INVERSE:
        span, backward = SPAN // MILLISECOND, True
        if start is not None and end is not None and end - start > span:
            raise refusal(-1127, "Lookup interval is too big.")
        end = start + span if start is not None and end is None else end
        start = end - span if end is not None and start is None else start
    until = ask.now if end is None else end * MILLISECOND
    return Window((start or 0) * MILLISECOND, until + 1), backward


def row(bar: Bar, listing: Listing, interval: Interval, *, price: str) -> list[Any]:
    """A candle as twelve elements; COIN-M counts contracts where the others count base, and base for quote."""
    digits = 8 if listing.market is SPOT or price != "trade" else places(listing.tick)
    opened, closes = bar.time // MILLISECOND, interval.step(bar.time) // MILLISECOND - 1
    prices = [decimal(value, digits) for value in (bar.open, bar.high, bar.low, bar.close)]
    if price != "trade":
        samples = (interval.step(bar.time) - bar.time) // SECOND
        return [opened, *prices, "0", closes, "0", samples, "0", "0", "0"]
    volumes: tuple[float, float, float, float]
    if listing.market is INVERSE:
        sizes = (0, 8)
        volumes = (bar.contracts, bar.volume_base, bar.taker_buy_contracts, bar.taker_buy_base)
    else:
        sizes = (8 if listing.market is SPOT else places(listing.lot), digits)
        volumes = (bar.volume_base, bar.volume_quote, bar.taker_buy_base, bar.taker_buy_quote)
    first, second, taker_first, taker_second = map(decimal, volumes, sizes * 2)
    return [opened, *prices, first, closes, second, bar.trades, taker_first, taker_second, "0"]


# --- instruments


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


# --- the tables


def server_time(ask: Ask) -> Reply:
    """The exchange's clock."""
    return answer({"serverTime": ask.now // MILLISECOND})


def ping(_: Ask) -> Reply:
    """An empty object."""
    return answer({})


def rows_weight(ask: Ask) -> int:
    """What a page of futures candles weighs: by the rows asked for."""
    text = ask.params.get("limit", str(LIMIT))
    limit = int(text) if re.fullmatch(r"[0-9]{1,20}", text, re.ASCII) else 1
    return next((weight for below, weight in ((100, 1), (500, 2), (1_001, 5)) if limit < below), 10)


def units(count: int) -> Callable[[Ask], int]:
    """The weight of a route that weighs the same whatever is asked."""
    return lambda _: count


def routes(market: Market) -> tuple[Route, ...]:
    """The routes of a market."""
    spot, prefix = market is SPOT, PREFIX[market]
    prices = () if spot else (("mark", "symbol"), ("index", "pair"), ("premium", "symbol"))
    names = {"mark": "markPriceKlines", "index": "indexPriceKlines", "premium": "premiumIndexKlines"}
    return (
        Route(market, f"{prefix}/ping", units(1), ping),
        Route(market, f"{prefix}/time", units(1), server_time),
        Route(market, f"{prefix}/exchangeInfo", units(20 if spot else 1), partial(exchange_info, market=market)),
        Route(market, f"{prefix}/klines", units(2) if spot else rows_weight, partial(klines, market=market)),
        *(
            Route(market, f"{prefix}/{names[price]}", rows_weight, partial(klines, market=market, price=price, by=by))
            for price, by in prices
        ),
    )


POOLS: Mapping[Market, Budget] = {SPOT: SPOT_POOL, LINEAR: FUTURES_POOL, INVERSE: FUTURES_POOL}
SPOT_HOSTS = (
    "data-api.binance.vision",
    "api.binance.com",
    "api-gcp.binance.com",
    *(f"api{n}.binance.com" for n in range(1, 5)),
    "testnet.binance.vision",
    "demo-api.binance.com",
)
HOSTS: Mapping[str, frozenset[Market]] = {
    **dict.fromkeys(SPOT_HOSTS, frozenset({SPOT})),
    **dict.fromkeys(("fapi.binance.com", "demo-fapi.binance.com"), frozenset({LINEAR})),
    **dict.fromkeys(("dapi.binance.com", "demo-dapi.binance.com"), frozenset({INVERSE})),
    "testnet.binancefuture.com": frozenset({LINEAR, INVERSE}),
}

SIMULATOR = Simulator(
    name="binance",
    hosts=HOSTS,
    routes=tuple(route for market in Market for route in routes(market)),
    pools=POOLS,
    native=native,
    missing=missing,
    limited=limited,
    banned=banned,
    bounds=("startTime", "endTime"),
)
