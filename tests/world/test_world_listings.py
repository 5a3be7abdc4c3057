"""What the world lists, and how that changes with the clock."""

from __future__ import annotations

import pytest

from marketcli.models import DAY, HOUR, Interval, Market, Window, iso
from marketcli.windows import parse_time
from marketcli.world import Listing, World
from marketcli.world.listings import delivery


def at(text: str) -> World:
    return World(clock=lambda: parse_time(text, now=0))


def named(world: World, market: Market, base: str) -> list[Listing]:
    return [item for item in world.listings(market) if item.base == base]


def test_three_markets_and_no_name_twice() -> None:
    listings = at("2026-11-21").listings()
    keys = [(item.market, item.base, item.quote, None if item.perpetual else item.expiry) for item in listings]
    assert len(set(keys)) == len(keys) >= 40
    assert {item.market for item in listings} == set(Market)
    assert listings == at("2026-11-21").listings()
    assert [item for market in Market for item in at("2026-11-21").listings(market)] == sorted(
        listings, key=lambda item: list(Market).index(item.market)
    )


def test_settlement_and_contract_sizes_follow_the_market() -> None:
    for item in at("2026-11-21").listings():
        assert item.settle == (item.base if item.market is Market.INVERSE else item.quote)
        expected = 1 if item.market is not Market.INVERSE else 100 if item.base == "BTC" else 10
        assert item.contract_size == expected
        assert float(item.tick) > 0
        assert float(item.lot) > 0


def test_matic_ends_and_pol_begins() -> None:
    world = at("2026-11-21")
    (spot,), (perpetual,) = named(world, Market.SPOT, "MATIC"), named(world, Market.LINEAR, "MATIC")
    assert spot.status == "halted"
    assert (perpetual.status, perpetual.perpetual) == ("closing", True)
    assert iso(perpetual.expiry or 0) == "2024-09-10T09:00:00Z"
    assert iso(named(world, Market.SPOT, "POL")[0].listed).startswith("2024-09-13")
    earlier = at("2024-08-01")
    assert named(earlier, Market.LINEAR, "MATIC")[0].status == "trading"
    assert named(earlier, Market.SPOT, "POL") == []
    assert named(at("2024-09-12"), Market.SPOT, "POL")[0].status == "pending"


def test_two_coming_quarters_are_dated() -> None:
    for market in (Market.LINEAR, Market.INVERSE):
        dated = [item for item in named(at("2026-11-21"), market, "BTC") if not item.perpetual]
        assert [iso(item.expiry or 0) for item in dated] == ["2026-12-25T08:00:00Z", "2027-03-26T08:00:00Z"]
        assert [iso(item.listed) for item in dated] == ["2026-06-26T08:00:00Z", "2026-09-25T08:00:00Z"]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-12-25T07:59:59", "2026-12-25"),
        ("2026-12-25T08:00", "2027-03-26"),
        ("2024-01-01", "2024-03-29"),
        ("2024-06-28T08:00", "2024-09-27"),
        ("2023-12-31", "2024-03-29"),
    ],
)
def test_delivery_is_the_last_friday_of_the_quarter(now: str, expected: str) -> None:
    assert delivery(parse_time(now, now=0), 0) == parse_time(expected, now=0) + 8 * HOUR


def test_a_thousand_pepe_cost_a_thousand_times_one() -> None:
    world = at("2026-11-21")
    one, thousand = named(world, Market.SPOT, "PEPE")[0], named(world, Market.LINEAR, "1000PEPE")[0]
    window = Window(world.now() - DAY, world.now())
    (cheap,), (dear,) = (world.candles(item, Interval.parse("1d"), window) for item in (one, thousand))
    assert dear.open / cheap.open == pytest.approx(1_000, rel=5e-3)
    assert 0.002 < dear.open < 0.05
