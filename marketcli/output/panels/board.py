"""Boards: a line for each instrument as it stands now, sorted by the column of choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from marketcli.models import to_datetime
from marketcli.output.cells import countdown
from marketcli.output.layout import Column
from marketcli.output.panels import figures
from marketcli.output.panels.figures import DASH
from marketcli.output.panels.lines import Grid
from marketcli.output.panels.panel import Panel, Sort

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marketcli.models import Micros
    from marketcli.output.panels.lines import Line
    from marketcli.output.panels.panel import About, Feeds
    from marketcli.records import Record

MARK_DIGITS = 7  # of a price that nobody traded at
STALE = 60  # seconds after which the age of a row is set off


class Board(Panel):
    """The newest record of every instrument."""

    noun = "update"

    def __init__(self, feeds: Feeds, about: About) -> None:
        super().__init__(feeds, about)
        self.known: dict[tuple[str, str, str], Any] = {}
        self.places = figures.Places()
        self.grid = Grid()
        self.several = len({source.exchange for source in feeds.sources}) > 1

    def take(self, record: Record) -> None:
        """Put it in the place of the one before."""
        self.known[record.exchange, record.market, record.symbol] = record

    def body(self, width: int, height: int) -> list[Line]:
        """As many lines as there is room for, and how many more there are."""
        ranked = self.ranked()
        room = height - 1 if len(ranked) < height else height - 2
        shown = ranked[: max(0, room)]
        lines = self.grid.lines(self.columns(shown), width)
        hidden = len(ranked) - len(shown)
        return [*lines, *([[(f"and {figures.counted(hidden, 'instrument')} more", "faint")]] if hidden else [])]

    def ranked(self) -> list[Any]:
        """The records in order; those without a value come last."""
        sort = self.sorts[self.order]

        def key(record: Any) -> tuple[bool, Any, str]:
            value = self.value(record, sort.column)
            if value is None:
                return True, 0, record.symbol
            if isinstance(value, str):
                return False, value, record.exchange
            value = abs(value) if sort.absolute else value
            return False, -value if sort.falling else value, record.symbol

        return sorted(self.known.values(), key=key)

    def value(self, record: Any, column: str) -> Any:
        """What to sort a record by."""
        return getattr(record, column)

    def columns(self, records: Sequence[Any]) -> list[Column]:
        """Whose the lines are, the figures, and how old they are."""
        exchange = [Column("exchange", [one.exchange for one in records], right=False)] if self.several else []
        names = [figures.name(one.symbol) for one in records]
        return [*exchange, Column("symbol", names, right=False), *self.figures(records), self.ages(records)]

    def figures(self, records: Sequence[Any]) -> list[Column]:
        """The figures of a board."""
        raise NotImplementedError

    def ages(self, records: Sequence[Any]) -> Column:
        """How old each is, by its own time and the exchange's clock."""
        nows = {source.exchange: self.feeds.now(source.exchange) for source in self.feeds.sources}
        ages = [None if one.time is None else (nows.get(one.exchange, one.time) - one.time) / 1e6 for one in records]
        cells = [DASH if age is None else f"{max(0.0, age):.0f} s" for age in ages]
        return Column("age", cells, styles=["warning" if age and age > STALE else "faint" for age in ages], rank=7)

    def prices(self, records: Sequence[Any], column: str, *, rank: int) -> Column:
        """A column of prices."""
        return Column(column, [self.shown(one, column) for one in records], rank=rank)

    def shown(self, record: Any, column: str) -> str:
        """A price that was traded or offered, with all its digits, as many as all of the instrument have."""
        return self.places.shown((record.exchange, record.symbol), getattr(record, column))

    def said(self) -> list[str]:
        """How many instruments there were."""
        return [figures.counted(len(self.known), "instrument")]


def changes(header: str, values: Sequence[float | None], *, rank: int = 0, places: int = 2) -> Column:
    """A column of changes in percent."""
    cells = [figures.percent(value, places) for value in values]
    return Column(header, cells, styles=[figures.move(value) for value in values], rank=rank)


def told(columns: Sequence[Column]) -> list[Column]:
    """The columns that say anything."""
    return [column for column in columns if not column.cells or set(column.cells) != {DASH}]


class Tickers(Board):
    """Prices, and what the last 24 hours did."""

    sorts: ClassVar[tuple[Sort, ...]] = (
        Sort("volume", "volume_usd"),
        Sort("24 h", "change"),
        Sort("largest move", "change", absolute=True),
        Sort("spread", "spread"),
        Sort("symbol", "symbol", falling=False),
    )

    def figures(self, records: Sequence[Any]) -> list[Column]:
        """Last price, change, volume, and what else there is room for."""
        shown = self.prices(records, "last", rank=0)
        if any(one.last is None for one in records):  # some streams say the mark price alone
            shown = Column("price", [self.price(one) for one in records])
        spreads = [DASH if one.spread is None else figures.amount(one.spread * 10_000) for one in records]
        return told(
            [
                shown,
                changes("24 h", [one.change for one in records]),
                Column("vol USD", [figures.amount(one.volume_usd) for one in records], rank=1),
                self.prices(records, "high", rank=2),
                self.prices(records, "low", rank=2),
                self.prices(records, "bid", rank=3),
                self.prices(records, "ask", rank=3),
                Column("spread bp", spreads, rank=4),
                Column("trades", [DASH if one.trades is None else f"{one.trades:,}" for one in records], rank=5),
            ]
        )

    def price(self, record: Any) -> str:
        """The last price, or the mark price with a word that says so."""
        key = record.exchange, record.symbol
        if record.last is None and record.mark is not None:
            return f"mark {self.places.shown((*key, 'mark'), float(f'{record.mark:.{MARK_DIGITS}g}'))}"
        return self.places.shown(key, record.last)


class Fundings(Board):
    """Coming funding rates, and how long until they are charged."""

    sorts: ClassVar[tuple[Sort, ...]] = (
        Sort("largest APR", "apr", absolute=True),
        Sort("APR", "apr"),
        Sort("next", "next_time", falling=False),
        Sort("basis", "basis"),
        Sort("symbol", "symbol", falling=False),
    )

    def figures(self, records: Sequence[Any]) -> list[Column]:
        """Rate, interval, yearly rate, countdown, prices."""
        hours = [DASH if one.interval_h is None else f"{one.interval_h:g} h" for one in records]
        return told(
            [
                changes("rate", [one.rate for one in records], places=4),
                Column("every", hours, rank=1),
                changes("APR", [one.apr for one in records], places=1),
                Column("next", [self.due(one) for one in records]),
                Column("at UTC", [self.at(one) for one in records], rank=2),
                self.prices(records, "mark", rank=3),
                self.prices(records, "index", rank=4),
                changes("basis", [one.basis for one in records], rank=5, places=3),
            ]
        )

    def shown(self, record: Any, column: str) -> str:
        """A price that was calculated, with as many digits as anybody reads."""
        value = getattr(record, column)
        return DASH if value is None else self.places.shown((record.symbol, column), float(f"{value:.{MARK_DIGITS}g}"))

    def due(self, record: Any) -> str:
        """How long until the next settlement, by the exchange's clock."""
        if record.next_time is None:
            return DASH
        left: Micros = record.next_time - self.feeds.now(record.exchange)
        return countdown(left) if left > 0 else "due"

    def at(self, record: Any) -> str:
        """When the next settlement is."""
        return DASH if record.next_time is None else f"{to_datetime(record.next_time):%H:%M}"


class Interests(Board):
    """Open interest, and how it has changed since the watch began."""

    sorts: ClassVar[tuple[Sort, ...]] = (
        Sort("value", "oi_quote"),
        Sort("change", "since"),
        Sort("largest change", "since", absolute=True),
        Sort("symbol", "symbol", falling=False),
    )

    def __init__(self, feeds: Feeds, about: About) -> None:
        super().__init__(feeds, about)
        self.first: dict[tuple[str, str, str], float] = {}

    def take(self, record: Record) -> None:
        """Put it in the place of the one before, and remember the first."""
        super().take(record)
        amount = opened(record)
        if amount:
            self.first.setdefault((record.exchange, record.market, record.symbol), amount)

    def value(self, record: Any, column: str) -> Any:
        """What to sort a record by; `since` is the change since the watch began."""
        return self.since(record) if column == "since" else getattr(record, column)

    def since(self, record: Any) -> float | None:
        """How far the open amount is from the first one seen: never its value, which moves with the price."""
        first, amount = self.first.get((record.exchange, record.market, record.symbol)), opened(record)
        return amount / first - 1 if first and amount is not None else None

    def figures(self, records: Sequence[Any]) -> list[Column]:
        """Value, amount, and changes."""
        of: Callable[[str], list[str]] = lambda name: [figures.amount(getattr(one, name)) for one in records]  # noqa: E731
        return told(
            [
                Column("value (quote)", of("oi_quote")),
                Column("base", of("oi_base"), rank=1),
                Column("contracts", of("oi_contracts"), rank=4),
                changes(f"since {figures.clock(self.started)}", [self.since(one) for one in records], places=3),
                changes("1 h", [one.change_1h for one in records], rank=2),
                changes("24 h", [one.change_24h for one in records], rank=3),
            ]
        )


def opened(record: Any) -> float | None:
    """The open amount: in contracts where those are counted, else in base."""
    amount: float | None = record.oi_contracts if record.oi_contracts is not None else record.oi_base
    return amount
