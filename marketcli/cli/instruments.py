"""`mkt instruments`: what trades where, and what a name means."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from marketcli.cli import complete
from marketcli.cli.options import Common, Everywhere, Output, options
from marketcli.errors import ExitCode, NotOffered, UsageError, worst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from marketcli.cli.listing import Listing
    from marketcli.errors import MarketError
    from marketcli.output.view import View

FILTER = "Filter"
STATUSES = ("trading", "pending", "halted", "closing", "closed")
SPELLINGS = ("exchange", "market", "symbol", "native", "contract_size", "multiplier", "status")
BEFORE = "marketcli.output"  # where options that stand before `resolve` wait for it


class Instruments(TyperGroup):
    """The command and its `resolve`; a name in the place of a word is told where it belongs."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The subcommand that is meant."""
        if args[0] not in self.commands and not ctx.resilient_parsing:
            raise UsageError(
                f"mkt instruments takes no name, so {args[0]!r} means nothing.",
                hint=f"Use mkt instruments --search {args[0]}, or mkt instruments resolve {args[0]}.",
            )
        return super().resolve_command(ctx, args)


app = typer.Typer(cls=Instruments)


@app.callback(invoke_without_command=True)
@options(Common, Output)
def instruments(
    ctx: typer.Context,
    common: Common,
    output: Output,
    *,
    search: Annotated[
        str | None, typer.Option("--search", "-s", metavar="TEXT", help="Part of a name.", rich_help_panel=FILTER)
    ] = None,
    base: Annotated[
        str | None, typer.Option("--base", metavar="COIN", help="Only this base asset.", rich_help_panel=FILTER)
    ] = None,
    quote: Annotated[
        str | None, typer.Option("--quote", metavar="COIN", help="Only this quote asset.", rich_help_panel=FILTER)
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(
            "--status",
            metavar="WORD",
            help=f"{', '.join(STATUSES)}, or the exchange's own word.",
            rich_help_panel=FILTER,
            autocompletion=complete.statuses,
        ),
    ] = None,
) -> int:
    """List instruments, of all markets unless --market says which.

    mkt instruments -m inverse
    mkt instruments --search pepe
    mkt instruments --where "status = 'trading' and tick < 0.01" -f csv
    mkt instruments resolve BTC
    """
    wanted = {"base": base, "quote": quote, "status": status}
    if ctx.invoked_subcommand is not None:
        pass_on(ctx, common, output, given={"search": search, **wanted})
        return 0
    from marketcli.api.lists import instrument_frame, list_instruments
    from marketcli.net.loop import run

    listing = begin(ctx.obj, common, output)
    came, failures = run(list_instruments(listing.config, listing.config.market, refresh=common.refresh))
    frame = instrument_frame(came)
    found = filtered(frame, search, wanted=wanted)
    if not found.height:
        raise nothing(frame, wanted)
    total = f"{frame.height:,} instruments"
    caption = [total if found.height == frame.height else f"{found.height:,} of {total}"]
    title = ["instruments"] if listing.chosen else ["instruments", *shared(found)]
    done = listing.finish("instruments", found, view=lambda kept: view(kept, title, caption=caption))
    return ended(listing, done, failures)


def ended(listing: Listing, done: int, failures: Sequence[MarketError]) -> int:
    """The exit code of a command of which some exchanges could not be asked; what they said is told."""
    from marketcli.cli.notice import complain

    for error in failures:
        complain(error, listing.config)
    return worst([ExitCode(done), *(error.exit for error in failures)])


@app.command("resolve")
@options(Common, Output)
def resolve(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A symbol in any spelling.",
            show_default=False,
            autocompletion=complete.symbols,
        ),
    ],
    common: Common,
    output: Output,
) -> int:
    """Show what a name means: the instrument chosen first, then everything else it could be.

    mkt instruments resolve pepe
    mkt instruments resolve BTC -m spot -f csv
    """
    from marketcli.api.lists import instrument_frame, spellings
    from marketcli.net.loop import run

    listing = begin(ctx.obj, common, later(ctx.meta.get(BEFORE, output), output))
    found, failures = run(spellings(listing.config, name, refresh=common.refresh or ctx.obj.refresh))
    meant = {one.exchange: one.symbol for one in reversed(found)}  # of each exchange the first
    several = len(meant) > 1
    names = ", ".join(f"{exchange} {symbol}" if several else symbol for exchange, symbol in reversed(meant.items()))
    frame, title = instrument_frame(found), [f"{name} means {names}"]
    if listing.chosen:
        return ended(listing, listing.finish("instruments", frame, view=lambda kept: view(kept, title)), failures)
    title, caption = [*title, *shared(frame)], ["more columns: --wide"]
    done = listing.finish("instruments", frame, view=lambda kept: view(kept.select(SPELLINGS), title, caption=caption))
    return ended(listing, done, failures)


def pass_on(ctx: typer.Context, common: Common, output: Output, *, given: Mapping[str, str | None]) -> None:
    """Let what stands before `resolve` count for it. Raises `UsageError` for what only a list takes."""
    for option, value in given.items():
        if value is not None:
            raise UsageError(
                f"--{option} chooses from a list; it means nothing to mkt instruments {ctx.invoked_subcommand}.",
                hint="Leave it out, or use --where.",
            )
    ctx.obj = dataclasses.replace(common, **(ctx.obj.given() | common.given()))
    ctx.meta[BEFORE] = output


def later(before: Output, after: Output) -> Output:
    """The options of both, the later of each."""
    said = {name: value for name, value in dataclasses.asdict(after).items() if value != getattr(Output(), name)}
    return dataclasses.replace(before, **said)


def begin(before: Everywhere | None, common: Common, output: Output) -> Listing:
    """Settings, destination and logging, settled before anything is asked."""
    from marketcli.cli import logs
    from marketcli.cli.listing import Listing
    from marketcli.datasets import INSTRUMENTS, kinds

    listing = Listing.of(before, common, output, kinds=kinds(INSTRUMENTS))
    logs.start(listing.manner.verbose, listing.config.log_file)
    return listing


def filtered(frame: pl.DataFrame, search: str | None, *, wanted: Mapping[str, str | None]) -> pl.DataFrame:
    """The instruments with all that was asked for: a part of their names, and words in columns."""
    import polars as pl

    for column, word in wanted.items():
        if word is not None:
            frame = frame.filter(pl.col(column).str.to_lowercase() == word.lower())
    if search is not None:
        anywhere = pl.concat_str("native", "symbol", "unified", separator="\n").str.to_lowercase()
        frame = frame.filter(anywhere.str.contains(search.lower(), literal=True))
    return frame


def nothing(frame: pl.DataFrame, wanted: Mapping[str, str | None]) -> NotOffered:
    """The error for a list without rows; a word that no instrument has is told with those there are."""
    hints = [unknown(frame[column], word) for column, word in wanted.items() if word is not None]
    said = " ".join(hint for hint in hints if hint)
    return NotOffered(
        f"None of the {frame.height:,} instruments matches.",
        hint=said or "Search for less: mkt instruments --search btc",
    )


def unknown(column: pl.Series, word: str) -> str:
    """What to say of a word that does not occur in a column; nothing if it does."""
    from difflib import get_close_matches

    known = {text.lower(): text for text in column.drop_nulls().unique().sort().to_list()}
    if word.lower() in known:
        return ""
    if close := get_close_matches(word.lower(), known, n=1):
        return f"No {column.name} is {word!r}. Did you mean {known[close[0]]}?"
    few = f" There is {', '.join(known.values())}." if len(known) <= len(STATUSES) else ""
    return f"No {column.name} is {word!r}.{few}"


def shared(frame: pl.DataFrame) -> list[str]:
    """What all instruments of a list have in common, for its headline, which columns then need not repeat."""
    return [frame[column][0] for column in ("exchange", "market") if frame[column].n_unique() == 1]


def view(frame: pl.DataFrame, title: list[str], *, caption: Sequence[str] = ()) -> View:
    """Instruments for people."""
    from marketcli.datasets import INSTRUMENTS, kinds
    from marketcli.output.view import View

    return View(frame=frame, kinds=kinds(INSTRUMENTS), title=title, caption=caption)
