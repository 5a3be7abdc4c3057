"""Bitcoin in each exchange's own spelling: what can be asked of every market without asking for a list before."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from marketcli import exchanges
from marketcli.datasets import OHLC
from marketcli.models import DAY, Instrument, Interval, Market, Micros, Window, canonical
from marketcli.spec import Page, Query
from marketcli.world import World

if TYPE_CHECKING:
    from marketcli.simulator import Simulator
    from marketcli.spec import Endpoint, Exchange
    from marketcli.world import Listing

QUOTES = ("USDT", "USDC", "USD")  # the first that the exchange has it in
NOW: Micros = 1_767_225_600_000_000  # 2026-01-01; what is asked here of the world never changes
DAILY = Interval(1, "d")

Question: TypeAlias = "tuple[Endpoint, Query, Page]"


def bitcoin(exchange: Exchange, market: Market) -> Instrument | None:
    """Bitcoin's perpetual, or its spot pair; None where the sandbox plays no such market of the exchange."""
    simulator = exchanges.simulator(exchange.name)
    if simulator is None:
        return None
    found = [one for one in simulator.listings(World(clock=lambda: NOW), market) if is_bitcoin(one)]
    found.sort(key=lambda one: QUOTES.index(one.quote))
    return named(exchange.name, simulator, found[0]) if found else None


def is_bitcoin(one: Listing) -> bool:
    """Whether a thing of the world is Bitcoin against dollars, and lasts."""
    return one.base == "BTC" and one.quote in QUOTES and (one.perpetual or one.market is Market.SPOT)


def named(exchange: str, simulator: Simulator, one: Listing) -> Instrument:
    """A thing of the world under the names that the exchange gives it."""
    base = simulator.base(one)
    return Instrument(
        exchange,
        one.market,
        canonical(base, one.quote, one.market, settle=one.settle, expiry=None),
        simulator.native(one),
        base,
        one.quote,
        one.settle,
        contract_size=float(one.contract_size),
        inverse=one.market is Market.INVERSE,
        pair=f"{base}{one.quote}",
    )


def question(table: Exchange, market: Market, *, now: Micros) -> Question:
    """The cheapest request that can be made: yesterday's candle of Bitcoin, else the list of instruments."""
    endpoint, instrument = table.endpoint(OHLC, market), bitcoin(table, market)
    if endpoint is None or instrument is None or DAILY not in table.spelled(endpoint):
        lists = next(one for one in table.instruments if market in one.markets)
        return lists, Query(lists.dataset, market), Page(None, lists.limit)
    today = DAILY.floor(now)
    window = Window(today - DAY, today)
    return endpoint, Query(OHLC, market, instrument, DAILY, window), Page(window, 1)


def name_of(asked: Question) -> str:
    """What a request is about."""
    _, query, _ = asked
    return f"{query.market} {query.dataset.title}"
