"""Delays that grow to a cap, with full jitter, so that many clients never come back together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def delay(attempt: int, first: float, *, cap: float, random: Callable[[], float]) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 0); `random` gives [0, 1)."""
    return float(min(cap, first * 2 ** min(attempt, 30)) * random())
