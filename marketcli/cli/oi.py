"""`mkt oi`: open interest, now and before."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli.options import Common, Output, Span, options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.api.answer import Answer
    from marketcli.cli.answers import Job
    from marketcli.cli.show import Destination
    from marketcli.models import Interval

EXAMPLE = "mkt oi BTCUSDT ETHUSDT"


@options(Common, Span, Output)
def oi(
    ctx: typer.Context,
    symbols: Annotated[
        list[str],
        typer.Argument(metavar="SYMBOL...", help="Derivatives; - reads them from a pipe.", show_default=False),
    ],
    *,
    common: Common,
    span: Span,
    output: Output,
    interval: Annotated[
        str | None,
        typer.Option(
            "--interval", "-i", metavar="LENGTH", help="History: a point every 5m, 1h, 1d …", rich_help_panel="Window"
        ),
    ] = None,
) -> int:
    """Open interest: how much is open now and how that changed, or its history.

    One side is counted, in base and in quote; contracts stand beside where the
    exchange counts them.

    mkt oi BTCUSDT BTCUSD_PERP
    mkt oi BTCUSDT --interval 5m --since 7d -f csv
    """
    from marketcli.cli.answers import Job
    from marketcli.cli.symbols import expand
    from marketcli.datasets import OI, OI_HISTORY
    from marketcli.models import Interval
    from marketcli.net.loop import run

    wanted = expand(symbols, example=EXAMPLE)
    if interval is None and not span.asked:
        job = Job.of(ctx.obj, common, output, dataset=OI, draw=draw_now)
        return run(now(job, wanted, refresh=common.refresh))
    job = Job.of(ctx.obj, common, output, dataset=OI_HISTORY, draw=draw_points)
    return run(history(job, wanted, span, interval=Interval.parse(interval or "1h"), refresh=common.refresh))


async def now(job: Job, symbols: Sequence[str], *, refresh: bool) -> int:
    """Open interest of every symbol."""
    from marketcli import exchanges
    from marketcli.api import derivatives
    from marketcli.api.session import Session

    exchange = exchanges.load(job.config.exchange)
    async with Session(job.config, refresh=refresh) as session:
        ask = partial(derivatives.open_interest, session, exchange, market=job.config.market)
        return await job.answer([ask(symbol) for symbol in symbols])


async def history(job: Job, symbols: Sequence[str], span: Span, *, interval: Interval, refresh: bool) -> int:
    """The history of every symbol."""
    from marketcli import exchanges
    from marketcli.api import derivatives
    from marketcli.api.session import Session
    from marketcli.output.progress import Progress

    exchange = exchanges.load(job.config.exchange)
    async with Session(job.config, refresh=refresh) as session:
        with Progress(sys.stderr, 0, quiet=job.manner.quiet) as progress:
            ask = partial(
                derivatives.open_interest_history,
                session,
                exchange,
                market=job.config.market,
                interval=interval,
                span=span.range(),
                progress=progress.advance,
            )
            return await job.answer([ask(symbol) for symbol in symbols])


def draw_now(destination: Destination, answers: Sequence[Answer]) -> None:
    """Open interest as people read it."""
    from marketcli.cli.overview import amount, draw, percent

    draw(
        destination,
        answers,
        title="open interest",
        columns={
            "base": lambda row, answer: f"{amount(row['oi_base'])} {answer.instrument.base}",
            "value": lambda row, answer: f"{amount(row['oi_quote'])} {answer.instrument.quote}",
            "contracts": lambda row, _: amount(row["oi_contracts"]),
            "1 h": lambda row, _: percent(row["change_1h"]),
            "24 h": lambda row, _: percent(row["change_24h"]),
        },
    )


def draw_points(destination: Destination, answers: Sequence[Answer]) -> None:
    """History, a table per symbol."""
    from marketcli.cli.overview import draw_history

    draw_history(destination, answers, title="open interest")
