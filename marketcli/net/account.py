"""What has been spent from one budget and until when it is held back: plain arithmetic, no clock and no file.

Moments are seconds of the machine's monotonic clock, which all its processes share and nobody can set. What was written
under another boot is translated by the wall clock.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple, TypeAlias

from msgspec import Meta, Struct, field

from marketcli.net.defaults import BUDGET_SHARE, BUDGET_SLOTS, CLOCK_JUMP_SECONDS

# Bounds, because the file an account comes from may hold anything.
Seconds: TypeAlias = Annotated[float, Meta(ge=-1e10, le=1e10)]
Units: TypeAlias = Annotated[int, Meta(ge=0, le=10**12)]
Text: TypeAlias = Annotated[str, Meta(max_length=1_000)]
Spent: TypeAlias = Annotated[list[tuple[Seconds, Units]], Meta(max_length=4 * BUDGET_SLOTS)]


class Moment(NamedTuple):
    """The same instant by the wall clock and by the monotonic clock of a boot."""

    wall: float
    monotonic: float
    boot: str


class Key(NamedTuple):
    """Whose budget it is; `via` is empty for the exchange itself."""

    via: str
    exchange: str
    site: str
    budget: str


class Account(Struct):
    """One budget: `spent` holds slots of a sixtieth of the window, oldest first, each with the moment it began at."""

    via: Text
    exchange: Text
    site: Text
    budget: Text
    limit: Units
    seconds: Annotated[float, Meta(gt=0, le=1e9)]
    boot: Text = ""
    wall: Seconds = 0.0
    monotonic: Seconds = 0.0
    spent: Spent = field(default_factory=list)
    paused_until: Seconds = 0.0
    ban: Text = ""
    untold: Units = 0  # refusals in a row that did not say how long to wait

    @property
    def key(self) -> Key:
        """Whose budget it is."""
        return Key(self.via, self.exchange, self.site, self.budget)

    @property
    def ceiling(self) -> int:
        """The share of the limit that may be spent in one window."""
        return int(self.limit * BUDGET_SHARE)

    @property
    def slot(self) -> float:
        """Seconds over which what is spent is counted as one."""
        return self.seconds / BUDGET_SLOTS

    def carry(self, now: Moment) -> None:
        """Bring the account to a moment, by the wall clock where the monotonic one began anew.

        Nothing then lies in the future, and a pause is never longer than what was left of it at the last change.
        """
        if not self.same_clock(now):
            shift = (now.monotonic - now.wall) - (self.monotonic - self.wall)
            left = max(0.0, self.paused_until - self.monotonic)
            self.spent = [(min(when + shift, now.monotonic), units) for when, units in self.spent]
            self.paused_until = min(self.paused_until + shift, now.monotonic + left)
        self.wall, self.monotonic, self.boot = now
        oldest = now.monotonic - self.seconds - self.slot
        self.spent = [(when, units) for when, units in self.spent if when > oldest]

    def same_clock(self, now: Moment) -> bool:
        """Whether moments of the account and of now are on one clock.

        Where the system does not name its boots, a wall clock that moved by itself counts as another boot.
        """
        if now.boot != self.boot or now.monotonic < self.monotonic - 1:
            return False
        drift = (now.wall - now.monotonic) - (self.wall - self.monotonic)
        return bool(now.boot) or abs(drift) <= CLOCK_JUMP_SECONDS

    def banned(self, now: float) -> bool:
        """Whether a ban lasts."""
        return bool(self.ban) and self.paused_until > now

    @property
    def used(self) -> int:
        """Units spent in the window before the moment the account was carried to."""
        return sum(units for _, units in self.spent)

    def wait(self, units: int, now: float) -> float:
        """Seconds until so many units may be spent, as far as is known now."""
        if self.paused_until > now:
            return self.paused_until - now
        excess = self.used + min(units, self.ceiling) - self.ceiling
        for when, amount in self.spent:
            if excess <= 0:
                break
            excess -= amount
            if excess <= 0:
                return when + self.seconds + self.slot - now
        return 0.0

    def spend(self, units: int, now: float) -> None:
        """Enter units, in the newest slot if that is still running."""
        if not units:
            return
        if self.spent and now - self.spent[-1][0] < self.slot:
            when, amount = self.spent.pop()
            self.spent.append((when, amount + units))
        else:
            self.spent.append((now, units))

    def move(self, units: int, sent: float, *, now: float) -> None:
        """Count units from the answer on: when between sending and answer the exchange counted them, nobody knows."""
        if self.spent and self.spent[-1][0] <= sent and now - self.spent[-1][0] < self.slot:
            return
        for place in range(len(self.spent) - 1, -1, -1):
            when, amount = self.spent[place]
            if when <= sent:
                self.spent[place] = (when, max(0, amount - units))
                break
        self.spend(units, now)

    def observe(self, used: int, now: float) -> None:
        """Learn from the exchange's own counter: what it has and we have not was spent by others here, just now."""
        self.spend(max(0, used - self.used), now)

    def hold(self, seconds: float, ban: str, *, now: float) -> None:
        """Hold everything back for so long; a ban outlasts any lesser refusal that comes in after it."""
        if ban or not self.banned(now):
            self.ban = ban
        self.paused_until = max(self.paused_until, now + seconds)
