"""When REST is asked whether a stream of trades tells everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketcli.live import defaults

if TYPE_CHECKING:
    from marketcli.models import Micros


@dataclass(slots=True)
class Audit:
    """The audits of one topic on one connection."""

    at: float | None = None  # monotonic moment of the last, or of the data that made one needless
    every: float = defaults.QUIET_SECONDS
    end: Micros | None = None  # up to which trades were compared, by the exchange's clock

    def due(self, now: float, heard: float, *, proven: bool) -> float:
        """Seconds that should be compared now, 0 for none. `heard` is when data came last.

        Where ids prove that nothing was left out, or nothing can, only silence is looked into, ever less often.
        """
        if self.at is None or (proven and heard > self.at):
            self.at, self.every = heard, defaults.QUIET_SECONDS
        stretch = now - self.at
        if stretch < (self.every if proven else defaults.AUDIT_SECONDS):
            return 0.0
        self.at, self.every = now, min(2 * self.every, defaults.QUIET_CAP_SECONDS)
        return stretch
