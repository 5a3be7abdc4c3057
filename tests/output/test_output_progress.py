from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import threading
from dataclasses import dataclass

import pytest

from marketcli.output import progress
from marketcli.output.progress import Progress


class Screen(io.StringIO):
    """A terminal in memory."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def visible(self) -> str:
        """What a person sees on the line."""
        shown = ""
        for part in self.getvalue().split("\r"):
            shown = part + shown[len(part) :]
        return shown.rstrip()


@dataclass
class Clock:
    """Time that passes when told to."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_short_work_is_not_talked_about() -> None:
    stream, clock = Screen(), Clock()
    with Progress(stream, 1_000, clock=clock) as bar:
        clock.now += 0.49
        bar.advance(500)
    assert stream.getvalue() == ""


def test_long_work_shows_how_far_it_is_and_how_long_it_takes() -> None:
    stream, clock = Screen(), Clock()
    with Progress(stream, 40_000, clock=clock, width=120) as bar:
        bar.advance(5_000)
        clock.now += 1
        bar.advance(5_000)
        line = stream.visible()
    assert line == "████░░░░░░░░░░░░   25%  10,000 rows in 2 pages  10,000 rows/s  00:03 left"


def test_it_vanishes_without_trace() -> None:
    stream, clock = Screen(), Clock()
    with contextlib.suppress(KeyboardInterrupt), Progress(stream, 10, clock=clock) as bar:
        clock.now += 1
        bar.advance(5)
        assert stream.visible()
        raise KeyboardInterrupt
    assert stream.visible() == ""
    assert stream.getvalue().endswith("\r")


def test_a_shorter_line_leaves_nothing_of_a_longer_one() -> None:
    stream, clock = Screen(), Clock()
    with Progress(stream, 10, clock=clock, width=120) as bar:
        clock.now += 1
        bar.advance(1)
        clock.now += 1_000
        bar.width = 30
        bar.advance(1)
        assert len(stream.visible()) <= 29


def test_a_pipe_and_quiet_stay_silent() -> None:
    clock = Clock()
    piped, quiet = io.StringIO(), Screen()
    for stream, silent in ((piped, False), (quiet, True)):
        with Progress(stream, 10, quiet=silent, clock=clock) as bar:
            clock.now += 5
            bar.advance(5)
    assert (piped.getvalue(), quiet.getvalue()) == ("", "")


def test_it_is_redrawn_a_few_times_a_second_however_many_pages_come() -> None:
    stream, clock = Screen(), Clock()
    with Progress(stream, 100_000, clock=clock) as bar:
        for _ in range(1_000):
            clock.now += 0.002
            bar.advance(100)
        assert stream.getvalue().count("\r") <= 16


def test_it_fits_the_terminal_and_survives_any() -> None:
    for width in (1, 10, 40):
        stream, clock = Screen(), Clock()
        with Progress(stream, 0, clock=clock, width=width) as bar:
            clock.now += 1
            bar.advance(10)
            assert len(stream.visible()) < max(width, 1)


def test_more_rows_than_expected_are_not_more_than_all() -> None:
    stream, clock = Screen(), Clock()
    with Progress(stream, 10, clock=clock, width=120) as bar:
        clock.now += 1
        bar.advance(50)
        assert "100%" in stream.visible()
        assert "00:00 left" in stream.visible()


def test_a_stalled_terminal_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "writable", lambda _: False)
    stream, clock = Screen(), Clock()
    with Progress(stream, 10, clock=clock) as bar:
        clock.now += 1
        bar.advance(5)
    assert stream.getvalue() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
def test_a_terminal_stopped_by_ctrl_s_is_seen_as_stalled() -> None:
    import os  # noqa: PLC0415 - pseudo-terminals are POSIX
    import pty  # noqa: PLC0415
    import termios  # noqa: PLC0415

    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as stream:
        assert progress.writable(stream)
        termios.tcflow(slave, termios.TCOOFF)
        assert not progress.writable(stream)
        termios.tcflow(slave, termios.TCOON)
    os.close(master)


def test_no_thread_is_started() -> None:
    before = threading.active_count()
    clock = Clock()
    with Progress(Screen(), 10, clock=clock) as bar:
        clock.now += 1
        bar.advance(5)
        assert threading.active_count() == before


def test_a_line_in_ascii_where_the_terminal_is() -> None:
    stream, clock = Screen(), Clock()
    stream.encoding = "ascii"
    with Progress(stream, 10, clock=clock, width=120) as bar:
        clock.now += 1
        bar.advance(5)
        assert stream.visible().isascii()


def test_nothing_heavy_is_imported_for_talk_and_decisions() -> None:
    program = """
import io, sys
from marketcli.errors import UsageError
from marketcli.output import candles, cells, files, layout, notices, progress, rows, table, text, theme, view
files.format_for("x.csv", None, terminal=False)
notices.error(io.StringIO(), UsageError("No.", hint="Yes."))
with progress.Progress(io.StringIO(), 10) as bar:
    bar.advance(5)
print(sorted({"polars", "rich", "pydantic", "msgspec", "asyncio", "httpx", "typer"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_where_nobody_knows_how_many_will_come_nothing_is_promised() -> None:
    line = Progress(io.StringIO(), 0, width=80)
    line.rows, line.pages = 4_000, 4
    assert line.line(2.0) == "4,000 rows in 4 pages  2,000 rows/s"
