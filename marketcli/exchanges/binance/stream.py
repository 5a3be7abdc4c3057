"""Binance's sockets: addresses, messages, and how frames are told apart.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams, and for futures the pages
"WebSocket Market Streams" and "Important WebSocket Change Notice" (2026-03-06: the addresses of USD-M are split).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.errors import CutBody, DecodeError, MalformedBody
from marketcli.spec import Control, Socket, decode_json, micros
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from marketcli.models import Micros
    from marketcli.spec import Push

CONNECTIONS = "stream connections"
LIFE = timedelta(hours=24)


# --- frames


class Pushed(msgspec.Struct, frozen=True, gc=False):
    """A frame of data, as addresses that end in /stream wrap it."""

    stream: str
    data: msgspec.Raw


class Failure(msgspec.Struct, frozen=True):
    """Why a message of ours was refused."""

    code: int
    msg: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What a message of ours is answered with; errors stand in it or in an `error` of it."""

    id: int | str | None = None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: int | None = None
    msg: str = ""
    error: Failure | None = None


PUSHED = msgspec.json.Decoder(Pushed)
LEAVING = "!serverShutdown"
WHAT = "A stream of Binance"


def read(frame: bytes) -> Push | Control:
    """Tell frames apart: data first, for nearly all are."""
    try:
        found = PUSHED.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return control(frame)
    if found.stream == LEAVING:
        return Control("leaving", text=LEAVING.removeprefix("!"))
    return found.stream, found.data


def control(frame: bytes) -> Control:
    """A frame without data. Raises `MalformedBody` or `DecodeError` for what is none of Binance's."""
    try:
        found: Answer = decode_json(frame, Answer, what=WHAT)
    except CutBody as error:
        raise MalformedBody(str(error)) from None
    number = found.id if isinstance(found.id, int) else None
    if found.error is not None or found.code is not None:
        return Control("refused", number, text=clean(found.msg if found.error is None else found.error.msg))
    if found.result is msgspec.UNSET:
        raise DecodeError(f"{WHAT} sent something that is neither data nor an answer.")
    return Control("accepted" if bytes(found.result) == b"null" else "other", number)


class Stamped(msgspec.Struct, frozen=True):
    """An event, and when it was sent; the best of spot's books does not say."""

    E: int | None = None


class Sent(msgspec.Struct, frozen=True):
    """A frame of data of which only that is asked."""

    data: Stamped | list[Stamped]


def sent(frame: bytes) -> Micros | None:
    """When a frame of data was sent."""
    try:
        found: Sent = decode_json(frame, Sent, what=WHAT)
        event = found.data if isinstance(found.data, Stamped) else next(iter(found.data), Stamped())
        return None if event.E is None else micros(event.E, what=WHAT)
    except (CutBody, MalformedBody, DecodeError):
        return None


def subscribe(topics: Sequence[str], number: int) -> str:
    """The message that asks for topics."""
    return msgspec.json.encode({"method": "SUBSCRIBE", "params": list(topics), "id": number}).decode()


# --- sockets


def socket(url: str, *, busy: str, busy_seconds: float, messages: int) -> Socket:
    """An address; of the messages a second that Binance permits, two are left for pings and pongs."""
    known: dict[str, Any] = {"subscribe": subscribe, "read": read, "sent": sent, "opening": CONNECTIONS, "life": LIFE}
    return Socket(url, busy=busy, busy_seconds=busy_seconds, messages=(messages, 1.0), **known)


SPOT_MESSAGES, FUTURES_MESSAGES = 3, 8


def sockets(spot: str, linear: str, inverse: str) -> Mapping[str, Socket]:
    """The four addresses of an installation: since 2026-04-23 books of USD-M come from another one than the rest."""
    candle, book = "btcusdt@kline_1m", "btcusdt@bookTicker"
    return {
        "spot": socket(f"{spot}/stream", busy="btcusdt@kline_1s", busy_seconds=1.0, messages=SPOT_MESSAGES),
        "linear": socket(f"{linear}/market/stream", busy=candle, busy_seconds=0.25, messages=FUTURES_MESSAGES),
        "linear books": socket(f"{linear}/public/stream", busy=book, busy_seconds=0.25, messages=FUTURES_MESSAGES),
        "inverse": socket(
            f"{inverse}/stream", busy="btcusd_perp@bookTicker", busy_seconds=0.5, messages=FUTURES_MESSAGES
        ),
    }


SOCKETS = sockets("wss://stream.binance.com:9443", "wss://fstream.binance.com", "wss://dstream.binance.com")
TESTNET_SOCKETS = sockets(
    "wss://stream.testnet.binance.vision", "wss://demo-fstream.binance.com", "wss://demo-dstream.binance.com"
)
