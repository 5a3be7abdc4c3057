"""What all requests of a command share: connections, budgets, breakers, the exchanges' clocks."""

from __future__ import annotations

import asyncio
import random as randomness
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from marketcli.models import SECOND, Micros
from marketcli.net import defaults
from marketcli.net.account import Key, Moment
from marketcli.net.address import masked
from marketcli.net.breaker import Breaker
from marketcli.net.budget import Meter
from marketcli.net.call import Call
from marketcli.net.shared import Folder, Own, Shared, boot, fresh
from marketcli.net.transport import Settings, Transport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from marketcli.spec import Budget, Endpoint, Exchange, Page, Query, Rows, Site


@dataclass(frozen=True, slots=True)
class Outside:
    """What comes from outside, so that tests take no time: clocks in seconds, sleep, and a random number in [0, 1)."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = randomness.random
    boot: Callable[[], str] = boot

    def moment(self) -> Moment:
        """Both clocks at once; milliseconds are as exact as budgets need."""
        return Moment(round(self.wall(), 3), round(self.monotonic(), 3), self.boot())


@dataclass(slots=True)
class Tally:
    """What a command has sent so far."""

    requests: int = 0
    weight: int = 0
    retries: int = 0
    hosts: dict[str, int] = field(default_factory=dict)


class Client:
    """Asks exchanges; one per command, used as `async with Client(settings) as client`.

    `state` is the folder where all processes of the user keep their budgets and bans; without it this one is alone.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        outside: Outside | None = None,
        transport: Transport | None = None,
        state: Path | None = None,
    ) -> None:
        self.settings = settings
        self.outside = outside or Outside()
        self.transport = transport or Transport(settings, self.outside.monotonic)
        self.tally = Tally()
        self.state = None if state is None else Folder(state)
        self.meters: dict[Key, Meter] = {}
        self.breakers: dict[str, Breaker] = {}
        self.gates: dict[str, asyncio.Semaphore] = {}
        self.working: dict[tuple[str, ...], str] = {}  # which of several hosts answered last
        self.offsets: dict[str, float] = {}  # exchange -> its clock minus ours, seconds

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.transport.close()

    def now(self, exchange: str) -> Micros:
        """The exchange's time as far as its answers have told, else ours; microseconds UTC."""
        return int((self.outside.wall() + self.offsets.get(exchange, 0.0)) * SECOND)

    def clock(self, exchange: str) -> Clock:
        """The exchange's clock."""
        return Clock(self, exchange)

    def moment(self, exchange: str) -> Callable[[], Micros]:
        """This very moment by the exchange's clock, told ever better as answers come in; microseconds UTC.

        What was asked for after it is at least as new, so what was over by then is over in the answer.
        """
        here = self.outside.wall()
        return lambda: int((here + self.offsets.get(exchange, 0.0)) * SECOND)

    def skew(self, exchange: str) -> float:
        """How many seconds our clock is off the exchange's; the Date header is cut to whole seconds."""
        return self.offsets.get(exchange, -0.5) + 0.5

    async def ask(self, exchange: Exchange, site: Site, endpoint: Endpoint, query: Query, *, page: Page) -> Rows:
        """The decoded rows of one page, tried again as its errors allow, from the first host that answers."""
        return await Call(self, exchange, site, endpoint, query, page).rows()

    def meter(self, exchange: Exchange, site: Site, budget: Budget) -> Meter:
        """The budget of an exchange's installation that a request spends from."""
        name = next((name for name, known in exchange.sites.items() if known is site), "live")
        key = Key(masked(self.settings.via or ""), exchange.name, name, budget.name)
        if key not in self.meters:
            keeper = Shared(self.state, key, budget=budget) if self.state else Own(fresh(key, budget))
            self.meters[key] = Meter(budget, keeper, outside=self.outside, max_wait=self.settings.max_wait)
        return self.meters[key]

    def breaker(self, host: str) -> Breaker:
        """What leaves a host alone that only fails."""
        if host not in self.breakers:
            self.breakers[host] = Breaker(host.partition("://")[2], self.outside)
        return self.breakers[host]

    def gate(self, host: str) -> asyncio.Semaphore:
        """What keeps connections to a host few."""
        return self.gates.setdefault(host, asyncio.Semaphore(defaults.CONNECTIONS))


class Clock:
    """An exchange's clock, as far as it is known."""

    def __init__(self, client: Client, exchange: str) -> None:
        self.client = client
        self.exchange = exchange

    def now(self) -> Micros:
        """What it shows; microseconds UTC."""
        return self.client.now(self.exchange)

    def learn(self, sent: Micros, ago: float) -> None:
        """A message that came `ago` seconds ago was sent then: it is later there by now, never earlier."""
        offsets, told = self.client.offsets, sent / SECOND - (self.client.outside.wall() - ago)
        offsets[self.exchange] = max(offsets.get(self.exchange, told), told)
