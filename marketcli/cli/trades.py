"""`mkt trades`: the newest trades, or all of a window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.options import Common, Output, Span, options

if TYPE_CHECKING:
    from marketcli.api.answer import Answer
    from marketcli.api.session import Session
    from marketcli.output.progress import Progress
    from marketcli.spec import Exchange

EXAMPLE = "mkt trades BTCUSDT"
ROWS = "Rows"
SIDES = ("buy", "sell")


def sides(incomplete: str) -> list[str]:
    """What a taker does, for completion."""
    return [side for side in SIDES if side.startswith(incomplete)]


@options(Common, Span, Output)
def trades(
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
    span: Span,
    output: Output,
    min_usd: Annotated[
        str | None,
        typer.Option(
            "--min-usd", metavar="USD", help="Only with this notional_usd or more: 50k, 1m.", rich_help_panel=ROWS
        ),
    ] = None,
    side: Annotated[
        str | None,
        typer.Option(
            "--side",
            metavar="SIDE",
            help="Only where the taker did this: buy or sell.",
            rich_help_panel=ROWS,
            autocompletion=sides,
        ),
    ] = None,
) -> int:
    """Trades: the newest ones, or all of a window.

    The side is the taker's. A window is served where the exchange keeps past
    trades; the others say who does. Trades that ids show to be missing are
    asked for twice and then named (exit code 3). --min-usd and --side are short
    for a --where.

    mkt trades BTCUSDT -n 500 --min-usd 50k
    mkt trades BTCUSDT --since 2h -o trades.parquet
    mkt trades BTC -e all --side buy -f csv
    """
    from marketcli.api import market
    from marketcli.api.market import LAST_TRADES
    from marketcli.api.newest import usual
    from marketcli.cli.answers import Job
    from marketcli.cli.conditions import narrowed
    from marketcli.cli.symbols import expand
    from marketcli.cli.tape import draw
    from marketcli.datasets import TRADES
    from marketcli.net.loop import run

    window, wanted = span.range(), conditions(min_usd, side)
    job = Job.of(ctx.obj, common, narrowed(output, TRADES, *wanted), dataset=TRADES, draw=draw)

    async def one(session: Session, at: Exchange, name: str, bar: Progress) -> Answer:
        which, asked = job.config.market, window
        if not span.asked:
            count = await usual(session, at, name, dataset=TRADES, market=which, count=LAST_TRADES)
            asked = replace(window, last=count)
        answer = await market.trades(session, at, name, market=which, span=asked, progress=bar.advance)
        return answer if min_usd is None else told(answer)

    return run(job.ask(expand(symbols, example=EXAMPLE), one, refresh=common.refresh, progress=True))


def conditions(min_usd: str | None, side: str | None) -> list[str]:
    """What the options mean as conditions of --where. Raises `UsageError`."""
    from marketcli.cli.conditions import amount
    from marketcli.errors import UsageError
    from marketcli.text import clean, number

    if side not in {None, *SIDES}:
        raise UsageError(f"There is no side {clean(str(side))!r}.", hint="Use buy or sell: what the taker did.")
    least = [] if min_usd is None else [f"notional_usd >= {number(amount(min_usd, option='--min-usd'))}"]
    return [*least, *([f"side = '{side}'"] if side else [])]


def told(answer: Answer) -> Answer:
    """The answer with a word about trades that --min-usd can tell nothing of."""
    from marketcli.values import DOLLARS

    if answer.one.quote in DOLLARS:
        return answer
    sentence = f"There is no notional_usd: {answer.one.quote} is no dollar, so --min-usd leaves every trade out."
    return replace(answer, notes=(*answer.notes, sentence))
