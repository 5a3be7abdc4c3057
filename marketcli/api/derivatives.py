"""Funding, open interest and prices: now, and as they were."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from marketcli import frames
from marketcli.api.answer import Answer, Asking
from marketcli.api.points import LATE, check_lookback, labels, points, source
from marketcli.datasets import FUNDING, FUNDING_HISTORY, OI, OI_HISTORY, PRICE, Dataset
from marketcli.errors import MarketError, NotOffered
from marketcli.history.funding import settlements
from marketcli.models import DAY, HOUR, Interval, Micros, Window
from marketcli.values import with_funding, with_value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from marketcli.api.candles import Range
    from marketcli.api.session import Session
    from marketcli.models import Instrument, Market
    from marketcli.spec import Endpoint, Exchange

FIVE_MINUTES = Interval(5, "m")


async def perpetual(
    asking: Asking, symbol: str, *, dataset: Dataset, market: Market | None
) -> tuple[Instrument, Endpoint]:
    """The perpetual a name means and the cell that answers. Raises `NotOffered` for contracts with a delivery."""
    instrument, endpoint = await asking.found(symbol, dataset=dataset, market=market)
    if not instrument.perpetual:
        raise NotOffered(
            f"{instrument.symbol} pays no funding: it is delivered on a date.", hint="Perpetuals do, for example BTC."
        )
    return instrument, endpoint


def as_frame(instrument: Instrument, dataset: Dataset, *rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of one instrument as a frame of their dataset."""
    return together(dataset, [(instrument, row) for row in rows])


def together(dataset: Dataset, rows: Sequence[tuple[Instrument, dict[str, Any]]]) -> pl.DataFrame:
    """Rows of several instruments as a frame of their dataset."""
    named = (
        row | {"exchange": one.exchange, "market": one.market.value, "symbol": one.symbol, "native": one.native}
        for one, row in rows
    )
    return frames.from_rows(dataset, dataset.fields, [tuple(map(row.get, dataset.fields)) for row in named], {})


async def funding(session: Session, exchange: Exchange, symbol: str, *, market: Market | None) -> Answer:
    """The coming funding of a perpetual."""
    asking = Asking(session, exchange)
    instrument, endpoint = await perpetual(asking, symbol, dataset=FUNDING, market=market)
    row = with_funding(await asking.snapshot(endpoint, instrument))
    return asking.answered(instrument, FUNDING, as_frame(instrument, FUNDING, row), notes=[endpoint.note])


async def price(session: Session, exchange: Exchange, symbol: str, *, market: Market | None) -> Answer:
    """Last, mark, index and average price."""
    asking = Asking(session, exchange)
    instrument, endpoint = await asking.found(symbol, dataset=PRICE, market=market)
    row = await asking.snapshot(endpoint, instrument)
    return asking.answered(instrument, PRICE, as_frame(instrument, PRICE, row), notes=[endpoint.note])


async def open_interest(session: Session, exchange: Exchange, symbol: str, *, market: Market | None) -> Answer:
    """Open interest now, and its change where there is a history to compare with."""
    asking = Asking(session, exchange)
    instrument, endpoint = await asking.found(symbol, dataset=OI, market=market)
    row, before = await asyncio.gather(asking.snapshot(endpoint, instrument), earlier(asking, instrument))
    name = "oi_contracts" if instrument.inverse else "oi_base"
    row = with_value(row, instrument) | {
        column: change(row.get(name), before, name, at=row["time"] - ago)
        for column, ago in (("change_1h", HOUR), ("change_24h", DAY))
    }
    unknown = "" if before is not None else "No changes: there is no history of open interest to compare with."
    frame = as_frame(instrument, OI, row)
    return asking.answered(instrument, OI, frame, notes=[endpoint.note, unknown])


async def earlier(asking: Asking, instrument: Instrument) -> pl.DataFrame | None:
    """The points of the last day, or None: the present is worth having without them."""
    endpoint = asking.exchange.endpoint(OI_HISTORY, instrument.market)
    if endpoint is None:
        return None
    now = asking.moment()
    window = Window(FIVE_MINUTES.floor(now - DAY - LATE), now)
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
    instrument, endpoint = await asking.found(symbol, dataset=OI_HISTORY, market=market)
    window, history = await points(asking, endpoint, instrument, interval=interval, span=span, progress=progress)
    return asking.answered(
        instrument,
        OI_HISTORY,
        history.frame,
        interval=interval,
        window=window,
        gaps=history.gaps,
        notes=[endpoint.note],
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
    instrument, endpoint = await perpetual(asking, symbol, dataset=FUNDING_HISTORY, market=market)
    now = session.client.now(exchange.name)
    asked = labels(span, Interval(1, "h"), now=now, expiry=instrument.expiry)
    if span.last is not None:  # so many settlements lie in so many times the longest interval
        asked = Window(asked.end - (asked.end - asked.start) * 8, asked.end)
    check_lookback(exchange, endpoint, asked, now=now)
    moment = session.client.moment(exchange.name)
    came = await settlements(asking.ask, endpoint, instrument, window=asked, now=moment, progress=progress)
    frame = came.frame if span.last is None else came.frame.tail(span.last)
    gaps = came.gaps if span.last is None else tuple(gap for gap in came.gaps if after(gap.window, frame))
    return asking.answered(instrument, FUNDING_HISTORY, frame, window=asked, gaps=gaps, notes=[endpoint.note])


def after(window: Window, frame: pl.DataFrame) -> bool:
    """Whether a stretch reaches into the rows of a frame."""
    times = frames.opens(frame)
    return not times or window.end > times[0]
