"""A sandbox on a loopback port in which the small exchange plays, and clients of it, some of which know no protocol."""

from __future__ import annotations

import json
import socket as sockets
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sandbox.small_streams import HOST, simulator
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from marketcli.models import SECOND
from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection

START = 1_795_219_200 * SECOND


@contextmanager
def sandbox(*faults: str, limits: bool = False, **more: Any) -> Iterator[Sandbox]:
    """A sandbox in which the small exchange plays; `more` are the sandbox's and those of the exchange's outlet."""
    own = {name: more.pop(name) for name in list(more) if name in {"clock", "speed", "pace", "start"}}
    made = Sandbox(faults=faults, limits=limits, start=own.pop("start", START), **own)
    made.floor.simulators["small"] = simulator(**more)
    with made:
        yield made


def stream(to: Sandbox, rest: str = "/ws", **more: Any) -> ClientConnection:
    more = {"compression": None, "proxy": None, "open_timeout": 5, "close_timeout": 1, "ping_interval": None} | more
    return connect(f"ws://127.0.0.1:{to.port}/{HOST}:9443{rest}", **more)


def get(to: Sandbox, path: str) -> Any:
    with urllib.request.urlopen(f"{to.url}{path}", timeout=5) as answer:  # noqa: S310 - loopback
        return answer.read()


@contextmanager
def raw(to: Sandbox, rest: str = "/ws") -> Iterator[sockets.socket]:
    """A client that does the handshake and nothing else."""
    with sockets.create_connection(("127.0.0.1", to.port), timeout=10) as client:
        client.sendall(
            f"GET /{HOST}{rest} HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        received = b""
        while b"\r\n\r\n" not in received:
            received += client.recv(1)
        assert received.startswith(b"HTTP/1.1 101")
        yield client


def drained(client: sockets.socket) -> bytes:
    """All that comes until the end, or until nothing comes."""
    received = b""
    with suppress(TimeoutError):
        while part := client.recv(65_536):
            received += part
    return received


def torn(client: sockets.socket) -> bytes:
    """All that comes until the connection is reset."""
    received = b""
    try:
        while part := client.recv(65_536):
            received += part
    except ConnectionResetError:
        return received
    raise AssertionError("It ended in order.")


def set_faults(to: Sandbox, *faults: str) -> None:
    body = json.dumps(faults).encode()
    with urllib.request.urlopen(f"{to.url}/control/faults", data=body, timeout=5) as answer:  # noqa: S310
        assert json.loads(answer.read()) == {"faults": len(faults)}


def until_the_end(client: ClientConnection) -> tuple[int, ConnectionClosed]:
    """How many messages come, and how it ends."""
    count = 0
    while True:
        try:
            client.recv(timeout=5)
        except ConnectionClosed as error:
            return count, error
        count += 1


def eventually(true: Any, seconds: float = 5) -> None:
    """Wait until something is so, or fail."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not true():
        assert time.monotonic() < end
        pause.wait(0.02)
