"""Figures of panels: times, ages, prices and amounts, quickly made and always as wide as the last ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketcli.models import DAY, HOUR, MINUTE, SECOND
from marketcli.output.cells import short
from marketcli.text import clean, number

if TYPE_CHECKING:
    from marketcli.models import Micros
    from marketcli.output.theme import Glyphs

NAME = 26  # columns of a name: 1000000BABYDOGE-USDT-PERP has them
SIGNIFICANT = 12  # digits of a price
DASH = "\N{EN DASH}"


class Places:
    """How many digits after the point the prices of each instrument have had, so that all are shown with as many."""

    def __init__(self) -> None:
        self.known: dict[object, int] = {}

    def shown(self, key: object, value: float | None) -> str:
        """A price of an instrument."""
        if value is None:
            return DASH
        rounded = float(f"{value:.{SIGNIFICANT}g}")
        places = self.known[key] = max(self.known.get(key, 0), len(number(rounded).partition(".")[2]))
        return f"{rounded:,.{places}f}"


def name(text: str) -> str:
    """A name made harmless."""
    return clean(text, NAME)


def clock(time: Micros, *, fraction: bool = False) -> str:
    """The time of day in UTC: `12:00:00`, or `12:00:00.123`."""
    rest = time % DAY
    shown = f"{rest // HOUR:02d}:{rest % HOUR // MINUTE:02d}:{rest % MINUTE // SECOND:02d}"
    return f"{shown}.{rest % SECOND // 1_000:03d}" if fraction else shown


def elapsed(micros: Micros) -> str:
    """A length of time: `0:07`, `12:34`, `3:12:34`."""
    seconds = max(0, micros) // SECOND
    hours, rest = divmod(seconds, 3_600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def age(seconds: float | None) -> str:
    """How long ago something was: `0.3 s ago`, `12 s ago`, `3 min ago`."""
    if seconds is None:
        return "nothing yet"
    if seconds < 10:  # noqa: PLR2004
        return f"{max(0.0, seconds):.1f} s ago"
    return f"{seconds:.0f} s ago" if seconds < 120 else f"{seconds / 60:.0f} min ago"  # noqa: PLR2004


def amount(value: float | None) -> str:
    """A large number in short form."""
    return DASH if value is None else short(value)


def percent(value: float | None, places: int = 2) -> str:
    """A fraction as a signed percentage."""
    return DASH if value is None else f"{value * 100:+,.{places}f}%"


def move(value: float | None) -> str:
    """The style of a change."""
    return "" if not value else "up" if value > 0 else "down"


def rate(per_second: float) -> str:
    """How many a second: `0.2`, `12.3`, `1,234`."""
    return f"{per_second:,.1f}" if per_second < 100 else f"{per_second:,.0f}"  # noqa: PLR2004


def counted(count: int, noun: str) -> str:
    """A number and what it counts: `1 gap`, `2 gaps`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def meter(share: float, width: int, glyphs: Glyphs) -> tuple[str, str]:
    """A bar in two parts, the first of which is the share of the width."""
    full = round(min(1.0, max(0.0, share)) * width)
    mark, rest = ("█", "░") if glyphs.bars else ("#", ".")
    return mark * full, rest * (width - full)
