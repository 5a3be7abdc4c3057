"""Hyperliquid's streams: one address for the main exchange, builders' and spot; its messages, decoders, channels.

Sources: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket, its pages about subscriptions,
heartbeats and limits, read in 2026; errors as they were observed in 2026.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Generic, TypeVar, cast

import msgspec

from marketcli.datasets import FUNDING, OHLC, OI, TICKER, TRADES, Dataset
from marketcli.errors import CutBody, MalformedBody
from marketcli.exchanges.hyperliquid import derivatives, market, rest
from marketcli.models import Market
from marketcli.spec import Budget, Channel, Control, Query, Socket, decode_json, micros, plain
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marketcli.spec import Decode, Push, Rows

T = TypeVar("T")

DOCS = "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions"
WHAT = "Hyperliquid's stream"


# --- subscriptions, and the topics that stand for them: trades:BTC, candle:1m:xyz:TSLA, activeAssetCtx:@107


class Subscription(msgspec.Struct, frozen=True):
    """What is subscribed to, as the exchange repeats it; it fills defaults in."""

    type: str = ""
    coin: str = ""
    interval: str = ""


class Asked(msgspec.Struct, frozen=True):
    """A request about a subscription, as an acknowledgement has it."""

    method: str
    subscription: Subscription


class Repeated(Subscription, frozen=True):
    """A subscription, or the message that it came in."""

    subscription: Subscription | None = None


def topic_of(one: Subscription) -> str:
    """The topic of a subscription; an interval stands before the coin, which may have a colon of its own."""
    return ":".join(part for part in (one.type, one.interval, one.coin) if part)


def subscribe(topics: Sequence[str], _: int) -> str:
    """The message that asks for a topic; each takes one of its own, and requests have no numbers."""
    (topic,) = topics
    kind, coin = topic.split(":", 1)
    named = {"type": kind}
    if kind == "candle":
        named["interval"], coin = coin.split(":", 1)
    return msgspec.json.encode({"method": "subscribe", "subscription": named | {"coin": coin}}).decode()


def about(kind: str) -> Callable[[Query], str]:
    """The topics of a type of subscription, by coin."""
    return lambda query: f"{kind}:{rest.coin(query)['coin']}"


def candle_topic(query: Query) -> str:
    """The topic of candles."""
    if query.interval is None:
        raise TypeError("candles need an interval")
    return f"candle:{rest.INTERVALS[query.interval]}:{rest.coin(query)['coin']}"


# --- frames


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What every frame is."""

    channel: str
    data: msgspec.Raw = msgspec.Raw(b"null")


class Coined(msgspec.Struct, frozen=True):
    """Whatever is about a coin."""

    coin: str


class Titled(msgspec.Struct, frozen=True, rename={"coin": "s", "interval": "i"}):
    """What a candle is of."""

    coin: str
    interval: str


# What a new connection may begin with, the one message that is not JSON.
# (https://github.com/hyperliquid-dex/hyperliquid-python-sdk/blob/master/hyperliquid/websocket_manager.py)
GREETING = b"Websocket connection established."

# Channels whose data name a coin, and the subscription that they belong to: perpetuals and spot share one.
TYPES = {
    "trades": "trades",
    "activeAssetCtx": "activeAssetCtx",
    "activeSpotAssetCtx": "activeAssetCtx",
    "bbo": "bbo",
    "l2Book": "l2Book",
}
# The coin as it nearly always comes: first in its object, and plain. What looks otherwise is decoded to find it.
first_coin = re.compile(rb'[\s\[{]*"coin"\s*:\s*"([!#-\[\]-~]+)"').match

envelope_of = msgspec.json.Decoder(Envelope, strict=False).decode
COINED = msgspec.json.Decoder(Coined | list[Coined], strict=False)
TITLED = msgspec.json.Decoder(Titled, strict=False)
ASKED = msgspec.json.Decoder(Asked, strict=False)
TEXT = msgspec.json.Decoder(str)


def read(frame: bytes) -> Push | Control:
    """A frame's topic and data, or what it says beside data. Raises `MalformedBody` and `DecodeError`."""
    try:
        envelope = envelope_of(frame)
    except rest.UNREADABLE:
        if frame == GREETING:
            return Control("other")
        envelope = envelope_or_error(frame)
    channel, data = envelope.channel, envelope.data
    kind = TYPES.get(channel)
    if kind is not None:
        found = first_coin(data)
        return (f"{kind}:{found[1].decode()}", data) if found else searched(kind, data)
    if channel == "candle":
        one = rest.told(data, TITLED, what=WHAT)
        return f"candle:{one.interval}:{one.coin}", data
    if channel == "subscriptionResponse":
        asked = rest.told(data, ASKED, what=WHAT)
        return Control("accepted" if asked.method == "subscribe" else "other", topic=topic_of(asked.subscription))
    if channel == "error":
        return error(rest.told(data, TEXT, what=WHAT))
    return Control("other") if channel == "pong" else (channel, data)


def envelope_or_error(frame: bytes) -> Envelope:
    """What is wrong with a frame; nothing is cut off, because messages come whole."""
    try:
        return cast("Envelope", decode_json(frame, Envelope, what=WHAT))
    except CutBody as error:
        raise MalformedBody(str(error)) from None


def searched(kind: str, data: msgspec.Raw) -> Push | Control:
    """Data whose coin stands somewhere else; an empty list is about nothing."""
    found = rest.told(data, COINED, what=WHAT)
    every = found if isinstance(found, list) else [found]
    return (f"{kind}:{every[0].coin}", data) if every else Control("other")


def error(text: str) -> Control:
    """What an error says of a subscription, which it repeats, alone or as the message that it came in."""
    if text.startswith("Already unsubscribed"):
        return Control("other", text=clean(text))
    topic = topic_of(repeated(text[text.find("{") :]))
    return Control("accepted" if text.startswith("Already subscribed") else "refused", topic=topic, text=clean(text))


def repeated(text: str) -> Subscription:
    """The subscription in a message of ours; an empty one if there is none."""
    try:
        found = msgspec.json.decode(text, type=Repeated)
    except rest.UNREADABLE:
        return Subscription()
    return found.subscription or found


# --- rows


class State(msgspec.Struct, Generic[T], frozen=True):
    """How an instrument stands; its coin is in the topic."""

    ctx: T


CANDLE = msgspec.json.Decoder(rest.Candle, strict=False)
PERPETUAL = msgspec.json.Decoder(State[derivatives.Context], strict=False)
SPOT = msgspec.json.Decoder(State[market.SpotState], strict=False)
CANDLE_COLUMNS = (*rest.CANDLE, "closed")


def candle(body: bytes, query: Query) -> Rows:
    """The candle that trades are made in, or the last word about the one before; which of both it does not say."""
    what = rest.source(query)
    one = rest.told(body, CANDLE, what=what)
    return [(micros(one.time, what=what), *rest.values(one), None)]


def state(decoder: msgspec.json.Decoder[State[T]], row: Callable[[T], tuple[float | None, ...]]) -> Decode:
    """What a dataset takes from the state of an instrument."""
    return lambda body, query: [row(rest.told(body, decoder, what=rest.source(query)).ctx)]


# --- channels

SPOT_AND_LINEAR, LINEAR = frozenset({Market.SPOT, Market.LINEAR}), frozenset({Market.LINEAR})
STATE_SECONDS = 5.0  # measured: one each second; the oracle itself speaks every three


def standing(
    dataset: Dataset, decode: Decode, columns: tuple[str, ...], *, fill: dict[str, object], note: str = ""
) -> Channel:
    """A dataset from the state of a perpetual, which carries no time of its own."""
    return Channel(
        dataset,
        "public",
        about("activeAssetCtx"),
        plain(decode),
        columns[1:],  # without the name, which is in the topic
        DOCS,
        markets=LINEAR,
        cadence=STATE_SECONDS,
        fill=fill,
        note=note,
    )


CHANNELS = (
    Channel(TRADES, "public", about("trades"), plain(market.trades), market.TRADE, DOCS, SPOT_AND_LINEAR, delay=0.5),
    Channel(OHLC, "public", candle_topic, plain(candle), CANDLE_COLUMNS, DOCS, SPOT_AND_LINEAR, delay=1.0),
    standing(
        FUNDING,
        state(PERPETUAL, derivatives.coming),
        derivatives.FUNDING_NOW,
        fill={**derivatives.AT_NOW, **derivatives.SETTLED_HOURLY},
    ),
    standing(OI, state(PERPETUAL, derivatives.opened), derivatives.INTEREST, fill={**derivatives.AT_NOW}),
    standing(TICKER, state(PERPETUAL, derivatives.day), derivatives.TICKER, fill={}, note=market.NO_EXTREMES),
    # Of a pair that nobody trades nothing changes: whether its state is repeated is not documented.
    Channel(
        TICKER,
        "public",
        about("activeAssetCtx"),
        plain(state(SPOT, market.spot_day)),
        market.SPOT_TICKER[1:],
        DOCS,
        markets=frozenset({Market.SPOT}),
        note=market.NO_EXTREMES,
    ),
)

# Per address: 10 connections, 30 new ones and 2,000 messages a minute, 1,000 subscriptions on all of them together.
OPENING = Budget("stream connections", limit=30, seconds=60)


def socket(host: str) -> Socket:
    """The one address of an installation. What it sends does not say when it was sent."""
    return Socket(
        f"wss://{host}/ws",
        subscribe,
        read,
        sent=lambda _: None,
        opening=OPENING.name,
        busy="activeAssetCtx:BTC",
        busy_seconds=STATE_SECONDS,
        recalls=True,  # the last trades
        topics=200,
        batch=1,
        messages=(30, 1.0),
        ping='{"method":"ping"}',  # it hangs up where it had nothing to send for a minute
        ping_seconds=30.0,
    )
