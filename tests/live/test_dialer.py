"""Connections over real sockets on loopback: what a refusal means, what is never followed, and how it ends in words."""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from scripted_streams import channel, socket, toy
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response as Answer

from marketcli import __version__
from marketcli.datasets import TRADES
from marketcli.errors import (
    Banned,
    ConnectionLost,
    DeadlineExceeded,
    ExchangeDown,
    ExchangeError,
    MarketError,
    RateLimited,
    Redirected,
    RegionRefused,
    Unreachable,
    WrongAddress,
)
from marketcli.net import defaults
from marketcli.net.client import Client
from marketcli.net.socket import Dialer
from marketcli.net.transport import Settings
from marketcli.spec import Budget, Exchange, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from websockets.asyncio.server import ServerConnection

    from marketcli.net.socket import Wire

    Talk = Callable[[ServerConnection], Awaitable[None]]

EXCHANGE = toy(channel(TRADES))
WAY = socket()


async def idle(connection: ServerConnection) -> None:
    """Say nothing."""
    await connection.wait_closed()


@asynccontextmanager
async def server(talk: Talk = idle, **more: Any) -> AsyncIterator[int]:
    """A server of streams; its port."""
    async with serve(talk, "127.0.0.1", 0, **{"compression": None, "max_size": None, **more}) as made:
        yield next(iter(made.sockets)).getsockname()[1]


@asynccontextmanager
async def plain(said: bytes | None, asked: list[bytes] | None = None) -> AsyncIterator[int]:
    """A server that answers a request with these bytes and closes, or says nothing until the client goes; its port."""
    gone: list[asyncio.Event] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone.append(asyncio.Event())
        request = await reader.readuntil(b"\r\n\r\n")
        if asked is not None:
            asked.append(request)
        if said is None:
            await reader.read()
        else:
            writer.write(said)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        gone[-1].set()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as made:
        yield made.sockets[0].getsockname()[1]
        for one in gone:
            await one.wait()


def answering(status: int, body: bytes = b"", **headers: str) -> dict[str, Any]:
    """A server that answers the handshake with something else."""

    def process_request(*_: Any) -> Answer:
        found = Headers({name.replace("_", "-"): value for name, value in headers.items()})
        found["Content-Length"] = str(len(body))
        return Answer(status, HTTPStatus(status).phrase, found, body)

    return {"process_request": process_request}


def dialer(port: int, exchange: Exchange = EXCHANGE, *, state: Path | None = None, **more: Any) -> Dialer:
    """What opens connections by way of a port of this machine."""
    client = Client(Settings(**{"via": f"http://127.0.0.1:{port}", **more}), state=state)
    return Dialer(client, exchange, exchange.sites["live"])


def dialled(
    use: Callable[[Wire], Awaitable[Any]],
    talk: Talk = idle,
    *,
    more: dict[str, Any] | None = None,
    exchange: Exchange = EXCHANGE,
    **settings: Any,
) -> Any:
    """What comes of using an open connection to a server."""

    async def main() -> Any:
        async with asyncio.timeout(20), server(talk, **(more or {})) as port:
            wire = await dialer(port, exchange, **settings)(WAY)
            try:
                return await use(wire)
            finally:
                wire.abort()

    return asyncio.run(main())


def refused(more: dict[str, Any], **settings: Any) -> MarketError:
    """The error of an answer that is no stream."""

    async def use(_: Wire) -> None:
        raise AssertionError("It was opened.")

    with pytest.raises(MarketError) as caught:
        dialled(use, more=more, **settings)
    return caught.value


async def first(wire: Wire) -> bytes:
    """The first message."""
    return await wire.recv()


# --- refusals


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, ExchangeError, "HTTP 400"),
        (403, RegionRefused, "location"),
        (404, WrongAddress, "does not know"),
        (418, Banned, "banned"),
        (429, RateLimited, "slow down"),
        (451, RegionRefused, "HTTP 451"),
        (500, ExchangeDown, "HTTP 500"),
        (503, ExchangeDown, "HTTP 503"),
    ],
)
def test_an_answer_that_is_no_stream_means_what_it_means_for_requests(
    status: int, kind: type[MarketError], words: str
) -> None:
    error = refused(answering(status, b"no\x1b[31m streams"))
    assert type(error) is kind
    assert words in error.message
    assert "\x1b" not in error.message
    assert error.request == "toy"


def test_a_page_with_status_200_is_no_stream() -> None:
    error = refused(answering(200, b"<html>maintenance"))
    assert isinstance(error, MarketError)
    error = refused(answering(200, b"{}"))
    assert isinstance(error, ConnectionLost)
    assert "status 200 instead of a stream" in error.message


def test_the_exchange_is_asked_first_what_its_refusal_means() -> None:
    def refuse(response: Response) -> MarketError | None:
        assert response.headers["x-mark"] == "1"
        return Banned(response.body.decode())

    error = refused(answering(403, b"too often", X_Mark="1"), exchange=replace(EXCHANGE, refuse=refuse))
    assert isinstance(error, Banned)
    assert error.message == "too often"


def test_redirects_are_not_followed() -> None:
    seen: list[str] = []

    async def main() -> None:
        async def talk(connection: ServerConnection) -> None:
            seen.append(str(connection.request))

        async with server(talk) as other, server(**answering(302, Location=f"ws://127.0.0.1:{other}/")) as port:
            with pytest.raises(Redirected) as caught:
                await dialer(port)(WAY)
            assert str(other) in caught.value.message

    asyncio.run(main())
    assert seen == []


def test_to_slow_down_holds_back_all_connections_and_processes(tmp_path: Path) -> None:
    handshakes: list[float] = []

    def process_request(*_: Any) -> Answer:
        handshakes.append(asyncio.get_running_loop().time())
        return Answer(429, "Too Many Requests", Headers({"Retry-After": "300", "Content-Length": "0"}), b"")

    async def main() -> tuple[RateLimited, RateLimited]:
        async with server(process_request=process_request) as port:
            found = []
            for _ in range(2):  # two clients, as two processes have them
                with pytest.raises(RateLimited) as caught:
                    await dialer(port, state=tmp_path, max_wait=1.0)(WAY)
                found.append(caught.value)
            return found[0], found[1]

    told, held = asyncio.run(main())
    assert told.retry_after == 300
    assert "Nothing is opened until 20" in told.hint
    assert held.retry_after == pytest.approx(300, abs=5)
    assert "stream connections" in held.message or "connections" in held.message
    assert len(handshakes) == 1


def test_a_refusal_that_says_no_time_holds_back_for_a_while() -> None:
    error = refused(answering(429))
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 2 * defaults.UNTOLD_WAIT_SECONDS


def test_connections_are_counted_against_the_exchanges_limit() -> None:
    tight = replace(EXCHANGE, budgets=(Budget("connections", 3, 60.0),))

    async def main() -> None:
        async with server() as port:
            dial = dialer(port, tight, max_wait=0.5)
            opened = [await dial(WAY) for _ in range(2)]  # nine tenths of three
            with pytest.raises(RateLimited):
                await dial(WAY)
            for wire in opened:
                await wire.close()

    asyncio.run(main())


# --- no stream at all


def test_nobody_there_is_told_with_a_way_out() -> None:
    with sockets.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = None
        try:
            asyncio.run(dialer(taken.getsockname()[1])(WAY))
        except Unreachable as caught:
            error = caught
    assert error is not None
    assert error.message.startswith("toy cannot be reached")
    assert "--sandbox" in error.hint


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"]
)
def test_who_speaks_another_protocol_is_told(said: bytes) -> None:
    async def main() -> None:
        async with plain(said) as port:
            with pytest.raises(ConnectionLost) as caught:
                await dialer(port)(WAY)
        assert caught.value.message.startswith("toy did not open a stream: ")
        assert caught.value.retryable

    asyncio.run(main())


def test_a_handshake_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defaults, "CONNECT_SECONDS", 0.1)
    monkeypatch.setattr(defaults, "HANDSHAKE_SECONDS", 0.2)

    async def main() -> None:
        async with plain(None) as port:
            with pytest.raises(DeadlineExceeded):
                await dialer(port)(WAY)

    asyncio.run(main())


def test_offline_asks_nobody_but_this_machine() -> None:
    assert dialled(lambda wire: wire.send("hello"), offline=True) is None
    client = Client(Settings(offline=True))
    with pytest.raises(Unreachable) as caught:
        asyncio.run(Dialer(client, EXCHANGE, EXCHANGE.sites["live"])(WAY))
    assert "--offline" in caught.value.message


@pytest.mark.parametrize("name", ["http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"])
def test_no_proxy_is_taken_on_this_machine(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def talk(connection: ServerConnection) -> None:
        await connection.send("here")

    assert dialled(first, talk) == b"here"
    assert dialled(first, talk, proxy="http://127.0.0.1:9") == b"here"


def test_a_proxy_that_is_named_is_used_beyond_this_machine_and_told_when_it_refuses() -> None:
    asked: list[bytes] = []

    async def main() -> None:
        async with plain(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", asked) as port:
            client = Client(Settings(proxy=f"http://127.0.0.1:{port}"))
            with pytest.raises(Unreachable) as caught:
                await Dialer(client, EXCHANGE, EXCHANGE.sites["live"])(WAY)
        assert "proxy does not let us reach toy" in caught.value.message

    asyncio.run(main())
    assert asked[0].startswith(b"CONNECT toy:443")


# --- an open connection


def test_who_asks_and_for_what_is_said() -> None:
    seen: list[tuple[str, str]] = []

    async def talk(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append((connection.request.path, connection.request.headers["User-Agent"]))
        await connection.send("x")

    dialled(first, talk)
    assert seen == [("/toy/ws", f"marketcli/{__version__}")]


def test_texts_and_binaries_are_bytes_in_order() -> None:
    async def talk(connection: ServerConnection) -> None:
        for message in ("a", b"\x00\xff", "ü" * 1_000, "", "x" * 100_000):
            await connection.send(message)
        await connection.send(["in ", "parts"])
        assert await connection.recv() == "asked"
        await connection.send("last")

    async def use(wire: Wire) -> list[bytes]:
        found = [await wire.recv() for _ in range(6)]
        await wire.send("asked")
        return [*found, await wire.recv()]

    found = dialled(use, talk)
    assert found == [b"a", b"\x00\xff", "ü".encode() * 1_000, b"", b"x" * 100_000, b"in parts", b"last"]
    assert all(type(one) is bytes for one in found)
    assert dialled(use, talk, more={"compression": "deflate"}) == found


@pytest.mark.parametrize("packed", [None, "deflate"])
def test_a_giant_message_ends_the_connection_and_one_below_the_limit_does_not(packed: str | None) -> None:
    sizes: list[int] = []

    async def talk(connection: ServerConnection) -> None:
        await connection.send("x" * defaults.FRAME_BYTES)
        await connection.send("x" * (defaults.FRAME_BYTES + 1))
        await connection.wait_closed()

    async def use(wire: Wire) -> None:
        sizes.append(len(await wire.recv()))
        await wire.recv()

    with pytest.raises(ConnectionLost) as caught:
        dialled(use, talk, more={"compression": packed})
    assert sizes == [defaults.FRAME_BYTES]
    assert "mkt closed the stream (1009" in caught.value.message


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (1000, "", "toy closed the stream (1000)."),
        (1001, "going away", "toy closed the stream (1001 going away)."),
        (1013, "try\x1b[2J later", "toy closed the stream (1013 try\\x1b[2J later)."),
        (4_000, "x" * 120, f"toy closed the stream (4000 {'x' * 119}"),
    ],
)
def test_who_closed_it_is_told_with_the_words(code: int, reason: str, words: str) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.close(code, reason)

    with pytest.raises(ConnectionLost) as caught:
        dialled(first, talk)
    assert caught.value.message.startswith(words)
    assert "\x1b" not in caught.value.message


def test_a_connection_that_breaks_off_says_so_to_reader_and_writer() -> None:
    async def talk(connection: ServerConnection) -> None:
        connection.transport.abort()

    async def use(wire: Wire) -> None:
        with pytest.raises(ConnectionLost) as caught:
            await wire.recv()
        assert caught.value.message == "The stream from toy broke off."
        with pytest.raises(ConnectionLost):
            await wire.send("anybody there?")

    dialled(use, talk)


def test_abort_wakes_who_reads_at_once() -> None:
    async def use(wire: Wire) -> float:
        loop = asyncio.get_running_loop()
        reading, began = asyncio.ensure_future(wire.recv()), loop.time()
        await asyncio.sleep(0)
        wire.abort()
        with pytest.raises(ConnectionLost):
            await reading
        return loop.time() - began

    assert dialled(use) < 0.5


def test_a_goodbye_that_nobody_answers_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defaults, "CLOSE_SECONDS", 0.2)

    async def use(wire: Wire) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await wire.close()
        return loop.time() - began

    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await gone.wait()
        connection.transport.abort()

    async def timed(wire: Wire) -> float:
        seconds = await use(wire)
        gone.set()
        return seconds

    gone = asyncio.Event()
    assert 0.1 < dialled(timed, deaf) < 2
    codes: list[int | None] = []

    async def polite(connection: ServerConnection) -> None:
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        codes.append(connection.close_code)

    assert dialled(use, polite) < 1
    assert codes == [1000]


def test_who_breaks_the_protocol_and_stays_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defaults, "CLOSE_SECONDS", 0.2)

    async def main() -> tuple[str, float]:
        gone = asyncio.Event()

        async def talk(connection: ServerConnection) -> None:
            connection.transport.write(b"\x83\x00")  # a kind of frame that does not exist
            connection.transport.pause_reading()
            await gone.wait()
            connection.transport.abort()

        async with server(talk) as port:
            wire = await dialer(port)(WAY)
            began = asyncio.get_running_loop().time()
            reading = asyncio.ensure_future(wire.recv())
            async with asyncio.timeout(5):
                await wire.close()
            taken = asyncio.get_running_loop().time() - began
            with pytest.raises(ConnectionLost) as caught:
                await reading
            gone.set()
            return caught.value.message, taken

    message, taken = asyncio.run(main())
    assert "1002" in message
    assert taken < 2
