"""OKX's streams: the shapes of their data, their decoders, and the channels.

Source: the channels of https://www.okx.com/docs-v5/en/#order-book-trading-market-data and #public-data, read in 2026.
What a frame holds is decoded by what decodes answers, wherever there is such an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, OI, TICKER, TRADES, Dataset
from marketcli.exchanges.okx import derivatives, market
from marketcli.exchanges.okx.frames import FORCED
from marketcli.exchanges.okx.rest import (
    CONTRACT_CANDLES,
    INTERVALS,
    SPOT_CANDLES,
    ContractCandle,
    asked,
    fields_of,
    source,
)
from marketcli.models import Market
from marketcli.spec import DERIVATIVES, Amount, Channel, Count, Real, decode_json, decoder, micros, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.exchanges.okx.rest import Making
    from marketcli.spec import Decode, Query, Rows

T = TypeVar("T")

SPOT = frozenset({Market.SPOT})


def pushed(shape: type[T], rows: Making[T]) -> Decode:
    """The decoder of frames whose data are so shaped."""
    kind: Any = list[shape]  # type: ignore[valid-type]
    quick = decoder(kind).decode

    def decode(data: bytes, query: Query) -> Rows:
        try:
            items = quick(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            items = decode_json(data, kind, what=source(query))  # which tells what is wrong
        return rows(items, query)

    return decode


class Running(ContractCandle, array_like=True, frozen=True):
    """A candle of any market, and whether it is over; on spot the quote volume stands there twice."""

    confirm: Literal["0", "1"]


RUNNING = fields_of(Running)


def candle_rows(items: list[Running], query: Query) -> Rows:
    """Candles of contracts; those of spot have the quote volume once."""
    end = -2 if query.market is Market.SPOT else -1
    return [(*row[:end], row[-1] == "1") for row in RUNNING(items, query)]


class Mark(derivatives.Mark, frozen=True, rename="camel"):
    """A mark price, and when it was so."""

    ts: Count


class Index(derivatives.Index, frozen=True, rename="camel"):
    """The price of an index, and when it was so."""

    ts: Count


class Order(msgspec.Struct, frozen=True, rename="camel"):
    """An order that closed a position: its side is the order's, its price that at which nothing is left."""

    ts: Count
    side: Literal["buy", "sell"]
    bk_px: Real
    sz: Amount


class Forced(msgspec.Struct, frozen=True, rename="camel"):
    """The orders of an instrument, in any order of time."""

    inst_id: str
    details: list[Order]


def liquidation_rows(items: list[Forced], query: Query) -> Rows:
    """Liquidations; selling closes a long."""
    what = source(query)
    return [
        (item.inst_id, micros(one.ts, what=what), "long" if one.side == "sell" else "short", one.bk_px, one.sz)
        for item in items
        for one in item.details
    ]


# --- channels

MARKET_DATA, PUBLIC_DATA = "order-book-trading-market-data-ws", "public-data-websocket"


def about(channel: str) -> Callable[[Query], str]:
    """The topics of a channel by instrument."""
    return lambda query: f"{channel}:{asked(query).native}"


def about_index(query: Query) -> str:
    """The topic of the index that an instrument follows."""
    return f"index-tickers:{asked(query).pair}"


def about_candles(query: Query) -> str:
    """The topic of candles."""
    if query.interval is None:
        raise TypeError("candles need an interval")
    return f"candle{INTERVALS[query.interval]}:{asked(query).native}"


def channel(dataset: Dataset, name: str, decode: Decode, columns: tuple[str, ...], **more: Any) -> Channel:
    """A channel; unless said, it is about an instrument and comes from the public socket."""
    usual: dict[str, Any] = {"topic": about(name), "socket": "public", "markets": DERIVATIVES}
    docs = f"https://www.okx.com/docs-v5/en/#{more.pop('page', PUBLIC_DATA)}-{more.pop('anchor', name)}-channel"
    return Channel(dataset, decoder=plain(decode), columns=columns, docs=docs, **(usual | more))


def of_market(
    markets: frozenset[Market], *, trade: tuple[str, ...], bar: tuple[str, ...], ticker: tuple[str, ...]
) -> tuple[Channel, ...]:
    """What spot and contracts both have, whose sizes they count differently.

    Tickers and candles are sent when something has happened, so none of it is ever overdue.
    """
    where = {"markets": markets, "page": MARKET_DATA}
    single = {"socket": "business", "anchor": "all-trades", "consecutive": True}  # as recorded: not documented
    candle = {"socket": "business", "anchor": "candlesticks", "topic": about_candles}
    return (
        channel(TRADES, "trades-all", pushed(market.Trade, market.trade_rows), trade, **single, **where),
        channel(OHLC, "candle", pushed(Running, candle_rows), (*bar, "closed"), **candle, **where),
        channel(TICKER, "tickers", pushed(market.Ticker, market.ticker_rows), ticker, **where),
    )


def liquidations(kind: str) -> Channel:
    """All liquidations of a type of instrument that OKX shows; how late is not documented."""
    return channel(
        LIQUIDATIONS,
        FORCED,
        pushed(Forced, liquidation_rows),
        ("native", "time", "liquidated", "price", "size_contracts"),
        topic=lambda _: f"{FORCED}:{kind}",
        anchor="liquidation-orders",
        scope="market",
        delay=1.0,
        fill={"completeness": "sampled"},
        note="OKX does not show all liquidations, and gives the price at which nothing is left of a position.",
    )


def marks(dataset: Dataset) -> Channel:
    """Mark prices, as a part of something else."""
    columns = ("native", "mark", "time")
    return channel(dataset, "mark-price", pushed(Mark, fields_of(Mark)), columns, cadence=10.0, leads=False)


def indices(dataset: Dataset) -> Channel:
    """Index prices, as a part of something else."""
    decode, columns = pushed(Index, fields_of(Index)), ("pair", "index", "time")
    fields = {"topic": about_index, "cadence": 60.0, "leads": False}
    return channel(dataset, "index-tickers", decode, columns, **fields)


OF_SPOT = of_market(SPOT, trade=market.SPOT_TRADES[1], bar=SPOT_CANDLES[1], ticker=market.SPOT_TICKERS[1])
OF_CONTRACTS = of_market(
    DERIVATIVES, trade=market.CONTRACT_TRADES[1], bar=CONTRACT_CANDLES[1], ticker=market.CONTRACT_TICKERS[1]
)
COMING = pushed(derivatives.Coming, derivatives.funding_rows)
INTEREST = pushed(derivatives.Interest, fields_of(derivatives.Interest))
CHANNELS = (
    *OF_SPOT,
    *OF_CONTRACTS,
    liquidations("SWAP"),
    liquidations("FUTURES"),
    channel(FUNDING, "funding-rate", COMING, derivatives.FUNDING[1], cadence=90.0),
    marks(FUNDING),
    indices(FUNDING),
    channel(OI, "open-interest", INTEREST, derivatives.INTEREST[1]),  # every three seconds, if it has changed
    marks(OI),
)
