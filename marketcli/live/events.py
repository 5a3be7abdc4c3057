"""What a live feed says: records, what became of connections, and where something may have been missed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from marketcli.datasets import Dataset
    from marketcli.models import Market, Micros, Window
    from marketcli.records import Record


class State(StrEnum):
    """What a connection does."""

    CONNECTING = "connecting"
    LIVE = "live"  # everything asked for was acknowledged
    LOST = "lost"  # it will be tried again
    RENEWED = "renewed"  # another connection took over before this one ended
    REFUSED = "refused"  # it will not be tried again


class Cause(StrEnum):
    """Why something may have been missed."""

    DISCONNECTED = "disconnected"  # the connection was lost
    SILENT = "silent"  # it was open, and nothing came
    SKIPPED = "skipped"  # ids or candles jumped while it was open
    DROPPED = "dropped"  # who reads, or this program, was too slow, and what waited was thrown away


@dataclass(frozen=True, slots=True)
class Status:
    """What became of a connection, and why."""

    exchange: str
    market: Market
    state: State
    time: Micros  # by the exchange's clock as far as it is known
    connection: int  # 1, 2, … of the exchange and market
    text: str = ""


@dataclass(frozen=True, slots=True)
class Blind:
    """A stretch of time of which rows may be missing: filled from REST since (`repaired`), or not.

    `symbols` are canonical names; none means all that is watched of the market. `rows` came from REST, or were dropped.
    """

    exchange: str
    market: Market
    dataset: Dataset
    symbols: tuple[str, ...]
    window: Window
    cause: Cause
    repaired: bool
    rows: int = 0


Event: TypeAlias = "Record | Status | Blind"


@dataclass(slots=True)
class Vitals:
    """How the feeds of an exchange and market are, counted since the start; `last` is a monotonic moment in seconds."""

    exchange: str
    market: Market
    connections: int = 0  # open ones
    wanted: int = 0  # connections there should be
    messages: int = 0  # frames of data, those that only prove life included
    records: int = 0
    last: float | None = None  # when the last frame of data was sent, or came if it does not say
    reconnects: int = 0
    gaps: int = 0  # blind intervals that were not repaired
    repaired: int = 0  # and those that were
    dropped: int = 0  # records that nobody fetched in time
    duplicates: int = 0
    garbage: int = 0  # frames that could not be read
    conflicts: int = 0  # trades with the id of another one, or candles closed twice with different values
    unlisted: int = 0  # rows of instruments that the exchange's list does not have
