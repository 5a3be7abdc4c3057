"""`mkt ohlc` as its users meet it: rows, windows, formats, gaps, and what it says when it cannot."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from marketcli.models import Interval, Market, Window, iso, to_micros

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli_runner import Run

    from marketcli.sandbox.server import Sandbox

    Ask = Callable[..., Run]

CANDLE = [
    "exchange",
    "market",
    "symbol",
    "native",
    "interval",
    "time",
    "open",
    "high",
    "low",
    "close",
    "volume_base",
    "volume_quote",
    "trades",
    "taker_buy_base",
    "volume_contracts",
    "closed",
    "source",
]


def moment(*parts: int) -> int:
    return to_micros(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type,misc]


def test_the_last_hundred_closed_candles_by_the_exchange_s_clock(ask: Ask) -> None:
    done = ask("ohlc", "BTCUSDT", "1h")
    rows = done.rows()
    assert done.returncode == 0
    assert (len(rows), rows[0]["time"], rows[-1]["time"]) == (100, "2026-11-17T05:00:00Z", "2026-11-21T08:00:00Z")
    assert list(rows[0]) == CANDLE
    assert all(row["closed"] for row in rows)
    assert (rows[0]["symbol"], rows[0]["native"], rows[0]["market"]) == ("BTC-USDT-PERP", "BTCUSDT", "linear")


def test_rows_are_the_market_s_own(ask: Ask, sandbox: Sandbox) -> None:
    done = ask("ohlc", "BTCUSD_PERP", "15m", "--since", "2025-03-01", "--for", "3d")
    (listing,) = [one for one in sandbox.world.listings(Market.INVERSE) if one.base == "BTC" and one.perpetual]
    window = Window(moment(2025, 3, 1), moment(2025, 3, 4))
    bars = sandbox.world.candles(listing, Interval.parse("15m"), window)
    assert len(bars) == 288
    for row, bar in zip(done.rows(), bars, strict=True):
        assert row["time"] == iso(bar.time)
        assert (row["open"], row["high"], row["low"], row["close"]) == (bar.open, bar.high, bar.low, bar.close)
        assert (row["volume_base"], row["volume_contracts"], row["trades"]) == (
            bar.volume_base,
            bar.contracts,
            bar.trades,
        )
        assert (row["volume_quote"], row["taker_buy_base"]) == (bar.contracts * 100, bar.taker_buy_base)


@pytest.mark.parametrize(
    ("words", "first", "last", "count"),
    [
        ("--last 3", "2026-11-21T06:00:00Z", "2026-11-21T08:00:00Z", 3),
        ("--last 3 --until 2025", "2024-12-31T21:00:00Z", "2024-12-31T23:00:00Z", 3),
        ("--since 2025-01 --until 2025-02", "2025-01-01T00:00:00Z", "2025-01-31T23:00:00Z", 744),
        ("--since 2025-01-01T10:30 --until 2025-01-01T12:30", "2025-01-01T11:00:00Z", "2025-01-01T12:00:00Z", 2),
        ("--until 2025-01-02 --for 12h", "2025-01-01T12:00:00Z", "2025-01-01T23:00:00Z", 12),
        ("--since yesterday --for 1d", "2026-11-20T00:00:00Z", "2026-11-20T23:00:00Z", 24),
        ("--for 6h", "2026-11-21T04:00:00Z", "2026-11-21T08:00:00Z", 5),
        ("--since today --until 2027", "2026-11-21T00:00:00Z", "2026-11-21T08:00:00Z", 9),
        ("--since today --include-open", "2026-11-21T00:00:00Z", "2026-11-21T09:00:00Z", 10),
    ],
)
def test_windows(ask: Ask, words: str, first: str, last: str, count: int) -> None:
    done = ask("ohlc", "BTCUSDT", "1h", *words.split(), MKT_SANDBOX="")
    rows = done.rows()
    assert (done.returncode, len(rows), rows[0]["time"], rows[-1]["time"]) == (0, count, first, last)


def test_the_open_candle_comes_only_when_asked_for(ask: Ask) -> None:
    rows = ask("ohlc", "BTCUSDT", "1h", "--last", "2", "--include-open").rows()
    assert [row["closed"] for row in rows] == [True, True, False]


def test_our_own_clock_does_not_matter_and_being_off_is_told(ask: Ask) -> None:
    # The sandbox's clock stands at 2026-11-21 09:30:00; what ended then may still change for two seconds.
    done = ask("ohlc", "BTCUSDT", "1m", "--last", "2", "-m", "spot")
    assert [row["time"] for row in done.rows()] == ["2026-11-21T09:27:00Z", "2026-11-21T09:28:00Z"]
    assert "This computer's clock is" in done.stderr
    assert ask("ohlc", "BTCUSDT", "1m", "--last", "2", "-q").stderr == ""


def test_several_symbols_and_a_pipe(ask: Ask) -> None:
    lines = "# my symbols\nETHUSDT\n\n" + json.dumps({"symbol": "BTC-USD-PERP", "x": 1}) + "\nETHUSDT  # twice\n"
    rows = ask("ohlc", "BTCUSDT", "-", "1d", "--last", "2", stdin=lines).rows()
    assert [row["symbol"] for row in rows] == [
        "BTC-USDT-PERP", "BTC-USDT-PERP", "ETH-USDT-PERP", "ETH-USDT-PERP", "BTC-USD-PERP", "BTC-USD-PERP",
    ]  # fmt: skip


def test_one_symbol_that_cannot_be_answered_does_not_lose_the_others(ask: Ask) -> None:
    done = ask("ohlc", "ETHBTC", "BTCUSDT", "1h", "--last", "2", "--price", "mark")
    assert done.returncode == 4
    assert [row["symbol"] for row in done.rows()] == ["BTC-USDT-PERP"] * 2
    assert "spot has no mark price candles" in done.stderr


@pytest.mark.parametrize("price", ["mark", "index", "premium"])
@pytest.mark.parametrize("symbol", ["BTCUSDT", "BTCUSD_PERP"])
def test_other_prices(ask: Ask, price: str, symbol: str) -> None:
    rows = ask("ohlc", symbol, "4h", "--last", "3", "--price", price).rows()
    assert [row["price"] for row in rows] == [price] * 3
    assert "volume_base" not in rows[0]
    if price == "premium":
        assert all(abs(row["close"]) < 0.05 for row in rows)


def test_an_interval_the_exchange_lacks_is_built_and_said_so(ask: Ask) -> None:
    done = ask("ohlc", "BTCUSDT", "2w", "--since", "2025-01-06", "--until", "2025-03-03")
    rows = done.rows()
    assert [row["time"] for row in rows] == [
        "2025-01-06T00:00:00Z", "2025-01-20T00:00:00Z", "2025-02-03T00:00:00Z", "2025-02-17T00:00:00Z",
    ]  # fmt: skip
    assert {row["source"] for row in rows} == {"resampled:1w"}
    assert "built from the 1w ones of Binance" in done.stderr


def test_an_ended_instrument_gives_its_last_candles(ask: Ask) -> None:
    done = ask("ohlc", "MATICUSDT", "1h", "--last", "2")
    assert [row["time"] for row in done.rows()] == ["2024-09-10T07:00:00Z", "2024-09-10T08:00:00Z"]


def test_before_the_listing_there_is_nothing_and_a_sentence_says_so(ask: Ask) -> None:
    done = ask("ohlc", "BTCUSDT", "1M", "--since", "2019-06", "--until", "2020")
    assert done.returncode == 0
    assert done.rows()[0]["time"] == "2019-09-01T00:00:00Z"
    assert "not listed yet" in done.stderr
    nothing = ask("ohlc", "BTCUSDT", "1h", "--since", "2018", "--until", "2018-02")
    assert (nothing.returncode, nothing.stdout) == (4, "")
    assert "not listed" in nothing.stderr


def test_the_same_command_twice_gives_the_same_bytes(ask: Ask, tmp_path: Path) -> None:
    for name in ("one.parquet", "two.parquet"):
        done = ask(
            "ohlc", "BTCUSDT", "ETHUSDT", "1h", "--since", "2025-01", "--until", "2025-03", "-o", str(tmp_path / name)
        )
        assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_every_format_holds_the_same_rows(ask: Ask, tmp_path: Path) -> None:
    words = ["ohlc", "BTCUSDT", "1h", "--last", "5"]
    rows = ask(*words).rows()
    assert json.loads(ask(*words, "--json").stdout) == rows
    for separator, name in ((",", "csv"), ("\t", "tsv")):
        table = list(csv.DictReader(io.StringIO(ask(*words, "-f", name).stdout), delimiter=separator))
        assert [row["time"] for row in table] == [row["time"] for row in rows]
        assert [float(row["volume_quote"]) for row in table] == [row["volume_quote"] for row in rows]
    for suffix, read in ((".parquet", pl.read_parquet), (".arrow", pl.read_ipc), (".csv", None), (".ndjson", None)):
        target = tmp_path / f"rows{suffix}"
        assert ask(*words, "-o", str(target)).returncode == 0
        if read is not None:
            frame = read(target)
            assert frame["close"].to_list() == [row["close"] for row in rows]
            assert frame.schema["time"] == pl.Datetime("us", "UTC")
    assert (tmp_path / "rows.ndjson").read_text().count("\n") == 5


def test_fields_are_those_asked_for_in_that_order(ask: Ask) -> None:
    assert ask("ohlc", "BTCUSDT", "1h", "--last", "1", "--fields", "close,time").stdout.startswith('{"close":')


def test_times_may_be_numbers(ask: Ask) -> None:
    (row,) = ask("ohlc", "BTCUSDT", "1h", "--last", "1", "--time", "ms").rows()
    assert row["time"] == moment(2026, 11, 21, 8) // 1_000


def test_a_dry_run_says_what_would_be_asked_and_asks_for_no_candles(ask: Ask) -> None:
    (plan,) = ask("ohlc", "BTCUSDT", "1m", "--since", "2025", "--until", "2026", "--dry-run").rows()
    assert (plan["rows"], plan["requests"], plan["weight"]) == (525_600, 1_054, 2_108)
    assert (plan["host"], plan["path"]) == ("fapi.binance.com", "/fapi/v1/klines")
    assert ask("ohlc", "BTCUSDT", "1m", "--dry-run", "-v").stderr.count("klines") == 0


def test_verbose_shows_each_request_and_the_log_keeps_it(ask: Ask, tmp_path: Path) -> None:
    log = tmp_path / "mkt.log"
    done = ask("ohlc", "BTCUSDT", "1h", "--last", "2", "-v", "--log-file", str(log))
    (line,) = [line for line in done.stderr.splitlines() if "klines" in line]
    assert line.startswith("GET fapi.binance.com/fapi/v1/klines?symbol=BTCUSDT&interval=1h&")
    assert "weight 1  200" in line
    entries = [json.loads(text) for text in log.read_text().splitlines()]
    assert entries[-1]["path"] == "/fapi/v1/klines"
    assert (entries[-1]["status"], entries[-1]["weight"]) == (200, 1)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("BTCUSTD 1h", 2, "Did you mean BTCUSDT"),
        ("BTCUSDT 1x", 2, "not an interval"),
        ("BTCUSDT", 2, "symbols and then an interval"),
        ("BTCUSDT 1s", 2, "It has 1m 3m 5m"),
        ("BTCUSDT 1h --since 2030", 2, "future"),
        ("BTCUSDT 1h --since 2025-02 --until 2025-01", 2, "before it begins"),
        ("BTCUSDT 1h --since 01/02/2024", 2, "2024Q1"),
        ("BTCUSDT 1h --since 2024 --last 5", 2, "--last goes with --until"),
        ("BTCUSDT 1h --since 2024 --until 2025 --for 7d", 2, "Give two"),
        ("BTCUSDT 1h --since 2025-01-01T10:10 --until 2025-01-01T10:50", 2, "No 1h candle"),
        ("BTCUSDT 1s -m spot --since 2018", 2, "more than fit"),
        ("BTCUSDT 1h --last 0", 2, "at least 1"),
        ("BTCUSDT 1h -m futures", 2, "spot, linear"),
        ("BTCUSDT 1h -m spot --price mark", 4, "no mark price candles"),
        ("BTCUSDT 1h -e kraken", 2, "binance"),
        ("BTCUSDT 1h --fields tme", 2, "Did you mean time"),
        ("BTCUSDT 1h -f xml", 2, "parquet"),
        ("BTCUSDT 1h -f parquet", 2, "arrow"),
        ("BTCUSDT 1h -o x.unknown", 2, ".parquet"),
        ("BTCUSDT 1h --lst 5", 2, "--last"),
        ("- 1h", 2, "no symbols"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_remedy(ask: Ask, words: str, code: int, said: str) -> None:
    done = ask("ohlc", *words.split())
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_errors_may_be_json(ask: Ask) -> None:
    done = ask("ohlc", "BTCUSTD", "1h", "--json-errors")
    error = json.loads(done.stderr)["error"]
    assert (error["code"], error["exit"], error["retryable"]) == ("unknown_symbol", 2, False)
    assert json.loads(ask("ohlc", "BTCUSTD", "1h", MKT_ERRORS="json").stderr)


def test_a_file_is_never_overwritten_unasked(ask: Ask, tmp_path: Path) -> None:
    target = tmp_path / "candles.csv"
    target.write_text("mine")
    done = ask("ohlc", "BTCUSDT", "1h", "--last", "2", "-o", str(target))
    assert (done.returncode, target.read_text()) == (2, "mine")
    assert "--force" in done.stderr
    assert ask("ohlc", "BTCUSDT", "1h", "--last", "2", "-o", str(target), "--force").returncode == 0
    assert target.read_text().startswith("exchange,")
    assert [path.name for path in tmp_path.iterdir()] == ["candles.csv"]


def test_a_target_that_cannot_be_is_told_before_anything_is_asked(ask: Ask, sandbox: Sandbox, tmp_path: Path) -> None:
    before = sandbox.stats()["requests"]
    done = ask("ohlc", "BTCUSDT", "1h", "-o", str(tmp_path / "no" / "x.csv"))
    assert done.returncode == 9
    assert "does not exist" in done.stderr
    assert sandbox.stats()["requests"] == before
