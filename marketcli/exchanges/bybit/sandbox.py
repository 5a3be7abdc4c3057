"""Bybit as the sandbox plays it: one host for all markets, told apart by `category`, and one limit over everything.

Written from the documentation (https://bybit-exchange.github.io/docs/v5/intro, read in 2026), not from `rest`: what
one side gets wrong must not be hidden by the other. The answers stand in the `simulated_` modules; here are the tables.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from marketcli.exchanges.bybit.simulated_candles import klines
from marketcli.exchanges.bybit.simulated_histories import account_ratio, funding_history, open_interest
from marketcli.exchanges.bybit.simulated_instruments import instruments
from marketcli.exchanges.bybit.simulated_market import order_book, recent_trades
from marketcli.exchanges.bybit.simulated_requests import POOL, answer, banned, limited, missing, native
from marketcli.exchanges.bybit.simulated_streams import OUTLETS
from marketcli.exchanges.bybit.simulated_tickers import tickers
from marketcli.models import SECOND, Market
from marketcli.simulator import Ask, Reply, Route, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable


def server_time(ask: Ask) -> Reply:
    """The exchange's clock, in seconds and in nanoseconds."""
    return answer(ask, {"timeSecond": str(ask.now // SECOND), "timeNano": str(ask.now * 1_000)})


def route(name: str, answered: Callable[[Ask], Reply], *, lasting: bool = False) -> Route:
    """A path of all markets, which weighs one request whatever is asked."""
    return Route(Market.LINEAR, f"/v5/market/{name}", lambda _: 1, answered, lasting=lasting)


ROUTES = (
    route("time", server_time),
    route("instruments-info", instruments),
    route("kline", klines, lasting=True),
    route("mark-price-kline", partial(klines, price="mark"), lasting=True),
    route("index-price-kline", partial(klines, price="index"), lasting=True),
    route("premium-index-price-kline", partial(klines, price="premium"), lasting=True),
    route("tickers", tickers),
    route("funding/history", funding_history),
    route("open-interest", open_interest),
    route("account-ratio", account_ratio),
    route("orderbook", order_book),
    route("recent-trade", recent_trades),
)

HOSTS = (
    "api.bybit.com",
    "api.bytick.com",
    "api-testnet.bybit.com",
    "api-demo.bybit.com",
    *(f"api.bybit.{country}" for country in ("nl", "kz", "ae", "eu", "id", "tr")),
    "api.bybitgeorgia.ge",
    "api.manepa.jp",
)

SIMULATOR = Simulator(
    name="bybit",
    hosts=dict.fromkeys(HOSTS, frozenset(Market)),
    routes=ROUTES,
    pools=dict.fromkeys(Market, POOL),
    native=native,
    missing=missing,
    limited=limited,
    banned=banned,
    bounds=("start", "end"),
    other_bounds=(("startTime", "endTime"),),
    turns=frozenset({"limit", "cursor"}),
    stamps=("fundingRateTimestamp", "timestamp"),
    clocks=("time", "timeSecond", "timeNano"),
    outlets=OUTLETS,
    words=(("symbol",), ("baseCoin",), ("quoteCoin", "settleCoin"), ("status",)),
)
