"""What requests to Binance say, and how it writes answers and refusals, as the sandbox plays it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.models import MILLISECOND, Market, Micros, to_datetime
from marketcli.simulator import Ask, Refusal, Reply
from marketcli.spec import Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketcli.world import Listing

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE

HEADER = "X-MBX-USED-WEIGHT-1M"
SPOT_POOL = Budget("spot weight", limit=6_000, seconds=60, header=HEADER)
FUTURES_POOL = Budget("futures weight", limit=2_400, seconds=60, header=HEADER)
POOLS: Mapping[Market, Budget] = {SPOT: SPOT_POOL, LINEAR: FUTURES_POOL, INVERSE: FUTURES_POOL}
STATISTICS = Budget("futures data requests", limit=1_000, seconds=300)  # /futures/data/* of both hosts
FUNDING = Budget("funding requests", limit=500, seconds=300)  # fundingRate and fundingInfo of both hosts


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
    what = "request weight" if pool.header else "requests"
    per = f"{pool.limit} {what} per {pool.seconds / 60:g} MINUTE"
    used = f"Too much request weight used; current limit is {per}."
    if not pool.header:
        used = f"Too many requests; current limit is {per}."
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


def limit_of(ask: Ask, market: Market, *, default: int, most: int) -> int:
    """How many rows are asked for; more than there may be is cut to it."""
    limit = whole_number(ask, "limit", market)
    if limit == 0:
        raise refusal(-1130, "Data sent for parameter 'limit' is not valid.")
    return min(default if limit is None else limit, most)


def times_of(ask: Ask, market: Market) -> tuple[int | None, int | None]:
    """First and last moment asked for, in milliseconds; both belong to what is asked."""
    start, end = (whole_number(ask, name, market) for name in ("startTime", "endTime"))
    if start is not None and end is not None and start > end and market is not SPOT:
        raise refusal(-1023, "Start time is greater than end time.")
    return start, end


def units(count: int) -> Callable[[Ask], int]:
    """The weight of a route that weighs the same whatever is asked."""
    return lambda _: count


def by_symbol(one: int, every: int) -> Callable[[Ask], int]:
    """The weight of a route that weighs more without a symbol."""
    return lambda ask: one if ask.params.get("symbol") else every


def begun(ask: Ask, market: Market) -> list[Listing]:
    """What has been traded at least once; what is only announced has no prices."""
    return [listing for listing in ask.world.listings(market) if listing.listed <= ask.now]


def begun_listing(ask: Ask, market: Market) -> Listing:
    """The instrument asked for, if it has prices."""
    listing = listing_of(ask, market, "symbol")
    if listing.listed > ask.now:
        raise refusal(-1121, "Invalid symbol.")
    return listing


def of_pair(ask: Ask) -> list[Listing]:
    """The COIN-M instruments that `symbol` or `pair` names; all without them."""
    if ask.params.get("symbol"):
        return [begun_listing(ask, INVERSE)]
    listings, pair = begun(ask, INVERSE), ask.params.get("pair")
    found = [listing for listing in listings if not pair or listing.base + listing.quote == pair]
    if not found:
        raise refusal(-1121, "Invalid symbol.")
    return found
