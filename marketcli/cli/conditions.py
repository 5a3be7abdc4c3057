"""Options that are short for a filter, and amounts as people write them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from marketcli.errors import UsageError
from marketcli.text import clean

if TYPE_CHECKING:
    from marketcli.cli.options import Output
    from marketcli.datasets import Dataset

AMOUNT = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)([kmbt]?)", re.ASCII | re.IGNORECASE)
UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}


def amount(text: str, *, option: str) -> float:
    """A positive amount: `50000`, `50k`, `1.5m`. Raises `UsageError` that names the option."""
    match = AMOUNT.fullmatch(text.strip())
    if match is None or float(match[1]) == 0:
        raise UsageError(f"{option} {clean(text)!r} is no amount.", hint="Write 50000, 50k or 1.5m.")
    return float(match[1]) * UNITS[match[2].lower()]


def narrowed(output: Output, dataset: Dataset, *conditions: str) -> Output:
    """The options with these conditions before that of --where. Raises `UsageError` about what the user wrote."""
    if not conditions:
        return output
    if output.where is None:
        return replace(output, where=" and ".join(conditions))
    from marketcli.cli.where import Where
    from marketcli.datasets import kinds

    Where.of(output.where, kinds(dataset) | {"fallback_from": "text"})
    return replace(output, where=" and ".join([*conditions, f"({output.where})"]))
