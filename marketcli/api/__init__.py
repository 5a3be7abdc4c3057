"""The functions that Python users call; the commands use the same ones underneath.

>>> import marketcli
>>> frame = marketcli.ohlc("BTCUSDT", "1h", since="2024-01")          # doctest: +SKIP

Each has an asynchronous twin: `await marketcli.ohlc_async(...)`.
"""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Any

from marketcli import exchanges, frames
from marketcli.api import derivatives
from marketcli.api.answer import missing, prefix
from marketcli.api.candles import CandleQuestion, Moment, Range, candles
from marketcli.api.fallback import exchanges_of, first_that_answers
from marketcli.api.session import Session
from marketcli.config import Config, load
from marketcli.datasets import INSTRUMENTS
from marketcli.errors import MarketError
from marketcli.models import Instrument, Interval, Market, parse_market
from marketcli.net.loop import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import polars as pl

    from marketcli.api.answer import Answer
    from marketcli.spec import Exchange

__all__ = [
    "IncompleteWarning",
    "funding",
    "funding_async",
    "instruments",
    "instruments_async",
    "ohlc",
    "ohlc_async",
    "oi",
    "oi_async",
    "price",
    "price_async",
]


class IncompleteWarning(UserWarning):
    """An answer lacks rows that should be there, or has some that contradict themselves."""


def ohlc(symbol: str | Sequence[str], interval: str, **asked: Any) -> pl.DataFrame:
    """Candles as a Polars frame: one row per candle, columns as `mkt schema ohlc` says, times `Datetime("us", "UTC")`.

    Takes what `ohlc_async` takes.
    """
    return run(ohlc_async(symbol, interval, **asked))


async def ohlc_async(
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
    """Candles as a Polars frame.

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
    return await ask_all(config, symbol, lambda session, at, name: candles(session, at, name, question=question))


def funding(symbol: str | Sequence[str], **asked: Any) -> pl.DataFrame:
    """The coming funding, or with a window every settlement, as a Polars frame; takes what `funding_async` takes."""
    return run(funding_async(symbol, **asked))


async def funding_async(
    symbol: str | Sequence[str],
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    span: str | None = None,
    last: int | None = None,
    exchange: str | None = None,
    market: str | None = None,
    **settings: Any,
) -> pl.DataFrame:
    """The coming funding (`mkt schema funding`), or with a window every settlement (`mkt schema funding_history`)."""
    config = configured(settings, exchange=exchange, market=market)
    window = Range(last=last, since=since, until=until, span=span)

    def ask(session: Session, at: Exchange, name: str) -> Awaitable[Answer]:
        if window == Range():
            return derivatives.funding(session, at, name, market=config.market)
        return derivatives.funding_history(session, at, name, market=config.market, span=window)

    return await ask_all(config, symbol, ask)


def oi(symbol: str | Sequence[str], **asked: Any) -> pl.DataFrame:
    """Open interest now, or with a window or interval its history; takes what `oi_async` takes."""
    return run(oi_async(symbol, **asked))


async def oi_async(
    symbol: str | Sequence[str],
    *,
    interval: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    span: str | None = None,
    last: int | None = None,
    exchange: str | None = None,
    market: str | None = None,
    **settings: Any,
) -> pl.DataFrame:
    """Open interest now (`mkt schema oi`), or with a window or interval its history (`mkt schema oi_history`)."""
    config = configured(settings, exchange=exchange, market=market)
    window = Range(last=last, since=since, until=until, span=span)
    every = Interval.parse(interval or "1h")

    def ask(session: Session, at: Exchange, name: str) -> Awaitable[Answer]:
        if interval is None and window == Range():
            return derivatives.open_interest(session, at, name, market=config.market)
        return derivatives.open_interest_history(session, at, name, market=config.market, interval=every, span=window)

    return await ask_all(config, symbol, ask)


def price(symbol: str | Sequence[str], **asked: Any) -> pl.DataFrame:
    """Last, mark, index and average price; takes what `price_async` takes."""
    return run(price_async(symbol, **asked))


async def price_async(
    symbol: str | Sequence[str], *, exchange: str | None = None, market: str | None = None, **settings: Any
) -> pl.DataFrame:
    """Last, mark, index and average price as a Polars frame (`mkt schema price`)."""
    config = configured(settings, exchange=exchange, market=market)
    return await ask_all(
        config, symbol, lambda session, at, name: derivatives.price(session, at, name, market=config.market)
    )


def instruments(market: str | None = None, **asked: Any) -> pl.DataFrame:
    """The instruments of an exchange; takes what `instruments_async` takes."""
    return run(instruments_async(market, **asked))


async def instruments_async(
    market: str | None = None, *, exchange: str | None = None, refresh: bool = False, **settings: Any
) -> pl.DataFrame:
    """The instruments of an exchange as a Polars frame, columns as `mkt schema instruments` says."""
    config = configured(settings, exchange=exchange, market=None)
    return await list_instruments(config, parse_market(market) if market else None, refresh=refresh)


def configured(settings: dict[str, Any], **more: Any) -> Config:
    """The settings in force for a call."""
    config, unknown = load(settings | more)
    for sentence in unknown:
        warnings.warn(sentence, stacklevel=3)
    return config


async def ask_all(
    config: Config, symbol: str | Sequence[str], ask: Callable[[Session, Exchange, str], Awaitable[Answer]]
) -> pl.DataFrame:
    """The rows of one symbol or several at one exchange or several, side by side, with warnings about what is missing.

    Where several exchanges are asked, the failure of one is a warning, unless all fail.
    """
    symbols = [symbol] if isinstance(symbol, str) else list(symbol)
    asked = exchanges_of(config)
    async with Session(config) as session:
        results = await asyncio.gather(
            *(at_first(session, those, name, ask) for name in symbols for those in asked),
            return_exceptions=len(asked) > 1,
        )
    answers = [result for result in results if not isinstance(result, BaseException)]
    for failure in (result for result in results if isinstance(result, BaseException)):
        if not answers or not isinstance(failure, MarketError):
            raise failure
        warnings.warn(str(failure), IncompleteWarning, stacklevel=3)
    for answer in answers:
        for sentence in lacking(answer):
            warnings.warn(sentence, IncompleteWarning, stacklevel=3)
    return frames.concat(answers[0].dataset, [answer.frame for answer in answers])


def at_first(
    session: Session, those: Sequence[Exchange], name: str, ask: Callable[[Session, Exchange, str], Awaitable[Answer]]
) -> Awaitable[Answer]:
    """The answer of an exchange, or of the first that has one where others stand in for it."""
    if session.config.fallback:
        return first_that_answers(those, lambda exchange: ask(session, exchange, name))
    return ask(session, those[0], name)


def lacking(answer: Answer) -> list[str]:
    """What an answer lacks, and where it came from instead of the exchange that was asked."""
    instead = [] if answer.fallback_from is None else [f"{prefix(answer)}stands in for {answer.fallback_from}."]
    return [*missing(answer), *instead]


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
