"""The program starts light: what a command does not need, it does not load."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = {"polars", "httpx", "websockets", "pydantic", "msgspec", "asyncio", "uvicorn", "starlette", "numpy"}
PROBE = """
import json, os, sys
sys.argv = ["mkt", *{words!r}]
leave = os._exit
def report(code):
    sys.stderr.write("\\n" + json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
    sys.stderr.flush()
    leave(code)
os._exit = report
from marketcli.__main__ import main
main()
report(0)
"""


def loaded(*words: str, **environment: str) -> set[str]:
    """The top-level modules that are there when `mkt` ends."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(words=words)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["-V"], ["help"], ["help", "exit-codes"]])
def test_help_and_version_load_nothing_heavy(words: list[str]) -> None:
    # Typer loads pydantic as soon as a command with parameters runs.
    allowed = {"pydantic"} if words[0] == "help" else set()
    assert loaded(*words) & HEAVY <= allowed


def test_the_version_loads_not_even_typer() -> None:
    assert not loaded("--version") & {"typer", "rich"}


def test_completion_loads_no_frames_and_no_network() -> None:
    words = {"COMP_WORDS": "mkt ohlc --f", "COMP_CWORD": "2", "_MKT_COMPLETE": "complete_bash"}
    assert not loaded(**words) & {"polars", "httpx", "websockets", "asyncio"}


def test_a_pipe_never_loads_the_drawing_library_by_our_doing() -> None:
    done = loaded("schema", "ohlc", "-f", "csv")
    assert "httpx" not in done


def test_importing_the_package_costs_nothing() -> None:
    probe = "import sys, marketcli; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True)
    assert not {name for name in HEAVY | {"typer", "rich"} if f"'{name}'" in done.stdout}
