from __future__ import annotations

from typing import Any

import pytest
from sandbox.small_world import NOW, ask, at, draft, floor, klines, minutes, ms, times

from marketcli.models import DAY, MILLISECOND, Interval, Market, Window

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
NOON = "2026-11-21T12:00"


@pytest.mark.parametrize(("market", "most"), [(SPOT, 1_000), (LINEAR, 1_500), (INVERSE, 1_500)])
def test_a_page_has_500_rows_unless_asked_and_never_more_than_the_limit(market: Market, most: int) -> None:
    assert len(klines(floor(), market)) == 500
    assert len(klines(floor(), market, limit=most)) == most
    assert len(klines(floor(), market, limit=most + 1)) == most
    assert len(klines(floor(), market, limit=1)) == 1


@pytest.mark.parametrize("market", Market)
def test_without_bounds_the_newest_rows_come_with_the_unfinished_one_last(market: Market) -> None:
    assert times(klines(floor(), market, limit=3)) == minutes("2026-11-21T11:58", 3)


@pytest.mark.parametrize("market", Market)
def test_both_bounds_belong_to_the_page(market: Market) -> None:
    rows = klines(floor(), market, startTime=ms("2026-11-01T00:00"), endTime=ms("2026-11-01T00:03"))
    assert times(rows) == minutes("2026-11-01T00:00", 4)
    rows = klines(floor(), market, startTime=ms("2026-11-01T00:00") + 1, endTime=ms("2026-11-01T00:03") - 1)
    assert times(rows) == minutes("2026-11-01T00:01", 2)


@pytest.mark.parametrize("market", [SPOT, LINEAR])
def test_spot_and_usd_m_give_the_oldest_rows_of_a_window_that_holds_too_many(market: Market) -> None:
    day: dict[str, Any] = {"startTime": ms("2026-11-01"), "endTime": ms("2026-11-02")}
    assert times(klines(floor(), market, limit=5, **day)) == minutes("2026-11-01T00:00", 5)
    assert times(klines(floor(), market, limit=5, startTime=ms("2026-11-01"))) == minutes("2026-11-01T00:00", 5)


def test_coin_m_gives_the_newest_rows_of_a_window_that_holds_too_many() -> None:
    day: dict[str, Any] = {"startTime": ms("2026-11-01"), "endTime": ms("2026-11-02")}
    assert times(klines(floor(), INVERSE, limit=5, **day)) == minutes("2026-11-01T23:56", 5)


@pytest.mark.parametrize("market", Market)
def test_the_newest_rows_up_to_an_end_come_if_only_that_is_given(market: Market) -> None:
    assert times(klines(floor(), market, limit=5, endTime=ms("2026-11-02"))) == minutes("2026-11-01T23:56", 5)


def test_coin_m_looks_at_200_days_at_most() -> None:
    start, days = ms("2025-01-01"), DAY // MILLISECOND
    whole = klines(floor(), INVERSE, "1d", startTime=start, endTime=start + 200 * days)
    assert len(whole) == 201
    refused = klines(floor(), INVERSE, "1d", startTime=start, endTime=start + 200 * days + 1)
    assert refused["code"] == -1127
    assert times(klines(floor(), INVERSE, "1d", startTime=start)) == times(whole)
    assert times(klines(floor(), INVERSE, "1d", endTime=start + 200 * days)) == times(whole)
    longer = klines(floor(), LINEAR, "1d", startTime=start, endTime=start + 300 * days)
    assert len(longer) == 301


@pytest.mark.parametrize("market", Market)
def test_a_page_reaches_over_a_hole_as_far_as_the_limit_goes(market: Market) -> None:
    holed = floor(hole=Window(at("2026-11-01T00:02"), at("2026-11-09T00:00")))
    start = ms("2026-11-01T00:00")
    backward = klines(holed, market, limit=4, endTime=ms("2026-11-09T00:01"))
    assert times(backward) == [*minutes("2026-11-01T00:00", 2), *minutes("2026-11-09T00:00", 2)]
    if market is not INVERSE:
        assert times(klines(holed, market, limit=4, startTime=start)) == times(backward)
        assert times(klines(holed, market, limit=1, startTime=ms("2026-11-01T00:02"))) == minutes("2026-11-09T00:00", 1)


@pytest.mark.parametrize("market", [SPOT, LINEAR])
def test_months_and_weeks_page_like_minutes(market: Market) -> None:
    months = klines(floor(), market, "1M", startTime=ms("2026-01-15"), limit=3)
    assert times(months) == [ms("2026-02-01"), ms("2026-03-01"), ms("2026-04-01")]
    assert months[0][6] == ms("2026-03-01") - 1
    assert times(klines(floor(), market, "1w", limit=1)) == [ms("2026-11-16")]


def test_rows_have_twelve_elements_with_prices_and_volumes_as_text() -> None:
    for market in (SPOT, LINEAR):
        (row,) = klines(floor(), market, startTime=ms("2026-11-01T00:07"), limit=1)
        assert len(row) == 12
        assert row[0] == ms("2026-11-01T00:07")
        assert row[6] == ms("2026-11-01T00:08") - 1
        assert [float(text) for text in row[1:6]] == [90_527.0, 90_536.5, 90_521.75, 90_528.5, 12.5]
        assert [float(row[7]), row[8], float(row[9]), float(row[10]), row[11]] == [1_137_600.25, 9, 6.125, 555_000, "0"]
        assert all(isinstance(row[index], str) for index in (1, 2, 3, 4, 5, 7, 9, 10))


def test_numbers_have_the_decimals_each_market_writes_and_no_exponent() -> None:
    start = ms("2026-11-01T00:07")
    assert klines(floor(), SPOT, startTime=start, limit=1)[0][1] == "90527.00000000"
    assert klines(floor(), LINEAR, startTime=start, limit=1)[0][1:6] == [
        "90527.00", "90536.50", "90521.75", "90528.50", "12.500",
    ]  # fmt: skip
    (premium,) = ask(floor(), LINEAR, "premiumIndexKlines", symbol="BTCUSDT", interval="1m", limit=1)
    assert premium[1:5] == ["-0.00010000", "0.00012000", "-0.00000005", "0.00000000"]


def test_coin_m_counts_contracts_first_and_base_second() -> None:
    (row,) = klines(floor(), INVERSE, startTime=ms(NOON), limit=1)
    assert [row[5], float(row[7]), row[9], float(row[10])] == ["7", 12.5, "3", 6.125]


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_prices_nobody_trades_at_have_no_volume(market: Market) -> None:
    pair = "BTCUSDT" if market is LINEAR else "BTCUSD"
    symbol = "BTCUSDT" if market is LINEAR else "BTCUSD_PERP"
    for name, params in (
        ("markPriceKlines", {"symbol": symbol}),
        ("indexPriceKlines", {"pair": pair}),
        ("premiumIndexKlines", {"symbol": symbol}),
    ):
        rows = ask(floor(), market, name, interval="1h", limit=2, **params)
        assert times(rows) == [ms("2026-11-21T11:00"), ms(NOON)]
        assert [[row[5], row[7], row[9], row[10]] for row in rows] == [["0"] * 4] * 2
    assert ask(floor(), market, "indexPriceKlines", symbol=pair, interval="1h")["code"] == -1102


def test_a_pair_is_its_perpetual_not_the_younger_quarter() -> None:
    asked = {"pair": "BTCUSDT", "interval": "1d", "startTime": ms("2025-05-01"), "limit": 1}
    assert times(ask(floor(), LINEAR, "indexPriceKlines", **asked)) == [ms("2025-05-01")]


def test_nothing_trades_before_it_is_listed_or_after_it_ended() -> None:
    before: dict[str, Any] = {"startTime": ms("2019-12-31T23:58"), "endTime": ms("2020-01-01T00:01")}
    assert times(klines(floor(), LINEAR, **before)) == minutes("2020-01-01T00:00", 2)
    after = {"symbol": "OLDUSDT", "interval": "1m", "limit": 2}
    assert times(ask(floor(), LINEAR, "klines", **after)) == minutes("2024-09-10T08:58", 2)
    assert ask(floor(), LINEAR, "klines", symbol="NEWUSDT", interval="1m") == []
    assert klines(floor(), LINEAR, startTime=NOW // MILLISECOND + 60_000) == []
    assert klines(floor(), LINEAR, startTime=10**19) == []


GOOD: dict[str, object] = {"symbol": "BTCUSDT", "interval": "1m"}


@pytest.mark.parametrize(
    ("market", "params", "code"),
    [
        (SPOT, {"symbol": "NOPEUSDT"}, -1121),
        (LINEAR, {"symbol": "NOPEUSDT"}, -1121),
        (INVERSE, {"symbol": "BTCUSDT"}, -1121),
        (SPOT, {"symbol": "btcusdt"}, -1100),
        (SPOT, {"symbol": ""}, -1102),
        (LINEAR, {"interval": ""}, -1102),
        (SPOT, {"interval": "7m"}, -1120),
        (SPOT, {"interval": "60m"}, -1120),
        (LINEAR, {"interval": "1s"}, -1120),
        (SPOT, {"startTime": "yesterday"}, -1100),
        (LINEAR, {"startTime": "-5"}, -1130),
        (LINEAR, {"limit": "0"}, -1130),
        (SPOT, {"timeZone": "8"}, -1130),
        (LINEAR, {"startTime": ms("2026-11-02"), "endTime": ms("2026-11-01")}, -1023),
        (INVERSE, {"symbol": "BTCUSD_PERP", "startTime": ms("2026-11-02"), "endTime": ms("2026-11-01")}, -1023),
    ],
)
def test_mistakes_are_refused_with_the_documented_code(market: Market, params: dict[str, Any], code: int) -> None:
    refused = draft(floor(), market, "klines", **(GOOD | params))
    assert refused.status == 400
    assert refused.document()["code"] == code
    assert refused.document()["msg"]


def test_spot_gives_nothing_if_the_start_lies_behind_the_end() -> None:
    assert klines(floor(), SPOT, startTime=ms("2026-11-02"), endTime=ms("2026-11-01")) == []


def test_every_interval_of_the_documentation_is_answered() -> None:
    for text in ["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"]:
        for market in Market:
            assert times(klines(floor(), market, text, limit=1)) == [Interval.parse(text).floor(NOW) // MILLISECOND]
    assert times(klines(floor(), SPOT, "1s", limit=1)) == [NOW // MILLISECOND]
