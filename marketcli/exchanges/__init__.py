"""Exchanges: one folder each, found by name, loaded when asked.

Other packages register theirs under the entry point group `marketcli.exchanges`; the entry names a package laid out
like the folders here: `EXCHANGE` in the package, `SIMULATOR` in its module `sandbox`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketcli.errors import UsageError

if TYPE_CHECKING:
    from marketcli.simulator import Simulator
    from marketcli.spec import Exchange

GROUP = "marketcli.exchanges"


@cache
def packages() -> dict[str, str]:
    """Name of every exchange and the package that holds it; nothing is imported."""
    here = {
        folder.parent.name: f"{__name__}.{folder.parent.name}" for folder in Path(__file__).parent.glob("*/rest.py")
    }
    from importlib.metadata import entry_points  # noqa: PLC0415 - costs 76 ms; only when exchanges are looked up

    return {entry.name: entry.value for entry in entry_points(group=GROUP)} | dict(sorted(here.items()))


def names() -> list[str]:
    """The exchanges there are."""
    return sorted(packages())


def load(name: str) -> Exchange:
    """The table of an exchange. Raises `UsageError` that lists the names."""
    exchange: Exchange = package(name).EXCHANGE
    return exchange


def simulator(name: str) -> Simulator:
    """The sandbox side of an exchange."""
    simulated: Simulator = import_module(f"{package(name).__name__}.sandbox").SIMULATOR
    return simulated


def package(name: str) -> Any:
    """Import the package of an exchange; the ones in this folder without looking further."""
    if name.isidentifier() and (Path(__file__).parent / name / "rest.py").is_file():
        return import_module(f"{__name__}.{name}")
    if name not in packages():
        raise UsageError(f"There is no exchange {name!r}.", hint=f"Use one of {', '.join(names())}.")
    return import_module(packages()[name])
