"""ccxt's sockets in the sandbox: clients, clocks, and one run in which everything is watched for 70 seconds."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from peers.ccxt_cells import INVERSE, SPOT, VENUES, WORLD, Case, Venue, chosen
from sandbox.small_world import at

from marketcli.models import MILLISECOND, MINUTE, SECOND, Micros, Window
from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from marketcli.world import Liquidation, Listing, Trade

START, END = at("2026-11-21T12:05:50"), at("2026-11-21T12:07:00")  # lively, but no storm
SPAN = Window(START, END)
TRUTH = WORLD.at(END + MINUTE)
SPEED, PACE = 15.0, 0.125
REST = 20 * SECOND  # that the clock goes on behind the end, so that every state is told once more
PATIENCE = 60  # of our seconds, on the slowest machine
PLENTY = {"tradesLimit": 100_000}  # that ccxt keeps until it is asked for them, however late that is
PLACES = [venue for venue in VENUES if venue.client != "binance" or venue.market is SPOT]
# Without liquidations; OKX tells those of inverse swaps by the topic that also tells those of linear ones.
UNFORCED = {
    *(venue for venue in PLACES if venue.market is SPOT or venue.client == "hyperliquid"),
    Venue("okx", INVERSE),
}


class Watch(NamedTuple):
    """Something to watch, until a row of a time comes; `name` is the stream that Binance is asked for."""

    case: Case
    method: str
    until: Micros = END
    timeframe: str | None = None
    name: str | None = None

    @property
    def keywords(self) -> dict[str, Any]:
        """What the method is called with beside the symbol; ccxt writes into the parameters."""
        timed = {} if self.timeframe is None else {"timeframe": self.timeframe}
        return {"params": {} if self.name is None else {"name": self.name}} | timed


@cache
def watches(venue: Venue) -> list[Watch]:
    """What is watched at a venue: of Bitcoin there are too many trades, but the most liquidations."""
    binance = venue.exchange == "binance"
    first, second, *others = chosen(venue, dated=True)
    found = [
        Watch(second, "watch_trades", until=last(TRUTH.trades, second)),
        *(
            Watch(case, "watch_trades", until=last(TRUTH.trades, case), name="aggTrade" if binance else None)
            for case in others
        ),
        *(Watch(case, "watch_ohlcv", timeframe="1m") for case in (first, second, *others)),
        Watch(second, "watch_ohlcv", timeframe="1h"),
        *(Watch(case, "watch_ticker") for case in (first, *others)),
        Watch(second, "watch_ticker", name="ticker" if binance else None),
    ]
    if venue not in UNFORCED:
        until = last(TRUTH.liquidations, first) // SECOND * SECOND  # Binance tells one of a second
        found.append(Watch(first, "watch_liquidations", until=until))
    return found


def last(of: Callable[[Listing, Window], Sequence[Trade | Liquidation]], case: Case) -> Micros:
    """When the last of something was inside the span."""
    return of(case.listing, SPAN)[-1].time


class Recorded(NamedTuple):
    """What was heard, and the clients that heard it, by the names of their classes."""

    rows: dict[Watch, list[Any]]
    clients: dict[str, Any]


# --- clocks


class Stopwatch:
    """Microseconds since it was let go, up to some; it stands before that."""

    def __init__(self, most: Micros) -> None:
        self.most = most

    began: int | None = None

    def __call__(self) -> Micros:
        return 0 if self.began is None else min((time.monotonic_ns() - self.began) // 1_000, self.most)

    def go(self) -> None:
        self.began = time.monotonic_ns()


class Hands:
    """A clock that is moved by hand."""

    time = START

    def __call__(self) -> Micros:
        return self.time


# --- clients


@asynccontextmanager
async def connected(name: str, sandbox: Sandbox, **more: Any) -> AsyncIterator[Any]:
    """A ccxt exchange by the name of its class, its addresses those of the sandbox."""
    pro = pytest.importorskip("ccxt.pro", reason="ccxt is an extra of its own: pip install '.[peer]'")
    exchange = getattr(pro, name)({"enableRateLimit": False, "timeout_on_exit": 0, "options": PLENTY} | more)
    exchange.urls["api"] = moved(exchange.urls["api"], sandbox.url)
    try:
        await exchange.load_markets()
        yield exchange
    finally:
        await exchange.close()


@asynccontextmanager
async def alone(venue: Venue, clock: Hands, *, pace: float = 1.0, **more: Any) -> AsyncIterator[tuple[Sandbox, Any]]:
    """A sandbox whose clock is moved by hand, and a venue's client of it."""
    with Sandbox(clock=clock, limits=False, pace=pace) as sandbox:
        async with connected(venue.client, sandbox, **more) as exchange, asyncio.timeout(PATIENCE):
            yield sandbox, exchange


def moved(address: Any, url: str) -> Any:
    """The same path of the same host, asked of the sandbox."""
    if isinstance(address, dict):
        return {name: moved(one, url) for name, one in address.items()}
    return address.replace("https://", f"{url}/").replace("wss://", f"{url}/".replace("http", "ws"))


def served(sandbox: Sandbox) -> set[tuple[int, str]]:
    """What the sandbox streams now: connections and topics.

    ccxt numbers its connections to Binance in their addresses, where topics may stand.
    """
    lines = list(sandbox.floor.streams.lines.values())
    return {(line.number, topic) for line in lines for topic in list(line.topics) if not topic.isdecimal()}


async def eventually(true: Callable[[], bool]) -> None:
    """Wait until something is so, or fail."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - what is waited for happens in the sandbox's thread, or inside of ccxt
            await asyncio.sleep(0.01)


# --- the run


def listed(found: Any) -> list[Any]:
    """Rows that ccxt does not change any more; of tickers it gives one."""
    return [copy(row) for row in (found if isinstance(found, list) else [found])]


def time_of(row: Any) -> Micros:
    """When a row is of; 0 if it does not say."""
    return ((row[0] if isinstance(row, list) else row["timestamp"]) or 0) * MILLISECOND


async def watched(exchange: Any, watch: Watch, rows: list[Any]) -> None:
    """Everything that is told, as ccxt's manual says to ask for it."""
    while not rows or time_of(rows[-1]) < watch.until:
        found = await getattr(exchange, watch.method)(watch.case.symbol, **watch.keywords)
        if watch.method == "watch_liquidations":  # it tells the first of a frame only, and keeps all
            rows[:] = [one for one in exchange.liquidations if one["symbol"] == watch.case.symbol]
        else:
            rows += listed(found)


def endless(watch: Watch) -> bool:
    """Whether no time of its rows is the end's: candles of an hour, and tickers without any."""
    return watch.timeframe == "1h" or (watch.case.venue.client == "hyperliquid" and watch.method == "watch_ticker")


async def record() -> Recorded:
    """Watch everything at once, from the very start of a clock that runs fast."""
    clock = Stopwatch(round((END + REST - START) / SPEED))
    every = [watch for venue in PLACES for watch in watches(venue)]
    heard = Recorded({watch: [] for watch in every}, {})
    async with AsyncExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(clock=clock, start=START, speed=SPEED, pace=PACE, limits=False))
        for name in dict.fromkeys(venue.client for venue in PLACES):
            heard.clients[name] = await stack.enter_async_context(connected(name, sandbox))
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            tasks = {
                watch: group.create_task(watched(heard.clients[watch.case.venue.client], watch, heard.rows[watch]))
                for watch in every
            }
            await eventually(lambda: len(served(sandbox)) == len(every))
            clock.go()
            await asyncio.gather(*(task for watch, task in tasks.items() if not endless(watch)))
            for watch in filter(endless, every):
                tasks[watch].cancel()
    return heard
