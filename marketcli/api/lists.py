"""Instrument lists, of one exchange or several; the failure of one leaves the others'."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from marketcli import exchanges, frames
from marketcli.api.session import Session
from marketcli.datasets import INSTRUMENTS
from marketcli.errors import MarketError, NotOffered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import polars as pl

    from marketcli.catalog import Catalog
    from marketcli.config import Config
    from marketcli.models import Instrument, Market


async def list_instruments(
    config: Config, market: Market | None, *, refresh: bool
) -> tuple[list[Instrument], list[MarketError]]:
    """The lists of one market or all, and what could not be had. Raises the first failure if nothing could."""

    async def listed(catalog: Catalog) -> list[Instrument]:
        exchange = catalog.exchange
        if market is not None and market not in exchange.markets:
            raise NotOffered(f"{exchange.title} has no {market} market.", hint=f"It has {', '.join(exchange.markets)}.")
        wanted = (market,) if market else exchange.markets
        lists = await asyncio.gather(*(catalog.instruments(one) for one in wanted))
        return [instrument for found in lists for instrument in found]

    return await of_each(config, listed, refresh=refresh)


async def spellings(config: Config, name: str, *, refresh: bool) -> tuple[list[Instrument], list[MarketError]]:
    """Every instrument a name could mean, at each exchange the one it does mean first, and who does not know it.

    Raises the first failure if nobody knows it.
    """
    return await of_each(config, lambda catalog: catalog.spellings(name, config.market), refresh=refresh)


async def of_each(
    config: Config, ask: Callable[[Catalog], Awaitable[list[Instrument]]], *, refresh: bool
) -> tuple[list[Instrument], list[MarketError]]:
    """What each exchange of the settings gives, side by side."""
    asked = exchanges.chosen(config.exchange)

    async def tolerant(catalog: Catalog) -> list[Instrument] | MarketError:
        try:
            return await ask(catalog)
        except MarketError as error:
            return error

    async with Session(config, refresh=refresh) as session:
        results = await asyncio.gather(*(tolerant(session.catalog(exchange)) for exchange in asked))
    failures = [result for result in results if isinstance(result, MarketError)]
    if len(failures) == len(asked):
        raise failures[0]
    return [one for result in results if not isinstance(result, MarketError) for one in result], failures


def instrument_frame(found: list[Instrument]) -> pl.DataFrame:
    """Instruments as rows of their dataset."""
    names = INSTRUMENTS.fields
    rows = [tuple(getattr(one, name) for name in names) for one in found]
    return frames.from_rows(INSTRUMENTS, names, rows, {})
