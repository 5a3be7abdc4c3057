"""What a shell may offer on Tab: only what stands on this machine, and only names that are harmless in a shell.

Typer's scripts put what is printed here into the command line, and the one for zsh evaluates it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from marketcli.config import Config

MOST = 200  # names offered at once
SAFE = frozenset("._-/")  # besides letters and digits
SETTINGS = ("exchange", "market", "site", "testnet", "via")  # what decides which lists are meant
WINDOWED = {"oi": "oi_history", "funding": "funding_history"}
LISTINGS = ("exchanges", "limits", "schema", "show")  # commands about what this machine knows by itself
POSITIONS = ("oi", "funding", "ratio")  # commands about what spot does not have


def words(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Symbols, and intervals once a symbol stands, for `mkt ohlc`."""
    found = symbols(ctx, incomplete)
    return [*intervals(ctx, incomplete), *found] if ctx.params.get("words") else found


def symbols(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Names from the instrument lists kept here, of all exchanges that are asked; those that trade first.

    The exchange's own names go before the canonical ones, unless several exchanges are asked: only the canonical ones
    mean the same to all.
    """
    config = settings(ctx)
    if config is None:
        return []
    low = incomplete.islower()
    offered: dict[str, str] = {}
    for market, name in names(config, derivatives=ctx.info_name in POSITIONS):
        shown = name.lower() if low else name
        if shown.startswith(incomplete) and shown not in offered and harmless(shown):
            offered[shown] = market
            if len(offered) == MOST:
                break
    return list(offered.items())


def intervals(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The intervals that every exchange asked has."""
    from marketcli import exchanges
    from marketcli.errors import MarketError

    config = settings(ctx)
    try:
        asked = exchanges.chosen(config.exchange) if config else []
    except MarketError:
        return []
    known = [one for one in asked[0].intervals if all(one in other.intervals for other in asked)] if asked else []
    return [(str(one), "interval") for one in known if str(one).startswith(incomplete)]


def exchange_names(incomplete: str) -> list[str]:
    """The exchanges there are, and `all`; behind a comma those that are not there yet."""
    from marketcli import exchanges

    listed = listing(incomplete, exchanges.names())
    return [*listed, "all"] if "all".startswith(incomplete) else listed


def markets(incomplete: str) -> list[str]:
    """The markets there are."""
    from marketcli.models import Market

    return [market.value for market in Market if market.value.startswith(incomplete)]


def prices(incomplete: str) -> list[str]:
    """The prices candles are made of."""
    from marketcli.datasets import CANDLES

    return [name for name in CANDLES if name.startswith(incomplete)]


def formats(incomplete: str) -> list[str]:
    """The formats rows are written in."""
    from marketcli.output.files import FORMATS

    return [name for name in FORMATS if name.startswith(incomplete)]


def streamed_formats(incomplete: str) -> list[str]:
    """The formats a watch is written in."""
    from marketcli.output.lines import FORMATS

    return [name for name in ("table", *FORMATS) if name.startswith(incomplete)]


def streamed_fields(ctx: typer.Context, incomplete: str) -> list[str]:
    """The columns of what is watched; behind a comma those that are not there yet."""
    from marketcli.datasets import dataset_named

    return listing(incomplete, dataset_named(ctx.info_name or "").fields)


def fields(ctx: typer.Context, incomplete: str) -> list[str]:
    """The columns of what the command prints; behind a comma those that are not there yet."""
    return listing(incomplete, columns(ctx))


def listing(incomplete: str, known: Iterable[str]) -> list[str]:
    """Names that a list with commas may go on with."""
    lead, comma, begun = incomplete.rpartition(",")
    taken = lead.split(",")
    return [f"{lead}{comma}{name}" for name in known if name.startswith(begun) and name not in taken]


def keys(incomplete: str) -> list[str]:
    """The settings there are."""
    from marketcli.config import Config

    return [key for key in Config.model_fields if key.startswith(incomplete)]


def values(ctx: typer.Context, incomplete: str) -> list[str]:
    """What the setting named before may be, where that is one of a few words."""
    from marketcli.config import Config

    key = ctx.params.get("key") or ""
    if offer := {"exchange": exchange_names, "market": markets, "format": formats}.get(key):
        return offer(incomplete)
    kind = Config.model_fields[key].annotation if key in Config.model_fields else None
    words = ("true", "false") if kind is bool else get_args(kind) if get_origin(kind) is Literal else ()
    return [word for word in words if word.startswith(incomplete)]


def datasets(incomplete: str) -> list[str]:
    """The datasets there are."""
    from marketcli.datasets import SCHEMAS

    return [name for name in SCHEMAS if name.startswith(incomplete)]


def statuses(incomplete: str) -> list[str]:
    """What an instrument may be doing."""
    from marketcli.cli.instruments import STATUSES

    return [status for status in STATUSES if status.startswith(incomplete)]


def topics(ctx: typer.Context, incomplete: str) -> list[str]:
    """What there is help on: topics, then commands."""
    from marketcli.cli.topics import TOPICS, commands

    return [name for name in (*TOPICS, *commands(ctx)) if name.startswith(incomplete)]


def columns(ctx: typer.Context) -> list[str]:
    """The columns of a command's rows."""
    from marketcli.datasets import CANDLES, SCHEMAS

    command = {"resolve": "instruments"}.get(ctx.info_name or "", ctx.info_name or "")
    if command == "ohlc":
        candles = CANDLES.get(ctx.params.get("price") or "")
        return list(candles.fields) if candles else []
    if command in LISTINGS:
        return list(listed(command))
    known = [dataset for name in (command, WINDOWED.get(command, "")) if (dataset := SCHEMAS.get(name))]
    return list(dict.fromkeys(name for dataset in known for name in dataset.fields))


def listed(command: str) -> Iterable[str]:
    """The columns of one of `LISTINGS`; whether a schema is that of one dataset is not known before its options end."""
    from marketcli.cli import config, exchanges, limits, schema

    return {
        "exchanges": exchanges.KINDS,
        "limits": limits.KINDS,
        "schema": schema.DATASET_KINDS | schema.COLUMN_KINDS,
        "show": config.KINDS,
    }[command]


def settings(ctx: typer.Context) -> Config | None:
    """The settings in force, or nothing if they are broken: a shell is no place to say so."""
    from marketcli.config import load
    from marketcli.errors import MarketError

    given: dict[str, Any] = {}
    above: Any = ctx
    while above is not None:  # the later option wins
        given = {name: value for name, value in above.params.items() if value is not None} | given
        above = above.parent
    try:
        return load({name: given.get(name) or None for name in SETTINGS})[0]
    except MarketError:
        return None


def names(config: Config, *, derivatives: bool) -> Iterator[tuple[str, str]]:
    """Market and name of every instrument: what trades before what does not."""
    asked = asked_of(config)
    rows = [(market, *row) for exchange in asked for market, path in lists(config, exchange) for row in read(path)]
    rows.sort(key=lambda row: row[3] != "trading")
    for place in (1, 2) if len(asked) == 1 else (2, 1):
        yield from ((row[0], row[place]) for row in rows if row[0] != "spot" or not derivatives)


def asked_of(config: Config) -> list[str]:
    """The exchanges that are asked, by name: unlike `exchanges.chosen` this loads none of them."""
    from marketcli import exchanges

    words = [word.strip().lower() for word in config.exchange.split(",")]
    return exchanges.names() if "all" in words else words


def lists(config: Config, exchange: str) -> Iterator[tuple[str, Path]]:
    """The kept list of every market that counts (`catalog.Catalog.path`), the newest shape of each."""
    from marketcli.config import directories
    from marketcli.models import Market
    from marketcli.text import path_part

    site = "testnet" if config.testnet else config.site or "live"
    folder = directories().cache / "instruments" / (path_part(config.via) if config.via else "direct")
    for market in (Market.LINEAR, Market.SPOT, Market.INVERSE):
        found = sorted(folder.glob(f"{path_part(exchange)}-{path_part(site)}-{market}.*.json"), key=age)
        if found and config.market in {None, market}:
            yield market.value, found[-1]


def age(path: Path) -> float:
    """When a list was written; one that has just been replaced counts as oldest."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def read(path: Path) -> list[tuple[str, str, str]]:
    """Native name, canonical name and status of the instruments in a list; nothing from one that cannot be read."""
    import json

    try:
        kept = json.loads(path.read_bytes())
        rows = [(one["native"], one["symbol"], one["status"]) for one in kept["instruments"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    return [row for row in rows if all(isinstance(word, str) for word in row)]


def harmless(name: str) -> bool:
    """Whether a shell takes a name for nothing but itself."""
    return name[:1].isalnum() and all(character.isalnum() or character in SAFE for character in name)
