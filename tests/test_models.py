"""Intervals on their grid, names of instruments, markets."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.errors import UsageError
from marketcli.models import (
    Instrument,
    Interval,
    Market,
    Window,
    canonical,
    iso,
    multiplier_of,
    parse_market,
    to_micros,
)

EVERY = ["1s", "7s", "1m", "3m", "90m", "1h", "5h", "8h", "1d", "2d", "3d", "1w", "2w", "1M", "3M", "7M"]
MOMENTS = st.integers(to_micros(datetime(2015, 1, 1, tzinfo=UTC)), to_micros(datetime(2035, 1, 1, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("text", "shown"), [("60m", "1h"), ("24h", "1d"), ("1440m", "1d"), ("1mo", "1M"), ("7d", "7d"), (" 1h ", "1h")]
)
def test_intervals_are_shown_in_the_longest_unit(text: str, shown: str) -> None:
    assert str(Interval.parse(text)) == shown


@pytest.mark.parametrize("text", ["", "h", "0h", "1", "1H", "-1h", "1.5h", "1y", "1 h", "99999m", "1m ago", "\u0661m"])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="interval"):
        Interval.parse(text)


@given(st.sampled_from(EVERY), MOMENTS)
def test_the_grid_is_that_of_polars(text: str, time: int) -> None:
    every = text.replace("M", "mo")
    moments = pl.Series([time]).cast(pl.Datetime("us", "UTC"))
    opened = pl.DataFrame({"time": moments}).group_by_dynamic("time", every=every).agg()["time"].to_physical()[0]
    assert Interval.parse(text).floor(time) == opened


@given(st.sampled_from(EVERY), MOMENTS, st.integers(1, 40))
def test_steps_floors_and_counts_agree(text: str, time: int, count: int) -> None:
    interval = Interval.parse(text)
    opened = interval.floor(time)
    later = interval.step(opened, count)
    assert opened <= time < interval.step(opened)
    assert interval.floor(later) == later == interval.ceil(later)
    assert interval.step(later, -count) == opened
    assert interval.count_in(Window(opened, later)) == count
    assert later - opened <= count * interval.longest


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    saturday = to_micros(datetime(2026, 11, 21, 9, tzinfo=UTC))
    assert iso(Interval.parse("1w").floor(saturday)) == "2026-11-16T00:00:00Z"
    assert iso(Interval.parse("3M").floor(saturday)) == "2026-10-01T00:00:00Z"


@pytest.mark.parametrize(
    ("fine", "coarse", "divides"),
    [("1h", "2h", True), ("1h", "90m", False), ("1d", "1w", True), ("3d", "1w", False), ("1d", "1M", True),
     ("1w", "1M", False), ("1M", "3M", True), ("3d", "1M", False), ("1m", "1h", True), ("1w", "2w", True)],
)  # fmt: skip
def test_only_whole_candles_build_longer_ones(fine: str, coarse: str, divides: bool) -> None:  # noqa: FBT001
    assert Interval.parse(fine).divides(Interval.parse(coarse)) is divides


@pytest.mark.parametrize(
    ("base", "multiplier"),
    [
        ("BTC", 1),
        ("1000PEPE", 1_000),
        ("1MBABYDOGE", 10**6),
        ("1000000MOG", 10**6),
        ("1INCH", 1),
        ("10000SATS", 10_000),
    ],
)
def test_a_multiplier_is_told_and_never_applied(base: str, multiplier: int) -> None:
    assert multiplier_of(base) == multiplier


@pytest.mark.parametrize(
    ("market", "settle", "expiry", "name"),
    [
        (Market.SPOT, "USDT", None, "BTC-USDT"),
        (Market.LINEAR, "USDT", None, "BTC-USDT-PERP"),
        (Market.LINEAR, "USDC", None, "BTC-USDT_USDC-PERP"),
        (Market.LINEAR, "USDT", datetime(2027, 3, 26, 8, tzinfo=UTC), "BTC-USDT-270326"),
        (Market.INVERSE, "BTC", datetime(2027, 3, 26, 8, tzinfo=UTC), "BTC-USDT-270326"),
        (Market.INVERSE, "ETH", None, "BTC-USDT_ETH-PERP"),
    ],
)
def test_canonical_names(market: Market, settle: str, expiry: datetime | None, name: str) -> None:
    moment = to_micros(expiry) if expiry else None
    assert canonical("BTC", "USDT", market, settle=settle, expiry=moment) == name


def test_unified_names_are_those_of_ccxt() -> None:
    def named(market: Market, settle: str, base: str = "BTC", delivery: int | None = None) -> str:
        return Instrument("binance", market, "x", "x", base, "USD", settle, delivery=delivery).unified

    assert named(Market.SPOT, "USD") == "BTC/USD"
    assert named(Market.INVERSE, "BTC") == "BTC/USD:BTC"
    assert (
        named(Market.INVERSE, "BTC", delivery=to_micros(datetime(2027, 3, 26, 8, tzinfo=UTC))) == "BTC/USD:BTC-270326"
    )
    assert named(Market.LINEAR, "USDC", "xyz:TSLA") == "XYZ-TSLA/USD:USDC"


@pytest.mark.parametrize(
    ("word", "market"), [("um", "linear"), ("PERP", "linear"), ("cm", "inverse"), ("Spot", "spot")]
)
def test_market_aliases(word: str, market: str) -> None:
    assert parse_market(word).value == market


def test_unknown_markets_are_told_the_words() -> None:
    with pytest.raises(UsageError) as caught:
        parse_market("futures")
    assert "linear" in caught.value.hint
