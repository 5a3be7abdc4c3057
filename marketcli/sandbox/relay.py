"""A relay in front of the sandbox that breaks the bytes of streams; it exists only while such a fault is asked for.

It knows a request's first line and where frames end, and nothing of what they say.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from marketcli.sandbox.wire import TICK, address_of, reset

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from marketcli.sandbox.lines import Line
    from marketcli.sandbox.stream_faults import StreamFault
    from marketcli.sandbox.switchboard import Switchboard

CHUNK = 65_536
BAD = b"\x83\x00"  # the third opcode is nobody's
TERABYTE = b"\x81\x7f" + (1 << 40).to_bytes(8, "big")
WORD, LONG = 126, 127  # lengths that say how many bytes the length has

GONE = (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError)


class Relay:
    """One client's connection, passed on to the application; `connect` makes the application's end of it."""

    def __init__(self, board: Switchboard, connect: Callable[[Relay], asyncio.Protocol]) -> None:
        self.board = board
        self.connect = connect
        self.line: Line | None = None  # which the application has made of it
        self.swallowing = False

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what both sides say, until one has gone."""
        self.reader, self.writer = reader, writer
        self.transport = writer.transport
        try:
            with suppress(*GONE):
                head = await reader.readuntil(b"\r\n\r\n")
                await self.open()
                self.inner_writer.write(head)
                await self.both(self.down(head))
        finally:
            self.transport.abort()

    async def open(self) -> None:
        """A way to the application within this process."""
        theirs, ours = socket.socketpair()
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: self.connect(self), theirs)
        self.inner_reader, self.inner_writer = await asyncio.open_connection(sock=ours)

    async def both(self, down: Coroutine[Any, Any, None]) -> None:
        """Both directions at once."""
        up = asyncio.create_task(self.up())
        try:
            await down
        finally:
            up.cancel()
            await asyncio.gather(up, return_exceptions=True)
            self.inner_writer.transport.abort()

    async def down(self, head: bytes) -> None:
        """From the application to the client, broken if this is a stream whose turn it is."""
        is_stream = b"upgrade: websocket" in head.lower()
        fault = self.board.struck_in_bytes(*address_of(head.split(b" ")[1])) if is_stream else None
        await (self.plain() if fault is None else self.broken(fault))

    async def up(self) -> None:
        """From the client to the application; what is swallowed goes nowhere."""
        with suppress(OSError):
            while part := await self.reader.read(CHUNK):
                if not self.swallowing:
                    self.inner_writer.write(part)
        if self.swallowing:
            self.transport.abort()
        self.inner_writer.close()

    async def plain(self) -> None:
        """From the application to the client, as it comes."""
        while part := await self.inner_reader.read(CHUNK):
            self.writer.write(part)
            await self.writer.drain()
        self.writer.close()
        await self.writer.wait_closed()

    async def broken(self, fault: StreamFault) -> None:
        """The same, frame by frame, until it is time to strike."""
        self.writer.write(await self.inner_reader.readuntil(b"\r\n\r\n"))
        for _ in range(fault.options["after"]):
            self.writer.write(await self.frame())
            await self.writer.drain()
        await STRIKES[fault.name](self, fault)
        await self.plain()

    async def frame(self) -> bytes:
        """One frame of the application's, which are never masked."""
        head = await self.inner_reader.readexactly(2)
        length = head[1]
        if length >= WORD:
            more = await self.inner_reader.readexactly(8 if length == LONG else 2)
            head, length = head + more, int.from_bytes(more, "big")
        return head + await self.inner_reader.readexactly(length)

    async def swallow(self, fault: StreamFault) -> None:
        """Let nothing through in either direction, for as long as the client stays."""
        self.swallowing = True
        while not self.transport.is_closing():
            await self.frame()
            if self.line is not None:
                self.board.kept(self.line, "", self.board.world.now(), fault=fault.name)


async def bad_opcode(relay: Relay, _: StreamFault) -> None:
    """A frame of a kind that there is not."""
    relay.writer.write(BAD)


async def announce(relay: Relay, _: StreamFault) -> None:
    """The head of a frame that will never be whole."""
    relay.writer.write(TERABYTE)


async def black_hole(relay: Relay, fault: StreamFault) -> None:
    """Nothing any more."""
    await relay.swallow(fault)


async def never_close(relay: Relay, fault: StreamFault) -> None:
    """The protocol is broken, and then nothing any more."""
    relay.writer.write(BAD)
    await relay.swallow(fault)


async def reset_in_frame(relay: Relay, _: StreamFault) -> None:
    """Half a frame, then a reset."""
    frame = await relay.frame()
    relay.writer.write(frame[: len(frame) // 2])
    await asyncio.sleep(TICK)  # a reset overtakes what is still on its way
    reset(relay.transport)


async def drip(relay: Relay, fault: StreamFault) -> None:
    """One byte after the other."""
    while not relay.transport.is_closing() and (byte := await relay.inner_reader.read(1)):
        relay.writer.write(byte)
        await relay.writer.drain()
        await asyncio.sleep(fault.options["ms"] / 1_000)


STRIKES = {
    "ws_bad_opcode": bad_opcode,
    "ws_announce": announce,
    "ws_no_pong": black_hole,
    "ws_never_close": never_close,
    "ws_reset": reset_in_frame,
    "ws_drip": drip,
}
