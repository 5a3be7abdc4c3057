"""`marketcli.watch`: live data for Python users, as events in batches."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from marketcli.api.calls import configured
from marketcli.api.fallback import exchanges_of
from marketcli.api.live import Watch, watched
from marketcli.api.session import Session
from marketcli.datasets import LARGE_TRADES, OHLC, STREAMED, dataset_named
from marketcli.errors import UsageError
from marketcli.models import Interval

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from marketcli.api.live import Feeds


@asynccontextmanager
async def watch(
    dataset: str,
    symbols: str | Sequence[str] = (),
    *,
    interval: str | None = None,
    exchange: str | None = None,
    market: str | None = None,
    min_usd: float = 0.0,
    max_down: float | None = None,
    **settings: Any,
) -> AsyncIterator[Feeds]:
    """Live data of a dataset, in batches of events.

    >>> async with marketcli.watch("liquidations", exchange="bybit") as feeds:       # doctest: +SKIP
    ...     async for events in feeds: ...

    `dataset` is trades, large_trades, liquidations, ohlc (with an `interval`), ticker, funding or oi; without symbols
    the whole market is watched. Each batch is a list of events: records with the columns of `mkt schema DATASET` as
    attributes, times in microseconds UTC; `marketcli.live.events.Blind`, a stretch from which rows may be missing, or
    were filled from REST (`repaired`); and `Status`, what became of a connection. `min_usd` is the least worth of large
    trades, `max_down` the seconds an exchange may be away before its feed ends. `feeds.failures` says what ended.

    Who fetches too slowly loses the oldest records, and a `Blind` says from when to when. Raises `UsageError`,
    `NotOffered` before anything is subscribed.
    """
    wanted = dataset_named(dataset)
    if wanted is not LARGE_TRADES and wanted not in STREAMED:
        known = ", ".join(one.name for one in (*STREAMED, LARGE_TRADES))
        raise UsageError(f"No exchange streams {wanted.title}.", hint=f"Watch one of {known}.")
    if (wanted is OHLC) != (interval is not None):
        raise UsageError(
            "Candles are watched with an interval, and nothing else is.", hint='watch("ohlc", "BTC", interval="1m").'
        )
    config = configured(settings, exchange=exchange, market=market)
    names = (symbols,) if isinstance(symbols, str) else tuple(symbols)
    length = Interval.parse(interval) if interval else None
    watching = Watch(wanted, names, config.market, length, max_down, min_usd)
    async with Session(config) as session:
        asked = [those[0] for those in exchanges_of(config)]
        async with watched(session, asked, watching) as feeds:
            yield feeds
