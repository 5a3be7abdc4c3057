"""`mkt ticker`: the market's own 24 hours, of some or of all; choice and order for people and for pipes."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from pty_runner import plain, screen

from marketcli import frames
from marketcli.api.answer import Answer
from marketcli.cli.board import draw
from marketcli.cli.choice import Choice
from marketcli.cli.options import Output
from marketcli.cli.show import Destination
from marketcli.config import load
from marketcli.datasets import TICKER
from marketcli.models import Market, to_micros
from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli_runner import Run

    from marketcli.world import Listing

    Ask = Callable[..., Run]

SYMBOLS = {Market.SPOT: "BTC-USDT", Market.LINEAR: "BTCUSDT", Market.INVERSE: "BTCUSD_PERP"}
NOW = to_micros(datetime(2026, 11, 21, 9, 30, tzinfo=UTC))
EVERYWHERE = "binance,bybit,okx,hyperliquid"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    # Its clock stands still: a budget that is spent would never come back.
    with Sandbox(clock=lambda: NOW, limits=False) as running:
        yield running


def listing(sandbox: Sandbox, market: Market) -> Listing:
    found = [one for one in sandbox.world.listings(market) if one.base == "BTC" and one.quote in {"USDT", "USD"}]
    return next(one for one in found if one.perpetual or market is Market.SPOT)


@pytest.mark.parametrize("market", SYMBOLS)
def test_a_ticker_is_the_market_s_own(ask: Ask, sandbox: Sandbox, market: Market) -> None:
    (row,) = ask("ticker", SYMBOLS[market]).rows()
    truth = sandbox.world.ticker(listing(sandbox, market))
    assert [row[name] for name in ("last", "open", "high", "low", "bid", "ask", "trades")] == [
        truth.last, truth.open, truth.high, truth.low, truth.bid, truth.ask, truth.trades,
    ]  # fmt: skip
    assert row["change"] == pytest.approx(truth.last / truth.open - 1)
    assert row["spread"] == pytest.approx((truth.ask - truth.bid) / (truth.ask + truth.bid) * 2)
    assert row["volume_base"] == pytest.approx(truth.volume_base, rel=1e-6)
    assert row["volume_usd"] == pytest.approx(truth.volume_quote, rel=1e-6)
    assert row["bid_size"] == pytest.approx(truth.bid_size)


def test_all_is_everything_of_every_market_the_largest_first(ask: Ask) -> None:
    rows = ask("ticker", "--all").rows()
    assert {row["market"] for row in rows} == {"spot", "linear", "inverse"}
    volumes = [row["volume_usd"] for row in rows]
    known = [volume for volume in volumes if volume is not None]
    assert volumes == sorted(known, reverse=True) + [None] * (len(volumes) - len(known))
    assert None in volumes  # such as ETH-BTC, which has no value in dollars
    listed = {row["symbol"] for row in ask("instruments").rows() if row["status"] == "trading"}
    assert listed <= {row["symbol"] for row in rows}


def test_one_market_of_all(ask: Ask) -> None:
    assert {row["market"] for row in ask("ticker", "--all", "-m", "um").rows()} == {"linear"}


def test_several_exchanges_make_one_list(ask: Ask) -> None:
    rows = ask("ticker", "--all", "--top", "12", "-e", EVERYWHERE).rows()
    assert len(rows) == 12
    assert len({row["exchange"] for row in rows}) == 4
    volumes = [row["volume_usd"] for row in rows]
    assert volumes == sorted(volumes, reverse=True)


@pytest.mark.parametrize(
    ("words", "column", "falling"),
    [
        ("--sort change", "change", True),
        ("--sort change:asc", "change", False),
        ("--sort trades:desc", "trades", True),
        ("--sort symbol", "symbol", False),
        ("--sort symbol:desc", "symbol", True),
        ("--sort volume_usd:asc", "volume_usd", False),
    ],
)
def test_order(ask: Ask, words: str, column: str, *, falling: bool) -> None:
    found = [row[column] for row in ask("ticker", "--all", "-m", "spot", *words.split()).rows()]
    known = [value for value in found if value is not None]
    assert len(known) > 3
    assert found == sorted(known, reverse=falling) + [None] * (len(found) - len(known))


def test_named_symbols_stay_in_their_order_unless_told(ask: Ask) -> None:
    words = ["ticker", "SOLUSDT", "BTCUSDT", "ETHUSDT"]
    assert [row["native"] for row in ask(*words).rows()] == words[1:]
    assert [row["native"] for row in ask(*words, "--sort", "last", "--top", "2").rows()] == ["BTCUSDT", "ETHUSDT"]
    assert [row["native"] for row in ask(*words, "--exclude", "btc").rows()] == ["SOLUSDT", "ETHUSDT"]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("--quote USDC", lambda row: "-USDC" in row["symbol"]),
        ("--quote usdc,BTC", lambda row: "-USDC" in row["symbol"] or "-BTC" in row["symbol"]),
        ("--exclude ETH", lambda row: not row["symbol"].startswith("ETH-")),
        ("--exclude ETH*,*USDC*", lambda row: not row["symbol"].startswith("ETH") and "USDC" not in row["symbol"]),
        ("--exclude ETH* --exclude sol*", lambda row: row["symbol"][:3] not in {"ETH", "SOL"}),
        ("--min-volume 500m", lambda row: (row["volume_usd"] or 0) >= 500e6),
        ("--min-volume 0.5b --quote USDT", lambda row: (row["volume_usd"] or 0) >= 5e8 and "-USDT" in row["symbol"]),
    ],
)
def test_choice(ask: Ask, words: str, kept: Callable[[dict[str, Any]], bool]) -> None:
    rows = ask("ticker", "--all", "-m", "spot").rows()
    expected = [row["symbol"] for row in rows if kept(row)]
    assert 0 < len(expected) < len(rows)
    assert [row["symbol"] for row in ask("ticker", "--all", "-m", "spot", *words.split()).rows()] == expected


def test_the_quote_is_what_prices_are_counted_in(ask: Ask) -> None:
    found = ask("ticker", "--all", "-m", "inverse", "--quote", "usd").rows()
    assert found == ask("ticker", "--all", "-m", "inverse").rows() != []


def test_the_first_are_counted_after_all_filters(ask: Ask) -> None:
    falling = ask("ticker", "--all", "--where", "last < 200").rows()
    words = ["--all", "--where", "last < 200", "--exclude", falling[0]["symbol"], "--top", "2"]
    done = ask("ticker", *words)
    assert [row["symbol"] for row in done.rows()] == [row["symbol"] for row in falling[1:3]]
    assert done.stderr.count("rows match --where") == 1


def test_files_have_the_same_rows_in_the_same_order(ask: Ask, tmp_path: Path) -> None:
    words = ["ticker", "--all", "--min-volume", "100m", "--sort", "change", "--top", "5"]
    shown = [row["symbol"] for row in ask(*words).rows()]
    target = tmp_path / "tickers.parquet"
    assert ask(*words, "-o", str(target)).returncode == 0
    assert pl.read_parquet(target)["symbol"].to_list() == shown
    assert "volume_usd >= 100000000" in pl.read_parquet_metadata(target)["marketcli.where"]
    done = ask(*words, "-f", "csv", "--fields", "symbol,change")
    assert [row["symbol"] for row in csv.DictReader(done.stdout.splitlines())] == shown
    assert ask("ticker", "--all", "-m", "spot", "-o", str(tmp_path / "{symbol}.csv")).returncode == 0
    assert (tmp_path / "BTC-USDT.csv").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("", 2, "either symbols or --all"),
        ("BTC --all", 2, "either symbols or --all"),
        ("--all --top 0", 2, "--top 0 asks for nothing"),
        ("--all --sort nosuch", 2, "no field 'nosuch'"),
        ("--all --sort change:down", 2, "change:asc or change:desc"),
        ("--all --min-volume lots", 2, "--min-volume 'lots' is no amount"),
        ("--all --min-volume -5", 2, "is no amount"),
        ("--all --where volume_usd>>1", 2, ">"),
        ("--all --fields nosuch", 2, "no field"),
        ("--all --quote NOSUCH", 4, "Quotes are BTC, USD, USDC, USDT"),
        ("--all -e hyperliquid -m inverse", 4, "has no inverse market"),
        ("NOSUCH", 2, "no instrument"),
        ("--all -e nosuch", 2, "no exchange"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_remedy(ask: Ask, words: str, code: int, said: str) -> None:
    done = ask("ticker", *words.split())
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_no_ticker_that_passes_a_filter_is_an_answer(ask: Ask) -> None:
    done = ask("ticker", "--all", "--min-volume", "999t")
    assert (done.returncode, done.stdout) == (0, "")
    assert "0 of" in done.stderr


def test_one_exchange_that_fails_does_not_lose_the_others(ask: Ask) -> None:
    done = ask("ticker", "--all", "-m", "inverse", "-e", "hyperliquid,binance")
    assert done.returncode == 4
    assert {row["exchange"] for row in done.rows()} == {"binance"}
    assert "Hyperliquid has no inverse market" in done.stderr


def test_another_exchange_stands_in_and_every_row_says_so(ask: Ask) -> None:
    done = ask("ticker", "--all", "-m", "inverse", "-e", "hyperliquid", "--fallback", "okx")
    rows = done.rows()
    assert done.returncode == 0
    assert {(row["exchange"], row["fallback_from"]) for row in rows} == {("okx", "hyperliquid")}
    assert "could not answer" in done.stderr


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("words", ["BTCUSDT BTC-USDT", "--all --top 10 -m linear", "--all -m spot"])
def test_tables_fit_the_terminal(sandbox: Sandbox, words: str, columns: int) -> None:
    printed, code = screen("--via", sandbox.url, "ticker", *words.split(), columns=columns)
    lines = plain(printed)
    assert code == 0
    assert max(len(line) for line in lines) <= columns
    assert ("largest volume_usd first" in lines[0]) is ("--all" in words)
    assert any(line.startswith("BTC-USDT") and "%" in line for line in lines)


def test_a_mark_price_never_passes_for_a_last_one(sandbox: Sandbox) -> None:
    printed, _ = screen("--via", sandbox.url, "ticker", "BTC", "-e", "hyperliquid")
    (row,) = [line for line in plain(printed) if line.startswith("BTC-USDC-PERP")]
    assert row.split()[1] == "mark"


@pytest.mark.parametrize(("count", "top"), [(200, None), (250, None), (250, 250)])
def test_a_long_list_is_cut_on_a_terminal_and_says_so(
    count: int, top: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(Destination("table", None, Output(), load({})[0]), [many(count)], Choice(top=top))
    printed = capsys.readouterr().out
    cut = count > 200 and top is None
    assert printed.count("-USDT-PERP") == (200 if cut else count)
    assert ("the first 200 of 250: --top 250 shows all" in printed) is cut


def many(count: int) -> Answer:
    """So many tickers of one market."""
    rows = [("x", "linear", f"C{n}-USDT-PERP", f"C{n}", 1.0 + n) for n in range(count)]
    return Answer(
        exchange="x",
        market=Market.LINEAR,
        instrument=None,
        dataset=TICKER,
        interval=None,
        window=None,
        frame=frames.from_rows(TICKER, ("exchange", "market", "symbol", "native", "last"), rows, {}),
        gaps=(),
        notes=(),
        now=NOW,
        via="x.example",
        requests=1,
        seconds=0.1,
    )


def test_all_columns_keep_the_order(sandbox: Sandbox) -> None:
    words = ["--all", "-m", "spot", "--sort", "last", "--top", "3", "--fields", "symbol,last"]
    lines = plain(screen("--via", sandbox.url, "ticker", *words)[0])
    found = [match for line in lines if (match := re.fullmatch(r"[A-Z]+-[A-Z]+ +([\d,.]+) *", line))]
    prices = [float(match[1].replace(",", "")) for match in found]
    assert len(prices) == 3
    assert prices == sorted(prices, reverse=True)
