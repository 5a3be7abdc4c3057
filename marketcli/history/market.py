"""What follows from a market's own numbers: contracts as base, spreads, values in dollars. Plain arithmetic."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from marketcli.models import Instrument

DOLLARS = frozenset({"USD", "USDT", "USDC"})  # each counts as one; the schema says so
DIGITS = 15  # that a float keeps of any decimal; what binary arithmetic adds behind them is dust


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


def ladder(rows: list[dict[str, Any]], instrument: Instrument, *, depth: int) -> list[dict[str, Any]]:
    """The levels of a book: bids from the best down, then asks from the best up, with sums."""
    levels = []
    for side, best in (("bid", max), ("ask", min)):
        mine = sorted((row for row in rows if row["side"] == side), key=lambda row: row["price"], reverse=best is max)
        sizes = [sized(row, "size", "size_contracts", instrument, price=row["price"]) or 0.0 for row in mine[:depth]]
        for place, (row, size, total) in enumerate(zip(mine, sizes, totals(sizes), strict=False), 1):
            value = value_of(size, row.get("size_contracts"), instrument, row["price"])
            levels.append(row | {"level": place, "size": size, "total": total, "notional": value})
    return levels


def totals(sizes: Sequence[float]) -> list[float]:
    """What sizes come to one after another: sums of the decimals that were sent, without the dust of binary ones."""
    return [float(total) for total in accumulate(Decimal(repr(size)) for size in sizes)]


def with_values(frame: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """Trades with their size in base and their value, from contracts where the exchange counts those."""
    import polars as pl  # noqa: PLC0415

    face = pl.col("size_contracts") * instrument.contract_size
    size = pl.coalesce("size", face / pl.col("price") if instrument.inverse else face)
    value = pl.coalesce("notional", face if instrument.inverse else size * pl.col("price"))
    dollars = value if instrument.quote in DOLLARS else pl.lit(None, dtype=pl.Float64())
    named = {"size": size, "notional": value, "notional_usd": dollars}
    return frame.with_columns(column.round_sig_figs(DIGITS).alias(name) for name, column in named.items())


def with_shares(frame: pl.DataFrame) -> pl.DataFrame:
    """Ratios with shares, and shares with their ratio, whichever the exchange gives."""
    import polars as pl  # noqa: PLC0415

    total = pl.col("buy_base") + pl.col("sell_base")
    share = pl.coalesce("long", pl.when(total > 0).then(pl.col("buy_base") / total), ratio_share())
    short = pl.coalesce("short", 1 - share)
    ratio = pl.coalesce("ratio", pl.when(short > 0).then(share / short))
    return frame.with_columns(share.alias("long"), short.alias("short"), ratio.alias("ratio"))


def ratio_share() -> pl.Expr:
    """The long share that a ratio of long to short means."""
    import polars as pl  # noqa: PLC0415

    return pl.col("ratio") / (1 + pl.col("ratio"))
