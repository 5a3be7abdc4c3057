"""Rows as NDJSON, a JSON array, CSV and TSV: written slice by slice, exact, and never as one giant string."""

from __future__ import annotations

import io
import json
from typing import IO, TYPE_CHECKING

from marketcli.output.text import TEXTUAL, patched, texts
from marketcli.text import FORMULA

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from marketcli.output.text import Kinds

SLICE = 50_000  # rows turned into text at a time: about 12 MB of candles
JSON_SPECIAL = r'["\\\x00-\x1f]'
TSV_SPECIAL = r"[\\\t\n\r]"
TSV_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def write_ndjson(frame: pl.DataFrame, kinds: Kinds, out: IO[bytes], *, time: str) -> None:
    """One JSON object per line."""
    for part in slices(frame):
        out.write(lines(objects(part, kinds, time), "\n"))


def write_json(frame: pl.DataFrame, kinds: Kinds, out: IO[bytes], *, time: str) -> None:
    """One JSON array with an object per line."""
    lead = b"[\n"
    for part in slices(frame):
        out.write(lead + lines(objects(part, kinds, time), ",\n").removesuffix(b",\n"))
        lead = b",\n"
    out.write(b"\n]\n" if frame.height else b"[]\n")


def write_csv(frame: pl.DataFrame, kinds: Kinds, out: IO[bytes], *, time: str) -> None:
    """RFC 4180 with LF line ends and a header; null is empty, an empty text is `""`."""
    out.write(frame.head(0).write_csv().encode())
    for part in slices(frame):
        buffer = io.BytesIO()
        texts(part, kinds, time=time).write_csv(buffer, include_header=False)
        out.write(buffer.getvalue())


def write_tsv(frame: pl.DataFrame, kinds: Kinds, out: IO[bytes], *, time: str) -> None:
    r"""Tab-separated values with a header; a tab, line end or backslash in a text is `\t`, `\n`, `\r`, `\\`."""
    out.write("\t".join(escaped(name) for name in frame.columns).encode() + b"\n")
    for part in slices(frame):
        shown = texts(part, kinds, time=time)
        safe = shown.with_columns(
            patched(shown[name], TSV_SPECIAL, escaped) for name in shown.columns if kinds[name] in TEXTUAL
        )
        buffer = io.BytesIO()
        safe.write_csv(buffer, include_header=False, separator="\t", quote_style="never")
        out.write(buffer.getvalue())


def slices(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The frame in pieces of bounded size."""
    return frame.iter_slices(SLICE)


def objects(part: pl.DataFrame, kinds: Kinds, time: str) -> pl.Series:
    """Every row as the text of a JSON object."""
    import polars as pl  # noqa: PLC0415

    shown = texts(part, kinds, time=time)
    pieces: list[pl.Expr] = []
    for name in shown.columns:
        quoted = kinds[name] in TEXTUAL or (kinds[name] == "time" and time == "iso")
        value = pl.lit(patched(shown[name], JSON_SPECIAL, inside) if quoted else shown[name])
        text = pl.concat_str(pl.lit('"'), value, pl.lit('"')) if quoted else value
        pieces += [pl.lit(f"{',' if pieces else ''}{json.dumps(name)}:"), text.fill_null("null")]
    return shown.select(pl.concat_str(pl.lit("{"), *pieces, pl.lit("}")).alias("object"))["object"]


def lines(rows: pl.Series, end: str) -> bytes:
    """Texts with a line end after each."""
    buffer = io.BytesIO()
    rows.to_frame().write_csv(buffer, include_header=False, quote_style="never", line_terminator=end)
    return buffer.getvalue()


def inside(text: str) -> str:
    """A text as it stands between the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def escaped(text: str) -> str:
    """A text as a cell of a TSV file."""
    return text.translate(TSV_ESCAPES)


def spreadsheet_safe(frame: pl.DataFrame, kinds: Kinds) -> tuple[pl.DataFrame, int]:
    """The frame with a `'` before every text that a spreadsheet would take for a formula, and how many there are.

    Numbers are never touched: a negative funding rate is no formula.
    """
    import polars as pl  # noqa: PLC0415

    names = [name for name in frame.columns if kinds[name] in TEXTUAL]
    risky = {name: frame[name].str.slice(0, 1).is_in(FORMULA).fill_null(value=False) for name in names}
    count = sum(int(mask.sum()) for mask in risky.values())
    if not count:
        return frame, 0
    quoted = [
        pl.when(mask).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name) for name, mask in risky.items()
    ]
    return frame.with_columns(quoted), count
