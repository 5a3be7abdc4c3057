"""What follows from the rows of a market: levels of books in order, trades with values, ratios with shares."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from marketcli.values import DIGITS, DOLLARS, sized, value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from marketcli.models import Instrument


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
