"""Streams of a sandbox's floor without sockets: what a client of the exchanges dials in the same process.

`dial(floor)` is a `net.socket.Dial`. `InsideDialer` is the program's own dialler with its budgets and its words, over
the same connections. Nothing is sent in bytes, so faults of bytes do not exist here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response as Handshake

from marketcli.errors import ConnectionLost
from marketcli.models import SECOND
from marketcli.net import defaults
from marketcli.net.judge import by_status, retry_after
from marketcli.net.socket import Dialer, Open
from marketcli.simulator import Reply
from marketcli.spec import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.models import Micros
    from marketcli.net.address import Address
    from marketcli.net.client import Client
    from marketcli.net.socket import Dial, Wire
    from marketcli.sandbox.floor import Floor
    from marketcli.sandbox.lines import Line
    from marketcli.sandbox.parcels import Act
    from marketcli.spec import Exchange, Site, Socket

WAITING = 100_000  # messages that a client may leave unread before the exchange hangs up
TOO_BIG = 1009


def dial(floor: Floor) -> Dial:
    """What opens connections to the floor; refusals are those of `net` by status."""

    async def dialled(socket: Socket) -> Wire:
        host = urlsplit(socket.url).hostname or ""
        try:
            return Open(connected(floor, socket.url), host)
        except InvalidStatus as error:
            answer = error.response
            headers = {name.lower(): value for name, value in answer.headers.raw_items()}
            found = by_status(Response(answer.status_code, headers, bytes(answer.body or b""), host), what=host)
            if found is None:
                raise ConnectionLost(f"{host} answered with status {answer.status_code}.") from None
            found.retry_after = retry_after(headers, now=floor.world.now() / SECOND)
            raise found from None

    return dialled


class InsideDialer(Dialer):
    """The program's own dialler, with the floor in place of the network."""

    def __init__(self, client: Client, exchange: Exchange, site: Site, *, floor: Floor) -> None:
        super().__init__(client, exchange, site)
        self.floor = floor

    async def opened(self, address: Address) -> Any:
        """A connection that looks like the library's."""
        return connected(self.floor, address.url)


def connected(floor: Floor, url: str) -> Any:
    """A connection to the floor. Raises the library's error for a refusal."""
    parts = urlsplit(url)
    found = floor.streams.connect(parts.hostname or "", parts.path, parts.query)
    if isinstance(found, Reply):
        raise InvalidStatus(Handshake(found.status, "", Headers(dict(found.headers)), found.body))
    return Connection(found, floor.world.now)


class Connection:
    """The client's end of a line, as the library shows it: whole messages, and one error when it is over."""

    def __init__(self, line: Line, now: Callable[[], Micros]) -> None:
        self.line = line
        self.now = now
        self.loop = asyncio.get_running_loop()
        self.inbox: deque[bytes] = deque()
        self.lost: Exception | None = None  # the library's, or a mistake in the simulator
        self.waiter: asyncio.Future[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.transport = SimpleNamespace(abort=self.abort)
        line.poke = self.pump
        self.pump()

    async def recv(self, *, decode: bool | None = None) -> bytes:
        """The next message."""
        del decode
        while not self.inbox:
            if self.lost is not None:
                raise self.lost
            self.waiter = self.loop.create_future()
            await self.waiter
        return self.inbox.popleft()

    async def send(self, text: str) -> None:
        """Send a message; what is answered is there at once."""
        if self.lost is not None:
            raise self.lost
        self.pump()
        self.line.hear(text, self.now())
        self.pump()

    async def close(self) -> None:
        """Say goodbye; nobody answers, nobody waits."""
        self.lose(ConnectionClosedError(None, None))

    def abort(self) -> None:
        """End it; whoever waits is told."""
        self.inbox.clear()
        self.lose(ConnectionClosedError(None, None))

    def pump(self) -> None:
        """Take what is due, and come back when the next thing is."""
        try:
            self.take()
        except Exception as error:  # noqa: BLE001 - a test must see it
            self.lose(error)

    def take(self) -> None:
        """The same; a simulator may fail."""
        if self.timer is not None:
            self.timer.cancel()
        while self.lost is None and (act := self.line.take(self.now())) is not None:
            self.do(act)
        if self.inbox or self.lost is not None:
            self.tell()
        if self.lost is None and (wake := self.line.wake) is not None:
            delay = (wake - self.now()) / SECOND / self.line.board.speed
            self.timer = self.loop.call_later(delay, self.pump)

    def do(self, act: Act) -> None:
        """What an act means to a client."""
        if act.verb in {"text", "binary"}:
            self.inbox.append(act.data.encode() if isinstance(act.data, str) else act.data)
            if len(self.inbox) > WAITING:
                self.line.board.overrun(self.line)
                self.lose(ConnectionClosedError(None, None))
        elif act.verb == "ping":
            self.line.ponged()
        elif act.verb == "close":
            self.lose(ConnectionClosedError(Close(act.code, ""), None))
        elif act.verb in {"fin", "reset"}:
            self.lose(ConnectionClosedError(None, None))
        else:
            self.lose(ConnectionClosedError(None, Close(TOO_BIG, f"over {defaults.FRAME_BYTES} bytes")))

    def lose(self, error: Exception) -> None:
        """It is over, for both ends."""
        if self.timer is not None:
            self.timer.cancel()
        self.lost = self.lost or error
        self.line.end()
        self.tell()

    def tell(self) -> None:
        """Wake who waits for a message."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)
