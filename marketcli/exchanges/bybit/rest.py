"""Bybit v5 REST: the envelope of every answer, candles, errors.

Source: https://bybit-exchange.github.io/docs/v5/intro and the pages named below, read in 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import msgspec

from marketcli.errors import (
    Banned,
    ExchangeDown,
    MarketError,
    NotOffered,
    RateLimited,
    RegionRefused,
    UnknownSymbol,
    UsageError,
    WrongAddress,
)
from marketcli.models import Interval
from marketcli.spec import Amount, Count, Real, decode_json, micros, moments, number_or_none, unexpected
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketcli.models import Micros
    from marketcli.spec import Page, Params, Query, Response, Rows

T = TypeVar("T")

Blank: TypeAlias = str | None  # a number as text, or "" where there is none

REQUESTS = "requests"  # one budget over everything, whatever is asked

SPELLINGS = {
    **{f"{minutes}m": str(minutes) for minutes in (1, 3, 5, 15, 30)},
    **{f"{hours}h": str(60 * hours) for hours in (1, 2, 4, 6, 12)},
    "1d": "D",
    "1w": "W",
    "1M": "M",
}
INTERVALS: Mapping[Interval, str] = {Interval.parse(text): spelled for text, spelled in SPELLINGS.items()}


# --- the envelope: https://bybit-exchange.github.io/docs/v5/guide#common-response-parameters


class Envelope(msgspec.Struct, Generic[T], frozen=True, rename="camel"):
    """What every answer comes in; `time` is when it was written, in milliseconds."""

    ret_code: int
    result: T
    time: Count = 0


class Listed(msgspec.Struct, Generic[T], frozen=True, rename="camel"):
    """A result with rows, and where the next page begins."""

    rows: tuple[T, ...] = msgspec.field(name="list")
    next_page_cursor: str = ""


def rows_of(body: bytes, type_: Any, query: Query) -> tuple[Any, ...]:
    """The rows of an answer whose whole shape is `type_`."""
    found: tuple[Any, ...] = decode_json(body, type_, what=source(query)).result.rows
    return found


def whose(query: Query) -> dict[str, str | int]:
    """The market as Bybit calls it, and the instrument if one is meant."""
    who: dict[str, str | int] = {"category": query.market.value}
    return who | ({"symbol": query.instrument.native} if query.instrument else {})


def moment_or_none(text: Blank, *, what: str) -> Micros | None:
    """A time written as text; blank and "0" mean that there is none."""
    stamp = number_or_none(text, what=what)
    return micros(int(stamp), what=what) if stamp else None


def one_request(_: Page) -> Mapping[str, int]:
    """What every page costs."""
    return {REQUESTS: 1}


def price_or_none(text: Blank, *, what: str) -> float | None:
    """A price; blank and zero mean that there is none."""
    return number_or_none(text, what=what) or None


# --- candles: https://bybit-exchange.github.io/docs/v5/market/kline


class Kline(msgspec.Struct, array_like=True, frozen=True):
    """A candle: base and quote on spot and linear, dollars (one is a contract) and base on inverse."""

    start: Count
    open: Real
    high: Real
    low: Real
    close: Real
    volume: Amount
    turnover: Amount


class PriceKline(msgspec.Struct, array_like=True, frozen=True):
    """A candle of a price nobody trades at."""

    start: Count
    open: Real
    high: Real
    low: Real
    close: Real


KLINES: Any = Envelope[Listed[Kline]]
PRICE_KLINES: Any = Envelope[Listed[PriceKline]]

PRICE_CANDLE = ("time", "open", "high", "low", "close")
CANDLE = (*PRICE_CANDLE, "volume_base", "volume_quote")
INVERSE_CANDLE = (*CANDLE, "volume_contracts")


def timed(body: bytes, type_: Any, query: Query) -> list[tuple[Micros, Any]]:
    """A page of candles, newest first, each with its open time."""
    rows = rows_of(body, type_, query)
    return list(zip(moments([k.start for k in rows], what=source(query)), rows, strict=True))


def candles(body: bytes, query: Query) -> Rows:
    """Candles of spot and linear."""
    return [(time, k.open, k.high, k.low, k.close, k.volume, k.turnover) for time, k in timed(body, KLINES, query)]


def inverse_candles(body: bytes, query: Query) -> Rows:
    """Candles of inverse contracts: the turnover is base, and contracts of one dollar are also the quote volume."""
    return [
        (time, k.open, k.high, k.low, k.close, k.turnover, k.volume, k.volume) for time, k in timed(body, KLINES, query)
    ]


def price_candles(body: bytes, query: Query) -> Rows:
    """Mark, index and premium candles."""
    return [(time, k.open, k.high, k.low, k.close) for time, k in timed(body, PRICE_KLINES, query)]


def kline_params(query: Query, page: Page) -> Params:
    """What a page of candles is asked with; both bounds are inclusive on the wire."""
    if page.window is None or query.interval is None:
        raise TypeError("candles need a window and an interval")
    return {
        **whose(query),
        "interval": INTERVALS[query.interval],
        "start": -(-page.window.start // 1_000),
        "end": (page.window.end - 1) // 1_000,
        "limit": page.limit,
    }


def market_params(query: Query, _: Page) -> Params:
    """The market and the instrument, nothing else."""
    return whose(query)


# --- errors: https://bybit-exchange.github.io/docs/v5/error


class Said(msgspec.Struct, frozen=True, rename="camel"):
    """How an answer went."""

    ret_code: int
    ret_msg: str = ""


FORBIDDEN = 403
BAN_SECONDS = 600.0  # at least: the rate limit page asks to stop everything for ten minutes
BAD_PARAMETER = 10001
REFUSALS: Mapping[int, tuple[type[MarketError], str, str]] = {
    10000: (ExchangeDown, "Bybit took too long inside (error 10000).", ""),
    10006: (RateLimited, "Bybit asks to slow down (error 10006).", ""),
    10009: (RegionRefused, "Bybit does not serve this address or location (error 10009).", ""),
    10016: (ExchangeDown, "Bybit failed to answer (error 10016).", ""),
    10017: (WrongAddress, "Bybit does not know this path (error 10017).", ""),
    10018: (RateLimited, "Bybit asks to slow down: its request budget is used up (error 10018).", ""),
    10024: (RegionRefused, "Bybit does not serve this location by its rules (error 10024).", ""),
    10029: (NotOffered, "Bybit does not allow this symbol here (error 10029).", ""),
}


def refuse(response: Response) -> MarketError | None:
    """What an answer that is an error means, most of which say HTTP 200; None leaves it to be judged by its status."""
    if response.status == FORBIDDEN:  # any other than this is the location's
        slow = b"too frequent" in response.body.lower()
        return Banned("Bybit has banned this address for asking too often.", retry_after=BAN_SECONDS) if slow else None
    try:
        said: Said = decode_json(response.body, Said, what="Bybit")
    except MarketError:
        return None
    if said.ret_code in REFUSALS:
        kind, sentence, hint = REFUSALS[said.ret_code]
        return kind(sentence, hint=hint)
    if said.ret_code == BAD_PARAMETER:
        return bad_parameter(said.ret_msg)
    return unexpected("Bybit", code=said.ret_code, text=said.ret_msg) if said.ret_code else None


def bad_parameter(message: str) -> MarketError:
    """Which parameter Bybit did not like; only its text says."""
    if "symbol" in message.lower():
        return UnknownSymbol("Bybit does not know this symbol.", hint="See `mkt instruments --search NAME`.")
    return UsageError(f"Bybit refuses a part of the request: {clean(message)}.")


def source(query: Query) -> str:
    """How errors name where an answer came from."""
    return f"Bybit {query.market} {query.dataset.title}"
