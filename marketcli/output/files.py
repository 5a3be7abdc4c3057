"""Which format is meant, and frames written in it: to standard output, or whole into a file."""

from __future__ import annotations

import contextlib
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, cast

from marketcli.disk import staged
from marketcli.errors import LocalError, UsageError
from marketcli.output import rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import polars as pl

    from marketcli.output.text import Kinds

FORMATS = ("table", "ndjson", "json", "csv", "tsv", "parquet", "arrow")
SUFFIXES = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
TEXT_WRITERS = {
    "ndjson": rows.write_ndjson,
    "json": rows.write_json,
    "csv": rows.write_csv,
    "tsv": rows.write_tsv,
}
SPREADSHEET = ("csv", "tsv")  # what a double click opens in a program that runs formulas
ROW_GROUP = 131_072  # rows of a Parquet row group, which bounds what writing and reading one needs


def format_for(target: str | None, wanted: str | None, *, terminal: bool) -> str:
    """The format to write: what `-f` says, else the suffix, else a table for people and NDJSON for programs.

    `target` is what `-o` says; None and `-` are standard output, and `terminal` is whether that is one.
    Raises `UsageError` for what does not exist or cannot go there.
    """
    if wanted is not None and wanted.lower() not in FORMATS:
        raise UsageError(f"There is no format {wanted!r}.", hint=f"Use one of {', '.join(FORMATS)}.")
    chosen = wanted.lower() if wanted is not None else None
    if target is None or target == "-":
        chosen = chosen or ("table" if terminal else "ndjson")
        return refuse_pipe() if chosen == "parquet" else chosen
    chosen = chosen or SUFFIXES.get(PurePath(target).suffix.lower())
    if chosen is None:
        raise UsageError(
            f"The name {target!r} does not say which format is meant.",
            hint=f"End it with one of {' '.join(SUFFIXES)}, or use -f.",
        )
    if chosen == "table":
        raise UsageError("A table is drawn for a terminal, not for a file.", hint="Use -f csv, or name a file.csv.")
    return chosen


def refuse_pipe() -> str:
    """Say why Parquet cannot be streamed."""
    raise UsageError(
        "Parquet cannot go to standard output: its index stands at the end.",
        hint="Use -f arrow for a pipe, or -o file.parquet.",
    )


def write_stdout(frame: pl.DataFrame, kinds: Kinds, format_name: str, *, time: str, out: IO[bytes]) -> None:
    """Write the rows to a pipe or terminal, complete and undecorated; Arrow goes out as an IPC stream.

    `BrokenPipeError` is the caller's to understand; any other failure is a `LocalError`.
    """
    try:
        with door(out) as sink:
            write_rows(frame, kinds, format_name, sink, time=time)
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise LocalError(
            f"Standard output cannot be written: {reason}.", hint="The rows are not complete; try -o FILE."
        ) from error


def write_file(
    frame: pl.DataFrame,
    kinds: Kinds,
    format_name: str,
    target: Path,
    *,
    force: bool,
    time: str,
    csv_safe: bool,
    metadata: Mapping[str, str],
) -> list[str]:
    """Write the rows to a file that appears whole or not at all, and give back what the user should be told.

    Parquet files carry `metadata`. Raises `UsageError` if the file exists and `force` is off, `LocalError` if the disk
    refuses.
    """
    notes: list[str] = []
    if csv_safe and format_name in SPREADSHEET:
        frame, count = rows.spreadsheet_safe(frame, kinds)
        notes += [formula_note(count)] if count else []
    with staged(target, force=force) as file, door(file) as sink:
        if format_name == "parquet":
            write_parquet(frame, sink, metadata)
        elif format_name == "arrow":
            frame.rechunk().write_ipc(sink, compat_level=readable())
        else:
            write_rows(frame, kinds, format_name, sink, time=time)
    return notes


def formula_note(count: int) -> str:
    """What happened to texts that a spreadsheet would run."""
    cells = "text cell began like a formula and was" if count == 1 else "text cells began like formulas and were"
    return f"{count:,} {cells} quoted with '; --no-csv-safe keeps the text as it is."


def write_rows(frame: pl.DataFrame, kinds: Kinds, format_name: str, sink: IO[bytes], *, time: str) -> None:
    """Write all rows in a format that can be streamed."""
    if format_name == "arrow":
        frame.rechunk().write_ipc_stream(sink, compat_level=readable())
    else:
        TEXT_WRITERS[format_name](frame, kinds, sink, time=time)


def write_parquet(frame: pl.DataFrame, sink: IO[bytes], metadata: Mapping[str, str]) -> None:
    """Write all rows as Parquet in one chunk, so that the same rows give the same bytes."""
    frame.rechunk().write_parquet(sink, compression="zstd", row_group_size=ROW_GROUP, metadata=dict(metadata))


def readable() -> pl.CompatLevel:
    """The Arrow types every reader knows, not only the newest."""
    import polars as pl  # noqa: PLC0415

    return pl.CompatLevel.oldest()


class Door:
    """A file that remembers its own error, because the libraries that write to it hide which it was."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write, and keep the error if that fails."""
        try:
            return self.file.write(data)
        except OSError as error:
            self.failure = error
            raise

    def flush(self) -> None:
        """Nothing: who owns the file flushes it."""


@contextlib.contextmanager
def door(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield the file to a library; what the library makes of a failed write leaves as the `OSError` it was."""
    import polars as pl  # noqa: PLC0415

    guarded = Door(file)
    try:
        yield cast("IO[bytes]", guarded)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise guarded.failure or OSError(str(error)) from error
