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
    "streamed": "boolean",
    "stream_reason": "prose",
    "stream_docs": "prose",
}
FOUND = ("dataset", "exchange", "market", "offered", "reason")
WATCHED_ONLY = ("liquidations",)  # no exchange has a history of them
LETTERS = {"spot": "S", "linear": "L", "inverse": "I"}
LEGEND = "S spot, L linear, I inverse; * live too (mkt watch), + live only"
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
    there, live = (
        set(frame.filter(column).select("exchange", "dataset", "market").iter_rows())
        for column in ("offered", "streamed")
    )

    def shown_as(name: str, dataset: str, market: str) -> str:
        place, letter = (name, dataset, market), LETTERS[market]
        if place in there:
            return f"{letter}*" if place in live else letter
        return f"{letter}+" if place in live else "-"

    columns = {
        name: [" ".join(shown_as(name, dataset, market) for market in LETTERS) for dataset in datasets]
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
    live = {
        (market, dataset): there
        for market, dataset, there in frame.select("market", "dataset", "streamed").rows()
        if there is not None
    }
    watched = list(dict.fromkeys(dataset for _, dataset in live))
    columns = {
        market: [offered[market, dataset] for dataset in datasets if dataset not in WATCHED_ONLY]
        + [live[market, dataset] for dataset in watched]
        for market in exchange.markets
    }
    rows = [name for name in datasets if name not in WATCHED_ONLY] + [f"watch {name}" for name in watched]
    return View(
        frame=pl.DataFrame({"dataset": rows} | columns),
        kinds={"dataset": "text"} | dict.fromkeys(columns, "boolean"),
        title=[exchange.title],
        caption=[MORE],
        notes=[
            *reasons(frame, "offered", "reason", word=""),
            *reasons(frame, "streamed", "stream_reason", word="watch "),
            *exchange.unknowns,
        ],
    )


def reasons(frame: pl.DataFrame, column: str, why: str, *, word: str) -> list[str]:
    """Why something is not there: a sentence for each reason, markets that share it together."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for row in frame.filter(~frame[column]).iter_rows(named=True):
        if row["dataset"] not in WATCHED_ONLY or word:
            lacking.setdefault((row[why], row["market"]), []).append(word + row["dataset"])
    shared: dict[tuple[str, str], list[str]] = {}
    for (reason, market), datasets in lacking.items():
        shared.setdefault((reason, ", ".join(datasets)), []).append(market)
    return [f"No {datasets} ({', '.join(places)}): {reason}." for (reason, datasets), places in shared.items()]


def cells(exchange: Exchange) -> list[tuple[object, ...]]:
    """A row for every dataset in every market of an exchange."""
    from marketcli.datasets import DATASETS, LIQUIDATIONS

    every = (*DATASETS.values(), LIQUIDATIONS)
    return [
        (*cell(exchange, market, dataset), *stream(exchange, market, dataset))
        for market in exchange.markets
        for dataset in every
    ]


def stream(exchange: Exchange, market: Market, dataset: Dataset) -> tuple[object, ...]:
    """Whether a dataset of a market is streamed, else why not; nothing of what nobody streams."""
    from marketcli.datasets import STREAMED

    if dataset not in STREAMED:
        return None, None, None
    found = [one for one in exchange.channels if one.dataset is dataset and market in one.markets]
    if found:
        return True, None, found[0].docs
    return False, exchange.unstreamed.get((dataset, market), "not offered by the exchange"), None


def cell(exchange: Exchange, market: Market, dataset: Dataset) -> tuple[object, ...]:
    """One row: where the data come from, or why there are none."""
    from marketcli.datasets import Cadence

    endpoint = exchange.endpoint(dataset, market)
    if endpoint is None:
        live = "it is streamed only, see `mkt watch`" if dataset.name in WATCHED_ONLY else "not offered by the exchange"
        reason = exchange.absent.get((dataset, market), live)
        return (exchange.name, market.value, dataset.name, False, None, None, None, None, reason, None)
    spelled = " ".join(str(one) for one in exchange.spelled(endpoint)) if dataset.cadence is Cadence.GRID else None
    host = exchange.sites["live"].hosts[market][0].partition("://")[2]
    rows = endpoint.limit if dataset.cadence is Cadence.GRID else None
    return (exchange.name, market.value, dataset.name, True, spelled, host, endpoint.path, rows, None, endpoint.docs)
