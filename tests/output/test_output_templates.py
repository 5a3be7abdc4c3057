"""Templates in -o: which file a row goes to, what no name can do, and what is refused before anything is written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

import polars as pl
import pytest
from cli_runner import mkt
from hypothesis import given, settings
from hypothesis import strategies as st

from marketcli.cli.run import outcome
from marketcli.errors import LocalError, UsageError
from marketcli.models import to_micros
from marketcli.output.templates import Template, write_all
from marketcli.sandbox.server import Sandbox
from marketcli.text import path_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOW = to_micros(datetime(2026, 11, 21, 9, 30, tzinfo=UTC))

COLUMNS = ("exchange", "market", "symbol", "native", "interval", "time", "close")


def frame(symbols: Sequence[str], times: Sequence[datetime | None] = ()) -> pl.DataFrame:
    """Rows of these symbols."""
    moments = times or [datetime(2024, 1, 31, 23, tzinfo=UTC)] * len(symbols)
    columns = {"exchange": "x", "market": "spot", "native": "n", "interval": "1h", "close": 1.0}
    return pl.DataFrame(
        {"symbol": symbols, "time": pl.Series(moments, dtype=pl.Datetime("us", "UTC"))},
        schema_overrides={"symbol": pl.String},
    ).with_columns(pl.lit(value).alias(name) for name, value in columns.items())


def paths(text: str, rows: pl.DataFrame) -> list[str]:
    """The file of every row."""
    return Template.parse(text, COLUMNS).paths(rows).to_list()


def save(path: Path, part: pl.DataFrame) -> list[str]:
    """Write a part as CSV."""
    part.write_csv(path)
    return []


def test_every_row_goes_to_the_file_its_values_name() -> None:
    rows = frame(["BTC", "ETH", "BTC"], [datetime(2024, month, 1, tzinfo=UTC) for month in (1, 1, 2)])
    text = "data/{exchange}/{market}/{symbol}/{interval}/{date:%Y-%m}.csv"
    assert paths(text, rows) == [
        "data/x/spot/BTC/1h/2024-01.csv", "data/x/spot/ETH/1h/2024-01.csv", "data/x/spot/BTC/1h/2024-02.csv",
    ]  # fmt: skip
    assert paths("{date}.csv", rows)[0] == "2024-01-01.csv"
    assert paths("{{{symbol}}}.csv", rows)[0] == "{BTC}.csv"
    assert Template.parse(text, COLUMNS).root == Path("data")
    assert Template.parse("/a/b-{symbol}.csv", COLUMNS).root == Path("/a")


def test_a_row_without_a_time_is_undated() -> None:
    assert paths("{date}.csv", frame(["BTC"], [None])) == ["undated.csv"]


@pytest.mark.parametrize(
    "text",
    [
        "{symbol.__class__}.csv", "{symbol[0]}.csv", "{symbol!r}.csv", "{0}.csv", "{}.csv", "{close}.csv",
        "{price}.csv",
        "{symbol", "symbol}", "{symbol:>9}.csv", "{date:%Y/%m}.csv", "{date:{symbol}}.csv", "{date:%c}.csv",
        "{date:%-d}.csv", "{symbol}/../{symbol}.csv", "{symbol}/", "{date:%}.csv", "{date!s:%Y}.csv",
    ],
)  # fmt: skip
def test_what_is_no_template_is_told_with_a_remedy(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Template.parse(text, COLUMNS)
    assert caught.value.hint


def test_the_fields_named_are_those_the_rows_have() -> None:
    with pytest.raises(UsageError) as caught:
        Template.parse("{symbl}", COLUMNS)
    assert "exchange, market, symbol, native, interval, date" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        Template.parse("{date}", ("exchange", "symbol"))
    assert "date" not in caught.value.hint


NAMES = st.text(min_size=1, max_size=120) | st.sampled_from(
    ["..", ".", "/etc/passwd", "a/../../b", "\\..\\x", "{symbol}"]
)


@settings(max_examples=40)
@given(st.lists(NAMES, min_size=1, max_size=5, unique=True))
def test_no_name_leaves_the_root_or_takes_another_s_place(names: list[str]) -> None:
    found = paths("root/{symbol}/{native}.csv", frame(names))
    assert len(set(found)) == len(names)
    for path in found:
        assert Path(path).parts[0] == "root"
        assert len(Path(path).parts) == 3
        assert not {"..", "."} & set(Path(path).parts)
        assert path.isprintable()


@settings(max_examples=60)
@given(st.text(alphabet="{}symboldate:%Y!.[]/", max_size=20))
def test_any_text_is_a_template_or_one_sentence(text: str) -> None:
    try:
        template = Template.parse(text, COLUMNS)
    except UsageError:
        return
    assert template.fields <= {"symbol", "date"}
    assert all(field in {None, "symbol", "date"} for _, field, _, _ in Formatter().parse(text))
    assert len(template.paths(frame(["A", "B"]))) == 2


def test_files_are_written_and_counted_and_keep_the_order_of_rows(tmp_path: Path) -> None:
    rows = frame(["B", "A", "B"]).with_columns(close=pl.Series([1.0, 2.0, 3.0]))
    template = Template.parse(f"{tmp_path}/{{symbol}}/x.csv", COLUMNS)
    notes = write_all(template, template.paths(rows), rows.select("close"), force=False, write=save)
    assert notes == [f"2 files under {tmp_path}."]
    assert (tmp_path / "B" / "x.csv").read_text() == "close\n1.0\n3.0\n"
    assert (tmp_path / "A" / "x.csv").read_text() == "close\n2.0\n"


def test_nothing_is_written_if_one_file_exists(tmp_path: Path) -> None:
    (tmp_path / "B.csv").write_text("mine")
    rows, template = frame(["A", "B"]), Template.parse(f"{tmp_path}/{{symbol}}.csv", COLUMNS)
    with pytest.raises(UsageError, match=r"B\.csv exists already"):
        write_all(template, template.paths(rows), rows, force=False, write=save)
    assert [path.name for path in tmp_path.iterdir()] == ["B.csv"]
    write_all(template, template.paths(rows), rows, force=True, write=save)
    assert (tmp_path / "B.csv").read_text() != "mine"


def test_names_that_differ_in_case_only_are_not_put_into_one_file(tmp_path: Path) -> None:
    rows, template = frame(["kPEPE", "KPEPE"]), Template.parse(f"{tmp_path}/{{symbol}}.csv", COLUMNS)
    with pytest.raises(UsageError, match="differ in case only"):
        write_all(template, template.paths(rows), rows, force=True, write=save)
    assert list(tmp_path.iterdir()) == []


def test_a_link_does_not_lead_out_of_the_root(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (root / "A").symlink_to(outside)
    rows, template = frame(["A"]), Template.parse(f"{root}/{{symbol}}/x.csv", COLUMNS)
    with pytest.raises(LocalError, match="by a link"):
        write_all(template, template.paths(rows), rows, force=True, write=save)
    assert list(outside.iterdir()) == []


def test_a_failure_in_the_middle_says_what_was_written(tmp_path: Path) -> None:
    def failing(path: Path, part: pl.DataFrame) -> list[str]:
        if path.name == "B.csv":
            raise LocalError("The disk is full.")
        return save(path, part)

    rows, template = frame(["A", "B"]), Template.parse(f"{tmp_path}/{{symbol}}.csv", COLUMNS)
    with pytest.raises(LocalError, match="1 of 2 files were written before"):
        write_all(template, template.paths(rows), rows, force=False, write=failing)


def test_a_template_that_makes_too_many_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketcli.output.templates.MOST_FILES", 2)
    with pytest.raises(UsageError, match="would make 3 files"):
        paths("{symbol}.csv", frame(["A", "B", "C"]))


def test_what_is_known_to_be_impossible_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("mine")
    template = Template.parse(f"{tmp_path}/{{exchange}}.csv", COLUMNS)
    with pytest.raises(UsageError, match="exists already"):
        template.check({"exchange": "x"}, force=False)
    template.check({"exchange": "x"}, force=True)
    with pytest.raises(LocalError, match="is a file"):
        Template.parse(f"{tmp_path}/x.csv/{{symbol}}.csv", COLUMNS).check({}, force=True)
    too_long = Template.parse(f"{tmp_path}/{'y' * 300}{{exchange}}/x.csv", COLUMNS)
    with pytest.raises(LocalError):
        write_all(too_long, too_long.paths(frame(["A"])), frame(["A"]), force=False, write=save)


def test_no_rows_make_no_files(tmp_path: Path) -> None:
    rows, template = frame([]), Template.parse(f"{tmp_path}/{{symbol}}.csv", COLUMNS)
    assert write_all(template, template.paths(rows), rows, force=False, write=save) == [f"0 files under {tmp_path}."]


def test_parts_are_those_every_file_name_uses() -> None:
    assert paths("{symbol}", frame(["PURR/USDC"])) == [path_part("PURR/USDC")] == ["PURR%2FUSDC"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(clock=lambda: NOW, limits=False) as running:
        yield running


WORDS = ("ohlc", "BTCUSDT", "ETHUSDT", "1d", "--since", "2025-01-30", "--until", "2025-02-03")


def test_a_command_writes_the_same_files_twice(sandbox: Sandbox, tmp_path: Path) -> None:
    text = f"{tmp_path}/data/{{exchange}}/{{market}}/{{symbol}}/{{interval}}/{{date:%Y-%m}}.parquet"
    words = ("--via", sandbox.url, *WORDS, "-o", text)
    done = mkt(*words, "--where", "close > 0")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"4 files under {tmp_path}/data." in done.stderr
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    place = tmp_path / "data" / "binance" / "linear"
    symbols, months = ("BTC-USDT-PERP", "ETH-USDT-PERP"), ("2025-01", "2025-02")
    assert files == [place / symbol / "1d" / f"{month}.parquet" for symbol in symbols for month in months]
    assert [pl.read_parquet(path).height for path in files] == [2, 2, 2, 2]
    assert pl.read_parquet_metadata(files[0])["marketcli.where"] == "close > 0"
    before = [path.read_bytes() for path in files]
    again = mkt(*words, "--where", "close > 0")
    assert (again.returncode, "exists already" in again.stderr) == (2, True)
    assert mkt(*words, "--where", "close > 0", "--force").returncode == 0
    assert [path.read_bytes() for path in files] == before
    assert mkt(*words, "--force", "-q").stderr == ""


def test_fields_may_leave_out_what_the_name_says(sandbox: Sandbox, tmp_path: Path) -> None:
    done = mkt("--via", sandbox.url, *WORDS, "-o", f"{tmp_path}/{{symbol}}.csv", "--fields", "close", "-q")
    assert done.returncode == 0
    assert (tmp_path / "BTC-USDT-PERP.csv").read_text().startswith("close\n")


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("{exchange}-{interval}.csv", "", "exists already"),
        ("{symbl}.csv", "", "exchange, market, symbol, native, interval, date"),
        ("{price}.csv", "", "no field {price}"),
        ("{symbol}.{date}", "", "does not say which format"),
        ("{symbol}.parquet", "--dry-run", "dry run"),
        ("{symbol.csv", "", "cannot be read"),
    ],
)
def test_a_wrong_template_is_told_before_anything_is_asked(
    sandbox: Sandbox, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, words: str, said: str
) -> None:
    (tmp_path / "binance-1d.csv").write_text("mine")
    before = sandbox.stats()["requests"]
    code = outcome(["--via", sandbox.url, *WORDS, "-o", f"{tmp_path}/{name}", *words.split()])
    printed = capfd.readouterr()
    assert (code, printed.out) == (2, "")
    assert said in printed.err
    assert sandbox.stats()["requests"] == before
    assert (tmp_path / "binance-1d.csv").read_text() == "mine"


def test_a_doubled_brace_is_a_brace(sandbox: Sandbox, tmp_path: Path) -> None:
    assert mkt("--via", sandbox.url, *WORDS, "-o", f"{tmp_path}/{{{{x}}}}.csv").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["{x}.csv"]


def test_a_price_other_than_trades_may_name_files(sandbox: Sandbox, tmp_path: Path) -> None:
    words = ("--via", sandbox.url, *WORDS, "--price", "mark", "-o", f"{tmp_path}/{{native}}-{{price}}.csv")
    assert mkt(*words).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["BTCUSDT-mark.csv", "ETHUSDT-mark.csv"]
