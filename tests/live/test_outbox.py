"""What waits between feeds and a reader."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scripted_streams import BTC, ETH, channel

from marketcli.datasets import LARGE_TRADES, TRADES
from marketcli.live.events import Blind, Cause, State, Status
from marketcli.live.making import trades_of
from marketcli.live.orders import Orders
from marketcli.live.outbox import Origin, Outbox
from marketcli.models import SECOND, Instrument, Market, Window

ORIGIN = Origin("toy", Market.LINEAR, TRADES)
COLUMNS = channel(TRADES).columns


def trade(number: int, *, time: int | None = None, price: float = 100.0, **more: Any) -> Any:
    """A trade, a second after the one before unless told otherwise."""
    when = number * SECOND if time is None else time
    row = (when, str(number), price, more.get("side", "buy"), more.get("size", 1.0))
    return trades_of(more.get("instrument", BTC), COLUMNS, "stream")(row)


def test_what_is_put_in_is_taken_out_in_order() -> None:
    async def main() -> list[Any]:
        box = Outbox()
        status = Status("toy", Market.LINEAR, State.LIVE, 0, 1)
        box.put(ORIGIN, [trade(1), trade(2)])
        box.tell(status)
        box.put(ORIGIN, [trade(3)])
        return await box.take()

    found = asyncio.run(main())
    assert [getattr(one, "id", "status") for one in found] == ["1", "2", "status", "3"]


def test_a_full_outbox_drops_what_waited_longest_and_says_so_first() -> None:
    async def main() -> tuple[list[Any], Outbox]:
        box = Outbox(limit=10)
        box.tell(Status("toy", Market.LINEAR, State.LIVE, 0, 1))
        for number in range(1, 101):
            box.put(ORIGIN, [trade(number)])
        assert box.size <= 10
        return await box.take(), box

    found, box = asyncio.run(main())
    blind, status, *records = found
    assert isinstance(blind, Blind)
    assert (blind.cause, blind.rows, blind.repaired) == (Cause.DROPPED, 90, False)
    assert blind.window == Window(SECOND, 90 * SECOND + 1)
    assert isinstance(status, Status)
    assert [record.id for record in records] == [str(number) for number in range(91, 101)]
    vitals = box.health("toy", Market.LINEAR)
    assert (vitals.records, vitals.dropped, vitals.gaps) == (100, 90, 1)


def test_a_loss_is_told_once_and_batches_are_bounded() -> None:
    async def main() -> list[list[Any]]:
        box = Outbox(limit=5_000)
        for number in range(6_000):
            box.put(ORIGIN, [trade(number)])
        box.close()
        return [await box.take() for _ in range(3)]

    batches = asyncio.run(main())
    assert [sum(isinstance(one, Blind) for one in batch) for batch in batches] == [1, 0, 0]
    assert [len(batch) for batch in batches] == [2_048, 2_048, 905]


def test_a_reader_that_keeps_up_loses_nothing() -> None:
    async def main() -> tuple[int, Outbox]:
        box, came = Outbox(limit=10), 0
        for number in range(100):
            box.put(ORIGIN, [trade(number), trade(number)])
            box.tell(Status("toy", Market.LINEAR, State.LIVE, 0, 1))
            came += sum(not isinstance(one, Status) for one in await box.take())
        return came, box

    came, box = asyncio.run(main())
    assert (came, box.size, box.health("toy", Market.LINEAR).dropped) == (200, 0, 0)


def test_memory_stays_bounded_whatever_is_put_in() -> None:
    async def main() -> int:
        box = Outbox()
        for number in range(200_000):
            box.put(ORIGIN, [trade(number)])
        return sum(len(events) for _, events in box.waiting)

    assert asyncio.run(main()) <= 32_768


def test_taking_waits_and_ends_when_nothing_more_will_come() -> None:
    async def main() -> list[int]:
        box, sizes = Outbox(), []

        async def read() -> None:
            while batch := await box.take():
                sizes.append(len(batch))

        reading = asyncio.ensure_future(read())
        await asyncio.sleep(0)
        box.put(ORIGIN, [trade(1)])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        box.close()
        await reading
        return sizes

    assert asyncio.run(main()) == [1]


class Clock:
    """A clock for orders."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def orders(*trades: Any, least: float = 0.0, later: float = 1.0) -> list[Any]:
    """The orders that trades make."""
    clock = Clock()
    box = Orders(least, clock)
    for one in trades:
        box.put(Origin("toy", Market.LINEAR, LARGE_TRADES), [one])
    clock.now += later
    box.due()
    return box.rest()


def test_fills_of_one_side_at_one_time_are_one_order() -> None:
    fills = [trade(n, time=SECOND, price=price, size=n) for n, price in ((1, 100.0), (2, 101.0), (3, 103.0))]
    (found,) = orders(*fills)
    assert (found.id, found.fills, found.size, found.notional) == ("1", 3, 6.0, 611.0)
    assert found.price == pytest.approx(611 / 6)
    assert (found.worst, found.side, found.notional_usd) == (103.0, "buy", 611.0)


def test_the_worst_price_of_a_sale_is_the_lowest() -> None:
    fills = [trade(n, time=SECOND, price=price, side="sell") for n, price in ((1, 100.0), (2, 99.0))]
    assert orders(*fills)[0].worst == 99.0


def test_another_side_time_or_instrument_is_another_order() -> None:
    found = orders(
        trade(1, time=SECOND),
        trade(2, time=SECOND, instrument=ETH),
        trade(3, time=SECOND),
        trade(4, time=SECOND, side="sell"),
        trade(5, time=2 * SECOND, side="sell"),
    )
    assert sorted((one.symbol, one.id, one.fills) for one in found) == [
        ("BTC-USDT-PERP", "1", 2),
        ("BTC-USDT-PERP", "4", 1),
        ("BTC-USDT-PERP", "5", 1),
        ("ETH-USDT-PERP", "2", 1),
    ]


def test_small_orders_and_those_whose_worth_nobody_knows_are_left_out() -> None:
    euro = Instrument("toy", Market.SPOT, "BTC-EUR", "BTCEUR", "BTC", "EUR", "EUR")
    found = orders(trade(1, size=10.0), trade(2, size=9.99), trade(3, size=100.0, instrument=euro), least=1_000.0)
    assert [one.id for one in found] == ["1"]
    assert [one.notional_usd for one in orders(trade(1, instrument=euro))] == [None]


def test_an_order_waits_a_moment_for_its_fills() -> None:
    assert orders(trade(1), later=0.1) == []
    assert len(orders(trade(1), later=0.5)) == 1


def test_an_order_of_inverse_contracts_has_the_price_its_coins_were_worth() -> None:
    coin = Instrument("toy", Market.INVERSE, "B", "B", "BTC", "USD", "BTC", contract_size=100.0, inverse=True)
    make = trades_of(coin, ("time", "id", "price", "side", "size_contracts"), "stream")
    (found,) = orders(make((SECOND, "1", 100.0, "buy", 1.0)), make((SECOND, "2", 200.0, "buy", 1.0)))
    assert (found.size, found.notional) == (1.5, 200.0)
    assert found.price == pytest.approx(200 / 1.5)
