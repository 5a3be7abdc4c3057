"""`mkt instruments`, `exchanges`, `schema`, `sandbox` and `completion`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest
from cli_runner import mkt
from pty_runner import plain, screen

from marketcli.datasets import DATASETS, OHLC

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli_runner import Run

    from marketcli.sandbox.server import Sandbox

    Ask = Callable[..., Run]


def test_instruments_of_all_markets_or_one(ask: Ask) -> None:
    rows = ask("instruments").rows()
    assert {row["market"] for row in rows} == {"spot", "linear", "inverse"}
    inverse = ask("instruments", "-m", "cm", "--fields", "native,contract_size,expiry").rows()
    assert {"native": "BTCUSD_PERP", "contract_size": 100, "expiry": None} in inverse


def test_instruments_are_searched_and_filtered(ask: Ask) -> None:
    found = ask("instruments", "--search", "pepe").rows()
    assert {(row["native"], row["multiplier"]) for row in found} == {("PEPEUSDT", 1), ("1000PEPEUSDT", 1_000)}
    assert {row["status"] for row in ask("instruments", "--status", "closing").rows()} == {"closing"}
    dated = ask("instruments", "--base", "btc", "--quote", "usd").rows()
    assert all((row["base"], row["quote"]) == ("BTC", "USD") for row in dated)
    nothing = ask("instruments", "--search", "nosuchthing")
    assert (nothing.returncode, nothing.stdout) == (4, "")


def test_what_a_name_means(ask: Ask) -> None:
    rows = ask("instruments", "resolve", "pepe").rows()
    assert [(row["symbol"], row["multiplier"]) for row in rows] == [("PEPE-USDT", 1), ("1000PEPE-USDT-PERP", 1_000)]
    assert ask("instruments", "resolve", "BTC").rows()[0]["symbol"] == "BTC-USDT-PERP"
    assert ask("instruments", "-m", "spot", "resolve", "BTC").rows()[0]["symbol"] == "BTC-USDT"
    unknown = ask("instruments", "resolve", "BTCUSTD")
    assert (unknown.returncode, "BTCUSDT" in unknown.stderr) == (2, True)


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("words", ["instruments", "instruments resolve btc", "exchanges", "schema", "schema ohlc"])
def test_lists_fit_the_terminal(sandbox: Sandbox, words: str, columns: int) -> None:
    printed, code = screen("--via", sandbox.url, *words.split(), columns=columns)
    lines = plain(printed)
    assert code == 0
    assert len(lines) > 3
    assert max(len(line) for line in lines) <= columns


def test_exchanges_are_read_from_the_tables() -> None:
    rows = mkt("exchanges").rows()
    offered = {(row["market"], row["dataset"]) for row in rows if row["offered"]}
    assert ("linear", "ohlc_premium") in offered
    assert all(row["docs"].startswith("https://") for row in rows if row["offered"])
    absent = [row for row in rows if not row["offered"]]
    assert {row["market"] for row in absent} == {"spot"}
    assert {row["dataset"] for row in absent} == {
        "ohlc_mark", "ohlc_index", "ohlc_premium", "oi", "oi_history", "funding", "funding_history",
    }  # fmt: skip
    assert all("derivatives do" in row["reason"] for row in absent)


def test_schemas_are_those_of_the_rows(ask: Ask) -> None:
    assert [row["dataset"] for row in mkt("schema").rows()] == list(DATASETS)
    columns = mkt("schema", "ohlc").rows()
    assert tuple(row["column"] for row in columns) == OHLC.fields
    assert list(ask("ohlc", "BTCUSDT", "1h", "--last", "1").rows()[0]) == [row["column"] for row in columns]
    unknown = mkt("schema", "candles")
    assert (unknown.returncode, "ohlc" in unknown.stderr) == (2, True)


def test_a_standing_sandbox_prints_its_address_first_and_ends_quietly(tmp_path: Path) -> None:
    file = tmp_path / "x_spot_ABCUSDT_1m_2025.csv"
    file.write_text(
        "timestamp_ms,open,high,low,close,volume\n1735689600000,1.5,2,1,1.75,10\n1735689660000,1.75,1.8,1.7,1.7,20\n"
    )
    command = [sys.executable, "-m", "marketcli", "sandbox", "--candles", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        done = mkt("--via", url, "ohlc", "ABCUSDT", "1m", "-m", "spot", "--since", "2025", "--until", "2025-01-02")
        with urllib.request.urlopen(f"{url}/stats", timeout=10) as answer:  # noqa: S310 - our own loopback address
            assert answer.status == 200
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=10)
    assert process.returncode == 0
    assert [(row["close"], row["volume_base"], row["volume_quote"]) for row in done.rows()] == [
        (1.75, 10, 17.5),
        (1.7, 20, 34),
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("--candles nosuch_usdm_BTCUSDT_1m.parquet", 2, "no file"),
        ("--fault nosuch", 2, "http503_burst"),
        ("--port 99999", 2, "65535"),
    ],
)
def test_a_sandbox_that_cannot_be_says_why(words: str, code: int, said: str) -> None:
    done = mkt("sandbox", *words.split())
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr


def test_faults_are_listed() -> None:
    done = mkt("sandbox", "--faults")
    assert done.returncode == 0
    assert "gzip_truncated" in done.stdout
