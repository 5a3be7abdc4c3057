"""W3 to W7, W12 and W14: connections that end, frames that are missing, double, swapped or unreadable."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from faults.streams import NAMES, SETTLED, Seen, endured, met, watching
from live.nemesis import wrong_candles, wrong_liquidations, wrong_trades
from virtual_time import START, Hours

from marketcli.api.live import Watch
from marketcli.datasets import LIQUIDATIONS, OHLC, TICKER, TRADES, Dataset
from marketcli.exchanges import load
from marketcli.live.events import Cause, State, Status
from marketcli.models import SECOND, Market
from marketcli.sandbox.options import COMMON
from marketcli.sandbox.spoiling import GARBAGE
from marketcli.sandbox.stream_faults import StreamFault, StreamKind

if TYPE_CHECKING:
    from marketcli.sandbox.parcels import Parcel

EVERYWHERE = [(name, dataset) for name in NAMES for dataset in (TRADES, OHLC, LIQUIDATIONS)]
EVERYWHERE.remove(("hyperliquid", LIQUIDATIONS))
MODES = ("close", "fin", "reset")
OF = {TRADES: wrong_trades, OHLC: wrong_candles, LIQUIDATIONS: wrong_liquidations}


def wrong(seen: Seen, name: str, dataset: Dataset) -> list[str]:
    """What is wrong about what came, beside what was told."""
    return OF[dataset](seen.day, name)


def told_beyond_outage(seen: Seen, name: str) -> float:
    """Seconds of liquidations that were told as dark, over those in which nobody was served."""
    dark = sum((one.window.end - one.window.start) / SECOND for one in seen.day.blind(LIQUIDATIONS, name))
    return dark - seen.day.outage(name)


# W3: connections that end


@pytest.mark.parametrize(
    ("name", "dataset", "mode"),
    [(*one, MODES[place % 3]) for place, one in enumerate(EVERYWHERE)],
    ids=lambda one: getattr(one, "name", one),
)
def test_w3_a_drop_costs_nothing_or_is_told(name: str, dataset: Dataset, mode: str) -> None:
    """W3: said goodbye to, ended without a word, reset: the truth, or a stretch that was told."""
    seen = endured(name, dataset, f"ws_drop:frames=1,mode={mode}", lasting=1.0)
    assert seen.when(State.LOST)
    assert 0 < seen.vitals.reconnects <= len(seen.when(State.LOST))
    assert wrong(seen, name, dataset) == []
    assert seen.gaps
    if dataset is LIQUIDATIONS:
        assert told_beyond_outage(seen, name) <= 2 * seen.vitals.reconnects
    else:
        assert all(gap.repaired for gap in seen.gaps) or name == "hyperliquid"


def test_w3_tries_come_ever_more_seldom_and_start_over_after_data() -> None:
    """W3: half a second to half a minute, with jitter; an exchange that accepts and says nothing does not reset it."""

    async def script(_: Hours, floor: Any) -> None:
        await asyncio.sleep(SETTLED)
        floor.set_faults(["ws_drop:frames=1,mode=reset,first=1", "ws_refuse:status=503"])
        await asyncio.sleep(600)
        floor.set_faults([])
        await asyncio.sleep(60)
        floor.set_faults(["ws_drop:frames=1,mode=fin"])
        await asyncio.sleep(0.5)
        floor.set_faults([])

    seen = met("binance", watching("binance", TRADES), seconds=900, script=script)
    tries = [one for one in seen.when(State.CONNECTING) if SETTLED < one < SETTLED + 602]
    rests = [later - earlier for earlier, later in pairwise(tries)]
    assert max(rests) <= 30.2
    assert sum(rests[:3]) < 6
    assert min(rests[-5:]) != pytest.approx(max(rests[-5:]), rel=0.05)  # jitter
    assert len(tries) < 80
    again = next(one for one in seen.when(State.LOST) if one > SETTLED + 650)
    back = min(one for one in seen.when(State.LIVE) if one > again)
    assert back - again < 2.5
    assert wrong_trades(seen.day, "binance") == []


def test_w3_a_connection_that_is_opened_and_silent_does_not_start_the_rests_over() -> None:
    """W3: only data do."""
    seen = met("okx", watching("okx", TRADES), "ws_silent_ack", seconds=600)
    lost = seen.when(State.LOST)
    rests = [later - earlier for earlier, later in pairwise(lost)]
    assert max(rests) > 20  # ten of them are the silence itself
    assert max(rests) < 42


@pytest.mark.parametrize("name", NAMES)
def test_w3_a_life_that_ends_without_notice_is_a_drop(name: str) -> None:
    """W3: what an exchange does not announce, nobody knows beforehand."""
    seen = endured(name, TRADES, "ws_life:seconds=5,notice=0", lasting=12.0)
    assert seen.when(State.LOST)
    assert wrong_trades(seen.day, name) == []


def test_w3_a_life_that_ends_with_notice_costs_nothing() -> None:
    """W3: Binance spot says that it will close (serverShutdown); another connection takes over before."""
    seen = met("binance", Watch(TRADES, ("ADA",), Market.SPOT), "ws_life:seconds=40,notice=10", seconds=100)
    assert seen.when(State.LOST) == []
    assert 29 <= seen.when(State.RENEWED)[0] <= 40
    assert seen.gaps == []
    ids = [int(one.id) for one in seen.records]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert len(ids) > 20


@pytest.mark.parametrize("dataset", [TRADES, OHLC, LIQUIDATIONS], ids=lambda one: one.name)
def test_w3_a_life_is_over_and_nothing_is_missed(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """W3: planned renewal on a second connection before the cut, here of four minutes instead of 24 h."""
    table = load("binance")
    live = table.sites["live"]
    short = {name: replace(one, life=timedelta(minutes=4)) for name, one in live.sockets.items()}
    sites = {**table.sites, "live": replace(live, sockets=short)}
    monkeypatch.setattr("inside_feeds.load", lambda _: replace(table, sites=sites))
    seen = met("binance", watching("binance", dataset), "ws_life:seconds=240", seconds=600)
    assert seen.when(State.LOST) == []
    assert [230 <= one <= 234 for one in seen.when(State.RENEWED)[:1]] == [True]
    assert len(seen.when(State.RENEWED)) == 2
    assert seen.gaps == []
    assert wrong(seen, "binance", dataset) == []


# W4: what cannot be repaired


@pytest.mark.parametrize("name", ["binance", "bybit", "okx"])
def test_w4_liquidations_that_were_kept_lie_in_stretches_that_were_told(name: str) -> None:
    """W4: /truth/undelivered lies inside of them."""
    seen = met(name, Watch(LIQUIDATIONS, ("BTC",), Market.LINEAR), "ws_stall:after=30,first=2", seconds=90)
    kept = [one.told() for one in seen.day.place.floor.streams.losses]
    assert kept
    for loss in kept:
        holds = [gap for gap in seen.gaps if gap.window.start <= loss["from_ms"] * 1_000 + 999]
        assert any(loss["to_ms"] * 1_000 <= gap.window.end and not gap.repaired for gap in holds), loss


def test_w4_more_trades_than_bybit_lists_are_told() -> None:
    """W4: of a thousand newest trades of Bitcoin the oldest is younger than the loss."""

    async def script(_: Hours, floor: Any) -> None:
        await asyncio.sleep(SETTLED)
        floor.set_faults(["ws_drop:frames=1,first=1", "ws_refuse:status=503,seconds=60"])
        await asyncio.sleep(60)
        floor.set_faults([])

    seen = met("bybit", Watch(TRADES, ("BTC",), Market.LINEAR), seconds=150, script=script)
    dark = [gap for gap in seen.gaps if not gap.repaired]
    assert dark
    assert dark[0].window.end - dark[0].window.start >= 55 * SECOND  # of which it lists the last ones, or none


# W5, W6: frames that are missing, double, swapped


@pytest.mark.parametrize(
    ("name", "dataset", "fault"),
    [
        pytest.param(*one, fault, marks=() if one[0] == "binance" or place % 3 == turn else pytest.mark.soak)
        for place, one in enumerate(EVERYWHERE)
        for turn, fault in enumerate(["ws_skip:every=4", "ws_duplicate:every=3", "ws_out_of_order:every=3"])
    ],
    ids=lambda one: getattr(one, "name", one),
)
def test_w5_w6_missing_double_and_swapped_frames(name: str, dataset: Dataset, fault: str) -> None:
    """W5, W6: filled by REST, given once, put in order; or told."""
    if "skip" in fault and (dataset is LIQUIDATIONS or (name, dataset) == ("hyperliquid", TRADES)):
        pytest.skip("Nobody can tell: there is no number in what comes, and nothing to ask afterwards.")
    seen = endured(name, dataset, fault, lasting=10.0, seconds=80.0)
    assert wrong(seen, name, dataset) == []
    assert seen.when(State.LOST) == []
    assert seen.vitals.conflicts == 0
    if "duplicate" in fault and dataset is TRADES:
        assert seen.vitals.duplicates > 0
    if dataset is TRADES and name in {"binance", "okx"}:
        ids = [int(one.id) for one in seen.records if one.source == "stream"]
        assert ids == sorted(set(ids)) or "skip" in fault


def contradict(_: StreamFault, parcel: Parcel) -> None:
    """The frame comes again with another size."""
    parcel.acts.append(parcel.acts[0]._replace(data=parcel.text.replace('"q":"', '"q":"9')))


def contradicting(topic: str) -> StreamFault:
    """What `contradict` does, once; no exchange was seen to do it to a stream."""
    kind = StreamKind("", "frames", COMMON, change=contradict)
    given = {key: option.default for key, option in COMMON.items()}
    return StreamFault("contradiction", kind, {**given, "first": 3, "topic": topic})


def test_w6_the_same_id_with_another_content_is_kept_out_and_counted() -> None:
    """W6: a conflict; that it is exit 8 stands in `test_stream_watch.py`."""

    async def script(_: Hours, floor: Any) -> None:
        await asyncio.sleep(SETTLED)
        floor.stream_faults = [contradicting("aggTrade")]
        floor.streams.changed()

    seen = met("binance", watching("binance", TRADES), seconds=90, script=script)
    assert seen.vitals.conflicts == 3
    assert wrong_trades(seen.day, "binance") == []


# W7: frames that are none


@pytest.mark.parametrize(("name", "mode"), [(NAMES[place % 4], mode) for place, mode in enumerate(GARBAGE)])
def test_w7_a_little_garbage_is_counted_and_the_connection_kept(name: str, mode: str) -> None:
    """W7: three frames of each kind of it; what was in them is asked for, or told."""
    seen = endured(name, TRADES, f"ws_garbage:mode={mode},first=3,topic=rade", lasting=10.0, seconds=90.0)
    assert seen.vitals.garbage == 3
    assert seen.when(State.LOST) == []
    assert wrong_trades(seen.day, name) == []
    assert all(isinstance(one.price, float) for one in seen.records)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        pytest.param(NAMES[3 - place % 4], mode, marks=() if place in {0, 2, 5, 7} else pytest.mark.soak)
        for place, mode in enumerate(GARBAGE)
    ],
)
def test_w7_much_garbage_ends_the_connection(name: str, mode: str) -> None:
    """W7: five in a minute: a new connection, and nothing is lost without a word."""
    seen = endured(name, TRADES, f"ws_garbage:mode={mode},topic=rade", lasting=6.0)
    assert seen.vitals.garbage >= 5
    assert "could not be read" in seen.said(State.LOST)[0]
    assert wrong_trades(seen.day, name) == []


@pytest.mark.parametrize("name", ["binance", "bybit", "okx"])
def test_w7_a_liquidation_that_could_not_be_read_is_told(name: str) -> None:
    """W7: nothing gives it again."""
    topic = "forceOrder" if name == "binance" else "iquidation"

    async def script(_: Hours, floor: Any) -> None:
        await asyncio.sleep(SETTLED)
        floor.set_faults([f"ws_garbage:first=3,mode=half_json,topic={topic}"])

    seen = met(name, Watch(LIQUIDATIONS, ("BTC",), Market.LINEAR), seconds=100, script=script)
    assert seen.when(State.LOST) == []
    assert (seen.vitals.garbage, len(seen.gaps)) == (3, 3)
    kept = [one.first for one in seen.day.place.floor.streams.losses]
    assert all(any(time in gap.window for gap in seen.gaps) for time in kept)


# W12: an exchange that does not let anybody in


@pytest.mark.parametrize("name", NAMES)
def test_w12_slow_down_is_waited_for(name: str) -> None:
    """W12: 429 with a time to wait."""
    seen = met(name, watching(name, TRADES), "ws_refuse:status=429,seconds=40", seconds=90)
    tries = seen.when(State.CONNECTING)
    refused = seen.day.place.floor.streams.account(name).refused
    assert refused[429] == 1 if name == "binance" else refused[429] <= 12  # the others do not say how long
    assert len(tries) <= 13
    assert seen.when(State.LIVE)[0] >= 40
    assert seen.failures == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [403, 451])
def test_w12_no_entry_is_not_tried_again(name: str, status: int) -> None:
    """W12: a country, or a content network, refuses."""
    seen = met(name, watching(name, TRADES), f"ws_refuse:status={status}", seconds=90)
    (error,) = seen.failures
    assert error.exit == 7
    assert seen.day.place.floor.streams.account(name).opened.total() == 1


@pytest.mark.parametrize("name", NAMES)
def test_w12_an_exchange_that_is_down_is_waited_for(name: str) -> None:
    """W12: 503 for ten minutes: few tries, and back within 35 s."""
    seen = met(name, watching(name, TRADES), "ws_refuse:status=503,seconds=600", seconds=680)
    opened = seen.day.place.floor.streams.account(name).opened
    assert opened.total() < 80
    assert 600 <= seen.when(State.LIVE)[0] <= 635
    assert seen.failures == []


def test_w12_max_down_counts_from_the_loss() -> None:
    """W12, --max-down: exit 5, and what was not seen is told."""

    async def script(_: Hours, floor: Any) -> None:
        await asyncio.sleep(SETTLED)
        floor.set_faults(["ws_drop:frames=1", "ws_refuse:status=503"])

    watch = replace(watching("binance", LIQUIDATIONS), max_down=45.0)
    seen = met("binance", watch, seconds=200, script=script)
    (error,) = seen.failures
    assert (error.exit, "--max-down" in error.message) == (5, True)
    assert SETTLED + 44 <= seen.when(State.REFUSED)[0] <= SETTLED + 47
    (gap,) = seen.gaps
    assert gap.window.end >= START + (SETTLED + 44) * SECOND


# W14: one of several


def test_w14_one_connection_of_two_is_lost_alone() -> None:
    """W14: Binance's tickers come over two paths; the other one goes on."""

    async def script(_: Hours, floor: Any) -> None:
        await asyncio.sleep(SETTLED)
        floor.set_faults(["ws_drop:frames=1,mode=reset,path=/public", "ws_refuse:status=503,path=/public"])
        await asyncio.sleep(30)
        floor.set_faults([])

    seen = met("binance", Watch(TICKER, ("BTC",), Market.LINEAR), seconds=120, script=script)
    about = {one.connection for one in seen.day.place.of(Status) if one.state is State.LOST}
    assert len(about) == 1
    times = [(one.time - START) / SECOND for one in seen.records]
    assert max(later - earlier for earlier, later in pairwise(times)) < 4  # two seconds are usual
    assert all(gap.cause is Cause.DISCONNECTED and not gap.repaired for gap in seen.gaps)
    assert seen.vitals.connections == 0
    assert seen.vitals.wanted == 0


def test_w14_of_several_exchanges_one_is_lost_alone() -> None:
    """W14: faults of one exchange are no other's."""
    for name in NAMES:
        seen = endured(name, TRADES, f"ws_drop:frames=1,exchange={'okx' if name == 'bybit' else 'bybit'}", lasting=5)
        assert (name == "bybit") <= (seen.when(State.LOST) == [])
        assert wrong_trades(seen.day, name) == []
