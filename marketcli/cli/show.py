"""Where a command's rows go: a table on a terminal, exact rows in a pipe or a file."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from marketcli.cli.streams import closed
from marketcli.errors import LocalError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from rich.console import Console

    from marketcli.cli.options import Output
    from marketcli.config import Config
    from marketcli.output.view import View


@dataclass(frozen=True, slots=True)
class Destination:
    """Where rows go and in what form, settled before any work begins."""

    format: str
    path: Path | None
    output: Output
    config: Config

    @property
    def drawn(self) -> bool:
        """Whether people read it."""
        return self.format == "table"

    @classmethod
    def of(cls, output: Output, config: Config) -> Destination:
        """Read the options. Raises `UsageError`, or `LocalError` if the file could not be written anyway."""
        from marketcli.disk import refuse_overwrite
        from marketcli.output.files import format_for

        if output.as_json and output.format not in (None, "json"):
            raise UsageError(f"--json and -f {output.format} contradict each other.", hint="Leave one of them out.")
        wanted = output.format or ("json" if output.as_json else None)
        target = None if output.output in (None, "-") else output.output
        if wanted is None and target is None:
            wanted = config.format
        terminal = sys.stdout.isatty() if sys.stdout else False
        found = cls(
            format_for(output.output, wanted, terminal=terminal), Path(target) if target else None, output, config
        )
        if found.path is not None:
            refuse_overwrite(found.path, force=output.force)
        elif "stdout" in closed:
            raise LocalError("Standard output is closed.", hint="Write to a file with -o.")
        return found

    def selected(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The columns asked for."""
        wanted = names(self.output.fields)
        check_fields(wanted, frame.columns)
        return frame.select(wanted) if wanted else frame

    def write(self, frame: pl.DataFrame, kinds: Mapping[str, str], *, metadata: Mapping[str, str]) -> list[str]:
        """Write rows for programs; gives sentences the user should read."""
        from marketcli.output.files import write_file, write_stdout

        rows = self.selected(frame)
        if self.path is None:
            sys.stdout.flush()
            write_stdout(rows, kinds, self.format, time=self.config.time, out=sys.stdout.buffer)
            return []
        safe = self.output.csv_safe is not False
        return write_file(
            rows,
            kinds,
            self.format,
            self.path,
            force=self.output.force,
            time=self.config.time,
            csv_safe=safe,
            metadata=metadata,
        )

    def console(self) -> Console:
        """What tables are drawn on."""
        from marketcli.output.theme import console

        return console(sys.stdout, color=False if self.config.no_color else None)

    def draw(self, views: Sequence[View], *, candles: bool) -> None:
        """Draw rows for people."""
        from marketcli.output.table import show, show_candles

        console = self.console()
        if candles and not self.output.fields:
            show_candles(console, views, wide=self.output.wide)
            return
        for view in views:
            show(console, view, wide=self.output.wide)


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
