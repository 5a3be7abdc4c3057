"""OKX's streams: every channel decoded to exact rows, what is asked with, and what frames without data mean."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from exchanges.test_okx import BTC, INVERSE, LINEAR, OKX, PAYLOADS, SPOT, START, payload

from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, OI, STREAMED, TICKER, TRADES, Dataset
from marketcli.errors import DecodeError, MalformedBody, MarketError
from marketcli.exchanges.okx import rest
from marketcli.models import MILLISECOND, Instrument, Interval, Market
from marketcli.spec import Channel, Control, Push, Query, Rows

ENTRIES: list[dict[str, Any]] = json.loads((PAYLOADS / "streams.json").read_text())
SOCKETS = OKX.sites["live"].sockets
PUBLIC = SOCKETS["public"]
SWAP = replace(BTC[INVERSE], symbol="BTC-USD-PERP", native="BTC-USD-SWAP", kind="SWAP")
WHO: dict[Market, Instrument] = BTC | {INVERSE: SWAP}


def told(frame: Any) -> Push | Control:
    return PUBLIC.read(frame if isinstance(frame, bytes) else json.dumps(frame).encode())


def question(dataset: Dataset, market: Market, interval: str | None = None) -> Query:
    return Query(dataset, market, WHO[market], Interval.parse(interval) if interval else None)


def channel(dataset: Dataset, market: Market, topic: str, interval: str | None = "1m") -> Channel:
    query = question(dataset, market, interval)
    return next(
        one for one in OKX.channels if one.dataset is dataset and market in one.markets and one.topic(query) == topic
    )


def decoded(dataset: Dataset, market: Market, topic: str, data: Any) -> Rows:
    query = question(dataset, market)
    one = next(one for one in OKX.channels if one.dataset is dataset and market in one.markets and topic in one.docs)
    return one.decoder()(json.dumps(data).encode(), query)


@pytest.mark.parametrize(
    "entry", ENTRIES, ids=[f"{number} {one['market']} {one['topic']}" for number, one in enumerate(ENTRIES)]
)
def test_every_channel_gives_exactly_these_rows(entry: dict[str, Any]) -> None:
    dataset = next(one for one in STREAMED if one.name == entry["dataset"])
    market = Market(entry["market"])
    found = told(entry["frame"])
    assert not isinstance(found, Control)
    topic, data = found
    assert topic == entry["topic"]
    one = channel(dataset, market, topic, entry["interval"])
    assert one.scope == entry["scope"]
    rows = one.decoder()(data, question(dataset, market, entry["interval"]))
    assert rows == [tuple(row) for row in entry["rows"]]
    assert all(len(row) == len(one.columns) for row in rows)


def test_every_channel_of_every_market_has_a_payload() -> None:
    tried = {(entry["dataset"], entry["market"], entry["topic"].split(":")[0]) for entry in ENTRIES}
    listed = {
        (one.dataset.name, market.value, one.topic(question(one.dataset, market, "1m")).split(":")[0])
        for one in OKX.channels
        for market in one.markets
    }
    assert {(dataset, market, name[:6] if name.startswith("candle") else name) for dataset, market, name in tried} == {
        (dataset, market, name[:6] if name.startswith("candle") else name) for dataset, market, name in listed
    }


COLUMNS = {
    (TRADES, SPOT): [("time", "id", "price", "size", "side")],
    (TRADES, LINEAR): [("time", "id", "price", "size_contracts", "side")],
    (OHLC, SPOT): [("time", "open", "high", "low", "close", "volume_base", "volume_quote", "closed")],
    (OHLC, INVERSE): [
        ("time", "open", "high", "low", "close", "volume_contracts", "volume_base", "volume_quote", "closed")
    ],
    (LIQUIDATIONS, LINEAR): [("native", "time", "liquidated", "price", "size_contracts")] * 2,
    (FUNDING, INVERSE): [
        ("native", "pair", "time", "rate", "interval_h", "next_time"),
        ("native", "mark", "time"),
        ("pair", "index", "time"),
    ],
    (OI, LINEAR): [("native", "time", "oi_contracts", "oi_base"), ("native", "mark", "time")],
}


@pytest.mark.parametrize(("dataset", "market"), COLUMNS, ids=str)
def test_columns_say_what_is_counted(dataset: Dataset, market: Market) -> None:
    found = [one for one in OKX.channels if one.dataset is dataset and market in one.markets]
    assert [one.columns for one in found] == COLUMNS[dataset, market]
    assert [one.leads for one in found] == [True] * (2 if dataset is LIQUIDATIONS else 1) + [False] * (
        len(found) - (2 if dataset is LIQUIDATIONS else 1)
    )


def test_ticker_columns_are_those_of_answers() -> None:
    for market in Market:
        endpoint = OKX.endpoint(TICKER, market)
        assert endpoint is not None
        assert [one.columns for one in OKX.streams(TICKER, market, scope="instrument")] == [endpoint.columns]


def test_a_message_about_several_trades_has_the_last_id() -> None:
    frame = {"arg": {"channel": "trades", "instId": "BTC-USDT-SWAP"}, "data": [
        {"instId": "BTC-USDT-SWAP", "tradeId": "501", "px": "91000.1", "sz": "12", "side": "sell",
         "ts": "1795219200123", "count": "3", "source": "0", "seqId": 880},
    ]}  # fmt: skip
    found = told(frame)
    assert not isinstance(found, Control)
    assert found[0] == "trades:BTC-USDT-SWAP"
    rows = decoded(TRADES, LINEAR, "all-trades", frame["data"])
    assert rows == [(START + 123 * MILLISECOND, "501", 91000.1, 12.0, "sell")]


@pytest.mark.parametrize(
    ("dataset", "market", "page", "name"),
    [
        (TRADES, LINEAR, "all-trades", "trades.json"),
        (TICKER, LINEAR, "tickers", "tickers_swap.json"),
        (TICKER, SPOT, "tickers", "tickers_spot.json"),
        (OI, LINEAR, "open-interest", "open_interest.json"),
        (FUNDING, LINEAR, "funding-rate", "funding_rate.json"),
    ],
)
def test_what_is_pushed_reads_as_what_is_answered(dataset: Dataset, market: Market, page: str, name: str) -> None:
    endpoint = OKX.endpoint(dataset, market)
    assert endpoint is not None
    rows = endpoint.decode(payload(name), question(dataset, market))
    assert rows
    assert decoded(dataset, market, page, json.loads(payload(name))["data"]) == rows


def test_candles_are_asked_for_in_utc() -> None:
    (one,) = OKX.streams(OHLC, LINEAR, scope="instrument")
    topics = {
        str(interval): one.topic(replace(question(OHLC, LINEAR), interval=interval)) for interval in rest.INTERVALS
    }
    assert topics["1m"] == "candle1m:BTC-USDT-SWAP"
    assert topics["1M"] == "candle1Mutc:BTC-USDT-SWAP"
    assert topics["4h"] == "candle4H:BTC-USDT-SWAP"
    assert [topics[text] for text in ("6h", "1d", "1w", "3M")] == [
        f"candle{bar}utc:BTC-USDT-SWAP" for bar in ("6H", "1D", "1W", "3M")
    ]
    assert len(set(topics.values())) == len(topics) == 16


def test_both_types_of_contract_are_watched_for_liquidations() -> None:
    for market in (LINEAR, INVERSE):
        found = OKX.streams(LIQUIDATIONS, market, scope="market")
        assert [one.topic(Query(LIQUIDATIONS, market)) for one in found] == [
            "liquidation-orders:SWAP", "liquidation-orders:FUTURES",
        ]  # fmt: skip
        assert {one.fill["completeness"] for one in found} == {"sampled"}
        assert not OKX.streams(LIQUIDATIONS, market, scope="instrument")


def test_what_is_not_streamed_has_a_reason() -> None:
    for dataset in STREAMED:
        for market in Market:
            streamed = any(OKX.streams(dataset, market, scope=scope) for scope in ("instrument", "market"))
            assert streamed != ((dataset, market) in OKX.unstreamed), (dataset.name, market)


def test_only_single_trades_have_ids_without_gaps() -> None:
    assert {one.dataset for one in OKX.channels if one.consecutive} == {TRADES}
    assert all(one.consecutive for one in OKX.channels if one.dataset is TRADES)


def test_candles_and_single_trades_come_from_the_business_socket() -> None:
    homes = {(one.dataset, one.socket) for one in OKX.channels}
    assert homes == {(TRADES, "business"), (OHLC, "business")} | {
        (dataset, "public") for dataset in (TICKER, LIQUIDATIONS, FUNDING, OI)
    }


def test_only_what_is_sent_at_regular_times_can_be_overdue() -> None:
    cadences = {one.topic(question(one.dataset, LINEAR, "1m")).split(":")[0]: one.cadence for one in OKX.channels}
    assert {name: cadence for name, cadence in cadences.items() if cadence} == {
        "funding-rate": 90.0, "mark-price": 10.0, "index-tickers": 60.0,
    }  # fmt: skip


@pytest.mark.parametrize(("site", "host"), [("live", "ws"), ("eea", "wseea"), ("us", "wsus"), ("testnet", "wspap")])
def test_sites_have_sockets_of_their_own(site: str, host: str) -> None:
    found = OKX.sites[site].sockets
    assert {name: one.url for name, one in found.items()} == {
        path: f"wss://{host}.okx.com:8443/ws/v5/{path}" for path in ("public", "business")
    }
    for one in found.values():
        budget = OKX.budget(one.opening)
        assert (budget.limit, budget.seconds) == (3, 1)
        assert (one.ping, one.ping_seconds < 30, one.messages) == ("ping", True, (480, 3_600.0))
    assert found["public"].busy == "index-tickers:BTC-USD"
    assert found["business"].busy == "index-candle1m:BTC-USD"


# --- requests


def test_topics_are_asked_for_by_what_they_are_about() -> None:
    topics = ["trades-all:BTC-USDT", "candle1Dutc:BTC-USDT-SWAP", "liquidation-orders:FUTURES"]
    assert json.loads(PUBLIC.subscribe(topics, 7)) == {
        "id": "7",
        "op": "subscribe",
        "args": [
            {"channel": "trades-all", "instId": "BTC-USDT"},
            {"channel": "candle1Dutc", "instId": "BTC-USDT-SWAP"},
            {"channel": "liquidation-orders", "instType": "FUTURES"},
        ],
    }


def test_a_full_message_is_not_too_long() -> None:
    longest = "mark-price-candle12Hutc:1000000MOGLONGEST-USDT-SWAP"
    assert len(PUBLIC.subscribe([longest] * PUBLIC.batch, 1)) < 64 * 1024


# --- frames without data

UNKNOWN = (
    "Wrong URL or channel:trades-all,instId:NOPE-USDT doesn't exist. Please use the correct URL, channel and parameters"
    " referring to API document."
)
BY_TYPE = UNKNOWN.replace("instId:NOPE-USDT", "instType:X")


@pytest.mark.parametrize(
    ("frame", "meaning"),
    [
        (
            {"id": "1", "event": "subscribe", "arg": {"channel": "tickers", "instId": "BTC-USDT"}, "connId": "c"},
            Control("accepted", topic="tickers:BTC-USDT"),
        ),
        (
            {"event": "subscribe", "arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "connId": "c"},
            Control("accepted", topic="liquidation-orders:SWAP"),
        ),
        (
            {"id": "4", "event": "error", "code": "60018", "msg": UNKNOWN, "connId": "c"},
            Control("refused", topic="trades-all:NOPE-USDT", text=UNKNOWN),
        ),
        (
            {"event": "error", "code": "60018", "msg": BY_TYPE, "connId": "c"},
            Control("refused", topic="trades-all:X", text=BY_TYPE),
        ),
        (
            {"id": "4", "event": "error", "code": "64001", "msg": "This channel has been migrated", "connId": "c"},
            Control("refused", request=4, text="This channel has been migrated"),
        ),
        (
            {"event": "error", "code": "60012", "msg": "Invalid request: \x1b[2J", "connId": "c"},
            Control("refused", text="Invalid request: \\x1b[2J"),
        ),
        (
            {"id": "1a", "event": "error", "code": "60013", "msg": "Invalid args", "connId": "c"},
            Control("refused", text="Invalid args"),
        ),
        (
            {"event": "notice", "code": "64008", "msg": "soon closed", "connId": "c"},
            Control("leaving", text="soon closed"),
        ),
        ({"event": "notice", "code": "1", "msg": "hello", "connId": "c"}, Control("other", text="hello")),
        (
            {"event": "unsubscribe", "arg": {"channel": "tickers", "instId": "BTC-USDT"}, "connId": "c"},
            Control("other"),
        ),
        (b"pong", Control("other", text="pong")),
    ],
)  # fmt: skip
def test_events(frame: Any, meaning: Control) -> None:
    assert told(frame) == meaning


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (b"", MalformedBody),
        (b"ping", MalformedBody),
        (b"<html>", MalformedBody),
        (b'{"arg":{"channel":"trades","instId":"B', MalformedBody),
        (b"\xff\xfe", MalformedBody),
        (b"[]", DecodeError),
        (b"null", DecodeError),
        (b"{}", DecodeError),
        (b'{"arg":{"channel":"trades","instId":"BTC-USDT"}}', DecodeError),
        (b'{"data":[]}', DecodeError),
        (b'{"arg":{"instId":"BTC-USDT"},"data":[]}', DecodeError),
        (b'{"arg":7,"data":[]}', DecodeError),
        (b'{"arg":' * 10_000, MalformedBody),
        (b"pong ", MalformedBody),
    ],
    ids=lambda one: repr(one)[:30],
)
def test_garbage(frame: bytes, error: type[MarketError]) -> None:
    with pytest.raises(error):
        told(frame)


def test_books_that_nobody_asked_for_are_data_like_any() -> None:
    frame = {"arg": {"channel": "books", "instId": "BTC-USDT"}, "action": "update", "data": [{"asks": [], "bids": []}]}
    found = told(frame)
    assert not isinstance(found, Control)
    assert found[0] == "books:BTC-USDT"
    assert json.loads(bytes(found[1])) == frame["data"]


TRADE = {"tradeId": "5", "px": "1", "sz": "1", "side": "buy", "ts": "1795219200123"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"px": "NaN"}, {"px": "Infinity"}, {"px": ""}, {"sz": "-1"}, {"side": "BUY"}, {"tradeId": ""},
        {"tradeId": "abc"}, {"tradeId": "-5"}, {"ts": "12"}, {"ts": ""}, {"ts": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_trade_that_cannot_be_true_is_refused(wrong: dict[str, Any]) -> None:
    assert decoded(TRADES, SPOT, "all-trades", [TRADE]) == [(START + 123 * MILLISECOND, "5", 1.0, 1.0, "buy")]
    with pytest.raises(DecodeError):
        decoded(TRADES, SPOT, "all-trades", [TRADE | wrong])


@pytest.mark.parametrize(
    "row",
    [["1795219200000", "1", "1", "1", "1", "1", "1", "1", "2"], ["1795219200000", "1", "1", "1", "1", "1", "1", "1"]],
)
def test_a_candle_that_does_not_say_whether_it_is_over_is_refused(row: list[str]) -> None:
    with pytest.raises(DecodeError, match="candles"):
        decoded(OHLC, SPOT, "candlesticks", [row])


def test_candles_may_grow_further_columns() -> None:
    row = ["1795219200000", "1", "2", "0.5", "1.5", "10", "0.1", "100", "1", "new"]
    assert decoded(OHLC, SPOT, "candlesticks", [row]) == [(START, 1.0, 2.0, 0.5, 1.5, 10.0, 0.1, True)]


def test_a_liquidation_of_no_side_is_refused() -> None:
    order = {"side": "", "posSide": "long", "bkPx": "1", "sz": "1", "ts": "1795219200123"}
    with pytest.raises(DecodeError, match="liquidations"):
        decoded(LIQUIDATIONS, LINEAR, "liquidation", [{"instId": "X", "details": [order]}])


# --- when a frame was sent


@pytest.mark.parametrize(
    ("name", "says"),
    [("mark-price", True), ("index-tickers", True), ("trades-all", False), ("tickers", False), ("candle1m", False)],
)
def test_only_prices_that_are_found_anew_tell_the_time(name: str, says: bool) -> None:  # noqa: FBT001
    data: list[Any] = [["1795219200000"]] if name == "candle1m" else [{"ts": "1795219200100"}, {"ts": "1795219200200"}]
    frame = json.dumps({"arg": {"channel": name, "instId": "BTC-USD"}, "data": data}).encode()
    assert PUBLIC.sent(frame) == (START + 200 * MILLISECOND if says else None)


def test_events_and_empty_frames_tell_no_time() -> None:
    assert PUBLIC.sent(b"pong") is None
    assert PUBLIC.sent(b'{"arg":{"channel":"mark-price","instId":"X"},"data":[]}') is None
