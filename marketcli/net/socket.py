"""One connection of a stream: whole messages, in order, every failure in our words.

With `messages`, the only module that imports websockets.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol, TypeAlias

from marketcli import __version__
from marketcli.errors import ConnectionLost, DeadlineExceeded, MarketError, RateLimited, Unreachable
from marketcli.net import defaults
from marketcli.net.address import proxy_for
from marketcli.net.judge import at, by_status, retry_after
from marketcli.net.transport import SANDBOX_HINT, reason
from marketcli.spec import Response
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from websockets.asyncio.client import ClientConnection
    from websockets.exceptions import ConnectionClosed
    from websockets.http11 import Response as Handshake

    from marketcli.net.address import Address
    from marketcli.net.budget import Meter
    from marketcli.net.client import Client
    from marketcli.spec import Exchange, Site, Socket

log = logging.getLogger("marketcli.net")

SPOKEN = 120  # characters of what an exchange says when it closes


class Wire(Protocol):
    """An open connection. Deadlines are the caller's: `abort` ends everything that waits."""

    async def recv(self) -> bytes:
        """The next message. Raises `ConnectionLost` when there will be none."""

    async def send(self, text: str) -> None:
        """Send a message. Raises `ConnectionLost`."""

    async def close(self) -> None:
        """Say goodbye, for a second at most."""

    def abort(self) -> None:
        """End it now."""


Dial: TypeAlias = "Callable[[Socket], Awaitable[Wire]]"


class Dialer:
    """Opens connections to the sockets of an exchange: budget, proxy, certificates, what a refusal means."""

    def __init__(self, client: Client, exchange: Exchange, site: Site) -> None:
        self.client = client
        self.exchange = exchange
        self.site = site

    async def __call__(self, socket: Socket) -> Wire:
        """An open connection. Raises what `net` raises for requests, by the answer to the handshake."""
        scheme, _, rest = socket.url.partition("://")
        host, slash, path = rest.partition("/")
        address = self.client.transport.route.address(f"{scheme}://{host}", slash + path)
        if self.client.settings.offline and not address.local:
            raise Unreachable(
                f"{address.host} was not asked, because --offline forbids it.", hint="Leave --offline out."
            )
        meter = self.client.meter(self.exchange, self.site, self.exchange.budget(socket.opening))
        await meter.acquire(1)
        outside, status = self.client.outside, "failed"
        began = outside.monotonic()
        try:
            connection = await self.connected(address)
            status = "opened"
        except RateLimited as error:
            await hold_back(meter, error, wall=self.client.outside.wall)
            raise
        finally:
            asked = {"method": "OPEN", "host": address.host, "path": slash + path, "params": {}, "weight": 1}
            spent = round((outside.monotonic() - began) * 1_000, 1)
            log.info("stream", extra={"details": {**asked, "status": status, "ms": spent}})
        return Open(connection, address.host)

    async def connected(self, address: Address) -> ClientConnection:
        """A connection of the library's, or the error that its failure means."""
        from websockets.exceptions import InvalidHandshake, InvalidStatus, ProxyError  # noqa: PLC0415 - heavy

        try:
            return await self.opened(address)
        except InvalidStatus as error:
            raise self.judged(error.response, address.host) from None
        except ProxyError as error:
            raise Unreachable(
                f"The proxy does not let us reach {address.host}: {clean(str(error))}.", hint="See --proxy."
            ) from None
        except TimeoutError:
            raise DeadlineExceeded(f"{address.host} did not open a stream in {defaults.CONNECT_SECONDS:g} s.") from None
        except (InvalidHandshake, EOFError) as error:
            text = clean(str(error)).rstrip(".") or type(error).__name__
            raise ConnectionLost(f"{address.host} did not open a stream: {text}.") from None
        except OSError as error:
            raise Unreachable(f"{address.host} cannot be reached: {reason(error)}.", hint=SANDBOX_HINT) from None

    async def opened(self, address: Address) -> ClientConnection:
        """The library asked with nothing of the environment: no proxy of its own choice, no redirects."""
        from websockets.asyncio.client import connect  # noqa: PLC0415

        from marketcli.net.messages import Messages  # noqa: PLC0415

        class Connect(connect):
            """Never goes where it was not sent."""

            def process_redirect(self, exc: Exception) -> Exception | str:
                """What the library would follow is an answer like any other."""
                return exc

        secure = address.url.startswith(("https:", "wss:"))
        proxy = None
        if not address.local:
            proxy = proxy_for(address.host.partition(":")[0], given=self.client.settings.proxy)
        async with asyncio.timeout(defaults.CONNECT_SECONDS + defaults.HANDSHAKE_SECONDS):
            return await Connect(
                address.url.replace("http", "ws", 1) if address.url.startswith("http") else address.url,
                ssl=self.client.transport.certificates() if secure else None,
                proxy=proxy,
                user_agent_header=f"marketcli/{__version__}",
                open_timeout=defaults.CONNECT_SECONDS + defaults.HANDSHAKE_SECONDS,
                ping_interval=defaults.PING_SECONDS,
                ping_timeout=defaults.PONG_SECONDS,
                close_timeout=defaults.CLOSE_SECONDS,
                max_size=defaults.FRAME_BYTES,
                create_connection=Messages,
                logger=log.getChild("websockets"),
            )

    def judged(self, answer: Handshake, host: str) -> MarketError:
        """The error of a handshake that was answered with something else than a stream."""
        headers = {name.lower(): value for name, value in answer.headers.raw_items()}
        response = Response(answer.status_code, headers, bytes(answer.body or b""), host)
        error = self.exchange.refuse(response) or by_status(response, what=self.exchange.title)
        if error is None:
            return ConnectionLost(f"{host} answered with status {answer.status_code} instead of a stream.")
        said = retry_after(headers, now=self.client.outside.wall())
        error.retry_after = error.retry_after if said is None else said
        error.request = host
        return error


class Open:
    """An open connection of the library's."""

    def __init__(self, connection: ClientConnection, host: str) -> None:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415

        self.connection = connection
        self.host = host
        self.closed: type[ConnectionClosed] = ConnectionClosed

    async def recv(self) -> bytes:
        """The next message, as bytes whatever its kind."""
        try:
            return await self.connection.recv(decode=False)
        except self.closed as error:
            raise self.lost(error) from None

    async def send(self, text: str) -> None:
        """Send a text."""
        try:
            await self.connection.send(text)
        except self.closed as error:
            raise self.lost(error) from None

    async def close(self) -> None:
        """The library waits for the other side; what it will not say in time is not waited for."""
        try:
            async with asyncio.timeout(2 * defaults.CLOSE_SECONDS):
                await self.connection.close()
        except (TimeoutError, OSError):
            self.abort()

    def abort(self) -> None:
        """After a protocol error the library waits for the other side to hang up; nothing else ends that wait."""
        self.connection.transport.abort()

    def lost(self, error: ConnectionClosed) -> ConnectionLost:
        """Who ended it, with which words."""
        for close, who in ((error.rcvd, self.host), (error.sent, "mkt")):
            if close is not None:
                words = clean(close.reason, SPOKEN)
                return ConnectionLost(f"{who} closed the stream ({close.code}{' ' if words else ''}{words}).")
        return ConnectionLost(f"The stream from {self.host} broke off.")


async def hold_back(meter: Meter, error: RateLimited, *, wall: Callable[[], float]) -> None:
    """Open nothing for as long as the exchange says, in all processes, and say in the error until when."""
    told = error.retry_after
    error.retry_after = await meter.refused(told, error)
    error.hint = f"Nothing is opened until {at(wall() + error.retry_after)}."
