"""Leaving a host alone that only fails: what waits for it fails at once, and now and then one request is let through.

A host is left alone after five failures in a row that have outlasted what one request tries: one has used up its tries,
or they go on for longer than it would. So a moment of failing that trying again survives stops nothing, and the request
that finds out keeps its own error.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from marketcli.errors import CutBody, DeadlineExceeded, ExchangeDown, MarketError, Unreachable
from marketcli.net.defaults import BREAKER_FAILURES, BREAKER_LASTING_SECONDS, BREAKER_SECONDS
from marketcli.net.judge import at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketcli.net.client import Outside

FAILURES = (Unreachable, DeadlineExceeded, ExchangeDown, CutBody)


class Breaker:
    """How one host has done so far in this process."""

    def __init__(self, host: str, outside: Outside) -> None:
        self.host = host
        self.outside = outside
        self.failures = 0  # in a row
        self.since = 0.0  # when the first of them was
        self.reason: MarketError | None = None  # why the host is left alone
        self.until = 0.0
        self.probing = False

    @property
    def open(self) -> bool:
        """Whether the host is left alone."""
        return self.reason is not None

    def check(self) -> None:
        """Raise the reason the host is left alone for, unless somebody may try it again."""
        left = self.until - self.outside.monotonic()
        if self.reason is None or (left <= 0 and not self.probing):
            return
        until = at(self.outside.wall() + max(0.0, left))
        raise type(self.reason)(
            f"{self.host} has failed {self.failures} times in a row, so it is not asked before {until}. "
            f"Last: {self.reason.message}",
            hint=self.reason.hint,
            retry_after=max(0.0, left),
            request=self.reason.request,
        )

    @contextlib.contextmanager
    def passing(self) -> Iterator[None]:
        """Let one request through and note how it ends; whatever answer a host gives, it is there."""
        self.check()
        probe, self.probing = self.open, self.open
        try:
            yield
        except FAILURES as error:
            self.failed(error, probe=probe)
            raise
        except MarketError:
            self.mend()
            raise
        else:
            self.mend()
        finally:
            self.probing = self.probing and not probe

    def failed(self, error: MarketError, *, probe: bool) -> None:
        """A request has failed."""
        now = self.outside.monotonic()
        self.since = self.since if self.failures else now
        self.failures += 1
        if probe or now - self.since > BREAKER_LASTING_SECONDS:
            self.judge(error)

    def gave_up(self, error: MarketError) -> None:
        """A request has used up its tries."""
        if isinstance(error, FAILURES) and not self.open:
            self.judge(error)

    def judge(self, error: MarketError) -> None:
        """Leave the host alone for a while if it has failed often enough."""
        if self.failures >= BREAKER_FAILURES:
            self.reason, self.until = error, self.outside.monotonic() + BREAKER_SECONDS

    def mend(self) -> None:
        """The host works."""
        self.failures, self.reason = 0, None
