"""W1 and W2: connections that stand and say nothing, and subscriptions that are refused or never answered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from faults.streams import MINUTE, NAMES, SETTLED, endured, met, watching
from live.nemesis import wrong_trades
from virtual_time import START, Hours

from marketcli.api.live import Watch
from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, OI, TICKER, TRADES, Dataset
from marketcli.exchanges import load
from marketcli.live.events import Blind, Cause, State, Status
from marketcli.models import SECOND, Market, Window

QUICK = 10.0  # G5, for what comes once a second or more often
STREAMED = [
    (name, dataset)
    for name in NAMES
    for dataset in (TRADES, LIQUIDATIONS, OHLC, TICKER, FUNDING, OI)
    if load(name).streams(dataset, Market.LINEAR, scope="instrument")
    or load(name).streams(dataset, Market.LINEAR, scope="market")
]
SLOW = {"hyperliquid": 15.0}  # three times the five seconds in which an exchange's signs of life come


def bitcoin(dataset: Dataset) -> Watch:
    """A watch of the instrument that everybody trades."""
    return Watch(dataset, ("BTC",), Market.LINEAR, MINUTE if dataset is OHLC else None)


def covers(gap: Blind, first: float, last: float) -> bool:
    """Whether a stretch holds these seconds."""
    return gap.window.start <= START + first * SECOND and gap.window.end >= START + last * SECOND


def allowed(name: str, dataset: Dataset) -> float:
    """The seconds after which silence of everything is noticed, by G5."""
    if (name, dataset) == ("bybit", OHLC):
        return 180.0  # it may be silent for a minute
    if (name, dataset) == ("bybit", TICKER) or (name == "bybit" and dataset in {FUNDING, OI}):
        return 30.0
    if name == "okx" and dataset is FUNDING:
        return 270.0
    return SLOW.get(name, QUICK)


@pytest.mark.parametrize(("name", "dataset"), STREAMED, ids=lambda one: getattr(one, "name", one))
def test_w1_silent_from_the_start_is_noticed_told_and_tried_again(name: str, dataset: Dataset) -> None:
    """W1, G5: everything is acknowledged, and nothing comes."""
    limit = allowed(name, dataset)

    async def script(_: Hours, floor: Any) -> None:
        await asyncio.sleep(5)
        floor.set_faults([])  # what was subscribed before stays silent

    seen = met(name, bitcoin(dataset), "ws_silent_ack", seconds=limit + 40, script=script)
    lost = seen.when(State.LOST)
    assert lost[0] <= limit + 0.2  # it takes a moment to connect
    assert "the connection stands" in seen.said(State.LOST)[0]
    assert seen.when(State.LIVE)[-1] > lost[0]
    assert any(covers(gap, 0.2, lost[0]) and gap.cause is Cause.SILENT for gap in seen.gaps)
    assert seen.afterwards


@pytest.mark.parametrize("name", NAMES)
def test_w1_silent_later_is_noticed_told_and_tried_again(name: str) -> None:
    """W1, G5: after a while no data come any more; pings are answered all the while."""
    limit = SLOW.get(name, QUICK)
    dataset = TRADES if name == "hyperliquid" else LIQUIDATIONS
    seen = endured(name, dataset, "ws_stall:after=0", lasting=limit + 1, seconds=60)
    lost = seen.when(State.LOST)
    assert SETTLED < lost[0] <= SETTLED + limit
    (gap,) = seen.gaps
    assert gap.cause is Cause.SILENT
    assert covers(gap, SETTLED, seen.when(State.LIVE)[-1] - 0.2)
    assert gap.window.end - gap.window.start < (limit + 5) * SECOND


def test_w1_the_old_path_of_binance_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """W1: since April 2026 it connects, acknowledges and answers pings, and delivers nothing."""
    table = load("binance")
    live = table.sites["live"]
    old = replace(live.sockets["linear"], url="wss://fstream.binance.com/stream")
    sites = {**table.sites, "live": replace(live, sockets={**live.sockets, "linear": old})}
    monkeypatch.setattr("inside_feeds.load", lambda _: replace(table, sites=sites))
    seen = met("binance", bitcoin(LIQUIDATIONS), seconds=60)
    lost = seen.when(State.LOST)
    assert lost[0] <= QUICK
    assert len(lost) > 2  # it is tried again and again
    assert seen.records == []
    assert seen.when(State.LIVE) == []
    assert any(covers(gap, 0.1, 59) and not gap.repaired for gap in seen.gaps)


@pytest.mark.parametrize("name", NAMES)
def test_w1_a_silent_topic_beside_a_busy_one_is_found_out(name: str) -> None:
    """W1: no trades on a living connection: that is compared with what REST lists."""
    topic = {"binance": "aggTrade", "bybit": "publicTrade", "okx": "trades-all", "hyperliquid": "trades"}[name]
    seen = met(name, bitcoin(TRADES), f"ws_silent_ack:topic={topic},first=1", seconds=75)
    lost = seen.when(State.LOST)
    assert lost[0] <= 36  # they are compared twice a minute at least, and OKX lists them page by page
    assert "though there are trades" in seen.said(State.LOST)[0]
    dark = [gap.window for gap in seen.gaps if not gap.repaired]
    times = {record.time for record in seen.records}
    for second in range(2, 70):
        window = Window(START + second * SECOND, START + (second + 1) * SECOND)
        inside = any(window.start in gap or window.end in gap for gap in dark)
        assert inside or any(time in window for time in times), second


def test_w1_a_silence_without_an_end_ends_by_max_down() -> None:
    """W1, --max-down: connections that bring nothing are no exchange that is there; exit 5."""
    watch = replace(bitcoin(LIQUIDATIONS), max_down=60.0)
    seen = met("binance", watch, "ws_silent_ack", seconds=200)
    (error,) = seen.failures
    assert (error.exit, "--max-down" in error.message) == (5, True)
    assert 60 <= seen.when(State.REFUSED)[0] <= 60 + QUICK + 1
    (gap,) = seen.gaps
    assert covers(gap, 0.1, 60)


def test_w1_what_was_delivered_or_told_is_all_there_was() -> None:
    """W1: a stall of twelve seconds costs no trade, because REST has them."""
    for name in ("binance", "okx"):
        seen = endured(name, TRADES, "ws_stall:after=0", lasting=12, seconds=80)
        assert wrong_trades(seen.day, name) == []
        assert any(gap.repaired and gap.rows for gap in seen.gaps)


@pytest.mark.parametrize(("name", "dataset"), STREAMED, ids=lambda one: getattr(one, "name", one))
def test_w2_a_refusal_is_an_error_with_the_exchanges_words(name: str, dataset: Dataset) -> None:
    """W2: refused: no second try, exit 4."""
    seen = met(name, bitcoin(dataset), "ws_reject_subscribe", seconds=30)
    assert seen.failures
    for error in seen.failures:
        assert error.exit == 4
        assert "refused the stream" in error.message
        assert "it gave no reason" not in error.message
    assert len(seen.when(State.CONNECTING)) == len({one.connection for one in seen.day.place.of(Status)})
    assert seen.gaps == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", ["ws_ack_never", "ws_only_pings:seconds=3"])
def test_w2_no_answer_is_tried_three_times(name: str, fault: str) -> None:
    """W2: not answered within 10 s, three times: exit 5; the stretch is told."""
    seen = met(name, bitcoin(TRADES), fault, seconds=60)
    (error,) = seen.failures
    assert error.exit == 5
    assert "was not acknowledged within 10 s" in error.message
    assert len(seen.when(State.CONNECTING)) == 3
    assert 30 <= seen.when(State.REFUSED)[0] <= 36
    assert any(covers(gap, 0.2, 30) and not gap.repaired for gap in seen.gaps)


@pytest.mark.parametrize("name", NAMES)
def test_w2_no_answer_once_is_tried_again(name: str) -> None:
    """W2: the next connection is answered, and all goes on."""
    seen = met(name, watching(name, TRADES), "ws_ack_never:first=1", seconds=90)
    assert len(seen.when(State.LOST)) == 1
    assert seen.failures == []
    assert wrong_trades(seen.day, name) == []
