"""`--where`: rows by what stands in them, and filters that mean nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest
from cli_runner import mkt
from hypothesis import given, settings
from hypothesis import strategies as st
from pty_runner import plain, screen

from marketcli.cli.where import Where
from marketcli.errors import UsageError
from marketcli.models import to_micros
from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli_runner import Run

    Ask = Callable[..., Run]

NOW = to_micros(datetime(2026, 11, 21, 9, 30, tzinfo=UTC))
KINDS = {"name": "text", "time": "time", "open": "number", "trades": "integer", "closed": "boolean", "why": "prose"}
FRAME = pl.DataFrame(
    {
        "name": ["BTC", "it's", "ETH", "b.c"],
        "time": [datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4)],
        "open": [1.0, 0.0, -2.5, float("nan")],
        "trades": [10, 0, None, 4],
        "closed": [True, False, True, True],
        "why": ["", "a", "b", None],
    },
    schema_overrides={"time": pl.Datetime("us", "UTC")},
)


def kept(text: str) -> list[int]:
    """The places of the rows that pass."""
    return Where.of(text, KINDS).kept(FRAME.with_row_index())["index"].to_list()


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("open > 0", [0]),
        ("open >= 0", [0, 1]),
        ("open = 0 or trades = 10", [0, 1]),
        ("open<0 OR open>0 AND trades<>10", [2]),
        ("(open < 0 or open > 0) and trades != 10", []),
        ("not open > 0", [1, 2]),
        ("closed", [0, 2, 3]),
        ("not closed", [1]),
        ("closed = false", [1]),
        ("name = 'it''s'", [1]),
        ("name in ('BTC', 'ETH')", [0, 2]),
        ("name not in ('BTC', 'ETH')", [1, 3]),
        ("name like '%T_'", [0, 2]),
        ("name like 'b.c'", [3]),
        ("name like '.*'", []),
        ("trades is null", [2]),
        ("trades is not null", [0, 1, 3]),
        ("trades > -1", [0, 1, 3]),
        ("open between -3 and 0", [1, 2]),
        ("open not between -3 and 0", [0]),
        ("trades between 1 + 1 and 2 * 5", [0, 3]),
        ("-open > 2", [2]),
        ("1e1 = trades", [0]),
        ("1 - 1 - 1 = -1", [0, 1, 2, 3]),
        ("8 / 2 / 2 = 2", [0, 1, 2, 3]),
        ("2 + 2 * 2 = 6", [0, 1, 2, 3]),
        ("trades / 4 = 2.5", [0]),
        ("why = 'a'", [1]),
        ("time = '2024-02'", [1]),
        ("'2024-02' <= time", [1, 2, 3]),
        ("time >= '2024-02-01T00:00:00Z' and time < '2024Q2'", [1, 2]),
        ("time in ('2024', '2024-04-01')", [0, 3]),
        ("time between '2024-01-15' and '2024-03'", [1, 2]),
        ("time >= 1709251200", [2, 3]),
        ("time = time", [0, 1, 2, 3]),
    ],
)
def test_filters_mean_what_they_say(text: str, places: list[int]) -> None:
    assert kept(text) == places


@pytest.mark.parametrize(
    "text",
    [
        "trades / 0 > 0",
        "open / trades > 0.2",
        "open > 1e300",
        "open = open and open > 5",
        "1e308 * 10 - 1e308 * 10 > 5",
        "1 / (trades - trades) = 0",
        "1 / (1 / 0) >= 0 or 1 / -0 < 0",
    ],
)
def test_what_is_no_number_passes_no_filter(text: str) -> None:
    # 0 / 0 and NaN are greater than everything to Polars.
    assert kept(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("opn > 1", "Did you mean open?"),
        ("volume > 1", "There are name, time, open"),
        ("open", "open is a number where true or false"),
        ("open > 'x'", "open is a number and 'x' is text"),
        ("name > 5", "name is text and 5 is a number"),
        ("name + 1 > 5", "name is text where a number"),
        ("time > 5", "5 in the filter is not a date"),
        ("time > '7d'", "is not a date"),
        ("time > open", "open is a number where a date"),
        ("time > '2024-13'", "is not a date"),
        ("closed > ", "the end stands where a column"),
        ("open > 1 closed", "'closed' stands where"),
        ("open > 1_0", "'1_0' is nothing a filter knows"),
        ("open > 1e999", "too large"),
        ("open >> 1", "'>' stands where a column"),
        ("open not 5", "'5' stands where in or between or like"),
        ("open like 'x'", "open is a number where text"),
        ("name like 5", "5 is a number where text"),
        ("name like name", "in single quotes"),
        ('name = "BTC"', "Text and dates stand in single quotes"),
        ("name = 'BTC", "nothing a filter knows"),
        ("open > 1; drop", "nothing a filter knows"),
        ("read_csv('/etc/passwd')", "There is no field 'read_csv'"),
        ("sum(open) > 1", "There is no field 'sum'"),
        ("(select 1) > 0", "There is no field 'select'"),
        ("open > 1 -- all", "There is no field 'all'"),
        ("", "the end stands where a column"),
        ("(" * 500 + "open" + ")" * 500, "nested too deep"),
        ("open > " + "1" * 3_000, "characters"),
        ("+".join(["1"] * 500) + " > 0", "The filter has 1,001 parts. Use at most 600."),
        ("open > \x1b[31m", "'\\x1b[31m' is nothing a filter knows"),
        ("open\u00a0> 1", "'\\xa0> 1' is nothing a filter knows"),
        ("name = '\udcff'", "'\\udcff'' is nothing a filter knows"),
        ("open = null", "'null' stands where a column, number or text should; write `is null`"),
        ("open is 5", "'5' stands where null should"),
        ("open > " + "9" * 400, "too large"),
        ("open > 'x' + 1", "mkt help filters"),
    ],
)
def test_what_cannot_be_meant_is_told(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Where.of(text, KINDS)
    told = f"{caught.value.message} {caught.value.hint}"
    assert said in told
    assert "\x1b" not in told


def test_words_are_signs_only_where_they_stand_alone() -> None:
    kinds = dict.fromkeys(("index", "notional", "orders", "is_open", "native"), "number")
    frame = pl.DataFrame({name: [1.0, 3.0] for name in kinds})
    found = Where.of("index > 2 AND notional>2 And not orders<2 and is_open Is Not Null and native IN(3)", kinds)
    assert found.kept(frame).height == 1


def test_divisions_within_divisions_cost_no_more_than_others() -> None:
    # Twice the work at each of 48 levels would not end in a lifetime.
    assert kept("1/(" * 48 + "trades" + ")" * 48 + " > 5") == [0]


@pytest.mark.parametrize(
    "text", [" or ".join(["closed"] * 180), "open in (" + ",".join(["1"] * 250) + ")", "name like '" + "%_" * 900 + "'"]
)
def test_long_filters_are_filters(text: str) -> None:
    assert len(kept(text)) <= FRAME.height


WORDS = ["open", "name", "time", "closed", "(", ")", "and", "or", "not", "=", "<", "-", "/", "1", "'2024'", "in", ",",
         "is", "null", "like", "between", "true"]  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_any_words_are_a_filter_or_one_sentence(words: list[str]) -> None:
    try:
        found = Where.of(" ".join(words), KINDS)
    except UsageError:
        return
    assert found.kept(FRAME).height <= FRAME.height


def test_rows_are_filtered_before_columns_are_chosen(ask: Ask) -> None:
    words = ("ohlc", "BTCUSDT", "1h", "--last", "50")
    every = ask(*words).rows()
    done = ask(*words, "--where", "close > open and time >= '2026-11-20'", "--fields", "time,volume_base")
    expected = [row for row in every if row["close"] > row["open"] and row["time"] >= "2026-11-20T00:00:00Z"]
    assert 0 < len(expected) < 50
    assert done.rows() == [{"time": row["time"], "volume_base": row["volume_base"]} for row in expected]
    assert f"{len(expected)} of 50 rows match --where" in done.stderr


def test_no_matching_row_is_a_complete_answer(ask: Ask, tmp_path: Path) -> None:
    done = ask("ohlc", "BTCUSDT", "1h", "--last", "5", "--where", "close < 0")
    assert (done.returncode, done.stdout) == (0, "")
    target = tmp_path / "none.parquet"
    assert ask("ohlc", "BTCUSDT", "1h", "--last", "5", "--where", "close < 0", "-o", str(target)).returncode == 0
    assert pl.read_parquet(target).height == 0
    assert pl.read_parquet_metadata(target)["marketcli.where"] == "close < 0"


def test_candles_that_are_missing_are_missed_whatever_the_filter() -> None:
    hole = "missing_rows:from=2026-11-20T10:00,to=2026-11-20T13:00"
    with Sandbox(clock=lambda: NOW, limits=False, faults=[hole]) as holed:
        done = mkt("--via", holed.url, "ohlc", "BTCUSDT", "1h", "--last", "50", "--where", "close < 0")
    assert (done.returncode, done.stdout) == (3, "")
    assert "3 1h candles are missing" in done.stderr


def test_a_wrong_filter_is_told_before_anything_is_asked(ask: Ask, sandbox: Sandbox) -> None:
    before = sandbox.stats()["requests"]
    done = ask("ohlc", "BTCUSDT", "1h", "--where", "clsoe > 1", "--json-errors")
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["hint"]) == (2, "Did you mean close?")
    assert ask("ohlc", "BTCUSDT", "1h", "--where", "close", "-f", "csv").returncode == 2
    assert sandbox.stats()["requests"] == before


def test_a_terminal_says_that_rows_were_left_out(sandbox: Sandbox) -> None:
    words = ("--via", sandbox.url, "ohlc", "BTCUSDT", "1h", "--last", "30", "--where", "close > open")
    printed, code = screen(*words, "--fields", "time,open,close", columns=80)
    lines = plain(printed)
    assert code == 0
    assert any("--where" in line for line in lines)
    assert not any("volume" in line for line in lines)
    assert 3 < len(lines) < 30
    assert not any("exchange" in line for line in lines)
    opened, _ = screen(*words, "--include-open", columns=80)
    assert "closed" in opened or "09:00" not in opened
    empty, code = screen("--via", sandbox.url, "ohlc", "BTCUSDT", "1h", "--where", "close < 0", columns=80)
    assert (code, "no rows" in empty) == (0, True)


def test_a_dry_run_shows_its_plan_whatever_the_filter(ask: Ask) -> None:
    (plan,) = ask("ohlc", "BTCUSDT", "1h", "--dry-run", "--where", "close > open").rows()
    assert plan["rows"] == 100
