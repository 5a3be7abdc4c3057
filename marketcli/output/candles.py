"""Candles as columns and as one line: what moved, how far, and its course."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketcli.output import cells
from marketcli.output.layout import Column
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from marketcli.output.layout import Piece
    from marketcli.output.theme import Glyphs
    from marketcli.output.view import View

PRICES = ("open", "high", "low", "close")
SPARK = 40  # bars of a sparkline at most
# What a narrow terminal shows: the lowest comes first, those of one rank together, 0 always.
RANKS = {
    "change": 1,
    "open": 2,
    "high": 2,
    "low": 2,
    "volume_base": 3,
    "volume_quote": 4,
    "trades": 5,
    "taker_buy_base": 6,
    "volume_contracts": 7,
}


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of candles as lists, and the digits they are shown with."""

    open: list[float]
    close: list[float]
    places: int

    @classmethod
    def of(cls, view: View) -> Prices:
        """The prices of a view; digits come from the tick, and from the data where those have more."""
        places = max(cells.places_in(view.frame[name]) for name in PRICES)
        tick = cells.places_of(view.tick)
        return cls(view.frame["open"].to_list(), view.frame["close"].to_list(), max(places, tick))

    def shown(self, value: float) -> str:
        """One price."""
        from polars import Series  # noqa: PLC0415

        return cells.exact(Series([value]), filled=self.places)[0]


def candle_columns(view: View, glyphs: Glyphs) -> list[Column]:
    """The columns of a candle table; what the exchange gives for no candle is no column."""
    frame, prices = view.frame, Prices.of(view)
    running = open_rows(frame)
    moves = [cells.direction(first, last) for first, last in zip(prices.open, prices.close, strict=True)]
    plain = ["faint" if unfinished else "" for unfinished in running]
    found = [Column("time UTC", marked(view, running, glyphs), styles=plain)]
    for name in PRICES:
        styles = moves if name == "close" else plain
        shown = cells.exact(frame[name], filled=prices.places)
        found.append(Column(name, shown, styles=styles, rank=RANKS.get(name, 0)))
    found.append(Column("change", cells.changes(prices.open, prices.close, glyphs), styles=moves, rank=RANKS["change"]))
    return found + [
        Column(
            header,
            cells.counts(frame[name]) if name == "trades" else cells.shorts(frame[name]),
            styles=plain,
            rank=RANKS[name],
        )
        for name, header in amounts(view)
        if name in frame.columns and frame[name].count()
    ]


def amounts(view: View) -> list[tuple[str, str]]:
    """The columns that count something, and what stands above them."""
    base, quote = clean(view.base, cells.WORD), clean(view.quote, cells.WORD)
    return [
        ("volume_base", f"vol {base}"),
        ("volume_quote", f"vol {quote}"),
        ("trades", "trades"),
        ("taker_buy_base", f"taker buy {base}"),
        ("volume_contracts", "contracts"),
    ]


def open_rows(frame: pl.DataFrame) -> list[bool]:
    """Which candles are unfinished."""
    return (~frame["closed"]).to_list() if "closed" in frame.columns else [False] * frame.height


def marked(view: View, running: Sequence[bool], glyphs: Glyphs) -> list[str]:
    """The open times, with a sign before those of unfinished candles."""
    times = view.frame["time"]
    shown = cells.times(times, cells.lean_pattern(times))
    return [f"{glyphs.running}{time}" if unfinished else time for time, unfinished in zip(shown, running, strict=True)]


def summary(view: View, glyphs: Glyphs) -> list[Piece]:
    """What happened in the whole period, as parts with their styles: first and last price, change, high and low."""
    prices = Prices.of(view)
    first, last = prices.open[0], prices.close[-1]
    (change,) = cells.changes([first], [last], glyphs)
    high, low = max(view.frame["high"].to_list()), min(view.frame["low"].to_list())
    return [
        (f"{prices.shown(first)} {glyphs.arrow} {prices.shown(last)}", ""),
        (change.strip(), cells.direction(first, last)),
        (f"high {prices.shown(high)}", ""),
        (f"low {prices.shown(low)}", ""),
    ]


def waiting(view: View, glyphs: Glyphs) -> str:
    """What the sign of an unfinished candle means and how long it still runs; nothing if all are finished."""
    if not any(open_rows(view.frame)):
        return ""
    text = f"{glyphs.running} still open"
    if view.closes_at is None or view.now is None:
        return text
    return f"{text}, closes in {cells.countdown(view.closes_at - view.now)}"
