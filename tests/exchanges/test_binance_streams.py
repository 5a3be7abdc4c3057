"""Binance's sockets and channels: documented frames, topics, answers, refusals, garbage."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from marketcli.datasets import LIQUIDATIONS, OHLC, OI, SCHEMAS, STREAMED, TICKER, TRADES
from marketcli.errors import DecodeError, MalformedBody
from marketcli.exchanges import load
from marketcli.models import SECOND, Instrument, Interval, Market
from marketcli.spec import DERIVATIVES, Channel, Control, Query

if TYPE_CHECKING:
    from marketcli.spec import Rows, Socket

BINANCE = load("binance")
SOCKETS = BINANCE.sites["live"].sockets
SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
PAYLOADS = json.loads((Path(__file__).parents[1] / "payloads" / "binance" / "streams.json").read_text())
NATIVE = {SPOT: "BTCUSDT", LINEAR: "BTCUSDT", INVERSE: "BTCUSD_PERP"}
EVENING = 1_795_219_200_000_000


def instrument(market: Market, native: str) -> Instrument:
    inverse = market is INVERSE
    return Instrument("binance", market, native, native, "BTC", "USD", "BTC", 100.0 if inverse else 1.0, 1, inverse)


def query(market: Market, dataset: Any, *, native: str | None = "", interval: str | None = None) -> Query:
    one = None if native is None else instrument(market, native or NATIVE[market])
    return Query(dataset, market, one, Interval.parse(interval) if interval else None)


def asked(payload: dict[str, Any]) -> Query:
    market, dataset = Market(payload["market"]), SCHEMAS[payload["dataset"]]
    return query(market, dataset, native=payload["native"], interval=payload["interval"])


def channel_of(payload: dict[str, Any]) -> Channel:
    question = asked(payload)
    channels = BINANCE.streams(question.dataset, question.market, scope=payload["scope"])
    return next(one for one in channels if one.topic(question) == payload["topic"])


def socket_of(channel: Channel) -> Socket:
    return SOCKETS[channel.socket]


def read(frame: Any, socket: str = "spot") -> Any:
    return SOCKETS[socket].read(frame if isinstance(frame, bytes) else json.dumps(frame).encode())


def decoded(channel: Channel, topic: str, data: Any, question: Query) -> Rows:
    found = read({"stream": topic, "data": data}, channel.socket)
    assert found[0] == topic
    return channel.decoder()(found[1], question)


def single(dataset: Any, market: Market, *, leads: bool = True) -> Channel:
    return next(one for one in BINANCE.streams(dataset, market, scope="instrument") if one.leads is leads)


@pytest.mark.parametrize("number", range(len(PAYLOADS)))
def test_documented_frames_have_these_rows(number: int) -> None:
    payload = PAYLOADS[number]
    channel, question = channel_of(payload), asked(payload)
    topic, raw = read(payload["frame"], channel.socket)
    assert topic == payload["topic"] == channel.topic(question)
    rows = channel.decoder()(raw, question)
    assert [list(row) for row in rows] == payload["rows"]
    assert all(len(row) == len(channel.columns) for row in rows)
    assert payload["source"].startswith("https://developers.binance.com/docs/")


def test_every_channel_has_a_documented_frame_and_a_page() -> None:
    covered = {channel_of(payload) for payload in PAYLOADS}
    assert covered == set(BINANCE.channels)
    assert all(one.docs.startswith("https://developers.binance.com/docs/") for one in BINANCE.channels)


def test_columns_are_the_dataset_s_and_begin_with_the_name_where_a_frame_is_about_all() -> None:
    extra = {"native", "size_contracts", "volume_contracts", "bid_contracts", "ask_contracts"}
    for channel in BINANCE.channels:
        assert set(channel.columns) <= {*channel.dataset.fields, *extra}, channel.topic
        assert (channel.columns[0] == "native") is (channel.scope == "market")
        assert "time" in channel.columns
    assert all(one.columns[-1] == "closed" for one in BINANCE.channels if one.dataset is OHLC)


def test_everything_is_streamed_or_there_is_a_reason() -> None:
    for dataset in STREAMED:
        for market in Market:
            offered = any(BINANCE.streams(dataset, market, scope=scope) for scope in ("instrument", "market"))
            assert offered is ((dataset, market) not in BINANCE.unstreamed), (dataset.name, market)
    assert "mkt oi" in BINANCE.unstreamed[OI, LINEAR]
    assert "derivatives do" in BINANCE.unstreamed[LIQUIDATIONS, SPOT]


@pytest.mark.parametrize("market", sorted(DERIVATIVES))
def test_a_ticker_of_a_contract_is_led_by_its_day_and_followed_by_the_best_of_its_book(market: Market) -> None:
    leading, following = BINANCE.streams(TICKER, market, scope="instrument")
    assert (leading.leads, following.leads) == (True, False)
    assert leading.topic(query(market, TICKER)) == f"{NATIVE[market].lower()}@ticker"
    assert following.topic(query(market, TICKER)) == f"{NATIVE[market].lower()}@bookTicker"
    assert not {"last", "open"} & set(following.columns)


def test_books_of_usd_m_come_from_another_address_than_all_the_rest() -> None:
    assert SOCKETS["spot"].url == "wss://stream.binance.com:9443/stream"
    assert SOCKETS["linear"].url == "wss://fstream.binance.com/market/stream"
    assert SOCKETS["linear books"].url == "wss://fstream.binance.com/public/stream"
    assert SOCKETS["inverse"].url == "wss://dstream.binance.com/stream"
    assert SOCKETS.keys() == BINANCE.sites["testnet"].sockets.keys()
    public = [one for one in BINANCE.channels if one.socket == "linear books"]
    assert [one.topic(query(LINEAR, TICKER)) for one in public] == ["btcusdt@bookTicker"]
    assert {one.socket for one in BINANCE.channels if INVERSE in one.markets} == {"inverse"}


def test_the_limits_are_binance_s() -> None:
    for name, socket in SOCKETS.items():
        assert socket.life == timedelta(hours=24)
        # Pings and pongs count, too: spot permits 5 messages a second, futures 10.
        assert socket.messages == ((3, 1.0) if name == "spot" else (8, 1.0))
        assert socket.topics <= 200
        opening = BINANCE.budget(socket.opening)
        assert (opening.limit, opening.seconds) == (300, 300)
        assert socket.ping is None


def test_what_may_be_silent_and_what_may_not() -> None:
    cadences = {(one.dataset.name, one.scope): one.cadence for one in BINANCE.channels}
    assert cadences["funding", "instrument"] == cadences["funding", "market"] == cadences["ticker", "market"] == 1.0
    assert {cadences[name, "instrument"] for name in ("trades", "ohlc", "ticker", "liquidations")} == {None}
    assert cadences["liquidations", "market"] is None


def test_liquidations_are_samples_and_come_a_second_late() -> None:
    forced = [one for one in BINANCE.channels if one.dataset is LIQUIDATIONS]
    assert len(forced) == 4
    assert {one.fill["completeness"] for one in forced} == {"sampled"}
    assert all(one.delay >= 1.008 for one in forced)  # as late as one was recorded
    assert all("largest" in one.note for one in forced)


def test_trades_have_ids_without_gaps() -> None:
    traded = [one for one in BINANCE.channels if one.dataset is TRADES]
    assert len(traded) == 3
    assert all(one.consecutive and one.delay >= 0.157 for one in traded)


@pytest.mark.parametrize(("market", "spelled"), [(SPOT, 16), (LINEAR, 15), (INVERSE, 15)])
def test_all_intervals_have_a_topic(market: Market, spelled: int) -> None:
    (channel,) = BINANCE.streams(OHLC, market, scope="instrument")
    intervals = channel.intervals or BINANCE.intervals
    topics = [channel.topic(query(market, OHLC, interval=str(interval))) for interval in intervals]
    assert topics == [f"{NATIVE[market].lower()}@kline_{text}" for text in intervals.values()]
    assert len(set(topics)) == spelled


def test_a_name_beyond_ascii_stays_what_it_is() -> None:
    assert single(TRADES, SPOT).topic(query(SPOT, TRADES, native="币安人生USDT")) == "币安人生usdt@aggTrade"


def test_topics_are_asked_for_in_one_message() -> None:
    text = SOCKETS["linear"].subscribe(["btcusdt@aggTrade", "!forceOrder@arr"], 7)
    assert json.loads(text) == {"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade", "!forceOrder@arr"], "id": 7}


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"result": None, "id": 7}, Control("accepted", 7)),
        ({"id": 7, "result": None}, Control("accepted", 7)),
        ({"result": ["btcusdt@aggTrade"], "id": 3}, Control("other", 3)),
        ({"result": None, "id": "seven"}, Control("accepted")),
        (
            {"code": 2, "msg": "Invalid request: too many parameters", "id": 7},
            Control("refused", 7, text="Invalid request: too many parameters"),
        ),
        ({"error": {"code": 3, "msg": "Invalid\u202eJSON"}, "id": 9}, Control("refused", 9, text="Invalid\\u202eJSON")),
        ({"error": {"code": 0, "msg": "Unknown property"}}, Control("refused", None, text="Unknown property")),
        ({"code": -1121, "msg": "Invalid symbol."}, Control("refused", None, text="Invalid symbol.")),
    ],
)
def test_answers_say_what_became_of_a_message(frame: dict[str, Any], expected: Control) -> None:
    assert read(frame) == expected


@pytest.mark.parametrize("socket", SOCKETS)
def test_a_planned_close_is_announced(socket: str) -> None:
    frame = {"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": 1_795_219_200_000}}
    found = read(frame, socket)
    assert isinstance(found, Control)
    assert found.kind == "leaving"


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"   ",
        b'{"stream":"btcusdt@aggTr',
        b"<html>502 Bad Gateway</html>",
        b"hello",
        b"\xff\xfe\x00",
        b'{"result":null,"id":1',
        b'{"stream":"x","data":' + b"[" * 100_000,
    ],
)
def test_what_is_not_json_is_malformed(frame: bytes) -> None:
    with pytest.raises(MalformedBody):
        read(frame)


@pytest.mark.parametrize(
    "frame",
    [
        b"[]",
        b"7",
        b"null",
        b'"stream"',
        b"{}",
        b'{"id":1}',
        b'{"stream":5,"data":{}}',
        b'{"stream":"btcusdt@aggTrade"}',
        b'{"e":"aggTrade","E":1795219200123,"s":"BTCUSDT"}',
        b'{"error":"no","id":1}',
        b'{"lastUpdateId":1,"bids":[],"asks":[]}',
    ],
)
def test_json_that_is_none_of_binance_s_frames_is_refused(frame: bytes) -> None:
    with pytest.raises(DecodeError):
        read(frame)


def test_what_nobody_asked_for_is_data_of_a_topic() -> None:
    book = {"lastUpdateId": 160, "bids": [["0.0024", "10"]], "asks": []}
    topic, raw = read({"stream": "bnbbtc@depth5", "data": book})
    assert (topic, json.loads(bytes(raw))) == ("bnbbtc@depth5", book)


TRADE = {"e": "aggTrade", "E": 1, "s": "BTCUSDT", "a": 5, "p": "1.5", "q": "2", "T": 1_795_219_200_000, "m": True}
BROKEN: list[tuple[Any, dict[str, Any]]] = [
    (TRADES, TRADE | {"p": "NaN"}),
    (TRADES, TRADE | {"p": "Infinity"}),
    (TRADES, TRADE | {"q": "-1"}),
    (TRADES, TRADE | {"q": ""}),
    (TRADES, TRADE | {"a": -5}),
    (TRADES, TRADE | {"m": "maybe"}),
    (TRADES, TRADE | {"T": 0}),
    (TRADES, TRADE | {"T": 4_133_404_800_000}),
    (TRADES, {name: value for name, value in TRADE.items() if name != "m"}),
    (LIQUIDATIONS, {"e": "forceOrder", "o": {"s": "X", "S": "LONG", "p": "1", "q": "1", "T": 1_795_219_200_000}}),
    (LIQUIDATIONS, {"e": "forceOrder"}),
    (OHLC, {"e": "kline", "k": {"t": 1_795_219_200_000, "o": "1"}}),
    (TICKER, {"e": "24hrTicker", "s": "BTCUSDT"}),
]


@pytest.mark.parametrize(("dataset", "data"), BROKEN)
def test_data_that_cannot_be_trusted_are_refused(dataset: Any, data: dict[str, Any]) -> None:
    channel = single(dataset, LINEAR)
    question = query(LINEAR, dataset, interval="1m")
    with pytest.raises(DecodeError):
        decoded(channel, channel.topic(question), data, question)


def test_a_time_in_microseconds_is_the_same_time() -> None:
    channel, question = single(TRADES, SPOT), query(SPOT, TRADES)
    rows = decoded(channel, "btcusdt@aggTrade", TRADE | {"T": EVENING + 7}, question)
    assert rows == [(EVENING + 7, "5", 1.5, "sell", 2.0)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (TRADE | {"E": 1_795_219_200_123}, EVENING + 123_000),
        ([{"e": "markPriceUpdate", "E": 1_795_219_201_000}, {"E": 2}], EVENING + SECOND),
        ([], None),
        ({"u": 1, "s": "BTCUSDT"}, None),
        ({"E": 0}, None),
        ({"E": "soon"}, None),
        (5, None),
    ],
)
def test_the_time_of_sending_is_told_where_it_is_said(data: Any, expected: int | None) -> None:
    assert SOCKETS["linear"].sent(json.dumps({"stream": "x", "data": data}).encode()) == expected


@pytest.mark.parametrize("frame", [b"", b"{", b"[]", b'{"result":null,"id":1}'])
def test_frames_without_data_have_no_time_of_sending(frame: bytes) -> None:
    assert SOCKETS["linear"].sent(frame) is None


@pytest.mark.parametrize(("name", "market"), [("spot", SPOT), ("linear", LINEAR), ("inverse", INVERSE)])
def test_what_proves_life_is_of_the_largest_instrument_and_of_that_address(name: str, market: Market) -> None:
    busy = SOCKETS[name].busy
    assert busy.startswith(NATIVE[market].lower() + "@")
    assert 0 < SOCKETS[name].busy_seconds <= 1
    assert ("bookTicker" in SOCKETS["linear books"].busy, "bookTicker" in SOCKETS["linear"].busy) == (True, False)


def test_the_face_value_of_contracts_is_the_quote_volume() -> None:
    channel, question = single(OHLC, INVERSE), query(INVERSE, OHLC, interval="1m")
    data = next(one["frame"]["data"] for one in PAYLOADS if one["topic"] == "btcusd_perp@kline_1m")
    row = dict(zip(channel.columns, decoded(channel, "btcusd_perp@kline_1m", data, question)[0], strict=True))
    assert row["volume_quote"] == row["volume_contracts"] * 100
    assert row["volume_base"] < 1
