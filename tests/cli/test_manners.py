"""Pipes, terminals, signals, closed streams, full disks: what a good citizen of a shell does."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cli_runner import mkt
from pty_runner import plain, screen, spawn

from marketcli.cli.run import outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli_runner import Run

    from marketcli.sandbox.server import Sandbox

    Ask = Callable[..., Run]


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {"MKT": f"{sys.executable} -m marketcli", **environment}
    return subprocess.run(
        ["bash", "-c", command], env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_reader_that_has_enough_is_no_error(sandbox: Sandbox) -> None:
    done = shell(
        "$MKT -q --via $URL ohlc BTCUSDT 1m --since 2025-01-01 --until 2025-01-08 | head -1; echo ${PIPESTATUS[0]}",
        URL=sandbox.url,
    )
    assert done.stdout.splitlines()[1:] == ["0"]
    assert done.stderr == ""


def test_a_closed_standard_output_is_told(sandbox: Sandbox) -> None:
    done = shell("$MKT --via $URL ohlc BTCUSDT 1h --last 2 >&-; echo code $? >&2", URL=sandbox.url)
    assert "code 9" in done.stderr
    assert "Standard output is closed" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")  # noqa: PTH110
def test_a_full_standard_output_is_told(sandbox: Sandbox) -> None:
    done = shell("$MKT --via $URL ohlc BTCUSDT 1h --last 2 >/dev/full; echo code $? >&2", URL=sandbox.url)
    assert "code 9" in done.stderr
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_data_and_talk_are_kept_apart(sandbox: Sandbox) -> None:
    done = shell("$MKT --via $URL ohlc BTCUSDT 2d --last 2 2>/dev/null | wc -l", URL=sandbox.url)
    assert done.stdout.strip() == "2"
    done = shell("$MKT --via $URL ohlc BTCUSDT 2d --last 2 >/dev/null", URL=sandbox.url)
    assert "built from the 1d ones of Binance" in done.stderr


def test_a_full_disk_leaves_nothing_behind(sandbox: Sandbox, tmp_path: Path) -> None:
    # A limit on file size fails like a full disk does, in the middle of writing.
    words = "ohlc BTCUSDT 1m --since 2025-01-01 --until 2025-01-15"
    target = tmp_path / "out.csv"
    done = shell(f"ulimit -f 64; $MKT --via $URL {words} -o {target}; echo code $? >&2", URL=sandbox.url)
    assert "code 9" in done.stderr
    assert "nothing was changed" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["INT", "TERM", "HUP"]
)
def test_a_signal_ends_it_with_its_code_and_leaves_nothing(
    sandbox: Sandbox, tmp_path: Path, number: int, code: int
) -> None:
    words = ["--via", sandbox.url, "ohlc", "BTCUSDT", "1m", "--since", "2020", "-v", "-o", str(tmp_path / "x.csv")]
    command = [sys.executable, "-m", "marketcli", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "klines" in line:
                break
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert "stopped" in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_signal_in_the_middle_of_an_import_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Struck:
        """What a class is made with while somebody presses Ctrl-C."""

        def __set_name__(self, *_: object) -> None:
            raise KeyboardInterrupt

    async def importing(*_: object, **__: object) -> None:
        type("Column", (), {"cells": Struck()})

    monkeypatch.setattr("marketcli.api.lists.spellings", importing)
    assert outcome(["instruments", "resolve", "btc"]) == 130
    assert capsys.readouterr().err == "mkt: stopped\n"


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_a_table_that_fits(sandbox: Sandbox, columns: int) -> None:
    printed, code = screen("--via", sandbox.url, "ohlc", "BTCUSDT", "1h", "--last", "5", columns=columns)
    lines = plain(printed)
    assert code == 0
    assert lines[0].startswith("BTC-USDT-PERP · binance linear BTCUSDT · 1h")
    assert max(len(line) for line in lines) <= columns
    assert any(re.search("still open, closes in (30:00|29:5[0-9])", line) for line in lines)
    caption = " ".join(lines[-4:])
    assert all(said in caption for said in ("UTC", "fapi.binance.com", "5 closed candles", "1 request"))
    assert any("--wide" in line for line in lines) is (columns == 80)
    assert "\x1b[" in printed


def test_no_color_means_no_colour(sandbox: Sandbox) -> None:
    for words, own in ((["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})):
        printed, _ = screen("--via", sandbox.url, "ohlc", "BTCUSDT", "1h", "--last", "2", *words, environment=own)
        assert "\x1b[3" not in printed


def test_the_terminal_is_left_as_it_was_found(sandbox: Sandbox) -> None:
    process = spawn("--via", sandbox.url, "ohlc", "BTCUSDT", "1m", "--since", "2021", "--until", "2025")
    printed = b""
    while b"rows" not in printed:
        printed += process.read(4_096)
    process.sendintr()
    while True:
        try:
            printed += process.read(4_096)
        except EOFError:
            break
    process.wait()
    assert process.exitstatus == 130
    assert b"\x1b[?25l" not in printed or b"\x1b[?25h" in printed
    assert b"stopped" in printed


HOSTILE = "hostile_names"
CONTROLS = [*(code for code in range(32) if code not in (9, 10, 13, 27)), *range(0x7F, 0xA0)]
FORBIDDEN = [*map(chr, CONTROLS), "\u202e", "\u202d", "\u2066", "\u200b", "\ufeff"]


@pytest.fixture
def hostile() -> object:
    from marketcli.sandbox.server import Sandbox  # noqa: PLC0415

    return Sandbox(faults=[HOSTILE])


def test_hostile_names_reach_the_terminal_harmless(hostile: Sandbox) -> None:
    with hostile:
        printed, code = screen("--via", hostile.url, "instruments", "--wide", columns=200)
        asked, _ = screen("--via", hostile.url, "ohlc", "\x1b[31mX\u202e", "1h")
    assert code == 0
    for text in (printed, asked):
        left = "".join(plain(text))
        assert "\x1b" not in left
        assert not [character for character in FORBIDDEN if character in left]
    assert "\\x1b" in printed


def test_hostile_names_reach_no_spreadsheet_as_formulas(hostile: Sandbox, tmp_path: Path) -> None:
    target = tmp_path / "instruments.csv"
    with hostile:
        done = mkt("--via", hostile.url, "instruments", "-o", str(target))
        raw = mkt("--via", hostile.url, "instruments", "-f", "ndjson", "--fields", "native")
    assert done.returncode == 0
    cells = [cell for line in target.read_text().split("\n") for cell in line.split(",")]
    assert not [cell for cell in cells if cell.strip('"').startswith(("=", "+", "@"))]
    assert "'" in done.stderr
    assert any("=cmd" in row["native"] for row in raw.rows())  # a pipe gets the data as it is


def test_hostile_names_make_no_paths(hostile: Sandbox, tmp_path: Path) -> None:
    with hostile:
        done = mkt("--via", hostile.url, "ohlc", "../../etc/x", "1h", "--last", "1", cwd=str(tmp_path))
    assert done.returncode in {0, 2, 4}
    assert list(tmp_path.iterdir()) == []


def test_help_comes_with_topics() -> None:
    for words, said in {
        "--help": "ohlc",
        "ohlc --help": "--since",
        "help exit-codes": "some are missing",
        "help dates": "2024Q3",
        "help": "exit-codes",
    }.items():
        done = mkt(*words.split())
        assert done.returncode == 0
        assert said in done.stdout


def test_the_version_is_told_at_once() -> None:
    assert mkt("--version").stdout.startswith("mkt 0.")


def test_a_mistyped_command_gets_the_right_one() -> None:
    done = mkt("ohcl")
    assert (done.returncode, "Did you mean 'ohlc'?" in done.stderr) == (2, True)


def test_a_proxy_password_is_in_no_output(tmp_path: Path) -> None:
    secret, log = "canary-7731", tmp_path / "log"
    done = mkt("ohlc", "BTCUSDT", "1h", "--proxy", f"http://me:{secret}@127.0.0.1:9", "-vv", "--log-file", str(log))
    assert done.returncode == 5
    assert secret not in done.stdout + done.stderr + log.read_text()


def test_without_a_network_host_cause_and_remedy_are_told() -> None:
    done = mkt("ohlc", "BTCUSDT", "1h", environment={"HTTPS_PROXY": "http://127.0.0.1:9"})
    assert done.returncode == 5
    assert "fapi.binance.com" in done.stderr
    assert "--sandbox" in done.stderr


def test_an_unknown_variable_is_named(ask: Ask) -> None:
    done = ask("ohlc", "BTCUSDT", "1h", "--last", "1", MKT_EXCHAGNE="x")
    assert done.returncode == 0
    assert "MKT_EXCHANGE?" in done.stderr


def test_options_stand_before_or_after_and_the_later_wins(sandbox: Sandbox) -> None:
    assert mkt("ohlc", "BTCUSDT", "1h", "--last", "1", "--via", sandbox.url).returncode == 0
    assert (
        mkt("--via", "http://127.0.0.1:9", "ohlc", "BTCUSDT", "1h", "--last", "1", "--via", sandbox.url).returncode == 0
    )
    assert mkt("--json-errors", "ohlc", "BTCUSDT").stderr.startswith('{"error"')


def test_the_embedded_sandbox_needs_nothing_and_says_what_it_is() -> None:
    done = mkt("--sandbox", "ohlc", "BTCUSDT", "1h", "--last", "2")
    assert done.returncode == 0
    assert {row["source"] for row in done.rows()} == {"sandbox"}
    assert "simulated" in done.stderr
