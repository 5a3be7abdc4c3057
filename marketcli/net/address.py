"""Where requests go: `--via`, proxies, and what counts as this machine."""

from __future__ import annotations

import ipaddress
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from marketcli.errors import UsageError
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Address:
    """One request's address, as the exchange knows it and as it is sent."""

    host: str  # of the exchange, with its port if it has one
    url: str  # what is sent
    local: bool  # to this machine


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach hosts: directly, or everything by way of one address (`--via`)."""

    via: str | None = None

    @classmethod
    def through(cls, via: str | None, *, allowed: frozenset[str] = frozenset()) -> Route:
        """Check a `--via` address. Raises `UsageError`; beyond this machine only hosts in `allowed` are taken."""
        if not via:
            return cls()
        parts = urlsplit(via)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise UsageError(
                f"--via {clean(via)!r} is not an address.", hint="Write it like http://127.0.0.1:9000, without a query."
            )
        if not loopback(parts.hostname) and parts.hostname not in allowed:
            raise UsageError(
                f"--via would send everything to {clean(parts.hostname)}, which is not this machine.",
                hint=f"If that is meant, add --allow-host {clean(parts.hostname)}.",
            )
        return cls(via.rstrip("/"))

    def address(self, base: str, path: str) -> Address:
        """Where a path of an exchange's host is asked."""
        host = base.partition("://")[2]
        url = f"{self.via}/{host}{path}" if self.via else f"{base}{path}"
        return Address(host, url, local=is_local(url))


def loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_local(url: str) -> bool:
    """Whether an address is on this machine."""
    return loopback(urlsplit(url).hostname or "")


def proxy_for(
    host: str, *, given: str | None, environment: Callable[[], Mapping[str, str]] = urllib.request.getproxies
) -> str | None:
    """The proxy a host is reached by, told or from the environment; none for this machine. Raises `UsageError`."""
    if loopback(host):
        return None
    if given:
        return checked(given)
    known = environment()
    if urllib.request.proxy_bypass(host):
        return None
    found = known.get("https") or known.get("all") or known.get("http")
    return checked(found) if found else None


def checked(proxy: str) -> str:
    """A proxy address that can be used."""
    address = proxy if "://" in proxy else f"http://{proxy}"
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https", "socks5", "socks5h"} or not parts.hostname:
        raise UsageError(
            f"The proxy {masked(address)!r} cannot be used.",
            hint="Write it like http://host:8080 or socks5://host:1080.",
        )
    return address


def masked(url: str) -> str:
    """An address without the password in it, safe to show."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return clean(url)
    return clean(urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2])))
