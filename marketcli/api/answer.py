"""What comes back from a question, whatever was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketcli.history.snapshot import snapshot
from marketcli.spec import Query

if TYPE_CHECKING:
    import polars as pl

    from marketcli.api.session import Session
    from marketcli.datasets import Dataset
    from marketcli.history.check import Gap
    from marketcli.history.fetch import Ask
    from marketcli.models import Instrument, Interval, Micros, Window
    from marketcli.spec import Endpoint, Exchange, Page, Rows


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one instrument: rows, what is missing and why, and where it all came from."""

    instrument: Instrument
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
            self.requests += 1
            site = self.session.site(self.exchange)
            return await self.session.client.ask(self.exchange, site, endpoint, query, page=page)

        return send

    async def snapshot(self, endpoint: Endpoint, instrument: Instrument) -> dict[str, Any]:
        """The columns of one instrument now."""
        query = Query(endpoint.dataset, instrument.market, instrument)
        return await snapshot(self.ask, endpoint, query, instrument=instrument, now=self.moment)

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return self.session.client.outside.monotonic() - self.started
