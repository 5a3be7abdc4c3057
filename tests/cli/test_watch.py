"""`mkt watch` in pipes and files: every record a line, every gap told, an exit code that says what came."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from inside_runner import inside
from stand_in import (
    ABSENT,
    DOWN,
    HOSTILE,
    MAKERS,
    NOW,
    Feeds,
    Source,
    blind,
    candle,
    install,
    instrument,
    large,
    liquidation,
    status,
    trade,
)

from marketcli.api.live import Feeds as RealFeeds
from marketcli.api.live import Source as RealSource
from marketcli.api.live import Watch as RealWatch
from marketcli.datasets import LARGE_TRADES, LIQUIDATIONS, OHLC, TRADES
from marketcli.errors import UnknownSymbol
from marketcli.live.events import Cause, State
from marketcli.models import Interval, Market

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli_runner import Run

    Watching = Callable[..., Run]

STAND_IN = Path(__file__).parents[1] / "stand_in.py"
FIVE = [[trade(number)] for number in range(5)]


@pytest.fixture
def watch(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Watching:
    """`mkt watch WORDS…` in this process, on feeds of the test's own."""

    def run(feeds: Feeds | Exception, *words: str) -> Run:
        install(feeds, monkeypatch)
        return inside(capfdbinary, "watch", *words)

    return run


def test_the_stand_in_is_like_the_real_one() -> None:
    feeds = Feeds()
    for name in ("sources", "vitals", "failures", "now", "monotonic", "__aiter__", "stop"):
        assert hasattr(feeds, name)
        assert hasattr(RealFeeds, name) or name == "sources"
    assert set(RealSource.__dataclass_fields__) == set(Source.__dataclass_fields__)
    assert set(RealWatch.__dataclass_fields__) == {"dataset", "symbols", "market", "interval", "max_down", "least"}


def test_each_record_is_a_line(watch: Watching) -> None:
    done = watch(Feeds(FIVE), "trades", "BTC")
    assert done.returncode == 0
    assert [row["id"] for row in done.rows()] == ["0", "1", "2", "3", "4"]
    assert list(done.rows()[0]) == list(TRADES.fields)
    assert "5 records in 0:00; 0 gaps, 0 filled; 0 reconnects." in done.stderr


@pytest.mark.parametrize(("form", "separator"), [("csv", ","), ("tsv", "\t")])
def test_in_tables_for_programs(watch: Watching, form: str, separator: str) -> None:
    done = watch(Feeds(FIVE), "trades", "BTC", "-f", form, "--fields", "time,side,price", "--time", "ms")
    rows = list(csv.reader(io.StringIO(done.stdout), delimiter=separator))
    assert rows[0] == ["time", "side", "price"]
    assert rows[1:] == [[str(NOW // 1_000), one.side, f"{one.price:g}"] for (one,) in FIVE]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("liquidations", {"dataset": LIQUIDATIONS, "symbols": (), "market": None}),
        ("large-trades BTC", {"dataset": LARGE_TRADES, "symbols": ("BTC",), "least": 100_000.0}),
        ("large-trades --min-usd 1.5m", {"least": 1_500_000.0}),
        ("trades BTC ETH BTC -m spot", {"dataset": TRADES, "symbols": ("BTC", "ETH"), "market": Market.SPOT}),
        ("trades BTC --min-usd 50k", {"least": 0.0}),
        ("ohlc BTC ETH 60m", {"dataset": OHLC, "symbols": ("BTC", "ETH"), "interval": Interval(1, "h")}),
        ("ticker --max-down 5m", {"max_down": 300.0}),
        ("funding BTC", {"symbols": ("BTC",), "max_down": None}),
        ("oi", {"interval": None}),
    ],
)
def test_what_is_watched_is_what_was_said(watch: Watching, words: str, expected: dict[str, Any]) -> None:
    feeds = Feeds()
    assert watch(feeds, *words.split()).returncode == 0
    assert {name: getattr(feeds.watch, name) for name in expected} == expected


def test_the_smallest_large_trade_is_a_setting(watch: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    feeds = Feeds()
    monkeypatch.setenv("MKT_MIN_USD", "250k")
    watch(feeds, "large-trades")
    assert feeds.watch is not None
    assert feeds.watch.least == 250_000.0
    monkeypatch.setenv("MKT_MIN_USD", "some")
    done = watch(feeds, "large-trades")
    assert (done.returncode, "MKT_MIN_USD" in done.stderr) == (2, True)


def test_conditions_leave_records_out_and_never_gaps(watch: Watching) -> None:
    events = [liquidation(1), blind(dataset=LIQUIDATIONS), liquidation(3), liquidation(4)]
    done = watch(Feeds([events]), "liquidations", "--side", "long")
    assert [row.get("liquidated", row.get("type")) for row in done.rows()] == ["long", "gap", "long"]
    done = watch(Feeds([events]), "liquidations", "--min-usd", "30k", "--side", "short")
    assert [row.get("type", row.get("notional_usd")) for row in done.rows()] == ["gap"]
    limit = liquidation(1).notional
    done = watch(Feeds([events]), "liquidations", "--min-usd", str(limit))
    assert [row.get("type", row.get("notional_usd")) for row in done.rows()] == [limit, "gap"]


def test_a_filter_is_that_of_all_commands(watch: Watching) -> None:
    feeds = Feeds([[candle(1), blind(), candle(2, closed=False)], [candle(3)]])
    done = watch(feeds, "ohlc", "BTC", "1m", "--where", "closed and trades > 1235")
    assert [row.get("trades", row.get("type")) for row in done.rows()] == ["gap", 1_237]
    assert watch(Feeds(FIVE), "trades", "BTC", "--where", "1 = 1").stdout.count("\n") == 5
    done = watch(Feeds(FIVE), "trades", "BTC", "--where", "prize > 1")
    assert (done.returncode, "Did you mean price?" in done.stderr) == (2, True)
    done = watch(Feeds(FIVE), "trades", "BTC", "--side", "buy", "--where", "price < 10000")
    assert [row["id"] for row in done.rows()] == ["2", "4"]


def test_what_has_no_value_in_dollars_is_left_out_and_that_is_said(watch: Watching) -> None:
    source = Source(instruments=(instrument("ETH-BTC", quote="BTC"),))
    done = watch(Feeds([[trade(1, usd=None)]], sources=[source]), "trades", "ETHBTC", "--min-usd", "1")
    assert (done.returncode, done.stdout) == (0, "")
    assert "BTC is no dollar, so --min-usd leaves these out" in done.stderr


def test_it_ends_after_so_many_records(watch: Watching) -> None:
    feeds = Feeds([[trade(1), trade(2)], [blind(), trade(3), trade(4)]], forever=True, last=[trade(9), blind()])
    done = watch(feeds, "trades", "BTC", "--count", "3")
    assert [row.get("id", row.get("type")) for row in done.rows()] == ["1", "2", "gap", "3", "gap"]
    assert (done.returncode, feeds.stopped) == (0, True)
    assert "3 records" in done.stderr


def test_it_ends_after_so_long_with_what_feeds_still_have_to_say(watch: Watching) -> None:
    feeds = Feeds(FIVE, forever=True, last=[trade(7), blind()], closing=1.2)  # an exchange that answers no goodbye
    before = time.monotonic()
    done = watch(feeds, "trades", "BTC", "--for", "1s")
    assert 2.2 <= time.monotonic() - before < 6
    assert [row.get("id", row.get("type")) for row in done.rows()][-2:] == ["7", "gap"]
    assert done.returncode == 0


def test_a_gap_is_a_line_among_the_records(watch: Watching) -> None:
    done = watch(Feeds([[trade(1), blind(), trade(2), blind(repaired=True)]]), "trades", "BTC")
    assert [row.get("type") for row in done.rows()] == [None, "gap", None, "gap"]
    assert [row["repaired"] for row in done.rows() if "type" in row] == [False, True]
    assert (done.returncode, "1 gap, 1 filled" in done.stderr) == (0, True)


def test_in_csv_a_gap_is_a_warning_even_where_all_else_is_quiet(watch: Watching) -> None:
    done = watch(Feeds([[trade(1), blind(), blind(repaired=True)]]), "trades", "BTC", "-f", "csv", "-q")
    assert done.stdout.count("\n") == 2
    assert done.stderr.splitlines()[0].startswith(
        "warning: binance linear: trades of BTC-USDT-PERP from 2026-11-21T11:59"
    )
    assert "filled" not in done.stderr
    dropped = replace(blind(), cause=Cause.DROPPED)
    done = watch(Feeds([[replace(dropped, rows=5)], [dropped]]), "trades", "BTC", "-f", "csv", "-q")
    assert [line.rpartition("Z ")[2] for line in done.stderr.splitlines()] == [
        "were thrown away: the reader was too slow for 5 rows.",
        "may be missing (dropped).",  # nobody knows how many
    ]


def test_strict_is_incomplete_if_anything_was_missed(watch: Watching) -> None:
    assert watch(Feeds([[blind(repaired=True)]]), "trades", "BTC", "--strict").returncode == 0
    done = watch(Feeds([[blind()]]), "trades", "BTC", "--strict")
    assert (done.returncode, "1 stretch of time may have been missed" in done.stderr) == (3, True)
    assert watch(Feeds(FIVE, last=[blind()]), "trades", "BTC", "--strict").returncode == 3
    assert watch(Feeds([[blind()]]), "trades", "BTC").returncode == 0


def test_connections_are_told_when_they_are_lost_and_back(watch: Watching) -> None:
    script = [[status(State.CONNECTING), status(State.LIVE)], [status(State.LOST, text=HOSTILE)], [status(State.LIVE)]]
    done = watch(Feeds([*script, [status(State.RENEWED), status(State.LIVE)]]), "trades", "BTC")
    said = [line for line in done.stderr.splitlines() if "connection" in line]
    assert [line.split("connection 1 ")[1][:4] for line in said] == ["lost", "live", "rene"]
    assert "\x1b" not in done.stderr
    assert "\\x1b]0;gone" in done.stderr
    assert watch(Feeds(script), "trades", "BTC", "-q").stderr == ""


def test_the_same_loss_is_told_once_until_the_connection_is_back(watch: Watching) -> None:
    away, other = status(State.LOST, text="HTTP 503."), status(State.LOST, text="no answer.")
    done = watch(Feeds([[away], [away], [other], [other], [status(State.LIVE)], [away]]), "trades", "BTC")
    said = [line.split("connection 1 ")[1] for line in done.stderr.splitlines() if "connection" in line]
    assert said == ["lost: HTTP 503.", "lost: no answer.", "live again.", "lost: HTTP 503."]


def test_meta_puts_what_is_watched_and_all_statuses_into_the_stream(watch: Watching) -> None:
    source = Source(instruments=(instrument(),), completeness="sampled", notes=("At most one a second.",))
    script = [[status(State.LIVE), liquidation(1), status(State.LOST)]]
    done = watch(Feeds(script, sources=[source]), "liquidations", "BTC", "--meta", "--side", "long")
    meta, *rest = done.rows()
    assert [row.get("type") for row in rest] == ["status", None, "status"]
    assert meta["type"] == "meta"
    assert meta["dataset"] == "liquidations"
    assert meta["conditions"] == ["longs only"]
    (told,) = meta["sources"]
    assert (told["exchange"], told["completeness"], told["symbols"]) == ("binance", "sampled", ["BTC-USDT-PERP"])
    assert "At most one a second." in done.stderr
    assert "connection" not in done.stderr
    assert rest[0]["state"] == "live"


def test_an_exchange_that_is_away_too_long_is_5(watch: Watching) -> None:
    done = watch(Feeds([FIVE[0], lambda feeds: feeds.failures.append(DOWN)]), "trades", "BTC", "--max-down", "5m")
    assert (done.returncode, len(done.rows())) == (5, 1)
    assert "error: binance linear was away" in done.stderr


def test_of_several_exchanges_one_that_cannot_is_told_and_counts_at_the_end(watch: Watching) -> None:
    def feeds() -> Feeds:
        return Feeds([[liquidation(1)]], failures=[ABSENT])

    done = watch(feeds(), "liquidations", "-e", "binance,hyperliquid")
    assert (done.returncode, len(done.rows())) == (4, 1)
    assert "warning: hyperliquid linear does not stream liquidations" in done.stderr
    done = watch(feeds(), "liquidations", "-e", "all")
    assert (done.returncode, len(done.rows())) == (0, 1)
    assert "note: hyperliquid linear does not stream liquidations" in done.stderr
    assert "hyperliquid" not in watch(feeds(), "liquidations", "-e", "all", "-q").stderr


def test_trades_that_contradict_each_other_are_8(watch: Watching) -> None:
    def twice(feeds: Feeds) -> None:
        feeds.vitals["binance", Market.LINEAR].conflicts = 2

    done = watch(Feeds([*FIVE, twice]), "trades", "BTC")
    assert (done.returncode, "2 of the records came twice" in done.stderr) == (8, True)


def test_what_cannot_be_watched_at_all_is_the_error(watch: Watching) -> None:
    done = watch(UnknownSymbol("Binance has no instrument 'X'.", hint="Did you mean XRP?"), "trades", "X")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no instrument 'X'" in done.stderr
    done = watch(ABSENT, "liquidations", "--json-errors")
    assert done.returncode == 4
    assert json.loads(done.stderr)["error"]["code"] == "not_offered"


def test_notes_are_json_where_errors_are(watch: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MKT_ERRORS", "json")
    done = watch(Feeds([[blind()]], failures=[DOWN]), "trades", "BTC", "-f", "csv", "--strict")
    said = [json.loads(line) for line in done.stderr.splitlines()]
    assert [next(iter(line)) for line in said] == ["warning", "warning", "note", "error"]
    assert done.returncode == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("trades", "SYMBOL"),
        ("trades BTC -f json", "A JSON array is whole only"),
        ("trades BTC --json", "No such option"),
        ("trades BTC -f parquet", "index at the end"),
        ("trades BTC -o x.arrow", "large batches"),
        ("trades BTC -f xml", "There is no format 'xml'"),
        ("trades BTC -f table", "standard output is none"),
        ("trades BTC -o x.dat", "does not say which format"),
        ("trades BTC -o {symbol}.csv", "writes one file"),
        ("trades BTC -o x.csv -f table", "not into a file"),
        ("trades BTC --meta -f csv", "--meta goes with ndjson"),
        ("trades BTC --fields prize", "Did you mean price?"),
        ("trades BTC --count 0", "asks for nothing"),
        ("trades BTC --for soon", "span for --for"),
        ("trades BTC --max-down 0m", "span for --max-down"),
        ("trades BTC --side long", "Use buy or sell"),
        ("liquidations --side buy", "Use long or short"),
        ("trades BTC --min-usd much", "no amount"),
        ("trades BTC --fallback okx", "does not fall back"),
        ("trades BTC -e nosuch", "There is no exchange"),
        ("ohlc BTC", "symbols and then an interval"),
        ("ohlc BTC soon", "not an interval"),
        ("trads BTC", "Did you mean 'trades'"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_asked(watch: Watching, words: str, said: str) -> None:
    feeds = Feeds(FIVE)
    done = watch(feeds, *words.split())
    assert (done.returncode, done.stdout, feeds.watch) == (2, "", None)
    assert said in done.stderr
    assert "mkt record" not in done.stderr


def test_a_format_of_the_settings_counts_if_it_can_be_streamed(
    watch: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MKT_FORMAT", "csv")
    assert watch(Feeds(FIVE), "trades", "BTC").stdout.startswith("exchange,market,")
    for name in ("parquet", "table", "json"):
        monkeypatch.setenv("MKT_FORMAT", name)
        assert len(watch(Feeds(FIVE), "trades", "BTC").rows()) == 5


def test_a_file_has_what_a_pipe_gets(watch: Watching, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    done = watch(Feeds(FIVE), "trades", "BTC", "-o", str(path))
    assert (done.returncode, done.stdout) == (0, "")
    assert path.read_text() == watch(Feeds(FIVE), "trades", "BTC", "-f", "csv").stdout
    done = watch(Feeds(FIVE), "trades", "BTC", "-o", str(path))
    assert (done.returncode, "exists already" in done.stderr) == (2, True)
    assert watch(Feeds(FIVE[:2]), "trades", "BTC", "-o", str(path), "--force").returncode == 0
    assert path.read_text().count("\n") == 3


def test_a_watch_that_saw_nothing_leaves_a_file_that_says_so(watch: Watching, tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    assert watch(Feeds(), "trades", "BTC", "-o", str(path), "--meta").returncode == 0
    assert json.loads(path.read_text())["type"] == "meta"


def test_formulas_are_quoted_in_files_and_that_is_said(watch: Watching, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    evil = Feeds([[trade(1, name="=cmd"), trade(2, name="=cmd")]])
    done = watch(evil, "trades", "BTC", "-o", str(path), "--fields", "symbol")
    assert path.read_text() == "symbol\n'=cmd\n'=cmd\n"
    assert "2 text cells" in done.stderr
    assert watch(evil, "trades", "BTC", "-f", "csv", "--fields", "symbol").stdout == "symbol\n=cmd\n=cmd\n"
    assert watch(evil, "trades", "BTC", "-f", "csv", "--fields", "symbol", "--csv-safe").stdout.count("'") == 2


def test_a_bug_is_told_and_what_came_before_it_is_kept(watch: Watching) -> None:
    done = watch(Feeds([*FIVE, lambda _: 1 / 0]), "trades", "BTC")
    assert (done.returncode, len(done.rows())) == (1, 5)
    assert "bug in mkt: ZeroDivisionError" in done.stderr


def test_simulated_rows_are_said_to_be(watch: Watching) -> None:
    assert "simulated" in watch(Feeds(FIVE), "trades", "BTC", "--sandbox").stderr


@pytest.mark.parametrize("name", MAKERS)
def test_every_dataset_is_written(watch: Watching, name: str) -> None:
    words = {"ohlc": ["BTC", "1m"], "trades": ["BTC"]}.get(name, [])
    done = watch(Feeds([[MAKERS[name](1), MAKERS[name](2)]]), name.replace("_", "-"), *words)
    assert (done.returncode, len(done.rows())) == (0, 2)


def test_orders_smaller_than_asked_never_come_through(watch: Watching) -> None:
    feeds = Feeds([[large(number) for number in range(40)]])
    rows = watch(feeds, "large-trades", "--min-usd", "1m").rows()
    assert rows
    assert all(row["notional_usd"] >= 1_000_000 for row in rows)


# In a process of its own


def started(scene: str, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(STAND_IN), scene, "watch", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["INT", "TERM", "HUP"]
)
def test_a_signal_ends_it_in_order(number: int, code: int) -> None:
    with started("flood", "trades", "BTC") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(number)
        before = time.monotonic()
        out, err = process.communicate(timeout=20)
    assert (process.returncode, time.monotonic() - before < 2) == (code, True)
    assert all(json.loads(line) for line in [first, *out.splitlines()])
    assert out.endswith(b"\n")
    assert b" records in " in err


def given(process: subprocess.Popen[bytes]) -> None:
    """Wait until the feeds have given all they have; nobody has read it."""
    assert process.stderr is not None
    while (line := process.stderr.readline()) != b"all given\n":
        assert line


def test_a_signal_ends_it_though_nobody_reads_and_no_line_is_torn() -> None:
    with started("burst", "trades", "BTC") as process:
        assert process.stdout is not None
        given(process)
        process.send_signal(signal.SIGTERM)
        before = time.monotonic()
        assert process.wait(10) == 143
        assert time.monotonic() - before < 2.2
        out = process.stdout.read()
        assert process.stderr is not None
        err = process.stderr.read()
    assert b"records were not written: the reader was too slow" in err
    assert b"60,000 records in " in err
    lines = out.splitlines(keepends=True)
    assert lines
    assert all(json.loads(line) for line in lines)
    assert out.endswith(b"\n")


def test_the_second_signal_ends_it_at_once() -> None:
    with started("burst", "trades", "BTC") as process:
        given(process)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        before = time.monotonic()
        assert process.wait(10) in {130, 143}  # whichever the system brings last
        assert time.monotonic() - before < 0.6


def test_a_reader_that_has_enough_is_no_error() -> None:
    words = f"{sys.executable} {STAND_IN} some watch trades BTC -q"
    before = time.monotonic()
    done = subprocess.run(
        ["bash", "-c", f"{words} | head -1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout.splitlines()[1:] == ["0"]
    assert done.stderr == ""
    assert time.monotonic() - before < 10  # though nothing more ever comes


def test_a_slow_reader_is_told_what_it_lost() -> None:
    with started("burst and end", "trades", "BTC") as process:
        given(process)
        out, err = process.communicate(timeout=60)
    rows = [json.loads(line) for line in out.splitlines()]
    lost, expected = 0, 0
    for row in rows:
        if "type" in row:
            assert (row["cause"], row["exchange"], row["from"]) == ("dropped", "binance", "2026-11-21T12:00:00Z")
            lost, expected = lost + row["rows"], expected + row["rows"]
        else:
            assert int(row["id"]) == expected
            expected += 1
    assert expected == 60_000
    assert lost > 10_000
    assert f"{lost:,} dropped because the reader was too slow".encode() in err
    assert b"not written" not in err  # who reads to the end gets it all, however slowly
    assert process.returncode == 0


def test_a_file_loses_nothing_however_much_comes(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    with started("burst and end", "trades", "BTC", "-o", str(path), "--fields", "id") as process:
        process.communicate(timeout=60)
    assert path.read_text() == "".join(f'{{"id":"{number}"}}\n' for number in range(60_000))


def test_a_file_can_be_followed_and_stays_when_it_is_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with started("some", "trades", "BTC", "-o", str(path)) as process:
        deadline = time.monotonic() + 20
        while not (path.exists() and path.read_text().count("\n") == 6):
            assert time.monotonic() < deadline
        assert path.read_text().count("\n") == 6
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 143
    assert path.read_text().count("\n") == 6


def test_a_full_disk_ends_it_and_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    words = f"ulimit -f 64; {sys.executable} {STAND_IN} storm watch trades BTC -o {path}; echo $?"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "9"
    assert "There is no space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes().endswith(b",stream\n")


def test_a_pipe_needs_neither_frames_nor_drawing() -> None:
    probe = f"""
import sys
sys.path.insert(0, {str(STAND_IN.parent)!r})
import os, stand_in
stand_in.install(stand_in.scenes()["few"]())
leave = os._exit
def report(code):
    print(sorted(name for name in sys.modules if name == "polars" or "marketcli.output.panels.panel" in name), code)
    sys.stdout.flush()
    leave(code)
os._exit = report
sys.argv = ["mkt", "-q", "watch", "trades", "BTC"]
from marketcli.__main__ import main
main()
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines()[-1] == "[] 0", done.stderr


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("mkt watch ", ["liquidations", "large-trades", "trades", "ohlc", "ticker", "funding", "oi"]),
        ("mkt watch large-trades --fields id,no", ["id,notional", "id,notional_usd"]),
        ("mkt watch trades BTC -f ", ["table", "ndjson", "csv", "tsv"]),
        ("mkt watch liquidations --side ", ["long", "short"]),
        ("mkt watch trades BTC --side s", ["sell"]),
    ],
)
def test_words_are_completed(line: str, offered: list[str]) -> None:
    asked = {"_MKT_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "marketcli"],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == offered
