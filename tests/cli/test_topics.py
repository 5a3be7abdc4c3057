"""`mkt help`: what it explains is so."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
from cli_runner import mkt

from marketcli.cli.topics import TOPICS
from marketcli.config import Config
from marketcli.errors import PRIORITY, ExitCode
from marketcli.output.files import SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

    from marketcli.sandbox.server import Sandbox

EXAMPLES = [line for topic in ("filters", "files") for line in TOPICS[topic].text.splitlines() if line[:4] == "mkt "]


@pytest.mark.parametrize("topic", TOPICS)
def test_topics_are_listed_and_fit_a_terminal(topic: str) -> None:
    assert f"mkt help {topic} " in mkt("help").stdout
    done = mkt("help", topic)
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("line", EXAMPLES)
def test_the_examples_work(sandbox: Sandbox, line: str, tmp_path: Path) -> None:
    done = mkt("--via", sandbox.url, *shlex.split(line)[1:], cwd=str(tmp_path))
    assert done.returncode == 0
    assert "rows match --where" in done.stderr or list(tmp_path.rglob("*.*"))


def test_exit_codes_are_those_of_the_program() -> None:
    text = TOPICS["exit-codes"].text
    explained = [int(code) for code in re.findall(r"^(\d+) ", text, re.MULTILINE)]
    assert set(explained) == set(ExitCode) - {
        ExitCode.MATCHED,
        ExitCode.LOCKED,
        ExitCode.HANGUP,
        ExitCode.TERMINATED,
    }
    order = re.search(r"the first\nof ([\d ]+)", text)
    assert order is not None
    assert [int(code) for code in order[1].split()] == [code for code in PRIORITY if code in explained and code]


def test_the_environment_is_that_of_the_settings() -> None:
    text = mkt("help", "environment").stdout
    assert [f"MKT_{key.upper()}" for key in Config.model_fields] == re.findall(r"MKT_\w+", text.partition("\n\n")[0])


def test_formats_are_those_that_are_written() -> None:
    assert re.findall(r"\.\w+", TOPICS["files"].text.split("wins over it:\n")[1].splitlines()[0]) == list(SUFFIXES)


def test_help_on_a_command_is_its_own() -> None:
    assert mkt("help", "limits").stdout == mkt("limits", "--help").stdout


@pytest.mark.parametrize(
    ("topic", "said"), [("date", "mkt help dates"), ("fundng", "mkt help funding"), ("zzz", "files")]
)
def test_what_there_is_no_help_on_is_told(topic: str, said: str) -> None:
    done = mkt("help", topic)
    assert (done.returncode, done.stdout, said in done.stderr) == (2, "", True)
