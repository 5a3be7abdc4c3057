"""`mkt limits`: what may still be asked, what has been, and until when nothing may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli.options import Everywhere, Output, options, settle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import polars as pl

    from marketcli.cli.show import Destination
    from marketcli.net.account import Account, Moment
    from marketcli.spec import Exchange

KINDS = {
    "exchange": "text",
    "site": "text",
    "via": "text",
    "budget": "text",
    "limit": "integer",
    "seconds": "number",
    "used": "integer",
    "free": "integer",
    "paused_until": "time",
    "ban": "prose",
}
FIRST = ("budget", "via", "used", "free", "limit", "seconds", "paused_until", "exchange", "site")
NOTE = "free: what may still be spent of nine tenths of the limit in the running window, by all mkt processes together"


@options(Everywhere, Output)
def limits(
    ctx: typer.Context,
    everywhere: Everywhere,
    output: Output,
    *,
    exchange: Annotated[
        str | None, typer.Option("--exchange", "-e", help="Only this exchange; default: all.", rich_help_panel="Reach")
    ] = None,
) -> int:
    """Show request budgets, how much of them is used, and bans.

    All mkt processes of the user spend from them together. Nothing is sent.

    mkt limits
    mkt limits -e binance -f json
    """
    import polars as pl

    from marketcli import exchanges as known
    from marketcli.cli.show import Destination, check_fields, names
    from marketcli.config import directories
    from marketcli.net.address import masked
    from marketcli.net.client import Outside

    config, _, _ = settle(ctx.obj, everywhere)
    check_fields(names(output.fields), list(KINDS))
    destination = Destination.of(output, config)
    tables = [known.load(name) for name in ([exchange] if exchange else known.names())]
    found = accounts(directories().state / "budgets", tables, via=masked(config.via or ""), now=Outside().moment())
    types = {"text": pl.String(), "prose": pl.String(), "integer": pl.Int64(), "number": pl.Float64()}
    schema = {name: types.get(kind, pl.Datetime("us", "UTC")) for name, kind in KINDS.items()}
    frame = pl.DataFrame([row(account) for account in found], schema=schema, orient="row")
    if not destination.drawn:
        destination.write(frame, KINDS, metadata={})
        return 0
    draw(destination, frame, own=bool(output.fields or output.wide))
    return 0


def draw(destination: Destination, frame: pl.DataFrame, *, own: bool) -> None:
    """Draw the list for people: what matters most first, bans as sentences, no columns that say nothing."""
    import polars as pl

    from marketcli.output.view import View

    readable = frame.with_columns(pl.col("paused_until").dt.to_string("%Y-%m-%d %H:%M:%S UTC"))
    shown, notes = destination.selected(readable), []
    if not own:
        blank = [name for name in ("via", "paused_until") if frame[name].null_count() == frame.height]
        shown = readable.select(FIRST).drop(blank)
        bans = readable.drop_nulls("ban").sort("paused_until").unique(["exchange", "site", "via"], keep="last")
        notes = [
            f"{ban['via'] or ban['exchange']}: {ban['ban']} Nothing is sent until {ban['paused_until']}."
            for ban in bans.iter_rows(named=True)
        ]
    destination.draw([View(frame=shown, kinds=KINDS | {"paused_until": "text"}, notes=[*notes, NOTE])], candles=False)


def accounts(folder: Path, tables: Iterable[Exchange], *, via: str, now: Moment) -> list[Account]:
    """The budgets of the exchanges as they stand, and of other ways to them those that are in use."""
    from marketcli.net.account import Key
    from marketcli.net.shared import fresh, look, path_of

    expected: dict[Path, Account] = {}
    for exchange in tables:
        for budget in exchange.budgets:
            key = Key(via, exchange.name, "live", budget.name)
            expected[path_of(folder, key)] = fresh(key, budget)
    names = {account.exchange for account in expected.values()}
    files = {path: account for path in sorted(folder.glob("*.json")) if (account := look(path)) is not None}
    for account in files.values():
        account.carry(now)
    others = {path: account for path, account in files.items() if account.exchange in names and in_use(account)}
    return list(({path: files.get(path, account) for path, account in expected.items()} | others).values())


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
