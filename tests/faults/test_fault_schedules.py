"""Several faults at once: exit 0 with the truth, or what is missing is said, or an error (reliability.md, goal G3)."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import pytest
from faults.schedules import carried_out, schedule

from marketcli.errors import ExitCode
from marketcli.exchanges import names

if TYPE_CHECKING:
    from faults.bench import Outcome

FIRST = 60  # schedules of every run
ALL = 1_000
FIRST_OF_OTHERS, ALL_OF_OTHERS = 20, 400
OTHERS = [name for name in names() if name != "binance"]


@cache
def once(seed: int) -> tuple[list[Outcome], list[str]]:
    """A schedule carried out, whichever test asks first."""
    return carried_out(schedule(seed))


@pytest.mark.parametrize("seed", range(FIRST))
def test_a_schedule_ends_in_the_truth_or_says_what_it_lacks(seed: int) -> None:
    outcomes, lies = once(seed)
    assert lies == [], schedule(seed)
    assert all(outcome.exit is not ExitCode.BUG for outcome in outcomes), schedule(seed)


def test_schedules_end_in_every_way_there_is() -> None:
    ends = Counter(int(outcome.exit) for seed in range(FIRST) for outcome in once(seed)[0])
    assert set(ends) >= {0, 3, 5, 6, 7, 8}


@pytest.mark.parametrize("exchange", OTHERS)
@pytest.mark.parametrize("seed", range(FIRST_OF_OTHERS))
def test_a_schedule_of_another_exchange_ends_no_worse(exchange: str, seed: int) -> None:
    outcomes, lies = carried_out(schedule(seed, exchange))
    assert lies == [], schedule(seed, exchange)
    assert all(outcome.exit is not ExitCode.BUG for outcome in outcomes), schedule(seed, exchange)


@pytest.mark.soak
@pytest.mark.parametrize("exchange", OTHERS)
def test_hundreds_of_schedules_of_another_exchange_tell_no_lie(exchange: str) -> None:
    plans = [schedule(seed, exchange) for seed in range(FIRST_OF_OTHERS, ALL_OF_OTHERS)]
    assert [f"{plan}: {lie}" for plan in plans for lie in carried_out(plan)[1]] == []


@pytest.mark.soak
def test_a_thousand_schedules_tell_no_lie() -> None:
    ends, found = Counter[int](), list[str]()
    for seed in range(ALL):
        plan = schedule(seed)
        outcomes, lies = carried_out(plan)
        ends.update(int(outcome.exit) for outcome in outcomes)
        found += [f"{plan}: {lie}" for lie in lies]
    print(f"exit codes of {ALL} schedules: {dict(ends)}")
    assert found == []
    assert ExitCode.BUG not in ends
