"""Bytes over HTTP: one request, one answer, every failure in our words. The only module that imports httpx."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from marketcli import __version__
from marketcli.errors import CutBody, DeadlineExceeded, LocalError, NetworkError, Unreachable, UsageError
from marketcli.net import defaults
from marketcli.net.address import Address, Route, masked, proxy_for
from marketcli.net.body import read
from marketcli.spec import Response
from marketcli.text import clean

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from marketcli.spec import Request

SANDBOX_HINT = "Check the connection, or try `mkt --sandbox …`, which needs none."


@dataclass(frozen=True, slots=True)
class Settings:
    """How to reach exchanges."""

    via: str | None = None
    allowed_hosts: frozenset[str] = frozenset()
    proxy: str | None = None
    ca_file: str | None = None
    offline: bool = False
    timeout: float = defaults.REQUEST_SECONDS
    max_wait: float = defaults.MAX_WAIT_SECONDS


class Transport:
    """Connections to hosts, one pool per proxy; `clock` is monotonic seconds."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self.settings = settings
        self.clock = clock
        self.route = Route.through(settings.via, allowed=settings.allowed_hosts)
        self.pools: dict[str | None, httpx.AsyncClient] = {}

    async def close(self) -> None:
        """Close all connections."""
        for pool in self.pools.values():
            await pool.aclose()

    async def send(self, request: Request, *, patience: float) -> Response:
        """Send a request and read the whole answer within the deadline; `patience` is seconds left to connect."""
        address = self.route.address(request.base, request.path)
        if self.settings.offline and not address.local:
            raise Unreachable(
                f"{address.host} was not asked, because --offline forbids it.", hint="Leave --offline out."
            )
        try:
            async with asyncio.timeout(self.settings.timeout):
                with translated(address.host):
                    return await self.exchange(address, request, patience=patience)
        except TimeoutError:
            raise DeadlineExceeded(f"{address.host} did not answer within {self.settings.timeout:g} s.") from None

    async def exchange(self, address: Address, request: Request, *, patience: float) -> Response:
        """Send the request and receive the answer, raw bytes inflated by our own layer."""
        timeout = httpx.Timeout(defaults.READ_SECONDS, connect=min(defaults.CONNECT_SECONDS, patience), pool=None)
        params, posted = dict(request.params), request.method == "POST"
        asked = self.pool(address).stream(
            request.method,
            address.url,
            params=None if posted else params,
            json=params if posted else None,
            headers=dict(request.headers),
            timeout=timeout,
        )
        async with asked as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            encoding = headers.get("content-encoding", "")
            body = await read(answer.aiter_raw(), encoding, what=address.host, clock=self.clock)
            return Response(answer.status_code, headers, body, address.host + request.path)

    def pool(self, address: Address) -> httpx.AsyncClient:
        """The connections a request travels on."""
        proxy = None if address.local else proxy_for(address.host.partition(":")[0], given=self.settings.proxy)
        if proxy not in self.pools:
            self.pools[proxy] = self.connections(proxy, secure=address.url.startswith("https:"))
        return self.pools[proxy]

    def connections(self, proxy: str | None, *, secure: bool) -> httpx.AsyncClient:
        """A pool that takes nothing from the environment but certificates: no .netrc, no second opinion on proxies."""
        try:
            return httpx.AsyncClient(
                verify=self.certificates() if secure else nobody(),
                proxy=proxy,
                trust_env=False,
                follow_redirects=False,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=4 * defaults.CONNECTIONS),
                headers={"User-Agent": f"marketcli/{__version__}", "Accept-Encoding": "gzip", "Accept": "*/*"},
            )
        except ImportError:
            raise UsageError(
                f"The proxy {masked(proxy or '')} needs SOCKS support.",
                hint="Install it: pip install 'marketcli[socks]'.",
            ) from None

    def certificates(self) -> ssl.SSLContext:
        """Whom to trust: certifi's list, or what SSL_CERT_FILE names, and `--ca-file` on top."""
        try:
            context = httpx.create_ssl_context()
            if self.settings.ca_file:
                context.load_verify_locations(self.settings.ca_file)
        except OSError as error:
            raise LocalError(
                f"The certificates in {self.settings.ca_file} cannot be read: {error.strerror or error}.",
                hint="--ca-file takes a PEM file.",
            ) from None
        return context


def nobody() -> ssl.SSLContext:
    """A TLS context that trusts nobody, for pools that never use TLS; loading the real one costs 60 ms."""
    import ssl  # noqa: PLC0415

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@contextlib.contextmanager
def translated(host: str) -> Iterator[None]:
    """Say in our words what httpx raises."""
    try:
        yield
    except httpx.ConnectTimeout:
        raise Unreachable(f"{host} cannot be reached: it does not answer.", hint=SANDBOX_HINT) from None
    except httpx.ConnectError as error:
        if getattr(innermost(error), "errno", None) in (errno.EMFILE, errno.ENFILE):
            raise LocalError(
                "This system allows no more open files.", hint="Raise the limit: ulimit -n 1024."
            ) from None
        raise Unreachable(f"{host} cannot be reached: {reason(error)}.", hint=SANDBOX_HINT) from None
    except httpx.ProxyError as error:
        raise Unreachable(
            f"The proxy does not let us reach {host}: {clean(str(error))}.", hint="See --proxy."
        ) from None
    except httpx.TimeoutException:
        raise DeadlineExceeded(f"{host} stopped answering for {defaults.READ_SECONDS:g} s.") from None
    except (httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError) as error:
        raise CutBody(f"{host} broke off its answer: {clean(str(error)) or type(error).__name__}.") from None
    except httpx.HTTPError as error:
        raise NetworkError(f"{host} could not be asked: {clean(str(error)) or type(error).__name__}.") from None


def reason(error: BaseException) -> str:
    """The cause of a failed connection in plain words."""
    cause = innermost(error)
    if isinstance(cause, OSError) and type(cause).__module__ == "builtins" and (cause.errno or 0) > 0:
        return os.strerror(cause.errno or 0)
    text = getattr(cause, "strerror", None) or str(cause)
    return clean(text).rstrip(".") or type(cause).__name__


def innermost(error: BaseException) -> BaseException:
    """The system's own error in a chain; what libraries tried before lies behind it and is no cause."""
    found: BaseException = error
    step: BaseException | None = error
    while step is not None:
        if isinstance(step, OSError) or not isinstance(found, OSError):
            found = step
        step = step.__cause__ or step.__context__
    return found
