"""One answer for now, joined from all the requests that it takes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from marketcli.errors import NotOffered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketcli.history.fetch import Ask
    from marketcli.models import Instrument
    from marketcli.spec import Endpoint, Query

YEAR_HOURS = 365 * 24


async def snapshot(ask: Ask, endpoint: Endpoint, query: Query, *, instrument: Instrument) -> dict[str, Any]:
    """The columns of one instrument: the endpoint's own, those asked for beside it, and what `fill` says of the rest.

    Raises `NotOffered` if the exchange answers about everything but the instrument.
    """
    parts = await asyncio.gather(*(rows_by_name(ask, one, query) for one in (endpoint, *endpoint.joins)))
    if instrument.native not in parts[0]:
        raise NotOffered(f"{instrument.exchange} says nothing about the {query.dataset.title} of {instrument.symbol}.")
    row: dict[str, Any] = dict(endpoint.fill)
    for part in reversed(parts):  # where two say the same, the endpoint's own word counts
        row |= part.get(instrument.native, {})
    return row


async def rows_by_name(ask: Ask, endpoint: Endpoint, query: Query) -> Mapping[str, dict[str, Any]]:
    """What one request tells, by the exchange's name of the instrument."""
    found: dict[str, dict[str, Any]] = {}
    for page in endpoint.pages(endpoint, query):
        for row in await ask(endpoint, query, page):
            named = dict(zip(endpoint.columns, row, strict=True))
            found[named.pop("native")] = named
    return found


def with_funding(row: dict[str, Any]) -> dict[str, Any]:
    """Funding with what follows from it: the yearly rate and the basis."""
    rate, hours, mark, index = (row.get(name) for name in ("rate", "interval_h", "mark", "index"))
    return row | {"apr": yearly(rate, hours), "basis": mark / index - 1 if mark and index else None}


def yearly(rate: float | None, interval_h: float | None) -> float | None:
    """A rate per interval as a rate per 365 days, not compounded."""
    return rate * YEAR_HOURS / interval_h if rate is not None and interval_h else None


def with_value(row: dict[str, Any], instrument: Instrument) -> dict[str, Any]:
    """Open interest in all three units: contracts through the contract size, the rest through the mark price."""
    contracts, base, mark = row.get("oi_contracts"), row.get("oi_base"), row.get("mark")
    if contracts is not None and instrument.inverse:
        value = contracts * instrument.contract_size
        return row | {"oi_quote": value, "oi_base": value / mark if mark else None}
    return row | {"oi_quote": base * mark if base is not None and mark else None}
