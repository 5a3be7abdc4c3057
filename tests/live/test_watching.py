"""What a watch takes: which exchanges, markets and instruments, and what is refused before anything is subscribed."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from inside_feeds import Place, place
from inside_sockets import InsideDialer
from live.scenes import refused, watch
from virtual_time import START, Hours, run

from marketcli.api.live import Feeds, Watch, watched
from marketcli.api.session import Session
from marketcli.config import Config
from marketcli.datasets import FUNDING, LARGE_TRADES, LIQUIDATIONS, OHLC, OI, TICKER, TRADES
from marketcli.errors import (
    AmbiguousSymbol,
    DatasetAbsent,
    ExchangeDown,
    MarketError,
    NetworkError,
    NotOffered,
    UnknownSymbol,
)
from marketcli.exchanges import load, names, simulator
from marketcli.live.events import State, Status
from marketcli.models import HOUR, SECOND, Interval, Market, Window

if TYPE_CHECKING:
    from marketcli.spec import Exchange, Socket

LINEAR, SPOT, INVERSE = Market.LINEAR, Market.SPOT, Market.INVERSE


def test_what_the_sandbox_sends_is_marked_as_simulated() -> None:
    async def main() -> Any:
        config = Config.model_validate({"sandbox": True})
        async with (
            asyncio.timeout(30),
            Session(config) as session,
            watched(session, [load("bybit")], Watch(TRADES, ("BTC",), LINEAR)) as feeds,
        ):
            async for batch in feeds:
                if records := [event for event in batch if not isinstance(event, Status)]:
                    return records[0]
        return None

    assert asyncio.run(main()).source == "sandbox"


# --- refused before anything is subscribed


@pytest.mark.parametrize("name", names())
def test_an_unknown_symbol_is_told_with_near_ones(name: str) -> None:
    error = refused(name, dataset=TRADES, symbols=("BTC", "1000PEPEE"), market=LINEAR)
    assert isinstance(error, UnknownSymbol)
    assert "1000PEPEE" in error.message
    assert "mkt instruments" in error.hint or "Did you mean" in error.hint


def test_a_name_of_several_instruments_is_told_with_all() -> None:
    error = refused("binance", dataset=TRADES, symbols=("BTC-USD",), market=INVERSE)
    assert isinstance(error, (AmbiguousSymbol, UnknownSymbol))


@pytest.mark.parametrize(
    ("name", "what", "reason", "others"),
    [
        ("hyperliquid", {"dataset": LIQUIDATIONS}, "those concerned only", ("binance", "bybit", "okx")),
        (
            "hyperliquid",
            {"dataset": LIQUIDATIONS, "symbols": ("BTC",)},
            "those concerned only",
            ("binance", "bybit", "okx"),
        ),
        ("binance", {"dataset": OI, "symbols": ("BTC",)}, "`mkt oi` asks for it", ("bybit", "hyperliquid", "okx")),
        ("okx", {"dataset": LIQUIDATIONS, "market": SPOT}, "loans", ("No exchange",)),
        ("bybit", {"dataset": FUNDING, "symbols": ("BTC-USDT",)}, "spot has no positions", ("No exchange",)),
        (
            "bybit",
            {"dataset": FUNDING, "symbols": ("NOTHING",), "market": SPOT},
            "spot has no positions",
            ("No exchange",),
        ),
    ],
)
def test_what_an_exchange_does_not_stream_is_told_with_who_does(
    name: str, what: dict[str, Any], reason: str, others: tuple[str, ...]
) -> None:
    error = refused(name, **what)
    assert isinstance(error, DatasetAbsent)
    assert error.message.startswith(f"{name} ")
    assert reason in error.message
    assert all(other in error.hint for other in others)


@pytest.mark.parametrize("symbols", [(), ("BTC",)])
def test_a_market_without_streams_is_told_with_those_there_are(symbols: tuple[str, ...]) -> None:
    error = refused("hyperliquid", dataset=TRADES, symbols=symbols, market=INVERSE)
    assert isinstance(error, DatasetAbsent)
    assert (error.message, error.hint) == ("Hyperliquid has no inverse market.", "It has linear, spot.")


def test_an_interval_that_is_not_streamed_is_told_with_those_that_are() -> None:
    error = refused("binance", dataset=OHLC, symbols=("BTC",), interval=Interval(7, "m"))
    assert error.exit == 2
    assert "streams no 7m candles" in error.message
    assert "1m 3m 5m" in error.hint
    # Binance has candles of a second on spot only.
    assert "streams no 1s" in refused("binance", dataset=OHLC, symbols=("BTC",), interval=Interval(1, "s")).message
    here, _ = watch("binance", dataset=OHLC, symbols=("SOL-USDT",), interval=Interval(1, "s"), seconds=6.0)
    assert len([record for record in here.records if record.closed]) >= 4


def test_what_is_delivered_on_a_date_pays_no_funding() -> None:
    error = refused("binance", dataset=FUNDING, symbols=("BTC-USDT-PERP", "BTC-USDT-261225"))
    assert isinstance(error, NotOffered)
    assert "BTC-USDT-261225 pays no funding" in error.message


def test_a_site_without_streams_is_told() -> None:
    async def main(hours: Hours) -> MarketError:
        async with place(hours) as here:
            exchange = load("binance")
            deaf = replace(exchange, sites={"live": replace(exchange.sites["live"], sockets={})})
            with pytest.raises(NotOffered) as caught:
                async with watched(here.session, [deaf], Watch(TRADES, ("BTC",))):
                    await asyncio.sleep(0)
            return caught.value

    assert "Binance has no streams of its site live" in run(main).message


def test_a_market_on_which_nothing_trades_is_told() -> None:
    async def main(hours: Hours) -> MarketError:
        async with place(hours) as here:
            catalog = here.session.catalog(load("okx"))
            for one in (listed := await catalog.instruments(INVERSE)):
                catalog.lists[INVERSE].instruments[listed.index(one)] = replace(one, status="halted")
            with pytest.raises(NotOffered) as caught:
                async with watched(here.session, [load("okx")], Watch(TICKER, market=INVERSE)):
                    await asyncio.sleep(0)
            return caught.value

    assert run(main).message == "OKX has no inverse instrument that trades."


# --- several exchanges


def test_of_all_exchanges_those_that_can_are_watched_and_the_others_say_why() -> None:
    here, feeds = watch(*names(), dataset=LIQUIDATIONS, seconds=60.0)
    assert [source.exchange for source in feeds.sources] == ["binance", "bybit", "okx"]
    (failure,) = feeds.failures
    assert isinstance(failure, DatasetAbsent)
    assert "those concerned only" in failure.message
    assert {record.exchange for record in here.records} == {"binance", "bybit", "okx"}
    assert {(record.exchange, record.completeness) for record in here.records} == {
        ("binance", "sampled"),
        ("bybit", "full"),
        ("okx", "sampled"),
    }
    assert {source.exchange: source.completeness for source in feeds.sources} == {
        "binance": "sampled",
        "bybit": "full",
        "okx": "sampled",
    }


def test_a_symbol_that_some_exchanges_do_not_have_is_watched_on_the_others() -> None:
    here, feeds = watch(*names(), dataset=TICKER, symbols=("ADA-USDT-PERP",), seconds=20.0)
    assert {record.exchange for record in here.records} == {"binance", "bybit", "okx"}
    assert [type(failure) for failure in feeds.failures] == [UnknownSymbol]


def test_if_no_exchange_can_the_first_says_why() -> None:
    error = refused("okx", "bybit", dataset=LIQUIDATIONS, market=SPOT)
    assert error.message.startswith("okx spot does not stream")


def test_an_exchange_whose_lists_do_not_come_leaves_the_others_alone() -> None:
    down = ("http451:exchange=okx",)
    here, feeds = watch("okx", "binance", dataset=TICKER, symbols=("BTC",), faults=down, seconds=10.0)
    assert {record.exchange for record in here.records} == {"binance"}
    assert [failure.exit for failure in feeds.failures] == [7]
    # The second list, which tells whose rows a stream about the whole market brings, is asked for later.
    inverse = ("http451:exchange=okx,every=3",)
    here, feeds = watch("okx", "binance", dataset=LIQUIDATIONS, faults=inverse, seconds=30.0)
    assert {record.exchange for record in here.records} == {"binance"}
    assert [failure.exit for failure in feeds.failures] == [7]
    assert refused("okx", dataset=LIQUIDATIONS, faults=inverse).exit == 7


def test_a_feed_that_ends_leaves_the_others_at_work() -> None:
    async def script(here: Place, feeds: Feeds) -> None:
        await asyncio.sleep(5)
        assert [failure.exit for failure in feeds.failures] == [7]
        before = len(here.records)
        await asyncio.sleep(5)
        assert len(here.records) > before

    faults = ("ws_refuse:status=451,exchange=okx",)
    here, _ = watch("okx", "binance", dataset=TICKER, symbols=("BTC",), faults=faults, script=script)
    assert [status.exchange for status in here.of(Status) if status.state is State.REFUSED] == ["okx"]


# --- several symbols and markets


def test_several_symbols_of_several_markets_are_watched_together() -> None:
    symbols = ("BTC-USDT-PERP", "ETH-USDT-PERP", "SOL-USDT", "BTC-USD-PERP", "BTCUSDT")
    here, feeds = watch("binance", dataset=TICKER, symbols=symbols)
    assert [(source.market, [one.symbol for one in source.instruments]) for source in feeds.sources] == [
        (LINEAR, ["BTC-USDT-PERP", "ETH-USDT-PERP"]),
        (SPOT, ["SOL-USDT"]),
        (INVERSE, ["BTC-USD-PERP"]),
    ]
    assert {(record.market, record.symbol) for record in here.records} == {
        (source.market, one.symbol) for source in feeds.sources for one in source.instruments
    }
    wanted = {key: vitals.wanted for key, vitals in feeds.vitals.items()}
    assert wanted == {("binance", LINEAR): 0, ("binance", SPOT): 0, ("binance", INVERSE): 0}
    assert sum(vitals.records for vitals in feeds.vitals.values()) == len(here.records)


def test_sources_of_a_market_name_no_instruments() -> None:
    for dataset in (TICKER, TRADES):
        _, feeds = watch("hyperliquid", dataset=dataset, seconds=3.0)
        assert [source.instruments for source in feeds.sources] == [()]


# --- whole markets


def trading(here: Place, name: str, market: Market) -> set[str]:
    """The exchange's names of what trades on a market."""
    found = simulator(name)
    assert found is not None
    return {found.native(one) for one in found.listings(here.floor.world, market) if one.status == "trading"}


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("market", [SPOT, LINEAR, INVERSE])
def test_a_market_is_all_that_trades_there(name: str, market: Market) -> None:
    if market not in load(name).markets:
        return
    asked: list[set[str]] = []

    async def script(_: Place, feeds: Feeds) -> None:
        asked.append({native for feed in feeds.merged.feeds for native in feed.wanted})
        await asyncio.sleep(6)

    here, feeds = watch(name, dataset=TICKER, market=market, script=script)
    found, there = {record.native for record in here.records}, trading(here, name, market)
    assert asked[-1] == there
    # Of a whole market Binance tells what has changed: what nobody trades is not there.
    assert found <= there if name == "binance" and market is not INVERSE else found == there
    assert len(found) >= len(there) - 3
    assert {record.market for record in here.records} == {market}
    assert {vitals.unlisted for vitals in feeds.vitals.values()} == {0}


@pytest.mark.parametrize("name", names())
def test_the_market_is_the_linear_one_unless_it_is_named(name: str) -> None:
    here, feeds = watch(name, dataset=FUNDING, seconds=65.0 if name == "okx" else 4.0)
    assert [source.market for source in feeds.sources] == [LINEAR]
    perpetual = {record.symbol for record in here.records}
    assert all(symbol.endswith("-PERP") for symbol in perpetual)
    assert len(perpetual) == len([one for one in trading(here, name, LINEAR) if "26" not in one and "27" not in one])
    assert {record.interval_h is None for record in here.records} == {False}


@pytest.mark.parametrize("name", ["binance", "bybit", "okx"])
def test_liquidations_of_a_market_come_of_several_instruments(name: str) -> None:
    here, feeds = watch(name, dataset=LIQUIDATIONS, seconds=90.0)
    assert {vitals.unlisted for vitals in feeds.vitals.values()} == {0}  # others are on other markets
    assert ("lists after the beginning" in feeds.sources[0].notes[-1]) is (name == "bybit")  # one for each there
    found = simulator(name)
    assert found is not None
    world, window = here.floor.world, Window(START + SECOND, START + 85 * SECOND)
    shown = {
        (found.native(one), row.time, row.liquidated)
        for one in found.listings(world, LINEAR)
        if one.status == "trading"
        for row in world.liquidations(one, window)
    }
    came = {(record.native, record.time, record.liquidated) for record in here.records if record.time in window}
    assert came <= shown
    assert len({native for native, _, _ in came}) > 3
    assert len(came) > len(shown) * (0.99 if name == "bybit" else 0.5)


# --- funding hours, which not every stream says


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_hours_of_funding_that_no_stream_says_come_from_rest(market: Market) -> None:
    here, _ = watch("binance", dataset=FUNDING, market=market, seconds=5.0)
    found = simulator("binance")
    assert found is not None
    listed = {found.native(one): one for one in found.listings(here.floor.world, market)}
    hours = {record.native: record.interval_h for record in here.records}
    assert hours == {native: here.floor.world.terms(listed[native]).interval_h for native in hours}
    assert len(hours) >= 3
    for record in here.records:
        assert record.apr == pytest.approx(record.rate * 365 * 24 / record.interval_h)


def test_funding_whose_hours_nobody_says_has_no_yearly_rate() -> None:
    async def script(here: Place, _: Feeds) -> None:
        await asyncio.sleep(5)
        here.rest.clear()

    here, _ = watch("binance", dataset=FUNDING, symbols=("BTC",), script=script, faults=("http451:every=2",))
    assert {(record.interval_h, record.apr) for record in here.records} == {(None, None)}
    assert len(here.records) >= 4


def test_funding_that_the_stream_tells_whole_is_not_asked_for() -> None:
    here, _ = watch("bybit", dataset=FUNDING, symbols=("BTC",), seconds=5.0)
    assert not [sent for sent in here.rest if "ticker" in sent.path]


# --- large trades


@pytest.mark.parametrize("name", names())
def test_large_trades_are_the_worlds_orders(name: str) -> None:
    least, symbol = 2_000.0, "ETH-USDC-PERP"
    here, _ = watch(name, dataset=LARGE_TRADES, symbols=(symbol,), least=least, seconds=40.0)
    found = simulator(name)
    assert found is not None
    world, window = here.floor.world, Window(START + 3 * SECOND, START + 37 * SECOND)
    one = next(each for each in found.listings(world, LINEAR) if found.native(each) == here.records[0].native)
    orders: list[list[Any]] = []
    for row in world.trades(one, window):
        if orders and (orders[-1][0].time, orders[-1][0].taker) == (row.time, row.taker):
            orders[-1].append(row)
        else:
            orders.append([row])
    truth = [
        (order[0].time, order[0].taker, len(order), pytest.approx(sum(row.value for row in order)))
        for order in orders
        if sum(row.value for row in order) >= least
    ]
    came = sorted((record for record in here.records if record.time in window), key=lambda record: record.time)
    assert [(record.time, record.side, record.fills, record.notional_usd) for record in came] == truth
    assert len(truth) > 5
    assert any(record.fills > 1 for record in came)


def test_orders_of_two_exchanges_at_one_moment_are_two_orders() -> None:
    here, _ = watch("binance", "bybit", dataset=LARGE_TRADES, symbols=("ETH-USDC-PERP",), seconds=20.0)
    fills = {name: sum(record.fills for record in here.records if record.exchange == name) for name in names()}
    ids = Counter((record.exchange, record.id) for record in here.records)
    assert max(ids.values()) == 1
    assert fills["binance"] == pytest.approx(fills["bybit"], rel=0.1)
    assert fills["binance"] > 100


# --- connections


def test_each_exchange_is_dialled_by_its_own_way() -> None:
    async def main(hours: Hours) -> set[tuple[str, str]]:
        async with place(hours) as here:
            tried: set[tuple[str, str]] = set()

            def way(exchange: Exchange) -> Any:
                async def away(socket: Socket) -> Any:
                    tried.add((exchange.name, socket.url))
                    raise ExchangeDown("away")

                return away

            async with watched(here.session, [*map(load, names())], Watch(TRADES, ("BTC",)), dial=way):
                await asyncio.sleep(5)
            return tried

    tried = run(main)
    assert {name for name, _ in tried} == set(names())
    for name, url in tried:
        assert url in {socket.url for socket in load(name).sites["live"].sockets.values()}


@pytest.mark.parametrize("name", ["binance", "okx"])
def test_trades_with_telling_ids_come_in_order_whatever_the_stream_does(name: str) -> None:
    faults = ("ws_out_of_order:every=3", "ws_duplicate:every=5")
    here, _ = watch(name, dataset=TRADES, symbols=("ADA-USDT-PERP",), faults=faults)
    ids = [int(record.id) for record in here.records]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert len(ids) > 30


def test_connections_of_all_feeds_of_an_exchange_share_its_budget() -> None:
    async def main(hours: Hours) -> list[float]:
        async with place(hours) as here:
            exchange = load("hyperliquid")
            opened: list[float] = []

            class Counted(InsideDialer):
                async def opened(self, address: Any) -> Any:
                    opened.append(hours.passed())
                    return await super().opened(address)

            tight = replace(
                exchange, budgets=tuple(replace(one, limit=2, seconds=60) if one.name == "stream connections" else one
                                        for one in exchange.budgets)
            )  # fmt: skip
            way = Counted(here.session.client, tight, here.session.site(tight), floor=here.floor)
            both, other = Watch(TICKER, ("BTC", "UBTC-USDC")), Watch(TICKER, ("ETH",))
            async with (
                watched(here.session, [tight], both, dial=lambda _: way),
                watched(here.session, [tight], other, dial=lambda _: way),
            ):
                await asyncio.sleep(200)
            return opened

    opened = run(main)
    assert len(opened) == 3
    assert opened[2] - opened[0] >= 60


def test_of_all_markets_of_an_exchange_that_is_away_one_connection_tries() -> None:
    async def main(hours: Hours) -> int:
        async with place(hours) as here:
            tried: list[float] = []

            async def away(_: object) -> Any:
                tried.append(hours.passed())
                raise ExchangeDown("away")

            symbols = ("BTC-USDT-PERP", "BTC-USDT", "BTC-USD-PERP")
            async with watched(here.session, [load("binance")], Watch(TICKER, symbols), dial=lambda _: away):
                await asyncio.sleep(300)
            return len(tried)

    assert 10 <= run(main) <= 35


def test_an_exchange_that_is_away_for_too_long_ends_its_feed() -> None:
    async def script(_: Place, feeds: Feeds) -> None:
        await asyncio.sleep(28)
        assert feeds.failures == []
        await asyncio.sleep(4)
        assert {failure.exit for failure in feeds.failures} == {5}

    _, feeds = watch(
        "binance",
        dataset=TICKER,
        symbols=("BTC",),
        max_down=30.0,
        faults=("ws_refuse:status=503",),
        script=script,
    )
    assert len(feeds.failures) == 1  # though there are two connections
    for failure in feeds.failures:
        assert isinstance(failure, NetworkError)
        assert "--max-down" in failure.message


def test_states_without_a_time_of_their_own_have_the_exchanges() -> None:
    here, feeds = watch("hyperliquid", dataset=FUNDING, symbols=("BTC",), seconds=10.0)
    times = [record.time for record in here.records]
    assert times == sorted(times)
    assert max(times) - min(times) >= 8 * SECOND
    assert abs(times[-1] - (START + 10 * SECOND)) < 2 * SECOND
    assert here.records[-1].next_time == START + HOUR
    assert abs(feeds.now("hyperliquid") - START) < 30 * SECOND
