"""`mkt instruments`, `exchanges`, `schema`, `sandbox` and `completion`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING, NoReturn

import pytest
from cli_runner import mkt
from pty_runner import plain, screen

from marketcli.cli.run import outcome
from marketcli.datasets import DATASETS, OHLC, SCHEMAS
from marketcli.errors import NotOffered
from marketcli.exchanges import load, names

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
    assert {("PEPEUSDT", 1), ("1000PEPEUSDT", 1_000)} <= {(row["native"], row["multiplier"]) for row in found}
    assert all("PEPE" in row["native"] for row in found)
    assert {row["status"] for row in ask("instruments", "--status", "closing").rows()} == {"closing"}
    dated = ask("instruments", "--base", "btc", "--quote", "usd").rows()
    assert all((row["base"], row["quote"]) == ("BTC", "USD") for row in dated)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("--search nosuchthing", "Search for less"),
        ("--base btcc", "No base is 'btcc'. Did you mean BTC?"),
        ("--quote usdt --base zzzz", "No base is 'zzzz'."),
        ("--quote usdtt --base btcc", "No base is 'btcc'. Did you mean BTC? No quote is 'usdtt'. Did you mean USDT?"),
        ("--status tradng", "No status is 'tradng'. Did you mean trading?"),
        ("--status asleep", "No status is 'asleep'. There is closing, halted, trading."),
    ],
)
def test_nothing_found_is_told_with_what_there_is(ask: Ask, words: str, hint: str) -> None:
    nothing = ask("instruments", *words.split())
    assert (nothing.returncode, nothing.stdout) == (4, "")
    assert hint in nothing.stderr


def test_a_name_in_the_place_of_a_word_is_told_where_it_belongs(ask: Ask) -> None:
    done = ask("instruments", "BTC")
    assert (done.returncode, done.stdout) == (2, "")
    assert "mkt instruments --search BTC, or mkt instruments resolve BTC" in done.stderr


def test_what_a_name_means(ask: Ask) -> None:
    rows = [(row["symbol"], row["multiplier"]) for row in ask("instruments", "resolve", "pepe").rows()]
    assert (rows[0], ("1000PEPE-USDT-PERP", 1_000) in rows) == (("PEPE-USDT", 1), True)
    assert ask("instruments", "resolve", "BTC").rows()[0]["symbol"] == "BTC-USDT-PERP"
    assert ask("instruments", "-m", "spot", "resolve", "BTC").rows()[0]["symbol"] == "BTC-USDT"
    unknown = ask("instruments", "resolve", "BTCUSTD")
    assert (unknown.returncode, "BTCUSDT" in unknown.stderr) == (2, True)


def test_what_stands_before_resolve_counts_and_the_later_wins(ask: Ask) -> None:
    before = ask("instruments", "-f", "csv", "--fields", "symbol", "resolve", "btcusdt", "-m", "spot")
    assert before.stdout == "symbol\nBTC-USDT\n"
    both = ask("instruments", "-f", "csv", "--fields", "symbol", "resolve", "btc-usdt", "--fields", "native,market")
    assert both.stdout == "native,market\nBTCUSDT,spot\n"
    refused = ask("instruments", "--search", "pepe", "resolve", "pepe")
    assert (refused.returncode, refused.stdout, "--search" in refused.stderr) == (2, "", True)


@pytest.mark.parametrize("words", ["instruments --refresh resolve btc", "instruments resolve btc --refresh"])
def test_a_meaning_is_looked_up_anew_wherever_that_is_said(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    async def spellings(*_: object, refresh: bool) -> NoReturn:
        asked.append(refresh)
        raise NotOffered("nothing")

    monkeypatch.setattr("marketcli.api.lists.spellings", spellings)
    assert outcome(words.split()) == 4
    assert asked == [True]


def test_what_all_instruments_share_is_said_once(sandbox: Sandbox) -> None:
    words = ("--via", sandbox.url, "instruments", "-m", "inverse")
    lines = plain(screen(*words, columns=80)[0])
    assert lines[0] == "instruments · binance · inverse"
    assert not {"exchange", "market"} & set(lines[1].split())
    assert lines[-1].startswith("7 instruments")
    chosen = plain(screen(*words, "--fields", "exchange,native", columns=80)[0])
    assert chosen[1].split() == ["exchange", "native"]


def test_a_meaning_shows_size_and_multiplier_on_a_narrow_terminal(sandbox: Sandbox) -> None:
    lines = plain(screen("--via", sandbox.url, "instruments", "resolve", "pepe", columns=80)[0])
    assert lines[0] == "pepe means PEPE-USDT · binance"
    assert lines[1].split() == ["market", "symbol", "native", "contract_size", "multiplier", "status"]
    assert ["linear", "1000PEPE-USDT-PERP", "1000PEPEUSDT", "1", "1,000", "trading"] in [line.split() for line in lines]


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(
    "words",
    ["instruments", "instruments resolve btc", "exchanges", "exchanges -e okx", "schema", "schema ohlc", "limits"],
)
def test_lists_fit_the_terminal(sandbox: Sandbox, words: str, columns: int) -> None:
    printed, code = screen("--via", sandbox.url, *words.split(), columns=columns)
    lines = plain(printed)
    assert code == 0
    assert len(lines) > 3
    assert max(len(line) for line in lines) <= columns


def test_exchanges_are_read_from_the_tables() -> None:
    rows = mkt("exchanges", "-e", "binance").rows()
    table = load("binance")
    assert {(row["market"], row["dataset"]) for row in rows if row["offered"]} == {
        (market.value, one.name) for market in table.markets for one in DATASETS.values() if table.endpoint(one, market)
    }
    assert all(row["docs"].startswith("https://") for row in rows if row["offered"])
    absent = {(row["market"], row["dataset"]): row["reason"] for row in rows if not row["offered"]}
    assert "derivatives do" in absent["spot", "funding"]
    assert {row["exchange"] for row in mkt("exchanges").rows()} == set(names())


def test_who_offers_what_is_seen_at_a_glance() -> None:
    printed, code = screen("exchanges", columns=80)
    lines = plain(printed)
    cells = {line.split()[0]: re.split(r"\s{2,}", line.strip()) for line in lines if line.startswith("funding")}
    where = lines[0].split().index("binance")
    assert (code, lines[0].split()) == (0, ["dataset", *names()])
    assert cells["funding"][where].split() == ["-", "L*", "I*"]
    assert "S spot, L linear, I inverse; * live too (mkt watch), + live only" in printed
    assert next(line for line in lines if line.startswith("liquidations")).split()[1:4] == ["-", "L+", "I+"]
    assert "mkt exchanges -e NAME" in printed


def test_cells_that_are_found_say_whose_they_are() -> None:
    printed, _ = screen("exchanges", "--where", "dataset = 'ohlc_mark' and not offered", columns=80)
    lines = plain(printed)
    assert lines[0].split() == ["dataset", "exchange", "market", "offered", "reason"]
    assert lines[2].split()[:4] == ["ohlc_mark", "binance", "spot", "\N{EN DASH}"]


def test_one_exchange_says_why_not() -> None:
    printed, code = screen("exchanges", "-e", "binance", columns=80)
    lines = plain(printed)
    assert (code, lines[:2]) == (0, ["Binance", "dataset              linear  spot  inverse"])
    assert next(line for line in lines if line.startswith("funding ")).split() == ["funding", "✓", "\N{EN DASH}", "✓"]
    told = " ".join(printed.split())
    assert "No oi, oi_history, funding, funding_history (spot): spot has no positions" in told
    assert "Candles of mark, index and premium prices have no volume." in told
    assert next(line for line in lines if line.startswith("watch oi")).split()[2:] == ["\N{EN DASH}"] * 3
    assert "No watch oi (linear, inverse): Binance streams no open interest" in told
    assert "No liquidations" not in told


def test_an_address_is_shown_whole() -> None:
    printed, _ = screen("exchanges", "-e", "binance", "--fields", "dataset,docs", "--where", "offered", columns=80)
    shown = "".join(line[21:] for line in plain(printed)[2:-1])
    assert all(row["docs"] in shown for row in mkt("exchanges", "-e", "binance", "--where", "offered").rows())


def test_schemas_are_those_of_the_rows(ask: Ask) -> None:
    assert [row["dataset"] for row in mkt("schema").rows()] == list(SCHEMAS)
    columns = mkt("schema", "ohlc").rows()
    assert tuple(row["column"] for row in columns) == OHLC.fields
    assert list(ask("ohlc", "BTCUSDT", "1h", "--last", "1").rows()[0]) == [row["column"] for row in columns]
    assert mkt("schema", "OI-history").rows() == mkt("schema", "oi_history").rows()


def test_datasets_that_do_not_exist_are_told_with_the_nearest() -> None:
    near, far = mkt("schema", "fundng"), mkt("schema", "zzz")
    assert (near.returncode, "Did you mean funding?" in near.stderr) == (2, True)
    assert (far.returncode, "ohlc, ohlc_mark" in far.stderr) == (2, True)


def test_a_schema_says_what_a_row_is_and_the_list_has_a_line_for_each() -> None:
    lines = plain(screen("schema", columns=80)[0])
    assert [line.split()[0] for line in lines[2 : 2 + len(SCHEMAS)]] == list(SCHEMAS)
    printed = " ".join(plain(screen("schema", "funding_history", columns=80)[0]))
    assert "one row per event" in printed
    assert "unique by symbol, time" in printed
    assert "A funding payment that was made" in printed


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
