"""Binance as the sandbox plays it: spot, USD-M and COIN-M with their limits, weights, bounds and refusals.

Written from the documentation (https://developers.binance.com/docs, read in 2026), not from `rest`: what one side gets
wrong must not be hidden by the other. The answers stand in the `simulated_` modules; here are the tables.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from marketcli.exchanges.binance.simulated_candles import klines, rows_weight
from marketcli.exchanges.binance.simulated_funding import (
    funding_info,
    funding_rate,
    inverse_premium_index,
    premium_index,
)
from marketcli.exchanges.binance.simulated_instruments import exchange_info
from marketcli.exchanges.binance.simulated_interest import inverse_history, open_interest, open_interest_history
from marketcli.exchanges.binance.simulated_prices import average_price, contract_prices, inverse_prices, spot_prices
from marketcli.exchanges.binance.simulated_ratios import standing, taker_ratio, taker_volume
from marketcli.exchanges.binance.simulated_requests import (
    FUNDING,
    INVERSE,
    LINEAR,
    POOLS,
    SPOT,
    STATISTICS,
    answer,
    banned,
    by_symbol,
    limited,
    missing,
    native,
    units,
)
from marketcli.exchanges.binance.simulated_streams import OUTLETS
from marketcli.exchanges.binance.simulated_tickers import book_tickers, day_tickers, spot_day_weight
from marketcli.exchanges.binance.simulated_trades import depth, depth_weight, merged_trades, recent_trades
from marketcli.models import MILLISECOND, Market
from marketcli.simulator import Ask, Reply, Route, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketcli.world import Ratio

PREFIX = {SPOT: "/api/v3", LINEAR: "/fapi/v1", INVERSE: "/dapi/v1"}


def server_time(ask: Ask) -> Reply:
    """The exchange's clock."""
    return answer({"serverTime": ask.now // MILLISECOND})


def ping(_: Ask) -> Reply:
    """An empty object."""
    return answer({})


def shared(market: Market) -> tuple[Route, ...]:
    """What all markets have."""
    spot, prefix = market is SPOT, PREFIX[market]
    return (
        Route(market, f"{prefix}/ping", units(1), ping),
        Route(market, f"{prefix}/time", units(1), server_time),
        Route(market, f"{prefix}/exchangeInfo", units(20 if spot else 1), partial(exchange_info, market=market)),
        candles(market, "klines", units(2) if spot else rows_weight),
        Route(market, f"{prefix}/depth", partial(depth_weight, market=market), partial(depth, market=market)),
        Route(market, f"{prefix}/trades", units(25 if spot else 5), partial(recent_trades, market=market)),
        Route(market, f"{prefix}/aggTrades", units(4 if spot else 20), partial(merged_trades, market=market)),
        Route(
            market,
            f"{prefix}/ticker/24hr",
            spot_day_weight if spot else by_symbol(1, 40),
            partial(day_tickers, market=market),
        ),
        Route(
            market,
            f"{prefix}/ticker/bookTicker",
            by_symbol(2, 4 if spot else 5),
            partial(book_tickers, market=market),
        ),
    )


def candles(
    market: Market, name: str, weight: Callable[[Ask], int], *, price: str = "trade", by: str = "symbol"
) -> Route:
    """A path that answers candles; those of days gone by stay as they are."""
    answered = partial(klines, market=market, price=price, by=by)
    return Route(market, f"{PREFIX[market]}/{name}", weight, answered, lasting=True)


PRICES = (
    ("mark", "markPriceKlines", "symbol"),
    ("index", "indexPriceKlines", "pair"),
    ("premium", "premiumIndexKlines", "symbol"),
)


def derivatives(market: Market) -> tuple[Route, ...]:
    """What both kinds of futures have."""
    prefix = PREFIX[market]
    return (
        *(candles(market, name, rows_weight, price=price, by=by) for price, name, by in PRICES),
        Route(
            market,
            f"{prefix}/fundingRate",
            units(0 if market is LINEAR else 1),
            partial(funding_rate, market=market),
            requests=FUNDING,
        ),
        Route(market, f"{prefix}/fundingInfo", units(0), partial(funding_info, market=market), requests=FUNDING),
        Route(market, f"{prefix}/openInterest", units(1), partial(open_interest, market=market)),
    )


def statistic(market: Market, name: str, answered: Callable[[Ask], Reply]) -> Route:
    """Values at regular times: their requests are counted apart and weigh nothing."""
    return Route(market, f"/futures/data/{name}", units(0), answered, requests=STATISTICS)


STANDING: tuple[tuple[str, Callable[[Ratio], float]], ...] = (
    ("globalLongShortAccountRatio", lambda row: row.accounts_long),
    ("topLongShortAccountRatio", lambda row: row.top_accounts_long),
    ("topLongShortPositionRatio", lambda row: row.top_positions_long),
)


def sides_of(market: Market, name: str) -> str:
    """What long and short are called: positions have a name of their own on COIN-M only."""
    return "Position" if market is INVERSE and "Position" in name else "Account"


ROUTES = (
    *(route for market in Market for route in shared(market)),
    *(route for market in (LINEAR, INVERSE) for route in derivatives(market)),
    Route(SPOT, "/api/v3/avgPrice", units(2), average_price),
    Route(SPOT, "/api/v3/ticker/price", by_symbol(2, 4), spot_prices),
    Route(LINEAR, "/fapi/v1/premiumIndex", by_symbol(1, 10), premium_index),
    Route(LINEAR, "/fapi/v2/ticker/price", by_symbol(1, 2), contract_prices),
    statistic(LINEAR, "openInterestHist", open_interest_history),
    statistic(LINEAR, "takerlongshortRatio", taker_ratio),
    Route(INVERSE, "/dapi/v1/premiumIndex", units(10), inverse_premium_index),
    Route(INVERSE, "/dapi/v1/ticker/price", by_symbol(1, 2), inverse_prices),
    statistic(INVERSE, "openInterestHist", inverse_history),
    statistic(INVERSE, "takerBuySellVol", taker_volume),
    *(
        statistic(market, name, partial(standing, market=market, share=share, what=sides_of(market, name)))
        for market in (LINEAR, INVERSE)
        for name, share in STANDING
    ),
)

SPOT_HOSTS = (
    "data-api.binance.vision",
    "api.binance.com",
    "api-gcp.binance.com",
    *(f"api{n}.binance.com" for n in range(1, 5)),
    "testnet.binance.vision",
    "demo-api.binance.com",
)
HOSTS: Mapping[str, frozenset[Market]] = {
    **dict.fromkeys(SPOT_HOSTS, frozenset({SPOT})),
    **dict.fromkeys(("fapi.binance.com", "demo-fapi.binance.com"), frozenset({LINEAR})),
    **dict.fromkeys(("dapi.binance.com", "demo-dapi.binance.com"), frozenset({INVERSE})),
    "testnet.binancefuture.com": frozenset({LINEAR, INVERSE}),
}

SIMULATOR = Simulator(
    name="binance",
    hosts=HOSTS,
    routes=ROUTES,
    pools=POOLS,
    native=native,
    missing=missing,
    limited=limited,
    banned=banned,
    bounds=("startTime", "endTime"),
    turns=frozenset({"limit", "fromId"}),
    stamps=("fundingTime", "timestamp", "T"),
    clocks=("serverTime",),
    outlets=OUTLETS,
    words=(("symbol", "pair"), ("baseAsset",), ("quoteAsset", "marginAsset"), ("status", "contractStatus")),
)
