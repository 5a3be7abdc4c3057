"""Binance's endpoints, cell by cell: what all cells of a market share, what both kinds of futures have, and spot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from marketcli.datasets import (
    BOOK,
    FUNDING,
    FUNDING_HISTORY,
    INDEX_OHLC,
    INSTRUMENTS,
    MARK_OHLC,
    OHLC,
    OI,
    OI_HISTORY,
    PREMIUM_OHLC,
    PRICE,
    RATIO_ACCOUNTS,
    RATIO_TAKER,
    RATIO_TOP_ACCOUNTS,
    RATIO_TOP_POSITIONS,
    TICKER,
    TRADES,
    TRADES_HISTORY,
    Dataset,
)
from marketcli.exchanges.binance import derivatives, market, points, rest
from marketcli.models import Market
from marketcli.paging import by_window, forward, whole
from marketcli.spec import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketcli.spec import Page, Query, Rows

DOCS = "https://developers.binance.com/docs/"
SPOT_WEIGHT = "spot weight"
FUTURES_WEIGHT = "futures weight"  # one pool for USD-M and COIN-M since 2026-06-30
STATISTICS = "futures data requests"  # /futures/data/*, which weighs nothing
FUNDING_REQUESTS = "funding requests"  # fundingRate and fundingInfo together


def weighs(budget: str, *steps: tuple[int, int]) -> Callable[[Page], Mapping[str, int]]:
    """What a page costs; each step is a number of rows and the weight of pages up to it."""
    return lambda page: {budget: next((weight for rows, weight in steps if page.limit <= rows), steps[-1][1])}


@dataclass(frozen=True, slots=True)
class Api:
    """One of Binance's three interfaces, and what all its endpoints share."""

    market: Market
    prefix: str
    docs: str
    budget: str

    def cell(
        self,
        dataset: Dataset,
        path: str,
        decode: Callable[[bytes, Query], Rows],
        columns: tuple[str, ...],
        *,
        docs: str,
        weight: int | tuple[tuple[int, int], ...] = 1,
        **more: Any,
    ) -> Endpoint:
        """An endpoint: unless `more` says otherwise, one that is asked for an instrument and answers about now.

        Its `weight` is charged to the interface's budget, by steps where it depends on the rows.
        """
        steps = ((1, weight),) if isinstance(weight, int) else weight
        usual: dict[str, Any] = {"params": rest.symbol_params, "pages": whole, "limit": 1, "reach": "now"}
        known = {"docs": self.docs + docs, "markets": frozenset({self.market}), "cost": weighs(self.budget, *steps)}
        path = path if path.startswith("/") else f"{self.prefix}/{path}"
        return Endpoint(dataset, path, decode=decode, columns=columns, **(usual | known | more))


CONTRACTS = DOCS + "derivatives/{}-margined-futures/market-data/rest-api/"
SPOT = Api(Market.SPOT, "/api/v3", DOCS + "binance-spot-api-docs/rest-api/", SPOT_WEIGHT)
LINEAR = Api(Market.LINEAR, "/fapi/v1", CONTRACTS.format("usds"), FUTURES_WEIGHT)
INVERSE = Api(Market.INVERSE, "/dapi/v1", CONTRACTS.format("coin"), FUTURES_WEIGHT)
FUTURES = (LINEAR, INVERSE)

Options: TypeAlias = dict[str, Any]


def spot(page: str, **more: Any) -> Options:
    """The options of a spot endpoint, whose documentation is a part of one long page."""
    return {"docs": f"market-data-endpoints#{page}", **more}


# --- instruments

LIST: Options = {"params": rest.nothing, "limit": 100_000, "docs": "Exchange-Information"}
SPOT_LIST: Options = LIST | {"docs": "general-endpoints#exchange-information", "weight": 20}
INSTRUMENT_CELLS = (
    SPOT.cell(INSTRUMENTS, "exchangeInfo", rest.spot_instruments, rest.SPOT_INSTRUMENT, **SPOT_LIST),
    LINEAR.cell(INSTRUMENTS, "exchangeInfo", rest.contracts, rest.CONTRACT, **LIST),
    INVERSE.cell(INSTRUMENTS, "exchangeInfo", rest.contracts, rest.CONTRACT, **LIST),
)


# --- candles

KLINES: Options = {"params": rest.kline_params, "pages": by_window, "reach": "history"}
SPOT_KLINES = KLINES | spot("klinecandlestick-data", weight=2, limit=1_000, intervals=rest.SPOT_INTERVALS)
# A page of 499 rows weighs 2, one of 1,500 weighs 10: small pages get more rows out of the same budget.
SMALL: Options = KLINES | {"limit": 499, "weight": ((99, 1), (499, 2), (1_000, 5), (1_500, 10))}
# COIN-M refuses a longer window, and of a page that is too long for its limit it gives the newest rows, not the oldest.
INVERSE_SMALL: Options = SMALL | {"span": timedelta(days=200)}
TRADED: Options = {"docs": "Kline-Candlestick-Data"}
PRICES = (
    (MARK_OHLC, "markPriceKlines", rest.kline_params, "Mark-Price-Kline-Candlestick-Data"),
    (INDEX_OHLC, "indexPriceKlines", rest.pair_params, "Index-Price-Kline-Candlestick-Data"),
    (PREMIUM_OHLC, "premiumIndexKlines", rest.kline_params, "Premium-Index-Kline-Data"),
)
CANDLE_CELLS = (
    SPOT.cell(OHLC, "klines", rest.candles, rest.CANDLE, **SPOT_KLINES),
    LINEAR.cell(OHLC, "klines", rest.candles, rest.CANDLE, **SMALL | TRADED),
    INVERSE.cell(OHLC, "klines", rest.inverse_candles, rest.INVERSE_CANDLE, **INVERSE_SMALL | TRADED),
    *(
        api.cell(dataset, path, rest.price_candles, rest.PRICE_CANDLE, **small | {"params": params, "docs": docs})
        for dataset, path, params, docs in PRICES
        for api, small in ((LINEAR, SMALL), (INVERSE, INVERSE_SMALL))
    ),
)


# --- funding, open interest and prices


def premium_index(api: Api, dataset: Dataset, **more: Any) -> Endpoint:
    """Mark, index and coming funding of one instrument, as a part of other answers or as one by itself."""
    docs, weight = ("Mark-Price", 1) if api is LINEAR else ("Index-Price-and-Mark-Price", 10)
    decode, columns = derivatives.premium, derivatives.PREMIUM
    return api.cell(dataset, "premiumIndex", decode, columns, docs=docs, weight=weight, **more)


TERMS: Options = {
    "docs": "Get-Funding-Rate-Info",
    "params": rest.nothing,
    "limit": 10_000,
    "cost": weighs(FUNDING_REQUESTS, (1, 1)),
    "keep": timedelta(hours=1),
}


def funding(api: Api) -> Endpoint:
    """Coming funding; the terms stand in a list that names only those that differ from 8 hours."""
    terms = api.cell(FUNDING, "fundingInfo", derivatives.terms, derivatives.TERMS, **TERMS)
    return premium_index(api, FUNDING, joins=(terms,), fill={"interval_h": 8.0})


SETTLED: Options = {
    "docs": "Get-Funding-Rate-History",
    "params": derivatives.settlement_params,
    "pages": forward,
    "limit": 1_000,
    "cost": weighs(FUNDING_REQUESTS, (1, 1)),
    "reach": "history",
}
INVERSE_SETTLED = SETTLED | {"cost": lambda _: {FUNDING_REQUESTS: 1, FUTURES_WEIGHT: 1}}  # weighs, too


def beside(api: Api, dataset: Dataset, docs: str) -> Options:
    """The options of an endpoint whose answer the mark and the index price stand beside."""
    return {"docs": docs, "joins": (premium_index(api, dataset),)}


AVERAGE = SPOT.cell(
    PRICE, "avgPrice", derivatives.average_price, derivatives.AVERAGE, **spot("current-average-price", weight=2)
)
SPOT_LAST = spot("symbol-price-ticker", weight=2, joins=(AVERAGE,))
LINEAR_LAST, INVERSE_LAST = (
    beside(LINEAR, PRICE, "Symbol-Price-Ticker-v2"),
    beside(INVERSE, PRICE, "Symbol-Price-Ticker"),
)
OPEN, INVERSE_OPEN = (beside(api, OI, "Open-Interest") for api in FUTURES)
DERIVATIVE_CELLS = (
    funding(LINEAR),
    funding(INVERSE),
    LINEAR.cell(FUNDING_HISTORY, "fundingRate", derivatives.settlements, derivatives.SETTLEMENT, **SETTLED),
    INVERSE.cell(FUNDING_HISTORY, "fundingRate", derivatives.settlements, derivatives.SETTLEMENT, **INVERSE_SETTLED),
    LINEAR.cell(OI, "openInterest", derivatives.interest, derivatives.OPEN, **OPEN),
    INVERSE.cell(OI, "openInterest", derivatives.interest, derivatives.INVERSE_OPEN, **INVERSE_OPEN),
    SPOT.cell(PRICE, "ticker/price", derivatives.last_prices, derivatives.LAST, **SPOT_LAST),
    LINEAR.cell(PRICE, "/fapi/v2/ticker/price", derivatives.last_prices, derivatives.LAST, **LINEAR_LAST),
    INVERSE.cell(PRICE, "ticker/price", derivatives.last_prices, derivatives.LAST, **INVERSE_LAST),
)


# --- statistics: open interest at regular times, and ratios; their requests are counted apart and weigh nothing

POINTS: Options = {
    "params": points.params,
    "pages": by_window,
    "limit": 500,
    "cost": weighs(STATISTICS, (1, 1)),
    "intervals": points.PERIODS,
    "lookback": timedelta(days=30),
    "reach": "history",
}
OF_PAIR: Options = POINTS | {
    "params": points.pair_params,
    "note": "Binance counts the accounts and positions of all COIN-M contracts of a pair together.",
}
INTEREST = (OI_HISTORY, "openInterestHist", "Open-Interest-Statistics")
ACCOUNTS = (RATIO_ACCOUNTS, "globalLongShortAccountRatio", "Long-Short-Ratio")
TOP_ACCOUNTS = (RATIO_TOP_ACCOUNTS, "topLongShortAccountRatio", "Top-Long-Short-Account-Ratio")
TOP_POSITIONS = (RATIO_TOP_POSITIONS, "topLongShortPositionRatio", "Top-Trader-Long-Short-Ratio")
TAKER = (RATIO_TAKER, "takerlongshortRatio", "Taker-BuySell-Volume")
INVERSE_TAKER = (RATIO_TAKER, "takerBuySellVol", "Taker-Buy-Sell-Volume")
STATISTIC_CELLS = tuple(
    api.cell(dataset, f"/futures/data/{path}", decode, columns, docs=docs, **options)
    for api, (dataset, path, docs), decode, columns, options in (
        (LINEAR, INTEREST, points.interest, points.INTEREST, POINTS),
        (LINEAR, ACCOUNTS, points.shares, points.SHARES, POINTS),
        (LINEAR, TOP_ACCOUNTS, points.shares, points.SHARES, POINTS),
        (LINEAR, TOP_POSITIONS, points.shares, points.SHARES, POINTS),
        (LINEAR, TAKER, points.taken, points.TAKEN, POINTS),
        (INVERSE, INTEREST, points.inverse_interest, points.INVERSE_INTEREST, POINTS),
        (INVERSE, ACCOUNTS, points.shares, points.SHARES, OF_PAIR),
        (INVERSE, TOP_ACCOUNTS, points.shares, points.SHARES, OF_PAIR),
        (INVERSE, TOP_POSITIONS, points.position_shares, points.SHARES, OF_PAIR),
        (INVERSE, INVERSE_TAKER, points.inverse_taken, points.INVERSE_TAKEN, POINTS),
    )
)


# --- tickers, order books, trades

ROWS = 10_000  # more than there are instruments
ALL: Options = {"pages": market.one_or_all, "limit": ROWS}
SPOT_DAYS = ALL | spot("24hr-ticker-price-change-statistics", weight=((1, 2), (ROWS, 80)))
BEST: Options = ALL | {"docs": "Symbol-Order-Book-Ticker", "weight": ((1, 2), (ROWS, 5))}
DAYS: Options = ALL | {"docs": "24hr-Ticker-Price-Change-Statistics", "weight": ((1, 1), (ROWS, 40))}
# The tickers of contracts lack the best of the book.
LINEAR_BEST = (LINEAR.cell(TICKER, "ticker/bookTicker", market.bests, market.BEST, **BEST),)
INVERSE_BEST = (INVERSE.cell(TICKER, "ticker/bookTicker", market.bests, market.INVERSE_BEST, **BEST),)

SPOT_WEIGHTS, WEIGHTS = ((100, 5), (500, 25), (1_000, 50), (5_000, 250)), ((50, 2), (100, 5), (500, 10), (1_000, 20))
SPOT_DEPTH = spot("order-book", params=market.limit_params, limit=5_000, weight=SPOT_WEIGHTS)
DEPTH: Options = {"docs": "Order-Book", "params": market.depth_params, "limit": 1_000, "weight": WEIGHTS}

NEWEST: Options = {"docs": "Recent-Trades-List", "params": market.limit_params, "limit": 1_000, "weight": 5}
SPOT_NEWEST = NEWEST | spot("recent-trades-list", weight=25)
MERGED = "What one taker fills at one price is one row here, and the ids number these rows."
MARKET_ONLY = " Trades of the insurance fund and of auto-deleveraging are not among them."
PAST: Options = {"params": market.merged_params, "pages": market.by_id, "limit": 1_000, "reach": "history"}
SPOT_PAST = PAST | spot("compressedaggregate-trades-list", weight=4, consecutive=True, note=MERGED)
CONTRACTS_PAST: Options = PAST | {
    "docs": "Compressed-Aggregate-Trades-List",
    "weight": 20,
    "span": timedelta(hours=1),
    "consecutive": True,
    "note": MERGED + MARKET_ONLY,
}
LINEAR_PAST = CONTRACTS_PAST | {"lookback": timedelta(hours=48)}
INVERSE_PAST = CONTRACTS_PAST | {"lookback": timedelta(hours=24)}
MARKET_CELLS = (
    SPOT.cell(TICKER, "ticker/24hr", market.spot_days, market.SPOT_DAY, **SPOT_DAYS),
    LINEAR.cell(TICKER, "ticker/24hr", market.linear_days, market.LINEAR_DAY, joins=LINEAR_BEST, **DAYS),
    INVERSE.cell(TICKER, "ticker/24hr", market.inverse_days, market.INVERSE_DAY, joins=INVERSE_BEST, **DAYS),
    SPOT.cell(BOOK, "depth", market.spot_book, market.LEVEL, **SPOT_DEPTH),
    LINEAR.cell(BOOK, "depth", market.futures_book, market.LINEAR_LEVEL, **DEPTH),
    INVERSE.cell(BOOK, "depth", market.futures_book, market.INVERSE_LEVEL, **DEPTH),
    SPOT.cell(TRADES, "trades", market.trades, market.TRADE, **SPOT_NEWEST),
    LINEAR.cell(TRADES, "trades", market.trades, market.TRADE, **NEWEST),
    INVERSE.cell(TRADES, "trades", market.inverse_trades, market.INVERSE_TRADE, **NEWEST),
    SPOT.cell(TRADES_HISTORY, "aggTrades", market.merged, market.TRADE, **SPOT_PAST),
    LINEAR.cell(TRADES_HISTORY, "aggTrades", market.merged, market.TRADE, **LINEAR_PAST),
    INVERSE.cell(TRADES_HISTORY, "aggTrades", market.merged, market.CONTRACTS, **INVERSE_PAST),
)
ENDPOINTS = (*CANDLE_CELLS, *DERIVATIVE_CELLS, *STATISTIC_CELLS, *MARKET_CELLS)
