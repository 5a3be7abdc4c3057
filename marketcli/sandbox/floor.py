"""The exchanges of the sandbox at work: who is asked, what it weighs, what is answered, and what goes wrong with it."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from marketcli import exchanges
from marketcli.models import MILLISECOND, SECOND
from marketcli.sandbox.draft import Draft
from marketcli.sandbox.faults import parse_all
from marketcli.sandbox.kept import Kept
from marketcli.sandbox.meter import BANNED, LIMITED, OK, Meter
from marketcli.sandbox.refusals import http_date
from marketcli.sandbox.switchboard import Switchboard
from marketcli.simulator import Ask, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from marketcli.models import Micros
    from marketcli.simulator import Route, Simulator
    from marketcli.spec import Budget
    from marketcli.world import World

LOGGED = 10_000
JSON = "application/json;charset=UTF-8"
SEVERITY = (BANNED, LIMITED, OK)
NOTHING: Mapping[str, str] = MappingProxyType({})


class Floor:
    """All simulated exchanges over one world, with their meters, their faults and a record of what they were asked."""

    def __init__(
        self, world: World, *, limits: bool, faults: Iterable[str], speed: float = 1.0, pace: float = 1.0
    ) -> None:
        self.world = world
        found = {name: exchanges.simulator(name) for name in exchanges.names()}
        self.simulators = {name: simulator for name, simulator in found.items() if simulator is not None}
        self.hosts = {host: simulator for simulator in self.simulators.values() for host in simulator.hosts}
        self.limits = limits
        self.meters: dict[str, Meter] = {}
        self.kept = Kept()
        self.faults, self.stream_faults = parse_all(faults)
        self.log: deque[Mapping[str, Any]] = deque(maxlen=LOGGED)
        self.paths: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.requests = 0
        self.streams = Switchboard(self, speed=speed, pace=pace)

    def set_faults(self, texts: Iterable[str]) -> None:
        """Replace the faults. Raises `UsageError` and keeps the old ones if a text cannot be read."""
        self.faults, self.stream_faults = parse_all(texts)
        self.streams.changed()

    def charge(self, simulator: Simulator, charges: Mapping[Budget, int], now: Micros) -> tuple[list[Meter], int]:
        """Count what a request costs; the meters it is counted by, the one that decides first, and how it ends."""
        ends = []
        for budget, units in charges.items():
            meter = self.meters.setdefault(f"{simulator.name} {budget.name}", Meter(budget, enforced=self.limits))
            ends.append((meter, meter.charge(units, now)))
        ends.sort(key=lambda end: SEVERITY.index(end[1]))
        return [meter for meter, _ in ends], ends[0][1]

    def answer(
        self,
        method: str,
        host: str,
        *,
        path: str,
        query: str,
        body: bytes = b"",
        headers: Mapping[str, str] = NOTHING,
    ) -> Draft:
        """The answer of a host of an exchange, faults included."""
        simulator, now = self.hosts[host], self.world.now()
        params = plain_values(decoded(body)) | dict(parse_qsl(query, keep_blank_values=True))
        ask = Ask(host, path, params, self.world, body, headers)
        route = simulator.route(method, host, path)
        charges = simulator.charges(ask, route)
        meters, status = self.charge(simulator, charges, now)
        meter = meters[0]

        def again(world: World) -> Reply:
            return reply(simulator, route, replace(ask, world=world))

        if status == LIMITED:
            first = simulator.limited(meter.budget, meter.wait(now))
        elif status == BANNED:
            first = simulator.banned(meter.wait(now), meter.until)
        else:
            first = self.kept.reply(route, ask, bound=simulator.bounds[1], make=partial(reply, simulator, route))
        draft = Draft(ask, simulator, first.status, self.headers(first, meters), body=first.body, again=again, now=now)
        for fault in self.faults:
            fault.meet(draft)
        if draft.told is not None:
            told, seconds = draft.told
            for each in meters:
                each.tell(told, now, until=now + round(seconds * SECOND))
        self.record(
            method,
            draft,
            query=query or body.decode(errors="replace")[:500],
            weight=charges.get(simulator.pool(host, route), 0),
        )
        return draft

    def headers(self, first: Reply, meters: Iterable[Meter]) -> dict[str, str]:
        """What every answer carries; where nothing is limited, nothing is said of use."""
        counting = meters if self.limits else ()
        used = {meter.budget.header: str(meter.used) for meter in counting if meter.budget.header is not None}
        return {"Content-Type": JSON, "Date": http_date(self.world.now()), **first.headers, **used}

    def record(self, method: str, draft: Draft, *, query: str, weight: int) -> None:
        """Remember a request and how it ended."""
        ask = draft.ask
        self.requests += 1
        self.statuses[draft.status] += 1
        self.paths[ask.host + ask.path] += 1
        self.log.append(
            {
                "ms": draft.now // MILLISECOND,
                "method": method,
                "host": ask.host,
                "path": ask.path,
                "query": query,
                "status": draft.status,
                "weight": weight,
            }
        )

    def stats(self) -> dict[str, Any]:
        """What has been asked so far, and whether anybody asked too much."""
        meters = self.meters.values()
        return {
            "requests": self.requests,
            "weight": {name: meter.total for name, meter in self.meters.items()},
            "refused_429": self.statuses[LIMITED],
            "refused_418": self.statuses[BANNED],
            "sent_before_retry_after": sum(meter.sent_before_retry_after for meter in meters),
            "sent_while_banned": sum(meter.sent_while_banned for meter in meters),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "paths": dict(self.paths),
            "streams": self.streams.stats(),
        }


def decoded(body: bytes) -> Any:
    """A JSON body, or None."""
    try:
        return msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:
        return None


def plain_values(document: Any) -> dict[str, str]:
    """The texts and numbers of a JSON object by their names, those of objects inside it too."""
    found: dict[str, str] = {}
    for name, value in document.items() if isinstance(document, dict) else ():
        if isinstance(value, dict):
            found |= plain_values(value)
        elif isinstance(value, (str, int, float)):
            found[name] = str(value)
    return found


def reply(simulator: Simulator, route: Route | None, ask: Ask) -> Reply:
    """What the exchange says when nothing stands in the way."""
    return simulator.missing(ask) if route is None else route.reply(ask)
