"""Hyperliquid's streams: exact topics, messages and rows from documented frames, and what is not data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, OI, STREAMED, TICKER, TRADES, Dataset, dataset_named
from marketcli.errors import DecodeError, MalformedBody
from marketcli.exchanges import load
from marketcli.models import HOUR, Instrument, Interval, Market
from marketcli.spec import Channel, Control, Query

HYPERLIQUID = load("hyperliquid")
SOCKET = HYPERLIQUID.sites["live"].sockets["public"]
PAYLOADS = Path(__file__).parent.parent / "payloads" / "hyperliquid"
FRAMES = json.loads((PAYLOADS / "streams.json").read_bytes())
LINEAR, SPOT = Market.LINEAR, Market.SPOT
MISREAD = "Error parsing JSON into valid websocket request:"
NOW = 1_795_219_200_123_000


def channel(dataset: Dataset, market: Market) -> Channel:
    (one,) = HYPERLIQUID.streams(dataset, market, scope="instrument")
    return one


def query(dataset: Dataset, market: Market, native: str = "BTC", interval: str | None = None) -> Query:
    coin = Instrument("hyperliquid", market, f"{native}-USDC", native, native, "USDC", "USDC")
    return Query(dataset, market, coin, Interval.parse(interval) if interval else None)


def read(frame: Any) -> Any:
    return SOCKET.read(json.dumps(frame).encode())


def rows(dataset: Dataset, market: Market, frame: Any) -> list[dict[str, Any]]:
    one = channel(dataset, market)
    _, data = read(frame)
    found = one.decoder()(data, query(dataset, market, interval="1m"))
    return [dict(zip(one.columns, row, strict=True)) for row in found]


def documented(dataset: Dataset, market: Market) -> Any:
    """A frame of a dataset, anew."""
    found = next(one for one in FRAMES if (one["dataset"], one["market"]) == (dataset.name, market.value))
    return json.loads(json.dumps(found["frame"]))


@pytest.mark.parametrize("known", FRAMES, ids=lambda one: f"{one['dataset']} {one['market']} {one['native']}")
@pytest.mark.parametrize("separators", [(",", ":"), (" , ", " : ")])
def test_a_documented_frame_gives_its_topic_and_its_rows(known: Any, separators: tuple[str, str]) -> None:
    dataset, market = dataset_named(known["dataset"]), Market(known["market"])
    one, asked = channel(dataset, market), query(dataset, market, known["native"], known["interval"])
    pushed = SOCKET.read(json.dumps(known["frame"], separators=separators).encode())
    assert isinstance(pushed, tuple)
    topic, data = pushed
    assert topic == one.topic(asked) == known["topic"]
    assert one.decoder()(data, asked) == [tuple(row) for row in known["rows"]]
    assert all(len(row) == len(one.columns) for row in known["rows"])


def test_every_channel_of_every_market_has_a_documented_frame() -> None:
    cells = {(one.dataset.name, market.value) for one in HYPERLIQUID.channels for market in one.markets}
    assert {(one["dataset"], one["market"]) for one in FRAMES} == cells


@pytest.mark.parametrize("market", [LINEAR, SPOT])
@pytest.mark.parametrize("dataset", STREAMED)
def test_a_dataset_is_streamed_or_says_why_not(dataset: Dataset, market: Market) -> None:
    streamed = bool(HYPERLIQUID.streams(dataset, market, scope="instrument"))
    assert streamed == ((dataset, market) not in HYPERLIQUID.unstreamed)


def test_liquidations_are_told_to_those_concerned_only() -> None:
    for market in (LINEAR, SPOT):
        assert "those concerned" in HYPERLIQUID.unstreamed[LIQUIDATIONS, market]


def test_streams_have_the_columns_of_rest() -> None:
    for one in HYPERLIQUID.channels:
        for market in one.markets:
            endpoint = HYPERLIQUID.endpoint(one.dataset, market)
            assert endpoint is not None
            columns = tuple(name for name in endpoint.columns if name != "native")
            assert one.columns == (*columns, *(("closed",) if one.dataset is OHLC else ()))


@pytest.mark.parametrize(
    ("dataset", "market", "native", "interval", "subscription"),
    [
        (TRADES, LINEAR, "BTC", None, {"type": "trades", "coin": "BTC"}),
        (TRADES, LINEAR, "xyz:TSLA", None, {"type": "trades", "coin": "xyz:TSLA"}),
        (OHLC, LINEAR, "xyz:TSLA", "4h", {"type": "candle", "interval": "4h", "coin": "xyz:TSLA"}),
        (OHLC, SPOT, "PURR/USDC", "1d", {"type": "candle", "interval": "1d", "coin": "PURR/USDC"}),
        (TICKER, SPOT, "@107", None, {"type": "activeAssetCtx", "coin": "@107"}),
        (FUNDING, LINEAR, "kPEPE", None, {"type": "activeAssetCtx", "coin": "kPEPE"}),
        (OI, LINEAR, "kPEPE", None, {"type": "activeAssetCtx", "coin": "kPEPE"}),
    ],
)
def test_a_topic_is_asked_for_and_acknowledged_by_its_name(
    dataset: Dataset, market: Market, native: str, interval: str | None, subscription: dict[str, str]
) -> None:
    topic = channel(dataset, market).topic(query(dataset, market, native, interval))
    message = json.loads(SOCKET.subscribe([topic], 7))
    assert message == {"method": "subscribe", "subscription": subscription}
    done = {"channel": "subscriptionResponse", "data": message}
    assert read(done) == Control("accepted", topic=topic)
    done["data"] |= {"subscription": {**subscription, "nSigFigs": None, "fast": False}}  # defaults are filled in
    assert read(done) == Control("accepted", topic=topic)


def test_a_message_asks_for_one_topic() -> None:
    assert SOCKET.batch == 1
    with pytest.raises(ValueError, match="too many"):
        SOCKET.subscribe(["trades:BTC", "trades:ETH"], 1)


def test_candles_need_an_interval() -> None:
    with pytest.raises(TypeError, match="interval"):
        channel(OHLC, LINEAR).topic(query(OHLC, LINEAR))


@pytest.mark.parametrize(
    ("text", "kind", "topic"),
    [
        ('Already subscribed: {"type":"candle","interval":"1m","coin":"BTC"}', "accepted", "candle:1m:BTC"),
        ('Invalid subscription {"type":"candle","interval":"7m","coin":"BTC"}', "refused", "candle:7m:BTC"),
        ('Already unsubscribed: {"type":"trades","coin":"BTC"}', "other", ""),
        (
            f'{MISREAD} {{"method":"subscribe","subscription":{{"type":"tradez","coin":"BTC"}}}}',
            "refused",
            "tradez:BTC",
        ),
        (f"{MISREAD} {{nonsense", "refused", ""),
        ("Cannot subscribe to more than 1000 channels.", "refused", ""),
    ],
)
def test_errors_name_the_subscription_that_they_are_about(text: str, kind: Any, topic: str) -> None:
    assert read({"channel": "error", "data": text}) == Control(kind, topic=topic, text=text)


def test_the_words_of_an_error_are_made_harmless() -> None:
    assert read({"channel": "error", "data": "\x1b[31mno"}).text == r"\x1b[31mno"


@pytest.mark.parametrize(
    "frame",
    [
        b'{"channel":"pong"}',
        b"Websocket connection established.",
        b'{"channel":"trades","data":[]}',
        b'{"channel":"subscriptionResponse","data":{"method":"unsubscribe","subscription":{"type":"trades","coin":"BTC"}}}',
    ],
)
def test_what_is_no_data_and_no_answer_does_not_matter(frame: bytes) -> None:
    found = SOCKET.read(frame)
    assert isinstance(found, Control)
    assert found.kind == "other"


@pytest.mark.parametrize(
    ("frame", "topic"),
    [
        ({"channel": "l2Book", "data": {"coin": "BTC", "time": 1, "levels": [[], []]}}, "l2Book:BTC"),
        ({"channel": "bbo", "data": {"coin": "@107", "time": 1, "bbo": [None, None]}}, "bbo:@107"),
        ({"channel": "allMids", "data": {"mids": {"BTC": "91000.5"}}}, "allMids"),
        ({"channel": "fastAssetCtxs", "data": "q1ZKzs8="}, "fastAssetCtxs"),
        ({"channel": "trades", "data": [{"coin": "ÅØ"}]}, "trades:ÅØ"),
        ({"channel": "bbo", "data": {"ctx": {"coin": "@9"}, "coin": "@107"}}, "bbo:@107"),
        ({"channel": "bbo", "data": {"coin": "@107", "ctx": {"coin": "@9"}}}, "bbo:@107"),
        ({"channel": "trades", "data": [{"coin": 'A"\\'}]}, 'trades:A"\\'),
    ],
)
def test_data_that_nobody_asked_for_have_their_own_topic(frame: Any, topic: str) -> None:
    found = read(frame)
    assert isinstance(found, tuple)
    assert (found[0], json.loads(bytes(found[1]))) == (topic, frame["data"])


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (b"", MalformedBody),
        (b'{"channel":"trades","data":[{"coin":"BTC"', MalformedBody),
        (b'{"channel":"trades"}', DecodeError),
        (b"<html>", MalformedBody),
        (b'{"channel":"trades","data":[{"coin":"BTC"}]} x', MalformedBody),
        (b'\xff{"channel":"pong"}', MalformedBody),
        (b'["trades"]', DecodeError),
        (b"{}", DecodeError),
        (b'{"channel":7}', DecodeError),
        (b'{"channel":"trades","data":[{"px":"1"}]}', DecodeError),
        (b'{"channel":"trades","data":7}', DecodeError),
        (b'{"channel":"candle","data":[]}', DecodeError),
        (b'{"channel":"candle","data":{"s":"BTC"}}', DecodeError),
        (b'{"channel":"error","data":{}}', DecodeError),
        (b'{"channel":"subscriptionResponse","data":"no"}', DecodeError),
        (b'{"channel":"x","data":' + b"[" * 100_000, MalformedBody),
    ],
)
def test_garbage_is_told_apart(frame: bytes, error: type[Exception]) -> None:
    with pytest.raises(error, match="Hyperliquid"):
        SOCKET.read(frame)


@pytest.mark.parametrize(
    ("dataset", "market", "spoil"),
    [
        (TRADES, LINEAR, lambda data: data[0].update(px="NaN")),
        (TRADES, LINEAR, lambda data: data[0].update(px="-1")),
        (TRADES, LINEAR, lambda data: data[0].update(side="C")),
        (TRADES, LINEAR, lambda data: data[0].update(time=12)),
        (TRADES, LINEAR, lambda data: data[0].update(time=1_795_219_200_123_000_000_000)),
        (TRADES, SPOT, lambda data: data[0].pop("tid")),
        (OHLC, LINEAR, lambda data: data.update(v="-0.1")),
        (OHLC, LINEAR, lambda data: data.update(h="Infinity")),
        (OHLC, SPOT, lambda data: data.update(t=12)),
        (FUNDING, LINEAR, lambda data: data["ctx"].pop("funding")),
        (OI, LINEAR, lambda data: data["ctx"].update(openInterest="1e400")),
        (TICKER, LINEAR, lambda data: data["ctx"].update(markPx="?")),
        (TICKER, SPOT, lambda data: data["ctx"].pop("markPx")),
        (TICKER, SPOT, lambda data: data.pop("ctx")),
    ],
)
def test_values_nobody_can_trust_are_refused(dataset: Dataset, market: Market, spoil: Any) -> None:
    frame = documented(dataset, market)
    spoil(frame["data"])
    with pytest.raises(DecodeError, match="Hyperliquid"):
        rows(dataset, market, frame)


def test_text_that_is_not_utf8_inside_of_data_is_refused() -> None:
    _, data = SOCKET.read(b'{"channel":"trades","data":[{"coin":"BTC","side":"\xff"}]}')  # type: ignore[misc]
    with pytest.raises((DecodeError, MalformedBody), match="Hyperliquid"):
        channel(TRADES, LINEAR).decoder()(data, query(TRADES, LINEAR))


@pytest.mark.parametrize("scale", [1, 1_000, 1_000_000])
def test_the_unit_of_a_trades_time_is_told_by_its_size(scale: int) -> None:
    frame = documented(TRADES, LINEAR)
    frame["data"][0]["time"] = 1_795_219_200_123 * scale
    assert rows(TRADES, LINEAR, frame)[0]["time"] == NOW


def test_funding_is_settled_at_the_next_full_hour() -> None:
    fill = channel(FUNDING, LINEAR).fill
    assert {name: value(NOW) if callable(value) else value for name, value in fill.items()} == {
        "time": NOW,
        "interval_h": 1.0,
        "next_time": NOW // HOUR * HOUR + HOUR,
    }
    moment: Any = channel(OI, LINEAR).fill["time"]
    assert moment(NOW) == NOW
    assert dict(channel(TICKER, LINEAR).fill) == dict(channel(TICKER, SPOT).fill) == {}


def test_sockets_keep_to_the_documented_limits() -> None:
    for site, host in (("live", "api.hyperliquid.xyz"), ("testnet", "api.hyperliquid-testnet.xyz")):
        sockets = HYPERLIQUID.sites[site].sockets
        assert [socket.url for socket in sockets.values()] == [f"wss://{host}/ws"]
    opening = HYPERLIQUID.budget(SOCKET.opening)
    assert (opening.limit, opening.seconds) == (30, 60)
    assert SOCKET.topics * 5 <= 1_000  # of an address, of ten connections at most
    most, seconds = SOCKET.messages
    assert most * 60 / seconds <= 2_000
    assert SOCKET.ping is not None
    assert json.loads(SOCKET.ping) == {"method": "ping"}
    assert SOCKET.ping_seconds <= 30
    assert SOCKET.life is None


def test_what_proves_life_is_bitcoins_state() -> None:
    assert SOCKET.busy == channel(TICKER, LINEAR).topic(query(TICKER, LINEAR))
    assert SOCKET.busy_seconds == channel(TICKER, LINEAR).cadence


def test_silence_means_something_where_the_exchange_repeats_itself() -> None:
    watched = {(one.dataset.name, market) for one in HYPERLIQUID.channels for market in one.markets if one.cadence}
    assert watched == {(name, LINEAR) for name in ("ticker", "funding", "oi")}


@pytest.mark.parametrize("frame", [documented(TRADES, LINEAR), documented(FUNDING, LINEAR), documented(OHLC, SPOT)])
def test_no_frame_says_when_it_was_sent(frame: Any) -> None:
    assert SOCKET.sent(json.dumps(frame).encode()) is None


def test_a_frame_of_data_is_passed_on_as_it_came() -> None:
    frame = documented(TRADES, LINEAR)
    _, data = read(frame)
    assert isinstance(data, msgspec.Raw)
    assert json.loads(bytes(data)) == frame["data"]
