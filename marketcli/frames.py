"""Rows to Polars frames and back, and building candles from finer ones.

Polars is imported inside functions: a command that shows help must not pay for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.datasets import Dataset, columns
from marketcli.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from marketcli.models import Interval, Micros
    from marketcli.spec import Rows


def schema(dataset: Dataset) -> dict[str, pl.DataType]:
    """The Polars type of every column of a dataset, in order; times are `Datetime("us", "UTC")`."""
    import polars as pl  # noqa: PLC0415

    types: dict[str, pl.DataType] = {
        "text": pl.String(),
        "integer": pl.Int64(),
        "number": pl.Float64(),
        "boolean": pl.Boolean(),
        "time": pl.Datetime("us", "UTC"),
    }
    return {column.name: types[column.type] for column in columns(dataset)}


def empty(dataset: Dataset) -> pl.DataFrame:
    """A frame of the dataset without rows."""
    import polars as pl  # noqa: PLC0415

    return pl.DataFrame(schema=schema(dataset))


def from_rows(dataset: Dataset, names: Sequence[str], rows: Rows, constants: Mapping[str, Any]) -> pl.DataFrame:
    """Rows as decoders give them, in a frame with all columns of the dataset.

    `constants` fill whole columns; what neither rows nor constants give is null.
    """
    import polars as pl  # noqa: PLC0415

    if not rows:
        return empty(dataset)
    types = schema(dataset)
    series: dict[str, pl.Series] = {}
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        wire: Any = pl.Int64() if types[name] == pl.Datetime("us", "UTC") else types[name]
        series[name] = pl.Series(name, values, dtype=wire).cast(types[name])
    given = pl.DataFrame(series)
    return given.select(
        pl.col(name) if name in series else pl.lit(constants.get(name), dtype=kind).alias(name)
        for name, kind in types.items()
    )


def tidy(frame: pl.DataFrame, dataset: Dataset) -> pl.DataFrame:
    """Sorted and unique by the dataset's key, in one piece.

    Rows that are equal in every column are one row. Raises `IntegrityError` if two rows share the key and differ.
    """
    key = list(dataset.key)
    unique = frame.unique(maintain_order=True) if frame.select(key).is_duplicated().any() else frame
    clash = unique.select(key).is_duplicated()
    if clash.any():
        row = unique.filter(clash).row(0, named=True)
        raise IntegrityError(
            f"{row['exchange']} gave two different rows for {', '.join(f'{name} {row[name]}' for name in key)}.",
            hint="Run again; if it stays, the exchange contradicts itself there.",
        )
    return unique.sort(key).rechunk()


def concat(dataset: Dataset, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Several frames of one dataset as one; none is an empty frame."""
    import polars as pl  # noqa: PLC0415

    return pl.concat(parts) if parts else empty(dataset)


def opens(frame: pl.DataFrame) -> list[Micros]:
    """The times of a frame in microseconds."""
    return list(frame["time"].to_physical().to_list())


def resample(frame: pl.DataFrame, interval: Interval) -> pl.DataFrame:
    """Candles of a longer interval from whole shorter ones of one instrument, in time order; UTC days, ISO weeks.

    A bucket without candles gives no candle: nothing is filled. A candle is closed if all its parts are.
    """
    import polars as pl  # noqa: PLC0415

    finer = frame["interval"][0] if frame.height else str(interval)
    every = str(interval).replace("M", "mo")
    sums = [
        name for name in ("volume_base", "volume_quote", "taker_buy_base", "volume_contracts") if name in frame.columns
    ]
    counts = ["trades"] if "trades" in frame.columns else []
    built = (
        frame.sort("time")
        .group_by_dynamic("time", every=every)
        .agg(
            *(pl.col(name).first() for name in ("exchange", "market", "symbol", "native")),
            *([pl.col("price").first()] if "price" in frame.columns else []),
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            *(pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name) for name in sums + counts),
            pl.col("closed").all(),
        )
    )
    return built.with_columns(
        pl.lit(str(interval)).alias("interval"), pl.lit(f"resampled:{finer}").alias("source")
    ).select(frame.columns)
