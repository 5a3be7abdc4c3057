"""Files and functions stay small, names stay honest, and generated parts are current."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "marketcli").rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 400, 60


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            lines = node.end_lineno - body[0].lineno + 1
            assert lines <= LONGEST_FUNCTION, node.name


def test_most_functions_are_short() -> None:
    lengths = [
        node.end_lineno - node.body[0].lineno + 1
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    ]
    assert sorted(lengths)[int(len(lengths) * 0.9)] < 30


def test_the_top_level_is_what_it_is_meant_to_be() -> None:
    allowed = {"marketcli", "tests", "completions", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"}
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    ).stdout.splitlines()
    top = {name.partition("/")[0] for name in tracked}
    assert {name for name in top if not name.startswith(".")} <= allowed


SCRIPTS = {"bash": "mkt.bash", "zsh": "_mkt", "fish": "mkt.fish", "powershell": "mkt.ps1"}


@pytest.mark.parametrize("shell", SCRIPTS)
def test_completion_scripts_are_those_typer_prints(shell: str) -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "marketcli", "completion", shell], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert printed.strip()
    assert (ROOT / "completions" / SCRIPTS[shell]).read_text("utf-8") == printed
