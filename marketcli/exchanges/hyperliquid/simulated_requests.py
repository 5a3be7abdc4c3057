"""What requests to Hyperliquid say, and how it writes answers and refusals, as the sandbox plays it.

Documentation: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint and
https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits; errors as they were
observed in September 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

import msgspec

from marketcli.models import Market, multiplier_of
from marketcli.simulator import Ask, Refusal, Reply, decimal
from marketcli.spec import Budget

if TYPE_CHECKING:
    from marketcli.models import Micros
    from marketcli.world import Listing, World

T = TypeVar("T")

SPOT, LINEAR = Market.SPOT, Market.LINEAR
QUOTE = "USDC"
POOL = Budget("weight", limit=1_200, seconds=60)
PATH = "/info"

WRAPPED = {"BTC": "UBTC", "ETH": "UETH", "SOL": "USOL"}  # what coins of other chains are called on this one
INDEXES = {"PURR": 0, "UBTC": 142, "UETH": 151, "USOL": 156}  # of pairs against USDC
OTHERS = 1_000  # pairs of real candles have indexes from here on


class CoinAsk(msgspec.Struct, frozen=True):
    """A request about one coin."""

    coin: str


class DexAsk(msgspec.Struct, frozen=True):
    """A request about the perpetuals of one exchange on Hyperliquid."""

    dex: str | None = None


def answer(document: Any) -> Reply:
    """An answer with data."""
    return Reply(msgspec.json.encode(document), headers={"Content-Type": "application/json"})


def refusal(status: int, body: str) -> Refusal:
    """An error in plain words that ends the work on an answer."""
    return Refusal(Reply(body.encode(), status, {"Content-Type": "text/plain; charset=utf-8"}))


def misunderstood() -> Refusal:
    """The refusal of a type there is not, or of one that lacks something."""
    return refusal(422, "Failed to deserialize the JSON body into the target type")


def unknown() -> Refusal:
    """The refusal of a name that does not exist: an error of the server that says nothing."""
    return Refusal(Reply(b"null", 500, {"Content-Type": "application/json"}))


def asked(ask: Ask, shape: type[T]) -> T:
    """The body of a request; plain words if it is not what it should be."""
    if ask.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise refusal(415, "Expected request with `Content-Type: application/json`")
    try:
        return msgspec.json.decode(ask.body, type=shape)
    except msgspec.ValidationError:
        raise misunderstood() from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise refusal(400, "Failed to parse the request body as JSON") from None


def missing(ask: Ask) -> Reply:
    """The answer to a path there is not, or to another method than POST."""
    return Reply(b"", 405 if ask.path == PATH else 404)


def limited(_: Budget, __: int) -> Reply:
    """The answer beyond the limit; neither its body nor when to come back is documented, so it says neither."""
    return Reply(b"null", 429, {"Content-Type": "application/json"})


def banned(_: int, __: Micros) -> Reply:
    """The answer to those who did not stop: bans are not documented, so it is the same."""
    return Reply(b"null", 429, {"Content-Type": "application/json"})


def lists(listing: Listing) -> bool:
    """Whether a thing of the world trades here: perpetuals and spot pairs against USDC."""
    return listing.quote == QUOTE and (listing.market is SPOT or (listing.market is LINEAR and listing.perpetual))


def base(listing: Listing) -> str:
    """What is traded, as Hyperliquid calls it: kPEPE for 1000PEPE, and UBTC for the BTC of spot."""
    if listing.market is SPOT:
        return WRAPPED.get(listing.base, listing.base)
    return f"k{listing.coin}" if multiplier_of(listing.base) == multiplier_of("kX") else listing.base


def index(listing: Listing) -> int:
    """The place of a spot pair among all that Hyperliquid has."""
    name = base(listing)
    return INDEXES.get(name, OTHERS + crc32(name.encode()) % 1_000_000)


def native(listing: Listing) -> str:
    """How Hyperliquid spells an instrument: BTC, kPEPE, and on spot PURR/USDC for the first pair, @142 for others."""
    if listing.market is SPOT:
        return f"@{index(listing)}" if index(listing) else f"{base(listing)}/{listing.quote}"
    return base(listing)


def listed(world: World, market: Market) -> list[Listing]:
    """What trades or traded here, in a stable order; nothing is announced beforehand."""
    return [listing for listing in world.listings(market) if lists(listing) and listing.listed <= world.now()]


def find(world: World, coin: str, *markets: Market) -> Listing | None:
    """The instrument of a name; capitals count."""
    return next((one for market in markets for one in listed(world, market) if native(one) == coin), None)


def over(world: World, listing: Listing) -> bool:
    """Whether an instrument is delisted."""
    return listing.expiry is not None and listing.expiry <= world.now()


def text(value: float) -> str:
    """A number as Hyperliquid writes it: with one decimal at least.

    The real exchange writes at most 5 significant figures of a price; the world's prices stay as they are.
    """
    return decimal(value, 1)
