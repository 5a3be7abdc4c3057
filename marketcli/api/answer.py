"""What comes back from a question, whatever was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketcli.api.session import cell
from marketcli.history.snapshot import snapshot
from marketcli.models import SECOND, Instrument
from marketcli.spec import Query

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from marketcli.api.session import Session
    from marketcli.datasets import Dataset
    from marketcli.history.check import Gap
    from marketcli.history.fetch import Ask
    from marketcli.models import Interval, Market, Micros, Window
    from marketcli.spec import Endpoint, Exchange, Page, Rows


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one instrument, or of a whole market: rows, what is missing and why, and where it all came from."""

    exchange: str
    market: Market
    instrument: Instrument | None  # None: all of the market
    dataset: Dataset
    interval: Interval | None
    window: Window | None
    frame: pl.DataFrame
    gaps: tuple[Gap, ...]
    notes: tuple[str, ...]
    now: Micros  # by the exchange's clock, when it was asked
    via: str  # the host that answered, and what stood between
    requests: int
    seconds: float
    fallback_from: str | None = None  # the exchange that was asked first and could not answer

    @property
    def one(self) -> Instrument:
        """The instrument of an answer about a single one."""
        if self.instrument is None:
            raise TypeError(f"an answer about all of {self.exchange} {self.market}")
        return self.instrument

    @property
    def name(self) -> str:
        """Whose rows they are: the instrument's canonical name, else the market's."""
        return self.instrument.symbol if self.instrument else str(self.market)

    @property
    def lost(self) -> tuple[Gap, ...]:
        """The gaps where something should be."""
        return tuple(gap for gap in self.gaps if not gap.expected)


class Asking:
    """The way to one exchange for one question, which counts what it asks."""

    def __init__(self, session: Session, exchange: Exchange) -> None:
        self.session = session
        self.exchange = exchange
        self.started = session.client.outside.monotonic()
        self.moment = session.client.moment(exchange.name)
        self.requests = 0

    @property
    def ask(self) -> Ask:
        """Sends a page."""

        async def send(endpoint: Endpoint, query: Query, page: Page) -> Rows:
            if endpoint.keep is not None:
                return await self.keeping(endpoint, query, page)
            return await self.send(endpoint, query, page)

        return send

    async def send(self, endpoint: Endpoint, query: Query, page: Page) -> Rows:
        """Ask the exchange."""
        self.requests += 1
        site = self.session.site(self.exchange)
        return await self.session.client.ask(self.exchange, site, endpoint, query, page=page)

    async def keeping(self, endpoint: Endpoint, query: Query, page: Page) -> Rows:
        """An answer that may be kept, else the exchange's, which is kept then."""
        where, params = f"{self.exchange.name}-{self.session.site_name(self.exchange)}", endpoint.params(query, page)
        kept, now = self.session.kept, int(self.session.client.outside.wall() * SECOND)
        rows = None if self.session.refresh else kept.read(where, endpoint, params, now=now)
        if rows is None:
            rows = await self.send(endpoint, query, page)
            kept.write(where, endpoint, params, rows, now=now)
        return rows

    async def found(self, symbol: str, *, dataset: Dataset, market: Market | None) -> tuple[Instrument, Endpoint]:
        """The instrument a name means and the cell that answers for it."""
        if market:
            cell(self.exchange, dataset, market)
        instrument = await self.session.catalog(self.exchange).resolve(symbol, market)
        return instrument, cell(self.exchange, dataset, instrument.market)

    async def snapshot(self, endpoint: Endpoint, instrument: Instrument) -> dict[str, Any]:
        """The columns of one instrument now."""
        query = Query(endpoint.dataset, instrument.market, instrument)
        return await snapshot(self.ask, endpoint, query, instrument=instrument, now=self.moment)

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return self.session.client.outside.monotonic() - self.started

    def answered(
        self,
        about: Instrument | Market,
        dataset: Dataset,
        frame: pl.DataFrame,
        *,
        interval: Interval | None = None,
        window: Window | None = None,
        gaps: tuple[Gap, ...] = (),
        notes: Iterable[str] = (),
    ) -> Answer:
        """The answer about an instrument or a whole market, with what is the same for all."""
        instrument = about if isinstance(about, Instrument) else None
        market = about.market if isinstance(about, Instrument) else about
        return Answer(
            exchange=self.exchange.name,
            market=market,
            instrument=instrument,
            dataset=dataset,
            interval=interval,
            window=window,
            frame=frame,
            gaps=gaps,
            notes=(*(note for note in notes if note), *clock_notes(self.session, self.exchange)),
            now=self.moment(),
            via=self.session.way(self.exchange, market),
            requests=self.requests,
            seconds=self.seconds,
        )


SKEW_SECONDS = 5.0  # a clock this far off is worth a note


def clock_notes(session: Session, exchange: Exchange) -> list[str]:
    """Whether this computer's clock is off."""
    if abs(skew := session.client.skew(exchange.name)) <= SKEW_SECONDS:
        return []
    side = "behind" if skew > 0 else "ahead"
    return [f"This computer's clock is {abs(skew):.0f} s {side}; {exchange.title}'s was used."]


BECAUSE = {  # by the cause of a gap (history.check)
    "absent": "the exchange has none there (asked twice)",
    "not-listed": "it was not listed yet",
    "ended": "it does not trade any more",
    "not-kept": "the exchange keeps the newest {kept:,} only",
}
NOUNS = {
    "oi_history": "points of open interest",
    "funding_history": "settlements",
    "ratio": "ratios",
    "trades": "trades",
}


def prefix(answer: Answer) -> str:
    """Whose sentence it is."""
    return " ".join([answer.exchange, answer.name, *([str(answer.interval)] if answer.interval else [])]) + ": "


def missing(answer: Answer) -> list[str]:
    """What is missing that should be there, a sentence for each stretch."""
    return [
        f"{prefix(answer)}{gap.missing:,} {f'{gap.interval} ' if gap.interval else ''}{noun(answer)} are missing, "
        f"{gap.window}: {because(gap)}."
        for gap in answer.lost
    ]


def because(gap: Gap) -> str:
    """Why rows are missing."""
    return BECAUSE[gap.cause].format(kept=gap.kept)


def noun(answer: Answer) -> str:
    """What rows of an answer are called."""
    return "candles" if answer.dataset.name.startswith("ohlc") else NOUNS.get(answer.dataset.name, "rows")
