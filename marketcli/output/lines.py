"""Records as lines of NDJSON, CSV and TSV: the very text that `rows` makes of frames, one by one, without Polars."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from json.encoder import encode_basestring
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from marketcli.datasets import kinds
from marketcli.errors import UsageError
from marketcli.models import SECOND, Micros, to_datetime
from marketcli.output.rows import escaped
from marketcli.output.text import TEXTUAL, TIMES
from marketcli.text import FORMULA, clean, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from marketcli.datasets import Dataset
    from marketcli.live.events import Blind, Status
    from marketcli.records import Record

    Write: TypeAlias = Callable[[Any], str]

FORMATS = ("ndjson", "csv", "tsv")  # what can be written row by row, and read while it is
REASONS = {
    "json": "A JSON array is whole only when its last row has come, and a watch has none.",
    "parquet": "Parquet has its index at the end, and a watch has none.",
    "arrow": "Arrow goes out in large batches, and a watch gives every row at once.",
}
REMEMBERED = 4_096  # names and seconds whose text is kept
UNITS = {"s": SECOND, "ms": 1_000, "us": 1}
QUOTED = re.compile(r'[",\n\r]')


class Lines:
    """How the records of a dataset are written: `fields` are the columns wanted, all if none.

    With `safe` texts that a spreadsheet takes for a formula get a `'`, and `changed` counts them. With `terminal` what
    names could do to one is made visible.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        format_name: str = "ndjson",
        fields: Sequence[str] = (),
        time: str = "iso",
        safe: bool = False,
        terminal: bool = False,
    ) -> None:
        self.format_name = format_name
        self.moment = moments(time)
        self.quoted_times = time == "iso"
        self.changed = 0
        names = tuple(fields) or dataset.fields
        guards: list[Callable[[str], str]] = [clean] if terminal else []
        guards += [self.guarded] if safe and format_name != "ndjson" else []
        writers = self.objects if format_name == "ndjson" else self.cells
        self.writers = [writers(name, kinds(dataset)[name], guards) for name in names]
        self.pick: Callable[[Record], Any] = attrgetter(*names)
        self.alone = len(names) == 1
        separator = "\t" if format_name == "tsv" else ","
        if format_name == "ndjson":
            self.template = "{" + ",".join(f"{json.dumps(name)}:%s" for name in names) + "}\n"
            self.lead = b""
        else:
            self.template = separator.join(["%s"] * len(names)) + "\n"
            self.lead = f"{separator.join(names)}\n".encode()

    def line(self, record: Record) -> str:
        """One record, with the end of the line."""
        values = (self.pick(record),) if self.alone else self.pick(record)
        return self.template % tuple([write(value) for write, value in zip(self.writers, values, strict=True)])

    def of(self, records: Iterable[Record]) -> bytes:
        """The lines of records."""
        return "".join(map(self.line, records)).encode("utf-8", "replace")

    def objects(self, name: str, kind: str, guards: Sequence[Callable[[str], str]]) -> Write:
        """How values of a column stand in a JSON object."""
        if kind in TEXTUAL:
            return text_writer(encode_basestring, guards, name=name, null="null")
        if kind == "time":
            moment = self.moment
            if self.quoted_times:
                return lambda value: "null" if value is None else f'"{moment(value)}"'
            return lambda value: "null" if value is None else moment(value)
        return plain_writer(kind, null="null")

    def cells(self, name: str, kind: str, guards: Sequence[Callable[[str], str]]) -> Write:
        """How values of a column stand in a cell."""
        if kind in TEXTUAL:
            write = escaped if self.format_name == "tsv" else csv_cell
            return text_writer(write, guards, name="id" if guards else name, null="")
        if kind == "time":
            moment = self.moment
            return lambda value: "" if value is None else moment(value)
        return plain_writer(kind, null="")

    def guarded(self, text: str) -> str:
        """A text that no spreadsheet takes for a formula."""
        if not text.startswith(FORMULA):
            return text
        self.changed += 1
        return f"'{text}"

    def gap(self, blind: Blind) -> bytes:
        """What may be missing, as a line of NDJSON."""
        return self.control(
            "gap",
            exchange=blind.exchange,
            market=blind.market,
            dataset=blind.dataset.name,
            symbols=list(blind.symbols),
            **{"from": self.time(blind.window.start), "to": self.time(blind.window.end)},
            cause=blind.cause,
            repaired=blind.repaired,
            rows=blind.rows,
        )

    def status(self, status: Status) -> bytes:
        """What became of a connection, as a line of NDJSON."""
        return self.control(
            "status",
            exchange=status.exchange,
            market=status.market,
            state=status.state,
            time=self.time(status.time),
            connection=status.connection,
            text=status.text,
        )

    def control(self, kind: str, **entries: object) -> bytes:
        """A line that is no record: it has a `type`."""
        return f"{json.dumps({'type': kind, **entries}, ensure_ascii=False, separators=(',', ':'))}\n".encode()

    def time(self, time: Micros) -> str | int:
        """A time as records have it."""
        return self.moment(time) if self.quoted_times else int(self.moment(time))


def format_of(wanted: str | None, *, known: Iterable[str]) -> str | None:
    """The format that is named, if any. Raises `UsageError` for one that does not exist or cannot be streamed."""
    if wanted is None or wanted.lower() in {*FORMATS, "table"}:
        return wanted.lower() if wanted else None
    if wanted.lower() in REASONS:
        raise UsageError(REASONS[wanted.lower()], hint="Use -f ndjson, csv or tsv.")
    raise UsageError(f"There is no format {clean(wanted)!r}.", hint=f"Use one of {', '.join(known)}.")


def moments(time: str) -> Callable[[Micros], str]:
    """How times are written: ISO 8601 UTC, or whole units since 1970, rounded down."""
    if time not in TIMES:
        raise UsageError(f"There is no time format {time!r}.", hint=f"Use one of {', '.join(TIMES)}.")
    if time == "iso":
        return iso
    if time == "ns":
        return lambda value: str(value * 1_000)
    unit = UNITS[time]
    return lambda value: str(value // unit)


@lru_cache(maxsize=REMEMBERED)
def whole(second: int) -> str:
    """A second since 1970, up to the seconds."""
    return to_datetime(second * SECOND).strftime("%Y-%m-%dT%H:%M:%S")


def iso(time: Micros) -> str:
    """The same as `models.iso`, which forgets every second at once."""
    second, fraction = divmod(time, SECOND)
    if not fraction:
        return f"{whole(second)}Z"
    return f"{whole(second)}.{fraction:06d}Z" if fraction % 1_000 else f"{whole(second)}.{fraction // 1_000:03d}Z"


def plain_writer(kind: str, *, null: str) -> Write:
    """How numbers, counts and booleans are written."""
    if kind == "boolean":
        return lambda value: null if value is None else "true" if value else "false"
    if kind == "integer":
        return lambda value: null if value is None else str(value)

    def write(value: float | None) -> str:
        if value is None:
            return null
        text = repr(value)
        if "e" in text or "n" in text:  # an exponent; infinite, or no number
            return null if "n" in text else number(value)
        return text.removesuffix(".0")

    return write


def text_writer(write: Write, guards: Sequence[Callable[[str], str]], *, name: str, null: str) -> Write:
    """How texts are written; those of all columns but `id` are few, and remembered."""

    def guarded(value: str | None) -> str:
        if value is None:
            return null
        for guard in guards:
            value = guard(value)
        return write(value)

    return guarded if name == "id" else lru_cache(maxsize=REMEMBERED)(guarded)


def csv_cell(text: str) -> str:
    """A text as a cell: in quotes where it must be, and where it is empty, which null is not."""
    if text and not QUOTED.search(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def span_of(records: Iterable[Record], *, now: Micros) -> Mapping[tuple[str, str], tuple[int, Micros, Micros]]:
    """Of each exchange and market how many records there are, the first time and the last; `now` where none says."""
    found: dict[tuple[str, str], tuple[int, Micros, Micros]] = {}
    for record in records:
        place = record.exchange, record.market
        time: Micros = getattr(record, "time", None) or now
        count, first, last = found.get(place, (0, time, time))
        found[place] = count + 1, min(first, time), max(last, time)
    return found
