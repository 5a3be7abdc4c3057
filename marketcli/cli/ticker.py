"""`mkt ticker`: the last 24 hours, of some instruments or of all."""

from __future__ import annotations

from typing import Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.options import Common, Output, options

EXAMPLE = "mkt ticker BTCUSDT ETHUSDT"
CHOICE = "Choice"
USUAL = "volume_usd"


def columns(incomplete: str) -> list[str]:
    """The columns to sort by, for completion."""
    from marketcli.datasets import TICKER

    return [name for name in TICKER.fields if name.startswith(incomplete)]


@options(Common, Output)
def ticker(
    ctx: typer.Context,
    symbols: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SYMBOL...",
            help="Instruments; - reads them from a pipe.",
            show_default=False,
            autocompletion=complete.symbols,
        ),
    ] = None,
    *,
    common: Common,
    output: Output,
    every: Annotated[
        bool,
        typer.Option("--all", metavar="", help="All instruments, of all markets or --market.", rich_help_panel=CHOICE),
    ] = False,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort",
            metavar="COLUMN",
            help="Largest first, names from A; COLUMN:asc or :desc says it. With --all: volume_usd.",
            rich_help_panel=CHOICE,
            autocompletion=columns,
        ),
    ] = None,
    top: Annotated[
        int | None, typer.Option("--top", metavar="N", help="Only the first N.", rich_help_panel=CHOICE)
    ] = None,
    quote: Annotated[
        str | None,
        typer.Option("--quote", metavar="COIN,…", help="Only with these quote assets.", rich_help_panel=CHOICE),
    ] = None,
    min_volume: Annotated[
        str | None,
        typer.Option(
            "--min-volume", metavar="USD", help="Only with this volume_usd or more: 5m, 1b.", rich_help_panel=CHOICE
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude",
            metavar="PATTERN,…",
            help="Without symbols or base assets like this: 'USD*'.",
            rich_help_panel=CHOICE,
        ),
    ] = None,
) -> int:
    """The last 24 hours: price, change, range, volume; best bid and ask.

    Of some instruments, or with --all of everything an exchange lists. Choice
    and order count for pipes and files too; several exchanges make one list.

    mkt ticker BTCUSDT ETHUSDT
    mkt ticker --all --top 10 -e all
    mkt ticker --all -m spot --quote USDT --min-volume 5m --sort change
    """
    from marketcli.cli.answers import Job
    from marketcli.cli.board import Board, draw
    from marketcli.cli.choice import Choice, Order, upper
    from marketcli.cli.conditions import amount, narrowed
    from marketcli.cli.symbols import expand
    from marketcli.datasets import TICKER, kinds
    from marketcli.errors import UsageError
    from marketcli.net.loop import run
    from marketcli.text import number

    if bool(symbols) == every:
        raise UsageError("mkt ticker takes either symbols or --all.", hint=f"For example: {EXAMPLE}")
    by = sort or (USUAL if every else None)
    choice = Choice(
        quotes=upper([quote or ""]),
        left_out=upper(exclude or []),
        order=Order.parse(by, kinds(TICKER)) if by else None,
        top=top,
    )
    least = [] if min_volume is None else [f"volume_usd >= {number(amount(min_volume, option='--min-volume'))}"]
    chosen = narrowed(output, TICKER, *least)
    job = Job.of(ctx.obj, common, chosen, dataset=TICKER, draw=lambda to, answers: draw(to, answers, choice))
    board = Board.choosing(job, choice)
    if every:
        return run(board.ask_markets(refresh=common.refresh))
    return run(board.ask(expand(symbols or [], example=EXAMPLE), board.one, refresh=common.refresh))
