"""Bybit's streams as the sandbox plays them: addresses, subscriptions, refusals, beginnings and ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sandbox.bybit_streams import (
    BYBIT,
    HOURLY,
    INVERSE,
    LINEAR,
    NATIVE,
    SPOT,
    WORLD,
    data,
    documents,
    outlet,
    sent,
)
from sandbox.small_world import at

from marketcli.exchanges.bybit.sandbox import SIMULATOR
from marketcli.models import MILLISECOND, SECOND, Instrument, Market, Window
from marketcli.spec import Control, Query

if TYPE_CHECKING:
    from marketcli.simulator import Heard
    from marketcli.world import World


def hear(market: Market, message: object, *topics: str, world: World = WORLD) -> Heard:
    text = message if isinstance(message, str) else json.dumps(message)
    return outlet(market).hear(text, topics, world)


def subscribe(market: Market, *args: str, topics: tuple[str, ...] = (), world: World = WORLD) -> Heard:
    return hear(market, {"req_id": "5", "op": "subscribe", "args": args}, *topics, world=world)


def why(heard: Heard) -> str:
    """The reason of a refusal, which must be one."""
    (text,) = heard.replies
    found = BYBIT.sites["live"].sockets["linear"].read(text.encode())
    assert isinstance(found, Control)
    assert (found.kind, found.request, heard.begin, heard.end, heard.close) == ("refused", 5, (), (), None)
    return found.text


# --- addresses


def test_every_market_has_an_address_on_both_hosts() -> None:
    assert sorted((one.host, one.path) for one in SIMULATOR.outlets) == sorted(
        (host, f"/v5/public/{market.value}")
        for host in ("stream.bybit.com", "stream-testnet.bybit.com")
        for market in Market
    )
    assert SIMULATOR.outlet("stream.bybit.com", "/v5/public/option") is None
    for one in SIMULATOR.outlets:
        assert (one.opening.limit, one.opening.seconds, one.idle, one.life, one.pings) == (500, 300, 600.0, None, None)
        assert one.begin(one.path, "") == ()


def test_the_adapter_knows_these_addresses() -> None:
    for site in BYBIT.sites.values():
        for market, socket in site.sockets.items():
            host, _, path = socket.url.removeprefix("wss://").partition("/")
            assert SIMULATOR.outlet(host, f"/{path}") is not None
            assert path.endswith(f"/{market}")


# --- subscriptions


@pytest.mark.parametrize("market", Market)
def test_what_the_adapter_asks_for_is_acknowledged_and_begins(market: Market) -> None:
    socket = BYBIT.sites["live"].sockets[market.value]
    coin = Instrument("bybit", market, NATIVE[market], NATIVE[market], "BTC", "USD", "USD")
    channels = [one for one in BYBIT.channels if market in one.markets]
    topics = list(dict.fromkeys(one.topic(Query(one.dataset, market, coin, HOURLY)) for one in channels))
    heard = hear(market, socket.subscribe(topics, 9))
    assert (list(heard.begin), heard.end, heard.close) == (topics, (), None)
    (text,) = heard.replies
    assert socket.read(text.encode()) == Control("accepted", 9)
    assert json.loads(text)["ret_msg"] == ("subscribe" if market is SPOT else "")


@pytest.mark.parametrize("market", Market)
def test_a_ping_is_answered_by_its_own_name(market: Market) -> None:
    heard = hear(market, BYBIT.sites["live"].sockets[market.value].ping or "")
    assert json.loads(heard.replies[0]) == {
        "success": True, "ret_msg": "pong", "conn_id": f"sandbox-{market.value}", "op": "ping",
    }  # fmt: skip
    assert json.loads(hear(market, {"op": "ping", "req_id": "p1"}).replies[0])["req_id"] == "p1"
    assert heard._replace(replies=()) == ((), (), (), None)


def test_topics_end() -> None:
    heard = hear(LINEAR, {"op": "unsubscribe", "args": ["tickers.BTCUSDT"], "req_id": "2"}, "tickers.BTCUSDT")
    assert (heard.begin, heard.end) == ((), ("tickers.BTCUSDT",))
    assert json.loads(heard.replies[0])["op"] == "unsubscribe"


@pytest.mark.parametrize(
    "topic",
    [
        *("publicTrade.NOPEUSDT", "tickers.btcusdt", "publicTrade.BTCUSD", "publicTrade", "publicTrade.1.BTCUSDT"),
        *("kline.7.BTCUSDT", "kline.BTCUSDT", "kline.1m.BTCUSDT", "liquidation.BTCUSDT", "nonsense.BTCUSDT"),
        *("tickers.MATICUSDT", "tickers.BTCUSDT-25SEP26"),  # ended
    ],
)
def test_one_wrong_topic_fails_the_request(topic: str) -> None:
    assert why(subscribe(LINEAR, "tickers.BTCUSDT", topic)) == f"error:handler not found,topic:{topic}"


def test_spot_words_it_differently_and_has_no_liquidations() -> None:
    assert why(subscribe(SPOT, "tickers.BTCUSDT", "tickers.NOPE")) == "Invalid symbol :[tickers.NOPE]"
    assert why(subscribe(SPOT, "allLiquidation.BTCUSDT")) == "Invalid symbol :[allLiquidation.BTCUSDT]"
    assert subscribe(INVERSE, "allLiquidation.BTCUSD").begin == ("allLiquidation.BTCUSD",)


def test_the_same_topic_twice_is_refused() -> None:
    reason = "error:already subscribed,topic:tickers.BTCUSDT"
    assert why(subscribe(LINEAR, "tickers.ETHUSDT", "tickers.BTCUSDT", topics=("tickers.BTCUSDT",))) == reason
    assert why(subscribe(LINEAR, "tickers.BTCUSDT", "tickers.BTCUSDT")) == reason


def test_spot_takes_ten_topics_in_a_request_and_contracts_more() -> None:
    topics = [f"kline.{spelled}.BTCUSDT" for spelled in BYBIT.intervals.values()]
    assert len(subscribe(SPOT, *topics[:10]).begin) == 10
    assert why(subscribe(SPOT, *topics[:11])) == "args size >10"
    assert len(subscribe(LINEAR, *topics).begin) == 13


def test_topics_of_a_connection_have_21_000_characters_at_most() -> None:
    known = tuple(f"tickers.{n:0992}" for n in range(21))
    assert sum(map(len, known)) == 21_000
    assert subscribe(LINEAR, "tickers.BTCUSDT", topics=(*known[:-1], "x" * 985)).begin
    assert "too long" in why(subscribe(LINEAR, "tickers.BTCUSDT", topics=(*known[:-1], "x" * 986)))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("hello", "Failed to decode incoming data:"),
        ({"op": "subscribe", "args": "tickers.BTCUSDT"}, "Failed to decode incoming data:"),
        ({"op": "subscribe", "args": []}, "Params Error"),
        ({"op": "nope"}, "error:invalid op"),
    ],
)
def test_messages_that_say_nothing_are_refused_and_the_connection_stays(message: object, reason: str) -> None:
    heard = hear(LINEAR, message)
    found = json.loads(heard.replies[0])
    assert (found["success"], found["ret_msg"].startswith(reason), heard.close) == (False, True, None)


def test_a_contract_that_does_not_trade_yet_is_silent_and_begins_with_a_snapshot() -> None:
    before = at("2024-09-13T10:29:58")
    pending = next(one for one in WORLD.at(before).listings(LINEAR) if one.status == "pending")
    name, world = SIMULATOR.native(pending), WORLD.at(before)
    assert subscribe(LINEAR, f"tickers.{name}", world=world).begin
    window = Window(before, pending.listed + SECOND)
    for topic in (f"tickers.{name}", f"kline.1.{name}", f"publicTrade.{name}"):
        assert list(outlet(LINEAR).first(topic, world)) == []
        frames = sent(LINEAR, topic, window)
        assert all(frame.time >= pending.listed for frame in frames)
    frames = sent(LINEAR, f"tickers.{name}", window)
    assert [one["type"] for one in documents(frames)] == ["snapshot"] + ["delta"] * 9
    assert documents(frames)[0]["data"]["symbol"] == name


def test_a_contract_that_ends_closes_its_last_candle_and_falls_silent() -> None:
    end = at("2026-12-25T08:00")
    for size in (5 * SECOND, SECOND // 4, 10 * SECOND):
        for topic, last in (("kline.1", end), ("tickers", end)):
            name = f"{topic}.BTCUSDT-25DEC26"
            frames = [
                frame
                for start in range(end - 10 * SECOND, end + 10 * SECOND, size)
                for frame in sent(LINEAR, name, Window(start, start + size))
            ]
            assert frames[-1].time == last
        (closing,) = [one for one in documents(frames) if one["ts"] == end // MILLISECOND]
        assert closing["data"]["symbol"] == "BTCUSDT-25DEC26"
    bars = data(sent(LINEAR, "kline.1.BTCUSDT-25DEC26", Window(end, end + SECOND)))
    assert [(bar["confirm"], bar["end"]) for bar in bars] == [(True, end // MILLISECOND - 1)]
