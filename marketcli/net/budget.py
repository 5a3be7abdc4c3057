"""Weighted budgets: what an exchange meters is never spent beyond nine tenths.

A sliding window of 60 slots: what was spent in the last window plus what is asked for stays at or below the share, so
it holds whatever moment the exchange's own minute begins at, and whichever of the user's processes spends.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from marketcli.errors import Banned, LocalError, RateLimited
from marketcli.net.backoff import delay
from marketcli.net.defaults import (
    CHECK_SECONDS,
    LOCK_SECONDS,
    MAX_WAIT_SECONDS,
    UNTOLD_BAN_SECONDS,
    UNTOLD_CAP_SECONDS,
    UNTOLD_WAIT_SECONDS,
    WAKE_SECONDS,
)
from marketcli.net.judge import at
from marketcli.net.shared import Busy
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.net.account import Account
    from marketcli.net.client import Outside
    from marketcli.net.shared import Keeper
    from marketcli.spec import Budget

T = TypeVar("T")


class Meter:
    """One budget of one exchange, spent from by this process and maybe by others."""

    def __init__(self, budget: Budget, keeper: Keeper, *, outside: Outside, max_wait: float = MAX_WAIT_SECONDS) -> None:
        self.budget = budget
        self.keeper = keeper
        self.outside = outside
        self.max_wait = max_wait
        self.turn = asyncio.Lock()

    async def acquire(self, units: int, *, check: Callable[[], None] = lambda: None) -> float:
        """Wait until `units` may be spent, first come first served in this process, and spend them.

        The moment of spending, by the monotonic clock. Raises `RateLimited` when the wait is longer than `max_wait`,
        `Banned` while a ban lasts, and what `check` raises, which is called whenever there is something to wait for.
        """
        async with self.turn:
            began = self.outside.monotonic()
            while True:
                wait, ban, now = await self.change(lambda account: spend_or_wait(account, units))
                if wait <= 0:
                    return now
                check()
                self.refuse_long(wait, ban, waited=self.outside.monotonic() - began)
                # Others wait for the same slot, so not all come at once; and one of them may be banned meanwhile.
                late = min(self.budget.seconds / 120, 0.5) * self.outside.random()
                await self.outside.sleep(min(CHECK_SECONDS, max(WAKE_SECONDS, wait + late)))

    async def answered(self, units: int, sent: float, *, used: int | None, calm: bool) -> None:
        """Learn from an answer to what was paid at `sent`: the exchange's count, and whether it is `calm` again."""

        def learn(account: Account) -> None:
            account.move(units, sent, now=account.monotonic)
            if used is not None:
                account.observe(used, account.monotonic)
            if calm:
                account.untold = 0

        await self.change(learn)

    async def refused(self, told: float | None, error: RateLimited) -> float:
        """Hold everything back for as long as the exchange says, or ever longer if it does not; seconds."""
        ban = clean(error.message) if isinstance(error, Banned) else ""
        chance = self.outside.random()

        def hold(account: Account) -> float:
            seconds = told
            if seconds is None:
                half = delay(account.untold, UNTOLD_WAIT_SECONDS, cap=UNTOLD_CAP_SECONDS, random=lambda: 0.5)
                seconds = max(half + half * chance, UNTOLD_BAN_SECONDS if ban else 0.0)
                account.untold += 1
            account.hold(seconds, ban, now=account.monotonic)
            return seconds

        return await self.change(hold)

    async def change(self, work: Callable[[Account], T]) -> T:
        """Do something with the account while nobody else can. Raises `LocalError` if somebody never lets it go."""
        outside, began, tries = self.outside, self.outside.monotonic(), 0
        while True:
            try:
                return self.keeper.change(work, outside.moment())
            except Busy as busy:
                if outside.monotonic() - began > LOCK_SECONDS:
                    raise held(self.budget, int(busy.args[0])) from None
            await outside.sleep(min(WAKE_SECONDS, 0.001 * 2**tries) * (0.5 + outside.random() / 2))
            tries += 1

    def refuse_long(self, wait: float, ban: str, *, waited: float) -> None:
        """Refuse waits that are for the user to decide, and any during a ban."""
        until = at(self.outside.wall() + wait)
        if ban:
            raise Banned(clean(ban), retry_after=wait, hint=f"Nothing is sent until {until}; try again then.")
        if waited + wait > self.max_wait:
            raise RateLimited(
                f"The request budget ({self.budget.name}) is free again only in {wait:.0f} s.",
                retry_after=wait,
                hint=f"Try again after {until}, or raise --max-wait.",
            )


def spend_or_wait(account: Account, units: int) -> tuple[float, str, float]:
    """Spend units if that is allowed: seconds to wait (0 if not), the ban that lasts, and the moment."""
    now = account.monotonic
    wait = account.wait(units, now)
    if wait <= 0:
        account.spend(units, now)
    return wait, account.ban if account.banned(now) else "", now


def held(budget: Budget, process: int) -> LocalError:
    """The error for a budget that another process does not let go."""
    who = f"Process {process}" if process else "Another process"
    return LocalError(
        f"{who} holds the request budget ({budget.name}) and has stopped.",
        hint=f"End it or let it go on: kill -CONT {process}." if process else "End it or let it go on.",
    )
