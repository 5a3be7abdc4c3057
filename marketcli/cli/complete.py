"""What a shell may offer on Tab: only what stands on this machine, and only names that are harmless in a shell.

Typer's scripts put what is printed here into the command line, and the one for zsh evaluates it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from marketcli.config import Config

MOST = 200  # names offered at once
SAFE = frozenset("._-/")  # besides letters and digits
SETTINGS = ("exchange", "market", "testnet", "via")  # what decides which list is meant
WINDOWED = {"oi": "oi_history", "funding": "funding_history"}


def words(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Symbols, and intervals once a symbol stands, for `mkt ohlc`."""
    found = symbols(ctx, incomplete)
    return [*intervals(ctx, incomplete), *found] if ctx.params.get("words") else found


def symbols(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Native and canonical names from the instrument lists kept here, those that trade first."""
    config = settings(ctx)
    if config is None:
        return []
    low = incomplete.islower()
    offered: dict[str, str] = {}
    for market, name in names(config):
        shown = name.lower() if low else name
        if shown.startswith(incomplete) and shown not in offered and harmless(shown):
            offered[shown] = market
            if len(offered) == MOST:
                break
    return list(offered.items())


def intervals(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The intervals of the exchange."""
    from marketcli import exchanges
    from marketcli.errors import MarketError

    config = settings(ctx)
    try:
        known = exchanges.load(config.exchange).intervals if config else ()
    except MarketError:
        return []
    return [(str(one), "interval") for one in known if str(one).startswith(incomplete)]


def exchange_names(incomplete: str) -> list[str]:
    """The exchanges there are."""
    from marketcli import exchanges

    return [name for name in exchanges.names() if name.startswith(incomplete)]


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


def fields(ctx: typer.Context, incomplete: str) -> list[str]:
    """The columns of what the command prints; behind a comma those that are not there yet."""
    lead, comma, begun = incomplete.rpartition(",")
    taken = lead.split(",")
    return [f"{lead}{comma}{name}" for name in columns(ctx) if name.startswith(begun) and name not in taken]


def keys(incomplete: str) -> list[str]:
    """The settings there are."""
    from marketcli.config import Config

    return [key for key in Config.model_fields if key.startswith(incomplete)]


def columns(ctx: typer.Context) -> list[str]:
    """The columns of a command's rows, as far as a dataset has them."""
    from marketcli.datasets import CANDLES, DATASETS

    command = ctx.info_name or ""
    if command == "resolve":
        command = "instruments"
    chosen = [CANDLES.get(ctx.params.get("price") or "")] if command == "ohlc" else []
    chosen += [DATASETS.get(command), DATASETS.get(WINDOWED.get(command, ""))]
    known = [dataset for dataset in chosen if dataset is not None]
    if command == "ohlc":
        known = known[:1]
    return list(dict.fromkeys(name for dataset in known for name in dataset.fields))


def settings(ctx: typer.Context) -> Config | None:
    """The settings in force, or nothing if they are broken: a shell is no place to say so."""
    from marketcli.config import load
    from marketcli.errors import MarketError

    given: dict[str, Any] = {**ctx.find_root().params, **{k: v for k, v in ctx.params.items() if v is not None}}
    try:
        return load({name: given.get(name) or None for name in SETTINGS})[0]
    except MarketError:
        return None


def names(config: Config) -> Iterator[tuple[str, str]]:
    """Market and name of every instrument: natives before canonical names, what trades before what does not."""
    rows = [(market, *row) for market, path in lists(config) for row in read(path)]
    rows.sort(key=lambda row: row[3] != "trading")
    for place in (1, 2):
        yield from ((row[0], row[place]) for row in rows)


def lists(config: Config) -> Iterable[tuple[str, Path]]:
    """The kept list of every market that counts (`catalog.Catalog.path`), the newest shape of each."""
    from marketcli.config import directories
    from marketcli.models import Market
    from marketcli.text import path_part

    site = "testnet" if config.testnet else "live"
    folder = directories().cache / "instruments" / (path_part(config.via) if config.via else "direct")
    for market in (Market.LINEAR, Market.SPOT, Market.INVERSE):
        found = sorted(
            folder.glob(f"{path_part(config.exchange)}-{site}-{market}.*.json"), key=lambda one: one.stat().st_mtime
        )
        if found and config.market in {None, market}:
            yield market.value, found[-1]


def read(path: Path) -> list[tuple[str, str, str]]:
    """Native name, canonical name and status of the instruments in a list; nothing from one that cannot be read."""
    import json

    try:
        kept = json.loads(path.read_bytes())
        return [(one["native"], one["symbol"], one["status"]) for one in kept["instruments"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def harmless(name: str) -> bool:
    """Whether a shell takes a name for nothing but itself."""
    return name[:1].isalnum() and all(character.isalnum() or character in SAFE for character in name)
