"""Rows of a stream as records, with what follows from their own numbers."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from marketcli.datasets import FUNDING, OI, TICKER
from marketcli.records import Candle, Liquidation, Trade
from marketcli.values import DOLLARS, decimal, with_change, with_funding, with_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketcli.datasets import Dataset
    from marketcli.models import Instrument, Interval
    from marketcli.records import Record

Row: TypeAlias = "tuple[Any, ...]"
Make: TypeAlias = "Callable[[Row], Record]"


def trades_of(instrument: Instrument, columns: tuple[str, ...], source: str) -> Callable[[Row], Trade]:
    """Trades of an instrument; this is the hot path, so everything that can be is settled before."""
    name = "size" if "size" in columns else "size_contracts"
    pick = itemgetter(*(columns.index(column) for column in ("time", "id", "price", "side", name)))
    exchange, market = instrument.exchange, instrument.market.value
    symbol, native = instrument.symbol, instrument.native
    values, dollar = valued(instrument, counted=name == "size_contracts"), instrument.quote in DOLLARS

    def counted(row: Row) -> Trade:
        time, number, price, side, amount = pick(row)
        return Trade(exchange, market, symbol, native, time, number, price, *values(amount, price), side, source)

    def plain(row: Row) -> Trade:  # the same spelled out, because calls cost more than what they do
        time, number, price, side, size = pick(row)
        notional = float(f"{size * price:.15g}")
        dollars = notional if dollar else None
        return Trade(exchange, market, symbol, native, time, number, price, size, None, notional, dollars, side, source)

    return plain if name == "size" else counted


def valued(
    instrument: Instrument, *, counted: bool
) -> Callable[[float, float], tuple[float, float | None, float, float | None]]:
    """From an amount (of contracts if `counted`) and a price: size, contracts, value, dollars."""
    face, inverse, dollar = instrument.contract_size, instrument.inverse, instrument.quote in DOLLARS

    def values(amount: float, price: float) -> tuple[float, float | None, float, float | None]:
        if not counted:
            notional = float(f"{amount * price:.15g}")
            return amount, None, notional, notional if dollar else None
        notional = amount * face
        size = decimal(notional / price if inverse else notional)
        notional = decimal(notional if inverse else size * price)
        return size, amount, notional, notional if dollar else None

    return values


def liquidations_of(
    instrument: Instrument, columns: tuple[str, ...], source: str, *, completeness: str
) -> Callable[[Row], Liquidation]:
    """Liquidations of an instrument; which of equal ones of a message each is, is the caller's to count (`nth` 0)."""
    name = "size" if "size" in columns else "size_contracts"
    pick = itemgetter(*(columns.index(column) for column in ("time", "liquidated", "price", name)))
    who = (instrument.exchange, instrument.market.value, instrument.symbol, instrument.native)
    values = valued(instrument, counted=name == "size_contracts")
    said: Any = completeness

    def make(row: Row) -> Liquidation:
        time, liquidated, price, amount = pick(row)
        size, contracts, notional, dollars = values(amount, price)
        return Liquidation(*who, time, liquidated, price, size, contracts, notional, dollars, said, 0, source)

    return make


def candles_of(
    instrument: Instrument, columns: tuple[str, ...], source: str, *, interval: Interval
) -> Callable[[Row], Candle]:
    """Candles of an instrument; one that says nothing about being closed is not."""
    who = (instrument.exchange, instrument.market.value, instrument.symbol, instrument.native, str(interval))
    optional = ("volume_base", "volume_quote", "trades", "taker_buy_base", "volume_contracts")
    places = [columns.index(name) if name in columns else None for name in optional]
    pick = itemgetter(*(columns.index(name) for name in ("time", "open", "high", "low", "close")))
    closed = columns.index("closed")

    def make(row: Row) -> Candle:
        rest = (None if place is None else row[place] for place in places)
        values: tuple[Any, ...] = (*who, *pick(row), *rest, bool(row[closed]), source)
        return Candle(*values)

    return make


FOLLOWING: Mapping[str, Callable[[dict[str, Any], Instrument], dict[str, Any]]] = {
    TICKER.name: with_change,
    FUNDING.name: lambda row, _: with_funding(row),
    OI.name: with_value,
}


def state_of(instrument: Instrument, dataset: Dataset) -> Callable[[Mapping[str, Any]], Record]:
    """The record of a state (ticker, funding, open interest) from its columns."""
    who = {
        "exchange": instrument.exchange,
        "market": instrument.market.value,
        "symbol": instrument.symbol,
        "native": instrument.native,
    }
    follow, fields = FOLLOWING[dataset.name], dataset.fields
    record: Callable[..., Record] = dataset.record

    def make(columns: Mapping[str, Any]) -> Record:
        row = follow(dict(columns), instrument) | who
        return record(*map(row.get, fields))

    return make
