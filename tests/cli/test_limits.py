"""`mkt limits`: budgets, use and bans, without asking anybody."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_runner import mkt
from pty_runner import plain, screen

from marketcli.exchanges import load
from marketcli.models import SECOND
from marketcli.sandbox.server import Sandbox
from marketcli.windows import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def relay() -> Iterator[Sandbox]:
    """A sandbox whose bans hurt no other test."""
    with Sandbox() as running:
        yield running


def banned(relay: Sandbox) -> None:
    relay.floor.set_faults(["http418_ban:seconds=3600,path=klines"])
    assert mkt("--via", relay.url, "ohlc", "BTCUSDT", "1m").returncode == 6


def test_budgets_of_the_tables_stand_there_before_anything_is_asked() -> None:
    rows = mkt("limits").rows()
    assert [(row["budget"], row["limit"], row["seconds"]) for row in rows if row["exchange"] == "binance"] == [
        (budget.name, budget.limit, budget.seconds) for budget in load("binance").budgets
    ]
    assert {(row["site"], row["via"], row["used"], row["paused_until"], row["ban"]) for row in rows} == {
        ("live", None, 0, None, None)
    }
    assert all(row["free"] == row["limit"] * 9 // 10 for row in rows)
    assert not Path(os.environ["MKT_STATE_DIR"]).exists()


def test_use_is_shown_where_it_was_spent(relay: Sandbox) -> None:
    assert mkt("--via", relay.url, "ohlc", "BTCUSDT", "1m").returncode == 0
    rows = {(row["via"], row["budget"]): row for row in mkt("limits").rows()}
    spent = rows[relay.url, "futures weight"]
    assert spent["used"] == sum(relay.stats()["weight"].values())
    assert spent["free"] == 2_160 - spent["used"]
    assert rows[None, "futures weight"]["used"] == 0
    assert (relay.url, "spot weight") not in rows
    own = mkt("--via", relay.url, "limits", "-e", "binance").rows()
    assert {row["via"] for row in own} == {relay.url}
    assert len(own) == len(load("binance").budgets)


def test_a_ban_is_shown_for_all_budgets_with_its_end(relay: Sandbox) -> None:
    banned(relay)
    rows = mkt("--via", relay.url, "limits", "-e", "binance").rows()
    assert {(row["free"], row["ban"]) for row in rows} == {(0, "Binance has banned this address for sending too much.")}
    assert [row["via"] for row in mkt("limits", "-e", "binance").rows()] == [None] * len(rows) + [relay.url] * len(rows)
    refused = mkt("--via", relay.url, "ohlc", "BTCUSDT", "1m").stderr
    told = parse_time(refused.partition("sent until ")[2][:19].replace(" ", "T"), now=0)
    assert all(abs(parse_time(row["paused_until"], now=0) - told) <= 2 * SECOND for row in rows)


def test_it_fits_the_terminal(relay: Sandbox) -> None:
    banned(relay)
    for columns, words in ((140, ["limits"]), (80, ["limits"]), (80, ["--via", relay.url, "limits"])):
        printed, code = screen(*words, columns=columns)
        lines = plain(printed)
        assert code == 0
        assert max(map(len, lines)) <= columns
    assert "banned this address" in " ".join(printed.split())
    assert "Nothing is sent until 20" in " ".join(lines)
    assert all(word in lines[0] for word in ("budget", "via", "used", "free", "limit"))


def test_names_of_budgets_are_shown_whole() -> None:
    shown = "".join(line.split()[-1] for line in plain(screen("limits", "-e", "okx", columns=80)[0])[2:])
    assert all(budget.name.split()[-1] in shown for budget in load("okx").budgets)


def test_what_is_held_back_for_a_while_is_said(relay: Sandbox) -> None:
    relay.floor.set_faults(["http429_retry_after:seconds=3600,path=klines"])
    assert mkt("--via", relay.url, "ohlc", "BTCUSDT", "1m", "--max-wait", "0").returncode == 6
    lines = plain(screen("--via", relay.url, "limits", "-e", "binance", columns=120)[0])
    assert any(f"{relay.url}: nothing is sent from futures weight until 20" in line for line in lines)
    assert not any("banned" in line for line in lines)


def test_times_are_written_as_asked(relay: Sandbox) -> None:
    banned(relay)
    rows = mkt("--via", relay.url, "limits", "-e", "binance", "--time", "ms").rows()
    assert all(isinstance(row["paused_until"], int) for row in rows)


def test_the_embedded_sandbox_leaves_nothing_behind() -> None:
    assert mkt("--sandbox", "ohlc", "BTCUSDT", "1m").returncode == 0
    assert not Path(os.environ["MKT_STATE_DIR"]).exists()


def test_other_forms_and_mistakes() -> None:
    assert mkt("limits", "-f", "csv", "--fields", "budget,limit").stdout.splitlines()[0] == "budget,limit"
    assert mkt("limits", "-e", "nosuch").returncode == 2
    several = mkt("limits", "-e", "okx,binance").rows()
    assert list(dict.fromkeys(row["exchange"] for row in several)) == ["okx", "binance"]
    assert mkt("limits", "--fields", "nosuch").returncode == 2


def test_files_that_are_no_accounts_are_passed_over() -> None:
    folder = Path(os.environ["MKT_STATE_DIR"]) / "budgets"
    folder.mkdir(parents=True)
    for budget in load("binance").budgets:
        (folder / f"direct~binance~live~{budget.name.replace(' ', '%20')}.json").write_bytes(b"\xff" * 5_000)
    (folder / "folder.json").mkdir()
    done = mkt("limits", "-e", "binance")
    assert (done.returncode, {row["used"] for row in done.rows()}) == (0, {0})


def test_what_cannot_be_known_is_not_zero() -> None:
    folder = Path(os.environ["MKT_STATE_DIR"]) / "budgets"
    folder.parent.mkdir(parents=True)
    folder.write_text("no folder")
    done = mkt("limits")
    assert (done.returncode, done.stdout) == (9, "")
    assert f"{folder} cannot be read" in done.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unreadable for root")
def test_an_account_of_somebody_else_is_not_zero() -> None:
    folder = Path(os.environ["MKT_STATE_DIR"]) / "budgets"
    folder.mkdir(parents=True)
    file = folder / "direct~binance~live~futures%20weight.json"
    file.touch(mode=0)
    done = mkt("limits")
    assert (done.returncode, f"{file} cannot be read" in done.stderr) == (9, True)
