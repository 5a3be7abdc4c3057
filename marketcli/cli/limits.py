"""`mkt limits`: what may still be asked, what has been, and until when nothing may."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.options import Everywhere, Output, options

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import polars as pl

    from marketcli.errors import LocalError
    from marketcli.net.account import Account, Moment
    from marketcli.output.view import View
    from marketcli.spec import Exchange

KINDS = {
    "exchange": "text",
    "site": "text",
    "via": "text",
    "budget": "prose",  # the name may be as long as a path: it is folded, not cut
    "limit": "integer",
    "seconds": "number",
    "used": "integer",
    "free": "integer",
    "paused_until": "time",
    "ban": "prose",
}
FIRST = ("exchange", "site", "via", "used", "free", "limit", "seconds", "budget")
NOTE = "free: what may still be spent of nine tenths of the limit in the running window, by all mkt processes together"


@options(Everywhere, Output)
def limits(
    ctx: typer.Context,
    everywhere: Everywhere,
    output: Output,
    *,
    exchange: Annotated[
        str,
        typer.Option(
            "--exchange",
            "-e",
            help="Only this exchange, or several with commas.",
            rich_help_panel="Reach",
            autocompletion=complete.exchange_names,
        ),
    ] = "all",
) -> int:
    """Show request budgets, how much of them is used, and bans.

    All mkt processes of the user spend from them together. Nothing is sent.

    mkt limits
    mkt limits -e binance -f json
    mkt limits --where "free < limit / 2"
    """
    from marketcli import exchanges as known
    from marketcli.cli.listing import Listing, framed
    from marketcli.config import directories
    from marketcli.net.address import masked
    from marketcli.net.client import Outside

    listing = Listing.of(ctx.obj, everywhere, output, kinds=KINDS)
    folder, via = directories().state / "budgets", masked(listing.config.via or "")
    found = accounts(folder, known.chosen(exchange), via=via, now=Outside().moment())
    frame = framed((row(account) for account in found), KINDS)
    return listing.finish("limits", frame, view=lambda kept: view(kept, every=listing.chosen))


def view(frame: pl.DataFrame, *, every: bool) -> View:
    """The list for people: without `every` column what holds requests back becomes sentences."""
    import polars as pl

    from marketcli.output.view import View

    readable = frame.with_columns(pl.col("paused_until").dt.to_string("%Y-%m-%d %H:%M:%S UTC"))
    if every:
        return View(frame=readable, kinds=KINDS | {"paused_until": "text"}, notes=[NOTE])
    same = {"via": readable["via"].is_null().all(), "site": (readable["site"] == "live").all()}
    shown = readable.select(name for name in FIRST if not same.get(name))
    return View(frame=shown, kinds=KINDS, notes=[*pauses(readable), NOTE])


def pauses(frame: pl.DataFrame) -> list[str]:
    """What holds requests back: a ban once for all budgets of an exchange, anything less for its budget."""
    held = frame.drop_nulls("paused_until").sort("paused_until")
    bans = held.drop_nulls("ban").unique(["exchange", "site", "via"], keep="last", maintain_order=True)
    lesser = held.filter(held["ban"].is_null())
    told = [(row, f"{row['ban']} Nothing is sent") for row in bans.iter_rows(named=True)]
    told += [(row, f"nothing is sent from {row['budget']}") for row in lesser.iter_rows(named=True)]
    return [f"{row['via'] or row['exchange']}: {what} until {row['paused_until']}." for row, what in told]


def accounts(folder: Path, tables: Iterable[Exchange], *, via: str, now: Moment) -> list[Account]:
    """The budgets of the exchanges as they stand, and of other ways to them those that are in use."""
    from marketcli.net.account import Key
    from marketcli.net.shared import fresh, path_of

    expected: dict[Path, Account] = {}
    for exchange in tables:
        for budget in exchange.budgets:
            key = Key(via, exchange.name, "live", budget.name)
            expected[path_of(folder, key)] = fresh(key, budget)
    names = {account.exchange for account in expected.values()}
    written = kept(folder)
    for account in written.values():
        account.carry(now)
    others = {path: account for path, account in written.items() if account.exchange in names and in_use(account)}
    return list(({path: written.get(path, account) for path, account in expected.items()} | others).values())


def kept(folder: Path) -> dict[Path, Account]:
    """What stands in the files. Raises `LocalError` where that cannot be known; what is no account counts as unused."""
    from marketcli.net.shared import look

    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".json" and path.is_file())
    except FileNotFoundError:
        return {}
    except OSError:
        raise unknown(folder) from None
    if hidden := next((path for path in paths if not os.access(path, os.R_OK)), None):
        raise unknown(hidden)
    return {path: account for path in paths if (account := look(path)) is not None}


def unknown(place: Path) -> LocalError:
    """The error where nobody can say what has been spent."""
    from marketcli.errors import LocalError

    return LocalError(
        f"What has been spent is not known: {place} cannot be read.", hint="Make it readable for yourself."
    )


def in_use(account: Account) -> bool:
    """Whether a budget has anything to tell."""
    return account.used > 0 or account.paused_until > account.monotonic


def row(account: Account) -> tuple[object, ...]:
    """One line of the list."""
    from marketcli.models import SECOND
    from marketcli.text import clean

    paused, now = account.paused_until > account.monotonic, account.monotonic
    until = round((account.wall + account.paused_until - now) * SECOND) if paused else None
    key = (clean(account.exchange), clean(account.site), clean(account.via) or None, clean(account.budget))
    free = 0 if paused else max(0, account.ceiling - account.used)
    ban = clean(account.ban) if account.banned(now) else None
    return (*key, account.limit, account.seconds, account.used, free, until, ban)
