"""What REST knows of a stretch that a stream missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketcli.api.answer import Asking
from marketcli.api.candles import CandleQuestion, Range, candles
from marketcli.api.derivatives import funding
from marketcli.api.market import trades
from marketcli.api.session import cell
from marketcli.datasets import FUNDING, OHLC, TRADES, TRADES_HISTORY
from marketcli.errors import MarketError
from marketcli.history.snapshot import joined
from marketcli.live.repair import Repaired
from marketcli.models import SECOND, Window, to_datetime
from marketcli.spec import Query

if TYPE_CHECKING:
    import polars as pl

    from marketcli.api.session import Session
    from marketcli.datasets import Dataset
    from marketcli.live.repair import Repair
    from marketcli.models import Instrument, Interval, Market
    from marketcli.records import Record
    from marketcli.spec import Exchange

MARGIN = SECOND  # asked for on both sides: exchanges stamp a trade differently by a few milliseconds


def repair_of(session: Session, exchange: Exchange, dataset: Dataset) -> Repair | None:
    """What fills gaps of a dataset; None if nothing can."""
    if dataset not in {TRADES, OHLC, FUNDING}:
        return None

    async def repair(
        dataset: Dataset, instrument: Instrument, *, interval: Interval | None, window: Window
    ) -> Repaired:
        if dataset is OHLC and interval is not None:
            return await closed_candles(session, exchange, instrument, interval=interval, window=window)
        if dataset is TRADES:
            return await past_trades(session, exchange, instrument, window=window)
        answer = await funding(session, exchange, instrument.native, market=instrument.market)
        return Repaired(records(FUNDING, answer.frame), whole=True)

    return repair


async def closed_candles(
    session: Session, exchange: Exchange, instrument: Instrument, *, interval: Interval, window: Window
) -> Repaired:
    """The candles that closed inside a window; the one that is still open at its end, streams tell of again."""
    first, end = interval.floor(window.start), interval.floor(window.end)
    if first == end:
        return Repaired((), whole=True)
    span = Range(since=to_datetime(first), until=to_datetime(end))
    question = CandleQuestion(interval, span, market=instrument.market)
    answer = await candles(session, exchange, instrument.native, question=question)
    return Repaired(records(OHLC, answer.frame), whole=not answer.lost)


async def past_trades(session: Session, exchange: Exchange, instrument: Instrument, *, window: Window) -> Repaired:
    """The trades inside a window, by its times where the exchange has those, else as many as are new enough."""
    wide = Window(window.start - MARGIN, window.end + MARGIN)
    name, market = instrument.native, instrument.market
    if exchange.endpoint(TRADES_HISTORY, market) is not None:
        span = Range(since=to_datetime(wide.start), until=to_datetime(wide.end))
        answer = await trades(session, exchange, name, market=market, span=span)
        return Repaired(records(TRADES, answer.frame), whole=not answer.lost)
    most = cell(exchange, TRADES, market).limit
    answer = await trades(session, exchange, name, market=market, span=Range(last=most))
    found = records(TRADES, answer.frame)
    times = [getattr(record, "time", 0) for record in found]
    inside = [record for record, time in zip(found, times, strict=True) if time in wide]
    first = min(times, default=0)
    return Repaired(inside, whole=0 < first < window.start, later=first >= window.end)


def records(dataset: Dataset, frame: pl.DataFrame) -> list[Record]:
    """The rows of a frame as records."""
    import polars as pl  # noqa: PLC0415

    plain = frame.select(dataset.fields).with_columns(pl.col(pl.Datetime).to_physical())
    return [dataset.record(*row) for row in plain.iter_rows()]


async def hours(session: Session, exchange: Exchange, market: Market) -> dict[str, float]:
    """Hours between settlements of the perpetuals of a market, by the exchange's names, as far as they are known."""
    asking = Asking(session, exchange)
    try:
        endpoint = cell(exchange, FUNDING, market)
        rows = await joined(asking.ask, endpoint, Query(FUNDING, market), now=asking.moment)
    except MarketError:
        return {}
    return {row["native"]: row["interval_h"] for row in rows if row.get("interval_h") is not None}
