"""Hyperliquid's funding, open interest, prices, tickers, books and trades: exact rows from documented shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from marketcli.datasets import BOOK, FUNDING, FUNDING_HISTORY, OI, PRICE, TICKER, TRADES, Dataset
from marketcli.errors import DecodeError
from marketcli.exchanges import load
from marketcli.models import DAY, HOUR, MINUTE, Instrument, Market, Window
from marketcli.spec import Endpoint, Page, Query

HYPERLIQUID = load("hyperliquid")
PAYLOADS = Path(__file__).parent.parent / "payloads" / "hyperliquid"
START = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
LINEAR, SPOT = Market.LINEAR, Market.SPOT
BTC = Instrument("hyperliquid", LINEAR, "BTC-USDC-PERP", "BTC", "BTC", "USDC", "USDC")
TSLA = Instrument("hyperliquid", LINEAR, "xyz:TSLA-USDC-PERP", "xyz:TSLA", "xyz:TSLA", "USDC", "USDC")
HYPE = Instrument("hyperliquid", SPOT, "HYPE-USDC", "@107", "HYPE", "USDC", "USDC")
ONE = Page(None, 1)


def cell(dataset: Dataset, market: Market) -> Endpoint:
    endpoint = HYPERLIQUID.endpoint(dataset, market)
    assert endpoint is not None
    return endpoint


def document(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_bytes())


def decoded(dataset: Dataset, market: Market, found: Any) -> list[dict[str, Any]]:
    endpoint = cell(dataset, market)
    rows = endpoint.decode(json.dumps(found).encode(), Query(dataset, market, BTC))
    return [dict(zip(endpoint.columns, row, strict=True)) for row in rows]


def test_coming_funding_is_hourly_and_what_is_delisted_has_none() -> None:
    assert decoded(FUNDING, LINEAR, document("metaAndAssetCtxs")) == [
        {"native": "BTC", "rate": 0.0000125, "mark": 91001.0, "index": 91005.0},
        {"native": "kPEPE", "rate": -0.0000015186, "mark": 0.010399, "index": 0.0104},
    ]


@pytest.mark.parametrize(
    ("now", "coming"), [(START, START + HOUR), (START + 1, START + HOUR), (START + HOUR - 1, START + HOUR)]
)
def test_funding_is_due_at_the_next_full_hour(now: int, coming: int) -> None:
    filled = {name: value(now) if callable(value) else value for name, value in cell(FUNDING, LINEAR).fill.items()}
    assert filled == {"time": now, "interval_h": 1.0, "next_time": coming}


def test_open_interest_is_base_and_of_the_moment_it_was_asked_for() -> None:
    rows = decoded(OI, LINEAR, document("metaAndAssetCtxs"))
    assert rows == [
        {"native": "BTC", "oi_base": 36000.5, "mark": 91001.0},
        {"native": "MATIC", "oi_base": 0.0, "mark": 0.3621},
        {"native": "kPEPE", "oi_base": 27353000.0, "mark": 0.010399},
    ]
    moment: Any = cell(OI, LINEAR).fill["time"]
    assert moment(START + 7) == START + 7


def test_prices_are_mark_and_oracle() -> None:
    rows = decoded(PRICE, LINEAR, document("metaAndAssetCtxs"))
    assert rows[0] == {"native": "BTC", "mark": 91001.0, "index": 91005.0}
    assert decoded(PRICE, SPOT, document("spotMetaAndAssetCtxs")) == [
        {"native": "@107", "mark": 40.25},
        {"native": "PURR/USDC", "mark": 0.22695},
    ]


def test_tickers_have_mark_open_and_volumes_and_no_price_of_zero() -> None:
    assert decoded(TICKER, LINEAR, document("metaAndAssetCtxs")) == [
        {"native": "BTC", "mark": 91001.0, "open": 90500.0, "volume_base": 45000.1, "volume_quote": 4100000000.25},
        {"native": "MATIC", "mark": 0.3621, "open": 0.3621, "volume_base": 0.0, "volume_quote": 0.0},
        {"native": "kPEPE", "mark": 0.010399, "open": None, "volume_base": None, "volume_quote": 1516669.1953897476},
    ]
    assert decoded(TICKER, SPOT, document("spotMetaAndAssetCtxs")) == [
        {"native": "@107", "mark": 40.25, "open": 38.5, "volume_base": 6300000.75, "volume_quote": 250000000.5},
        {"native": "PURR/USDC", "mark": 0.22695, "open": None, "volume_base": 0.0, "volume_quote": 0.0},
    ]


def test_blanks_are_null_and_missing_fields_are_not() -> None:
    blank = document("metaAndAssetCtxs")
    blank[1][0] |= {"funding": None, "markPx": None, "oraclePx": "0.0", "openInterest": None}
    assert decoded(FUNDING, LINEAR, blank)[0] == {"native": "BTC", "rate": None, "mark": None, "index": None}
    assert decoded(OI, LINEAR, blank)[0] == {"native": "BTC", "oi_base": None, "mark": None}
    del blank[1][0]["funding"]
    with pytest.raises(DecodeError, match=r"Hyperliquid linear funding .*`funding`"):
        decoded(FUNDING, LINEAR, blank)


@pytest.mark.parametrize("dataset", [FUNDING, OI, PRICE, TICKER])
def test_states_that_are_fewer_than_instruments_are_refused(dataset: Dataset) -> None:
    found = document("metaAndAssetCtxs")
    found[1].pop()
    with pytest.raises(DecodeError, match="2 states of 3 instruments"):
        decoded(dataset, LINEAR, found)


@pytest.mark.parametrize("dataset", [FUNDING, OI, PRICE, TICKER])
def test_the_state_of_a_builders_contract_is_asked_of_the_builder(dataset: Dataset) -> None:
    endpoint = cell(dataset, LINEAR)
    asked = [endpoint.params(Query(dataset, LINEAR, one), ONE) for one in (BTC, TSLA, None)]
    assert asked == [{"type": "metaAndAssetCtxs", "dex": dex} for dex in ("", "xyz", "")]
    assert dict(endpoint.cost(ONE)) == {"weight": 20}


@pytest.mark.parametrize("dataset", [PRICE, TICKER])
def test_the_state_of_spot_is_asked_whole(dataset: Dataset) -> None:
    endpoint = cell(dataset, SPOT)
    assert endpoint.params(Query(dataset, SPOT, HYPE), ONE) == {"type": "spotMetaAndAssetCtxs"}
    assert dict(endpoint.cost(ONE)) == {"weight": 20}


def test_settlements_are_snapped_to_the_hour_they_were_due_at() -> None:
    assert decoded(FUNDING_HISTORY, LINEAR, document("fundingHistory")) == [
        {"time": START, "rate": 0.0000125},
        {"time": START + HOUR, "rate": -0.0000741},
    ]


def test_settlements_are_asked_from_a_start_on_with_a_minute_to_spare() -> None:
    endpoint = cell(FUNDING_HISTORY, LINEAR)
    asked = Query(FUNDING_HISTORY, LINEAR, BTC, None, Window(START, START + DAY))
    assert endpoint.params(asked, Page(Window(START, START + DAY), 500)) == {
        "type": "fundingHistory",
        "coin": "BTC",
        "startTime": (START - MINUTE) // 1_000,
        "endTime": (START + DAY + MINUTE) // 1_000,
    }
    assert endpoint.limit == 500


@pytest.mark.parametrize(("hours", "weight"), [(1, 21), (18, 21), (19, 22), (498, 45), (9_000, 45)])
def test_settlements_weigh_twenty_and_one_for_twenty_begun(hours: int, weight: int) -> None:
    page = Page(Window(START - hours * HOUR, START), 500)
    assert dict(cell(FUNDING_HISTORY, LINEAR).cost(page)) == {"weight": weight}


def test_a_full_page_of_settlements_is_continued_where_it_ended() -> None:
    endpoint, window = cell(FUNDING_HISTORY, LINEAR), Window(START, START + 600 * HOUR)
    walk: Any = endpoint.pages(endpoint, Query(FUNDING_HISTORY, LINEAR, BTC, None, window))
    assert next(walk).window == window
    following = walk.send([(START + n * HOUR, 0.0) for n in range(500)])
    assert following.window == Window(START + 499 * HOUR, window.end)
    with pytest.raises(StopIteration):
        walk.send([(START + n * HOUR, 0.0) for n in range(499, 600)])


@pytest.mark.parametrize(("market", "one"), [(LINEAR, BTC), (SPOT, HYPE)])
def test_books_have_both_sides_with_their_orders(market: Market, one: Instrument) -> None:
    time = START + 700_000
    assert decoded(BOOK, market, document("l2Book")) == [
        {"time": time, "side": "bid", "price": 91000.0, "size": 3.2, "orders": 7},
        {"time": time, "side": "bid", "price": 90999.0, "size": 0.00012, "orders": 1},
        {"time": time, "side": "ask", "price": 91001.0, "size": 1.1, "orders": 2},
    ]
    endpoint = cell(BOOK, market)
    assert endpoint.params(Query(BOOK, market, one), Page(None, 5)) == {"type": "l2Book", "coin": one.native}
    assert (endpoint.limit, dict(endpoint.cost(ONE))) == (20, {"weight": 2})
    assert decoded(BOOK, market, document("l2Book") | {"levels": [[], []]}) == []
    with pytest.raises(DecodeError):
        decoded(BOOK, market, document("l2Book") | {"levels": [[]]})


@pytest.mark.parametrize(("market", "one"), [(LINEAR, BTC), (SPOT, HYPE)])
def test_trades_have_the_taker_s_side_and_ids_as_text(market: Market, one: Instrument) -> None:
    assert decoded(TRADES, market, document("recentTrades")) == [
        {"time": START + 123_000, "id": "1123456789012345", "price": 91000.0, "size": 0.5, "side": "sell"},
        {"time": START - 996_000, "id": "7", "price": 91001.0, "size": 0.00012, "side": "buy"},
    ]
    endpoint = cell(TRADES, market)
    assert endpoint.params(Query(TRADES, market, one), ONE) == {"type": "recentTrades", "coin": one.native}
    assert dict(endpoint.cost(ONE)) == {"weight": 21}
    with pytest.raises(DecodeError, match="side"):
        decoded(TRADES, market, [document("recentTrades")[0] | {"side": "S"}])
