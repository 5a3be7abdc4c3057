"""Errors on stderr, the way the settings say."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.config import Config
    from marketcli.errors import MarketError


def complain(error: MarketError, config: Config) -> None:
    """Print an error: a sentence and what to do, or JSON."""
    from marketcli.output import notices

    if config.errors == "json":
        print(notices.as_json(error), file=sys.stderr)  # noqa: T201 - the line that was asked for
    else:
        notices.error(sys.stderr, error, color=False if config.no_color else None)


def tell(config: Config, *, warnings: Sequence[str] = (), notes: Sequence[str] = ()) -> None:
    """Say on stderr what is not data."""
    from marketcli.output import notices

    color = False if config.no_color else None
    for sentence in warnings:
        notices.warning(sys.stderr, sentence, color=color)
    for sentence in notes:
        notices.note(sys.stderr, sentence, color=color)
