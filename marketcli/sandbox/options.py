"""Keys of faults: what they are unless written, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketcli.models import GENESIS
from marketcli.windows import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Option:
    """A key of a fault: what it is unless written, how it is read, and how it is shown."""

    default: Any
    read: Callable[[str], Any]
    shown: str


def whole(default: int) -> Option:
    """A key that is a whole number."""
    return Option(default, positive, str(default))


def positive(text: str) -> int:
    """A whole number of at least one."""
    if (value := int(text)) < 1:
        raise ValueError(text)
    return value


def number(default: float) -> Option:
    """A key that is a number."""
    return Option(default, float, f"{default:g}")


def seconds(default: float | None) -> Option:
    """A key that is a stretch of time, longer than none."""
    return Option(default, stretch, "S" if default is None else f"{default:g}")


def stretch(text: str) -> float:
    """Seconds, more than none and not for ever."""
    if not 0 < (value := float(text)) < float("inf"):
        raise ValueError(text)
    return value


def choice(*words: str) -> Option:
    """A key that is one of some words, the first unless written."""
    return Option(words[0], lambda text: words[words.index(text)], "|".join(words))


def text_option() -> Option:
    """A key that is any text."""
    return Option("", str, "TEXT")


def moment() -> Option:
    """A key that is a date."""
    return Option(None, lambda text: parse_time(text, now=GENESIS), "DATE")


COMMON: Mapping[str, Option] = {
    "every": whole(1),
    "first": Option(None, positive, "N"),
    "path": text_option(),
    "host": text_option(),
    "exchange": text_option(),
}
