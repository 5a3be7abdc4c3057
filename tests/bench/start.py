"""What starting costs: modules loaded and CPU time of a few commands beside `python -c pass`.

python tests/bench/start.py [--runs 9]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

MKT = [sys.executable, "-m", "marketcli"]
COUNT = (
    "import os,sys;leave=os._exit\ndef report(c):\n print(len(sys.modules),file=sys.stderr);leave(c)\nos._exit=report\n"
)


def cpu(command: list[str], runs: int) -> float:
    """Median CPU seconds of a command."""
    times = []
    for _ in range(runs):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        times.append(usage.ru_utime + usage.ru_stime)
    return statistics.median(times)


def modules(words: list[str]) -> int:
    """How many modules are loaded when a command ends."""
    code = f"{COUNT}sys.argv=['mkt',*{words!r}]\nfrom marketcli.__main__ import main\nmain()\nreport(0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return int(done.stderr.split()[-1])


def main() -> None:
    """Measure against one standing sandbox."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    command = [*MKT, "sandbox", "--no-limits"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        bare = cpu([sys.executable, "-c", "pass"], runs)
        print(f"{'python -c pass':44} {bare * 1000:5.0f} ms cpu    1.0 x")
        target = Path("/dev/null")
        for words in (
            ["--version"],
            ["--help"],
            ["--via", url, "ohlc", "BTCUSDT", "1h", "-f", "table"],
            ["--via", url, "ohlc", "BTCUSDT", "1h", "-f", "csv", "-o", str(target)],
        ):
            spent = cpu([*MKT, *words], runs)
            shown = " ".join(word for word in words if word not in {"--via", url})
            print(f"mkt {shown:40} {spent * 1000:5.0f} ms cpu  {spent / bare:5.1f} x  {modules(words)} modules")
        process.terminate()


if __name__ == "__main__":
    main()
