"""What an answer may say: the world's own rows, and nothing else."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from faults.bench import NATIVE, NOW

from marketcli.datasets import CANDLES
from marketcli.models import SECOND, Interval, Market, Micros, Window, canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faults.bench import Ask, Bench, Outcome

    from marketcli.world import Bar, Listing

SETTLE = 2 * SECOND  # reliability.md D6: the newest candle may change for so long after its end
Row = tuple[Any, ...]


def listing(bench: Bench, market: Market) -> Listing:
    """The Bitcoin that `NATIVE` names."""
    quote = "USD" if market is Market.INVERSE else "USDT"
    return next(
        item for item in bench.world.listings(market) if (item.base, item.quote, item.expiry) == ("BTC", quote, None)
    )


def told_clock(bench: Bench) -> Micros:
    """How far ahead of the world's clock the exchange's answers said they were, at most."""
    dates = [(sent, parsedate_to_datetime(sent.date).timestamp()) for sent in bench.way.sent if sent.date]
    return max(round(date * SECOND) - NOW - round(sent.seconds * SECOND) for sent, date in dates)


def closed_before(interval: Interval, now: Micros) -> Micros:
    """The open time of the candle that is still running, or has ended too lately to be trusted."""
    return interval.floor(now - SETTLE)


def asked_window(ask: Ask, now: Micros) -> Window:
    """The open times a question means at a moment of the exchange's clock; its bounds are on the grid."""
    interval, span = Interval.parse(ask.interval), ask.range
    limit = closed_before(interval, now)
    if span.last is not None:
        return Window(interval.step(limit, -span.last), limit)
    assert isinstance(span.since, str)
    return Window(moment(span.since), min(limit, moment(span.until)) if span.until is not None else limit)


def moment(text: object) -> Micros:
    """A date of a question."""
    from marketcli.windows import parse_time

    return parse_time(str(text), now=NOW)
