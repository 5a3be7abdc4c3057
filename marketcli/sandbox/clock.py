"""The world's clock: this machine's, faster, or begun at another time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.models import Micros


def paced(source: Callable[[], Micros], *, speed: float, start: Micros | None) -> Callable[[], Micros]:
    """A clock that shows `start` now, or what its source shows, and runs `speed` times as fast from here on."""
    began = source()
    shown = began if start is None else start

    def clock() -> Micros:
        return shown + round((source() - began) * speed)

    return source if speed == 1 and start is None else clock
