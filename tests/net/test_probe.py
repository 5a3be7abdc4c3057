"""Looking at the way to a host: what is found, and what each failure is called."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from typing import TYPE_CHECKING

import pytest

from marketcli.errors import Unreachable
from marketcli.net import probe

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def listening() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def unsecured(port: int) -> str:
    """What is said of a host that cannot prove who it is."""
    with pytest.raises(Unreachable) as caught:
        await probe.secure("127.0.0.1", port, trust=ssl.create_default_context(), seconds=0.5)
    return caught.value.message


def test_addresses_say_host_and_port() -> None:
    assert probe.place("https://fapi.binance.com") == ("fapi.binance.com", 443)
    assert probe.place("https://www.okx.com:8443/x") == ("www.okx.com", 8443)
    assert probe.place("socks5://me:secret@127.0.0.1") == ("127.0.0.1", 1080)


def test_a_port_that_takes_connections_is_reached_and_left() -> None:
    with listening() as port:
        asyncio.run(probe.connect("127.0.0.1", port, seconds=5))


def test_a_port_nobody_listens_at_is_refused() -> None:
    with listening() as port:
        pass
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port} cannot be reached: Connection refused") as caught:
        asyncio.run(probe.connect("127.0.0.1", port, seconds=5))
    assert "firewall" in caught.value.hint


def test_what_does_not_speak_tls_is_told_as_such() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def main() -> str:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            return await unsecured(server.sockets[0].getsockname()[1])
        finally:
            server.close()

    assert "not secured as it should be (" in asyncio.run(main())


def test_a_host_that_never_greets_costs_the_deadline() -> None:
    began = time.monotonic()
    with listening() as port:
        assert "no answer within 0.5 s" in asyncio.run(unsecured(port))
    assert time.monotonic() - began < 5


def test_a_name_that_cannot_be_one_is_a_sentence() -> None:
    with pytest.raises(Unreachable, match="no name of a host"):
        asyncio.run(probe.look_up(f"{'x' * 80}.example", 443, seconds=5))


def test_addresses_of_a_name_stand_once_each_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, kind, "", (place, 443)) for place in "ba" for kind in (6, 132)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert asyncio.run(probe.look_up("exchange.example", 443, seconds=5)) == ["b", "a"]
