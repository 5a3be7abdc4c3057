"""`mkt funding`: what longs pay shorts, now and before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.options import Common, Output, Span, options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.api.answer import Answer
    from marketcli.cli.show import Destination

EXAMPLE = "mkt funding BTCUSDT ETHUSDT"


@options(Common, Span, Output)
def funding(
    ctx: typer.Context,
    symbols: Annotated[
        list[str],
        typer.Argument(
            metavar="SYMBOL...",
            help="Perpetuals; - reads them from a pipe.",
            show_default=False,
            autocompletion=complete.symbols,
        ),
    ],
    *,
    common: Common,
    span: Span,
    output: Output,
) -> int:
    """Funding: the coming rate, or every settlement of a window.

    Rates are fractions of the position's value, paid by longs when positive;
    apr counts the instrument's own interval, which may be 8, 4, 2 or 1 hours.

    mkt funding BTCUSDT ETHUSDT
    mkt funding BTCUSDT --since 2024 -o funding.parquet
    """
    from marketcli.api import derivatives
    from marketcli.cli.answers import Job
    from marketcli.cli.symbols import expand
    from marketcli.datasets import FUNDING, FUNDING_HISTORY
    from marketcli.net.loop import run

    wanted, window = expand(symbols, example=EXAMPLE), span.range()
    if not span.asked:
        job = Job.of(ctx.obj, common, output, dataset=FUNDING, draw=draw_now)
        return run(
            job.ask(
                wanted,
                lambda session, at, name, _: derivatives.funding(session, at, name, market=job.config.market),
                refresh=common.refresh,
            )
        )
    job = Job.of(ctx.obj, common, output, dataset=FUNDING_HISTORY, draw=draw_settlements)
    return run(
        job.ask(
            wanted,
            lambda session, at, name, bar: derivatives.funding_history(
                session, at, name, market=job.config.market, span=window, progress=bar.advance
            ),
            refresh=common.refresh,
            progress=True,
        )
    )


def draw_now(destination: Destination, answers: Sequence[Answer]) -> None:
    """The coming funding as people read it."""
    from marketcli.cli.overview import draw, exact, moment, percent

    draw(
        destination,
        answers,
        title="funding",
        columns={
            "rate": lambda row, _: percent(row["rate"], 4),
            "every": lambda row, _: f"{row['interval_h']:g} h",
            "apr": lambda row, _: percent(row["apr"]),
            "next UTC": lambda row, answer: moment(row["next_time"], now=answer.now),
            "mark": lambda row, _: exact(row["mark"]),
            "index": lambda row, _: exact(row["index"]),
            "basis": lambda row, _: percent(row["basis"], 3),
        },
    )


def draw_settlements(destination: Destination, answers: Sequence[Answer]) -> None:
    """Settlements, a table per symbol."""
    from marketcli.cli.overview import draw_history

    draw_history(destination, answers, title="funding")
