"""What requests to Bybit say, and how it writes answers and refusals, as the sandbox plays it.

Documentation: https://bybit-exchange.github.io/docs/v5/guide, /error and /rate-limit, read in 2026.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.models import MILLISECOND, Market, Micros, to_datetime
from marketcli.simulator import Ask, Refusal, Reply
from marketcli.spec import Budget

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marketcli.world import Listing

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
EVERY, CONTRACTS = (SPOT, LINEAR, INVERSE), (LINEAR, INVERSE)

POOL = Budget("requests", limit=600, seconds=5)  # over all paths, markets and hosts

MONTHS = "FGHJKMNQUVXZ"  # January to December, as futures are named


def enveloped(code: int, message: str, result: Any, **more: Any) -> bytes:
    """What every answer comes in."""
    return msgspec.json.encode({"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, **more})


def answer(ask: Ask, result: Any) -> Reply:
    """An answer with data."""
    return Reply(enveloped(0, "OK", result, time=ask.now // MILLISECOND))


def refusal(ask: Ask, message: str, *, code: int = 10001) -> Refusal:
    """An error that ends the work on an answer; its status is 200."""
    return Refusal(Reply(enveloped(code, message, {}, time=ask.now // MILLISECOND)))


def missing(ask: Ask) -> Reply:
    """The answer to a path there is not."""
    return Reply(enveloped(10017, "Route not found.", {}, time=ask.now // MILLISECOND), 404)


def limited(pool: Budget, wait: int) -> Reply:
    """The answer beyond the limit, with the status of the protection limit."""
    del pool, wait  # Bybit does not say when to come back
    return Reply(enveloped(10006, "Too many visits. Exceeded the API Rate Limit.", {}), 429)


def banned(wait: int, until: Micros) -> Reply:
    """The answer to those who did not stop; the ban ends by itself after ten minutes or more."""
    del wait, until
    return Reply(b"403, access too frequent. Please try again later.", 403, {"Content-Type": "text/plain"})


def native(listing: Listing) -> str:
    """How Bybit spells an instrument: BTCUSDT, BTCPERP, BTCUSDT-26MAR27, BTC-26MAR27, BTCUSD, BTCUSDH27."""
    pair = listing.base + listing.quote
    if listing.market is SPOT:
        return pair
    usdc = listing.quote == "USDC"
    if listing.perpetual:
        return f"{listing.base}PERP" if usdc else pair
    day = to_datetime(listing.expiry or 0)
    if listing.market is INVERSE:
        return f"{pair}{MONTHS[day.month - 1]}{day:%y}"
    return f"{listing.base if usdc else pair}-{day.day}{day:%b%y}".upper()


def category_of(ask: Ask, among: Iterable[Market], *, default: Market | None = None) -> Market:
    """The market asked for."""
    text = ask.params.get("category") or (default.value if default else "")
    for market in among:
        if text == market.value:
            return market
    raise refusal(ask, "params error: Category is invalid")


def listing_of(ask: Ask, market: Market) -> Listing:
    """The instrument asked for, which must have begun to trade once."""
    text = ask.params.get("symbol", "")
    for listing in ask.world.listings(market):
        if text == native(listing) and listing.listed <= ask.now:
            return listing
    raise refusal(ask, "params error: symbol invalid")


def whole_number(ask: Ask, name: str) -> int | None:
    """An optional parameter that is a number."""
    text = ask.params.get(name)
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        raise refusal(ask, f"params error: {name} invalid")
    return int(text)


def limit_of(ask: Ask, *, default: int, most: int) -> int:
    """How many rows are asked for; more than there may be is cut to it."""
    limit = whole_number(ask, "limit")
    if limit == 0:
        raise refusal(ask, "params error: limit invalid")
    return min(default if limit is None else limit, most)


def times_of(ask: Ask, first: str, last: str) -> tuple[Micros | None, Micros | None]:
    """First and last moment asked for; both belong to what is asked."""
    start, end = whole_number(ask, first), whole_number(ask, last)
    if start is not None and end is not None and start > end:
        raise refusal(ask, f"params error: {first} is later than {last}")
    return (None if start is None else start * MILLISECOND), (None if end is None else end * MILLISECOND)


def cursor_of(ask: Ask, key: str) -> str:
    """The cursor asked for, which a query string carries decoded once and not twice."""
    text = ask.params.get("cursor", "")
    if not text:
        return ""
    if (found := re.fullmatch(f"{key}=(.+)", text)) is None:
        raise refusal(ask, "params error: cursor invalid")
    return found[1]


def cursor(key: str, value: object) -> str:
    """A cursor as Bybit writes it: percent-encoded already."""
    return f"{key}%3D{value}"


def in_dollars(contracts: float, listing: Listing) -> int:
    """Contracts of the world as Bybit's, which are one dollar each."""
    return round(contracts * listing.contract_size)
