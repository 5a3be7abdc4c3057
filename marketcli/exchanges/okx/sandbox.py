"""OKX as the sandbox plays it: spot, swaps and futures with their limits, bounds and refusals.

Written from the documentation (https://www.okx.com/docs-v5/en/, read in 2026), not from `rest`: what one side gets
wrong must not be hidden by the other. The answers stand in the `simulated_` modules; here are the tables.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from marketcli.exchanges.okx.simulated_candles import candles
from marketcli.exchanges.okx.simulated_derivatives import (
    funding_rate,
    funding_rate_history,
    index_tickers,
    mark_price,
    open_interest,
)
from marketcli.exchanges.okx.simulated_instruments import instruments
from marketcli.exchanges.okx.simulated_market import book, history_trades, one_ticker, tickers, trades
from marketcli.exchanges.okx.simulated_requests import POOL, SPOT, answer, limited, lists, missing, native, stamp
from marketcli.exchanges.okx.simulated_statistics import long_short, open_interest_history, taker_volume
from marketcli.exchanges.okx.simulated_streams import OUTLETS
from marketcli.models import Market
from marketcli.simulator import Ask, Reply, Route, Simulator
from marketcli.spec import Budget

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY = frozenset(Market)


def server_time(ask: Ask) -> Reply:
    """The exchange's clock."""
    return answer([{"ts": stamp(ask.now)}])


def nothing(_: Ask) -> Reply:
    """An empty list: no maintenance is announced."""
    return answer([])


STATISTICS = "rubik/stat/contracts/"
accounts = partial(long_short, share=lambda row: row.accounts_long)
top_accounts = partial(long_short, share=lambda row: row.top_accounts_long)
top_positions = partial(long_short, share=lambda row: row.top_positions_long)

# What an address may ask for in two seconds, and how it is answered.
PATHS: dict[str, tuple[int, Callable[[Ask], Reply]]] = {
    "public/time": (10, server_time),
    "system/status": (1, nothing),
    "public/instruments": (20, instruments),
    "public/funding-rate": (10, funding_rate),
    "public/funding-rate-history": (10, funding_rate_history),
    "public/open-interest": (20, open_interest),
    "public/mark-price": (10, mark_price),
    "market/index-tickers": (20, index_tickers),
    "market/candles": (40, candles),
    "market/history-candles": (20, partial(candles, past=True)),
    "market/mark-price-candles": (20, partial(candles, price="mark")),
    "market/history-mark-price-candles": (20, partial(candles, price="mark", past=True)),
    "market/index-candles": (20, partial(candles, price="index")),
    "market/history-index-candles": (10, partial(candles, price="index", past=True)),
    "market/ticker": (20, one_ticker),
    "market/tickers": (20, tickers),
    "market/books": (40, partial(book, most=400)),
    "market/books-full": (10, partial(book, most=5_000, full=True)),
    "market/trades": (100, trades),
    "market/history-trades": (20, history_trades),
    STATISTICS + "open-interest-history": (10, open_interest_history),
    "rubik/stat/taker-volume-contract": (5, taker_volume),
    STATISTICS + "long-short-account-ratio-contract": (5, accounts),
    STATISTICS + "long-short-account-ratio-contract-top-trader": (5, top_accounts),
    STATISTICS + "long-short-position-ratio-contract-top-trader": (5, top_positions),
}
LASTING = {path for path in PATHS if path.startswith("market/history-") and path.endswith("candles")}

# One path serves all markets, so the market of a route says nothing here.
ROUTES = tuple(
    Route(
        SPOT,
        f"/api/v5/{path}",
        lambda _: 0,
        answered,
        requests=Budget(path, limit, seconds=2),
        lasting=path in LASTING,
    )
    for path, (limit, answered) in PATHS.items()
)

SIMULATOR = Simulator(
    name="okx",
    hosts=dict.fromkeys(("www.okx.com", "eea.okx.com", "us.okx.com"), EVERY),
    routes=ROUTES,
    pools=dict.fromkeys(Market, POOL),
    native=native,
    missing=missing,
    limited=limited,
    banned=limited,
    bounds=("before", "after"),
    other_bounds=(("begin", "end"),),
    exclusive=True,
    stamps=("fundingTime", "ts"),
    words=(("instId",), ("baseCcy", "ctValCcy"), ("quoteCcy", "settleCcy"), ("state",)),
    lists=lists,
    outlets=OUTLETS,
)
