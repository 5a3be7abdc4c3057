"""Answers for now, joined from all the requests that they take."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from marketcli.errors import NotOffered
from marketcli.history.fetch import every_row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketcli.history.fetch import Ask
    from marketcli.models import Instrument, Micros
    from marketcli.spec import Endpoint, Query


async def snapshot(
    ask: Ask, endpoint: Endpoint, query: Query, *, instrument: Instrument, now: Callable[[], Micros]
) -> dict[str, Any]:
    """The columns of one instrument. Raises `NotOffered` if the exchange answers about everything but it."""
    found = await snapshots(ask, endpoint, query, now=now)
    if instrument.native not in found:
        raise NotOffered(f"{instrument.exchange} says nothing about the {query.dataset.title} of {instrument.symbol}.")
    return found[instrument.native]


async def snapshots(
    ask: Ask, endpoint: Endpoint, query: Query, *, now: Callable[[], Micros]
) -> dict[str, dict[str, Any]]:
    """The columns of every instrument that is answered about, by the exchange's name of it."""
    return {row["native"]: row for row in await joined(ask, endpoint, query, now=now)}


async def joined(ask: Ask, endpoint: Endpoint, query: Query, *, now: Callable[[], Micros]) -> list[dict[str, Any]]:
    """The endpoint's rows, what those asked for beside it add to each, and what `fill` says of the rest.

    Where two say the same, the endpoint's own word counts; what it leaves blank, a joined one may fill.
    """
    own, *beside = await asyncio.gather(*(named(ask, one, query) for one in (endpoint, *endpoint.joins)))
    tables = [
        (other.on, {row[other.on]: row for row in rows}) for other, rows in zip(endpoint.joins, beside, strict=True)
    ]
    moment = now()
    filled = {name: value(moment) if callable(value) else value for name, value in endpoint.fill.items()}
    return [merged(filled, *(table.get(row[on], {}) for on, table in reversed(tables)), row) for row in own]


def merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """All columns of several parts; the later one's word counts unless it is blank."""
    row: dict[str, Any] = {}
    for part in parts:
        row |= {name: value for name, value in part.items() if value is not None or name not in row}
    return row


async def named(ask: Ask, endpoint: Endpoint, query: Query) -> list[dict[str, Any]]:
    """The rows of an endpoint, their values by column."""
    rows = await every_row(ask, endpoint, query)
    return [dict(zip(endpoint.columns, row, strict=True)) for row in rows]
