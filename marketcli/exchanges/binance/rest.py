"""Binance REST: wire shapes, their decoders, and the parameters of each request.

Sources: https://developers.binance.com/docs (spot, USD-M and COIN-M market data), read in 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.errors import (
    Banned,
    DecodeError,
    ExchangeDown,
    MarketError,
    NotOffered,
    RateLimited,
    UnknownSymbol,
    UsageError,
)
from marketcli.models import Interval, Market, multiplier_of
from marketcli.spec import Amount, Count, Real, decode_json, micros, moments, unexpected
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from marketcli.models import Micros
    from marketcli.spec import Page, Params, Query, Response, Rows

NEVER = 4_133_404_800_000  # 2100-12-25: how Binance writes the delivery date of a perpetual

SPELLINGS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
INTERVALS: Mapping[Interval, str] = {Interval.parse(text): text for text in SPELLINGS}
SPOT_INTERVALS: Mapping[Interval, str] = {Interval.parse("1s"): "1s"} | dict(INTERVALS)


# --- candles: https://developers.binance.com/docs/binance-spot-api-docs/rest-api#klinecandlestick-data


class Kline(msgspec.Struct, array_like=True, frozen=True):
    """A candle of any Binance market; COIN-M counts contracts where the others count base, and base for quote."""

    open_time: int
    open: Real
    high: Real
    low: Real
    close: Real
    volume: Amount
    close_time: int
    quote_volume: Amount
    trades: Count
    taker_buy: Amount
    taker_buy_quote: Amount


CANDLE = ("time", "open", "high", "low", "close", "volume_base", "volume_quote", "trades", "taker_buy_base")
INVERSE_CANDLE = (*CANDLE, "volume_contracts")
PRICE_CANDLE = CANDLE[:5]


def timed(body: bytes, query: Query) -> Iterator[tuple[Micros, Kline]]:
    """Decode a page of candles of any kind and market, each with its open time."""
    rows: list[Kline] = decode_json(body, list[Kline], what=source(query))
    return zip(moments([k.open_time for k in rows], what=source(query)), rows, strict=True)


def candles(body: bytes, query: Query) -> Rows:
    """Candles of spot and USD-M."""
    return [
        (time, k.open, k.high, k.low, k.close, k.volume, k.quote_volume, k.trades, k.taker_buy)
        for time, k in timed(body, query)
    ]


def inverse_candles(body: bytes, query: Query) -> Rows:
    """Candles of COIN-M: contracts kept beside the base volume, and their face value as the quote volume."""
    size = query.instrument.contract_size if query.instrument else 1.0
    return [
        (time, k.open, k.high, k.low, k.close, k.quote_volume, k.volume * size, k.trades, k.taker_buy_quote, k.volume)
        for time, k in timed(body, query)
    ]


def price_candles(body: bytes, query: Query) -> Rows:
    """Mark, index and premium candles, whose volumes are always zero and mean nothing."""
    return [(time, k.open, k.high, k.low, k.close) for time, k in timed(body, query)]


def symbol_params(query: Query, _: Page) -> Params:
    """The instrument alone; nothing means all."""
    return {"symbol": query.instrument.native} if query.instrument else {}


def kline_params(query: Query, page: Page) -> Params:
    """What a page of candles is asked with."""
    return {**symbol_params(query, page), **kline_window(query, page)}


def pair_params(query: Query, page: Page) -> Params:
    """The same for index prices, which belong to a pair."""
    return {"pair": query.instrument.pair if query.instrument else "", **kline_window(query, page)}


def kline_window(query: Query, page: Page) -> Params:
    """Interval, bounds and row count."""
    if query.interval is None:
        raise TypeError("candles need an interval")
    return {"interval": SPOT_INTERVALS[query.interval], **bounds(page), "limit": page.limit}


def bounds(page: Page) -> Params:
    """The window of a page in milliseconds; both bounds are inclusive on the wire."""
    if page.window is None:
        raise TypeError("a page of a history needs a window")
    return {"startTime": -(-page.window.start // 1_000), "endTime": (page.window.end - 1) // 1_000}


def one_or_many(body: bytes, type_: Any, query: Query) -> list[Any]:
    """The rows of an answer that is an object where one instrument is asked for, and a list elsewhere."""
    found = decode_json(body, type_, what=source(query))
    return found if isinstance(found, list) else [found]


# --- instruments: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Exchange-Information


class Filter(msgspec.Struct, frozen=True, rename="camel"):
    """One trading rule; only the steps of price and size are used."""

    filter_type: str
    tick_size: Amount | None = None
    step_size: Amount | None = None


class SpotSymbol(msgspec.Struct, frozen=True, rename="camel"):
    """An instrument of the spot list."""

    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    filters: tuple[Filter, ...] = ()


class Contract(msgspec.Struct, frozen=True, rename="camel"):
    """An instrument of the USD-M or the COIN-M list; the second says contractStatus and contractSize."""

    symbol: str
    pair: str
    contract_type: str
    delivery_date: Count
    base_asset: str
    quote_asset: str
    margin_asset: str
    onboard_date: Count = 0
    status: str = ""
    contract_status: str = ""
    contract_size: Amount | None = None
    filters: tuple[Filter, ...] = ()


class Instruments(msgspec.Struct, frozen=True):
    """The spot list."""

    symbols: tuple[SpotSymbol, ...]


class Contracts(msgspec.Struct, frozen=True):
    """A futures list."""

    symbols: tuple[Contract, ...]


SPOT_INSTRUMENT = ("native", "base", "quote", "settle", "multiplier", "tick", "lot", "status", "pair")
CONTRACT = (*SPOT_INSTRUMENT, "listed", "expiry", "contract_size", "inverse", "kind", "delivery")

STATUS = {
    "TRADING": "trading",
    "PENDING_TRADING": "pending",
    "HALT": "halted",
    "BREAK": "halted",
    "END_OF_DAY": "halted",
    "PRE_SETTLE": "closing",
    "SETTLING": "closing",
    "PRE_DELIVERING": "closing",
    "DELIVERING": "closing",
    "DELIVERED": "closed",
    "CLOSE": "closed",
}


def spot_instruments(body: bytes, query: Query) -> Rows:
    """The spot list; it has no listing dates."""
    found: Instruments = decode_json(body, Instruments, what=source(query))
    return [(*described(item, settle=item.quote_asset, status=item.status), item.symbol) for item in found.symbols]


def contracts(body: bytes, query: Query) -> Rows:
    """The USD-M or the COIN-M list."""
    found: Contracts = decode_json(body, Contracts, what=source(query))
    return [contract(item, query) for item in found.symbols]


def contract(item: Contract, query: Query) -> tuple[Any, ...]:
    """One contract; a perpetual that is being delisted has an expiry and keeps its name."""
    what, inverse = source(query), query.market is Market.INVERSE
    listed: Micros | None = micros(item.onboard_date, what=what) if item.onboard_date else None
    expiry: Micros | None = micros(item.delivery_date, what=what) if 0 < item.delivery_date < NEVER else None
    delivery = None if "PERPETUAL" in item.contract_type else expiry
    common = described(item, settle=item.margin_asset, status=item.status or item.contract_status)
    return (*common, item.pair, listed, expiry, size_of(item, query), inverse, item.contract_type, delivery)


def size_of(item: Contract, query: Query) -> float:
    """What a contract is worth: dollars on COIN-M, which must say how many, and one coin on USD-M."""
    if item.contract_size is None and query.market is Market.INVERSE:
        raise DecodeError(f"{source(query)} list {clean(item.symbol)} without its `contractSize`.")
    return 1.0 if item.contract_size is None else item.contract_size


def described(item: SpotSymbol | Contract, *, settle: str, status: str) -> tuple[Any, ...]:
    """What the lists of all markets say of an instrument."""
    multiplier, word = multiplier_of(item.base_asset), STATUS.get(status, status.lower())
    return (item.symbol, item.base_asset, item.quote_asset, settle, multiplier, *steps(item.filters), word)


def steps(filters: tuple[Filter, ...]) -> tuple[float | None, float | None]:
    """Smallest steps of price and size; zero means no rule."""
    tick = next((f.tick_size for f in filters if f.filter_type == "PRICE_FILTER"), None)
    lot = next((f.step_size for f in filters if f.filter_type == "LOT_SIZE"), None)
    return tick or None, lot or None


def nothing(_: Query, __: Page) -> Params:
    """Everything, by asking for nothing."""
    return {}


# --- errors: https://developers.binance.com/docs/binance-spot-api-docs/errors


class Refusal(msgspec.Struct, frozen=True):
    """How Binance says no."""

    code: int
    msg: str = ""


BANNED, NOT_SERVED = 418, 451
REFUSALS: Mapping[int, tuple[type[MarketError], str, str]] = {
    -1000: (ExchangeDown, "Binance failed to answer (error -1000).", ""),
    -1001: (ExchangeDown, "Binance is disconnected inside (error -1001).", ""),
    -1003: (RateLimited, "Binance asks to slow down: its request budget is used up.", ""),
    -1006: (ExchangeDown, "Binance gave an unexpected answer inside (error -1006).", ""),
    -1007: (ExchangeDown, "Binance took too long inside (error -1007).", ""),
    -1008: (ExchangeDown, "Binance is overloaded (error -1008).", ""),
    -1016: (ExchangeDown, "Binance is shutting this service down (error -1016).", ""),
    -1120: (UsageError, "Binance does not know this interval.", ""),
    -1121: (UnknownSymbol, "Binance does not know this symbol.", "See `mkt instruments --search NAME`."),
    -1127: (NotOffered, "Binance does not answer so long a window at once (error -1127).", ""),
    -1130: (NotOffered, "Binance does not keep data for this window (error -1130).", "Ask for a later one."),
    -4108: (NotOffered, "Binance says nothing about this instrument now: it is not trading (error -4108).", ""),
}


def refuse(response: Response) -> MarketError | None:
    """What an answer that is an error means; None leaves it to be judged by its status."""
    if response.status < 400 or response.status == NOT_SERVED:  # noqa: PLR2004 - all below are no errors
        return None
    try:
        said: Refusal = decode_json(response.body, Refusal, what="Binance")
    except MarketError:
        return None
    if response.status == BANNED:
        return Banned("Binance has banned this address for sending too much.")
    if said.code in REFUSALS:
        kind, sentence, hint = REFUSALS[said.code]
        return kind(sentence, hint=hint)
    return unexpected("Binance", code=said.code, text=said.msg)


def source(query: Query) -> str:
    """How errors name where an answer came from."""
    return f"Binance {query.market} {query.dataset.title}"
