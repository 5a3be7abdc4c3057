"""What a market shows: tickers, the order book, trades, and how traders stand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import marketcli.history.market as derived
from marketcli import frames
from marketcli.api.answer import Asking
from marketcli.api.candles import read
from marketcli.api.derivatives import as_frame, together
from marketcli.api.points import check_lookback, points
from marketcli.api.session import cell
from marketcli.datasets import BOOK, RATIO, RATIOS, TICKER, TRADES, TRADES_HISTORY
from marketcli.errors import NotOffered, UsageError
from marketcli.history.snapshot import joined, snapshots
from marketcli.history.trades import Tape
from marketcli.models import Window, iso
from marketcli.spec import Query
from marketcli.text import clean
from marketcli.values import with_change
from marketcli.windows import parse_span_after

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marketcli.api.answer import Answer
    from marketcli.api.candles import Range
    from marketcli.api.session import Session
    from marketcli.history.check import Gap
    from marketcli.models import Instrument, Interval, Market, Micros
    from marketcli.spec import Endpoint, Exchange

LAST_TRADES = 100  # when nothing else is asked for


async def ticker(session: Session, exchange: Exchange, symbol: str, *, market: Market | None) -> Answer:
    """The last 24 hours of one instrument, and its best bid and ask."""
    asking = Asking(session, exchange)
    instrument, endpoint = await asking.found(symbol, dataset=TICKER, market=market)
    row = with_change(await asking.snapshot(endpoint, instrument), instrument)
    return asking.answered(instrument, TICKER, as_frame(instrument, TICKER, row), notes=[endpoint.note])


async def tickers(session: Session, exchange: Exchange, market: Market) -> Answer:
    """The same of everything that a market lists and answers about."""
    asking, endpoint = Asking(session, exchange), cell(exchange, TICKER, market)
    listed, found = await asyncio.gather(
        session.catalog(exchange).instruments(market),
        snapshots(asking.ask, endpoint, Query(TICKER, market), now=asking.moment),
    )
    rows = [(one, with_change(found[one.native], one)) for one in listed if one.native in found]
    return asking.answered(market, TICKER, together(TICKER, rows), notes=[endpoint.note])


async def book(session: Session, exchange: Exchange, symbol: str, *, market: Market | None, depth: int) -> Answer:
    """The best `depth` levels of both sides of an order book. Raises `NotOffered` for more than the exchange gives."""
    asking = Asking(session, exchange)
    instrument, endpoint = await asking.found(symbol, dataset=BOOK, market=market)
    deep = limited(exchange, endpoint, depth, what="levels a side")
    rows = await joined(asking.ask, deep, Query(BOOK, instrument.market, instrument), now=asking.moment)
    frame = as_frame(instrument, BOOK, *derived.ladder(rows, instrument, depth=depth))
    return asking.answered(instrument, BOOK, frame, notes=[endpoint.note])


def limited(exchange: Exchange, endpoint: Endpoint, count: int, *, what: str) -> Endpoint:
    """The endpoint asked for fewer rows than it can give. Raises `NotOffered` if it cannot give so many."""
    if count < 1:
        raise UsageError(f"{count} {what} are nothing.", hint="Ask for at least 1.")
    if count > endpoint.limit:
        raise NotOffered(
            f"{exchange.title} gives {endpoint.limit:,} {what} at most.", hint=f"Ask for {endpoint.limit:,} or fewer."
        )
    return replace(endpoint, limit=count)


async def trades(
    session: Session,
    exchange: Exchange,
    symbol: str,
    *,
    market: Market | None,
    span: Range,
    progress: Callable[[int], None] = lambda _: None,
) -> Answer:
    """The newest trades, or all of a window where the exchange serves those."""
    asking = Asking(session, exchange)
    past = (span.since, span.until, span.span) != (None, None, None)
    dataset = TRADES_HISTORY if past else TRADES
    instrument, endpoint = await asking.found(symbol, dataset=dataset, market=market)
    window: Window | None = None
    gaps: tuple[Gap, ...] = ()
    if past:
        now = session.client.now(exchange.name)
        window = stretch(span, now=now)
        check_lookback(exchange, endpoint, window, now=now)
        frame, gaps = await tape(asking, endpoint, instrument, progress).past(window)
    else:
        count = span.last or LAST_TRADES
        newest = limited(exchange, endpoint, count, what="recent trades")
        frame = (await tape(asking, newest, instrument, progress).newest()).tail(count)
    return asking.answered(instrument, TRADES, frame, window=window, gaps=gaps, notes=[endpoint.note])


def tape(asking: Asking, endpoint: Endpoint, instrument: Instrument, progress: Callable[[int], None]) -> Tape:
    """The engine for trades."""
    constants = {
        "exchange": instrument.exchange,
        "market": instrument.market.value,
        "symbol": instrument.symbol,
        "native": instrument.native,
        "source": asking.session.origin,
    }
    return Tape(asking.ask, endpoint, instrument, asking.moment, progress, constants)


def stretch(span: Range, *, now: Micros) -> Window:
    """The exact window of events: not rounded to any grid, and never beyond now. Raises `UsageError`."""
    if span.last is not None:
        raise UsageError("--last counts back from now and goes with no window here.", hint="Leave --last out.")
    until = None if span.until is None else read(span.until, now=now, what="--until date")
    since = span.start(now=now, until=until)
    if span.since is not None and span.span is not None:
        until = parse_span_after(span.span, start=since)
    end = min(now, now if until is None else until)
    if since >= end:
        raise UsageError(f"There is no time between {iso(since)} and {iso(end)}.", hint="Swap the dates.")
    return Window(since, end)


async def ratios(
    session: Session,
    exchange: Exchange,
    symbol: str,
    *,
    market: Market | None,
    kinds: Sequence[str],
    interval: Interval,
    span: Range,
    progress: Callable[[int], None] = lambda _: None,
) -> Answer:
    """Long/short and buy/sell ratios: of the kinds named, else of all that the exchange has."""
    asking = Asking(session, exchange)
    instrument = await session.catalog(exchange).resolve(symbol, market)
    cells = ratio_cells(exchange, instrument.market, kinds)
    came = await asyncio.gather(
        *(
            points(asking, endpoint, instrument, interval=interval, span=span, progress=progress)
            for endpoint in cells.values()
        )
    )
    frame = frames.concat(RATIO, [history.frame for _, history in came])
    absent = [f"{exchange.title} has no {dataset.title}." for kind, dataset in RATIOS.items() if kind not in cells]
    notes = [*(endpoint.note for endpoint in cells.values()), *([] if kinds else absent)]
    return asking.answered(
        instrument,
        RATIO,
        derived.with_shares(frame),
        interval=interval,
        window=came[0][0],
        gaps=tuple(gap for _, history in came for gap in history.gaps),
        notes=dict.fromkeys(notes),
    )


def ratio_cells(exchange: Exchange, market: Market, kinds: Sequence[str]) -> dict[str, Endpoint]:
    """The endpoints of the kinds wanted. Raises `UsageError`, and `NotOffered` if one that was named is not there."""
    for kind in kinds:
        if kind not in RATIOS:
            raise UsageError(f"There is no ratio {clean(kind)!r}.", hint=f"Use {', '.join(RATIOS)}.")
    if kinds:
        return {kind: cell(exchange, RATIOS[kind], market) for kind in kinds}
    offered = {kind: exchange.endpoint(dataset, market) for kind, dataset in RATIOS.items()}
    found = {kind: endpoint for kind, endpoint in offered.items() if endpoint is not None}
    return found or {"accounts": cell(exchange, RATIOS["accounts"], market)}
