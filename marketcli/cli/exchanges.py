"""`mkt exchanges`: who offers what, read from the tables themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from marketcli.cli.options import Everywhere, Output, options, settle

if TYPE_CHECKING:
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
    """Show which exchange offers which data in which market, and why not where it does not."""
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
    if destination.drawn:
        notes = [f"{exchange.title}: {sentence}" for exchange in tables for sentence in exchange.unknowns]
        destination.draw([View(frame=destination.selected(frame), kinds=KINDS, notes=notes)], candles=False)
    else:
        destination.write(frame, KINDS, metadata={})
    return 0


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
