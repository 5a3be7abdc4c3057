"""`mkt examples`: commands to copy, made from what an exchange offers and how it spells its names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from marketcli.cli import complete
from marketcli.cli.options import Everywhere, Output, options

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import polars as pl

    from marketcli.models import Market
    from marketcli.output.view import View
    from marketcli.spec import Exchange

# Commands are long, and cut they could not be copied: so they are prose, which is drawn whole.
KINDS = {"exchange": "text", "dataset": "text", "market": "text", "command": "prose", "meaning": "prose"}
FIRST = ""  # the market that names are looked up in first: linear, where there is one
NOTE = "put --sandbox behind mkt to try them without a network"


class Template(NamedTuple):
    """An example of any exchange that offers a dataset for a market; `words` are what stands behind `mkt`."""

    dataset: str
    market: str
    words: str
    meaning: str


TEMPLATES = (
    Template("ohlc", FIRST, "ohlc {symbol} 1h", "the last 100 hours"),
    Template("ohlc", "spot", "ohlc {symbol} 1d --last 30", "a month of the spot pair"),
    Template("ohlc", "inverse", "ohlc {symbol} 4h --for 7d", "a contract settled in coins"),
    Template("ohlc_mark", FIRST, "ohlc {symbol} 15m --price mark", "mark prices"),
    Template("funding", FIRST, "funding {symbol}", "the coming funding rate"),
    Template("funding_history", FIRST, "funding {symbol} --since 7d", "every settlement of a week"),
    Template("oi", FIRST, "oi {symbol}", "open interest and its change"),
    Template("oi_history", FIRST, "oi {symbol} -i 1h --since 2d", "its last two days"),
    Template("price", FIRST, "price {symbol}", "last, mark and index price"),
    Template("ticker", FIRST, "ticker {symbol}", "the last 24 hours"),
    Template("ticker", "spot", "ticker --all -m spot --top 10", "the ten largest spot pairs"),
    Template("book", FIRST, "book {symbol} --depth 10", "ten levels a side"),
    Template("trades", FIRST, "trades {symbol}", "the newest trades"),
    Template("trades_history", FIRST, "trades {symbol} --since 1m", "every trade of a minute"),
    Template("ratio_accounts", FIRST, "ratio {symbol}", "longs against shorts"),
    Template("instruments", FIRST, "instruments --search pepe", "who lists PEPE"),
    Template("liquidations", FIRST, "watch liquidations", "live: who is closed by force"),
    Template("large_trades", FIRST, "watch large-trades --min-usd 1m", "live: orders of a million"),
    Template("trades", FIRST, "watch trades {symbol}", "live: the tape"),
    Template("ohlc", FIRST, "watch ohlc {symbol} 1m", "live: the growing candle"),
    Template("ticker", FIRST, "watch ticker", "live: a board of the market"),
    Template("funding", FIRST, "watch funding", "live: rates and countdowns"),
    Template("oi", FIRST, "watch oi {symbol}", "live: open interest"),
)


class Example(NamedTuple):
    """A command to copy, what it is about, and what it gives."""

    exchange: str
    dataset: str
    market: str
    command: str
    meaning: str


@options(Everywhere, Output)
def examples(
    ctx: typer.Context,
    exchange: Annotated[
        str | None,
        typer.Argument(
            metavar="EXCHANGE",
            help="One, several with commas, or all; default: the one in force.",
            show_default=False,
            autocompletion=complete.exchange_names,
        ),
    ] = None,
    *,
    everywhere: Everywhere,
    output: Output,
) -> int:
    """Show commands to copy, made of what an exchange offers. Nothing is sent.

    mkt examples
    mkt examples okx
    mkt examples all -f csv
    """
    from marketcli import exchanges as known
    from marketcli.cli.listing import Listing, framed
    from marketcli.cli.topics import commands
    from marketcli.output.view import View

    listing = Listing.of(ctx.obj, everywhere, output, kinds=KINDS)
    tables = known.chosen(exchange or listing.config.exchange)
    registered = commands(ctx)
    frame = framed((one for table in tables for one in examples_of(table, registered)), KINDS)

    def view(kept: pl.DataFrame) -> View:
        shown = kept if listing.chosen else kept.select("command", "meaning")
        others = [name for name in known.names() if name not in {table.name for table in tables}]
        more = [f"others: mkt examples {others[0]}, or all"] if others else []
        return View(frame=shown, kinds=KINDS, title=[table.title for table in tables], caption=[NOTE, *more])

    return listing.finish("examples", frame, view=view)


def examples_of(table: Exchange, registered: Collection[str]) -> Iterator[Example]:
    """The examples of an exchange, of commands that are registered."""
    from marketcli.models import parse_market

    for one in TEMPLATES:
        market = parse_market(one.market) if one.market else table.markets[0]
        if offers(table, one, market) and one.words.split()[0] in registered:
            words = one.words.replace("{symbol}", symbol(table, market))
            where = [f"-m {market}"] if "{symbol}" in one.words and ambiguous(table, market) else []
            command = " ".join(["mkt", words, *where, f"-e {table.name}"])
            yield Example(table.name, one.dataset, str(market), command, one.meaning)


def offers(table: Exchange, one: Template, market: Market) -> bool:
    """Whether an exchange answers an example, or streams what it watches; large trades are made of trades."""
    from marketcli.datasets import LARGE_TRADES, SCHEMAS, TRADES

    dataset = SCHEMAS[one.dataset]
    if not one.words.startswith("watch "):
        return table.endpoint(dataset, market) is not None
    streamed = TRADES if dataset is LARGE_TRADES else dataset
    return any(table.streams(streamed, market, scope=scope) for scope in ("instrument", "market"))


def symbol(table: Exchange, market: Market) -> str:
    """Bitcoin as the exchange spells it, as far as that is known."""
    from marketcli.api.bitcoin import bitcoin

    found = bitcoin(table, market)
    return found.native if found else "BTC"


def ambiguous(table: Exchange, market: Market) -> bool:
    """Whether the name alone means another market, one that is looked in before."""
    before = table.markets[: table.markets.index(market)]
    return any(symbol(table, other) == symbol(table, market) for other in before)
