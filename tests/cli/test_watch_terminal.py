"""`mkt watch` on a terminal: drawn, paused, sorted, and given back as it was found whatever happens."""

from __future__ import annotations

import os
import re
import signal
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ptyprocess import PtyProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STAND_IN = Path(__file__).parents[1] / "stand_in.py"
ENTER, LEAVE = b"\x1b[?1049h\x1b[?25l", b"\x1b[?25h\x1b[?1049l"
OURS = re.compile(rb"\x1b\[(?:[0-9;]*[mHJK]|\?25[lh]|\?1049[lh])")
OTHERS = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]"
)


class Terminal:
    """A process on a terminal of its own, and everything it has printed."""

    def __init__(self, scene: str, *words: str, size: tuple[int, int] = (24, 80), **environment: str) -> None:
        command = [sys.executable, str(STAND_IN), scene, "watch", *words]
        self.process = PtyProcess.spawn(command, dimensions=size, env=os.environ | environment)
        self.modes = termios.tcgetattr(self.process.fd)
        self.printed = b""

    def until(self, *texts: bytes, after: int = 0) -> bytes:
        """Read until all texts have come behind a place; what came since then."""
        while not all(text in self.printed[after:] for text in texts):
            try:
                self.printed += self.process.read(65_536)
            except EOFError:
                raise AssertionError(self.printed[-2_000:]) from None
        return self.printed[after:]

    def end(self) -> int:
        """Read to the end; the exit code."""
        while True:
            try:
                self.printed += self.process.read(65_536)
            except EOFError:
                break
        self.process.wait()
        return int(-self.process.signalstatus if self.process.exitstatus is None else self.process.exitstatus)

    def is_given_back(self) -> bool:
        """Whether screen and cursor are, and nothing was drawn since."""
        inside, _, after = self.printed.rpartition(LEAVE)
        return inside.count(ENTER) - inside.count(LEAVE) == 1 and not re.search(rb"\x1b\[[0-9;]*H|\x1b\[\?", after)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def run(scene: str, *words: str, size: tuple[int, int] = (24, 80), **environment: str) -> Terminal:
        opened.append(Terminal(scene, *words, size=size, **environment))
        return opened[-1]

    yield run
    for one in opened:
        one.process.close(force=True)


def test_q_ends_it_with_a_summary(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("some", "trades", "BTC")
    shown.until(ENTER, b"q quit", b"buys", b"SOL-USDT-PERP")
    shown.process.write(b"q")
    assert shown.end() == 0
    assert shown.is_given_back()
    said = shown.printed.rpartition(LEAVE)[2].decode()
    assert "5 records in 0:0" in said
    assert "buys " in said


def test_the_modes_of_the_terminal_are_those_it_had(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("some", "trades", "BTC")
    before = termios.tcgetattr(shown.process.fd)
    shown.until(b"q quit", b"SOL-USDT-PERP")
    during = termios.tcgetattr(shown.process.fd)
    assert during[3] & (termios.ICANON | termios.ECHO) == 0
    assert during[3] & termios.ISIG
    shown.process.write(b"q")
    shown.until(b"5 records")
    assert termios.tcgetattr(shown.process.fd)[3] & (termios.ICANON | termios.ECHO) == before[3] & (
        termios.ICANON | termios.ECHO
    )
    assert shown.end() == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["INT", "TERM", "HUP"]
)
def test_signals_give_the_terminal_back(terminal: Callable[..., Terminal], number: int, code: int) -> None:
    shown = terminal("flood", "trades", "BTC")
    shown.until(b"msg/s", b"q quit")
    os.kill(shown.process.pid, number)
    before = time.monotonic()
    assert shown.end() == code
    assert time.monotonic() - before < 2
    assert shown.is_given_back()
    assert b" records in " in shown.printed.rpartition(LEAVE)[2]


def test_ctrl_c_is_a_signal_too(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("flood", "trades", "BTC")
    shown.until(b"msg/s", b"q quit")
    shown.process.sendintr()
    assert shown.end() == 130
    assert shown.is_given_back()


def test_a_second_signal_gives_the_terminal_back_too(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("flood", "trades", "BTC")
    shown.until(b"msg/s", b"q quit")
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):  # both at one moment
        os.kill(shown.process.pid, number)
    assert shown.end() in {130, 143}
    assert shown.is_given_back()
    assert b" records in " not in shown.printed  # nothing was ended in order


def test_a_bug_gives_the_terminal_back_and_is_told(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("bug", "trades", "BTC")
    assert shown.end() == 1
    assert shown.is_given_back()
    assert b"bug in mkt: ZeroDivisionError" in shown.printed.rpartition(LEAVE)[2]


def test_a_drawing_that_fails_is_no_blank_screen(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("undrawable", "trades", "BTC")
    assert shown.end() == 1
    assert shown.is_given_back()
    assert b"bug in mkt: " in shown.printed.rpartition(LEAVE)[2]


def test_an_exchange_that_is_gone_gives_the_terminal_back(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("down", "trades", "BTC")
    assert shown.end() == 5
    assert shown.is_given_back()
    assert b"was away for longer" in shown.printed.rpartition(LEAVE)[2]


def test_a_pause_and_going_on(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("trades", "trades", "BTC")
    shown.until(b"p pause")
    shown.process.write(b"p")
    paused = len(shown.until(b"p go on"))
    counts = {int(text) for text in re.findall(rb"PAUSED, ([0-9]+) trades? since", shown.until(b"PAUSED, 2"))}
    assert len(counts) > 1
    held = shown.printed[paused:]
    assert b"-USDT-PERP" not in held
    shown.process.write(b"p")
    shown.until(b"p pause", b"-USDT-PERP", after=len(shown.printed))
    shown.process.write(b"q")
    assert shown.end() == 0


def test_s_sorts_by_the_next_column(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("ticker", "ticker")
    shown.until(b"s sort: volume")
    shown.process.write(b"s")
    shown.until(b"s sort: 24 h")
    shown.process.write(b"q")
    assert shown.end() == 0


def test_it_is_drawn_at_most_four_times_a_second(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("storm", "trades", "BTC", "--for", "3s")
    shown.end()
    drawn = shown.printed.count(b"per second")
    assert 2 <= drawn <= 13


def test_only_what_changes_is_sent(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("some", "trades", "BTC", "--for", "2s")
    shown.end()
    assert shown.printed.count(b"q quit") == 1


def test_a_new_size_is_filled_at_once(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("trades", "trades", "BTC")
    shown.until(b"\x1b[24;1H")
    shown.process.setwinsize(40, 130)
    shown.until(b"\x1b[40;1H")
    shown.process.setwinsize(9, 50)
    shown.until(b"The terminal is 50 x 9")
    shown.process.setwinsize(24, 80)
    shown.until(b"\x1b[2J", b"\x1b[24;1H", after=len(shown.printed))
    shown.process.write(b"q")
    assert shown.end() == 0


def test_names_reach_the_terminal_harmless(terminal: Callable[..., Terminal]) -> None:
    for words in ((), ("-f", "ndjson"), ("-f", "csv")):
        shown = terminal("hostile", "trades", "BTC", "--for", "1s", *words)
        shown.end()
        left = OURS.sub(b"", shown.printed)
        assert b"gone" in left
        assert not OTHERS.search(left), OTHERS.search(left)


def test_no_colour_is_no_colour(terminal: Callable[..., Terminal]) -> None:
    for words, own in ((["--no-color"], {}), ([], {"NO_COLOR": "1"})):
        shown = terminal("some", "trades", "BTC", "--for", "1s", *words, **own)
        shown.end()
        assert not re.search(rb"\x1b\[[1-9][0-9;]*m", shown.printed)
        assert shown.is_given_back()


def test_a_dumb_terminal_gets_lines(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("few", "trades", "BTC", TERM="dumb")
    assert shown.end() == 0
    assert b"\x1b" not in shown.printed
    assert shown.printed.count(b'{"exchange":"binance"') == 5


def test_a_stalled_terminal_stops_no_data(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    log = tmp_path / "count"
    shown = terminal("flood to a log", "trades", "BTC", MKT_STAND_IN_LOG=str(log))
    shown.until(b"msg/s", b"q quit")
    shown.process.write(b"\x13")  # Ctrl-S, and nobody reads either

    def given() -> int:
        return len(log.read_text()) if log.exists() else 0

    first, deadline = given(), time.monotonic() + 20
    while given() < first + 15_000:
        assert time.monotonic() < deadline
    os.kill(shown.process.pid, signal.SIGTERM)
    assert shown.end() == 143
    assert shown.is_given_back()


def test_a_terminal_that_nobody_reads_does_not_keep_it(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    log = tmp_path / "count"
    shown = terminal("flood to a log", "trades", "BTC", size=(60, 200), MKT_STAND_IN_LOG=str(log))
    shown.until(b"msg/s", b"q quit")
    deadline = time.monotonic() + 20
    while not log.exists() or len(log.read_text()) < 15_000:
        assert time.monotonic() < deadline
    os.kill(shown.process.pid, signal.SIGTERM)
    before = time.monotonic()
    while shown.process.isalive():
        assert time.monotonic() - before < 2.5
    assert shown.process.exitstatus == 143


def test_ctrl_z_gives_the_terminal_back_for_a_while(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("trades", "trades", "BTC")
    shown.until(b"msg/s", b"q quit")
    os.kill(shown.process.pid, signal.SIGTSTP)
    shown.until(LEAVE)
    # Nobody could continue a process that leads its session, so the system does not stop this one.
    shown.until(ENTER, b"q quit", after=shown.printed.index(LEAVE))
    shown.process.write(b"q")
    assert shown.end() == 0
    assert shown.printed.count(ENTER) == shown.printed.count(LEAVE) == 2


def test_what_is_said_meanwhile_comes_after_the_panel(terminal: Callable[..., Terminal]) -> None:
    shown = terminal("hostile", "trades", "BTC", "-v", "--for", "1s")
    shown.end()
    inside, _, after = shown.printed.rpartition(LEAVE)
    assert b"warning:" not in inside.partition(ENTER)[2]
    assert b"warning:" in after
