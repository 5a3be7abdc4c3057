"""Exchanges: one folder each, found by name, loaded when asked.

Other packages register theirs under the entry point group `marketcli.exchanges`; the entry names a package laid out
like the folders here: `EXCHANGE` in the package, `SIMULATOR` in its module `sandbox`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
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


def chosen(text: str) -> list[Exchange]:
    """The exchanges that `-e` names: one, several with commas, or `all`. Raises `UsageError`."""
    wanted = [name.strip().lower() for name in text.split(",") if name.strip()]
    if not wanted:
        raise UsageError("No exchange is named.", hint=f"Use one of {', '.join(names())}, or all.")
    every = [one for name in wanted for one in (names() if name == "all" else [name])]
    return [load(name) for name in dict.fromkeys(every)]


def simulator(name: str) -> Simulator | None:
    """The sandbox side of an exchange; another package's may have none."""
    module = f"{package(name).__name__}.sandbox"
    found: Simulator | None = import_module(module).SIMULATOR if find_spec(module) else None
    return found


def package(name: str) -> Any:
    """Import the package of an exchange; the ones in this folder without looking further."""
    if name.isidentifier() and (Path(__file__).parent / name / "rest.py").is_file():
        return import_module(f"{__name__}.{name}")
    if name not in packages():
        raise UsageError(f"There is no exchange {name!r}.", hint=f"Use one of {', '.join(names())}.")
    return import_module(packages()[name])
