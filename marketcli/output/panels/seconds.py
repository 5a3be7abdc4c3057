"""Sums over the last minute, five minutes, hour: kept by the second, so that memory does not grow with what comes."""

from __future__ import annotations

from heapq import heappush, heapreplace
from typing import TYPE_CHECKING, Generic, TypeVar

from marketcli.models import SECOND

if TYPE_CHECKING:
    from marketcli.models import Micros

LENGTH = 3_600  # seconds that are remembered

T = TypeVar("T")


class Seconds:
    """Amounts and their number by the second they belong to, for an hour."""

    def __init__(self, length: int = LENGTH) -> None:
        self.length = length
        self.amounts = [0.0] * length
        self.counts = [0] * length
        self.newest: int | None = None

    def add(self, amount: float, time: Micros, *, now: Micros) -> None:
        """Count an amount at its time; one from later than `now` counts as now, one older than all as nothing."""
        self.advance(now)
        second = min(time, now) // SECOND
        if self.newest is not None and self.newest - self.length < second <= self.newest:
            place = second % self.length
            self.amounts[place] += amount
            self.counts[place] += 1

    def advance(self, now: Micros) -> None:
        """Forget the seconds that are over; a clock that is set back forgets nothing."""
        second = now // SECOND
        if self.newest is None:
            self.newest = second
        for gone in range(max(self.newest + 1, second - self.length + 1), second + 1):
            place = gone % self.length
            self.amounts[place], self.counts[place] = 0.0, 0
        self.newest = max(self.newest, second)

    def over(self, seconds: int, *, now: Micros) -> tuple[float, int]:
        """The sum and the number of the last so many seconds, the running one included."""
        self.advance(now)
        end = ((self.newest or 0) + 1) % self.length or self.length
        start = end - seconds
        parts = (slice(start, end),) if start >= 0 else (slice(0, end), slice(start, None))
        return sum(sum(self.amounts[part]) for part in parts), sum(sum(self.counts[part]) for part in parts)


class Largest(Generic[T]):
    """The largest few of all that came, each with its amount."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.heap: list[tuple[float, int, T]] = []
        self.count = 0

    def add(self, amount: float, what: T) -> None:
        """Take one in; of equals the first stays."""
        self.count += 1
        entry = (amount, -self.count, what)
        if len(self.heap) < self.most:
            heappush(self.heap, entry)
        elif amount > self.heap[0][0]:
            heapreplace(self.heap, entry)

    def ranked(self) -> list[T]:
        """The largest first."""
        return [what for _, _, what in sorted(self.heap, key=lambda entry: entry[:2], reverse=True)]
