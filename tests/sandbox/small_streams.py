"""An exchange with nothing but streams: `ticks.X` counts tenths of seconds, `state.X` is told every second."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.models import MILLISECOND, Market
from marketcli.sandbox.floor import Floor
from marketcli.simulator import Frame, Heard, Outlet, Reply, Simulator, beats
from marketcli.spec import Budget, Socket
from marketcli.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from marketcli.models import Micros, Window
    from marketcli.net.socket import Wire
    from marketcli.sandbox.lines import Line
    from marketcli.sandbox.parcels import Act

HOST = "stream.small.example"
OPENING = Budget("connections", limit=5, seconds=60)
KNOWN = ("ticks.A", "ticks.B", "state.A", "ticks.QUIET")
TENTH = 100 * MILLISECOND


def hear(text: str, topics: Sequence[str], world: World) -> Heard:
    """Subscriptions, pings, refusals; `bye` makes it hang up."""
    del world
    try:
        asked = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return Heard(('{"error":"no JSON"}',))
    if asked.get("op") == "ping":
        return Heard(('{"op":"pong"}',))
    if asked.get("op") == "bye":
        return Heard(close=asked["code"])
    names = asked.get("args", [])
    if any(name not in KNOWN for name in names):
        return Heard((said(asked, error="unknown"),))
    if asked["op"] == "unsubscribe":
        return Heard((said(asked),), end=tuple(names))
    return Heard((said(asked),), begin=tuple(name for name in names if name not in topics))


def said(asked: Any, **more: Any) -> str:
    return msgspec.json.encode({"id": asked.get("id"), "ok": not more, **more}).decode()


def frames(topic: str, world: World, window: Window, pace: float) -> Iterator[Frame]:
    kind, _, name = topic.partition(".")
    assert world.now() >= window.end
    every = {"ticks": 0.1, "state": 1.0 / pace}[kind]
    for time in beats(window, every) if name != "QUIET" else ():
        yield Frame(time, frame(topic, time))


def frame(topic: str, time: Micros) -> str:
    return msgspec.json.encode(
        {"topic": topic, "n": time // TENTH, "price": "12.50", "ms": time // MILLISECOND}
    ).decode()


def limited(_: Budget, seconds: int) -> Reply:
    return Reply(b"{}", 429, {"Retry-After": str(seconds)})


OUTLET = Outlet(
    HOST,
    "/ws",
    hear,
    frames,
    OPENING,
    begin=lambda _, query: tuple(query.split("/")) if query else (),
    wrong=lambda _, query: "No such topic." if query == "nonsense" else "",
)
SECOND_OUTLET = replace(OUTLET, path="/other/*", begin=lambda path, _: (path.removeprefix("/other/"),))


def simulator(**more: Any) -> Simulator:
    return Simulator(
        "small",
        {"rest.small.example": frozenset({Market.SPOT})},
        (),
        {Market.SPOT: Budget("weight", 10, 60)},
        native=lambda listing: listing.base,
        missing=lambda _: Reply(b"{}", 404),
        limited=limited,
        banned=lambda seconds, _: Reply(b"{}", 418, {"Retry-After": str(seconds)}),
        bounds=("from", "to"),
        outlets=(replace(OUTLET, **more), SECOND_OUTLET),
    )


def floor(clock: Callable[[], Micros], *faults: str, limits: bool = False, speed: float = 1.0, **more: Any) -> Floor:
    """A floor where this exchange plays too; `more` are fields of its first outlet, and `pace`."""
    pace = more.pop("pace", 1.0)
    made = Floor(World(7, clock=clock), limits=limits, faults=faults, speed=speed, pace=pace)
    made.simulators["small"] = simulator(**more)
    return made


def socket(query: str = "", *, path: str = "/ws") -> Socket:
    """The address as the program knows it."""
    return Socket(
        f"wss://{HOST}:9443{path}{'?' + query if query else ''}",
        subscribe=lambda topics, number: subscribe(*topics, number=number),
        read=lambda _: ("", msgspec.Raw()),
        sent=lambda _: None,
        opening="connections",
        busy="ticks.A",
        busy_seconds=0.1,
    )


def subscribe(*topics: str, number: int = 1, op: str = "subscribe") -> str:
    return msgspec.json.encode({"op": op, "args": topics, "id": number}).decode()


def opened(on: Floor, query: str = "", path: str = "/ws") -> Line:
    found = on.streams.connect(HOST, path, query)
    assert not isinstance(found, Reply)
    return found


def acts(line: Line, until: Micros) -> list[Act]:
    """What is done to a client by then."""
    found = []
    while (act := line.take(until)) is not None:
        found.append(act)
    return found


def texts(line: Line, until: Micros) -> list[Any]:
    return [act.data for act in acts(line, until) if act.verb == "text"]


async def heard(wire: Wire, seconds: float) -> list[Any]:
    """What comes within some seconds."""
    found: list[Any] = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                found.append(msgspec.json.decode(await wire.recv()))
    except TimeoutError:
        return found
