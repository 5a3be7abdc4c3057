"""Binance: spot, USD-M futures (linear) and COIN-M futures (inverse)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from marketcli.datasets import (
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
    Dataset,
)
from marketcli.exchanges.binance import derivatives, rest
from marketcli.models import Market
from marketcli.paging import by_window, forward, whole
from marketcli.spec import Budget, Endpoint, Exchange, Site

SPOT, LINEAR, INVERSE = frozenset({Market.SPOT}), frozenset({Market.LINEAR}), frozenset({Market.INVERSE})
DOCS = "https://developers.binance.com/docs/"
SPOT_DOCS = DOCS + "binance-spot-api-docs/rest-api/market-data-endpoints"
LINEAR_DOCS = DOCS + "derivatives/usds-margined-futures/market-data/rest-api/"
INVERSE_DOCS = DOCS + "derivatives/coin-margined-futures/market-data/rest-api/"

USED = "X-MBX-USED-WEIGHT-1M"
# A page of 499 rows weighs 2, one of 1,500 weighs 10: small pages get more rows out of the same budget.
PAGE = 499
SPOT_PAGE = 1_000
# COIN-M refuses a longer window, and of a page that is too long for its limit it gives the newest rows, not the oldest.
INVERSE_SPAN = timedelta(days=200)


PRICES = (
    (MARK_OHLC, "markPriceKlines", rest.kline_params, "Mark-Price-Kline-Candlestick-Data"),
    (INDEX_OHLC, "indexPriceKlines", rest.pair_params, "Index-Price-Kline-Candlestick-Data"),
    (PREMIUM_OHLC, "premiumIndexKlines", rest.kline_params, "Premium-Index-Kline-Data"),
)

SPOT_CANDLES = Endpoint(
    OHLC,
    "/api/v3/klines",
    rest.kline_params,
    rest.candles,
    rest.CANDLE,
    by_window,
    limit=SPOT_PAGE,
    docs=SPOT_DOCS + "#klinecandlestick-data",
    markets=SPOT,
    cost=rest.spot_cost,
    intervals=rest.SPOT_INTERVALS,
)
LINEAR_CANDLES = Endpoint(
    OHLC,
    "/fapi/v1/klines",
    rest.kline_params,
    rest.candles,
    rest.CANDLE,
    by_window,
    limit=PAGE,
    docs=LINEAR_DOCS + "Kline-Candlestick-Data",
    markets=LINEAR,
    cost=rest.futures_cost,
)
INVERSE_CANDLES = Endpoint(
    OHLC,
    "/dapi/v1/klines",
    rest.kline_params,
    rest.inverse_candles,
    (*rest.CANDLE, "volume_contracts"),
    by_window,
    limit=PAGE,
    docs=INVERSE_DOCS + "Kline-Candlestick-Data",
    markets=INVERSE,
    cost=rest.futures_cost,
    span=INVERSE_SPAN,
)
PRICE_CANDLES = tuple(
    Endpoint(
        dataset,
        f"/{api}/v1/{path}",
        params,
        rest.price_candles,
        rest.PRICE_CANDLE,
        by_window,
        limit=PAGE,
        docs=docs + page,
        markets=market,
        cost=rest.futures_cost,
        span=span,
    )
    for dataset, path, params, page in PRICES
    for api, market, docs, span in (("fapi", LINEAR, LINEAR_DOCS, None), ("dapi", INVERSE, INVERSE_DOCS, INVERSE_SPAN))
)

SPOT_LIST = Endpoint(
    INSTRUMENTS,
    "/api/v3/exchangeInfo",
    rest.no_params,
    rest.spot_instruments,
    rest.INSTRUMENT,
    whole,
    limit=100_000,
    docs=DOCS + "binance-spot-api-docs/rest-api/general-endpoints#exchange-information",
    markets=SPOT,
    cost=lambda _: {rest.SPOT_WEIGHT: 20},
    reach="now",
)
CONTRACT_LISTS = tuple(
    Endpoint(
        INSTRUMENTS,
        f"/{api}/v1/exchangeInfo",
        rest.no_params,
        rest.contracts,
        rest.INSTRUMENT,
        whole,
        limit=100_000,
        docs=docs + "Exchange-Information",
        markets=market,
        cost=lambda _: {rest.FUTURES_WEIGHT: 1},
        reach="now",
    )
    for api, market, docs in (("fapi", LINEAR, LINEAR_DOCS), ("dapi", INVERSE, INVERSE_DOCS))
)

FUTURES = (("fapi", LINEAR, LINEAR_DOCS), ("dapi", INVERSE, INVERSE_DOCS))


def premium_index(dataset: Dataset, api: str, market: frozenset[Market], docs: str) -> Endpoint:
    """Mark, index and coming funding of one instrument, as a part of other answers or as one by itself."""
    return Endpoint(
        dataset,
        f"/{api}/v1/premiumIndex",
        derivatives.symbol_params,
        derivatives.premium,
        derivatives.PREMIUM,
        whole,
        limit=1,
        docs=docs + ("Mark-Price" if api == "fapi" else "Index-Price-and-Mark-Price"),
        markets=market,
        cost=lambda _: derivatives.futures_units(1 if api == "fapi" else 10),
        reach="now",
    )


def funding_now(api: str, market: frozenset[Market], docs: str) -> Endpoint:
    """Coming funding; the terms stand in a list that names only those that differ from 8 hours."""
    terms = Endpoint(
        FUNDING,
        f"/{api}/v1/fundingInfo",
        derivatives.nothing,
        derivatives.terms,
        derivatives.TERMS,
        whole,
        limit=10_000,
        docs=docs + "Get-Funding-Rate-Info",
        markets=market,
        cost=lambda _: derivatives.ONE_FUNDING,
        reach="now",
    )
    return replace(premium_index(FUNDING, api, market, docs), joins=(terms,), fill={"interval_h": 8.0})


def funding_history(api: str, market: frozenset[Market], docs: str) -> Endpoint:
    """Settlements since the listing."""
    return Endpoint(
        FUNDING_HISTORY,
        f"/{api}/v1/fundingRate",
        derivatives.settlement_params,
        derivatives.settlements,
        derivatives.SETTLEMENT,
        forward,
        limit=1_000,
        docs=docs + "Get-Funding-Rate-History",
        markets=market,
        cost=lambda _: derivatives.ONE_FUNDING if api == "fapi" else derivatives.FUNDING_AND_WEIGHT,
    )


def interest_now(api: str, market: frozenset[Market], docs: str) -> Endpoint:
    """Open interest in base (USD-M) or contracts (COIN-M); the mark price beside it gives the rest."""
    return Endpoint(
        OI,
        f"/{api}/v1/openInterest",
        derivatives.symbol_params,
        derivatives.interest,
        ("native", "time", "oi_base" if api == "fapi" else "oi_contracts"),
        whole,
        limit=1,
        docs=docs + "Open-Interest",
        markets=market,
        cost=lambda _: derivatives.futures_units(1),
        reach="now",
        joins=(premium_index(OI, api, market, docs),),
    )


def interest_history(api: str, market: frozenset[Market], docs: str) -> Endpoint:
    """Open interest at regular times; its requests are counted apart and weigh nothing."""
    linear = api == "fapi"
    return Endpoint(
        OI_HISTORY,
        "/futures/data/openInterestHist",
        derivatives.point_params,
        derivatives.points if linear else derivatives.inverse_points,
        ("time", "oi_base", "oi_quote") if linear else ("time", "oi_contracts", "oi_base", "oi_quote"),
        by_window,
        limit=500,
        docs=docs + "Open-Interest-Statistics",
        markets=market,
        cost=lambda _: derivatives.ONE_STATISTIC,
        intervals=derivatives.PERIODS,
        lookback=timedelta(days=30),
    )


def price_now(api: str, market: frozenset[Market], docs: str) -> Endpoint:
    """The last price, with mark and index beside it."""
    return Endpoint(
        PRICE,
        "/fapi/v2/ticker/price" if api == "fapi" else "/dapi/v1/ticker/price",
        derivatives.symbol_params,
        derivatives.last_prices,
        derivatives.LAST,
        whole,
        limit=1,
        docs=docs + ("Symbol-Price-Ticker-v2" if api == "fapi" else "Symbol-Price-Ticker"),
        markets=market,
        cost=lambda _: derivatives.futures_units(1),
        reach="now",
        joins=(premium_index(PRICE, api, market, docs),),
    )


def spot_price(path: str, page: str, *, average: bool) -> Endpoint:
    """The last or the average price of a spot instrument."""
    return Endpoint(
        PRICE,
        f"/api/v3/{path}",
        derivatives.symbol_params,
        derivatives.average_price if average else derivatives.last_prices,
        derivatives.AVERAGE if average else derivatives.LAST,
        whole,
        limit=1,
        docs=f"{SPOT_DOCS}#{page}",
        markets=SPOT,
        cost=lambda _: derivatives.TWO_SPOT,
        reach="now",
    )


SPOT_PRICE = replace(
    spot_price("ticker/price", "symbol-price-ticker", average=False),
    joins=(spot_price("avgPrice", "current-average-price", average=True),),
)
DERIVATIVES = tuple(
    make(*where)
    for make in (interest_now, interest_history, funding_now, funding_history, price_now)
    for where in FUTURES
)

NO_DERIVATIVES = "spot instruments have no mark, index or premium price; derivatives do (--market linear)"
NO_POSITIONS = "spot has no positions, so nothing is open and no funding is paid; derivatives do (--market linear)"

EXCHANGE = Exchange(
    name="binance",
    title="Binance",
    sites={
        # data-api serves public data only, without the country block of api.binance.com, which stands behind it.
        "live": Site(
            hosts={
                Market.SPOT: ("https://data-api.binance.vision", "https://api.binance.com"),
                Market.LINEAR: ("https://fapi.binance.com",),
                Market.INVERSE: ("https://dapi.binance.com",),
            }
        ),
        "testnet": Site(
            hosts={
                Market.SPOT: ("https://testnet.binance.vision",),
                Market.LINEAR: ("https://demo-fapi.binance.com", "https://testnet.binancefuture.com"),
                Market.INVERSE: ("https://demo-dapi.binance.com", "https://testnet.binancefuture.com"),
            }
        ),
    },
    budgets=(
        Budget(rest.SPOT_WEIGHT, limit=6_000, seconds=60, header=USED),
        Budget(rest.FUTURES_WEIGHT, limit=2_400, seconds=60, header=USED),
        Budget(derivatives.STATISTICS, limit=1_000, seconds=300),
        Budget(derivatives.FUNDING_REQUESTS, limit=500, seconds=300),
    ),
    intervals=rest.INTERVALS,
    instruments=(SPOT_LIST, *CONTRACT_LISTS),
    endpoints=(SPOT_CANDLES, LINEAR_CANDLES, INVERSE_CANDLES, *PRICE_CANDLES, SPOT_PRICE, *DERIVATIVES),
    refuse=rest.refuse,
    absent={(dataset, Market.SPOT): NO_DERIVATIVES for dataset in (MARK_OHLC, INDEX_OHLC, PREMIUM_OHLC)}
    | {(dataset, Market.SPOT): NO_POSITIONS for dataset in (OI, OI_HISTORY, FUNDING, FUNDING_HISTORY)},
    unknowns=(
        "The spot list has no listing dates: the first candle is looked for instead.",
        "Futures lists hold what trades or is being settled now; contracts delisted long ago are not in them.",
        "Candles of mark, index and premium prices have no volume.",
        "Open interest history reaches back 30 days. Since June 2026 its labels may mark the start of a period.",
        "COIN-M funding history has no mark prices.",
    ),
)
