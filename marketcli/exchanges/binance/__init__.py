"""Binance: spot, USD-M futures (linear) and COIN-M futures (inverse)."""

from __future__ import annotations

from datetime import timedelta

from marketcli.datasets import INDEX_OHLC, INSTRUMENTS, MARK_OHLC, OHLC, PREMIUM_OHLC
from marketcli.exchanges.binance import rest
from marketcli.models import Market
from marketcli.paging import by_window, whole
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

NO_DERIVATIVES = "spot instruments have no mark, index or premium price; derivatives do (--market linear)"

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
    ),
    intervals=rest.INTERVALS,
    instruments=(SPOT_LIST, *CONTRACT_LISTS),
    endpoints=(SPOT_CANDLES, LINEAR_CANDLES, INVERSE_CANDLES, *PRICE_CANDLES),
    refuse=rest.refuse,
    absent={(dataset, Market.SPOT): NO_DERIVATIVES for dataset in (MARK_OHLC, INDEX_OHLC, PREMIUM_OHLC)},
    unknowns=(
        "The spot list has no listing dates: the first candle is looked for instead.",
        "Futures lists hold what trades or is being settled now; contracts delisted long ago are not in them.",
        "Candles of mark, index and premium prices have no volume.",
    ),
)
