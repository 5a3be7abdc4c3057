"""Answers that are kept: for their time, for the same question, and never in the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from scripted import CELL

from marketcli.api.kept import Kept
from marketcli.models import SECOND

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_795_219_200 * SECOND
HOURLY = replace(CELL, keep=timedelta(hours=1))
ROWS = [("BTCUSDT", 8.0), ("SOLUSDT", None)]


def kept(folder: Path | None) -> Kept:
    found = Kept(folder)
    found.write("x-live", HOURLY, {"a": 1}, ROWS, now=NOW)
    return found


def test_an_answer_serves_until_its_time_is_over(tmp_path: Path) -> None:
    folder = kept(tmp_path / "new")
    assert folder.read("x-live", HOURLY, {"a": 1}, now=NOW + 3_599 * SECOND) == ROWS
    assert folder.read("x-live", HOURLY, {"a": 1}, now=NOW + 3_600 * SECOND) is None


def test_a_clock_that_went_back_makes_an_answer_worthless(tmp_path: Path) -> None:
    assert kept(tmp_path).read("x-live", HOURLY, {"a": 1}, now=NOW - SECOND) is None


def test_it_answers_the_same_question_only(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    assert folder.read("x-live", HOURLY, {"a": 2}, now=NOW) is None
    assert folder.read("x-testnet", HOURLY, {"a": 1}, now=NOW) is None
    assert folder.read("x-live", replace(HOURLY, columns=("id", "more")), {"a": 1}, now=NOW) is None
    assert folder.read("x-live", CELL, {"a": 1}, now=NOW) is None


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"fetched": 1}'])
def test_a_damaged_file_is_no_answer(tmp_path: Path, text: bytes) -> None:
    folder = kept(tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(text)
    assert folder.read("x-live", HOURLY, {"a": 1}, now=NOW) is None


def test_a_folder_that_cannot_be_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert kept(tmp_path / "file").read("x-live", HOURLY, {"a": 1}, now=NOW) is None
    assert kept(None).read("x-live", HOURLY, {"a": 1}, now=NOW) is None
