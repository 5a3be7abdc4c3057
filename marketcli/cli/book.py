"""`mkt book`: the order book, and what it is good for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.options import Common, Output, options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.api.answer import Answer
    from marketcli.api.session import Session
    from marketcli.cli.show import Destination
    from marketcli.output.progress import Progress
    from marketcli.spec import Exchange

EXAMPLE = "mkt book BTCUSDT"
BOOK_PANEL = "Book"


@options(Common, Output)
def book(
    ctx: typer.Context,
    symbols: Annotated[
        list[str],
        typer.Argument(
            metavar="SYMBOL...",
            help="Instruments; - reads them from a pipe.",
            show_default=False,
            autocompletion=complete.symbols,
        ),
    ],
    *,
    common: Common,
    output: Output,
    depth: Annotated[
        int | None,
        typer.Option(
            "--depth",
            metavar="N",
            help="Levels a side; 100, of which a terminal shows the best.",
            rich_help_panel=BOOK_PANEL,
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            "--size",
            metavar="QUOTE",
            help="What a market order of so many quote units would pay: 50000, 1m.",
            rich_help_panel=BOOK_PANEL,
        ),
    ] = None,
    summary: Annotated[
        bool,
        typer.Option("--summary", metavar="", help="One row for each book: its figures.", rich_help_panel=BOOK_PANEL),
    ] = False,
) -> int:
    """Order book: the levels of both sides, what rests near the middle.

    Depths are values in the quote asset. Where the levels that were asked for
    end too early they say "at least"; more come with --depth. An order's cost
    has no fees in it.

    mkt book BTCUSDT
    mkt book BTC ETH --depth 500 --size 1m
    mkt book BTC -e all --summary -f csv
    """
    from marketcli.api import market
    from marketcli.api.books import summarised
    from marketcli.api.newest import LEVELS, usual
    from marketcli.cli import depths, ladder
    from marketcli.cli.answers import Job
    from marketcli.cli.conditions import amount
    from marketcli.cli.notice import tell
    from marketcli.cli.symbols import expand
    from marketcli.datasets import BOOK, BOOK_SUMMARY
    from marketcli.errors import NotOffered, UsageError
    from marketcli.net.loop import run

    if depth is not None and depth < 1:
        raise UsageError(f"--depth {depth} asks for nothing.", hint="Ask for 1 level a side at least.")
    order = None if size is None else amount(size, option="--size")
    figures: dict[str, depths.Figures] = {}

    def draw(destination: Destination, answers: Sequence[Answer]) -> None:
        if summary:
            depths.draw_summaries(destination, answers)
        else:
            ladder.draw(destination, answers, figures, levels=depth)

    job = Job.of(ctx.obj, common, output, dataset=BOOK_SUMMARY if summary else BOOK, draw=draw)
    if order is not None and not (summary or job.destination.drawn or job.manner.quiet):
        tell(job.config, notes=["Levels do not say what --size would pay: --summary gives a row that does."])

    async def one(session: Session, at: Exchange, name: str, _: Progress) -> Answer:
        which = job.config.market
        count = depth or await usual(session, at, name, dataset=BOOK, market=which, count=LEVELS)
        answer = await market.book(session, at, name, market=which, depth=count)
        if not answer.frame.height:
            raise NotOffered(
                f"The book of {answer.name} at {at.title} is empty.", hint="Is it trading? See mkt instruments."
            )
        row = summarised(answer, asked=count, order=order)
        figures[ladder.name(answer)] = row.frame.row(0, named=True)
        return row if summary else answer

    return run(job.ask(expand(symbols, example=EXAMPLE), one, refresh=common.refresh))
