"""A feed over connections in memory, on a clock that jumps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from live.scenes import play
from scripted_streams import BTC, ETH, Bench, channel, socket
from virtual_time import START, Hours, run

from marketcli.datasets import LIQUIDATIONS, OHLC, TICKER, TRADES
from marketcli.errors import ConnectionLost, ExchangeDown, NotOffered, RateLimited, RegionRefused
from marketcli.live.events import Blind, Cause, State
from marketcli.live.repair import Repaired
from marketcli.models import MINUTE, SECOND, Window

if TYPE_CHECKING:
    from collections.abc import Callable

TAPE = channel(TRADES, consecutive=True)
LOOSE = channel(TRADES)
FORCED = channel(LIQUIDATIONS, delay=0.5)
BARS = channel(OHLC, cadence=2.0)
TICKERS = channel(TICKER, cadence=1.0)


def trade(number: int, second: float, **more: Any) -> tuple[Any, ...]:
    """A row of a trade."""
    return START + round(second * SECOND), str(number), more.get("price", 100.0), more.get("side", "buy"), 1.0


def ids(bench: Bench) -> list[int]:
    """The trades that came, in order."""
    return [int(record.id) for record in bench.records]


def test_trades_come_as_they_are_sent() -> None:
    async def script(bench: Bench) -> None:
        bench.line.data("trades.BTCUSDT", trade(1, 0.1), trade(2, 0.1))
        bench.line.data("trades.BTCUSDT", trade(3, 0.2, side="sell"))
        await asyncio.sleep(0.1)

    bench = play(script, TAPE)
    assert ids(bench) == [1, 2, 3]
    assert [record.side for record in bench.records] == ["buy", "buy", "sell"]
    assert bench.of(Blind) == []
    assert bench.vitals.records == 3


def test_the_sign_of_life_is_asked_for_where_silence_is_normal() -> None:
    async def script(_: Bench) -> None:
        await asyncio.sleep(0)

    assert play(script, TAPE).line.heard[0]["topics"] == ["trades.BTCUSDT", "busy"]
    assert play(script, TICKERS).line.heard[0]["topics"] == ["ticker.BTCUSDT"]


def test_swapped_trades_come_in_order() -> None:
    async def script(bench: Bench) -> None:
        for number in (1, 3, 2, 4):
            bench.line.data("trades.BTCUSDT", trade(number, number))
        await asyncio.sleep(0.1)

    bench = play(script, TAPE)
    assert ids(bench) == [1, 2, 3, 4]
    assert bench.vitals.gaps == bench.vitals.duplicates == 0


def test_trades_that_come_twice_are_given_once_and_counted() -> None:
    async def script(bench: Bench) -> None:
        for number in (1, 2, 2, 1, 3):
            bench.line.data("trades.BTCUSDT", trade(number, number))
        await asyncio.sleep(0.1)

    for kind in (TAPE, LOOSE):
        bench = play(script, kind)
        assert ids(bench) == [1, 2, 3]
        assert (bench.vitals.duplicates, bench.vitals.conflicts) == (2, 0)


def test_another_trade_with_a_known_id_is_a_conflict() -> None:
    async def script(bench: Bench) -> None:
        bench.line.data("trades.BTCUSDT", trade(1, 1))
        bench.line.data("trades.BTCUSDT", trade(1, 1, price=99.0))
        await asyncio.sleep(0.1)

    for kind in (TAPE, LOOSE):
        bench = play(script, kind)
        assert ids(bench) == [1]
        assert bench.vitals.conflicts == 1


def repaired(*numbers: int, whole: bool = True) -> Callable[..., Repaired]:
    """REST that knows these trades, each made at the second of its number."""
    from marketcli.live.making import trades_of  # noqa: PLC0415

    make = trades_of(BTC, TAPE.columns, "rest")

    def past(_: Any, window: Window) -> Repaired:
        rows = [trade(number, number) for number in numbers]
        return Repaired(
            [make(row) for row in rows if row[0] in Window(window.start - SECOND, window.end + SECOND)], whole
        )

    return past


def test_a_jump_of_ids_is_filled_from_rest() -> None:
    async def script(bench: Bench) -> None:
        bench.line.data("trades.BTCUSDT", trade(1, 1))
        bench.line.data("trades.BTCUSDT", trade(4, 4))
        await bench.pass_time(10)
        bench.line.data("trades.BTCUSDT", trade(5, 11))
        await asyncio.sleep(0.1)

    bench = play(script, TAPE, past=repaired(1, 2, 3, 4))
    assert sorted(ids(bench)) == [1, 2, 3, 4, 5]
    assert [(b.cause, b.repaired, b.rows) for b in bench.of(Blind)] == [(Cause.SKIPPED, True, 2)]
    assert [record.source for record in bench.records if record.id in {"2", "3"}] == ["rest", "rest"]


def test_a_jump_that_rest_cannot_fill_is_told() -> None:
    async def script(bench: Bench) -> None:
        bench.line.data("trades.BTCUSDT", trade(1, 1))
        bench.line.data("trades.BTCUSDT", trade(4, 4))
        await bench.pass_time(30)

    bench = play(script, TAPE, past=repaired(1, 2, 4))
    assert sorted(ids(bench)) == [1, 2, 4]
    (blind,) = bench.of(Blind)
    assert (blind.repaired, blind.symbols, blind.window) == (
        False,
        ("BTC-USDT-PERP",),
        Window(START + SECOND, START + 4 * SECOND + 1),
    )
    assert bench.vitals.gaps == 1


def test_after_a_loss_the_trades_between_come_from_rest() -> None:
    async def script(bench: Bench) -> None:
        bench.line.busy(START)
        bench.line.data("trades.BTCUSDT", trade(1, 1), at=START + SECOND)
        await asyncio.sleep(1)
        bench.refusals = [RateLimited("slow", retry_after=4.0)]
        bench.line.drop()
        await bench.pass_time(10)
        bench.line.data("trades.BTCUSDT", trade(4, 11), at=bench.micros())
        await bench.pass_time(5)

    for kind in (TAPE, LOOSE):
        bench = play(script, kind, past=repaired(1, 2, 3))
        assert sorted(ids(bench)) == [1, 2, 3, 4]
        (blind,) = bench.of(Blind)
        assert (blind.cause, blind.repaired, blind.rows) == (Cause.DISCONNECTED, True, 2)
        assert bench.vitals.reconnects == 1


def test_liquidations_missed_lie_in_a_blind_interval() -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(10)
        bench.line.drop()
        await asyncio.sleep(5)
        await bench.pass_time(5)

    bench = play(script, FORCED, everything=True)
    (blind,) = bench.of(Blind)
    assert (blind.repaired, blind.symbols, blind.cause) == (False, (), Cause.DISCONNECTED)
    assert blind.window.start <= START + 10 * SECOND
    assert blind.window.end + SECOND >= START + 15 * SECOND
    assert blind.window.end - blind.window.start < 8 * SECOND


def forced(native: str = "BTCUSDT", second: float = 1.0) -> tuple[Any, ...]:
    """A row of a liquidation."""
    return native, START + round(second * SECOND), "long", 100.0, 1.0


def test_equal_liquidations_of_one_message_are_all_kept_and_a_repeated_message_is_not() -> None:
    async def script(bench: Bench) -> None:
        bench.line.data("liquidations", forced(), forced(), forced("ETHUSDT"))
        bench.line.data("liquidations", forced(), forced(), forced("ETHUSDT"))
        bench.line.data("liquidations", forced("XYZ"))
        await asyncio.sleep(0.1)

    bench = play(script, FORCED, instruments=(BTC, ETH), everything=True)
    found = [(record.symbol, record.nth) for record in bench.records]
    assert found == [("BTC-USDT-PERP", 0), ("BTC-USDT-PERP", 1), ("ETH-USDT-PERP", 0)]
    assert (bench.vitals.duplicates, bench.vitals.unlisted) == (1, 1)


def test_only_the_instruments_that_were_named_come() -> None:
    async def script(bench: Bench) -> None:
        bench.line.data("liquidations", forced(), forced("ETHUSDT"))
        await asyncio.sleep(0.1)

    bench = play(script, FORCED, instruments=(ETH,))
    assert [record.symbol for record in bench.records] == ["ETH-USDT-PERP"]
    assert bench.vitals.unlisted == 0


def test_a_connection_that_acknowledges_and_stays_silent_is_given_up_in_time() -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(5)
        await bench.pass_time(12, busy=False)
        assert len(bench.lines) == 2
        await bench.pass_time(5)

    bench = play(script, FORCED, everything=True)
    (blind,) = bench.of(Blind)
    assert blind.cause is Cause.SILENT
    assert blind.window.start <= START + 5 * SECOND
    lost = [event for event in bench.of(type(bench.of(object)[0])) if getattr(event, "state", None) is State.LOST]
    assert "stands" in lost[0].text


def test_a_topic_that_falls_silent_beside_others_is_noticed() -> None:
    async def script(bench: Bench) -> None:
        for second in range(40):
            bench.line.data("ticker.BTCUSDT", (bench.micros(), 1.0, 1.0, 1.0), at=bench.micros())
            if second < 10:
                bench.line.data("ticker.ETHUSDT", (bench.micros(), 1.0, 1.0, 1.0), at=bench.micros())
            await asyncio.sleep(1)

    bench = play(script, TICKERS, instruments=(BTC, ETH))
    assert len(bench.lines) > 1
    assert bench.of(Blind)[0].window.start <= START + 10 * SECOND


def test_no_acknowledgement_is_tried_three_times() -> None:
    async def main(hours: Hours) -> Bench:
        bench = Bench(hours.outside(), hours.micros, TAPE)
        bench.acknowledge = False
        async with bench.merged:
            await bench.pump()
        return bench

    bench = run(main)
    assert len(bench.lines) == 3
    assert "acknowledged" in bench.merged.outbox.failures[0].message
    assert bench.merged.outbox.failures[0].exit == 5


def test_a_refusal_ends_the_feed_with_the_exchanges_words() -> None:
    async def main(hours: Hours) -> Bench:
        bench = Bench(hours.outside(), hours.micros, TAPE)
        bench.acknowledge = False
        async with bench.merged:
            pumping = asyncio.ensure_future(bench.pump())
            await asyncio.sleep(1)
            bench.line.say({"said": "refused", "request": 1, "text": "no such thing: trades.BTCUSDT"})
            await pumping
        return bench

    bench = run(main)
    (error,) = bench.merged.outbox.failures
    assert isinstance(error, NotOffered)
    assert "no such thing" in error.message
    assert len(bench.lines) == 1


def test_one_refused_topic_leaves_the_others_and_is_not_asked_for_again() -> None:
    async def main(hours: Hours) -> Bench:
        bench = Bench(hours.outside(), hours.micros, TICKERS, instruments=(BTC, ETH))
        bench.acknowledge = False
        async with bench.merged:
            pumping = asyncio.ensure_future(bench.pump())
            await asyncio.sleep(0.2)
            bench.line.say({"said": "refused", "topic": "ticker.ETHUSDT", "text": "no"})
            bench.line.say({"said": "accepted", "topic": "ticker.BTCUSDT"})
            bench.line.data("ticker.BTCUSDT", (START, 1.0, 1.0, 1.0))
            await asyncio.sleep(0.1)
            bench.line.drop()
            await asyncio.sleep(3)
            await bench.merged.stop()
            await pumping
        return bench

    bench = run(main)
    assert [line.heard[0]["topics"] for line in bench.lines] == [
        ["ticker.BTCUSDT", "ticker.ETHUSDT"],
        ["ticker.BTCUSDT"],
    ]
    assert len(bench.records) == 1
    assert bench.states.count(State.REFUSED) == 1
    (error,) = bench.merged.outbox.failures
    assert error.message == "The exchange refused the stream ticker.ETHUSDT: no."


def test_what_is_refused_is_not_asked_of_rest_either() -> None:
    async def main(hours: Hours) -> Bench:
        bench = Bench(
            hours.outside(), hours.micros, BARS, instruments=(BTC, ETH), past=lambda *_: Repaired((), whole=True)
        )
        bench.acknowledge = False
        async with bench.merged:
            pumping = asyncio.ensure_future(bench.pump())
            await asyncio.sleep(0.2)
            bench.line.say({"said": "refused", "topic": "ohlc.ETHUSDT", "text": "no"})
            bench.line.say({"said": "accepted", "topic": "ohlc.BTCUSDT"})
            bench.line.data("ohlc.BTCUSDT", (START, 1.0, 1.0, 1.0, 1.0, 1.0, False))
            await bench.pass_time(3)
            bench.acknowledge = True
            bench.line.drop()
            await bench.pass_time(100)
            await bench.merged.stop()
            await pumping
        return bench

    assert {symbol for symbol, _ in run(main).asked} == {"BTC-USDT-PERP"}


def failing(*_: Any) -> Any:
    """A mistake of ours."""
    raise ZeroDivisionError


@pytest.mark.parametrize("where", ["lane", "repair"])
def test_a_mistake_beside_the_connection_is_not_silent(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(hours: Hours) -> None:
        bench = Bench(hours.outside(), hours.micros, TAPE, past=failing)
        async with bench.merged:
            pumping = asyncio.ensure_future(bench.pump())
            await asyncio.sleep(0.2)
            bench.line.data("trades.BTCUSDT", trade(1, 0.1), trade(5, 0.2))
            if where == "lane":
                monkeypatch.setattr(bench.merged.feeds[0].lanes["BTCUSDT"], "release", failing)
            await asyncio.wait([pumping], timeout=20)
            with pytest.raises(ZeroDivisionError):
                pumping.result()

    run(main)


def test_a_request_that_is_refused_as_a_whole_is_made_smaller_until_the_bad_topic_is_found() -> None:
    coins = tuple(replace(BTC, native=f"C{place}", symbol=f"C{place}-USDT-PERP") for place in range(10))
    slow = channel(TICKER, cadence=60.0)

    async def main(hours: Hours) -> Bench:
        bench = Bench(hours.outside(), hours.micros, slow, instruments=coins, at=socket(batch=10))
        bench.acknowledge = False
        async with bench.merged:
            pumping = asyncio.ensure_future(bench.pump())
            answered = 0
            for _ in range(50):
                await asyncio.sleep(0.2)
                for asked in bench.line.heard[answered:]:
                    said = "refused" if "ticker.C7" in asked["topics"] else "accepted"
                    bench.line.say({"said": said, "request": asked["number"], "text": "no"})
                    answered += 1
            bench.line.data("ticker.C3", (START, 1.0, 1.0, 1.0))
            await asyncio.sleep(0.2)
            await bench.merged.stop()
            await pumping
        return bench

    bench = run(main)
    assert len(bench.lines) == 1
    assert [len(asked["topics"]) for asked in bench.line.heard] == [10, 5, 5, 2, 3, 1, 2]
    assert [error.message for error in bench.merged.outbox.failures] == [
        "The exchange refused the stream ticker.C7: no."
    ]
    assert len(bench.records) == 1


@pytest.mark.parametrize("error", [RegionRefused("no"), NotOffered("no")])
def test_what_no_trying_mends_ends_the_feed_at_once(error: Any) -> None:
    async def main(hours: Hours) -> Bench:
        bench = Bench(hours.outside(), hours.micros, TAPE)
        bench.refusals = [error]
        async with bench.merged:
            await bench.pump()
        return bench

    bench = run(main)
    assert bench.merged.outbox.failures == [error]
    assert len(bench.opened) == 1


def test_an_exchange_that_is_away_is_tried_ever_less_often_and_waits_out_what_it_was_told() -> None:
    async def main(hours: Hours) -> Bench:
        bench = Bench(hours.outside(), hours.micros, TAPE)
        bench.refusals = [ExchangeDown("down")] * 40 + [RateLimited("slow", retry_after=90.0)]
        async with bench.merged:
            pumping = asyncio.ensure_future(bench.pump())
            await asyncio.sleep(2_000)
            pumping.cancel()
        return bench

    bench = run(main)
    rests = [later - earlier for earlier, later in zip(bench.opened, bench.opened[1:], strict=False)]
    assert max(rests[:40]) <= 30.2
    assert max(rests[8:40]) > 10
    assert rests[40] >= 90


def test_max_down_ends_the_feed() -> None:
    async def main(hours: Hours) -> Bench:
        bench = Bench(hours.outside(), hours.micros, TAPE, max_down=60.0)
        bench.refusals = [ExchangeDown("down")] * 1_000
        async with bench.merged:
            await bench.pump()
        assert hours.passed() == pytest.approx(60, abs=0.5)
        return bench

    (error,) = run(main).merged.outbox.failures
    assert error.exit == 5
    assert "--max-down" in error.message


def test_a_connection_is_renewed_before_its_life_ends_without_a_gap() -> None:
    async def script(bench: Bench) -> None:
        for second in range(2 * 3_600 + 600):
            for line in bench.lines:
                if not line.closed:
                    line.data("trades.BTCUSDT", trade(second, second), at=bench.micros())
            await asyncio.sleep(1)

    bench = play(script, TAPE, at=socket(life=timedelta(hours=2)))
    assert len(bench.lines) == 2
    assert ids(bench) == list(range(2 * 3_600 + 600))
    assert bench.of(Blind) == []
    assert State.RENEWED in bench.states
    assert bench.vitals.reconnects == 0


def test_a_notice_of_the_exchange_brings_a_successor_at_once() -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(5)
        bench.line.say({"said": "leaving"})
        await bench.pass_time(5)
        assert len(bench.lines) == 2
        assert bench.lines[0].closed
        await bench.pass_time(5)

    bench = play(script, FORCED, everything=True)
    assert bench.of(Blind) == []


def test_garbage_is_counted_and_much_of_it_ends_the_connection() -> None:
    async def script(bench: Bench) -> None:
        for frame in (b"{", b"<html>", b"\xff", b"[1]"):
            bench.line.say(frame)
        await bench.pass_time(5)
        assert len(bench.lines) == 1
        bench.line.say(b"nonsense")
        await bench.pass_time(5)

    bench = play(script, TAPE)
    assert bench.vitals.garbage == 5
    assert len(bench.lines) == 2


def bar(minute: int, *, closed: bool | None, volume: float = 1.0) -> tuple[Any, ...]:
    """A row of a candle."""
    return START + minute * MINUTE, 1.0, 2.0, 0.5, 1.5, volume, closed


def test_closed_candles_come_once_and_open_ones_as_they_change() -> None:
    async def script(bench: Bench) -> None:
        for row in (bar(0, closed=False), bar(0, closed=False, volume=2.0), bar(0, closed=False), bar(0, closed=True)):
            bench.line.data("ohlc.BTCUSDT", row)
        bench.line.data("ohlc.BTCUSDT", bar(0, closed=True), bar(1, closed=False))
        bench.line.data("ohlc.BTCUSDT", bar(0, closed=False))
        await asyncio.sleep(0.1)

    bench = play(script, BARS)
    found = [((record.time - START) // MINUTE, record.volume_base, record.closed) for record in bench.records]
    assert found == [(0, 1.0, False), (0, 2.0, False), (0, 1.0, True), (1, 1.0, False)]


def candles(*minutes: int) -> Callable[..., Repaired]:
    """REST that knows these closed candles."""
    from marketcli.live.making import candles_of  # noqa: PLC0415
    from marketcli.models import Interval  # noqa: PLC0415

    make = candles_of(BTC, BARS.columns, "rest", interval=Interval(1, "m"))
    return lambda _, window: Repaired(
        [make(bar(minute, closed=True)) for minute in minutes if START + minute * MINUTE in window], whole=True
    )


def test_a_candle_that_never_closes_comes_from_rest() -> None:
    async def script(bench: Bench) -> None:
        for second in range(200):
            minute = (bench.micros() - START) // MINUTE
            bench.line.data("ohlc.BTCUSDT", bar(minute, closed=False, volume=second))
            await asyncio.sleep(1)

    bench = play(script, BARS, past=candles(0, 1, 2, 3))
    closed = [(record.time - START) // MINUTE for record in bench.records if record.closed]
    assert closed == [0, 1, 2]
    assert all(blind.repaired for blind in bench.of(Blind))


def test_a_candle_that_rest_lacks_too_is_told() -> None:
    async def script(bench: Bench) -> None:
        bench.line.data("ohlc.BTCUSDT", bar(0, closed=True))
        bench.line.data("ohlc.BTCUSDT", bar(2, closed=True))
        await asyncio.sleep(150)

    bench = play(script, channel(OHLC, cadence=200.0), past=candles(0, 2))
    (blind,) = [one for one in bench.of(Blind) if one.window.start == START + MINUTE][:1]
    assert (blind.repaired, blind.window) == (False, Window(START + MINUTE, START + 2 * MINUTE))


def test_a_state_forgets_what_was_said_before_a_loss() -> None:
    async def script(bench: Bench) -> None:
        bench.line.data("ticker.BTCUSDT", (START, 1.0, 5.0, 6.0), at=START)
        await asyncio.sleep(0.1)
        bench.line.drop()
        await asyncio.sleep(3)
        bench.line.data("ticker.BTCUSDT", (START + 3 * SECOND, 2.0, None, 6.5), at=bench.micros())
        bench.line.data("ticker.BTCUSDT", (START + 1 * SECOND, 9.0, None, 6.5), at=bench.micros())
        await asyncio.sleep(0.1)

    bench = play(script, TICKERS)
    assert [(record.last, record.bid) for record in bench.records] == [(1.0, 5.0), (2.0, None)]


def test_trades_without_telling_ids_are_compared_with_rest() -> None:
    async def script(bench: Bench) -> None:
        for second in range(1, 80):
            if second not in {20, 21}:
                bench.line.data("trades.BTCUSDT", trade(second, second), at=bench.micros())
            await asyncio.sleep(1)

    bench = play(script, LOOSE, past=repaired(*range(80)))
    assert sorted(ids(bench)) == list(range(1, 80))
    (blind,) = bench.of(Blind)
    assert (blind.cause, blind.repaired, blind.rows) == (Cause.SKIPPED, True, 2)
    assert len(bench.lines) == 1


def test_a_dead_topic_beside_a_sign_of_life_is_found_out_by_rest() -> None:
    async def script(bench: Bench) -> None:
        bench.line.data("trades.BTCUSDT", trade(1, 1), at=bench.micros())
        await bench.pass_time(75)

    for kind in (TAPE, LOOSE):
        bench = play(script, kind, past=repaired(*range(1, 60)))
        assert len(bench.lines) > 1
        assert sorted(ids(bench))[:25] == list(range(1, 26))
        quiet = play(script, kind, past=repaired(1))
        assert len(quiet.lines) == 1
        assert quiet.of(Blind) == []


def test_of_a_silent_tape_rest_is_asked_ever_less_often() -> None:
    async def script(bench: Bench) -> None:
        bench.line.data("trades.BTCUSDT", trade(1, 1))
        await bench.pass_time(1_000)

    bench = play(script, TAPE, past=repaired(1))
    assert len(bench.asked) == 5  # after 30, 60, 120, 240 and 480 seconds more
    assert bench.of(Blind) == []


def test_closing_a_healthy_connection_leaves_no_gap() -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(5)

        async def close() -> None:
            bench.line.drop("closed (1000)")
            await asyncio.sleep(0.5)

        bench.line.close = close  # type: ignore[method-assign]

    bench = play(script, FORCED, everything=True)
    assert bench.of(Blind) == []
    assert State.LOST not in bench.states


def test_a_channel_that_follows_is_heard_at_once_when_it_says_what_was_not_known() -> None:
    async def script(bench: Bench) -> None:
        bench.line.data("ticker.BTCUSDT.bid", (START, 5.0))
        bench.line.data("ticker.BTCUSDT", (START, 1.0))
        bench.line.data("ticker.BTCUSDT.bid", (START + SECOND, 6.0))
        bench.line.data("ticker.BTCUSDT", (START + SECOND, 2.0))
        await asyncio.sleep(0.1)

    leads = replace(TICKERS, columns=("time", "last"))
    follows = replace(TICKERS, columns=("time", "bid"), leads=False, topic=lambda query: TICKERS.topic(query) + ".bid")
    bench = play(script, leads, follows)
    assert [(record.last, record.bid) for record in bench.records] == [(1.0, 5.0), (2.0, 6.0)]

    async def late(bench: Bench) -> None:
        bench.line.data("ticker.BTCUSDT", (START, 1.0))
        bench.line.data("ticker.BTCUSDT.bid", (START, 5.0))
        bench.line.data("ticker.BTCUSDT.bid", (START + SECOND, 6.0))
        await asyncio.sleep(0.1)

    bench = play(late, leads, follows)
    assert [(record.last, record.bid) for record in bench.records] == [(1.0, None), (1.0, 5.0)]


def test_what_is_dark_at_the_end_is_told() -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(5)
        bench.refusals = [ConnectionLost("no")] * 1_000
        bench.line.drop()
        await asyncio.sleep(60)

    bench = play(script, FORCED, everything=True)
    (blind,) = bench.of(Blind)
    assert not blind.repaired
    assert blind.window.end >= START + 64 * SECOND
    bench = play(script, TAPE, past=repaired())
    (blind,) = bench.of(Blind)
    assert not blind.repaired
