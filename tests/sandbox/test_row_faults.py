"""Faults in rows that are objects: settlements and points of open interest."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from sandbox.small_world import ask, draft, floor, ms

from marketcli.models import Market

LINEAR = Market.LINEAR


class Place(NamedTuple):
    path: str
    time: str
    value: str
    step: int
    asked: dict[str, Any]


START, END = ms("2026-11-10"), ms("2026-11-13")
PLACES = {
    "funding": Place("fundingRate", "fundingTime", "fundingRate", 8 * 3_600_000, {"startTime": START, "endTime": END}),
    "oi": Place(
        "/futures/data/openInterestHist",
        "timestamp",
        "sumOpenInterest",
        12 * 3_600_000,
        {"period": "12h", "startTime": START, "endTime": END},
    ),
}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Place:
    return PLACES[request.param]


def rows(place: Place, fault: str = "", **more: Any) -> Any:
    faults = (fault,) if fault else ()
    return ask(floor(faults=faults), LINEAR, place.path, **({"symbol": "BTCUSDT"} | place.asked | more))


def times(place: Place, found: Any) -> list[int]:
    return [row[place.time] for row in found]


def test_a_hole_is_a_hole_for_every_way_to_ask(place: Place) -> None:
    hole = "missing_rows:from=2026-11-11,to=2026-11-12"
    whole, found = rows(place), rows(place, hole)
    assert found == [row for row in whole if not ms("2026-11-11") <= row[place.time] < ms("2026-11-12")]
    assert len(whole) > len(found) > 0
    (later,) = rows(place, hole, startTime=ms("2026-11-11"), limit=1)
    assert later[place.time] // 1_000 == ms("2026-11-12") // 1_000


def test_every_seventh_is_missing(place: Place) -> None:
    more: dict[str, Any] = {"startTime": ms("2026-10-25"), "endTime": ms("2026-11-15"), "limit": 500}
    whole = rows(place, **more)
    assert len(rows(place, "missing_rows", **more)) in {len(whole) * 6 // 7, len(whole) * 6 // 7 + 1}


def test_rows_from_outside_the_window_surround_the_right_ones(place: Place) -> None:
    found = rows(place, "rows_out_of_window")
    assert [row for row in found if START <= row[place.time] <= END] == rows(place)
    assert sum(row[place.time] < START for row in found) == sum(row[place.time] > END for row in found) == 3
    assert {
        (later - sooner) for sooner, later in zip(times(place, found)[:3], times(place, found)[1:3], strict=False)
    } == {place.step}


def test_rows_twice_and_in_disorder(place: Place) -> None:
    whole = times(place, rows(place))
    assert sorted(times(place, rows(place, "duplicate_rows"))) == sorted([*whole, *whole, whole[0]])
    mixed = times(place, rows(place, "unordered_rows"))
    assert mixed != whole
    assert sorted(mixed) == whole


@pytest.mark.parametrize("value", ["NaN", "1e400", "null", "text"])
def test_a_number_that_is_none(place: Place, value: str) -> None:
    whole, found = rows(place), rows(place, f"nan_rows:value={value}")
    middle = len(whole) // 2
    assert found[middle].pop(place.value) == (None if value == "null" else value)
    del whole[middle][place.value]
    assert found == whole


@pytest.mark.parametrize(("unit", "scale"), [("s", 0.001), ("us", 1_000), ("ns", 1_000_000)])
def test_times_in_another_unit(place: Place, unit: str, scale: float) -> None:
    found = times(place, rows(place, f"wrong_time_unit:unit={unit}"))
    assert found == [int(time * scale) for time in times(place, rows(place))]


def test_unknown_missing_and_mistyped_fields(place: Place) -> None:
    whole = rows(place)
    middle = len(whole) // 2
    assert all("brandNew" in row for row in rows(place, "unknown_fields"))
    assert place.value not in rows(place, "missing_field")[middle]
    assert place.time not in rows(place, f"missing_field:field={place.time}")[middle]
    assert rows(place, "wrong_type")[middle][place.value] == {"value": whole[middle][place.value]}
    assert rows(place, f"wrong_type:field={place.time}")[middle][place.time] == {"value": whole[middle][place.time]}


@pytest.mark.parametrize("fault", ["big_id", "hostile_names"])
def test_what_makes_no_sense_in_such_rows_leaves_them_alone(place: Place, fault: str) -> None:
    assert rows(place, fault) == rows(place)


def test_the_first_page_comes_again(place: Place) -> None:
    on = floor(faults=("stalled_page",))
    first = ask(on, LINEAR, place.path, **({"symbol": "BTCUSDT"} | place.asked | {"limit": 2}))
    later = place.asked | {"startTime": ms("2026-11-12"), "limit": 2}
    assert ask(on, LINEAR, place.path, **({"symbol": "BTCUSDT"} | later)) == first


def test_a_fault_in_rows_does_not_count_answers_about_now(place: Place) -> None:
    on = floor(faults=("nan_rows:first=1",))
    for name in ("premiumIndex", "openInterest", "fundingInfo"):
        draft(on, LINEAR, name, symbol="BTCUSDT")
    found = ask(on, LINEAR, place.path, **({"symbol": "BTCUSDT"} | place.asked))
    assert "NaN" in {row[place.value] for row in found}
