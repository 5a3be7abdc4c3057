"""Several exchanges side by side, and stand-ins for one that cannot answer."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cli_runner import mkt

from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli_runner import Run

ALL = ["binance", "bybit", "hyperliquid", "okx"]


def ask(*words: str, faults: tuple[str, ...] = ()) -> Run:
    with Sandbox(faults=list(faults)) as sandbox:
        return mkt("--via", sandbox.url, *words)


@pytest.fixture(scope="module")
def refused() -> Iterator[Sandbox]:
    """OKX and Binance's futures refuse this location; the others answer."""
    faults = ["http451:host=www.okx.com", "http451:host=fapi.binance.com"]
    with Sandbox(faults=faults) as sandbox:
        yield sandbox


def test_every_exchange_answers_in_its_own_words() -> None:
    done = ask("funding", "BTC", "ETH", "-e", "all", "-f", "ndjson")
    rows = done.rows()
    assert done.returncode == 0
    assert [(row["exchange"], row["symbol"].split("-")[0]) for row in rows] == [
        *((name, "BTC") for name in ALL),
        *((name, "ETH") for name in ALL),
    ]
    assert {row["exchange"]: row["symbol"] for row in rows[:4]} == {
        "binance": "BTC-USDT-PERP", "bybit": "BTC-USDT-PERP", "hyperliquid": "BTC-USDC-PERP", "okx": "BTC-USDT-PERP",
    }  # fmt: skip
    assert {row["exchange"]: row["interval_h"] for row in rows[:4]}["hyperliquid"] == 1


def test_the_failure_of_one_leaves_the_others(refused: Sandbox) -> None:
    done = mkt("--via", refused.url, "oi", "BTC", "-e", "bybit,okx,hyperliquid", "-f", "ndjson")
    assert [row["exchange"] for row in done.rows()] == ["bybit", "hyperliquid"]
    assert done.returncode == 7
    assert done.stderr.count("error: ") == 1
    assert "OKX refuses to serve your location" in done.stderr


def test_a_symbol_that_one_does_not_know_is_told_beside_the_others_rows() -> None:
    done = ask("price", "BTCUSDT", "-e", "all", "-f", "ndjson")
    assert [row["exchange"] for row in done.rows()] == ["binance", "bybit", "okx"]
    assert done.returncode == 2
    assert "Hyperliquid has no instrument 'BTCUSDT'" in done.stderr


def test_the_next_one_answers_and_every_row_says_so(refused: Sandbox) -> None:
    words = ("ohlc", "BTC", "1h", "--last", "3", "--fallback", "okx,bybit", "-f", "ndjson")
    done = mkt("--via", refused.url, *words)
    assert done.returncode == 0
    assert {(row["exchange"], row["fallback_from"]) for row in done.rows()} == {("bybit", "binance")}
    assert "Binance could not answer: " in done.stderr
    assert "These rows are of Bybit." in done.stderr


def test_a_row_of_the_exchange_itself_says_that_too() -> None:
    done = ask("price", "BTC", "--fallback", "okx", "-f", "csv")
    header, row = done.stdout.splitlines()
    assert header.split(",")[-1] == "fallback_from"
    assert row.startswith("binance,")
    assert row.endswith(",")


def test_several_and_stand_ins_do_not_go_together() -> None:
    done = mkt("price", "BTC", "-e", "all", "--fallback", "okx")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--fallback goes with one exchange" in done.stderr


def test_names_are_looked_up_everywhere() -> None:
    done = ask("instruments", "resolve", "pepe", "-e", "all", "-f", "ndjson")
    found = {(row["exchange"], row["native"]): row["multiplier"] for row in done.rows()}
    assert found["hyperliquid", "kPEPE"] == found["binance", "1000PEPEUSDT"] == 1_000
    assert found["okx", "PEPE-USDT"] == found["bybit", "PEPEUSDT"] == 1
    assert done.returncode == 0


def test_a_list_that_cannot_be_had_leaves_the_others(refused: Sandbox) -> None:
    done = mkt("--via", refused.url, "instruments", "-e", "okx,bybit", "-m", "linear", "-f", "ndjson")
    assert {row["exchange"] for row in done.rows()} == {"bybit"}
    assert (done.returncode, done.stderr.count("error: ")) == (7, 1)


def test_exchanges_that_are_not_asked_are_not_loaded() -> None:
    code = (
        "import sys; from marketcli import exchanges; exchanges.chosen('binance,okx');"
        "print(*sorted(name for name in exchanges.names() if f'marketcli.exchanges.{name}' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["binance", "okx"]


def test_who_of_everybody_does_not_offer_it_is_a_note() -> None:
    done = ask("ratio", "BTC", "-e", "all", "-f", "ndjson")
    assert {row["exchange"] for row in done.rows()} == {"binance", "bybit", "okx"}
    assert (done.returncode, done.stderr.count("error: ")) == (0, 0)
    assert "note: hyperliquid linear has no long/short ratios" in done.stderr


def test_who_is_named_and_does_not_offer_it_has_failed() -> None:
    done = ask("ratio", "BTC", "-e", "okx,hyperliquid", "-f", "ndjson")
    assert {row["exchange"] for row in done.rows()} == {"okx"}
    assert (done.returncode, done.stderr.count("error: ")) == (4, 1)


def test_a_window_without_events_is_a_complete_answer() -> None:
    done = ask("funding", "BTC", "--since", "2026-11-20T01:00", "--until", "2026-11-20T02:00", "-f", "csv")
    assert (done.returncode, len(done.stdout.splitlines()), done.stderr) == (0, 1, "")
