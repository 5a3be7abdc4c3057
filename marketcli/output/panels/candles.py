"""Candles as they grow: the open one above, the finished ones below; of many instruments a line each."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, Any

from marketcli.models import DAY, MINUTE, Interval, to_datetime
from marketcli.output.cells import countdown, spark
from marketcli.output.layout import GAP, Column
from marketcli.output.panels import figures
from marketcli.output.panels.board import changes
from marketcli.output.panels.lines import Grid
from marketcli.output.panels.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.models import Micros
    from marketcli.output.panels.lines import Line
    from marketcli.output.panels.panel import About, Feeds

KEPT = 200  # candles of an instrument that are remembered
BLOCK = 8  # lines that the block of an instrument needs
BAR, SPARK = 12, 40  # columns of a volume bar, and of a sparkline


class Candles(Panel):
    """Candles of one interval."""

    noun = "update"

    def __init__(self, feeds: Feeds, about: About) -> None:
        super().__init__(feeds, about)
        self.known: dict[tuple[str, str, str], list[Any]] = {}
        self.places = figures.Places()
        self.grids: dict[object, Grid] = {}

    def take(self, candle: Any) -> None:
        """Put it in the place of the same candle, or behind the others."""
        candles = self.known.setdefault((candle.exchange, candle.market, candle.symbol), [])
        for place in range(len(candles) - 1, -1, -1):
            if candles[place].time == candle.time:
                candles[place] = candle
                return
            if candles[place].time < candle.time:
                break
        insort(candles, candle, key=lambda one: one.time)
        del candles[:-KEPT]

    def body(self, width: int, height: int) -> list[Line]:
        """A block for each instrument if they fit, else a line for each."""
        if not self.known:
            return [[("no candle yet", "faint")]]
        each = height // len(self.known)
        if each < BLOCK:
            return self.board(width, height)
        return [line for key in sorted(self.known) for line in self.block(key, width, each)]

    def block(self, key: tuple[str, str, str], width: int, height: int) -> list[Line]:
        """The newest candle in large, and the ones before it."""
        candles = self.known[key]
        newest = candles[-1]
        name = f"{figures.name(newest.symbol)} {newest.interval}"
        where = f"{newest.exchange} {newest.market}" if len(self.known) > 1 else ""
        bars = spark([one.close for one in candles], min(SPARK, width // 3), self.glyphs.bars)
        head: Line = [(f"{name}{GAP}", "accent"), (f"{where}{GAP}" if where else "", "faint"), (bars, "faint")]
        lines = [head, *self.newest(newest)]
        rows = list(reversed(candles[:-1]))[: max(0, height - len(lines) - 3)]
        grid = self.grids.setdefault(key, Grid())
        return [*lines, [], *grid.lines(self.columns([newest, *rows]), width)[: height - len(lines) - 1]]

    def newest(self, candle: Any) -> list[Line]:
        """Where the newest candle stands, and how long it still runs."""
        price = self.price(candle)
        change = candle.close / candle.open - 1 if candle.open else None
        move = figures.move(change)
        arrow = {"up": self.glyphs.up, "down": self.glyphs.down}.get(move, "")
        parts = [f"open {price('open')}", f"high {price('high')}", f"low {price('low')}", *self.amounts(candle)]
        return [
            [
                (f"{price('close')}{GAP}{arrow}{figures.percent(change)}", f"{move}"),
                (f"{GAP}{self.left(candle)}", "note"),
            ],
            [(GAP.join(parts), "")],
        ]

    def amounts(self, candle: Any) -> list[str]:
        """What was traded, as far as the stream says."""
        named = {"vol": candle.volume_base, "quote": candle.volume_quote, "trades": candle.trades}
        return [f"{name} {figures.amount(value)}" for name, value in named.items() if value is not None]

    def price(self, candle: Any) -> Any:
        """How prices of a candle are shown."""
        key = candle.exchange, candle.symbol
        for name in ("open", "high", "low", "close"):  # all with the same digits
            self.places.shown(key, getattr(candle, name))
        return lambda name: self.places.shown(key, getattr(candle, name))

    def left(self, candle: Any) -> str:
        """How long a candle still runs, by the exchange's clock."""
        if candle.closed:
            return "closed"
        ends = Interval.parse(candle.interval).step(candle.time)
        rest = ends - self.feeds.now(candle.exchange)
        return f"closes in {countdown(rest)}" if rest > 0 else "closing"

    def columns(self, candles: Sequence[Any]) -> list[Column]:
        """Candles below each other, the newest first."""
        marked = ["" if one.closed else "faint" for one in candles]
        volumes = [one.volume_base or 0.0 for one in candles]
        largest = max(volumes, default=0.0) or 1.0
        bars = [figures.meter(volume / largest, BAR, self.glyphs)[0] for volume in volumes]
        shown = [self.price(one) for one in candles]
        return [
            Column("time UTC", [self.time(one) for one in candles], styles=marked),
            *(Column(name, [price(name) for price in shown], rank=rank) for name, rank in PRICES.items()),
            changes("change", [one.close / one.open - 1 if one.open else None for one in candles]),
            Column("vol", [figures.amount(one.volume_base) for one in candles], rank=2),
            Column("", bars, right=False, styles=["faint"] * len(bars), rank=3),
            Column("trades", [figures.amount(one.trades) for one in candles], rank=4),
        ]

    def time(self, candle: Any) -> str:
        """When a candle opens, with a sign where it is still open."""
        length: Micros = Interval.parse(candle.interval).longest
        pattern = "%Y-%m-%d" if length >= DAY else "%m-%d %H:%M:%S" if length < MINUTE else "%m-%d %H:%M"
        return f"{'' if candle.closed else self.glyphs.running}{to_datetime(candle.time):{pattern}}"

    def board(self, width: int, height: int) -> list[Line]:
        """The newest candle of every instrument, with its course."""
        keys = sorted(self.known)[: height - 1]
        candles = [self.known[key][-1] for key in keys]
        courses = [spark([one.close for one in self.known[key]], BAR, self.glyphs.bars) for key in keys]
        several = len({exchange for exchange, _, _ in self.known}) > 1
        exchange = [Column("exchange", [one.exchange for one in candles], right=False)] if several else []
        columns = [
            *exchange,
            Column("symbol", [figures.name(one.symbol) for one in candles], right=False),
            *self.columns(candles),
            Column("course", courses, right=False, rank=5),
        ]
        return self.grids.setdefault("board", Grid()).lines(columns, width)

    def said(self) -> list[str]:
        """How many instruments there were."""
        return [figures.counted(len(self.known), "instrument")]


PRICES = {"open": 1, "high": 1, "low": 1, "close": 0}
