"""Bybit v5: spot, linear (USDT and USDC perpetuals and futures) and inverse contracts."""

from __future__ import annotations

from dataclasses import replace

from marketcli.datasets import (
    BOOK,
    FUNDING,
    FUNDING_HISTORY,
    INDEX_OHLC,
    INSTRUMENTS,
    LIQUIDATIONS,
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
)
from marketcli.exchanges.bybit import channels, derivatives, instruments, market, rest
from marketcli.models import Market
from marketcli.paging import backward, by_window, whole
from marketcli.spec import DERIVATIVES, Budget, Endpoint, Exchange, Site

SPOT, LINEAR, INVERSE = frozenset({Market.SPOT}), frozenset({Market.LINEAR}), frozenset({Market.INVERSE})
DOCS = "https://bybit-exchange.github.io/docs/v5/market/"
PATH = "/v5/market/"

CANDLES = Endpoint(
    OHLC,
    PATH + "kline",
    rest.kline_params,
    rest.candles,
    rest.CANDLE,
    by_window,
    limit=1_000,
    docs=DOCS + "kline",
    markets=SPOT | LINEAR,
    cost=rest.one_request,
)
INVERSE_CANDLES = replace(CANDLES, decode=rest.inverse_candles, columns=rest.INVERSE_CANDLE, markets=INVERSE)
MARK_CANDLES = replace(
    CANDLES,
    dataset=MARK_OHLC,
    path=PATH + "mark-price-kline",
    decode=rest.price_candles,
    columns=rest.PRICE_CANDLE,
    docs=DOCS + "mark-kline",
    markets=DERIVATIVES,
)
INDEX_CANDLES = replace(MARK_CANDLES, dataset=INDEX_OHLC, path=PATH + "index-price-kline", docs=DOCS + "index-kline")
PREMIUM_CANDLES = replace(
    MARK_CANDLES,
    dataset=PREMIUM_OHLC,
    path=PATH + "premium-index-price-kline",
    docs=DOCS + "premium-index-kline",
    markets=LINEAR,
)

CONTRACT_LIST = Endpoint(
    INSTRUMENTS,
    PATH + "instruments-info",
    instruments.list_params,
    instruments.contracts,
    instruments.CONTRACT,
    instruments.every_state,
    limit=1_000,
    docs=DOCS + "instrument",
    markets=DERIVATIVES,
    cost=rest.one_request,
    reach="now",
)
SPOT_LIST = replace(
    CONTRACT_LIST,
    params=rest.market_params,
    decode=instruments.spot_instruments,
    columns=instruments.PAIR,
    pages=whole,
    limit=100_000,
    markets=SPOT,
)

# One answer holds prices, funding, open interest and the last 24 hours, of one instrument or of all.
SPOT_TICKER = Endpoint(
    TICKER,
    PATH + "tickers",
    rest.market_params,
    market.spot_tickers,
    market.SPOT_TICKER,
    whole,
    limit=100_000,
    docs=DOCS + "tickers",
    markets=SPOT,
    cost=rest.one_request,
    reach="now",
)
LINEAR_TICKER = replace(SPOT_TICKER, decode=market.contract_tickers, columns=market.LINEAR_TICKER, markets=LINEAR)
INVERSE_TICKER = replace(LINEAR_TICKER, columns=market.INVERSE_TICKER, markets=INVERSE)
SPOT_PRICE = replace(SPOT_TICKER, dataset=PRICE, decode=market.spot_prices, columns=market.PRICES)
CONTRACT_PRICE = replace(SPOT_PRICE, decode=market.contract_prices, columns=market.CONTRACT_PRICES, markets=DERIVATIVES)
FUNDING_NOW = replace(CONTRACT_PRICE, dataset=FUNDING, decode=derivatives.funding, columns=derivatives.FUNDING)
OI_NOW = replace(
    CONTRACT_PRICE,
    dataset=OI,
    decode=derivatives.interest,
    columns=derivatives.OPEN,
    markets=LINEAR,
    note=derivatives.ONE_SIDE,
)
INVERSE_OI_NOW = replace(OI_NOW, columns=derivatives.INVERSE_OPEN, markets=INVERSE)

SETTLEMENTS = Endpoint(
    FUNDING_HISTORY,
    PATH + "funding/history",
    derivatives.settlement_params,
    derivatives.settlements,
    derivatives.SETTLEMENT,
    backward,
    limit=200,
    docs=DOCS + "history-fund-rate",
    markets=DERIVATIVES,
    cost=rest.one_request,
)
OI_POINTS = Endpoint(
    OI_HISTORY,
    PATH + "open-interest",
    derivatives.point_params,
    derivatives.points,
    derivatives.POINT,
    by_window,
    limit=200,
    docs=DOCS + "open-interest",
    markets=LINEAR,
    cost=rest.one_request,
    intervals=derivatives.PERIODS,
    note=derivatives.ONE_SIDE,
)
INVERSE_OI_POINTS = replace(
    OI_POINTS, decode=derivatives.inverse_points, columns=derivatives.INVERSE_POINT, markets=INVERSE
)
RATIOS = Endpoint(
    RATIO_ACCOUNTS,
    PATH + "account-ratio",
    derivatives.ratio_params,
    derivatives.ratios,
    derivatives.RATIO,
    by_window,
    limit=500,
    docs=DOCS + "long-short-ratio",
    markets=DERIVATIVES,
    cost=rest.one_request,
    intervals=derivatives.PERIODS,
)

DEPTH = Endpoint(
    BOOK,
    PATH + "orderbook",
    market.limited_params,
    market.book,
    (*market.BOOK_LEVEL, "size"),
    whole,
    limit=1_000,
    docs=DOCS + "orderbook",
    markets=SPOT | LINEAR,
    cost=rest.one_request,
    reach="now",
)
INVERSE_DEPTH = replace(DEPTH, columns=(*market.BOOK_LEVEL, "size_contracts"), markets=INVERSE)
RECENT = Endpoint(
    TRADES,
    PATH + "recent-trade",
    market.limited_params,
    market.trades,
    (*market.TRADE, "size"),
    whole,
    limit=1_000,
    docs=DOCS + "recent-trade",
    markets=LINEAR,
    cost=rest.one_request,
    reach="now",
)
INVERSE_RECENT = replace(RECENT, columns=(*market.TRADE, "size_contracts"), markets=INVERSE)
SPOT_RECENT = replace(RECENT, limit=60, markets=SPOT)

NO_PRICES = "spot instruments have no mark, index or premium price; derivatives do (--market linear)"
NO_PREMIUM = "Bybit publishes premium index candles of linear perpetuals only (--market linear)"
NO_POSITIONS = "spot has no positions, so nothing is open and no funding is paid; derivatives do (--market linear)"
NO_ACCOUNTS = "spot has no positions, so no account is long or short; derivatives do (--market linear)"
NO_TRADES = "Bybit's REST interface gives the newest trades only; older ones stand in its archive files"
NO_TOP = "Bybit publishes the ratio of all accounts, and none of top traders (kind accounts)"
NO_TAKER = "Bybit publishes no volume of takers"

NO_WHERE = {TRADES_HISTORY: NO_TRADES, RATIO_TOP_ACCOUNTS: NO_TOP, RATIO_TOP_POSITIONS: NO_TOP, RATIO_TAKER: NO_TAKER}
NOT_ON_SPOT = {
    **dict.fromkeys((MARK_OHLC, INDEX_OHLC, PREMIUM_OHLC), NO_PRICES),
    **dict.fromkeys((OI, OI_HISTORY, FUNDING, FUNDING_HISTORY), NO_POSITIONS),
    **dict.fromkeys((RATIO_ACCOUNTS, RATIO_TOP_ACCOUNTS, RATIO_TOP_POSITIONS), NO_ACCOUNTS),
}

EXCHANGE = Exchange(
    name="bybit",
    title="Bybit",
    sites={
        "live": Site(
            hosts=dict.fromkeys(Market, ("https://api.bybit.com", "https://api.bytick.com")),
            sockets=channels.sockets("stream.bybit.com"),
        ),
        "testnet": Site(
            hosts=dict.fromkeys(Market, ("https://api-testnet.bybit.com",)),
            sockets=channels.sockets("stream-testnet.bybit.com"),
        ),
    },
    budgets=(
        Budget(rest.REQUESTS, limit=600, seconds=5),
        Budget(channels.CONNECTIONS, limit=500, seconds=300),
    ),
    intervals=rest.INTERVALS,
    instruments=(SPOT_LIST, CONTRACT_LIST),
    endpoints=(
        *(CANDLES, INVERSE_CANDLES, MARK_CANDLES, INDEX_CANDLES, PREMIUM_CANDLES),
        *(SPOT_TICKER, LINEAR_TICKER, INVERSE_TICKER, SPOT_PRICE, CONTRACT_PRICE),
        *(FUNDING_NOW, SETTLEMENTS, OI_NOW, INVERSE_OI_NOW, OI_POINTS, INVERSE_OI_POINTS, RATIOS),
        *(DEPTH, INVERSE_DEPTH, RECENT, INVERSE_RECENT, SPOT_RECENT),
    ),
    refuse=rest.refuse,
    absent={(dataset, one): why for dataset, why in NO_WHERE.items() for one in Market}
    | {(dataset, Market.SPOT): why for dataset, why in NOT_ON_SPOT.items()}
    | {(PREMIUM_OHLC, Market.INVERSE): NO_PREMIUM},
    channels=channels.CHANNELS,
    unstreamed={
        (LIQUIDATIONS, Market.SPOT): channels.NO_LIQUIDATIONS,
        **{(dataset, Market.SPOT): NO_POSITIONS for dataset in (FUNDING, OI)},
    },
    unknowns=(
        "The spot list has no listing dates and nothing that was delisted: the first candle is looked for instead.",
        "Candles have no number of trades and no taker volume.",
        derivatives.ONE_SIDE,
        "Whether open interest of years ago counted both sides already is not known; half of it is shown.",
        "Tickers, prices and open interest of now stand at the time of Bybit's answer; the last trade may be older.",
        "Funding history has no mark prices.",
        "Account ratios begin on 2020-07-20; on linear they cover USDT perpetuals only.",
        "Spot shows its newest 60 trades, contracts 1,000; block trades are among them.",
    ),
)
