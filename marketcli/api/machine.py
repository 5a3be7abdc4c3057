"""Whether this machine is ready: what runs, the settings file, and the folders that are written."""

from __future__ import annotations

import platform
import tempfile
from typing import TYPE_CHECKING

from marketcli import __version__
from marketcli.api.checks import Check, failed
from marketcli.config import directories, file_of, read, validate
from marketcli.errors import LocalError, MarketError
from marketcli.net.probe import tls_library

if TYPE_CHECKING:
    from pathlib import Path

TRIED_BYTES = 4_096  # written to see whether there is room for an account of a budget


def checks() -> list[Check]:
    """What can be told without asking anybody."""
    places = directories()
    return [versions(), settings(), folder("cache", places.cache), folder("state", places.state)]


def versions() -> Check:
    """What runs here."""
    system = f"{platform.system()} {platform.release()}"
    return Check(
        "versions", ok=True, detail=f"mkt {__version__}, Python {platform.python_version()}, {tls_library()}, {system}"
    )


def settings() -> Check:
    """Whether the user's settings file can be used."""
    path = file_of()
    try:
        values = read(path)
        validate(values, str(path))
    except MarketError as error:
        return Check("settings", ok=False, detail=error.message, hint=f"{error.hint} It is left out.", exit=error.exit)
    count = f"{len(values)} setting{'' if len(values) == 1 else 's'} in {path}"
    return Check("settings", ok=True, detail=count if path.exists() else f"{path} does not exist, and need not")


def folder(name: str, path: Path) -> Check:
    """Whether a folder can be written, or made where it is not there yet. What is written leaves no trace."""
    try:
        place = next(one for one in (path, *path.absolute().parents) if one.exists())
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b" " * TRIED_BYTES)
            file.flush()
    except OSError as error:
        reason = f"The {name} folder {path} cannot be written: {error.strerror or error}."
        return failed(name, LocalError(reason, hint=f"Mend it, or set MKT_{name.upper()}_DIR to another folder."))
    return Check(name, ok=True, detail=f"{path} can be {'written' if place == path else 'made'}")
