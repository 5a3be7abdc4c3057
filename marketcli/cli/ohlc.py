"""`mkt ohlc`: candles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.notice import complain
from marketcli.cli.options import Common, Output, Span, options
from marketcli.errors import worst

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.api.answer import Answer
    from marketcli.api.candles import CandleQuestion
    from marketcli.cli.answers import Job
    from marketcli.cli.show import Destination

EXAMPLE = "mkt ohlc BTCUSDT ETHUSDT 1h"


@options(Common, Span, Output)
def ohlc(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="SYMBOL... INTERVAL",
            help="Symbols in any spelling (BTCUSDT, BTC-USDT-PERP, BTC/USDT:USDT, btc; - reads them from a pipe), "
            "then the length of a candle: 1m, 1h, 1d, 1w, 1M.",
            show_default=False,
            autocompletion=complete.words,
        ),
    ],
    *,
    common: Common,
    span: Span,
    output: Output,
    price: Annotated[
        str,
        typer.Option(
            "--price",
            metavar="PRICE",
            help="trade, mark, index or premium.",
            rich_help_panel="Window",
            autocompletion=complete.prices,
        ),
    ] = "trade",
    include_open: Annotated[
        bool, typer.Option("--include-open", metavar="", help="With the unfinished candle.", rich_help_panel="Window")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", metavar="", help="Show what would be asked and its weight.", rich_help_panel="Output"
        ),
    ] = False,
) -> int:
    """Candles: open, high, low, close and volume.

    The last 100 finished ones, or any window. Missing candles are asked for
    twice and then named (exit code 3); nothing is filled in. Times are UTC; a
    window holds the candles that open in it, --until not included.

    mkt ohlc BTCUSDT 1h
    mkt ohlc BTCUSDT ETHUSDT 1m --since 2024 -o minutes.parquet
    mkt ohlc BTCUSD_PERP 4h --price mark --for 30d -f csv
    """
    from marketcli.api.candles import CandleQuestion, candles
    from marketcli.cli.answers import Job
    from marketcli.cli.symbols import expand
    from marketcli.errors import UsageError
    from marketcli.models import Interval
    from marketcli.net.loop import run

    if len(words) < 2:  # noqa: PLR2004 - a symbol and an interval
        raise UsageError("mkt ohlc takes symbols and then an interval.", hint=f"For example: {EXAMPLE}")
    asked = CandleQuestion(interval=Interval.parse(words[-1]), range=span.range(), price=price)
    known = {"interval": str(asked.interval), "price": price}
    job = Job.of(ctx.obj, common, output, dataset=asked.dataset, draw=draw, known=known)
    # Only the candle table marks the unfinished one.
    marked = job.destination.drawn and not (output.where or output.fields or span.until or dry_run)
    question = replace(asked, include_open=include_open or marked, market=job.config.market)
    symbols = expand(words[:-1], example=EXAMPLE)
    if dry_run:
        return run(dry(job, symbols, question, refresh=common.refresh))
    return run(
        job.ask(
            symbols,
            lambda session, at, name, bar: candles(session, at, name, question=question, progress=bar),
            refresh=common.refresh,
            progress=True,
        )
    )


def draw(destination: Destination, answers: Sequence[Answer]) -> None:
    """Candles as people read them."""
    from marketcli.cli.candles import view

    destination.draw([view(answer) for answer in answers], candles=True)


async def dry(job: Job, symbols: Sequence[str], question: CandleQuestion, *, refresh: bool) -> int:
    """Show the requests an answer would take, and send none but for instrument lists."""
    from marketcli.api.candles import plan
    from marketcli.api.fallback import exchanges_of
    from marketcli.api.session import Session
    from marketcli.cli.answers import collected, sorted_out
    from marketcli.cli.candles import PLAN, plan_frame
    from marketcli.output.view import View

    destination, asked = job.destination.unfiltered(), exchanges_of(job.config)
    async with Session(job.config, refresh=refresh) as session:
        results = await collected(
            [plan(session, exchange, symbol, question=question) for symbol in symbols for exchange, *_ in asked],
            several=len(asked) > 1,
        )
        plans, refused = sorted_out(results)
        if not plans:
            raise refused[0]
        frame = plan_frame(plans, [session.site(made.exchange) for made in plans])
    if destination.drawn:
        title = ["dry run", f"{sum(frame['requests']):,} requests", f"weight {sum(frame['weight']):,}"]
        destination.draw([View(frame=frame, kinds=PLAN, title=title)], candles=False)
    else:
        destination.write(frame, PLAN, metadata={})
    for error in refused:
        complain(error, job.config)
    return worst([error.exit for error in refused])
