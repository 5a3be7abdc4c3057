"""Histories that stand on a grid but are no candles: open interest and ratios."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from marketcli.api.candles import LAST
from marketcli.errors import NotOffered, UsageError
from marketcli.history.candles import History, Source
from marketcli.models import MINUTE, Interval, Micros, Window, iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.api.answer import Asking
    from marketcli.api.candles import Range
    from marketcli.models import Instrument
    from marketcli.spec import Endpoint, Exchange

LATE: Micros = 10 * MINUTE  # how late the newest point of a history may be there


async def points(
    asking: Asking,
    endpoint: Endpoint,
    instrument: Instrument,
    *,
    interval: Interval,
    span: Range,
    progress: Callable[[int], None],
) -> tuple[Window, History]:
    """The window meant and the points of it, as far back as the exchange keeps them.

    Raises `UsageError` for an interval it has not, `NotOffered` for what it keeps no more.
    """
    exchange = asking.exchange
    if interval not in exchange.spelled(endpoint):
        names = " ".join(str(one) for one in exchange.spelled(endpoint))
        title = endpoint.dataset.title
        raise UsageError(f"{exchange.title} has no {interval} points of {title}.", hint=f"It has {names}.")
    now = asking.session.client.now(exchange.name)
    window = labels(span, interval, now=now, expiry=instrument.expiry)
    check_lookback(exchange, endpoint, window, now=now)
    return window, await source(asking, endpoint, instrument, interval=interval, progress=progress).candles(window)


def source(
    asking: Asking,
    endpoint: Endpoint,
    instrument: Instrument,
    *,
    interval: Interval,
    progress: Callable[[int], None] = lambda _: None,
) -> Source:
    """The engine for points on a grid; the newest ones are not due at once."""
    moment = asking.session.client.moment(asking.exchange.name)
    origin = asking.session.origin
    return Source(asking.ask, endpoint, instrument, interval, lambda: moment() - LATE, progress, origin)


def labels(span: Range, interval: Interval, *, now: Micros, expiry: Micros | None) -> Window:
    """The window of things that stand at their time, unlike candles: the one that has just come belongs to it."""
    window = span.window(interval, now=now, expiry=expiry, include_open=True)
    one_more = span.since is None and span.span is None and interval.count_in(window) > (span.last or LAST)
    return Window(interval.step(window.start), window.end) if one_more else window


def check_lookback(exchange: Exchange, endpoint: Endpoint, window: Window, *, now: Micros) -> None:
    """Refuse what is older than the exchange keeps, and say from when on it does."""
    if endpoint.lookback is None:
        return
    oldest = now - endpoint.lookback // timedelta(microseconds=1)
    if window.start < oldest:
        raise NotOffered(
            f"{exchange.title} keeps {kept(endpoint.lookback)} of {endpoint.dataset.title}: nothing before "
            f"{iso(oldest - oldest % MINUTE)}.",
            hint=f"Ask for --since {shorter(endpoint.lookback)} or later.",
        )


def kept(lookback: timedelta) -> str:
    """A stretch of time in words."""
    return f"{lookback.days} days" if lookback >= timedelta(days=3) else f"{lookback // timedelta(hours=1)} hours"


def shorter(lookback: timedelta) -> str:
    """A span that lies safely inside a stretch of time, as options take it."""
    days = lookback.days
    return f"{days - 1}d" if lookback >= timedelta(days=3) else f"{lookback // timedelta(hours=1) - 1}h"
