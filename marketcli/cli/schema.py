"""`mkt schema`: the columns of every dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.options import Everywhere, Output, options

if TYPE_CHECKING:
    import polars as pl

    from marketcli.datasets import Dataset
    from marketcli.output.view import View

DATASET_KINDS = {"dataset": "text", "title": "text", "columns": "integer", "key": "text", "meaning": "prose"}
COLUMN_KINDS = {"column": "text", "type": "text", "optional": "boolean", "unit": "text", "meaning": "prose"}


@options(Everywhere, Output)
def schema(
    ctx: typer.Context,
    everywhere: Everywhere,
    output: Output,
    *,
    dataset: Annotated[
        str | None,
        typer.Argument(
            metavar="DATASET", help="For example ohlc.", show_default=False, autocompletion=complete.datasets
        ),
    ] = None,
) -> int:
    """Show the datasets, or the columns of one: type, unit, meaning.

    mkt schema
    mkt schema ohlc
    mkt schema funding -f csv
    """
    from marketcli.cli.listing import Listing
    from marketcli.output.view import View

    if dataset is None:
        listing = Listing.of(ctx.obj, everywhere, output, kinds=DATASET_KINDS)
        return listing.finish("schema", datasets(), view=lambda kept: overview(kept, every=listing.chosen))
    one = found(dataset)
    listing = Listing.of(ctx.obj, everywhere, output, kinds=COLUMN_KINDS)
    title = list(dict.fromkeys((one.name, one.title)))
    caption = [one.cadence.value, f"unique by {', '.join(one.key)}"]

    def view(kept: pl.DataFrame) -> View:
        return View(frame=kept, kinds=COLUMN_KINDS, title=title, caption=caption, notes=[meaning(one)])

    return listing.finish("schema", columns(one), view=view)


def overview(frame: pl.DataFrame, *, every: bool) -> View:
    """The datasets on a line each; what a row of one means needs more room and is shown with `every` column only."""
    from marketcli.output.view import View

    shown, more = (frame, []) if every else (frame.drop("meaning"), ["what a row means: --wide"])
    return View(frame=shown, kinds=DATASET_KINDS, caption=["the columns of one: mkt schema ohlc", *more])


def found(name: str) -> Dataset:
    """The dataset a user names. Raises `UsageError` with the nearest."""
    from marketcli.config import nearest
    from marketcli.datasets import SCHEMAS, dataset_named
    from marketcli.errors import UsageError

    try:
        return dataset_named(name)
    except UsageError as error:
        raise UsageError(error.message, hint=nearest(name.replace("-", "_"), list(SCHEMAS))) from None


def datasets() -> pl.DataFrame:
    """The datasets as rows."""
    from marketcli.cli.listing import framed
    from marketcli.datasets import SCHEMAS

    rows = ((one.name, one.title, len(one.fields), " ".join(one.key), meaning(one)) for one in SCHEMAS.values())
    return framed(rows, DATASET_KINDS)


def meaning(dataset: Dataset) -> str:
    """What a row of a dataset is."""
    return (dataset.record.__doc__ or "").partition("\n")[0]


def columns(dataset: Dataset) -> pl.DataFrame:
    """The columns of a dataset as rows."""
    from marketcli.cli.listing import framed
    from marketcli.datasets import columns as columns_of

    rows = ((one.name, one.type, one.optional, one.unit or None, one.meaning) for one in columns_of(dataset))
    return framed(rows, COLUMN_KINDS)
