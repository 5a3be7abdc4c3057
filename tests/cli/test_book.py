"""`mkt book`: the market's own levels, and figures that never claim more than the levels show."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from pty_runner import plain, screen

from marketcli import frames
from marketcli.api.answer import Answer
from marketcli.api.books import summarised
from marketcli.cli import ladder
from marketcli.cli.options import Output
from marketcli.cli.show import Destination
from marketcli.config import load
from marketcli.datasets import BOOK, BOOK_SUMMARY
from marketcli.models import Instrument, Market, to_micros
from marketcli.output.theme import ASCII, DRAWN
from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli_runner import Run

    from marketcli.world import Listing

    Ask = Callable[..., Run]

NOW = to_micros(datetime(2026, 11, 21, 9, 30, tzinfo=UTC))
SYMBOLS = {Market.SPOT: "BTC-USDT", Market.LINEAR: "BTCUSDT", Market.INVERSE: "BTCUSD_PERP"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    # Its clock stands still: a budget that is spent would never come back.
    with Sandbox(clock=lambda: NOW, limits=False) as running:
        yield running


def listing(sandbox: Sandbox, market: Market, base: str = "BTC") -> Listing:
    found = [one for one in sandbox.world.listings(market) if one.base == base and one.quote in {"USDT", "USD"}]
    return next(one for one in found if one.perpetual or market is Market.SPOT)


def sides(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return [row for row in rows if row["side"] == "bid"], [row for row in rows if row["side"] == "ask"]


@pytest.mark.parametrize("market", SYMBOLS)
def test_the_levels_are_the_market_s_own(ask: Ask, sandbox: Sandbox, market: Market) -> None:
    bids, asks = sides(ask("book", SYMBOLS[market], "--depth", "7").rows())
    truth = sandbox.world.book(listing(sandbox, market), 7)
    for found, levels in ((bids, truth.bids), (asks, truth.asks)):
        assert [row["price"] for row in found] == [level.price for level in levels]
        assert [row["size"] for row in found] == pytest.approx([level.size for level in levels])
        assert [row["level"] for row in found] == list(range(1, 8))
        value = 100.0 * levels[0].contracts if market is Market.INVERSE else levels[0].price * levels[0].size
        assert found[0]["notional"] == pytest.approx(value)


def test_there_are_a_hundred_levels_or_all_that_the_exchange_gives(ask: Ask) -> None:
    for exchange, count in (("binance", 100), ("hyperliquid", 20), ("okx", 100)):
        bids, asks = sides(ask("book", "BTC", "-e", exchange).rows())
        assert (len(bids), len(asks)) == (count, count)


def test_a_summary_says_what_the_levels_say(ask: Ask) -> None:
    bids, asks = sides(ask("book", "SOLUSDT", "--depth", "300").rows())
    (row,) = ask("book", "SOLUSDT", "--depth", "300", "--summary", "--size", "20k").rows()
    mid = (bids[0]["price"] + asks[0]["price"]) / 2
    assert (row["bid"], row["ask"], row["mid"]) == (bids[0]["price"], asks[0]["price"], mid)
    assert row["spread"] == pytest.approx((row["ask"] - row["bid"]) / mid)
    assert (row["bid_levels"], row["ask_levels"]) == (300, 300)
    known = 0
    for name, levels in (("bid", bids), ("ask", asks)):
        assert row[f"{name}_depth"] == pytest.approx(sum(level["notional"] for level in levels))
        assert row[f"{name}_reach"] == pytest.approx(abs(levels[-1]["price"] / mid - 1))
        for band, share in (("10bp", 0.001), ("50bp", 0.005), ("100bp", 0.01), ("200bp", 0.02)):
            inside = [level["notional"] for level in levels if abs(level["price"] - mid) <= share * mid * 1.000000001]
            depth = row[f"{name}_depth_{band}"]
            assert (depth is None) is (row[f"{name}_reach"] <= share)
            assert depth is None or depth == pytest.approx(sum(inside))
            known += depth is not None
    assert known >= 2
    for way, levels in (("buy", asks), ("sell", bids)):
        average = walk(levels, 20_000)
        assert row[f"{way}_filled"] == row["order"] == 20_000
        assert row[f"{way}_average"] == pytest.approx(average)
        assert row[f"{way}_slippage"] == pytest.approx(abs(average / mid - 1))


def walk(levels: list[dict[str, Any]], order: float) -> float:
    """The average price of a market order, level after level."""
    left, size = Fraction(order), Fraction(0)
    for level in levels:
        part = min(left, Fraction(level["notional"]))
        size += part / Fraction(level["notional"]) * Fraction(level["size"])
        left -= part
    assert left == 0
    return float(order / size)


def test_an_order_that_the_levels_do_not_fill_has_no_price(ask: Ask) -> None:
    (row,) = ask("book", "BTCUSDT", "--depth", "5", "--summary", "--size", "1b").rows()
    assert row["order"] == 1e9
    for way, side in (("buy", "ask"), ("sell", "bid")):
        assert row[f"{way}_filled"] == row[f"{side}_depth"] < 1e9
        assert [row[f"{way}_{name}"] for name in ("average", "worst", "slippage")] == [None] * 3


def test_without_an_order_there_is_nothing_about_one(ask: Ask) -> None:
    (row,) = ask("book", "BTCUSDT", "--summary").rows()
    assert {row[name] for name in row if name.startswith(("order", "buy", "sell"))} == {None}


def test_levels_do_not_say_what_an_order_would_pay(ask: Ask) -> None:
    done = ask("book", "BTCUSDT", "--depth", "2", "--size", "1m")
    assert (done.returncode, len(done.rows())) == (0, 4)
    assert "--summary gives a row that does" in done.stderr
    assert "--summary gives" not in ask("book", "BTCUSDT", "--depth", "2", "--size", "1m", "-q").stderr
    assert "--summary gives" not in ask("book", "BTCUSDT", "--depth", "2", "--size", "1m", "--summary").stderr


def test_several_books_and_exchanges(ask: Ask, tmp_path: Path) -> None:
    done = ask("book", "BTC", "ETH", "-e", "binance,okx", "--depth", "2")
    assert [(row["exchange"], row["symbol"]) for row in done.rows()[::4]] == [
        ("binance", "BTC-USDT-PERP"), ("okx", "BTC-USDT-PERP"), ("binance", "ETH-USDT-PERP"), ("okx", "ETH-USDT-PERP"),
    ]  # fmt: skip
    target = tmp_path / "books.parquet"
    assert ask("book", "BTC", "ETH", "--summary", "-o", str(target)).returncode == 0
    assert pl.read_parquet(target).schema == frames.schema(BOOK_SUMMARY)
    (row,) = ask(
        "book", "BTC", "-e", "bybit", "--depth", "1", "--fields", "side,price", "--where", "side = 'ask'"
    ).rows()
    assert list(row) == ["side", "price"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("BTC --depth 0", 2, "--depth 0 asks for nothing"),
        ("BTC --depth 30 -e hyperliquid", 4, "Hyperliquid gives 20 levels a side at most"),
        ("BTC --size much", 2, "--size 'much' is no amount"),
        ("BTC --size 0", 2, "is no amount"),
        ("BTC --summary --fields side", 2, "no field 'side'"),
        ("BTC --fields mid", 2, "no field 'mid'"),
        ("NOSUCH", 2, "no instrument"),
        ("-", 2, "no symbols"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_remedy(ask: Ask, words: str, code: int, said: str) -> None:
    done = ask("book", *words.split())
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("summary", [[], ["--summary"]])
def test_an_empty_book_is_told(ask: Ask, summary: list[str]) -> None:
    ended = next(row["native"] for row in ask("instruments").rows() if row["status"] in {"closing", "closed"})
    done = ask("book", ended, *summary)
    assert (done.returncode, done.stdout) == (4, "")
    assert "is empty" in done.stderr or "says nothing" in done.stderr


# --- drawn

TICKED = Instrument("x", Market.LINEAR, "BTC-USDT-PERP", "BTCUSDT", "BTC", "USDT", "USDT", tick=0.1)
BIDS = [(100.0, 1.0), (99.9, 0.25), (99.0, 5.0)]
ASKS = [(100.4, 2.5), (100.5, 0.5), (102.0, 10.0)]


def answer(bids: list[tuple[float, float]] = BIDS, asks: list[tuple[float, float]] = ASKS) -> Answer:
    """A book as it comes."""
    names = ("exchange", "market", "symbol", "native", "side", "level", "price", "size", "notional", "total")
    rows = []
    for side, levels in (("bid", bids), ("ask", asks)):
        total = 0.0
        for level, (price, size) in enumerate(levels, 1):
            total += size
            rows.append(("x", "linear", "BTC-USDT-PERP", "BTCUSDT", side, level, price, size, price * size, total))
    return Answer(
        exchange="x",
        market=Market.LINEAR,
        instrument=TICKED,
        dataset=BOOK,
        interval=None,
        window=None,
        frame=frames.from_rows(BOOK, names, rows, {}),
        gaps=(),
        notes=("A note.",),
        now=NOW,
        via="x.example",
        requests=1,
        seconds=0.1,
    )


def drawn(
    capsys: pytest.CaptureFixture[str],
    book: Answer,
    *,
    asked: int = 3,
    order: float | None = None,
    levels: int | None = 3,
) -> list[str]:
    figures = summarised(book, asked=asked, order=order).frame.row(0, named=True)
    to = Destination("table", None, Output(), load({"no_color": True})[0])
    ladder.draw(to, [book], {ladder.name(book): figures}, levels=levels)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_the_best_prices_meet_in_the_middle(capsys: pytest.CaptureFixture[str]) -> None:
    lines = drawn(capsys, answer())
    rungs = [line.split() for line in lines if line.startswith(("ask", "mid", "bid"))][:7]
    assert [(rung[0], rung[1]) for rung in rungs] == [
        ("ask", "102.0"), ("ask", "100.5"), ("ask", "100.4"), ("mid", "100.2"),
        ("bid", "100.0"), ("bid", "99.9"), ("bid", "99.0"),
    ]  # fmt: skip
    assert [rung[2] for rung in rungs if rung[0] != "mid"] == ["10.00", "0.50", "2.50", "1.00", "0.25", "5.00"]
    assert [rung[3] for rung in rungs if rung[0] != "mid"] == ["13.00", "3.00", "2.50", "1.00", "1.25", "6.25"]
    assert rungs[3][2:] == ["spread", "0.4,", "39.9", "bp"]
    lengths = [len(rung[4]) for rung in rungs if rung[0] != "mid"]
    assert lengths[0] == max(lengths) == 40
    assert lengths == pytest.approx([40, 2, 10, 4, 1, 20], abs=1)


def test_what_the_levels_do_not_reach_is_at_least(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(drawn(capsys, answer(), order=300.0))
    assert "mid 100.2" in text
    assert "imbalance -36.1% over 3 levels" in text
    bands = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.startswith(("asks", "bids"))}
    assert bands["asks"] == ["0", "301", "301", "at", "least", "1.32k"]
    assert bands["bids"] == ["0", "125", "125", "at", "least", "620"]
    assert "buy  300 USDT  average 100.42  worst 100.5  21.6 bp off mid" in text  # 251 of it at 100.4
    assert "sell 300 USDT  average 99.41  worst 99  79.3 bp off mid" in text
    assert "A note." in text


def test_a_side_with_no_more_levels_is_known_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(drawn(capsys, answer(), asked=4, order=5_000.0))
    assert "at least" not in text
    assert "not filled by the levels fetched: 3 asks hold 1.32k" in text
    assert "not filled by the levels fetched: 3 bids hold 620" in text


def test_a_book_with_one_side_has_no_middle(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(drawn(capsys, answer(asks=[]), order=50.0))
    assert "No middle: one side is empty." in text
    assert "buy  50 USDT  not filled by the levels fetched: 0 asks hold 0" in text
    assert "sell 50 USDT  average 100" in text


def test_few_levels_are_drawn_of_many(capsys: pytest.CaptureFixture[str]) -> None:
    many = answer([(100 - n / 10, 1.0) for n in range(60)], [(101 + n / 10, 1.0) for n in range(60)])
    lines = drawn(capsys, many, levels=None)
    count = ladder.fitting(Destination("table", None, Output(), load({})[0]).console().height)
    assert sum(line.startswith("bid ") for line in lines) == count < 60
    assert f"{2 * count} of 120 levels drawn" in " ".join(lines)
    assert sum(line.startswith("ask ") for line in drawn(capsys, many, levels=60)) == 60


@pytest.mark.parametrize(("height", "levels"), [(10, 5), (24, 5), (40, 11), (60, 20), (200, 20)])
def test_so_many_levels_fit(height: int, levels: int) -> None:
    assert ladder.fitting(height) == levels


def test_bars_are_as_long_as_sizes_are_large() -> None:
    assert ladder.bars([8.0, 4.0, 1.0, 0.0], 8, DRAWN) == ["█" * 8, "█" * 4, "█", ""]
    assert ladder.bars([8.0, 0.5, 1e-9], 8, DRAWN) == ["█" * 8, "▌", "▏"]
    assert ladder.bars([8.0, 4.0, 1e-9], 8, ASCII) == ["########", "####", "#"]
    assert ladder.bars([], 8, DRAWN) == []


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("words", ["BTCUSDT", "BTCUSDT BTCUSD_PERP --depth 4 --size 1m", "BTC ETH --summary --size 1m"])
def test_books_fit_the_terminal(sandbox: Sandbox, words: str, columns: int) -> None:
    printed, code = screen("--via", sandbox.url, "book", *words.split(), columns=columns)
    lines = plain(printed)
    assert code == 0
    assert max(len(line) for line in lines) <= columns
    assert "BTC-USDT-PERP" in lines[0] or any(line.startswith("BTC-USDT-PERP") for line in lines)


def test_colour_only_underlines(sandbox: Sandbox) -> None:
    words = ["--via", sandbox.url, "book", "BTCUSDT", "--depth", "3"]
    coloured, bare = screen(*words)[0], screen(*words, "--no-color")[0]
    assert "\x1b[32m" in coloured
    assert "\x1b[31m" in coloured
    assert "\x1b[3" not in bare
    ladder_of = [[line for line in plain(text) if line.startswith(("ask", "mid", "bid"))] for text in (coloured, bare)]
    assert ladder_of[0] == ladder_of[1]


def test_levels_that_pass_a_filter(sandbox: Sandbox) -> None:
    printed, _ = screen("--via", sandbox.url, "book", "BTCUSDT", "--where", "level <= 2 and side = 'bid'")
    lines = plain(printed)
    assert sum(line.startswith("bid ") for line in lines) == 2
    assert not any(line.startswith("ask ") for line in lines)
    assert "2 of 200 rows match --where" in " ".join(lines)
