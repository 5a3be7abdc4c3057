"""What is given where nobody said how much is wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from marketcli import frames
from marketcli.api.answer import Asking
from marketcli.api.candles import Range
from marketcli.api.market import ratios

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.api.answer import Answer
    from marketcli.api.session import Session
    from marketcli.datasets import Dataset
    from marketcli.models import Interval, Market
    from marketcli.spec import Exchange

LEVELS = 100  # of each side of a book
LATE = 4  # points of a kind that may not have come yet: the newest of 5 minutes come ten minutes late


async def usual(
    session: Session, exchange: Exchange, symbol: str, *, dataset: Dataset, market: Market | None, count: int
) -> int:
    """So many rows, or all that the exchange gives if those are fewer. Raises what the question itself would."""
    _, endpoint = await Asking(session, exchange).found(symbol, dataset=dataset, market=market)
    return min(count, endpoint.limit)


async def newest_ratios(
    session: Session,
    exchange: Exchange,
    symbol: str,
    *,
    market: Market | None,
    kinds: Sequence[str],
    interval: Interval,
    count: int = 1,
) -> Answer:
    """The newest `count` points of each kind of ratio that have come."""
    span = Range(last=count + LATE)
    answer = await ratios(session, exchange, symbol, market=market, kinds=kinds, interval=interval, span=span)
    frame = answer.frame.group_by("kind", maintain_order=True).tail(count).select(answer.frame.columns)
    times = frames.opens(frame)
    gaps = tuple(gap for gap in answer.gaps if not times or gap.window.end > min(times))
    return replace(answer, frame=frame, gaps=gaps)
