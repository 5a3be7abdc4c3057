"""What a reader that is too slow costs in memory, and what becomes of the records it does not fetch.

    python tests/bench/stream_memory.py million    # a million trades as fast as they come, a batch read twice a second
    python tests/bench/stream_memory.py silent     # nothing is read for 60 s at 20,000 trades a second (G8)

Prints the memory of this process as messages come, and in the end what was dropped and whether all of it was told.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from marketcli import exchanges
from marketcli.api.live import Watch, watched
from marketcli.api.session import Session
from marketcli.config import Config
from marketcli.datasets import TRADES
from marketcli.live.events import Blind, Cause, Status
from marketcli.net.client import Client
from marketcli.net.socket import Dialer
from marketcli.net.transport import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marketcli.api.live import Feeds
    from marketcli.live.events import Event, Vitals

SERVER = str(Path(__file__).parent / "stream_server.py")
PAUSE = 0.5  # seconds between two batches of the slow reader
RATE, SECONDS = 20_000, 60
STEPS = (100_000, 250_000, 500_000, 1_000_000)
LOOK = 0.1


@contextmanager
def serving(*command: str) -> Iterator[str]:
    """A process that prints its address and serves until we are done."""
    whole = [sys.executable, *command]
    with subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def resident() -> float:
    """The memory of this process now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4_096 / 2**20


class Tally:
    """What the reader saw: records, and records it was told it missed."""

    def __init__(self) -> None:
        self.records = 0
        self.missed = 0

    def take(self, events: Sequence[Event]) -> None:
        """Count events."""
        blind = [one for one in events if isinstance(one, Blind)]
        assert all(one.cause is Cause.DROPPED for one in blind), blind
        self.missed += sum(one.rows for one in blind)
        self.records += sum(not isinstance(one, (Blind, Status)) for one in events)


async def slow(feeds: Feeds, tally: Tally) -> None:
    """Take a batch now and then."""
    async for batch in feeds:
        tally.take(batch)
        await asyncio.sleep(PAUSE)


async def reached(vitals: Vitals, messages: int) -> None:
    """Wait until so many have come; nobody tells, they are counted four times a second."""
    while vitals.messages < messages:  # noqa: ASYNC110
        await asyncio.sleep(LOOK)


async def million(feeds: Feeds, vitals: Vitals, tally: Tally) -> None:
    """Print the memory after so many messages."""
    reading = asyncio.ensure_future(slow(feeds, tally))
    for step in STEPS:
        await reached(vitals, step)
        print(f"{vitals.messages:>9,} messages  {resident():6.1f} MiB  dropped {vitals.dropped:>9,}")
    reading.cancel()


async def silent(vitals: Vitals) -> None:
    """Print how much memory grows while nobody reads."""
    await reached(vitals, 1)
    before, began, most = resident(), time.monotonic(), 0.0
    while (passed := time.monotonic() - began) < SECONDS:
        await asyncio.sleep(LOOK)
        if resident() > most + 1:
            most = resident()
            print(f"{passed:5.1f} s  {vitals.messages:>9,} messages  {most:6.1f} MiB")
    rate = vitals.messages / SECONDS
    print(f"{rate:,.0f} messages a second; {before:.1f} MiB before, {most - before:+.1f} MiB at most (limit +32)")


async def main(what: str) -> None:
    """Run one of the two."""
    count, pace = (STEPS[-1], []) if what == "million" else (RATE * SECONDS * 2, ["--rate", str(RATE)])
    exchange = exchanges.load("binance")
    async with AsyncExitStack() as stack:
        sandbox = stack.enter_context(serving("-m", "marketcli", "sandbox", "--no-limits"))
        server = stack.enter_context(serving(SERVER, "trades", str(count), *pace))
        session = await stack.enter_async_context(Session(Config.model_validate({"via": sandbox})))
        frames = await stack.enter_async_context(Client(Settings(via=server)))
        opened = watched(
            session, [exchange], Watch(TRADES, ("BTCUSDT",)), dial=lambda one: Dialer(frames, one, one.sites["live"])
        )
        feeds = await stack.enter_async_context(opened)
        (vitals,) = feeds.vitals.values()
        tally = Tally()
        await (million(feeds, vitals, tally) if what == "million" else silent(vitals))
        tally.take(await feeds.stop())
        told = tally.records + tally.missed
        print(f"records {vitals.records:,} = read {tally.records:,} + told as dropped {tally.missed:,}")
        assert told == vitals.records, "something was lost without a word"
        assert tally.missed == vitals.dropped


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
