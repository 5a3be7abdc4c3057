"""The library's connection with a short way for what nearly all frames are: a whole text, neither packed nor huge.

Its parser and the queue behind it cost more than everything else that happens to such a message. All other frames, the
handshake and the end are the library's alone. Imported only by `socket`, because websockets is heavy.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import OPEN, State

from marketcli.net import defaults

if TYPE_CHECKING:
    from websockets.protocol import Event

WHOLE_TEXT = 0x81  # FIN, no reserved bit, opcode 1
TWO_BYTES = 126  # the length that says: it stands in the next two bytes
HEADER = 4  # bytes of it at most, of a frame that goes the short way
HEADERS = {TWO_BYTES: HEADER, 127: 10}  # of others, where the length is not in the second byte
BLANK_LINE = b"\r\n\r\n"


class Messages(ClientConnection):
    """Gives the same messages in the same order as the connection it extends, always as bytes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.greeting = b""  # the last bytes of the handshake so far
        self.rest = b""  # the beginning of a frame
        self.owed = 0  # bytes still to come of a frame that the library reads
        self.parts: bytearray | None = None  # of a message in several frames
        self.messages: deque[bytes] = deque()
        self.ready = asyncio.Event()
        self.held = False

    def data_received(self, data: bytes) -> None:
        """Take what came; whoever is slower than the exchange makes it wait."""
        if self.protocol.state is State.CONNECTING:
            data = self.greeted(data)
        if self.protocol.state is OPEN and not self.protocol.extensions:
            self.split(data)
        elif data:
            data, self.rest = self.rest + data, b""
            super().data_received(data)
        if self.messages:
            self.ready.set()
            if len(self.messages) > defaults.FRAMES_WAITING and not self.held:
                self.held = True
                self.transport.pause_reading()

    def greeted(self, data: bytes) -> bytes:
        """Let the library read the handshake; what came behind it."""
        seen = self.greeting + data
        end = seen.find(BLANK_LINE)
        behind = len(data) if end < 0 else end + len(BLANK_LINE) - len(self.greeting)
        self.greeting = seen[1 - len(BLANK_LINE) :]
        super().data_received(data[:behind])
        return data[behind:]

    def split(self, data: bytes) -> None:
        """Take whole texts out, and pass everything else on to the library; behind a goodbye nothing counts."""
        data, self.rest = self.rest + data, b""
        at = 0
        while at < len(data) and self.protocol.state is OPEN:
            if not self.owed and self.parts is None:
                at = self.texts(data, at)
            if not self.owed and (length := frame_length(data, at)) is None:
                self.rest = data[at:]
                return
            self.owed = self.owed or length or 0
            part = data[at : at + self.owed]
            at, self.owed = at + len(part), self.owed - len(part)
            super().data_received(part)

    def texts(self, data: bytes, at: int) -> int:
        """Take whole texts as long as one follows another; where they end."""
        end, add = len(data), self.messages.append
        while end - at >= HEADER and data[at] == WHOLE_TEXT:
            size, begin = data[at + 1], at + 2
            if size == TWO_BYTES:
                size, begin = data[at + 2] << 8 | data[at + 3], at + HEADER
            elif size > TWO_BYTES:
                break
            if begin + size > end:
                break
            at = begin + size
            add(data[begin:at])
        return at

    def process_event(self, event: Event) -> None:
        """Put a message that the library read behind the others."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        self.parts = bytearray() if self.parts is None else self.parts
        self.parts += event.data
        if event.fin:
            self.messages.append(bytes(self.parts))
            self.parts = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake up who waits for a message."""
        super().connection_lost(exc)
        self.ready.set()

    async def recv(self, decode: bool | None = None) -> bytes:  # type: ignore[override] # noqa: FBT001 - the library's
        """The next message. Raises `ConnectionClosed` when there will be none."""
        while not self.messages:
            if self.connection_lost_waiter.done():
                await super().recv(decode)  # raises why
            self.ready.clear()
            await self.ready.wait()
        message = self.messages.popleft()
        if self.held and len(self.messages) <= defaults.FRAMES_WAITING // 4:
            self.held = False
            self.transport.resume_reading()
        return message


def frame_length(data: bytes, at: int) -> int | None:
    """The length of the frame that begins here, with its header; None as long as nobody can do anything with it."""
    left = len(data) - at
    size = data[at + 1] & 127 if left > 1 else 0
    header = HEADERS.get(size, 2)
    if left < header:
        return None
    size = int.from_bytes(data[at + 2 : at + header], "big") if size in HEADERS else size
    short = data[at] == WHOLE_TEXT and header <= HEADER
    return None if short and left < header + size else header + size
