"""A day at the sandbox's exchanges with somebody who breaks streams: what was watched against what was true."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

from inside_feeds import Place, place

from marketcli.api.live import Watch
from marketcli.datasets import LIQUIDATIONS, OHLC, TRADES
from marketcli.exchanges import load, simulator
from marketcli.live.events import Blind, Cause, State, Status
from marketcli.models import SECOND, Interval, Market, Window
from marketcli.spec import Query

if TYPE_CHECKING:
    from virtual_time import Hours

    from marketcli.models import Instrument, Micros
    from marketcli.world import Listing

MINUTE = Interval(1, "m")
NAMES = ("binance", "bybit", "okx", "hyperliquid")
QUIET = {"hyperliquid": ("SOL", "USDC", Market.SPOT)}  # what trades least there; elsewhere it is ADA
USUAL = ("ADA", "USDT", Market.LINEAR)
NEAR = 5 * SECOND  # of the end: what may still be on its way


@dataclass
class Day:
    """What a day came to."""

    place: Place
    span: Window
    served: dict[str, list[list[Micros]]] = field(default_factory=dict)  # when the exchange served liquidations
    stalls: dict[str, float] = field(default_factory=lambda: defaultdict(float))  # seconds of silence
    kinds: Counter[str] = field(default_factory=Counter)
    instruments: dict[str, Instrument] = field(default_factory=dict)

    def records(self, kind: str, exchange: str) -> list[Any]:
        """The records of a kind from an exchange."""
        return [one for one in self.place.records if type(one).__name__ == kind and one.exchange == exchange]

    def blind(self, dataset: Any, exchange: str) -> list[Blind]:
        """The blind intervals of a dataset that were not repaired."""
        found = [one for one in self.place.of(Blind) if one.dataset is dataset and one.exchange == exchange]
        return [one for one in found if not one.repaired]

    def drops(self, exchange: str) -> int:
        """How often a connection that wants liquidations ended."""
        return len(self.served.get(exchange, ())) - 1

    def outage(self, exchange: str) -> float:
        """Seconds between the end of one connection and the beginning of the next."""
        stretches = sorted(self.served.get(exchange, ()))
        pairs = pairwise(stretches)
        away = sum(max(0, later[0] - earlier[-1]) for earlier, later in pairs if len(earlier) > 1)
        return float(away / SECOND)

    def listing(self, exchange: str) -> Listing:
        """What is watched there."""
        base, quote, market = QUIET.get(exchange, USUAL)
        found = simulator(exchange).listings(self.place.floor.world, market)  # type: ignore[union-attr]
        return next(one for one in found if (one.base, one.quote) == (base, quote) and one.status == "trading")


def keep_books(day: Day, hours: Hours) -> None:
    """Write down when each exchange begins and ends to serve a connection that wants liquidations."""
    board = day.place.floor.streams
    connect = board.connect

    def connected(host: str, path: str, query: str) -> Any:
        line: Any = connect(host, path, query)
        if hasattr(line, "topics"):
            begin, end = line.begin, line.end
            stretch: list[Micros] = []

            def begun(name: str, now: Micros, **more: Any) -> None:
                if not stretch and any(word in name for word in ("iquidation", "forceOrder")):
                    stretch.append(hours.micros())
                    day.served.setdefault(line.simulator.name, []).append(stretch)
                begin(name, now, **more)

            def ended() -> None:
                if len(stretch) == 1:
                    stretch.append(hours.micros())
                end()

            line.begin, line.end = begun, ended
        return line

    board.connect = connected  # type: ignore[method-assign]


async def break_things(day: Day, hours: Hours, *, faults: int, seconds: float, seed: int) -> None:
    """So many faults at random moments, one after another."""
    chance, floor = Random(seed), day.place.floor
    moments = sorted(chance.uniform(60, seconds - 120) for _ in range(faults))
    for moment in moments:
        await asyncio.sleep(max(0.0, moment - hours.passed()))
        who = chance.choice(NAMES)
        kind = chance.choice(("drop", "drop", "drop", "stall", "skip", "duplicate", "out_of_order"))
        day.kinds[kind] += 1
        if kind == "drop":
            away = chance.choice((0.0, 0.0, 3.0, 20.0))
            mode = chance.choice(("close", "fin", "reset"))
            refused = [f"ws_refuse:status=503,exchange={who}"] if away else []
            floor.set_faults([f"ws_drop:frames=1,mode={mode},exchange={who}", *refused])
            await asyncio.sleep(1.0)
            floor.set_faults(refused)
            await asyncio.sleep(away)
        elif kind == "stall":
            still = chance.uniform(15, 30)
            day.stalls[who] += still
            floor.set_faults([f"ws_stall:after=0,exchange={who}"])
            await asyncio.sleep(still)
        else:
            # Nobody can tell that a trade of Hyperliquid was left out: ids say nothing, and REST has the newest ten.
            about = ("andle",) if who == "hyperliquid" else ("rade", "andle", "kline")
            topic = f",topic={chance.choice(about)}" if kind == "skip" else ""
            floor.set_faults([f"ws_{kind}:every=3,exchange={who}{topic}"])
            await asyncio.sleep(3.0)
        floor.set_faults([])


async def day_of(hours: Hours, *, faults: int, seconds: float, seed: int, pace: float = 1.0) -> Day:
    """Watch trades, candles and liquidations of all exchanges while things break."""
    async with place(hours, pace=pace) as here:
        day = Day(here, Window(0, 0))
        keep_books(day, hours)
        async with AsyncExitStack() as stack:
            for name in NAMES:
                base, quote, market = QUIET.get(name, USUAL)
                symbol = "USOL-USDC" if market is Market.SPOT else f"{base}-{quote}-PERP"
                for dataset in (TRADES, OHLC, LIQUIDATIONS):
                    if dataset is LIQUIDATIONS and name == "hyperliquid":
                        continue
                    watch = Watch(dataset, (symbol,), market, MINUTE if dataset is OHLC else None)
                    feeds = await stack.enter_async_context(here.watching(name, watch=watch))
                    day.instruments[name] = feeds.sources[0].instruments[0]
            await asyncio.sleep(30)
            begun = hours.micros()
            await break_things(day, hours, faults=faults, seconds=seconds, seed=seed)
            await asyncio.sleep(max(0.0, seconds - hours.passed()))
        day.span = Window(begun, hours.micros() - NEAR)
    return day


def wrong_trades(day: Day, exchange: str) -> list[str]:
    """What is wrong about the trades of an exchange: too few, too many, others; none inside a stretch that was told."""
    world = day.place.floor.world
    truth = Counter((one.time, one.price, round(one.size, 9)) for one in world.trades(day.listing(exchange), day.span))
    came = Counter(
        (one.time, one.price, round(one.size, 9)) for one in day.records("Trade", exchange) if one.time in day.span
    )
    dark = [one.window for one in day.blind(TRADES, exchange)]
    lost = [row for row in (truth - came) if not any(row[0] in window for window in dark)]
    return [f"lost {row}" for row in lost] + [f"too many {row}" for row in came - truth]


def wrong_candles(day: Day, exchange: str) -> list[str]:
    """What is wrong about the closed candles of an exchange."""
    world, begun = day.place.floor.world, MINUTE.ceil(day.span.start)
    window = Window(begun, MINUTE.floor(day.span.end - 30 * SECOND))
    found = world.candles(day.listing(exchange), MINUTE, window)
    truth = Counter((one.time, one.open, one.high, one.low, one.close, round(one.volume_base, 6)) for one in found)
    came = Counter(
        (one.time, one.open, one.high, one.low, one.close, round(one.volume_base, 6))
        for one in day.records("Candle", exchange)
        if one.closed and one.time in window
    )
    dark = [one.window for one in day.blind(OHLC, exchange)]
    lost = [row for row in (truth - came) if not any(row[0] in window for window in dark)]
    return [f"lost {row}" for row in lost] + [f"too many {row}" for row in came - truth]


def pushed(day: Day, exchange: str) -> Counter[tuple[Any, ...]]:
    """The liquidations that an exchange shows of the day, as its own frames have them."""
    table, sim, instrument = load(exchange), simulator(exchange), day.instruments[exchange]
    assert sim is not None
    channels = table.streams(LIQUIDATIONS, Market.LINEAR, scope="instrument") or table.streams(
        LIQUIDATIONS, Market.LINEAR, scope="market"
    )
    shown: Counter[tuple[Any, ...]] = Counter()
    for channel in channels:
        query = Query(LIQUIDATIONS, Market.LINEAR, instrument if channel.scope == "instrument" else None)
        socket = table.sites["live"].sockets[channel.socket]
        host, _, path = socket.url.removeprefix("wss://").partition("/")
        outlet = sim.outlet(host.partition(":")[0], f"/{path}")
        assert outlet is not None
        heard = outlet.hear(socket.subscribe([channel.topic(query)], 1), (), day.place.floor.world)
        for topic in heard.begin:
            for frame in outlet.frames(topic, day.place.floor.world, day.span, 1.0):
                found = socket.read(frame.text.encode())
                assert isinstance(found, tuple)
                rows = channel.decoder()(found[1], query)
                names = channel.columns
                for row in rows:
                    said = dict(zip(names, row, strict=True))
                    if said.get("native", instrument.native) == instrument.native:
                        shown[said["time"], said["liquidated"], said["price"]] += 1
    return shown


def wrong_liquidations(day: Day, exchange: str) -> list[str]:
    """Liquidations that neither came nor lie in a stretch that was told, and those that came too often."""
    truth = pushed(day, exchange)
    came = Counter((one.time, one.liquidated, one.price) for one in day.records("Liquidation", exchange))
    dark = [one.window for one in day.blind(LIQUIDATIONS, exchange)]
    lost = [row for row in truth - came if row[0] in day.span and not any(row[0] in window for window in dark)]
    many = [row for row in came - truth if row[0] in Window(day.span.start + 2 * SECOND, day.span.end - 2 * SECOND)]
    return [f"lost {row}" for row in lost] + [f"too many {row}" for row in many]


def told(day: Day, exchange: str, cause: Cause) -> float:
    """Seconds of liquidations that were told as not seen."""
    return sum(
        (one.window.end - one.window.start) / SECOND for one in day.blind(LIQUIDATIONS, exchange) if one.cause is cause
    )


def losses(day: Day) -> int:
    """How often a connection was lost."""
    return sum(event.state is State.LOST for event in day.place.of(Status))
