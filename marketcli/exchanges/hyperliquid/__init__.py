"""Hyperliquid: perpetuals of the main exchange and of builders' (linear), and spot."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    RATIOS,
    TICKER,
    TRADES,
    TRADES_HISTORY,
    Dataset,
)
from marketcli.exchanges.hyperliquid import derivatives, market, rest, stream
from marketcli.models import Market
from marketcli.paging import by_window, forward, whole
from marketcli.spec import Budget, Endpoint, Exchange, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketcli.spec import Query, Rows

SPOT, LINEAR = frozenset({Market.SPOT}), frozenset({Market.LINEAR})
PATH = "/info"
API = "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/"
INFO = API + "info-endpoint"
PERPETUAL_DOCS = INFO + "/perpetuals"
SPOT_DOCS = INFO + "/spot"
CONTEXT_DOCS = PERPETUAL_DOCS + (
    "#retrieve-perpetuals-asset-contexts-includes-mark-price-current-funding-open-interest-etc"
)

NEWEST = 5_000  # candles of each interval that there are at all
# Larger pages get more rows out of a minute (42,840 with these, 50,000 with pages of 5,000, 21,600 with pages of 600),
# but come one after another; with these all that there is of an interval comes in two pages side by side.
PAGE = 2_520
LEVELS = 20  # of each side of a book
RECENT = 100  # trades that may be asked for: an answer was seen to have ten, and the documentation does not say

CANDLES = Endpoint(
    OHLC,
    PATH,
    rest.candle_params,
    rest.candles,
    rest.CANDLE,
    by_window,
    limit=PAGE,
    docs=INFO + "#candle-snapshot",
    markets=SPOT | LINEAR,
    cost=rest.candle_cost,
    newest=NEWEST,
    method="POST",
)

TOKENS = Endpoint(
    INSTRUMENTS,
    PATH,
    rest.kind("spotMeta"),
    rest.collaterals,
    rest.COLLATERAL,
    whole,
    limit=100_000,
    docs=SPOT_DOCS + "#retrieve-spot-metadata",
    markets=LINEAR,
    cost=rest.units(rest.USUAL),
    reach="now",
    on="collateral",
    method="POST",
)
PERPETUALS = Endpoint(
    INSTRUMENTS,
    PATH,
    rest.kind("allPerpMetas"),
    rest.perpetuals,
    rest.PERPETUAL,
    whole,
    limit=100_000,
    docs=PERPETUAL_DOCS + "#retrieve-perpetuals-metadata-universe-and-margin-tables",
    markets=LINEAR,
    cost=rest.units(rest.USUAL),
    reach="now",
    joins=(TOKENS,),
    method="POST",
)
PAIRS = Endpoint(
    INSTRUMENTS,
    PATH,
    rest.kind("spotMeta"),
    rest.pairs,
    rest.SPOT,
    whole,
    limit=100_000,
    docs=SPOT_DOCS + "#retrieve-spot-metadata",
    markets=SPOT,
    cost=rest.units(rest.USUAL),
    reach="now",
    method="POST",
)


def context(
    dataset: Dataset,
    decode: Callable[[bytes, Query], Rows],
    columns: tuple[str, ...],
    *,
    fill: Mapping[str, object],
    note: str = "",
) -> Endpoint:
    """A part of the state of the perpetuals, which carries no time of its own."""
    return Endpoint(
        dataset,
        PATH,
        derivatives.context_params,
        decode,
        columns,
        whole,
        limit=1,
        docs=CONTEXT_DOCS,
        markets=LINEAR,
        cost=rest.units(rest.USUAL),
        reach="now",
        fill=fill,
        method="POST",
        note=note,
    )


def spot_context(dataset: Dataset, decode: Callable[[bytes, Query], Rows], columns: tuple[str, ...]) -> Endpoint:
    """A part of the state of the spot pairs."""
    return Endpoint(
        dataset,
        PATH,
        rest.kind("spotMetaAndAssetCtxs"),
        decode,
        columns,
        whole,
        limit=1,
        docs=SPOT_DOCS + "#retrieve-spot-asset-contexts",
        markets=SPOT,
        cost=rest.units(rest.USUAL),
        reach="now",
        method="POST",
        note=market.NO_EXTREMES if dataset is TICKER else "",
    )


BUILDERS = "Of all perpetuals at once, builders' (such as xyz:TSLA) are left out: ask for them one by one."
COMING = {**derivatives.AT_NOW, **derivatives.SETTLED_HOURLY}

STATES = (
    context(FUNDING, derivatives.funding, derivatives.FUNDING_NOW, fill=COMING),
    context(OI, derivatives.interest, derivatives.INTEREST, fill=derivatives.AT_NOW),
    context(PRICE, derivatives.prices, derivatives.PRICES, fill={}),
    context(TICKER, derivatives.tickers, derivatives.TICKER, fill={}, note=f"{market.NO_EXTREMES} {BUILDERS}"),
    spot_context(PRICE, market.spot_prices, market.SPOT_PRICES),
    spot_context(TICKER, market.spot_tickers, market.SPOT_TICKER),
)
SETTLEMENTS = Endpoint(
    FUNDING_HISTORY,
    PATH,
    derivatives.settlement_params,
    derivatives.settlements,
    derivatives.SETTLEMENT,
    forward,
    limit=500,
    docs=PERPETUAL_DOCS + "#retrieve-historical-funding-rates",
    markets=LINEAR,
    cost=derivatives.settlement_cost,
    method="POST",
)
ORDERS = Endpoint(
    BOOK,
    PATH,
    market.book_params,
    market.book,
    market.BOOK,
    whole,
    limit=LEVELS,
    docs=INFO + "#l2-book-snapshot",
    markets=SPOT | LINEAR,
    cost=rest.units(2),
    reach="now",
    method="POST",
)
NEWEST_TRADES = Endpoint(
    TRADES,
    PATH,
    market.trade_params,
    market.trades,
    market.TRADE,
    whole,
    limit=RECENT,
    docs=API + "websocket/subscriptions",
    markets=SPOT | LINEAR,
    cost=rest.units(rest.USUAL + 1),
    reach="now",
    method="POST",
    note="Hyperliquid gives its newest trades only, about ten of them.",
)

NO_POSITIONS = "spot has no positions, so nothing is open and no funding is paid; --market linear has"
MARKS = (MARK_OHLC, INDEX_OHLC, PREMIUM_OHLC)
ABSENT: Mapping[tuple[Dataset, Market], str] = {
    **{(one, Market.LINEAR): "Hyperliquid keeps candles of trades only" for one in MARKS},
    **{(one, Market.SPOT): "spot has no mark, index or premium candles" for one in MARKS},
    (OI_HISTORY, Market.LINEAR): "Hyperliquid says what is open now and keeps no history of it",
    **{
        (one, Market.LINEAR): "Hyperliquid publishes no ratios of accounts, positions or takers"
        for one in RATIOS.values()
    },
    **{
        (one, Market.SPOT): "Hyperliquid publishes no ratios of accounts, positions or takers"
        for one in RATIOS.values()
    },
    **{(one, Market.SPOT): NO_POSITIONS for one in (OI, OI_HISTORY, FUNDING, FUNDING_HISTORY)},
    **{
        (TRADES_HISTORY, one): "Hyperliquid gives the newest trades only; older ones are in archives that cost money"
        for one in (Market.LINEAR, Market.SPOT)
    },
}
UNSTREAMED: Mapping[tuple[Dataset, Market], str] = {
    **{
        (LIQUIDATIONS, one): "Hyperliquid tells liquidations to those concerned only; nobody is told of all of them"
        for one in (Market.LINEAR, Market.SPOT)
    },
    **{(one, Market.SPOT): NO_POSITIONS for one in (OI, FUNDING)},
}

EXCHANGE = Exchange(
    name="hyperliquid",
    title="Hyperliquid",
    sites={
        name: Site(
            hosts=dict.fromkeys((Market.LINEAR, Market.SPOT), (f"https://{host}",)),
            sockets={"public": stream.socket(host)},
        )
        for name, host in (("live", "api.hyperliquid.xyz"), ("testnet", "api.hyperliquid-testnet.xyz"))
    },
    budgets=(Budget(rest.WEIGHT, limit=1_200, seconds=60), stream.OPENING),
    intervals=rest.INTERVALS,
    instruments=(PERPETUALS, PAIRS),
    endpoints=(CANDLES, *STATES, SETTLEMENTS, ORDERS, NEWEST_TRADES),
    refuse=rest.refuse,
    absent=ABSENT,
    channels=stream.CHANNELS,
    unstreamed=UNSTREAMED,
    unknowns=(
        "There are the newest 5,000 candles of each interval; they have no quote volume and no takers' part.",
        "Whether a minute without a trade has a candle is not documented.",
        "Its own weeks begin on Thursdays, and of months it does not say: 1w and 1M are built from days.",
        "Lists have no listing dates: the first candle is looked for instead.",
        "Prices have no fixed step: they have at most 5 significant figures, so instruments have no tick.",
        "Funding, open interest and prices come without a time; its clock at the moment they were asked for is used.",
        "Settlements have no mark price.",
        "Spot has the names of its own chain: UBTC, UETH and USOL stand for BTC, ETH and SOL.",
        "Liquidations are told to those concerned only; there is no public list of them.",
    ),
)
