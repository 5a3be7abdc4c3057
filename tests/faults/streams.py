"""Watches that meet stream faults: in this process on a clock that jumps, or `mkt watch` itself over real sockets.

The rows (W1 to W14, T1 to T9) that the tests name are those of the catalogue of faults, parts 2.2 and 2.7.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inside_feeds import place
from live.nemesis import QUIET, USUAL, Day, keep_books
from virtual_time import START, Hours, run

from marketcli.api.live import Watch
from marketcli.datasets import OHLC
from marketcli.live.events import Blind, State, Status
from marketcli.models import SECOND, Interval, Market, Window

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from marketcli.datasets import Dataset
    from marketcli.errors import MarketError
    from marketcli.live.events import Vitals

NAMES = ("binance", "bybit", "okx", "hyperliquid")
MINUTE = Interval(1, "m")
SETTLED = 12.0  # seconds in which a watch is left alone before anything breaks
NEAR = 5 * SECOND  # of the end: what may still be on its way


# In this process


@dataclass
class Seen:
    """What a watch came to."""

    day: Day
    vitals: Vitals
    failures: list[MarketError]

    def when(self, state: State) -> list[float]:
        """The seconds at which a connection did something."""
        return [(one.time - START) / SECOND for one in self.day.place.of(Status) if one.state is state]

    def said(self, state: State) -> list[str]:
        """With which words it did."""
        return [one.text for one in self.day.place.of(Status) if one.state is state]

    @property
    def gaps(self) -> list[Blind]:
        """The stretches that were told, filled ones too."""
        return self.day.place.of(Blind)

    @property
    def afterwards(self) -> list[Any]:
        """The records that came after the first loss of a connection."""
        events = self.day.place.events
        states = [isinstance(one, Status) and one.state is State.LOST for one in events]
        return [one for one in events[states.index(True) :] if not isinstance(one, (Status, Blind))]

    @property
    def records(self) -> list[Any]:
        """What came."""
        return self.day.place.records


def watching(exchange: str, dataset: Dataset) -> Watch:
    """A watch of the instrument that `live.nemesis` knows the truth about."""
    base, quote, market = QUIET.get(exchange, USUAL)
    symbol = "USOL-USDC" if market is Market.SPOT else f"{base}-{quote}-PERP"
    return Watch(dataset, (symbol,), market, MINUTE if dataset is OHLC else None)


def met(
    exchange: str,
    watch: Watch,
    *faults: str,
    seconds: float = 40.0,
    script: Callable[[Hours, Any], Awaitable[None]] | None = None,
) -> Seen:
    """Watch for so many seconds what has these faults from the beginning on, while a script changes them."""

    async def main(hours: Hours) -> Seen:
        async with place(hours, faults=faults) as here:
            day = Day(here, Window(0, 0))
            keep_books(day, hours)
            async with here.watching(exchange, watch=watch) as feeds:
                day.instruments[exchange] = feeds.sources[0].instruments[0]
                if script is not None:
                    await script(hours, here.floor)
                await asyncio.sleep(max(0.0, seconds - hours.passed()))
                day.span = Window(START + round(SETTLED * SECOND), hours.micros() - NEAR)
            return Seen(day, next(iter(feeds.vitals.values())), feeds.failures)

    return run(main)


def endured(exchange: str, dataset: Dataset, *faults: str, lasting: float = 1.0, seconds: float = 65.0) -> Seen:
    """Watch what meets these faults after a while, for so long."""

    async def script(_: Hours, floor: Any) -> None:
        await asyncio.sleep(SETTLED)
        floor.set_faults(faults)
        await asyncio.sleep(lasting)
        floor.set_faults([])

    return met(exchange, watching(exchange, dataset), seconds=seconds, script=script)


# `mkt watch` in a process of its own


@dataclass
class Done:
    """How a process ended; `resident` is the most memory it had, in MiB, `seconds` its life."""

    code: int
    out: str
    err: str
    resident: float
    seconds: float
    rows: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        assert not self.out or self.out.endswith("\n"), self.out[-200:]
        self.rows = [json.loads(line) for line in self.out.splitlines()]

    def of(self, kind: str | None) -> list[dict[str, Any]]:
        """The lines of a type; records have none."""
        return [row for row in self.rows if row.get("type") == kind]


class Process:
    """`mkt WORDS…` with its output in files, in a state of its own."""

    def __init__(self, url: str, *words: str, folder: Path, stdout: Any = None) -> None:
        self.out, self.err = folder / "out", folder / "err"
        own = {f"MKT_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "CACHE", "STATE")}
        command = [sys.executable, "-m", "marketcli", "--via", url, "watch", *words]
        self.began = time.monotonic()
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stdout or out, stderr=err, env=os.environ | own
            )

    def done(self, within: float = 60.0) -> Done:
        """Wait for its end."""
        end, most = time.monotonic() + within, 0.0
        while self.process.poll() is None:
            most = max(most, resident(self.process.pid))
            if time.monotonic() > end:
                self.kill()
                raise AssertionError(f"It goes on for more than {within} s: {self.err.read_text()[-1_000:]}")
            rest(0.02)
        lasted = time.monotonic() - self.began
        text = self.out.read_text(), self.err.read_text()
        return Done(self.process.returncode, *text, resident=most, seconds=lasted)

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()


def resident(process: int) -> float:
    """The most memory that a process has had, in MiB, where the system says so; else 0."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) / 1024 if found else 0.0


@contextmanager
def processes() -> Iterator[list[Process]]:
    """A list of processes that do not outlive the block."""
    made: list[Process] = []
    try:
        yield made
    finally:
        for one in made:
            one.kill()


def rest(seconds: float) -> None:
    """Let time pass."""
    threading.Event().wait(seconds)


def eventually(true: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait until something is so, or fail."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "It never came to be."
        rest(0.01)


SIGNALS: Sequence[tuple[signal.Signals, int]] = ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129))
