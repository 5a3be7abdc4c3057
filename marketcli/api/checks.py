"""How the steps went that `mkt doctor` takes: each of them is a `Check`, also one that failed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketcli.errors import ExitCode, LocalError, MarketError, RegionRefused, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable

SLOW_MS = 1_500
OWN_CODES = (RegionRefused, LocalError, UsageError)  # whatever else went wrong is the network's or the exchange's fault


@dataclass(frozen=True, slots=True)
class Check:
    """How one step went: `ok` is None for one that was not taken, `exit` is how a failed one ends the command.

    `concern` is a word for what went well but should be better.
    """

    check: str
    ok: bool | None
    detail: str
    hint: str = ""
    ms: float | None = None
    exchange: str | None = None
    site: str | None = None
    host: str | None = None
    concern: str = ""
    exit: ExitCode = ExitCode.OK

    @property
    def result(self) -> str:
        """How it went, in a word."""
        if self.ok is None:
            return "skipped"
        return (self.concern or "ok") if self.ok else "failed"


def skipped(name: str, reason: str) -> Check:
    """A step that was not taken."""
    return Check(name, ok=None, detail=reason)


def failed(name: str, error: MarketError, *, ms: float | None = None) -> Check:
    """A step that an error ended."""
    ending = error.exit if isinstance(error, OWN_CODES) else ExitCode.NETWORK
    return Check(name, ok=False, detail=error.message, hint=error.hint, ms=ms, exit=ending)


async def timed(name: str, work: Awaitable[str]) -> Check:
    """A step that takes time and then says what it found, or fails."""
    started = time.perf_counter()
    try:
        detail = await work
    except MarketError as error:
        return failed(name, error, ms=since(started))
    ms = since(started)
    return Check(name, ok=True, detail=detail, ms=ms, concern="slow" if ms > SLOW_MS else "")


def since(started: float) -> float:
    """Milliseconds gone by, to a tenth."""
    return round((time.perf_counter() - started) * 1_000, 1)
