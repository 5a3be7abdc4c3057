"""What OKX's sockets send in the sandbox: all of it is the world's own, and the adapter reads it so."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.small_world import at
from sandbox.test_okx_sockets import (
    BUSINESS,
    DATED,
    INVERSE,
    LINEAR,
    NAMES,
    NOW,
    OKX,
    PUBLIC,
    SPOT,
    WORLD,
    heard,
    instrument,
    listing,
    outlet,
    replies,
    request,
)

from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, OI, TICKER, TRADES, Dataset
from marketcli.exchanges.okx.sandbox import SIMULATOR
from marketcli.models import HOUR, MILLISECOND, MINUTE, SECOND, Interval, Market, Micros, Window
from marketcli.spec import Channel, Control, Query, Rows
from marketcli.world import World
from marketcli.world.liquidations import Liquidation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marketcli.simulator import Frame, Outlet
    from marketcli.world import Listing

LATER = WORLD.at(NOW + HOUR)


def frames(on: Outlet, topic: str, window: Window, *, pace: float = 1.0, world: World = LATER) -> list[Frame]:
    return list(on.frames(topic, world, window, pace))


def data(found: Iterable[Frame]) -> list[Any]:
    return [row for frame in found for row in json.loads(frame.text)["data"]]


def decoded(channel: Channel, query: Query, found: Iterable[Frame]) -> Rows:
    """What the adapter makes of frames, by the topic it would have asked for."""
    socket, decode, rows = OKX.sites["live"].sockets[channel.socket], channel.decoder(), []
    for frame in found:
        pushed = socket.read(frame.text.encode())
        assert not isinstance(pushed, Control)
        assert pushed[0] == channel.topic(query)
        rows += decode(pushed[1], query)
    return rows


def channel(dataset: Dataset, market: Market, name: str = "", scope: str = "instrument") -> Channel:
    return next(one for one in OKX.streams(dataset, market, scope=scope) if name in one.docs)


def watched(dataset: Dataset, native: str, window: Window, *, name: str = "") -> list[dict[str, Any]]:
    """The adapter's rows of a window of the world, over the topic that the adapter asks for."""
    one = instrument(native)
    query = Query(dataset, one.market, one, Interval(1, "m"))
    cell = channel(dataset, one.market, name)
    found = frames(outlet(cell.socket), cell.topic(query), window)
    return [dict(zip(cell.columns, row, strict=True)) for row in decoded(cell, query, found)]


MINUTES = Window(NOW, NOW + 3 * MINUTE)


@pytest.mark.parametrize("native", [*NAMES.values(), DATED])
def test_every_trade_comes_once_when_it_is_made(native: str) -> None:
    one = listing(native)
    window = Window(NOW + 700, NOW + 20 * SECOND + 123_456)
    truth = LATER.trades(one, window)
    assert truth
    assert [frame.time for frame in frames(BUSINESS, f"trades-all:{native}", window)] == [row.time for row in truth]
    found = watched(TRADES, native, window)
    assert [(row["id"], row["time"], row["price"], row["side"]) for row in found] == [
        (str(row.id), row.time, row.price, row.taker) for row in truth
    ]
    if one.market is INVERSE:
        assert [row["size_contracts"] for row in found] == [row.contracts for row in truth]
    elif one.market is SPOT:
        assert [row["size"] for row in found] == [row.size for row in truth]
    else:
        size = instrument(native).contract_size
        assert [row["size_contracts"] * size for row in found] == pytest.approx([row.size for row in truth], rel=1e-12)


@pytest.mark.parametrize("native", NAMES.values())
def test_merged_trades_are_the_same_in_larger_pieces(native: str) -> None:
    window = Window(NOW, NOW + 20 * SECOND)
    truth = LATER.trades(listing(native), window)
    merged = data(frames(PUBLIC, f"trades:{native}", window))
    assert 0 < len(merged) < len(truth)
    ids: list[int] = []
    for row in merged:
        last, count = int(row["tradeId"]), int(row["count"])
        ids += range(last - count + 1, last + 1)
    assert ids == [row.id for row in truth]
    singles = data(frames(BUSINESS, f"trades-all:{native}", window))
    known = {int(row["tradeId"]): (row["ts"], row["px"], row["side"]) for row in singles}
    for row in merged:
        last, count = int(row["tradeId"]), int(row["count"])
        assert {known[last - before] for before in range(count)} == {(row["ts"], row["px"], row["side"])}
    total = sum(float(row["sz"]) for row in singles)
    assert sum(float(row["sz"]) for row in merged) == pytest.approx(total)
    apart = [(row["ts"], row["px"], row["side"]) for row in merged]
    assert all(one != other for one, other in pairwise(apart))
    assert not any("count" in row for row in singles)


@pytest.mark.parametrize("native", [*NAMES.values(), DATED])
def test_candles_run_and_close_as_the_world_s(native: str) -> None:
    found = watched(OHLC, native, MINUTES)
    closed = [row for row in found if row["closed"]]
    truth = LATER.candles(listing(native), Interval(1, "m"), Window(NOW - 30 * SECOND, NOW + 2 * MINUTE + 30 * SECOND))
    names = ("time", "open", "high", "low", "close")
    assert [[row[name] for name in names] for row in closed] == [
        [getattr(bar, name) for name in names] for bar in truth
    ]
    assert [row["volume_base"] for row in closed] == [bar.volume_base for bar in truth]
    assert [row["volume_quote"] for row in closed] == [bar.volume_quote for bar in truth]
    assert len(found) == 3 * 60 + 3
    for before, after in pairwise(found):
        assert after["time"] == before["time"] + (MINUTE if before["closed"] else 0)
        assert before["closed"] or after["volume_base"] >= before["volume_base"]


def test_a_closed_candle_is_sent_at_once_and_the_next_one_behind_it() -> None:
    over = NOW + 30 * SECOND
    found = frames(BUSINESS, "candle1m:BTC-USDT", Window(NOW, NOW + MINUTE), pace=3)
    assert [(frame.time, json.loads(frame.text)["data"][0][-1]) for frame in found if frame.time == over] == [
        (over, "1"), (over, "0"),
    ]  # fmt: skip
    assert sorted(found, key=lambda frame: frame.time) == found
    assert len(found) == 3 * 60 + 2  # the end of the candle lies between two thirds of a second


def test_an_open_candle_is_as_of_its_moment() -> None:
    moment = NOW + 7 * SECOND
    (frame,) = frames(BUSINESS, "candle1m:BTC-USDT-SWAP", Window(moment, moment + 1))
    (bar,) = WORLD.at(moment).candles(listing("BTC-USDT-SWAP"), Interval(1, "m"), Window(NOW - 30 * SECOND, moment))
    row = data([frame])[0]
    assert not bar.closed
    assert (float(row[4]), float(row[6]), row[8]) == (bar.close, bar.volume_base, "0")


@pytest.mark.parametrize(("bar", "opened"), [("1Dutc", "2026-11-21T00:00"), ("1D", "2026-11-20T16:00")])
def test_days_begin_where_they_are_said_to(bar: str, opened: str) -> None:
    (text,) = BUSINESS.first(f"candle{bar}:BTC-USDT-SWAP", WORLD)
    assert int(json.loads(text)["data"][0][0]) == at(opened) // MILLISECOND


@pytest.mark.parametrize("price", ["mark", "index"])
def test_candles_of_prices_are_shorter(price: str) -> None:
    name = {"mark": "mark-price-candle1m:BTC-USDT-SWAP", "index": "index-candle1m:BTC-USDT"}[price]
    closed = [row for row in data(frames(BUSINESS, name, MINUTES)) if row[-1] == "1"]
    truth = LATER.candles(
        listing("BTC-USDT-SWAP"), Interval(1, "m"), Window(NOW - 30 * SECOND, NOW + 150 * SECOND), price=price
    )
    assert [[float(value) for value in row[1:5]] for row in closed] == [
        [bar.open, bar.high, bar.low, bar.close] for bar in truth
    ]
    assert {len(row) for row in closed} == {6}


FORCED = Window(NOW, NOW + 20 * MINUTE)


# Those of half a second are sent when it is over.
CLOSED = Window(FORCED.start - SECOND // 2, FORCED.end - SECOND // 2)


def forced(kind: str) -> list[tuple[str, Micros, Liquidation]]:
    """The world's own liquidations of a type of contract, by name and time."""
    contracts = [one for market in (LINEAR, INVERSE) for one in SIMULATOR.listings(WORLD, market)]
    mine = [one for one in contracts if one.perpetual == (kind == "SWAP")]
    return sorted((SIMULATOR.native(one), row.time, row) for one in mine for row in LATER.liquidations(one, CLOSED))


@pytest.mark.parametrize("kind", ["SWAP", "FUTURES"])
def test_every_liquidation_comes_within_the_time_that_is_told(kind: str) -> None:
    delay = channel(LIQUIDATIONS, LINEAR, scope="market").delay * SECOND
    orders = []
    for frame in frames(PUBLIC, f"liquidation-orders:{kind}", FORCED):
        for item in data([frame]):
            assert item["instType"] == kind
            for order in item["details"]:
                time = int(order["ts"]) * MILLISECOND
                assert 0 < frame.time - time <= delay
                orders.append((item["instId"], time, order))
    truth = forced(kind)
    orders.sort(key=lambda one: one[:2])
    assert [one[:2] for one in orders] == [one[:2] for one in truth]
    for (name, _, order), (_, _, row) in zip(orders, truth, strict=True):
        assert order["side"] == {"long": "sell", "short": "buy"}[row.liquidated]
        assert order["posSide"] in {row.liquidated, "net"}
        assert float(order["bkPx"]) == row.bankrupt
        contracts = row.contracts or row.size / instrument(name).contract_size
        assert float(order["sz"]) == pytest.approx(contracts)
    assert {order["posSide"] for _, _, order in orders} == {"long", "short", "net"}
    assert {name.split("-")[1] for name, _, _ in orders} >= {"USDT", "USD"}


def test_the_adapter_reads_liquidations_as_positions() -> None:
    found = frames(PUBLIC, "liquidation-orders:SWAP", FORCED)
    rows = decoded(channel(LIQUIDATIONS, LINEAR, scope="market"), Query(LIQUIDATIONS, LINEAR), found)
    truth = [(name, time, row.liquidated, row.bankrupt) for name, time, row in forced("SWAP")]
    assert sorted(row[:4] for row in rows) == sorted(truth)
    assert {row[2] for row in rows} == {"long", "short"}


class Crowded(World):
    """A world in which four positions of the same contract are closed, three of them within half a second."""

    def liquidations(self, listing: Listing, window: Window) -> list[Liquidation]:
        if SIMULATOR.native(listing) != "BTC-USDT-SWAP":
            return []
        times = (NOW, NOW + 499 * MILLISECOND, NOW + 499 * MILLISECOND, NOW + 500 * MILLISECOND)
        rows = [Liquidation(number, time, "long", 9.0, 8.5, 0.5, 4.5, 0) for number, time in enumerate(times)]
        return [row for row in rows if row.time in window]


def test_what_comes_together_is_sent_together() -> None:
    found = frames(PUBLIC, "liquidation-orders:SWAP", MINUTES, world=Crowded(clock=lambda: NOW + HOUR))
    assert [(frame.time - NOW, len(data([frame])[0]["details"])) for frame in found] == [
        (500 * MILLISECOND, 3), (SECOND, 1),
    ]  # fmt: skip


def test_tickers_are_those_of_answers() -> None:
    for native in NAMES.values():
        moment = NOW + 5 * SECOND
        row = watched(TICKER, native, Window(moment, moment + 1))[0]
        truth = WORLD.at(moment).ticker(listing(native))
        assert (row["native"], row["time"]) == (native, moment)
        assert [row[name] for name in ("last", "bid", "ask", "open", "high", "low")] == [
            truth.last, truth.bid, truth.ask, truth.open, truth.high, truth.low,
        ]  # fmt: skip


@pytest.mark.parametrize("native", [NAMES[LINEAR], NAMES[INVERSE]])
def test_funding_mark_and_index(native: str) -> None:
    one, moment = listing(native), at("2026-11-21T12:02:00")
    window, truth = Window(moment, moment + 1), WORLD.at(moment).derivative(one)
    (coming,) = watched(FUNDING, native, window, name="funding-rate")
    assert (coming["rate"], coming["next_time"], coming["time"]) == (truth.rate, truth.next_time, moment)
    assert coming["interval_h"] == WORLD.terms(one).interval_h
    (mark,) = watched(FUNDING, native, window, name="mark-price")
    (index,) = watched(FUNDING, native, window, name="index-tickers")
    assert (mark["mark"], index["index"]) == (truth.mark, truth.index)
    assert (mark["time"], index["time"]) == (moment, moment)


@pytest.mark.parametrize("native", [NAMES[LINEAR], NAMES[INVERSE], DATED])
def test_open_interest(native: str) -> None:
    one, moment = listing(native), NOW + 6 * SECOND
    (row,) = watched(OI, native, Window(moment, moment + 1), name="open-interest")
    (truth,) = WORLD.at(moment).interest(one, [moment])
    assert (row["time"], row["oi_base"]) == (moment, truth.base)
    contracts = truth.contracts or truth.base / instrument(native).contract_size
    assert row["oi_contracts"] == pytest.approx(contracts)


CADENCES = {
    "tickers:BTC-USDT": 1, "mark-price:BTC-USDT-SWAP": 1, "index-tickers:BTC-USD": 1, "open-interest:BTC-USDT-SWAP": 3,
    "funding-rate:BTC-USDT-SWAP": 60,
}  # fmt: skip


@pytest.mark.parametrize(("topic", "seconds"), CADENCES.items())
def test_states_come_as_often_as_said_and_faster_on_request(topic: str, seconds: int) -> None:
    window = Window(NOW, NOW + 2 * MINUTE)
    assert [frame.time for frame in frames(PUBLIC, topic, window)] == [
        time for time in range(window.start, window.end, SECOND) if time // SECOND % seconds == 0
    ]
    assert len(frames(PUBLIC, topic, window, pace=2)) == 2 * 120 // seconds
    cells = [one for one in OKX.channels if f"-{topic.split(':', maxsplit=1)[0]}-" in one.docs]
    assert cells
    assert all(one.cadence is None or one.cadence >= seconds for one in cells)


TOPICS = [
    *((PUBLIC, topic) for topic in (*CADENCES, "trades:BTC-USD-SWAP", "liquidation-orders:SWAP")),
    *((BUSINESS, topic) for topic in ("trades-all:BTC-USDT-SWAP", "candle1m:BTC-USDT", "index-candle1m:BTC-USD")),
]


@pytest.mark.parametrize(("on", "topic"), TOPICS, ids=lambda one: one if isinstance(one, str) else "")
def test_frames_are_the_same_however_time_is_cut(on: Outlet, topic: str) -> None:
    start, end = NOW + 20 * SECOND, NOW + 62 * SECOND
    whole = frames(on, topic, Window(start, end))
    cuts = [start, start + 1, start + 250_001, start + 500_000, NOW + 30 * SECOND, NOW + 30 * SECOND + 1, end - 1, end]
    pieces = [
        frame for one, other in pairwise(cuts) for frame in frames(on, topic, Window(one, other), world=WORLD.at(other))
    ]
    assert pieces == whole
    assert all(start <= frame.time < end for frame in whole)
    assert [frame.time for frame in whole] == sorted(frame.time for frame in whole)
    assert whole or topic.startswith("liquidation")


def test_nothing_is_sent_of_what_has_ended_but_its_last_moments() -> None:
    ended = at("2026-12-25T08:00")
    last = World(clock=lambda: ended - HOUR)
    window = Window(ended - 10 * SECOND, ended + 10 * SECOND)
    later = last.at(ended + MINUTE)
    trades = frames(BUSINESS, f"trades-all:{DATED}", window, world=later)
    truth = last.at(ended - 1).at(ended + MINUTE).trades(listing(DATED, last), window)
    assert [int(json.loads(frame.text)["data"][0]["tradeId"]) for frame in trades] == [row.id for row in truth]
    assert truth
    pieces = [
        frames(BUSINESS, f"trades-all:{DATED}", Window(one, one + 300_000), world=last.at(one + 300_000))
        for one in range(window.start, window.end, 300_000)
    ]
    assert [frame for piece in pieces for frame in piece] == trades
    for on, topic in (
        (PUBLIC, f"tickers:{DATED}"),
        (PUBLIC, f"mark-price:{DATED}"),
        (PUBLIC, f"open-interest:{DATED}"),
    ):
        times = [frame.time for frame in frames(on, topic, window, world=later)]
        assert times
        assert max(times) < ended
    candles = frames(BUSINESS, f"candle1m:{DATED}", window, world=later)
    assert (candles[-1].time, json.loads(candles[-1].text)["data"][0][-1]) == (ended, "1")
    days = frames(BUSINESS, f"candle1Dutc:{DATED}", Window(ended - 2 * SECOND, ended + 5 * SECOND), world=later)
    assert [frame.time - ended for frame in days] == [-2 * SECOND, -SECOND]


def test_what_ended_long_ago_is_known_and_silent() -> None:
    for on, name in ((PUBLIC, "tickers"), (BUSINESS, "candle1m"), (PUBLIC, "mark-price"), (PUBLIC, "open-interest")):
        (said,) = replies(heard(request({"channel": name, "instId": "MATIC-USDT-SWAP"}), on=on))
        assert said["event"] == "subscribe"
        assert not list(on.first(f"{name}:MATIC-USDT-SWAP", WORLD))
        assert not frames(on, f"{name}:MATIC-USDT-SWAP", MINUTES)


def test_the_first_candle_of_a_contract_may_be_shorter() -> None:
    began = at("2026-12-25T08:00")
    world = World(clock=lambda: began + HOUR)
    new = next(one for one in SIMULATOR.listings(world, LINEAR) if one.listed == began)
    topic = f"candle1Dutc:{SIMULATOR.native(new)}"
    (text,) = BUSINESS.first(topic, world)
    assert int(json.loads(text)["data"][0][0]) == at("2026-12-25T00:00") // MILLISECOND
    over = at("2026-12-26T00:00")
    found = frames(BUSINESS, topic, Window(over, over + 1), world=world.at(over + 1))
    assert [row[-1] for row in data(found)] == ["1", "0"]
