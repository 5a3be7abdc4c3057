"""The arithmetic of a budget: whatever happens, the exchange never sees more than nine tenths in a window."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import ALIEN, WALL

from marketcli.net.account import Account, Key, Moment
from marketcli.net.shared import decoded, fresh
from marketcli.spec import Budget

KEY = Key("", "x", "live", "weight")
LIMIT, WINDOW, SHARE = 100, 60.0, 90
BUDGET = Budget("weight", limit=LIMIT, seconds=WINDOW)


def account(now: float = 0.0) -> Account:
    found = fresh(KEY, BUDGET)
    found.carry(at(now))
    return found


def at(now: float, *, ahead: float = 0.0, boot: str = "one") -> Moment:
    return Moment(WALL + now + ahead, now, boot)


Request = st.tuples(st.floats(0, 20), st.integers(1, 40), st.floats(0, 30), st.floats(0, 1))


@given(st.lists(Request, max_size=60))
def test_no_window_of_the_exchange_holds_more_than_the_share(requests: list[tuple[float, int, float, float]]) -> None:
    """A request is counted by the exchange at some moment between sending and answer, however long that takes."""
    ours, now, counted = account(), 0.0, list[tuple[float, int]]()
    under_way: list[tuple[float, int, float]] = []  # answered at, units, sent at
    for gap, units, latency, fraction in requests:
        now += gap
        while True:
            while under_way and under_way[0][0] <= now:
                answered, paid, sent = heapq.heappop(under_way)
                ours.carry(at(answered))
                ours.move(paid, sent, now=answered)
            ours.carry(at(now))
            if (wait := ours.wait(units, now)) <= 0:
                break
            now += min(wait, under_way[0][0] - now + 1e-6 if under_way else wait)
        ours.spend(units, now)
        counted.append((now + latency * fraction, units))
        heapq.heappush(under_way, (now + latency, units, now))
    for start, _ in counted:
        assert sum(units for when, units in counted if start <= when < start + WINDOW) <= SHARE


def test_all_of_the_share_may_be_spent_at_once_and_comes_back_after_the_window() -> None:
    ours = account()
    ours.spend(SHARE - 1, 0.0)
    ours.spend(1, 0.9)  # counted with what was spent since 0
    ours.carry(at(60.5))
    assert ours.used == SHARE
    wait = 60.5 + ours.wait(1, 60.5)
    assert WINDOW <= wait <= WINDOW + 1.01
    ours.carry(at(wait + 0.01))
    assert (ours.used, ours.wait(SHARE, wait + 0.01)) == (0, 0.0)


def test_a_request_that_weighs_more_than_the_share_waits_for_an_empty_window() -> None:
    ours = account()
    assert ours.wait(LIMIT, 0.0) == 0.0
    ours.spend(1, 0.0)
    assert ours.wait(LIMIT, 0.0) >= WINDOW


def test_the_exchange_s_count_is_believed_if_it_is_higher() -> None:
    ours = account()
    ours.spend(10, 0.0)
    ours.observe(85, 0.0)
    assert ours.used == 85
    ours.observe(30, 0.0)
    assert ours.used == 85


def test_a_clock_that_is_set_changes_nothing_within_a_boot() -> None:
    ours = account()
    ours.spend(SHARE, 0.0)
    ours.hold(120.0, "banned", now=0.0)
    ours.carry(at(30.0, ahead=86_400))
    assert ours.used == SHARE
    assert ours.wait(1, 30.0) == pytest.approx(90.0)


@pytest.mark.parametrize("boot", ["two", ""])
def test_another_boot_is_told_by_the_wall_clock(boot: str) -> None:
    """Monotonic time began anew; without names of boots the jump between the clocks shows it."""
    ours = account(50_000.0)
    ours.boot = "" if not boot else ours.boot
    ours.spend(SHARE, 50_000.0)
    ours.hold(300.0, "banned", now=50_000.0)
    ours.carry(at(5.0, ahead=50_030.0 - 5.0, boot=boot))  # 30 s later by the wall clock
    assert ours.used == SHARE
    assert ours.banned(5.0)
    assert ours.wait(1, 5.0) == pytest.approx(270.0)
    ours.carry(at(76.0, ahead=50_030.0 - 5.0, boot=boot))
    assert ours.used == 0


@pytest.mark.parametrize("back", [3_600.0, 40 * 365 * 86_400.0])
def test_a_wall_clock_set_back_at_boot_lengthens_no_ban(back: float) -> None:
    ours = account(50_000.0)
    ours.spend(SHARE, 50_000.0)
    ours.hold(300.0, "banned", now=50_000.0)
    ours.carry(at(5.0, ahead=-back, boot="two"))
    assert ours.wait(1, 5.0) == pytest.approx(300.0)
    assert max(when for when, _ in ours.spent) <= 5.0


def test_a_lesser_refusal_after_a_ban_neither_ends_nor_hides_it() -> None:
    ours = account()
    ours.hold(120.0, "banned", now=0.0)
    ours.hold(1.0, "", now=0.5)
    assert (ours.ban, ours.wait(1, 0.5)) == ("banned", 119.5)
    ours.hold(1.0, "", now=121.0)
    assert (ours.ban, ours.banned(121.5)) == ("", False)


@pytest.mark.parametrize("text", ALIEN)
def test_what_is_no_account_is_none(text: bytes) -> None:
    assert decoded(text) is None


@given(st.binary(max_size=200))
def test_no_bytes_are_an_error(text: bytes) -> None:
    assert decoded(text) is None
