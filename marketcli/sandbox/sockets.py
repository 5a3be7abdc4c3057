"""Streams over real sockets: what a line says is due, sent when it is due."""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from functools import cache
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from marketcli.models import MILLISECOND, SECOND
from marketcli.sandbox.wire import TICK, reset
from marketcli.simulator import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.websockets import WebSocket

    from marketcli.sandbox.floor import Floor
    from marketcli.sandbox.lines import Line
    from marketcli.sandbox.parcels import Act

BACKLOG = 16 << 20  # bytes that a client may leave unread, beside what the system keeps for it
BURST = 64  # frames sent before others get their turn
LOOK = 0.1  # seconds after which the clock is read again, for it may be one that somebody moves
GOODBYE = 1.0  # seconds that a client may take to answer a goodbye, and to read it
FAILED = 1011
BLOCKS = 1_100  # of one MiB: more than a gigabyte
COMPRESSED_TEXT = b"\xc1\x7f"  # the head of a frame, up to its length of eight bytes
WINDOW_BITS = 12  # what the server negotiates


class Speaker(WebSocketsSansIOProtocol):
    """The server's end of a connection, which lets the application speak past ASGI and hears of pongs."""

    ponged: Callable[[], None] | None = None

    def handle_connect(self, event: Any) -> None:
        """Put this end where the application finds it."""
        self.close_timeout = GOODBYE
        self.app_state = {**self.app_state, "speaker": self}
        super().handle_connect(event)

    def handle_pong(self, event: Any) -> None:
        """A sign of life."""
        if self.ponged is not None:
            self.ponged()
        super().handle_pong(event)

    def say(self, data: str | bytes, *, text: bool) -> None:
        """Send a message; bytes may be said to be text that are none."""
        raw = data.encode() if isinstance(data, str) else data
        if text:
            self.conn.send_text(raw)
        else:
            self.conn.send_binary(raw)
        self.flush()

    def ask(self, payload: bytes) -> None:
        """Send a ping."""
        self.conn.send_ping(payload)
        self.flush()

    def explode(self) -> bool:
        """Send a frame that unpacks to a gigabyte, if compression was agreed on."""
        packing = bool(self.conn.extensions)
        if packing:
            self.transport.write(COMPRESSED_TEXT + len(bomb()).to_bytes(8, "big") + bomb())
        return packing

    def flush(self) -> None:
        """Hand over what is to be sent."""
        self.transport.write(b"".join(self.conn.data_to_send()))


@cache
def bomb() -> bytes:
    """A compressed message of about a megabyte that unpacks to more than a gigabyte of blanks."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -WINDOW_BITS)
    block = b" " * 2**20
    first = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return (first + again * (BLOCKS - 1)).removesuffix(b"\x00\x00\xff\xff")


@cache
def giant() -> str:
    """A document of nine MiB."""
    return '{"padding":"' + "x" * (9 << 20) + '"}'


async def serve(websocket: WebSocket, *, host: str, path: str) -> None:
    """Everything from the handshake to the end of a connection to an exchange."""
    floor: Floor = websocket.app.state.floor
    found = floor.streams.connect(host, path, websocket.scope["query_string"].decode())
    if isinstance(found, Reply):
        await websocket.send_denial_response(Response(found.body, found.status, headers=dict(found.headers)))
        return
    if relay := websocket.scope["state"].get("relay"):
        relay.line = found
    try:
        dated = [(name.lower().encode(), value.encode()) for name, value in floor.streams.headers().items()]
        await websocket.accept(headers=dated)
        await Session(websocket, found).run()
    finally:
        found.end()


class Session:
    """A line and the socket it is served on."""

    def __init__(self, websocket: WebSocket, line: Line) -> None:
        self.websocket = websocket
        self.line = line
        self.speaker: Speaker = websocket.scope["state"]["speaker"]
        self.stirred = asyncio.Event()
        self.heard: deque[str] = deque()
        line.poke = self.stirred.set
        self.speaker.ponged = line.ponged

    async def run(self) -> None:
        """Send and listen until one side has had enough."""
        listening = asyncio.create_task(self.listen())
        try:
            await self.send()
        except Exception as error:  # noqa: BLE001 - a mistake in the sandbox, said aloud
            self.line.board.failed(self.line, error)
            await self.goodbye(FAILED, f"The sandbox itself failed: {error!r}"[:120])
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def listen(self) -> None:
        """Hear what the client says until it has gone."""
        while (message := await self.websocket.receive())["type"] != "websocket.disconnect":
            self.heard.append(message.get("text") or (message.get("bytes") or b"").decode(errors="replace"))
            self.stirred.set()
        self.line.end()
        self.stirred.set()

    async def send(self) -> None:
        """Do what is due, then sleep until something is."""
        world, line = self.line.board.world, self.line
        done = 0
        while not line.over:
            self.stirred.clear()
            while (act := line.take(world.now())) is not None:
                await self.do(act)
                done += 1
                if done % BURST == 0 and not await self.keeps_up():
                    return
            while self.heard and not line.over:
                line.hear(self.heard.popleft(), world.now())
                self.stirred.set()
            await self.sleep()

    async def sleep(self) -> None:
        """Wait for the next thing that is due, or for the client."""
        board, wake = self.line.board, self.line.wake
        if self.stirred.is_set() or self.line.over:
            return
        delay = LOOK if wake is None else (wake - board.world.now()) / SECOND / board.speed
        alarm = asyncio.get_running_loop().call_later(min(max(delay, 0.0), LOOK), self.stirred.set)
        await self.stirred.wait()
        alarm.cancel()

    async def keeps_up(self) -> bool:
        """Let others have their turn, and cut the client off if it leaves too much unread."""
        await asyncio.sleep(0)
        if self.speaker.transport.get_write_buffer_size() <= BACKLOG:
            return True
        self.line.board.overrun(self.line)
        self.speaker.transport.abort()
        return False

    async def do(self, act: Act) -> None:
        """What an act means on a socket."""
        speaker = self.speaker
        if speaker.transport.is_closing():
            self.line.end()
        elif act.verb in {"text", "binary"}:
            speaker.say(act.data, text=act.verb == "text")
        elif act.verb == "ping":
            speaker.ask(str(self.line.board.world.now() // MILLISECOND).encode())
        elif act.verb == "giant" or (act.verb == "bomb" and not speaker.explode()):
            speaker.say(giant(), text=True)
        elif act.verb == "close":
            await self.goodbye(act.code, "")
        elif act.verb == "reset":
            await asyncio.sleep(TICK)  # a reset overtakes what is still on its way
            reset(speaker.transport)
        elif act.verb == "fin":
            speaker.transport.close()

    async def goodbye(self, code: int, reason: str) -> None:
        """Close as the protocol has it; a client that does not read is not waited for."""
        try:
            async with asyncio.timeout(GOODBYE):
                await self.websocket.close(code, reason)
        except (TimeoutError, RuntimeError):
            self.speaker.transport.abort()
