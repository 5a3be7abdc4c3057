"""Hyperliquid's streams as the sandbox plays them: answers, hang-ups, and frames that tell the world's own truth."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.small_world import NOW, at

from marketcli.datasets import FUNDING, OHLC, OI, TICKER, TRADES, Dataset
from marketcli.exchanges import load
from marketcli.exchanges.hyperliquid.sandbox import SIMULATOR
from marketcli.models import DAY, HOUR, MILLISECOND, MINUTE, SECOND, Instrument, Interval, Market, Window
from marketcli.sandbox.floor import Floor
from marketcli.spec import Control, Query
from marketcli.world import Listing, World

if TYPE_CHECKING:
    from marketcli.simulator import Frame, Heard

HYPERLIQUID = load("hyperliquid")
SOCKET = HYPERLIQUID.sites["live"].sockets["public"]
LINEAR, SPOT = Market.LINEAR, Market.SPOT
ENDED = at("2024-09-10T09:00")


class EndedWorld(World):
    """The world with a perpetual against USDC that is over."""

    def listings(self, market: Market | None = None) -> list[Listing]:
        found = super().listings(market)
        matic = [one for one in found if one.base == "MATIC" and one.market is LINEAR]
        return [*found, *(replace(one, quote="USDC", settle="USDC") for one in matic)]


WORLD = EndedWorld(7, clock=lambda: NOW)
LISTINGS = {SIMULATOR.native(one): one for one in SIMULATOR.listings(WORLD)}
OUTLET = next(one for one in SIMULATOR.outlets if one.host == "api.hyperliquid.xyz")
WINDOW = Window(NOW - 150 * SECOND, NOW)
TAKERS = {"B": "buy", "A": "sell"}


def asked(kind: str, coin: str, method: str = "subscribe", **more: Any) -> str:
    return json.dumps({"method": method, "subscription": {"coin": coin, "type": kind, **more}})


def hear(text: str, *topics: str) -> Heard:
    return OUTLET.hear(text, topics, WORLD)


def begun(kind: str, coin: str, **more: Any) -> str:
    """The topic that a subscription begins."""
    (topic,) = hear(asked(kind, coin, **more)).begin
    return topic


def frames(topic: str, window: Window = WINDOW, *, pace: float = 1.0, ahead: int = 0) -> list[Frame]:
    """What is sent inside a window, by a clock that shows its end, or later."""
    return list(OUTLET.frames(topic, WORLD.at(window.end + ahead), window, pace))


def data(found: list[Frame]) -> list[Any]:
    return [json.loads(frame.text)["data"] for frame in found]


def rows(dataset: Dataset, native: str, text: str, *, interval: str | None = None) -> list[dict[str, Any]]:
    """What `marketcli` makes of a frame."""
    market = LISTINGS[native].market
    coin = Instrument("hyperliquid", market, native, native, native, "USDC", "USDC")
    query = Query(dataset, market, coin, Interval.parse(interval) if interval else None)
    (channel,) = HYPERLIQUID.streams(dataset, market, scope="instrument")
    pushed = SOCKET.read(text.encode())
    assert isinstance(pushed, tuple)
    assert pushed[0] == channel.topic(query)
    return [dict(zip(channel.columns, row, strict=True)) for row in channel.decoder()(pushed[1], query)]


# --- messages


def test_both_installations_have_one_address() -> None:
    for site in HYPERLIQUID.sites.values():
        host = site.sockets["public"].url.removeprefix("wss://").removesuffix("/ws")
        outlet = SIMULATOR.outlet(host, "/ws")
        assert outlet is not None
        assert (outlet.idle, outlet.idle_code, outlet.pings, outlet.life) == (60.0, 1006, None, None)
        assert (outlet.opening.limit, outlet.opening.seconds) == (30, 60)
    assert SIMULATOR.outlet("api.hyperliquid.xyz", "/info") is None


@pytest.mark.parametrize(
    ("kind", "coin", "more"),
    [
        ("trades", "BTC", {}),
        ("trades", "@142", {}),
        ("candle", "kPEPE", {"interval": "5m"}),
        ("activeAssetCtx", "ETH", {}),
        ("activeAssetCtx", "@142", {}),
    ],
)
def test_a_subscription_is_acknowledged_as_it_was_understood(kind: str, coin: str, more: dict[str, str]) -> None:
    heard = hear(asked(kind, coin, nonsense=1, **more))
    (reply,) = heard.replies
    assert json.loads(reply) == {
        "channel": "subscriptionResponse",
        "data": {"method": "subscribe", "subscription": {"type": kind, **more, "coin": coin}},
    }
    assert (len(heard.begin), heard.end, heard.close) == (1, (), None)
    name = ":".join((kind, *more.values(), coin))
    assert SOCKET.read(reply.encode()) == Control("accepted", topic=name)
    assert hear(SOCKET.subscribe([name], 1)) == heard


def test_nothing_is_subscribed_or_ended_twice() -> None:
    topic, other = begun("trades", "BTC"), begun("trades", "ETH")
    again = hear(asked("trades", "BTC"), other, topic)
    assert (again.begin, again.close) == ((), None)
    said = 'Already subscribed: {"type":"trades","coin":"BTC"}'
    assert [json.loads(reply) for reply in again.replies] == [{"channel": "error", "data": said}]
    ended = hear(asked("trades", "BTC", "unsubscribe"), other, topic)
    assert (ended.begin, ended.end) == ((), (topic,))
    (reply,) = ended.replies
    assert json.loads(reply)["data"] == {"method": "unsubscribe", "subscription": {"type": "trades", "coin": "BTC"}}
    assert SOCKET.read(reply.encode()) == Control("other", topic="trades:BTC")
    twice = hear(asked("trades", "BTC", "unsubscribe"), other)
    assert twice.end == ()
    assert json.loads(twice.replies[0])["data"] == 'Already unsubscribed: {"type":"trades","coin":"BTC"}'


@pytest.mark.parametrize("coin", ["btc", "KPEPE", "TSLA", "xyz:TSLA", "@9", "BTCUSDT", "", "UBTC/USDC"])
@pytest.mark.parametrize(("kind", "more"), [("trades", {}), ("candle", {"interval": "1m"}), ("activeAssetCtx", {})])
def test_a_coin_that_does_not_exist_ends_the_connection_without_a_word(
    kind: str, coin: str, more: dict[str, str]
) -> None:
    heard = hear(asked(kind, coin, **more), begun("trades", "BTC"))
    assert (heard.close, heard.replies, heard.begin) == (1006, (), ())


@pytest.mark.parametrize("interval", ["7m", "1s", "1H", ""])
def test_an_interval_that_does_not_exist_is_refused(interval: str) -> None:
    heard = hear(asked("candle", "BTC", interval=interval))
    assert (heard.close, heard.begin) == (None, ())
    told = json.loads(heard.replies[0])
    assert told["channel"] == "error"
    assert told["data"] == f'Invalid subscription {{"type":"candle","interval":"{interval}","coin":"BTC"}}'


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "{}",
        '{"method":"subscribe"}',
        '{"method":"hello"}',
        '{"method":"subscribe","subscription":[{"type":"trades","coin":"BTC"}]}',
        asked("candle", "BTC"),
        asked("liquidations", "BTC"),
        '{"op":"subscribe","args":["trades"]}',
    ],
)
def test_what_is_not_understood_is_repeated(text: str) -> None:
    heard = hear(text)
    assert (heard.begin, heard.end, heard.close) == ((), (), None)
    told = json.loads(heard.replies[0])
    assert told == {"channel": "error", "data": f"Error parsing JSON into valid websocket request: {text}"}
    answer = SOCKET.read(heard.replies[0].encode())
    assert isinstance(answer, Control)
    assert answer.kind == "refused"


def test_a_refusal_names_the_topic_of_what_was_asked() -> None:
    for text in (asked("candle", "BTC", interval="7m"), asked("liquidations", "BTC", interval="7m")):
        answer = SOCKET.read(hear(text).replies[0].encode())
        assert isinstance(answer, Control)
        assert answer.topic in {"candle:7m:BTC", "liquidations:7m:BTC"}


def test_a_ping_is_answered_and_our_own_is_one() -> None:
    assert SOCKET.ping is not None
    heard = hear(SOCKET.ping)
    assert heard.replies == ('{"channel":"pong"}',)
    assert SOCKET.read(heard.replies[0].encode()) == Control("other")


def test_a_thousand_subscriptions_are_enough() -> None:
    assert hear(asked("trades", "BTC"), *map(str, range(999))).begin
    heard = hear(asked("trades", "BTC"), *map(str, range(1_000)))
    assert (heard.begin, heard.close) == ((), None)
    assert json.loads(heard.replies[0])["data"] == "Cannot subscribe to more than 1000 channels."


# --- trades


@pytest.mark.parametrize("native", ["BTC", "kPEPE", "@142"])
@pytest.mark.parametrize("ahead", [0, 1, 90 * MINUTE])
def test_every_trade_comes_once_and_as_it_was(native: str, ahead: int) -> None:
    window = Window(NOW - 20 * SECOND - 350 * MILLISECOND, NOW - 123_456)
    found = frames(begun("trades", native), window, ahead=ahead)
    told = [(frame.time, row) for frame in found for row in rows(TRADES, native, frame.text)]
    truth = WORLD.trades(LISTINGS[native], window)
    assert len(truth) > 20
    assert [(row["time"], row["price"], row["size"], row["side"]) for _, row in told] == [
        (one.time, one.price, one.size, one.taker) for one in truth
    ]
    assert all(time == row["time"] for time, row in told)
    assert len({row["id"] for _, row in told}) == len(truth)


def test_trades_of_one_moment_come_together() -> None:
    found = frames(begun("trades", "BTC"))
    assert all(before.time < after.time for before, after in pairwise(found))
    assert any(len(one) > 1 for one in data(found))


def test_a_trade_of_a_stream_is_the_trade_of_an_answer() -> None:
    body = b'{"type":"recentTrades","coin":"BTC"}'
    headers = {"content-type": "application/json"}
    floor = Floor(WORLD, limits=False, faults=())
    answer = floor.answer("POST", "api.hyperliquid.xyz", path="/info", query="", body=body, headers=headers).document()
    streamed = [row for one in data(frames(begun("trades", "BTC"))) for row in one]
    assert streamed[-len(answer) :] == answer[::-1]


@pytest.mark.parametrize("late", [0, 1, 345 * MILLISECOND, 999_999])
def test_a_subscription_begins_with_the_trades_just_before(late: int) -> None:
    topic, now = begun("trades", "BTC"), NOW - MINUTE + late
    (text,) = OUTLET.first(topic, WORLD.at(now))
    found = rows(TRADES, "BTC", text)
    truth = WORLD.trades(LISTINGS["BTC"], Window(now - MINUTE, now))[-3:]
    assert [(row["time"], row["price"], row["size"]) for row in found] == [
        (one.time, one.price, one.size) for one in truth
    ]
    following = rows(TRADES, "BTC", frames(topic, Window(now, now + SECOND))[0].text)
    assert found[-1]["time"] < now <= following[0]["time"]


@pytest.mark.parametrize(("kind", "more"), [("candle", {"interval": "1m"}), ("activeAssetCtx", {})])
def test_other_subscriptions_begin_with_nothing(kind: str, more: dict[str, str]) -> None:
    assert list(OUTLET.first(begun(kind, "BTC", **more), WORLD)) == []


# --- candles


@pytest.mark.parametrize("native", ["BTC", "@142"])
@pytest.mark.parametrize("interval", ["1m", "3m", "1h", "1d"])
def test_a_candle_comes_every_second_as_it_is_then(native: str, interval: str) -> None:
    found = frames(begun("candle", native, interval=interval))
    length = Interval.parse(interval)
    told = {
        (frame.time, row["time"]): row for frame in found for row in rows(OHLC, native, frame.text, interval=interval)
    }
    assert len(told) == len(found)
    assert {time for time, _ in told} == set(range(WINDOW.start, WINDOW.end, SECOND))
    for (time, opened), row in told.items():
        (bar,) = WORLD.at(time).candles(LISTINGS[native], length, Window(opened, opened + 1))
        assert row == {
            "time": bar.time,
            "open": bar.open,
            "high": bar.high,
            "low": bar.low,
            "close": bar.close,
            "volume_base": bar.volume_base,
            "trades": bar.trades,
            "closed": None,
        }


@pytest.mark.parametrize("pace", [1.0, 0.013, 3.0])
@pytest.mark.parametrize("native", ["BTC", "kPEPE", "@142"])
def test_the_last_word_about_a_candle_comes_when_it_is_over(native: str, pace: float) -> None:
    found = frames(begun("candle", native, interval="1m"), pace=pace)
    last = {row["time"]: (frame.time, row) for frame in found for row in rows(OHLC, native, frame.text, interval="1m")}
    minute = Interval.parse("1m")
    closed = [bar for bar in WORLD.candles(LISTINGS[native], minute, WINDOW) if bar.closed]
    assert len(closed) == 2
    for bar in closed:
        sent, row = last[bar.time]
        assert sent == bar.time + MINUTE
        assert (row["close"], row["volume_base"], row["trades"]) == (bar.close, bar.volume_base, bar.trades)
    traded = WORLD.trades(LISTINGS[native], Window(closed[0].time, closed[0].time + MINUTE))
    assert last[closed[0].time][1]["trades"] == len(traded)


def test_a_candle_that_is_over_comes_before_the_next_one() -> None:
    found = frames(begun("candle", "BTC", interval="1m"))
    opened = [one["t"] for one in data(found)]
    assert opened == sorted(opened)
    assert len(set(opened)) == 4  # the first is the one that was over when the window began


def test_candles_come_as_often_as_the_pace_says() -> None:
    topic = begun("candle", "BTC", interval="1h")
    assert [len(frames(topic, pace=pace)) for pace in (0.1, 1.0, 4.0)] == [16, 151, 601]  # and once at noon


# --- states


@pytest.mark.parametrize("native", ["BTC", "kPEPE"])
def test_how_a_perpetual_stands_each_second(native: str) -> None:
    window = Window(NOW - 10 * SECOND, NOW + 1)
    listing, found = LISTINGS[native], frames(begun("activeAssetCtx", native), window)
    assert [frame.time for frame in found] == list(range(window.start, window.end, SECOND))
    for frame in found:
        then = WORLD.at(frame.time)
        now, day, (opened,) = then.derivative(listing), then.ticker(listing), then.interest(listing, [frame.time])
        assert json.loads(frame.text)["channel"] == "activeAssetCtx"
        (funding,) = rows(FUNDING, native, frame.text)
        assert (funding["mark"], funding["index"]) == (now.mark, now.index)
        assert abs(funding["rate"]) < 0.01
        assert rows(OI, native, frame.text) == [{"oi_base": opened.base, "mark": now.mark}]
        volumes = {"volume_base": day.volume_base, "volume_quote": day.volume_quote}
        assert rows(TICKER, native, frame.text) == [{"mark": now.mark, "open": day.open, **volumes}]


def test_states_come_as_often_as_the_pace_says() -> None:
    topic, window = begun("activeAssetCtx", "kPEPE"), Window(NOW - 10 * SECOND, NOW)
    assert [len(frames(topic, window, pace=pace)) for pace in (0.2, 1.0, 4.0)] == [2, 10, 40]


def test_how_a_pair_stands_comes_on_a_channel_of_its_own() -> None:
    found = frames(begun("activeAssetCtx", "@142"), Window(NOW - 2 * SECOND, NOW))
    assert len(found) == 2
    for frame in found:
        day = WORLD.at(frame.time).ticker(LISTINGS["@142"])
        assert json.loads(frame.text)["channel"] == "activeSpotAssetCtx"
        volumes = {"volume_base": day.volume_base, "volume_quote": day.volume_quote}
        assert rows(TICKER, "@142", frame.text) == [{"mark": day.last, "open": day.open, **volumes}]


@pytest.mark.parametrize(
    ("native", "kind", "place"), [("BTC", "metaAndAssetCtxs", None), ("@142", "spotMetaAndAssetCtxs", "@142")]
)
def test_a_state_of_a_stream_is_the_state_of_an_answer(native: str, kind: str, place: str | None) -> None:
    headers = {"content-type": "application/json"}
    floor, body = Floor(WORLD, limits=False, faults=()), json.dumps({"type": kind}).encode()
    answer = floor.answer("POST", "api.hyperliquid.xyz", path="/info", query="", body=body, headers=headers).document()
    names = [one["name"] for one in answer[0]["universe"]]
    state = next(one for name, one in zip(names, answer[1], strict=True) if (one["coin"] if place else name) == native)
    (streamed,) = data(frames(begun("activeAssetCtx", native), Window(NOW, NOW + 1)))
    assert streamed == {"coin": native, "ctx": state}


# --- all of them

EVERY = [
    (kind, coin, more)
    for coin in ("BTC", "kPEPE", "@142")
    for kind, more in (
        ("trades", {}),
        ("candle", {"interval": "1m"}),
        ("candle", {"interval": "3d"}),
        ("activeAssetCtx", {}),
    )
]


@pytest.mark.parametrize(("kind", "coin", "more"), EVERY)
@pytest.mark.parametrize("pace", [1.0, 0.3])
def test_windows_may_be_cut_anywhere(kind: str, coin: str, more: dict[str, str], pace: float) -> None:
    topic = begun(kind, coin, **more)
    window = Window(at("2026-11-21T11:59:51.25"), at("2026-11-21T12:00:07.75"))
    whole = frames(topic, window, pace=pace)
    cuts = [window.start, *(window.start + one for one in (1, 3_777_777, 8_750_000, 8_750_001, 9_500_000)), window.end]
    parts = [frames(topic, Window(*cut), pace=pace, ahead=number) for number, cut in enumerate(pairwise(cuts))]
    assert [frame for part in parts for frame in part] == whole
    assert all(frame.time in window for frame in whole)
    assert [frame.time for frame in whole] == sorted(frame.time for frame in whole)
    assert whole


@pytest.mark.parametrize("kind", ["trades", "candle", "activeAssetCtx"])
def test_what_is_delisted_is_accepted_and_stays_empty(kind: str) -> None:
    more = {"interval": "3d"} if kind == "candle" else {}
    heard = hear(asked(kind, "MATIC", **more))
    assert heard.close is None
    (topic,) = heard.begin
    assert frames(topic) == []
    assert frames(topic, Window(ENDED + 1, ENDED + 5 * SECOND)) == []
    assert frames(topic, Window(ENDED - MINUTE, ENDED))


def test_the_last_candle_of_a_life_comes_at_its_end() -> None:
    topic = begun("candle", "MATIC", interval="1m")
    found = frames(topic, Window(ENDED - MINUTE, ENDED + HOUR))
    (bar,) = WORLD.candles(LISTINGS["MATIC"], Interval.parse("1m"), Window(ENDED - MINUTE, ENDED + DAY))
    (row,) = rows(OHLC, "MATIC", found[-1].text, interval="1m")
    assert (found[-1].time, row["time"], row["trades"]) == (ENDED, bar.time, bar.trades)
