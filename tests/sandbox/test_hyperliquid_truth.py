"""What `marketcli` says of Hyperliquid is what the world says, all the way through requests, pages and decoders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.small_world import NOW, at

import marketcli
from marketcli.datasets import BOOK, TICKER, TRADES
from marketcli.errors import NotOffered, UnknownSymbol
from marketcli.exchanges import load
from marketcli.exchanges.hyperliquid.sandbox import SIMULATOR
from marketcli.models import HOUR, MINUTE, Instrument, Interval, Market, Window
from marketcli.sandbox.floor import Floor
from marketcli.sandbox.server import Sandbox
from marketcli.spec import Page, Query
from marketcli.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketcli.datasets import Dataset
    from marketcli.world import Listing

HYPERLIQUID = load("hyperliquid")
WORLD = World(7, clock=lambda: NOW)
LISTINGS = {SIMULATOR.native(one): one for one in SIMULATOR.listings(WORLD)}
NAMES = {"BTC": "BTC-USDC-PERP", "kPEPE": "kPEPE-USDC-PERP", "@142": "UBTC-USDC"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Sandbox(clock=lambda: NOW, limits=False) as sandbox:  # a clock that stands never frees a budget
        yield sandbox.url


def truth(native: str) -> Listing:
    return LISTINGS[native]


@pytest.mark.parametrize("native", NAMES)
@pytest.mark.parametrize(("interval", "length"), [("1m", MINUTE), ("1h", HOUR)])
def test_candles_over_both_pages(url: str, native: str, interval: str, length: int) -> None:
    end = NOW // length * length
    start = end - 4_990 * length
    frame = marketcli.ohlc(
        NAMES[native], interval, since=start // 1_000, until=end // 1_000, exchange="hyperliquid", via=url
    )
    bars = WORLD.candles(truth(native), Interval.parse(interval), Window(start, end))
    assert frame.height == len(bars) == 4_990
    assert frame["time"].to_physical().to_list() == [bar.time for bar in bars]
    for name in ("open", "high", "low", "close", "volume_base", "trades"):
        assert frame[name].to_list() == [getattr(bar, name) for bar in bars], name
    for name in ("volume_quote", "taker_buy_base", "volume_contracts"):
        assert frame[name].null_count() == frame.height, name
    assert set(frame["native"]) == {native}


@pytest.mark.parametrize(("interval", "last"), [("1w", 150), ("1M", 34), ("6h", 400)])
def test_intervals_it_lacks_are_built_from_whole_days_and_hours(url: str, interval: str, last: int) -> None:
    frame = marketcli.ohlc("BTC", interval, last=last, exchange="hyperliquid", via=url)
    grid = Interval.parse(interval)
    end = grid.floor(NOW)
    bars = WORLD.candles(truth("BTC"), grid, Window(grid.step(end, -last), end))
    assert frame["time"].to_physical().to_list() == [bar.time for bar in bars[-frame.height :]]
    assert frame["close"].to_list() == [bar.close for bar in bars[-frame.height :]]
    assert frame.height >= last - 2  # listed in 2024-01
    assert set(frame["source"]) == {f"resampled:{'2h' if interval == '6h' else '1d'}"}


def test_what_is_no_longer_kept_is_said(url: str) -> None:
    asked: dict[str, Any] = {"exchange": "hyperliquid", "via": url}
    with pytest.raises(NotOffered, match="newest 5,000 1m candles"):
        marketcli.ohlc("BTC", "1m", since="2026-11-01", until="2026-11-02", **asked)
    with pytest.warns(marketcli.IncompleteWarning, match="5,000"):
        frame = marketcli.ohlc("BTC", "1m", since="2026-11-01", **asked)
    assert frame.height == 4_995


def test_before_the_listing_there_was_nothing_to_keep(url: str) -> None:
    frame = marketcli.ohlc("BTC", "1d", since="2023-12-01", until="2024-01-10", exchange="hyperliquid", via=url)
    assert frame.height == 6
    assert frame["time"].to_physical()[0] == at("2024-01-04")


def test_funding_history_over_several_pages(url: str) -> None:
    start, end = at("2026-09-01"), at("2026-11-20")
    frame = marketcli.funding("SOL", since="2026-09-01", until="2026-11-20", exchange="hyperliquid", via=url)
    assert frame["time"].to_physical().to_list() == list(range(start, end, HOUR))
    assert set(frame["interval_h"]) == {1.0}
    expected = [hourly(truth("SOL"), time) for time in range(start, end, HOUR)]
    assert frame["rate"].to_list() == pytest.approx(expected, abs=2e-10)  # rates have 10 decimals
    assert frame["rate"].n_unique() > 20
    assert frame["mark"].null_count() == frame.height


def hourly(listing: Listing, due: int) -> float:
    """The rate of an hour by Hyperliquid's formula, from what the world's prices were in it."""
    hour, window = Interval(1, "h"), Window(due - HOUR, min(due, NOW + 1))
    (trade,), (index,) = (WORLD.candles(listing, hour, window, price=price) for price in ("trade", "index"))
    above = sum(trade[1:5]) / sum(index[1:5]) - 1
    if -0.0004 <= above <= 0.0006:
        return 0.0000125
    return round((above - 0.0005 if above > 0 else above + 0.0005) / 8, 10)


def test_coming_funding_open_interest_and_prices(url: str) -> None:
    asked: dict[str, Any] = {"exchange": "hyperliquid", "via": url}
    names = ["BTC", "ETH", "SOL", "kPEPE"]
    funding, interest, price = (
        marketcli.funding(names, **asked),
        marketcli.oi(names, **asked),
        marketcli.price(names, **asked),
    )
    for row, native in enumerate(names):
        listing = truth(native)
        now, (opened,) = WORLD.derivative(listing), WORLD.interest(listing, [NOW])
        assert funding[row, "rate"] == pytest.approx(hourly(listing, at("2026-11-21T13:00")), abs=1e-10)
        assert (funding[row, "mark"], funding[row, "index"]) == (now.mark, now.index)
        assert (interest[row, "oi_base"], interest[row, "oi_quote"]) == (opened.base, pytest.approx(opened.quote))
        assert (price[row, "mark"], price[row, "index"], price[row, "last"]) == (now.mark, now.index, None)
    assert set(funding["next_time"].to_physical()) == {at("2026-11-21T13:00")}
    assert set(funding["interval_h"]) == {1.0}
    assert funding["apr"].to_list() == pytest.approx([rate * 8_760 for rate in funding["rate"]])
    assert all(abs(time - NOW) < MINUTE for time in funding["time"].to_physical())


def test_spot_has_a_mark_price_and_no_funding(url: str) -> None:
    asked: dict[str, Any] = {"exchange": "hyperliquid", "via": url}
    frame = marketcli.price("UBTC-USDC", **asked)
    assert frame["mark"].to_list() == [WORLD.last(truth("@142"))]
    with pytest.raises(NotOffered, match="no funding is paid"):
        marketcli.funding("UBTC-USDC", **asked)


def test_every_instrument_of_the_world_is_listed_under_its_names(url: str) -> None:
    frame = marketcli.instruments(exchange="hyperliquid", via=url)
    assert set(frame["native"]) == set(LISTINGS)
    assert frame["market"].value_counts().sort("market").rows() == [("linear", 4), ("spot", 3)]
    for row in frame.iter_rows(named=True):
        listing = truth(row["native"])
        assert (row["base"], row["quote"], row["settle"]) == (SIMULATOR.base(listing), "USDC", "USDC")
        assert (row["lot"], row["tick"], row["status"]) == (float(listing.lot), None, "trading")


def test_names_are_found_by_any_spelling(url: str) -> None:
    for name, native in (("btc", "BTC"), ("kPEPE", "kPEPE"), ("@142", "@142"), ("BTC/USDC:USDC", "BTC")):
        frame = marketcli.ohlc(name, "1d", last=1, exchange="hyperliquid", via=url)
        assert frame["native"].to_list() == [native]
    with pytest.raises(UnknownSymbol):
        marketcli.ohlc("BTCUSDT", "1d", last=1, exchange="hyperliquid", via=url)


def test_tickers_books_and_trades_through_the_functions(url: str) -> None:
    asked: dict[str, Any] = {"exchange": "hyperliquid", "via": url}
    listing = truth("kPEPE")
    mark, day, book = WORLD.derivative(listing).mark, WORLD.ticker(listing), WORLD.book(listing, 3)
    (row,) = marketcli.ticker("kPEPE", **asked).rows(named=True)
    assert (row["mark"], row["last"], row["high"], row["volume_usd"]) == (mark, None, None, day.volume_quote)
    assert row["change"] == pytest.approx(mark / day.open - 1)
    frame = marketcli.book("kPEPE", depth=3, **asked)
    assert frame["price"].to_list() == [one.price for one in (*book.bids, *book.asks)]
    assert frame["orders"].to_list() == [one.orders for one in (*book.bids, *book.asks)]
    trades, newest = marketcli.trades("@142", **asked), WORLD.recent_trades(truth("@142"), 10)
    assert sorted(trades["price"]) == sorted(one.price for one in newest)
    assert trades["size"].sum() == pytest.approx(sum(one.size for one in newest))
    with pytest.raises(NotOffered, match="newest trades only"):
        marketcli.trades("BTC", since="2026-11-21", **asked)


FLOOR = Floor(WORLD, limits=False, faults=())


def answered(dataset: Dataset, native: str) -> list[dict[str, Any]]:
    """The rows of a cell about an instrument, of what the simulator answers to its request."""
    listing = truth(native)
    endpoint = HYPERLIQUID.endpoint(dataset, listing.market)
    assert endpoint is not None
    base = SIMULATOR.base(listing)
    instrument = Instrument("hyperliquid", listing.market, NAMES.get(native, native), native, base, "USDC", "USDC")
    query = Query(dataset, listing.market, instrument)
    asked = json.dumps(dict(endpoint.params(query, Page(None, endpoint.limit)))).encode()
    headers = {"content-type": "application/json"}
    answer = FLOOR.answer("POST", "api.hyperliquid.xyz", path=endpoint.path, query="", body=asked, headers=headers)
    return [dict(zip(endpoint.columns, row, strict=True)) for row in endpoint.decode(answer.body, query)]


@pytest.mark.parametrize("native", ["BTC", "kPEPE", "@142"])
def test_tickers(native: str) -> None:
    listing, day = truth(native), WORLD.ticker(truth(native))
    found = {row["native"]: row for row in answered(TICKER, native)}
    assert set(found) == {name for name, one in LISTINGS.items() if one.market is listing.market}
    spot = listing.market is Market.SPOT
    assert found[native] == {
        "native": native,
        "mark": day.last if spot else WORLD.derivative(listing).mark,
        "open": day.open,
        "volume_base": day.volume_base,
        "volume_quote": day.volume_quote,
    }


@pytest.mark.parametrize("native", ["BTC", "kPEPE", "@142"])
def test_books(native: str) -> None:
    book = WORLD.book(truth(native), 20)
    assert answered(BOOK, native) == [
        {"time": book.time, "side": side, "price": one.price, "size": one.size, "orders": one.orders}
        for side, levels in (("bid", book.bids), ("ask", book.asks))
        for one in levels
    ]


@pytest.mark.parametrize("native", ["BTC", "kPEPE", "@142"])
def test_trades(native: str) -> None:
    newest = WORLD.recent_trades(truth(native), 10)[::-1]
    rows = answered(TRADES, native)
    assert [(row["time"], row["price"], row["size"], row["side"]) for row in rows] == [
        (one.time, one.price, one.size, one.taker) for one in newest
    ]
    assert len({row["id"] for row in rows}) == 10
    assert {one.taker for one in WORLD.recent_trades(truth(native), 10)} == {row["side"] for row in rows}
