"""`mkt oi`: open interest, now and before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.options import Common, Output, Span, options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.api.answer import Answer
    from marketcli.cli.show import Destination

EXAMPLE = "mkt oi BTCUSDT ETHUSDT"


@options(Common, Span, Output)
def oi(
    ctx: typer.Context,
    symbols: Annotated[
        list[str],
        typer.Argument(
            metavar="SYMBOL...",
            help="Derivatives; - reads them from a pipe.",
            show_default=False,
            autocompletion=complete.symbols,
        ),
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
    from marketcli.api import derivatives
    from marketcli.cli.answers import Job
    from marketcli.cli.symbols import expand
    from marketcli.datasets import OI, OI_HISTORY
    from marketcli.models import Interval
    from marketcli.net.loop import run

    wanted, window = expand(symbols, example=EXAMPLE), span.range()
    if interval is None and not span.asked:
        job = Job.of(ctx.obj, common, output, dataset=OI, draw=draw_now)
        return run(
            job.ask(
                wanted,
                lambda session, at, name, _: derivatives.open_interest(session, at, name, market=job.config.market),
                refresh=common.refresh,
            )
        )
    every = Interval.parse(interval or "1h")
    job = Job.of(ctx.obj, common, output, dataset=OI_HISTORY, draw=draw_points, known={"interval": str(every)})
    return run(
        job.ask(
            wanted,
            lambda session, at, name, bar: derivatives.open_interest_history(
                session, at, name, market=job.config.market, interval=every, span=window, progress=bar.advance
            ),
            refresh=common.refresh,
            progress=True,
        )
    )


def draw_now(destination: Destination, answers: Sequence[Answer]) -> None:
    """Open interest as people read it."""
    from marketcli.cli.overview import amount, draw, percent

    draw(
        destination,
        answers,
        title="open interest",
        columns={
            "base": lambda row, answer: f"{amount(row['oi_base'])} {answer.one.base}",
            "value": lambda row, answer: f"{amount(row['oi_quote'])} {answer.one.quote}",
            "contracts": lambda row, _: amount(row["oi_contracts"]),
            "1 h": lambda row, _: percent(row["change_1h"]),
            "24 h": lambda row, _: percent(row["change_24h"]),
        },
    )


def draw_points(destination: Destination, answers: Sequence[Answer]) -> None:
    """History, a table per symbol."""
    from marketcli.cli.overview import draw_history

    draw_history(destination, answers, title="open interest")
