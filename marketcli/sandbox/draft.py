"""An answer on its way out, which faults may change before it leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from marketcli.models import MILLISECOND, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.models import Micros, Window
    from marketcli.simulator import Ask, Reply, Simulator
    from marketcli.world import World

Row: TypeAlias = "list[Any] | dict[str, Any]"  # columns, or an object with a time

STAMPS = range(10**11, 10**14)  # whole numbers that are milliseconds of 1973 to 5138: times, and nothing else in a row

CLOSE = 4  # the column of a candle; in shorter rows the last
DIGITS = 15  # that no time in milliseconds has
NUMBER = re.compile(r"-?[0-9.]+")


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the bytes leave: `wire` knows the names. `size` in bytes, `pause` in seconds."""

    name: str = "plain"
    size: int = 0
    pause: float = 0.0


@dataclass(slots=True)
class Draft:
    """A request and the answer to it; `again` answers it once more from another world."""

    ask: Ask
    simulator: Simulator
    status: int
    headers: dict[str, str]
    body: bytes
    again: Callable[[World], Reply]
    now: Micros
    delivery: Delivery = Delivery()
    delay: float = 0.0
    told: tuple[int, float] | None = None  # 429 or 418, and the seconds a fault asked to wait

    def document(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None

    def write(self, document: Any) -> None:
        """Take a JSON document as the body."""
        self.body = msgspec.json.encode(document)

    def replace(self, status: int, body: bytes, *, kind: str = "application/json;charset=UTF-8") -> None:
        """Another answer altogether."""
        self.status, self.body, self.headers["Content-Type"] = status, body, kind

    def use(self, reply: Reply) -> None:
        """An answer of the exchange in place of the one it gave."""
        self.replace(reply.status, reply.body)
        self.headers.update(reply.headers)

    @property
    def window(self) -> Window | None:
        """The times asked for, if both bounds were."""
        return self.simulator.window(self.ask)

    def rows(self, document: Any) -> list[Row]:
        """The rows of a history in an answer, wherever they stand; none if there are none."""
        if isinstance(document, list):
            return document if all(self.is_row(item) for item in document) else []
        inner = document.values() if isinstance(document, dict) else ()
        return next((found for value in inner if (found := self.rows(value))), [])

    def is_row(self, item: Any) -> bool:
        """Whether something is a list of columns that begins with a time, or an object with a time in a history."""
        if isinstance(item, list):
            return bool(item) and stamp_of(item[0]) is not None
        if not isinstance(item, dict) or self.simulator.paging.isdisjoint(self.ask.params):
            return False
        return self.place_of_time(item) is not None

    def place_of_time(self, row: Row) -> Any:
        """Where the time of a row stands."""
        if isinstance(row, list):
            return 0
        return next((key for key in self.simulator.stamps if stamp_of(row.get(key)) is not None), None)

    def time_of(self, row: Row) -> int:
        """The time of a row in milliseconds."""
        return int(row[self.place_of_time(row)])

    def length_of(self, rows: list[Row]) -> int:
        """Milliseconds between the rows of a page; a minute if there is only one."""
        steps = [abs(later - sooner) for sooner, later in pairwise(map(self.time_of, rows)) if later != sooner]
        return min(steps, default=60 * SECOND // MILLISECOND)

    def retimed(self, row: Row, change: Callable[[int], int]) -> Row:
        """A row with its times changed; those that are texts stay texts."""
        place = self.place_of_time(row)
        found = altered(row, lambda value: change(value) if is_stamp(value) else value)
        if isinstance(row[place], str):
            found[place] = str(change(int(row[place])))
        return found

    def place_of_number(self, row: Row) -> Any:
        """Where the most important number of a row stands: a candle's close, or the first number that is text."""
        if isinstance(row, list):
            return min(CLOSE, len(row) - 1)
        numbers = (key for key, value in row.items() if isinstance(value, str) and NUMBER.fullmatch(value))
        return next(key for key in numbers if key not in self.simulator.stamps)

    def things(self, document: Any) -> list[dict[str, Any]]:
        """The longest list of objects with names in an answer: its instruments."""
        if isinstance(document, dict):
            return max((self.things(value) for value in document.values()), key=len, default=[])
        if not isinstance(document, list):
            return []
        if document and all(isinstance(item, dict) and self.simulator.words[0][0] in item for item in document):
            return document
        return max((self.things(value) for value in document), key=len, default=[])


def is_stamp(value: Any) -> bool:
    """Whether a value of a row is a whole number that is a time in milliseconds."""
    return isinstance(value, int) and value in STAMPS


def stamp_of(value: Any) -> int | None:
    """A time in milliseconds, as a number or as text."""
    number = int(value) if isinstance(value, str) and value.isdecimal() and len(value) < DIGITS else value
    return number if is_stamp(number) else None


def altered(row: Row, change: Callable[[Any], Any]) -> Row:
    """A row with all its values changed."""
    if isinstance(row, list):
        return [change(value) for value in row]
    return {key: change(value) for key, value in row.items()}
