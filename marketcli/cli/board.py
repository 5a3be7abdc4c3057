"""Tickers of many instruments and exchanges as one list: chosen, ordered, drawn."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from marketcli.cli.answers import Job, collected, columns_of, each, sorted_out
from marketcli.cli.candles import metadata
from marketcli.cli.choice import Choice
from marketcli.cli.overview import DASH, amount, exact, percent, ways
from marketcli.cli.show import matching
from marketcli.errors import NotOffered
from marketcli.models import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from marketcli.api.answer import Answer
    from marketcli.api.session import Session
    from marketcli.cli.show import Destination
    from marketcli.errors import MarketError
    from marketcli.models import Instrument
    from marketcli.output.layout import Column
    from marketcli.output.progress import Progress
    from marketcli.spec import Exchange

MOST = 200  # rows drawn where nobody said how many
QUOTES = 12  # quote assets named in an error
PRICES = ("last", "bid", "ask", "open", "high", "low")
MARK_DIGITS = 7  # of a mark price, which is computed and has any number of them


@dataclass(frozen=True)
class Board(Job):
    """A job whose rows of all exchanges are chosen and ordered together; `instruments` are those answered about."""

    choice: Choice = field(default_factory=Choice)
    instruments: dict[tuple[str, str, str], Instrument] = field(default_factory=dict)

    @classmethod
    def choosing(cls, job: Job, choice: Choice) -> Board:
        """The job with a choice."""
        return cls(job.config, job.manner, job.destination, job.dataset, job.draw, choice)

    async def ask_markets(self, *, refresh: bool) -> int:
        """Ask every exchange about all of its markets, or the one of the settings, side by side; the exit code."""
        from marketcli.api.fallback import exchanges_of
        from marketcli.api.session import Session
        from marketcli.output.progress import Progress

        asked, only = exchanges_of(self.config), self.config.market
        async with Session(self.config, refresh=refresh) as session:
            with Progress(sys.stderr, 0, quiet=True) as bar:
                results = await collected(
                    [
                        each(session, self.whole, those, str(market), bar)
                        for those in asked
                        for market in ([only] if only else those[0].markets)
                    ],
                    several=len(asked) > 1,
                )
        return self.finish(*sorted_out(results))

    async def whole(self, session: Session, exchange: Exchange, name: str, _: Progress) -> Answer:
        """The tickers of a market."""
        from marketcli.api import market
        from marketcli.models import parse_market

        answer = await market.tickers(session, exchange, parse_market(name))
        for one in await session.catalog(exchange).instruments(answer.market):
            self.instruments[one.exchange, one.market.value, one.native] = one
        return answer

    async def one(self, session: Session, exchange: Exchange, name: str, _: Progress) -> Answer:
        """The ticker of an instrument."""
        from marketcli.api import market

        answer = await market.ticker(session, exchange, name, market=self.config.market)
        self.instruments[answer.exchange, answer.market.value, answer.one.native] = answer.one
        return answer

    def finish(self, answers: Sequence[Answer], failures: Sequence[MarketError]) -> int:
        """Keep what is wanted, then go on as always; nothing wanted is an error."""
        kept = [replace(answer, frame=self.kept(answer.frame)) for answer in answers]
        some = [one for one, answer in zip(kept, answers, strict=True) if one.frame.height or not answer.frame.height]
        if answers and not some:
            failures = [*failures, self.nothing(sum(answer.frame.height for answer in answers))]
        return Job.finish(self, some, failures)

    def kept(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of instruments that are wanted."""
        keys = frame.select("exchange", "market", "native").iter_rows()
        return frame.filter([self.choice.wants(self.instruments[key]) for key in keys])

    def nothing(self, count: int) -> NotOffered:
        """The error for a choice that leaves nothing."""
        quotes = sorted({one.quote for one in self.instruments.values()})
        listed = f"Quotes are {', '.join(quotes[:QUOTES])}{' …' if len(quotes) > QUOTES else ''}."
        return NotOffered(f"--quote and --exclude leave none of the {count:,} tickers.", hint=listed)

    def write(self, answers: Sequence[Answer]) -> list[str]:
        """Draw the rows or write them, in the same order; gives sentences the user should read."""
        if self.destination.drawn:
            self.draw(answers)
            return []
        rows, said = ranking(self.destination, answers, self.choice)
        about = metadata(answers)
        if self.destination.where is not None:
            about |= {"marketcli.where": self.destination.where.text}
        unfiltered = replace(self.destination, where=None)
        notes = unfiltered.write(rows, columns_of(self.dataset, self.config), metadata=about)
        return [*(f"{sentence}." for sentence in said), *notes]


def ranking(destination: Destination, answers: Sequence[Answer], choice: Choice) -> tuple[pl.DataFrame, list[str]]:
    """The rows that pass --where, the first ones in order, and how many passed."""
    from marketcli import frames

    frame = frames.concat(answers[0].dataset, [answer.frame for answer in answers])
    passed = destination.kept(frame)
    said = [matching(passed.height, frame.height)] if destination.where else []
    return choice.ranked(passed), said


def draw(destination: Destination, answers: Sequence[Answer], choice: Choice) -> None:
    """The list for people: all columns if they were asked for, else those that read well."""
    from marketcli.cli import drawing
    from marketcli.output.view import View

    ranked, said = ranking(destination, answers, choice)
    shown = ranked.head(MOST) if choice.top is None else ranked
    if shown.height < ranked.height:
        said.append(f"the first {MOST} of {ranked.height:,}: --top {ranked.height} shows all")
    order = [str(choice.order)] if choice.order else []
    view = View(
        frame=shown,
        kinds=columns_of(answers[0].dataset, destination.config),
        title=["24-hour tickers", f"{iso(answers[0].now)[:19].replace('T', ' ')} UTC", *order],
        caption=[*ways(answers), drawing.took(answers), *said],
        notes=drawing.remarks(answers),
    )
    if destination.output.fields or destination.output.wide:
        destination.draw([replace(view, frame=destination.selected(shown))], candles=False)
    else:
        drawing.draw(destination, view, lambda *_: cells(shown, several=len({one.exchange for one in answers}) > 1))


def cells(frame: pl.DataFrame, *, several: bool) -> list[Column]:
    """The columns of tickers, the most telling ones kept longest; one that says nothing is none."""
    from marketcli.output.layout import Column

    rows = frame.rows(named=True)
    moves = ["" if not row["change"] else "up" if row["change"] > 0 else "down" for row in rows]
    names = [Column("exchange", [row["exchange"] for row in rows], right=False)] if several else []
    names.append(Column("symbol", [row["symbol"] for row in rows], right=False))
    made = [
        Column(header, [make(row) for row in rows], styles=moves if header == "24 h" else (), rank=rank)
        for header, (rank, make) in FIGURES.items()
    ]
    return [*names, *(column for column in made if set(column.cells) != {DASH})]


def price(row: dict[str, Any], name: str) -> str:
    """A price with as many digits after the point as any of its row has."""
    from marketcli.text import number

    if row[name] is None:
        return DASH
    known = [number(row[one]).partition(".")[2] for one in PRICES if row[one] is not None]
    return f"{row[name]:,.{max(map(len, known))}f}"


def last(row: dict[str, Any]) -> str:
    """The last price, or the mark price with a word that says so."""
    if row["last"] is None and row["mark"] is not None:
        rounded = float(f"{row['mark']:.{MARK_DIGITS}g}")
        return f"mark {exact(rounded)}"
    return price(row, "last")


FIGURES: dict[str, tuple[int, Callable[[dict[str, Any]], str]]] = {  # which of them a narrow terminal shows, and how
    "last": (0, last),
    "24 h": (1, lambda row: percent(row["change"])),
    "vol USD": (2, lambda row: amount(row["volume_usd"])),
    "high": (3, lambda row: price(row, "high")),
    "low": (3, lambda row: price(row, "low")),
    "bid": (4, lambda row: price(row, "bid")),
    "ask": (4, lambda row: price(row, "ask")),
    "spread bp": (5, lambda row: DASH if row["spread"] is None else amount(row["spread"] * 10_000)),
    "vol base": (6, lambda row: amount(row["volume_base"])),
    "vol quote": (7, lambda row: amount(row["volume_quote"])),
    "trades": (8, lambda row: DASH if row["trades"] is None else f"{row['trades']:,}"),
}
