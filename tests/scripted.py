"""A scripted exchange behind the client, and a clock that moves only when somebody sleeps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from marketcli.datasets import OHLC
from marketcli.models import Market
from marketcli.net.client import Client, Outside
from marketcli.net.transport import Settings, Transport
from marketcli.paging import whole
from marketcli.spec import Budget, Endpoint, Exchange, Page, Query, Response, Site, decode_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketcli.errors import MarketError
    from marketcli.spec import Request, Rows

WALL = 1_795_219_200.0  # 2026-11-21T00:00:00Z

Step = "Response | MarketError"

# What may be found where an account of a budget should be.
ALIEN = [
    b"",
    b"\0" * 4_096,
    b"hello",
    b"[1,2,3]",
    b'{"via":"","exchange":"x"',
    b'{"via":"","exchange":"x","site":"live","budget":"weight","limit":100,"seconds":0}',
    b'{"via":"","exchange":"x","site":"live","budget":"weight","limit":100,"seconds":60,"spent":[[1e300,5]]}',
    b'{"via":"","exchange":"x","site":"live","budget":"weight","limit":100,"seconds":60,"spent":[[1,-5]]}',
    b"\xff\xfe",
    b"[" * 4_000,
]


@dataclass
class Clock:
    now: float = 1_000.0
    ahead: float = 0.0  # what the wall clock was set by
    boot: str = "one"
    slept: list[float] = field(default_factory=list)

    def read(self) -> float:
        return self.now

    def wall(self) -> float:
        return WALL + self.now - 1_000.0 + self.ahead

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def outside(self) -> Outside:
        return Outside(
            wall=self.wall, monotonic=self.read, sleep=self.sleep, random=lambda: 0.5, boot=lambda: self.boot
        )


@dataclass
class Script(Transport):
    """Answers requests by a function, and remembers them with the time they were sent at."""

    answer: Callable[[str, int], Response | MarketError]
    clock: Clock  # type: ignore[assignment]
    sent: list[tuple[float, str]] = field(default_factory=list)

    async def close(self) -> None:
        return None

    async def send(self, request: Request, *, patience: float) -> Response:
        del patience
        self.sent.append((self.clock.now, request.base))
        found = self.answer(request.base, len(self.sent) - 1)
        await asyncio.sleep(0)
        if isinstance(found, Exception):
            raise found
        return found


def reply(status: int = 200, body: bytes = b"[1,2]", **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, "x.example/path")


def rows(body: bytes, _: Query) -> Rows:
    return [(number,) for number in decode_json(body, list[int], what="X candles")]


WEIGHT = Budget("weight", limit=100, seconds=60, header="X-Used")
OTHER = Budget("other", limit=100, seconds=60)
CELL = Endpoint(OHLC, "/path", lambda *_: {"a": 1}, rows, ("id",), whole, 10, docs="", cost=lambda _: {"weight": 10})


def exchange(*hosts: str, refuse: Callable[[Response], MarketError | None] = lambda _: None) -> Exchange:
    return Exchange(
        name="x",
        title="X",
        sites={"live": Site({Market.SPOT: hosts or ("https://x.example",)})},
        budgets=(WEIGHT, OTHER),
        intervals={},
        instruments=(),
        endpoints=(CELL,),
        refuse=refuse,
    )


@dataclass
class Bench:
    """Runs calls of a client against a script."""

    clock: Clock = field(default_factory=Clock)
    state: Path | None = None

    def run(
        self,
        answer: Callable[[str, int], Response | MarketError],
        *,
        times: int = 1,
        target: Exchange | None = None,
        **settings: Any,
    ) -> tuple[list[Any], Script, Client]:
        """What each of `times` calls at once gave (rows or error), with the script and the client."""
        script = Script(answer, self.clock)
        client = Client(Settings(**settings), outside=self.clock.outside(), transport=script, state=self.state)
        asked = target or exchange()

        async def main() -> list[Any]:
            calls = (
                client.ask(asked, asked.sites["live"], CELL, Query(OHLC, Market.SPOT), page=Page(None, 10))
                for _ in range(times)
            )
            return list(await asyncio.gather(*calls, return_exceptions=True))

        return asyncio.run(main()), script, client
