"""Bybit's sockets, one for each market, and the channels on them.

Documentation: https://bybit-exchange.github.io/docs/v5/ws/connect, read in 2026.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, OI, TICKER, TRADES
from marketcli.exchanges.bybit import derivatives, market, rest, stream
from marketcli.models import Market
from marketcli.spec import Channel, Socket, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketcli.spec import Query

DOCS = "https://bybit-exchange.github.io/docs/v5/websocket/public/"
SPOT, LINEAR, INVERSE = (frozenset({one}) for one in (Market.SPOT, Market.LINEAR, Market.INVERSE))

CONNECTIONS = "stream connections"  # the budget of new ones
LARGEST = {Market.SPOT: "BTCUSDT", Market.LINEAR: "BTCUSDT", Market.INVERSE: "BTCUSD"}


def sockets(host: str) -> Mapping[str, Socket]:
    """The sockets of a host, by market.

    The topics of a connection may have 21,000 characters. One topic that is not known fails its whole message, and
    spot takes ten in a message, so everybody gets ten. How many messages are taken in a second is not documented:
    200 at once were (2026).
    """
    return {
        market.value: Socket(
            f"wss://{host}/v5/public/{market}",
            stream.subscribe,
            stream.read,
            stream.sent,
            opening=CONNECTIONS,
            busy=f"tickers.{LARGEST[market]}",
            busy_seconds=0.5,
            topics=200,
            batch=10,
            messages=(20, 1.0),
            ping=stream.PING,
            ping_seconds=20.0,
        )
        for market in Market
    }


def native(query: Query) -> str:
    """The name of the instrument that a topic is about."""
    if query.instrument is None:
        raise TypeError("Bybit's topics need an instrument")
    return query.instrument.native


def named(stem: str) -> Callable[[Query], str]:
    """Topics of a kind."""
    return lambda query: f"{stem}.{native(query)}"


def kline_topic(query: Query) -> str:
    """The topic of candles."""
    if query.interval is None:
        raise TypeError("candles need an interval")
    return f"kline.{rest.INTERVALS[query.interval]}.{native(query)}"


LINEAR_TRADES = Channel(
    TRADES,
    "linear",
    named("publicTrade"),
    plain(stream.trades),
    (*stream.TRADE, "size"),
    docs=DOCS + "trade",
    markets=LINEAR,
    delay=0.1,
)
INVERSE_TRADES = replace(LINEAR_TRADES, socket="inverse", columns=(*stream.TRADE, "size_contracts"), markets=INVERSE)
SPOT_TRADES = replace(LINEAR_TRADES, socket="spot", markets=SPOT)

BANKRUPTCY = "Bybit's liquidations are all there are, at the bankruptcy price of the position."
UNCONFIRMED = "That sizes of inverse contracts are contracts of one dollar, as elsewhere on Bybit, is not confirmed."
LINEAR_LIQUIDATIONS = replace(
    LINEAR_TRADES,
    dataset=LIQUIDATIONS,
    topic=named("allLiquidation"),
    decoder=plain(stream.liquidations),
    columns=(*stream.LIQUIDATION, "size"),
    docs=DOCS + "all-liquidation",
    delay=0.5,
    fill={"completeness": "full"},
    note=BANKRUPTCY,
)
INVERSE_LIQUIDATIONS = replace(
    LINEAR_LIQUIDATIONS,
    socket="inverse",
    columns=(*stream.LIQUIDATION, "size_contracts"),
    markets=INVERSE,
    note=f"{BANKRUPTCY} {UNCONFIRMED}",
)

LINEAR_CANDLES = Channel(
    OHLC,
    "linear",
    kline_topic,
    plain(stream.candles),
    (*rest.CANDLE, "closed"),
    docs=DOCS + "kline",
    markets=LINEAR,
    cadence=60.0,
)
INVERSE_CANDLES = replace(
    LINEAR_CANDLES,
    socket="inverse",
    decoder=plain(stream.inverse_candles),
    columns=(*rest.INVERSE_CANDLE, "closed"),
    markets=INVERSE,
)
SPOT_CANDLES = replace(LINEAR_CANDLES, socket="spot", markets=SPOT)

# One topic holds prices, funding and open interest. A ticker is sent when it changes: those of contracts always do,
# because their mark price does; those of spot need not.
LINEAR_TICKER = Channel(
    TICKER,
    "linear",
    named("tickers"),
    stream.contract_tickers,
    market.LINEAR_TICKER,
    docs=DOCS + "ticker",
    markets=LINEAR,
    cadence=10.0,
)
INVERSE_TICKER = replace(LINEAR_TICKER, socket="inverse", columns=market.INVERSE_TICKER, markets=INVERSE)
SPOT_TICKER = replace(
    LINEAR_TICKER,
    socket="spot",
    decoder=stream.spot_tickers,
    columns=market.SPOT_TICKER,
    markets=SPOT,
    cadence=None,
    note="Bybit's stream of spot tickers has no best bid and ask.",
)
LINEAR_FUNDING = replace(LINEAR_TICKER, dataset=FUNDING, decoder=stream.funding, columns=derivatives.FUNDING)
INVERSE_FUNDING = replace(LINEAR_FUNDING, socket="inverse", markets=INVERSE)
LINEAR_OI = replace(
    LINEAR_TICKER, dataset=OI, decoder=stream.interest, columns=derivatives.OPEN, note=derivatives.ONE_SIDE
)
INVERSE_OI = replace(LINEAR_OI, socket="inverse", columns=derivatives.INVERSE_OPEN, markets=INVERSE)

CHANNELS = (
    *(SPOT_TRADES, LINEAR_TRADES, INVERSE_TRADES),
    *(LINEAR_LIQUIDATIONS, INVERSE_LIQUIDATIONS),
    *(SPOT_CANDLES, LINEAR_CANDLES, INVERSE_CANDLES),
    *(SPOT_TICKER, LINEAR_TICKER, INVERSE_TICKER),
    *(LINEAR_FUNDING, INVERSE_FUNDING),
    *(LINEAR_OI, INVERSE_OI),
)
NO_LIQUIDATIONS = "spot has no positions, so nothing is liquidated; derivatives do (--market linear)"
