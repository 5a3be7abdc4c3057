"""`mkt examples`: every command it shows works as it stands, and is one the exchange offers."""

from __future__ import annotations

import csv
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import typer
from inside_runner import inside
from pty_runner import plain, screen

from marketcli import exchanges
from marketcli.cli.app import app
from marketcli.cli.examples import TEMPLATES, examples_of
from marketcli.models import Market, to_micros
from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli_runner import Run

    Mkt = Callable[..., Run]

COMMAND: Any = typer.main.get_command(app)
REGISTERED = frozenset(COMMAND.commands)
NOW = to_micros(datetime(2026, 11, 21, 9, 30, tzinfo=UTC))
EVERY = [one for name in exchanges.names() for one in examples_of(exchanges.load(name), REGISTERED)]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Mkt:
    return lambda *words: inside(capfdbinary, *words)


@pytest.fixture(scope="module")
def moving() -> Iterator[Sandbox]:
    """A sandbox whose clock goes, and always from the same moment, for some minutes have ten thousands of trades."""
    with Sandbox(start=NOW, limits=False) as running:
        yield running


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.command)
def test_every_example_works_as_it_stands(run: Mkt, moving: Sandbox, one: Any) -> None:
    mkt, *words = shlex.split(one.command)
    done = run("--via", moving.url, *words, *(["--for", "2s", "--count", "1"] if words[0] == "watch" else []))
    assert (mkt, done.returncode) == ("mkt", 0), done.stderr
    rows = [row for row in done.rows() if "type" not in row]
    assert rows or one.dataset in {"liquidations", "large_trades"}  # which do not happen every second
    if not rows:
        return
    assert {row["exchange"] for row in rows} == {one.exchange}
    assert one.dataset == "instruments" or {row["market"] for row in rows} == {one.market}


@pytest.mark.parametrize("name", exchanges.names())
def test_what_is_offered_has_an_example(name: str) -> None:
    table = exchanges.load(name)
    first = str(table.markets[0])
    for live, cells in ((False, (*table.instruments, *table.endpoints)), (True, table.channels)):
        mine = [one for one in TEMPLATES if one.words.startswith("watch ") is live]
        offered = {(cell.dataset.name, str(market)) for cell in cells for market in cell.markets}
        offered |= {("large_trades", market) for dataset, market in offered if dataset == "trades"} if live else set()
        wanted = {(one.dataset, one.market or first) for one in mine if one.words.split()[0] in REGISTERED}
        shown = [one for one in examples_of(table, REGISTERED) if one.command.startswith("mkt watch ") is live]
        assert {(one.dataset, one.market) for one in shown} == wanted & offered
        assert live or {"ohlc", "instruments"} <= {one.dataset for one in shown}


def test_examples_follow_the_table_and_the_commands() -> None:
    table = exchanges.load("binance")
    bare = replace(table, endpoints=(), channels=())
    assert {one.dataset for one in examples_of(bare, REGISTERED)} == {"instruments"}
    assert {one.command.split()[1] for one in examples_of(table, {"ohlc"})} == {"ohlc"}
    assert all(one.command.startswith("mkt watch ") for one in examples_of(table, {"watch"}))


def test_names_are_those_of_the_exchange() -> None:
    words = {word for one in EVERY for word in one.command.split()}
    assert {"BTCUSDT", "BTCUSD_PERP", "BTC-USDT-SWAP", "BTC-USD-SWAP", "BTCUSD", "@142"} <= words
    spot = [one.command for one in EVERY if (one.dataset, one.market) == ("ohlc", Market.SPOT)]
    assert "mkt ohlc BTCUSDT 1d --last 30 -m spot -e binance" in spot
    assert "mkt ohlc BTC-USDT 1d --last 30 -e okx" in spot


def test_they_are_of_the_exchange_in_force_unless_another_is_named(run: Mkt, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {row["exchange"] for row in run("examples").rows()} == {"binance"}
    assert {row["exchange"] for row in run("examples", "okx,bybit").rows()} == {"okx", "bybit"}
    assert {row["exchange"] for row in run("examples", "all").rows()} == set(exchanges.names())
    monkeypatch.setenv("MKT_EXCHANGE", "hyperliquid")
    assert {row["exchange"] for row in run("examples").rows()} == {"hyperliquid"}
    assert run("examples", "nosuch").returncode == 2


def test_other_forms(run: Mkt) -> None:
    lines = run("examples", "okx", "-f", "csv").stdout.splitlines()
    assert lines[0] == "exchange,dataset,market,command,meaning"
    assert all(row["command"].startswith("mkt ") for row in csv.DictReader(lines))
    found = run("examples", "--where", "dataset = 'funding'", "--fields", "command").rows()
    assert found[0] == {"command": "mkt funding BTCUSDT -e binance"}
    assert all(set(row) == {"command"} for row in found)


@pytest.mark.parametrize("name", exchanges.names())
def test_on_a_terminal_commands_stand_whole(name: str) -> None:
    printed, code = screen("examples", name, columns=80)
    lines = plain(printed)
    assert (code, max(map(len, lines)) <= 80) == (0, True)
    assert all(any(line.startswith(f"{one.command}  ") for line in lines) for one in EVERY if one.exchange == name)
