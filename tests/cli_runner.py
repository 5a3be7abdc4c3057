"""`mkt` itself, in a process of its own, as users run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Run:
    returncode: int
    stdout: str
    stderr: str

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stdout.splitlines()]


def mkt(
    *words: str,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
    timeout: float = 60,
    cwd: str | None = None,
) -> Run:
    """Run `mkt` with these words to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "marketcli", *words],
        input=stdin,
        env=os.environ | dict(environment or {}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
        cwd=cwd,
    )
    return Run(done.returncode, done.stdout, done.stderr)
