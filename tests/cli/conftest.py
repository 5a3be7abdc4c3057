"""A sandbox whose clock stands still, and `mkt` run against it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cli_runner import Run, mkt

from marketcli.models import to_micros
from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = to_micros(datetime(2026, 11, 21, 9, 30, tzinfo=UTC))


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(clock=lambda: NOW, limits=False) as running:  # a clock that stands never gives a budget back
        yield running


@pytest.fixture
def ask(sandbox: Sandbox) -> Callable[..., Run]:
    """`mkt --via SANDBOX …`; faults are taken back afterwards by those who set them."""

    def run(*words: str, stdin: str = "", **environment: str) -> Run:
        return mkt("--via", sandbox.url, *words, stdin=stdin, environment=environment)

    return run
