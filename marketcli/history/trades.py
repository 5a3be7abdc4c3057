"""Past trades: all of a window, by ids that prove that none is missing where the exchange numbers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketcli import frames
from marketcli.errors import IntegrityError
from marketcli.history.check import ABSENT, Gap
from marketcli.history.fetch import fetch
from marketcli.history.market import with_values
from marketcli.models import Window
from marketcli.spec import Query
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from marketcli.history.fetch import Ask
    from marketcli.models import Instrument, Micros
    from marketcli.spec import Endpoint


@dataclass(frozen=True, slots=True)
class Tape:
    """One endpoint and one instrument, and the way to ask."""

    ask: Ask
    endpoint: Endpoint
    instrument: Instrument
    now: Callable[[], Micros]
    progress: Callable[[int], None]
    constants: Mapping[str, Any]

    async def newest(self) -> pl.DataFrame:
        """As many of the newest trades as the endpoint's limit says, oldest first."""
        return await self.fetch(None)

    async def past(self, window: Window) -> tuple[pl.DataFrame, tuple[Gap, ...]]:
        """All trades of a window; where ids jump, the stretch is asked for once more and then named.

        Raises `IntegrityError` if consecutive ids are not each of one trade.
        """
        frame = await self.fetch(window)
        if not self.endpoint.consecutive:
            return frame, ()
        check_ids(frame, who=self.instrument.exchange)
        for hole in jumps(frame):
            again = await self.fetch(hole.window)
            both = frames.concat(self.endpoint.dataset, [frame, again.join(frame, on="id", how="anti")])
            frame = frames.tidy(both, self.endpoint.dataset, who=self.instrument.exchange)
        return frame, tuple(jumps(frame))

    async def fetch(self, window: Window | None) -> pl.DataFrame:
        """What one walk brings, with sizes in base and values."""
        query = Query(self.endpoint.dataset, self.instrument.market, self.instrument, None, window)
        frame = await fetch(
            self.ask, self.endpoint, query, now=self.now, constants=self.constants, progress=self.progress
        )
        return with_values(frame, self.instrument)


def check_ids(frame: pl.DataFrame, *, who: str) -> None:
    """Refuse an id that two trades have."""
    twice = frame["id"].filter(frame["id"].is_duplicated())
    if twice.len():
        raise IntegrityError(
            f"{who} gave the id {clean(twice[0])} to two trades.",
            hint="Run again; if it stays, the exchange contradicts itself there.",
        )


def jumps(frame: pl.DataFrame) -> list[Gap]:
    """Where consecutive ids leave some out: from the trade before to the one after, and how many."""
    import polars as pl  # noqa: PLC0415

    ids = pl.col("id").cast(pl.Int64(), strict=False)
    found = frame.select(ids, pl.col("time").to_physical()).sort("id")  # times need not rise with ids
    missing, times = found["id"].diff() - 1, found["time"]
    places = (missing > 0).arg_true().to_list()
    ends = ((sorted((times[at - 1], times[at])), missing[at]) for at in places)
    return [Gap(Window(first, last + 1), None, ABSENT, counted=count) for (first, last), count in ends]
