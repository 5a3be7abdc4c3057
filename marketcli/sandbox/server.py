"""The sandbox as a server on this machine: in a thread beside a command, or standing until it is stopped."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import threading
import time
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from marketcli.errors import LocalError, UsageError
from marketcli.sandbox.clock import paced
from marketcli.sandbox.floor import Floor
from marketcli.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from uvicorn.server import ServerState

    from marketcli.models import Micros
    from marketcli.world import Series

HERE = "127.0.0.1"
KEEP_ALIVE = 75  # seconds an idle connection stays open
PATIENCE = 0.2  # seconds that answers under way are given when the sandbox stops
BACKLOG = 512
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))


def real_clock() -> Micros:
    """This machine's time."""
    return time.time_ns() // 1_000


class Sandbox:
    """Simulated exchanges on a loopback port, for as long as the block lasts.

    `series` are real candles that take the place of made-up ones, `faults` are texts as `faults.FAULTS` explains them,
    `limits=False` lets everybody ask as much as they like. The world's clock begins at `start`, if that is given, and
    runs `speed` times as fast as `clock`; states are streamed `pace` times as often as they are by the exchanges, and
    how long a client may be silent and the like is measured by its own clock. Port 0 takes any free one; `url` says
    which.
    Raises `LocalError` if the port cannot be had and `UsageError` for a fault there is not.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        clock: Callable[[], Micros] | None = None,
        series: Sequence[Series] = (),
        limits: bool = True,
        faults: Sequence[str] = (),
        port: int = 0,
        speed: float = 1.0,
        pace: float = 1.0,
        start: Micros | None = None,
    ) -> None:
        self.world = World(seed, clock=paced(clock or real_clock, speed=speed, start=start), series=series)
        self.floor = Floor(self.world, limits=limits, faults=faults, speed=speed, pace=pace)
        self.port = port
        self.url = ""

    def __enter__(self) -> Self:
        listener = listen(self.port)
        self.port = listener.getsockname()[1]
        self.url = f"http://{HERE}:{self.port}"
        self.running = Running(self.floor, listener)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running.stop()

    def stats(self) -> dict[str, Any]:
        """What has been asked so far; the same as the address `/stats`."""
        return self.floor.stats()

    def serve(self, announce: Callable[[str], object]) -> None:
        """Serve until somebody presses Ctrl-C or the process is asked to end; for the main thread.

        `announce` is told the address once both it and Ctrl-C work.
        """
        with told_to_end() as ended, self:
            announce(self.url)
            ended.get()


@contextmanager
def told_to_end() -> Iterator[SimpleQueue[int]]:
    """A queue that gets the signals which otherwise end the process."""
    ended: SimpleQueue[int] = SimpleQueue()  # the one queue a signal handler may write to
    before = {number: signal.signal(number, lambda number, _: ended.put(number)) for number in SIGNALS}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def listen(port: int) -> socket.socket:
    """A socket that takes connections from now on. Raises `LocalError` that names the port."""
    # asyncio sends small answers at once only on sockets that name their protocol; others wait 40 ms for an ACK
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HERE, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise unusable(port, error) from None
    return listener


def unusable(port: int, error: OSError | OverflowError) -> LocalError | UsageError:
    """Why a port cannot be had."""
    hint = "Use another --port, or --port 0 for any free one."
    if isinstance(error, OverflowError):
        return UsageError(f"There is no port {port}.", hint="Use a number from 0 to 65535.")
    if error.errno == errno.EADDRINUSE:
        return LocalError(f"Port {port} is taken by another program.", hint=hint)
    return LocalError(f"Port {port} cannot be used: {error.strerror}.", hint=hint)


class Running:
    """The server's thread: an event loop of its own, which nobody waits for when the process ends."""

    def __init__(self, floor: Floor, listener: socket.socket) -> None:
        from uvicorn import Config  # noqa: PLC0415 - heavy
        from uvicorn.server import ServerState  # noqa: PLC0415

        from marketcli.sandbox.app import application  # noqa: PLC0415
        from marketcli.sandbox.sockets import Speaker  # noqa: PLC0415
        from marketcli.sandbox.wire import Connection  # noqa: PLC0415

        config = Config(
            application(floor),
            http=Connection,
            ws=Speaker,
            ws_ping_interval=None,
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE,
        )
        config.load()
        self.listener = listener
        self.state: ServerState = ServerState()
        self.loop = asyncio.new_event_loop()
        self.floor = floor
        self.make = Connection
        self.config = config
        self.thread = threading.Thread(target=self.run, name="mkt sandbox", daemon=True)
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self.open(), self.loop).result()

    def run(self) -> None:
        """Serve until told to stop."""
        self.loop.run_forever()
        self.loop.close()

    async def open(self) -> None:
        """Take connections."""
        self.server = await self.loop.create_server(self.accept, sock=self.listener, backlog=BACKLOG)

    def accept(self) -> asyncio.Protocol:
        """What speaks with a new client: the application, or a relay before it where bytes are to be broken."""
        from marketcli.sandbox.relay import Relay  # noqa: PLC0415

        if not self.floor.streams.relayed:
            return self.connection()
        relay = Relay(self.floor.streams, lambda relay: self.connection(relay=relay))

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self.loop.create_task(relay.run(reader, writer))
            self.state.tasks.add(task)
            task.add_done_callback(self.state.tasks.discard)

        return asyncio.StreamReaderProtocol(asyncio.StreamReader(loop=self.loop), begin, loop=self.loop)

    def connection(self, **about: Any) -> asyncio.Protocol:
        """The application's end of a connection, with what it is to know about it."""
        return self.make(config=self.config, server_state=self.state, app_state=about, _loop=self.loop)

    def stop(self) -> None:
        """Close everything; answers under way are given a moment."""
        asyncio.run_coroutine_threadsafe(self.close(), self.loop)
        self.thread.join(timeout=5 * PATIENCE)

    async def close(self) -> None:
        """Close the port, then the connections, then the loop."""
        self.server.close()
        for connection in list(self.state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # an aborted connection is closed in the loop's next round
        if self.state.tasks:
            _, late = await asyncio.wait(list(self.state.tasks), timeout=PATIENCE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self.loop.stop()
