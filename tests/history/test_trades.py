"""Past trades against an exchange in memory: all of them, and ids that tell how many are missing where."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli import frames
from marketcli.datasets import TRADES, TRADES_HISTORY
from marketcli.errors import IntegrityError
from marketcli.history.check import ABSENT
from marketcli.history.trades import Tape, jumps
from marketcli.models import MILLISECOND, SECOND, Instrument, Market, Micros, Window
from marketcli.paging import forward, whole
from marketcli.spec import Endpoint, Page, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import polars as pl

    from marketcli.history.check import Gap
    from marketcli.spec import Rows

START: Micros = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
BTC = Instrument("x", Market.LINEAR, "BTC-USDT-PERP", "BTCUSDT", "BTC", "USDT", "USDT")
COLUMNS = ("time", "id", "price", "size", "side")
HOUR = Window(START, START + 3_600 * SECOND)
CONSTANTS = {"exchange": "x", "market": "linear", "symbol": BTC.symbol, "native": BTC.native, "source": "rest"}


def made(count: int, *, together: int = 1) -> Rows:
    """Trades a second apart, so many of them at each moment; ids from 9 on, so that their digits grow."""
    return [(START + n // together * SECOND, str(9 + n), 100.5, 0.25, ("buy", "sell")[n % 2]) for n in range(count)]


class Exchange:
    """Trades in memory; `lost` says which the answer to a page leaves out, told the page and how many came before."""

    def __init__(self, trades: Rows, *, lost: Callable[[int, int], bool] = lambda *_: False, limit: int = 10) -> None:
        self.trades, self.lost = trades, lost
        self.asked: list[Page] = []
        self.endpoint = Endpoint(
            TRADES_HISTORY, "/x", lambda *_: {}, lambda *_: [], COLUMNS, forward, limit, "", consecutive=True
        )

    async def ask(self, endpoint: Endpoint, query: Query, page: Page) -> Rows:
        del query
        count = len(self.asked)
        self.asked.append(page)
        if page.window is None:
            return self.trades[-endpoint.limit :]
        inside = [row for row in self.trades if row[0] in page.window][: page.limit]
        return [row for row in inside if not self.lost(int(row[1]), count)]

    def tape(self, endpoint: Endpoint | None = None) -> Tape:
        return Tape(self.ask, endpoint or self.endpoint, BTC, lambda: START + 9_000 * SECOND, lambda _: None, CONSTANTS)

    def past(self, window: Window = HOUR) -> tuple[pl.DataFrame, tuple[Gap, ...]]:
        return asyncio.run(self.tape().past(window))


def ids(frame: pl.DataFrame) -> list[int]:
    return [int(text) for text in frame["id"]]


def test_all_trades_of_a_window_each_once_in_order() -> None:
    exchange = Exchange(made(95, together=3))
    frame, gaps = exchange.past()
    assert ids(frame) == list(range(9, 104))
    assert gaps == ()
    assert len(exchange.asked) > 9
    assert frame["notional"].to_list() == [25.125] * 95
    assert set(frame["source"]) == {"rest"}


def test_a_window_ends_before_its_end() -> None:
    frame, gaps = Exchange(made(50)).past(Window(START + 5 * SECOND, START + 8 * SECOND))
    assert (ids(frame), gaps) == ([14, 15, 16], ())


def test_the_newest_trades_come_oldest_first() -> None:
    exchange = Exchange(made(40))
    newest = replace(exchange.endpoint, dataset=TRADES, pages=whole, limit=4)
    assert ids(asyncio.run(exchange.tape(newest).newest())) == [45, 46, 47, 48]


def short_of(*gone: int, until: int = 1_000_000) -> Callable[[int, int], bool]:
    return lambda number, count: number in gone and count < until


def test_what_ids_leave_out_is_asked_for_once_more() -> None:
    exchange = Exchange(made(30), lost=short_of(15, 16, until=1), limit=100)
    frame, gaps = exchange.past()
    assert (ids(frame), gaps) == (list(range(9, 39)), ())
    again = exchange.asked[1].window
    assert again == Window(START + 5 * SECOND, START + 8 * SECOND + 1)  # from the trade before to the one after


def test_what_stays_away_is_a_gap_that_says_how_many() -> None:
    frame, gaps = Exchange(made(30), lost=short_of(15, 16, 30), limit=100).past()
    assert ids(frame) == [number for number in range(9, 39) if number not in {15, 16, 30}]
    assert [(gap.missing, gap.cause, gap.expected) for gap in gaps] == [(2, ABSENT, False), (1, ABSENT, False)]
    assert gaps[0].window == Window(START + 5 * SECOND, START + 8 * SECOND + 1)


def test_an_id_of_two_trades_is_a_contradiction() -> None:
    rows = [*made(5), (START + 7 * SECOND, "11", 100.5, 0.25, "buy")]
    with pytest.raises(IntegrityError, match="x gave the id 11 to two trades"):
        Exchange(rows, limit=100).past()


def test_ids_that_are_not_consecutive_prove_nothing() -> None:
    exchange = Exchange(made(30), lost=short_of(15), limit=100)
    loose = replace(exchange.endpoint, consecutive=False)
    frame, gaps = asyncio.run(exchange.tape(loose).past(HOUR))
    assert (frame.height, gaps, len(exchange.asked)) == (29, (), 1)


def row(time: int, number: int) -> tuple[object, ...]:
    return START + time * MILLISECOND, str(number), 1.0, 1.0, "buy"


def test_times_that_do_not_rise_with_ids_are_no_jump() -> None:
    rows = [row(0, 1), row(2, 2), row(1, 3), row(3, 4), row(2, 6)]
    frame = frames.tidy(frames.from_rows(TRADES, COLUMNS, rows, CONSTANTS), TRADES, who="x")
    (gap,) = jumps(frame)
    assert (gap.missing, gap.window) == (1, Window(START + 2 * MILLISECOND, START + 3 * MILLISECOND + 1))


@pytest.mark.parametrize("rows", [[], [row(0, 5)]])
def test_few_trades_have_no_jumps(rows: Rows) -> None:
    assert jumps(frames.from_rows(TRADES, COLUMNS, rows, CONSTANTS)) == []


@given(st.sets(st.integers(10, 107)), st.integers(1, 4), st.integers(5, 40))
def test_what_came_and_what_is_missing_is_everything(gone: set[int], together: int, limit: int) -> None:
    exchange = Exchange(made(100, together=together), lost=short_of(*gone), limit=limit)
    exchange.endpoint = replace(exchange.endpoint, pages=thorough)
    frame, gaps = exchange.past()
    assert ids(frame) == [number for number in range(9, 109) if number not in gone]
    assert frame.height + sum(gap.missing for gap in gaps) == 100
    assert len(gaps) == sum(number not in gone and number + 1 in gone for number in range(9, 108))


def thorough(endpoint: Endpoint, query: Query) -> Generator[Page, Rows, None]:
    """Every second by itself: pages cut short say nothing about the end."""
    assert query.window is not None
    for start in range(query.window.start, min(query.window.end, START + 101 * SECOND), SECOND):
        yield Page(Window(start, min(start + SECOND, query.window.end)), endpoint.limit)
