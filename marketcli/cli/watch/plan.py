"""What a watch is to do, settled from its options before anything is asked."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from marketcli.cli.show import check_fields, names
from marketcli.cli.streams import closed
from marketcli.errors import LocalError, UsageError
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marketcli.cli.options import Common, Everywhere, Live, Manner
    from marketcli.cli.where import Where
    from marketcli.config import Config
    from marketcli.datasets import Dataset
    from marketcli.records import Record

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records: `least` in dollars, the `side`, in the field that `column` names."""

    least: float | None = None
    side: str | None = None
    column: str = "side"

    def test(self) -> Callable[[Any], bool] | None:
        """Whether a record is wanted; None if all are."""
        least, side, column = self.least, self.side, self.column
        if least is None and side is None:
            return None
        return lambda record: (
            (side is None or getattr(record, column) == side)
            and (least is None or (record.notional_usd is not None and record.notional_usd >= least))
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A watch with its options understood; `format` is `table` for a panel."""

    config: Config
    manner: Manner
    live: Live
    dataset: Dataset
    format: str
    path: Path | None
    wanted: Wanted
    where: Where | None
    seconds: float | None
    max_down: float | None
    refresh: bool

    @classmethod
    def of(cls, before: Everywhere | None, common: Common, live: Live, *, dataset: Dataset, wanted: Wanted) -> Plan:
        """Settle options, logging, format and file. Raises `UsageError`, or `LocalError` if a file is not to be had."""
        from marketcli.cli import logs
        from marketcli.cli.notice import tell
        from marketcli.cli.options import settle
        from marketcli.datasets import kinds

        config, manner, warnings = settle(before, common, time=live.time)
        if common.fallback:
            raise UsageError(
                "A watch does not fall back: what one exchange missed, another never had.",
                hint="Leave --fallback out; -e a,b watches both.",
            )
        form, path = destination(live, config)
        where = filter_of(live.where, kinds(dataset))
        check(live, form, dataset)
        lengths = [span(text, option) for text, option in ((live.span, "--for"), (live.max_down, "--max-down"))]
        # A panel has the terminal for itself.
        talking = form != "table" or not sys.stderr.isatty()
        logs.start(manner.verbose if talking else 0, config.log_file)
        tell(config, warnings=warnings)
        return cls(
            config, manner, live, dataset, form, path, wanted, where, lengths[0], lengths[1], refresh=common.refresh
        )

    @property
    def panel(self) -> bool:
        """Whether people watch it."""
        return self.format == "table"

    @property
    def fields(self) -> list[str]:
        """The columns asked for; none: all."""
        return names(self.live.fields)

    @property
    def safe(self) -> bool:
        """Whether texts that a spreadsheet takes for formulas are quoted: in files, unless told otherwise."""
        return self.live.csv_safe is True or (self.path is not None and self.live.csv_safe is None)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Which records are wanted, in the words of a headline."""
        from marketcli.output.cells import short

        least = [f"{short(self.wanted.least)} USD or more"] if self.wanted.least else []
        side = [f"{self.wanted.side}s only"] if self.wanted.side else []
        return (*least, *side, *([f"where {clean(self.where.text)}"] if self.where else []))

    def kept(self, records: Sequence[Record]) -> list[Record]:
        """The records that are wanted, in their order."""
        test = self.wanted.test()
        some = [record for record in records if test(record)] if test else list(records)
        if self.where is None or not some:
            return some
        import msgspec
        import polars as pl

        from marketcli import frames

        rows = [msgspec.structs.astuple(record) for record in some]
        frame = frames.from_rows(self.dataset, self.dataset.fields, rows, {})
        numbered = frame.with_columns(pl.Series(" ", range(frame.height), dtype=pl.Int64))
        return [some[place] for place in self.where.kept(numbered)[" "]]


def destination(live: Live, config: Config) -> tuple[str, Path | None]:
    """The format, and the file if it is one. Raises `UsageError` for what cannot be streamed."""
    from marketcli.disk import refuse_overwrite
    from marketcli.output.files import FORMATS, SUFFIXES
    from marketcli.output.lines import format_of
    from marketcli.output.templates import is_template

    target = None if live.output in (None, "-") else live.output
    form = format_of(live.format, known=FORMATS)
    if target is None:
        if "stdout" in closed:
            raise LocalError("Standard output is closed.", hint="Write to a file with -o.")
        return for_stdout(form, config), None
    if is_template(target):
        raise UsageError("A watch writes one file, and braces would make many.", hint="Use -o file.ndjson.")
    form = form or format_of(SUFFIXES.get(PurePath(target).suffix.lower()), known=FORMATS)
    if form is None:
        raise UsageError(
            f"The name {target!r} does not say which format is meant.",
            hint="End it with .ndjson, .csv or .tsv, or use -f.",
        )
    if form == "table":
        raise UsageError("A panel is drawn on a terminal, not into a file.", hint="Use -f csv, or name a file.csv.")
    path = Path(target)
    refuse_overwrite(path, force=live.force)
    return form, path


def for_stdout(wanted: str | None, config: Config) -> str:
    """The format for standard output: what -f says, else the settings, else a panel on a terminal that can show one."""
    from marketcli.output.lines import FORMATS

    terminal, able = sys.stdout.isatty(), os.environ.get("TERM") != "dumb"
    if wanted == "table" and not terminal:
        raise UsageError("A panel is drawn on a terminal, and standard output is none.", hint="Use -f ndjson.")
    if wanted in FORMATS or (wanted is None and config.format in FORMATS):
        return wanted or str(config.format)
    return "table" if terminal and able else "ndjson"


def check(live: Live, form: str, dataset: Dataset) -> None:
    """Refuse options that contradict each other or mean nothing."""
    check_fields(names(live.fields), list(dataset.fields))
    if live.count is not None and live.count < 1:
        raise UsageError(f"--count {live.count} asks for nothing.", hint="Ask for at least 1.")
    if live.meta and form != "ndjson":
        raise UsageError(
            f"--meta goes with ndjson: {'a panel' if form == 'table' else form} has no place for it.",
            hint="Use -f ndjson, or leave --meta out.",
        )
    if live.fields and form == "table":
        raise UsageError("--fields chooses the columns of lines; a panel has its own.", hint="Use -f ndjson or csv.")


def filter_of(text: str | None, kinds: dict[str, str]) -> Where | None:
    """What --where says, understood before anything is asked for."""
    if text is None:
        return None
    from marketcli.cli.where import Where

    return Where.of(text, kinds)


def span(text: str | None, option: str) -> float | None:
    """A length of time in seconds. Raises `UsageError` that names the option."""
    from marketcli.models import EPOCH, to_micros
    from marketcli.windows import parse_span_after

    if text is None:
        return None
    start = to_micros(EPOCH.replace(year=2026))
    return (parse_span_after(text, start=start, what=f"span for {option}") - start) / SECOND
