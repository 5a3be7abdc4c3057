"""Streams that break, all day: trades and closed candles are the world's, liquidations come or are told as not seen."""

from __future__ import annotations

import pytest
from live.nemesis import NAMES, Day, day_of, losses, told, wrong_candles, wrong_liquidations, wrong_trades
from virtual_time import Hours, run

from marketcli.live.events import Cause


def play(*, faults: int, seconds: float, seed: int, pace: float = 1.0) -> Day:
    """A day on a clock that jumps."""

    async def main(hours: Hours) -> Day:
        return await day_of(hours, faults=faults, seconds=seconds, seed=seed, pace=pace)

    return run(main, seed=seed)


def check(day: Day) -> None:
    """Nothing is lost, doubled or changed in silence, and no more is told as not seen than was."""
    wrong: dict[str, object] = {}
    for name in NAMES:
        wrong[f"trades of {name}"] = wrong_trades(day, name)
        wrong[f"candles of {name}"] = wrong_candles(day, name)
        if name != "hyperliquid":
            wrong[f"liquidations of {name}"] = wrong_liquidations(day, name)
            away, still = told(day, name, Cause.DISCONNECTED), told(day, name, Cause.SILENT)
            wrong[f"away times of {name}"] = max(0.0, away - day.outage(name) - 2 * day.drops(name))
            wrong[f"silent times of {name}"] = max(0.0, still - day.stalls[name] - 2 * day.kinds["stall"])
    assert {what: found for what, found in wrong.items() if found} == {}


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_minutes_with_breaks(seed: int) -> None:
    check(play(faults=6, seconds=600.0, seed=seed, pace=0.5))


@pytest.mark.soak
def test_a_day_with_five_hundred_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    # States come half as often as they do, which halves the work; Binance still shows life twice a second.
    day = play(faults=500, seconds=86_400.0, seed=3, pace=0.5)
    check(day)
    with capsys.disabled():
        print(
            f"\n{dict(day.kinds)}, losses {losses(day)}, "
            + ", ".join(f"{name}: {len(day.records('Trade', name)):,} trades" for name in NAMES)
        )
