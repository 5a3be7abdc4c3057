"""Tapes: events one below the other, the newest first, with what they come to above them."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from marketcli.live.events import Blind
from marketcli.output.layout import GAP, Column
from marketcli.output.panels import figures
from marketcli.output.panels.flow import Flow, Tally, lean
from marketcli.output.panels.footer import described
from marketcli.output.panels.lines import Grid, beside, flowed
from marketcli.output.panels.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.output.panels.lines import Line
    from marketcli.output.panels.panel import About, Feeds
    from marketcli.records import Record

KEPT = 400  # events that are remembered: more than any terminal has lines
SIDE, WIDE = 46, 112  # columns of the block beside the tape, and of a terminal that has room for it
BAR = 24  # columns of the bar


class Tape(Panel):
    """Events that went one of two ways."""

    sides: ClassVar[tuple[str, str]] = ("buy", "sell")
    side: ClassVar[str] = "side"  # the field that says which
    styles: ClassVar[tuple[str, str]] = ("up", "down")
    rows: ClassVar[tuple[str, ...]] = ()

    def __init__(self, feeds: Feeds, about: About) -> None:
        super().__init__(feeds, about)
        self.flow: Flow[Any] = Flow(feeds, self.sides)
        self.tape: deque[Record | Blind] = deque(maxlen=KEPT)
        self.places = figures.Places()
        self.sums, self.grid = Grid(), Grid()
        self.several = len({source.exchange for source in feeds.sources}) > 1

    def take(self, record: Any) -> None:
        """Put it on the tape and count it."""
        self.tape.append(record)
        self.flow.add(
            record,
            exchange=record.exchange,
            symbol=record.symbol,
            side=0 if getattr(record, self.side) == self.sides[0] else 1,
            amount=record.notional_usd,
            time=record.time,
        )

    def missed(self, blind: Blind) -> None:
        """Put it on the tape: what is missing is missing there."""
        self.tape.append(blind)

    def body(self, width: int, height: int) -> list[Line]:
        """Sums, what stands out, and the tape: beside each other where there is room."""
        sums = self.sums.lines(self.flow.table(watched=self.now() - self.started, rows=self.rows), width)
        top = [*sums, self.bar(width), []]
        if width >= WIDE:
            tape = self.events(width - SIDE - len(GAP), height - len(top))
            return [*top, *beside(tape, self.aside(height - len(top)), width - SIDE - len(GAP))]
        top = [*sums, self.bar(width), *self.standing_out(width), []]
        return [*top, *self.events(width, height - len(top))]

    def bar(self, width: int) -> Line:
        """The share of each side since the start; and how many have no value in dollars."""
        even = lean(self.flow.ever)
        unvalued = f"{GAP}{self.flow.unvalued:,} without a value in USD" if self.flow.unvalued else ""
        if even is None:
            return [(f"none so far{unvalued}", "faint")] if not self.records else [(unvalued.strip(), "faint")]
        share = (1 + even) / 2
        full, rest = figures.meter(share, min(BAR, width // 3), self.glyphs)
        first, other = (f"{side}s" for side in self.sides)
        ends = f"{first} {share:.0%} ", f" {1 - share:.0%} {other}"
        one, two = self.styles
        return [(ends[0] + full, one), (rest + ends[1], two), (unvalued, "faint")]

    def standing_out(self, width: int) -> list[Line]:
        """The largest, the symbols and the exchanges, a line each."""
        dot = f" {self.glyphs.dot} "
        ranked = self.flow.largest.ranked()
        largest = [f"{figures.amount(one.notional_usd)} {self.way(one)} {figures.name(one.symbol)}" for one in ranked]
        lines = [flowed("largest ", largest, width, dot=dot)]
        names = [self.share(*entry) for entry in self.flow.ranked(self.flow.symbols, 8)]
        lines.append(flowed("symbols ", names, width, dot=dot))
        if self.several:
            names = [self.share(*entry) for entry in self.flow.ranked(self.flow.exchanges, 8)]
            lines.append(flowed("exchange", names, width, dot=dot))
        return lines if self.records else []

    def share(self, name: str, tally: Tally) -> str:
        """What went each way of one symbol or exchange."""
        return f"{figures.name(name)} {figures.amount(tally.amounts[0])}/{figures.amount(tally.amounts[1])}"

    def way(self, record: Any) -> str:
        """Which way a record went."""
        return str(getattr(record, self.side))

    def aside(self, height: int) -> list[Line]:
        """The largest, the symbols and the exchanges, below each other."""
        first, other = (f"{side}s" for side in self.sides)
        exchanges = self.ranking(self.flow.exchanges, 4, ("exchange", first, other)) if self.several else []
        room = max(3, height - len(exchanges) - bool(exchanges))
        largest = self.flow.largest.ranked()[: max(1, room // 2 - 1)]
        cells = [
            Column("largest", [figures.amount(one.notional_usd) for one in largest]),
            Column("side", [self.way(one) for one in largest], right=False),
            Column("", [figures.name(one.symbol) for one in largest], right=False),
            Column("at", [figures.clock(one.time) for one in largest]),
        ]
        styles = [self.style(one) for one in largest]
        block = Grid().lines([Column(c.header, c.cells, c.right, styles) for c in cells], SIDE)
        symbols = self.ranking(self.flow.symbols, max(1, room - len(block) - 2), ("symbol", first, other))
        found = [*block, [], *symbols]
        return [*found[:room], *([[]] if exchanges else []), *exchanges][:height]

    def ranking(self, tallies: dict[str, Tally], most: int, names: tuple[str, str, str]) -> list[Line]:
        """A block of symbols or exchanges."""
        ranked = self.flow.ranked(tallies, most)
        columns = [Column(names[0], [figures.name(name).ljust(16) for name, _ in ranked], right=False)]
        columns += [
            Column(
                names[side + 1],
                [figures.amount(tally.amounts[side]) for _, tally in ranked],
                styles=[style] * len(ranked),
            )
            for side, style in enumerate(self.styles)
        ]
        return Grid().lines(columns, SIDE)

    def style(self, record: Any) -> str:
        """The style of a record."""
        return self.styles[0 if getattr(record, self.side) == self.sides[0] else 1]

    def events(self, width: int, height: int) -> list[Line]:
        """The newest events, and the gaps between them where they were."""
        shown = list(islice(reversed(self.tape), max(0, height - 1)))
        records = [event for event in shown if not isinstance(event, Blind)]
        head, *rows = self.grid.lines(self.columns(records), width)
        lines = iter(rows)
        return [head, *(gap(event) if isinstance(event, Blind) else next(lines) for event in shown)]

    def columns(self, records: Sequence[Any]) -> list[Column]:
        """The columns of the tape."""
        for one in records:  # all prices of an instrument with the same digits
            self.price(one)
        styles = [self.style(one) for one in records]
        exchange = [Column("exchange", [one.exchange for one in records], right=False)] if self.several else []
        return [
            Column("time UTC", [figures.clock(one.time, fraction=True) for one in records]),
            *exchange,
            Column("symbol", [figures.name(one.symbol).ljust(13) for one in records], right=False),
            Column(self.side[:10], [self.way(one) for one in records], right=False, styles=styles),
            Column("USD", [self.value(one) for one in records], styles=styles),
            Column("price", [self.price(one) for one in records], rank=1),
            Column("size", [figures.amount(one.size) for one in records], rank=2),
            *self.more(records),
        ]

    def more(self, records: Sequence[Any]) -> list[Column]:  # noqa: ARG002 - for those that have any
        """Columns that only this tape has."""
        return []

    def value(self, record: Any) -> str:
        """What it was worth in dollars."""
        return figures.amount(record.notional_usd)

    def price(self, record: Any) -> str:
        """At which price."""
        return self.places.shown((record.exchange, record.symbol), record.price)

    def said(self) -> list[str]:
        """What went each way."""
        sides = zip(self.sides, self.flow.ever.amounts, strict=True)
        return [f"{side}s {figures.amount(amount)} USD" for side, amount in sides] if self.records else []


def gap(blind: Blind) -> Line:
    """A line of the tape where something may be missing."""
    return [
        (f"{'gap' if not blind.repaired else 'filled'}  {described(blind)}", "note" if blind.repaired else "warning")
    ]


class Liquidations(Tape):
    """Positions that exchanges closed."""

    sides = ("long", "short")
    styles = ("down", "up")  # a long is closed by selling
    side = "liquidated"
    noun = "liquidation"


class Trades(Tape):
    """Trades as they are made."""

    rows = ("imbalance", "per second")
    noun = "trade"


class LargeTrades(Tape):
    """What single orders of takers traded at one time."""

    rows = ("imbalance",)
    noun = "large trade"

    def price(self, record: Any) -> str:
        """The average price, with the digits of a real one."""
        key = record.exchange, record.symbol
        self.places.shown(key, record.worst)
        return f"{record.price:,.{self.places.known[key]}f}"

    def more(self, records: Sequence[Any]) -> list[Column]:
        """The worst price, and in how many trades."""
        worst = [self.places.shown((one.exchange, one.symbol), one.worst) for one in records]
        return [Column("fills", [f"{one.fills:,}" for one in records], rank=3), Column("worst", worst, rank=4)]
