"""What comes out of the program through the simulated OKX, against the world's own rows."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

import marketcli
from marketcli.catalog import distinct, listed
from marketcli.datasets import (
    BOOK,
    INSTRUMENTS,
    RATIO_ACCOUNTS,
    RATIO_TAKER,
    RATIO_TOP_ACCOUNTS,
    RATIO_TOP_POSITIONS,
    TICKER,
    TRADES,
    TRADES_HISTORY,
    Dataset,
)
from marketcli.exchanges import load
from marketcli.models import DAY, HOUR, MINUTE, SECOND, Instrument, Interval, Market, Window, to_micros
from marketcli.sandbox.server import Sandbox
from marketcli.spec import Query, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketcli.spec import Page, Rows
    from marketcli.world import Listing

NOW = to_micros(datetime(2026, 11, 21, 9, 31, 7, 500_000, tzinfo=UTC))
OKX = load("okx")
SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
FIVE = Interval.parse("5m")
NATIVE = {SPOT: "BTC-USDT", LINEAR: "BTC-USDT-SWAP", INVERSE: "BTC-USD-SWAP"}
DATED = {LINEAR: "ETH-USDT-270326", INVERSE: "ETH-USD-261225"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(clock=lambda: NOW, limits=False) as running:
        yield running


def listing(sandbox: Sandbox, native: str) -> Listing:
    simulator = sandbox.floor.simulators["okx"]
    return next(one for one in simulator.listings(sandbox.world) if simulator.native(one) == native)


def columns(frame: Any, *names: str) -> list[tuple[Any, ...]]:
    return list(frame.select(frame["time"].dt.epoch("us"), *names).iter_rows())


@pytest.mark.parametrize("native", [*NATIVE.values(), *DATED.values()])
def test_candles_are_the_world_s_over_both_endpoints(sandbox: Sandbox, native: str) -> None:
    frame = marketcli.ohlc(native, "5m", since="2026-11-13T01:00", exchange="okx", via=sandbox.url)
    window = Window(to_micros(datetime(2026, 11, 13, 1, tzinfo=UTC)), FIVE.floor(NOW))
    truth = sandbox.world.candles(listing(sandbox, native), FIVE, window)
    assert frame.height == len(truth) == 2_406
    prices = columns(frame, "open", "high", "low", "close")
    assert prices == [(bar.time, bar.open, bar.high, bar.low, bar.close) for bar in truth]
    assert columns(frame, "volume_base", "volume_quote") == [
        (bar.time, bar.volume_base, bar.volume_quote) for bar in truth
    ]
    paths = sandbox.stats()["paths"]
    assert paths["www.okx.com/api/v5/market/candles"] > 0
    assert paths["www.okx.com/api/v5/market/history-candles"] > 0


def test_contracts_are_counted_beside_base(sandbox: Sandbox) -> None:
    for native, size in ((NATIVE[LINEAR], 0.01), (DATED[LINEAR], 0.1)):
        frame = marketcli.ohlc(native, "1h", last=50, exchange="okx", via=sandbox.url)
        base = [contracts * size for contracts in frame["volume_contracts"]]
        assert base == pytest.approx(frame["volume_base"].to_list())
    frame = marketcli.ohlc(NATIVE[INVERSE], "1h", last=50, exchange="okx", via=sandbox.url)
    value = [contracts * 100 for contracts in frame["volume_contracts"]]
    assert value == frame["volume_quote"].to_list()


@pytest.mark.parametrize("interval", ["6h", "1d", "3d", "1w", "1M", "3M"])
def test_days_weeks_and_months_are_utc(sandbox: Sandbox, interval: str) -> None:
    frame = marketcli.ohlc("BTC", interval, last=5, exchange="okx", via=sandbox.url)
    length = Interval.parse(interval)
    end = length.floor(NOW)
    window = Window(length.step(end, -5), end)
    truth = sandbox.world.candles(listing(sandbox, NATIVE[LINEAR]), length, window)
    assert columns(frame, "open", "close") == [(bar.time, bar.open, bar.close) for bar in truth]


@pytest.mark.parametrize("price", ["mark", "index"])
@pytest.mark.parametrize("native", [NATIVE[LINEAR], NATIVE[INVERSE], DATED[LINEAR]])
def test_mark_and_index_candles(sandbox: Sandbox, native: str, price: str) -> None:
    since = "2026-11-16T01:00"
    frame = marketcli.ohlc(native, "5m", since=since, price=price, exchange="okx", via=sandbox.url)
    window = Window(to_micros(datetime(2026, 11, 16, 1, tzinfo=UTC)), FIVE.floor(NOW))
    base = native if price == "mark" else f"{native.rpartition('-')[0]}-SWAP"
    truth = sandbox.world.candles(listing(sandbox, base), FIVE, window, price=price)
    assert len(truth) == 1_542  # more than the newest endpoint has
    assert columns(frame, "open", "close") == [(bar.time, bar.open, bar.close) for bar in truth]


def test_settlements_over_several_pages_are_what_was_charged(sandbox: Sandbox) -> None:
    frame = marketcli.funding("DOGE", since="2026-09-02", exchange="okx", via=sandbox.url)
    window = Window(to_micros(datetime(2026, 9, 2, tzinfo=UTC)), NOW)
    truth = sandbox.world.settlements(listing(sandbox, "DOGE-USDT-SWAP"), window)
    assert len(truth) == 1_930
    assert columns(frame, "rate") == [(row.time // MINUTE * MINUTE, row.rate) for row in truth]
    assert set(frame["interval_h"]) == {1.0}


@pytest.mark.parametrize("name", ["BTC-USDT-SWAP", "DOGE-USDT-SWAP", "BTC-USD-SWAP"])
def test_funding_now(sandbox: Sandbox, name: str) -> None:
    (row,) = marketcli.funding(name, exchange="okx", via=sandbox.url).iter_rows(named=True)
    one = listing(sandbox, name)
    truth = sandbox.world.derivative(one)
    assert (row["rate"], row["mark"], row["index"]) == (truth.rate, truth.mark, truth.index)
    assert to_micros(row["next_time"]) == truth.next_time
    assert row["interval_h"] == sandbox.world.terms(one).interval_h


@pytest.mark.parametrize("name", [NATIVE[LINEAR], NATIVE[INVERSE], DATED[INVERSE]])
def test_open_interest_now_and_then(sandbox: Sandbox, name: str) -> None:
    (row,) = marketcli.oi(name, exchange="okx", via=sandbox.url).iter_rows(named=True)
    one = listing(sandbox, name)
    now, before, sooner = sandbox.world.interest(one, [NOW, FIVE.floor(NOW - HOUR), FIVE.floor(NOW - DAY)])
    assert row["oi_base"] == pytest.approx(now.base)
    assert row["oi_quote"] == pytest.approx(now.quote)
    changes = now.base / before.base - 1, now.base / sooner.base - 1
    if one.market is INVERSE:
        changes = now.contracts / before.contracts - 1, now.contracts / sooner.contracts - 1
        assert row["oi_contracts"] == now.contracts
    assert (row["change_1h"], row["change_24h"]) == pytest.approx(changes)


@pytest.mark.parametrize("name", [NATIVE[LINEAR], NATIVE[INVERSE]])
def test_past_open_interest(sandbox: Sandbox, name: str) -> None:
    since = to_micros(datetime(2026, 11, 19, 9, tzinfo=UTC))
    frame = marketcli.oi(
        name, interval="5m", since="2026-11-19T09:00", until="2026-11-21T09:00", exchange="okx", via=sandbox.url
    )
    truth = sandbox.world.interest(listing(sandbox, name), range(since, since + 2 * DAY, 5 * MINUTE))
    assert columns(frame, "oi_base") == [(row.time, row.base) for row in truth]
    values = [row.quote for row in truth] if name == NATIVE[INVERSE] else [None] * len(truth)
    assert frame["oi_quote"].to_list() == values


@pytest.mark.parametrize("market", list(Market))
def test_prices_now(sandbox: Sandbox, market: Market) -> None:
    (row,) = marketcli.price(NATIVE[market], exchange="okx", market=market.value, via=sandbox.url).iter_rows(named=True)
    one = listing(sandbox, NATIVE[market])
    assert row["last"] == sandbox.world.last(one)
    truth = None if market is SPOT else sandbox.world.derivative(one)
    assert (row["mark"], row["index"]) == ((truth.mark, truth.index) if truth else (None, None))


def test_instruments(sandbox: Sandbox) -> None:
    frame = marketcli.instruments(exchange="okx", via=sandbox.url)
    simulator = sandbox.floor.simulators["okx"]
    known = {(one.market.value, simulator.native(one)): one for one in simulator.listings(sandbox.world)}
    rows = {(row["market"], row["native"]): row for row in frame.iter_rows(named=True)}
    assert rows.keys() == known.keys()
    for name, row in rows.items():
        one = known[name]
        assert (row["base"], row["quote"], row["settle"]) == (one.base, one.quote, one.settle)
        assert (row["tick"], row["lot"], to_micros(row["listed"])) == (float(one.tick), float(one.lot), one.listed)
    assert rows["inverse", "ETH-USD-SWAP"]["contract_size"] == 10
    assert rows["linear", "ETH-USDT-270326"]["contract_size"] == 0.1


@pytest.mark.parametrize("site", ["eea", "us"])
def test_regional_hosts_are_asked(sandbox: Sandbox, site: str) -> None:
    marketcli.ohlc("BTC", "1h", last=2, exchange="okx", site=site, via=sandbox.url)
    assert sandbox.stats()["paths"][f"{site}.okx.com/api/v5/market/candles"] == 1


def instruments(sandbox: Sandbox, market: Market) -> dict[str, Instrument]:
    (endpoint,) = OKX.instruments
    rows = fetched(sandbox, INSTRUMENTS, Query(INSTRUMENTS, market))
    found = [listed("okx", market, dict(zip(endpoint.columns, row, strict=True))) for row in rows]
    return {one.native: one for one in distinct(found)}


def fetched(sandbox: Sandbox, dataset: Dataset, query: Query) -> Rows:
    """The decoded rows of all pages, as the simulator answers them."""
    endpoint = OKX.endpoint(dataset, query.market)
    assert endpoint is not None

    def one(page: Page) -> Rows:
        asked = urlencode(endpoint.params(query, page))
        body = sandbox.floor.answer("GET", "www.okx.com", path=endpoint.path, query=asked).body
        assert OKX.refuse(Response(200, {}, body, "okx")) is None
        return endpoint.decode(body, query)

    pages = endpoint.pages(endpoint, query)
    if not isinstance(pages, Generator):
        return [row for page in pages for row in one(page)]
    rows: Rows = []
    try:
        page = next(pages)
        while True:
            rows += (came := one(page))
            page = pages.send(came)
    except StopIteration:
        return rows


def named(dataset: Dataset, market: Market, rows: Rows) -> list[dict[str, Any]]:
    endpoint = OKX.endpoint(dataset, market)
    assert endpoint is not None
    return [dict(zip(endpoint.columns, row, strict=True)) for row in rows]


def sized(row: dict[str, Any], name: str, instrument: Instrument, price: float) -> float:
    """What a row says in base."""
    if instrument.market is SPOT:
        return float(row[name])
    worth = row[f"{name.removesuffix('_size').removesuffix('_base')}_contracts"] * instrument.contract_size
    return float(worth / price if instrument.inverse else worth)


@pytest.mark.parametrize("market", list(Market))
def test_all_tickers_of_a_market(sandbox: Sandbox, market: Market) -> None:
    rows = {row["native"]: row for row in named(TICKER, market, fetched(sandbox, TICKER, Query(TICKER, market)))}
    for name, instrument in instruments(sandbox, market).items():
        if instrument.status != "trading":
            assert name not in rows
            continue
        row, truth = rows[name], sandbox.world.ticker(listing(sandbox, name))
        told = [row[key] for key in ("time", "last", "bid", "ask", "open", "high", "low")]
        assert told == [NOW, truth.last, truth.bid, truth.ask, truth.open, truth.high, truth.low]
        assert sized(row, "bid_size", instrument, truth.bid) == pytest.approx(truth.bid_size)
        assert sized(row, "ask_size", instrument, truth.ask) == pytest.approx(truth.ask_size)
        assert row["volume_base"] == truth.volume_base
        if market is not SPOT:
            assert row["volume_contracts"] == pytest.approx(
                truth.contracts or truth.volume_base / instrument.contract_size
            )


@pytest.mark.parametrize("market", list(Market))
def test_books(sandbox: Sandbox, market: Market) -> None:
    instrument = instruments(sandbox, market)[NATIVE[market]]
    rows = named(BOOK, market, fetched(sandbox, BOOK, Query(BOOK, market, instrument)))
    truth = sandbox.world.book(listing(sandbox, NATIVE[market]), 400)
    assert {(row["time"], row["update_id"]) for row in rows} == {(truth.time, str(truth.update_id))}
    for side, levels in (("bid", truth.bids), ("ask", truth.asks)):
        mine = [row for row in rows if row["side"] == side]
        assert [(row["price"], row["orders"]) for row in mine] == [(level.price, level.orders) for level in levels]
        sizes = [row["size"] if market is SPOT else row["size_contracts"] * instrument.contract_size for row in mine]
        if market is INVERSE:
            assert sizes == [level.contracts * 100 for level in levels]
        else:
            assert sizes == pytest.approx([level.size for level in levels])


@pytest.mark.parametrize("market", list(Market))
def test_the_newest_trades(sandbox: Sandbox, market: Market) -> None:
    instrument = instruments(sandbox, market)[NATIVE[market]]
    rows = named(TRADES, market, fetched(sandbox, TRADES, Query(TRADES, market, instrument)))
    truth = sandbox.world.recent_trades(listing(sandbox, NATIVE[market]), 500)[::-1]
    told = [(row["time"], row["id"], row["price"], row["side"]) for row in rows]
    assert told == [(row.time, str(row.id), row.price, row.taker) for row in truth]
    sizes = [sized(row, "size" if market is SPOT else "size_size", instrument, row["price"]) for row in rows]
    assert sizes == pytest.approx([row.size for row in truth])


@pytest.mark.parametrize("market", list(Market))
def test_past_trades_lack_none_and_repeat_none(sandbox: Sandbox, market: Market) -> None:
    instrument, one = instruments(sandbox, market)[NATIVE[market]], listing(sandbox, NATIVE[market])
    end = NOW - DAY + 250_000
    window = Window(end - 5 * SECOND, end)
    rows = named(
        TRADES_HISTORY,
        market,
        fetched(sandbox, TRADES_HISTORY, Query(TRADES_HISTORY, market, instrument, None, window)),
    )
    inside = [row["id"] for row in rows if row["time"] in window]
    truth = [str(row.id) for row in sandbox.world.trades(one, window)]
    assert len(truth) > 100
    assert inside == truth[::-1]


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
@pytest.mark.parametrize(
    ("dataset", "share"),
    [
        (RATIO_ACCOUNTS, "accounts_long"),
        (RATIO_TOP_ACCOUNTS, "top_accounts_long"),
        (RATIO_TOP_POSITIONS, "top_positions_long"),
    ],
)
def test_ratios(sandbox: Sandbox, dataset: Dataset, share: str, market: Market) -> None:
    instrument, window = instruments(sandbox, market)[NATIVE[market]], Window(FIVE.floor(NOW - DAY), FIVE.floor(NOW))
    rows = named(dataset, market, fetched(sandbox, dataset, Query(dataset, market, instrument, FIVE, window)))
    times = range(window.start, window.end, 5 * MINUTE)
    truth = [getattr(row, share) for row in sandbox.world.ratios(listing(sandbox, NATIVE[market]), FIVE, times)]
    assert sorted(row["time"] for row in rows) == list(times)
    told = [row["ratio"] for row in sorted(rows, key=lambda row: row["time"])]
    assert told == pytest.approx([each / (1 - each) for each in truth])


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_what_takers_did(sandbox: Sandbox, market: Market) -> None:
    instrument, window = instruments(sandbox, market)[NATIVE[market]], Window(FIVE.floor(NOW - DAY), FIVE.floor(NOW))
    rows = named(
        RATIO_TAKER, market, fetched(sandbox, RATIO_TAKER, Query(RATIO_TAKER, market, instrument, FIVE, window))
    )
    truth = sandbox.world.candles(listing(sandbox, NATIVE[market]), FIVE, window)
    rows.sort(key=lambda row: row["time"])
    assert [row["time"] for row in rows] == [bar.time for bar in truth]
    assert [row["buy_base"] for row in rows] == pytest.approx([bar.taker_buy_base for bar in truth])
    assert [row["sell_base"] for row in rows] == pytest.approx([bar.volume_base - bar.taker_buy_base for bar in truth])
