"""What a stream missed and REST has: filled, marked, and never taken for whole where it is not."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from inside_feeds import Place, place
from scripted_streams import BTC, ETH, channel
from virtual_time import START, Hours, run

from marketcli.api.live import Watch
from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, TRADES
from marketcli.errors import ExchangeDown, MarketError
from marketcli.exchanges import load, names, simulator
from marketcli.live.events import Blind, Cause
from marketcli.live.making import trades_of
from marketcli.live.outbox import Origin, Outbox
from marketcli.live.repair import Repaired, Repairs
from marketcli.live.tape import Named, Numbered
from marketcli.models import MINUTE, SECOND, Interval, Market, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.live.lanes import Lane
    from marketcli.models import Instrument

LINEAR, SPOT, INVERSE = Market.LINEAR, Market.SPOT, Market.INVERSE
MINUTES = Interval(1, "m")
TAPE = channel(TRADES, consecutive=True)
ORIGIN = Origin("toy", LINEAR, TRADES)
QUIET = {LINEAR: "ADA-USDT-PERP", SPOT: "SOL-USDT", INVERSE: "SOL-USD-PERP"}
THERE = {LINEAR: "SOL-USDC-PERP", SPOT: "USOL-USDC"}
EVERYWHERE = [(name, market) for name in names() for market in load(name).markets]
DARK = 8.0  # seconds without a connection


def symbol(name: str, market: Market) -> str:
    """What is watched there: something that trades little."""
    return THERE[market] if name == "hyperliquid" else QUIET[market]


def broken(
    name: str, *, before: float = 10.0, after: float = 40.0, faults: Sequence[str] = (), dark: float = DARK, **what: Any
) -> Place:
    """Watch, lose the connection for some seconds, and go on; `faults` are those of REST meanwhile."""

    async def main(hours: Hours) -> Place:
        async with place(hours) as here, here.watching(name, watch=Watch(**what)):
            await asyncio.sleep(before)
            here.floor.set_faults(["ws_drop:frames=1,mode=reset", "ws_refuse:status=503", *faults])
            await asyncio.sleep(dark)
            here.floor.set_faults(list(faults))
            await asyncio.sleep(after)
            here.floor.set_faults([])
        return here

    return run(main)


def truth(here: Place, name: str, market: Market, window: Window) -> Counter[tuple[Any, ...]]:
    """The world's trades of what was watched."""
    found = simulator(name)
    assert found is not None
    native = here.records[0].native
    one = next(each for each in found.listings(here.floor.world, market) if found.native(each) == native)
    return Counter((row.time, row.price, round(row.size, 9), row.taker) for row in here.floor.world.trades(one, window))


def came(here: Place, window: Window) -> Counter[tuple[Any, ...]]:
    """The trades that came."""
    rows = [record for record in here.records if record.time in window]
    return Counter((row.time, row.price, round(row.size, 9), row.side) for row in rows)


# --- through the exchanges' own REST


@pytest.mark.parametrize(("name", "market"), EVERYWHERE)
def test_trades_missed_come_from_rest_and_are_marked(name: str, market: Market) -> None:
    here = broken(name, dataset=TRADES, symbols=(symbol(name, market),), market=market)
    window = Window(START + 2 * SECOND, START + 40 * SECOND)
    missing = truth(here, name, market, window) - came(here, window)
    assert came(here, window) - truth(here, name, market, window) == Counter()
    (blind,) = here.of(Blind)
    assert blind.cause is Cause.DISCONNECTED
    assert DARK - 1 < (blind.window.end - blind.window.start) / SECOND < 30
    if name == "hyperliquid":  # it lists the newest ten trades: whether that was all depends on how many there were
        assert blind.repaired or all(row[0] in blind.window for row in missing)
        assert blind.repaired <= (missing == Counter())
        return
    assert missing == Counter()
    assert blind.repaired
    rest = [record for record in here.records if record.source == "rest"]
    assert len(rest) == blind.rows > 0
    assert all(blind.window.start - SECOND <= record.time < blind.window.end + SECOND for record in rest)


def test_trades_that_rest_lists_no_more_are_told_as_missing() -> None:
    # Bybit's spot has the newest sixty trades, and BTC has that many in a second.
    here = broken("bybit", dataset=TRADES, symbols=("BTC-USDT",), market=SPOT)
    (blind,) = here.of(Blind)
    assert not blind.repaired
    window = Window(START + 2 * SECOND, START + 40 * SECOND)
    missing = truth(here, "bybit", SPOT, window) - came(here, window)
    assert missing
    assert all(row[0] in blind.window for row in missing)


def test_a_dead_topic_is_found_out_though_rest_lists_only_what_is_newer() -> None:
    async def main(hours: Hours) -> Place:
        async with place(hours) as here, here.watching("bybit", watch=Watch(TRADES, ("BTC-USDT",), SPOT)):
            await asyncio.sleep(10)
            here.floor.set_faults(["ws_stall:after=0,topic=publicTrade"])
            await asyncio.sleep(70)
            here.floor.set_faults([])
            await asyncio.sleep(20)
        return here

    here = run(main)
    dark = [blind for blind in here.of(Blind) if not blind.repaired]
    assert Cause.SILENT in {blind.cause for blind in dark}
    window = Window(START + 2 * SECOND, START + 70 * SECOND)
    missing = truth(here, "bybit", SPOT, window) - came(here, window)
    assert missing
    assert all(any(row[0] in blind.window for blind in dark) for row in missing)


@pytest.mark.parametrize("name", ["binance", "okx", "bybit"])
def test_rest_that_fails_leaves_a_gap_that_is_told(name: str) -> None:
    here = broken(name, dataset=TRADES, symbols=(symbol(name, LINEAR),), faults=["http451"])
    blinds = here.of(Blind)  # that the connection was lost, and where ids say so what they jumped over
    assert {(blind.repaired, blind.rows, blind.symbols) for blind in blinds} == {(False, 0, (symbol(name, LINEAR),))}
    window = Window(START + 2 * SECOND, START + 50 * SECOND)
    missing = truth(here, name, LINEAR, window) - came(here, window)
    assert missing
    assert all(row[0] in blinds[0].window for row in missing)


def test_rest_that_recovers_in_time_fills_the_gap_after_all() -> None:
    here = broken("binance", dataset=TRADES, symbols=(symbol("binance", LINEAR),), faults=["http451:first=2"])
    assert [blind.repaired for blind in here.of(Blind)] == [True]
    window = Window(START + 2 * SECOND, START + 40 * SECOND)
    assert truth(here, "binance", LINEAR, window) == came(here, window)


@pytest.mark.parametrize(("name", "market"), EVERYWHERE)
def test_candles_missed_come_from_rest_and_are_marked(name: str, market: Market) -> None:
    here = broken(
        name,
        dataset=OHLC,
        symbols=(symbol(name, market),),
        market=market,
        interval=MINUTES,
        before=70.0,
        dark=130.0,
        after=60.0,
    )
    closed = [record for record in here.records if record.closed]
    assert [record.time for record in sorted(closed, key=lambda record: record.time)] == [
        START + number * MINUTE for number in range(4)
    ]
    assert {blind.repaired for blind in here.of(Blind)} == {True}
    found = simulator(name)
    assert found is not None
    one = next(
        each for each in found.listings(here.floor.world, market) if found.native(each) == here.records[0].native
    )
    rows = {row.time: row for row in here.floor.world.candles(one, MINUTES, Window(START, START + 4 * MINUTE))}
    for record in closed:
        row = rows[record.time]
        assert (record.open, record.high, record.low, record.close) == (row.open, row.high, row.low, row.close)
    assert {record.source for record in closed if record.time in {START + MINUTE, START + 2 * MINUTE}} == {"rest"}


@pytest.mark.parametrize("name", names())
def test_funding_is_asked_for_after_a_loss(name: str) -> None:
    here = broken(name, dataset=FUNDING, symbols=(symbol(name, LINEAR),), before=61.0)
    (blind,) = here.of(Blind)
    assert (blind.repaired, blind.rows) == (True, 1)
    assert all(record.rate is not None for record in here.records)


def test_liquidations_have_no_rest_and_say_so() -> None:
    here = broken("bybit", dataset=LIQUIDATIONS, symbols=("BTC",))
    (blind,) = here.of(Blind)
    assert (blind.repaired, blind.cause, blind.symbols) == (False, Cause.DISCONNECTED, ("BTC-USDT-PERP",))


# --- the engine of repairs


class Bench:
    """Repairs of the toy, whose REST is a function of the test."""

    def __init__(self, hours: Hours, past: Any, *, turns: int = 4) -> None:
        self.hours = hours
        self.outbox = Outbox()
        self.vitals = self.outbox.health("toy", LINEAR)
        self.repairs = Repairs(
            ORIGIN,
            past,
            dataset=TRADES,
            interval=None,
            outbox=self.outbox,
            outside=hours.outside(),
            now=hours.micros,
            turns=asyncio.Semaphore(turns),
        )

    def lane(self, instrument: Instrument = BTC, *numbers: int, kind: type[Named] = Numbered) -> Named:
        """A lane through which these trades have come."""
        lane = kind(instrument, trades_of(instrument, TAPE.columns, "stream"), self.vitals)
        lane.take([row(number) for number in numbers], TAPE)
        lane.release(0.0)
        lane.release(10.0)
        return lane

    async def done(self) -> tuple[list[Blind], list[Any]]:
        """What was told, and the records, when all is through."""
        await asyncio.gather(*self.repairs.jobs.values())
        events: list[Any] = self.outbox.rest()
        told = [event for event in events if isinstance(event, Blind)]
        return told, [event for event in events if not isinstance(event, Blind)]


def row(number: int) -> tuple[Any, ...]:
    """A trade at the second of its number."""
    return START + number * SECOND, str(number), 100.0, "buy", 1.0


def past(*numbers: int, instrument: Instrument = BTC) -> list[Any]:
    """Trades as REST has them."""
    return [trades_of(instrument, TAPE.columns, "rest")(row(number)) for number in numbers]


WINDOW = Window(START + SECOND, START + 4 * SECOND + 1)


def test_each_instrument_is_filled_or_told_by_itself() -> None:
    async def main(hours: Hours) -> tuple[list[Blind], list[Any], Bench]:
        async def asked(_: Any, instrument: Instrument, **__: Any) -> Repaired:
            return Repaired(past(2, 3, instrument=instrument) if instrument is BTC else [], whole=instrument is BTC)

        bench = Bench(hours, asked)
        bench.repairs.start([bench.lane(BTC, 1, 4), bench.lane(ETH, 1, 4)], WINDOW, Cause.DISCONNECTED)
        return *await bench.done(), bench

    told, records, bench = run(main)
    assert [(blind.symbols, blind.repaired, blind.rows) for blind in told] == [
        (("BTC-USDT-PERP",), True, 2),
        (("ETH-USDT-PERP",), False, 0),
    ]
    assert [record.id for record in records] == ["2", "3"]
    assert (bench.vitals.gaps, bench.vitals.repaired) == (1, 1)


@pytest.mark.parametrize(
    ("answers", "repaired", "rows", "count"),
    [
        ([ExchangeDown("away"), ([2, 3], True)], True, 2, 2),
        ([([2], True), ([2, 3], True)], True, 2, 2),  # the second has what the first lacked
        ([([2, 3], False), ([2, 3], True)], True, 2, 2),  # complete by its ids, but REST says that it is cut
        ([([2], True)] * 9, False, 1, 3),
        ([ExchangeDown("away")] * 9, False, 0, 3),
        ([([2, 3], False)] * 9, False, 2, 3),
    ],
)
def test_rest_is_asked_three_times_with_a_rest_between(
    answers: list[Any],
    repaired: bool,  # noqa: FBT001 - pytest's
    rows: int,
    count: int,
) -> None:
    moments: list[float] = []

    async def main(hours: Hours) -> tuple[list[Blind], list[Any]]:
        async def asked(*_: Any, **__: Any) -> Repaired:
            moments.append(hours.passed())
            found = answers[len(moments) - 1]
            if isinstance(found, MarketError):
                raise found
            return Repaired(past(*found[0]), whole=found[1])

        bench = Bench(hours, asked)
        lane = bench.lane(BTC, 1, 4)
        bench.repairs.start([lane], WINDOW, Cause.SKIPPED)
        assert bench.repairs.busy(lane)
        told = await bench.done()
        assert lane.settled(WINDOW)  # filled, or given up
        return told

    ((blind,), records) = run(main)
    assert (blind.repaired, blind.rows, len(records)) == (repaired, rows, rows)
    assert len(moments) == count
    assert moments[0] >= 4 + 2  # REST lists a trade a moment after it was made
    assert all(later - earlier >= 1.999 for earlier, later in pairwise(moments))


def test_no_more_than_some_are_asked_at_once() -> None:
    async def main(hours: Hours) -> int:
        running = most = 0

        async def asked(*_: Any, **__: Any) -> Repaired:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(1)
            running -= 1
            return Repaired((), whole=True)

        bench = Bench(hours, asked, turns=3)
        bench.repairs.start([bench.lane() for _ in range(12)], WINDOW, Cause.DISCONNECTED)
        await bench.done()
        return most

    assert run(main) == 3


def test_what_is_under_way_at_the_end_is_told_as_missing_once() -> None:
    async def main(hours: Hours) -> tuple[list[Blind], list[Any]]:
        async def asked(*_: Any, **__: Any) -> Repaired:
            return await asyncio.Event().wait()  # type: ignore[return-value]

        bench = Bench(hours, asked)
        bench.repairs.start([bench.lane(BTC, 1, 4)], WINDOW, Cause.SKIPPED)
        await asyncio.sleep(60)
        await bench.repairs.stop()
        return await bench.done()

    ((blind,), records) = run(main)
    assert (blind.repaired, blind.cause, blind.window, records) == (False, Cause.SKIPPED, WINDOW, [])


def test_without_rest_a_stretch_is_told_at_once() -> None:
    async def main(hours: Hours) -> tuple[list[Blind], list[Any]]:
        bench = Bench(hours, None)
        bench.repairs.start([bench.lane()], WINDOW, Cause.DISCONNECTED)
        bench.repairs.audit(bench.lane(), WINDOW, lambda: True)
        return await bench.done()

    ((blind,), _) = run(main)
    assert not blind.repaired


def test_a_comparison_tells_only_what_was_missing_inside_its_stretch() -> None:
    def compared(known: Sequence[int], found: Repaired | MarketError) -> tuple[list[Blind], list[Any], int]:
        calls: list[int] = []
        asks: list[int] = []

        async def main(hours: Hours) -> tuple[list[Blind], list[Any]]:
            async def asked(*_: Any, **__: Any) -> Repaired:
                asks.append(1)
                if isinstance(found, MarketError):
                    raise found
                return found

            def found_out() -> bool:
                calls.append(1)
                return False

            bench = Bench(hours, asked)
            lane: Lane = bench.lane(BTC, *known, kind=Named)
            bench.repairs.audit(lane, WINDOW, found_out)
            bench.repairs.audit(lane, WINDOW, found_out)
            return await bench.done()

        told, records = run(main)
        assert len(asks) == 1  # not again while the first is under way
        return told, records, len(calls)

    assert compared([1, 2, 3, 4], Repaired(past(0, 1, 2, 3, 4, 5), whole=True)) == ([], [], 0)
    assert compared([1], ExchangeDown("away")) == ([], [], 0)
    told, records, calls = compared([1, 4], Repaired(past(0, 1, 2, 3, 4, 5), whole=True))
    assert [(blind.cause, blind.repaired, blind.rows) for blind in told] == [(Cause.SKIPPED, True, 2)]
    assert ([record.id for record in records], calls) == (["2", "3"], 1)
