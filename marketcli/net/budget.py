"""Weighted budgets: what an exchange meters is never spent beyond nine tenths.

A sliding window of 60 slots: what was spent in the last window plus what is asked for stays at or below the share, so
it holds whatever moment the exchange's own minute begins at.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from marketcli.errors import Banned, RateLimited
from marketcli.net.backoff import delay
from marketcli.net.defaults import (
    BUDGET_SHARE,
    BUDGET_SLOTS,
    MAX_WAIT_SECONDS,
    UNTOLD_CAP_SECONDS,
    UNTOLD_WAIT_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from marketcli.spec import Budget


class Meter:
    """One budget of one exchange inside this process."""

    def __init__(
        self,
        budget: Budget,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        max_wait: float = MAX_WAIT_SECONDS,
    ) -> None:
        self.budget = budget
        self.clock = clock
        self.sleep = sleep
        self.max_wait = max_wait
        self.ceiling = int(budget.limit * BUDGET_SHARE)
        self.slot = budget.seconds / BUDGET_SLOTS
        self.spent: deque[tuple[float, int]] = deque()  # (when, units), oldest first
        self.paused_until = 0.0
        self.ban: str | None = None
        self.untold = 0  # refusals in a row that did not say how long to wait
        self.turn = asyncio.Lock()

    async def acquire(self, units: int) -> None:
        """Wait until `units` may be spent, first come first served, and spend them.

        Raises `RateLimited` when the wait is longer than `max_wait`, `Banned` while a ban lasts.
        """
        async with self.turn:
            while (wait := self.wait(units)) > 0:
                self.check(wait)
                await self.sleep(wait)
            self.spend(units)

    def relax(self) -> None:
        """An answer came: the next refusal starts from the shortest wait again."""
        self.untold = 0

    def wait(self, units: int) -> float:
        """Seconds until `units` may be spent, as far as is known now."""
        now = self.clock()
        if self.paused_until > now:
            return self.paused_until - now
        excess = self.used() + min(units, self.ceiling) - self.ceiling
        for when, amount in self.spent:
            if excess <= 0:
                break
            excess -= amount
            if excess <= 0:
                return max(self.slot / 10, when + self.budget.seconds + self.slot - now)
        return 0.0

    def check(self, wait: float) -> None:
        """Refuse waits that are for the user to decide, and any during a ban."""
        if self.ban is not None and self.paused_until > self.clock():
            raise Banned(self.ban, retry_after=wait, hint=f"Nothing is sent until then; try again in {wait:.0f} s.")
        if wait > self.max_wait:
            raise RateLimited(
                f"The request budget ({self.budget.name}) is free again only in {wait:.0f} s.",
                retry_after=wait,
                hint="Try again then, or raise --max-wait.",
            )

    def used(self) -> int:
        """Units spent in the last window."""
        oldest = self.clock() - self.budget.seconds - self.slot
        while self.spent and self.spent[0][0] <= oldest:
            self.spent.popleft()
        return sum(amount for _, amount in self.spent)

    def spend(self, units: int) -> None:
        """Enter units, in the current slot if it is the newest entry's."""
        now = self.clock()
        if self.spent and now - self.spent[-1][0] < self.slot:
            when, amount = self.spent.pop()
            self.spent.append((when, amount + units))
        elif units:
            self.spent.append((now, units))

    def observe(self, used: int) -> None:
        """Learn from the exchange's own counter: what it has and we have not was spent by others here, just now."""
        if (missing := used - self.used()) > 0:
            self.spend(missing)

    def refused(self, told: float | None, error: RateLimited, *, random: Callable[[], float]) -> float:
        """Hold everything back for as long as the exchange says, or ever longer if it does not; seconds."""
        if told is None:
            half = delay(self.untold, UNTOLD_WAIT_SECONDS, cap=UNTOLD_CAP_SECONDS, random=lambda: 0.5)
            told = half + half * random()
            self.untold += 1
        self.paused_until = max(self.paused_until, self.clock() + told)
        self.ban = error.message if isinstance(error, Banned) else None
        return told
