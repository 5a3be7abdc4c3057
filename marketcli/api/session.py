"""What a command or a Python call works with: settings, one client, the catalogs, the sandbox if asked for."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Self

from marketcli import exchanges
from marketcli.api.kept import Kept
from marketcli.catalog import Catalog
from marketcli.config import directories
from marketcli.errors import DatasetAbsent, NotOffered, UsageError
from marketcli.net.address import is_local, masked
from marketcli.net.client import Client
from marketcli.net.transport import Settings
from marketcli.text import clean, path_part

if TYPE_CHECKING:
    from marketcli.config import Config
    from marketcli.datasets import Dataset
    from marketcli.models import Market
    from marketcli.net.client import Outside
    from marketcli.net.transport import Transport
    from marketcli.spec import Endpoint, Exchange, Site


class Session:
    """Opens what a question needs and closes it again: `async with Session(config) as session`."""

    def __init__(
        self,
        config: Config,
        *,
        refresh: bool = False,
        outside: Outside | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.config = config
        self.refresh = refresh
        self.outside = outside
        self.transport = transport
        self.catalogs: dict[str, Catalog] = {}
        self.stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        via = self.config.via
        if self.config.sandbox:
            from marketcli.sandbox.server import Sandbox  # noqa: PLC0415 - only who asks for it pays for it

            via = self.stack.enter_context(Sandbox()).url
        settings = Settings(
            via=via,
            allowed_hosts=frozenset(self.config.allow_host),
            proxy=self.config.proxy,
            ca_file=self.config.ca_file,
            offline=self.config.offline,
            timeout=self.config.timeout,
            max_wait=self.config.max_wait,
        )
        # The embedded sandbox is gone with the command, and what a given transport leads to is for its giver to know.
        alone = self.config.sandbox or self.transport is not None
        state = None if alone else directories().state / "budgets"
        self.client = Client(settings, outside=self.outside, transport=self.transport, state=state)
        # What a sandbox or a relay on this machine lists may be gone with it, so it is never kept.
        local = via is not None and is_local(via)
        self.folder = None if local else directories().cache / "instruments" / (path_part(via) if via else "direct")
        self.kept = Kept(None if self.folder is None else self.folder.parent.parent / "answers" / self.folder.name)
        await self.stack.enter_async_context(self.client)
        return self

    async def __aexit__(self, *_: object) -> None:
        for catalog in self.catalogs.values():
            await catalog.close()
        await self.stack.aclose()

    @property
    def origin(self) -> str:
        """What the `source` of rows says: simulated ones never pass for the exchange's."""
        return "sandbox" if self.config.sandbox else "rest"

    def way(self, exchange: Exchange, market: Market) -> str:
        """The host that answered, and what stood between, for a caption."""
        hosts = self.site(exchange).hosts[market]
        host = self.client.working.get(hosts, hosts[0]).partition("://")[2]
        if self.config.sandbox:
            return f"{host} (sandbox: simulated)"
        return f"{host} through {masked(self.client.settings.via)}" if self.client.settings.via else host

    def site_name(self, exchange: Exchange) -> str:
        """Which installation of an exchange the settings mean. Raises `UsageError`, `NotOffered` if it has no such."""
        if self.config.testnet and self.config.site not in (None, "testnet"):
            raise UsageError("--testnet and --site contradict each other.", hint="Leave one of them out.")
        name = "testnet" if self.config.testnet else self.config.site or "live"
        if name not in exchange.sites:
            raise NotOffered(
                f"{exchange.title} has no site {clean(name)!r}.", hint=f"It has {', '.join(exchange.sites)}."
            )
        return name

    def site(self, exchange: Exchange) -> Site:
        """The installation itself."""
        return exchange.sites[self.site_name(exchange)]

    def catalog(self, exchange: Exchange) -> Catalog:
        """The instruments of an exchange."""
        if exchange.name not in self.catalogs:
            self.catalogs[exchange.name] = Catalog(
                self.client,
                exchange,
                self.site_name(exchange),
                self.config.quotes,
                folder=self.folder,
                refresh=self.refresh,
            )
        return self.catalogs[exchange.name]


def cell(exchange: Exchange, dataset: Dataset, market: Market) -> Endpoint:
    """The endpoint for a dataset of a market. Raises `DatasetAbsent` with the reason, and who has it."""
    endpoint = exchange.endpoint(dataset, market)
    if endpoint is not None:
        return endpoint
    if market not in exchange.markets:
        raise DatasetAbsent(f"{exchange.title} has no {market} market.", hint=f"It has {', '.join(exchange.markets)}.")
    reason = exchange.absent.get((dataset, market), f"{exchange.title} does not offer it")
    others = [name for name in exchanges.names() if exchanges.load(name).endpoint(dataset, market)]
    hint = f"{', '.join(others)} offers it for {market}." if others else "See `mkt exchanges` for who offers what."
    raise DatasetAbsent(f"{exchange.name} {market} has no {dataset.title}: {reason}.", hint=hint)
