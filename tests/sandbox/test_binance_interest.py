from __future__ import annotations

from typing import Any

import pytest
from sandbox.small_world import NOW, ask, at, draft, floor, ms

from marketcli.models import DAY, MINUTE, Market

LINEAR, INVERSE = Market.LINEAR, Market.INVERSE
PATH = "/futures/data/openInterestHist"
STEP = 300_000


def history(market: Market = LINEAR, **params: Any) -> Any:
    whose = {"symbol": "BTCUSDT"} if market is LINEAR else {"pair": "BTCUSD", "contractType": "PERPETUAL"}
    return ask(floor(), market, PATH, **(whose | {"period": "5m"} | params))


def times(rows: Any) -> list[int]:
    return [row["timestamp"] for row in rows]


def count(text: str) -> int:
    return at(text) // (5 * MINUTE) % 10_000


def test_what_is_open_now_is_base_on_usd_m_and_contracts_on_coin_m() -> None:
    here = NOW // (5 * MINUTE) % 10_000
    assert ask(floor(), LINEAR, "openInterest", symbol="BTCUSDT") == {
        "symbol": "BTCUSDT",
        "openInterest": f"{1_000.5 + here:.3f}",
        "time": NOW // 1_000,
    }
    assert ask(floor(), INVERSE, "openInterest", symbol="BTCUSD_270326") == {
        "symbol": "BTCUSD_270326",
        "pair": "BTCUSD",
        "contractType": "CURRENT_QUARTER",
        "openInterest": str(7 + here),
        "time": NOW // 1_000,
    }


@pytest.mark.parametrize(("symbol", "code"), [("NOPE", -1121), ("OLDUSDT", -4108), ("NEWUSDT", -4108), ("", -1102)])
def test_nothing_is_open_in_what_does_not_trade(symbol: str, code: int) -> None:
    assert ask(floor(), LINEAR, "openInterest", symbol=symbol)["code"] == code


def test_a_point_is_what_was_open_at_its_label() -> None:
    start = ms("2026-11-20T10:00")
    here = count("2026-11-20T10:00")
    assert history(startTime=start, endTime=start) == [
        {
            "symbol": "BTCUSDT",
            "sumOpenInterest": f"{1_000.5 + here:.8f}",
            "sumOpenInterestValue": f"{0.25 + here:.8f}",
            "CMCCirculatingSupply": "0.00000000",
            "timestamp": start,
        }
    ]
    assert history(INVERSE, startTime=start, endTime=start) == [
        {
            "pair": "BTCUSD",
            "contractType": "PERPETUAL",
            "sumOpenInterest": str(7 + here),
            "sumOpenInterestValue": f"{1_000.5 + here:.8f}",
            "timestamp": start,
        }
    ]


@pytest.mark.parametrize("more", [{}, {"contractType": "ALL"}])
def test_without_a_type_all_contracts_of_a_pair_are_summed(more: dict[str, str]) -> None:
    start = ms("2026-11-20T10:00")
    (row,) = ask(floor(), INVERSE, PATH, pair="BTCUSD", period="1h", startTime=start, endTime=start, **more)
    here = count("2026-11-20T10:00")
    assert (row["contractType"], row["sumOpenInterest"]) == ("ALL", str(2 * (7 + here)))
    assert float(row["sumOpenInterestValue"]) == 2 * (1_000.5 + here)


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_which_points_come(market: Market) -> None:
    start, newest = ms("2026-11-20T10:00"), ms("2026-11-21T12:00")
    assert times(history(market)) == [newest - STEP * n for n in reversed(range(30))]
    assert times(history(market, startTime=start + 1, limit=2)) == [start + STEP, start + 2 * STEP]
    assert times(history(market, startTime=start, endTime=newest, limit=2)) == [start, start + STEP]
    assert times(history(market, endTime=start, limit=2)) == [start - STEP, start]
    assert len(history(market, startTime=start - 3 * 86_400_000, limit=9_999)) == 500
    assert times(history(market, period="1d", limit=2)) == [ms("2026-11-20"), ms("2026-11-21")]
    assert history(market, startTime=ms("2026-11-22")) == []


def test_thirty_days_are_kept() -> None:
    oldest = (NOW - 30 * DAY) // 1_000 + 1
    assert len(history(startTime=oldest, limit=1)) == 1
    refused = history(startTime=oldest - 1_000)
    assert refused == {"code": -1130, "msg": "parameter 'startTime' is invalid."}
    assert times(history(period="1d", limit=500))[0] == ms("2026-10-23")
    assert history(endTime=oldest - 1_000) == []


@pytest.mark.parametrize(
    ("market", "params", "code"),
    [
        (LINEAR, {"period": ""}, -1102),
        (LINEAR, {"period": "1m"}, -1130),
        (LINEAR, {"symbol": ""}, -1102),
        (LINEAR, {"symbol": "NOPE"}, -1121),
        (LINEAR, {"limit": 0}, -1130),
        (LINEAR, {"startTime": NOW // 1_000, "endTime": NOW // 1_000 - 1}, -1023),
        (INVERSE, {"pair": ""}, -1102),
        (INVERSE, {"pair": "BTCUSDT"}, -1121),
        (INVERSE, {"contractType": "FOREVER"}, -1130),
    ],
)
def test_what_cannot_be_answered_is_refused(market: Market, params: dict[str, Any], code: int) -> None:
    assert history(market, **params)["code"] == code


def test_a_type_that_a_pair_has_not_is_empty() -> None:
    assert history(INVERSE, contractType="NEXT_QUARTER") == []


def test_dated_contracts_have_a_history_of_their_own_on_usd_m() -> None:
    assert len(history(symbol="BTCUSDT_270625")) == 30
    refused = draft(floor(), LINEAR, PATH, pair="BTCUSDT", period="5m")
    assert refused.document()["code"] == -1102
