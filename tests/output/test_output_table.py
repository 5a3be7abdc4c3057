from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl
import pytest
from output.samples import (
    CANDLE_KINDS,
    HOSTILE,
    START,
    candle_view,
    candles,
    instrument_view,
    running_view,
    screen,
)

from marketcli.models import DAY, MINUTE
from marketcli.output.table import show, show_candles
from marketcli.output.view import View

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

WIDTHS = (40, 80, 120)


def candle_text(*views: View, width: int | None = 80, wide: bool = False, **more: object) -> str:
    target, behind = screen(width, **more)  # type: ignore[arg-type]
    show_candles(target, views, wide=wide)
    return behind.getvalue().decode(str(more.get("encoding", "utf-8")))


def text(view: View, *, width: int | None = 80, wide: bool = False) -> str:
    target, behind = screen(width)
    show(target, view, wide=wide)
    return behind.getvalue().decode()


def schema_view() -> View:
    kinds = {"name": "text", "type": "text", "optional": "boolean", "unit": "text", "meaning": "prose"}
    rows = [
        ("symbol", "text", False, "", "canonical name: BTC-USDT, BTC-USDT-PERP, BTC-USD-270326"),
        ("time", "time", False, "UTC", "open time, inclusive"),
        ("volume_quote", "number", True, "quote", "traded value; of inverse contracts: contracts x contract size"),
    ]
    return View(pl.DataFrame(rows, schema=list(kinds), orient="row"), kinds, title=("ohlc", "candles"))


@pytest.mark.parametrize("width", WIDTHS)
def test_candles(width: int, snapshot: SnapshotAssertion) -> None:
    assert candle_text(running_view(), width=width) == snapshot


@pytest.mark.parametrize("width", WIDTHS)
def test_candles_in_colour(width: int, snapshot: SnapshotAssertion) -> None:
    assert candle_text(running_view(), width=width, color=True).replace("\x1b", "<ESC>") == snapshot


@pytest.mark.parametrize("width", WIDTHS)
def test_candles_in_ascii(width: int, snapshot: SnapshotAssertion) -> None:
    shown = candle_text(running_view(), width=width, encoding="ascii")
    assert "?" not in shown
    assert shown == snapshot


def test_all_columns_on_demand(snapshot: SnapshotAssertion) -> None:
    assert candle_text(running_view(), width=40, wide=True) == snapshot


@pytest.mark.parametrize("width", WIDTHS)
def test_instruments(width: int, snapshot: SnapshotAssertion) -> None:
    assert text(instrument_view(), width=width) == snapshot


@pytest.mark.parametrize("width", WIDTHS)
def test_a_schema_wraps_its_sentences(width: int, snapshot: SnapshotAssertion) -> None:
    assert text(schema_view(), width=width) == snapshot


def test_several_instruments_are_blocks_with_their_own_digits(snapshot: SnapshotAssertion) -> None:
    daily = candle_view(candles(3, step=DAY), title=("BTC-USDT-PERP", "1d"))
    small = candle_view(
        candles(3, step=MINUTE, start=START - MINUTE, price=0.00001234, places=8),
        title=("1000PEPE-USDT-PERP", "1m"),
        base="1000PEPE",
        tick=1e-8,
        notes=("2 candles are missing.",),
    )
    assert candle_text(daily, small, width=100) == snapshot


@pytest.mark.parametrize("width", [*WIDTHS, 60, 100])
@pytest.mark.parametrize("view", [running_view(), instrument_view(), schema_view()])
def test_no_line_is_longer_than_the_terminal(width: int, view: View) -> None:
    shown = candle_text(view, width=width) if "close" in view.frame.columns else text(view, width=width)
    assert max(len(line) for line in shown.splitlines()) <= width


def test_dropped_columns_are_counted() -> None:
    shown = candle_text(running_view(), width=40)
    heads = next(line for line in shown.splitlines() if "close" in line and "time" in line).split()
    assert heads == ["time", "UTC", "close", "change", "vol", "BTC"]
    assert "+6 columns (--wide, or -f csv)" in shown  # open, high, low, vol USDT, trades, taker buy BTC
    assert "--wide" not in candle_text(running_view(), width=200)


@pytest.mark.parametrize("width", [0, None])
def test_an_unknown_width_loses_nothing(width: int | None) -> None:
    shown = candle_text(running_view(), width=width)
    assert "taker buy BTC" in shown
    assert "--wide" not in shown


def test_a_column_without_any_value_is_not_drawn() -> None:
    assert "contracts" not in candle_text(running_view(), width=200)
    frame = candles(3).with_columns(volume_contracts=pl.lit(12.0))
    assert "contracts" in candle_text(candle_view(frame), width=200)


def test_an_open_candle_is_marked_and_its_end_counted_down() -> None:
    shown = candle_text(running_view())
    assert [line[:8].strip() for line in shown.splitlines() if "◦" in line] == ["◦09:00", "◦ still"]
    assert "◦ still open, closes in 12:34" in shown
    assert "◦" not in candle_text(candle_view(candles(3)))


def test_an_open_candle_without_a_known_end_is_marked_too() -> None:
    shown = candle_text(candle_view(candles(3, running=True)))
    assert "◦ still open\n" in shown


def test_prices_are_never_rounded() -> None:
    frame = candles(1).with_columns(close=pl.lit(61_234.123456789))
    shown = candle_text(candle_view(frame), width=200)
    assert "61,234.123456789" in shown
    assert "61,234.500000000" in shown  # all prices with the same digits


def test_candles_of_a_price_that_may_be_negative() -> None:
    names = ("time", "open", "high", "low", "close", "closed")
    frame = candles(2).select(names).with_columns(pl.col("open", "high", "low", "close") * 0 - 0.0001)
    shown = candle_text(candle_view(frame, tick=None), width=200)
    assert "-0.0001" in shown
    assert "%" not in shown


def test_no_rows_say_so() -> None:
    assert "no rows" in candle_text(candle_view(candles(0)))
    assert "no rows" in text(View(candles(0), CANDLE_KINDS))


def test_large_tables_look_like_small_ones() -> None:
    few = candle_text(candle_view(candles(150)), width=100).splitlines()
    many = candle_text(candle_view(candles(1_500)), width=100).splitlines()
    assert len(many) - len(few) == 1_350
    heads = [next(line for line in lines if "open" in line and "high" in line) for lines in (few, many)]
    assert heads[0].split() == heads[1].split()


def test_the_fields_chosen_come_in_the_users_order() -> None:
    frame = candles(2).select("close", "time", "symbol", "closed")
    lines = text(View(frame, CANDLE_KINDS)).splitlines()
    assert lines[0].split() == ["close", "time", "UTC", "symbol", "closed"]
    assert lines[2].split() == ["61,234.5", "2026-11-21", "00:00", "BTC-USDT-PERP", "✓"]


def test_what_the_headline_says_of_all_rows_is_no_column() -> None:
    frame = instrument_view().frame
    kinds = instrument_view().kinds
    assert "exchange" in text(View(frame, kinds), width=300)
    assert "exchange" not in text(View(frame, kinds, title=("binance", "linear")), width=300)


def hostile_views() -> list[View]:
    frame = candles(3).with_columns(symbol=pl.lit(HOSTILE), native=pl.lit(HOSTILE))
    said = {"title": (HOSTILE, HOSTILE), "caption": (HOSTILE,), "notes": (HOSTILE,), "base": HOSTILE, "quote": HOSTILE}
    return [candle_view(frame, **said), View(frame, CANDLE_KINDS, title=(HOSTILE,), caption=(HOSTILE,))]


@pytest.mark.parametrize("width", [40, 80, None])
@pytest.mark.parametrize("color", [False, True])
def test_hostile_names_do_nothing_to_a_terminal(width: int | None, *, color: bool) -> None:
    target, behind = screen(width, color=color)
    candle, plain = hostile_views()
    show_candles(target, [candle], wide=True)
    show(target, plain, wide=True)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", behind.getvalue().decode())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", shown)
    assert r"\x1b]0;gone\x07\x9b31m\u202e[/][bold]:smile:\x00\x0anext" in shown
    assert "\nnext" not in shown


def test_the_colours_are_only_ours() -> None:
    target, behind = screen(200, color=True)
    show_candles(target, hostile_views()[:1])
    codes = set(re.findall(r"\x1b\[([0-9;]*)m", behind.getvalue().decode()))
    assert codes <= {"0", "1", "2", "31", "32", "36"}
