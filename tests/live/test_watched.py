"""What a watch gives, end to end on a clock that jumps: its records are the world's, and its errors come first."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from live.scenes import listing, watch
from virtual_time import START

from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, OI, TICKER, TRADES
from marketcli.exchanges import load, names, simulator
from marketcli.live.events import Blind
from marketcli.models import HOUR, MINUTE, SECOND, Interval, Market, Window

LINEAR, SPOT, INVERSE = Market.LINEAR, Market.SPOT, Market.INVERSE
MINUTES = Interval(1, "m")
# What trades little, so that nothing takes long; Hyperliquid has its own.
QUIET = {LINEAR: "ADA-USDT-PERP", SPOT: "SOL-USDT", INVERSE: "SOL-USD-PERP"}
THERE = {LINEAR: "SOL-USDC-PERP", SPOT: "USOL-USDC"}
EVERYWHERE = [(name, market) for name in names() for market in load(name).markets]
CONTRACTS = [(name, market) for name, market in EVERYWHERE if market is not SPOT]
every_market = pytest.mark.parametrize(("name", "market"), EVERYWHERE)
every_contract = pytest.mark.parametrize(("name", "market"), CONTRACTS)


def symbol(name: str, market: Market) -> str:
    """What is watched there."""
    return THERE[market] if name == "hyperliquid" else QUIET[market]


def traded(rows: Any, window: Window) -> Counter[tuple[Any, ...]]:
    """Trades to compare: when, at what price, how much, and who took."""
    return Counter(
        (row.time, row.price, round(row.size, 9), getattr(row, "side", None) or row.taker)
        for row in rows
        if row.time in window
    )


# --- records are the world's


@every_market
def test_trades_are_the_worlds(name: str, market: Market) -> None:
    here, feeds = watch(name, dataset=TRADES, symbols=(symbol(name, market),), market=market, seconds=30.0)
    window = Window(START + 2 * SECOND, START + 28 * SECOND)
    one = listing(here, here.records[0])
    truth = here.floor.world.trades(one, window)
    assert traded(here.records, window) == traded(truth, window)
    assert len(truth) > 3
    assert here.of(Blind) == []
    assert {record.source for record in here.records} == {"stream"}
    value = {(row.time, row.price, round(row.size, 9)): row.value for row in truth}
    for record in here.records:
        if record.time in window:
            assert record.notional == pytest.approx(value[record.time, record.price, round(record.size, 9)])
            assert record.notional_usd == record.notional
    (source,) = feeds.sources
    assert (source.exchange, source.market, [each.symbol for each in source.instruments]) == (
        name,
        market,
        [symbol(name, market)],
    )


@every_market
def test_closed_candles_are_the_worlds_and_come_once(name: str, market: Market) -> None:
    here, _ = watch(name, dataset=OHLC, symbols=(symbol(name, market),), market=market, interval=MINUTES, seconds=190.0)
    one = listing(here, here.records[0])
    truth = here.floor.world.candles(one, MINUTES, Window(START, START + 3 * MINUTE))
    closed = [record for record in here.records if record.closed]
    assert [
        (row.time, row.open, row.high, row.low, row.close, pytest.approx(row.volume_base, abs=1e-8)) for row in truth
    ] == [(row.time, row.open, row.high, row.low, row.close, row.volume_base) for row in closed]
    # Hyperliquid never says that a candle is closed: REST does.
    assert {record.source for record in closed} == {"rest" if name == "hyperliquid" else "stream"}
    assert {blind.repaired for blind in here.of(Blind)} <= {True}
    assert any(not record.closed for record in here.records)


@every_market
def test_tickers_are_the_worlds(name: str, market: Market) -> None:
    here, _ = watch(name, dataset=TICKER, symbols=(symbol(name, market),), market=market, seconds=20.0)
    assert len(here.records) >= 3
    record = here.records[-1]
    time = record.time or START + 20 * SECOND
    truth = here.floor.world.at(time).ticker(listing(here, record))
    if record.last is not None:
        assert record.last == pytest.approx(truth.last, rel=2e-3)
    assert record.volume_base == pytest.approx(truth.volume_base, rel=1e-3)
    assert record.volume_usd == pytest.approx(truth.volume_quote, rel=0.05)
    assert record.change == pytest.approx((record.last or record.mark) / record.open - 1)
    # Binance's contracts have it from another address; two streams have none.
    assert (record.bid is None) == (name == "hyperliquid" or (name, market) == ("bybit", SPOT))
    if record.bid is not None:
        assert 0 < record.ask - record.bid < 0.01 * record.bid
        assert record.spread == pytest.approx(2 * (record.ask - record.bid) / (record.ask + record.bid))
    for before, after in zip(here.records, here.records[1:], strict=False):
        assert (before.time or 0) <= (after.time or 0)


@every_contract
def test_funding_is_the_worlds(name: str, market: Market) -> None:
    here, _ = watch(name, dataset=FUNDING, symbols=(symbol(name, market),), market=market, seconds=100.0)
    record = here.records[-1]
    one = listing(here, record)
    truth = here.floor.world.at(record.time).derivative(one)
    hours = 1 if name == "hyperliquid" else here.floor.world.terms(one).interval_h
    assert record.interval_h == hours
    assert record.rate is not None
    assert record.apr == pytest.approx(record.rate * 365 * 24 / hours)
    assert record.mark == pytest.approx(truth.mark, rel=2e-3)
    assert record.index == pytest.approx(truth.index, rel=2e-3)
    assert record.basis == pytest.approx(record.mark / record.index - 1)
    if name != "hyperliquid":
        assert record.rate == pytest.approx(truth.rate, abs=1e-7)
        assert record.next_time == truth.next_time
    else:
        assert record.next_time == START + HOUR


@pytest.mark.parametrize(("name", "market"), [one for one in CONTRACTS if one[0] != "binance"])
def test_open_interest_is_the_worlds(name: str, market: Market) -> None:
    here, _ = watch(name, dataset=OI, symbols=(symbol(name, market),), market=market, seconds=20.0)
    record = here.records[-1]
    (truth,) = here.floor.world.interest(listing(here, record), [record.time])
    share = record.oi_base / truth.base
    assert record.oi_quote == pytest.approx(truth.quote * share, rel=2e-3)
    if name != "hyperliquid":
        assert share == pytest.approx(1, rel=1e-3)
    assert (record.oi_contracts is not None) == (name == "okx" or market is INVERSE)


@pytest.mark.parametrize(("name", "market"), [one for one in CONTRACTS if one[0] != "hyperliquid"])
def test_liquidations_are_what_the_exchange_shows(name: str, market: Market) -> None:
    coin = "BTC-USDT-PERP" if market is LINEAR else "BTC-USD-PERP"
    here, feeds = watch(name, dataset=LIQUIDATIONS, symbols=(coin,), market=market, seconds=160.0)
    found = simulator(name)
    assert found is not None
    shown = here.floor.world.liquidations(listing(here, here.records[0]), Window(START, START + 155 * SECOND))
    moments = {(row.time, row.liquidated) for row in shown}
    came = [record for record in here.records if record.time < START + 155 * SECOND]
    assert len(came) > 5
    assert {(record.time, record.liquidated) for record in came} <= moments
    full = name == "bybit"
    assert (
        {record.completeness for record in came} == {"full" if full else "sampled"} == {feeds.sources[0].completeness}
    )
    if full:
        assert len(came) == len([row for row in shown if row.time >= min(record.time for record in came)])
    assert feeds.sources[0].notes
    assert "lists after the beginning" not in " ".join(feeds.sources[0].notes)
