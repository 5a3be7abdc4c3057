"""Hyperliquid as the sandbox plays it: limits, bounds, orders and refusals as they are documented or were observed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.small_world import NOW, at, ms

from marketcli.models import DAY, HOUR, MILLISECOND, Market
from marketcli.sandbox.floor import Floor
from marketcli.world import Listing, World

if TYPE_CHECKING:
    from marketcli.sandbox.draft import Draft

HOST = "api.hyperliquid.xyz"
JSON = {"content-type": "application/json"}
DAY_MS, HOUR_MS = DAY // MILLISECOND, HOUR // MILLISECOND
ENDED = at("2024-09-10T09:00")


class EndedWorld(World):
    """The world with a perpetual against USDC that is over."""

    def listings(self, market: Market | None = None) -> list[Listing]:
        found = super().listings(market)
        matic = [one for one in found if one.base == "MATIC" and one.market is Market.LINEAR]
        return [*found[:1], *(replace(one, quote="USDC", settle="USDC") for one in matic), *found[1:]]


@pytest.fixture(scope="module")
def on() -> Floor:
    return Floor(EndedWorld(7, clock=lambda: NOW), limits=False, faults=())


def sent(on: Floor, body: bytes, *, method: str = "POST", path: str = "/info", headers: Any = None) -> Draft:
    return on.answer(method, HOST, path=path, query="", body=body, headers=JSON if headers is None else headers)


def post(on: Floor, kind: str, **more: Any) -> Any:
    draft = sent(on, json.dumps({"type": kind, **more}).encode())
    assert draft.status == 200
    return draft.document()


def candles(on: Floor, coin: str = "BTC", interval: str = "1h", **more: Any) -> Any:
    return post(on, "candleSnapshot", req={"coin": coin, "interval": interval, **more})


def times(rows: Any) -> list[int]:
    return [row["t"] for row in rows]


def weight(on: Floor) -> int:
    found: int = on.log[-1]["weight"]
    return found


@pytest.mark.parametrize("coin", ["BTC", "@142"])
def test_both_bounds_of_candles_belong_to_them_and_the_oldest_comes_first(on: Floor, coin: str) -> None:
    start = ms("2026-11-01T00:00")
    hours = [start + n * HOUR_MS for n in range(4)]
    assert times(candles(on, coin, startTime=start, endTime=start + 3 * HOUR_MS)) == hours
    assert times(candles(on, coin, startTime=start + 1, endTime=start + 3 * HOUR_MS - 1)) == hours[1:3]
    assert candles(on, coin, startTime=start + 1, endTime=start) == []


def test_a_candle_says_when_it_opens_and_closes_in_text_and_numbers(on: Floor) -> None:
    (row,) = candles(on, "kPEPE", "1d", startTime=ms("2026-11-01"), endTime=ms("2026-11-01"))
    assert list(row) == ["t", "T", "s", "i", "o", "c", "h", "l", "v", "n"]
    assert (row["t"], row["T"], row["s"], row["i"]) == (ms("2026-11-01"), ms("2026-11-02") - 1, "kPEPE", "1d")
    assert all("." in row[name] and "e" not in row[name] for name in "ochlv")
    assert isinstance(row["n"], int)


@pytest.mark.parametrize(("interval", "length"), [("1m", 60_000), ("1h", HOUR_MS), ("8h", 8 * HOUR_MS)])
def test_only_the_newest_five_thousand_candles_of_an_interval_exist(on: Floor, interval: str, length: int) -> None:
    newest = NOW // MILLISECOND // length * length
    found = times(candles(on, interval=interval, startTime=0))
    assert (len(found), found[0], found[-1]) == ((3_157, ms("2024-01-04T08:00"), newest) if length > HOUR_MS else (
        5_000, newest - 4_999 * length, newest))  # fmt: skip
    assert candles(on, interval=interval, startTime=0, endTime=ms("2024-01-04T07:59:59")) == []
    if length == HOUR_MS:
        assert candles(on, startTime=0, endTime=newest - 5_000 * length) == []
        assert times(candles(on, startTime=0, endTime=newest - 4_999 * length)) == [newest - 4_999 * length]


def test_of_what_is_delisted_the_last_candles_remain(on: Floor) -> None:
    found = times(candles(on, "MATIC", startTime=0))
    assert len(found) == 5_000
    assert found[-1] == ENDED // MILLISECOND - HOUR_MS


def test_weeks_begin_on_thursdays(on: Floor) -> None:
    weeks = candles(on, interval="1w", startTime=ms("2026-10-30"))
    assert times(weeks) == [ms("2026-11-05"), ms("2026-11-12"), ms("2026-11-19")]
    assert times(candles(on, interval="1M", startTime=ms("2026-10-02"))) == [ms("2026-11-01")]


@pytest.mark.parametrize(("hours", "weighed"), [(1, 21), (60, 21), (61, 22), (5_000, 104), (9_000, 104)])
def test_candles_weigh_by_their_rows(on: Floor, hours: int, weighed: int) -> None:
    newest = NOW // HOUR * HOUR_MS
    candles(on, startTime=newest - (hours - 1) * HOUR_MS, endTime=newest)
    assert weight(on) == weighed


def test_settlements_come_hourly_and_a_little_late_from_the_start_on(on: Floor) -> None:
    start = ms("2025-03-01T00:00")
    rows = post(on, "fundingHistory", coin="SOL", startTime=start)
    assert len(rows) == 500
    assert [row["time"] // HOUR_MS * HOUR_MS for row in rows] == [start + n * HOUR_MS for n in range(500)]
    assert all(1 <= row["time"] % HOUR_MS <= 120 for row in rows)
    assert {row["coin"] for row in rows} == {"SOL"}
    assert len({row["fundingRate"] for row in rows}) > 10
    assert weight(on) == 45


def test_both_bounds_of_settlements_belong_to_them(on: Floor) -> None:
    start = ms("2025-03-01T00:00")
    first, second = (row["time"] for row in post(on, "fundingHistory", coin="BTC", startTime=start)[:2])
    found = post(on, "fundingHistory", coin="BTC", startTime=first, endTime=second)
    assert [row["time"] for row in found] == [first, second]
    assert weight(on) == 21
    assert post(on, "fundingHistory", coin="BTC", startTime=first + 1, endTime=second - 1) == []


def test_settlements_begin_an_hour_after_the_listing_and_end_now(on: Floor) -> None:
    first = post(on, "fundingHistory", coin="ETH", startTime=0)[0]
    assert first["time"] // HOUR_MS * HOUR_MS == ms("2024-01-04T09:00")
    last = post(on, "fundingHistory", coin="ETH", startTime=NOW // MILLISECOND - HOUR_MS)[-1]
    assert last["time"] // HOUR_MS * HOUR_MS == ms("2026-11-21T12:00")


def test_a_rate_is_an_eighth_of_what_the_formula_makes_of_the_premium(on: Floor) -> None:
    rows = post(on, "fundingHistory", coin="SOL", startTime=ms("2026-11-17T00:00"))
    near = [row for row in rows if -0.0004 <= float(row["premium"]) <= 0.0006]
    far = [row for row in rows if row not in near]
    assert {row["fundingRate"] for row in near} == {"0.0000125"}
    assert far
    for row in far:
        above = float(row["premium"])
        clamped = -0.0005 if above > 0 else 0.0005
        assert float(row["fundingRate"]) == pytest.approx((above + clamped) / 8, abs=1e-10)


def test_instruments_keep_their_places_whatever_becomes_of_them(on: Floor) -> None:
    (meta,) = post(on, "allPerpMetas")
    assert meta == post(on, "meta", dex="") == post(on, "meta")
    assert [one["name"] for one in meta["universe"]] == ["MATIC", "BTC", "ETH", "SOL", "kPEPE"]
    assert [one.get("isDelisted") for one in meta["universe"]] == [True, None, None, None, None]
    assert [one["szDecimals"] for one in meta["universe"]] == [0, 3, 3, 2, 0]
    assert meta["collateralToken"] == 0
    assert post(on, "perpDexs") == [None]


def test_spot_pairs_name_their_tokens_by_index(on: Floor) -> None:
    found = post(on, "spotMeta")
    tokens = {token["index"]: token["name"] for token in found["tokens"]}
    assert {pair["name"]: [tokens[one] for one in pair["tokens"]] for pair in found["universe"]} == {
        "@142": ["UBTC", "USDC"],
        "@151": ["UETH", "USDC"],
        "@156": ["USOL", "USDC"],
    }
    assert all(pair["name"] == f"@{pair['index']}" for pair in found["universe"])


def test_states_belong_to_perpetuals_by_place_and_to_pairs_by_name(on: Floor) -> None:
    meta, states = post(on, "metaAndAssetCtxs")
    assert meta == post(on, "meta")
    assert len(states) == len(meta["universe"])
    over = states[0]
    assert [over[name] for name in ("funding", "openInterest", "premium", "midPx", "impactPxs")] == [
        "0.0", "0.0", None, None, None,
    ]  # fmt: skip
    assert float(over["markPx"]) > 0
    assert [round(float(state["markPx"]), -3) for state in states[1:3]] == [80_000, 3_000]
    spot, pairs = post(on, "spotMetaAndAssetCtxs")
    assert [pair["coin"] for pair in pairs] == [pair["name"] for pair in reversed(spot["universe"])]


def test_a_book_has_twenty_levels_a_side_and_none_where_nothing_trades(on: Floor) -> None:
    found = post(on, "l2Book", coin="BTC")
    bids, asks = ([float(level["px"]) for level in side] for side in found["levels"])
    assert len(bids) == len(asks) == 20
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]
    assert weight(on) == 2
    assert post(on, "l2Book", coin="MATIC")["levels"] == [[], []]
    assert post(on, "l2Book", coin="btc") is None


def test_the_newest_trades_come_newest_first(on: Floor) -> None:
    rows = post(on, "recentTrades", coin="BTC")
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)
    assert len({row["tid"] for row in rows}) == len(rows) == 10
    assert all(row["tid"] < 2**50 and row["side"] in {"A", "B"} for row in rows)
    assert weight(on) == 21


def test_what_other_clients_ask_while_they_start_is_answered(on: Floor) -> None:
    assert post(on, "exchangeStatus") == {"time": NOW // MILLISECOND, "specialStatuses": None}
    assert weight(on) == 2
    assert set(post(on, "allMids")) == {"BTC", "ETH", "SOL", "kPEPE", "@142", "@151", "@156"}


UNKNOWN = [
    {"type": "candleSnapshot", "req": {"coin": "btc", "interval": "1h", "startTime": 0}},
    {"type": "fundingHistory", "coin": "NOPE", "startTime": 0},
    {"type": "fundingHistory", "coin": "@142", "startTime": 0},
    {"type": "recentTrades", "coin": "PEPE"},
    {"type": "metaAndAssetCtxs", "dex": "xyz"},
    {"type": "meta", "dex": "xyz"},
    {"type": "allMids", "dex": "xyz"},
]


@pytest.mark.parametrize("body", UNKNOWN)
def test_unknown_names_are_an_error_of_the_server_that_says_nothing(on: Floor, body: Any) -> None:
    draft = sent(on, json.dumps(body).encode())
    assert (draft.status, draft.body) == (500, b"null")


MISTAKES = [
    {},
    {"type": "nothing"},
    {"type": 7},
    {"type": "l2Book"},
    {"type": "fundingHistory", "coin": "BTC"},
    {"type": "fundingHistory", "coin": "BTC", "startTime": "0"},
    {"type": "candleSnapshot", "coin": "BTC", "interval": "1h", "startTime": 0},
    {"type": "candleSnapshot", "req": {"coin": "BTC", "interval": "6h", "startTime": 0}},
    {"type": "candleSnapshot", "req": {"coin": "BTC", "interval": "1h"}},
]


@pytest.mark.parametrize("body", MISTAKES)
def test_what_cannot_be_understood_is_refused_in_plain_words(on: Floor, body: Any) -> None:
    draft = sent(on, json.dumps(body).encode())
    assert draft.status == 422
    assert draft.body == b"Failed to deserialize the JSON body into the target type"
    assert draft.headers["Content-Type"].startswith("text/plain")


def test_what_is_no_json_no_post_or_no_path_is_refused(on: Floor) -> None:
    good = b'{"type":"meta"}'
    assert sent(on, good[:-1]).status == 400
    assert sent(on, good, headers={"content-type": "text/plain"}).status == 415
    assert sent(on, good, headers={"content-type": "application/json; charset=utf-8"}).status == 200
    refused = sent(on, b"", method="GET")
    assert (refused.status, refused.body) == (405, b"")
    assert sent(on, good, path="/exchange").status == 404


def test_a_minute_has_1200_units_and_a_refusal_says_nothing_of_the_next() -> None:
    limited = Floor(World(7, clock=lambda: NOW), limits=True, faults=())
    body = b'{"type":"spotMeta"}'
    assert [sent(limited, body).status for _ in range(61)] == [200] * 60 + [429]
    refused = sent(limited, body)
    assert refused.status == 429
    assert not {"Retry-After", "retry-after"} & set(refused.headers)
    assert limited.stats()["weight"] == {"hyperliquid weight": 62 * 20}


def test_the_testnet_answers_the_same(on: Floor) -> None:
    draft = on.answer(
        "POST", "api.hyperliquid-testnet.xyz", path="/info", query="", body=b'{"type":"meta"}', headers=JSON
    )
    assert draft.document() == post(on, "meta")
