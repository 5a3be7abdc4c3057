"""What follows from a row's own numbers: contracts as base, values in quote and dollars, yearly rates. Arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from marketcli.models import Instrument

DOLLARS = frozenset({"USD", "USDT", "USDC"})  # each counts as one; the schema says so
DIGITS = 15  # that a float keeps of any decimal; what binary arithmetic adds behind them is dust
YEAR_HOURS = 365 * 24


def base_of(contracts: float | None, instrument: Instrument, price: float | None) -> float | None:
    """Contracts as base units, at a price where they are inverse."""
    if contracts is None:
        return None
    face = contracts * instrument.contract_size
    if not instrument.inverse:
        return decimal(face)
    return decimal(face / price) if price else None


def decimal(value: float) -> float:
    """A product or sum of decimals without the dust of binary arithmetic: 19.9 x 0.01 is 0.199."""
    return float(f"{value:.{DIGITS}g}")


def value_of(size: float | None, contracts: float | None, instrument: Instrument, price: float) -> float | None:
    """The value of a size in quote units; of inverse contracts their face value."""
    if instrument.inverse and contracts is not None:
        return contracts * instrument.contract_size
    return None if size is None else decimal(size * price)


def in_dollars(value: float | None, instrument: Instrument) -> float | None:
    """A value in quote units as dollars, where the quote is one."""
    return value if instrument.quote in DOLLARS else None


def with_change(row: dict[str, Any], instrument: Instrument) -> dict[str, Any]:
    """A ticker with what follows from it: sizes in base, spread, change, value in dollars."""
    price = row.get("last") if row.get("last") is not None else row.get("mark")
    bid, ask, opened = row.get("bid"), row.get("ask"), row.get("open")
    found = {
        "bid_size": sized(row, "bid_size", "bid_contracts", instrument, price=bid),
        "ask_size": sized(row, "ask_size", "ask_contracts", instrument, price=ask),
        "volume_base": sized(row, "volume_base", "volume_contracts", instrument, price=price),
        "volume_quote": row.get("volume_quote"),
        "spread": 2 * (ask - bid) / (ask + bid) if bid and ask else None,
        "change": price / opened - 1 if price is not None and opened else None,
    }
    if found["volume_quote"] is None and instrument.inverse and row.get("volume_contracts") is not None:
        found["volume_quote"] = row["volume_contracts"] * instrument.contract_size
    base, value = found["volume_base"], found["volume_quote"]
    if value is None and base is not None and price is not None:
        value = base * price
    return row | found | {"volume_usd": in_dollars(value, instrument)}


def sized(
    row: dict[str, Any], name: str, contracts: str, instrument: Instrument, *, price: float | None
) -> float | None:
    """A size in base units, from contracts where the exchange counts those."""
    size: float | None = row.get(name)
    return base_of(row.get(contracts), instrument, price) if size is None else size


def with_funding(row: dict[str, Any]) -> dict[str, Any]:
    """Funding with what follows from it: the yearly rate and the basis."""
    rate, hours, mark, index = (row.get(name) for name in ("rate", "interval_h", "mark", "index"))
    return row | {"apr": yearly(rate, hours), "basis": mark / index - 1 if mark and index else None}


def yearly(rate: float | None, interval_h: float | None) -> float | None:
    """A rate per interval as a rate per 365 days, not compounded."""
    return rate * YEAR_HOURS / interval_h if rate is not None and interval_h else None


def with_value(row: dict[str, Any], instrument: Instrument) -> dict[str, Any]:
    """Open interest in all three units: contracts through the contract size, the rest through the mark price."""
    contracts, base, mark = row.get("oi_contracts"), row.get("oi_base"), row.get("mark")
    if contracts is not None and instrument.inverse:
        value = contracts * instrument.contract_size
        return row | {"oi_quote": value, "oi_base": value / mark if mark else None}
    return row | {"oi_quote": base * mark if base is not None and mark else None}
