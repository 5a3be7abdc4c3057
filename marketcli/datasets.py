"""One block per dataset: what a row of it is, and what its columns mean.

Schemas, table columns, file headers and `mkt schema` all come from these records.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from marketcli.errors import UsageError

QUOTE_PER_BASE = {"unit": "quote per base"}
FRACTION = {"unit": "fraction"}

Time = Annotated[int, Meta(description="microseconds since 1970-01-01 UTC; ISO 8601 in text", extra={"unit": "time"})]
Price: TypeAlias = Annotated[float, Meta(extra=QUOTE_PER_BASE)]
Base = Annotated[float, Meta(extra={"unit": "base"})]
Quote = Annotated[float, Meta(extra={"unit": "quote"})]


class Cadence(Enum):
    """How rows follow each other: on a grid of intervals, as events, or as one answer for now."""

    GRID = "one row per interval"
    EVENT = "one row per event"
    NOW = "one row per instrument"


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
        float | None, Meta(description="traded contracts, where the exchange counts them", extra={"unit": "contracts"})
    ]
    closed: Annotated[bool, Meta(description="false for the unfinished candle, by the exchange's clock")]
    source: Annotated[
        str, Meta(description="rest, sandbox (simulated), or resampled:INTERVAL if built here from finer candles")
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
    rate: Annotated[float, Meta(description="what was paid, of the position's value", extra=FRACTION)]
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
        float | None, Meta(description="open contracts, where the exchange counts them", extra={"unit": "contracts"})
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
        float | None, Meta(description="open contracts, where the exchange counts them", extra={"unit": "contracts"})
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


@dataclass(frozen=True, slots=True)
class Dataset:
    """A kind of data: its name, the record its rows are, the key that makes a row unique, and how rows follow."""

    name: str
    title: str
    record: type[Record]
    key: tuple[str, ...]
    cadence: Cadence
    fixed: tuple[tuple[str, str], ...] = ()  # columns with one value throughout, as `price` of mark candles

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns in their order."""
        return self.record.__struct_fields__

    def __hash__(self) -> int:
        return hash(self.name)


OHLC = Dataset("ohlc", "candles", Candle, ("symbol", "interval", "time"), Cadence.GRID)
MARK_OHLC = Dataset(
    "ohlc_mark", "mark price candles", PriceCandle, ("symbol", "interval", "time"), Cadence.GRID, (("price", "mark"),)
)
INDEX_OHLC = Dataset(
    "ohlc_index",
    "index price candles",
    PriceCandle,
    ("symbol", "interval", "time"),
    Cadence.GRID,
    (("price", "index"),),
)
PREMIUM_OHLC = Dataset(
    "ohlc_premium",
    "premium index candles",
    PriceCandle,
    ("symbol", "interval", "time"),
    Cadence.GRID,
    (("price", "premium"),),
)
INSTRUMENTS = Dataset("instruments", "instruments", InstrumentRow, ("market", "native"), Cadence.NOW)

FUNDING = Dataset("funding", "funding", Funding, ("symbol",), Cadence.NOW)
FUNDING_HISTORY = Dataset("funding_history", "funding history", Settlement, ("symbol", "time"), Cadence.EVENT)
OI = Dataset("oi", "open interest", OpenInterest, ("symbol",), Cadence.NOW)
OI_HISTORY = Dataset(
    "oi_history", "open interest history", OpenInterestPoint, ("symbol", "interval", "time"), Cadence.GRID
)
PRICE = Dataset("price", "prices", Prices, ("symbol",), Cadence.NOW)

EVERY_DATASET = (
    OHLC,
    MARK_OHLC,
    INDEX_OHLC,
    PREMIUM_OHLC,
    OI,
    OI_HISTORY,
    FUNDING,
    FUNDING_HISTORY,
    PRICE,
    INSTRUMENTS,
)
DATASETS = {dataset.name: dataset for dataset in EVERY_DATASET}
CANDLES = {"trade": OHLC, "mark": MARK_OHLC, "index": INDEX_OHLC, "premium": PREMIUM_OHLC}


def dataset_named(name: str) -> Dataset:
    """The dataset a user names; raises `UsageError` that lists them."""
    try:
        return DATASETS[name.replace("-", "_").lower()]
    except KeyError:
        raise UsageError(f"There is no dataset {name!r}.", hint=f"Use one of {', '.join(DATASETS)}.") from None


@dataclass(frozen=True, slots=True)
class Column:
    """What `mkt schema` says of a column."""

    name: str
    type: str  # text, integer, number, boolean, time
    optional: bool
    unit: str
    meaning: str


@cache
def columns(dataset: Dataset) -> tuple[Column, ...]:
    """The columns of a dataset in order, with type, unit and meaning, read from its record."""
    from msgspec import inspect  # noqa: PLC0415 - only schemas need it

    info = inspect.type_info(dataset.record)
    if not isinstance(info, inspect.StructType):
        raise TypeError(dataset.record)
    return tuple(describe(field.name, field.type) for field in info.fields)


def kinds(dataset: Dataset) -> dict[str, str]:
    """The type of every column: text, integer, number, boolean or time."""
    return {column.name: column.type for column in columns(dataset)}


def describe(name: str, type_: Any) -> Column:
    """One column from msgspec's description of a field."""
    from msgspec import inspect  # noqa: PLC0415

    meaning, unit, optional = "", "", False
    while True:
        if isinstance(type_, inspect.Metadata):
            schema, extra = type_.extra_json_schema or {}, type_.extra or {}
            meaning, unit = meaning or str(schema.get("description", "")), unit or str(extra.get("unit", ""))
            type_ = type_.type
        elif isinstance(type_, inspect.UnionType):
            optional = type_.includes_none
            type_ = next(part for part in type_.types if not isinstance(part, inspect.NoneType))
        else:
            break
    kinds = {inspect.IntType: "integer", inspect.FloatType: "number", inspect.BoolType: "boolean"}
    kind = "time" if unit == "time" else kinds.get(type(type_), "text")
    return Column(name, kind, optional, "UTC" if unit == "time" else unit, meaning)
