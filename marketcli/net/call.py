"""One page on its way: budget, breaker, retry, error mapping. Sends through the client's transport."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
from marketcli.net import defaults
from marketcli.net.backoff import delay
from marketcli.net.judge import at, by_status, retry_after, server_time
from marketcli.spec import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketcli.net.budget import Meter
    from marketcli.net.client import Client
    from marketcli.spec import Budget, Endpoint, Exchange, Page, Query, Response, Rows, Site

log = logging.getLogger("marketcli.net")

ELSEWHERE = (Unreachable, ExchangeDown, Redirected, RegionRefused, WrongAddress)  # another host may do better

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
    site: Site
    endpoint: Endpoint
    query: Query
    page: Page
    began: float | None = None  # when it was first sent; waiting for a budget before that is no failing

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of the market, in the order they are tried."""
        return self.site.hosts[self.query.market]

    async def rows(self) -> Rows:
        """Try until an answer decodes, or an error says that trying is over."""
        client, failures, hosts = self.client, 0, self.ordered()
        while True:
            try:
                rows = await self.once(hosts[0])
            except MarketError as error:
                failures += 1
                if len(hosts) > 1 and isinstance(error, ELSEWHERE):
                    log.info("%s: %s Trying %s.", hosts[0], error.message, hosts[1])
                    hosts = hosts[1:]
                elif not client.breaker(hosts[0]).open and self.again(error, failures):
                    client.tally.retries += 1
                    await self.rest(error, failures)
                else:
                    client.breaker(hosts[0]).gave_up(error)
                    raise
            else:
                client.working[self.hosts] = hosts[0]
                return rows

    def ordered(self) -> list[str]:
        """The hosts left to try, beginning with the one that answered last."""
        first = self.client.working.get(self.hosts, self.hosts[0])
        return list(self.hosts[self.hosts.index(first) :])

    def again(self, error: MarketError, failures: int) -> bool:
        """Whether to try once more after this many failures."""
        if isinstance(error, Banned) or not error.retryable:
            return False
        if isinstance(error, Unreachable):
            return failures < defaults.BODY_TRIES and self.elapsed() < defaults.UNREACHABLE_SECONDS / 2
        if isinstance(error, RateLimited):  # one without a request is a budget's own, which has waited long enough
            return (
                error.request is not None
                and (error.retry_after or 0) <= self.client.settings.max_wait
                and failures < 2 * defaults.TRIES
            )
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

    async def once(self, host: str) -> Rows:
        """One try at one host."""
        breaker = self.client.breaker(host)
        breaker.check()
        async with self.client.gate(host):
            paid = [(meter, units, await meter.acquire(units, check=breaker.check)) for meter, units in self.prices()]
            with breaker.passing():
                return await self.paid_for(host, paid)

    def prices(self) -> list[tuple[Meter, int]]:
        """What the request costs; one that costs nothing asks a budget all the same, because of bans."""
        costs = self.endpoint.cost(self.page) or {budget.name: 0 for budget in self.exchange.budgets[:1]}
        return [(self.meter(self.exchange.budget(name)), units) for name, units in costs.items()]

    def meter(self, budget: Budget) -> Meter:
        """A budget of the installation that is asked."""
        return self.client.meter(self.exchange, self.site, budget)

    async def paid_for(self, host: str, paid: list[tuple[Meter, int, float]]) -> Rows:
        """Send what has been paid for and judge the answer."""
        try:
            response = await self.send(host, weight=sum(units for _, units, _ in paid))
        except MarketError:
            await self.account(paid, {}, calm=False)
            raise
        self.learn(response)
        error = self.exchange.refuse(response) or by_status(response, what=self.exchange.title)
        await self.account(paid, response.headers, calm=error is None)
        if isinstance(error, RateLimited):
            await self.hold_back(error, response)
        if error is not None:
            error.request = response.url
            raise error
        return self.endpoint.decode(response.body, self.query)

    async def account(self, paid: list[tuple[Meter, int, float]], headers: Mapping[str, str], *, calm: bool) -> None:
        """Tell the budgets that the request is over, and what the exchange has counted."""
        for meter, units, sent in paid:
            used = headers.get(meter.budget.header.lower(), "") if meter.budget.header else ""
            count = int(used[:12]) if used.isascii() and used.isdigit() else None
            await meter.answered(units, sent, used=count, calm=calm)

    async def send(self, host: str, *, weight: int) -> Response:
        """Send the request, count it and log it."""
        client, name = self.client, host.partition("://")[2]
        client.tally.requests += 1
        client.tally.weight += weight
        client.tally.hosts[name] = client.tally.hosts.get(name, 0) + 1
        endpoint, started = self.endpoint, client.outside.monotonic()
        params = endpoint.params(self.query, self.page)
        request = Request(host, endpoint.path, params, endpoint.method, self.site.headers)
        status: int | str = "failed"
        patience = max(1.0, defaults.UNREACHABLE_SECONDS - self.elapsed())
        try:
            response = await client.transport.send(request, patience=patience)
            status = response.status
        finally:
            spent = round((client.outside.monotonic() - started) * 1_000, 1)
            details = {"method": endpoint.method, "host": name, "path": endpoint.path, "params": dict(params)}
            log.info("request", extra={"details": {**details, "weight": weight, "status": status, "ms": spent}})
        return response

    def learn(self, response: Response) -> None:
        """Take the exchange's clock from an answer."""
        if (theirs := server_time(response.headers)) is not None:
            known = self.client.offsets.get(self.exchange.name)
            self.client.offsets[self.exchange.name] = better_offset(known, theirs - self.client.outside.wall())

    async def hold_back(self, error: RateLimited, response: Response) -> None:
        """Pause the budgets a refusal concerns, and say in it until when."""
        outside = self.client.outside
        said = retry_after(response.headers, now=outside.wall())
        told = error.retry_after if said is None else said  # the exchange's documentation may know what it does not say
        pausing = asyncio.ensure_future(pause(self.metered(error), told, error=error))
        try:
            error.retry_after = await asyncio.shield(pausing)
        except asyncio.CancelledError:
            await pausing  # a ban that is not remembered makes the next run lengthen it
            raise
        until = at(outside.wall() + error.retry_after)
        error.hint = (
            f"Nothing is sent until {until}; try again then."
            if isinstance(error, Banned)
            else (f"Try again after {until}.")
        )

    def metered(self, error: RateLimited) -> list[Meter]:
        """The budgets a refusal concerns: a ban all of the exchange's, anything else those of this request."""
        if isinstance(error, Banned):
            return [self.meter(budget) for budget in self.exchange.budgets]
        return [meter for meter, _ in self.prices()]

    def elapsed(self) -> float:
        """Seconds since it was first sent."""
        now = self.client.outside.monotonic()
        self.began = now if self.began is None else self.began
        return now - self.began


async def pause(meters: list[Meter], told: float | None, *, error: RateLimited) -> float:
    """Hold budgets back; the longest of the waits."""
    waits = [await meter.refused(told, error) for meter in meters]
    return max(waits, default=told or defaults.UNTOLD_WAIT_SECONDS)
