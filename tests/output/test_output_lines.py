"""Records as lines: the same text that frames give."""

from __future__ import annotations

import io
import json
import math
import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_in import HOSTILE, MAKERS, NOW, blind, status, trade

from marketcli import frames
from marketcli.datasets import FUNDING, OI, TRADES, dataset_named, kinds
from marketcli.errors import UsageError
from marketcli.live.events import State
from marketcli.models import iso
from marketcli.output import rows
from marketcli.output.lines import Lines, format_of, span_of
from marketcli.output.lines import iso as quick_iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.datasets import Dataset

WRITERS = {"ndjson": rows.write_ndjson, "csv": rows.write_csv, "tsv": rows.write_tsv}
ODD = (0.0, -0.0, 1e-7, 1e-5, 123456789012345680.0, 1e16, 9007199254740993.0, 0.1 + 0.2, 5.0, -2.5, 1e21, math.nan)


def written(dataset: Dataset, records: list[Any], format_name: str, **more: Any) -> bytes:
    lines = Lines(dataset, format_name=format_name, **more)
    return lines.lead + lines.of(records)


def framed(dataset: Dataset, records: list[Any], format_name: str, time: str = "iso", fields: Any = ()) -> bytes:
    frame = frames.from_rows(dataset, dataset.fields, [msgspec.structs.astuple(one) for one in records], {})
    out = io.BytesIO()
    WRITERS[format_name](frame.select(fields or dataset.fields), kinds(dataset), out, time=time)
    return out.getvalue()


def varied(dataset: Dataset, seed: int) -> list[Any]:
    """Records with values at the edges: nulls, texts to quote, numbers with exponents, odd times."""
    chance = random.Random(seed)
    texts = ["", "a,b", 'say "x"', "tab\there", "line\nend", "back\\slash", "币安人生", HOSTILE, "=cmd", "plain"]
    values: dict[str, Callable[[int], Any]] = {
        "text": lambda _: chance.choice([*texts, None]),
        "number": lambda _: chance.choice([*ODD, chance.uniform(-1e6, 1e6), 10 ** chance.uniform(-12, 12), None]),
        "integer": lambda _: chance.choice([0, 7, 2**53, None]),
        "boolean": lambda _: chance.choice([True, False, None]),
        "time": lambda number: chance.choice([NOW, NOW + number, NOW + number * 1_000, None]),
    }
    columns = kinds(dataset)
    make: Any = dataset.record
    return [make(**{name: values[kind](number) for name, kind in columns.items()}) for number in range(60)]


@pytest.mark.parametrize("format_name", WRITERS)
@pytest.mark.parametrize("name", MAKERS)
def test_lines_are_those_of_frames(name: str, format_name: str) -> None:
    dataset = dataset_named(name)
    records = [MAKERS[name](number) for number in range(50)] + varied(dataset, 5)
    assert written(dataset, records, format_name) == framed(dataset, records, format_name)


@pytest.mark.parametrize("time", ["iso", "s", "ms", "us", "ns"])
@pytest.mark.parametrize("format_name", WRITERS)
def test_times_and_columns_are_those_asked_for(format_name: str, time: str) -> None:
    records, fields = varied(FUNDING, 6), ["next_time", "time", "native", "rate"]
    lines = written(FUNDING, records, format_name, time=time, fields=fields)
    assert lines == framed(FUNDING, records, format_name, time, fields)
    one = written(OI, varied(OI, 7), format_name, fields=["oi_base"])
    assert one == framed(OI, varied(OI, 7), format_name, fields=["oi_base"])


@given(st.floats())
def test_every_number_is_written_as_frames_write_it(value: float) -> None:
    record = msgspec.structs.replace(trade(1), price=value)
    assert written(TRADES, [record], "ndjson", fields=["price"]) == framed(TRADES, [record], "ndjson", fields=["price"])


@given(st.integers(min_value=0, max_value=4_000_000_000_000_000))
def test_every_time_is_written_as_elsewhere(time: int) -> None:
    assert quick_iso(time) == iso(time)


def test_what_a_spreadsheet_would_run_is_quoted_and_counted_each_time() -> None:
    records = [trade(1, name="=cmd"), trade(2, name="=cmd"), trade(3, usd=-5.0)]
    lines = Lines(TRADES, format_name="csv", fields=["symbol", "notional_usd"], safe=True)
    assert lines.of(records) == b"'=cmd,38312.2932\n'=cmd,32950.548\nXRP-USDT-PERP,-5\n".replace(
        b"38312.2932", str(records[0].notional_usd).encode()
    ).replace(b"32950.548", str(records[1].notional_usd).encode())
    assert lines.changed == 2
    assert Lines(TRADES, format_name="ndjson", fields=["symbol"], safe=True).of(records[:1]) == b'{"symbol":"=cmd"}\n'


@pytest.mark.parametrize("format_name", WRITERS)
def test_names_do_nothing_to_a_terminal(format_name: str) -> None:
    shown = written(TRADES, [trade(1, name=HOSTILE)], format_name, terminal=True).decode()
    assert not [letter for letter in shown if letter in "\x1b\x07\x9b\u202e\x00"]
    assert "next" in shown


def test_a_gap_is_a_line_with_a_type() -> None:
    line = json.loads(Lines(TRADES).gap(blind(repaired=True)))
    assert line == {
        "type": "gap",
        "exchange": "binance",
        "market": "linear",
        "dataset": "trades",
        "symbols": ["BTC-USDT-PERP"],
        "from": "2026-11-21T11:59:56Z",
        "to": "2026-11-21T12:00:00Z",
        "cause": "disconnected",
        "repaired": True,
        "rows": 7,
    }
    assert json.loads(Lines(TRADES, time="ms").gap(blind()))["to"] == NOW // 1_000
    assert json.loads(Lines(TRADES).status(status(State.LOST, text="x\n")))["text"] == "x\n"


def test_records_have_no_type() -> None:
    assert not [name for name in MAKERS if "type" in dataset_named(name).fields]


def test_what_would_be_missing_is_known_by_exchange_and_market() -> None:
    records = [trade(1, at=NOW + 5), trade(2, at=NOW), trade(3, exchange="bybit")]
    spans = span_of(records, now=7)
    assert spans == {("binance", "linear"): (2, NOW, NOW + 5), ("bybit", "linear"): (1, NOW, NOW)}
    timeless = msgspec.structs.replace(MAKERS["ticker"](1), time=None)
    assert span_of([timeless], now=7) == {("binance", "linear"): (1, 7, 7)}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("json", "a watch has none"),
        ("parquet", "index at the end"),
        ("arrow", "large batches"),
        ("xml", "There is no format"),
    ],
)
def test_what_cannot_be_streamed_is_refused_with_the_reason(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        format_of(name, known=("ndjson",))
    assert format_of("CSV", known=()) == "csv"
