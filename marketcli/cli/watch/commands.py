"""The commands of `mkt watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.options import Common, Live, options
from marketcli.errors import UsageError

if TYPE_CHECKING:
    from marketcli.cli.watch.plan import Wanted

ROWS = "Rows"
TAKERS = ("buy", "sell")
POSITIONS = ("long", "short")

app = typer.Typer()

Symbols = Annotated[
    list[str],
    typer.Argument(
        metavar="SYMBOL...",
        help="Instruments; - reads them from a pipe.",
        show_default=False,
        autocompletion=complete.symbols,
    ),
]
Chosen = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SYMBOL...",
        help="Instruments; without any the whole market, linear unless --market says which.",
        show_default=False,
        autocompletion=complete.symbols,
    ),
]
Least = Annotated[
    str | None,
    typer.Option(
        "--min-usd", metavar="USD", help="Only with this notional_usd or more: 50k, 1m.", rich_help_panel=ROWS
    ),
]


def sides(incomplete: str) -> list[str]:
    """What a taker does, for completion."""
    return [side for side in TAKERS if side.startswith(incomplete)]


def positions(incomplete: str) -> list[str]:
    """What is liquidated, for completion."""
    return [side for side in POSITIONS if side.startswith(incomplete)]


Taker = Annotated[
    str | None,
    typer.Option(
        "--side", metavar="SIDE", help="Only what takers did: buy or sell.", rich_help_panel=ROWS, autocompletion=sides
    ),
]
Position = Annotated[
    str | None,
    typer.Option(
        "--side",
        metavar="SIDE",
        help="Only these positions: long or short.",
        rich_help_panel=ROWS,
        autocompletion=positions,
    ),
]


@app.callback(invoke_without_command=True)
def watch(ctx: typer.Context) -> None:
    """Watch live data: a panel on a terminal, one JSON line per record in a pipe.

    Connections that are lost come back by themselves; what was missed is
    filled, or told where it happened. q or Ctrl-C ends it; `mkt help streams`
    explains lines, gaps and keys.

    mkt watch liquidations -e all
    mkt watch large-trades BTC --min-usd 1m
    mkt watch trades BTCUSDT --for 1m -o trades.csv
    """
    if ctx.invoked_subcommand is None:
        ctx.get_help()  # Typer's own prints it


@app.command("liquidations")
@options(Common, Live)
def liquidations(
    ctx: typer.Context,
    symbols: Chosen = None,
    *,
    common: Common,
    live: Live,
    min_usd: Least = None,
    side: Position = None,
) -> int:
    """Positions that exchanges close by force.

    `liquidated` is the position, never the side of the closing order.
    `completeness` says whether the exchange shows all of them or a sample.

    mkt watch liquidations
    mkt watch liquidations -e binance,bybit --min-usd 50k
    mkt watch liquidations BTC --side long -f csv -o longs.csv
    """
    return begin(ctx, common, live, "liquidations", symbols, wanted=chosen(min_usd, side, POSITIONS, "liquidated"))


@app.command("large-trades")
@options(Common, Live)
def large_trades(
    ctx: typer.Context,
    symbols: Chosen = None,
    *,
    common: Common,
    live: Live,
    min_usd: Annotated[
        str | None,
        typer.Option(
            "--min-usd",
            metavar="USD",
            help="Only orders of this notional_usd or more: 50k, 1m; default: setting min_usd, 100000.",
            rich_help_panel=ROWS,
        ),
    ] = None,
    side: Taker = None,
) -> int:
    """Large orders of takers: all that one of them traded at one time, together.

    mkt watch large-trades BTC --min-usd 1m -e all
    mkt watch large-trades BTCUSDT --min-usd 500k -f csv
    """
    return begin(ctx, common, live, "large_trades", symbols, wanted=chosen(min_usd, side, TAKERS))


@app.command("trades")
@options(Common, Live)
def trades(
    ctx: typer.Context,
    symbols: Symbols,
    *,
    common: Common,
    live: Live,
    min_usd: Least = None,
    side: Taker = None,
) -> int:
    """Trades as they are made; the side is the taker's.

    mkt watch trades BTCUSDT
    mkt watch trades BTCUSDT ETHUSDT --for 10m -o trades.ndjson
    mkt watch trades BTC -e all --side buy --min-usd 10k
    """
    return begin(ctx, common, live, "trades", symbols, wanted=chosen(min_usd, side, TAKERS))


@app.command("ohlc")
@options(Common, Live)
def ohlc(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="SYMBOL... INTERVAL",
            help="Instruments, then the length of a candle: 1m, 1h, 1d.",
            show_default=False,
            autocompletion=complete.words,
        ),
    ],
    *,
    common: Common,
    live: Live,
) -> int:
    """Candles as they grow: `closed` is false until they are finished.

    mkt watch ohlc BTCUSDT 1m
    mkt watch ohlc BTCUSDT ETHUSDT 5m --where "closed" -f csv
    """
    if len(words) < 2:  # noqa: PLR2004 - a symbol and an interval
        raise UsageError(
            "mkt watch ohlc takes symbols and then an interval.", hint="For example: mkt watch ohlc BTCUSDT 1m"
        )
    return begin(ctx, common, live, "ohlc", words[:-1], interval=words[-1])


@app.command("ticker")
@options(Common, Live)
def ticker(ctx: typer.Context, symbols: Chosen = None, *, common: Common, live: Live) -> int:
    """Last price, best bid and ask, and what the last 24 hours did.

    mkt watch ticker
    mkt watch ticker BTC ETH SOL -e binance,okx
    """
    return begin(ctx, common, live, "ticker", symbols)


@app.command("funding")
@options(Common, Live)
def funding(ctx: typer.Context, symbols: Chosen = None, *, common: Common, live: Live) -> int:
    """Coming funding rates, and how long until they are charged.

    mkt watch funding
    mkt watch funding BTC ETH -e all
    """
    return begin(ctx, common, live, "funding", symbols)


@app.command("oi")
@options(Common, Live)
def oi(ctx: typer.Context, symbols: Chosen = None, *, common: Common, live: Live) -> int:
    """Open interest, and how it changes.

    mkt watch oi BTC ETH -e bybit
    mkt watch oi BTC -e okx,hyperliquid -f csv
    """
    return begin(ctx, common, live, "oi", symbols)


def chosen(min_usd: str | None, side: str | None, known: tuple[str, str], column: str = "side") -> Wanted:
    """Which records the options mean. Raises `UsageError`."""
    from marketcli.cli.conditions import amount
    from marketcli.cli.watch.plan import Wanted
    from marketcli.text import clean

    if side not in {None, *known}:
        raise UsageError(f"There is no side {clean(str(side))!r}.", hint=f"Use {known[0]} or {known[1]}.")
    return Wanted(None if min_usd is None else amount(min_usd, option="--min-usd"), side, column)


def begin(
    ctx: typer.Context,
    common: Common,
    live: Live,
    name: str,
    symbols: list[str] | None,
    *,
    wanted: Wanted | None = None,
    interval: str | None = None,
) -> int:
    """Settle what is to be done, and do it; the exit code."""
    from dataclasses import replace

    from marketcli.cli.symbols import expand
    from marketcli.cli.watch.follow import follow
    from marketcli.cli.watch.plan import Plan, Wanted
    from marketcli.datasets import LARGE_TRADES, dataset_named
    from marketcli.models import Interval
    from marketcli.net.loop import run

    dataset, length = dataset_named(name), Interval.parse(interval) if interval else None
    plan = Plan.of(ctx.obj, common, live, dataset=dataset, wanted=wanted or Wanted())
    if dataset is LARGE_TRADES and plan.wanted.least is None:
        plan = replace(plan, wanted=replace(plan.wanted, least=plan.config.min_usd))
    names = expand(symbols or [], example=f"mkt watch {name.replace('_', '-')} BTCUSDT")
    from marketcli.api.live import Watch

    watched = Watch(
        dataset=dataset,
        symbols=tuple(names),
        market=plan.config.market,
        interval=length,
        max_down=plan.max_down,
        least=plan.wanted.least or 0.0 if dataset is LARGE_TRADES else 0.0,
    )
    return run(follow(plan, watched))
