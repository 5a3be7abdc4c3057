"""`mkt` on a terminal of its own."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from ptyprocess import PtyProcess

if TYPE_CHECKING:
    from collections.abc import Mapping

SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def spawn(*words: str, columns: int = 80, environment: Mapping[str, str] | None = None) -> PtyProcess:
    """Start `mkt` on a terminal so many columns wide."""
    command = [sys.executable, "-m", "marketcli", *words]
    return PtyProcess.spawn(command, dimensions=(40, columns), env=os.environ | dict(environment or {}))


def screen(*words: str, columns: int = 80, environment: Mapping[str, str] | None = None) -> tuple[str, int]:
    """What `mkt` prints on a terminal, and its exit code."""
    process = spawn(*words, columns=columns, environment=environment)
    printed = b""
    while True:
        try:
            printed += process.read(65_536)
        except EOFError:
            break
    process.wait()
    return printed.decode(), process.exitstatus if process.exitstatus is not None else -process.signalstatus


def plain(text: str) -> list[str]:
    """The lines without colours."""
    return SEQUENCE.sub("", text).replace("\r", "").splitlines()
