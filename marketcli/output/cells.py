"""Values as people read them: thousands set apart, decimal points under each other, times without needless digits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from marketcli.models import DAY, HOUR, MINUTE, SECOND, Micros
from marketcli.output.text import decimals
from marketcli.text import clean, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from marketcli.output.theme import Glyphs

WORD = 48  # characters of a text cell; no honest name is longer
SUFFIXES = ("", "k", "M", "B", "T")
DIGITS = 3  # significant ones of a shortened number


def exact(values: pl.Series, *, filled: int = 0) -> list[str]:
    """Numbers with all their digits and the decimal points under each other; null is blank.

    At least `filled` digits after the point are shown: with 1, 61234 reads `61,234.0`.
    """
    split = [text.partition(".") for text in decimals(values.cast(float)).fill_null("").to_list()]
    places = max((len(fraction) for _, _, fraction in split), default=0)
    return [number_cell(whole, fraction, filled, max(places, filled)) for whole, _, fraction in split]


def number_cell(whole: str, fraction: str, filled: int, places: int) -> str:
    """A number with `filled` digits after the point at least and room for `places`."""
    if not whole:
        return ""
    digits = fraction.ljust(filled, "0")
    shown = f"{grouped(whole)}.{digits}" if digits else grouped(whole)
    return shown + " " * (places - len(digits) + (1 if places and not digits else 0))


def places_in(values: pl.Series) -> int:
    """The most digits any of the numbers has after the point."""
    fractions = decimals(values.cast(float)).str.extract(r"\.(\d+)$").str.len_chars()
    return max((count for count in (fractions.max(),) if isinstance(count, int)), default=0)


def places_of(step: float | None) -> int:
    """How many digits after the point a price step has."""
    return len(number(step).partition(".")[2]) if step else 0


def grouped(whole: str) -> str:
    """Digits in groups of three: `-61234` is `-61,234`."""
    return f"{int(whole):,}" if whole != "-0" else whole


def counts(values: pl.Series) -> list[str]:
    """Whole numbers in groups of three; null is blank."""
    return ["" if value is None else f"{value:,}" for value in values.to_list()]


def shorts(values: pl.Series) -> list[str]:
    """Amounts in three significant digits, `12.3k` and `4.56M`, with the digits above each other; null is blank."""
    texts = ["" if value is None else short(value) for value in values.to_list()]
    if any(text[-1:].isalpha() for text in texts):
        return [f"{text} " if text[-1:].isdigit() else text for text in texts]
    return texts


def short(value: float) -> str:
    """One amount in three significant digits: `0.00123`, `987`, `12.3k`, `4.56M`."""
    if not math.isfinite(value):
        return ""
    if value == 0:
        return "0"
    rounded = float(f"{value:.{DIGITS - 1}e}")
    power = math.floor(math.log10(abs(rounded)))
    step = min(max(power // 3, 0), len(SUFFIXES) - 1)
    places = max(0, DIGITS - 1 - (power - 3 * step))
    return f"{rounded / 1_000**step:.{places}f}{SUFFIXES[step]}"


def changes(before: Sequence[float | None], after: Sequence[float | None], glyphs: Glyphs) -> list[str]:
    """How much each value moved: an arrow where there is one, a sign, and percent if that means anything."""
    percent = all(value is None or value > 0 for value in before)
    return [moved(first, last, glyphs, percent=percent) for first, last in zip(before, after, strict=True)]


def moved(first: float | None, last: float | None, glyphs: Glyphs, *, percent: bool) -> str:
    """One movement; sign and arrow say what colour only underlines."""
    way = direction(first, last)
    if first is None or last is None:
        return ""
    if not percent:
        return {"up": glyphs.up or "+", "down": glyphs.down or "-"}.get(way, "=")
    mark = {"up": glyphs.up, "down": glyphs.down}.get(way, "")
    figure = f"{(last - first) / first * 100:+,.2f}%" if way else "0.00%"
    return f"{mark}{figure}"


def direction(first: float | None, last: float | None) -> str:
    """The style of a movement: up, down, or none."""
    if first is None or last is None or first == last:
        return ""
    return "up" if last > first else "down"


def times(values: pl.Series, pattern: str) -> list[str]:
    """Times in UTC by a pattern; null is blank."""
    return ["" if text is None else text for text in values.dt.to_string(pattern).to_list()]


def full_pattern(values: pl.Series) -> str:
    """Date and as much of the clock as the times need; the date alone if all are midnights."""
    clock = clock_pattern(values)
    return f"%Y-%m-%d {clock}" if clock else "%Y-%m-%d"


def lean_pattern(values: pl.Series) -> str:
    """As `full_pattern` without what all times share: the year, or the whole date. Dates alone stay whole."""
    clock = clock_pattern(values)
    if not clock:
        return "%Y-%m-%d"
    if values.dt.date().n_unique() == 1:
        return clock
    return f"%m-%d {clock}" if values.dt.year().n_unique() == 1 else f"%Y-%m-%d {clock}"


def clock_pattern(values: pl.Series) -> str:
    """Hours and minutes, seconds and their fraction if any time has them; nothing if all are midnights."""
    micros = values.drop_nulls().to_physical()
    if not (micros % DAY != 0).any():
        return ""
    if not (micros % MINUTE != 0).any():
        return "%H:%M"
    if not (micros % SECOND != 0).any():
        return "%H:%M:%S"
    return "%H:%M:%S%.6f" if (micros % 1_000 != 0).any() else "%H:%M:%S%.3f"


def period(values: pl.Series, dash: str) -> str:
    """From the first to the last time, the second without what it shares with the first."""
    first, last = values.min(), values.max()
    ends = values.clear().extend_constant(first, 1).extend_constant(last, 1)
    begin, end = times(ends, full_pattern(values))
    if begin == end:
        return begin
    return f"{begin} {dash} {end[11:] if begin[:10] == end[:10] else end}"


def countdown(left: Micros) -> str:
    """A time to wait: `12:34`, `3:12:34`, `2 d 03:12`."""
    seconds = max(0, left) // SECOND
    days, rest = divmod(seconds, DAY // SECOND)
    hours, rest = divmod(rest, HOUR // SECOND)
    minutes, rest = divmod(rest, 60)
    if days:
        return f"{days} d {hours:02d}:{minutes:02d}"
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def words(values: pl.Series, limit: int = WORD) -> list[str]:
    """Texts made harmless; null is blank."""
    shown = {value: clean(value, limit) for value in values.unique().drop_nulls()}
    return ["" if value is None else shown[value] for value in values.to_list()]


def flags(values: pl.Series, glyphs: Glyphs) -> list[str]:
    """Booleans as signs; null is blank."""
    return ["" if value is None else glyphs.yes if value else glyphs.no for value in values.to_list()]


def spark(values: Sequence[float], width: int, bars: str) -> str:
    """A line of bars, each the last value of its share; nothing for fewer than two values or without bars."""
    if len(values) < 2 or not bars or width < 1:  # noqa: PLR2004 - one value has no course
        return ""
    count = min(width, len(values))
    sampled = [values[(place + 1) * len(values) // count - 1] for place in range(count)]
    low, high = min(sampled), max(sampled)
    if low == high:
        return bars[len(bars) // 2] * count
    return "".join(bars[round((value - low) / (high - low) * (len(bars) - 1))] for value in sampled)
