"""`mkt price`: last, mark, index and average price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.options import Common, Output, options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.api.answer import Answer
    from marketcli.cli.show import Destination

EXAMPLE = "mkt price BTCUSDT ETHUSDT"


@options(Common, Output)
def price(
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
) -> int:
    """Prices now: last, mark and index of derivatives, average of spot.

    mkt price BTCUSDT BTC-USDT BTCUSD_PERP
    """
    from marketcli.api import derivatives
    from marketcli.cli.answers import Job
    from marketcli.cli.symbols import expand
    from marketcli.datasets import PRICE
    from marketcli.net.loop import run

    job = Job.of(ctx.obj, common, output, dataset=PRICE, draw=draw_now)
    return run(
        job.ask(
            expand(symbols, example=EXAMPLE),
            lambda session, at, name, _: derivatives.price(session, at, name, market=job.config.market),
            refresh=common.refresh,
        )
    )


def draw_now(destination: Destination, answers: Sequence[Answer]) -> None:
    """Prices as people read them."""
    from marketcli.cli.overview import DASH, draw, exact

    draw(
        destination,
        answers,
        title="prices",
        columns={
            "last": lambda row, _: exact(row["last"]),
            "mark": lambda row, _: exact(row["mark"]),
            "index": lambda row, _: exact(row["index"]),
            "average": lambda row, _: exact(row["average"]),
            "over": lambda row, _: f"{row['average_minutes']} min" if row["average_minutes"] else DASH,
            "in": lambda _, answer: answer.one.quote,
        },
    )
