"""`mkt watch` as a whole: the time to its first record, and what a panel costs.

    python tests/bench/stream_watch.py first [--runs 10]     # beside a bare interpreter
    python tests/bench/stream_watch.py panel [--rate 5000]   # share of a core while frames come, 80 x 24 and 160 x 48

Everything comes over loopback: the first record from `mkt sandbox`, the frames of the panel from `stream_server.py`.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = str(Path(__file__).parent / "stream_server.py")
MKT = [sys.executable, "-m", "marketcli"]
COINS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
SIZES = ((80, 24), (160, 48))
SETTLE, MEASURE = 4.0, 12.0  # seconds until a panel runs evenly, and in which it is measured
TICKS = os.sysconf("SC_CLK_TCK")


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


def timed(command: list[str]) -> tuple[float, float, float]:
    """Seconds until a command printed something, until it ended, and of CPU."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    process.stdout.read(1)
    first = time.monotonic() - began
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise SystemExit(f"{command[:6]} ended with {process.returncode}")
    return first, time.monotonic() - began, usage.ru_utime + usage.ru_stime


def first(runs: int) -> None:
    """The time to the first record, in turns with an interpreter that does nothing else."""
    with serving("-m", "marketcli", "sandbox", "--no-limits") as url:
        commands = {
            "mkt watch trades --count 1": [*MKT, "--via", url, "watch", "trades", "BTCUSDT", "--count", "1"],
            "python -c 'print()'": [sys.executable, "-c", "print()"],
        }
        found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
        for _ in range(runs + 1):
            for name, command in commands.items():
                found[name].append(timed(command))
    for name, all_ in found.items():
        record, end, cpu = (statistics.median(values) for values in zip(*all_[1:], strict=True))
        slowest = max(one[0] for one in all_[1:])
        print(f"{name:28} first {record:.3f} s (slowest {slowest:.3f})   end {end:.3f} s   cpu {cpu:.3f} s")


def spent(process: int) -> float:
    """CPU seconds of a process until now."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def share(command: list[str], columns: int, rows: int) -> tuple[float, float]:
    """The share of a core that a command takes on a terminal, and bytes it writes in a second."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    written = 0

    def drain() -> None:
        nonlocal written
        while True:
            try:
                written += len(os.read(ours, 65_536))
            except OSError:
                return

    environment = os.environ | {"TERM": "xterm-256color"}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    threading.Thread(target=drain, daemon=True).start()
    time.sleep(SETTLE)
    before, bytes_before, began = spent(process.pid), written, time.monotonic()
    time.sleep(MEASURE)
    took, passed = spent(process.pid) - before, time.monotonic() - began
    process.terminate()
    process.wait()
    os.close(ours)
    return took / passed, (written - bytes_before) / passed


def panel(rate: int) -> None:
    """What panels cost, and the same watch in a pipe beside them."""
    count = str(round(rate * (SETTLE + MEASURE) * 25))  # of mixed frames a connection wants few
    watches = {"trades": ("trades", COINS[:1]), "large-trades": ("trades", COINS[:1]), "ticker": ("mixed", COINS)}
    with serving("-m", "marketcli", "sandbox", "--no-limits") as sandbox:
        for name, (traffic, symbols) in watches.items():
            pace = rate // 2 if traffic == "mixed" else rate  # tickers come over two connections
            with serving(SERVER, traffic, count, "--rate", str(pace), "--rest", sandbox) as url:
                for columns, rows in SIZES:
                    used, wrote = share([*MKT, "--via", url, "watch", name, *symbols], columns, rows)
                    print(f"{name:14} {columns} x {rows}   {used:6.1%} of a core   {wrote / 1024:7.1f} KiB/s")


def main() -> None:
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["first", "panel"])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--rate", type=int, default=5_000, help="frames a second of each connection")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        os.environ["MKT_STATE_DIR"] = state
        first(given.runs) if given.what == "first" else panel(given.rate)


if __name__ == "__main__":
    main()
