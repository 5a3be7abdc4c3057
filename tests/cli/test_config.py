"""`mkt config`: what is set and where, setting it, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_runner import Run
from pty_runner import plain, screen

from marketcli.cli.run import outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    Mkt = Callable[..., Run]


@pytest.fixture
def mkt(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Mkt:
    """`mkt` in this process."""

    def run(*words: str, **environment: str) -> Run:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            code = outcome(list(words))
        sys.stdout.flush()
        printed = capfdbinary.readouterr()
        return Run(code, printed.out.decode(), printed.err.decode())

    return run


def file() -> Path:
    """The user's settings file of this test."""
    return Path(os.environ["MKT_CONFIG_DIR"]) / "config.toml"


def write(text: str) -> None:
    file().parent.mkdir(exist_ok=True)
    file().write_text(text)


def test_settings_are_shown_with_where_they_come_from(mkt: Mkt) -> None:
    write("timeout = 10\n")
    done = mkt("--offline", "config", "show", "--origin", MKT_MARKET="um")
    rows = {row["key"]: (row["value"], row["origin"]) for row in done.rows()}
    assert done.returncode == 0
    assert rows["timeout"] == ("10", str(file()))
    assert rows["market"] == ("linear", "MKT_MARKET")
    assert rows["offline"] == ("true", "flag")
    assert rows["quotes"] == ("USDT,USDC,USD", "default")
    assert rows["proxy"] == (None, "default")


def test_settings_are_rows_like_all_others(mkt: Mkt) -> None:
    done = mkt("config", "show", "--where", "key like 'time%'", "-f", "csv")
    assert done.stdout == "key,value\ntime,iso\ntimeout,60\n"
    assert list(json.loads(mkt("config", "show", "--json").stdout)[0]) == ["key", "value"]
    assert mkt("config", "show", "--fields", "origin").returncode == 2


@pytest.mark.parametrize("columns", [80, 120])
def test_settings_fit_the_terminal(columns: int) -> None:
    printed, code = screen("config", "show", "--origin", columns=columns)
    assert code == 0
    assert max(len(line) for line in plain(printed)) <= columns


def test_one_setting_is_printed_alone(mkt: Mkt) -> None:
    done = mkt("config", "get", "quotes")
    assert (done.returncode, done.stdout, done.stderr) == (0, "USDT,USDC,USD\n", "")
    assert mkt("config", "get", "market").stdout == "\n"
    assert mkt("config", "get", "timeout", MKT_TIMEOUT="7").stdout == "7\n"


def test_a_setting_is_set_and_counts_from_then_on(mkt: Mkt) -> None:
    assert mkt("config", "set", "format", "csv").returncode == 0
    assert mkt("config", "set", "quotes", "USDC,USD").returncode == 0
    assert file().read_text() == 'format = "csv"\nquotes = ["USDC", "USD"]\n'
    assert (file().stat().st_mode & 0o777, file().parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert mkt("schema").stdout.startswith("dataset,")
    assert mkt("config", "get", "quotes").stdout == "USDC,USD\n"


def test_setting_tells_what_it_did_and_what_wins_over_it(mkt: Mkt) -> None:
    done = mkt("config", "set", "timeout", "5", MKT_TIMEOUT="7")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"timeout is 5 in {file()}" in done.stderr
    assert "MKT_TIMEOUT is set and wins" in done.stderr
    assert mkt("config", "set", "timeout", "6", "-q").stderr == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("set tmeout 5", "Did you mean timeout?"),
        ("set timeout soon", "The setting timeout is 'soon'"),
        ("set exchange bybt", "binance"),
        ("set format xml", "parquet"),
        ("set market futures", "spot, linear"),
        ("set timeout", "VALUE"),
        ("get tmeout", "Did you mean timeout?"),
        ("set fallback okx,nosuch", "There is no exchange 'nosuch'"),
        ("shw", "show"),
    ],
)
def test_what_cannot_be_set_is_one_sentence_and_changes_nothing(mkt: Mkt, words: str, said: str) -> None:
    write("# mine\n")
    done = mkt("config", *words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert file().read_text() == "# mine\n"


def test_a_file_with_one_bad_value_is_mended_by_setting_it(mkt: Mkt) -> None:
    write("timeout = -1\n")
    assert mkt("config", "show").returncode == 2
    assert mkt("config", "set", "timeout", "30").returncode == 0
    assert mkt("config", "get", "timeout").stdout == "30\n"


def test_a_file_that_is_no_toml_is_left_as_it_is(mkt: Mkt) -> None:
    write("timeout = = 1\n")
    done = mkt("config", "set", "timeout", "30")
    assert (done.returncode, "not valid TOML" in done.stderr) == (2, True)
    assert file().read_text() == "timeout = = 1\n"
    assert mkt("config", "path").stdout == f"{file()}\n"


def test_init_writes_every_key_once_and_never_over_a_file(mkt: Mkt) -> None:
    done = mkt("config", "init")
    assert (done.returncode, done.stdout) == (0, f"{file()}\n")
    assert file().stat().st_mode & 0o777 == 0o600
    assert {row["origin"] for row in mkt("config", "show", "--origin").rows()} == {"default"}
    file().write_text("timeout = 5\n")
    again = mkt("config", "init")
    assert (again.returncode, "--force begins anew" in again.stderr) == (2, True)
    assert file().read_text() == "timeout = 5\n"
    assert mkt("config", "init", "--force").returncode == 0
    assert "# timeout = 60\n" in file().read_text()


def test_a_password_in_an_address_is_not_shown(mkt: Mkt) -> None:
    canary = "canary-7731"
    done = mkt("config", "set", "proxy", f"http://me:{canary}@127.0.0.1:9")
    shown = mkt("config", "show")
    assert (done.returncode, shown.returncode) == (0, 0)
    assert canary not in done.stdout + done.stderr + shown.stdout + shown.stderr


@pytest.mark.parametrize("words", ["set timeout 5", "init"])
def test_a_directory_that_cannot_be_made_is_told_with_what_to_set(mkt: Mkt, tmp_path: Path, words: str) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "mkt" if words == "init" else Path("/proc/mkt")
    done = mkt("config", *words.split(), MKT_CONFIG_DIR=str(place))
    assert (done.returncode, done.stdout) == (9, "")
    assert f"{place} cannot be created" in done.stderr
    assert "Set MKT_CONFIG_DIR" in done.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unwritable for root")
def test_a_directory_that_cannot_be_written_is_told(mkt: Mkt, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = mkt("config", "set", "timeout", "5", MKT_CONFIG_DIR=str(tmp_path))
    assert (done.returncode, "Set MKT_CONFIG_DIR" in done.stderr) == (9, True)
    assert mkt("config", "set", "timeout", "5", MKT_CONFIG_DIR=str(tmp_path / "mkt")).returncode == 9


def test_a_link_to_the_file_stays_one(mkt: Mkt, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("# mine\n")
    file().parent.mkdir()
    file().symlink_to(real)
    assert mkt("config", "set", "timeout", "5").returncode == 0
    assert (file().is_symlink(), real.read_text()) == (True, "# mine\ntimeout = 5\n")


def test_the_word_alone_prints_its_help() -> None:
    done = subprocess.run([sys.executable, "-m", "marketcli", "config"], capture_output=True, text=True, check=True)
    assert all(word in done.stdout for word in ("show", "get", "set", "path", "init", "mkt config show --origin"))
    assert done.stderr == ""


@pytest.mark.parametrize("words", ["show", "get timeout", "set timeout 5", "path", "init"])
def test_what_is_accepted_everywhere_is_accepted_here(mkt: Mkt, words: str) -> None:
    assert mkt("config", *words.split(), "-q", "--no-color", "--json-errors", "--offline").returncode == 0


def test_several_exchanges_may_be_the_usual_ones(mkt: Mkt) -> None:
    assert mkt("config", "set", "exchange", "okx,binance").returncode == 0
    assert mkt("config", "get", "exchange").stdout == "okx,binance\n"


def test_the_settings_say_where_their_file_is() -> None:
    missing = " ".join(plain(screen("config", "show", columns=200)[0]))
    assert f"There is no {file()}; mkt config init writes one." in missing
    write("")
    assert f"The file is {file()}." in " ".join(plain(screen("config", "show", columns=200)[0]))
