"""Filters, file templates, warnings and notes: the same in every command that prints a list."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from cli_runner import mkt
from pty_runner import plain, screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli_runner import Run

    from marketcli.sandbox.server import Sandbox

    Ask = Callable[..., Run]

FILTERS = [
    (
        "instruments",
        "market = 'inverse' and expiry is not null",
        lambda row: row["market"] == "inverse" and row["expiry"],
    ),
    ("instruments resolve btc", "quote = 'USDC'", lambda row: row["quote"] == "USDC"),
    (
        "exchanges",
        "exchange = 'binance' and not offered",
        lambda row: row["exchange"] == "binance" and not row["offered"],
    ),
    ("schema", "columns > 12", lambda row: row["columns"] > 12),
    ("schema ohlc", "unit = 'UTC' or optional", lambda row: row["unit"] == "UTC" or row["optional"]),
    ("limits", "free < limit / 2 or seconds < 60", lambda row: row["free"] < row["limit"] / 2 or row["seconds"] < 60),
    ("config show", "value is null", lambda row: row["value"] is None),
]


@pytest.mark.parametrize(("words", "where", "wanted"), FILTERS, ids=[words for words, _, _ in FILTERS])
def test_every_list_is_filtered_by_its_own_columns(
    ask: Ask, words: str, where: str, wanted: Callable[[dict[str, object]], object]
) -> None:
    every = ask(*words.split()).rows()
    done = ask(*words.split(), "--where", where)
    expected = [row for row in every if wanted(row)]
    assert 0 < len(expected) < len(every)
    assert (done.returncode, done.rows()) == (0, expected)
    assert f"{len(expected)} of {len(every)} rows match --where" in done.stderr
    assert ask(*words.split(), "--where", where, "-q").stderr == ""


@pytest.mark.parametrize("words", [words for words, _, _ in FILTERS])
def test_wrong_filters_and_columns_are_told_before_anything_is_asked(ask: Ask, sandbox: Sandbox, words: str) -> None:
    before = sandbox.stats()["requests"]
    for option in ("--where", "--fields"):
        done = ask(*words.split(), option, "nosuch")
        assert (done.returncode, done.stdout) == (2, "")
        assert "There is no field 'nosuch'" in done.stderr
    assert sandbox.stats()["requests"] == before


@pytest.mark.parametrize(("words", "where", "_"), FILTERS, ids=[words for words, _, _ in FILTERS])
def test_a_terminal_says_how_many_rows_pass(sandbox: Sandbox, words: str, where: str, _: object) -> None:
    printed, code = screen("--via", sandbox.url, *words.split(), "--where", where, columns=80)
    lines = plain(printed)
    assert code == 0
    assert " rows match --where" in " ".join(printed.split())
    assert max(map(len, lines)) <= 80
    none, code = screen("--via", sandbox.url, *words.split(), "--where", "1 = 2", columns=80)
    assert (code, "no rows" in none, "0 of " in none) == (0, True, True)


def test_templates_make_a_file_for_each_value(ask: Ask, tmp_path: Path) -> None:
    done = ask("instruments", "-o", f"{tmp_path}/{{exchange}}/{{market}}.csv")
    assert (done.returncode, "3 files under" in done.stderr) == (0, True)
    assert {path.name for path in tmp_path.glob("binance/*")} == {"spot.csv", "linear.csv", "inverse.csv"}
    inverse = ask("instruments", "-m", "inverse", "--fields", "native").rows()
    assert pl.read_csv(tmp_path / "binance" / "inverse.csv")["native"].to_list() == [row["native"] for row in inverse]
    assert mkt("exchanges", "-o", f"{tmp_path}/{{exchange}}.parquet").returncode == 0
    assert set(pl.read_parquet(tmp_path / "binance.parquet")["exchange"]) == {"binance"}
    assert mkt("limits", "-e", "binance", "-o", f"{tmp_path}/limits-{{exchange}}.csv").returncode == 0
    assert (tmp_path / "limits-binance.csv").exists()
    for words in (["schema"], ["config", "show"]):
        refused = mkt(*words, "-o", f"{tmp_path}/{{symbol}}.csv")
        assert (refused.returncode, "no field {symbol}" in refused.stderr) == (2, True)


def test_a_file_that_is_known_to_exist_is_told_before_anything_is_asked(
    ask: Ask, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "binance-inverse.csv").write_text("mine")
    before = sandbox.stats()["requests"]
    done = ask("instruments", "-m", "cm", "-o", f"{tmp_path}/{{exchange}}-{{market}}.csv")
    assert (done.returncode, "exists already" in done.stderr) == (2, True)
    assert sandbox.stats()["requests"] == before


@pytest.mark.parametrize("words", ["exchanges", "schema", "limits", "config show"])
def test_what_is_wrong_with_the_environment_is_told(words: str) -> None:
    done = mkt(*words.split(), "-f", "csv", environment={"MKT_EXCHNGE": "binance"})
    assert (done.returncode, "Did you mean MKT_EXCHANGE?" in done.stderr) == (0, True)


@pytest.mark.parametrize("words", ["exchanges", "schema", "schema ohlc", "limits", "config show"])
def test_lists_of_this_machine_need_no_home(words: str, tmp_path: Path) -> None:
    place = tmp_path / "nothing" / "here"
    nowhere = {f"MKT_{kind}_DIR": str(place) for kind in ("CONFIG", "DATA", "CACHE", "STATE")}
    assert mkt(*words.split(), environment=nowhere).returncode == 0
    assert not place.parent.exists()


@pytest.mark.parametrize("words", ["exchanges", "schema", "limits", "config show"])
def test_a_broken_settings_file_is_one_sentence(words: str) -> None:
    file = Path(os.environ["MKT_CONFIG_DIR"]) / "config.toml"
    file.parent.mkdir()
    for text in (b"timeout = = 1", b"\xff\xfe", b"nosuch = 1", b"timeout = 'soon'"):
        file.write_bytes(text)
        done = mkt(*words.split())
        assert (done.returncode, done.stdout) == (2, "")
        assert str(file) in done.stderr
        assert "Traceback" not in done.stderr
