from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from virtual_time import START, Hours, Stuck, run

from marketcli.models import DAY, MILLISECOND, SECOND

if TYPE_CHECKING:
    from collections.abc import Awaitable


def test_a_day_of_sleep_takes_no_time_and_all_clocks_agree() -> None:
    async def main(hours: Hours) -> None:
        outside = hours.outside()
        before = outside.monotonic()
        await outside.sleep(86_400)
        assert outside.monotonic() - before == 86_400
        assert hours.micros() == START + DAY
        assert outside.wall() == (START + DAY) / SECOND

    began = time.perf_counter()
    run(main)
    assert time.perf_counter() - began < 2


def test_sleepers_wake_in_the_order_of_their_time() -> None:
    woken: list[tuple[str, int]] = []

    async def sleeper(name: str, seconds: float, hours: Hours) -> None:
        await asyncio.sleep(seconds)
        woken.append((name, (hours.micros() - START) // MILLISECOND))

    async def main(hours: Hours) -> None:
        rest = [("long", 3.0), ("middle", 1.5), ("short", 0.001)]
        await asyncio.gather(*(sleeper(name, seconds, hours) for name, seconds in rest))

    run(main)
    assert woken == [("short", 1), ("middle", 1_500), ("long", 3_000)]


def test_deadlines_strike_when_they_should() -> None:
    async def main(hours: Hours) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 10)
        assert hours.passed() == 10
        async with asyncio.timeout(5):
            await asyncio.sleep(4.999)
        assert hours.passed() == 14.999

    run(main)


def test_what_can_never_happen_is_an_error_that_names_who_waits() -> None:
    async def waits_for_ever(_: Hours) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck, match=r"Nothing is left to wait for(.|\n)*waits_for_ever"):
        run(waits_for_ever)


def test_what_never_ends_is_an_error_too() -> None:
    async def turns(_: Hours) -> None:
        while True:  # noqa: ASYNC110 - there is nothing to wait for
            await asyncio.sleep(0)

    async def lasts(_: Hours) -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(60)

    with pytest.raises(Stuck, match="No time passes any more"):
        run(turns)
    with pytest.raises(Stuck, match="not over after 3600 seconds"):
        run(lasts, at_most=3_600)


def test_work_for_a_thread_is_done_at_once_and_its_errors_arrive() -> None:
    def fails() -> None:
        raise ValueError("no")

    async def main(hours: Hours) -> None:
        assert await asyncio.to_thread(sum, [1, 2, 3]) == 6
        with pytest.raises(ValueError, match="no"):
            await asyncio.to_thread(fails)
        assert hours.passed() == 0

    run(main)


def test_chance_is_the_same_for_the_same_seed() -> None:
    async def drawn(hours: Hours) -> list[float]:
        return [hours.outside().random() for _ in range(3)]

    assert run(drawn) == run(drawn)
    assert run(drawn) != run(drawn, seed=8)


def test_an_error_of_the_program_comes_out_and_tasks_left_over_are_ended() -> None:
    ended: list[str] = []

    async def forgotten() -> None:
        try:
            await asyncio.sleep(1_000)
        finally:
            ended.append("forgotten")

    async def main(_: Hours) -> None:
        task = asyncio.create_task(forgotten())
        await asyncio.sleep(1)
        del task
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        run(main)
    assert ended == ["forgotten"]


def test_a_wall_clock_that_is_set_moves_no_other() -> None:
    async def main(hours: Hours) -> None:
        wait: Awaitable[None] = hours.outside().sleep(1)
        hours.ahead = -600
        await wait
        assert hours.wall() == START / SECOND - 599
        assert hours.micros() == START + SECOND

    run(main)
