"""Several `mkt` at once on one sandbox: nine tenths of its limit, and no more (goal G6)."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from marketcli.exchanges.binance.sandbox import SIMULATOR
from marketcli.models import Market
from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# `mkt` with another limit in the exchange's table, so that a window is short.
SNIPPET = """
import sys
from dataclasses import replace
from marketcli.exchanges import binance
known = binance.EXCHANGE
small = {{"limit": {limit}, "seconds": {seconds}}}
budgets = [replace(one, **small) if one.name == "futures weight" else one for one in known.budgets]
binance.EXCHANGE = replace(known, budgets=tuple(budgets))
from marketcli.__main__ import main
main()
"""
SHARE, AT_LEAST = 0.9, 0.75


@dataclass(frozen=True)
class Trial:
    """So many processes that ask for so many minutes each."""

    processes: int
    rows: int
    limit: int = 2_400
    seconds: float = 60.0

    @property
    def command(self) -> list[str]:
        snippet = SNIPPET.format(limit=self.limit, seconds=self.seconds)
        start = ["-m", "marketcli"] if self.limit == 2_400 else ["-c", snippet]
        return [sys.executable, *start, "--via"]

    def sandbox(self) -> Sandbox:
        found = Sandbox()
        pool = replace(SIMULATOR.pools[Market.LINEAR], limit=self.limit, seconds=self.seconds)
        pools = dict(SIMULATOR.pools) | {Market.LINEAR: pool, Market.INVERSE: pool}
        found.floor.hosts = dict.fromkeys(SIMULATOR.hosts, replace(SIMULATOR, pools=pools))
        return found

    def start(self, url: str, target: Path) -> subprocess.Popen[str]:
        words = ["ohlc", "BTCUSDT", "1m", "--until", "2026-11-01", "--last", str(self.rows), "-o", str(target)]
        return subprocess.Popen([*self.command, url, *words], stderr=subprocess.PIPE, text=True)


def busiest(log: Iterable[tuple[int, int]], seconds: float) -> int:
    """The most units that arrived in any window."""
    arrived = list(log)
    return max(
        sum(weight for ms, weight in arrived if since <= ms < since + seconds * 1_000)
        for since in {ms for ms, _ in arrived}
    )


def carried_out(trial: Trial, folder: Path) -> None:
    with trial.sandbox() as sandbox:
        running = [trial.start(sandbox.url, folder / f"{number}.csv") for number in range(trial.processes)]
        ends = [(process.communicate()[1], process.returncode) for process in running]
        log = [(line["ms"], line["weight"]) for line in sandbox.floor.log]
        stats = sandbox.stats()
    assert [code for _, code in ends] == [0] * trial.processes, ends
    for number in range(trial.processes):
        assert (folder / f"{number}.csv").read_text().count("\n") == trial.rows + 1
    assert (stats["refused_429"], stats["refused_418"]) == (0, 0)
    times = sorted(ms for ms, _ in log)
    spent, took = sum(weight for _, weight in log), (times[-1] - times[0]) / 1_000
    most = busiest(log, trial.seconds)
    # All of a window may be spent at its beginning, so so many windows must pass before the last unit is spent.
    waits = -(-spent // int(SHARE * trial.limit)) - 1
    print(f"{trial}: {spent} units in {took:.1f} s, {most} of {trial.limit} at most")
    assert waits >= 1
    assert AT_LEAST * trial.limit <= most <= SHARE * trial.limit
    assert took >= waits * trial.seconds
    assert spent / (waits + 1) <= SHARE * trial.limit
    assert spent >= AT_LEAST * trial.limit * took / trial.seconds


def test_three_commands_share_a_limit(tmp_path: Path) -> None:
    carried_out(Trial(processes=3, rows=9_000, limit=80, seconds=3.0), tmp_path)


@pytest.mark.soak
def test_eight_commands_share_a_minute_s_limit(tmp_path: Path) -> None:
    carried_out(Trial(processes=8, rows=130_000), tmp_path)


def test_after_a_ban_nothing_is_sent_by_anybody(tmp_path: Path) -> None:
    trial = Trial(processes=3, rows=3_000)
    with trial.sandbox() as sandbox:
        sandbox.floor.set_faults(["http418_ban:seconds=90,path=klines,first=1"])
        first = trial.start(sandbox.url, tmp_path / "first.csv")
        told = [first.communicate()[1]]
        sandbox.floor.set_faults([])
        asked = sandbox.stats()["requests"]
        later = [trial.start(sandbox.url, tmp_path / f"{number}.csv") for number in range(2)]
        told += [process.communicate()[1] for process in later]
        stats = sandbox.stats()
    assert [process.returncode for process in (first, *later)] == [6, 6, 6]
    assert (stats["requests"], stats["sent_while_banned"]) == (asked, 0)
    until = {text.partition("Nothing is sent until ")[2][:23] for text in told}
    moments = sorted(time.strptime(text, "%Y-%m-%d %H:%M:%S UTC") for text in until)
    assert time.mktime(moments[-1]) - time.mktime(moments[0]) <= 1
    assert list(tmp_path.iterdir()) == []
