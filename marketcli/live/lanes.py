"""What stands between the rows of an instrument and its records; all kinds but trades and candles. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from marketcli.models import Instrument, Micros, Window
    from marketcli.records import Liquidation, Record
    from marketcli.spec import Channel, Rows


class Lane(Protocol):
    """What stands between the rows of an instrument and its records.

    `now` is in seconds of the monotonic clock, `time` in microseconds of the exchange's.
    """

    instrument: Instrument
    newest: Micros  # time of the newest trade where ids tell which comes next, else 0

    def take(self, rows: Rows, channel: Channel) -> Sequence[Record]:
        """The records that rows of one frame are good for."""

    def release(self, now: float) -> Sequence[Record]:
        """Records that waited for an earlier one long enough."""

    def missing(self, time: Micros) -> Window | None:
        """A stretch to ask REST for; each is told once."""

    def owed(self) -> Window | None:
        """A stretch that is missing when all ends, and was not asked for."""

    def filled(self, records: Iterable[Record]) -> Sequence[Record]:
        """Those of some records from REST that were not there yet."""

    def settled(self, window: Window) -> bool:
        """Whether all that was missing from a stretch has come."""

    def give_up(self, window: Window) -> None:
        """What is missing from a stretch will not come."""

    def lost(self) -> None:
        """The connection is gone: what was true only while it stood is not any more."""


class Plain:
    """A lane that nothing waits in and nothing can be missing from."""

    newest: Micros = 0

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument

    def release(self, now: float) -> Sequence[Record]:
        """Nothing waits."""
        return ()

    def missing(self, time: Micros) -> Window | None:
        """Nobody can tell."""
        return None

    def owed(self) -> Window | None:
        """Nobody can tell."""
        return None

    def filled(self, records: Iterable[Record]) -> Sequence[Record]:
        """Nothing can be filled."""
        return ()

    def settled(self, window: Window) -> bool:
        """Nobody can tell of anything that is missing."""
        return True

    def give_up(self, window: Window) -> None:
        """Nothing is waited for."""

    def lost(self) -> None:
        """Nothing is forgotten."""


class Forced(Plain):
    """Liquidations: they have no ids, so whole frames are told apart, never rows; equal rows of one are all kept."""

    def __init__(self, instrument: Instrument, make: Callable[[tuple[Any, ...]], Liquidation]) -> None:
        super().__init__(instrument)
        self.make = make

    def take(self, rows: Rows, channel: Channel) -> Sequence[Record]:
        """All rows, equal ones numbered."""
        if len(rows) == 1:
            return [self.make(rows[0])]
        seen: Counter[tuple[Any, ...]] = Counter()
        found = []
        for row in rows:
            found.append(replace(self.make(row), nth=seen[row]))
            seen[row] += 1
        return found


class States(Plain):
    """A state (ticker, funding, open interest): what several channels say of an instrument, merged.

    A record comes when a channel that leads speaks, and when another one says first what was not known.
    """

    def __init__(
        self, instrument: Instrument, make: Callable[[Mapping[str, Any]], Record], lasting: Mapping[str, Any]
    ) -> None:
        super().__init__(instrument)
        self.make = make
        self.lasting = lasting  # what no stream says
        self.columns: dict[str, Any] = dict(lasting)
        self.led = False  # whether a channel that leads has spoken
        self.told: dict[tuple[str, ...], Micros] = {}  # by the columns of the channel

    def take(self, rows: Rows, channel: Channel) -> Sequence[Record]:
        """The state after these rows; an older one than before says nothing."""
        found = []
        for row in rows:
            said = dict(zip(channel.columns, row, strict=True))
            time = said.get("time") or 0
            if time < self.told.get(channel.columns, 0):
                continue
            self.told[channel.columns] = time
            if not channel.leads:
                said.pop("time", None)
            new = self.led and not channel.leads and self.tells(said)
            self.columns |= said
            self.led |= channel.leads
            if channel.leads or new:
                found.append(self.make(self.columns))
        return found

    def tells(self, said: Mapping[str, Any]) -> bool:
        """Whether something says what was not known."""
        known = self.columns.get
        if None not in map(known, said):  # nearly always, and many times a second
            return False
        return any(known(name) is None for name, value in said.items() if value is not None)

    def filled(self, records: Iterable[Record]) -> Sequence[Record]:
        """The state as REST gives it."""
        return list(records)

    def lost(self) -> None:
        """What the streams said is not the state any more."""
        self.columns = dict(self.lasting)
        self.led = False
        self.told.clear()


def grouped(rows: list[tuple[Any, ...]]) -> Iterable[tuple[str, list[tuple[Any, ...]]]]:
    """Rows of a stream about a market by the exchange's name of the instrument."""
    if len(rows) == 1:
        return ((rows[0][0], rows),)
    groups: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row)
    return groups.items()
