"""`mkt` inside the test's own process: quicker than a process of its own, and what it stands on can be replaced."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cli_runner import Run

from marketcli.cli.run import outcome

if TYPE_CHECKING:
    import pytest


def inside(captured: pytest.CaptureFixture[bytes], *words: str) -> Run:
    """Run `mkt` with these words to its end; `captured` is the fixture `capfdbinary`."""
    code = outcome(list(words))
    sys.stdout.flush()
    printed = captured.readouterr()
    return Run(code, printed.out.decode(), printed.err.decode())
