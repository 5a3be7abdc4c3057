"""`mkt schema`: the columns of every dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli.options import Everywhere, Output, options, settle

if TYPE_CHECKING:
    import polars as pl

DATASET_KINDS = {"dataset": "text", "title": "text", "columns": "integer", "key": "text", "meaning": "prose"}
COLUMN_KINDS = {"column": "text", "type": "text", "optional": "boolean", "unit": "text", "meaning": "prose"}


@options(Everywhere, Output)
def schema(
    ctx: typer.Context,
    everywhere: Everywhere,
    output: Output,
    *,
    dataset: Annotated[
        str | None, typer.Argument(metavar="DATASET", help="For example ohlc.", show_default=False)
    ] = None,
) -> int:
    """Show the datasets, or the columns of one: type, unit, meaning."""
    from marketcli.cli.show import Destination, check_fields, names
    from marketcli.output.view import View

    config, _, _ = settle(ctx.obj, everywhere)
    frame, kinds = (datasets(), DATASET_KINDS) if dataset is None else (columns(dataset), COLUMN_KINDS)
    check_fields(names(output.fields), list(kinds))
    destination = Destination.of(output, config)
    if destination.drawn:
        title = [dataset] if dataset else []
        destination.draw([View(frame=destination.selected(frame), kinds=kinds, title=title)], candles=False)
    else:
        destination.write(frame, kinds, metadata={})
    return 0


def datasets() -> pl.DataFrame:
    """The datasets as rows."""
    import polars as pl

    from marketcli.datasets import DATASETS

    return pl.DataFrame(
        [
            (one.name, one.title, len(one.fields), " ".join(one.key), (one.record.__doc__ or "").split("\n")[0])
            for one in DATASETS.values()
        ],
        schema=list(DATASET_KINDS),
        orient="row",
    )


def columns(name: str) -> pl.DataFrame:
    """The columns of a dataset as rows."""
    import polars as pl

    from marketcli.datasets import columns as columns_of
    from marketcli.datasets import dataset_named

    return pl.DataFrame(
        [(one.name, one.type, one.optional, one.unit or None, one.meaning) for one in columns_of(dataset_named(name))],
        schema=list(COLUMN_KINDS),
        orient="row",
    )
