"""Frames, views and streams that the tests of the output show and write."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from marketcli import frames
from marketcli.datasets import INSTRUMENTS, OHLC, columns
from marketcli.models import DAY, HOUR, MINUTE
from marketcli.output.theme import console
from marketcli.output.view import View

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

CANDLE_KINDS = {column.name: column.type for column in columns(OHLC)}
INSTRUMENT_KINDS = {column.name: column.type for column in columns(INSTRUMENTS)}
START = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
WAVE = (0.0, 0.4, -0.3, 1.1, 0.9, 0.9, -1.2)  # percent
HOSTILE = "\x1b]0;gone\x07\x9b31m\u202e[/][bold]:smile:\x00\nnext"


def candles(
    count: int, *, step: int = HOUR, start: int = START, price: float = 61_234.5, places: int = 1, running: bool = False
) -> pl.DataFrame:
    """Candles of BTCUSDT that go up and down; the last one is unfinished if `running`."""
    names = tuple(name for name in CANDLE_KINDS if name not in ("exchange", "market", "interval", "source"))
    rows, last = [], price
    for number in range(count):
        close = round(price * (1 + WAVE[number % len(WAVE)] / 100), places)
        high, low = round(max(last, close) * 1.002, places), round(min(last, close) * 0.998, places)
        volume = 12.5 * 10 ** (number % 5)
        closed = not running or number < count - 1
        whole = (last, high, low, close, volume, volume * close, 1_234 * number, volume / 2, None, closed)
        rows.append(("BTC-USDT-PERP", "BTCUSDT", start + number * step, *whole))
        last = close
    constants = {"exchange": "binance", "market": "linear", "interval": "1h", "source": "rest"}
    return frames.from_rows(OHLC, names, rows, constants)


def candle_view(frame: pl.DataFrame, **more: object) -> View:
    """A candle frame as the command shows it."""
    said: dict[str, object] = {
        "title": ("BTC-USDT-PERP", "BTCUSDT", "binance", "linear", "1h"),
        "caption": (
            "UTC",
            "binance linear via fapi.binance.com",
            f"{frame.height} closed candles",
            "1 request, 84 ms",
        ),
        "base": "BTC",
        "quote": "USDT",
        "tick": 0.1,
    }
    return View(frame, CANDLE_KINDS, **(said | more))  # type: ignore[arg-type]


def running_view() -> View:
    """Ten candles of which the last is unfinished for another 12:34."""
    end = START + 10 * HOUR
    return candle_view(candles(10, running=True), closes_at=end, now=end - 12 * MINUTE - 34_000_000)


def instruments() -> pl.DataFrame:
    """Instruments, one of them with a Chinese name and one already delivered."""
    names = tuple(name for name in INSTRUMENT_KINDS if name not in ("exchange", "market", "settle", "quote"))
    rows = [
        ("BTC-USDT-PERP", "BTCUSDT", "BTC", 1.0, 1, 0.1, 0.001, "trading", START - 900 * DAY, None, "BTC/USDT:USDT"),
        ("1000PEPE-USDT-PERP", "1000PEPEUSDT", "1000PEPE", 1.0, 1_000, 1e-7, 1.0, "trading", START, None, "x"),
        ("币安人生-USDT-PERP", "币安人生USDT", "币安人生", 1.0, 1, 1e-5, 1.0, "trading", None, None, "y"),
        ("BTC-USDT-270326", "BTCUSDT_270326", "BTC", 1.0, 1, 0.1, 1000.0, "pending", START, START + 125 * DAY, "z"),
    ]
    constants = {"exchange": "binance", "market": "linear", "settle": "USDT", "quote": "USDT"}
    return frames.from_rows(INSTRUMENTS, names, rows, constants)


def instrument_view() -> View:
    """The instruments as the command shows them."""
    return View(instruments(), INSTRUMENT_KINDS, title=("instruments", "binance", "linear"), caption=("4 instruments",))


def screen(width: int | None = 80, *, color: bool = False, encoding: str = "utf-8") -> tuple[Console, io.BytesIO]:
    """A console and the bytes that reach it."""
    behind = io.BytesIO()
    stream = io.TextIOWrapper(behind, encoding=encoding, write_through=True, newline="\n")
    return console(stream, color=color, width=width, environ={}), behind
