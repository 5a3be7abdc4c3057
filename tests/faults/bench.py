"""Questions through the real client to the sandbox's exchanges, in one process and in no time.

Only sockets are replaced: httpx gets a transport that asks a `Floor`, and the event loop a clock that jumps to the next
timer instead of waiting. Deadlines, budgets, retries and inflating are the program's own.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

import httpx

from marketcli.api.candles import CandleQuestion, Range, candles
from marketcli.api.session import Session
from marketcli.config import Config
from marketcli.errors import ExitCode, MarketError
from marketcli.exchanges import load
from marketcli.models import SECOND, Interval, Market, Micros, Window
from marketcli.net.client import Outside
from marketcli.net.transport import Settings, Transport
from marketcli.sandbox import wire
from marketcli.sandbox.floor import Floor
from marketcli.windows import parse_time
from marketcli.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

    from marketcli.api.answer import Answer
    from marketcli.sandbox.draft import Draft
    from marketcli.spec import Endpoint, Exchange
    from marketcli.world import Listing

NOW = parse_time("2026-11-21T12:00:30", now=0)
SEED = 7
QUOTES = ("USDT", "USDC", "USD")
VIA = "http://127.0.0.1:9"  # nothing listens there: what goes past the transport fails
T = TypeVar("T")
TRAVEL = 0.02  # seconds a request and an answer are each on their way
MEMORY = World(SEED, clock=lambda: NOW)  # candles it has made once, every other world knows


@dataclass
class Clock:
    """The one clock of a test: seconds that pass when everybody waits; `ahead` is how wrong ours is."""

    seconds: float = 0.0
    ahead: float = 0.0

    def world(self) -> Micros:
        return NOW + round(self.seconds * SECOND)

    def wall(self) -> float:
        return self.world() / SECOND + self.ahead


class Jumping(selectors.SelectSelector):
    """Lets the time pass that a loop would wait."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("everything waits for something that never comes")
        self.clock.seconds += timeout
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """An event loop in the time of a clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Jumping(clock))
        self.clock = clock

    def time(self) -> float:
        return self.clock.seconds


class Body(httpx.AsyncByteStream):
    """A body on its way: pieces, the pause before each, and how it breaks off, if it does."""

    def __init__(self, pieces: Sequence[bytes], *, pause: float = 0.0, end: Exception | None = None) -> None:
        self.pieces, self.pause, self.end = pieces, pause, end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            await asyncio.sleep(self.pause)
            yield piece
        if self.end is not None:
            raise self.end


async def hang(_: Draft) -> Body:
    return await asyncio.Future()


async def giant_header(_: Draft) -> Body:
    raise httpx.RemoteProtocolError("Receive buffer too long")


def half(end: Exception | None) -> Callable[[Draft], Any]:
    async def deliver(draft: Draft) -> Body:
        return Body([wire.half(draft)], end=end)

    return deliver


async def drip(draft: Draft) -> Body:
    size = draft.delivery.size
    return Body([draft.body[at : at + size] for at in range(0, len(draft.body), size)], pause=draft.delivery.pause)


async def plain(draft: Draft) -> Body:
    return Body([draft.body])


# What httpx makes of each way to deliver; `test_fault_bytes.py` holds it against real sockets.
DELIVERIES = {
    "plain": plain,
    "drip": drip,
    "hang": hang,
    "giant_header": giant_header,
    "no_length": half(None),
    "close": half(httpx.RemoteProtocolError("peer closed connection without sending complete message body")),
    "reset": half(httpx.ReadError("")),
}


@dataclass
class Sent:
    """A request as it left: when, and to which host and path."""

    seconds: float
    host: str
    path: str


class FloorTransport(httpx.AsyncBaseTransport):
    """Asks the exchanges of a floor instead of the network."""

    def __init__(self, floor: Floor, clock: Clock) -> None:
        self.floor, self.clock = floor, clock
        self.sent: list[Sent] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        address, _, query = request.url.raw_path.decode("ascii").partition("?")
        host, _, path = address.lstrip("/").partition("/")
        self.sent.append(Sent(self.clock.seconds, host, f"/{path}"))
        await asyncio.sleep(TRAVEL)
        draft = self.floor.answer(
            request.method,
            host,
            path=f"/{unquote(path)}",
            query=query,
            body=await request.aread(),
            headers=dict(request.headers),
        )
        wire.encoded(draft, request.headers["accept-encoding"])
        await asyncio.sleep(draft.delay + TRAVEL)
        return httpx.Response(
            draft.status, headers=draft.headers, stream=await DELIVERIES[draft.delivery.name](draft), request=request
        )


class BenchTransport(Transport):
    """The program's own transport, its connections led to a floor."""

    way: FloorTransport

    def connections(self, proxy: str | None, *, secure: bool) -> httpx.AsyncClient:
        assert proxy is None
        assert not secure
        return httpx.AsyncClient(transport=self.way, trust_env=False, headers={"Accept-Encoding": "gzip"})


@dataclass(frozen=True, repr=False)
class Outcome:
    """How a question ended: with an answer, or with an error of ours."""

    answer: Answer | None
    error: MarketError | None

    @property
    def exit(self) -> ExitCode:
        if self.answer is None:
            assert self.error is not None
            return self.error.exit
        return ExitCode.INCOMPLETE if self.answer.lost else ExitCode.OK

    @property
    def window(self) -> Window:
        """The open times that were asked for."""
        assert self.answer is not None
        assert self.answer.window is not None
        return self.answer.window

    def __repr__(self) -> str:
        if self.answer is None:
            return f"exit {self.exit}: {self.error!r}"
        return f"exit {self.exit}: {self.answer.frame.height} rows, gaps {[str(gap) for gap in self.answer.gaps]}"


@dataclass(frozen=True)
class Ask:
    """A question about a coin's lasting instrument of a market; `limit` is the size of a page."""

    market: Market
    range: Range = field(default_factory=lambda: Range(last=200))
    interval: str = "1m"
    price: str = "trade"
    limit: int = 25
    base: str = "BTC"
    exchange: str = "binance"

    @property
    def where(self) -> Exchange:
        """Who is asked."""
        return load(self.exchange)

    def listing(self, floor: Floor) -> Listing:
        """The instrument meant: spot or perpetual, living or not, in the first quote there is."""
        found = [
            one
            for one in floor.simulators[self.exchange].listings(floor.world, self.market)
            if (one.coin, one.perpetual) == (self.base, self.market is not Market.SPOT)
        ]
        return min(found, key=lambda one: QUOTES.index(one.quote))

    def native(self, floor: Floor) -> str:
        """The same as the exchange spells it."""
        return floor.simulators[self.exchange].native(self.listing(floor))

    @property
    def question(self) -> CandleQuestion:
        return CandleQuestion(Interval.parse(self.interval), self.range, price=self.price, market=self.market)


def paged(limit: int, exchange: Exchange) -> Exchange:
    """The exchange asked in pages of another size."""
    return replace(exchange, endpoints=tuple(smaller(endpoint, limit) for endpoint in exchange.endpoints))


def smaller(endpoint: Endpoint, limit: int) -> Endpoint:
    """An endpoint, and what has its older rows, asked in pages of another size, as far as it gives so much."""
    earlier = None if endpoint.earlier is None else smaller(endpoint.earlier, limit)
    return replace(endpoint, limit=min(limit, endpoint.limit), earlier=earlier)


async def outcome_of(session: Session, ask: Ask, native: str, *, exchange: Exchange) -> Outcome:
    """How a question ends; what is no error of ours is raised."""
    try:
        answer = await candles(session, paged(ask.limit, exchange), native, question=ask.question)
    except MarketError as error:
        return Outcome(None, error)
    return Outcome(answer, None)


class Bench:
    """A world, its exchanges with their faults, and one clock; `ahead` is how many seconds our wall clock is ahead."""

    def __init__(self, *faults: str, limits: bool = True, ahead: float = 0.0, exchange: Exchange | None = None) -> None:
        self.clock = Clock(ahead=ahead)
        self.world = World(SEED, clock=self.clock.world)
        self.world.tree, self.world.paths = MEMORY.tree, MEMORY.paths
        self.floor = Floor(self.world, limits=limits, faults=faults)
        self.way = FloorTransport(self.floor, self.clock)
        self.exchange = exchange
        self.random = Random(SEED)

    def ask(self, *asks: Ask, **settings: Any) -> list[Outcome]:
        """The outcomes of questions asked at the same time in one session."""
        return self.run(self.together(asks, settings))

    def one(self, ask: Ask, **settings: Any) -> Outcome:
        """The outcome of one question."""
        (outcome,) = self.ask(ask, **settings)
        return outcome

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=lambda: Loop(self.clock)) as runner:
            return runner.run(work)

    def session(self, **settings: Any) -> Session:
        """A session of the program that is led to the floor."""
        outside = Outside(
            wall=self.clock.wall, monotonic=lambda: self.clock.seconds, sleep=asyncio.sleep, random=self.random.random
        )
        config = Config.model_validate({"via": VIA, **settings})
        transport = BenchTransport(Settings(via=VIA, timeout=config.timeout), outside.monotonic)
        transport.way = self.way
        return Session(config, outside=outside, transport=transport)

    async def together(self, asks: Sequence[Ask], settings: dict[str, Any]) -> list[Outcome]:
        async with self.session(**settings) as session:
            return list(await asyncio.gather(*(self.outcome(session, ask) for ask in asks)))

    async def outcome(self, session: Session, ask: Ask) -> Outcome:
        return await outcome_of(session, ask, ask.native(self.floor), exchange=self.exchange or ask.where)

    def requests(self, path: str = "klines") -> Counter[str]:
        """How many requests each host has had for paths that contain a word."""
        return Counter(sent.host for sent in self.way.sent if path in sent.path)
