"""`mkt doctor`: whether everything works that a question needs, and what to do about what does not."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from marketcli.cli.options import Common, Manner, Output, flags_of, options, settle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marketcli.api.checks import Check
    from marketcli.cli.listing import Listing
    from marketcli.config import Config
    from marketcli.output.view import View

KINDS = {
    "exchange": "text",
    "site": "text",
    "host": "text",
    "check": "text",
    "ok": "boolean",
    "ms": "number",
    "detail": "prose",
    "hint": "prose",
}
DRAWN = {"check": "text", "result": "text", "ms": "integer", "what": "prose"}
HERE = "this machine"


@options(Common, Output)
def doctor(ctx: typer.Context, *, common: Common, output: Output) -> int:
    """Check what a question to an exchange needs, and say what to do.

    This machine, then for each exchange: name and certificate of its hosts, one
    request to each of its markets there, its clock, budgets and bans. Nothing
    else is sent. The exit code is 0 if all is well, 7 if an exchange refuses
    this location, else 5; and 2 or 9 where this machine is not ready.

    mkt doctor
    mkt doctor -e all
    mkt doctor -e okx --site eea -f json
    """
    from marketcli.api import doctor as examination
    from marketcli.api import machine
    from marketcli.api.fallback import exchanges_of
    from marketcli.cli import logs
    from marketcli.cli.listing import Listing
    from marketcli.cli.notice import tell
    from marketcli.cli.show import Destination, check_fields, names
    from marketcli.net.loop import run

    config, manner, warnings = settled(ctx, common, output)
    logs.start(manner.verbose, config.log_file)
    check_fields(names(output.fields), list(KINDS))
    tell(config, warnings=warnings)
    listing = Listing(config, manner, Destination.of(output, config, kinds=KINDS), KINDS)
    tables = list({one.name: one for group in exchanges_of(config) for one in group}.values())
    with waiting(f"asking {', '.join(table.title for table in tables)} …", quiet=manner.quiet):
        checks = [*machine.checks(), *run(examination.examine(config, tables))]
    return finish(listing, checks)


def settled(ctx: typer.Context, common: Common, output: Output) -> tuple[Config, Manner, list[str]]:
    """The settings in force; where the user's file cannot be used, those without it, because a check tells that."""
    from marketcli.config import load
    from marketcli.errors import MarketError

    try:
        return settle(ctx.obj, common, time=output.time)
    except MarketError:
        flags, manner = flags_of(ctx.obj, common)
        config, warnings = load(flags | {"time": output.time}, file=Path(os.devnull))
        return config, manner, warnings


@contextlib.contextmanager
def waiting(text: str, *, quiet: bool) -> Iterator[None]:
    """A line on a terminal for as long as the block lasts, that leaves no trace."""
    from marketcli.output.progress import writable
    from marketcli.output.theme import terminal

    shown = not quiet and terminal(sys.stderr) and writable(sys.stderr)
    line = text[: shutil.get_terminal_size().columns - 1]
    if shown:
        sys.stderr.write(f"\r{line}")
        sys.stderr.flush()
    try:
        yield
    finally:
        if shown and writable(sys.stderr):
            sys.stderr.write(f"\r{' ' * len(line)}\r")
            sys.stderr.flush()


def finish(listing: Listing, checks: Sequence[Check]) -> int:
    """Write or draw the checks; the exit code."""
    from marketcli.cli.listing import framed
    from marketcli.cli.notice import tell
    from marketcli.errors import worst
    from marketcli.output.view import View

    ending = worst([check.exit for check in checks])
    if listing.destination.drawn and not listing.chosen:
        groups = [list(group) for _, group in groupby(checks, key=lambda check: check.exchange)]
        listing.destination.draw([*map(view, groups[:-1]), view(groups[-1], verdict(checks, ending))], candles=False)
        return ending
    frame = framed(map(row, checks), KINDS)
    listing.finish("doctor", frame, view=lambda kept: View(frame=kept, kinds=KINDS))
    if ending:
        tell(listing.config, warnings=[f"{verdict(checks, ending)}."])
    return ending


def row(check: Check) -> tuple[object, ...]:
    """A check as programs read it."""
    where = (check.exchange, check.site, check.host)
    return (*where, check.check, check.ok, check.ms, check.detail, check.hint or None)


def view(checks: Sequence[Check], *caption: str) -> View:
    """The checks of this machine or of an exchange as people read them; what was left out for one reason, together."""
    from marketcli.cli.listing import framed
    from marketcli.output.view import View

    first = checks[0]
    title = [HERE] if first.exchange is None else [first.exchange, *([first.site] if first.site else [])]
    lines = [line(check) for check in checks if check.ok is not None]
    left = {
        check.detail: [one.check for one in checks if one.detail == check.detail]
        for check in checks
        if check.ok is None
    }
    lines += [(", ".join(dict.fromkeys(names)), "skipped", None, reason) for reason, names in left.items()]
    return View(frame=framed(lines, DRAWN), kinds=DRAWN, title=title, caption=caption or ("",))


def line(check: Check) -> tuple[object, ...]:
    """A check as people read it: where, what was found, and what to do about it."""
    where = f"{check.host}: " if check.host and check.host not in check.detail else ""
    what = f"{where}{check.detail}" + (f" {check.hint}" if check.hint else "")
    return check.check, check.result, None if check.ms is None else round(check.ms), what


def verdict(checks: Sequence[Check], ending: int) -> str:
    """All checks in a sentence."""
    taken = [check for check in checks if check.ok is not None]
    broken = [check for check in taken if not check.ok]
    if not broken:
        return f"all well: {len(taken)} checks"
    return f"{len(broken)} of {len(taken)} checks failed, exit code {ending:d}"
