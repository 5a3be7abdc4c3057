"""What a feed makes of connections that break: since when it was blind, how often it tries, what it asks REST for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from live.scenes import play
from scripted_streams import BTC, ETH, Bench, channel, socket
from virtual_time import START, Hours, run

from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, TICKER, TRADES
from marketcli.errors import ConnectionLost, ExchangeDown, RegionRefused
from marketcli.live import defaults
from marketcli.live.events import Blind, Cause, State
from marketcli.live.repair import Repaired
from marketcli.models import MINUTE, SECOND, Instrument, Market, Window

TAPE = channel(TRADES, consecutive=True)
LOOSE = channel(TRADES)
FORCED = channel(LIQUIDATIONS, delay=0.5)
TICKERS = channel(TICKER, cadence=1.0)
SLOW = channel(TICKER, cadence=60.0)
COINS = tuple(
    Instrument("toy", Market.LINEAR, f"C{place}-USDT-PERP", f"C{place}USDT", f"C{place}", "USDT", "USDT")
    for place in range(defaults.REPAIR_MOST + 1)
)


def trade(number: int, second: float) -> tuple[Any, ...]:
    """A row of a trade."""
    return START + round(second * SECOND), str(number), 100.0, "buy", 1.0


def ids(bench: Bench) -> list[int]:
    """The trades that came, in order."""
    return [int(record.id) for record in bench.records]


def forced(second: float, native: str = "BTCUSDT") -> tuple[Any, ...]:
    """A row of a liquidation."""
    return native, START + round(second * SECOND), "long", 100.0, 1.0


def nothing(_: Any, __: Window) -> Repaired:
    """REST that knows nothing."""
    return Repaired((), whole=True)


def rests(bench: Bench) -> list[float]:
    """Seconds between connections."""
    return [later - earlier for earlier, later in zip(bench.opened, bench.opened[1:], strict=False)]


# --- the blind interval


def test_a_blind_interval_begins_with_the_last_frame_and_ends_with_the_first() -> None:
    async def script(bench: Bench) -> None:
        bench.line.busy(START + 1 * SECOND)
        await asyncio.sleep(1)
        bench.line.busy(START + 10 * SECOND)
        await asyncio.sleep(1)
        bench.line.drop()
        await asyncio.sleep(3)
        bench.line.busy(START + 15 * SECOND)
        await asyncio.sleep(1)

    (blind,) = play(script, FORCED, instruments=(BTC, ETH)).of(Blind)
    # What happened half a second before may still have been on its way.
    assert blind.window == Window(START + 19 * SECOND // 2, START + 15 * SECOND)
    assert blind.symbols == ("BTC-USDT-PERP", "ETH-USDT-PERP")


def test_a_blind_interval_does_not_begin_before_the_feed_and_is_never_empty() -> None:
    async def script(bench: Bench) -> None:
        bench.line.busy(START + 10 * SECOND)
        await asyncio.sleep(1)
        bench.line.drop()
        await asyncio.sleep(3)
        bench.line.busy(START + 9 * SECOND)  # their clock is set back
        await asyncio.sleep(1)

    (blind,) = play(script, FORCED).of(Blind)
    assert blind.window == Window(START + 10 * SECOND, START + 10 * SECOND + 1)


def test_an_outage_of_many_tries_is_one_blind_interval() -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(10)
        bench.refusals = [ExchangeDown("away") for _ in range(6)]
        bench.line.drop()
        await bench.pass_time(60)

    bench = play(script, FORCED)
    (blind,) = bench.of(Blind)
    assert blind.window.start < START + 10 * SECOND
    assert blind.window.end > START + 12 * SECOND
    assert (bench.vitals.reconnects, bench.vitals.gaps, bench.vitals.connections) == (1, 1, 0)


@pytest.mark.parametrize("tries", [4, 400])
def test_an_exchange_that_is_away_from_the_beginning_is_missed_from_the_beginning(tries: int) -> None:
    async def main(hours: Hours) -> Bench:
        bench = Bench(hours.outside(), hours.micros, FORCED)
        bench.refusals = [ExchangeDown("away") for _ in range(tries)]
        async with bench.merged:
            pumping = asyncio.ensure_future(bench.pump())
            await bench.pass_time(30)
            bench.events += await bench.merged.stop()
            await pumping
        return bench

    bench = run(main)
    (blind,) = bench.of(Blind)
    assert (blind.window.start, blind.cause, blind.repaired) == (START, Cause.DISCONNECTED, False)
    seconds = (blind.window.end - START) / SECOND
    assert seconds >= 30 if tries == 400 else 1 < seconds < 25
    assert bench.vitals.reconnects == 0


@pytest.mark.parametrize(("seconds", "told"), [(1.9, False), (2.1, True)])
def test_a_connection_that_never_was_complete_saw_nothing(seconds: float, told: bool) -> None:  # noqa: FBT001
    async def main(hours: Hours) -> Bench:
        bench = Bench(hours.outside(), hours.micros, FORCED)
        bench.acknowledge = False
        async with bench.merged:
            pumping = asyncio.ensure_future(bench.pump())
            await asyncio.sleep(seconds)
            bench.events += await bench.merged.stop()
            await pumping
        return bench

    gaps = [(blind.window.start, blind.cause) for blind in run(main).of(Blind)]
    assert gaps == ([(START, Cause.SILENT)] if told else [])


def test_what_time_it_is_there_is_known_before_anything_is_asked_of_rest() -> None:
    async def script(bench: Bench) -> None:
        bench.line.busy(bench.micros())
        await asyncio.sleep(0.01)  # long before the next look
        assert bench.clock.learnt == [(bench.micros() // 1_000 * 1_000 - 10_000, 0.0)]

    play(script, FORCED)


def test_where_nothing_says_when_it_was_sent_a_second_more_is_told() -> None:
    back = 0

    async def script(bench: Bench) -> None:
        nonlocal back
        bench.line.data("liquidations", forced(0))
        await asyncio.sleep(1)
        bench.line.drop()
        await asyncio.sleep(2)
        back = bench.micros()
        bench.line.data("liquidations", forced(3))
        await asyncio.sleep(1)

    (blind,) = play(script, FORCED).of(Blind)
    assert blind.window.end == back + SECOND


def test_a_topic_that_fell_silent_is_dark_from_then_on() -> None:
    async def script(bench: Bench) -> None:
        for second in range(19):
            for name in ("BTC", "ETH") if second < 12 else ("BTC",):
                bench.line.data(f"ticker.{name}USDT", (bench.micros(), 1.0, 1.0, 1.0), at=bench.micros())
            await asyncio.sleep(1)
        bench.line.drop()
        await asyncio.sleep(2)
        for name in ("BTC", "ETH"):
            bench.line.data(f"ticker.{name}USDT", (bench.micros(), 1.0, 1.0, 1.0), at=bench.micros())
        await asyncio.sleep(1)

    (blind,) = play(script, TICKERS, instruments=(BTC, ETH)).of(Blind)
    assert START + 11 * SECOND <= blind.window.start <= START + 12 * SECOND


# --- how often it tries


def test_connections_that_bring_nothing_are_opened_ever_less_often() -> None:
    async def script(bench: Bench) -> None:
        for _ in range(600):
            if not bench.line.closed:
                bench.line.drop()
            await asyncio.sleep(1)

    bench = play(script, FORCED)
    assert len(bench.opened) < 80
    assert max(rests(bench)) > 15


def test_delays_start_over_once_data_came() -> None:
    async def script(bench: Bench) -> None:
        for _ in range(200):
            if not bench.line.closed:
                bench.line.busy(bench.micros())
                await asyncio.sleep(0.3)
                bench.line.drop()
            await asyncio.sleep(0.1)

    bench = play(script, FORCED)
    assert len(bench.lines) > 20
    assert max(rests(bench)) < 2


def test_unanswered_connections_are_counted_in_a_row() -> None:
    async def script(bench: Bench) -> None:
        for _ in range(4):
            bench.acknowledge = False
            bench.line.drop()
            await asyncio.sleep(14)
            bench.acknowledge = True
            await asyncio.sleep(12)
            await bench.pass_time(2)

    bench = play(script, FORCED)
    assert bench.merged.outbox.failures == []
    assert len(bench.lines) >= 9


def test_max_down_counts_from_the_loss() -> None:
    async def script(bench: Bench) -> None:
        for _ in range(3):
            await bench.pass_time(100)
            bench.refusals = [ExchangeDown("away") for _ in range(5)]
            bench.line.drop()
            await asyncio.sleep(25)

    bench = play(script, FORCED, max_down=60.0)
    assert bench.merged.outbox.failures == []
    assert bench.vitals.reconnects == 3


# --- one connection after another


def test_a_decoder_dies_with_its_connection() -> None:
    made: list[list[int]] = []

    def decoder() -> Any:
        read: list[int] = []
        made.append(read)

        def decode(*_: Any) -> Any:
            read.append(1)
            return []

        return decode

    kind = replace(SLOW, decoder=decoder)

    async def script(bench: Bench) -> None:
        for _ in range(2):
            bench.line.data("ticker.BTCUSDT", (1,))
            bench.line.data("ticker.ETHUSDT", (1,))
            await asyncio.sleep(0.1)
            bench.line.drop()
            await asyncio.sleep(2)

    play(script, kind, instruments=(BTC, ETH))
    assert [len(read) for read in made] == [2, 2, 0]


def test_what_another_stream_said_before_a_loss_is_not_the_state_any_more() -> None:
    leads = replace(SLOW, columns=("time", "last"))
    follows = replace(SLOW, columns=("time", "bid", "ask"), leads=False, topic=lambda _: "book")

    async def script(bench: Bench) -> None:
        bench.line.data("book", (START, 5.0, 6.0))
        bench.line.data("ticker.BTCUSDT", (START, 1.0))
        await asyncio.sleep(0.1)
        bench.line.drop()
        await asyncio.sleep(3)
        bench.line.data("ticker.BTCUSDT", (START + 3 * SECOND, 2.0))
        await asyncio.sleep(0.1)

    bench = play(script, leads, follows)
    assert [(record.last, record.bid) for record in bench.records] == [(1.0, 5.0), (2.0, None)]


def test_what_only_the_older_connection_still_brings_is_taken() -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(2)
        bench.line.say({"said": "leaving"})
        await asyncio.sleep(0.5)
        old, new = bench.lines
        new.busy(bench.micros())
        await asyncio.sleep(1)
        old.data("liquidations", forced(4))
        await asyncio.sleep(0.5)
        closed = [old.closed]
        await asyncio.sleep(1)
        assert [*closed, old.closed] == [False, True]
        new.data("liquidations", forced(5))
        await asyncio.sleep(0.1)

    bench = play(script, FORCED)
    assert [record.time for record in bench.records] == [START + 4 * SECOND, START + 5 * SECOND]


def test_an_heir_that_fails_leaves_the_older_connection_at_work() -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(2)
        first = bench.line
        bench.refusals = [ExchangeDown("away"), ConnectionLost("away")]
        first.say({"said": "leaving"})
        for second in range(60):
            first.busy(bench.micros())
            first.data("liquidations", forced(second))
            if bench.line is not first and not bench.line.closed and len(bench.lines) < 5:
                bench.line.drop()
            await asyncio.sleep(1)
            if len(bench.lines) == 5:
                break
        closed = [first.closed]
        bench.line.busy(bench.micros())
        await asyncio.sleep(3)
        assert [*closed, first.closed] == [False, True]
        await bench.pass_time(1)

    bench = play(script, FORCED)
    assert bench.of(Blind) == []
    assert (bench.vitals.reconnects, bench.states.count(State.LOST)) == (0, 0)
    assert State.RENEWED in bench.states
    assert len(bench.opened) == 7
    assert max(rests(bench)[2:]) > 1  # heirs do not follow each other at once


def test_where_an_heir_is_refused_the_older_connection_is_used_to_its_end_and_there_is_no_third_try() -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(2)
        bench.refusals = [RegionRefused("no")] * 3
        bench.line.say({"said": "leaving"})
        await bench.pass_time(30)
        bench.line.data("liquidations", forced(30))
        bench.line.drop()
        await asyncio.sleep(30)

    bench = play(script, FORCED)
    assert len(bench.records) == 1
    (blind,) = bench.of(Blind)
    assert blind.cause is Cause.DISCONNECTED
    assert [error.message for error in bench.merged.outbox.failures] == ["no"]
    assert len(bench.opened) == 2
    assert bench.states[-1] is State.REFUSED
    assert bench.vitals.wanted == bench.vitals.connections == 0


def test_a_connection_is_renewed_by_its_age_and_again() -> None:
    async def script(bench: Bench) -> None:
        for _ in range(125 * 6):
            for line in bench.lines[-2:]:
                if not line.closed:
                    line.data("ticker.BTCUSDT", (bench.micros(), 1.0, 1.0, 1.0), at=bench.micros())
            await asyncio.sleep(10)

    bench = play(script, SLOW, at=socket(life=timedelta(hours=1)))
    assert len(bench.lines) == 3
    assert rests(bench) == [pytest.approx(3_450, abs=20)] * 2
    assert bench.of(Blind) == []
    assert bench.states.count(State.RENEWED) == 2


# --- what REST is asked for


@pytest.mark.parametrize(
    ("kind", "count", "asked"),
    [
        (TAPE, 50, True),
        (TAPE, 51, False),  # their ids tell which of them missed something
        (LOOSE, 51, True),
        (channel(OHLC, cadence=60.0), 51, True),
        (SLOW, 1, False),
    ],
)
def test_after_a_loss_rest_is_asked_where_nothing_else_tells(kind: Any, count: int, asked: bool) -> None:  # noqa: FBT001
    async def script(bench: Bench) -> None:
        bench.line.busy(bench.micros())
        bench.line.data("nothing", at=bench.micros())
        await asyncio.sleep(1)
        bench.line.drop()
        await asyncio.sleep(3)
        bench.line.data("nothing", at=bench.micros())
        await bench.pass_time(4)

    bench = play(script, kind, instruments=COINS[:count], past=nothing)
    assert {symbol for symbol, _ in bench.asked} == ({one.symbol for one in COINS[:count]} if asked else set())
    assert {blind.repaired for blind in bench.of(Blind)} == {asked}
    assert (bench.vitals.gaps, bench.vitals.repaired) == ((0, 1) if asked else (1, 0))


def test_funding_is_asked_for_after_a_loss_unless_it_is_of_many() -> None:
    async def main(hours: Hours, count: int) -> int:
        bench = Bench(hours.outside(), hours.micros, SLOW, instruments=COINS[:count], past=nothing)
        (feed,) = bench.merged.feeds
        feed.plan = replace(feed.plan, dataset=FUNDING)
        feed.missed(Window(START, START + SECOND), Cause.DISCONNECTED)
        await asyncio.sleep(10)
        return len(bench.asked)

    assert run(lambda hours: main(hours, 50)) == 50
    assert run(lambda hours: main(hours, 51)) == 0


def test_trades_whose_ids_prove_nothing_are_compared_now_and_then_and_not_while_it_is_dark() -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(95)
        count = len(bench.asked)
        assert abs(count - 95 / defaults.AUDIT_SECONDS) <= 1
        bench.refusals = [ExchangeDown("away") for _ in range(100)]
        bench.line.drop()
        await asyncio.sleep(100)
        assert len(bench.asked) == count

    play(script, LOOSE, past=nothing)

    async def many(bench: Bench) -> None:
        await bench.pass_time(65)
        assert bench.asked == []

    play(many, LOOSE, instruments=COINS, past=nothing)


def test_a_tape_that_tells_everything_itself_is_not_compared() -> None:
    async def script(bench: Bench) -> None:
        for second in range(95):
            bench.line.busy(bench.micros())
            bench.line.data("trades.BTCUSDT", trade(second, second), at=bench.micros())
            await asyncio.sleep(1)
        assert bench.asked == []

    play(script, TAPE, past=nothing)


def test_while_one_stretch_is_asked_for_no_second_one_is() -> None:
    async def script(bench: Bench) -> None:
        for number in (1, 3, 5, 7, 9):
            bench.line.data("trades.BTCUSDT", trade(number, number))
            await bench.pass_time(3)
        await bench.pass_time(20)

    def slow(*_: Any) -> Repaired:
        return Repaired((), whole=False)

    bench = play(script, TAPE, past=slow)
    assert all(later.window.start >= earlier.window.start for earlier, later in zip(
        bench.of(Blind), bench.of(Blind)[1:], strict=False))  # fmt: skip
    assert sum(blind.repaired for blind in bench.of(Blind)) == 0
    told = [blind.window for blind in bench.of(Blind)]
    for number in (2, 4, 6, 8):
        assert any(START + number * SECOND in window for window in told)
    assert len(told) <= 3


# --- what is counted


def test_what_came_late_is_told_when_all_ends() -> None:
    async def script(bench: Bench) -> None:
        for _ in range(40):  # it comes four times a second, and each time is three seconds old
            bench.line.busy(bench.micros() - 3 * SECOND)
            bench.line.data("liquidations", forced(0.0), at=bench.micros() - 3 * SECOND)
            await asyncio.sleep(0.25)
        assert bench.outside.monotonic() - (bench.vitals.last or 0.0) == pytest.approx(3.0, abs=0.6)
        sent, ago = bench.clock.learnt[-1]
        assert (bench.micros() - sent) / SECOND - ago == pytest.approx(3.0, abs=0.3)

    bench = play(script, FORCED)
    (blind,) = bench.of(Blind)
    assert blind.cause is Cause.DROPPED
    assert not blind.repaired
    assert (blind.window.end - blind.window.start) / SECOND == pytest.approx(3.25, abs=0.1)


def test_silence_is_told_when_all_ends_before_it_meant_anything() -> None:
    async def script(bench: Bench) -> None:
        bench.line.busy(bench.micros())
        await asyncio.sleep(6)

    bench = play(script, FORCED)
    (blind,) = bench.of(Blind)
    assert blind.cause is Cause.SILENT
    assert (blind.window.end - blind.window.start) / SECOND == pytest.approx(6.0, abs=0.1)


def test_a_moment_without_data_is_nothing_to_tell_of_at_the_end() -> None:
    async def script(bench: Bench) -> None:
        bench.line.busy(bench.micros())
        await asyncio.sleep(2.9)

    assert play(script, FORCED).of(Blind) == []


def test_messages_are_counted_once_over_all_connections() -> None:
    async def script(bench: Bench) -> None:
        for _ in range(3):
            for _ in range(5):
                bench.line.busy(bench.micros())
                newest = bench.outside.monotonic()
                await asyncio.sleep(0.2)
            bench.line.drop()
            await asyncio.sleep(2)
        assert bench.vitals.last == pytest.approx(newest, abs=0.3)
        assert bench.vitals.connections == 1

    bench = play(script, FORCED)
    assert bench.vitals.messages == 15
    assert bench.vitals.wanted == 0


def test_frames_without_ids_are_remembered_but_not_for_ever() -> None:
    async def script(bench: Bench) -> None:
        for number in range(3_000):
            bench.line.data("liquidations", forced(number))
            if number % 100 == 0:
                await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        (feed,) = bench.merged.feeds
        assert len(feed.frames) <= defaults.KNOWN_FRAMES
        bench.line.data("liquidations", forced(2_999))
        await asyncio.sleep(0.1)

    bench = play(script, FORCED)
    assert len(bench.records) == 3_000
    assert bench.vitals.duplicates == 1


# --- the end


def test_at_the_end_what_waited_comes_and_what_is_missing_is_told() -> None:
    async def script(bench: Bench) -> None:
        bench.line.data("trades.BTCUSDT", trade(1, 1))
        bench.line.data("trades.BTCUSDT", trade(3, 3))
        await asyncio.sleep(0.1)

    for past in (None, nothing):
        bench = play(script, TAPE, past=past)
        assert ids(bench) == [1, 3]
        (blind,) = bench.of(Blind)
        assert (blind.repaired, blind.window.start) == (False, START + SECOND)


def test_a_feed_that_ends_by_itself_says_its_last_words_too() -> None:
    async def script(bench: Bench) -> None:
        bench.line.busy(START)
        bench.line.data("trades.BTCUSDT", trade(1, 1), at=START + SECOND)
        await asyncio.sleep(0.1)
        bench.refusals = [RegionRefused("no")]
        bench.line.drop()
        await asyncio.sleep(5)

    bench = play(script, TAPE, past=nothing)
    assert len(bench.merged.outbox.failures) == 1
    (blind,) = bench.of(Blind)
    assert not blind.repaired
    assert blind.window.start <= START + SECOND


def test_a_repair_that_is_cut_off_is_a_gap() -> None:
    async def script(bench: Bench) -> None:
        async def never(*_: Any, **__: Any) -> Any:
            await asyncio.Event().wait()

        (feed,) = bench.merged.feeds
        feed.repairs.repair = never
        bench.line.data("trades.BTCUSDT", trade(1, 1))
        bench.line.data("trades.BTCUSDT", trade(4, 4))
        await bench.pass_time(15)
        assert feed.repairs.jobs

    (blind,) = play(script, TAPE, past=nothing).of(Blind)
    assert (blind.repaired, blind.window) == (False, Window(START + SECOND, START + 4 * SECOND + 1))


def test_a_comparison_that_is_cut_off_is_no_gap() -> None:
    async def script(bench: Bench) -> None:
        async def never(*_: Any, **__: Any) -> Any:
            await asyncio.Event().wait()

        (feed,) = bench.merged.feeds
        feed.repairs.repair = never
        await bench.pass_time(40)
        assert feed.repairs.jobs

    assert play(script, LOOSE, past=nothing).of(Blind) == []


def test_a_closed_minute_that_is_overdue_is_asked_for_after_its_grace() -> None:
    async def script(bench: Bench) -> None:
        bench.line.data("ohlc.BTCUSDT", (START, 1.0, 2.0, 0.5, 1.5, 1.0, False))
        await asyncio.sleep(64)
        assert bench.asked == []
        await asyncio.sleep(4)
        assert bench.asked[0][1] == Window(START, START + MINUTE)

    play(script, channel(OHLC, cadence=600.0), past=nothing)
