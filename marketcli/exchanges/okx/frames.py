"""What goes over OKX's sockets: requests, frames and events, and the sockets themselves.

Source: https://www.okx.com/docs-v5/en/#overview-websocket, read in 2026. A topic is a channel and what it is about:
`trades-all:BTC-USDT`, `liquidation-orders:SWAP`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from marketcli.errors import CutBody, DecodeError, MalformedBody
from marketcli.spec import Budget, Control, Count, Socket, decode_json, decoder, micros
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.models import Micros
    from marketcli.spec import Push

WHAT = "OKX's stream"
FORCED = "liquidation-orders"


class Argument(msgspec.Struct, frozen=True, rename="camel"):
    """A channel, and the instrument, index or type of instruments it is about."""

    channel: str
    inst_id: str = ""
    inst_type: str = ""


NOTHING = msgspec.Raw(b"")


class Frame(msgspec.Struct, frozen=True, rename="camel"):
    """Everything OKX sends but the answer to a ping: data of `arg`, or an event."""

    arg: Argument | None = None
    data: msgspec.Raw = NOTHING
    event: str = ""
    id: str = ""
    code: str = ""
    msg: str = ""


FRAME: msgspec.json.Decoder[Frame] = decoder(Frame)
PONG = Control("other", text="pong")
LEAVING = "64008"
# What an error says of the channel that it is about; frames have no other place for it.
NAMED = re.compile(r"channel:([\w-]+),inst(?:Id|Type):(\S+) doesn't exist", re.ASCII)
NUMBER = re.compile(r"[0-9]{1,9}")  # of a request


def read(frame: bytes) -> Push | Control:
    """The topic and the data of a frame, or what it says. Raises `MalformedBody` or `DecodeError`."""
    try:
        said = FRAME.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if frame == b"pong":
            return PONG
        said = doubtful(frame)
    arg = said.arg
    if said.event:
        return event(said)
    if arg is None or not said.data:
        raise DecodeError(f"{WHAT} sent a frame that is neither data nor an event.")
    return f"{arg.channel}:{arg.inst_id or arg.inst_type}", said.data


def doubtful(frame: bytes) -> Frame:
    """A frame that was no such thing at first sight; a message comes whole, so none is cut."""
    try:
        found: Frame = decode_json(frame, Frame, what=WHAT)
    except CutBody as error:
        raise MalformedBody(error.message) from None
    return found


def event(said: Frame) -> Control:
    """What a frame without data says; every channel of a request is acknowledged or refused by itself."""
    text = clean(said.msg)
    if said.event == "subscribe" and said.arg is not None:
        return Control("accepted", topic=f"{said.arg.channel}:{said.arg.inst_id or said.arg.inst_type}")
    if said.event == "error":
        if named := NAMED.search(said.msg):
            return Control("refused", topic=":".join(named.groups()), text=text)
        return Control("refused", request=int(said.id) if NUMBER.fullmatch(said.id) else None, text=text)
    return Control("leaving" if (said.event, said.code) == ("notice", LEAVING) else "other", text=text)


def subscribe(topics: Sequence[str], number: int) -> str:
    """The message that asks for topics."""
    args = []
    for topic in topics:
        channel, _, name = topic.partition(":")
        args.append({"channel": channel, "instType" if channel == FORCED else "instId": name})
    return msgspec.json.encode({"id": str(number), "op": "subscribe", "args": args}).decode()


class Stamped(msgspec.Struct, frozen=True):
    """Something that has a time."""

    ts: Count


ANEW = ("mark-price:", "index-tickers:")  # found ever anew: their time is that of sending


def sent(frame: bytes) -> Micros | None:
    """When prices were found that are sent at once; OKX does not say when it sends, and events may be older."""
    found = read(frame)
    if isinstance(found, Control) or not found[0].startswith(ANEW):
        return None
    items: list[Stamped] = decode_json(found[1], list[Stamped], what=WHAT)
    return micros(items[-1].ts, what=WHAT) if items else None


OPENING = Budget("stream connections", limit=3, seconds=1)


def socket(host: str, path: str, busy: str) -> Socket:
    """One address. What proves life is about an index, because every site has those, whatever it lists."""
    return Socket(
        f"wss://{host}:8443/ws/v5/{path}",
        subscribe,
        read,
        sent,
        opening=OPENING.name,
        busy=f"{busy}:BTC-USD",
        busy_seconds=1.0,
        topics=200,
        batch=200,  # of 75 bytes each, where 64 KiB may come at once
        messages=(480, 3_600.0),
        ping="ping",
        ping_seconds=20.0,  # after 30 without a word OKX hangs up
    )


def sockets(host: str) -> dict[str, Socket]:
    """Both addresses of a site: candles and single trades come from the second."""
    return {
        "public": socket(host, "public", "index-tickers"),
        "business": socket(host, "business", "index-candle1m"),
    }
