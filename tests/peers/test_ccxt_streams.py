"""What ccxt's `watch_*` reads from the sandbox's sockets, beside the world's own values.

                binance    binance  binance  bybit  bybit   bybit    okx   okx     okx      hyper  hyper
                spot       usdm     coinm    spot   linear  inverse  spot  linear  inverse  spot   linear
trades          =          =        =        =      =       =        m     m       m        t      t
candles 1m, 1h  =          =        =        =      =       =        =     =       =        =      =
ticker          =          =        =        b      =       =        =     =       =        u      u
liquidations    .          s        s        .      =       =        .     =       .        .      .
heartbeat       =          =        .        .      =       .        .     =       .        .      =
unsubscribing   =          =        .        .      =       .        .     =       .        .      =

=  all of it: trades by id, time, price, amount and side, none missing, double or out of order; candles open, in the
   order of the seconds they were so, and as they closed; of tickers the range, the last price, both volumes, the best
   of both sides where the stream has it (Binance: on spot, in the full ticker only), mark and index where ccxt has them
m  OKX merges trades of a time, price and side under the id of the last; the others ccxt gives to accounts only
t  ids are not the world's, but all different
b  Bybit's spot stream has no best of both sides
u  Hyperliquid's has neither times nor a range; ccxt's last price is the middle of the book
s  the largest of each second, which is all that Binance tells
.  there is none, or it comes by the same code and another address
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest
from peers.ccxt_cells import INVERSE, LINEAR, SPOT, WORLD, Case, Venue, amount_of, chosen, name_of, size_of
from peers.ccxt_streams import (
    END,
    PATIENCE,
    PLACES,
    REST,
    SPAN,
    START,
    TRUTH,
    UNFORCED,
    Hands,
    Recorded,
    Watch,
    alone,
    connected,
    eventually,
    record,
    served,
    time_of,
    watches,
)

from marketcli.models import HOUR, MILLISECOND, MINUTE, SECOND, Interval, Micros, Window
from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marketcli.world import Bar, Liquidation, Ticker, Trade, World

HYPERLIQUID = [Venue("hyperliquid", SPOT), Venue("hyperliquid", LINEAR)]
TALKERS = [Venue("binance", SPOT), *(Venue(name, LINEAR) for name in ("binanceusdm", "bybit", "okx", "hyperliquid"))]
everywhere = pytest.mark.parametrize("venue", PLACES, ids=name_of)
talking = pytest.mark.parametrize("venue", TALKERS, ids=name_of)


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    """What ccxt was told in 70 seconds of the world."""
    return asyncio.run(record())


def heard(recorded: Recorded, venue: Venue, method: str) -> list[tuple[Watch, list[Any]]]:
    """What was watched by a method at a venue, and all that was told."""
    found = [(watch, recorded.rows[watch]) for watch in watches(venue) if watch.method == method]
    assert found
    return found


def inside(rows: Iterable[Any]) -> list[Any]:
    return [row for row in rows if time_of(row) in SPAN]


# --- trades and liquidations


def merged(rows: list[Trade]) -> list[Trade]:
    """What was traded at a time and price on one side, under the id of the last."""
    groups = [list(group) for _, group in groupby(rows, key=lambda row: (row.time, row.price, row.taker))]
    return [
        group[-1]._replace(size=sum(row.size for row in group), contracts=sum(row.contracts for row in group))
        for group in groups
    ]


def number_of(venue: Venue, name: str) -> int:
    """The world's number behind an id; Bybit's have a prefix on spot and are hexadecimal elsewhere."""
    if venue.client != "bybit":
        return int(name)
    return int(name.removeprefix("22")) if venue.market is SPOT else int(name.replace("-", ""), 16)


@everywhere
def test_trades(recorded: Recorded, venue: Venue) -> None:
    for (case, *_), rows in heard(recorded, venue, "watch_trades"):
        truth, told = TRUTH.trades(case.listing, SPAN), inside(rows)
        truth = merged(truth) if venue.client == "okx" else truth
        assert [(row["timestamp"], row["price"], row["side"]) for row in told] == [
            (trade.time // MILLISECOND, trade.price, trade.taker) for trade in truth
        ]
        sizes = [amount_of(recorded.clients[venue.client], case, row["amount"]) for row in told]
        assert sizes == pytest.approx([size_of(case, trade) for trade in truth], rel=1e-12)
        if venue in HYPERLIQUID:
            assert len({row["id"] for row in told}) == len(told)
        else:
            assert [number_of(venue, row["id"]) for row in told] == [trade.id for trade in truth]
        assert {row["symbol"] for row in told} == {case.symbol}
        assert len(told) >= 20


def largest(rows: list[Liquidation]) -> list[Liquidation]:
    """The largest of each second."""
    seconds = groupby(rows, key=lambda row: row.time // SECOND)
    return [max(group, key=lambda row: row.value) for _, group in seconds]


@pytest.mark.parametrize("venue", [venue for venue in PLACES if venue not in UNFORCED], ids=name_of)
def test_liquidations(recorded: Recorded, venue: Venue) -> None:
    binance, bybit = venue.exchange == "binance", venue.client == "bybit"
    (((case, *_), rows),) = heard(recorded, venue, "watch_liquidations")
    truth, told = TRUTH.liquidations(case.listing, SPAN), inside(rows)
    truth = largest(truth) if binance else truth
    # Bybit says the side of the position, of which ccxt makes nothing else; the others that of the order
    sides = {"long": "buy", "short": "sell"} if bybit else {"long": "sell", "short": "buy"}
    assert [(row["timestamp"], row["price"], row["side"]) for row in told] == [
        (one.time // MILLISECOND, one.price if binance else one.bankrupt, sides[one.liquidated]) for one in truth
    ]
    sizes = [amount_of(recorded.clients[venue.client], case, row["contracts"]) for row in told]
    whole = [one.contracts * case.listing.contract_size if venue.market is INVERSE else one.size for one in truth]
    assert sizes == pytest.approx(whole, rel=1e-12)
    assert {one.liquidated for one in truth} == {"long", "short"}


# --- candles


def plain(bar: Bar) -> list[float]:
    return [bar.time // MILLISECOND, bar.open, bar.high, bar.low, bar.close, bar.volume_base]


def as_ccxt(case: Case, bar: Bar) -> list[float]:
    """A candle with the volume that ccxt's streams have: of coin-margined Binance that of contracts."""
    contracts = case.venue.market is INVERSE and case.venue.exchange == "binance"
    return [*plain(bar)[:5], bar.contracts if contracts else bar.volume_base]


def shown(world: World, case: Case, interval: Interval, opened: Micros) -> list[list[float]]:
    """A candle as it was at one time."""
    return [as_ccxt(case, bar) for bar in world.candles(case.listing, interval, Window(opened, opened + 1))]


def states(case: Case, interval: Interval, opened: Micros) -> list[list[float]]:
    """How a candle was at each second that was watched, up to its end."""
    seconds = range(max(START, opened), min(interval.step(opened), END + REST) + 1, SECOND)
    return [row for second in seconds for row in shown(WORLD.at(second), case, interval, opened)]


def in_order(told: list[Any], truth: list[Any]) -> bool:
    """Whether all that was told was so, one after the other."""
    left = iter(truth)
    return all(any(row == one for one in left) for row in told)


@everywhere
def test_candles_while_open_and_closed(recorded: Recorded, venue: Venue) -> None:
    for watch, rows in heard(recorded, venue, "watch_ohlcv"):
        minutes = watch.timeframe == "1m"
        interval = Interval(1, "m" if minutes else "h")
        opens = range(interval.floor(START), END, MINUTE if minutes else HOUR)
        for opened in opens:
            told = [row for row, _ in groupby(row for row in rows if time_of(row) == opened)]
            truth = states(watch.case, interval, opened)
            assert in_order(told, truth)
            if minutes:
                assert told[-1] == truth[-1]
            else:
                assert len(told) >= 3
        order = [time_of(row) for row in rows]
        assert order == sorted(order)
        assert set(opens) <= set(order)


# --- tickers


def volumes(client: Any, case: Case, day: Ticker) -> tuple[float, float | None]:
    """The volumes that ccxt calls those of base and of quote."""
    if case.venue.client == "okx" and case.venue.market is not SPOT:
        return day.contracts or day.volume_base / client.market(case.symbol)["contractSize"], None
    if case.venue.client == "bybit" and case.venue.market is INVERSE:
        return day.volume_quote, day.volume_base
    return day.volume_base, day.volume_quote


def has_best(case: Case, row: dict[str, Any]) -> bool:
    """Whether the stream tells the best of both sides."""
    if case.venue.exchange == "binance":
        return case.venue.market is SPOT and row["info"]["e"] == "24hrTicker"
    return case.venue != Venue("bybit", SPOT)


def check_best(client: Any, case: Case, row: dict[str, Any]) -> None:
    """The best of both sides."""
    (bid,), (ask,) = WORLD.at(time_of(row)).book(case.listing, 1)[2:]
    assert (row["bid"], row["ask"]) == (bid.price, ask.price)
    sizes = [amount_of(client, case, row[name]) for name in ("bidVolume", "askVolume")]
    assert sizes == pytest.approx([size_of(case, bid), size_of(case, ask)], rel=1e-12)


def check_ticker(client: Any, case: Case, row: dict[str, Any]) -> None:
    """A ticker of ccxt against that of the world; what Bybit says beside its book is of the last whole second."""
    time, bybit = time_of(row), case.venue.client == "bybit"
    world = WORLD.at(time - time % SECOND if bybit else time)
    day, truth = world.ticker(case.listing), world.derivative(case.listing)
    assert [row[name] for name in ("open", "high", "low", "last")] == [day.open, day.high, day.low, day.last]
    assert row["percentage"] == pytest.approx((day.last / day.open - 1) * 100, abs=1e-3)
    base, quote = volumes(client, case, day)
    assert row["baseVolume"] == pytest.approx(base, rel=1e-12)
    rounded = case.venue.client == "binancecoinm" and row["info"]["e"] == "24hrTicker"
    close = 1e-4 if rounded else 1e-12  # ccxt multiplies with a rounded average
    assert row["quoteVolume"] == (None if quote is None else pytest.approx(quote, rel=close))
    if has_best(case, row):
        check_best(client, case, row)
    else:
        assert row["bid"] is row["ask"] is None
    if bybit and case.venue.market is not SPOT:
        assert (row["markPrice"], row["indexPrice"]) == (truth.mark, truth.index)


@pytest.mark.parametrize("venue", [venue for venue in PLACES if venue not in HYPERLIQUID], ids=name_of)
def test_tickers(recorded: Recorded, venue: Venue) -> None:
    for (case, *_), rows in heard(recorded, venue, "watch_ticker"):
        for row in rows:
            check_ticker(recorded.clients[venue.client], case, row)
        times = [time_of(row) for row in rows]
        assert times == sorted(times)
        assert len(set(times)) >= 4


def stood(case: Case, time: Micros) -> list[float | None]:
    """What Hyperliquid says of an instrument; spot has no best of both sides there."""
    day = WORLD.at(time).ticker(case.listing)
    best = [None, None] if case.venue.market is SPOT else [day.bid, day.ask]
    return [day.open, *best, round((day.bid + day.ask) / 2, 9), round(day.volume_quote, 4)]


@pytest.mark.parametrize("venue", HYPERLIQUID, ids=name_of)
def test_states_of_hyperliquid(recorded: Recorded, venue: Venue) -> None:
    for (case, *_), rows in heard(recorded, venue, "watch_ticker"):
        told = [
            [row["previousClose"], row["bid"], row["ask"], round(row["last"], 9), round(row["quoteVolume"], 4)]
            for row in rows
        ]
        assert in_order(told, [stood(case, second) for second in range(START, END + REST + 1, SECOND)])
        assert len(told) >= 4


# --- a clock that is moved by hand


async def follows(exchange: Any, case: Case, time: Micros) -> None:
    """Wait until the newest candle is that of the world at a time."""
    minute = Interval(1, "m")
    (truth,) = shown(WORLD.at(time), case, minute, minute.floor(time))
    while (await exchange.watch_ohlcv(case.symbol, "1m", params={}))[-1] != truth:
        pass


def test_an_open_candle_is_as_of_its_moment() -> None:
    clock, cases = Hands(), [chosen(venue, dated=False)[1] for venue in PLACES]

    async def read() -> None:
        async with AsyncExitStack() as stack:
            sandbox = stack.enter_context(Sandbox(clock=clock, limits=False))
            clients = {
                name: await stack.enter_async_context(connected(name, sandbox))
                for name in dict.fromkeys(venue.client for venue in PLACES)
            }
            for moved in (0, 8, 12, 8):  # all are told at even seconds; OKX leaves after 30 without a word
                clock.time += moved * SECOND
                async with asyncio.timeout(PATIENCE):
                    await asyncio.gather(*(follows(clients[one.venue.client], one, clock.time) for one in cases))

    asyncio.run(read())


OFTEN = {"streaming": {"keepAlive": 100, "maxPingPongMisses": 10 * PATIENCE}}  # milliseconds; how many may be missed


async def answered(socket: Any) -> None:
    """Wait until the exchange has answered to another sign of life."""
    before = socket.lastPong
    await eventually(lambda: socket.lastPong != before)


@talking
def test_connections_are_kept_by_signs_of_life(venue: Venue) -> None:
    clock, case = Hands(), chosen(venue, dated=False)[1]

    async def keep() -> None:
        async with alone(venue, clock, pace=0.02, **OFTEN) as (sandbox, exchange):
            subscribed = asyncio.ensure_future(exchange.watch_ohlcv(case.symbol, "1m", params={}))
            await eventually(lambda: len(served(sandbox)) == 1)
            (line,), (socket,) = sandbox.floor.streams.lines.values(), exchange.clients.values()
            for _ in range(6):
                clock.time += round(0.4 * (line.outlet.idle or 3 * (line.outlet.pings or 0)) * SECOND)
                await answered(socket)
                await answered(socket)  # this sign was given later
            await subscribed
            newest = exchange.ohlcvs[case.symbol]["1m"]
            await eventually(lambda: time_of(newest[-1]) > clock.time - 2 * MINUTE)
            assert sandbox.stats()["streams"][venue.exchange]["openings"] == 1
            assert not line.over

    asyncio.run(keep())


@talking
def test_nothing_comes_after_unsubscribing_and_all_after_subscribing_again(venue: Venue) -> None:
    clock, case, span = Hands(), chosen(venue, dated=False)[1], 8 * SECOND
    again = Window(START + 2 * span, START + 3 * span)
    *_, last = truth = TRUTH.trades(case.listing, again)
    rows: list[Any] = []

    async def change() -> None:
        async with alone(venue, clock) as (sandbox, exchange):
            candles = asyncio.ensure_future(exchange.watch_ohlcv(case.symbol, "1m", params={}))
            trades = asyncio.ensure_future(exchange.watch_trades(case.symbol, params={}))
            await eventually(lambda: len(served(sandbox)) == 2)
            clock.time += span
            await asyncio.gather(candles, trades)
            await exchange.un_watch_trades(case.symbol, params={})
            assert len(served(sandbox)) == 1
            clock.time += span
            await follows(exchange, case, clock.time)
            assert case.symbol not in exchange.trades
            trades = asyncio.ensure_future(exchange.watch_trades(case.symbol, params={}))
            await eventually(lambda: len(served(sandbox)) == 2)
            clock.time += span
            rows.extend(await trades)
            while time_of(rows[-1]) < last.time:
                rows.extend(await exchange.watch_trades(case.symbol, params={}))

    asyncio.run(change())
    told = [row for row in rows if time_of(row) in again]
    assert [(time_of(row), row["price"], row["side"]) for row in told] == [
        (trade.time, trade.price, trade.taker) for trade in (merged(truth) if venue.client == "okx" else truth)
    ]
