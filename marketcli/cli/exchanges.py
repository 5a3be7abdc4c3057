"""`mkt exchanges`: who offers what, read from the tables themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from marketcli.cli.options import Everywhere, Output, options, settle

if TYPE_CHECKING:
    import polars as pl

    from marketcli.datasets import Dataset
    from marketcli.models import Market
    from marketcli.spec import Exchange

KINDS = {
    "exchange": "text",
    "market": "text",
    "dataset": "text",
    "offered": "boolean",
    "intervals": "text",
    "host": "text",
    "path": "text",
    "page_rows": "integer",
    "reason": "prose",
    "docs": "text",
}


@options(Everywhere, Output)
def exchanges(ctx: typer.Context, everywhere: Everywhere, output: Output) -> int:
    """Show who offers what, and why not where nobody does."""
    import polars as pl

    from marketcli import exchanges as known
    from marketcli.cli.show import Destination, check_fields, names
    from marketcli.output.view import View

    config, _, _ = settle(ctx.obj, everywhere)
    check_fields(names(output.fields), list(KINDS))
    destination = Destination.of(output, config)
    tables = [known.load(name) for name in known.names()]
    rows = [row for exchange in tables for row in cells(exchange)]
    types = {"text": pl.String(), "prose": pl.String(), "boolean": pl.Boolean(), "integer": pl.Int64()}
    frame = pl.DataFrame(rows, schema={name: types[kind] for name, kind in KINDS.items()}, orient="row")
    if not destination.drawn:
        destination.write(frame, KINDS, metadata={})
    elif output.fields or output.wide:
        destination.draw([View(frame=destination.selected(frame), kinds=KINDS)], candles=False)
    else:
        matrix, kinds = overview(frame)
        notes = [*reasons(frame), *(f"{each.title}: {sentence}" for each in tables for sentence in each.unknowns)]
        caption = ["intervals, hosts, paths and documentation: --wide, or -f csv"]
        destination.draw([View(frame=matrix, kinds=kinds, caption=caption, notes=notes)], candles=False)
    return 0


def overview(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """Datasets down, markets of each exchange across, and whether they have it."""
    import polars as pl

    named = frame.with_columns((pl.col("exchange") + " " + pl.col("market")).alias("where"))
    places = named["where"].unique(maintain_order=True).to_list()
    datasets = named["dataset"].unique(maintain_order=True).to_list()
    offered = {(row["dataset"], row["where"]): row["offered"] for row in named.iter_rows(named=True)}
    columns = {place: [offered[dataset, place] for dataset in datasets] for place in places}
    return pl.DataFrame({"dataset": datasets} | columns), {"dataset": "text"} | dict.fromkeys(places, "boolean")


def reasons(frame: pl.DataFrame) -> list[str]:
    """Why something is not offered, each reason once."""
    told: dict[str, list[str]] = {}
    for row in frame.iter_rows(named=True):
        if not row["offered"]:
            told.setdefault(f"{row['exchange']} {row['market']} has no {{}}: {row['reason']}.", []).append(
                row["dataset"]
            )
    return [sentence.format(", ".join(datasets)) for sentence, datasets in told.items()]


def cells(exchange: Exchange) -> list[tuple[object, ...]]:
    """A row for every dataset in every market of an exchange."""
    from marketcli.datasets import DATASETS

    markets = sorted({market for endpoint in exchange.instruments for market in endpoint.markets})
    return [cell(exchange, market, dataset) for market in markets for dataset in DATASETS.values()]


def cell(exchange: Exchange, market: Market, dataset: Dataset) -> tuple[object, ...]:
    """One row: where the data come from, or why there are none."""
    from marketcli.datasets import Cadence

    endpoint = exchange.endpoint(dataset, market)
    if endpoint is None:
        reason = exchange.absent.get((dataset, market), "not offered by the exchange")
        return (exchange.name, market.value, dataset.name, False, None, None, None, None, reason, None)
    spelled = " ".join(str(one) for one in exchange.spelled(endpoint)) if dataset.cadence is Cadence.GRID else None
    host = exchange.sites["live"].hosts[market][0].partition("://")[2]
    rows = endpoint.limit if dataset.cadence is Cadence.GRID else None
    return (exchange.name, market.value, dataset.name, True, spelled, host, endpoint.path, rows, None, endpoint.docs)
