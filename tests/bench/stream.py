"""Messages per CPU second from socket bytes to records, beside bare loops and other programs, in one run.

    python tests/bench/stream.py [--count 100000] [--runs 5] [--traffic trades,mixed,bybit] [--readers bare,mkt]

Readers take turns, each a process of its own, with the same frames from `stream_server.py`, which sends as fast as
they are read. (a) `recv` of websockets with the settings of `net.socket`; (b) the same and msgspec; (c) `mkt` from the
connection to records in the hands of somebody who counts; (d) cryptofeed; (e) ccxt's `watch_trades`, trades only;
(f) picows, another library, bare. (d) to (f) need `pip install '.[bench]'` and are left out without.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
READERS = {"bare": "a", "decoded": "b", "mkt": "c", "cryptofeed": "d", "ccxt": "e", "picows": "f"}
AIMS = {"bare": 0.70, "cryptofeed": 1.5, "ccxt": 5.0}  # of mkt's rate to theirs
TRAFFIC = ("trades", "mixed", "bybit")
PATIENCE = 300  # seconds for one reader


@contextlib.contextmanager
def serving(*command: str) -> Iterator[str]:
    """A process that prints its address and serves until we are done."""
    whole = [sys.executable, *command]
    with subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def rate(reader: str, traffic: str, count: int, *addresses: str) -> float:
    """Messages per CPU second of one reader."""
    command = [sys.executable, str(HERE / "stream_client.py"), reader, traffic, str(count), *addresses]
    with tempfile.TemporaryDirectory() as state:
        environment = os.environ | {"MKT_STATE_DIR": state}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=PATIENCE, check=False)
    if done.returncode:
        raise SystemExit(f"{reader} on {traffic}: {done.stderr[-600:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return float(found["messages"] / found["cpu"])


def measured(traffic: str, readers: list[str], *, count: int, runs: int, sandbox: str) -> dict[str, list[float]]:
    """The rates of all readers, taken in turns."""
    rates: dict[str, list[float]] = {name: [] for name in readers if (name, traffic) != ("ccxt", "mixed")}
    with serving(str(HERE / "stream_server.py"), traffic, str(count)) as server:
        for _ in range(runs):
            for name, all_ in rates.items():
                all_.append(rate(name, traffic, count, server, sandbox))
    return rates


def show(traffic: str, rates: dict[str, list[float]]) -> None:
    """Medians with their range, and what `mkt` makes of each, run by run."""
    print(f"\n{traffic}")
    for name, all_ in rates.items():
        line = (
            f"  {READERS[name]}  {name:10} {statistics.median(all_):>11,.0f}/s   {min(all_):,.0f} to {max(all_):,.0f}"
        )
        if name != "mkt" and "mkt" in rates:
            ratios = [ours / theirs for ours, theirs in zip(rates["mkt"], all_, strict=True)]
            aim = f" (aim {AIMS[name]:g})" if name in AIMS and traffic == "trades" else ""
            line += f"   c/{READERS[name]} {statistics.median(ratios):.2f}{aim}"
        print(line)


def main() -> None:
    """Run everything and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="frames of each run")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--traffic", default=",".join(TRAFFIC))
    parser.add_argument("--readers", default=",".join(READERS))
    given = parser.parse_args()
    readers = [name for name in given.readers.split(",") if name in {"bare", "decoded", "mkt"} or installed(name)]
    print(f"{given.count:,} frames, {given.runs} runs in turns, medians of messages per CPU second")
    with serving("-m", "marketcli", "sandbox", "--no-limits") as sandbox:
        for traffic in given.traffic.split(","):
            found = measured(traffic, readers, count=given.count, runs=given.runs, sandbox=sandbox)
            show(traffic, found)


def installed(name: str) -> bool:
    """Whether a peer is there to be compared with."""
    found = importlib.util.find_spec(name) is not None
    if not found:
        print(f"{name} is not installed and is left out")
    return found


if __name__ == "__main__":
    main()
