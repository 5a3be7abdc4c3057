"""Endpoints that keep the newest rows only, and those that have what is older."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from marketcli import frames
from marketcli.datasets import OHLC
from marketcli.errors import NotOffered
from marketcli.history.candles import SPARE, Source, reaches, resampled
from marketcli.models import DAY, HOUR, Instrument, Interval, Market, Window
from marketcli.paging import by_window
from marketcli.spec import Endpoint, Page, Query

if TYPE_CHECKING:
    from marketcli.history.candles import History
    from marketcli.spec import Rows

NOW = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
HOURS = Interval(1, "h")
COLUMNS = ("time", "open", "high", "low", "close")
BTC = Instrument("x", Market.LINEAR, "BTC-USDT-PERP", "BTCUSDT", "BTC", "USDT", "USDT", listed=NOW - 400 * DAY)


def endpoint(path: str, newest: int | None, earlier: Endpoint | None = None) -> Endpoint:
    return Endpoint(
        OHLC, path, lambda *_: {}, lambda *_: [], COLUMNS, by_window, 50, "", newest=newest, earlier=earlier
    )


@dataclass
class Exchange:
    """Has all hours; an endpoint that keeps N gives nothing older, as the real ones."""

    cell: Endpoint
    asked: list[tuple[str, Window]] = field(default_factory=list)

    async def ask(self, endpoint: Endpoint, query: Query, page: Page) -> Rows:
        del query
        assert page.window is not None
        self.asked.append((endpoint.path, page.window))
        oldest = 0 if endpoint.newest is None else NOW - (endpoint.newest - 1) * HOUR
        times = range(page.window.start + -page.window.start % HOUR, min(page.window.end, NOW + 1), HOUR)
        return [(time, 1.0, 2.0, 0.5, 1.5) for time in times if time >= oldest][: page.limit]

    def source(self, interval: Interval = HOURS) -> Source:
        return Source(self.ask, self.cell, BTC, interval, lambda: NOW, lambda _: None)

    def get(self, hours: int, interval: Interval = HOURS) -> History:
        window = Window(NOW - hours * HOUR, NOW)
        source = self.source(interval)
        wanted = source.candles(window) if interval == HOURS else resampled(source, HOURS, window)
        return asyncio.run(wanted)


def test_a_window_is_divided_between_the_endpoints_that_have_it() -> None:
    shop = Exchange(endpoint("/recent", 100, endpoint("/older", None)))
    history = shop.get(200)
    assert frames.opens(history.frame) == list(range(NOW - 200 * HOUR, NOW, HOUR))
    assert history.gaps == ()
    recent = [window for path, window in shop.asked if path == "/recent"]
    older = [window for path, window in shop.asked if path == "/older"]
    assert min(recent).start == max(older, key=lambda window: window.end).end
    assert min(recent).start >= NOW - 99 * HOUR


def test_a_window_that_one_endpoint_has_is_asked_of_it_alone() -> None:
    shop = Exchange(endpoint("/recent", 100, endpoint("/older", None)))
    assert shop.get(90).frame.height == 90
    assert {path for path, _ in shop.asked} == {"/recent"}


def test_what_is_kept_no_more_is_a_gap_with_that_reason() -> None:
    history = Exchange(endpoint("/recent", 100)).get(120)
    (gap,) = history.gaps
    assert (gap.cause, gap.kept, gap.window.start, gap.expected) == ("not-kept", 100, NOW - 120 * HOUR, False)
    assert gap.missing + history.frame.height == 120
    assert frames.opens(history.frame)[0] == gap.window.end
    assert 100 - SPARE <= history.frame.height <= 100


def test_a_window_before_everything_that_is_kept_is_refused() -> None:
    shop = Exchange(endpoint("/recent", 100))
    window = Window(NOW - 300 * HOUR, NOW - 200 * HOUR)
    with pytest.raises(NotOffered, match=r"x keeps the newest 100 1h candles: nothing before 2026-11-17T01:00"):
        asyncio.run(shop.source().candles(window))
    assert shop.asked == []


def test_longer_candles_lack_what_their_parts_lack() -> None:
    history = Exchange(endpoint("/recent", 100)).get(120, Interval(4, "h"))
    (gap,) = history.gaps
    assert (gap.cause, gap.interval, gap.kept) == ("not-kept", Interval(4, "h"), 100)
    assert gap.missing + history.frame.height == 30
    assert frames.opens(history.frame)[0] == gap.window.end


@pytest.mark.parametrize("hours", [1, 95, 96, 100, 101, 400])
def test_the_parts_of_a_window_make_the_whole(hours: int) -> None:
    cell = endpoint("/a", 100, endpoint("/b", 300, endpoint("/c", None)))
    window = Window(NOW - hours * HOUR, NOW)
    parts = [part for _, part in reaches(cell, HOURS, window, now=NOW)]
    assert parts[0].start == window.start
    assert parts[-1].end == window.end
    assert all(left.end == right.start for left, right in pairwise(parts))
