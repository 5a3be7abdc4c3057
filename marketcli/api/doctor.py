"""Whether everything works that a question to an exchange needs: the way to its hosts, one request each, the clock.

Where a host is asked directly, its name is looked up and it proves who it is; then each of its markets answers one
request, the cheapest that needs no list: a candle. All hosts are tried side by side, also those that only stand in for
others. Nothing is tried again, nothing waits for a budget, and nothing else is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from marketcli.api.bitcoin import name_of, question
from marketcli.api.checks import Check, failed, skipped, timed
from marketcli.api.session import Session
from marketcli.errors import ExitCode, LocalError, NotOffered, UsageError
from marketcli.models import SECOND, iso
from marketcli.net import probe
from marketcli.net.address import is_local, masked, proxy_for
from marketcli.net.call import Call
from marketcli.net.defaults import CONNECT_SECONDS
from marketcli.net.judge import at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from marketcli.api.bitcoin import Question
    from marketcli.config import Config
    from marketcli.models import Market
    from marketcli.net.account import Account
    from marketcli.spec import Exchange

CLOCK_SECONDS, CLOCK_BAD_SECONDS = 1.0, 30.0
DATE_SECONDS = 0.5  # how far off a clock may seem because the Date header is cut to whole seconds
HERE = "not needed: the sandbox is on this machine"


async def examine(config: Config, tables: Sequence[Exchange]) -> list[Check]:
    """Check the way out and every exchange, side by side; a host that does not answer costs five seconds a step."""
    hurried = config.model_copy(update={"timeout": min(config.timeout, CONNECT_SECONDS), "max_wait": 0.0})
    async with Session(hurried) as session:
        doctor = Doctor(session)
        found = await asyncio.gather(doctor.way(tables), *(doctor.exchange(table) for table in tables))
    return list(chain.from_iterable(found))


class Doctor:
    """Takes the steps with what a command would use: the same client, settings and budgets."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.config = session.config
        self.client = session.client
        self.seconds = session.config.timeout

    async def way(self, tables: Sequence[Exchange]) -> list[Check]:
        """What stands between this machine and all exchanges."""
        if self.config.sandbox:
            answers = "the embedded sandbox answers: simulated data, no network"
            return [Check("via", ok=True, detail=answers), skipped("proxy", HERE)]
        hosts = self.every_host(tables)
        if self.config.via is None:
            direct = Check("via", ok=True, detail="none: exchanges are asked at their own addresses")
            return [direct, *await self.proxies(hosts)]
        through = await timed("via", self.reached(self.config.via, f"everything is sent through {self.relay}"))
        local = skipped("proxy", "not needed: --via is on this machine")
        return [through, *([local] if is_local(self.config.via) else await self.proxies(hosts))]

    @property
    def relay(self) -> str:
        """The address everything is sent through, safe to show."""
        return masked(self.config.via or "")

    async def proxies(self, hosts: Iterable[str]) -> list[Check]:
        """The proxies in force, each with the hosts it is for."""
        users: dict[str, list[str]] = {}
        try:
            for host in sorted(hosts):
                users.setdefault(self.proxy(host) or "", []).append(bare(host))
        except UsageError as error:
            return [failed("proxy", error)]
        asked = (
            timed("proxy", self.reached(proxy, f"{masked(proxy)} for {', '.join(served)}"))
            for proxy, served in users.items()
            if proxy
        )
        return await asyncio.gather(*asked) or [Check("proxy", ok=True, detail="none")]

    def proxy(self, host: str) -> str | None:
        """The proxy that a host is reached by. Raises `UsageError`."""
        return proxy_for(probe.place(host)[0], given=self.config.proxy)

    async def reached(self, url: str, detail: str) -> str:
        """Connect to what stands between, unless nothing may leave this machine."""
        if is_local(url) or not self.config.offline:
            await probe.connect(*probe.place(url), seconds=self.seconds)
        return detail

    def every_host(self, tables: Sequence[Exchange]) -> set[str]:
        """The hosts that will be asked."""
        found: set[str] = set()
        for table in tables:
            with contextlib.suppress(NotOffered):
                found |= set(self.hosts(table))
        return found

    def hosts(self, table: Exchange) -> dict[str, list[Market]]:
        """The hosts of an exchange's installation, and the markets that are asked there. Raises `NotOffered`."""
        site = self.session.site(table)
        found: dict[str, list[Market]] = {}
        for market in table.markets:
            for host in site.hosts[market] if self.config.market in {None, market} else ():
                found.setdefault(host, []).append(market)
        if not found:
            raise NotOffered(f"{table.title} has no {self.config.market} market.")
        return found

    async def exchange(self, table: Exchange) -> list[Check]:
        """All steps of an exchange. One that lacks the site or market asked for fails only if it was named."""
        try:
            hosts = self.hosts(table)
        except NotOffered as error:
            lacking = replace(failed("site", error), exit=error.exit)
            lacking = skipped("site", error.message) if "all" in self.config.exchange else lacking
            return [replace(lacking, exchange=table.name)]
        asked = await asyncio.gather(*(self.host(table, host, markets) for host, markets in hosts.items()))
        checks = list(chain.from_iterable(asked))
        checks += [self.clock(table, checks), await self.budget(table)]
        site = self.session.site_name(table)
        return [replace(check, exchange=table.name, site=site) for check in checks]

    async def host(self, table: Exchange, host: str, markets: Sequence[Market]) -> list[Check]:
        """The way to a host, and a request to each of its markets if the way is free."""
        checks = await self.steps(host)
        questions = [question(table, market, now=self.client.now(table.name)) for market in markets]
        if any(check.ok is False for check in checks):
            checks += [skipped(name_of(one), "not asked: there is no connection") for one in questions]
        else:
            asked = (timed(name_of(one), self.answer(table, host, one)) for one in questions)
            checks += await asyncio.gather(*asked)
        return [replace(check, host=bare(host)) for check in checks]

    async def steps(self, host: str) -> list[Check]:
        """Its name and its certificate, unless something else sees to them."""
        if reason := self.indirect(host):
            return [skipped("dns", reason), skipped("tls", reason)]
        found = await timed("dns", self.named(host))
        if not found.ok:
            return [found, skipped("tls", "not tried: the name was not found")]
        return [found, await timed("tls", self.secured(host))]

    def indirect(self, host: str) -> str:
        """Why name and certificate of a host are not ours to check; nothing if they are."""
        if self.config.sandbox:
            return HERE
        if self.config.via:
            return f"not needed: everything is sent through {self.relay}"
        if self.config.offline:
            return "not tried: --offline forbids it"
        try:
            proxy = self.proxy(host)
        except UsageError as error:
            return f"not tried: {error.message}"
        return f"not needed: left to the proxy {masked(proxy)}" if proxy else ""

    async def named(self, host: str) -> str:
        """What its name stands for."""
        first, *others = await probe.look_up(*probe.place(host), seconds=self.seconds)
        return f"{first} and {len(others)} more" if others else first

    @cached_property
    def certificates(self) -> probe.Trust:
        """Whom to trust; made once, because it takes 60 ms."""
        return self.client.transport.certificates()

    async def secured(self, host: str) -> str:
        """How it proves who it is, and until when it can."""
        found = await probe.secure(*probe.place(host), trust=self.certificates, seconds=self.seconds)
        return f"{found.protocol}, certificate until {iso(int(found.expires * SECOND))[:10]}"

    async def answer(self, table: Exchange, host: str, asked: Question) -> str:
        """What one request brought; that the exchange does not have what was asked for is an answer too."""
        endpoint, query, page = asked
        address = f"{bare(host)}{endpoint.path}"
        try:
            rows = await Call(self.client, table, self.session.site(table), endpoint, query, page).once(host)
        except (UsageError, NotOffered) as error:
            if error.request is None:  # not the exchange's words
                raise
            return f"{address} answers: {error.message}"
        return f"{address} answers with {len(rows):,} row{'' if len(rows) == 1 else 's'}"

    def clock(self, table: Exchange, checks: Iterable[Check]) -> Check:
        """How far this computer's clock is off, by the answers of an exchange, beyond what they leave uncertain."""
        if table.name not in self.client.offsets:
            return skipped("clock", "not known: nothing answered")
        skew = self.client.skew(table.name)
        took = (check.ms for check in checks if check.ms is not None and check.check not in {"dns", "tls"})
        under_way = min(took, default=0.0) / 1_000  # before an answer came, its Date was written
        side, off = ("behind", skew - DATE_SECONDS) if skew > 0 else ("ahead of", -skew - DATE_SECONDS - under_way)
        if off <= CLOCK_SECONDS:
            return Check("clock", ok=True, detail=f"this computer's clock agrees with {table.title}'s to a second")
        return Check(
            "clock",
            ok=off <= CLOCK_BAD_SECONDS,
            detail=f"this computer's clock is {abs(skew):,.0f} s {side} {table.title}'s",
            hint="Let the network set it (NTP). What is finished is told by the exchange's clock.",
            concern="off",
            exit=ExitCode.OK if off <= CLOCK_BAD_SECONDS else ExitCode.NETWORK,
        )

    async def budget(self, table: Exchange) -> Check:
        """What has been spent of an exchange's budgets by all processes, and until when they are held back."""
        site = self.session.site(table)
        try:
            found = [await self.client.meter(table, site, one).change(lambda account: account) for one in table.budgets]
        except LocalError as error:
            return failed("budget", error)
        held = [account for account in found if account.paused_until > account.monotonic]
        if not held:
            return Check("budget", ok=True, detail=spent(found))
        last = max(held, key=lambda account: account.paused_until)
        until = at(last.wall + last.paused_until - last.monotonic)
        why = last.ban or f"{table.title} asked to slow down ({last.budget})."
        return Check(
            "budget",
            ok=False,
            detail=f"{why} Nothing is sent until {until}.",
            hint="Try again then; mkt limits shows all budgets.",
            exit=ExitCode.NETWORK,
        )


def spent(accounts: Sequence[Account]) -> str:
    """What has been spent and what is free, the untouched budgets together."""
    used = [
        f"{one.budget} {one.used:,} used, {max(0, one.ceiling - one.used):,} free of {one.limit:,} in {one.seconds:g} s"
        for one in accounts
        if one.used
    ]
    rest = len(accounts) - len(used)
    return "; ".join([*used, f"{rest} more unused"] if rest and used else used or ["nothing used"])


def bare(host: str) -> str:
    """A host without its scheme."""
    return host.partition("://")[2]
