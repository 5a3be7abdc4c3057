"""The functions that Python users call; the commands use the same ones underneath.

>>> import marketcli
>>> frame = marketcli.ohlc("BTCUSDT", "1h", since="2024-01")          # doctest: +SKIP
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from marketcli import exchanges, frames
from marketcli.api.candles import CandleQuestion, Moment, Range, candles
from marketcli.api.session import Session
from marketcli.config import Config, load
from marketcli.datasets import INSTRUMENTS
from marketcli.models import Instrument, Interval, Market, parse_market
from marketcli.net.loop import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from marketcli.api.answer import Answer

__all__ = ["IncompleteWarning", "instruments", "ohlc"]


class IncompleteWarning(UserWarning):
    """An answer lacks rows that should be there, or has some that contradict themselves."""


def ohlc(
    symbol: str | Sequence[str],
    interval: str,
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    span: str | None = None,
    last: int | None = None,
    exchange: str | None = None,
    market: str | None = None,
    price: str = "trade",
    include_open: bool = False,
    **settings: Any,
) -> pl.DataFrame:
    """Candles as a Polars frame: one row per candle, columns as `mkt schema ohlc` says, times `Datetime("us", "UTC")`.

    The window is half open: `since` belongs to it, `until` does not; `span` is a length such as `90d`, `last` a number
    of candles up to `until` or now (100 if nothing is given). Dates are texts such as `2024-01`, dates, datetimes or
    epochs. `price` is trade, mark, index or premium. `settings` are those of the configuration (`sandbox=True`,
    `via=…`, `proxy=…`). Missing candles are never filled: an `IncompleteWarning` names them.

    Raises `marketcli.errors.MarketError`: `UsageError` for what cannot be asked, `NotOffered`, `NetworkError`,
    `RateLimited`, `RegionRefused`, `IntegrityError`.
    """
    config = configured(settings, exchange=exchange, market=market)
    question = CandleQuestion(
        interval=Interval.parse(interval),
        range=Range(last=last, since=since, until=until, span=span),
        price=price,
        include_open=include_open,
        market=config.market,
    )
    symbols = [symbol] if isinstance(symbol, str) else list(symbol)
    answers = run(ask_all(config, symbols, question))
    for answer in answers:
        warn(answer)
    return frames.concat(question.dataset, [answer.frame for answer in answers])


def instruments(
    market: str | None = None, *, exchange: str | None = None, refresh: bool = False, **settings: Any
) -> pl.DataFrame:
    """The instruments of an exchange as a Polars frame, columns as `mkt schema instruments` says."""
    config = configured(settings, exchange=exchange, market=None)
    return run(list_instruments(config, parse_market(market) if market else None, refresh=refresh))


def configured(settings: dict[str, Any], **more: Any) -> Config:
    """The settings in force for a call."""
    config, unknown = load(settings | more)
    for sentence in unknown:
        warnings.warn(sentence, stacklevel=3)
    return config


def warn(answer: Answer) -> None:
    """Tell a Python caller what the frame cannot."""
    for gap in answer.lost:
        warnings.warn(
            f"{answer.instrument.symbol}: {gap.missing:,} {gap.interval} candles are missing, {gap.window}.",
            IncompleteWarning,
            stacklevel=3,
        )


async def ask_all(config: Config, symbols: list[str], question: CandleQuestion) -> list[Answer]:
    """The answers for several symbols of one exchange."""
    import asyncio  # noqa: PLC0415

    async with Session(config) as session:
        exchange = exchanges.load(config.exchange)
        return list(
            await asyncio.gather(*(candles(session, exchange, symbol, question=question) for symbol in symbols))
        )


async def list_instruments(config: Config, market: Market | None, *, refresh: bool) -> pl.DataFrame:
    """The lists of one market or all."""
    async with Session(config, refresh=refresh) as session:
        catalog = session.catalog(exchanges.load(config.exchange))
        found = [one for each in ([market] if market else catalog.markets()) for one in await catalog.instruments(each)]
        return instrument_frame(found)


async def spellings(config: Config, name: str, *, refresh: bool) -> list[Instrument]:
    """Every instrument a name could mean, the one it does mean first."""
    async with Session(config, refresh=refresh) as session:
        return await session.catalog(exchanges.load(config.exchange)).spellings(name, config.market)


def instrument_frame(found: list[Instrument]) -> pl.DataFrame:
    """Instruments as rows of their dataset."""
    names = INSTRUMENTS.fields
    rows = [tuple(getattr(one, name) for name in names) for one in found]
    return frames.from_rows(INSTRUMENTS, names, rows, {})
