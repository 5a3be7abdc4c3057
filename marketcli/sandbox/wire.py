"""How answers leave the sandbox, in order or not.

Faults of bytes are written to the connection itself, past the HTTP server, which would not let them through.
"""

from __future__ import annotations

import asyncio
import os
import struct
from http import HTTPStatus
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from marketcli.sandbox.bodies import squeeze

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from marketcli.sandbox.draft import Draft

WORTH_IT = 500  # bytes below which nothing is compressed
CHUNK = b"x" * 65_536
PENDING = 2**20  # bytes that may wait for a slow reader
TICK = 0.01  # seconds between looks at a slow reader


class Connection(H11Protocol):
    """A connection that lets the application reach its transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the transport where requests find it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def address_of(raw_path: bytes) -> tuple[str, str]:
    """Host and path of the exchange that a request means; its port and its query, if any, are left out."""
    host, _, path = raw_path.partition(b"?")[0].decode("ascii", "replace").lstrip("/").partition("/")
    return unquote(host).partition(":")[0].lower(), "/" + unquote(path)


def encoded(draft: Draft, accepted: str) -> None:
    """Compress an answer if that was asked for and no fault has dealt with it."""
    if "gzip" in accepted and "Content-Encoding" not in draft.headers and len(draft.body) >= WORTH_IT:
        draft.body = squeeze(draft.body)
        draft.headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


def outgoing(draft: Draft) -> ASGIApp:
    """The answer as something the server can send."""
    return DELIVERIES[draft.delivery.name](draft)


def plain(draft: Draft) -> ASGIApp:
    """As it should be."""
    return Response(draft.body, draft.status, headers=draft.headers)


def hang(_: Draft) -> ASGIApp:
    """Nothing, until the other side gives up."""

    async def send_nothing(_scope: Scope, receive: Receive, _send: Send) -> None:
        await gone(receive)

    return send_nothing


def drip(draft: Draft) -> ASGIApp:
    """A few bytes at a time."""
    size, pause = draft.delivery.size, draft.delivery.pause

    async def send_slowly(scope: Scope, _receive: Receive, send: Send) -> None:
        headers = {**draft.headers, "Content-Length": str(len(draft.body))}
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": draft.status, "headers": raw})
        at, transport = 0, scope["state"]["transport"]
        while at < len(draft.body) and not transport.is_closing():
            await asyncio.sleep(pause)
            part = draft.body[at : at + size]
            at += size
            await send({"type": "http.response.body", "body": part, "more_body": at < len(draft.body)})

    return send_slowly


def raw(write: Callable[[Draft, Any], Any]) -> Callable[[Draft], ASGIApp]:
    """A delivery that writes to the transport itself and ends the connection."""

    def deliver(draft: Draft) -> ASGIApp:
        async def send_raw(scope: Scope, receive: Receive, _send: Send) -> None:
            await write(draft, scope["state"]["transport"])
            await gone(receive)

        return send_raw

    return deliver


async def gone(receive: Receive) -> None:
    """Wait until the connection has ended."""
    while (await receive())["type"] != "http.disconnect":
        pass


def head(draft: Draft, extra: Mapping[str, str]) -> bytes:
    """Status line and headers as they stand on the wire."""
    lines = [f"HTTP/1.1 {draft.status} {HTTPStatus(draft.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in {**draft.headers, **extra}.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def half(draft: Draft) -> bytes:
    """The first half of the body."""
    return draft.body[: len(draft.body) // 2]


def reset(transport: asyncio.WriteTransport) -> None:
    """End a connection so that the other side is told it broke."""
    linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, linger)
    transport.abort()


@raw
async def no_length(draft: Draft, transport: asyncio.Transport) -> None:
    """A body without a length that ends early with its connection."""
    transport.write(head(draft, {"Connection": "close"}) + half(draft))
    transport.close()


@raw
async def close_in_body(draft: Draft, transport: asyncio.Transport) -> None:
    """Half of the body that was announced, then the end of the connection."""
    transport.write(head(draft, {"Content-Length": str(len(draft.body))}) + half(draft))
    transport.close()


@raw
async def reset_in_body(draft: Draft, transport: asyncio.Transport) -> None:
    """Half of the body that was announced, then a reset."""
    transport.write(head(draft, {"Content-Length": str(len(draft.body))}) + half(draft))
    await asyncio.sleep(TICK)  # a reset overtakes what is still on its way
    reset(transport)


@raw
async def giant_header(draft: Draft, transport: asyncio.Transport) -> None:
    """One header that goes on and on, and the answer behind it."""
    transport.write(b"HTTP/1.1 200 OK\r\nX-Padding: ")
    sent = 0
    while sent < draft.delivery.size and not transport.is_closing():
        if transport.get_write_buffer_size() > PENDING:
            await asyncio.sleep(TICK)
            continue
        transport.write(CHUNK)
        sent += len(CHUNK)
    transport.write(b"\r\nConnection: close\r\n\r\n" + draft.body)
    transport.close()


DELIVERIES: Mapping[str, Callable[[Draft], ASGIApp]] = {
    "plain": plain,
    "hang": hang,
    "drip": drip,
    "no_length": no_length,
    "close": close_in_body,
    "reset": reset_in_body,
    "giant_header": giant_header,
}
