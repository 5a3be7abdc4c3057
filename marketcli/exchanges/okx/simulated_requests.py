"""What requests to OKX say, and how it writes answers and refusals, as the sandbox plays it.

Documentation: https://www.okx.com/docs-v5/en/#overview and #error-code.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.models import DAY, MILLISECOND, Market, Micros, multiplier_of, to_datetime
from marketcli.simulator import Ask, Refusal, Reply
from marketcli.spec import Budget
from marketcli.text import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marketcli.world import Listing

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
KEPT = 90 * DAY  # "three months" of settlements, trades and candles of one second
NEWEST = 1_440  # candles and points of each interval that the newer endpoints have

POOL = Budget("unknown paths", limit=20, seconds=2)
BAD_REQUEST, TOO_MANY, NOT_FOUND = 400, 429, 404


def answer(data: Any) -> Reply:
    """An answer with data; all its numbers are text."""
    return Reply(msgspec.json.encode({"code": "0", "msg": "", "data": data}))


def error(code: int, message: str, *, status: int = 200) -> Reply:
    """An error as OKX writes it, many of them with the status of a success."""
    return Reply(msgspec.json.encode({"code": str(code), "data": [], "msg": message}), status)


def refusal(code: int, message: str, *, status: int = 200) -> Refusal:
    """An error that ends the work on an answer."""
    return Refusal(error(code, message, status=status))


def wrong(name: str) -> Refusal:
    """The refusal of a parameter's value."""
    return refusal(51000, f"Parameter {name} error", status=BAD_REQUEST)


def unknown() -> Refusal:
    """The refusal of a name."""
    return refusal(51001, "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")


def missing(_: Ask) -> Reply:
    """The answer to a path there is not."""
    return Reply(msgspec.json.encode({"code": "404", "data": [], "msg": "Not Found"}), NOT_FOUND)


def limited(*_: object) -> Reply:
    """The answer beyond the limit; it does not say when to come back, and OKX bans nobody who does not listen."""
    return error(50011, "Too Many Requests", status=TOO_MANY)


def lists(listing: Listing) -> bool:
    """OKX counts small coins one by one, so it lists none by the thousand."""
    return multiplier_of(listing.base) == 1


def pair(listing: Listing) -> str:
    """What an instrument is of, and the name of its index: BTC-USDT, BTC-USD."""
    return f"{listing.base}-{listing.quote}"


def kind(listing: Listing) -> str:
    """The type of an instrument."""
    return "SPOT" if listing.market is SPOT else "SWAP" if listing.perpetual else "FUTURES"


def native(listing: Listing) -> str:
    """How OKX spells an instrument: BTC-USDT, BTC-USDT-SWAP, BTC-USD-270326."""
    if listing.market is SPOT:
        return pair(listing)
    return (
        f"{pair(listing)}-SWAP" if listing.perpetual else f"{pair(listing)}-{to_datetime(listing.expiry or 0):%y%m%d}"
    )


CONTRACT_VALUES = {"BTC": "0.01", "ETH": "0.1"}  # base that one linear contract stands for


def contract_value(listing: Listing) -> str:
    """What one contract stands for: base if linear, quote if inverse."""
    return str(listing.contract_size) if listing.market is INVERSE else CONTRACT_VALUES.get(listing.base, "1")


def sized(listing: Listing, base: float, contracts: int) -> str:
    """An amount as OKX counts it: base on spot, contracts elsewhere, which may be broken."""
    if listing.market is INVERSE:
        return str(contracts)
    return number(base) if listing.market is SPOT else quotient(number(base), contract_value(listing))


def quotient(amount: str, unit: str) -> str:
    """How many units an amount is, exactly."""
    return f"{(Decimal(amount) / Decimal(unit)).normalize():f}"


def stamp(time: Micros) -> str:
    """A moment as OKX writes it."""
    return str(time // MILLISECOND)


def needed(ask: Ask, name: str) -> str:
    """A mandatory parameter."""
    if not (text := ask.params.get(name, "")):
        raise refusal(51000, f"Parameter {name} can not be empty", status=BAD_REQUEST)
    return text


def whole_number(ask: Ask, name: str) -> int | None:
    """An optional parameter that is a number."""
    text = ask.params.get(name, "")
    if text and not re.fullmatch(r"[0-9]{1,19}", text, re.ASCII):
        raise wrong(name)
    return int(text) if text else None


def limit_of(ask: Ask, *, most: int, default: int = 100, name: str = "limit") -> int:
    """How many rows are asked for; more than there may be is refused."""
    limit = whole_number(ask, name)
    if limit is not None and not 1 <= limit <= most:
        raise wrong(name)
    return default if limit is None else limit


def traded(ask: Ask, markets: Iterable[Market] = Market) -> list[Listing]:
    """What has begun to trade in some markets, ended or not."""
    found = (listing for listing in ask.world.listings() if lists(listing) and listing.market in markets)
    return [listing for listing in found if listing.listed <= ask.now]


def listing_of(ask: Ask, markets: Iterable[Market] = Market) -> Listing:
    """The instrument that is asked for."""
    name = needed(ask, "instId")
    for listing in traded(ask, markets):
        if native(listing) == name:
            return listing
    raise unknown()


def of_type(ask: Ask, types: Iterable[str]) -> list[Listing]:
    """The instruments of a type that other parameters, if there are any, do not exclude."""
    if needed(ask, "instType") not in types:
        raise wrong("instType")
    found = [listing for listing in ask.world.listings() if lists(listing) and kind(listing) == ask.params["instType"]]
    for name in ("uly", "instFamily"):
        if family := ask.params.get(name):
            found = [listing for listing in found if pair(listing) == family]
    if wanted := ask.params.get("instId"):
        found = [listing for listing in found if native(listing) == wanted]
        if not found:
            raise unknown()
    return found


def between(ask: Ask, newer: str, older: str, *, until: Micros) -> tuple[Micros, Micros]:
    """The half-open stretch of whole milliseconds that lies between two bounds, neither of which belongs to it."""
    after, before = whole_number(ask, older), whole_number(ask, newer)
    start = 0 if before is None else (before + 1) * MILLISECOND
    return start, until if after is None else min(until, after * MILLISECOND)
