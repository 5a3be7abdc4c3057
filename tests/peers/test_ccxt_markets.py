"""What ccxt loads from the sandbox before anything else: markets, and lists the world has nothing for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from peers.ccxt_cells import INVERSE, SPOT, WORLD, Venue, every, name_of, symbol_of, venues
from sandbox.small_world import NOW

from marketcli.models import MILLISECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.world import Listing

CONTRACTS = {"BTC": 0.01, "ETH": 0.1}  # base that a linear contract of OKX stands for


def contract_size(venue: Venue, listing: Listing) -> float | None:
    if listing.market is SPOT:
        return None
    if listing.market is INVERSE:
        return 1 if venue.exchange == "bybit" else listing.contract_size
    return CONTRACTS.get(listing.base, 1) if venue.exchange == "okx" else 1


@pytest.mark.parametrize("venue", venues("fetchMarkets"), ids=name_of)
def test_everything_that_trades_and_nothing_else(peer: Callable[[str], Any], venue: Venue) -> None:
    markets = peer(venue.client).markets
    mine = {symbol for symbol, market in markets.items() if venue.market in {market["type"], market["subType"]}}
    ended = {
        symbol_of(venue.exchange, one)
        for one in venue.simulator.listings(WORLD, venue.market)
        if one.status != "trading"
    }
    assert mine - ended == every(venue).keys()
    assert not [symbol for symbol in mine & ended if markets[symbol]["active"]]


@pytest.mark.parametrize("venue", venues("fetchMarkets"), ids=name_of)
def test_what_a_market_is(peer: Callable[[str], Any], venue: Venue) -> None:
    markets = peer(venue.client).markets
    for symbol, listing in every(venue).items():
        market, size = markets[symbol], contract_size(venue, listing)
        native = market["baseName"] if venue.client == "hyperliquid" and market["swap"] else market["id"]
        assert native == venue.simulator.native(listing)
        assert (market["settle"], market["contractSize"]) == (None if size is None else listing.settle, size)
        assert (market["active"], market["contract"]) == (True, size is not None)
        assert market["swap"] == (listing.perpetual and listing.market is not SPOT)
        ends = None if listing.expiry is None else listing.expiry // MILLISECOND
        assert market["expiry"] == ends
        step = market["precision"]["amount"] * (size or 1 if listing.market is not INVERSE else 1)
        assert step == pytest.approx(float(listing.lot))
        if venue.client != "hyperliquid":  # it has significant digits instead
            assert market["precision"]["price"] == float(listing.tick)
        if market["created"] is not None:
            assert market["created"] == listing.listed // MILLISECOND


@pytest.mark.parametrize("venue", venues("fetchTime"), ids=name_of)
def test_the_clock(peer: Callable[[str], Any], venue: Venue) -> None:
    assert peer(venue.client).fetch_time() == NOW // MILLISECOND


@pytest.mark.parametrize("venue", venues("fetchStatus"), ids=name_of)
def test_nothing_is_wrong(peer: Callable[[str], Any], venue: Venue) -> None:
    assert peer(venue.client).fetch_status()["status"] == "ok"


@pytest.mark.parametrize("venue", venues("fetchCurrencies"), ids=name_of)
def test_currencies(peer: Callable[[str], Any], venue: Venue) -> None:
    pairs = [one for one in venue.simulator.listings(WORLD) if one.market is SPOT]
    named = {venue.simulator.base(one) for one in pairs} | {one.quote for one in pairs}
    assert set(peer(venue.client).fetch_currencies()) == named


def test_options_and_other_exchanges_are_empty_lists(peer: Callable[[str], Any]) -> None:
    bybit, okx, hyperliquid = (peer(name) for name in ("bybit", "okx", "hyperliquid"))
    options = bybit.public_get_v5_market_instruments_info({"category": "option", "baseCoin": "BTC"})
    assert (options["retCode"], options["result"]["list"]) == (0, [])
    prelaunch = {"category": "linear", "status": "PreLaunch", "limit": 1_000}
    assert bybit.public_get_v5_market_instruments_info(prelaunch)["result"]["list"] == []
    options = okx.public_get_public_instruments({"instType": "OPTION", "uly": "BTC-USD"})
    assert (options["code"], options["data"]) == ("0", [])
    assert hyperliquid.public_post_info({"type": "perpDexs"}) == [None]  # the first is Hyperliquid itself
