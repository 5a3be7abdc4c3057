"""Full numbers over real sockets: G8, and an hour of the sandbox with drops against its truth (`pytest -m soak`)."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from faults.streams import MINUTE, NAMES, Process, processes, resident, rest
from live.nemesis import Day, pushed

from marketcli.api.session import Session
from marketcli.config import Config
from marketcli.exchanges import load
from marketcli.models import SECOND, Market, Window
from marketcli.sandbox.server import Sandbox
from marketcli.windows import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faults.streams import Done
    from inside_feeds import Place

    from marketcli.models import Instrument, Micros

pytestmark = pytest.mark.soak
BENCH = str(Path(__file__).parents[1] / "bench" / "stream_server.py")
RATE, SECONDS = 20_000, 60
# What Hyperliquid sends does not say when it was sent, and the program's own clock does not run thirty times as fast.
LISTED = NAMES[:3]
SPEED, DROPS, LENGTH = 30, 25, 120.0  # an hour


def test_g8_nobody_reads_for_a_minute(tmp_path: Path) -> None:
    """G8, W11: memory grows by 32 MiB at most, and what was thrown away is told."""
    with Sandbox(limits=False) as to, processes() as started:
        serve = [sys.executable, BENCH, "trades", str(RATE * 100), "--rate", str(RATE), "--rest", to.url]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            ours, theirs = os.pipe()
            words = ("trades", "BTCUSDT", "--for", f"{SECONDS + 10}s")
            one = Process(server.stdout.readline().strip(), *words, folder=tmp_path, stdout=theirs)
            started.append(one)
            os.close(theirs)
            rest(6)  # by then it has begun, and its reader is what it waits for
            before = resident(one.process.pid)
            rest(SECONDS)
            most = resident(one.process.pid)
            with os.fdopen(ours) as pipe:
                rows = [json.loads(line) for line in pipe]
            done = one.done()
            server.terminate()
    lost = sum(row["rows"] for row in rows if row.get("type") == "gap")
    ids = [int(row["id"]) for row in rows if "type" not in row]
    print(
        f"\nG8: {before:.1f} MiB, {most - before:+.1f} MiB; {ids[-1] - ids[0] + 1:,} trades, {lost:,} told as dropped"
    )
    print(done.err)
    assert most - before <= 32
    assert len(ids) + lost == ids[-1] - ids[0] + 1
    assert done.code == 0


async def instruments(url: str) -> dict[str, Instrument]:
    """What is watched, as the program knows it."""
    async with Session(Config.model_validate({"via": url})) as session:
        return {name: await session.catalog(load(name)).resolve("ADA", Market.LINEAR) for name in LISTED}


def at(text: str) -> Micros:
    """A time of a line."""
    return parse_time(text, now=0)


def dark(rows: list[dict[str, Any]], name: str) -> list[Window]:
    """The stretches of an exchange that were told and not filled."""
    gaps = [row for row in rows if row.get("type") == "gap" and row["exchange"] == name and not row["repaired"]]
    return [Window(at(row["from"]), at(row["to"])) for row in gaps]


def lost_and_extra(truth: Counter[Any], came: Counter[Any], told: list[Window]) -> tuple[list[Any], list[Any]]:
    """What neither came nor lies in a stretch that was told, and what came and never was."""
    lost = [row for row in truth - came if not any(row[0] in window for window in told)]
    return lost, list(came - truth)


def wrong_of(what: str, truth: Counter[Any], came: Counter[Any], told: list[Window], *, span: Window) -> list[str]:
    """What is wrong inside a span, after the figures were printed."""
    lost, extra = lost_and_extra(truth, came, told)
    lost, extra = [row for row in lost if row[0] in span], [row for row in extra if row[0] in span]
    print(
        f"{what}: {truth.total()} true, {came.total()} came, {len(lost)} lost, {len(extra)} too many,",
        f"{sum((one.end - one.start) / SECOND for one in told):.0f} s told",
    )
    return [f"{what} lost {row}" for row in lost] + [f"{what} too many {row}" for row in extra]


def compared(to: Sandbox, known: Mapping[str, Instrument], done: Mapping[str, Done], span: Window) -> list[str]:
    """What is wrong about what came from all exchanges."""
    world, wrong = to.world, list[str]()
    minutes = Window(MINUTE.ceil(span.start), MINUTE.floor(span.end))
    inner = Window(span.start + 60 * SECOND, span.end - 60 * SECOND)
    for name in LISTED:
        simulator = to.floor.simulators[name]
        listed = simulator.listings(world, Market.LINEAR)
        listing = next(one for one in listed if simulator.native(one) == known[name].native)
        rows = {kind: [row for row in one.of(None) if row["exchange"] == name] for kind, one in done.items()}
        told = {kind: dark(one.rows, name) for kind, one in done.items()}
        truth: Counter[Any] = Counter((one.time, one.price) for one in world.trades(listing, span))
        came: Counter[Any] = Counter((at(row["time"]), row["price"]) for row in rows["trades"])
        wrong += wrong_of(f"{name} trades", truth, came, told["trades"], span=inner)
        candles = world.candles(listing, MINUTE, minutes)
        truth = Counter([(one.time, one.open, one.close) for one in candles])
        came = Counter([(at(row["time"]), row["open"], row["close"]) for row in rows["ohlc"] if row["closed"]])
        wrong += wrong_of(f"{name} candles", truth, came, told["ohlc"], span=inner)
        day = Day(cast("Place", SimpleNamespace(floor=to.floor)), span)
        day.instruments[name] = known[name]
        came = Counter([(at(row["time"]), row["liquidated"], row["price"]) for row in rows["liquidations"]])
        wrong += wrong_of(f"{name} liquidations", pushed(day, name), came, told["liquidations"], span=inner)
    return wrong


def test_an_hour_with_drops_is_the_truth(tmp_path: Path) -> None:
    """The cross-check over real sockets: trades, closed candles and liquidations of one instrument on each exchange."""
    chance = Random(7)
    watches = {"trades": ("trades", "ADA"), "ohlc": ("ohlc", "ADA", "1m"), "liquidations": ("liquidations", "ADA")}
    with Sandbox(limits=False, speed=SPEED) as to, processes() as started:
        known = asyncio.run(instruments(to.url))
        for name, words in watches.items():
            (tmp_path / name).mkdir()
            more = ("-m", "linear", "-e", ",".join(LISTED))
            started.append(Process(to.url, *words, *more, "--for", f"{LENGTH + 8:g}s", folder=tmp_path / name))
        rest(6)
        begun = to.world.now()
        for _ in range(DROPS):
            rest(chance.uniform(0.5, 1.5) * (LENGTH - 10) / DROPS - 0.3)
            who, mode = chance.choice(LISTED), chance.choice(("close", "fin", "reset"))
            to.floor.set_faults([f"ws_drop:frames=1,mode={mode},exchange={who}"])
            rest(0.3)
            to.floor.set_faults([])
        ended = to.world.now() - 120 * SECOND
        done = {name: one.done(60) for name, one in zip(watches, started, strict=True)}
        lost = sum(one.err.count(" lost: ") for one in done.values())
        print(f"\n{DROPS} drops, {lost} connections lost, {(ended - begun) / SECOND / 60:.0f} minutes compared")
        wrong = compared(to, known, done, Window(begun, ended))
    assert wrong == []
    assert all(one.code == 0 for one in done.values())
