"""Hyperliquid REST: wire shapes, their decoders, and the body of each request; every one is a POST to /info.

Sources: the API pages of https://hyperliquid.gitbook.io/hyperliquid-docs, read in 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import msgspec

from marketcli.errors import DecodeError, MarketError, RateLimited, UnknownSymbol
from marketcli.models import Interval, multiplier_of
from marketcli.spec import Amount, Count, Real, decode_json, moments, unexpected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketcli.spec import Page, Params, Query, Response, Rows

T = TypeVar("T")

# 1w and 1M exist there too, but its weeks begin on Thursdays and where its months begin is not documented: both are
# built from days here. (https://github.com/rainbow-me/rainbow/pull/6920)
SPELLINGS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "3d")
INTERVALS: Mapping[Interval, str] = {Interval.parse(text): text for text in SPELLINGS}

WEIGHT = "weight"
USUAL = 20  # what most requests weigh


def units(count: int) -> Callable[[Page], Mapping[str, int]]:
    """The cost of an endpoint that weighs the same whatever comes."""
    return lambda _: {WEIGHT: count}


def plus_rows(rows: int, *, each: int) -> Mapping[str, int]:
    """The cost of an answer that weighs one more for every so many rows, begun ones counted."""
    return {WEIGHT: USUAL + -(-rows // each)}


def kind(name: str) -> Callable[[Query, Page], Params]:
    """The body of a request that says nothing but its type."""
    return lambda _, __: {"type": name}


# --- candles: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint#candle-snapshot


class Candle(
    msgspec.Struct,
    frozen=True,
    rename={"time": "t", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "v", "trades": "n"},
):
    """A candle; its volume is base, and it says nothing of quote or takers."""

    time: int
    open: Real
    high: Real
    low: Real
    close: Real
    volume: Amount
    trades: Count


CANDLE = ("time", "open", "high", "low", "close", "volume_base", "trades")


def candles(body: bytes, query: Query) -> Rows:
    """Candles of any market, oldest first."""
    found: list[Candle] = decode_json(body, list[Candle], what=source(query))
    times = moments([candle.time for candle in found], what=source(query))
    return [(time, *values(one)) for time, one in zip(times, found, strict=True)]


def values(one: Candle) -> tuple[float, float, float, float, float, int]:
    """What a candle says, without its time."""
    return one.open, one.high, one.low, one.close, one.volume, one.trades


def candle_params(query: Query, page: Page) -> Params:
    """What a page of candles is asked with; both bounds are inclusive on the wire, and there is no limit."""
    if page.window is None or query.interval is None:
        raise TypeError("candles need a window and an interval")
    asked = {
        **coin(query),
        "interval": INTERVALS[query.interval],
        "startTime": -(-page.window.start // 1_000),
        "endTime": (page.window.end - 1) // 1_000,
    }
    return cast("Params", {"type": "candleSnapshot", "req": asked})  # the one body with an object inside


def candle_cost(page: Page) -> Mapping[str, int]:
    """What a page of candles weighs: 20, and 1 for every 60 rows."""
    return plus_rows(page.limit, each=60)


def coin(query: Query) -> dict[str, str]:
    """The instrument by its name."""
    return {"coin": query.instrument.native if query.instrument else ""}


# --- instruments: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint/perpetuals


Decimals = Annotated[int, msgspec.Meta(ge=0, le=18)]


class Asset(msgspec.Struct, frozen=True, rename="camel"):
    """A perpetual: `BTC` of the main exchange, `xyz:TSLA` of a builder's."""

    name: str
    sz_decimals: Decimals
    is_delisted: bool = False


class Meta(msgspec.Struct, frozen=True, rename="camel"):
    """The perpetuals of one exchange on Hyperliquid, and which token they are paid in; the main one says nothing."""

    universe: tuple[Asset, ...]
    collateral_token: Count = 0


class Token(msgspec.Struct, frozen=True, rename="camel"):
    """A token, which pairs and collaterals name by `index`."""

    name: str
    index: Count
    sz_decimals: Decimals


class Pair(msgspec.Struct, frozen=True):
    """A spot pair: `PURR/USDC`, or `@107`, which says nothing of its tokens."""

    name: str
    tokens: tuple[Count, Count]


class SpotMeta(msgspec.Struct, frozen=True):
    """All tokens and spot pairs."""

    tokens: tuple[Token, ...]
    universe: tuple[Pair, ...]


PERPETUAL = ("native", "base", "collateral", "multiplier", "lot", "status", "interval_h")
COLLATERAL = ("collateral", "quote", "settle")
SPOT = ("native", "base", "quote", "settle", "multiplier", "lot")
HOURLY = 1.0  # hours between settlements, of every perpetual


def perpetuals(body: bytes, query: Query) -> Rows:
    """The perpetuals of all exchanges on Hyperliquid; what they are quoted in stands with the tokens."""
    found: list[Meta] = decode_json(body, list[Meta], what=source(query))
    if not found:
        raise DecodeError(f"{source(query)} came without the main exchange, which is always there.")
    return [
        (
            asset.name,
            asset.name,
            meta.collateral_token,
            multiplier_of(asset.name),
            step(asset.sz_decimals),
            "closed" if asset.is_delisted else "trading",
            HOURLY,
        )
        for meta in found
        for asset in meta.universe
    ]


def collaterals(body: bytes, query: Query) -> Rows:
    """The names of tokens by their index, as what perpetuals are quoted and settled in."""
    found: SpotMeta = decode_json(body, SpotMeta, what=source(query))
    return [(token.index, token.name, token.name) for token in found.tokens]


def pairs(body: bytes, query: Query) -> Rows:
    """The spot pairs under the names of their tokens; all of them trade."""
    found: SpotMeta = decode_json(body, SpotMeta, what=source(query))
    tokens = {token.index: token for token in found.tokens}
    try:
        legs = [(pair, tokens[pair.tokens[0]], tokens[pair.tokens[1]]) for pair in found.universe]
    except KeyError as missing:
        raise DecodeError(f"{source(query)} name the token {missing}, which is not among the tokens.") from None
    return [
        (pair.name, base.name, quote.name, quote.name, multiplier_of(base.name), step(base.sz_decimals))
        for pair, base, quote in legs
    ]


def step(decimals: int) -> float:
    """The smallest step of a size with so many decimals."""
    return float(f"1e-{decimals}")


# --- errors, as they were observed in 2026; the documentation has none


UNKNOWN, MISUNDERSTOOD, SLOW_DOWN, OK = 500, 422, 429, 200


def refuse(response: Response) -> MarketError | None:
    """What an answer that is an error means; None leaves it to be judged by its status.

    `null` is the answer about what does not exist: as an error of the server, or, for books, as a success.
    """
    if response.status == SLOW_DOWN:
        return RateLimited("Hyperliquid asks to slow down: its request budget is used up.")
    if response.status in (UNKNOWN, OK) and response.body.strip() == b"null":
        return UnknownSymbol(
            f"Hyperliquid does not know this instrument (HTTP {response.status}, null).",
            hint="See `mkt instruments -e hyperliquid --search NAME`; capitals count.",
        )
    if response.status == MISUNDERSTOOD:
        return unexpected("Hyperliquid", code=response.status, text=response.body[:200].decode(errors="replace"))
    return None


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # what decoders raise


def told(body: bytes, shape: msgspec.json.Decoder[T], *, what: str) -> T:
    """What a body says, by a decoder made beforehand; what is wrong with it is said by `decode_json`.

    The body may be `msgspec.Raw`, as the data of a frame are.
    """
    try:
        return shape.decode(body)
    except UNREADABLE:
        return cast("T", decode_json(bytes(body), shape.type, what=what))


def source(query: Query) -> str:
    """How errors name where an answer came from."""
    return f"Hyperliquid {query.market} {query.dataset.title}"
