"""What a table shows and what is written around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from marketcli.models import Micros
    from marketcli.output.text import Kinds


@dataclass(frozen=True, slots=True)
class View:
    """A frame with its headline, its caption and its notes; texts may be remote, they are cleaned when drawn.

    `title` holds the parts of the headline, the first of them set off; `caption` the parts of the line below, `notes`
    whole sentences. `base` and `quote` name the units of volumes, and `tick` is the price step. `closes_at` is when an
    open last candle ends, by the exchange's clock, as is `now`.
    """

    frame: pl.DataFrame
    kinds: Kinds
    title: Sequence[str] = ()
    caption: Sequence[str] = ()
    notes: Sequence[str] = ()
    base: str = "base"
    quote: str = "quote"
    tick: float | None = None
    closes_at: Micros | None = None
    now: Micros | None = None
