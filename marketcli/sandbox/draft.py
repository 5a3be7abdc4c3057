"""An answer on its way out, which faults may change before it leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from marketcli.models import MILLISECOND, SECOND, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.models import Micros
    from marketcli.simulator import Ask, Reply, Simulator
    from marketcli.world import World

Row: TypeAlias = "list[Any] | dict[str, Any]"  # columns, or an object with a time

STAMPS = range(10**11, 10**14)  # whole numbers that are milliseconds of 1973 to 5138: times, and nothing else in a row

CLOSE = 4  # the column of a candle
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
        first, last = (self.ask.params.get(name, "") for name in self.simulator.bounds)
        if not (first.isdecimal() and last.isdecimal()):
            return None
        return Window(int(first) * MILLISECOND, int(last) * MILLISECOND + 1)

    def rows(self, document: Any) -> list[Row]:
        """The rows of a history in an answer, wherever they stand; none if there are none."""
        if isinstance(document, list):
            return document if all(self.is_row(item) for item in document) else []
        inner = document.values() if isinstance(document, dict) else ()
        return next((found for value in inner if (found := self.rows(value))), [])

    def is_row(self, item: Any) -> bool:
        """Whether something is a list of columns, or an object with a time of its own."""
        return isinstance(item, list) or (isinstance(item, dict) and any(key in item for key in self.simulator.stamps))

    def time_of(self, row: Row) -> int:
        """The time of a row in milliseconds."""
        if isinstance(row, list):
            return int(row[0])
        return next(int(row[key]) for key in self.simulator.stamps if key in row)

    def length_of(self, rows: list[Row]) -> int:
        """Milliseconds between the rows of a page; a minute if there is only one."""
        steps = [later - sooner for sooner, later in pairwise(map(self.time_of, rows)) if later > sooner]
        return min(steps, default=60 * SECOND // MILLISECOND)


def things_of(document: Any) -> list[dict[str, Any]]:
    """The longest list of objects in an answer: its instruments."""
    if isinstance(document, list):
        return document if document and all(isinstance(item, dict) for item in document) else []
    inner = document.values() if isinstance(document, dict) else ()
    return max((things_of(value) for value in inner), key=len, default=[])


def is_stamp(value: Any) -> bool:
    """Whether a value of a row is a time in milliseconds."""
    return isinstance(value, int) and value in STAMPS


def altered(row: Row, change: Callable[[Any], Any]) -> Row:
    """A row with all its values changed."""
    if isinstance(row, list):
        return [change(value) for value in row]
    return {key: change(value) for key, value in row.items()}


def retimed(row: Row, change: Callable[[int], int]) -> Row:
    """A row with its times changed."""
    return altered(row, lambda value: change(value) if is_stamp(value) else value)


def place_of(row: Row) -> Any:
    """Where the most important number of a row stands: a candle's close, or the first number that is text."""
    if isinstance(row, list):
        return CLOSE
    return next(key for key, value in row.items() if isinstance(value, str) and NUMBER.fullmatch(value))
