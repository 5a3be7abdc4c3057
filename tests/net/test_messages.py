"""The short way of messages against the library's own, byte for byte."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, PerMessageDeflate
from websockets.frames import Close, Frame, Opcode
from websockets.uri import parse_uri
from websockets.utils import accept_key

from marketcli.net import defaults
from marketcli.net.messages import Messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST = 100_000
TEXT, BINARY, CONT, PING, CLOSE = Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PING, Opcode.CLOSE
PACKED = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"


class Transport(asyncio.Transport):
    """The way to nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.pongs: list[bytes] = []
        self.reading = True

    def write(self, data: Any) -> None:
        if data[0] == 0x8A:
            size, mask = data[1] & 127, data[2:6]
            self.pongs.append(bytes(byte ^ mask[at % 4] for at, byte in enumerate(data[6 : 6 + size])))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def write_eof(self) -> None: ...

    def can_write_eof(self) -> bool:
        return True

    def abort(self) -> None: ...


class Line:
    """A connection of a kind whose other end the test plays."""

    def __init__(self, kind: type[ClientConnection], *, packed: bool = False) -> None:
        extensions = [ClientPerMessageDeflateFactory()] if packed else None
        self.protocol = ClientProtocol(parse_uri("ws://exchange/"), max_size=LARGEST, extensions=extensions)
        self.connection = kind(self.protocol, ping_interval=None, close_timeout=0.1, max_queue=None)
        self.transport = Transport()
        self.connection.connection_made(self.transport)
        self.greeting = asyncio.ensure_future(self.connection.handshake())
        self.packed = packed

    async def answer(self) -> bytes:
        """What accepts the handshake."""
        await asyncio.sleep(0)
        lines = (
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{PACKED * self.packed}"
        )
        return f"{lines}Sec-WebSocket-Accept: {accept_key(self.protocol.key)}\r\n\r\n".encode()

    async def hear(self, chunks: Iterator[bytes] | Sequence[bytes]) -> tuple[list[bytes], Any, Any, list[bytes]]:
        """Messages, close codes and pongs after all of this has come and the line was cut."""
        for chunk in chunks:
            self.connection.data_received(chunk)
        await self.greeting
        if self.protocol.state.name != "CLOSED":
            self.connection.eof_received()
        self.connection.connection_lost(None)
        found: list[bytes] = []
        try:
            while True:
                found.append(await self.connection.recv(decode=False))
        except ConnectionClosed as error:
            return found, error.rcvd, error.sent, self.transport.pongs


def cut(data: bytes, chance: random.Random) -> Iterator[bytes]:
    """The same bytes in pieces: single ones, some, many."""
    while data:
        size = chance.choice([1, 2, 3, 7, 100, 5_000, len(data)])
        yield data[:size]
        data = data[size:]


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


def traffic(chance: random.Random) -> bytes:
    """Some dozens of frames of all kinds, and some end."""
    parts = []
    for _ in range(chance.randrange(40)):
        size = chance.choice([0, 1, 2, 124, 125, 126, 127, 200, 3_000, 65_535, 65_536, 70_000])
        data = chance.randbytes(size)
        kind = chance.choice(["text"] * 6 + ["binary", "parts", "ping"])
        if kind == "parts":
            third = size // 3
            parts.append(frame(chance.choice([TEXT, BINARY]), data[:third], fin=False))
            parts.append(frame(CONT, data[third : 2 * third], fin=False))
            parts.append(frame(PING, b"between") if chance.random() < 0.5 else b"")
            parts.append(frame(CONT, data[2 * third :]))
        else:
            parts.append(
                frame({"text": TEXT, "binary": BINARY, "ping": PING}[kind], data[:125] if kind == "ping" else data)
            )
    return b"".join(parts) + chance.choice(ENDS)


ENDS = (
    b"",
    frame(TEXT, b"never whole")[:-2],
    frame(TEXT, b"x" * 300)[:3],
    frame(CLOSE, Close(1012, "restart").serialize()),
    frame(CLOSE, Close(1000, "").serialize()) + frame(TEXT, b"after the end"),
    frame(CLOSE, b""),
    frame(TEXT, b"y" * (LARGEST + 1)) + frame(TEXT, b"behind"),
    frame(TEXT, b"open", fin=False) + frame(TEXT, b"breaks in") + frame(TEXT, b"behind"),
    frame(CONT, b"of nothing") + frame(TEXT, b"behind"),
    Frame(TEXT, b"masked").serialize(mask=True) + frame(TEXT, b"behind"),
    b"\xc1\x01x" + frame(TEXT, b"behind"),  # a reserved bit
    b"\x83\x01x" + frame(TEXT, b"behind"),  # no such opcode
)


@pytest.mark.parametrize("seed", range(150))
def test_messages_closes_and_pongs_are_the_librarys_however_bytes_are_cut(seed: int) -> None:
    async def heard(kind: type[ClientConnection], chance: random.Random) -> Any:
        line = Line(kind)
        return await line.hear(list(cut(await line.answer() + data, chance)))

    data = traffic(random.Random(seed))
    expected = asyncio.run(heard(ClientConnection, random.Random(seed)))
    for again in range(3):
        assert asyncio.run(heard(Messages, random.Random(seed + 1_000 * again))) == expected


def test_a_handshake_that_comes_in_two_is_followed_by_frames() -> None:
    async def heard(before_frames: int) -> list[bytes]:
        line = Line(Messages)
        answer, tricky = await line.answer(), frame(TEXT, b"no frame")
        whole = answer + frame(TEXT, b"first") + frame(TEXT, b"second: " + tricky)
        at = len(answer) - before_frames
        return (await line.hear([whole[:at], whole[at : -len(tricky)], tricky]))[0]

    for before_frames in range(5):
        assert asyncio.run(heard(before_frames)) == [b"first", b"second: " + frame(TEXT, b"no frame")]


def test_packed_messages_are_left_to_the_library() -> None:
    async def heard() -> Any:
        line = Line(Messages, packed=True)
        pack = PerMessageDeflate(
            remote_no_context_takeover=False,
            local_no_context_takeover=True,
            remote_max_window_bits=15,
            local_max_window_bits=15,
        )
        frames = [Frame(TEXT, text).serialize(mask=False, extensions=[pack]) for text in (b"one" * 99, b"two" * 99)]
        return await line.hear(list(cut(await line.answer() + b"".join(frames), random.Random(1))))

    assert asyncio.run(heard())[0] == [b"one" * 99, b"two" * 99]


def test_an_exchange_waits_for_who_is_slow() -> None:
    async def script() -> None:
        line = Line(Messages)
        line.connection.data_received(await line.answer())
        await line.greeting
        many = 2 * defaults.FRAMES_WAITING
        line.connection.data_received(frame(TEXT, b"tick") * many)
        assert not line.transport.reading
        for _ in range(many):
            assert await line.connection.recv(decode=False) == b"tick"
        assert line.transport.reading

    asyncio.run(script())


def test_who_waits_hears_of_the_end() -> None:
    async def script() -> None:
        line = Line(Messages)
        line.connection.data_received(await line.answer())
        await line.greeting
        waiting = asyncio.ensure_future(line.connection.recv(decode=False))
        await asyncio.sleep(0)
        line.connection.data_received(frame(TEXT, b"last"))
        assert await waiting == b"last"
        waiting = asyncio.ensure_future(line.connection.recv(decode=False))
        await asyncio.sleep(0)
        line.connection.connection_lost(None)
        with pytest.raises(ConnectionClosed):
            await waiting

    asyncio.run(script())


def test_what_comes_while_we_say_goodbye_is_still_read() -> None:
    async def script() -> None:
        line = Line(Messages)
        line.connection.data_received(await line.answer())
        await line.greeting
        both = frame(TEXT, b"cut in two") + frame(CLOSE, Close(1000, "bye").serialize())
        line.connection.data_received(both[:5])
        line.protocol.send_close(1000)
        line.connection.data_received(both[5:])
        assert (await line.hear([]))[:2] == ([b"cut in two"], Close(1000, "bye"))

    asyncio.run(script())


def test_a_refused_handshake_is_the_librarys() -> None:
    async def script(kind: type[ClientConnection]) -> Any:
        line = Line(kind)
        await asyncio.sleep(0)
        body = b'{"code":-1003,"msg":"banned"}\r\n\r\n'
        whole = b"HTTP/1.1 418 Teapot\r\nContent-Length: %d\r\nRetry-After: 7\r\n\r\n%b" % (len(body), body)
        for chunk in cut(whole, random.Random(3)):
            line.connection.data_received(chunk)
        with pytest.raises(Exception, match="418") as caught:
            await line.greeting
        error: Any = caught.value
        return error.response.status_code, error.response.body, error.response.headers["Retry-After"]

    assert asyncio.run(script(Messages)) == asyncio.run(script(ClientConnection))
