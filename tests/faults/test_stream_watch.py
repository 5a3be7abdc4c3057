"""W4 to W6, W11, T4, T5 and T8 of `mkt watch` itself: exit codes, readers that are slow or gone, full disks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from faults.streams import Process, eventually, processes, rest
from faults.test_stream_losses import contradicting

from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.streams import Done

BENCH = str(Path(__file__).parents[1] / "bench" / "stream_server.py")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Exchanges in whose streams nothing breaks unless a test says so, and then not at the others."""
    with Sandbox(limits=False) as to:
        yield to


@pytest.fixture
def watch(sandbox: Sandbox, tmp_path: Path) -> Iterator[Any]:
    """Run `mkt watch WORDS…` to its end, with these faults."""
    with processes() as started:

        def run(*words: str, faults: tuple[str, ...] = (), to: Sandbox = sandbox, within: float = 40.0) -> Done:
            to.floor.set_faults(faults)
            started.append(Process(to.url, *words, folder=tmp_path))
            return started[-1].done(within)

        yield run
    sandbox.floor.set_faults([])


def open_lines(sandbox: Sandbox) -> int:
    """How many connections the exchanges have."""
    return len(sandbox.floor.streams.lines)


def test_t6_count_and_for_end_with_0_and_sockets_closed(watch: Any, sandbox: Sandbox) -> None:
    done = watch("trades", "BTC", "--count", "25")
    assert (done.code, len(done.of(None))) == (0, 25)
    done = watch("trades", "BTC", "--for", "2s")
    assert done.code == 0
    assert done.of(None)
    eventually(lambda: open_lines(sandbox) == 0)


def test_w4_strict_is_3_for_what_was_missed(tmp_path: Path) -> None:
    """W4: liquidations after a drop; the same without --strict is 0."""
    fault = "ws_drop:seconds=1,mode=reset"
    with Sandbox(limits=False, faults=[f"{fault},first=2"]) as to, processes() as started:
        for place, more in enumerate(([], ["--strict"])):
            (tmp_path / str(place)).mkdir()
            words = ("liquidations", "BTC", "--for", "4s", *more)
            started.append(Process(to.url, *words, folder=tmp_path / str(place)))
        lenient, strict = [one.done() for one in started]
    assert (lenient.code, strict.code) == (0, 3)
    assert [row["repaired"] for row in strict.of("gap")] == [False]


@pytest.mark.soak
def test_w3_strict_is_0_for_what_was_filled(watch: Any) -> None:
    done = watch("trades", "ADA", "--for", "5s", "--strict", faults=("ws_drop:seconds=1,mode=fin,first=1",))
    assert done.code == 0, done.err
    assert {row["repaired"] for row in done.of("gap")} == {True}
    ids = sorted(int(row["id"]) for row in done.of(None))
    assert ids == list(range(ids[0], ids[0] + len(ids)))


@pytest.mark.soak  # the same in no time: `test_stream_losses.py`
def test_w12_max_down_is_5(watch: Any) -> None:
    done = watch("trades", "BTC", "--max-down", "3s", faults=("ws_drop:frames=20", "ws_refuse:status=503,every=1"))
    assert (done.code, "--max-down" in done.err) == (5, True)


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("ws_refuse:status=451", 7, "refuses to serve your location"),
        ("ws_refuse:status=403", 7, "refuses"),
        ("ws_reject_subscribe", 4, "refused the stream"),
    ],
)
def test_w2_w12_a_refusal_is_told_once(watch: Any, fault: str, code: int, words: str) -> None:
    done = watch("trades", "BTC", faults=(fault,))
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert "Traceback" not in done.err


def test_w6_a_conflict_is_8(tmp_path: Path) -> None:
    """W6: the same id with another size."""
    with Sandbox(limits=False) as to, processes() as started:
        to.floor.stream_faults = [contradicting("aggTrade")]
        started.append(Process(to.url, "trades", "BTC", "--for", "3s", folder=tmp_path))
        done = started[-1].done()
    assert (done.code, "3 of the records came twice with different values" in done.err) == (8, True)


def test_t4_head_has_enough(sandbox: Sandbox) -> None:
    """T4: exit 0, nothing said, sockets closed."""
    words = f"{sys.executable} -m marketcli --via {sandbox.url} watch trades BTC -q"
    for tail in ("head -1", "true"):
        done = subprocess.run(
            ["bash", "-c", f"{words} | {tail}; echo ${{PIPESTATUS[0]}}"],
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )
        assert done.stdout.splitlines()[-1] == "0"
        assert done.stderr == ""
    eventually(lambda: open_lines(sandbox) == 0)


@pytest.mark.parametrize(("redirect", "code"), [(">&-", 9), (">/dev/full", 9), ("2>&-", 0), ("<&-", 0)])
def test_t5_closed_and_full_streams(sandbox: Sandbox, redirect: str, code: int) -> None:
    """T5: no output that goes nowhere is a success."""
    words = f"{sys.executable} -m marketcli --via {sandbox.url} watch trades BTC --count 50"
    done = subprocess.run(
        ["bash", "-c", f"{words} {redirect}"], capture_output=True, text=True, timeout=40, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) == (50 if code == 0 else 0)


def test_a_full_disk_is_9_and_leaves_whole_lines(sandbox: Sandbox, tmp_path: Path) -> None:
    """S3 of a file that grows."""
    path = tmp_path / "x.ndjson"
    words = f"ulimit -f 8; {sys.executable} -m marketcli --via {sandbox.url} watch trades BTC -o {path}"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 9
    assert "There is no space left" in done.stderr
    text = path.read_text()
    assert text.endswith("\n")
    assert all(json.loads(line) for line in text.splitlines())


def test_w11_a_reader_that_does_not_read(sandbox: Sandbox, tmp_path: Path) -> None:
    """W11: bounded memory; what was thrown away is a line; the exchange never notices."""
    serve = [sys.executable, BENCH, "trades", "200000", "--rate", "20000", "--rest", sandbox.url]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server, processes() as started:
        assert server.stdout is not None
        try:
            ours, theirs = os.pipe()
            words = ("trades", "BTCUSDT", "--for", "7s")
            started.append(Process(server.stdout.readline().strip(), *words, folder=tmp_path, stdout=theirs))
            os.close(theirs)
            rest(6)
            with os.fdopen(ours) as pipe:
                rows = [json.loads(line) for line in pipe]
            done = started[-1].done()
        finally:
            server.terminate()
    gaps = [row for row in rows if row.get("type") == "gap"]
    ids = [int(row["id"]) for row in rows if "type" not in row]
    assert gaps
    assert {row["cause"] for row in gaps} == {"dropped"}
    assert len(ids) + sum(row["rows"] for row in gaps) == ids[-1] - ids[0] + 1
    assert sum(row["rows"] for row in gaps) > 10_000
    assert f"{sum(row['rows'] for row in gaps):,} dropped because the reader was too slow" in done.err
    assert "reconnect" in done.err
    assert "0 reconnects" in done.err
    assert (done.code, done.resident < 200) == (0, True)


@pytest.mark.parametrize("own", [{"TERM": "dumb", "COLUMNS": "0"}, {"PYTHONIOENCODING": "cp1252", "LC_ALL": "C"}])
def test_t8_odd_surroundings_lose_nothing(watch: Any, monkeypatch: pytest.MonkeyPatch, own: dict[str, str]) -> None:
    """T8: lines are the same whatever terminal is said to be there."""
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    done = watch("trades", "BTC", "--count", "20")
    assert (done.code, len(done.of(None))) == (0, 20)
    assert not re.search(r"\x1b", done.out + done.err)
