"""What the rows of each dataset are: columns in order, with unit and meaning.

Schemas, table columns, file headers and `mkt schema` all come from these records.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

QUOTE_PER_BASE = {"unit": "quote per base"}
FRACTION = {"unit": "fraction"}
CONTRACTS = {"unit": "contracts"}
UNREACHED = "null where the levels end before"

Time = Annotated[int, Meta(description="microseconds since 1970-01-01 UTC; ISO 8601 in text", extra={"unit": "time"})]
Price: TypeAlias = Annotated[float, Meta(extra=QUOTE_PER_BASE)]
Base = Annotated[float, Meta(extra={"unit": "base"})]
Quote = Annotated[float, Meta(extra={"unit": "quote"})]


class Record(Struct, frozen=True):
    """What every row begins with."""

    exchange: Annotated[str, Meta(description="the exchange the row came from")]
    market: Annotated[str, Meta(description="spot, linear or inverse")]
    symbol: Annotated[str, Meta(description="canonical name: BTC-USDT, BTC-USDT-PERP, BTC-USD-270326")]
    native: Annotated[str, Meta(description="the name as the exchange spells it")]


class Candle(Record, frozen=True):
    """Open, high, low, close and volume of an interval; open time, UTC days and ISO weeks."""

    interval: Annotated[str, Meta(description="length of the candle: 1m, 1h, 1d, 1w, 1M")]
    time: Annotated[Time, Meta(description="open time, inclusive")]
    open: Annotated[Price, Meta(description="first trade")]
    high: Annotated[Price, Meta(description="highest trade")]
    low: Annotated[Price, Meta(description="lowest trade")]
    close: Annotated[Price, Meta(description="last trade")]
    volume_base: Annotated[Base | None, Meta(description="traded amount; inverse contracts converted by the exchange")]
    volume_quote: Annotated[
        Quote | None, Meta(description="traded value; of inverse contracts: contracts x contract size")
    ]
    trades: Annotated[int | None, Meta(description="number of trades", extra={"unit": "count"})]
    taker_buy_base: Annotated[Base | None, Meta(description="part of volume_base where the taker bought")]
    volume_contracts: Annotated[
        float | None, Meta(description="traded contracts, where the exchange counts them", extra=CONTRACTS)
    ]
    closed: Annotated[bool, Meta(description="false for the unfinished candle, by the exchange's clock")]
    source: Annotated[
        str, Meta(description="rest, stream, sandbox (simulated), or resampled:INTERVAL if built from finer ones")
    ]


class PriceCandle(Record, frozen=True):
    """Open, high, low and close of a price nobody trades at: mark, index, or the premium between them."""

    interval: Annotated[str, Meta(description="length of the candle: 1m, 1h, 1d, 1w, 1M")]
    time: Annotated[Time, Meta(description="open time, inclusive")]
    price: Annotated[Literal["mark", "index", "premium"], Meta(description="which price")]
    open: Annotated[Price, Meta(description="first value; a fraction for premium")]
    high: Annotated[Price, Meta(description="highest value")]
    low: Annotated[Price, Meta(description="lowest value; may be negative for premium")]
    close: Annotated[Price, Meta(description="last value")]
    closed: Annotated[bool, Meta(description="false for the unfinished candle, by the exchange's clock")]
    source: Annotated[
        str, Meta(description="rest, sandbox (simulated), or resampled:INTERVAL if built here from finer candles")
    ]


class InstrumentRow(Record, frozen=True):
    """One instrument of an exchange, as its own list describes it."""

    base: Annotated[str, Meta(description="what is traded")]
    quote: Annotated[str, Meta(description="what the price is counted in")]
    settle: Annotated[str, Meta(description="what profit and loss are paid in")]
    contract_size: Annotated[float, Meta(description="base (linear) or quote (inverse) units per contract; 1 for spot")]
    multiplier: Annotated[int, Meta(description="coins per unit of base: 1000 for 1000PEPE", extra={"unit": "count"})]
    tick: Annotated[float | None, Meta(description="smallest price step", extra=QUOTE_PER_BASE)]
    lot: Annotated[
        float | None, Meta(description="smallest size step: base, contracts if inverse", extra={"unit": "base"})
    ]
    status: Annotated[str, Meta(description="trading, pending, halted, closing or closed, or the exchange's own word")]
    listed: Annotated[int | None, Meta(description="start of trading, where the exchange says", extra={"unit": "time"})]
    expiry: Annotated[int | None, Meta(description="delivery or end of trading, if any", extra={"unit": "time"})]
    unified: Annotated[str, Meta(description="ccxt's spelling: BTC/USDT, BTC/USDT:USDT")]


class Funding(Record, frozen=True):
    """The funding of a perpetual as it stands: the rate of the coming settlement, and when that is."""

    time: Annotated[Time, Meta(description="when this was so, by the exchange")]
    rate: Annotated[
        float | None, Meta(description="estimate for the coming settlement, for one interval", extra=FRACTION)
    ]
    interval_h: Annotated[float | None, Meta(description="hours between settlements", extra={"unit": "hours"})]
    apr: Annotated[float | None, Meta(description="rate x settlements in 365 days, not compounded", extra=FRACTION)]
    next_time: Annotated[int | None, Meta(description="the coming settlement", extra={"unit": "time"})]
    mark: Annotated[Price | None, Meta(description="mark price")]
    index: Annotated[Price | None, Meta(description="index price")]
    basis: Annotated[float | None, Meta(description="mark / index - 1", extra=FRACTION)]


class Settlement(Record, frozen=True):
    """A funding payment that was made; positive rates are paid by longs."""

    time: Annotated[Time, Meta(description="settlement, snapped to the minute")]
    rate: Annotated[
        float | None,
        Meta(description="what was paid, of the position's value, where known", extra=FRACTION),
    ]
    interval_h: Annotated[
        float | None,
        Meta(description="hours since the settlement before, from the times themselves", extra={"unit": "hours"}),
    ]
    apr: Annotated[float | None, Meta(description="rate x settlements in 365 days, not compounded", extra=FRACTION)]
    mark: Annotated[Price | None, Meta(description="mark price at settlement, where the exchange keeps it")]


class OpenInterest(Record, frozen=True):
    """How much is open now, one side counted, and how that has changed."""

    time: Annotated[Time, Meta(description="when this was so, by the exchange")]
    oi_base: Annotated[Base | None, Meta(description="open interest; of inverse contracts at the mark price")]
    oi_quote: Annotated[Quote | None, Meta(description="its value; at the mark price, or contracts x contract size")]
    oi_contracts: Annotated[
        float | None, Meta(description="open contracts, where the exchange counts them", extra=CONTRACTS)
    ]
    change_1h: Annotated[float | None, Meta(description="change of the open amount in an hour", extra=FRACTION)]
    change_24h: Annotated[float | None, Meta(description="change of the open amount in a day", extra=FRACTION)]


class OpenInterestPoint(Record, frozen=True):
    """Open interest at regular times, one side counted."""

    interval: Annotated[str, Meta(description="distance of the points: 5m, 1h, 1d")]
    time: Annotated[Time, Meta(description="the exchange's label of the point")]
    oi_base: Annotated[Base | None, Meta(description="open interest")]
    oi_quote: Annotated[
        Quote | None, Meta(description="its value as the exchange gives it, or contracts x contract size")
    ]
    oi_contracts: Annotated[
        float | None, Meta(description="open contracts, where the exchange counts them", extra=CONTRACTS)
    ]
    source: Annotated[str, Meta(description="rest, or sandbox (simulated)")]


class Prices(Record, frozen=True):
    """The prices an instrument has now."""

    time: Annotated[int | None, Meta(description="of the last price, where the exchange says", extra={"unit": "time"})]
    last: Annotated[Price | None, Meta(description="last trade")]
    mark: Annotated[Price | None, Meta(description="mark price of a derivative")]
    index: Annotated[Price | None, Meta(description="index price of a derivative")]
    average: Annotated[Price | None, Meta(description="average of some minutes, where the exchange gives one")]
    average_minutes: Annotated[int | None, Meta(description="over how many minutes", extra={"unit": "minutes"})]


class Ticker(Record, frozen=True):
    """What an instrument did in the last 24 hours, and its best bid and ask."""

    time: Annotated[int | None, Meta(description="when this was so, where the exchange says", extra={"unit": "time"})]
    last: Annotated[Price | None, Meta(description="last trade, where the exchange says")]
    mark: Annotated[Price | None, Meta(description="mark price, where the same answer has it")]
    bid: Annotated[Price | None, Meta(description="best bid")]
    bid_size: Annotated[Base | None, Meta(description="size at the best bid")]
    ask: Annotated[Price | None, Meta(description="best ask")]
    ask_size: Annotated[Base | None, Meta(description="size at the best ask")]
    spread: Annotated[float | None, Meta(description="(ask - bid) / mid", extra=FRACTION)]
    change: Annotated[float | None, Meta(description="last (else mark) / open - 1", extra=FRACTION)]
    open: Annotated[Price | None, Meta(description="price 24 hours ago")]
    high: Annotated[Price | None, Meta(description="highest trade in 24 hours")]
    low: Annotated[Price | None, Meta(description="lowest trade in 24 hours")]
    volume_base: Annotated[Base | None, Meta(description="traded in 24 hours")]
    volume_quote: Annotated[
        Quote | None, Meta(description="traded value in 24 hours; of inverse contracts: contracts x contract size")
    ]
    volume_usd: Annotated[
        float | None,
        Meta(
            description="volume_quote, else volume_base x last, where the quote is USD, USDT or USDC (1 each)",
            extra={"unit": "USD"},
        ),
    ]
    trades: Annotated[int | None, Meta(description="number of trades in 24 hours", extra={"unit": "count"})]


class BookLevel(Record, frozen=True):
    """One price of an order book, and all that rests there."""

    time: Annotated[int | None, Meta(description="when this was so, where the exchange says", extra={"unit": "time"})]
    update_id: Annotated[str | None, Meta(description="the exchange's number of this state of the book")]
    side: Annotated[Literal["bid", "ask"], Meta(description="bid or ask")]
    level: Annotated[int, Meta(description="1 for the best price of its side", extra={"unit": "count"})]
    price: Annotated[Price, Meta(description="price of the level")]
    size: Annotated[Base, Meta(description="what rests there")]
    size_contracts: Annotated[
        float | None, Meta(description="the same in contracts, where the exchange counts them", extra=CONTRACTS)
    ]
    notional: Annotated[Quote, Meta(description="its value: price x size; of inverse contracts: contracts x size")]
    orders: Annotated[
        int | None, Meta(description="number of orders, where the exchange says", extra={"unit": "count"})
    ]
    total: Annotated[Base, Meta(description="size of this and all better levels of its side")]


class BookSummary(Record, frozen=True):
    """An order book in one row: its best prices, what rests around them, what a market order would pay.

    A depth that the levels do not reach is `bid_depth` or `ask_depth` at least.
    """

    time: Annotated[int | None, Meta(description="when this was so, where the exchange says", extra={"unit": "time"})]
    update_id: Annotated[str | None, Meta(description="the exchange's number of this state of the book")]
    bid: Annotated[Price | None, Meta(description="best bid")]
    bid_size: Annotated[Base | None, Meta(description="size at the best bid")]
    ask: Annotated[Price | None, Meta(description="best ask")]
    ask_size: Annotated[Base | None, Meta(description="size at the best ask")]
    spread: Annotated[float | None, Meta(description="(ask - bid) / mid", extra=FRACTION)]
    mid: Annotated[Price | None, Meta(description="(bid + ask) / 2")]
    microprice: Annotated[Price | None, Meta(description="bid and ask, each weighed by the size at the other")]
    imbalance: Annotated[
        float | None,
        Meta(description="(bids - asks) / (bids + asks) by value, over as many levels as both have", extra=FRACTION),
    ]
    bid_levels: Annotated[int, Meta(description="levels of bids that were fetched", extra={"unit": "count"})]
    bid_reach: Annotated[float | None, Meta(description="how far from mid they go", extra=FRACTION)]
    bid_depth: Annotated[Quote, Meta(description="value of all bids that were fetched")]
    bid_depth_10bp: Annotated[Quote | None, Meta(description=f"value of bids within 0.1 % of mid; {UNREACHED}")]
    bid_depth_50bp: Annotated[Quote | None, Meta(description=f"value of bids within 0.5 % of mid; {UNREACHED}")]
    bid_depth_100bp: Annotated[Quote | None, Meta(description=f"value of bids within 1 % of mid; {UNREACHED}")]
    bid_depth_200bp: Annotated[Quote | None, Meta(description=f"value of bids within 2 % of mid; {UNREACHED}")]
    ask_levels: Annotated[int, Meta(description="levels of asks that were fetched", extra={"unit": "count"})]
    ask_reach: Annotated[float | None, Meta(description="how far from mid they go", extra=FRACTION)]
    ask_depth: Annotated[Quote, Meta(description="value of all asks that were fetched")]
    ask_depth_10bp: Annotated[Quote | None, Meta(description=f"value of asks within 0.1 % of mid; {UNREACHED}")]
    ask_depth_50bp: Annotated[Quote | None, Meta(description=f"value of asks within 0.5 % of mid; {UNREACHED}")]
    ask_depth_100bp: Annotated[Quote | None, Meta(description=f"value of asks within 1 % of mid; {UNREACHED}")]
    ask_depth_200bp: Annotated[Quote | None, Meta(description=f"value of asks within 2 % of mid; {UNREACHED}")]
    order: Annotated[Quote | None, Meta(description="market order asked about with --size; no fees are counted")]
    buy_filled: Annotated[Quote | None, Meta(description="part of a buy order that the levels fill")]
    buy_average: Annotated[Price | None, Meta(description="average price if they fill all of it")]
    buy_worst: Annotated[Price | None, Meta(description="worst price if they fill all of it")]
    buy_slippage: Annotated[float | None, Meta(description="buy_average / mid - 1", extra=FRACTION)]
    sell_filled: Annotated[Quote | None, Meta(description="part of a sell order that the levels fill")]
    sell_average: Annotated[Price | None, Meta(description="average price if they fill all of it")]
    sell_worst: Annotated[Price | None, Meta(description="worst price if they fill all of it")]
    sell_slippage: Annotated[float | None, Meta(description="1 - sell_average / mid", extra=FRACTION)]


class Trade(Record, frozen=True):
    """A trade, or several of one taker where the exchange merges them."""

    time: Annotated[Time, Meta(description="when it was made")]
    id: Annotated[str, Meta(description="the exchange's id; of merged trades its own id of the merged ones")]
    price: Annotated[Price, Meta(description="price")]
    size: Annotated[Base, Meta(description="size")]
    size_contracts: Annotated[
        float | None, Meta(description="the same in contracts, where the exchange counts them", extra=CONTRACTS)
    ]
    notional: Annotated[Quote, Meta(description="its value: price x size; of inverse contracts: contracts x size")]
    notional_usd: Annotated[
        float | None,
        Meta(description="notional where the quote is USD, USDT or USDC, each counted as 1", extra={"unit": "USD"}),
    ]
    side: Annotated[Literal["buy", "sell"], Meta(description="what the taker did")]
    source: Annotated[str, Meta(description="rest, stream, or sandbox (simulated)")]


class LargeTrade(Record, frozen=True):
    """What one taker order traded at one time, all its fills together."""

    time: Annotated[Time, Meta(description="when it was made")]
    id: Annotated[str, Meta(description="the exchange's id of its first fill")]
    fills: Annotated[int, Meta(description="how many trades of the feed it was", extra={"unit": "count"})]
    price: Annotated[Price, Meta(description="average price")]
    worst: Annotated[Price, Meta(description="the price that was worst for the taker")]
    size: Annotated[Base, Meta(description="size of all fills")]
    notional: Annotated[Quote, Meta(description="value of all fills; of inverse contracts: contracts x size")]
    notional_usd: Annotated[
        float | None,
        Meta(description="notional where the quote is USD, USDT or USDC, each counted as 1", extra={"unit": "USD"}),
    ]
    side: Annotated[Literal["buy", "sell"], Meta(description="what the taker did")]
    source: Annotated[str, Meta(description="stream, rest where a gap was filled, or sandbox (simulated)")]


class Liquidation(Record, frozen=True):
    """A position closed by the exchange."""

    time: Annotated[Time, Meta(description="when it was closed, by the exchange")]
    liquidated: Annotated[
        Literal["long", "short"], Meta(description="the position that was closed, never the side of the closing order")
    ]
    price: Annotated[Price, Meta(description="average price where the exchange says, else the bankruptcy price")]
    size: Annotated[Base, Meta(description="what was closed")]
    size_contracts: Annotated[
        float | None, Meta(description="the same in contracts, where the exchange counts them", extra=CONTRACTS)
    ]
    notional: Annotated[Quote, Meta(description="its value: price x size; of inverse contracts: contracts x size")]
    notional_usd: Annotated[
        float | None,
        Meta(description="notional where the quote is USD, USDT or USDC, each counted as 1", extra={"unit": "USD"}),
    ]
    completeness: Annotated[
        Literal["full", "sampled"], Meta(description="whether the exchange's feed shows all of them, or some")
    ]
    nth: Annotated[
        int, Meta(description="0, 1, … for equal rows of one message: all are kept", extra={"unit": "count"})
    ]
    source: Annotated[str, Meta(description="stream, or sandbox (simulated)")]


class Ratio(Record, frozen=True):
    """How accounts or positions stand, or what takers did, over an interval."""

    kind: Annotated[
        Literal["accounts", "top_accounts", "top_positions", "taker"],
        Meta(description="of all accounts, of top traders' accounts or positions, or of taker volume"),
    ]
    interval: Annotated[str, Meta(description="distance of the points: 5m, 1h, 1d")]
    time: Annotated[Time, Meta(description="the exchange's label of the point")]
    ratio: Annotated[
        float | None, Meta(description="long / short, or bought / sold by takers", extra={"unit": "ratio"})
    ]
    long: Annotated[float | None, Meta(description="share that is long, or was bought", extra=FRACTION)]
    short: Annotated[float | None, Meta(description="share that is short, or was sold", extra=FRACTION)]
    buy_base: Annotated[Base | None, Meta(description="bought by takers, where the exchange says")]
    sell_base: Annotated[Base | None, Meta(description="sold by takers, where the exchange says")]
    source: Annotated[str, Meta(description="rest, or sandbox (simulated)")]
