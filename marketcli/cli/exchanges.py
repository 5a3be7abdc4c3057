"""`mkt exchanges`: who offers what, read from the tables themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.options import Everywhere, Output, options

if TYPE_CHECKING:
    import polars as pl

    from marketcli.datasets import Dataset
    from marketcli.models import Market
    from marketcli.output.view import View
    from marketcli.spec import Exchange

KINDS = {
    "exchange": "text",
    "market": "text",
    "dataset": "text",
    "offered": "boolean",
    "intervals": "prose",
    "host": "text",
    "path": "prose",
    "page_rows": "integer",
    "reason": "prose",
    "docs": "prose",
}
FOUND = ("dataset", "exchange", "market", "offered", "reason")
LETTERS = {"spot": "S", "linear": "L", "inverse": "I"}
LEGEND = "S spot, L linear, I inverse"
MORE = "intervals, hosts, paths and documentation: --wide, or -f csv"
WHY = "why not, and what else there is to know: mkt exchanges -e NAME"


@options(Everywhere, Output)
def exchanges(
    ctx: typer.Context,
    everywhere: Everywhere,
    output: Output,
    *,
    exchange: Annotated[
        str,
        typer.Option(
            "--exchange",
            "-e",
            help="Only this exchange, or several with commas.",
            rich_help_panel="Reach",
            autocompletion=complete.exchange_names,
        ),
    ] = "all",
) -> int:
    """Show who offers what, and why not where nobody does.

    mkt exchanges
    mkt exchanges -e binance
    mkt exchanges --where "dataset = 'funding' and offered" -f csv
    """
    from marketcli import exchanges as known
    from marketcli.cli.listing import Listing, framed
    from marketcli.output.view import View

    listing = Listing.of(ctx.obj, everywhere, output, kinds=KINDS)
    tables = known.chosen(exchange)
    frame = framed((row for table in tables for row in cells(table)), KINDS)

    def view(kept: pl.DataFrame) -> View:
        if listing.chosen:
            return View(frame=kept, kinds=KINDS)
        if listing.destination.where:
            return View(frame=kept.select(FOUND), kinds=KINDS, caption=[MORE])
        return markets(kept, tables[0]) if len(tables) == 1 else overview(kept)

    return listing.finish("exchanges", frame, view=view)


def overview(frame: pl.DataFrame) -> View:
    """Datasets down, exchanges across, and the markets they have it for."""
    import polars as pl

    from marketcli.output.view import View

    names, datasets = (frame[column].unique(maintain_order=True).to_list() for column in ("exchange", "dataset"))
    there = set(frame.filter("offered").select("exchange", "dataset", "market").iter_rows())
    columns = {
        name: [
            " ".join(letter if (name, dataset, market) in there else "-" for market, letter in LETTERS.items())
            for dataset in datasets
        ]
        for name in names
    }
    shown = pl.DataFrame({"dataset": datasets} | columns)
    return View(frame=shown, kinds=dict.fromkeys(shown.columns, "text"), caption=[LEGEND, MORE, WHY])


def markets(frame: pl.DataFrame, exchange: Exchange) -> View:
    """Datasets down, the markets of one exchange across, and whether they have it; then why not."""
    import polars as pl

    from marketcli.output.view import View

    datasets = frame["dataset"].unique(maintain_order=True).to_list()
    offered = {
        (market, dataset): there for market, dataset, there in frame.select("market", "dataset", "offered").rows()
    }
    columns = {market: [offered[market, dataset] for dataset in datasets] for market in exchange.markets}
    return View(
        frame=pl.DataFrame({"dataset": datasets} | columns),
        kinds={"dataset": "text"} | dict.fromkeys(columns, "boolean"),
        title=[exchange.title],
        caption=[MORE],
        notes=[*reasons(frame), *exchange.unknowns],
    )


def reasons(frame: pl.DataFrame) -> list[str]:
    """Why something is not offered: a sentence for each reason, markets that share it together."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for row in frame.filter(~frame["offered"]).iter_rows(named=True):
        lacking.setdefault((row["reason"], row["market"]), []).append(row["dataset"])
    shared: dict[tuple[str, str], list[str]] = {}
    for (reason, market), datasets in lacking.items():
        shared.setdefault((reason, ", ".join(datasets)), []).append(market)
    return [f"No {datasets} ({', '.join(places)}): {reason}." for (reason, datasets), places in shared.items()]


def cells(exchange: Exchange) -> list[tuple[object, ...]]:
    """A row for every dataset in every market of an exchange."""
    from marketcli.datasets import DATASETS

    return [cell(exchange, market, dataset) for market in exchange.markets for dataset in DATASETS.values()]


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
