"""A host that only fails is left alone, without hurting whoever finds that out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from scripted import CELL, Clock, Script, exchange, reply

from marketcli.datasets import OHLC
from marketcli.errors import CutBody, DeadlineExceeded, ExchangeDown, MarketError, RateLimited, Unreachable
from marketcli.models import Market
from marketcli.net.client import Client
from marketcli.net.transport import Settings
from marketcli.spec import Page, Query

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripted import Bench

GOOD = [(1,), (2,)]


class Day:
    """One client through good and bad times; `answer` may be changed between questions."""

    def __init__(self, answer: Any) -> None:
        self.clock = Clock()
        self.answer = answer
        self.under_way = asyncio.Event()
        self.script = Script(self.answered, self.clock)
        self.client = Client(Settings(), outside=self.clock.outside(), transport=self.script)
        self.exchange = exchange()

    def answered(self, _: str, __: int) -> Any:
        self.under_way.set()
        return self.answer

    async def ask(self) -> Any:
        site = self.exchange.sites["live"]
        try:
            return await self.client.ask(self.exchange, site, CELL, Query(OHLC, Market.SPOT), page=Page(None, 10))
        except MarketError as error:
            return error

    def run(self, work: Callable[[], Any]) -> Any:
        return asyncio.run(work())

    @property
    def sent(self) -> int:
        return len(self.script.sent)


@pytest.mark.parametrize(
    ("answer", "kind", "asked"),
    [
        (reply(503), ExchangeDown, 5),
        (DeadlineExceeded("x.example stopped."), DeadlineExceeded, 5),
        (Unreachable("x.example is gone."), Unreachable, 6),
        (CutBody("x.example broke off."), CutBody, 6),
    ],
)
def test_what_comes_after_fails_at_once_with_the_reason(answer: Any, kind: type[MarketError], asked: int) -> None:
    day = Day(answer)

    async def questions() -> list[Any]:
        return [await day.ask() for _ in range(6)]

    first, *_, last = day.run(questions)
    assert "in a row" not in first.message
    assert type(first) is type(last) is kind
    assert first.message in last.message
    assert f"failed {asked} times in a row, so it is not asked before 2026-11-21 00:00:3" in last.message
    assert last.retry_after is not None
    assert 25 < last.retry_after <= 30
    assert day.sent == asked


def test_after_half_a_minute_one_is_let_through() -> None:
    day = Day(reply(503))

    async def questions() -> list[Any]:
        await day.ask()
        before = day.sent
        day.clock.now += 31
        failed = await asyncio.gather(*(day.ask() for _ in range(4)))
        probes, before = day.sent - before, day.sent
        day.answer = reply()
        held = await day.ask()
        unsent = day.sent - before
        day.clock.now += 31
        return [failed, probes, held, unsent, await day.ask(), *await asyncio.gather(day.ask(), day.ask())]

    failed, probes, held, unsent, *healed = day.run(questions)
    assert (probes, unsent) == (1, 0)
    assert {type(error) for error in [*failed, held]} == {ExchangeDown}
    assert healed == [GOOD, GOOD, GOOD]


def test_a_probe_that_is_called_off_leaves_room_for_another() -> None:
    day = Day(reply(503))

    async def questions() -> Any:
        await day.ask()
        day.clock.now += 31
        day.under_way.clear()
        probe = asyncio.ensure_future(day.ask())
        await day.under_way.wait()
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        day.answer = reply()
        return await day.ask()

    assert day.run(questions) == GOOD


def test_waiting_requests_fail_too(bench: Bench) -> None:
    """Budget for nine at once; the others wait for it when the host is given up."""
    began = bench.clock.now
    found, script, _ = bench.run(lambda *_: reply(503), times=200)
    assert {type(error) for error in found} == {ExchangeDown}
    assert bench.clock.now - began < 61 + 5
    assert len(script.sent) <= 9 + 2  # two were under way


@pytest.mark.parametrize("failing", [1, 5, 9])
def test_failing_for_a_moment_stops_nothing(bench: Bench, failing: int) -> None:
    found, _, _ = bench.run(lambda _, number: reply(503) if number < failing else reply(), times=40)
    assert found == [GOOD] * 40


def test_a_host_that_refuses_is_there() -> None:
    day = Day(reply(503))

    async def questions() -> list[Any]:
        await day.ask()
        day.clock.now += 31
        day.answer = reply(429, b"{}", retry_after="400")
        refused = await day.ask()
        day.clock.now += 400
        day.answer = reply(503)
        return [refused, await day.ask()]

    refused, again = day.run(questions)
    assert type(refused) is RateLimited
    assert "in a row" not in again.message


def test_one_host_left_alone_does_not_stop_another() -> None:
    day = Day(None)
    day.exchange = exchange("https://one.example", "https://two.example")

    async def questions() -> list[Any]:
        day.script.answer = lambda *_: reply(503)
        for _ in range(5):
            await day.ask()
        day.script.answer = lambda base, _: reply(503) if base.endswith("one.example") else reply()
        day.clock.now += 31
        return [await day.ask(), await day.ask()]

    assert day.run(questions) == [GOOD, GOOD]
