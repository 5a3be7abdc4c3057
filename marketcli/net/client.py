"""One page after another: budget, retry, error mapping, the exchange's clock. Sends through `transport`."""

from __future__ import annotations

import asyncio
import logging
import random as randomness
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from marketcli.errors import (
    Banned,
    CutBody,
    DecodeError,
    ExchangeDown,
    MalformedBody,
    MarketError,
    RateLimited,
    Redirected,
    RegionRefused,
    Unreachable,
    WrongAddress,
)
from marketcli.models import SECOND, Micros
from marketcli.net import defaults
from marketcli.net.backoff import delay
from marketcli.net.budget import Meter
from marketcli.net.judge import at, by_status, retry_after, server_time
from marketcli.net.transport import Settings, Transport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from marketcli.spec import Budget, Endpoint, Exchange, Page, Query, Response, Rows, Site

log = logging.getLogger("marketcli.net")

ELSEWHERE = (Unreachable, ExchangeDown, Redirected, RegionRefused, WrongAddress)  # another host may do better


@dataclass(frozen=True, slots=True)
class Outside:
    """What comes from outside, so that tests take no time: clocks in seconds, sleep, and a random number in [0, 1)."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = randomness.random


@dataclass(slots=True)
class Tally:
    """What a command has sent so far."""

    requests: int = 0
    weight: int = 0
    retries: int = 0
    hosts: dict[str, int] = field(default_factory=dict)


class Client:
    """Asks exchanges; one per command, used as `async with Client(settings) as client`."""

    def __init__(
        self, settings: Settings, *, outside: Outside | None = None, transport: Transport | None = None
    ) -> None:
        self.settings = settings
        self.outside = outside or Outside()
        self.transport = transport or Transport(settings, self.outside.monotonic)
        self.tally = Tally()
        self.meters: dict[tuple[str, str], Meter] = {}
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
        return await Call(self, exchange, endpoint, query, page, site.hosts[query.market]).rows()

    def meter(self, exchange: Exchange, budget: Budget) -> Meter:
        """The budget of an exchange that a request spends from."""
        key = (exchange.name, budget.name)
        if key not in self.meters:
            self.meters[key] = Meter(
                budget, clock=self.outside.monotonic, sleep=self.outside.sleep, max_wait=self.settings.max_wait
            )
        return self.meters[key]

    def gate(self, host: str) -> asyncio.Semaphore:
        """What keeps connections to a host few."""
        return self.gates.setdefault(host, asyncio.Semaphore(defaults.CONNECTIONS))


ONE_CLOCK_SECONDS = 2.0  # answers of one clock differ by less


def better_offset(known: float | None, told: float) -> float:
    """How far the exchange's clock is ahead of ours, after one more answer.

    A Date header is cut to whole seconds and was written before it came: each tells how far ahead they are at least, so
    the highest is the best, and what was over by one answer stays over by the next. Where two answers cannot be of one
    clock (a cache, a wrong machine among many), the one nearer to our own is believed.
    """
    if known is None:
        return told
    return max(known, told) if abs(known - told) <= ONE_CLOCK_SECONDS else min(known, told, key=abs)


@dataclass(slots=True)
class Call:
    """One page on its way: its hosts, its tries, its end."""

    client: Client
    exchange: Exchange
    endpoint: Endpoint
    query: Query
    page: Page
    hosts: tuple[str, ...]

    async def rows(self) -> Rows:
        """Try until an answer decodes, or an error says that trying is over."""
        client, started, failures = self.client, self.client.outside.monotonic(), 0
        hosts = self.ordered()
        while True:
            elapsed = client.outside.monotonic() - started
            try:
                rows = await self.once(hosts[0], patience=max(1.0, defaults.UNREACHABLE_SECONDS - elapsed))
            except MarketError as error:
                failures += 1
                if len(hosts) > 1 and isinstance(error, ELSEWHERE):
                    log.info("%s: %s Trying %s.", hosts[0], error.message, hosts[1])
                    hosts = hosts[1:]
                elif self.again(error, failures, client.outside.monotonic() - started):
                    client.tally.retries += 1
                    await self.rest(error, failures)
                else:
                    raise
            else:
                client.working[self.hosts] = hosts[0]
                return rows

    def ordered(self) -> list[str]:
        """The hosts left to try, beginning with the one that answered last."""
        first = self.client.working.get(self.hosts, self.hosts[0])
        return list(self.hosts[self.hosts.index(first) :])

    def again(self, error: MarketError, failures: int, elapsed: float) -> bool:
        """Whether to try once more after this many failures."""
        if isinstance(error, Banned) or not error.retryable:
            return False
        if isinstance(error, Unreachable):
            return failures < defaults.BODY_TRIES and elapsed < defaults.UNREACHABLE_SECONDS / 2
        if isinstance(error, RateLimited):
            return (error.retry_after or 0) <= self.client.settings.max_wait and failures < 2 * defaults.TRIES
        if isinstance(error, DecodeError):
            return failures < defaults.DECODE_TRIES
        if isinstance(error, (CutBody, MalformedBody)):
            return failures < defaults.BODY_TRIES
        return failures < defaults.TRIES

    async def rest(self, error: MarketError, failures: int) -> None:
        """Wait before the next try; after a refusal the budget's pause does the waiting."""
        if isinstance(error, RateLimited):
            return
        outside = self.client.outside
        await outside.sleep(
            delay(failures - 1, defaults.BACKOFF_SECONDS, cap=defaults.BACKOFF_CAP_SECONDS, random=outside.random)
        )

    async def once(self, host: str, *, patience: float) -> Rows:
        """One try at one host."""
        client, costs = self.client, dict(self.endpoint.cost(self.page))
        async with client.gate(host):
            for name, units in costs.items():
                await client.meter(self.exchange, self.exchange.budget(name)).acquire(units)
            response = await self.send(host, weight=sum(costs.values()), patience=patience)
        self.learn(response)
        if (error := self.refused(response)) is not None:
            error.request = response.url
            raise error
        for name in costs:
            client.meter(self.exchange, self.exchange.budget(name)).relax()
        return self.endpoint.decode(response.body, self.query)

    async def send(self, host: str, *, weight: int, patience: float) -> Response:
        """Send the request, count it and log it."""
        client, name = self.client, host.partition("://")[2]
        client.tally.requests += 1
        client.tally.weight += weight
        client.tally.hosts[name] = client.tally.hosts.get(name, 0) + 1
        params, started = self.endpoint.params(self.query, self.page), client.outside.monotonic()
        status: int | str = "failed"
        try:
            response = await client.transport.get(host, self.endpoint.path, params=params, patience=patience)
            status = response.status
        finally:
            spent = round((client.outside.monotonic() - started) * 1_000, 1)
            details = {"method": "GET", "host": name, "path": self.endpoint.path, "params": dict(params)}
            log.info("request", extra={"details": {**details, "weight": weight, "status": status, "ms": spent}})
        return response

    def learn(self, response: Response) -> None:
        """Take the exchange's clock and its own count of the budget from an answer."""
        outside = self.client.outside
        if (theirs := server_time(response.headers)) is not None:
            known = self.client.offsets.get(self.exchange.name)
            self.client.offsets[self.exchange.name] = better_offset(known, theirs - outside.wall())
        for name in self.endpoint.cost(self.page):
            budget = self.exchange.budget(name)
            used = response.headers.get(budget.header.lower(), "") if budget.header else ""
            if used.isascii() and used.isdigit():
                self.client.meter(self.exchange, budget).observe(int(used[:12]))

    def refused(self, response: Response) -> MarketError | None:
        """The error an answer stands for; one that asks to slow down pauses what it was paid from."""
        error = self.exchange.refuse(response) or by_status(response, what=self.exchange.title)
        if isinstance(error, RateLimited):
            outside = self.client.outside
            told = retry_after(response.headers, now=outside.wall())
            waits = [meter.refused(told, error, random=outside.random) for meter in self.metered(error)]
            error.retry_after = max(waits, default=told or defaults.UNTOLD_WAIT_SECONDS)
            until = at(outside.wall() + error.retry_after)
            error.hint = (
                f"Nothing is sent until {until}; try again then."
                if isinstance(error, Banned)
                else (f"Try again after {until}.")
            )
        return error

    def metered(self, error: RateLimited) -> list[Meter]:
        """The budgets a refusal concerns: a ban all of the exchange's, anything else those of this request."""
        names = self.endpoint.cost(self.page)
        return [
            self.client.meter(self.exchange, budget)
            for budget in self.exchange.budgets
            if budget.name in names or isinstance(error, Banned)
        ]
