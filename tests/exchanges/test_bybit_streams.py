"""Bybit's streams: what its sockets are asked, what frames say, and exact rows of every channel."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, OI, STREAMED, TICKER, TRADES, Dataset
from marketcli.errors import DecodeError, MalformedBody
from marketcli.exchanges import load
from marketcli.models import SECOND, Instrument, Interval, Market
from marketcli.spec import Channel, Control, Query

if TYPE_CHECKING:
    from marketcli.spec import Decode, Rows, Socket

BYBIT = load("bybit")
PAYLOADS = json.loads((Path(__file__).parent.parent / "payloads" / "bybit" / "streams.json").read_text())
SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
START = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
DATASETS = {dataset.name: dataset for dataset in STREAMED}
LONGEST = "1000000BABYDOGEUSDT-26MAR27"  # longer than any name there is


def socket(market: Market, site: str = "live") -> Socket:
    return BYBIT.sites[site].sockets[market.value]


def channel(dataset: Dataset, market: Market) -> Channel:
    (found,) = BYBIT.streams(dataset, market, scope="instrument")
    return found


def query(dataset: Dataset, market: Market, native: str = "BTCUSDT", interval: str | None = None) -> Query:
    instrument = Instrument("bybit", market, native, native, "BTC", "USDT", "USDT", inverse=market is INVERSE)
    return Query(dataset, market, instrument, None if interval is None else Interval.parse(interval))


def decoded(frames: list[Any], asked: Query, decode: Decode | None = None) -> Rows:
    """The rows of the last of some frames, all read by one decoder."""
    decode = decode or channel(asked.dataset, asked.market).decoder()
    rows: Rows = []
    for frame in frames:
        found = socket(asked.market).read(json.dumps(frame).encode())
        assert not isinstance(found, Control)
        rows = decode(found[1], asked)
    return rows


def entry(dataset: str, market: str, number: int = 0) -> Any:
    """A payload of a channel."""
    return [one for one in PAYLOADS if (one["dataset"], one["market"]) == (dataset, market)][number]


# --- every channel


@pytest.mark.parametrize("number", range(len(PAYLOADS)))
def test_rows_are_exactly_these(number: int) -> None:
    one = PAYLOADS[number]
    asked = query(DATASETS[one["dataset"]], Market(one["market"]), one["native"], one["interval"])
    found = channel(asked.dataset, asked.market)
    assert found.topic(asked) == one["topic"]
    frames = one["frames"] if "frames" in one else [one["frame"]]
    for frame in frames:
        pushed = socket(asked.market).read(json.dumps(frame).encode())
        assert isinstance(pushed, tuple)
        assert pushed[0] == one["topic"]
    rows = decoded(frames, asked)
    assert rows == [tuple(row) for row in one["rows"]]
    assert [[type(value) for value in row] for row in rows] == [[type(value) for value in row] for row in one["rows"]]
    assert all(len(row) == len(found.columns) for row in rows)


def test_every_channel_has_a_payload_a_socket_and_documentation() -> None:
    shown = {(one["dataset"], one["market"], one["scope"]) for one in PAYLOADS}
    for one in BYBIT.channels:
        (market,) = one.markets
        assert (one.dataset.name, market.value, one.scope) in shown
        assert one.socket == market.value
        assert one.docs.startswith("https://bybit-exchange.github.io/docs/v5/websocket/public/")


def test_what_is_streamed_and_what_is_not() -> None:
    streamed = {(one.dataset, market) for one in BYBIT.channels for market in one.markets}
    assert streamed | set(BYBIT.unstreamed) == {(dataset, market) for dataset in STREAMED for market in Market}
    assert not streamed & set(BYBIT.unstreamed)
    assert set(BYBIT.unstreamed) == {(LIQUIDATIONS, SPOT), (FUNDING, SPOT), (OI, SPOT)}
    assert "nothing is liquidated" in BYBIT.unstreamed[(LIQUIDATIONS, SPOT)]


def test_columns_are_those_of_rest_as_far_as_the_stream_has_them() -> None:
    for dataset in (TICKER, FUNDING, OI):
        for one in BYBIT.channels:
            if one.dataset is dataset:
                endpoint = BYBIT.endpoint(dataset, *one.markets)
                assert endpoint is not None
                assert one.columns == endpoint.columns
    for market in Market:
        endpoint = BYBIT.endpoint(OHLC, market)
        assert endpoint is not None
        assert channel(OHLC, market).columns == (*endpoint.columns, "closed")
    assert channel(TRADES, LINEAR).columns == ("time", "id", "price", "side", "size")
    assert channel(TRADES, INVERSE).columns[-1] == channel(LIQUIDATIONS, INVERSE).columns[-1] == "size_contracts"


def test_liquidations_are_full_and_their_notes_say_what_is_not_certain() -> None:
    for market in (LINEAR, INVERSE):
        found = channel(LIQUIDATIONS, market)
        assert (found.fill, found.delay, found.cadence) == ({"completeness": "full"}, 0.5, None)
        assert "bankruptcy price" in found.note
        assert ("not confirmed" in found.note) is (market is INVERSE)
        assert "one side" in channel(OI, market).note


def test_silence_is_normal_where_something_must_happen_first() -> None:
    cadences = {(one.dataset.name, one.socket): one.cadence for one in BYBIT.channels}
    assert {key for key, cadence in cadences.items() if cadence is None} == {
        *(("trades", "spot"), ("trades", "linear"), ("trades", "inverse")),
        *(("liquidations", "linear"), ("liquidations", "inverse")),
        ("ticker", "spot"),
    }
    assert {cadences[("ohlc", market.value)] for market in Market} == {60.0}


# --- sockets


@pytest.mark.parametrize(("site", "host"), [("live", "stream.bybit.com"), ("testnet", "stream-testnet.bybit.com")])
def test_every_market_has_its_address(site: str, host: str) -> None:
    for market in Market:
        assert socket(market, site).url == f"wss://{host}/v5/public/{market.value}"


@pytest.mark.parametrize("market", Market)
def test_limits_hold_for_the_longest_names(market: Market) -> None:
    found = socket(market)
    topics = [f"allLiquidation.{LONGEST}"] * found.topics
    assert len(json.dumps(topics)) <= 21_000
    assert found.batch <= 10
    assert found.ping is not None
    assert (json.loads(found.ping), found.ping_seconds) == ({"op": "ping"}, 20.0)
    assert BYBIT.budget(found.opening).limit == 500
    assert BYBIT.budget(found.opening).seconds == 300
    assert found.life is None


def test_the_topic_that_proves_life_is_of_the_largest_instrument_and_quick() -> None:
    assert [socket(market).busy for market in Market] == ["tickers.BTCUSDT", "tickers.BTCUSDT", "tickers.BTCUSD"]
    assert all(socket(market).busy_seconds <= 1 for market in Market)


def test_a_request_carries_its_number_and_its_topics() -> None:
    asked = json.loads(socket(LINEAR).subscribe(("tickers.BTCUSDT", "publicTrade.ETHUSDT"), 7))
    assert asked == {"req_id": "7", "op": "subscribe", "args": ["tickers.BTCUSDT", "publicTrade.ETHUSDT"]}


@pytest.mark.parametrize(("interval", "spelled"), [("3m", "3"), ("1h", "60"), ("12h", "720"), ("1w", "W"), ("1M", "M")])
def test_intervals_are_spelled_as_bybit_does(interval: str, spelled: str) -> None:
    assert channel(OHLC, LINEAR).topic(query(OHLC, LINEAR, interval=interval)) == f"kline.{spelled}.BTCUSDT"


def test_a_topic_without_an_instrument_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="instrument"):
        channel(TRADES, LINEAR).topic(replace(query(TRADES, LINEAR), instrument=None))
    with pytest.raises(TypeError, match="interval"):
        channel(OHLC, LINEAR).topic(query(OHLC, LINEAR))


# --- frames without data


def read(text: str) -> Any:
    return socket(LINEAR).read(text.encode())


def test_answers_name_the_request_they_are_about() -> None:
    well = '{"success":true,"ret_msg":"","conn_id":"c-1","req_id":"12","op":"subscribe"}'
    assert read(well) == Control("accepted", 12)
    why = "error:handler not found,topic:tickers.X"
    refused = {"success": False, "ret_msg": why, "conn_id": "c-1", "req_id": "3", "op": "subscribe"}
    assert read(json.dumps(refused)) == Control("refused", 3, text=why)


def test_a_refusal_without_a_number_is_of_everything() -> None:
    refused = '{"success":false,"ret_msg":"Params Error","conn_id":"c","req_id":"","op":"subscribe"}'
    assert read(refused) == Control("refused", None, text="Params Error")
    assert read('{"success":false,"ret_msg":"error:invalid op","conn_id":"c"}').kind == "refused"


@pytest.mark.parametrize("number", ["", "one", "-1", "1" * 5_000, "1.5"])
def test_a_number_that_is_none_is_left_out(number: str) -> None:
    assert read(json.dumps({"success": True, "req_id": number, "op": "subscribe"})) == Control("accepted")


def test_pongs_prove_nothing() -> None:
    assert read('{"success":true,"ret_msg":"pong","conn_id":"c-1","op":"ping"}') == Control("other")
    assert read('{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"p1","op":"ping"}').kind == "other"
    assert read('{"success":true,"ret_msg":"","conn_id":"c","req_id":"2","op":"unsubscribe"}').kind == "other"


def test_words_of_the_exchange_are_made_harmless() -> None:
    assert read('{"success":false,"ret_msg":"\\u001b[31mno\\u202e","op":"subscribe"}').text == "\\x1b[31mno\\u202e"


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"hello",
        b'{"topic":"publicTrade.BTCUSDT","data":[{"T":17952',
        b"<html>busy</html>",
        b"\xff\xfe",
        b'{"data":' + b"[" * 9_999,
    ],
)
def test_what_is_not_json_is_malformed(frame: bytes) -> None:
    with pytest.raises(MalformedBody, match="Bybit's stream"):
        socket(LINEAR).read(frame)


@pytest.mark.parametrize("frame", ["[]", "null", "{}", '{"topic":7}', '{"success":"maybe"}', '{"result":null,"id":1}'])
def test_json_that_is_nothing_of_bybit_s_is_refused(frame: str) -> None:
    with pytest.raises(DecodeError, match="Bybit's stream"):
        read(frame)


def test_topics_nobody_asked_for_are_data_all_the_same() -> None:
    topic, _ = read('{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1795219200700,"data":{"s":"BTCUSDT","b":[]}}')
    assert topic == "orderbook.50.BTCUSDT"


def test_when_a_frame_was_sent() -> None:
    sent = socket(LINEAR).sent
    assert sent(b'{"topic":"publicTrade.BTCUSDT","data":[],"ts":1795219200123}') == START + 123_000
    assert sent(b'{"success":true,"op":"ping"}') is None
    with pytest.raises(DecodeError):
        sent(b'{"ts":1795219200}')


# --- frames with data that cannot be trusted


def broken(dataset: str, market: str, **fields: Any) -> Any:
    """The first payload of a channel with other values in its first row; those that are ... are left out."""
    frame = deepcopy(entry(dataset, market)["frame"])
    row = frame["data"] if isinstance(frame["data"], dict) else frame["data"][0]
    row.update(fields)
    for name in [name for name, value in fields.items() if value is ...]:
        del row[name]
    return frame


WRONG = [{"S": "buy"}, {"S": ...}, {"p": "NaN"}, {"p": "-1"}, {"v": "Infinity"}, {"v": None}, {"i": ...}, {"i": 7}]
WRONG_TIMES = [{"T": 1_795_219_200}, {"T": "soon"}, {"T": 1_795_219_200_000_000}]


@pytest.mark.parametrize("fields", [*WRONG, *WRONG_TIMES])
def test_a_trade_that_cannot_be_trusted_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="Bybit's stream of trades"):
        decoded([broken("trades", "linear", **fields)], query(TRADES, LINEAR))


@pytest.mark.parametrize("data", [None, {}, "x", [[]]])
@pytest.mark.parametrize("dataset", [TRADES, LIQUIDATIONS, OHLC])
def test_data_of_another_kind_are_refused(dataset: Dataset, data: Any) -> None:
    frame = {**entry(dataset.name, "linear")["frame"], "data": data}
    with pytest.raises(DecodeError):
        decoded([frame], query(dataset, LINEAR, interval="1m"))


def test_a_frame_without_data_is_refused() -> None:
    frame = {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": 1_795_219_200_000}
    with pytest.raises(DecodeError):
        decoded([frame], query(TRADES, LINEAR))


def test_an_empty_list_has_no_rows() -> None:
    frame = {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": 1_795_219_200_000, "data": []}
    assert decoded([frame], query(TRADES, LINEAR)) == []


@pytest.mark.parametrize("fields", [{"S": "long"}, {"p": "free"}, {"v": "-1"}, {"T": 1}])
def test_a_liquidation_that_cannot_be_trusted_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="Bybit's stream of liquidations"):
        decoded([broken("liquidations", "linear", **fields)], query(LIQUIDATIONS, LINEAR))


@pytest.mark.parametrize("fields", [{"confirm": "yes"}, {"high": ""}, {"volume": "-2"}, {"start": 60}])
def test_a_candle_that_cannot_be_trusted_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="Bybit's stream of candles"):
        decoded([broken("ohlc", "linear", **fields)], query(OHLC, LINEAR, interval="1m"))


@pytest.mark.parametrize("fields", [{"lastPrice": "NaN"}, {"lastPrice": 91000.1}, {"bid1Size": "many"}])
def test_a_ticker_that_cannot_be_trusted_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(DecodeError):
        decoded([broken("ticker", "linear", **fields)], query(TICKER, LINEAR))


def test_a_snapshot_without_what_every_contract_has_is_refused() -> None:
    with pytest.raises(DecodeError, match="openInterest"):
        decoded([broken("oi", "linear", openInterest=...)], query(OI, LINEAR))


# --- tickers of contracts remember


def ticker(kind: str, native: str = "BTCUSDT", seconds: int = 1, **fields: Any) -> dict[str, Any]:
    """A frame of a ticker; a snapshot has all that the first payload has."""
    whole = entry("ticker", "linear")["frame"]["data"] if kind == "snapshot" else {}
    data = {**whole, "symbol": native, **fields}
    stamp = START // 1_000 + 1_000 * seconds
    return {"topic": f"tickers.{native}", "type": kind, "data": data, "cs": 1, "ts": stamp}


def test_what_one_connection_knew_another_does_not() -> None:
    found = channel(OI, LINEAR)
    first, second = found.decoder(), found.decoder()
    asked = query(OI, LINEAR)
    assert decoded([ticker("snapshot")], asked, first)
    assert decoded([ticker("delta", markPrice="5")], asked, second) == []
    assert decoded([ticker("delta", markPrice="5")], asked, first) == [("BTCUSDT", START + SECOND, 30000.123, 5.0)]


def test_instruments_of_one_decoder_do_not_mix() -> None:
    decode = channel(OI, LINEAR).decoder()
    other = ticker("snapshot", "ETHUSDT", singleOpenInterest="7", markPrice="3000")
    decoded([ticker("snapshot"), other], query(OI, LINEAR), decode)
    rows = decoded([ticker("delta", "ETHUSDT", 2, singleOpenInterest="8")], query(OI, LINEAR, "ETHUSDT"), decode)
    assert rows == [("ETHUSDT", START + 2 * SECOND, 8.0, 3000.0)]
    rows = decoded([ticker("delta", "BTCUSDT", 3, markPrice="91000")], query(OI, LINEAR), decode)
    assert rows == [("BTCUSDT", START + 3 * SECOND, 30000.123, 91000.0)]


def test_another_snapshot_begins_anew() -> None:
    decode, asked = channel(FUNDING, LINEAR).decoder(), query(FUNDING, LINEAR)
    before = ticker("snapshot")
    after = {**before, "data": {k: v for k, v in before["data"].items() if not k.startswith(("funding", "nextF"))}}
    (row,) = decoded([before, after], asked, decode)
    assert row[2:5] == (None, None, None)


def test_a_change_that_another_dataset_needed_is_not_forgotten() -> None:
    decode, asked = channel(OI, LINEAR).decoder(), query(OI, LINEAR)
    assert decoded([ticker("snapshot"), ticker("delta", lastPrice="1")], asked, decode) == []
    assert decoded([ticker("delta", seconds=2, markPrice="91002.5")], asked, decode) == [
        ("BTCUSDT", START + 2 * SECOND, 30000.123, 91002.5)
    ]


FIELDS = {
    TICKER: {
        *("lastPrice", "prevPrice24h", "highPrice24h", "lowPrice24h", "volume24h", "turnover24h", "markPrice"),
        *("bid1Price", "bid1Size", "ask1Price", "ask1Size"),
    },
    FUNDING: {"fundingRate", "nextFundingTime", "fundingIntervalHour", "markPrice", "indexPrice"},
    OI: {"openInterest", "singleOpenInterest", "markPrice"},
}


@pytest.mark.parametrize("dataset", [TICKER, FUNDING, OI], ids=str)
def test_a_row_comes_exactly_when_a_field_of_it_was_sent(dataset: Dataset) -> None:
    snapshot = ticker("snapshot")
    for name, text in snapshot["data"].items():
        rows = decoded([snapshot, ticker("delta", **{name: text})], query(dataset, LINEAR))
        assert bool(rows) is (name in FIELDS[dataset]), name


def test_a_change_that_cannot_be_trusted_is_not_forgotten() -> None:
    decode, asked = channel(OI, LINEAR).decoder(), query(OI, LINEAR)
    decoded([ticker("snapshot")], asked, decode)
    changes: list[dict[str, Any]] = [{"markPrice": "NaN"}, {"openInterest": "60000"}]
    for change in changes:
        with pytest.raises(DecodeError):
            decoded([ticker("delta", **change)], asked, decode)
    assert decoded([ticker("delta", markPrice="91000")], asked, decode)[0][3] == 91000.0


def test_the_hours_between_settlements_come_from_the_list_where_the_ticker_has_none() -> None:
    frame = broken("funding", "linear", fundingIntervalHour=...)
    asked = query(FUNDING, LINEAR)
    assert asked.instrument is not None
    (row,) = decoded([frame], replace(asked, instrument=replace(asked.instrument, interval_h=4.0)))
    assert row[3] == 4.0


def test_a_ticker_of_no_known_kind_is_refused() -> None:
    with pytest.raises(DecodeError):
        decoded([ticker("resync")], query(TICKER, LINEAR))
