"""Funding, open interest and account ratios as ccxt reads them from the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from peers.ccxt_cells import INVERSE, WORLD, Case, Venue, amount_of, cases, lasting, name_of, venues
from sandbox.small_world import NOW

from marketcli.models import DAY, HOUR, MILLISECOND, MINUTE, Interval, Micros, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.world import Interest, Listing

HOURLY = Interval(1, "h")


def hourly(listing: Listing, due: Micros) -> float:
    """The rate of an hour by Hyperliquid's formula, from what the world's prices were in it."""
    window = Window(due - HOUR, min(due, NOW + 1))
    (trade,), (index,) = (WORLD.candles(listing, HOURLY, window, price=price) for price in ("trade", "index"))
    above = sum(trade[1:5]) / sum(index[1:5]) - 1
    return (above + max(-0.0005, min(0.0005, 0.0001 - above))) / 8


def check_rate(case: Case, row: dict[str, Any]) -> None:
    """The coming funding of a perpetual."""
    truth, hours = WORLD.derivative(case.listing), WORLD.terms(case.listing).interval_h
    if case.venue.client == "hyperliquid":
        due = (NOW // HOUR + 1) * HOUR
        assert row["fundingRate"] == pytest.approx(hourly(case.listing, due), abs=1e-10)
        assert (row["fundingTimestamp"], row["interval"]) == (due // MILLISECOND, "1h")
    else:
        assert (row["fundingRate"], row["fundingTimestamp"]) == (truth.rate, truth.next_time // MILLISECOND)
        assert row["interval"] == (None if case.venue.exchange == "binance" else f"{hours}h")
    if case.venue.client != "okx":
        assert (row["markPrice"], row["indexPrice"]) == (truth.mark, truth.index)


@pytest.mark.parametrize("case", cases("fetchFundingRate", dated=False), ids=name_of)
def test_coming_funding(peer: Callable[[str], Any], case: Case) -> None:
    check_rate(case, peer(case.venue.client).fetch_funding_rate(case.symbol))


@pytest.mark.parametrize("venue", venues("fetchFundingRates"), ids=name_of)
def test_coming_funding_of_all(peer: Callable[[str], Any], venue: Venue) -> None:
    market = {"subType": venue.market.value} if venue.client == "binance" else {}
    rows = peer(venue.client).fetch_funding_rates(list(lasting(venue)), market)
    assert rows.keys() == lasting(venue).keys()
    for symbol, row in rows.items():
        check_rate(Case(venue, symbol, lasting(venue)[symbol]), row)


@pytest.mark.parametrize(
    "case", [one for one in cases("fetchFundingInterval", dated=False) if one.listing.base == "SOL"], ids=name_of
)
def test_hours_between_settlements(peer: Callable[[str], Any], case: Case) -> None:
    assert WORLD.terms(case.listing).interval_h == 4
    assert peer(case.venue.client).fetch_funding_interval(case.symbol)["interval"] == "4h"


@pytest.mark.parametrize("venue", venues("fetchFundingIntervals"), ids=name_of)
def test_hours_between_settlements_of_those_that_differ(peer: Callable[[str], Any], venue: Venue) -> None:
    rows = peer(venue.client).fetch_funding_intervals(list(lasting(venue)))
    hours = {symbol: WORLD.terms(listing).interval_h for symbol, listing in lasting(venue).items()}
    assert {symbol: row["interval"] for symbol, row in rows.items()} == {symbol: f"{hours[symbol]}h" for symbol in rows}
    assert rows.keys() >= {symbol for symbol, one in hours.items() if one != 8}


def settled(client: Any, symbol: str, window: Window) -> list[dict[str, Any]]:
    """Settlements of a window, page after page: OKX gives the newest of those asked for, the others the oldest."""
    start, end = (time // MILLISECOND for time in (window.start, window.end))
    rows: list[dict[str, Any]] = []
    if client.id == "okx":
        while page := client.fetch_funding_rate_history(
            symbol, None, 100, {"after": rows[0]["timestamp"] if rows else end}
        ):
            rows = page + rows
            if rows[0]["timestamp"] < start:
                break
        return [row for row in rows if row["timestamp"] >= start]
    while page := client.fetch_funding_rate_history(symbol, rows[-1]["timestamp"] + 1 if rows else start, 100):
        rows += page
    return [row for row in rows if row["timestamp"] < end]


@pytest.mark.parametrize("case", cases("fetchFundingRateHistory", dated=False), ids=name_of)
def test_settlements_of_several_pages(peer: Callable[[str], Any], case: Case) -> None:
    days = 30 if case.venue.client == "hyperliquid" else 60
    # From behind a settlement on: ccxt asks Bybit for one more than a page has from one on, and loses the oldest.
    window = Window(NOW // DAY * DAY - days * DAY + MINUTE, NOW // DAY * DAY)
    rows = settled(peer(case.venue.client), case.symbol, window)
    if case.venue.client == "hyperliquid":
        truth = [(due, hourly(case.listing, due)) for due in range(HOURLY.ceil(window.start), window.end, HOUR)]
    else:
        truth = [(row.time, row.rate) for row in WORLD.settlements(case.listing, window)]
    assert [row["timestamp"] * MILLISECOND // MINUTE for row in rows] == [time // MINUTE for time, _ in truth]
    assert [row["fundingRate"] for row in rows] == pytest.approx([rate for _, rate in truth], abs=2e-10)
    assert len({rate for _, rate in truth}) > 2


def open_now(client: Any, case: Case, row: dict[str, Any]) -> float:
    """Open interest of ccxt in base, of inverse contracts in quote; Bybit's inverse is a value in dollars."""
    if case.venue.client == "bybit" and case.venue.market is INVERSE:
        return float(row["openInterestValue"])
    return amount_of(client, case, row["openInterestAmount"])


def truth_of(case: Case, row: Interest) -> float:
    """The same of the world; Bybit counts both sides."""
    size = row.quote if case.venue.market is INVERSE else row.base
    return 2 * size if case.venue.client == "bybit" else size


@pytest.mark.parametrize("case", cases("fetchOpenInterest"), ids=name_of)
def test_open_interest(peer: Callable[[str], Any], case: Case) -> None:
    client = peer(case.venue.client)
    row = client.fetch_open_interest(case.symbol)
    time = NOW // HOUR * HOUR if case.venue.client == "bybit" else NOW  # the last of a list of hours
    (truth,) = WORLD.interest(case.listing, [time])
    assert open_now(client, case, row) == pytest.approx(truth_of(case, truth), rel=1e-12)
    assert row["timestamp"] == (None if case.venue.client == "hyperliquid" else time // MILLISECOND)


@pytest.mark.parametrize("venue", venues("fetchOpenInterests"), ids=name_of)
def test_open_interest_of_all(peer: Callable[[str], Any], venue: Venue) -> None:
    client = peer(venue.client)
    rows = client.fetch_open_interests(list(lasting(venue)))
    for symbol, listing in lasting(venue).items():
        case, (truth,) = Case(venue, symbol, listing), WORLD.interest(listing, [NOW])
        assert open_now(client, case, rows[symbol]) == pytest.approx(truth_of(case, truth), rel=1e-12)


@pytest.mark.parametrize("case", cases("fetchOpenInterestHistory"), ids=name_of)
def test_past_open_interest_of_several_pages(peer: Callable[[str], Any], case: Case) -> None:
    client, end = peer(case.venue.client), NOW // HOUR * HOUR
    times = range(end - 120 * HOUR, end, HOUR)
    rows: list[dict[str, Any]] = []
    while not rows or rows[-1]["timestamp"] < times[-1] // MILLISECOND:
        # Not from a point on: ccxt asks Bybit for one more than a page has then, and loses the oldest.
        since = 1 + (rows[-1]["timestamp"] if rows else (times[0] - HOUR) // MILLISECOND)
        rows += client.fetch_open_interest_history(case.symbol, "1h", since, 50)
    truth = WORLD.interest(case.listing, times)
    assert [row["timestamp"] for row in rows][:120] == [row.time // MILLISECOND for row in truth]
    told = [open_now(client, case, row) for row in rows][:120]
    assert told == pytest.approx([truth_of(case, row) for row in truth], rel=1e-12)


@pytest.mark.parametrize("case", cases("fetchLongShortRatioHistory", dated=False), ids=name_of)
def test_account_ratios(peer: Callable[[str], Any], case: Case) -> None:
    end = NOW // HOUR * HOUR
    since = (end - 29 * HOUR) // MILLISECOND
    rows = peer(case.venue.client).fetch_long_short_ratio_history(case.symbol, "1h", since, 30)
    times = range(end - 29 * HOUR, end + 1, HOUR)
    truth = [row.accounts_long for row in WORLD.ratios(case.listing, HOURLY, times)]
    assert [row["timestamp"] for row in rows] == [time // MILLISECOND for time in times]
    told = [row["longShortRatio"] for row in rows]
    assert told == pytest.approx([share / (1 - share) for share in truth], rel=5e-4)  # four digits of a share
