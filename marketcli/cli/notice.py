"""Errors on stderr, the way the settings say."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from marketcli.config import Config
    from marketcli.errors import MarketError


def complain(error: MarketError, config: Config) -> None:
    """Print an error: a sentence and what to do, or JSON."""
    from marketcli.output import notices

    if config.errors == "json":
        sys.stderr.write(notices.as_json(error) + "\n")
    else:
        notices.error(sys.stderr, error, color=False if config.no_color else None)


def tell(config: Config, *, warnings: Sequence[str] = (), notes: Sequence[str] = ()) -> None:
    """Say on stderr what is not data."""
    from marketcli.output import notices

    if config.errors == "json":
        for kind, sentences in (("warning", warnings), ("note", notes)):
            for sentence in sentences:
                put({kind: {"message": sentence}})
        return
    color = False if config.no_color else None
    for sentence in warnings:
        notices.warning(sys.stderr, sentence, color=color)
    for sentence in notes:
        notices.note(sys.stderr, sentence, color=color)


def put(entry: Mapping[str, object]) -> None:
    """One JSON line on stderr."""
    sys.stderr.write(json.dumps(entry) + "\n")
