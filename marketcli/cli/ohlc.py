"""`mkt ohlc`: candles."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.answers import Job, sorted_out
from marketcli.cli.candles import PLAN, plan_frame, view
from marketcli.cli.notice import complain, tell
from marketcli.cli.options import Common, Output, Span, options, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.api.answer import Answer
    from marketcli.api.candles import CandleQuestion, Plan
    from marketcli.api.session import Session
    from marketcli.cli.options import Manner
    from marketcli.cli.show import Destination
    from marketcli.config import Config
    from marketcli.errors import MarketError
    from marketcli.spec import Exchange

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
    from marketcli.api.candles import CandleQuestion, Range
    from marketcli.cli import logs
    from marketcli.cli.show import Destination, check_fields, names
    from marketcli.cli.symbols import expand
    from marketcli.datasets import kinds
    from marketcli.errors import UsageError
    from marketcli.models import Interval
    from marketcli.net.loop import run

    if len(words) < 2:  # noqa: PLR2004 - a symbol and an interval
        raise UsageError("mkt ohlc takes symbols and then an interval.", hint=f"For example: {EXAMPLE}")
    config, manner, warnings = settle(ctx.obj, common, time=output.time)
    logs.start(manner.verbose, config.log_file)
    question = CandleQuestion(
        interval=Interval.parse(words[-1]),
        range=Range(last=span.last, since=span.since, until=span.until, span=span.span),
        price=price,
        market=config.market,
    )
    check_fields(names(output.fields), question.dataset.fields)
    known = {"interval": str(question.interval), "price": price}
    destination = Destination.of(output, config, kinds=kinds(question.dataset), known=known)
    # Only the candle table marks the unfinished one.
    marked = destination.drawn and not (output.where or output.fields or span.until or dry_run)
    question = replace(question, include_open=include_open or marked)
    symbols = expand(words[:-1], example=EXAMPLE)
    work = Work(config, manner, destination.unfiltered() if dry_run else destination, question, refresh=common.refresh)
    tell(config, warnings=warnings)
    return run(work.plan(symbols) if dry_run else work.answer(symbols))


@dataclass(frozen=True, slots=True)
class Work:
    """One `mkt ohlc` on its way."""

    config: Config
    manner: Manner
    destination: Destination
    question: CandleQuestion
    refresh: bool

    async def answer(self, symbols: Sequence[str]) -> int:
        """Ask for all symbols, write what came, and say what did not."""
        from asyncio import gather

        from marketcli import exchanges
        from marketcli.api.candles import candles
        from marketcli.api.session import Session
        from marketcli.output.progress import Progress

        exchange = exchanges.load(self.config.exchange)
        async with Session(self.config, refresh=self.refresh) as session:
            plans, refused = await self.plans(session, exchange, symbols)
            total = sum(plan.asked.count_in(plan.window) for plan in plans)
            with Progress(sys.stderr, total, quiet=self.manner.quiet) as progress:
                asked = (
                    candles(
                        session,
                        exchange,
                        plan.instrument.native,
                        question=replace(self.question, market=plan.instrument.market),
                        progress=progress.advance,
                    )
                    for plan in plans
                )
                results = await gather(*asked, return_exceptions=True)
        answers, failures = sorted_out(results)
        return self.job.finish(answers, [*refused, *failures])

    @property
    def job(self) -> Job:
        """What writes the answers and tells the rest."""
        return Job(self.config, self.manner, self.destination, self.question.dataset, self.draw)

    def draw(self, answers: Sequence[Answer]) -> None:
        """Candles as people read them."""
        self.destination.draw([view(answer) for answer in answers], candles=True)

    async def plans(
        self, session: Session, exchange: Exchange, symbols: Sequence[str]
    ) -> tuple[list[Plan], list[MarketError]]:
        """How each symbol is asked for; what cannot be asked at all stops everything before work begins."""
        from marketcli.api.candles import plan
        from marketcli.errors import NotOffered

        plans: list[Plan] = []
        refused: list[MarketError] = []
        for symbol in symbols:
            try:
                made = await plan(session, exchange, symbol, question=self.question)
                if made.instrument not in [other.instrument for other in plans]:
                    plans.append(made)
            except NotOffered as error:
                if len(symbols) == 1:
                    raise
                refused.append(error)
        return plans, refused

    async def plan(self, symbols: Sequence[str]) -> int:
        """Show the requests an answer would take, and send none but for instrument lists."""
        from marketcli import exchanges
        from marketcli.api.session import Session
        from marketcli.output.view import View

        exchange = exchanges.load(self.config.exchange)
        async with Session(self.config, refresh=self.refresh) as session:
            plans, refused = await self.plans(session, exchange, symbols)
            site = session.site(exchange)
        frame = plan_frame(plans, site)
        if self.destination.drawn:
            title = ["dry run", f"{sum(frame['requests']):,} requests", f"weight {sum(frame['weight']):,}"]
            self.destination.draw([View(frame=frame, kinds=PLAN, title=title)], candles=False)
        else:
            self.destination.write(frame, PLAN, metadata={})
        for error in refused:
            complain(error, self.config)
        return refused[0].exit if refused else 0
