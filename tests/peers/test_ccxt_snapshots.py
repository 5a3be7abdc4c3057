"""Tickers, books and trades as ccxt reads them from the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from peers.ccxt_cells import INVERSE, SPOT, WORLD, Case, Venue, amount_of, cases, lasting, name_of, size_of, venues
from sandbox.small_world import NOW

from marketcli.models import MILLISECOND, MINUTE, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.world import Ticker

PLAIN = {"spot": "publicGetTrades", "linear": "fapiPublicGetTrades", "inverse": "dapiPublicGetTrades"}


def volumes(client: Any, case: Case, day: Ticker) -> tuple[float, float | None]:
    """The volumes that ccxt calls those of base and of quote."""
    if case.venue.client == "okx" and case.venue.market is not SPOT:
        contracts = day.contracts or day.volume_base / client.market(case.symbol)["contractSize"]
        return contracts, None
    if case.venue.client == "bybit" and case.venue.market is INVERSE:
        return day.contracts * case.listing.contract_size, day.volume_base
    return day.volume_base, day.volume_quote


def check(client: Any, case: Case, row: dict[str, Any]) -> None:
    """A ticker of ccxt against that of the world."""
    day = WORLD.ticker(case.listing)
    if case.venue.client == "hyperliquid":
        assert (row["previousClose"], row["bid"], row["ask"]) == (day.open, day.bid, day.ask)
        assert (row["close"], row["quoteVolume"]) == pytest.approx(((day.bid + day.ask) / 2, day.volume_quote))
        return
    assert [row[name] for name in ("open", "high", "low", "last")] == [day.open, day.high, day.low, day.last]
    base, quote = volumes(client, case, day)
    assert row["baseVolume"] == pytest.approx(base, rel=1e-12)
    if case.venue.exchange == "binance" and case.venue.market is INVERSE:
        assert row["quoteVolume"] == pytest.approx(quote, rel=1e-4)  # ccxt multiplies with a rounded average
    else:
        assert row["quoteVolume"] == (None if quote is None else pytest.approx(quote, rel=1e-12))
    if case.venue.exchange == "binance" and case.venue.market is not SPOT:
        assert row["bid"] is row["ask"] is None  # not in this answer of Binance's
    else:
        check_best(client, case, row)


def check_best(client: Any, case: Case, row: dict[str, Any]) -> None:
    """The best of both sides."""
    (bid,), (ask,) = WORLD.book(case.listing, 1)[2:]
    assert (row["bid"], row["ask"]) == (bid.price, ask.price)
    sizes = [amount_of(client, case, row[name]) for name in ("bidVolume", "askVolume")]
    assert sizes == pytest.approx([size_of(case, bid), size_of(case, ask)], rel=1e-12)


def every_case(venue: Venue) -> dict[str, Case]:
    return {symbol: Case(venue, symbol, listing) for symbol, listing in lasting(venue).items()}


@pytest.mark.parametrize("case", cases("fetchTicker"), ids=name_of)
def test_one_ticker(peer: Callable[[str], Any], case: Case) -> None:
    client = peer(case.venue.client)
    check(client, case, client.fetch_ticker(case.symbol))


@pytest.mark.parametrize("venue", venues("fetchTickers"), ids=name_of)
def test_all_tickers(peer: Callable[[str], Any], venue: Venue) -> None:
    client = peer(venue.client)
    rows = client.fetch_tickers(None, venue.kind)
    for symbol, case in every_case(venue).items():
        check(client, case, rows[symbol])


@pytest.mark.parametrize("venue", venues("fetchBidsAsks"), ids=name_of)
def test_the_best_of_all_books(peer: Callable[[str], Any], venue: Venue) -> None:
    client, wanted = peer(venue.client), every_case(venue)
    rows = client.fetch_bids_asks(list(wanted))
    assert rows.keys() == wanted.keys()
    for symbol, case in wanted.items():
        check_best(client, case, rows[symbol])


@pytest.mark.parametrize("venue", venues("fetchLastPrices"), ids=name_of)
def test_all_last_prices(peer: Callable[[str], Any], venue: Venue) -> None:
    rows = peer(venue.client).fetch_last_prices(list(lasting(venue)))
    assert {symbol: row["price"] for symbol, row in rows.items()} == {
        symbol: WORLD.last(listing) for symbol, listing in lasting(venue).items()
    }


@pytest.mark.parametrize("case", cases("fetchMarkPrice"), ids=name_of)
def test_one_mark_price(peer: Callable[[str], Any], case: Case) -> None:
    row, truth = peer(case.venue.client).fetch_mark_price(case.symbol), WORLD.derivative(case.listing)
    assert (row["markPrice"], row["indexPrice"]) == (truth.mark, truth.index)


@pytest.mark.parametrize("venue", venues("fetchMarkPrices"), ids=name_of)
def test_all_mark_prices(peer: Callable[[str], Any], venue: Venue) -> None:
    rows = peer(venue.client).fetch_mark_prices(list(lasting(venue)))
    assert {symbol: row["markPrice"] for symbol, row in rows.items()} == {
        symbol: WORLD.derivative(listing).mark for symbol, listing in lasting(venue).items()
    }


@pytest.mark.parametrize("case", cases("fetchOrderBook"), ids=name_of)
def test_the_book(peer: Callable[[str], Any], case: Case) -> None:
    client, truth = peer(case.venue.client), WORLD.book(case.listing, 20)
    book = client.fetch_order_book(case.symbol, 20)
    for rows, levels in ((book["bids"], truth.bids), (book["asks"], truth.asks)):
        assert [row[0] for row in rows] == [level.price for level in levels]
        sizes = [amount_of(client, case, row[1]) for row in rows]
        assert sizes == pytest.approx([size_of(case, level) for level in levels], rel=1e-12)
    assert len(book["bids"]) == len(book["asks"]) == 20


def check_trades(client: Any, case: Case, rows: list[dict[str, Any]], count: int) -> None:
    truth = WORLD.recent_trades(case.listing, count)
    assert [(row["timestamp"], row["side"], row["price"]) for row in rows] == [
        (trade.time // MILLISECOND, trade.taker, trade.price) for trade in truth
    ]
    sizes = [amount_of(client, case, row["amount"]) for row in rows]
    assert sizes == pytest.approx([size_of(case, trade) for trade in truth], rel=1e-12)
    assert len({row["id"] for row in rows}) == count
    assert {row["symbol"] for row in rows} == {case.symbol}


@pytest.mark.parametrize("case", cases("fetchTrades"), ids=name_of)
def test_the_newest_trades(peer: Callable[[str], Any], case: Case) -> None:
    client = peer(case.venue.client)
    check_trades(client, case, client.fetch_trades(case.symbol, None, 50), 50)


@pytest.mark.parametrize("case", [one for one in cases("fetchTrades") if one.venue.exchange == "binance"], ids=name_of)
def test_single_trades_of_binance(peer: Callable[[str], Any], case: Case) -> None:
    client, method = peer(case.venue.client), PLAIN[case.venue.market.value]
    check_trades(client, case, client.fetch_trades(case.symbol, None, 50, {"fetchTradesMethod": method}), 50)


@pytest.mark.parametrize("symbol", ["BTC/USDC", "BTC/USDC:USDC", "KPEPE/USDC:USDC"])
def test_the_newest_trades_of_hyperliquid(peer: Callable[[str], Any], symbol: str) -> None:
    client = peer("hyperliquid")
    (case,) = (found[symbol] for venue in venues("fetchTrades", "u") if symbol in (found := every_case(venue)))
    coin = case.venue.simulator.native(case.listing)
    rows = client.parse_trades(client.public_post_info({"type": "recentTrades", "coin": coin}))
    check_trades(client, case, sorted(rows, key=lambda row: row["timestamp"]), len(rows))


def test_past_trades_of_binance_by_time(peer: Callable[[str], Any]) -> None:
    start, venue = NOW - 90 * MINUTE, venues("fetchTrades")[0]
    case = every_case(venue)["SOL/USDT"]
    since, rows = start // MILLISECOND, list[dict[str, Any]]()
    while not rows or rows[-1]["timestamp"] < (start + MINUTE) // MILLISECOND:
        page = peer("binance").fetch_trades(case.symbol, since, 1_000)
        rows += [row for row in page if row["id"] not in {known["id"] for known in rows[-1_000:]}]
        since = rows[-1]["timestamp"]
    truth = WORLD.trades(case.listing, Window(start, start + MINUTE))
    inside = [row for row in rows if row["timestamp"] < (start + MINUTE) // MILLISECOND]
    assert [(row["id"], row["price"], row["amount"]) for row in inside] == [
        (str(trade.id), trade.price, trade.size) for trade in truth
    ]
    assert len(truth) > 100
