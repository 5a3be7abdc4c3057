"""What the faults of rows, clocks and names do to the answers of each exchange, in its own form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from exchanges.contract import HOURLY, NOW, Cell, Played, asked, cells, instrument, played
from faults.test_single_faults import about

from marketcli.datasets import INSTRUMENTS, OHLC, Cadence
from marketcli.errors import DecodeError
from marketcli.exchanges import load, names
from marketcli.models import DAY, HOUR, MILLISECOND, Market, Window
from marketcli.sandbox.rows import FAR, HOSTILE
from marketcli.spec import Page, Query

if TYPE_CHECKING:
    from marketcli.sandbox.draft import Draft

GRIDS = [cell for cell in cells() if cell.endpoint.dataset.cadence is Cadence.GRID]
HOURS = 12
START = HOURLY.floor(NOW - DAY)
WINDOW = Window(START, START + HOURS * HOUR)
EVERY = pytest.mark.parametrize("exchange", names())
LISTS = pytest.mark.parametrize(
    "cell", [cell for cell in cells() if cell.endpoint.dataset is INSTRUMENTS and not cell.role], ids=str
)


def candles(exchange: str, *faults: str) -> Draft:
    """Twelve hours of Bitcoin as an exchange writes them."""
    at, market = load(exchange), Market.LINEAR
    endpoint = at.endpoint(OHLC, market)
    assert endpoint is not None
    query = Query(OHLC, market, instrument(exchange, market), HOURLY, WINDOW)
    return Played(*faults).answer(at, endpoint, query, page=Page(WINDOW, HOURS))


def times(draft: Draft) -> list[int]:
    """The times of its rows, as they stand there."""
    return [int(row[draft.place_of_time(row)]) for row in draft.rows(draft.document())]


@pytest.mark.parametrize("cell", GRIDS, ids=str)
def test_the_window_asked_for_is_understood(cell: Cell) -> None:
    query = asked(cell)
    (page,) = cell.pages(query)
    found, meant = played().answer(cell.exchange, cell.endpoint, query, page=page).window, page.window
    assert found is not None
    assert meant is not None
    assert found.start == meant.start
    assert 0 <= meant.end - found.end < MILLISECOND


@EVERY
def test_times_in_another_unit_stay_of_their_kind(exchange: str) -> None:
    right = candles(exchange)
    wrong = candles(exchange, "wrong_time_unit:unit=us").document()
    first, other = right.rows(right.document())[0], rows_below(wrong)[0]
    place = right.place_of_time(first)
    assert len(times(right)) == HOURS
    assert type(other[place]) is type(first[place])
    assert int(other[place]) == 1_000 * int(first[place])


def rows_below(document: Any) -> list[Any]:
    """The longest list in a document."""
    if isinstance(document, list):
        return document
    inner = document.values() if isinstance(document, dict) else ()
    return max(map(rows_below, inner), key=len, default=[])


@EVERY
def test_rows_from_outside_surround_the_right_ones_in_their_order(exchange: str) -> None:
    right, found = times(candles(exchange)), times(candles(exchange, "rows_out_of_window"))
    assert found[FAR:-FAR] == right
    outside = [time * MILLISECOND for time in (*found[:FAR], *found[-FAR:])]
    assert not any(time in WINDOW for time in outside)
    assert found == sorted(found, reverse=right != sorted(right))


@EVERY
def test_nothing_comes_in_the_form_of_the_exchange(exchange: str) -> None:
    right, empty = candles(exchange), candles(exchange, "empty_200")
    assert type(empty.document()) is type(right.document())
    endpoint = load(exchange).endpoint(OHLC, Market.LINEAR)
    assert endpoint is not None
    assert endpoint.decode(empty.body, Query(OHLC, Market.LINEAR, None, HOURLY, WINDOW)) == []


@EVERY
def test_a_fault_may_name_its_exchange(exchange: str) -> None:
    fault = f"delay:ms=200,exchange={exchange}"
    assert {name: candles(name, fault).delay for name in names()} == {
        name: 0.2 * (name == exchange) for name in names()
    }


@EVERY
def test_a_fault_may_name_what_a_request_is_about(exchange: str) -> None:
    assert candles(exchange, f"delay:ms=200,path={about(exchange)}").delay == 0.2
    assert candles(exchange, "delay:ms=200,path=nothing").delay == 0


def test_a_wrong_clock_shows_in_the_envelope_too() -> None:
    right, wrong = candles("bybit").document(), candles("bybit", "clock_skew:seconds=90").document()
    assert wrong.pop("time") - right.pop("time") == 90_000
    assert wrong == right


def test_a_wrong_clock_shows_in_all_units() -> None:
    def told(*faults: str) -> dict[str, str]:
        draft = Played(*faults).floor.answer("GET", "api.bybit.com", path="/v5/market/time", query="")
        result: dict[str, str] = draft.document()["result"]
        return result

    right, wrong = told(), told("clock_skew:seconds=90")
    assert int(wrong["timeSecond"]) - int(right["timeSecond"]) == 90
    assert int(wrong["timeNano"]) - int(right["timeNano"]) == 90 * 10**9


@LISTS
def test_hostile_names_come_in_every_list_and_replace_nothing(cell: Cell) -> None:
    query = Query(INSTRUMENTS, cell.market)
    (page, *_) = cell.pages(query)
    right, wrong = (
        Played(*faults).answer(cell.exchange, cell.endpoint, query, page=page) for faults in ((), ("hostile_names",))
    )
    things = wrong.things(wrong.document())
    assert len(things) >= len(right.things(right.document())) + len(HOSTILE)
    try:
        rows = cell.endpoint.decode(wrong.body, query)
    except DecodeError:
        return
    assert set(cell.endpoint.decode(right.body, query)) <= set(rows)
