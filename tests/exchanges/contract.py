"""What the contract suite asks about: every cell of every exchange, found in their tables, and a world to ask it of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from marketcli import exchanges
from marketcli.catalog import Catalog
from marketcli.datasets import INSTRUMENTS
from marketcli.models import HOUR, SECOND, Interval, Market, Window
from marketcli.sandbox.floor import Floor
from marketcli.spec import Query, Response
from marketcli.windows import parse_time
from marketcli.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketcli.models import Instrument, Micros
    from marketcli.sandbox.draft import Draft
    from marketcli.simulator import Simulator
    from marketcli.spec import Endpoint, Exchange, Page, Rows
    from marketcli.world import Listing

PAYLOADS = Path(__file__).parents[1] / "payloads"
NOW: Micros = parse_time("2026-11-21T09:31:07.5", now=0)
QUOTES = ("USDT", "USDC", "USD")
HOURLY = Interval(1, "h")
AGO = timedelta(days=3)
PINNED = 3  # pages of a walk whose parameters are pinned


@dataclass(frozen=True)
class Cell:
    """An endpoint for one of its markets; `role` says how another one leans on it."""

    exchange: Exchange
    market: Market
    endpoint: Endpoint
    role: str = ""

    @property
    def name(self) -> str:
        """How the pins of an exchange name it."""
        endpoint = self.endpoint
        return " ".join(filter(None, (endpoint.dataset.name, str(self.market), endpoint.path, self.role)))

    def __str__(self) -> str:
        return f"{self.exchange.name} {self.name}"

    def query(self, instrument: Instrument | None) -> Query:
        """A known question: about three hours three days ago (or as far back as it reaches), or about now."""
        endpoint, window, interval = self.endpoint, None, None
        if endpoint.reach == "history":
            reached = AGO if endpoint.lookback is None else endpoint.lookback / 2
            start = HOURLY.floor(NOW - min(AGO, reached) // timedelta(microseconds=1))
            window, interval = Window(start, start + 3 * HOUR), HOURLY
        return Query(endpoint.dataset, self.market, None if listing(endpoint) else instrument, interval, window)

    def pages(self, query: Query) -> list[Page]:
        """The first pages of a walk that meets nothing."""
        found = self.endpoint.pages(self.endpoint, query)
        return list(unanswered(found) if isinstance(found, Generator) else found)[:PINNED]


def unanswered(pages: Generator[Page, Rows, None]) -> Iterator[Page]:
    """The pages of a walk on which there is never a row."""
    try:
        page = next(pages)
        while True:
            yield page
            page = pages.send([])
    except StopIteration:
        return


def listing(endpoint: Endpoint) -> bool:
    """Whether an endpoint is about all instruments at once."""
    return endpoint.dataset is INSTRUMENTS


def with_others(endpoint: Endpoint, role: str = "") -> Iterator[tuple[Endpoint, str]]:
    """An endpoint, what is joined to it, and what has its older rows."""
    yield endpoint, role
    for other in endpoint.joins:
        yield from with_others(other, "joined")
    if endpoint.earlier is not None:
        yield from with_others(endpoint.earlier, "earlier")


def cells() -> list[Cell]:
    """Every cell of every exchange there is."""
    return [
        Cell(exchange, market, endpoint, role)
        for exchange in map(exchanges.load, exchanges.names())
        for one in (*exchange.instruments, *exchange.endpoints)
        for market in exchange.markets
        if market in one.markets
        for endpoint, role in with_others(one)
    ]


@cache
def pins(exchange: str) -> dict[str, Any]:
    """What is pinned of an exchange's cells: the payload of each, and what its known question sends."""
    path = PAYLOADS / exchange / "cells.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def payload(cell: Cell) -> bytes:
    """The payload of a cell."""
    name: str = pins(cell.exchange.name)[cell.name]["payload"]
    return (PAYLOADS / cell.exchange.name / name).read_bytes()


def bitcoin(simulator: Simulator, world: World, market: Market) -> Listing:
    """The Bitcoin of a market of an exchange: what lasts, in the first quote there is."""
    lasting = [
        one
        for one in simulator.listings(world, market)
        if one.coin == "BTC" and one.expiry is None and (one.perpetual or market is Market.SPOT)
    ]
    return min(lasting, key=lambda one: QUOTES.index(one.quote))


class Played:
    """All simulated exchanges at one moment, asked in this process."""

    def __init__(self, *faults: str) -> None:
        self.world = World(7, clock=lambda: NOW)
        self.floor = Floor(self.world, limits=False, faults=faults)

    def answer(self, exchange: Exchange, endpoint: Endpoint, query: Query, *, page: Page) -> Draft:
        """What the simulator says to a request of an endpoint."""
        host = exchange.sites["live"].hosts[query.market][0].partition("://")[2].partition("/")[0]
        params = endpoint.params(query, page)
        body = json.dumps(params).encode() if endpoint.method == "POST" else b""
        headers = {"content-type": "application/json"} if body else {}
        text = "" if body else urlencode(params)
        return self.floor.answer(endpoint.method, host, path=endpoint.path, query=text, body=body, headers=headers)

    async def ask(self, exchange: Exchange, _: Any, endpoint: Endpoint, query: Query, *, page: Page) -> Rows:
        """The rows of a page, as the client of a catalog gives them."""
        draft = self.answer(exchange, endpoint, query, page=page)
        error = exchange.refuse(Response(draft.status, draft.headers, draft.body, endpoint.path))
        assert error is None, error
        return endpoint.decode(draft.body, query)

    def native(self, exchange: Exchange, market: Market) -> str:
        """How the exchange spells it."""
        simulator = self.floor.simulators[exchange.name]
        return simulator.native(bitcoin(simulator, self.world, market))

    def instrument(self, exchange: Exchange, market: Market) -> Instrument:
        """The same as the program knows it."""
        client: Any = SimpleNamespace(ask=self.ask, outside=SimpleNamespace(wall=lambda: NOW / SECOND))
        catalog = Catalog(client, exchange, "live", QUOTES)
        return asyncio.run(catalog.resolve(self.native(exchange, market), market))


@cache
def played() -> Played:
    """The one world of this suite."""
    return Played()


@cache
def instrument(exchange: str, market: Market) -> Instrument:
    """The Bitcoin of a market of an exchange, looked up once."""
    return played().instrument(exchanges.load(exchange), market)


def asked(cell: Cell) -> Query:
    """The known question of a cell."""
    return cell.query(instrument(cell.exchange.name, cell.market))


def sent(cell: Cell) -> list[dict[str, Any]]:
    """What the known question sends."""
    query = asked(cell)
    return [dict(cell.endpoint.params(query, page)) for page in cell.pages(query)]
