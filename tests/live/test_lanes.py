"""Lanes against disorder: whatever is lost, doubled or swapped, each trade and candle comes once or is named."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_streams import BTC, channel

from marketcli.datasets import OHLC, TRADES
from marketcli.live.bars import Bars
from marketcli.live.events import Vitals
from marketcli.live.making import candles_of, trades_of
from marketcli.live.tape import Numbered
from marketcli.models import MINUTE, SECOND, Interval, Market

TAPE = channel(TRADES, consecutive=True)
BARS = channel(OHLC)
BEGUN = 1_795_219_200 * SECOND


def row(number: int) -> tuple[Any, ...]:
    """A trade at the second of its number."""
    return BEGUN + number * SECOND, str(number), 100.0, "buy", 1.0


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[int]]:
    """Frames of trades 0 to 39: some lost, some twice, some swapped with a near one."""
    numbers = [number for number in range(40) if draw(st.integers(0, 5))]
    order = sorted((place + draw(st.sampled_from([0, 0, 0, 0, 2, 4])), number) for place, number in enumerate(numbers))
    found = [number for _, number in order for _ in range(draw(st.sampled_from([1, 1, 1, 2])))]
    frames, place = [], 0
    while place < len(found):
        size = draw(st.integers(1, 4))
        frames.append(found[place : place + size])
        place += size
    return frames


@given(deliveries(), st.data())
@settings(max_examples=200, deadline=None)
def test_every_trade_comes_once_or_is_asked_for(frames: list[list[int]], data: st.DataObject) -> None:
    lane = Numbered(BTC, trades_of(BTC, TAPE.columns, "stream"), Vitals("toy", Market.LINEAR))
    make = trades_of(BTC, TAPE.columns, "rest")
    came: list[Any] = []
    clock = 0.0
    for frame in frames:
        came += lane.take([row(number) for number in frame], TAPE)
        clock += data.draw(st.sampled_from([0.1, 0.1, 2.0]))
        came += lane.release(clock)
        window = lane.missing(BEGUN + 1_000 * SECOND)
        if window is not None and data.draw(st.booleans()):
            known = [make(row(number)) for number in range(40) if row(number)[0] in window]
            came += lane.filled(known)
            assert lane.settled(window)
        elif window is not None:
            lane.give_up(window)
    came += [*lane.release(clock), *lane.release(clock + 10)]
    window = lane.missing(BEGUN + 1_000 * SECOND)
    if window is not None:
        came += lane.filled([make(row(number)) for number in range(40) if row(number)[0] in window])
    ids = [int(trade.id) for trade in came]
    assert len(ids) == len(set(ids))
    sent = {number for frame in frames for number in frame}
    assert sent - set(ids) <= {number for number in sent if number < frames[0][0]}  # from before the beginning


def bar(minute: int, *, closed: bool) -> tuple[Any, ...]:
    """A candle."""
    return BEGUN + minute * MINUTE, 1.0, 2.0, 0.5, 1.5, 1.0, closed


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=60))
@settings(max_examples=200, deadline=None)
def test_every_candle_closes_once_whatever_comes(said: list[tuple[int, bool]]) -> None:
    lane = Bars(
        BTC,
        Interval(1, "m"),
        candles_of(BTC, BARS.columns, "stream", interval=Interval(1, "m")),
        Vitals("toy", Market.LINEAR),
    )
    make = candles_of(BTC, BARS.columns, "rest", interval=Interval(1, "m"))
    came: list[Any] = []
    for minute, closed in said:
        came += lane.take([bar(minute, closed=closed)], BARS)
    window = lane.missing(BEGUN + 30 * MINUTE + 10 * SECOND)
    if window is not None:
        every = [make(bar(minute, closed=True)) for minute in range(40)]
        came += lane.filled(candle for candle in every if candle.time in window)
        assert lane.settled(window)
    closed_ones = [(candle.time - BEGUN) // MINUTE for candle in came if candle.closed]
    assert len(closed_ones) == len(set(closed_ones))
    if said:
        begun = next(minute for minute, _ in said)
        assert set(range(begun, 30)) <= set(closed_ones)
