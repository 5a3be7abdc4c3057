"""Fifty connections and an exchange that goes away: never a storm, and nobody sleeps through its return."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from scripted_streams import Bench as Toy
from scripted_streams import channel, socket
from virtual_time import Hours, run

from marketcli.datasets import LIQUIDATIONS, TICKER
from marketcli.errors import ExchangeDown, MarketError
from marketcli.models import Instrument, Market

SLOW, NARROW = channel(TICKER, cadence=60.0), socket(topics=2)
COINS = tuple(
    Instrument("toy", Market.LINEAR, f"C{place}-USDT-PERP", f"C{place}USDT", f"C{place}", "USDT", "USDT")
    for place in range(50)
)


@pytest.mark.parametrize("seed", range(3))
def test_fifty_connections_come_back_without_a_storm(seed: int) -> None:
    async def main(hours: Hours) -> list[float]:
        bench = Toy(
            hours.outside(), hours.micros, channel(TICKER, cadence=60.0), instruments=COINS, at=socket(topics=2)
        )
        away, opened = False, list[float]()

        async def dial(_: object) -> object:
            opened.append(hours.passed())
            if away:
                raise ExchangeDown("away")
            return await plain_dial(_)  # type: ignore[arg-type]

        plain_dial = bench.dial
        for feed in bench.merged.feeds:
            feed.doorway.dial = dial  # type: ignore[assignment]
        async with bench.merged:
            pumping = asyncio.ensure_future(bench.pump())
            await asyncio.sleep(60)
            assert len(bench.lines) == 50
            for line in bench.lines:
                line.data(line.heard[0]["topics"][0], (hours.micros(), 1.0, 1.0, 1.0))
            await asyncio.sleep(1)
            opened.clear()
            away, before = True, list(bench.lines)
            for line in before:
                line.drop()
            await asyncio.sleep(600)
            away, returned = False, hours.passed()
            await asyncio.sleep(35)
            assert len(bench.lines) == 100
            assert max(opened) - returned <= 35
            pumping.cancel()
        return opened

    opened = run(main, seed=seed)
    assert max(sum(start <= one < start + 300 for one in opened) for start in opened) <= 300
    seconds = Counter(int(one) for one in opened)
    assert max(seconds.values()) <= 10  # a fifth of them


def test_a_dead_exchange_is_asked_by_one_connection_at_a_time() -> None:
    async def main(hours: Hours) -> int:
        bench = Toy(
            hours.outside(), hours.micros, channel(TICKER, cadence=60.0), instruments=COINS, at=socket(topics=2)
        )
        errors: list[MarketError] = [ExchangeDown("away") for _ in range(10_000)]
        bench.refusals = errors
        async with bench.merged:
            pumping = asyncio.ensure_future(bench.pump())
            await asyncio.sleep(600)
            pumping.cancel()
        return len(bench.opened)

    assert 15 <= run(main) <= 120


def test_liquidations_of_a_market_need_one_connection() -> None:
    async def main(hours: Hours) -> int:
        bench = Toy(
            hours.outside(),
            hours.micros,
            channel(LIQUIDATIONS),
            instruments=COINS,
            everything=True,
            at=socket(topics=2),
        )
        async with bench.merged:
            await asyncio.sleep(1)
        return len(bench.lines)

    assert run(main) == 1
