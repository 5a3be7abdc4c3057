"""Feeds that need no exchange; `python stand_in.py SCENE WORDS…` is `mkt` with them for `marketcli.api.live`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
import types
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from marketcli.datasets import TRADES, Dataset
from marketcli.errors import DatasetAbsent, NetworkError
from marketcli.live.events import Blind, Cause, State, Status, Vitals
from marketcli.models import SECOND, Instrument, Interval, Market, Micros, Window
from marketcli.records import Candle, Funding, LargeTrade, Liquidation, OpenInterest, Ticker, Trade

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from marketcli.live.events import Event

NOW = 1_795_262_400 * SECOND  # 2026-11-21T12:00:00Z
LINEAR = Market.LINEAR
HOSTILE = "\x1b]0;gone\x07\x9b31m\u202e[/][bold]:smile:\x00\nnext"
COINS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "1000PEPE", "LINK", "AVAX", "SUI")


def instrument(symbol: str = "BTC-USDT-PERP", exchange: str = "binance", quote: str = "USDT") -> Instrument:
    base = symbol.partition("-")[0]
    return Instrument(exchange, LINEAR, symbol, f"{base}{quote}", base, quote, quote, tick=0.1)


def symbol(number: int) -> str:
    return f"{COINS[number % len(COINS)]}-USDT-PERP"


def price(number: int) -> float:
    return round(78_514.5 / (1 + number % len(COINS)) ** 2 + number % 13 / 10, 1)


def trade(number: int, *, at: Micros = NOW, exchange: str = "binance", name: str = "", usd: float | None = -1) -> Trade:
    size = round(0.001 * (1 + number * 7919 % 4001), 3)
    cost = price(number)
    notional = round(size * cost, 4)
    dollars = notional if usd == -1 else usd
    called = name or symbol(number)
    spelled = str(called).replace("-", "")
    return Trade(
        exchange, "linear", called, spelled, at, str(number), cost, size, None, notional, dollars,
        "buy" if number % 3 else "sell", "stream",
    )  # fmt: skip


def large(number: int, *, at: Micros = NOW, exchange: str = "binance") -> LargeTrade:
    one = trade(number, at=at, exchange=exchange)
    notional = one.notional * 20
    return LargeTrade(
        exchange, "linear", one.symbol, one.native, at, one.id, 1 + number % 9, one.price - 0.05, one.price, one.size,
        notional, notional, one.side, "stream",
    )  # fmt: skip


def liquidation(number: int, *, at: Micros = NOW, exchange: str = "binance", full: bool = False) -> Liquidation:
    one = trade(number, at=at, exchange=exchange)
    return Liquidation(
        exchange, "linear", one.symbol, one.native, at, "long" if number % 3 else "short", one.price, one.size, None,
        one.notional, one.notional_usd, "full" if full else "sampled", 0, "stream",
    )  # fmt: skip


def candle(number: int, *, at: Micros = NOW, name: str = "BTC-USDT-PERP", closed: bool = True) -> Candle:
    opened, close = price(number * 10), price(number * 10 + 7)
    return Candle(
        "binance", "linear", name, "BTCUSDT", "1m", at, opened, max(opened, close) + 5.5, min(opened, close) - 4.5,
        close, 12.5 * (1 + number % 7), 1e6, 1_234 + number, 6.0, None, closed, "stream",
    )  # fmt: skip


def ticker(number: int, *, at: Micros = NOW, name: str = "", exchange: str = "binance") -> Ticker:
    last = price(number)
    return Ticker(
        exchange, "linear", name or symbol(number), "X", at, last, None, last - 0.1, 1.0, last + 0.1, 2.0, 0.2 / last,
        (number * 7 % 11 - 5) / 100, last, last + 9, last - 9, 1e4, 1e4 * last, 1e4 * last, 12_345 + number,
    )  # fmt: skip


def funding(number: int, *, at: Micros = NOW, exchange: str = "binance") -> Funding:
    rate = (number * 7 % 11 - 4) / 20_000
    mark = price(number)
    return Funding(
        exchange, "linear", symbol(number), "X", at, rate, 8.0, rate * 1_095, NOW + (1 + number % 4) * 3_600 * SECOND,
        mark, mark * 0.9999, 0.0001,
    )  # fmt: skip


def interest(number: int, *, at: Micros = NOW, grown: float = 1.0, exchange: str = "binance") -> OpenInterest:
    base = 1_000.0 * (1 + number) * grown
    return OpenInterest(exchange, "linear", symbol(number), "X", at, base, base * price(number), None, 0.01, -0.02)


MAKERS: dict[str, Callable[..., Any]] = {
    "trades": trade,
    "large_trades": large,
    "liquidations": liquidation,
    "ohlc": candle,
    "ticker": ticker,
    "funding": funding,
    "oi": interest,
}


def blind(*, repaired: bool = False, at: Micros = NOW, seconds: int = 4, dataset: Dataset = TRADES) -> Blind:
    window = Window(at - seconds * SECOND, at)
    return Blind("binance", LINEAR, dataset, ("BTC-USDT-PERP",), window, Cause.DISCONNECTED, repaired, 7 * repaired)


def status(state: State, *, text: str = "", exchange: str = "binance", at: Micros = NOW) -> Status:
    return Status(exchange, LINEAR, state, at, 1, text)


@dataclass(frozen=True)
class Watch:
    dataset: Dataset
    symbols: tuple[str, ...] = ()
    market: Market | None = None
    interval: Interval | None = None
    max_down: float | None = None
    least: float = 0.0


@dataclass(frozen=True)
class Source:
    exchange: str = "binance"
    title: str = "Binance"
    market: Market = LINEAR
    instruments: tuple[Instrument, ...] = ()
    completeness: str = ""
    notes: tuple[str, ...] = ()


Step = Any  # a list of events, a number of seconds to wait, or a function of the feeds


@dataclass
class Feeds:
    """Feeds that give what a script says: lists of events, seconds to wait, functions of the feeds."""

    script: Sequence[Step] = ()
    sources: Sequence[Source] = (Source(),)
    failures: list[Any] = field(default_factory=list)
    last: list[Event] = field(default_factory=list)
    clock: Micros | None = NOW
    forever: bool = False
    watch: Watch | None = None
    stopped: bool = False
    closing: float = 0.0  # seconds until all connections are closed

    def __post_init__(self) -> None:
        self.vitals = {
            (one.exchange, one.market): Vitals(one.exchange, one.market, connections=1, wanted=1)
            for one in self.sources
        }
        self.began = time.monotonic()
        self.over = asyncio.Event()

    def now(self, _: str) -> Micros:
        return time.time_ns() // 1_000 if self.clock is None else self.clock

    def monotonic(self) -> float:
        return time.monotonic()

    def count(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, (Blind, Status)):
                vitals = self.vitals[event.exchange, event.market]
                if isinstance(event, Blind):
                    vitals.gaps, vitals.repaired = vitals.gaps + (not event.repaired), vitals.repaired + event.repaired
                elif event.state is State.LOST:
                    vitals.connections, vitals.reconnects = 0, vitals.reconnects + 1
                elif event.state is State.LIVE:
                    vitals.connections = 1
            else:
                vitals = self.vitals[event.exchange, Market(event.market)]
                vitals.messages, vitals.records = vitals.messages + 1, vitals.records + 1
                vitals.last = time.monotonic()

    async def __aiter__(self) -> AsyncIterator[list[Event]]:
        for step in self.script:
            if isinstance(step, int | float):
                await asyncio.sleep(step)
                continue
            if callable(step):
                step(self)
                continue
            self.count(step)
            yield step
            await asyncio.sleep(0)
        if self.forever:
            await self.over.wait()

    async def stop(self) -> list[Event]:
        await asyncio.sleep(self.closing)
        self.stopped = True
        self.over.set()
        return self.last


def install(feeds: Feeds | Exception, monkeypatch: Any = None) -> None:
    """Put feeds in the place of the real ones; an error is what watching raises."""

    @contextlib.asynccontextmanager
    async def watched(_session: object, _exchanges: object, watch: Watch) -> AsyncIterator[Feeds]:
        if isinstance(feeds, Exception):
            raise feeds
        feeds.watch = watch
        yield feeds

    module = types.ModuleType("marketcli.api.live")
    module.__dict__.update(Watch=Watch, watched=watched)
    if monkeypatch is None:
        sys.modules["marketcli.api.live"] = module
    else:
        monkeypatch.setitem(sys.modules, "marketcli.api.live", module)


class Flood(Feeds):
    """So many records a second, of one dataset, for ever."""

    def __init__(self, name: str, rate: int, *, total: int | None = None) -> None:
        sources = (Source(completeness="sampled"), Source("bybit", "Bybit", completeness="full"))
        super().__init__(sources=sources if name == "liquidations" else sources[:1], clock=None)
        self.make, self.rate, self.total = MAKERS[name], rate, total

    async def __aiter__(self) -> AsyncIterator[list[Event]]:
        number = 0
        while not self.stopped and (self.total is None or number < self.total):
            due = int((time.monotonic() - self.began) * self.rate)
            if due > number:
                at = self.now("")
                events = [self.make(one, at=at) for one in range(number, due)]
                if len(self.sources) > 1:
                    events = [replace_exchange(event, one) for one, event in enumerate(events)]
                number = due
                self.count(events)
                yield events
            await asyncio.sleep(0.005)


class Logged(Flood):
    """A flood that writes down how many it gave, where the test can see it."""

    def count(self, events: list[Event]) -> None:
        super().count(events)
        with open(os.environ["MKT_STAND_IN_LOG"], "a", encoding="ascii") as log:  # noqa: PTH123
            log.write("." * len(events))


def replace_exchange(event: Any, number: int) -> Any:
    import msgspec  # noqa: PLC0415

    if number % 4:
        return event
    return msgspec.structs.replace(event, exchange="bybit", completeness="full")


DOWN = NetworkError("binance linear was away for longer than 5m.", hint="Leave --max-down out to wait for ever.")
ABSENT = DatasetAbsent(
    "hyperliquid linear does not stream liquidations: there is no such stream.", hint="binance does."
)


def burst(count: int) -> list[list[Event]]:
    """So many trades as fast as anybody takes them: more bytes than may wait for a reader."""
    return [[trade(number) for number in range(start, start + 500)] for start in range(0, count, 500)]


def scenes() -> dict[str, Callable[[], Feeds]]:
    """What the program is run on, by name."""
    some = [[trade(number)] for number in range(5)]
    return {
        "few": lambda: Feeds(some),
        "quiet": lambda: Feeds(forever=True),
        "some": lambda: Feeds(some, forever=True),
        "flood": lambda: Flood("trades", 5_000),
        "flood to a log": lambda: Logged("trades", 5_000),
        "undrawable": lambda: Feeds([[trade(1, name=cast("str", 5))]], forever=True),
        "storm": lambda: Flood("trades", 50_000),
        "burst": lambda: Feeds([*burst(60_000), lambda _: os.write(2, b"all given\n")], forever=True),
        "burst and end": lambda: Feeds([*burst(60_000), lambda _: os.write(2, b"all given\n")]),
        "liquidations": lambda: Flood("liquidations", 20),
        "hostile": lambda: Feeds(
            [[trade(1, name=HOSTILE), status(State.LOST, text=HOSTILE), blind()]],
            sources=(Source(instruments=(replace(instrument(), symbol=HOSTILE),), notes=(HOSTILE,)),),
            failures=[NetworkError(HOSTILE)],
            forever=True,
        ),
        "down": lambda: Feeds([some[0], lambda feeds: feeds.failures.append(DOWN)]),
        "bug": lambda: Feeds([some[0], 0.6, lambda _: 1 / 0]),
        **{name: partial(Flood, name, 50) for name in MAKERS if name != "liquidations"},
    }


if __name__ == "__main__":
    from marketcli.__main__ import main

    install(scenes()[sys.argv[1]]())
    sys.argv = ["mkt", *sys.argv[2:]]
    main()
