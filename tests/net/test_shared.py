"""Budgets between real processes: shared, refused together, and never stuck behind one that died (goal G6)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SNIPPET = """
import asyncio, sys, time
from pathlib import Path
from marketcli.errors import Banned
from marketcli.net.account import Key
from marketcli.net.budget import Meter
from marketcli.net.client import Outside
from marketcli.net.shared import Folder, Shared
from marketcli.spec import Budget

budget = Budget("weight", limit=100, seconds=1)
keeper = Shared(Folder(Path(sys.argv[1])), Key("", "x", "live", "weight"), budget=budget)
meter = Meter(budget, keeper, outside=Outside())

def say(*words):
    print(*words, flush=True)

async def spend(times):
    await meter.acquire(0)
    say("ready")
    sys.stdin.readline()
    say("begin")
    for _ in range(times):
        say(f"{await meter.acquire(1):.3f}")

async def ban():
    say(await meter.refused(60.0, Banned("Banned by X.")))

async def hear():
    say("ready")
    try:
        while True:
            await meter.acquire(5)
    except Banned as error:
        say(f"{time.monotonic():.3f}", error.message, error.hint)

def hold(account):
    say("inside")
    time.sleep(60)

async def stay():
    await meter.change(hold)

asyncio.run(eval(sys.argv[2]))
"""
SHARE, WINDOW = 90, 1.0


class Processes:
    """Processes that share a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []

    def start(self, work: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", SNIPPET, str(self.folder), work],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    found = Processes(tmp_path / "budgets")
    yield found
    found.end()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def finish(process: subprocess.Popen[str]) -> list[str]:
    return process.communicate(timeout=30)[0].splitlines()


def busiest(times: list[float]) -> int:
    """The most that was spent in any window."""
    return max(sum(1 for time in times if start <= time < start + WINDOW) for start in times)


def test_four_processes_spend_one_budget(processes: Processes) -> None:
    running = [processes.start("spend(50)") for _ in range(4)]
    for process in running:
        assert line(process) == "ready"
    for process in running:
        tell(process)
    spent = [[float(text) for text in finish(process)[1:]] for process in running]
    times = sorted(time for one in spent for time in one)
    assert len(times) == 200
    assert busiest(times) <= SHARE
    assert times[-1] - times[0] <= 200 / (0.75 * 100) * WINDOW  # three quarters of the limit and more are used


def test_a_ban_that_one_process_got_stops_all(processes: Processes) -> None:
    others = [processes.start("hear()") for _ in range(2)]
    for process in others:
        assert line(process) == "ready"
    assert finish(processes.start("ban()")) == ["60.0"]
    banned = time.monotonic()
    others.append(processes.start("hear()"))  # as the next cron run
    assert line(others[-1]) == "ready"
    begun = time.monotonic()
    for process, since in zip(others, (banned, banned, begun), strict=True):
        (said,) = finish(process)
        heard, _, words = said.partition(" ")
        assert float(heard) - since < 1.5
        assert words.startswith("Banned by X. Nothing is sent until 20")


def test_a_process_killed_inside_the_lock_delays_nobody(processes: Processes) -> None:
    other = processes.start("spend(1)")
    assert line(other) == "ready"
    holder = processes.start("stay()")
    assert line(holder) == "inside"
    tell(other)
    assert line(other) == "begin"
    os.kill(holder.pid, signal.SIGKILL)
    began = time.monotonic()
    (spent,) = finish(other)
    assert float(spent) - began < 1.0
