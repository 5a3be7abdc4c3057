"""`mkt ratio`: who is long and who is short, and what takers do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.options import Common, Output, Span, options

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from marketcli.api.answer import Answer
    from marketcli.api.session import Session
    from marketcli.cli.show import Destination
    from marketcli.output.progress import Progress
    from marketcli.spec import Exchange

EXAMPLE = "mkt ratio BTCUSDT"
USUAL = "5m"
PLACES = 4  # digits after the point that exchanges give


def kinds(incomplete: str) -> list[str]:
    """The kinds of ratios, for completion."""
    from marketcli.datasets import RATIOS

    return complete.listing(incomplete, RATIOS)


@options(Common, Span, Output)
def ratio(
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
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            metavar="NAME,…",
            help="accounts, top_accounts, top_positions, taker; default: all there are.",
            rich_help_panel="Rows",
            autocompletion=kinds,
        ),
    ] = None,
    interval: Annotated[
        str,
        typer.Option("--interval", "-i", metavar="LENGTH", help="A point every 5m, 1h, 1d …", rich_help_panel="Window"),
    ] = USUAL,
) -> int:
    """Ratios of long to short, and of what takers bought to what they sold.

    Of all accounts, of top traders' accounts and positions, and of takers'
    volume: the newest point of each, or history. long and short are shares.

    mkt ratio BTCUSDT ETHUSDT
    mkt ratio BTCUSDT --kind accounts,taker -i 1h --since 7d -f csv
    """
    from marketcli.api.candles import Range
    from marketcli.api.market import ratios
    from marketcli.api.newest import newest_ratios
    from marketcli.cli.answers import Job
    from marketcli.cli.show import names
    from marketcli.cli.symbols import expand
    from marketcli.datasets import RATIO
    from marketcli.models import Interval
    from marketcli.net.loop import run

    window, every, wanted = span.range(), Interval.parse(interval), names(kind)
    drawn, known = draw_points if span.asked else draw_newest, {"interval": str(every)}
    job = Job.of(ctx.obj, common, output, dataset=RATIO, draw=drawn, known=known)

    def one(session: Session, at: Exchange, name: str, bar: Progress) -> Awaitable[Answer]:
        market = job.config.market
        if window == Range(last=span.last):
            count = span.last or 1
            return newest_ratios(session, at, name, market=market, kinds=wanted, interval=every, count=count)
        return ratios(session, at, name, market=market, kinds=wanted, interval=every, span=window, progress=bar.advance)

    return run(job.ask(expand(symbols, example=EXAMPLE), one, refresh=common.refresh, progress=span.asked))


def draw_newest(destination: Destination, answers: Sequence[Answer]) -> None:
    """A row for each kind of each instrument."""
    from marketcli.cli.overview import amount, draw

    draw(
        destination,
        answers,
        title="ratios",
        columns={
            "kind": lambda row, _: row["kind"].ljust(len("top_positions")),
            "ratio": lambda row, _: rounded(row["ratio"]),
            "long": lambda row, _: share(row["long"]),
            "short": lambda row, _: share(row["short"]),
            "bought": lambda row, _: amount(row["buy_base"]),
            "sold": lambda row, _: amount(row["sell_base"]),
            "time UTC": lambda row, _: f"{row['time']:%m-%d %H:%M}",
        },
    )


def draw_points(destination: Destination, answers: Sequence[Answer]) -> None:
    """History: the kinds beside each other, a line for each time; one kind alone with all its columns."""
    from marketcli.cli import overview

    for place, answer in enumerate(answers):
        if place:
            destination.console().print()
        alone = answer.frame["kind"].n_unique() == 1
        if alone or destination.output.fields or destination.output.wide:
            overview.draw_history(destination, [answer], title="ratios")
        else:
            draw_beside(destination, answer)


def draw_beside(destination: Destination, answer: Answer) -> None:
    """The ratios of all kinds of one instrument."""
    import polars as pl

    from marketcli.cli.candles import remarks
    from marketcli.output.view import View

    one, kept = answer.one, destination.kept(answer.frame)
    beside = kept.with_columns(pl.col("ratio").round(PLACES)).pivot("kind", index="time", values="ratio").sort("time")
    kinds = dict.fromkeys(beside.columns, "number") | {"time": "time"}
    view = View(
        frame=beside,
        kinds=kinds,
        title=[one.symbol, "ratios", f"{one.exchange} {one.market} {one.native}", str(answer.interval)],
        caption=["UTC", f"via {answer.via}", f"{kept.height:,} rows", "long / short, or bought / sold"],
        notes=remarks(answer),
    )
    destination.draw([view], candles=False)


def rounded(value: float | None) -> str:
    """A ratio as people compare them."""
    from marketcli.cli.overview import DASH

    return DASH if value is None else f"{value:.{PLACES}f}"


def share(value: float | None) -> str:
    """A fraction as percent."""
    from marketcli.cli.overview import DASH

    return DASH if value is None else f"{value:.2%}"
