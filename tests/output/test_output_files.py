from __future__ import annotations

import errno
import io
import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import IO, Any, cast

import polars as pl
import pytest
from output.samples import CANDLE_KINDS, INSTRUMENT_KINDS, candles, instruments

from marketcli.errors import LocalError, UsageError
from marketcli.output import files
from marketcli.output.files import FORMATS, format_for, write_file, write_stdout

FILE_FORMATS = [name for name in FORMATS if name != "table"]
METADATA = {"mkt.schema": "1", "mkt.dataset": "ohlc", "mkt.source": "binance linear"}


def save(frame: pl.DataFrame, target: Path, kind: str, *, force: bool = False, csv_safe: bool = True) -> list[str]:
    return write_file(frame, CANDLE_KINDS, kind, target, force=force, time="iso", csv_safe=csv_safe, metadata=METADATA)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def load(target: Path, kind: str) -> pl.DataFrame:
    schema = candles(1).schema
    if kind == "parquet":
        return pl.read_parquet(target)
    if kind == "arrow":
        return pl.read_ipc(target)
    if kind in ("csv", "tsv"):
        texts = pl.read_csv(target, separator="," if kind == "csv" else "\t", infer_schema=False)
    else:
        text = target.read_text()
        found = json.loads(text) if kind == "json" else [json.loads(line) for line in text.splitlines()]
        texts = pl.DataFrame(
            {name: [row[name] for row in found] for name in schema}, schema_overrides={"time": pl.String}, strict=False
        )
    return texts.select(read(texts[name], dtype) for name, dtype in schema.items())


def read(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    if dtype == pl.Boolean and values.dtype == pl.String:
        return values == "true"
    if dtype == pl.Datetime("us", "UTC"):
        return values.str.to_datetime(time_unit="us", time_zone="UTC")
    return values.cast(dtype)


@pytest.mark.parametrize(
    ("target", "wanted", "terminal", "expected"),
    [
        (None, None, True, "table"),
        (None, None, False, "ndjson"),
        ("-", None, True, "table"),
        ("-", None, False, "ndjson"),
        (None, "csv", True, "csv"),
        ("-", "ARROW", False, "arrow"),
        ("x.ndjson", None, True, "ndjson"),
        ("x.jsonl", None, True, "ndjson"),
        ("x.json", None, True, "json"),
        ("x.csv", None, True, "csv"),
        ("x.TSV", None, True, "tsv"),
        ("a.b/x.parquet", None, True, "parquet"),
        ("x.pq", None, True, "parquet"),
        ("x.arrow", None, True, "arrow"),
        ("x.feather", None, True, "arrow"),
        ("x.ipc", None, True, "arrow"),
        ("x.csv", "json", True, "json"),
        ("x", "parquet", False, "parquet"),
    ],
)
def test_the_format_is_what_the_user_means(
    target: str | None, wanted: str | None, *, terminal: bool, expected: str
) -> None:
    assert format_for(target, wanted, terminal=terminal) == expected


@pytest.mark.parametrize(
    ("target", "wanted", "hint"),
    [
        (None, "xml", "table, ndjson, json, csv, tsv, parquet, arrow"),
        ("x.xlsx", None, ".parquet"),
        ("x", None, "-f"),
        (None, "parquet", "-f arrow"),
        ("-", "parquet", "-o file.parquet"),
        ("x.csv", "table", "-f csv"),
    ],
)
def test_a_format_that_cannot_be_says_what_can(target: str | None, wanted: str | None, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        format_for(target, wanted, terminal=False)
    assert hint in caught.value.hint


@pytest.mark.parametrize("kind", FILE_FORMATS)
def test_every_file_gives_every_value_back(tmp_path: Path, kind: str) -> None:
    frame = candles(50, price=0.00001234, places=11)
    target = tmp_path / f"x.{kind}"
    assert save(frame, target, kind) == []
    assert load(target, kind).equals(frame, null_equal=True)
    assert names(tmp_path) == [target.name]


@pytest.mark.parametrize("kind", FILE_FORMATS)
def test_no_rows_make_a_file_too(tmp_path: Path, kind: str) -> None:
    target = tmp_path / f"x.{kind}"
    save(candles(0), target, kind)
    assert load(target, kind).height == 0


@pytest.mark.parametrize("kind", FILE_FORMATS)
def test_the_same_rows_give_the_same_bytes_however_they_came(tmp_path: Path, kind: str) -> None:
    whole = pl.concat([candles(100)] * 400, rechunk=True)
    pieces = pl.concat([whole[:7], whole[7:9_000], whole[9_000:]], rechunk=False)
    assert pieces.n_chunks() > 1
    for name, frame in (("whole", whole), ("pieces", pieces)):
        save(frame, tmp_path / name, kind)
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "pieces").read_bytes()


def test_an_arrow_stream_can_be_read_from_a_pipe() -> None:
    out = io.BytesIO()
    write_stdout(candles(50), CANDLE_KINDS, "arrow", time="iso", out=out)
    assert pl.read_ipc_stream(io.BytesIO(out.getvalue())).equals(candles(50), null_equal=True)


@pytest.mark.parametrize("kind", ["ndjson", "json", "csv", "tsv"])
def test_a_pipe_gets_the_same_text_as_a_file(tmp_path: Path, kind: str) -> None:
    out = io.BytesIO()
    write_stdout(candles(50), CANDLE_KINDS, kind, time="iso", out=out)
    save(candles(50), tmp_path / "x", kind)
    assert (tmp_path / "x").read_bytes() == out.getvalue()


def test_parquet_says_what_it_holds(tmp_path: Path) -> None:
    save(candles(50), tmp_path / "x.parquet", "parquet")
    assert METADATA.items() <= pl.read_parquet_metadata(tmp_path / "x.parquet").items()


def test_parquet_row_groups_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for name, size in (("one", 100), ("three", 20)):
        monkeypatch.setattr(files, "ROW_GROUP", size)
        save(candles(50), tmp_path / name, "parquet")
        found.append((tmp_path / name).read_bytes().count(b"BTC-USDT-PERP"))  # in the statistics of each row group
    assert found[1] == 3 * found[0] > 0
    assert pl.read_parquet(tmp_path / "three").equals(candles(50), null_equal=True)


def test_a_file_is_not_replaced_without_force(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    target.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        save(candles(3), target, "csv")
    assert target.read_text() == "mine"
    save(candles(3), target, "csv", force=True)
    assert target.read_text().startswith("exchange,market,symbol")


def test_formulas_are_quoted_in_spreadsheet_files_and_the_user_is_told(tmp_path: Path) -> None:
    frame = candles(2).with_columns(native=pl.Series(["=cmd()", "@x"]))
    (said,) = save(frame, tmp_path / "x.csv", "csv")
    assert said.startswith("2 text cells")
    assert "--no-csv-safe" in said
    assert ",'=cmd()," in (tmp_path / "x.csv").read_text()
    assert save(frame, tmp_path / "plain.csv", "csv", csv_safe=False) == []
    assert ",=cmd()," in (tmp_path / "plain.csv").read_text()
    assert save(frame, tmp_path / "x.ndjson", "ndjson") == []


def test_pipes_get_texts_as_they_are() -> None:
    out = io.BytesIO()
    write_stdout(candles(1).with_columns(native=pl.lit("=cmd()")), CANDLE_KINDS, "csv", time="iso", out=out)
    assert b",=cmd()," in out.getvalue()


class Refusing(io.RawIOBase):
    """A file whose writes fail."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:  # noqa: ARG002 - nothing is taken
        raise self.error


@pytest.mark.parametrize("kind", ["ndjson", "json", "csv", "tsv", "arrow"])
def test_a_closed_pipe_is_left_to_the_caller(kind: str) -> None:
    out = cast("IO[bytes]", Refusing(BrokenPipeError(errno.EPIPE, "Broken pipe")))
    with pytest.raises(BrokenPipeError):
        write_stdout(candles(5), CANDLE_KINDS, kind, time="iso", out=out)


@pytest.mark.parametrize("kind", ["ndjson", "arrow"])
def test_a_full_standard_output_is_a_local_error(kind: str) -> None:
    out = cast("IO[bytes]", Refusing(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(LocalError, match="No space left on device"):
        write_stdout(candles(5), CANDLE_KINDS, kind, time="iso", out=out)


@pytest.mark.parametrize("kind", FILE_FORMATS)
def test_a_full_disk_is_named_and_nothing_is_left(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    def refuse(door: files.Door, data: bytes) -> int:
        door.failure = OSError(errno.ENOSPC, f"No space left on device for {len(data)} bytes")
        raise door.failure

    monkeypatch.setattr(files.Door, "write", refuse)
    target = tmp_path / "x"
    target.write_text("mine")
    with pytest.raises(LocalError, match="no space left"):
        save(candles(5), target, kind, force=True)
    assert names(tmp_path) == ["x"]
    assert target.read_text() == "mine"


def test_a_panic_of_the_library_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(*_: object, **__: object) -> None:
        raise pl.exceptions.PanicException("called `Option::unwrap()`")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", panic)
    with pytest.raises(LocalError, match=r"x\.parquet cannot be written"):
        save(candles(5), tmp_path / "x.parquet", "parquet")
    assert names(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_real_size_limit_leaves_the_old_files(tmp_path: Path) -> None:
    program = f"""
        import resource, sys
        sys.path.insert(0, {str(Path(__file__).parents[1])!r})
        from pathlib import Path
        from output.samples import CANDLE_KINDS, candles
        from marketcli.errors import LocalError
        from marketcli.output.files import write_file
        frame = candles(3_000)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, 8_192))
        for kind in {FILE_FORMATS!r}:
            try:
                write_file(
                    frame, CANDLE_KINDS, kind, Path(kind), force=True, time="iso", csv_safe=True, metadata={{}}
                )
            except LocalError as error:
                print(kind, "no space left" in error.message)
    """
    for name in FILE_FORMATS:
        (tmp_path / name).write_text("mine")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [f"{name} True" for name in FILE_FORMATS]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(FILE_FORMATS, "mine")


def test_instruments_can_be_written_too(tmp_path: Path) -> None:
    write_file(
        instruments(),
        INSTRUMENT_KINDS,
        "csv",
        tmp_path / "x.csv",
        force=False,
        time="iso",
        csv_safe=True,
        metadata={},
    )
    lines = (tmp_path / "x.csv").read_text().splitlines()
    assert lines[2].split(",")[9:11] == ["0.0000001", "1"]
    assert lines[3].split(",")[12:14] == ["", ""]
