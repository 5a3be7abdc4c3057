"""The command tree; heavy imports stay inside the commands, so that help starts light."""

from __future__ import annotations

import os

import typer

from marketcli.cli import (
    book,
    completion,
    config,
    doctor,
    examples,
    exchanges,
    funding,
    instruments,
    limits,
    ohlc,
    oi,
    price,
    ratio,
    sandbox,
    schema,
    ticker,
    topics,
    trades,
)
from marketcli.cli.options import Everywhere, options
from marketcli.cli.watch import commands as watch

EPILOG = "Try it without a network: mkt --sandbox ohlc BTCUSDT 1h"

app = typer.Typer(
    name="mkt",
    help="Public crypto market data: complete, or it says what is missing. No keys, no trading.",
    epilog=EPILOG,
    no_args_is_help=True,
    # Typer adds its own options for completion; `mkt completion` prints the same scripts and edits nothing.
    add_completion="_MKT_COMPLETE" in os.environ,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.callback()
@options(Everywhere)
def root(
    ctx: typer.Context,
    everywhere: Everywhere,
    version: bool = typer.Option(False, "--version", "-V", metavar="", help="Show the version and exit."),
) -> None:
    """Keep what stood before the command."""
    if version:
        from marketcli import __version__

        typer.echo(f"mkt {__version__}")
        raise typer.Exit
    ctx.obj = everywhere


for name, command in (
    ("ohlc", ohlc.ohlc),
    ("oi", oi.oi),
    ("funding", funding.funding),
    ("price", price.price),
    ("ticker", ticker.ticker),
    ("book", book.book),
    ("trades", trades.trades),
    ("ratio", ratio.ratio),
    ("exchanges", exchanges.exchanges),
    ("examples", examples.examples),
    ("doctor", doctor.doctor),
    ("limits", limits.limits),
    ("schema", schema.schema),
    ("sandbox", sandbox.sandbox),
    ("completion", completion.completion),
    ("help", topics.topics),
):
    app.command(name)(command)
app.add_typer(instruments.app, name="instruments", short_help="List what trades where; what a name means.")
app.add_typer(watch.app, name="watch", short_help="Watch live data, and be told what was missed.")
app.add_typer(config.app, name="config", short_help="Show and change settings.")
