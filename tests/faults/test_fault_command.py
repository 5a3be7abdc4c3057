"""The command itself under faults: exit code, one sentence, nothing left behind."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

HOLE = "missing_rows:from=2026-11-10T10:00,to=2026-11-10T10:05"
ENDINGS = {
    "redirect": (5, "not followed"),
    "gzip_truncated": (5, "ends early"),
    "http418_ban": (6, "banned"),
    "http451": (7, "location"),
    "nan_rows:path=klines": (8, "cannot trust"),
}
KIBIBYTE = 1 if sys.platform == "darwin" else 1_024  # what the peak of memory is counted in
ROOM = 128 * 2**20  # bytes a bomb may take: once what an answer may hold, and once what is being inflated


@dataclass(frozen=True)
class Done:
    code: int
    stderr: str
    peak: int


def ohlc(target: Path, *faults: str, span: str = "1h") -> Done:
    """`mkt ohlc` into a file, by way of a sandbox with faults."""
    words = ("ohlc", "BTCUSDT", "1m", "--since", "2026-11-10T10:00", "--for", span, "-o", str(target))
    with (
        Sandbox(faults=faults) as sandbox,
        subprocess.Popen(
            [sys.executable, "-m", "marketcli", "--via", sandbox.url, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        stderr, stdout = process.stderr.read(), process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert stdout == ""
    return Done(process.returncode, stderr, usage.ru_maxrss * KIBIBYTE)


def errors(done: Done) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("error:")]


@pytest.mark.parametrize("fault", ENDINGS)
def test_a_fault_is_one_sentence_and_leaves_nothing_behind(fault: str, tmp_path: Path) -> None:
    code, words = ENDINGS[fault]
    done = ohlc(tmp_path / "candles.csv", fault)
    assert done.code == code, done.stderr
    assert "Traceback" not in done.stderr
    (sentence,) = errors(done)
    assert words in sentence
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_named_and_the_rest_is_written(tmp_path: Path) -> None:
    done = ohlc(tmp_path / "candles.csv", HOLE)
    assert done.code == 3, done.stderr
    (sentence,) = errors(done)
    assert "5 candles are missing in 1 gap" in sentence
    assert "2026-11-10T10:00:00Z to 2026-11-10T10:05:00Z" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["candles.csv"]
    with (tmp_path / "candles.csv").open(encoding="utf-8", newline="") as file:
        times = [row["time"] for row in csv.DictReader(file)]
    assert times == [f"2026-11-10T10:{minute:02}:00Z" for minute in range(5, 60)]


@pytest.mark.parametrize("span", ["1h", "1d"])
def test_a_bomb_takes_no_more_memory_than_an_answer_may(span: str, tmp_path: Path) -> None:
    usual = ohlc(tmp_path / "usual.csv", span=span)
    struck = ohlc(tmp_path / "struck.csv", "gzip_bomb:path=klines", span=span)
    assert (usual.code, struck.code, len(errors(struck))) == (0, 5, 1)
    assert struck.peak - usual.peak <= ROOM
