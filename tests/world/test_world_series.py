"""Real candles from files: what the file has is what the world says, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from marketcli.errors import UsageError
from marketcli.models import DAY, HOUR, MILLISECOND, MINUTE, SECOND, Interval, Market, Window, to_datetime
from marketcli.windows import parse_time
from marketcli.world import Bar, Listing, Series, World

START = parse_time("2025-03-03", now=0)  # a Monday
HOLE = range(100, 220)
EVER = Window(0, START + 400 * DAY)


def frame(count: int = 3_000, length: int = MINUTE, **changes: Any) -> pl.DataFrame:
    rows = [index for index in range(count) if index not in HOLE]
    columns: dict[str, Any] = {
        "timestamp_ms": [(START + index * length) // MILLISECOND for index in rows],
        "open": [(10_000 + index) / 100 for index in rows],
        "high": [(10_200 + index) / 100 for index in rows],
        "low": [(9_900 + index) / 100 for index in rows],
        "close": [(10_001 + index) / 100 for index in rows],
        "volume": [(index % 7) / 2 for index in rows],
    }
    return pl.DataFrame(columns | changes)


def world_of(series: Series, now: int = EVER.end) -> tuple[World, Listing]:
    world = World(clock=lambda: now, series=[series])
    found = [
        item
        for item in world.listings(series.market)
        if (item.base, item.quote) == (series.base, series.quote) and (item.perpetual or series.market is Market.SPOT)
    ]
    assert len(found) == 1
    return world, found[0]


def candles(series: Series, interval: str, window: Window = EVER, *, now: int = EVER.end) -> list[Bar]:
    world, listing = world_of(series, now)
    return world.candles(listing, Interval.parse(interval), window)


def test_rows_are_those_of_the_file_and_holes_stay_holes() -> None:
    series = Series.of(Market.LINEAR, "BTC", "USDT", frame().sample(fraction=1.0, shuffle=True, seed=1))
    bars = candles(series, "1m")
    assert [bar.time for bar in bars] == [START + index * MINUTE for index in range(3_000) if index not in HOLE]
    third = bars[2]
    assert third == Bar(third.time, 100.02, 102.02, 99.02, 100.03, 1.0, 100.03, 0, 0.0, 0.0, 0, 0, closed=True)


def test_a_file_takes_the_place_of_the_listing() -> None:
    series = Series.of(Market.LINEAR, "BTC", "USDT", frame())
    world, listing = world_of(series)
    assert (listing.listed, listing.expiry, listing.status) == (START, START + 3_000 * MINUTE, "closing")
    assert (listing.tick, listing.lot, listing.settle, listing.perpetual) == ("0.01", "0.1", "USDT", True)
    plain = World(clock=world.clock).listings()
    assert [(item.base, item.quote, item.expiry if not item.perpetual else None) for item in world.listings()] == [
        (item.base, item.quote, item.expiry if not item.perpetual else None) for item in plain
    ]
    assert world.candles(listing, Interval.parse("1m"), EVER, price="mark") == []
    dated = next(item for item in world.listings(Market.LINEAR) if item.base == "BTC" and not item.perpetual)
    assert world.candles(dated, Interval.parse("1d"), EVER)[0].trades > 0


def test_an_unknown_name_is_added() -> None:
    world, listing = world_of(Series.of(Market.SPOT, "NEW", "EUR", frame()))
    assert world.listings()[-1] == listing
    assert (listing.settle, listing.perpetual) == ("EUR", False)


@pytest.mark.parametrize(("interval", "length"), [("5m", 5 * MINUTE), ("1h", HOUR), ("1d", DAY), ("1w", 7 * DAY)])
def test_coarser_intervals_are_built_from_the_rows_there_are(interval: str, length: int) -> None:
    series = Series.of(Market.LINEAR, "BTC", "USDT", frame())
    fine = candles(series, "1m")
    buckets = sorted({bar.time - (bar.time - START) % length for bar in fine})
    bars = candles(series, interval)
    assert [bar.time for bar in bars] == buckets
    for bar in bars:
        parts = [part for part in fine if bar.time <= part.time < bar.time + length]
        assert (bar.open, bar.close) == (parts[0].open, parts[-1].close)
        assert (bar.high, bar.low) == (max(part.high for part in parts), min(part.low for part in parts))
        assert bar.volume_base == sum(part.volume_base for part in parts)
        assert bar.volume_quote == pytest.approx(sum(part.volume_quote for part in parts))


@pytest.mark.parametrize("interval", ["1s", "30s", "90s"])
def test_finer_intervals_give_nothing(interval: str) -> None:
    assert candles(Series.of(Market.LINEAR, "BTC", "USDT", frame()), interval) == []


def test_of_the_row_that_holds_now_only_its_open_has_happened() -> None:
    series = Series.of(Market.LINEAR, "BTC", "USDT", frame())
    now = START + 50 * MINUTE + 30 * SECOND
    *before, last = candles(series, "1m", now=now)
    assert (len(before), last.time, last.closed, last.volume_base) == (50, START + 50 * MINUTE, False, 0)
    assert last.open == last.high == last.low == last.close
    (hour,) = candles(series, "1h", now=now)
    assert (hour.close, hour.closed) == (last.open, False)
    assert hour.high == max(bar.high for bar in before)
    assert world_of(series, now)[1].status == "trading"
    assert world_of(series, START - MINUTE)[1].status == "pending"


def test_inverse_volume_counts_contracts() -> None:
    series = Series.of(Market.INVERSE, "BTC", "USD", frame(volume=[5] * 2_880))
    bar = candles(series, "1m")[0]
    assert (bar.contracts, bar.volume_quote, bar.trades) == (5, 500.0, 0)
    assert bar.volume_base == pytest.approx(500 / bar.close)


@pytest.mark.parametrize(
    ("length", "expected"), [(SECOND, "1s"), (15 * MINUTE, "15m"), (12 * HOUR, "12h"), (DAY, "1d"), (7 * DAY, "1w")]
)
def test_the_interval_is_told_by_the_rows(length: int, expected: str) -> None:
    series = Series.of(Market.SPOT, "BTC", "USDT", frame(9, length))
    assert str(series.interval) == expected
    assert len(candles(series, expected, Window(0, EVER.end))) == 9


def test_months_are_told_from_28_days() -> None:
    opens = [datetime(2025, month, 1, tzinfo=UTC) for month in (1, 2, 3, 6)]
    rows = {name: [1.0] * 4 for name in ("open", "high", "low", "close", "volume")}
    series = Series.of(Market.SPOT, "BTC", "USDT", pl.DataFrame({"time": opens, **rows}))
    assert str(series.interval) == "1M"
    assert len(candles(series, "3M")) == 2


def test_dates_of_any_kind_are_read() -> None:
    stamps = frame()["timestamp_ms"].to_list()
    expected = candles(Series.of(Market.SPOT, "BTC", "USDT", frame()), "1m")
    aware = [to_datetime(stamp * MILLISECOND) for stamp in stamps]
    for times in (stamps, aware, [moment.replace(tzinfo=None) for moment in aware]):
        given = frame().drop("timestamp_ms").with_columns(pl.Series("time", times))
        assert candles(Series.of(Market.SPOT, "BTC", "USDT", given), "1m") == expected


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (frame().drop("timestamp_ms"), "no column time"),
        (frame().drop("high", "volume"), "no column high, volume"),
        (frame(close=["x"] * 2_880), "close of the candles holds no numbers"),
        (frame(open=[0.0] * 2_880), "open of the candles has empty or impossible"),
        (frame(volume=[float("nan")] * 2_880), "volume of the candles has empty or impossible"),
        (frame(timestamp_ms=[1.5] * 2_880), "neither a date nor a whole number"),
        (frame(timestamp_ms=list(range(2_880))), "no milliseconds since 1970"),
        (pl.concat([frame(), frame()]), "same time twice"),
        (frame(1), "too few"),
        (frame().with_columns(pl.col("timestamp_ms") + 7), "not on that grid"),
        (frame(9, MINUTE // 8), "whole seconds"),
    ],
)
def test_wrong_columns_are_named(wrong: pl.DataFrame, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Series.of(Market.SPOT, "BTC", "USDT", wrong)
