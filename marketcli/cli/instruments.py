"""`mkt instruments`: what trades where, and what a name means."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli.notice import tell
from marketcli.cli.options import Common, Everywhere, Output, options, settle

if TYPE_CHECKING:
    import polars as pl

    from marketcli.cli.options import Manner
    from marketcli.cli.show import Destination
    from marketcli.config import Config

FILTER = "Filter"
app = typer.Typer()


@app.callback(invoke_without_command=True)
@options(Common, Output)
def instruments(
    ctx: typer.Context,
    common: Common,
    output: Output,
    *,
    search: Annotated[
        str | None, typer.Option("--search", "-s", metavar="TEXT", help="Part of a name.", rich_help_panel=FILTER)
    ] = None,
    base: Annotated[
        str | None, typer.Option("--base", metavar="COIN", help="Only this base asset.", rich_help_panel=FILTER)
    ] = None,
    quote: Annotated[
        str | None, typer.Option("--quote", metavar="COIN", help="Only this quote asset.", rich_help_panel=FILTER)
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(
            "--status", metavar="WORD", help="trading, pending, halted, closing, closed.", rich_help_panel=FILTER
        ),
    ] = None,
) -> int:
    """List instruments, of all markets unless --market says which.

    mkt instruments -m inverse
    mkt instruments --search pepe
    mkt instruments resolve BTC
    """
    before = ctx.obj
    if ctx.invoked_subcommand is not None:  # what stands before `resolve` counts as what stands before `instruments`
        ctx.obj = dataclasses.replace(common, **(before.given() | common.given()))
        return 0
    from marketcli.api import list_instruments
    from marketcli.cli.show import check_fields, names
    from marketcli.datasets import INSTRUMENTS
    from marketcli.net.loop import run

    check_fields(names(output.fields), INSTRUMENTS.fields)
    config, manner, destination = begin(before, common, output)
    frame = run(list_instruments(config, config.market, refresh=common.refresh))
    found = filtered(frame, search=search, base=base, quote=quote, status=status)
    return finish(found, config, manner, destination=destination, title=["instruments"], total=frame.height)


@app.command("resolve")
@options(Common, Output)
def resolve(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A symbol in any spelling.", show_default=False)],
    common: Common,
    output: Output,
) -> int:
    """Show what a name means: the instrument chosen first, then everything else it could be."""
    from marketcli.api import instrument_frame, spellings
    from marketcli.net.loop import run

    config, manner, destination = begin(ctx.obj, common, output)
    found = run(spellings(config, name, refresh=common.refresh))
    title = [f"{name} means {found[0].symbol}"]
    return finish(instrument_frame(found), config, manner, destination=destination, title=title, total=len(found))


def begin(before: Everywhere | None, common: Common, output: Output) -> tuple[Config, Manner, Destination]:
    """Settings, logging and destination, settled before anything is asked."""
    from marketcli.cli import logs
    from marketcli.cli.show import Destination

    config, manner, warnings = settle(before, common, time=output.time)
    logs.start(manner.verbose, config.log_file)
    tell(config, warnings=warnings)
    return config, manner, Destination.of(output, config)


def filtered(
    frame: pl.DataFrame, *, search: str | None, base: str | None, quote: str | None, status: str | None
) -> pl.DataFrame:
    """The instruments that match all that was asked for."""
    import polars as pl

    for column, word in (("base", base), ("quote", quote), ("status", status)):
        if word is not None:
            frame = frame.filter(pl.col(column).str.to_lowercase() == word.lower())
    if search is not None:
        anywhere = pl.concat_str("native", "symbol", "unified", separator="\n").str.to_lowercase()
        frame = frame.filter(anywhere.str.contains(search.lower(), literal=True))
    return frame


def finish(
    frame: pl.DataFrame, config: Config, manner: Manner, *, destination: Destination, title: list[str], total: int
) -> int:
    """Write the rows; nothing found is not an empty success."""
    from marketcli.datasets import INSTRUMENTS, kinds
    from marketcli.errors import NotOffered
    from marketcli.output.view import View

    if not frame.height:
        raise NotOffered(
            f"None of the {total:,} instruments matches.", hint="Search for less: mkt instruments --search btc"
        )
    if destination.drawn:
        shown = destination.selected(frame)
        caption = [f"{frame.height:,} of {total:,}", config.exchange]
        view = View(frame=shown, kinds=kinds(INSTRUMENTS), title=title, caption=caption)
        destination.draw([view], candles=False)
        return 0
    notes = destination.write(frame, kinds(INSTRUMENTS), metadata={"marketcli.dataset": "instruments"})
    tell(config, notes=[] if manner.quiet else notes)
    return 0
