"""Answers that change slowly, kept between commands for as long as their endpoint says."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.disk import staged
from marketcli.errors import LocalError
from marketcli.models import SECOND
from marketcli.text import path_part

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from marketcli.models import Micros
    from marketcli.spec import Endpoint, Rows

log = logging.getLogger("marketcli.api")


class Answered(msgspec.Struct, frozen=True):
    """Rows as they were decoded, with what was asked and when."""

    fetched: int  # microseconds
    columns: tuple[str, ...]
    params: dict[str, str | int]
    rows: list[tuple[Any, ...]]


class Kept:
    """A folder of answers (None: nothing is kept)."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def path(self, where: str, endpoint: Endpoint) -> Path | None:
        """Where an answer is kept; `where` names exchange and site."""
        return self.folder / f"{path_part(where)}-{path_part(endpoint.path)}.json" if self.folder else None

    def read(self, where: str, endpoint: Endpoint, params: Mapping[str, str | int], *, now: Micros) -> Rows | None:
        """The rows of an answer to the same question that is still good, if there is one."""
        path = self.path(where, endpoint)
        if path is None or endpoint.keep is None:
            return None
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=Answered)
        except (OSError, msgspec.DecodeError) as error:
            log.debug("no usable answer in %s: %s", path, error)
            return None
        same = (kept.columns, kept.params) == (endpoint.columns, dict(params))
        fresh = 0 <= now - kept.fetched < endpoint.keep.total_seconds() * SECOND
        return kept.rows if same and fresh else None

    def write(
        self, where: str, endpoint: Endpoint, params: Mapping[str, str | int], rows: Rows, *, now: Micros
    ) -> None:
        """Keep an answer; not being able to costs a request next time, nothing more."""
        path = self.path(where, endpoint)
        if path is None or endpoint.keep is None:
            return
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with staged(path, force=True, mode=0o600) as file:
                file.write(msgspec.json.encode(Answered(now, endpoint.columns, dict(params), rows)))
        except (OSError, LocalError) as error:
            log.info("the answer of %s is not kept: %s", endpoint.path, error)
