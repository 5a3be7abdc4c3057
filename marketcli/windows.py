"""Dates as people write them, and arithmetic on windows.

The grammar is closed: what it does not know is an error that shows the forms. Every point in time is UTC unless it
carries an offset of its own, and a date stands for its first moment: `2024-01` is 2024-01-01T00:00:00Z.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from marketcli.errors import UsageError
from marketcli.models import DAY, GENESIS, HOUR, MINUTE, SECOND, WEEK, Micros, Window, iso, to_datetime, to_micros

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMS = (
    "Write 2024, 2024-01, 2024Q1, 2024-01-31, 2024-01-31T12:00 (UTC, or with an offset such as +02:00), an epoch in s, "
    "ms, us or ns, a span back from now such as 90m, 7d or 3mo, or now, today, yesterday."
)
LATEST: Micros = to_micros(datetime(2200, 1, 1, tzinfo=UTC))

YEAR = re.compile(r"(\d{4})")
MONTH = re.compile(r"(\d{4})-(\d{2})")
QUARTER = re.compile(r"(\d{4})-?Q([1-4])", re.IGNORECASE)
ISO_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d{1,9})?)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?", re.IGNORECASE
)
SPAN = re.compile(r"-?(\d{1,6})(s|m|h|d|w|mo|y)")
EPOCHS = {10: SECOND, 13: 1_000, 16: 1}  # digits -> microseconds per unit; 19 digits are nanoseconds
SPAN_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}


def parse_time(text: str, *, now: Micros, what: str = "date") -> Micros:
    """The moment a user means, in microseconds UTC. Raises `UsageError` that names the forms.

    `what` names the option in the message.
    """
    word = text.strip()
    if not word.isascii():
        raise bad(text, what)
    try:
        time = read_word(word, now) if SPAN.fullmatch(word) or word.isalpha() else read_date(word)
    except (ValueError, OverflowError):
        raise bad(text, what) from None
    if not GENESIS <= time <= LATEST:
        raise UsageError(
            f"The {what} {text!r} lies outside the time there is market data for.",
            hint=f"Use a date from {iso(GENESIS)[:10]} on.",
        )
    return time


def parse_span(text: str, *, ending: Micros, what: str = "span") -> Micros:
    """The moment a span such as `90d` or `3mo` before `ending`. Raises `UsageError`."""
    match = SPAN.fullmatch(text.strip()) if text.isascii() else None
    if match is None or int(match[1]) == 0 or text.strip().startswith("-"):
        raise UsageError(
            f"{text!r} is not a {what}.", hint="Write a number and s, m, h, d, w, mo or y, for example 90d."
        )
    try:
        start = back(ending, int(match[1]), match[2])
    except (ValueError, OverflowError):
        start = -1
    if start < GENESIS:
        raise UsageError(f"The {what} {text!r} is longer than there is market data for.", hint="Use a shorter one.")
    return start


def parse_span_after(text: str, *, start: Micros, what: str = "span") -> Micros:
    """The moment a span such as `90d` or `3mo` after `start`. Raises `UsageError`."""
    parse_span(text, ending=LATEST, what=what)
    count, unit = re.split(r"(?<=\d)(?=[a-z])", text.strip())
    try:
        return back(start, -int(count), unit)
    except (ValueError, OverflowError):
        raise UsageError(f"The {what} {text!r} is too long.", hint="Use a shorter one.") from None


def bad(text: str, what: str) -> UsageError:
    """The error for something that is not a date."""
    return UsageError(f"{text!r} is not a {what} this program understands.", hint=FORMS)


def read_word(word: str, now: Micros) -> Micros:
    """`now`, `today`, `yesterday`, or a span back from now."""
    if match := SPAN.fullmatch(word):
        return back(now, int(match[1]), match[2])
    today = now - now % DAY
    return {"now": now, "today": today, "yesterday": today - DAY}[word.lower()] if word.lower() in WORDS else fail(word)


WORDS = ("now", "today", "yesterday")


def fail(word: str) -> Micros:
    """Refuse a word of no meaning."""
    raise ValueError(word)


def read_date(word: str) -> Micros:
    """A calendar date, a moment, or an epoch told by its number of digits."""
    if match := YEAR.fullmatch(word):
        return day(int(match[1]), 1)
    if match := MONTH.fullmatch(word):
        return day(int(match[1]), int(match[2]))
    if match := QUARTER.fullmatch(word):
        return day(int(match[1]), int(match[2]) * 3 - 2)
    if word.isdigit():
        return int(word) // 1_000 if len(word) == 19 else int(word) * EPOCHS.get(len(word), 0) or fail(word)  # noqa: PLR2004
    if not ISO_DATE.fullmatch(word):
        fail(word)
    moment = datetime.fromisoformat(word.upper())
    return to_micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def day(year: int, month: int) -> Micros:
    """The first moment of a month."""
    return to_micros(datetime(year, month, 1, tzinfo=UTC))


def back(time: Micros, count: int, unit: str) -> Micros:
    """`time` less a span; months and years keep the day of the month, or take the month's last day."""
    if unit in SPAN_UNITS:
        return time - count * SPAN_UNITS[unit]
    moment = to_datetime(time)
    index = moment.year * 12 + moment.month - 1 - count * (12 if unit == "y" else 1)
    year, month = index // 12, index % 12 + 1
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    last = (following - timedelta(days=1)).day
    return to_micros(moment.replace(year=year, month=month, day=min(moment.day, last)))


def split(window: Window, length: Micros) -> list[Window]:
    """Cut a window into pieces of at most `length`."""
    return [Window(start, min(start + length, window.end)) for start in range(window.start, window.end, length)]


def overlap(one: Window, other: Window) -> Window | None:
    """The part two windows share, if any."""
    start, end = max(one.start, other.start), min(one.end, other.end)
    return Window(start, end) if start < end else None


def subtract(window: Window, holes: Iterable[Window]) -> list[Window]:
    """What is left of a window without `holes`, in order."""
    left, start = [], window.start
    for hole in join(holes):
        if hole.end <= start or hole.start >= window.end:
            continue
        if hole.start > start:
            left.append(Window(start, hole.start))
        start = hole.end
    if start < window.end:
        left.append(Window(start, window.end))
    return left


def join(windows: Iterable[Window]) -> list[Window]:
    """The same stretch of time as few windows as possible, in order."""
    joined: list[Window] = []
    for window in sorted(windows):
        if joined and window.start <= joined[-1].end:
            joined[-1] = Window(joined[-1].start, max(joined[-1].end, window.end))
        else:
            joined.append(window)
    return joined
