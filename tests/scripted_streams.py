"""A scripted exchange of streams: connections in memory that the test feeds, and an engine around them."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.datasets import LIQUIDATIONS, OHLC, TICKER, TRADES, Dataset
from marketcli.errors import ConnectionLost, DecodeError, MalformedBody, MarketError
from marketcli.live.bars import Bars
from marketcli.live.doorway import Doorway
from marketcli.live.events import Blind, State, Status
from marketcli.live.feed import Feed
from marketcli.live.lanes import Forced, States
from marketcli.live.making import candles_of, liquidations_of, state_of, trades_of
from marketcli.live.merge import Merged
from marketcli.live.outbox import Origin, Outbox
from marketcli.live.plan import plans
from marketcli.live.repair import Repaired, Repairs
from marketcli.live.tape import Named, Numbered
from marketcli.models import MILLISECOND, Instrument, Interval, Market, Window
from marketcli.spec import (
    Budget,
    Channel,
    Control,
    Exchange,
    Query,
    Site,
    Socket,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marketcli.live.events import Event
    from marketcli.live.lanes import Lane
    from marketcli.net.client import Outside
    from marketcli.spec import Push, Rows

MINUTE = Interval(1, "m")
BTC = Instrument("toy", Market.LINEAR, "BTC-USDT-PERP", "BTCUSDT", "BTC", "USDT", "USDT")
ETH = Instrument("toy", Market.LINEAR, "ETH-USDT-PERP", "ETHUSDT", "ETH", "USDT", "USDT")
COLUMNS = {
    TRADES: ("time", "id", "price", "side", "size"),
    LIQUIDATIONS: ("native", "time", "liquidated", "price", "size"),
    OHLC: ("time", "open", "high", "low", "close", "volume_base", "closed"),
    TICKER: ("time", "last", "bid", "ask"),
}


class Envelope(msgspec.Struct):
    """A frame: data of a topic, or what is said of requests."""

    topic: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    sent: int = 0
    said: str = ""
    request: int | None = None
    text: str = ""


DECODER = msgspec.json.Decoder(Envelope)


def read(frame: bytes) -> Push | Control:
    """The toy's frames."""
    try:
        found = DECODER.decode(frame)
    except msgspec.ValidationError as error:
        raise DecodeError(f"toy: {error}.") from None
    except msgspec.DecodeError as error:
        raise MalformedBody(f"toy: {error}.") from None
    if found.said:
        return Control(found.said, found.request, found.topic, found.text)  # type: ignore[arg-type]
    return found.topic, found.data


def sent(frame: bytes) -> int | None:
    """When the toy sent a frame."""
    return DECODER.decode(frame).sent or None


def rows(body: bytes, _: Query) -> Rows:
    """Data are rows already."""
    return [tuple(row) for row in msgspec.json.decode(bytes(body))]


def socket(**more: Any) -> Socket:
    """The toy's one address."""
    return Socket(
        "wss://toy/ws",
        subscribe=lambda topics, number: json.dumps({"topics": list(topics), "number": number}),
        read=read,
        sent=sent,
        opening="connections",
        busy="busy",
        busy_seconds=1.0,
        **more,
    )


def channel(dataset: Dataset, **more: Any) -> Channel:
    """The toy's stream of a dataset."""
    scope = "market" if dataset is LIQUIDATIONS else "instrument"
    return Channel(
        dataset,
        "public",
        lambda query: dataset.name + (f".{query.instrument.native}" if query.instrument else ""),
        plain(rows),
        COLUMNS[dataset],
        docs="none",
        scope=scope,  # type: ignore[arg-type]
        **more,
    )


def toy(*channels: Channel, at: Socket | None = None) -> Exchange:
    """An exchange of these streams."""
    return Exchange(
        "toy",
        "Toy",
        {"live": Site({Market.LINEAR: ("https://toy",)}, sockets={"public": at or socket()})},
        (Budget("connections", 300, 300.0),),
        {MINUTE: "1m"},
        (),
        (),
        lambda _: None,
        channels=channels,
    )


@dataclass(eq=False)
class Line:
    """A connection in memory; what the test `say`s comes out of `recv`."""

    frames: deque[bytes | MarketError] = field(default_factory=deque)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    heard: list[Any] = field(default_factory=list)
    acknowledge: bool = True
    closed: bool = False

    def say(self, frame: bytes | dict[str, Any] | MarketError) -> None:
        """Let something come."""
        self.frames.append(json.dumps(frame).encode() if isinstance(frame, dict) else frame)
        self.ready.set()

    def data(self, topic: str, *found: Sequence[Any], at: int = 0) -> None:
        """Let rows of a topic come, sent at a moment."""
        self.say({"topic": topic, "data": found, "sent": at // MILLISECOND * MILLISECOND})

    def busy(self, at: int = 0) -> None:
        """Let a sign of life come."""
        self.data("busy", at=at)

    def drop(self, text: str = "dropped") -> None:
        """Break off."""
        self.say(ConnectionLost(text))

    async def recv(self) -> bytes:
        """The next frame."""
        while not self.frames:
            if self.closed:
                raise ConnectionLost("aborted")
            self.ready.clear()
            await self.ready.wait()
        found = self.frames.popleft()
        if isinstance(found, MarketError):
            self.closed = True
            raise found
        return found

    async def send(self, text: str) -> None:
        """Take a request, and acknowledge it."""
        said = json.loads(text)
        self.heard.append(said)
        if self.acknowledge and isinstance(said, dict):
            self.say({"said": "accepted", "request": said["number"]})

    async def close(self) -> None:
        """Goodbye."""
        self.abort()

    def abort(self) -> None:
        """Now."""
        self.closed = True
        self.ready.set()


class Clock:
    """The toy's clock, which is known, and what was learnt of it: when messages were sent, seconds after they came."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.learnt: list[tuple[int, float]] = []

    def learn(self, sent: int, ago: float) -> None:
        """Write it down."""
        self.learnt.append((sent, ago))


class Bench:
    """Feeds of the toy on a virtual clock; connections appear in `lines`, events in `events`."""

    def __init__(
        self,
        outside: Outside,
        micros: Callable[[], int],
        *channels: Channel,
        instruments: Sequence[Instrument] = (BTC,),
        everything: bool = False,
        past: Callable[[Instrument, Window], Repaired | MarketError] | None = None,
        at: Socket | None = None,
        max_down: float | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        self.outside, self.micros = outside, micros
        self.exchange = toy(*channels, at=at)
        self.dataset = channels[0].dataset
        self.lines: list[Line] = []
        self.refusals: list[MarketError] = []  # of the next connections
        self.opened: list[float] = []
        self.acknowledge = True
        self.asked: list[tuple[str, Window]] = []
        self.clock = Clock(micros)
        self.past = past
        self.outbox = outbox or Outbox()
        self.events: list[Event] = []
        made = plans(
            self.exchange,
            self.exchange.sites["live"],
            Market.LINEAR,
            dataset=self.dataset,
            instruments=instruments,
            everything=everything,
            interval=MINUTE,
        )
        doorway = Doorway(self.dial, outside)
        origin = Origin("toy", Market.LINEAR, self.dataset)
        turns = asyncio.Semaphore(4)
        self.vitals = self.outbox.health("toy", Market.LINEAR)
        feeds = [
            Feed(
                plan,
                number,
                origin=origin,
                doorway=doorway,
                lane=self.lane,
                repairs=Repairs(
                    origin,
                    self.repair if past else None,
                    dataset=self.dataset,
                    interval=MINUTE,
                    outbox=self.outbox,
                    outside=outside,
                    now=micros,
                    turns=turns,
                ),
                outbox=self.outbox,
                outside=outside,
                clock=self.clock,  # type: ignore[arg-type]
                max_down=max_down,
            )
            for number, plan in enumerate(made, 1)
        ]
        self.merged = Merged(feeds, self.outbox, outside)

    async def dial(self, _: Socket) -> Line:
        """A new connection, unless it is refused."""
        self.opened.append(self.outside.monotonic())
        if self.refusals:
            raise self.refusals.pop(0)
        self.lines.append(Line(acknowledge=self.acknowledge))
        return self.lines[-1]

    async def repair(
        self, dataset: Dataset, instrument: Instrument, *, interval: Interval | None, window: Window
    ) -> Repaired:
        """What the test says REST knows."""
        del dataset, interval
        self.asked.append((instrument.symbol, window))
        found = self.past(instrument, window) if self.past else Repaired((), whole=False)
        if isinstance(found, MarketError):
            raise found
        return found

    def lane(self, instrument: Instrument, stream: Channel) -> Lane:
        """The lane of a dataset."""
        columns = stream.columns
        if self.dataset is TRADES:
            kind = Numbered if stream.consecutive else Named
            return kind(instrument, trades_of(instrument, columns, "stream"), self.vitals)
        if self.dataset is LIQUIDATIONS:
            return Forced(instrument, liquidations_of(instrument, columns, "stream", completeness="full"))
        if self.dataset is OHLC:
            return Bars(instrument, MINUTE, candles_of(instrument, columns, "stream", interval=MINUTE), self.vitals)
        return States(instrument, state_of(instrument, self.dataset), {})

    async def pump(self) -> None:
        """Collect events for ever."""
        async for batch in self.merged:
            self.events += batch

    async def pass_time(self, seconds: float, *, busy: bool = True) -> None:
        """Let time pass, with a sign of life four times a second on the newest connection."""
        for _ in range(round(seconds * 4)):
            if busy and self.lines and not self.lines[-1].closed:
                self.lines[-1].busy(self.micros())
            await self.outside.sleep(0.25)

    @property
    def line(self) -> Line:
        """The newest connection."""
        return self.lines[-1]

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def records(self) -> list[Any]:
        """The records."""
        return [event for event in self.events if not isinstance(event, (Status, Blind))]

    @property
    def states(self) -> list[State]:
        """What became of connections."""
        return [event.state for event in self.of(Status)]
