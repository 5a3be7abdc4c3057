"""`mkt trades`: the market's own trades, none lost and none twice; what is missing is told."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from cli_runner import mkt
from pty_runner import plain, screen

from marketcli.models import SECOND, Market, Window, iso, to_micros
from marketcli.sandbox.server import Sandbox
from marketcli.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli_runner import Run

    from marketcli.world import Listing

    Ask = Callable[..., Run]

NOW = to_micros(datetime(2026, 11, 21, 9, 30, tzinfo=UTC))
SYMBOLS = {Market.SPOT: "SOL-USDT", Market.LINEAR: "SOLUSDT", Market.INVERSE: "SOLUSD_PERP"}
SINCE, UNTIL = "2026-11-21T09:00", "2026-11-21T09:03"
WINDOW = Window(NOW - 1_800 * SECOND, NOW - 1_620 * SECOND)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    # Its clock stands still: a budget that is spent would never come back.
    with Sandbox(clock=lambda: NOW, limits=False) as running:
        yield running


def listing(sandbox: Sandbox, market: Market, base: str = "SOL") -> Listing:
    found = [one for one in sandbox.world.listings(market) if one.base == base and one.quote in {"USDT", "USD"}]
    return next(one for one in found if one.perpetual or market is Market.SPOT)


@pytest.mark.parametrize("market", [Market.SPOT, Market.LINEAR])
def test_the_newest_trades_are_the_market_s_own(ask: Ask, sandbox: Sandbox, market: Market) -> None:
    rows = ask("trades", SYMBOLS[market], "-n", "30").rows()
    truth = sandbox.world.recent_trades(listing(sandbox, market), 30)
    assert [row["time"] for row in rows] == [iso(one.time) for one in truth]
    assert [(row["price"], row["size"], row["side"]) for row in rows] == [
        (one.price, one.size, one.taker) for one in truth
    ]
    assert [row["notional"] for row in rows] == pytest.approx([one.value for one in truth])
    assert [row["notional_usd"] for row in rows] == [row["notional"] for row in rows]


def test_there_are_a_hundred_or_all_that_the_exchange_gives(ask: Ask) -> None:
    assert len(ask("trades", "BTCUSDT").rows()) == 100
    assert len(ask("trades", "BTC", "-e", "hyperliquid").rows()) == 10
    assert len(ask("trades", "BTC-USDT", "-e", "bybit").rows()) == 60


@pytest.mark.parametrize(("exchange", "seconds", "page"), [("binance", 180, 1_000), ("okx", 20, 100)])
def test_a_window_is_served_whole(ask: Ask, sandbox: Sandbox, exchange: str, seconds: int, page: int) -> None:
    window = Window(WINDOW.start, WINDOW.start + seconds * SECOND)
    done = ask("trades", "SOL-USDT-PERP", "-e", exchange, "--since", SINCE, "--until", iso(window.end))
    truth = sandbox.world.trades(listing(sandbox, Market.LINEAR), window)
    assert done.returncode == 0
    assert len(truth) > page
    assert [(row["time"], row["price"], row["side"]) for row in done.rows()] == [
        (iso(one.time), one.price, one.taker) for one in truth
    ]
    assert len({row["id"] for row in done.rows()}) == len(truth)


def test_a_filter_by_value_and_side(ask: Ask, tmp_path: Path) -> None:
    words = ["trades", "SOLUSDT", "--since", SINCE, "--until", UNTIL]
    rows = ask(*words).rows()
    done = ask(*words, "--min-usd", "2k", "--side", "buy")
    expected = [row for row in rows if row["notional_usd"] >= 2_000 and row["side"] == "buy"]
    assert 0 < len(expected) < len(rows)
    assert done.rows() == expected
    assert f"{len(expected):,} of {len(rows):,} rows match --where" in done.stderr
    target = tmp_path / "large.parquet"
    ask(*words, "--min-usd", "2k", "--where", "size > 1 or price < 0", "-o", str(target))
    assert pl.read_parquet(target).height == sum(row["notional_usd"] >= 2_000 and row["size"] > 1 for row in rows)
    assert pl.read_parquet_metadata(target)["marketcli.where"] == "notional_usd >= 2000 and (size > 1 or price < 0)"


def test_a_filter_that_nothing_passes_is_an_answer(ask: Ask) -> None:
    done = ask("trades", "BTCUSDT", "-n", "20", "--min-usd", "1b")
    assert (done.returncode, done.stdout) == (0, "")
    assert "0 of 20 rows" in done.stderr


def test_what_has_no_value_in_dollars_is_told(ask: Ask) -> None:
    done = ask("trades", "ETHBTC", "-n", "20", "--min-usd", "1")
    assert (done.returncode, done.stdout) == (0, "")
    assert "BTC is no dollar" in done.stderr
    assert "no dollar" not in ask("trades", "ETHUSDC", "-n", "20", "--min-usd", "1").stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("BTC -e bybit --since 1h", 4, "binance, okx"),
        ("BTC -e hyperliquid --since 1h", 4, "binance, okx"),
        ("BTC --since 2020", 4, "keeps"),
        ("BTC --since 1h -n 5", 2, "--last goes with --until only"),
        ("BTC --side long", 2, "buy or sell"),
        ("BTC --min-usd -1", 2, "is no amount"),
        ("BTC -n 5000", 4, "at most"),
        ("BTC --fields bid", 2, "no field"),
        ("BTC --where side>>1", 2, ">"),
        ("BTC --side buy --where 'x", 2, "'x' is nothing a filter knows"),
        ("BTC --min-usd 1 --where 1)or(2", 2, "filter"),
        ("NOSUCH", 2, "no instrument"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_remedy(ask: Ask, words: str, code: int, said: str) -> None:
    done = ask("trades", *words.split())
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_trades_that_ids_show_to_be_missing_are_told(
    ask: Ask, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, hole = listing(sandbox, Market.LINEAR), Window(NOW - 1_740 * SECOND, NOW - 1_735 * SECOND)
    truth, gone = sandbox.world.trades(item, WINDOW), sandbox.world.trades(item, hole)
    given = World.trades_from, World.trades
    monkeypatch.setattr(World, "trades_from", lambda *asked: [one for one in given[0](*asked) if one.time not in hole])
    monkeypatch.setattr(
        World, "trades", lambda *asked, **more: [one for one in given[1](*asked, **more) if one.time not in hole]
    )
    done = ask("trades", "SOLUSDT", "--since", SINCE, "--until", UNTIL)
    assert done.returncode == 3
    assert len(done.rows()) == len(truth) - len(gone)
    assert len(gone) > 1
    assert f"{len(gone):,} trades are missing" in done.stderr
    assert "asked twice" in done.stderr


@pytest.mark.parametrize("fault", ["duplicate_rows", "unordered_rows", "unknown_fields", "http503_burst:first=2"])
def test_bad_pages_lose_nothing_and_double_nothing(fault: str) -> None:
    window = Window(WINDOW.start, WINDOW.start + 60 * SECOND)
    broken = f"{fault}{',' if ':' in fault else ':'}path=aggTrades"
    with Sandbox(clock=lambda: NOW, limits=False, faults=[broken]) as sandbox:
        done = mkt("--via", sandbox.url, "trades", "SOLUSDT", "--since", SINCE, "--until", iso(window.end))
        truth = sandbox.world.trades(listing(sandbox, Market.LINEAR), window)
    assert done.returncode == 0
    assert [row["time"] for row in done.rows()] == [iso(one.time) for one in truth]


def test_one_id_of_two_trades_is_a_contradiction(tmp_path: Path) -> None:
    # Pages that go on by id have no window, so the rows put around them are copies at other times.
    with Sandbox(clock=lambda: NOW, limits=False, faults=["rows_out_of_window:path=aggTrades"]) as sandbox:
        words = ["trades", "SOLUSDT", "--since", SINCE, "--until", UNTIL, "-o", str(tmp_path / "x.csv")]
        done = mkt("--via", sandbox.url, *words)
    assert (done.returncode, list(tmp_path.iterdir())) == (8, [])
    assert "to two trades" in done.stderr


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_says_what_takers_did(sandbox: Sandbox, columns: int) -> None:
    words = ["--via", sandbox.url, "trades", "BTCUSDT", "-n", "9"]
    printed, code = screen(*words, columns=columns)
    lines = plain(printed)
    assert code == 0
    assert max(len(line) for line in lines) <= columns
    rows = [line.split() for line in lines if re.match(r" *\d\d:\d\d:\d\d\.\d{3} ", line)]
    assert len(rows) == 9
    assert {row[1] for row in rows} <= {"buy", "sell"}
    assert all(re.fullmatch(r"[\d,]+\.\d", row[2]) for row in rows)
    caption = " ".join(lines[-3:])
    assert "9 trades" in caption
    assert re.search(r"buys \S+ USDT · sells \S+ USDT", caption)
    coloured = [line for line in printed.splitlines() if "\x1b[32m" in line or "\x1b[31m" in line]
    assert all(("\x1b[32m" in line) == (" buy " in line or "buy  " in line) for line in coloured)
    assert len(coloured) == 9


def test_totals_are_those_of_the_rows(sandbox: Sandbox) -> None:
    words = ["--via", sandbox.url, "trades", "BTCUSDT", "--since", SINCE, "--until", "2026-11-21T09:00:20"]
    sums: dict[str, float] = {"buy": 0.0, "sell": 0.0}
    for row in mkt(*words).rows():
        sums[row["side"]] += row["notional"]
    from marketcli.output.cells import short  # noqa: PLC0415

    caption = " ".join(plain(screen(*words, columns=200)[0])[-3:])
    assert f"buys {short(sums['buy'])} USDT · sells {short(sums['sell'])} USDT" in caption


def test_nothing_to_draw_is_drawn_as_nothing(sandbox: Sandbox) -> None:
    printed, code = screen("--via", sandbox.url, "trades", "BTCUSDT", "-n", "5", "--min-usd", "1b")
    assert code == 0
    assert "no rows" in printed
    assert "0 of 5 rows" in " ".join(plain(printed))


def test_exchanges_stand_below_each_other(ask: Ask, sandbox: Sandbox) -> None:
    rows: list[dict[str, Any]] = ask("trades", "BTC", "-e", "binance,okx", "-n", "3").rows()
    assert [row["exchange"] for row in rows] == ["binance"] * 3 + ["okx"] * 3
    lines = plain(screen("--via", sandbox.url, "trades", "BTC", "-e", "binance,okx", "-n", "3")[0])
    assert [line.split(" · ")[2].split()[0] for line in lines if " · trades · " in line] == ["binance", "okx"]
