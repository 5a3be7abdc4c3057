"""Tab: symbols from the lists kept here, intervals behind them, and nothing that could hurt a shell."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand

from marketcli.cli.complete import read, symbols

NATIVES = ["BTCOLD", "BTCUSDT", "BTCUSDC", "ETHUSDT", "OLDUSDT"]
HOSTILE = [
    "BTC$(touch pwned)",
    "BTC`id`",
    "BTC*",
    "BTC;ls",
    "BTC'x",
    'BTC"x',
    "BTC x",
    "BTC\x1b[31m",
    "BTC\u202ex",
    "-BTC",
]


@pytest.fixture(autouse=True)
def lists() -> None:
    keep("linear", [(name, f"{name[:3]}-{name[3:]}-PERP") for name in NATIVES])
    keep("spot", [("BTCEUR", "BTC-EUR"), *((name, name) for name in HOSTILE)])


def keep(market: str, names: list[tuple[str, str]], *, site: str = "live", exchange: str = "binance") -> None:
    """A list as the catalog keeps it."""
    folder = Path(os.environ["MKT_CACHE_DIR"]) / "instruments" / "direct"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"native": a, "symbol": b, "status": "closed" if "OLD" in a else "trading"} for a, b in names]
    (folder / f"{exchange}-{site}-{market}.2.json").write_text(json.dumps({"fetched": 1, "instruments": rows}))


def offered(line: str, **environment: str) -> list[str]:
    """What bash would be given for a line that ends at the cursor."""
    asked = {"_MKT_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = run(asked | environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


def run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "marketcli"]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_symbols_come_from_the_lists_those_that_trade_first() -> None:
    assert offered("mkt ohlc BTC") == [
        "BTCUSDT", "BTCUSDC", "BTCEUR", "BTCOLD", "BTC-USDT-PERP", "BTC-USDC-PERP", "BTC-EUR", "BTC-OLD-PERP",
    ]  # fmt: skip
    assert offered("mkt ohlc OLD") == ["OLDUSDT", "OLD-USDT-PERP"]
    assert offered("mkt ohlc btcusd") == ["btcusdt", "btcusdc"]
    assert offered("mkt ohlc NOSUCH") == []


def test_intervals_come_once_a_symbol_stands() -> None:
    assert "1h" not in offered("mkt ohlc 1")
    assert set(offered("mkt ohlc BTCUSDT 1")) == {"1m", "15m", "1h", "12h", "1d", "1w", "1M"}
    assert "ETHUSDT" in offered("mkt ohlc BTCUSDT ETH")


def test_the_list_is_that_of_the_exchange_market_and_site_meant() -> None:
    assert offered("mkt ohlc -m spot BTC") == ["BTCEUR", "BTC-EUR"]
    assert offered("mkt ohlc BTC", MKT_MARKET="spot") == ["BTCEUR", "BTC-EUR"]
    assert offered("mkt ohlc -e nosuch BTC") == []
    keep("linear", [("TESTUSDT", "TEST-USDT-PERP")], site="testnet")
    assert offered("mkt ohlc --testnet TEST") == ["TESTUSDT", "TEST-USDT-PERP"]


@pytest.fixture
def several() -> None:
    keep("linear", [("BTC-USDT-SWAP", "BTC-USDT-PERP"), ("OKB-USDT-SWAP", "OKB-USDT-PERP")], exchange="okx")
    keep("linear", [("BTC", "BTC-USD-PERP")], exchange="hyperliquid")


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("asked", "some"),
    [
        ("-e okx", ["BTC-USDT-SWAP", "BTC-USDT-PERP"]),
        ("-e okx,hyperliquid", ["BTC-USDT-PERP", "BTC-USD-PERP", "BTC-USDT-SWAP", "BTC"]),
        ("-e all -m spot", ["BTC-EUR", "BTCEUR"]),
        ("-e OKX,nosuch", ["BTC-USDT-PERP", "BTC-USDT-SWAP"]),
    ],
)
def test_names_of_all_exchanges_that_are_asked_those_first_that_mean_the_same_to_all(
    asked: str, some: list[str]
) -> None:
    assert offered(f"mkt ohlc {asked} BTC") == some


@pytest.mark.usefixtures("several")
def test_all_are_all_and_a_setting_may_say_so() -> None:
    assert {"BTC-USDT-PERP", "BTC-USD-PERP", "BTC-EUR", "BTCUSDT", "BTC-USDT-SWAP"} <= set(offered("mkt ohlc -e all B"))
    assert offered("mkt ohlc OKB", MKT_EXCHANGE="all") == ["OKB-USDT-PERP", "OKB-USDT-SWAP"]


def test_intervals_are_those_that_every_exchange_asked_has() -> None:
    assert {"2h", "2d"} <= set(offered("mkt ohlc -e okx BTCUSDT 2"))
    assert offered("mkt ohlc -e okx,binance BTCUSDT 2") == ["2h"]


def test_names_in_lists_that_are_no_text_are_passed_over(tmp_path: Path) -> None:
    rows = [{"native": 5, "symbol": "A", "status": "trading"}, {"native": "B", "symbol": "B-C", "status": "trading"}]
    path = tmp_path / "list.json"
    path.write_text(json.dumps({"instruments": rows}))
    assert read(path) == [("B", "B-C", "trading")]


def test_what_has_no_position_is_not_offered_for_it() -> None:
    ctx = typer.Context(TyperCommand("oi"), info_name="oi")
    assert [name for name, _ in symbols(ctx, "BTC")] == [
        "BTCUSDT",
        "BTCUSDC",
        "BTCOLD",
        *(f"BTC-{quote}-PERP" for quote in ("USDT", "USDC", "OLD")),
    ]
    everything = typer.Context(TyperCommand("price"), info_name="price")
    assert "BTCEUR" in [name for name, _ in symbols(everything, "BTC")]


@pytest.mark.parametrize("line", ["mkt instruments -m spot resolve BTC", "mkt instruments resolve -m spot BTC"])
def test_what_a_name_means_is_completed_for_the_market_asked(line: str) -> None:
    assert offered(line) == ["BTCEUR", "BTC-EUR"]


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("mkt ohlc -e bi", ["binance"]),
        ("mkt ohlc -e a", ["all"]),
        ("mkt limits -e okx,bi", ["okx,binance"]),
        ("mkt exchanges -e okx,o", []),
        ("mkt exchanges --fields offered,pa", ["offered,path", "offered,page_rows"]),
        ("mkt limits --fields bu", ["budget"]),
        ("mkt schema --fields me", ["meaning"]),
        ("mkt schema ohlc --fields un", ["unit"]),
        ("mkt schema ratio_t", ["ratio_top_accounts", "ratio_top_positions", "ratio_taker"]),
        ("mkt config show --fields or", ["origin"]),
        ("mkt config set exchange bi", ["binance"]),
        ("mkt config set market in", ["inverse"]),
        ("mkt config set format ar", ["arrow"]),
        ("mkt config set time m", ["ms"]),
        ("mkt config set offline ", ["true", "false"]),
        ("mkt config set timeout ", []),
        ("mkt config set nosuch ", []),
        ("mkt instruments --status h", ["halted"]),
        ("mkt help fi", ["filters", "files"]),
        ("mkt help lim", ["limits"]),
        ("mkt ohlc --market ", ["spot", "linear", "inverse"]),
        ("mkt ohlc --format pa", ["parquet"]),
        ("mkt ohlc --price m", ["mark"]),
        ("mkt ohlc --fields cl", ["close", "closed"]),
        ("mkt ohlc --fields close,vol", ["close,volume_base", "close,volume_quote", "close,volume_contracts"]),
        ("mkt ohlc --price mark --fields vol", []),
        ("mkt instruments --fields mult", ["multiplier"]),
        ("mkt config get time", ["time", "timeout"]),
        ("mkt config set exch", ["exchange"]),
    ],
)
def test_options_and_settings_are_completed(line: str, some: list[str]) -> None:
    assert offered(line) == some


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_no_name_reaches_a_shell_that_is_more_than_a_name(shell: str) -> None:
    asked = {
        "_MKT_COMPLETE": f"complete_{shell}", "COMP_WORDS": "mkt ohlc ", "COMP_CWORD": "2",
        "_TYPER_COMPLETE_ARGS": "mkt ohlc ", "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }  # fmt: skip
    printed = run(asked).stdout
    assert "BTCUSDT" in printed
    assert not [name for name in HOSTILE if name in printed]


def test_zsh_may_evaluate_what_it_gets(tmp_path: Path) -> None:
    asked = {"_MKT_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "mkt ohlc BTC"}
    command = f"_arguments() {{ printf '%s\\n' \"$@\"; }}; {run(asked).stdout}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True)
    assert "BTCUSDT" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_few_are_offered_of_many() -> None:
    keep("linear", [(f"A{number:05}", f"B{number:05}") for number in range(3_000)])
    assert len(offered("mkt ohlc A")) == 200
    assert offered("mkt ohlc A0299") == [f"A0299{digit}" for digit in range(10)]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"instruments": [1]}', '{"instruments": [{"native": 1}]}', "[" * 100_000]
)
def test_a_list_that_cannot_be_read_offers_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(text)
    assert read(path) == []


def test_broken_settings_and_missing_lists_offer_nothing() -> None:
    assert offered("mkt ohlc BTC", MKT_TIMEOUT="soon") == []
    assert offered("mkt ohlc BTC", MKT_CACHE_DIR="/nosuch") == []


PROBE = """
import os, sys
leave = os._exit
def report(code):
    sys.stdout.flush()
    sys.stderr.write(" ".join({name.partition(".")[0] for name in sys.modules}))
    sys.stderr.flush()
    leave(code)
os._exit = report
sys.argv = ["mkt"]
from marketcli.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "line",
    [
        "mkt ohlc BTC",
        "mkt ohlc -e all BTC",
        "mkt ohlc -e all BTCUSDT 1",
        "mkt ohlc BTCUSDT 1",
        "mkt ohlc --fields c",
        "mkt limits --fields b",
        "mkt config get t",
        "mkt config set time m",
        "mkt schema o",
        "mkt help f",
    ],
)
def test_tab_loads_no_frames_and_no_network(line: str) -> None:
    asked = {"_MKT_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(shlex.split(line)) - 1)}
    command = [sys.executable, "-c", PROBE]
    done = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout
    assert not set(done.stderr.split()) & {"polars", "httpx", "websockets", "asyncio", "starlette", "uvicorn"}
