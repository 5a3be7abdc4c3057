"""What one pool of an exchange has given out, and what it does to those who ask for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketcli.models import MILLISECOND, SECOND

if TYPE_CHECKING:
    from marketcli.models import Micros
    from marketcli.spec import Budget

OK, LIMITED, BANNED = 200, 429, 418
PATIENCE = 10  # requests that may follow a 429 before the ban comes
BAN, LONGEST_BAN = 120 * SECOND, 3 * 86_400 * SECOND  # wire-facts: two minutes up to three days
ON_THEIR_WAY = 100 * MILLISECOND  # requests this soon after a refusal may have been sent before it was read


class Meter:
    """What is used in the running stretch of the calendar, and who was told to wait until when."""

    def __init__(self, budget: Budget, *, enforced: bool) -> None:
        self.budget = budget
        self.enforced = enforced
        self.used = self.total = self.stretch = 0
        self.status, self.told, self.until = OK, 0, 0
        self.deaf = self.bans = 0
        self.sent_before_retry_after = self.sent_while_banned = 0

    def charge(self, weight: int, now: Micros) -> int:
        """Count a request and say how it ends: 200, 429 or 418."""
        self.roll(now)
        self.used += weight
        self.total += weight
        self.listen(now)
        if not self.enforced:
            return OK
        if self.status == BANNED or self.used > self.budget.limit:
            self.refuse(now)
            return self.status
        return OK

    def roll(self, now: Micros) -> None:
        """Begin a new minute (or five), and forget a refusal whose time is over."""
        length = round(self.budget.seconds * SECOND)
        if now // length != self.stretch:
            self.stretch, self.used = now // length, 0
        if now >= self.until:
            self.status, self.deaf = OK, 0

    def listen(self, now: Micros) -> None:
        """Notice a request that was sent although its sender had been told to wait."""
        if self.status == OK or now < self.told + ON_THEIR_WAY:
            return
        self.deaf += 1
        if self.status == BANNED:
            self.sent_while_banned += 1
        else:
            self.sent_before_retry_after += 1

    def refuse(self, now: Micros) -> None:
        """Refuse a request: for the rest of the minute (or five), or for ever longer if nobody listens."""
        if self.deaf > PATIENCE:
            length = min(BAN << self.bans, LONGEST_BAN)
            self.bans, self.deaf = self.bans + 1, 0
            self.tell(BANNED, now, until=now + length)
        elif self.status == OK:
            length = round(self.budget.seconds * SECOND)
            self.tell(LIMITED, now, until=(now // length + 1) * length)

    def tell(self, status: int, now: Micros, *, until: Micros) -> None:
        """Remember that senders were told to wait; faults tell it too."""
        self.status, self.told, self.until = status, now, until

    def wait(self, now: Micros) -> int:
        """Whole seconds until requests are welcome again."""
        return max(1, -(-(self.until - now) // SECOND))
