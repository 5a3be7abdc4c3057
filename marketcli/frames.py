"""Rows to Polars frames and back, and building candles from finer ones.

Polars is imported inside functions: a command that shows help must not pay for it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from marketcli.datasets import Dataset, columns
from marketcli.errors import IntegrityError
from marketcli.models import iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from marketcli.models import Interval, Micros
    from marketcli.spec import Rows


@cache
def schema(dataset: Dataset) -> Mapping[str, pl.DataType]:
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


def sent(dataset: Dataset, names: Sequence[str], rows: Rows) -> pl.DataFrame:
    """Rows as decoders give them, in a frame of the columns they have and no others; times are still integers."""
    import polars as pl  # noqa: PLC0415

    types = {name: pl.Int64() if isinstance(kind := schema(dataset)[name], pl.Datetime) else kind for name in names}
    if not rows:
        return pl.DataFrame(schema=types)
    parts = zip(names, zip(*rows, strict=True), strict=True)
    return pl.DataFrame([pl.Series(name, values, dtype=types[name]) for name, values in parts])


def completed(dataset: Dataset, frame: pl.DataFrame, constants: Mapping[str, Any]) -> pl.DataFrame:
    """What was sent, with all columns of the dataset in order and times as times.

    `constants` fill whole columns; what neither the frame nor they give is null.
    """
    import polars as pl  # noqa: PLC0415

    return frame.select(
        pl.col(name).cast(kind) if name in frame.columns else pl.lit(constants.get(name), dtype=kind).alias(name)
        for name, kind in schema(dataset).items()
    )


def from_rows(dataset: Dataset, names: Sequence[str], rows: Rows, constants: Mapping[str, Any]) -> pl.DataFrame:
    """Rows as decoders give them, in a frame with all columns of the dataset; see `completed`."""
    return completed(dataset, sent(dataset, names, rows), constants)


def tidy(frame: pl.DataFrame, dataset: Dataset, *, who: str) -> pl.DataFrame:
    """Sorted and unique by what the frame has of the dataset's key, in one piece.

    Rows that are equal in every column are one row. Raises `IntegrityError`, naming `who`, if two rows share the key
    and differ.
    """
    key = [name for name in dataset.key if name in frame.columns]
    if key == ["time"] and (frame["time"].diff().drop_nulls() > 0).all():  # as most answers are
        return frame.rechunk()
    if not frame.select(key).is_duplicated().any():
        return ordered(frame, key).rechunk()
    unique = frame.unique(maintain_order=True)
    clash = unique.filter(unique.select(key).is_duplicated())
    if clash.height:
        row = clash.row(0, named=True)
        if isinstance(row.get("time"), int):
            row["time"] = iso(row["time"])
        raise IntegrityError(
            f"{who} gave two different rows for {', '.join(f'{name} {row[name]}' for name in key)}.",
            hint="Run again; if it stays, the exchange contradicts itself there.",
        )
    return ordered(unique, key).rechunk()


def ordered(frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The frame sorted by a key; ids are text, and those that are numbers are sorted as numbers."""
    import polars as pl  # noqa: PLC0415

    by = [part for name in key for part in ((pl.col(name).str.len_chars(), name) if name == "id" else (name,))]
    return frame.sort(by)


def concat(dataset: Dataset, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Several frames of one dataset and the same columns as one; none is an empty frame."""
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
