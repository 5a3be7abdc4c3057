"""T1, T2, T6 and T7 of `mkt watch` itself: signals at any moment (G12), hostile names (G11), terminals that stall."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest
from faults.streams import SIGNALS, Process, eventually, processes, rest

from marketcli.sandbox.options import COMMON
from marketcli.sandbox.server import Sandbox
from marketcli.sandbox.stream_faults import StreamFault, StreamKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from marketcli.sandbox.parcels import Parcel

ENTER, LEAVE = b"\x1b[?1049h\x1b[?25l", b"\x1b[?25h\x1b[?1049l"
OURS = re.compile(rb"\x1b\[(?:[0-9;]*[mHJK]|\?25[lh]|\?1049[lh])")
OTHERS = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]"
)
WITHIN = 2.0  # seconds, G12
LIFE = 2.5  # seconds of a watch in which signals come; it takes one to begin
KINDS = ["pipe", "panel"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(limits=False) as to:
        yield to


class Terminal:
    """`mkt watch` on a terminal of its own, all that it printed, and the modes the terminal had before."""

    def __init__(self, url: str, *words: str) -> None:
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(theirs)
        self.theirs = theirs  # kept open, so that its modes can be looked at when the process has ended
        command = [sys.executable, "-m", "marketcli", "--via", url, "watch", *words]
        self.process = subprocess.Popen(  # keys are read only where the terminal is the process's own
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - a call of the system, no more
        )
        self.printed = b""

    def read(self, seconds: float) -> None:
        """Read what is there, and wait for more for so long at most."""
        end = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([self.ours], [], [], max(0.0, min(0.05, end - time.monotonic())))
            if ready:
                self.printed += os.read(self.ours, 65_536)
            elif time.monotonic() >= end or self.process.poll() is not None:
                return

    def until(self, text: bytes, seconds: float = 20.0) -> None:
        """Read until a text has come."""
        end = time.monotonic() + seconds
        while text not in self.printed:
            assert time.monotonic() < end, self.printed[-1_000:]
            self.read(0.05)

    def end(self, seconds: float = 10.0) -> int:
        """Read to the end; the exit code."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, self.printed[-1_000:]
            self.read(0.05)
        self.read(0.0)
        return self.process.returncode

    def assert_given_back(self) -> None:
        """Screen, cursor and modes are as they were."""
        inside, _, after = self.printed.rpartition(LEAVE)
        assert self.printed.count(ENTER) == self.printed.count(LEAVE)
        assert not inside or not re.search(rb"\x1b\[[0-9;]*H|\x1b\[\?", after)
        assert termios.tcgetattr(self.ours)[3] == self.before[3]

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for one in opened:
        one.close()


def struck(number: int, code: int, *, moment: float, to: Sandbox, folder: Path, panel: bool) -> float:
    """Send a signal at a moment of a watch's life; the seconds until it had ended as it should."""
    if panel:
        shown = Terminal(to.url, "trades", "BTC")
        try:
            shown.read(moment)
            assert shown.process.poll() is None
            os.kill(shown.process.pid, number)
            began = time.monotonic()
            left = shown.end()
            took = time.monotonic() - began
            shown.assert_given_back()
        finally:
            shown.close()
        text = shown.printed
    else:
        folder.mkdir()
        with processes() as started:
            started.append(Process(to.url, "trades", "BTC", folder=folder))
            rest(moment)
            os.kill(started[0].process.pid, number)
            began = time.monotonic()
            done = started[0].done(10)
            took = time.monotonic() - began
        left, text = done.code, done.err.encode()  # its lines were read as JSON, and the last one is whole
    assert left in {code, -number}, text[-500:]
    assert left == code or moment < LIFE / 2  # before there is a program there is nobody to say so
    assert b"Traceback" not in text
    return took


@pytest.mark.parametrize(
    ("number", "code", "kind"), [(*SIGNALS[0], "pipe"), (*SIGNALS[1], "panel"), (*SIGNALS[2], "pipe")]
)
def test_t6_signals_at_any_moment(sandbox: Sandbox, tmp_path: Path, number: int, code: int, kind: str) -> None:
    """T6, G12: terminal restored, whole lines, in two seconds, right code; all connections closed."""
    chance = random.Random(f"{number}{kind}")
    moment = chance.uniform(LIFE / 2, LIFE)
    folder = tmp_path / "run"
    assert struck(number, code, moment=moment, to=sandbox, folder=folder, panel=kind == "panel") <= WITHIN
    eventually(lambda: not sandbox.floor.streams.lines)


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("number", "code"), SIGNALS, ids=["INT", "TERM", "HUP"])
def test_t6_signals_at_a_hundred_moments(sandbox: Sandbox, tmp_path: Path, number: int, code: int, kind: str) -> None:
    """G12 in full."""
    chance = random.Random(f"{number}{kind}soak")
    took = [
        struck(
            number,
            code,
            moment=chance.uniform(0.3, LIFE),
            to=sandbox,
            folder=tmp_path / str(run),
            panel=kind == "panel",
        )
        for run in range(100)
    ]
    print(f"\nG12 {signal.Signals(number).name} {kind}: slowest {max(took):.2f} s of {len(took)}")
    assert max(took) <= WITHIN


def test_t6_a_signal_while_the_exchange_is_away(tmp_path: Path) -> None:
    """T6: nothing is waited for, wherever it is."""
    with Sandbox(limits=False, faults=["ws_refuse:status=503"]) as to:
        took = struck(signal.SIGTERM, 143, moment=LIFE / 2, to=to, folder=tmp_path / "away", panel=False)
    assert took <= WITHIN
    with Sandbox(limits=False, faults=["ws_no_pong"]) as to:
        took = struck(signal.SIGINT, 130, moment=LIFE / 2, to=to, folder=tmp_path / "hole", panel=False)
    assert took <= WITHIN


def hostile(_: StreamFault, parcel: Parcel) -> None:
    """The first of the instruments in a frame has the name of a hostile one."""
    name = "HOSTILE0BASEASSET"
    parcel.acts = [act._replace(data=str(act.data).replace('"BTCUSDT"', f'"{name}"')) for act in parcel.acts]


@pytest.mark.parametrize("form", ["table", "ndjson"])
def test_t1_t2_hostile_names(terminals: list[Terminal], form: str) -> None:
    """T1, T2, G11: what an exchange calls its instruments does nothing to a terminal."""
    with Sandbox(limits=False, faults=["hostile_names"]) as to:
        given = {key: option.default for key, option in COMMON.items()}
        kind = StreamKind("", "frames", COMMON, change=hostile)
        to.floor.stream_faults = [StreamFault("hostile", kind, given)]
        terminals.append(Terminal(to.url, "ticker", "--for", "3s", "-f", form))
        shown = terminals[-1]
        assert shown.end(30) == 0
    assert shown.printed.count(b"\x1b]") == 0
    left = OURS.sub(b"", shown.printed)
    assert not OTHERS.search(left), OTHERS.search(left)
    assert b"-USDT-PERP" in left
    shown.assert_given_back()


def test_t7_a_stalled_terminal_stops_no_data(sandbox: Sandbox, terminals: list[Terminal], tmp_path: Path) -> None:
    """T7: nobody reads the panel for seconds; the exchange is read all the while, and a signal is obeyed."""
    del tmp_path
    terminals.append(Terminal(sandbox.url, "trades", "BTC", "ETH"))
    shown = terminals[-1]
    shown.until(b"q quit")
    shown.until(b"-USDT-PERP")
    rest(2.5)
    assert sandbox.floor.streams.account("binance").overrun == 0
    assert len(sandbox.floor.streams.lines) == 1
    os.kill(shown.process.pid, signal.SIGTERM)
    began = time.monotonic()
    assert shown.end() == 143
    assert time.monotonic() - began <= WITHIN
    shown.assert_given_back()


def test_t6_q_ends_it(sandbox: Sandbox, terminals: list[Terminal]) -> None:
    terminals.append(Terminal(sandbox.url, "trades", "BTC"))
    shown = terminals[-1]
    shown.until(b"q quit")
    os.write(shown.ours, b"q")
    assert shown.end() == 0
    shown.assert_given_back()


def test_t8_a_terminal_of_no_size(sandbox: Sandbox, terminals: list[Terminal]) -> None:
    """T8: sizes change under the panel, to nothing and back."""
    terminals.append(Terminal(sandbox.url, "trades", "BTC"))
    shown = terminals[-1]
    shown.until(b"q quit")
    for rows, columns in ((0, 0), (1, 1), (200, 400), (5, 20), (24, 80)):
        fcntl.ioctl(shown.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(shown.process.pid, signal.SIGWINCH)
        shown.read(0.4)
    os.kill(shown.process.pid, signal.SIGINT)
    assert shown.end() == 130
    assert b"bug in mkt" not in shown.printed
    shown.assert_given_back()
