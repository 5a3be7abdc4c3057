"""Which pool a request is charged to: weight, statistics, funding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox.small_world import draft, floor

from marketcli.models import SECOND, Market

if TYPE_CHECKING:
    from marketcli.sandbox.draft import Draft
    from marketcli.sandbox.floor import Floor

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
USED = "X-MBX-USED-WEIGHT-1M"
HISTORY = "/futures/data/openInterestHist"
SYMBOLS = {SPOT: "BTCUSDT", LINEAR: "BTCUSDT", INVERSE: "BTCUSD_PERP"}
STATISTICS, FUNDING, WEIGHT = "binance futures data requests", "binance funding requests", "binance futures weight"


def send(on: Floor, market: Market, name: str) -> Draft:
    return draft(on, market, name, symbol=SYMBOLS[market], pair="BTCUSD", period="5m")


def emptied(name: str, market: Market, path: str) -> Floor:
    """A floor where one pool is used up to the last request."""
    on = floor()
    send(on, market, path)
    on.meters[name].used = on.meters[name].budget.limit
    return on


@pytest.mark.parametrize(
    ("market", "name", "one", "every"),
    [
        (SPOT, "avgPrice", 2, 2),
        (SPOT, "ticker/price", 2, 4),
        (LINEAR, "premiumIndex", 1, 10),
        (LINEAR, "/fapi/v2/ticker/price", 1, 2),
        (LINEAR, "openInterest", 1, 1),
        (INVERSE, "premiumIndex", 10, 10),
        (INVERSE, "openInterest", 1, 1),
        (INVERSE, "ticker/price", 1, 2),
        (INVERSE, "fundingRate", 1, 1),
    ],
)
def test_requests_weigh_what_is_documented(market: Market, name: str, one: int, every: int) -> None:
    assert send(floor(), market, name).headers[USED] == str(one)
    assert draft(floor(), market, name).headers[USED] == str(every)


@pytest.mark.parametrize(
    ("market", "name", "pool"),
    [
        (LINEAR, HISTORY, STATISTICS),
        (INVERSE, HISTORY, STATISTICS),
        (LINEAR, "fundingRate", FUNDING),
        (LINEAR, "fundingInfo", FUNDING),
        (INVERSE, "fundingInfo", FUNDING),
    ],
)
def test_some_requests_are_counted_and_weigh_nothing(market: Market, name: str, pool: str) -> None:
    on = floor()
    sent = [send(on, market, name) for _ in range(3)][-1]
    assert sent.status == 200
    assert USED not in sent.headers
    assert on.stats()["weight"] == {pool: 3}
    assert on.log[-1]["weight"] == 0


def test_coin_m_funding_is_counted_and_weighs_as_well() -> None:
    on = floor()
    send(on, INVERSE, "fundingRate")
    assert on.stats()["weight"] == {WEIGHT: 1, FUNDING: 1}


@pytest.mark.parametrize(
    ("pool", "limit", "market", "name"),
    [(STATISTICS, 1_000, LINEAR, HISTORY), (FUNDING, 500, INVERSE, "fundingInfo")],
)
def test_a_pool_of_requests_is_empty_for_both_hosts_and_for_nobody_else(
    pool: str, limit: int, market: Market, name: str
) -> None:
    on = floor()
    statuses = [send(on, market, name).status for _ in range(limit + 1)]
    assert statuses == [200] * limit + [429]
    assert send(on, INVERSE if market is LINEAR else LINEAR, name).status == 429
    assert send(on, market, "openInterest").status == 200
    assert on.stats()["weight"] == {pool: limit + 2, WEIGHT: 1}


def test_five_minutes_pass_until_a_pool_of_requests_is_full_again() -> None:
    on = emptied(STATISTICS, LINEAR, HISTORY)
    refused = send(on, LINEAR, HISTORY)
    assert (refused.status, refused.headers["Retry-After"], refused.document()["code"]) == (429, "270", -1003)
    assert "current limit is 1000 requests per 5 MINUTE" in refused.document()["msg"]
    world: Any = on.world
    world.time += 269 * SECOND
    assert send(on, LINEAR, HISTORY).status == 429
    world.time += SECOND  # 12:05:00
    assert send(on, LINEAR, HISTORY).status == 200


def test_either_pool_can_refuse_a_request_that_is_charged_to_both() -> None:
    on = emptied(FUNDING, LINEAR, "fundingRate")
    assert send(on, INVERSE, "fundingRate").headers["Retry-After"] == "270"
    on = emptied(WEIGHT, LINEAR, "openInterest")
    assert send(on, INVERSE, "fundingRate").headers["Retry-After"] == "30"
    assert send(on, LINEAR, "fundingRate").status == 200


def test_whoever_does_not_stop_asking_for_statistics_is_banned() -> None:
    on = emptied(STATISTICS, LINEAR, HISTORY)
    send(on, LINEAR, HISTORY)
    world: Any = on.world
    world.time += SECOND
    assert [send(on, LINEAR, HISTORY).status for _ in range(11)] == [429] * 10 + [418]


def test_a_wait_that_a_fault_asked_for_is_that_of_the_pool_it_struck() -> None:
    on = floor(faults=("http429_retry_after:first=1,seconds=20,path=openInterestHist",))
    send(on, LINEAR, "openInterest")
    assert send(on, LINEAR, HISTORY).status == 429
    world: Any = on.world
    world.time += 10 * SECOND
    assert send(on, LINEAR, "openInterest").status == 200
    assert on.stats()["sent_before_retry_after"] == 0
    assert send(on, INVERSE, HISTORY).status == 200
    assert on.stats()["sent_before_retry_after"] == 1
