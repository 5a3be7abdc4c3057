"""`mkt config`: what is set, where it was set, and setting it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from marketcli.cli import complete
from marketcli.cli.notice import tell
from marketcli.cli.options import Everywhere, Output, flags_of, options, settle
from marketcli.errors import LocalError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {"key": "text", "value": "text", "origin": "text"}
ADDRESSES = ("via", "proxy")  # which may hold a password

app = typer.Typer()

Key = Annotated[
    str, typer.Argument(metavar="KEY", help="For example exchange.", show_default=False, autocompletion=complete.keys)
]


@app.callback(invoke_without_command=True)
def config(ctx: typer.Context) -> None:
    """Show and change settings: flag over MKT_* variable over file over default.

    mkt config show --origin
    mkt config set exchange binance
    mkt config init
    """
    if ctx.invoked_subcommand is None:
        ctx.get_help()  # Typer's own prints it


@app.command("show")
@options(Everywhere, Output)
def show(
    ctx: typer.Context,
    everywhere: Everywhere,
    output: Output,
    *,
    origin: Annotated[
        bool, typer.Option("--origin", metavar="", help="Where each comes from: flag, variable, file or default.")
    ] = False,
) -> int:
    """Show the settings in force.

    mkt config show --origin
    mkt config show -f json
    """
    from marketcli.cli.listing import Listing, framed
    from marketcli.config import file_of, origins
    from marketcli.output.view import View

    kinds = {name: kind for name, kind in KINDS.items() if origin or name != "origin"}
    listing = Listing.of(ctx.obj, everywhere, output, kinds=kinds)
    sources = origins(flags_of(ctx.obj, everywhere)[0])
    rows = ((key, shown(key, getattr(listing.config, key)), source) for key, source in sources.items())
    frame = framed(rows, KINDS).select(list(kinds))
    path = file_of()
    note = f"The file is {path}." if path.exists() else f"There is no {path}; mkt config init writes one."
    return listing.finish(
        "settings", frame, view=lambda kept: View(frame=kept, kinds=kinds, title=["settings"], notes=[note])
    )


@app.command("get")
@options(Everywhere)
def get(ctx: typer.Context, key: Key, everywhere: Everywhere) -> int:
    """Print one setting in force, and nothing else."""
    from marketcli.config import checked_key

    checked_key(key)
    config, _, warnings = settle(ctx.obj, everywhere)
    tell(config, warnings=warnings)
    typer.echo(written(getattr(config, key)) or "")
    return 0


@app.command("set")
@options(Everywhere)
def change(
    ctx: typer.Context,
    key: Key,
    value: Annotated[
        str,
        typer.Argument(
            metavar="VALUE",
            help="Lists are separated by commas.",
            show_default=False,
            autocompletion=complete.values,
        ),
    ],
    everywhere: Everywhere,
) -> int:
    """Write a setting into the file; every other line of it stays as it is.

    mkt config set exchange binance
    mkt config set quotes USDC,USDT
    """
    from marketcli.config import PREFIX, Config, checked_value, edited, file_of, read

    known(key, value)
    found, path = checked_value(key, value), file_of()
    read(path)
    save(path, edited(content(path), key, found))
    flags, manner = flags_of(ctx.obj, everywhere)
    in_json = "json" in {flags.get("errors"), os.environ.get(f"{PREFIX}ERRORS")}
    variable = f"{PREFIX}{key.upper()}"
    warnings = [f"{variable} is set and wins over the file."] if os.environ.get(variable) else []
    notes = [] if manner.quiet else [f"{key} is {shown(key, found)} in {path}."]
    # not the settings in force: the rest of the file may be broken, and this may be how it is mended
    tell(Config.model_validate({"errors": "json" if in_json else "text"}), warnings=warnings, notes=notes)
    return 0


@app.command("path")
@options(Everywhere)
def path(everywhere: Everywhere) -> int:  # noqa: ARG001 - what is accepted everywhere is accepted here
    """Print where the settings file is, or would be."""
    from marketcli.config import file_of

    typer.echo(str(file_of()))
    return 0


@app.command("init")
@options(Everywhere)
def init(
    everywhere: Everywhere,  # noqa: ARG001 - what is accepted everywhere is accepted here
    *,
    force: Annotated[bool, typer.Option("--force", metavar="", help="Replace the file.")] = False,
) -> int:
    """Write a settings file that shows every key, its meaning and its default."""
    from marketcli.config import file_of, sample

    path = file_of()
    if path.exists() and not force:
        raise UsageError(f"{path} exists already.", hint="See `mkt config show --origin`; --force begins anew.")
    save(path, sample(), force=force)
    typer.echo(str(path))
    return 0


def shown(key: str, value: object) -> str | None:
    """A value as others may see it: without the password of an address."""
    from marketcli.net.address import masked

    return masked(value) if key in ADDRESSES and isinstance(value, str) else written(value)


def written(value: object) -> str | None:
    """A value as `mkt config set` takes it."""
    from marketcli.config import toml

    if value is None or isinstance(value, str):
        return value
    return ",".join(value) if isinstance(value, list) else toml(value)


def known(key: str, value: str) -> None:
    """Refuse an exchange or format that does not exist."""
    from marketcli import exchanges
    from marketcli.output.files import FORMATS

    if key in ("exchange", "fallback"):
        exchanges.chosen(value)
    if key == "format" and value not in FORMATS:
        raise UsageError(f"There is no format {value!r}.", hint=f"Use one of {', '.join(FORMATS)}.")


def content(path: Path) -> str:
    """The text of the file, line ends as they are; nothing if there is none."""
    return path.read_bytes().decode() if path.exists() else ""


def save(path: Path, text: str, *, force: bool = True) -> None:
    """Write the settings file whole, for the user alone; where it is a link, the file behind it."""
    from marketcli.disk import staged

    target = path.resolve()
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with staged(target, force=force, mode=0o600) as file:
            file.write(text.encode())
    except (OSError, LocalError) as error:
        reason = (
            error.message if isinstance(error, LocalError) else f"{path.parent} cannot be created: {error.strerror}."
        )
        raise LocalError(reason, hint="Set MKT_CONFIG_DIR to a directory that can be written.") from error
