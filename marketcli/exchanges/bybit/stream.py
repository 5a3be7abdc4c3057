"""Bybit v5 streams: the frames of all markets, decoded.

Sources: https://bybit-exchange.github.io/docs/v5/ws/connect and https://bybit-exchange.github.io/docs/v5/websocket/public/
trade, kline, ticker and all-liquidation, read in 2026. The channels that carry them stand in `channels`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import msgspec

from marketcli.errors import CutBody, DecodeError, MalformedBody
from marketcli.exchanges.bybit import derivatives, market
from marketcli.exchanges.bybit.rest import Blank  # noqa: TC001 - msgspec reads it
from marketcli.models import GENESIS, MILLISECOND
from marketcli.spec import LATEST_STAMP, Amount, Control, Push, Real, decode_json
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marketcli.models import Micros
    from marketcli.spec import Decode, Query, Rows

# Milliseconds: streams have no other unit, and checking it here costs nothing.
Stamp = Annotated[int, msgspec.Meta(ge=GENESIS // MILLISECOND, lt=LATEST_STAMP // MILLISECOND)]


def reader(shape: Any, *, what: str) -> Callable[[bytes], Any]:
    """A decoder of a wire shape; it raises `DecodeError` or `MalformedBody`, and `what` names the stream in them."""
    decode = msgspec.json.Decoder(shape, strict=False).decode

    def read_shape(data: bytes) -> Any:
        try:
            return decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            try:
                return decode_json(bytes(data), shape, what=what)  # fails again, in words for users
            except CutBody as error:  # messages come whole
                raise MalformedBody(error.message) from None

    return read_shape


# --- frames: https://bybit-exchange.github.io/docs/v5/ws/connect


class Envelope(msgspec.Struct, gc=False):
    """What data come in; answers have no topic."""

    topic: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class Stamped(msgspec.Struct, gc=False):
    """When a frame of data was sent."""

    ts: Stamp | None = None


class Said(msgspec.Struct, gc=False):
    """The answer to a message; that to a ping says `ping` again."""

    success: bool
    op: str = ""
    ret_msg: str = ""
    req_id: str = ""


STREAM = "Bybit's stream"
envelope = reader(Envelope, what=STREAM)
stamped = reader(Stamped, what=STREAM)
answer = reader(Said, what=STREAM)

PING = '{"op":"ping"}'
DIGITS = 9  # of a request's number


def read(frame: bytes) -> Push | Control:
    """The topic of a frame and its data; of a ticker the whole frame, because its kind and time stand beside them."""
    found: Envelope = envelope(frame)
    if not found.topic:
        return control(frame)
    if found.topic.startswith("tickers."):
        return found.topic, msgspec.Raw(frame)
    return found.topic, found.data


def control(frame: bytes) -> Control:
    """What an answer says; a request is refused as a whole, even if only one of its topics is wrong."""
    said: Said = answer(frame)
    number = int(said.req_id) if said.req_id.isdecimal() and len(said.req_id) <= DIGITS else None
    if not said.success:
        return Control("refused", number, text=clean(said.ret_msg))
    return Control("accepted" if said.op == "subscribe" else "other", number)


def sent(frame: bytes) -> Micros | None:
    """When Bybit sent a frame."""
    stamp: int | None = stamped(frame).ts
    return None if stamp is None else stamp * MILLISECOND


def subscribe(topics: Sequence[str], number: int) -> str:
    """The message that asks for topics."""
    return msgspec.json.encode({"req_id": str(number), "op": "subscribe", "args": topics}).decode()


# --- trades: https://bybit-exchange.github.io/docs/v5/websocket/public/trade


class Trade(msgspec.Struct, gc=False):
    """A trade; the side is the taker's, the size base or, on inverse, contracts of one dollar."""

    time: Stamp = msgspec.field(name="T")
    id: str = msgspec.field(name="i")
    price: Amount = msgspec.field(name="p")
    side: Literal["Buy", "Sell"] = msgspec.field(name="S")
    size: Amount = msgspec.field(name="v")


TRADE = ("time", "id", "price", "side")
SIDES = {"Buy": "buy", "Sell": "sell"}
trades_in = reader(tuple[Trade, ...], what="Bybit's stream of trades")


def trades(data: bytes, _: Query) -> Rows:
    """Trades in the order they were made."""
    return [(one.time * MILLISECOND, one.id, one.price, SIDES[one.side], one.size) for one in trades_in(data)]


# --- liquidations: https://bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation


class Liquidation(msgspec.Struct, gc=False):
    """A position closed by force; the side is that of the position, so a buyer was long."""

    time: Stamp = msgspec.field(name="T")
    position: Literal["Buy", "Sell"] = msgspec.field(name="S")
    price: Amount = msgspec.field(name="p")
    size: Amount = msgspec.field(name="v")


LIQUIDATION = ("time", "liquidated", "price")
POSITIONS = {"Buy": "long", "Sell": "short"}
liquidations_in = reader(tuple[Liquidation, ...], what="Bybit's stream of liquidations")


def liquidations(data: bytes, _: Query) -> Rows:
    """All liquidations of half a second."""
    return [(one.time * MILLISECOND, POSITIONS[one.position], one.price, one.size) for one in liquidations_in(data)]


# --- candles: https://bybit-exchange.github.io/docs/v5/websocket/public/kline


class Kline(msgspec.Struct, gc=False):
    """A candle: base and quote on spot and linear, dollars (one is a contract) and base on inverse."""

    start: Stamp
    open: Real
    high: Real
    low: Real
    close: Real
    volume: Amount
    turnover: Amount
    confirm: bool


klines_in = reader(tuple[Kline, ...], what="Bybit's stream of candles")


def candles(data: bytes, _: Query) -> Rows:
    """Candles of spot and linear; the frame that closes one holds the next one too."""
    return [
        (k.start * MILLISECOND, k.open, k.high, k.low, k.close, k.volume, k.turnover, k.confirm)
        for k in klines_in(data)
    ]


def inverse_candles(data: bytes, _: Query) -> Rows:
    """Candles of inverse contracts: the turnover is base, and contracts of one dollar are also the quote volume."""
    return [
        (k.start * MILLISECOND, k.open, k.high, k.low, k.close, k.turnover, k.volume, k.volume, k.confirm)
        for k in klines_in(data)
    ]


# --- tickers: https://bybit-exchange.github.io/docs/v5/websocket/public/ticker
# The fields are those of REST. Here those of the book are absent on spot, and those of funding may be.


class SpotTicker(market.Ticker, frozen=True, rename="camel", kw_only=True):
    """An instrument of spot."""

    bid1_price: Blank = None
    bid1_size: Blank = None
    ask1_price: Blank = None
    ask1_size: Blank = None


class ContractTicker(market.ContractTicker, frozen=True, rename="camel", kw_only=True):
    """A contract."""

    bid1_price: Blank = None
    bid1_size: Blank = None
    ask1_price: Blank = None
    ask1_size: Blank = None
    funding_rate: Blank = None
    next_funding_time: Blank = None


class Change(msgspec.Struct):
    """A frame of a ticker: all fields, or those that changed."""

    topic: str
    type: Literal["snapshot", "delta"]
    ts: Stamp
    data: dict[str, Any]


Row: TypeAlias = "Callable[[Any, Micros, Query], tuple[Any, ...]]"
TICKERS = "Bybit's stream of tickers"
changes_in = reader(Change, what=TICKERS)

DAY = frozenset(
    {"lastPrice", "prevPrice24h", "highPrice24h", "lowPrice24h", "volume24h", "turnover24h"}
    | {"bid1Price", "bid1Size", "ask1Price", "ask1Size", "markPrice"}
)
FUNDING = frozenset({"fundingRate", "nextFundingTime", "fundingIntervalHour", "markPrice", "indexPrice"})
OPEN = frozenset({"openInterest", "singleOpenInterest", "markPrice"})


def following(shape: type[market.Ticker], row: Row, fields: frozenset[str]) -> Callable[[], Decode]:
    """Makes decoders of tickers that give a whole row for every frame that says something about `fields`.

    A decoder remembers what snapshots and deltas of its connection said; a delta without a snapshot is worth nothing.
    """

    def fresh() -> Decode:
        known: dict[str, dict[str, Any]] = {}

        def decode(data: bytes, query: Query) -> Rows:
            change: Change = changes_in(data)
            if change.type == "snapshot":
                known[change.topic] = change.data
            elif change.topic not in known:
                return []
            else:
                known[change.topic].update(change.data)
                if fields.isdisjoint(change.data):
                    return []
            return [row(typed(known[change.topic], shape), change.ts * MILLISECOND, query)]

        return decode

    return fresh


def typed(fields: dict[str, Any], shape: type[market.Ticker]) -> market.Ticker:
    """The fields of a ticker as its shape. Raises `DecodeError`."""
    try:
        return msgspec.convert(fields, shape, strict=False)
    except msgspec.ValidationError as error:
        raise DecodeError(f"{TICKERS} sent a field this program cannot trust: {error}.") from None


spot_tickers = following(SpotTicker, market.day, DAY)
contract_tickers = following(ContractTicker, market.contract_day, DAY)
funding = following(ContractTicker, derivatives.funding_of, FUNDING)
interest = following(ContractTicker, derivatives.interest_of, OPEN)
