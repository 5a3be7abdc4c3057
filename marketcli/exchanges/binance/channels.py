"""Binance's channels: which stream carries what.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams and the pages
"WebSocket Market Streams" of USD-M and COIN-M futures beside it, read in 2026.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, OI, TICKER, TRADES
from marketcli.exchanges.binance import events
from marketcli.exchanges.binance.market import CONTRACTS, TRADE
from marketcli.exchanges.binance.rest import SPOT_INTERVALS
from marketcli.exchanges.binance.tables import DOCS, MARKET_ONLY, MERGED
from marketcli.models import Market
from marketcli.spec import DERIVATIVES, Channel, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.datasets import Dataset
    from marketcli.spec import Decode, Query

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
SOCKET = {SPOT: "spot", LINEAR: "linear", INVERSE: "inverse"}
PAGES = {
    SPOT: DOCS + "binance-spot-api-docs/web-socket-streams#",
    LINEAR: DOCS + "derivatives/usds-margined-futures/websocket-market-streams/",
    INVERSE: DOCS + "derivatives/coin-margined-futures/websocket-market-streams/",
}
Options: TypeAlias = dict[str, Any]


def of(suffix: str) -> Callable[[Query], str]:
    """The topic of an instrument: its name in small letters, and what is asked for."""
    return lambda query: f"{query.instrument.native.lower() if query.instrument else ''}@{suffix}"


def candles_of(query: Query) -> str:
    """The topic of an instrument's candles."""
    if query.interval is None:
        raise TypeError("candles need an interval")
    return of(f"kline_{SPOT_INTERVALS[query.interval]}")(query)


def channel(
    market: Market,
    dataset: Dataset,
    topic: Callable[[Query], str],
    *,
    decode: Decode,
    columns: tuple[str, ...],
    docs: str,
    **more: Any,
) -> Channel:
    """A channel of a market, on its usual socket."""
    usual: Options = {"socket": SOCKET[market], "markets": frozenset({market}), "docs": PAGES[market] + docs}
    return Channel(dataset, topic=topic, decoder=plain(decode), columns=columns, **usual | more)


def whole(
    market: Market, dataset: Dataset, topic: str, *, decode: Decode, columns: tuple[str, ...], docs: str, **more: Any
) -> Channel:
    """A channel about all instruments of a market, whose rows begin with their names."""
    named = ("native", *columns)
    return channel(
        market, dataset, lambda _: topic, decode=decode, columns=named, docs=docs, **{"scope": "market"} | more
    )


# A trade was pushed 157 milliseconds after it was made, a liquidation 1,008 (recordings of 2021 and 2026).
TRADED: Options = {"decode": events.trade, "delay": 0.2, "consecutive": True}
CONTRACTS_TRADED = TRADED | {"docs": "Aggregate-Trade-Streams", "note": MERGED + MARKET_ONLY}
SAMPLED = "Binance shows one liquidation of an instrument in a second, the largest: sums are lower bounds."
FORCED: Options = {"delay": 1.1, "fill": {"completeness": "sampled"}, "note": SAMPLED}
ONE_FORCED = FORCED | {
    "decode": events.one(events.ForceOrder, events.liquidation),
    "docs": "Liquidation-Order-Streams",
}
ALL_FORCED = FORCED | {"decode": events.any_liquidation, "docs": "All-Market-Liquidation-Order-Streams"}
CANDLES: Options = {"decode": events.one(events.KlineEvent, events.candle), "columns": events.STREAMED_CANDLE}
INVERSE_CANDLES: Options = {"decode": events.inverse_candle, "columns": events.STREAMED_INVERSE_CANDLE}
CONTRACT_CANDLES: Options = {"docs": "Kline-Candlestick-Streams", "delay": 0.25}
EVERY_SECOND = 1.0
SHORT = "Binance's stream of all spot tickers has no best bid and ask, and no number of trades."
BESIDE: Options = {
    "decode": events.one(events.BestEvent, events.best),
    "docs": "Individual-Symbol-Book-Ticker-Streams",
    "leads": False,
}


def tickers(market: Market, row: events.Row, columns: tuple[str, ...]) -> tuple[Channel, Channel]:
    """Tickers of one contract and of all; they are pushed when they change."""
    one, several = events.one(events.Day, row), events.several(events.Day, row)
    single: Options = {"decode": one, "columns": columns, "docs": "Individual-Symbol-Ticker-Streams"}
    every: Options = {"decode": several, "columns": columns, "docs": "All-Market-Tickers-Streams"}
    return (
        channel(market, TICKER, of("ticker"), **single),
        whole(market, TICKER, "!ticker@arr", cadence=EVERY_SECOND, **every),
    )


def funding(market: Market) -> tuple[Channel, Channel]:
    """Mark price and coming funding of one contract and of all (described for USD-M only), once a second."""
    one, several = events.one(events.Mark, events.mark), events.several(events.Mark, events.mark)
    known: Options = {"columns": events.FUNDING, "cadence": EVERY_SECOND}
    every = whole(market, FUNDING, "!markPrice@arr@1s", decode=several, docs="", **known)
    return (
        channel(market, FUNDING, of("markPrice@1s"), decode=one, docs="Mark-Price-Stream", **known),
        replace(every, docs=PAGES[LINEAR] + "Mark-Price-Stream-for-All-market"),
    )


def contracts(market: Market) -> tuple[Channel, ...]:
    """What both kinds of futures have alike: trades, liquidations, funding."""
    inverse = market is INVERSE
    traded, forced = (CONTRACTS, events.INVERSE_LIQUIDATION) if inverse else (TRADE, events.LIQUIDATION)
    return (
        channel(market, TRADES, of("aggTrade"), columns=traded, **CONTRACTS_TRADED),
        channel(market, LIQUIDATIONS, of("forceOrder"), columns=forced, **ONE_FORCED),
        whole(market, LIQUIDATIONS, "!forceOrder@arr", columns=forced, **ALL_FORCED),
        *funding(market),
    )


CHANNELS = (
    channel(SPOT, TRADES, of("aggTrade"), columns=TRADE, docs="aggregate-trade-streams", note=MERGED, **TRADED),
    channel(
        SPOT,
        OHLC,
        candles_of,
        docs="klinecandlestick-streams-for-utc",
        intervals=SPOT_INTERVALS,
        delay=2.0,
        **CANDLES,
    ),
    channel(
        SPOT,
        TICKER,
        of("ticker"),
        decode=events.one(events.SpotDay, events.spot_day),
        columns=events.SPOT_DAY,
        docs="individual-symbol-ticker-streams",
    ),
    whole(
        SPOT,
        TICKER,
        "!miniTicker@arr",
        decode=events.several(events.Mini, events.mini),
        columns=events.MINI,
        docs="all-market-mini-tickers-stream",
        cadence=EVERY_SECOND,
        note=SHORT,
    ),
    *contracts(LINEAR),
    *contracts(INVERSE),
    channel(LINEAR, OHLC, candles_of, **CANDLES | CONTRACT_CANDLES),
    channel(INVERSE, OHLC, candles_of, **INVERSE_CANDLES | CONTRACT_CANDLES),
    *tickers(LINEAR, events.linear_day, events.LINEAR_DAY),
    *tickers(INVERSE, events.inverse_day, events.INVERSE_DAY),
    channel(LINEAR, TICKER, of("bookTicker"), columns=events.BEST, socket="linear books", **BESIDE),
    channel(INVERSE, TICKER, of("bookTicker"), columns=events.INVERSE_BEST, **BESIDE),
)
NO_INTEREST = "Binance streams no open interest; `mkt oi` asks for it"
NO_POSITIONS = "spot has no positions, so nothing of this can be streamed; derivatives do (--market linear)"
UNSTREAMED = {(OI, market): NO_INTEREST for market in DERIVATIVES} | {
    (dataset, SPOT): NO_POSITIONS for dataset in (LIQUIDATIONS, FUNDING, OI)
}
