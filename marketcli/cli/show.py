"""Where a command's rows go: a table on a terminal, exact rows in a pipe or a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from marketcli.cli.run import Closed
from marketcli.errors import LocalError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from marketcli.cli.options import Output
    from marketcli.config import Config
