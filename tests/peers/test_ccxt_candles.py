"""Candles of every price as ccxt reads them from the sandbox, over several pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from peers.ccxt_cells import WORLD, Case, cases, name_of
from sandbox.small_world import NOW

from marketcli.models import HOUR, MILLISECOND, MINUTE, Interval, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.world import Bar

METHODS = {"mark": "fetchMarkOHLCV", "index": "fetchIndexOHLCV", "premium": "fetchPremiumIndexOHLCV"}
OTHERS = [(price, case) for price, method in METHODS.items() for case in cases(method, dated=False)]


def paged(fetch: Callable[..., Any], symbol: str, timeframe: str, *, window: Window, limit: int) -> tuple[Any, int]:
    """Candles as ccxt's manual says to fetch them, page after page, and how many pages it took."""
    since, found, pages = window.start // MILLISECOND, [], 0
    while since < window.end // MILLISECOND:
        page = fetch(symbol, timeframe, since, limit)
        assert page
        found += page
        pages += 1
        since = page[-1][0] + 1
    return [row for row in found if row[0] < window.end // MILLISECOND], pages


def prices(bar: Bar) -> list[float]:
    return [bar.time // MILLISECOND, bar.open, bar.high, bar.low, bar.close]


@pytest.mark.parametrize("case", cases("fetchOHLCV"), ids=name_of)
def test_minutes_of_several_pages(peer: Callable[[str], Any], case: Case) -> None:
    end = NOW // MINUTE * MINUTE
    window = Window(end - 2_000 * MINUTE, end)  # OKX keeps 1,440 in one place and all in another
    rows, pages = paged(peer(case.venue.client).fetch_ohlcv, case.symbol, "1m", window=window, limit=300)
    bars = WORLD.candles(case.listing, Interval(1, "m"), window)
    assert len(bars) == 2_000
    assert pages >= 7
    assert rows == [[*prices(bar), bar.volume_base] for bar in bars]


@pytest.mark.parametrize("case", cases("fetchOHLCV", dated=False), ids=name_of)
def test_days_open_at_midnight_utc(peer: Callable[[str], Any], case: Case) -> None:
    rows = peer(case.venue.client).fetch_ohlcv(case.symbol, "1d", (NOW - 50 * 24 * HOUR) // MILLISECOND, 100)
    day = Interval(1, "d")
    bars = WORLD.candles(case.listing, day, Window(day.ceil(NOW - 50 * 24 * HOUR), NOW + 1))
    assert len(bars) == 50
    assert rows == [[*prices(bar), bar.volume_base] for bar in bars]


@pytest.mark.parametrize(("price", "case"), OTHERS, ids=lambda one: name_of(one) if isinstance(one, Case) else one)
def test_hours_of_other_prices(peer: Callable[[str], Any], price: str, case: Case) -> None:
    client, end = peer(case.venue.client), NOW // HOUR * HOUR
    fetch = {"mark": client.fetch_mark_ohlcv, "index": client.fetch_index_ohlcv}
    window = Window(end - 250 * HOUR, end)
    rows, pages = paged(fetch.get(price, client.fetch_premium_index_ohlcv), case.symbol, "1h", window=window, limit=100)
    bars = WORLD.candles(case.listing, Interval(1, "h"), window, price=price)
    assert pages == 3
    assert [row[:5] for row in rows] == [prices(bar) for bar in bars]
    assert len(bars) == 250
