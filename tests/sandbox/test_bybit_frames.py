"""What Bybit's simulated streams send agrees with the world and with REST, however windows are cut."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from sandbox.bybit_streams import (
    BYBIT,
    INVERSE,
    LINEAR,
    MINUTES,
    NATIVE,
    SPOT,
    START,
    WORLD,
    data,
    decoded,
    documents,
    item,
    outlet,
    sent,
)
from sandbox.small_world import NOW

from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, OI, TICKER, TRADES, Dataset
from marketcli.exchanges.bybit.sandbox import SIMULATOR
from marketcli.models import DAY, MILLISECOND, MINUTE, SECOND, Instrument, Interval, Market, Micros, Window
from marketcli.simulator import Ask
from marketcli.spec import Query

# --- frames: pure, in order, however windows are cut

TOPICS = [
    *((SPOT, "publicTrade.BTCUSDT"), (LINEAR, "publicTrade.BTCUSDT"), (INVERSE, "publicTrade.BTCUSD")),
    *((SPOT, "kline.1.BTCUSDT"), (LINEAR, "kline.1.BTCUSDT"), (INVERSE, "kline.5.BTCUSD")),
    *((SPOT, "tickers.BTCUSDT"), (LINEAR, "tickers.BTCUSDT"), (INVERSE, "tickers.BTCUSD")),
    *((LINEAR, "allLiquidation.BTCUSDT"), (INVERSE, "allLiquidation.BTCUSD")),
]
CUTS = (0, 1_000, 17_321, 100_000, 137_500, 999_999, 1_000_000, 1_000_001, 2_500_000, 5_123_457, 19_000_000)


@pytest.mark.parametrize(("market", "topic"), TOPICS)
@pytest.mark.parametrize("pace", [1.0, 0.3, 2.7])
def test_windows_may_be_cut_anywhere(market: Market, topic: str, pace: float) -> None:
    start = START + 50 * SECOND - 3_456
    whole = sent(market, topic, Window(start, start + CUTS[-1]), pace=pace)
    parts = [Window(start + first, start + last) for first, last in pairwise(CUTS)]
    assert [frame for part in parts for frame in sent(market, topic, part, pace=pace)] == whole
    assert sent(market, topic, Window(start, start + CUTS[-1]), pace=pace, ahead=7 * SECOND) == whole
    assert [frame.time for frame in whole] == sorted(frame.time for frame in whole)
    assert all(frame.time in Window(start, start + CUTS[-1]) for frame in whole)
    assert whole or topic.startswith("allLiquidation")


@pytest.mark.parametrize(("market", "topic"), TOPICS)
def test_frames_say_when_they_were_sent_and_of_what(market: Market, topic: str) -> None:
    window = Window(START, START + (10 * MINUTE if topic.startswith("all") else MINUTE))
    frames = sent(market, topic, window)
    socket = BYBIT.sites["live"].sockets[market.value]
    for frame in frames:
        assert socket.sent(frame.text.encode()) == frame.time // MILLISECOND * MILLISECOND
        assert json.loads(frame.text)["topic"] == topic
    assert len(frames) > 2


@pytest.mark.parametrize(
    ("market", "topic", "rate"),
    [(LINEAR, "tickers.BTCUSDT", 10), (SPOT, "tickers.BTCUSDT", 20), (LINEAR, "kline.1.BTCUSDT", 1)],
)
def test_states_come_as_often_as_asked(market: Market, topic: str, rate: int) -> None:
    window = Window(START, START + 3 * SECOND)
    for pace in (1, 4):
        assert len(sent(market, topic, window, pace=pace)) == 3 * rate * pace
    assert len(sent(market, "publicTrade.BTCUSDT", window, pace=4)) == len(sent(market, "publicTrade.BTCUSDT", window))


# --- trades


@pytest.mark.parametrize("market", Market)
def test_trades_are_those_of_the_world(market: Market) -> None:
    frames = sent(market, f"publicTrade.{NATIVE[market]}")
    listing = item(market, NATIVE[market])
    made = Window(MINUTES.start - 3_000, MINUTES.end - 3_000)
    trades = WORLD.trades(listing, made)
    assert len(trades) > 300
    rows = decoded(TRADES, market, [frame.text for frame in frames])
    sizes = [one.contracts * listing.contract_size if market is INVERSE else one.size for one in trades]
    assert [(row[0], row[2], row[3]) for row in rows] == [(one.time, one.price, one.taker) for one in trades]
    assert [row[4] for row in rows] == sizes
    assert len({row[1] for row in rows}) == len(rows)


def test_trades_of_a_millisecond_come_together_three_milliseconds_later() -> None:
    frames = sent(LINEAR, "publicTrade.BTCUSDT")
    for frame, document in zip(frames, documents(frames), strict=True):
        assert {one["T"] * MILLISECOND for one in document["data"]} == {frame.time - 3 * MILLISECOND}
    assert max(len(document["data"]) for document in documents(frames)) > 1


@pytest.mark.parametrize("market", Market)
def test_trades_have_the_ids_that_rest_gives_them(market: Market) -> None:
    end = START + MINUTE
    frames = sent(market, f"publicTrade.{NATIVE[market]}", Window(end - MINUTE, end + 3_000))
    listed = rest(market, "recent-trade", end, limit="60")
    assert [one["i"] for one in data(frames)][-60:] == [one["execId"] for one in reversed(listed)]


def rest(market: Market, name: str, time: Micros, **params: str) -> Any:
    """What REST says at a moment."""
    route = next(one for one in SIMULATOR.routes if one.path == f"/v5/market/{name}")
    known = {"category": market.value, "symbol": NATIVE[market], **params}
    reply = route.reply(Ask("api.bybit.com", route.path, known, WORLD.at(time)))
    return json.loads(reply.body)["result"]["list"]


# --- candles


@pytest.mark.parametrize("market", Market)
@pytest.mark.parametrize(("spelled", "text"), [("1", "1m"), ("3", "3m")])
def test_closed_candles_are_those_of_the_world_and_come_at_once(market: Market, spelled: str, text: str) -> None:
    window = Window(START - 30 * SECOND, START + 10 * MINUTE)
    frames = sent(market, f"kline.{spelled}.{NATIVE[market]}", window)
    rows = [row for row in decoded(OHLC, market, [one.text for one in frames], interval=text) if row[-1]]
    interval = Interval.parse(text)
    listing = item(market, NATIVE[market])
    bars = WORLD.candles(listing, interval, Window(interval.floor(window.start), window.end - interval.longest))
    assert [row[:5] for row in rows] == [bar[:5] for bar in bars]
    assert [row[5:7] for row in rows] == [(bar.volume_base, bar.volume_quote) for bar in bars]
    if market is INVERSE:
        assert [row[7] for row in rows] == [bar.contracts * listing.contract_size for bar in bars]
    closing = [frame for frame in frames if '"confirm":true' in frame.text]
    assert [frame.time for frame in closing] == [interval.step(bar.time) for bar in bars]


def test_the_frame_that_closes_a_candle_carries_the_next_one() -> None:
    for document in documents(sent(LINEAR, "kline.1.BTCUSDT")):
        bars = document["data"]
        ended = document["ts"] % 60_000 == 0
        assert [bar["confirm"] for bar in bars] == ([True, False] if ended else [False])
        assert bars[-1]["start"] == document["ts"] // 60_000 * 60_000
        assert bars[-1]["end"] == bars[-1]["start"] + 59_999
        assert {bar["interval"] for bar in bars} == {"1"}


@pytest.mark.parametrize("market", Market)
def test_the_open_candle_is_that_of_its_moment(market: Market) -> None:
    window = Window(START + 20 * SECOND, START + 25 * SECOND)
    frames = sent(market, f"kline.D.{NATIVE[market]}", window)
    assert len(frames) == 5
    for frame in frames:
        (bar,) = json.loads(frame.text)["data"]
        (listed,) = rest(market, "kline", frame.time, interval="D", limit="1")
        wire = [str(bar["start"]), *(bar[name] for name in ("open", "high", "low", "close", "volume", "turnover"))]
        assert (wire, bar["confirm"]) == (listed, False)


def test_candles_that_end_between_two_beats_are_closed_all_the_same() -> None:
    frames = sent(LINEAR, "kline.1.BTCUSDT", Window(START - 5 * SECOND, START + 5 * SECOND), pace=0.3)
    assert [frame.time for frame in frames if '"confirm":true' in frame.text] == [START]


@pytest.mark.parametrize("market", Market)
def test_candles_begin_with_the_open_one(market: Market) -> None:
    texts = list(outlet(market).first(f"kline.1.{NATIVE[market]}", WORLD))
    (row,) = decoded(OHLC, market, texts, interval="1m")
    (bar,) = WORLD.candles(item(market, NATIVE[market]), Interval(1, "m"), Window(NOW - 30 * SECOND, NOW))
    assert (row[:5], row[-1]) == (bar[:5], False)
    for topic in (f"publicTrade.{NATIVE[market]}", f"allLiquidation.{NATIVE[market]}", "tickers.NOPE"):
        assert list(outlet(market).first(topic, WORLD)) == []


# --- liquidations


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_every_liquidation_comes_within_half_a_second(market: Market) -> None:
    hour = Window(START - 30 * MINUTE, START + 30 * MINUTE)
    frames = sent(market, f"allLiquidation.{NATIVE[market]}", hour)
    listing = item(market, NATIVE[market])
    found = WORLD.liquidations(listing, Window(hour.start - SECOND // 2, hour.end - SECOND // 2))
    assert len(found) > 10
    rows = decoded(LIQUIDATIONS, market, [frame.text for frame in frames])
    sizes = [one.contracts * listing.contract_size if market is INVERSE else one.size for one in found]
    assert [row[:3] for row in rows] == [(one.time, one.liquidated, one.bankrupt) for one in found]
    assert [row[3] for row in rows] == sizes
    for frame, document in zip(frames, documents(frames), strict=True):
        assert frame.time % (SECOND // 2) == 0
        assert all(0 < frame.time - one["T"] * MILLISECOND <= SECOND // 2 for one in document["data"])
        assert {one["s"] for one in document["data"]} == {NATIVE[market]}


@pytest.mark.parametrize("step", [300_000, 700_000, 1_300_001])
def test_no_liquidation_is_lost_between_windows(step: Micros) -> None:
    end = START + 10 * MINUTE
    cuts = [*range(START, end, step), end]
    parts = [frame for cut in pairwise(cuts) for frame in sent(LINEAR, "allLiquidation.BTCUSDT", Window(*cut))]
    assert parts == sent(LINEAR, "allLiquidation.BTCUSDT", Window(START, end))
    assert len(parts) > 5


def test_a_liquidated_long_is_written_as_buy() -> None:
    frames = sent(LINEAR, "allLiquidation.BTCUSDT", Window(START, START + 30 * MINUTE))
    sides = {
        one.time // MILLISECOND: one.liquidated
        for one in WORLD.liquidations(item(LINEAR, "BTCUSDT"), Window(START - SECOND, START + 30 * MINUTE))
    }
    assert {(one["S"], sides[one["T"]]) for one in data(frames)} == {("Buy", "long"), ("Sell", "short")}


# --- tickers


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
@pytest.mark.parametrize("dataset", [TICKER, FUNDING, OI], ids=str)
@pytest.mark.parametrize("begun", [START, START + 123_457, START + 950_001])
def test_whoever_follows_changes_knows_what_rest_says(market: Market, dataset: Dataset, begun: Micros) -> None:
    topic = f"tickers.{NATIVE[market]}"
    texts = [*outlet(market).first(topic, WORLD.at(begun))]
    frames = sent(market, topic, Window(begun, begun + 4 * SECOND))
    rows = decoded(dataset, market, [*texts, *(frame.text for frame in frames)])
    assert len(rows) > 4
    last = max(frame.time for frame in frames if frame.time % SECOND == 0)
    seen = [row for row in rows if row[1] == last] or [row for row in rows if row[1] <= last][-1:]
    endpoint = BYBIT.endpoint(dataset, market)
    assert endpoint is not None
    body = json.dumps({"retCode": 0, "result": {"list": rest(market, "tickers", last)}, "time": last // 1_000}).encode()
    coin = Instrument("bybit", market, NATIVE[market], NATIVE[market], "BTC", "USD", "USD")
    (known,) = endpoint.decode(body, Query(dataset, market, coin))
    assert seen[0][2:] == known[2:]


def test_changes_are_small_and_begin_with_a_snapshot() -> None:
    (first,) = outlet(LINEAR).first("tickers.BTCUSDT", WORLD.at(START))
    whole = json.loads(first)
    assert whole["type"] == "snapshot"
    changes = documents(sent(LINEAR, "tickers.BTCUSDT", Window(START + 1, START + 3 * SECOND)))
    assert {one["type"] for one in changes} == {"delta"}
    book = {"symbol", "bid1Price", "bid1Size", "ask1Price", "ask1Size"}
    quiet = [one for one in changes if one["ts"] % 1_000]
    assert all(set(one["data"]) == book for one in quiet)
    assert all(book < set(one["data"]) < set(whole["data"]) for one in changes if one not in quiet)


def test_tickers_of_spot_are_always_whole_and_have_no_book() -> None:
    frames = sent(SPOT, "tickers.BTCUSDT", Window(START, START + SECOND))
    assert {one["type"] for one in documents(frames)} == {"snapshot"}
    for frame in frames[:3]:
        (listed,) = rest(SPOT, "tickers", START)
        (row,) = decoded(TICKER, SPOT, [frame.text])
        assert (row[2], row[7]) == (float(listed["lastPrice"]), float(listed["prevPrice24h"]))
        assert row[3:7] == (None,) * 4
        assert "bid1Price" not in json.loads(frame.text)["data"]
    (text,) = outlet(SPOT).first("tickers.BTCUSDT", WORLD)
    assert json.loads(text)["type"] == "snapshot"


def test_the_topic_that_proves_life_does_so() -> None:
    for market, socket in BYBIT.sites["live"].sockets.items():
        frames = sent(Market(market), socket.busy, Window(START, START + 10 * SECOND))
        times = [START, *(frame.time for frame in frames), START + 10 * SECOND]
        longest = max(after - before for before, after in pairwise(times))
        assert longest <= socket.busy_seconds * SECOND


def test_topics_are_served_as_seldom_as_their_channels_expect() -> None:
    for channel in BYBIT.channels:
        if channel.cadence is not None:
            (market,) = channel.markets
            coin = Instrument("bybit", market, NATIVE[market], NATIVE[market], "BTC", "USD", "USD")
            topic = channel.topic(Query(channel.dataset, market, coin, Interval(1, "d")))
            assert sent(market, topic, Window(START, START + round(channel.cadence * SECOND)))


def test_yesterday_is_the_same_told_today() -> None:
    window = Window(START - DAY, START - DAY + 5 * SECOND)
    assert sent(LINEAR, "tickers.BTCUSDT", window) == sent(LINEAR, "tickers.BTCUSDT", window, ahead=DAY)
