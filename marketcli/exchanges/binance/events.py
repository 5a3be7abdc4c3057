"""What Binance's streams send: wire shapes of events and their decoders.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams and the pages
"WebSocket Market Streams" of USD-M and COIN-M futures beside it, read in 2026.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from marketcli.exchanges.binance.market import Merged, merged_row
from marketcli.exchanges.binance.rest import CANDLE, INVERSE_CANDLE, source
from marketcli.models import Market
from marketcli.spec import Amount, Count, decode_json, micros, number_or_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketcli.spec import Decode, Query, Rows

Row: TypeAlias = Callable[[Any, str], tuple[object, ...]]  # from an event, and how errors name where it came from

# Since 2026-06-30 streams about all instruments push both kinds of futures on both hosts, told apart by `st`. Events
# that do not say are of the host's own kind.
UNSAID = 0
FAMILIES: Mapping[Market, int] = {Market.LINEAR: 1, Market.INVERSE: 2}


def ours(family: int, query: Query) -> bool:
    """Whether an event is of the market that was asked about."""
    return family in {UNSAID, FAMILIES.get(query.market, UNSAID)}


def one(shape: Any, row: Row) -> Decode:
    """The decoder of frames that hold an event of an instrument."""

    def decode(raw: bytes, query: Query) -> Rows:
        what = source(query)
        return [row(decode_json(raw, shape, what=what), what)]

    return decode


def several(shape: Any, row: Row) -> Decode:
    """The decoder of frames that hold a list of events, whose rows begin with the instrument's name."""
    shapes = list[shape]

    def decode(raw: bytes, query: Query) -> Rows:
        what = source(query)
        return [(x.s, *row(x, what)) for x in decode_json(raw, shapes, what=what) if ours(x.st, query)]

    return decode


# --- trades: <symbol>@aggTrade

TAPE = "The stream of Binance trades"


def trade(raw: bytes, _: Query) -> Rows:
    """A merged trade, in the shape that REST answers with, too; the hot path, so its name is settled before."""
    x: Merged = decode_json(raw, Merged, what=TAPE)
    return [merged_row(micros(x.T, what=TAPE), x)]


# --- candles: <symbol>@kline_<interval>


class Kline(msgspec.Struct, frozen=True):
    """A candle; COIN-M counts contracts where the others count base, and base for quote."""

    t: Count
    o: Amount
    h: Amount
    low: Amount = msgspec.field(name="l")
    c: Amount
    v: Amount
    q: Amount
    n: Count
    V: Amount
    Q: Amount
    x: bool


class KlineEvent(msgspec.Struct, frozen=True):
    """A candle as it is, or as it was when it closed (`x`)."""

    k: Kline


STREAMED_CANDLE = (*CANDLE, "closed")
STREAMED_INVERSE_CANDLE = (*INVERSE_CANDLE, "closed")


def candle(found: KlineEvent, what: str) -> tuple[object, ...]:
    """A candle of spot or USD-M."""
    k = found.k
    return micros(k.t, what=what), k.o, k.h, k.low, k.c, k.v, k.q, k.n, k.V, k.x


def inverse_candle(raw: bytes, query: Query) -> Rows:
    """A candle of COIN-M: contracts kept beside the base volume, and their face value as the quote volume."""
    what, size = source(query), query.instrument.contract_size if query.instrument else 1.0
    k: Kline = decode_json(raw, KlineEvent, what=what).k
    return [(micros(k.t, what=what), k.o, k.h, k.low, k.c, k.q, k.v * size, k.n, k.Q, k.v, k.x)]


# --- tickers: <symbol>@ticker, !ticker@arr, !miniTicker@arr, <symbol>@bookTicker


class Mini(msgspec.Struct, frozen=True, kw_only=True):
    """The last 24 hours in short; prices are 0 where there was no trade."""

    s: str
    E: Count
    c: Amount
    o: Amount
    h: Amount
    low: Amount = msgspec.field(name="l")
    v: Amount
    q: Amount
    st: int = UNSAID


class Day(Mini, frozen=True, kw_only=True):
    """The last 24 hours; `C` is their end. COIN-M counts contracts in `v` and base in `q`."""

    C: Count
    n: Count


class Best(msgspec.Struct, frozen=True, kw_only=True):
    """The best of a book; prices are 0 on a side that is empty. COIN-M counts contracts."""

    b: Amount
    B: Amount
    a: Amount
    A: Amount


class SpotDay(Day, frozen=True, kw_only=True):
    """The last 24 hours of a spot instrument, with the best of its book."""

    b: Amount
    B: Amount
    a: Amount
    A: Amount


class BestEvent(Best, frozen=True, kw_only=True):
    """The best of a contract's book at the time of its last change; spot's has no time."""

    T: Count


PRICES = ("time", "last", "open", "high", "low")
MINI = (*PRICES, "volume_base", "volume_quote")
LINEAR_DAY = (*PRICES, "trades", "volume_base", "volume_quote")
INVERSE_DAY = (*PRICES, "trades", "volume_base", "volume_contracts")
SPOT_DAY = (*LINEAR_DAY, "bid", "bid_size", "ask", "ask_size")
BEST = ("time", "bid", "bid_size", "ask", "ask_size")
INVERSE_BEST = ("time", "bid", "bid_contracts", "ask", "ask_contracts")


def prices(x: Mini) -> tuple[float | None, ...]:
    """Last, open, high and low, where there are any."""
    return tuple(price or None for price in (x.c, x.o, x.h, x.low))


def sides(x: Best | SpotDay) -> tuple[float | None, ...]:
    """Both sides of a book; nothing where nobody offers."""
    bid = (x.b, x.B) if x.b else (None, None)
    return (*bid, x.a, x.A) if x.a else (*bid, None, None)


def mini(x: Mini, what: str) -> tuple[object, ...]:
    """A short ticker of spot."""
    return micros(x.E, what=what), *prices(x), x.v, x.q


def linear_day(x: Day, what: str) -> tuple[object, ...]:
    """A ticker of USD-M."""
    return micros(x.C, what=what), *prices(x), x.n, x.v, x.q


def inverse_day(x: Day, what: str) -> tuple[object, ...]:
    """A ticker of COIN-M."""
    return micros(x.C, what=what), *prices(x), x.n, x.q, x.v


def spot_day(x: SpotDay, what: str) -> tuple[object, ...]:
    """A ticker of spot."""
    return *linear_day(x, what), *sides(x)


def best(x: BestEvent, what: str) -> tuple[object, ...]:
    """The best of a contract's book."""
    return micros(x.T, what=what), *sides(x)


# --- funding: <symbol>@markPrice@1s, !markPrice@arr@1s


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Mark, index and the coming funding; dated and settled contracts have a `T` of 0, and an `r` of 0 or none."""

    s: str
    E: Count
    p: str
    i: str = ""  # COIN-M frames lacked it before 2026
    r: str = ""
    T: Count
    st: int = UNSAID


FUNDING = ("time", "mark", "index", "rate", "next_time")


def mark(x: Mark, what: str) -> tuple[object, ...]:
    """Mark, index and the coming funding, if anything is settled."""
    rate = number_or_none(x.r, what=what) if x.T else None
    coming = micros(x.T, what=what) if x.T else None
    shown = (number_or_none(price, what=what) for price in (x.p, x.i))
    return micros(x.E, what=what), *shown, rate, coming


# --- liquidations: <symbol>@forceOrder, !forceOrder@arr


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The order that closed a position: `ap` and `z` are what it came to, `p` and `q` what it was sent with."""

    s: str
    S: Literal["BUY", "SELL"]
    p: Amount
    q: Amount
    ap: Amount = 0.0
    z: Amount = 0.0
    T: Count
    st: int = UNSAID


class ForceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A liquidation; `st` stands here in the documentation, and in the order in frames of October 2026."""

    o: Order
    st: int = UNSAID


LIQUIDATION = ("time", "liquidated", "price", "size")
INVERSE_LIQUIDATION = ("time", "liquidated", "price", "size_contracts")


def liquidation(found: ForceOrder, what: str) -> tuple[object, ...]:
    """A liquidation: whom a SELL closed was long."""
    x = found.o
    return micros(x.T, what=what), "long" if x.S == "SELL" else "short", x.ap or x.p, x.z or x.q


def any_liquidation(raw: bytes, query: Query) -> Rows:
    """A liquidation of whatever instrument, unless it is one of the other kind of futures."""
    what = source(query)
    found: ForceOrder = decode_json(raw, ForceOrder, what=what)
    return [(found.o.s, *liquidation(found, what))] if ours(found.st or found.o.st, query) else []
