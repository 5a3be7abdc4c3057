"""A year of minutes fetched by us, by a bare client, and by ccxt, side by side in one run.

    python tests/bench/fetch.py [--delay 50] [--runs 3]

Each is a process of its own against one `mkt sandbox --no-limits`; figures are those of the operating system for the
finished process. (a) `mkt ohlc … -o file.parquet`; (b) the floor: the same pages by a bare `httpx.AsyncClient`, as many
at once, decoded the same way, written by Polars; (c) ccxt (`pip install ccxt`), its throttle off, page after page.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
YEAR = (1_735_689_600_000, 1_767_225_600_000)  # 2025 in milliseconds
ROWS = 525_600


@dataclass(frozen=True)
class Cost:
    wall: float
    cpu: float
    peak_mib: float


def measured(command: list[str]) -> Cost:
    """What one process costs, from its start to its end."""
    with tempfile.TemporaryDirectory() as state:  # a budget nobody has spent from, or the next run waits a minute
        environment = os.environ | {"MKT_STATE_DIR": state}
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[:4]} ended with {process.returncode}")
    return Cost(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@contextlib.contextmanager
def sandbox(delay: int) -> Iterator[str]:
    """A standing sandbox without limits, warmed up by one pass."""
    fault = ["--fault", f"delay:ms={delay}"] if delay else []
    command = [sys.executable, "-m", "marketcli", "sandbox", "--no-limits", *fault]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def contenders(url: str, folder: str) -> dict[str, list[str]]:
    """The commands to compare."""
    window = ["--since", str(YEAR[0]), "--until", str(YEAR[1])]
    ours = [sys.executable, "-m", "marketcli", "--via", url, "-q", "ohlc", "BTCUSDT", "1m", *window, "--force"]
    bounds = [url, *map(str, YEAR)]
    return {
        "a  mkt ohlc -o": [*ours, "-o", f"{folder}/a.parquet"],
        "b  bare httpx": [sys.executable, str(HERE / "floor.py"), *bounds, f"{folder}/b.parquet"],
        "c  ccxt": [sys.executable, str(HERE / "peer.py"), *bounds],
    }


def main() -> None:
    """Run everything in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=int, default=0, help="milliseconds added to every request")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--without-peer", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sandbox(given.delay) as url:
        names = contenders(url, folder)
        if given.without_peer:
            del names["c  ccxt"]
        for command in names.values():  # the sandbox makes its candles up once
            measured(command)
        costs: dict[str, list[Cost]] = {name: [] for name in names}
        for _ in range(given.runs):
            for name, command in names.items():
                costs[name].append(measured(command))
    print(f"{ROWS:,} candles, {given.delay} ms added per request, {given.runs} runs, medians")
    median = {
        name: Cost(*(statistics.median(getattr(cost, field) for cost in all_) for field in ("wall", "cpu", "peak_mib")))
        for name, all_ in costs.items()
    }
    for name, cost in median.items():
        print(f"{name:16} wall {cost.wall:7.2f} s   cpu {cost.cpu:6.2f} s   peak {cost.peak_mib:6.0f} MiB")
    ours, floor, *peer = median.values()
    print(f"a/b cpu {ours.cpu / floor.cpu:.2f}   a/b wall {ours.wall / floor.wall:.2f}")
    for cost in peer:
        print(f"c/a wall {cost.wall / ours.wall:.2f}   c/a cpu {cost.cpu / ours.cpu:.2f}")


if __name__ == "__main__":
    main()
