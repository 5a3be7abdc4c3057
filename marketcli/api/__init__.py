"""The functions that Python users call; the commands use the same ones underneath.

>>> import marketcli
>>> frame = marketcli.ohlc("BTCUSDT", "1h", since="2024-01")          # doctest: +SKIP

Each has an asynchronous twin: `await marketcli.ohlc_async(...)`. All of them, with what they share, are listed in
`marketcli.__all__`.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from marketcli.api import derivatives
from marketcli.api import market as markets
from marketcli.api.calls import IncompleteWarning as IncompleteWarning
from marketcli.api.calls import ask_all, ask_markets, configured
from marketcli.api.candles import CandleQuestion, Moment, Range, candles
from marketcli.api.lists import instrument_frame, list_instruments
from marketcli.api.newest import LEVELS, newest_ratios, usual
from marketcli.api.watching import watch as watch
from marketcli.datasets import BOOK, TRADES
from marketcli.models import Interval, parse_market
from marketcli.net.loop import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    import polars as pl

    from marketcli.api.answer import Answer
    from marketcli.api.session import Session
    from marketcli.spec import Exchange


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


def ticker(symbol: str | Sequence[str], **asked: Any) -> pl.DataFrame:
    """The last 24 hours, and the best bid and ask; takes what `ticker_async` takes."""
    return run(ticker_async(symbol, **asked))


async def ticker_async(
    symbol: str | Sequence[str], *, exchange: str | None = None, market: str | None = None, **settings: Any
) -> pl.DataFrame:
    """The last 24 hours, and the best bid and ask, as a Polars frame (`mkt schema ticker`)."""
    config = configured(settings, exchange=exchange, market=market)
    return await ask_all(
        config, symbol, lambda session, at, name: markets.ticker(session, at, name, market=config.market)
    )


def tickers(market: str | None = None, **asked: Any) -> pl.DataFrame:
    """The last 24 hours of everything an exchange lists; takes what `tickers_async` takes."""
    return run(tickers_async(market, **asked))


async def tickers_async(market: str | None = None, *, exchange: str | None = None, **settings: Any) -> pl.DataFrame:
    """The last 24 hours of everything in a market, or in all of them, as a Polars frame (`mkt schema ticker`)."""
    return await ask_markets(configured(settings, exchange=exchange, market=market), markets.tickers)


def book(symbol: str | Sequence[str], **asked: Any) -> pl.DataFrame:
    """The levels of an order book; takes what `book_async` takes."""
    return run(book_async(symbol, **asked))


async def book_async(
    symbol: str | Sequence[str],
    *,
    depth: int | None = None,
    exchange: str | None = None,
    market: str | None = None,
    **settings: Any,
) -> pl.DataFrame:
    """The `depth` best levels of both sides, bids first, as a Polars frame (`mkt schema book`).

    Without a depth there are 100 of each side, or as many as the exchange gives.
    """
    config = configured(settings, exchange=exchange, market=market)

    async def ask(session: Session, at: Exchange, name: str) -> Answer:
        count = depth
        if count is None:
            count = await usual(session, at, name, dataset=BOOK, market=config.market, count=LEVELS)
        return await markets.book(session, at, name, market=config.market, depth=count)

    return await ask_all(config, symbol, ask)


def trades(symbol: str | Sequence[str], **asked: Any) -> pl.DataFrame:
    """The newest trades, or all of a window; takes what `trades_async` takes."""
    return run(trades_async(symbol, **asked))


async def trades_async(
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
    """The `last` trades (100), or with a window all of it where the exchange serves that (`mkt schema trades`)."""
    config = configured(settings, exchange=exchange, market=market)
    window = Range(last=last, since=since, until=until, span=span)

    async def ask(session: Session, at: Exchange, name: str) -> Answer:
        asked = window
        if asked == Range():
            newest = await usual(session, at, name, dataset=TRADES, market=config.market, count=markets.LAST_TRADES)
            asked = replace(window, last=newest)
        return await markets.trades(session, at, name, market=config.market, span=asked)

    return await ask_all(config, symbol, ask)


def ratio(symbol: str | Sequence[str], **asked: Any) -> pl.DataFrame:
    """Ratios of long to short and of bought to sold; takes what `ratio_async` takes."""
    return run(ratio_async(symbol, **asked))


async def ratio_async(
    symbol: str | Sequence[str],
    *,
    kinds: Sequence[str] = (),
    interval: str = "5m",
    since: Moment | None = None,
    until: Moment | None = None,
    span: str | None = None,
    last: int | None = None,
    exchange: str | None = None,
    market: str | None = None,
    **settings: Any,
) -> pl.DataFrame:
    """Ratios of the kinds named (none: all there are): the newest of each, or a window (`mkt schema ratio`)."""
    config = configured(settings, exchange=exchange, market=market)
    every, window = Interval.parse(interval), Range(last=last, since=since, until=until, span=span)

    def ask(session: Session, at: Exchange, name: str) -> Awaitable[Answer]:
        if window == Range(last=last):
            count = last or 1
            return newest_ratios(session, at, name, market=config.market, kinds=kinds, interval=every, count=count)
        return markets.ratios(session, at, name, market=config.market, kinds=kinds, interval=every, span=window)

    return await ask_all(config, symbol, ask)


def instruments(market: str | None = None, **asked: Any) -> pl.DataFrame:
    """The instruments of an exchange; takes what `instruments_async` takes."""
    return run(instruments_async(market, **asked))


async def instruments_async(
    market: str | None = None, *, exchange: str | None = None, refresh: bool = False, **settings: Any
) -> pl.DataFrame:
    """The instruments of an exchange as a Polars frame, columns as `mkt schema instruments` says."""
    config = configured(settings, exchange=exchange, market=None)
    found, failures = await list_instruments(config, parse_market(market) if market else None, refresh=refresh)
    for failure in failures:
        warnings.warn(str(failure), IncompleteWarning, stacklevel=2)
    return instrument_frame(found)
