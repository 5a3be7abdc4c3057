"""OKX REST: the envelope, candles, instruments and errors: wire shapes, their decoders, and what is asked with.

Source: https://www.okx.com/docs-v5/en/, read in 2026. Every number is text on the wire, and blank where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import msgspec

from marketcli.datasets import INDEX_OHLC
from marketcli.errors import (
    ExchangeDown,
    MarketError,
    NotOffered,
    RateLimited,
    RegionRefused,
    UnknownSymbol,
    UsageError,
)
from marketcli.models import Instrument, Interval, Market, multiplier_of, to_datetime
from marketcli.spec import Amount, Count, Page, Real, decode_json, micros, moments, number_or_none, unexpected
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from marketcli.models import Micros
    from marketcli.spec import Endpoint, Params, Query, Response, Rows

    Reading: TypeAlias = tuple[Callable[[bytes, Query], Rows], tuple[str, ...]]  # a decoder, and the columns it gives
    Making: TypeAlias = Callable[[list["T"], Query], Rows]  # from what an answer or a frame holds

T = TypeVar("T")


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """What every answer is wrapped in."""

    data: list[T]


ANSWER: Any = Answer  # type checkers take brackets behind a class for an annotation


def sent(body: bytes, query: Query, shape: type[T]) -> list[T]:
    """What an answer holds."""
    found: list[T] = decode_json(body, ANSWER[shape], what=source(query)).data
    return found


def answered(shape: type[T], rows: Making[T]) -> Callable[[bytes, Query], Rows]:
    """The decoder of answers that hold things so shaped."""
    return lambda body, query: rows(sent(body, query, shape), query)


def fields_of(shape: type[msgspec.Struct]) -> Making[Any]:
    """What makes rows of a shape's fields, in their order; `ts`, if it has that, is a time."""
    place = shape.__struct_fields__.index("ts") if "ts" in shape.__struct_fields__ else None

    def rows(items: list[Any], query: Query) -> Rows:
        found = [msgspec.structs.astuple(item) for item in items]
        if place is None:
            return found
        times = moments([row[place] for row in found], what=source(query))
        return [(*row[:place], time, *row[place + 1 :]) for row, time in zip(found, times, strict=True)]

    return rows


def table(shape: type[msgspec.Struct], *columns: str) -> Reading:
    """How answers are read whose fields are those columns."""
    return answered(shape, fields_of(shape)), columns


# --- candles: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks

# Without "utc" OKX's days and longer candles begin at 16:00 UTC.
INTERVALS: Mapping[Interval, str] = {
    Interval.parse(text): spelled
    for text, spelled in (
        *((text, text) for text in ("1m", "3m", "5m", "15m", "30m")),
        *((text, text.upper()) for text in ("1h", "2h", "4h")),
        *((text, f"{text.upper()}utc") for text in ("6h", "12h", "1d", "2d", "3d", "1w", "1M", "3M")),
    )
}
ODD = {Interval.parse(text) for text in ("2d", "3d", "3M")}  # not documented for mark and index prices
PRICE_INTERVALS: Mapping[Interval, str] = {one: text for one, text in INTERVALS.items() if one not in ODD}


class PriceCandle(msgspec.Struct, array_like=True, frozen=True):
    """A candle of mark or index prices."""

    ts: Count
    open: Real
    high: Real
    low: Real
    close: Real


class SpotCandle(PriceCandle, array_like=True, frozen=True):
    """A candle of spot: base, then quote."""

    volume: Amount
    volume_currency: Amount


class ContractCandle(SpotCandle, array_like=True, frozen=True):
    """A candle of a contract: contracts, then base, then quote."""

    volume_quote: Amount


OHLC = ("time", "open", "high", "low", "close")
PRICE_CANDLES = table(PriceCandle, *OHLC)
SPOT_CANDLES = table(SpotCandle, *OHLC, "volume_base", "volume_quote")
CONTRACT_CANDLES = table(ContractCandle, *OHLC, "volume_contracts", "volume_base", "volume_quote")


def candle_params(query: Query, page: Page) -> Params:
    """What a page of candles is asked with; index prices belong to a pair."""
    if query.interval is None:
        raise TypeError("candles need an interval")
    name = asked(query).pair if query.dataset is INDEX_OHLC else asked(query).native
    newer, older = bounds(page)
    return {"instId": name, "bar": INTERVALS[query.interval], "after": older, "before": newer, "limit": page.limit}


def bounds(page: Page, *, margin: Micros = 0) -> tuple[int, int]:
    """The times, in milliseconds, that rows have to be newer and older than; neither belongs to them."""
    if page.window is None:
        raise TypeError("a page of history needs a window")
    return -(-(page.window.start - margin) // 1_000) - 1, -(-(page.window.end + margin) // 1_000)


def asked(query: Query) -> Instrument:
    """The instrument of a question that is about one."""
    if query.instrument is None:
        raise TypeError(f"OKX gives {query.dataset.title} of one instrument at a time")
    return query.instrument


def by_name(query: Query, _: Page) -> Params:
    """One instrument by its name."""
    return {"instId": asked(query).native}


# --- instruments: https://www.okx.com/docs-v5/en/#public-data-rest-api-get-instruments


class Listed(msgspec.Struct, frozen=True, rename="camel"):
    """An instrument; of one that is only announced, most fields are blank."""

    inst_type: str
    inst_id: str
    uly: str
    base_ccy: str
    quote_ccy: str
    settle_ccy: str
    ct_val: str
    ct_mult: str
    ct_type: str
    tick_sz: str
    lot_sz: str
    list_time: str
    exp_time: str
    state: str
    inst_family: str = ""
    rule_type: str = ""

    @property
    def dated(self) -> bool:
        """Whether it is delivered on a date and pays no funding until then; X-Perps have a last day, but pay it."""
        return self.inst_type == "FUTURES" and self.rule_type != "xperp"

    @property
    def described(self) -> bool:
        """Whether it is more than announced."""
        if self.inst_type == "SPOT":
            return bool(self.base_ccy and self.quote_ccy)
        return bool(self.uly and self.ct_val.strip("0.") and (self.exp_time or not self.dated))


TYPES: Mapping[Market, tuple[str, ...]] = {Market.SPOT: ("SPOT",)} | dict.fromkeys(
    (Market.LINEAR, Market.INVERSE), ("SWAP", "FUTURES")
)
STATES = {"live": "trading", "preopen": "pending", "suspend": "halted", "expired": "closed"}


def type_params(_: Query, page: Page) -> Params:
    """Everything of a type."""
    return {"instType": page.cursor or ""}


def by_type(endpoint: Endpoint, query: Query) -> Sequence[Page]:
    """One page for each type of instrument that is asked about."""
    types = TYPES[query.market] if query.instrument is None else (query.instrument.kind,)
    return tuple(Page(query.window, endpoint.limit, one) for one in types)


def instruments(body: bytes, query: Query) -> Rows:
    """Those of a list that belong to the market asked for."""
    kind = "" if query.market is Market.SPOT else query.market.value
    found = (item for item in sent(body, query, Listed) if item.ct_type == kind and item.described)
    return [instrument(item, what=source(query)) for item in found]


def instrument(item: Listed, *, what: str) -> tuple[Any, ...]:
    """One instrument; base and quote of a contract stand in its underlying, and its lot is counted in contracts."""
    base, _, quote = (item.uly or f"{item.base_ccy}-{item.quote_ccy}").partition("-")
    tick, lot, value, factor, listed, ended = (
        number_or_none(text, what=what) or None
        for text in (item.tick_sz, item.lot_sz, item.ct_val, item.ct_mult, item.list_time, item.exp_time)
    )
    size, status = tidy((value or 1.0) * (factor or 1.0)), STATES.get(item.state, item.state)
    lot = tidy(lot * size) if lot and item.ct_type == "linear" else lot
    began, expiry = (micros(int(stamp), what=what) if stamp else None for stamp in (listed, ended))
    names = item.inst_id, item.inst_type, base, quote, item.settle_ccy or quote, item.uly or item.inst_id
    terms = multiplier_of(base), size, item.ct_type == "inverse", tick, lot
    return *names, *terms, status, began, expiry, expiry if item.dated else None, own_name(item, expiry)


NAMES = ("native", "kind", "base", "quote", "settle", "pair")
TERMS = ("multiplier", "contract_size", "inverse", "tick", "lot")
INSTRUMENTS = instruments, (*NAMES, *TERMS, "status", "listed", "expiry", "delivery", "symbol")


def own_name(item: Listed, expiry: Micros | None) -> str | None:
    """The canonical name of what belongs to a family beside the usual one: BTC-USD_UM-PERP, BTC-USD_UM-261030."""
    if not item.uly or not item.inst_family.startswith(f"{item.uly}_"):
        return None
    ends = item.inst_type == "FUTURES" and expiry is not None
    return f"{item.inst_family}-{f'{to_datetime(expiry or 0):%y%m%d}' if ends else 'PERP'}"


def tidy(value: float) -> float:
    """The number that 12 digits name: 0.01 for 0.1 x 0.1."""
    return float(f"{value:.12g}")


# --- errors: https://www.okx.com/docs-v5/en/#error-code


class Refusal(msgspec.Struct, frozen=True):
    """The part of every answer that says whether it is one: code "0"."""

    code: str
    msg: str = ""


ELSEWHERE = "Try --site eea or --site us, or another exchange (-e)."
SLOW_DOWN = (RateLimited, "OKX asks to slow down: its request budget is used up.", "")
REFUSALS: Mapping[str, tuple[type[MarketError], str, str]] = {
    "50001": (ExchangeDown, "OKX is not available for now (error 50001).", ""),
    "50004": (ExchangeDown, "OKX took too long inside (error 50004).", ""),
    "50005": (NotOffered, "OKX does not offer this any more (error 50005).", ""),
    "50011": SLOW_DOWN,
    "50013": (ExchangeDown, "OKX is too busy to answer (error 50013).", ""),
    "50026": (ExchangeDown, "OKX failed to answer (error 50026).", ""),
    "50030": (RegionRefused, "OKX does not serve this here (error 50030).", ELSEWHERE),
    "50040": SLOW_DOWN,
    "50047": (NotOffered, "OKX has settled this contract and says nothing about it now (error 50047).", ""),
    "50051": (RegionRefused, "OKX does not serve your location (error 50051).", ELSEWHERE),
    "51001": (UnknownSymbol, "OKX does not know this instrument.", "See `mkt instruments --search NAME`."),
}
PARAMETERS = {"50014", "50015", "50016", "50024", "50025", "50039", "51000"}


def refuse(response: Response) -> MarketError | None:
    """What an answer that is an error means, whatever its status; None leaves it to be judged by that."""
    try:
        said: Refusal = decode_json(response.body, Refusal, what="OKX")
    except MarketError:
        return None
    if said.code in REFUSALS:
        kind, sentence, hint = REFUSALS[said.code]
        return kind(sentence, hint=hint)
    if said.code in PARAMETERS:
        return UsageError(f"OKX does not take this question (error {said.code}: {clean(said.msg)}).")
    if said.code == "0" or response.status >= 400:  # noqa: PLR2004 - what a gateway says, its status says better
        return None
    return unexpected("OKX", code=clean(said.code), text=said.msg)


def source(query: Query) -> str:
    """How errors name where an answer came from."""
    return f"OKX {query.market} {query.dataset.title}"
