from __future__ import annotations

from typing import Any

import pytest
from sandbox.small_world import ENDED, NOW, ask, draft, floor, ms

from marketcli.models import HOUR, Market

LINEAR, INVERSE = Market.LINEAR, Market.INVERSE
SECOND = NOW // 1_000_000 * 1_000
NEXT = ms("2026-11-21T16:00")


def history(market: Market = LINEAR, symbol: str = "BTCUSDT", **params: Any) -> Any:
    return ask(floor(), market, "fundingRate", symbol=symbol, **params)


def times(rows: Any) -> list[int]:
    return [row["fundingTime"] for row in rows]


def test_a_settlement_is_spelled_as_documented() -> None:
    day: dict[str, Any] = {"startTime": ms("2026-11-21"), "endTime": ms("2026-11-21T01:00")}
    hours = ms("2026-11-21") // 3_600_000 % 1_000 - 500
    assert history(**day) == [
        {
            "symbol": "BTCUSDT",
            "fundingTime": ms("2026-11-21") + 3,
            "fundingRate": f"{hours / 10**7:.8f}",
            "markPrice": "90000.50000000",
            "rateType": "Regular",
        }
    ]
    (inverse,) = history(INVERSE, "BTCUSD_PERP", **day)
    assert set(inverse) == {"symbol", "fundingTime", "fundingRate"}
    old: dict[str, Any] = {"startTime": ms("2023-10-01"), "endTime": ms("2023-10-01T01:00")}
    assert history(**old)[0]["markPrice"] == ""


def test_both_bounds_belong_to_the_window() -> None:
    first = ms("2026-11-20") + 3
    assert times(history(startTime=first, endTime=first + 8 * 3_600_000)) == [first, first + 8 * 3_600_000]
    assert times(history(startTime=first + 1, endTime=first + 8 * 3_600_000 - 1)) == []


def test_rows_come_from_the_start_if_there_is_one_and_else_the_newest_and_always_in_order() -> None:
    start = ms("2026-01-01")
    assert times(history(startTime=start, limit=2)) == [start + 3, start + 3 + 8 * 3_600_000]
    assert times(history(startTime=start, endTime=NOW // 1_000, limit=1)) == [start + 3]
    assert times(history(limit=2)) == [ms("2026-11-21") + 3, ms("2026-11-21T08:00") + 3]
    assert times(history(endTime=start, limit=2)) == [ms("2025-12-31T08:00") + 3, ms("2025-12-31T16:00") + 3]


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({}, 200),
        ({"startTime": ms("2024-01-01")}, 100),
        ({"endTime": ms("2026-01-01")}, 100),
        ({"limit": 150}, 150),
        ({"limit": 5_000}, 1_000),
        ({"startTime": ms("2024-01-01"), "limit": 1_000}, 1_000),
        ({"startTime": NOW // 1_000}, 0),
        ({"startTime": ms("2027-01-01")}, 0),
    ],
)
def test_how_many_rows_come(params: dict[str, int], count: int) -> None:
    for market, symbol in ((LINEAR, "BTCUSDT"), (INVERSE, "BTCUSD_PERP")):
        found = times(history(market, symbol, **params))
        assert len(found) == count
        assert found == sorted(found)


def test_without_a_symbol_everybody_settles_on_usd_m_and_nobody_on_coin_m() -> None:
    found = ask(floor(), LINEAR, "fundingRate", startTime=ms("2024-09-09T07:00"), endTime=ms("2024-09-09T08:30"))
    assert [(row["symbol"], row["fundingTime"]) for row in found] == [
        ("OLDUSDT", ms("2024-09-09T07:00") + 3),
        ("BTCUSDT", ms("2024-09-09T08:00") + 3),
        ("OLDUSDT", ms("2024-09-09T08:00") + 3),
    ]
    assert len(ask(floor(), LINEAR, "fundingRate")) == 200
    assert ask(floor(), INVERSE, "fundingRate")["code"] == -1102


def test_a_contract_that_ended_keeps_its_history_and_a_dated_one_has_none() -> None:
    assert times(history(symbol="OLDUSDT"))[-1] == (ENDED - HOUR) // 1_000 + 3
    assert history(symbol="BTCUSDT_270326") == []
    assert history(INVERSE, "BTCUSD_270326") == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"symbol": "NOPE"}, -1121),
        ({"limit": 0}, -1130),
        ({"limit": "x"}, -1130),
        ({"startTime": 2, "endTime": 1}, -1023),
    ],
)
def test_what_cannot_be_answered_is_refused(params: dict[str, Any], code: int) -> None:
    refused = draft(floor(), LINEAR, "fundingRate", **({"symbol": "BTCUSDT"} | params))
    assert (refused.status, refused.document()["code"]) == (400, code)


def test_the_terms_list_names_only_what_does_not_settle_every_eight_hours() -> None:
    real = ask(floor(), LINEAR, "fundingInfo")
    assert real == []  # OLD has ended and NEW has not begun
    on = floor()
    world: Any = on.world
    world.time += 2 * 24 * HOUR  # NEW trades
    world.listings = lambda market=None: [
        item if item.base != "NEW" else type(item)(**(vars(item) | {"status": "trading"}))
        for item in type(world).listings(world, market)
    ]
    assert ask(on, LINEAR, "fundingInfo") == [
        {
            "symbol": "NEWUSDT",
            "adjustedFundingRateCap": "0.02000000",
            "adjustedFundingRateFloor": "-0.02000000",
            "fundingIntervalHours": 4,
            "disclaimer": False,
        }
    ]
    assert ask(on, INVERSE, "fundingInfo") == []


def test_mark_index_and_coming_funding_of_usd_m() -> None:
    assert ask(floor(), LINEAR, "premiumIndex", symbol="BTCUSDT") == {
        "symbol": "BTCUSDT",
        "markPrice": "90001.25000000",
        "indexPrice": "90000.00000000",
        "estimatedSettlePrice": "90000.00000000",
        "lastFundingRate": "-0.00000050",
        "interestRate": "0.00010000",
        "nextFundingTime": NEXT,
        "time": SECOND,
    }
    every = ask(floor(), LINEAR, "premiumIndex")
    assert [row["symbol"] for row in every] == ["BTCUSDT_270625", "BTCUSDT_270326", "BTCUSDT", "OLDUSDT"]
    for row in (every[0], every[3]):
        assert (row["lastFundingRate"], row["interestRate"], row["nextFundingTime"]) == ("0.00000000", "0.00000000", 0)


def test_coin_m_answers_with_a_list_and_blanks_where_nothing_is_settled() -> None:
    assert ask(floor(), INVERSE, "premiumIndex", symbol="BTCUSD_PERP") == [
        {
            "symbol": "BTCUSD_PERP",
            "markPrice": "90001.25000000",
            "indexPrice": "90000.00000000",
            "estimatedSettlePrice": "90000.00000000",
            "lastFundingRate": "-0.00000050",
            "interestRate": "0.00010000",
            "nextFundingTime": NEXT,
            "time": SECOND,
            "pair": "BTCUSD",
        }
    ]
    pair = ask(floor(), INVERSE, "premiumIndex", pair="BTCUSD")
    assert [(row["symbol"], row["lastFundingRate"], row["interestRate"]) for row in pair] == [
        ("BTCUSD_PERP", "-0.00000050", "0.00010000"),
        ("BTCUSD_270326", "", ""),
    ]
    assert len(ask(floor(), INVERSE, "premiumIndex")) == 3


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
@pytest.mark.parametrize("symbol", ["NOPE", "NEWUSDT"])
def test_what_does_not_trade_has_no_mark_price(market: Market, symbol: str) -> None:
    assert ask(floor(), market, "premiumIndex", symbol=symbol)["code"] == -1121
    assert ask(floor(), INVERSE, "premiumIndex", pair=symbol)["code"] == -1121
