"""Hyperliquid's candles and instruments decoded to exact rows, its requests, and what its errors mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.catalog import distinct, listed
from marketcli.datasets import EVERY_DATASET, INSTRUMENTS, OHLC, TRADES_HISTORY, Dataset
from marketcli.errors import DecodeError, ExchangeError, MarketError, RateLimited, UnknownSymbol
from marketcli.exchanges import load
from marketcli.history.snapshot import merged
from marketcli.models import DAY, HOUR, Instrument, Interval, Market, Window
from marketcli.spec import Endpoint, Page, Query, Response

HYPERLIQUID = load("hyperliquid")
PAYLOADS = Path(__file__).parent.parent / "payloads" / "hyperliquid"
START = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
MARKETS = (Market.LINEAR, Market.SPOT)
BTC = {
    Market.LINEAR: Instrument("hyperliquid", Market.LINEAR, "BTC-USDC-PERP", "BTC", "BTC", "USDC", "USDC"),
    Market.SPOT: Instrument("hyperliquid", Market.SPOT, "HYPE-USDC", "@107", "HYPE", "USDC", "USDC"),
}


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def cell(dataset: Dataset, market: Market) -> Endpoint:
    endpoint = HYPERLIQUID.endpoint(dataset, market)
    assert endpoint is not None
    return endpoint


def query(dataset: Dataset, market: Market, interval: str = "1h") -> Query:
    return Query(dataset, market, BTC.get(market), Interval.parse(interval), Window(START, START + DAY))


def decoded(endpoint: Endpoint, market: Market, body: bytes) -> list[dict[str, Any]]:
    rows = endpoint.decode(body, query(endpoint.dataset, market))
    return [dict(zip(endpoint.columns, row, strict=True)) for row in rows]


@pytest.mark.parametrize("market", MARKETS)
def test_candles_have_base_volume_and_trades_only(market: Market) -> None:
    rows = decoded(cell(OHLC, market), market, payload("candleSnapshot"))
    assert [list(row.values()) for row in rows] == [
        [START, 91000.0, 91020.0, 90990.0, 91010.0, 12.5, 9],
        [START + HOUR, 91010.0, 91011.0, 90900.0, 90905.0, 0.0, 0],
    ]
    assert list(rows[0]) == ["time", "open", "high", "low", "close", "volume_base", "trades"]


@pytest.mark.parametrize("market", MARKETS)
def test_candles_are_asked_with_inclusive_bounds_in_an_object_of_their_own(market: Market) -> None:
    endpoint = cell(OHLC, market)
    assert endpoint.method == "POST"
    assert endpoint.params(query(OHLC, market), Page(Window(START, START + 3 * HOUR), 3)) == {
        "type": "candleSnapshot",
        "req": {
            "coin": BTC[market].native,
            "interval": "1h",
            "startTime": START // 1_000,
            "endTime": (START + 3 * HOUR) // 1_000 - 1,
        },
    }
    uneven: Any = endpoint.params(query(OHLC, market), Page(Window(START + 1, START + 1_001), 1))
    assert (uneven["req"]["startTime"], uneven["req"]["endTime"]) == (START // 1_000 + 1, START // 1_000 + 1)


@pytest.mark.parametrize(("rows", "weight"), [(1, 21), (60, 21), (61, 22), (2_520, 62), (5_000, 104)])
def test_candles_weigh_twenty_and_one_for_sixty_begun(rows: int, weight: int) -> None:
    assert dict(cell(OHLC, Market.LINEAR).cost(Page(None, rows))) == {"weight": weight}


def test_all_candles_of_an_interval_come_in_two_pages_side_by_side() -> None:
    endpoint = cell(OHLC, Market.LINEAR)
    assert endpoint.newest == 5_000
    asked = Query(OHLC, Market.LINEAR, BTC[Market.LINEAR], Interval(1, "h"), Window(START - 5_000 * HOUR, START))
    pages = list(endpoint.pages(endpoint, asked))
    assert [page.limit for page in pages] == [2_520, 2_480]
    assert sum(endpoint.cost(page)["weight"] for page in pages) == 124


def test_intervals_are_those_whose_candles_open_where_ours_do() -> None:
    assert {str(interval): spelled for interval, spelled in HYPERLIQUID.intervals.items()} == {
        text: text for text in ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "3d")
    }


def instruments(market: Market) -> dict[str, Instrument]:
    endpoint = cell(INSTRUMENTS, market)
    rows = decoded(endpoint, market, payload("allPerpMetas" if market is Market.LINEAR else "spotMeta"))
    for other in endpoint.joins:
        table = {row[other.on]: row for row in decoded(other, market, payload("spotMeta"))}
        rows = [merged(table[row[other.on]], row) for row in rows]
    return {one.native: one for one in distinct([listed("hyperliquid", market, row) for row in rows])}


def test_perpetuals_of_all_dexes_are_named_by_their_collateral() -> None:
    found = instruments(Market.LINEAR)
    assert {one.native: (one.symbol, one.unified, one.status) for one in found.values()} == {
        "BTC": ("BTC-USDC-PERP", "BTC/USDC:USDC", "trading"),
        "MATIC": ("MATIC-USDC-PERP", "MATIC/USDC:USDC", "closed"),
        "kPEPE": ("kPEPE-USDC-PERP", "kPEPE/USDC:USDC", "trading"),
        "xyz:TSLA": ("xyz:TSLA-USDC-PERP", "XYZ-TSLA/USDC:USDC", "trading"),
        "flx:GOLD": ("flx:GOLD-USDH-PERP", "FLX-GOLD/USDH:USDH", "trading"),
    }
    btc, pepe = found["BTC"], found["kPEPE"]
    assert (btc.multiplier, btc.lot, btc.tick, btc.interval_h, btc.listed) == (1, 0.00001, None, 1.0, None)
    assert (pepe.base, pepe.coin, pepe.multiplier, pepe.lot) == ("kPEPE", "PEPE", 1000, 1.0)
    assert found["flx:GOLD"].settle == "USDH"


def test_spot_pairs_are_named_by_their_tokens_on_chain() -> None:
    assert {one.native: (one.symbol, one.settle, one.lot) for one in instruments(Market.SPOT).values()} == {
        "PURR/USDC": ("PURR-USDC", "USDC", 1.0),
        "@107": ("HYPE-USDC", "USDC", 0.01),
        "@230": ("UBTC-USDH", "USDH", 0.00001),
    }


def test_a_pair_of_an_unknown_token_is_refused() -> None:
    document = json.loads(payload("spotMeta"))
    document["tokens"].pop()
    with pytest.raises(DecodeError, match="token 360"):
        decoded(cell(INSTRUMENTS, Market.SPOT), Market.SPOT, json.dumps(document).encode())


def test_an_empty_list_of_perpetuals_is_no_list() -> None:
    with pytest.raises(DecodeError, match="without the main exchange"):
        decoded(cell(INSTRUMENTS, Market.LINEAR), Market.LINEAR, b"[]")


def test_lists_are_asked_by_type_alone() -> None:
    perpetuals, spot = cell(INSTRUMENTS, Market.LINEAR), cell(INSTRUMENTS, Market.SPOT)
    (tokens,) = perpetuals.joins
    asked = [one.params(query(INSTRUMENTS, Market.LINEAR), Page(None, 1)) for one in (perpetuals, tokens, spot)]
    assert asked == [{"type": "allPerpMetas"}, {"type": "spotMeta"}, {"type": "spotMeta"}]


def answer(status: int, body: bytes) -> Response:
    return Response(status, {}, body, "x")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, b"null", UnknownSymbol),
        (200, b"null", UnknownSymbol),
        (200, b" null\n", UnknownSymbol),
        (422, b"Failed to deserialize the JSON body into the target type", ExchangeError),
        (429, b"null", RateLimited),
        (429, b"", RateLimited),
    ],
)
def test_errors_are_told_apart_by_status_and_body(status: int, body: bytes, kind: type[MarketError]) -> None:
    error = HYPERLIQUID.refuse(answer(status, body))
    assert type(error) is kind
    assert not (kind is UnknownSymbol and error.retryable)


def test_what_was_misunderstood_is_quoted_harmlessly() -> None:
    error = HYPERLIQUID.refuse(answer(422, b"\x1b[31mFailed to deserialize \xff"))
    assert error is not None
    assert "error 422: \\x1b[31mFailed to deserialize" in str(error)


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"[]"), (200, b""), (500, b""), (500, b"<html>"), (502, b"null"), (451, b"null"), (400, b"x")],
)
def test_what_hyperliquid_does_not_explain_is_left_to_the_status(status: int, body: bytes) -> None:
    assert HYPERLIQUID.refuse(answer(status, body)) is None


CANDLE: dict[str, Any] = json.loads(payload("candleSnapshot"))[0]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", None, "", "x", [], "1_000"])
@pytest.mark.parametrize("name", ["o", "c", "v", "n"])
def test_numbers_that_are_none_are_refused_by_their_field(name: str, value: object) -> None:
    with pytest.raises(DecodeError) as caught:
        decoded(cell(OHLC, Market.LINEAR), Market.LINEAR, json.dumps([CANDLE, CANDLE | {name: value}]).encode())
    assert "Hyperliquid linear candles" in str(caught.value)
    assert f"$[1].{name}" in str(caught.value) or f"`$[...].{name}`" in str(caught.value)


@pytest.mark.parametrize("name", ["t", "o", "h", "l", "c", "v", "n"])
def test_a_missing_field_is_named(name: str) -> None:
    with pytest.raises(DecodeError, match=f"`{name}`"):
        decoded(
            cell(OHLC, Market.LINEAR),
            Market.LINEAR,
            json.dumps([{key: value for key, value in CANDLE.items() if key != name}]).encode(),
        )


CELLS = [
    (endpoint, market)
    for endpoint in (*HYPERLIQUID.instruments, *HYPERLIQUID.instruments[0].joins, *HYPERLIQUID.endpoints)
    for market in sorted(endpoint.markets)
]
WIRE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=13) | st.dictionaries(st.text(max_size=12), inner, max_size=8),
    max_leaves=40,
)


@pytest.mark.parametrize(("endpoint", "market"), CELLS)
@given(body=st.binary(max_size=300) | WIRE.map(lambda value: json.dumps(value).encode()))
def test_arbitrary_bytes_give_rows_or_our_error(endpoint: Any, market: Market, body: bytes) -> None:
    try:
        rows = endpoint.decode(body, query(endpoint.dataset, market))
    except MarketError:
        return
    assert all(len(row) == len(endpoint.columns) for row in rows)


@pytest.mark.parametrize("name", ["allPerpMetas", "spotMeta", "metaAndAssetCtxs", "spotMetaAndAssetCtxs", "l2Book"])
@given(data=st.data())
def test_one_strange_value_anywhere_gives_rows_or_our_error(name: str, data: st.DataObject) -> None:
    document = json.loads(payload(name))
    holders = list(holders_of(document))
    holder = data.draw(st.sampled_from(holders))
    holder[data.draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))] = data.draw(
        WIRE
    )
    for endpoint, market in CELLS:
        try:
            rows = endpoint.decode(json.dumps(document).encode(), query(endpoint.dataset, market))
        except MarketError:
            continue
        assert all(len(row) == len(endpoint.columns) for row in rows)


def holders_of(document: Any) -> Any:
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    if inner:
        yield document
    for value in inner:
        yield from holders_of(value)


@given(
    body=st.binary(max_size=200) | WIRE.map(lambda value: json.dumps(value).encode()),
    status=st.sampled_from([200, 400, 415, 422, 429, 500]),
)
def test_arbitrary_errors_are_told_as_ours(body: bytes, status: int) -> None:
    error = HYPERLIQUID.refuse(answer(status, body))
    assert error is None or isinstance(error, MarketError)


@pytest.mark.parametrize(("endpoint", "market"), CELLS)
def test_every_cell_has_documentation_a_limit_a_budget_and_posts(endpoint: Endpoint, market: Market) -> None:
    assert endpoint.docs.startswith("https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/")
    assert (endpoint.method, endpoint.path) == ("POST", "/info")
    assert HYPERLIQUID.sites["live"].hosts[market] == ("https://api.hyperliquid.xyz",)
    assert HYPERLIQUID.sites["testnet"].hosts[market] == ("https://api.hyperliquid-testnet.xyz",)
    for name, units in endpoint.cost(Page(None, endpoint.limit)).items():
        assert 0 < units <= HYPERLIQUID.budget(name).limit == 1_200
    assert set(endpoint.columns) <= {*endpoint.dataset.fields, "collateral", "interval_h", "mark"}


@pytest.mark.parametrize("market", MARKETS)
def test_what_is_not_offered_has_a_reason(market: Market) -> None:
    for dataset in EVERY_DATASET:
        offered = HYPERLIQUID.endpoint(dataset, market) is not None
        assert offered is not bool(HYPERLIQUID.absent.get((dataset, market))), dataset.name
    assert "newest" in HYPERLIQUID.absent[TRADES_HISTORY, market]
    assert HYPERLIQUID.markets == (Market.LINEAR, Market.SPOT)
