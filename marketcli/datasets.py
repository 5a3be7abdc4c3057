"""The datasets: what a row of each is, what makes it unique, and how rows follow each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import Any

from marketcli.errors import UsageError
from marketcli.records import (
    BookLevel,
    BookSummary,
    Candle,
    Funding,
    InstrumentRow,
    LargeTrade,
    Liquidation,
    OpenInterest,
    OpenInterestPoint,
    PriceCandle,
    Prices,
    Ratio,
    Record,
    Settlement,
    Ticker,
    Trade,
)


class Cadence(Enum):
    """How rows follow each other: on a grid of intervals, as events, or as one answer for now."""

    GRID = "one row per interval"
    EVENT = "one row per event"
    NOW = "one row per instrument"


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

TICKER = Dataset("ticker", "24-hour tickers", Ticker, ("symbol",), Cadence.NOW)
BOOK = Dataset("book", "the order book", BookLevel, ("symbol", "side", "level"), Cadence.NOW)
BOOK_SUMMARY = Dataset("book_summary", "order books in a row each", BookSummary, ("symbol",), Cadence.NOW)
TRADES = Dataset("trades", "trades", Trade, ("symbol", "time", "id"), Cadence.EVENT)
TRADES_HISTORY = replace(TRADES, name="trades_history", title="past trades")

LARGE_TRADES = Dataset("large_trades", "large trades", LargeTrade, ("symbol", "time", "id"), Cadence.EVENT)
LIQUIDATIONS = Dataset(
    "liquidations",
    "liquidations",
    Liquidation,
    ("time", "symbol", "liquidated", "price", "size", "nth"),
    Cadence.EVENT,
)


def ratio(kind: str, title: str) -> Dataset:
    """One kind of ratio; all kinds have the same columns."""
    return Dataset(f"ratio_{kind}", title, Ratio, ("symbol", "interval", "time"), Cadence.GRID, (("kind", kind),))


RATIO = Dataset("ratio", "long/short and buy/sell ratios", Ratio, ("symbol", "kind", "interval", "time"), Cadence.GRID)
RATIO_ACCOUNTS = ratio("accounts", "long/short ratios of accounts")
RATIO_TOP_ACCOUNTS = ratio("top_accounts", "long/short ratios of top traders' accounts")
RATIO_TOP_POSITIONS = ratio("top_positions", "long/short ratios of top traders' positions")
RATIO_TAKER = ratio("taker", "buy/sell ratios of takers")
RATIOS = {
    "accounts": RATIO_ACCOUNTS,
    "top_accounts": RATIO_TOP_ACCOUNTS,
    "top_positions": RATIO_TOP_POSITIONS,
    "taker": RATIO_TAKER,
}

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
    TICKER,
    BOOK,
    TRADES,
    TRADES_HISTORY,
    *RATIOS.values(),
    INSTRUMENTS,
)
STREAMED = (TRADES, LIQUIDATIONS, OHLC, TICKER, FUNDING, OI)  # what channels carry
DATASETS = {dataset.name: dataset for dataset in EVERY_DATASET}
# What users can name: answers about ratios hold all kinds, and summaries of books are made of their levels.
# Liquidations are streamed only, and large trades are put together from trades.
SCHEMAS = DATASETS | {dataset.name: dataset for dataset in (RATIO, BOOK_SUMMARY, LIQUIDATIONS, LARGE_TRADES)}
CANDLES = {"trade": OHLC, "mark": MARK_OHLC, "index": INDEX_OHLC, "premium": PREMIUM_OHLC}


def dataset_named(name: str) -> Dataset:
    """The dataset a user names; raises `UsageError` that lists them."""
    try:
        return SCHEMAS[name.replace("-", "_").lower()]
    except KeyError:
        raise UsageError(f"There is no dataset {name!r}.", hint=f"Use one of {', '.join(SCHEMAS)}.") from None


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
