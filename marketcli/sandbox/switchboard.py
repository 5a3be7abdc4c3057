"""Where clients of streams are let in: addresses, budgets, refusals; and a record of what became of them."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from marketcli.models import MILLISECOND, SECOND, iso
from marketcli.sandbox.lines import Line
from marketcli.sandbox.meter import BANNED, LIMITED
from marketcli.sandbox.refusals import BLOCKED, DOWN, HTML, LOCATION, http_date
from marketcli.simulator import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marketcli.models import Micros
    from marketcli.sandbox.floor import Floor
    from marketcli.sandbox.stream_faults import StreamFault
    from marketcli.simulator import Outlet, Simulator
    from marketcli.world import World

TOLD = 100_000  # stretches kept from clients that are remembered
OPENED = 101
SOON = 5.0  # seconds that a refusal without an end asks to wait


@dataclass(slots=True)
class Loss:
    """Frames of a topic that one connection should have got and did not; times are those of the frames."""

    exchange: str
    topic: str
    connection: int
    first: Micros
    last: Micros
    frames: int
    fault: str

    def told(self) -> dict[str, Any]:
        """It as a line for people and programs."""
        return {
            "exchange": self.exchange,
            "topic": self.topic,
            "connection": self.connection,
            "from": iso(self.first),
            "to": iso(self.last),
            "from_ms": self.first // MILLISECOND,
            "to_ms": self.last // MILLISECOND,
            "frames": self.frames,
            "fault": self.fault,
        }


@dataclass(slots=True)
class Account:
    """What the streams of an exchange did: openings, refused ones too, by the second of the world's clock."""

    opened: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    sent: int = 0
    kept: int = 0
    overrun: int = 0  # clients cut off because they did not read

    def told(self, *, now_open: int) -> dict[str, Any]:
        """It as part of the statistics."""
        return {
            "openings": self.opened.total(),
            "open": now_open,
            "most_openings_in_a_second": max(self.opened.values(), default=0),
            "refused": {str(status): count for status, count in sorted(self.refused.items())},
            "messages_sent": self.sent,
            "messages_kept": self.kept,
            "clients_cut_off": self.overrun,
        }


class Switchboard:
    """All streams of a floor; `speed` is how much faster than ours the world's clock runs, `pace` is that of states."""

    def __init__(self, floor: Floor, *, speed: float, pace: float) -> None:
        self.floor = floor
        self.speed = speed
        self.pace = pace
        self.number = 0
        self.lines: dict[int, Line] = {}
        self.accounts: dict[str, Account] = {}
        self.losses: deque[Loss] = deque(maxlen=TOLD)
        self.losing: dict[tuple[int, str], Loss] = {}

    @property
    def world(self) -> World:
        """The market behind all streams."""
        return self.floor.world

    @property
    def faults(self) -> Sequence[StreamFault]:
        """The faults there are now."""
        return self.floor.stream_faults

    def outlets(self) -> Iterator[tuple[Simulator, Outlet]]:
        """Every address, with whose it is."""
        for simulator in self.floor.simulators.values():
            for outlet in simulator.outlets:
                yield simulator, outlet

    def connect(self, host: str, path: str, query: str) -> Line | Reply:
        """A new connection to an address, or how it is refused."""
        for simulator in self.floor.simulators.values():
            if outlet := simulator.outlet(host, path):
                found = self.admitted(simulator, outlet, host=host, path=path, query=query)
                self.log(simulator, host, path=path, query=query, found=found)
                return found
        return Reply(b"Nobody streams from this address.", 404, self.headers() | {"Content-Type": "text/plain"})

    def admitted(self, simulator: Simulator, outlet: Outlet, *, host: str, path: str, query: str) -> Line | Reply:
        """A new connection to an outlet, or how it is refused."""
        now = self.world.now()
        meters, status = self.floor.charge(simulator, {outlet.opening: 1}, now)
        wait = meters[0].wait(now)
        if status == LIMITED:
            return self.dressed(simulator.limited(outlet.opening, wait))
        if status == BANNED:
            return self.dressed(simulator.banned(wait, meters[0].until))
        for fault in self.faults:
            if fault.kind.counts == "openings" and fault.means(simulator.name, host, path):
                refused, seconds = self.refused(fault, simulator, outlet, now=now)
                if refused is not None:
                    if refused.status == LIMITED:
                        meters[0].tell(LIMITED, now, until=now + round(seconds * SECOND * self.speed))
                    return self.dressed(refused)
        if wrong := outlet.wrong(path, query):
            return Reply(wrong.encode(), 400, self.headers() | {"Content-Type": "text/plain"})
        self.number += 1
        line = Line(self, simulator, outlet, host=host, path=path, number=self.number)
        self.lines[line.number] = line
        line.open(now, query)
        return line

    def refused(
        self, fault: StreamFault, simulator: Simulator, outlet: Outlet, *, now: Micros
    ) -> tuple[Reply | None, float]:
        """What a fault answers to an opening, and how long it goes on, in seconds of the client."""
        options = fault.options
        struck = fault.turn()
        fault.began = now if fault.began is None else fault.began
        left = SOON
        if options["seconds"] is not None:
            left = options["seconds"] - (now - fault.began) / SECOND / self.speed
        if not struck or left <= 0:
            return None, 0.0
        status = int(options["status"])
        if status == LIMITED:
            return simulator.limited(outlet.opening, max(1, round(left))), left
        body = {403: BLOCKED, 451: LOCATION, 503: DOWN}[status]
        return Reply(body, status, {"Content-Type": HTML}), left

    @property
    def relayed(self) -> bool:
        """Whether there is a fault of bytes."""
        return any(fault.kind.counts == "bytes" for fault in self.faults)

    def struck_in_bytes(self, host: str, path: str) -> StreamFault | None:
        """The fault of bytes that a new connection meets, if any does."""
        for simulator in self.floor.simulators.values():
            if simulator.outlet(host, path) is None:
                continue
            for fault in self.faults:
                if fault.kind.counts == "bytes" and fault.means(simulator.name, host, path) and fault.turn():
                    return fault
        return None

    def dressed(self, reply: Reply) -> Reply:
        """A refusal with the headers that every answer has."""
        return Reply(reply.body, reply.status, self.headers() | dict(reply.headers))

    def headers(self) -> dict[str, str]:
        """What every answer to an opening carries."""
        return {"Date": http_date(self.world.now())}

    def changed(self) -> None:
        """Tell all connections that there are other faults now."""
        now = self.world.now()
        for line in list(self.lines.values()):
            line.beset(now)

    # What lines and shells report

    def passed(self, line: Line, topic: str) -> None:
        """A frame of data was sent."""
        self.account(line.simulator.name).sent += 1
        if self.losing:
            self.losing.pop((line.number, topic), None)

    def kept(self, line: Line, topic: str, time: Micros, *, fault: str) -> None:
        """A frame of data was not sent; those that follow each other are told together."""
        self.account(line.simulator.name).kept += 1
        known = self.losing.get((line.number, topic))
        if known is not None and known.fault == fault:
            known.last, known.frames = time, known.frames + 1
            return
        loss = Loss(line.simulator.name, topic, line.number, time, time, 1, fault)
        self.losing[line.number, topic] = loss
        self.losses.append(loss)

    def failed(self, line: Line, error: Exception) -> None:
        """A simulator made a mistake."""
        now = self.world.now() // MILLISECOND
        self.floor.log.append({"ms": now, "method": "WS", "connection": line.number, "error": repr(error)})

    def overrun(self, line: Line) -> None:
        """A client did not read and is cut off."""
        self.account(line.simulator.name).overrun += 1
        line.end()

    def closed(self, line: Line) -> None:
        """A connection is over."""
        self.lines.pop(line.number, None)
        for key in [key for key in self.losing if key[0] == line.number]:
            del self.losing[key]

    def account(self, exchange: str) -> Account:
        """What is known of an exchange's streams."""
        if exchange not in self.accounts:
            self.accounts[exchange] = Account()
        return self.accounts[exchange]

    def log(self, simulator: Simulator, host: str, *, path: str, query: str, found: Line | Reply) -> None:
        """Remember an opening and how it ended."""
        now, account = self.world.now(), self.account(simulator.name)
        account.opened[now // SECOND] += 1
        status = found.status if isinstance(found, Reply) else OPENED
        if isinstance(found, Reply):
            account.refused[status] += 1
        self.floor.log.append(
            {
                "ms": now // MILLISECOND,
                "method": "WS",
                "exchange": simulator.name,
                "host": host,
                "path": path,
                "query": query,
                "status": status,
                "connection": 0 if isinstance(found, Reply) else found.number,
            }
        )

    def stats(self) -> dict[str, Any]:
        """What the streams did so far, by exchange."""
        return {
            name: account.told(now_open=sum(line.simulator.name == name for line in self.lines.values()))
            for name, account in sorted(self.accounts.items())
        }

    def undelivered(self) -> list[dict[str, Any]]:
        """What was kept from clients that were connected, in order."""
        return [loss.told() for loss in self.losses]
