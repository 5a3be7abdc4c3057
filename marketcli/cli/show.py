"""Where a command's rows go: a table on a terminal, exact rows in a pipe or a file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from marketcli.cli.streams import closed
from marketcli.errors import LocalError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from rich.console import Console

    from marketcli.cli.options import Output
    from marketcli.cli.where import Where
    from marketcli.config import Config
    from marketcli.output.templates import Template
    from marketcli.output.view import View

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Destination:
    """Where rows go and in what form, settled before any work begins."""

    format: str
    path: Path | None
    output: Output
    config: Config
    where: Where | None = None
    template: Template | None = None

    @property
    def drawn(self) -> bool:
        """Whether people read it."""
        return self.format == "table"

    @classmethod
    def of(
        cls,
        output: Output,
        config: Config,
        *,
        kinds: Mapping[str, str] | None = None,
        known: Mapping[str, str] = NOTHING,
    ) -> Destination:
        """Read the options. Raises `UsageError`, or `LocalError` if the file could not be written anyway.

        `kinds` are those of the rows that will come (None: neither --where nor a template can be used), `known` the
        values that fields of a template have already.
        """
        from marketcli.disk import refuse_overwrite
        from marketcli.output.files import format_for

        wanted, target = wanted_format(output, config), None if output.output in (None, "-") else output.output
        terminal = sys.stdout.isatty() if sys.stdout else False
        where, template = filter_of(output, kinds), template_of(target, kinds)
        if template is not None and not template.fields:  # only doubled braces
            target, template = template.path([]), None
        format_name = format_for(target, wanted, terminal=terminal)
        path = Path(target) if target and template is None else None
        if template is not None:
            alone = "," not in config.exchange and config.exchange != "all" and not config.fallback
            template.check({**({"exchange": config.exchange} if alone else {}), **known}, force=output.force)
        elif path is not None:
            refuse_overwrite(path, force=output.force)
        elif "stdout" in closed:
            raise LocalError("Standard output is closed.", hint="Write to a file with -o.")
        return cls(format_name, path, output, config, where, template)

    def kept(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows asked for."""
        return self.where.kept(frame) if self.where else frame

    def unfiltered(self) -> Destination:
        """The same for rows of another kind than was announced, such as the plan of a dry run."""
        if self.template is not None:
            raise UsageError(
                "A dry run writes one plan, not files by a template.", hint="Leave -o out, or name a file."
            )
        return replace(self, where=None)

    def selected(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The columns asked for."""
        wanted = names(self.output.fields)
        check_fields(wanted, frame.columns)
        return frame.select(wanted) if wanted else frame

    def write(self, frame: pl.DataFrame, kinds: Mapping[str, str], *, metadata: Mapping[str, str]) -> list[str]:
        """Write rows for programs; gives sentences the user should read."""
        from marketcli.output.files import write_stdout

        kept = self.kept(frame)
        rows, notes = self.selected(kept), []
        if self.where is not None:
            metadata = {**metadata, "marketcli.where": self.where.text}
            notes.append(f"{matching(kept.height, frame.height)}.")
        if self.template is not None:
            return notes + self.write_template(self.template, kept, rows, kinds=kinds, metadata=metadata)
        if self.path is not None:
            safe = self.output.csv_safe is not False
            return notes + self.write_file(self.path, rows, kinds, metadata=metadata, csv_safe=safe)
        sys.stdout.flush()
        write_stdout(rows, kinds, self.format, time=self.config.time, out=sys.stdout.buffer)
        return notes

    def write_file(
        self, path: Path, rows: pl.DataFrame, kinds: Mapping[str, str], *, metadata: Mapping[str, str], csv_safe: bool
    ) -> list[str]:
        """Write one file whole."""
        from marketcli.output.files import write_file

        return write_file(
            rows,
            kinds,
            self.format,
            path,
            force=self.output.force,
            time=self.config.time,
            csv_safe=csv_safe,
            metadata=metadata,
        )

    def write_template(
        self,
        template: Template,
        frame: pl.DataFrame,
        rows: pl.DataFrame,
        *,
        kinds: Mapping[str, str],
        metadata: Mapping[str, str],
    ) -> list[str]:
        """Write the rows to the files that the values in `frame` name."""
        from marketcli.output.files import SPREADSHEET, formula_note
        from marketcli.output.rows import spreadsheet_safe
        from marketcli.output.templates import write_all

        notes: list[str] = []
        if self.format in SPREADSHEET and self.output.csv_safe is not False:
            rows, count = spreadsheet_safe(rows, kinds)
            notes += [formula_note(count)] if count else []
        return notes + write_all(
            template,
            template.paths(frame),
            rows,
            force=self.output.force,
            write=lambda path, part: self.write_file(path, part, kinds, metadata=metadata, csv_safe=False),
        )

    def console(self) -> Console:
        """What tables are drawn on."""
        from marketcli.output.theme import console

        return console(sys.stdout, color=False if self.config.no_color else None)

    def draw(self, views: Sequence[View], *, candles: bool) -> None:
        """Draw rows for people: candles as they came, all others already `kept` and `selected`."""
        from marketcli.output.table import show, show_candles

        console = self.console()
        if candles and not self.output.fields and self.where is None:
            show_candles(console, views, wide=self.output.wide)
            return
        for view in views:
            show(console, self.narrowed(view) if candles else view, wide=self.output.wide)

    def narrowed(self, view: View) -> View:
        """A view with the rows and columns asked for, which says how many of the rows those are."""
        kept = self.kept(view.frame)
        said = [matching(kept.height, view.frame.height)] if self.where else []
        columns = self.selected(kept) if self.output.fields or self.output.wide else untitled(kept)
        return replace(view, frame=columns, caption=[*view.caption, *said])


def untitled(frame: pl.DataFrame) -> pl.DataFrame:
    """Candles without what their headline says; whether they are finished stands by the time, if any is not."""
    said = {"exchange", "market", "symbol", "native", "interval", "price", "source", "time", "closed"}
    lead = ["time"] if frame["closed"].all() else ["time", "closed"]
    return frame.select(*lead, *(name for name in frame.columns if name not in said))


def wanted_format(output: Output, config: Config) -> str | None:
    """The format the options name; settings count where no file name decides."""
    if output.as_json and output.format not in (None, "json"):
        raise UsageError(f"--json and -f {output.format} contradict each other.", hint="Leave one of them out.")
    wanted = output.format or ("json" if output.as_json else None)
    return config.format if wanted is None and output.output in (None, "-") else wanted


def filter_of(output: Output, kinds: Mapping[str, str] | None) -> Where | None:
    """What --where says, understood before anything is asked for."""
    if output.where is None:
        return None
    if kinds is None:
        raise UsageError("This command does not filter its rows.", hint="Leave --where out.")
    from marketcli.cli.where import Where

    return Where.of(output.where, kinds)


def template_of(target: str | None, kinds: Mapping[str, str] | None) -> Template | None:
    """The template that -o gives, if it is one."""
    from marketcli.output.templates import Template, is_template

    return Template.parse(target, kinds or ()) if target and is_template(target) else None


def matching(kept: int, total: int) -> str:
    """How many rows passed the filter."""
    return f"{kept:,} of {total:,} rows match --where"


def names(text: str | None) -> list[str]:
    """The names in a comma-separated option."""
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip())) if text else []


def check_fields(wanted: Sequence[str], known: Sequence[str]) -> None:
    """Refuse columns that do not exist, before anything is asked for."""
    from difflib import get_close_matches

    for name in wanted:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"Did you mean {close[0]}?" if close else f"There are {', '.join(known)}."
            raise UsageError(f"There is no field {name!r}.", hint=hint)
