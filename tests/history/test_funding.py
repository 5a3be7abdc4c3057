"""Settlements against an exchange in memory: every one, the hours it was for, and what is missing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from marketcli import frames
from marketcli.datasets import FUNDING, FUNDING_HISTORY
from marketcli.errors import NotOffered
from marketcli.history.funding import Settlements, settlements
from marketcli.history.snapshot import snapshot
from marketcli.models import DAY, HOUR, Instrument, Market, Window
from marketcli.paging import forward, whole
from marketcli.spec import Endpoint, Page, Query
from marketcli.values import with_funding, with_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.spec import Rows

START = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
BTC = Instrument("x", Market.LINEAR, "BTC-USDT-PERP", "BTCUSDT", "BTC", "USDT", "USDT", listed=START - 900 * DAY)


def get(
    times: list[int],
    window: Window,
    *,
    instrument: Instrument = BTC,
    now: int = START + 90 * DAY,
    spoil: Callable[[Rows, int], Rows] = lambda rows, _: rows,
    limit: int = 7,
) -> Settlements:
    endpoint = Endpoint(
        FUNDING_HISTORY, "/x", lambda *_: {}, lambda *_: [], ("time", "rate", "mark"), forward, limit, ""
    )
    asked: list[Page] = []

    async def ask(endpoint: Endpoint, query: Query, page: Page) -> Rows:
        del endpoint, query
        asked.append(page)
        assert page.window is not None
        rows: Rows = [(time, 0.0001, None) for time in times if time in page.window]
        return spoil(rows[: page.limit], len(asked))

    return asyncio.run(settlements(ask, endpoint, instrument, window=window, now=lambda: now, progress=lambda _: None))


def every(hours: int, start: int, end: int) -> list[int]:
    return list(range(start, end, hours * HOUR))


def test_all_settlements_with_the_hours_each_was_for() -> None:
    times = every(8, START - 5 * DAY, START + 10 * DAY)
    came = get(times, Window(START, START + 10 * DAY))
    assert frames.opens(came.frame) == every(8, START, START + 10 * DAY)
    assert set(came.frame["interval_h"]) == {8.0}
    assert came.frame["apr"][0] == pytest.approx(0.0001 * 3 * 365)
    assert came.gaps == ()


def test_a_symbol_that_changed_its_interval_is_right() -> None:
    changed, again = START + 2 * DAY, START + 4 * DAY
    times = [*every(8, START - DAY, changed), *every(4, changed, again), *every(1, again, START + 5 * DAY)]
    came = get(times, Window(START, START + 5 * DAY))
    hours = dict(zip(frames.opens(came.frame), came.frame["interval_h"], strict=True))
    assert (hours[START], hours[changed], hours[changed + 4 * HOUR], hours[again + HOUR]) == (8.0, 8.0, 4.0, 1.0)
    assert came.gaps == ()
    aprs = dict(zip(frames.opens(came.frame), came.frame["apr"], strict=True))
    assert aprs[again + HOUR] == pytest.approx(8 * aprs[START])


def test_a_missing_settlement_is_asked_for_twice_and_told() -> None:
    times = [time for time in every(8, START - DAY, START + 5 * DAY) if time != START + 2 * DAY]
    came = get(times, Window(START, START + 5 * DAY))
    (gap,) = came.gaps
    assert START + 2 * DAY in gap.window
    assert (gap.missing, gap.cause) == (1, "absent")
    assert came.frame.height == 14
    assert set(came.frame["interval_h"]) == {8.0}  # the one after the gap counts from its other neighbour


def test_a_page_that_lost_rows_is_mended() -> None:
    times = every(8, START - DAY, START + 5 * DAY)
    came = get(
        times, Window(START, START + 5 * DAY), limit=100, spoil=lambda rows, n: rows[:3] + rows[6:] if n == 1 else rows
    )
    assert came.gaps == ()
    assert came.frame.height == 15


def hourly(missing: set[int], first: int = START - 3 * DAY, last: int = START + 5 * DAY) -> list[int]:
    return [time for time in every(1, first, last) if time not in missing]


@pytest.mark.parametrize("place", [0, 1, 30, 118, 119])
@pytest.mark.parametrize("length", [1, 2])
def test_hours_that_are_missing_are_told_wherever_they_lie(place: int, length: int) -> None:
    window = Window(START, START + 5 * DAY)
    missing = {START + (place + more) * HOUR for more in range(length)}
    came = get(hourly(missing, last=START + 9 * DAY), window, limit=500)
    (gap,) = came.gaps
    inside = {time for time in missing if time in window}
    assert (gap.missing, str(gap.interval)) == (len(inside), "1h")
    assert all(time in gap.window for time in inside)
    assert came.frame.height + len(inside) == 120
    assert set(came.frame["interval_h"]) == {1.0}


def test_every_seventh_hour_missing_is_noticed_and_mended() -> None:
    whole = hourly(set(), last=START + 9 * DAY)
    window = Window(START, START + 5 * DAY)
    came = get(whole, window, limit=500, spoil=lambda rows, n: [r for i, r in enumerate(rows) if n > 1 or i % 7])
    assert (came.gaps, came.frame.height) == ((), 120)


def test_a_change_of_interval_is_no_gap() -> None:
    for first, then in ((8, 4), (4, 8), (8, 1), (1, 8), (1, 4), (4, 1)):
        change = START + 2 * DAY
        times = [*every(first, START - 2 * DAY, change), *every(then, change, START + 8 * DAY)]
        came = get(times, Window(START, START + 5 * DAY), limit=500)
        assert came.gaps == (), (first, then)
        assert came.frame["interval_h"].to_list()[-1] == then


def test_the_future_and_the_time_before_the_listing_are_not_missing() -> None:
    listed = START + 3 * DAY
    came = get(
        every(8, listed + 8 * HOUR, START + 20 * DAY),
        Window(START, START + 40 * DAY),
        instrument=replace(BTC, listed=listed),
        now=START + 20 * DAY,
    )
    assert came.gaps == ()
    assert came.frame["interval_h"][0] == 8.0


def test_silence_up_to_now_is_missing() -> None:
    came = get(every(8, START, START + 5 * DAY), Window(START, START + 9 * DAY), now=START + 9 * DAY)
    assert [gap.window.end for gap in came.gaps] == [START + 9 * DAY - 300_000_000]


def joined(native: str) -> dict[str, object]:
    columns = ("native", "rate", "mark", "index")
    terms = Endpoint(FUNDING, "/t", lambda *_: {}, lambda *_: [], ("native", "interval_h"), whole, 1, "")
    endpoint = Endpoint(
        FUNDING, "/x", lambda *_: {}, lambda *_: [], columns, whole, 1, "", joins=(terms,), fill={"interval_h": 8.0}
    )
    answers: dict[str, Rows] = {
        "/x": [("BTCUSDT", 0.0001, 101.0, 100.0), ("SOLUSDT", -0.0002, 10.0, 0.0)],
        "/t": [("SOLUSDT", 4.0)],
    }

    async def ask(endpoint: Endpoint, query: Query, page: Page) -> Rows:
        del query, page
        return answers[endpoint.path]

    query = Query(FUNDING, Market.LINEAR, BTC)
    return asyncio.run(snapshot(ask, endpoint, query, instrument=replace(BTC, native=native), now=lambda: 0))


def test_answers_are_joined_by_name_and_filled_by_default() -> None:
    btc, sol = with_funding(joined("BTCUSDT")), with_funding(joined("SOLUSDT"))
    assert (btc["interval_h"], btc["apr"], btc["basis"]) == (8.0, pytest.approx(0.1095), pytest.approx(0.01))
    assert (sol["interval_h"], sol["apr"], sol["basis"]) == (4.0, pytest.approx(-0.438), None)
    with pytest.raises(NotOffered, match="says nothing"):
        joined("NOSUCH")


def test_open_interest_is_told_in_all_units() -> None:
    inverse = replace(BTC, market=Market.INVERSE, inverse=True, contract_size=100.0)
    assert with_value({"oi_contracts": 1_000.0, "mark": 50_000.0}, inverse) == {
        "oi_contracts": 1_000.0, "mark": 50_000.0, "oi_quote": 100_000.0, "oi_base": 2.0,
    }  # fmt: skip
    assert with_value({"oi_base": 3.0, "mark": 50_000.0}, BTC)["oi_quote"] == 150_000.0
    assert with_value({"oi_base": 3.0, "mark": None}, BTC)["oi_quote"] is None
