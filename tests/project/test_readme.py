"""README's commands work as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.+?)\n```", README, re.MULTILINE | re.DOTALL)
ONE_LINERS = [line.split("  #")[0].strip() for line in BLOCKS[2].splitlines()]


def test_there_are_two_set_up_commands_of_one_line_each() -> None:
    assert [block.count("\n") for block in BLOCKS[:2]] == [0, 0]
    assert "mkt --sandbox ohlc BTCUSDT 1h" in BLOCKS[0]
    assert BLOCKS[1].endswith("python -m pytest -n auto")


@pytest.mark.parametrize("line", ONE_LINERS)
def test_one_liners_work(line: str, tmp_path: Path) -> None:
    watching = line.startswith("mkt watch") and "--count" not in line
    endless = watching and "-o " not in line
    short = line.split(" --for", maxsplit=1)[0] + " --for 3s" if endless else line
    own = short.replace("mkt ", f'"{sys.executable}" -m marketcli --sandbox ')
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", own],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout or list(tmp_path.iterdir()) or (watching and "records in 0:03" in done.stderr)
