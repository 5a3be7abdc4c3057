"""Binance: spot, USD-M futures (linear) and COIN-M futures (inverse)."""

from __future__ import annotations

from marketcli.datasets import (
    FUNDING,
    FUNDING_HISTORY,
    INDEX_OHLC,
    MARK_OHLC,
    OI,
    OI_HISTORY,
    PREMIUM_OHLC,
    RATIO_ACCOUNTS,
    RATIO_TAKER,
    RATIO_TOP_ACCOUNTS,
    RATIO_TOP_POSITIONS,
)
from marketcli.exchanges.binance.channels import CHANNELS, UNSTREAMED
from marketcli.exchanges.binance.rest import INTERVALS, refuse
from marketcli.exchanges.binance.stream import CONNECTIONS, SOCKETS, TESTNET_SOCKETS
from marketcli.exchanges.binance.tables import (
    ENDPOINTS,
    FUNDING_REQUESTS,
    FUTURES_WEIGHT,
    INSTRUMENT_CELLS,
    SPOT_WEIGHT,
    STATISTICS,
)
from marketcli.models import Market
from marketcli.spec import Budget, Exchange, Site

USED = "X-MBX-USED-WEIGHT-1M"
NO_DERIVATIVES = "spot instruments have no mark, index or premium price; derivatives do (--market linear)"
NO_POSITIONS = "spot has no positions, so nothing is open and no funding is paid; derivatives do (--market linear)"
NO_SIDES = "spot has no positions, so nobody is long or short; derivatives do (--market linear)"
NO_TAKERS = "it has statistics of derivatives only; spot candles say what takers bought (column taker_buy_base)"

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
            },
            sockets=SOCKETS,
        ),
        "testnet": Site(
            hosts={
                Market.SPOT: ("https://testnet.binance.vision",),
                Market.LINEAR: ("https://demo-fapi.binance.com", "https://testnet.binancefuture.com"),
                Market.INVERSE: ("https://demo-dapi.binance.com", "https://testnet.binancefuture.com"),
            },
            sockets=TESTNET_SOCKETS,
        ),
    },
    budgets=(
        Budget(SPOT_WEIGHT, limit=6_000, seconds=60, header=USED),
        Budget(FUTURES_WEIGHT, limit=2_400, seconds=60, header=USED),
        Budget(STATISTICS, limit=1_000, seconds=300),
        Budget(FUNDING_REQUESTS, limit=500, seconds=300),
        Budget(CONNECTIONS, limit=300, seconds=300),
    ),
    intervals=INTERVALS,
    instruments=INSTRUMENT_CELLS,
    endpoints=ENDPOINTS,
    channels=CHANNELS,
    unstreamed=UNSTREAMED,
    refuse=refuse,
    absent={(dataset, Market.SPOT): NO_DERIVATIVES for dataset in (MARK_OHLC, INDEX_OHLC, PREMIUM_OHLC)}
    | {(dataset, Market.SPOT): NO_POSITIONS for dataset in (OI, OI_HISTORY, FUNDING, FUNDING_HISTORY)}
    | {(dataset, Market.SPOT): NO_SIDES for dataset in (RATIO_ACCOUNTS, RATIO_TOP_ACCOUNTS, RATIO_TOP_POSITIONS)}
    | {(RATIO_TAKER, Market.SPOT): NO_TAKERS},
    unknowns=(
        "The spot list has no listing dates: the first candle is looked for instead.",
        "Futures lists hold what trades or is being settled now; contracts delisted long ago are not in them.",
        "Candles of mark, index and premium prices have no volume.",
        "Open interest and ratios reach back 30 days. Since June 2026 their labels may mark the start of a period.",
        "Past trades reach back 48 hours (USD-M) or 24 (COIN-M); on spot to the beginning.",
        "USD-M order books are without retail price improvement (RPI) orders; trades with those are not marked.",
        "COIN-M funding history has no mark prices.",
    ),
)
