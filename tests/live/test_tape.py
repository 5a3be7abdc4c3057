"""Lanes one by one: what a trade, a candle or a state is held against, and what is remembered of it."""

from __future__ import annotations

import math
from dataclasses import replace as change
from typing import Any

import pytest
from scripted_streams import BTC, MINUTE, channel

from marketcli.datasets import FUNDING, OHLC, OI, TICKER, TRADES
from marketcli.live import defaults
from marketcli.live.bars import Bars
from marketcli.live.events import Vitals
from marketcli.live.lanes import States
from marketcli.live.making import candles_of, liquidations_of, state_of, trades_of
from marketcli.live.tape import Named, Numbered
from marketcli.models import MINUTE as MINUTE_MICROS
from marketcli.models import SECOND, Instrument, Interval, Market, Window

TAPE = channel(TRADES, consecutive=True)
BARS = channel(OHLC)
BEGUN = 1_795_219_200 * SECOND
COIN = Instrument("toy", Market.INVERSE, "B", "B", "BTC", "USD", "BTC", contract_size=100.0, inverse=True)
TEN = Instrument("toy", Market.LINEAR, "C", "C", "BTC", "USDT", "USDT", contract_size=0.01)
EURO = Instrument("toy", Market.SPOT, "BTC-EUR", "BTCEUR", "BTC", "EUR", "EUR")


def row(number: int, *, price: float = 100.0) -> tuple[Any, ...]:
    """A trade at the second of its number."""
    return BEGUN + number * SECOND, str(number), price, "buy", 1.0


def numbered() -> Numbered:
    """A lane of trades with telling ids."""
    return Numbered(BTC, trades_of(BTC, TAPE.columns, "stream"), Vitals("toy", Market.LINEAR))


def took(lane: Named, *numbers: int) -> list[int]:
    """The trades that come of these."""
    return ids(lane.take([row(number) for number in numbers], TAPE))


def ids(records: Any) -> list[int]:
    """The numbers of trades."""
    return [int(record.id) for record in records]


def rest(*numbers: int) -> list[Any]:
    """Trades as REST has them."""
    make = trades_of(BTC, TAPE.columns, "rest")
    return [make(row(number)) for number in numbers]


def at(number: int) -> int:
    """The time of a trade."""
    return BEGUN + number * SECOND


LONG_AFTER = BEGUN + 10_000 * SECOND


# --- trades with telling ids


def test_disorder_of_less_than_a_second_is_no_gap() -> None:
    lane = numbered()
    assert took(lane, 1, 3) == [1]
    assert lane.release(10.0) == ()  # somebody looks for the first time
    assert lane.release(10.9) == ()
    assert took(lane, 2) == [2, 3]
    assert lane.release(11.1) == ()
    assert lane.missing(LONG_AFTER) is None
    # The next jump has a second of its own.
    assert took(lane, 5) == []
    assert lane.release(20.0) == ()
    assert lane.release(20.9) == ()
    assert ids(lane.release(21.0)) == [5]


def test_trades_behind_a_jump_do_not_wait_without_end() -> None:
    lane = numbered()
    assert took(lane, 0) == [0]
    came = [number for begin in range(2, 5_000, 50) for number in took(lane, *range(begin, begin + 50))]
    assert came[0] == 2
    assert len(came) >= defaults.HELD
    assert len(lane.held) <= defaults.HELD
    assert lane.missing(LONG_AFTER) == Window(at(0), at(2) + 1)


def test_holes_are_asked_for_together_once_rest_lists_their_trades() -> None:
    lane = numbered()
    took(lane, 1, 4, 8)
    lane.release(0.0)
    assert ids(lane.release(2.0)) == [4, 8]
    assert lane.missing(at(8) + SECOND) is None
    assert lane.missing(at(8) + 3 * SECOND) == Window(at(1), at(8) + 1)
    assert lane.missing(LONG_AFTER) is None  # it is told once
    assert not lane.settled(Window(at(0), at(9)))
    assert ids(lane.filled(rest(0, 1, 2, 3, 4, 5, 6))) == [0, 2, 3, 5, 6]
    assert not lane.settled(Window(at(0), at(9)))
    assert lane.settled(Window(at(0), at(7)))  # the second hole does not lie in there
    assert took(lane, 7) == [7]  # late, by stream
    assert lane.settled(Window(at(0), at(9)))
    assert took(lane, 7) == []


def test_holes_are_remembered_until_they_are_filled_however_many_there_are() -> None:
    lane = numbered()
    took(lane, *range(1, 1_400, 2))
    lane.release(0.0)
    lane.release(2.0)
    window = lane.missing(LONG_AFTER)
    assert window == Window(at(1), at(1_399) + 1)
    assert not lane.settled(window)
    assert len(ids(lane.filled(rest(*range(1, 1_000))))) == 499
    assert not lane.settled(window)
    assert len(ids(lane.filled(rest(*range(1, 1_400))))) == 200
    assert lane.settled(window)
    for begin in range(1_401, 9_000, 2):  # what is done is forgotten
        took(lane, begin)
        lane.release(0.0)
        lane.release(2.0)
        lane.give_up(Window(at(0), at(begin) + 1))
    assert len(lane.holes) <= defaults.HOLES + 1


def test_holes_that_something_else_filled_are_not_asked_for() -> None:
    lane = numbered()
    took(lane, 1, 4)
    lane.release(0.0)
    lane.release(2.0)
    lane.filled(rest(1, 2, 3, 4))  # asked for because the connection was lost
    assert lane.missing(LONG_AFTER) is None
    assert lane.owed() is None


def test_a_hole_that_was_given_up_does_not_make_the_next_one_fail() -> None:
    lane = numbered()
    took(lane, 1, 3)
    lane.release(0.0)
    lane.release(2.0)
    assert not lane.settled(Window(at(0), at(9)))
    lane.give_up(Window(at(0), at(9)))
    assert lane.settled(Window(at(0), at(9)))
    assert took(lane, 2) == [2]  # better late than never


def test_trades_from_before_the_first_come_once_and_those_ahead_wait_for_their_turn() -> None:
    lane = numbered()
    took(lane, 10)
    assert ids(lane.filled(rest(8, 9, 10, 11, 13))) == [8, 9, 11]
    assert ids(lane.filled(rest(8, 9))) == []
    assert took(lane, 12) == [12, 13]
    assert took(lane, 13, 9) == []


def test_what_rest_gave_is_a_duplicate_and_no_conflict_when_the_stream_repeats_it() -> None:
    for lane in (numbered(), Named(BTC, trades_of(BTC, TAPE.columns, "stream"), Vitals("toy", Market.LINEAR))):
        took(lane, 1)
        lane.filled(rest(2))
        assert took(lane, 2) == []
        vitals = lane.known.vitals
        assert (vitals.duplicates, vitals.conflicts) == (1, 0)
        lane.take([row(1, price=99.0)], TAPE)
        assert (vitals.duplicates, vitals.conflicts) == (1, 1)


def test_named_trades_come_once_from_rest_too() -> None:
    lane = Named(BTC, trades_of(BTC, TAPE.columns, "stream"), Vitals("toy", Market.LINEAR))
    assert took(lane, 7, 3) == [7, 3]
    assert ids(lane.filled(rest(1, 3, 5, 7))) == [1, 5]
    assert ids(lane.filled(rest(1, 3, 5, 7))) == []


def test_the_newest_trades_are_remembered_and_not_all() -> None:
    lane = Named(BTC, trades_of(BTC, TAPE.columns, "stream"), Vitals("toy", Market.LINEAR))
    for begin in range(0, 100_000, 1_000):
        took(lane, *range(begin, begin + 1_000))
    assert took(lane, *range(100_000 - defaults.KNOWN_IDS, 100_000)) == []
    assert sum(str(number) in lane.known for number in range(100_000)) <= 2 * defaults.KNOWN_IDS


# --- candles


def bar(minute: int, *, closed: bool | None = True, volume: float = 1.0, close: float = 1.5) -> tuple[Any, ...]:
    """A candle."""
    return BEGUN + minute * MINUTE_MICROS, 1.0, 2.0, 0.5, close, volume, closed


def bars() -> Bars:
    """A lane of candles."""
    vitals = Vitals("toy", Market.LINEAR)
    return Bars(BTC, MINUTE, candles_of(BTC, BARS.columns, "stream", interval=MINUTE), vitals)


def closed_minutes(records: Any) -> list[int]:
    """Of those that are closed."""
    return [(one.time - BEGUN) // MINUTE_MICROS for one in records if one.closed]


def candles(*minutes: int, closed: bool = True) -> list[Any]:
    """Candles as REST has them."""
    make = candles_of(BTC, BARS.columns, "rest", interval=MINUTE)
    return [make(bar(minute, closed=closed)) for minute in minutes]


def minute(number: float) -> int:
    """The time of a minute."""
    return BEGUN + round(number * MINUTE_MICROS)


def test_candles_of_one_message_come_in_order() -> None:
    assert closed_minutes(bars().take([bar(2), bar(0), bar(1)], BARS)) == [0, 1, 2]


def test_a_candle_that_closes_twice_is_a_duplicate_or_contradicts_itself() -> None:
    lane = bars()
    lane.take([bar(0), bar(0), bar(0, close=1.6)], BARS)
    assert (lane.vitals.duplicates, lane.vitals.conflicts) == (1, 1)


def test_an_open_candle_never_goes_back() -> None:
    lane = bars()
    sent = [bar(0, closed=False, volume=volume) for volume in (1.0, 3.0, 2.0, 4.0)]
    assert [one.volume_base for row in sent for one in lane.take([row], BARS)] == [1.0, 3.0, 4.0]  # type: ignore[attr-defined]
    later = lane.take([bar(1, closed=False), bar(0, closed=False, volume=9.0)], BARS)
    assert [one.time for one in later] == [minute(0), minute(1)]  # type: ignore[attr-defined]
    assert lane.take([bar(0, closed=False, volume=10.0)], BARS) == []
    lane.lost()
    assert len(lane.take([bar(1, closed=False, volume=0.5)], BARS)) == 1


def test_closed_candles_that_were_jumped_over_come_late_or_from_rest_but_once() -> None:
    lane = bars()
    assert closed_minutes(lane.take([bar(0), bar(4)], BARS)) == [0, 4]
    assert lane.missing(minute(5)) == Window(minute(1), minute(4))
    assert lane.missing(minute(5)) is None
    assert closed_minutes(lane.take([bar(2)], BARS)) == [2]
    assert not lane.settled(Window(minute(1), minute(4)))
    assert closed_minutes(lane.filled([*candles(0, 1, 2, 4), *candles(3, closed=False)])) == [1]
    assert lane.filled(candles(1)) == []
    assert not lane.settled(Window(minute(1), minute(4)))
    assert lane.settled(Window(minute(1), minute(3)))
    lane.give_up(Window(minute(1), minute(4)))
    assert lane.settled(Window(minute(1), minute(4)))
    assert lane.filled(candles(3)) == []


def test_a_candle_that_comes_late_before_anybody_asked_is_not_asked_for() -> None:
    lane = bars()
    assert closed_minutes(lane.take([bar(0), bar(2)], BARS)) == [0, 2]
    assert closed_minutes(lane.take([bar(1)], BARS)) == [1]
    assert lane.missing(minute(3)) is None
    assert lane.owed() is None


def test_a_candle_is_overdue_after_a_grace_that_is_shorter_where_nobody_says_that_it_is_closed() -> None:
    for said, seconds in ((False, 5), (None, 2)):
        lane = bars()
        lane.take([bar(0, closed=said)], BARS)
        assert lane.missing(minute(1) + (seconds * SECOND - 1)) is None
        assert lane.missing(minute(1) + seconds * SECOND) == Window(minute(0), minute(1))


def test_a_stream_that_says_nothing_at_all_is_overdue_once_the_candle_it_began_in_is() -> None:
    lane = bars()
    assert lane.missing(minute(0.9)) is None
    assert lane.missing(minute(1) + 5 * SECOND - 1) is None
    assert lane.missing(minute(1) + 5 * SECOND) == Window(minute(0), minute(1))
    assert closed_minutes(lane.filled(candles(0, 1))) == [0]
    assert closed_minutes(lane.take([bar(1)], BARS)) == [1]
    late = bars()
    assert late.missing(minute(0.9)) is None
    assert closed_minutes(late.take([bar(-1)], BARS)) == [-1]  # it may begin with one that was over by then


def test_months_are_as_long_as_they_are() -> None:
    month = Interval(1, "M")
    make = candles_of(BTC, BARS.columns, "stream", interval=month)
    lane = Bars(BTC, month, make, Vitals("toy", Market.LINEAR))
    november, december, january = 1_793_491_200 * SECOND, 1_796_083_200 * SECOND, 1_798_761_600 * SECOND
    lane.take([(november, 1.0, 2.0, 0.5, 1.5, 1.0, True)], BARS)
    assert lane.missing(january + 60 * SECOND) == Window(december, january)


# --- states


def states(dataset: Any = TICKER, **lasting: Any) -> States:
    """A lane of a state."""
    return States(BTC, state_of(BTC, dataset), lasting)


def test_who_follows_adds_columns_but_neither_a_row_nor_a_time() -> None:
    leads = change(channel(TICKER), columns=("time", "last"))
    follows = change(channel(TICKER, leads=False), columns=("time", "bid", "ask"))
    lane = states()
    assert lane.take([(9, 5.0, 6.0)], follows) == []
    (found,) = lane.take([(7, 1.0)], leads)
    assert (found.time, found.last, found.bid, found.ask) == (7, 1.0, 5.0, 6.0)  # type: ignore[attr-defined]
    assert lane.take([(8, 4.0, 4.5)], follows) == []  # older than what it said before
    (found,) = lane.take([(8, 2.0)], leads)
    assert (found.last, found.bid) == (2.0, 5.0)  # type: ignore[attr-defined]
    assert lane.take([(6, 3.0)], leads) == []
    lane.lost()
    (found,) = lane.take([(6, 3.0)], leads)  # what was true before is not known any more
    assert (found.last, found.bid) == (3.0, None)  # type: ignore[attr-defined]


def test_what_no_stream_says_is_there_until_one_does() -> None:
    said = change(channel(TICKER), columns=("time", "rate", "mark", "index"))
    lane = states(FUNDING, interval_h=4.0)
    (found,) = lane.take([(1, 0.0001, 101.0, 100.0)], said)
    assert (found.interval_h, found.apr) == (4.0, pytest.approx(0.0001 * 365 * 6))  # type: ignore[attr-defined]
    assert found.basis == pytest.approx(0.01)  # type: ignore[attr-defined]
    lane.lost()
    (found,) = lane.take([(2, 0.0001, 101.0, 100.0)], said)
    assert found.interval_h == 4.0  # type: ignore[attr-defined]
    records = [found]
    assert lane.filled(records) == records  # the state as REST has it is a record like any other


# --- what follows from a row


def test_contracts_become_base_and_value() -> None:
    columns = ("time", "id", "price", "side", "size_contracts")
    linear = trades_of(TEN, columns, "s")((1, "1", 200.0, "buy", 5.0))
    assert (linear.size, linear.size_contracts, linear.notional, linear.notional_usd) == (0.05, 5.0, 10.0, 10.0)
    inverse = trades_of(COIN, columns, "s")((1, "1", 200.0, "buy", 5.0))
    assert (inverse.size, inverse.size_contracts, inverse.notional, inverse.notional_usd) == (2.5, 5.0, 500.0, 500.0)


def test_only_dollars_are_dollars() -> None:
    plain = trades_of(EURO, TAPE.columns, "s")((1, "1", 200.0, "sell", 2.0))
    assert (plain.notional, plain.notional_usd, plain.size_contracts) == (400.0, None, None)
    counted = trades_of(EURO, ("time", "id", "price", "side", "size_contracts"), "s")((1, "1", 200.0, "sell", 2.0))
    assert (counted.notional, counted.notional_usd) == (400.0, None)
    made = liquidations_of(EURO, ("time", "liquidated", "price", "size"), "s", completeness="full")
    closed = made((1, "long", 200.0, 2.0))
    assert (closed.notional, closed.notional_usd, closed.completeness, closed.nth) == (400.0, None, "full", 0)


def test_numbers_have_no_dust() -> None:
    assert trades_of(BTC, TAPE.columns, "s")((1, "1", 0.01, "buy", 19.9)).notional == 0.199
    columns = ("time", "id", "price", "side", "size_contracts")
    assert trades_of(TEN, columns, "s")((1, "1", 1.0, "buy", 19.9)).size == 0.199


def test_a_ticker_says_what_follows_from_it() -> None:
    known = {"time": 1, "last": 110.0, "open": 100.0, "bid": 109.0, "ask": 111.0, "volume_base": 3.0}
    found: Any = state_of(BTC, TICKER)(known)
    assert (found.change, found.spread, found.volume_usd) == (pytest.approx(0.1), pytest.approx(2 / 110), 330.0)
    found = state_of(BTC, TICKER)({"time": 1, "mark": 120.0, "open": 100.0})
    assert (found.change, found.spread, found.volume_usd) == (pytest.approx(0.2), None, None)
    counted = {"bid": 100.0, "ask": 200.0, "bid_contracts": 1.0, "ask_contracts": 1.0, "volume_contracts": 6.0}
    found = state_of(COIN, TICKER)({"time": 1, "last": 150.0, **counted})
    assert (found.bid_size, found.ask_size, found.volume_base) == (1.0, 0.5, 4.0)
    assert (found.volume_quote, found.volume_usd) == (600.0, 600.0)


def test_open_interest_is_given_in_all_units() -> None:
    found: Any = state_of(COIN, OI)({"time": 1, "oi_contracts": 6.0, "mark": 150.0})
    assert (found.oi_base, found.oi_quote, found.oi_contracts) == (4.0, 600.0, 6.0)
    found = state_of(BTC, OI)({"time": 1, "oi_base": 6.0, "mark": 150.0})
    assert (found.oi_base, found.oi_quote, found.oi_contracts) == (6.0, 900.0, None)
    found = state_of(BTC, OI)({"time": 1, "oi_base": 6.0})
    assert (found.oi_base, found.oi_quote) == (6.0, None)


def test_a_candle_has_its_values_in_their_places() -> None:
    made = candles_of(BTC, (*BARS.columns, "trades"), "s", interval=MINUTE)
    found = made((1, 2.0, 9.0, 1.0, 5.0, 7.0, None, 3))
    assert (found.open, found.high, found.low, found.close, found.volume_base) == (2.0, 9.0, 1.0, 5.0, 7.0)
    assert (found.trades, found.volume_quote, found.closed, found.interval) == (3, None, False, "1m")


def test_nothing_waits_and_nothing_is_owed_where_nobody_can_tell() -> None:
    for lane in (states(), Named(BTC, trades_of(BTC, TAPE.columns, "s"), Vitals("toy", Market.LINEAR))):
        assert (list(lane.release(math.inf)), lane.missing(LONG_AFTER), lane.owed()) == ([], None, None)
        assert lane.settled(Window(0, LONG_AFTER))
