"""The way to a host, step by step: its name, a connection, its certificate. Nothing is asked of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from marketcli.errors import Unreachable
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

Trust: TypeAlias = ssl.SSLContext  # whom to believe

PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
EYEBALLS_SECONDS = 0.25  # until the next address of a host is tried beside the first (RFC 8305)
NAME_HINT = "Check the connection and the name server of this computer."
HOST_HINT = "Check the connection, and whether a firewall or proxy stands between."
CERTIFICATE_HINT = "If somebody you trust stands between, name their certificate with --ca-file."


@dataclass(frozen=True, slots=True)
class Secured:
    """A connection that was secured: the protocol, and when the host's certificate ends (epoch seconds)."""

    protocol: str
    expires: float


def tls_library() -> str:
    """What secures connections, with its version."""
    return ssl.OPENSSL_VERSION


def place(url: str) -> tuple[str, int]:
    """Host and port that an address means."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or PORTS.get(parts.scheme, PORTS["https"])


async def look_up(host: str, port: int, *, seconds: float) -> list[str]:
    """The addresses that a name stands for, the preferred one first. Raises `Unreachable`."""
    with explained(f"The name {clean(host)} cannot be found", NAME_HINT, seconds):
        async with asyncio.timeout(seconds):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def connect(host: str, port: int, *, seconds: float) -> None:
    """Connect, and leave again. Raises `Unreachable`."""
    async with connection(host, port, None, seconds=seconds):
        pass


async def secure(host: str, port: int, *, trust: Trust, seconds: float) -> Secured:
    """Connect, let the host prove who it is, and leave again. Raises `Unreachable`."""
    async with connection(host, port, trust, seconds=seconds) as writer:
        found: ssl.SSLObject = writer.get_extra_info("ssl_object")
        ends = (found.getpeercert() or {})["notAfter"]
        return Secured(str(found.version()), float(ssl.cert_time_to_seconds(str(ends))))


@contextlib.asynccontextmanager
async def connection(
    host: str, port: int, trust: Trust | None, *, seconds: float
) -> AsyncIterator[asyncio.StreamWriter]:
    """A connection, secured if somebody is trusted, for as long as the block lasts. Raises `Unreachable`."""
    where = clean(host) if port == PORTS["https"] else f"{clean(host)}:{port}"
    with explained(f"{where} cannot be reached", HOST_HINT, seconds):
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(host, port, ssl=trust, happy_eyeballs_delay=EYEBALLS_SECONDS)
    try:
        yield writer
    finally:
        writer.transport.abort()


@contextlib.contextmanager
def explained(what: str, hint: str, seconds: float) -> Iterator[None]:
    """Say in our words why a step failed."""
    try:
        yield
    except TimeoutError:
        raise Unreachable(f"{what}: no answer within {seconds:g} s.", hint=hint) from None
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(f"{what} safely: {clean(error.verify_message)}.", hint=CERTIFICATE_HINT) from None
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{what}: {reason(error)}.", hint=hint) from None


def reason(error: OSError | UnicodeError) -> str:
    """The cause of a failed step in plain words."""
    if isinstance(error, UnicodeError):
        return "that is no name of a host"
    if isinstance(error, ssl.SSLError):
        return f"what answers there is not secured as it should be ({(error.reason or 'no reason given').lower()})"
    if isinstance(error, socket.gaierror):
        return clean(error.strerror or str(error))
    return os.strerror(error.errno) if error.errno else "none of its addresses takes connections"
