from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any, cast

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from output.samples import CANDLE_KINDS, HOSTILE, candles

from marketcli.output import rows
from marketcli.output.text import texts

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = {"name": "text", "price": "number", "count": "integer", "good": "boolean", "time": "time"}
SCHEMA = {
    "name": pl.String(),
    "price": pl.Float64(),
    "count": pl.Int64(),
    "good": pl.Boolean(),
    "time": pl.Datetime("us", "UTC"),
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROW = st.tuples(
    st.none() | st.text(),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.booleans(),
    st.none() | st.integers(0, 4_000_000_000_000_000).map(lambda time: EPOCH + timedelta(microseconds=time)),
)
TABLES = st.lists(ROW, max_size=6)


def frame_of(table: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(table, schema=SCHEMA, orient="row")


def written(write: Callable[..., None], frame: pl.DataFrame, *, time: str = "iso") -> str:
    out = io.BytesIO()
    write(frame, KINDS, out, time=time)
    return out.getvalue().decode()


def from_json(row: dict[str, Any]) -> tuple[Any, ...]:
    time = row["time"] and datetime.fromisoformat(row["time"])
    price = row["price"] if row["price"] is None else float(row["price"])
    return row["name"], price, row["count"], row["good"], time


def as_cells(table: list[tuple[Any, ...]]) -> list[list[str]]:
    return [[cell or "" for cell in row] for row in texts(frame_of(table), KINDS).rows()]


@given(TABLES)
def test_ndjson_gives_every_value_back(table: list[tuple[Any, ...]]) -> None:
    lines = written(rows.write_ndjson, frame_of(table)).split("\n")
    assert lines.pop() == ""
    assert [from_json(json.loads(line)) for line in lines] == table


@given(TABLES)
def test_json_gives_every_value_back(table: list[tuple[Any, ...]]) -> None:
    found = json.loads(written(rows.write_json, frame_of(table)))
    assert [from_json(row) for row in found] == table


@given(TABLES)
def test_csv_gives_every_value_back(table: list[tuple[Any, ...]]) -> None:
    found = list(csv.reader(io.StringIO(written(rows.write_csv, frame_of(table)), newline=""), strict=True))
    assert found == [list(SCHEMA), *as_cells(table)]


@given(TABLES)
def test_tsv_gives_every_value_back(table: list[tuple[Any, ...]]) -> None:
    head, *lines, end = written(rows.write_tsv, frame_of(table)).split("\n")
    assert head == "\t".join(SCHEMA)
    assert end == ""
    plain = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    found = [[re.sub(r"\\(.)", lambda match: plain[match[1]], cell) for cell in line.split("\t")] for line in lines]
    assert found == as_cells(table)


def test_numbers_stand_without_quotes_and_null_is_null() -> None:
    frame = frame_of([("a", 1e-7, 3, True, EPOCH), (None, None, None, None, None)])
    assert written(rows.write_ndjson, frame) == (
        '{"name":"a","price":0.0000001,"count":3,"good":true,"time":"1970-01-01T00:00:00Z"}\n'
        '{"name":null,"price":null,"count":null,"good":null,"time":null}\n'
    )
    assert written(rows.write_csv, frame, time="ms") == "name,price,count,good,time\na,0.0000001,3,true,0\n,,,,\n"


def test_times_as_numbers_are_json_numbers() -> None:
    frame = frame_of([("a", 1.0, 3, True, EPOCH + timedelta(seconds=1))])
    assert json.loads(written(rows.write_ndjson, frame, time="ms"))["time"] == 1000


def test_csv_tells_an_empty_text_from_none() -> None:
    frame = frame_of([("", 1.0, 1, True, None), (None, 1.0, 1, True, None)])
    assert written(rows.write_csv, frame).splitlines()[1:] == ['"",1,1,true,', ",1,1,true,"]


def test_csv_quotes_as_rfc_4180_says() -> None:
    frame = frame_of([('say "hi", twice\n', 1.0, 1, True, None)])
    assert written(rows.write_csv, frame) == 'name,price,count,good,time\n"say ""hi"", twice\n",1,1,true,\n'


def test_no_rows_are_still_a_document() -> None:
    assert written(rows.write_json, frame_of([])) == "[]\n"
    assert written(rows.write_ndjson, frame_of([])) == ""
    assert written(rows.write_csv, frame_of([])) == "name,price,count,good,time\n"
    assert written(rows.write_tsv, frame_of([])) == "name\tprice\tcount\tgood\ttime\n"


def test_controls_are_escaped_in_json() -> None:
    line = written(rows.write_ndjson, frame_of([(HOSTILE, 1.0, 1, True, None)]))
    assert "\x1b" not in line
    assert "\x00" not in line
    assert json.loads(line)["name"] == HOSTILE


@pytest.mark.parametrize("write", [rows.write_ndjson, rows.write_json, rows.write_csv, rows.write_tsv])
def test_pieces_are_bounded_and_join_to_the_same_text(
    write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = candles(40)
    whole = io.BytesIO()
    write(frame, CANDLE_KINDS, whole, time="iso")
    sizes: list[int] = []

    class Counting(io.BytesIO):
        def write(self, data: Any, /) -> int:
            sizes.append(len(data))
            return super().write(data)

    monkeypatch.setattr(rows, "SLICE", 7)
    parts = Counting()
    write(frame, CANDLE_KINDS, cast("IO[bytes]", parts), time="iso")
    assert parts.getvalue() == whole.getvalue()
    assert max(sizes) < len(whole.getvalue()) / 4


def test_texts_that_begin_like_formulas_are_quoted_and_numbers_are_not() -> None:
    frame = frame_of(
        [("=cmd|' /C calc'!A0", -0.5, -1, True, None), ("+1", -0.5, 1, True, None), ("fine", 1, 1, True, None)]
    )
    safe, count = rows.spreadsheet_safe(frame, KINDS)
    assert safe["name"].to_list() == ["'=cmd|' /C calc'!A0", "'+1", "fine"]
    assert safe.drop("name").equals(frame.drop("name"))
    assert count == 2


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0"])
def test_every_formula_sign_counts(start: str) -> None:
    safe, count = rows.spreadsheet_safe(
        frame_of([(start + "x", 1.0, 1, True, None), (None, 1.0, 1, True, None)]), KINDS
    )
    assert (safe["name"].to_list(), count) == (["'" + start + "x", None], 1)
