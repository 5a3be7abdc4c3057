"""A sandbox whose clock stands still, and ccxt's exchanges pointed at it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.small_world import NOW

from marketcli.models import MILLISECOND
from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def peer() -> Iterator[Callable[[str], Any]]:
    """A ccxt exchange by the name of its class, its markets loaded from the sandbox once."""
    ccxt = pytest.importorskip("ccxt", reason="ccxt is an extra of its own: pip install '.[peer]'")
    opened = []

    @cache
    def client(name: str) -> Any:
        exchange = getattr(ccxt, name)({"enableRateLimit": False})
        opened.append(exchange)
        exchange.urls["api"] = moved(exchange.urls["api"], sandbox.url)
        exchange.milliseconds = lambda: NOW // MILLISECOND
        exchange.load_markets()
        return exchange

    with Sandbox(clock=lambda: NOW, limits=False) as sandbox:  # a clock that stands never frees a budget
        yield client
        for exchange in opened:
            exchange.session.close()


def moved(address: Any, url: str) -> Any:
    """The same path of the same host, asked of the sandbox."""
    if isinstance(address, dict):
        return {name: moved(one, url) for name, one in address.items()}
    return address.replace("https://", f"{url}/")
