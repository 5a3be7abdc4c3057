"""Funding, open interest and prices: now, and as they were."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from marketcli import frames
from marketcli.api.answer import Answer, Asking
from marketcli.api.candles import LAST, clock_notes
from marketcli.api.session import cell
from marketcli.datasets import FUNDING, FUNDING_HISTORY, OI, OI_HISTORY, PRICE, Dataset
from marketcli.errors import MarketError, NotOffered, UsageError
from marketcli.history.candles import Source
from marketcli.history.funding import settlements
from marketcli.history.snapshot import with_funding, with_value
from marketcli.models import DAY, HOUR, MINUTE, Interval, Micros, Window, iso

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from marketcli.api.candles import Range
    from marketcli.api.session import Session
    from marketcli.models import Instrument, Market
    from marketcli.spec import Endpoint, Exchange

FIVE_MINUTES = Interval(5, "m")
LATE: Micros = 10 * MINUTE  # how late the newest point of a history may be there


async def found(
    session: Session, exchange: Exchange, symbol: str, *, dataset: Dataset, market: Market | None
) -> tuple[Instrument, Endpoint]:
    """The instrument a name means and the cell that answers for it."""
    if market:
        cell(exchange, dataset, market)
    instrument = await session.catalog(exchange).resolve(symbol, market)
    endpoint = cell(exchange, dataset, instrument.market)
    if dataset in (FUNDING, FUNDING_HISTORY) and not instrument.perpetual:
        raise NotOffered(
            f"{instrument.symbol} pays no funding: it is delivered on a date.", hint="Perpetuals do, for example BTC."
        )
    return instrument, endpoint


def answered(
    asking: Asking,
    instrument: Instrument,
    dataset: Dataset,
    frame: pl.DataFrame,
    *,
    interval: Interval | None = None,
    window: Window | None = None,
    gaps: tuple[Any, ...] = (),
    notes: tuple[str, ...] = (),
) -> Answer:
    """The answer with what is the same for all."""
    return Answer(
        instrument=instrument,
        dataset=dataset,
        interval=interval,
        window=window,
        frame=frame,
        gaps=gaps,
        notes=(*notes, *clock_notes(asking.session, asking.exchange)),
        now=asking.moment(),
        via=asking.session.way(asking.exchange, instrument.market),
        requests=asking.requests,
        seconds=asking.seconds,
    )


def as_frame(dataset: Dataset, instrument: Instrument, row: dict[str, Any]) -> pl.DataFrame:
    """One row as a frame of its dataset."""
    start = {
        "exchange": instrument.exchange,
        "market": instrument.market.value,
        "symbol": instrument.symbol,
        "native": instrument.native,
    }
    values = start | row
    return frames.from_rows(dataset, dataset.fields, [tuple(values.get(name) for name in dataset.fields)], {})


async def funding(session: Session, exchange: Exchange, symbol: str, *, market: Market | None) -> Answer:
    """The coming funding of a perpetual."""
    asking = Asking(session, exchange)
    instrument, endpoint = await found(session, exchange, symbol, dataset=FUNDING, market=market)
    row = await asking.snapshot(endpoint, instrument)
    return answered(asking, instrument, FUNDING, as_frame(FUNDING, instrument, with_funding(row)))


async def price(session: Session, exchange: Exchange, symbol: str, *, market: Market | None) -> Answer:
    """Last, mark, index and average price."""
    asking = Asking(session, exchange)
    instrument, endpoint = await found(session, exchange, symbol, dataset=PRICE, market=market)
    row = await asking.snapshot(endpoint, instrument)
    return answered(asking, instrument, PRICE, as_frame(PRICE, instrument, row))


async def open_interest(session: Session, exchange: Exchange, symbol: str, *, market: Market | None) -> Answer:
    """Open interest now, and its change where there is a history to compare with."""
    asking = Asking(session, exchange)
    instrument, endpoint = await found(session, exchange, symbol, dataset=OI, market=market)
    row, before = await asyncio.gather(asking.snapshot(endpoint, instrument), earlier(asking, instrument))
    name = "oi_contracts" if instrument.inverse else "oi_base"
    row = with_value(row, instrument) | {
        column: change(row.get(name), before, name, at=row["time"] - ago)
        for column, ago in (("change_1h", HOUR), ("change_24h", DAY))
    }
    notes = () if before is not None else ("No changes: the history of open interest could not be had.",)
    return answered(asking, instrument, OI, as_frame(OI, instrument, row), notes=notes)


async def earlier(asking: Asking, instrument: Instrument) -> pl.DataFrame | None:
    """The points of the last day, or None: the present is worth having without them."""
    endpoint = asking.exchange.endpoint(OI_HISTORY, instrument.market)
    if endpoint is None:
        return None
    now = asking.session.client.now(asking.exchange.name)
    window = Window(FIVE_MINUTES.floor(now - DAY - 2 * LATE), FIVE_MINUTES.ceil(now))
    try:
        return await source(asking, endpoint, instrument, interval=FIVE_MINUTES).fetch(window)
    except MarketError:
        return None


def change(value: float | None, before: pl.DataFrame | None, name: str, *, at: Micros) -> float | None:
    """How much a value differs from the newest point not after `at`, if there is one close by."""
    if value is None or before is None:
        return None
    points = [
        (time, amount)
        for time, amount in zip(frames.opens(before), before[name].to_list(), strict=True)
        if at - LATE <= time <= at and amount
    ]
    return value / points[-1][1] - 1 if points else None


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
    return Source(
        asking.ask,
        endpoint,
        instrument,
        interval,
        lambda: moment() - LATE,
        progress,
        asking.session.origin,
    )


async def open_interest_history(
    session: Session,
    exchange: Exchange,
    symbol: str,
    *,
    market: Market | None,
    interval: Interval,
    span: Range,
    progress: Callable[[int], None] = lambda _: None,
) -> Answer:
    """Open interest at regular times, as far back as the exchange keeps it."""
    asking = Asking(session, exchange)
    instrument, endpoint = await found(session, exchange, symbol, dataset=OI_HISTORY, market=market)
    if interval not in exchange.spelled(endpoint):
        names = " ".join(str(one) for one in exchange.spelled(endpoint))
        raise UsageError(f"{exchange.title} has no {interval} points of open interest.", hint=f"It has {names}.")
    now = session.client.now(exchange.name)
    window = labels(span, interval, now=now, expiry=instrument.expiry)
    check_lookback(exchange, endpoint, window, now=now)
    history = await source(asking, endpoint, instrument, interval=interval, progress=progress).candles(window)
    return answered(asking, instrument, OI_HISTORY, history.frame, interval=interval, window=window, gaps=history.gaps)


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
            f"{exchange.title} keeps {endpoint.lookback.days} days of {endpoint.dataset.title}: nothing before "
            f"{iso(oldest - oldest % MINUTE)}.",
            hint=f"Ask for --since {endpoint.lookback.days - 1}d or later.",
        )


async def funding_history(
    session: Session,
    exchange: Exchange,
    symbol: str,
    *,
    market: Market | None,
    span: Range,
    progress: Callable[[int], None] = lambda _: None,
) -> Answer:
    """Every settlement of a window."""
    asking = Asking(session, exchange)
    instrument, endpoint = await found(session, exchange, symbol, dataset=FUNDING_HISTORY, market=market)
    hours = Interval(1, "h")
    asked = labels(span, hours, now=session.client.now(exchange.name), expiry=instrument.expiry)
    if span.last is not None:  # so many settlements lie in so many times the longest interval
        asked = Window(asked.end - (asked.end - asked.start) * 8, asked.end)
    moment = session.client.moment(exchange.name)
    came = await settlements(asking.ask, endpoint, instrument, window=asked, now=moment, progress=progress)
    frame = came.frame if span.last is None else came.frame.tail(span.last)
    gaps = came.gaps if span.last is None else tuple(gap for gap in came.gaps if after(gap.window, frame))
    return answered(asking, instrument, FUNDING_HISTORY, frame, window=asked, gaps=gaps)


def after(window: Window, frame: pl.DataFrame) -> bool:
    """Whether a stretch reaches into the rows of a frame."""
    times = frames.opens(frame)
    return not times or window.end > times[0]
