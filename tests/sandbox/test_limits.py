from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.small_world import NOW, draft, floor, klines

from marketcli.models import MINUTE, SECOND, Market

if TYPE_CHECKING:
    from marketcli.sandbox.draft import Draft
    from marketcli.sandbox.floor import Floor

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
USED = "X-MBX-USED-WEIGHT-1M"


def send(on: Floor, market: Market = LINEAR, name: str = "ping", **params: object) -> Draft:
    return draft(on, market, name, **params)


def later(on: Floor, seconds: float) -> None:
    world: Any = on.world
    world.time += round(seconds * SECOND)


def exhausted(market: Market = LINEAR, *, limits: bool = True) -> Floor:
    """A floor whose pool is used up to the last unit."""
    on = floor(limits=limits)
    send(on, market)
    (meter,) = on.meters.values()
    meter.used = meter.budget.limit
    return on


@pytest.mark.parametrize(
    ("market", "name", "limit", "weight"),
    [
        (SPOT, "klines", 1_000, 2),
        (SPOT, "klines", 1, 2),
        (SPOT, "exchangeInfo", None, 20),
        (LINEAR, "klines", None, 5),
        (LINEAR, "klines", 99, 1),
        (LINEAR, "klines", 100, 2),
        (LINEAR, "klines", 499, 2),
        (LINEAR, "klines", 500, 5),
        (LINEAR, "klines", 1_000, 5),
        (LINEAR, "klines", 1_001, 10),
        (LINEAR, "exchangeInfo", None, 1),
        (INVERSE, "indexPriceKlines", 1_500, 10),
        (INVERSE, "exchangeInfo", None, 1),
        (INVERSE, "time", None, 1),
    ],
)
def test_requests_weigh_what_is_documented(market: Market, name: str, limit: int | None, weight: int) -> None:
    params = {} if limit is None else {"limit": limit}
    sent = send(floor(), market, name, symbol="BTCUSD_PERP" if market is INVERSE else "BTCUSDT", **params)
    assert sent.headers[USED] == str(weight)


def test_both_futures_share_a_pool_and_spot_has_its_own() -> None:
    on = floor()
    klines(on, LINEAR, limit=1_500)
    klines(on, INVERSE, limit=1_500)
    assert send(on, LINEAR).headers[USED] == "21"
    assert send(on, SPOT).headers[USED] == "1"
    assert on.stats()["weight"] == {"binance futures weight": 21, "binance spot weight": 1}


def test_use_is_counted_by_calendar_minute_of_the_world() -> None:
    on = floor()
    klines(on, LINEAR, limit=1_500)
    later(on, 29)
    assert send(on).headers[USED] == "11"
    later(on, 1)  # 12:01:00
    assert send(on).headers[USED] == "1"
    assert on.stats()["weight"] == {"binance futures weight": 12}


@pytest.mark.parametrize("market", Market)
def test_beyond_the_limit_come_429_and_the_seconds_to_the_next_minute(market: Market) -> None:
    on = exhausted(market)
    refused = send(on, market)
    assert (refused.status, refused.headers["Retry-After"], refused.document()["code"]) == (429, "30", -1003)
    assert on.stats()["refused_429"] == 1
    assert on.stats()["sent_before_retry_after"] == 0
    later(on, 30)
    assert send(on, market).status == 200
    assert on.stats()["sent_before_retry_after"] == 0


def test_whoever_does_not_stop_is_banned_for_ever_longer() -> None:
    on = exhausted()
    send(on)
    later(on, 1)
    statuses = [send(on).status for _ in range(11)]
    assert statuses == [429] * 10 + [418]
    assert on.stats()["sent_before_retry_after"] == 11
    banned = send(on)
    assert (banned.status, banned.headers["Retry-After"]) == (418, "120")
    until = (NOW + 121 * SECOND) // 1_000
    assert f"IP banned until {until}." in banned.document()["msg"]
    later(on, 60)
    again = [send(on) for _ in range(11)]
    assert {sent.status for sent in again} == {418}
    assert (again[0].headers["Retry-After"], again[-1].headers["Retry-After"]) == ("60", "240")
    assert on.stats()["sent_while_banned"] == 11
    later(on, 241)
    assert send(on).status == 200


def test_a_ban_outlasts_the_minute() -> None:
    on = exhausted()
    send(on)
    later(on, 1)
    for _ in range(11):
        send(on)
    later(on, 60)
    assert send(on).status == 418


def test_requests_that_were_on_their_way_are_not_held_against_anybody() -> None:
    on = exhausted()
    assert {send(on).status for _ in range(40)} == {429}
    assert on.stats()["sent_before_retry_after"] == 0


def test_without_limits_nothing_is_refused_and_nothing_said_of_use() -> None:
    on = exhausted(limits=False)
    sent = [send(on) for _ in range(50)]
    assert {one.status for one in sent} == {200}
    assert USED not in sent[-1].headers


def test_a_wait_that_a_fault_asked_for_is_watched_too() -> None:
    on = floor(faults=("http429_retry_after:first=1,seconds=20",))
    assert send(on).headers["Retry-After"] == "20"
    later(on, 19)
    assert send(on).status == 200
    later(on, 2)
    assert send(on).status == 200
    assert on.stats()["sent_before_retry_after"] == 1


def test_a_ban_that_a_fault_began_goes_on() -> None:
    on = floor(faults=("http418_ban:first=1,seconds=300",))
    assert send(on).headers["Retry-After"] == "300"
    later(on, 299)
    assert send(on).status == 418
    later(on, 1)
    assert send(on).status == 200
    assert on.stats()["sent_while_banned"] == 1
    assert on.stats()["refused_418"] == 2


def test_the_record_says_what_was_asked_and_what_it_cost() -> None:
    on = floor()
    klines(on, LINEAR, limit=2)
    assert list(on.log) == [
        {
            "ms": NOW // 1_000,
            "method": "GET",
            "host": "fapi.binance.com",
            "path": "/fapi/v1/klines",
            "query": "symbol=BTCUSDT&interval=1m&limit=2",
            "status": 200,
            "weight": 1,
        }
    ]
    assert on.stats()["paths"] == {"fapi.binance.com/fapi/v1/klines": 1}
    assert NOW % MINUTE == 30 * SECOND
