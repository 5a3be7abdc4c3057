"""What `-v` and `--log-file` write: every request, nothing secret."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from marketcli.errors import LocalError
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

LINE = 1_000  # characters of a log line's text


class Lines(logging.Formatter):
    """A request as people read it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line: method, host, path with query, weight, status and milliseconds."""
        details: Mapping[str, object] | None = getattr(record, "details", None)
        if details is None:
            return clean(record.getMessage(), LINE)
        params = details["params"]
        query = "&".join(f"{name}={value}" for name, value in params.items()) if isinstance(params, dict) else ""
        asked = clean(f"{details['method']} {details['host']}{details['path']}{'?' if query else ''}{query}", LINE)
        return f"{asked}  weight {details['weight']}  {details['status']}  {details['ms']} ms"


class JsonLines(logging.Formatter):
    """A request as programs read it: one JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with its time, level and details."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": clean(record.getMessage(), LINE),
        }
        entry |= getattr(record, "details", {})
        return json.dumps(entry, default=str)


def start(verbose: int, log_file: str | None) -> None:
    """Begin to log. Raises `LocalError` if the file cannot be opened."""
    logger = logging.getLogger("marketcli")
    logger.propagate = False
    logger.setLevel(logging.INFO if verbose or log_file else logging.WARNING)
    if verbose:
        screen = logging.StreamHandler(sys.stderr)
        screen.setFormatter(Lines())
        logger.addHandler(screen)
    if log_file:
        try:
            file = logging.FileHandler(Path(log_file).expanduser(), encoding="utf-8")
        except OSError as error:
            raise LocalError(
                f"The log {log_file} cannot be written: {error.strerror}.", hint="See --log-file."
            ) from None
        file.setFormatter(JsonLines())
        logger.addHandler(file)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
