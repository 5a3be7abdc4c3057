"""Binance's simulated sockets: what they answer, and that their frames, read by the adapter, are the world's own."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from marketcli.catalog import listed
from marketcli.datasets import FUNDING, INSTRUMENTS, LIQUIDATIONS, OHLC, TICKER, TRADES, Dataset
from marketcli.exchanges import load
from marketcli.exchanges.binance.sandbox import SIMULATOR
from marketcli.models import HOUR, MILLISECOND, MINUTE, SECOND, Instrument, Interval, Market, Window
from marketcli.sandbox.floor import Floor
from marketcli.spec import Channel, Control, Endpoint, Page, Query
from marketcli.windows import parse_time
from marketcli.world import World

if TYPE_CHECKING:
    from marketcli.models import Micros
    from marketcli.simulator import Frame, Outlet
    from marketcli.world import Listing, Trade

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
BINANCE = load("binance")
SITE = BINANCE.sites["live"]
START: Micros = parse_time("2026-11-21T11:59:27.4", now=0)
LATER = START + HOUR
WORLD = World(7, clock=lambda: LATER)
LAST = parse_time("2026-12-25T08:00", now=0)  # when the quarter's contracts are delivered
QUIET = {SPOT: "FILUSDT", LINEAR: "BTCUSDT_261225", INVERSE: "ETHUSD_261225"}  # few trades, so that tests are quick
HOSTS = {SPOT: "stream.binance.com", LINEAR: "fstream.binance.com", INVERSE: "dstream.binance.com"}
PREFIX = {SPOT: "", LINEAR: "/market", INVERSE: ""}
REST = {SPOT: "data-api.binance.vision", LINEAR: "fapi.binance.com", INVERSE: "dapi.binance.com"}


def outlet(host: str, path: str) -> Outlet:
    found = SIMULATOR.outlet(host, path)
    assert found is not None, (host, path)
    return found


def stream(market: Market, path: str = "/stream") -> Outlet:
    return outlet(HOSTS[market], PREFIX[market] + path)


def frames(of: Outlet, topic: str, seconds: float, *, start: Micros = START, pace: float = 1.0) -> list[Frame]:
    return list(of.frames(topic, WORLD, Window(start, start + round(seconds * SECOND)), pace))


def listing(market: Market, native: str = "") -> Listing:
    wanted = native or QUIET[market]
    return next(one for one in WORLD.listings(market) if SIMULATOR.native(one) == wanted)


def instruments(market: Market) -> dict[str, Instrument]:
    endpoint = BINANCE.endpoint(INSTRUMENTS, market)
    assert endpoint is not None
    rows = endpoint.decode(rest(endpoint, market, START), Query(INSTRUMENTS, market))
    found = (listed("binance", market, dict(zip(endpoint.columns, row, strict=True))) for row in rows)
    return {one.native: one for one in found}


def rest(endpoint: Endpoint, market: Market, time: Micros, instrument: Instrument | None = None) -> bytes:
    """What REST answers at a moment."""
    floor = Floor(World(7, clock=lambda: time), limits=False, faults=())
    query = Query(endpoint.dataset, market, instrument)
    asked = urlencode(endpoint.params(query, Page(None, 1)))
    draft = floor.answer("GET", REST[market], path=endpoint.path, query=asked)
    assert draft.status == 200, draft.body
    return draft.body


def query(market: Market, dataset: Dataset, *, native: str | None = "", interval: str | None = None) -> Query:
    one = None if native is None else instruments(market)[native or QUIET[market]]
    return Query(dataset, market, one, Interval.parse(interval) if interval else None)


def channels(question: Query) -> list[Channel]:
    scope = "instrument" if question.instrument else "market"
    return list(BINANCE.streams(question.dataset, question.market, scope=scope))


def served(channel: Channel) -> Outlet:
    """The address that a channel is asked at."""
    url = urlsplit(SITE.sockets[channel.socket].url)
    return outlet(url.hostname or "", url.path)


def decoded(channel: Channel, question: Query, sent: list[Frame]) -> list[tuple[Micros, dict[str, Any]]]:
    """The rows of frames, each with the moment it was sent."""
    decode, socket, found = channel.decoder(), SITE.sockets[channel.socket], []
    for frame in sent:
        read = socket.read(frame.text.encode())
        assert not isinstance(read, Control)
        assert read[0] == channel.topic(question)
        stamp = socket.sent(frame.text.encode())
        assert stamp is None or stamp == frame.time // MILLISECOND * MILLISECOND
        rows = decode(read[1], question)
        found += [(frame.time, dict(zip(channel.columns, row, strict=True))) for row in rows]
    return found


def streamed(question: Query, seconds: float, **more: Any) -> list[tuple[Micros, dict[str, Any]]]:
    channel = channels(question)[0]
    return decoded(channel, question, frames(served(channel), channel.topic(question), seconds, **more))


def truth(market: Market, start: Micros, end: Micros, native: str = "") -> list[Trade]:
    return WORLD.trades(listing(market, native), Window(start, end))


@pytest.mark.parametrize("market", list(Market))
def test_trades_are_the_world_s_each_once_and_in_order(market: Market) -> None:
    found = streamed(query(market, TRADES), 90)
    size = "size_contracts" if market is INVERSE else "size"
    told = [(row["time"], row["id"], row["price"], row["side"], row[size]) for _, row in found]
    made = [
        (one.time, str(one.id), one.price, one.taker, one.contracts if market is INVERSE else one.size)
        for one in truth(market, START - SECOND, START + 90 * SECOND)
    ]
    late = MILLISECOND if market is SPOT else 100 * MILLISECOND
    assert len(told) > 50
    assert told == [one for one in made if START <= one[0] // late * late + late < START + 90 * SECOND]
    assert all(0 < sent - row["time"] <= late for sent, row in found)


@pytest.mark.parametrize("market", list(Market))
def test_single_trades_are_the_same_under_their_own_ids(market: Market) -> None:
    path = "/public/stream" if market is LINEAR else "/stream"
    sent = frames(outlet(HOSTS[market], path), f"{QUIET[market].lower()}@trade", 60)
    documents = [json.loads(frame.text)["data"] for frame in sent]
    made = truth(market, START - MILLISECOND, START + 60 * SECOND - MILLISECOND)
    assert [(one["t"], one["T"], float(one["p"]), one["m"]) for one in documents] == [
        (one.id, one.time // MILLISECOND, one.price, one.taker == "sell") for one in made
    ]


@pytest.mark.parametrize("market", list(Market))
@pytest.mark.parametrize("interval", ["1m", "5m"])
def test_closed_candles_come_as_soon_as_they_are_over_and_are_the_world_s(market: Market, interval: str) -> None:
    question = query(market, OHLC, interval=interval)
    found = [(time, row) for time, row in streamed(question, 400) if row["closed"]]
    length = Interval.parse(interval)
    window = Window(length.floor(START), length.floor(START + 400 * SECOND))
    bars = WORLD.candles(listing(market), length, window)
    assert [row["time"] for _, row in found] == [bar.time for bar in bars]
    assert all(time == length.step(row["time"]) for time, row in found)
    names = ("open", "high", "low", "close", "volume_base", "volume_quote", "trades", "taker_buy_base", "closed")
    exact = 8 if market is INVERSE else 15
    for (_, row), bar in zip(found, bars, strict=True):
        assert [row[name] for name in names] == pytest.approx([getattr(bar, name) for name in names], rel=10**-exact)


def test_the_open_candle_is_as_of_its_moment() -> None:
    found = streamed(query(LINEAR, OHLC, interval="5m"), 60)
    opened = [(time, row) for time, row in found if not row["closed"]]
    assert [time for time, _ in opened] == [START + 100 * MILLISECOND + n * 250 * MILLISECOND for n in range(240)]
    for time, row in opened:
        (bar,) = WORLD.at(time).candles(listing(LINEAR), Interval(5, "m"), Window(row["time"], row["time"] + 1))
        assert (row["close"], row["trades"], row["volume_base"]) == (bar.close, bar.trades, bar.volume_base)


@pytest.mark.parametrize("market", list(Market))
def test_candles_carry_the_ids_of_their_trades(market: Market) -> None:
    topic = f"{QUIET[market].lower()}@kline_1m"
    found = [json.loads(frame.text)["data"] for frame in frames(stream(market), topic, 120)]
    for candle in (one["k"] for one in found if one["k"]["x"] and one["k"]["n"]):
        made = truth(market, candle["t"] * MILLISECOND, (candle["T"] + 1) * MILLISECOND)
        assert (candle["f"], candle["L"], candle["n"]) == (made[0].id, made[-1].id, len(made))
    begun = [one["k"] for one in found if one["k"]["n"] == 0]
    assert begun
    assert all((one["f"], one["L"]) == (-1, -1) for one in begun)
    assert all(one["k"]["i"] == "1m" and one["s"] == one["k"]["s"] == QUIET[market] for one in found)


def test_spot_has_candles_of_a_second_and_futures_have_not() -> None:
    found = streamed(query(SPOT, OHLC, interval="1s"), 20)
    assert sum(row["closed"] for _, row in found) == 20
    assert frames(stream(LINEAR), "btcusdt@kline_1s", 5) == []


def test_how_often_states_are_sent() -> None:
    found = {
        (market, suffix): len(frames(stream(market), f"{QUIET[market].lower()}@{suffix}", 60))
        for market, suffix in (
            (SPOT, "kline_1d"),
            (LINEAR, "kline_1d"),
            (SPOT, "ticker"),
            (LINEAR, "ticker"),
            (INVERSE, "ticker"),
            (SPOT, "miniTicker"),
            (LINEAR, "markPrice"),
            (LINEAR, "markPrice@1s"),
            (INVERSE, "bookTicker"),
        )
    }
    assert list(found.values()) == [30, 240, 60, 30, 120, 60, 20, 60, 600]
    assert len(frames(stream(SPOT), f"{QUIET[SPOT].lower()}@ticker", 10, pace=5)) == 50


@pytest.mark.parametrize("market", list(Market))
def test_tickers_say_what_rest_says_at_the_same_moment(market: Market) -> None:
    question = query(market, TICKER)
    endpoint = BINANCE.endpoint(TICKER, market)
    assert endpoint is not None
    found = streamed(question, 3)
    assert found
    for time, row in found:
        (answer,) = endpoint.decode(rest(endpoint, market, time, question.instrument), question)
        said = dict(zip(endpoint.columns, answer, strict=True))
        assert {name: said[name] for name in row} == row


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_the_best_of_books_is_what_rest_says_at_the_same_moment(market: Market) -> None:
    question = query(market, TICKER)
    channel = channels(question)[1]
    endpoint = BINANCE.endpoint(TICKER, market)
    assert endpoint is not None
    found = decoded(channel, question, frames(served(channel), channel.topic(question), 1))
    assert len(found) == 10
    for time, row in found:
        (answer,) = endpoint.joins[0].decode(rest(endpoint.joins[0], market, time, question.instrument), question)
        said = dict(zip(endpoint.joins[0].columns, answer, strict=True))
        assert row.pop("time") == time // (100 * MILLISECOND) * 100 * MILLISECOND
        assert {name: said[name] for name in row} == row


def test_the_best_of_a_spot_book_has_neither_type_nor_time() -> None:
    documents = [json.loads(one.text)["data"] for one in frames(stream(SPOT), "filusdt@bookTicker", 1)]
    assert {frozenset(one) for one in documents} == {frozenset("usbBaA")}
    numbers = [one["u"] for one in documents]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_mark_prices_say_what_rest_says_and_dated_contracts_have_no_funding(market: Market) -> None:
    endpoint = BINANCE.endpoint(FUNDING, market)
    assert endpoint is not None
    rates = []
    for native in ("BTCUSDT" if market is LINEAR else "BTCUSD_PERP", QUIET[market]):
        question = query(market, FUNDING, native=native)
        for time, row in streamed(question, 3):
            (answer,) = endpoint.decode(rest(endpoint, market, time, question.instrument), question)
            said = dict(zip(endpoint.columns, answer, strict=True))
            assert {name: said[name] for name in row} == row
            rates.append((row["rate"] is None, row["next_time"] is None))
    assert rates == [(False, False)] * 3 + [(True, True)] * 3


def largest(market: Market, native: str, window: Window) -> list[Any]:
    """What one second shows of the liquidations of an instrument, worked out slowly."""
    found = []
    for second in range(window.start, window.end, SECOND):
        made = WORLD.liquidations(listing(market, native), Window(second, second + SECOND))
        found += [max(made, key=lambda one: one.value)] if made else []
    return found


@pytest.mark.parametrize(("market", "native"), [(LINEAR, "BTCUSDT"), (INVERSE, "BTCUSD_PERP")])
def test_liquidations_are_the_largest_of_each_second_told_at_its_end(market: Market, native: str) -> None:
    found = streamed(query(market, LIQUIDATIONS, native=native), 60)
    first = START // SECOND * SECOND
    made = largest(market, native, Window(first, first + 60 * SECOND))
    assert len(made) > 3
    assert market is INVERSE or {one.liquidated for one in made} == {"long", "short"}
    size = "size_contracts" if market is INVERSE else "size"
    assert [(row["time"], row["liquidated"], row["price"], row[size]) for _, row in found] == [
        (one.time, one.liquidated, one.price, one.contracts if market is INVERSE else one.size) for one in made
    ]
    assert all(time == row["time"] // SECOND * SECOND + SECOND for time, row in found)
    delay = channels(query(market, LIQUIDATIONS, native=native))[0].delay
    assert all(time - row["time"] <= delay * SECOND for time, row in found)


def test_of_several_liquidations_in_a_second_only_the_largest_is_told() -> None:
    window = Window(START // SECOND * SECOND, START // SECOND * SECOND + 120 * SECOND)
    every = WORLD.liquidations(listing(LINEAR, "BTCUSDT"), window)
    told = [row["time"] for _, row in streamed(query(LINEAR, LIQUIDATIONS, native="BTCUSDT"), 120)]
    assert told == [one.time for one in largest(LINEAR, "BTCUSDT", window)]
    assert len({one.time // SECOND for one in every}) == len(told) < len(every)


@pytest.mark.parametrize("market", [LINEAR, INVERSE])
def test_liquidations_of_all_instruments_come_from_both_hosts_and_each_market_keeps_its_own(market: Market) -> None:
    found = streamed(query(market, LIQUIDATIONS, native=None), 20)
    first = START // SECOND * SECOND
    made = {
        (SIMULATOR.native(one), told.time, told.price)
        for one in WORLD.listings(market)
        for told in largest(market, SIMULATOR.native(one), Window(first, first + 20 * SECOND))
    }
    assert {(row["native"], row["time"], row["price"]) for _, row in found} == made
    assert len(found) == len(made) > 0
    texts = [frames(stream(one), "!forceOrder@arr", 20) for one in (LINEAR, INVERSE)]
    assert texts[0] == texts[1]
    assert {json.loads(one.text)["data"]["o"]["st"] for one in texts[0]} == {1, 2}


@pytest.mark.parametrize("market", list(Market))
def test_tickers_of_all_are_those_that_were_traded_and_each_is_its_own(market: Market) -> None:
    question = query(market, TICKER, native=None)
    found = streamed(question, 4)
    channel = next(one for one in BINANCE.streams(TICKER, market, scope="instrument") if one.leads)
    for time in sorted({time for time, _ in found}):
        rows = {row["native"]: row for sent, row in found if sent == time}
        second = Window(time - SECOND, time)
        traded = [one for one in WORLD.listings(market) if WORLD.trades(one, second, limit=1)]
        assert rows.keys() == {SIMULATOR.native(one) for one in traded}
        for native, row in rows.items():
            alone = Query(TICKER, market, instruments(market)[native])
            sent = frames(stream(market), channel.topic(alone), 0.001, start=time)
            for _, told in decoded(channel, alone, sent):
                assert {name: told[name] for name in row if name not in {"native", "time"}}.items() <= row.items()


def test_mark_prices_of_all_hold_what_trades_no_more_without_funding() -> None:
    found = [row for _, row in streamed(query(LINEAR, FUNDING, native=None), 1)]
    assert [row["native"] for row in found] == sorted(SIMULATOR.native(one) for one in WORLD.listings(LINEAR))
    ended = next(row for row in found if row["native"] == "MATICUSDT")
    assert (ended["rate"], ended["next_time"]) == (None, None)
    every = frames(stream(LINEAR), "!markPrice@arr", 9)
    assert len(every) == 3
    families = {one["st"] for one in json.loads(every[0].text)["data"]}
    assert families == {1, 2}


def test_a_contract_that_trades_no_more_keeps_its_mark_price_and_has_no_ticker() -> None:
    assert len(frames(stream(LINEAR), "maticusdt@markPrice@1s", 10)) == 10
    assert frames(stream(LINEAR), "maticusdt@ticker", 10) == []


def test_dated_contracts_write_no_funding_as_their_market_does() -> None:
    for market, rate in ((LINEAR, "0.00000000"), (INVERSE, "")):
        (sent,) = frames(stream(market), f"{QUIET[market].lower()}@markPrice@1s", 1)
        event = json.loads(sent.text)["data"]
        assert (event["r"], event["T"]) == (rate, 0)


def test_lists_come_more_often_when_all_is_faster() -> None:
    assert len(frames(stream(SPOT), "!miniTicker@arr", 4, pace=5)) == 20
    assert len(frames(stream(SPOT), "!miniTicker@arr", 8, pace=0.25)) == 2


CUT = [
    (SPOT, "/stream", "filusdt@aggTrade"),
    (SPOT, "/stream", "filusdt@kline_1m"),
    (SPOT, "/stream", "!miniTicker@arr"),
    (LINEAR, "/stream", "btcusdt_261225@aggTrade"),
    (LINEAR, "/stream", "btcusdt_261225@kline_1m"),
    (LINEAR, "/stream", "btcusdt_261225@ticker"),
    (LINEAR, "/stream", "btcusdt_261225@markPrice@1s"),
    (LINEAR, "/stream", "!forceOrder@arr"),
    (LINEAR, "/stream", "!markPrice@arr@1s"),
    (INVERSE, "/ws", "ethusd_261225@bookTicker"),
    (INVERSE, "/ws", "ethusd_261225@trade"),
    (INVERSE, "/ws", "!ticker@arr"),
]


@pytest.mark.parametrize(("market", "path", "topic"), CUT)
@pytest.mark.parametrize(("start", "pace"), [(START, 1.0), (LAST - 5_300 * MILLISECOND, 3.0)])
def test_frames_do_not_depend_on_how_windows_are_cut(
    market: Market, path: str, topic: str, start: Micros, pace: float
) -> None:
    end = start + 10 * SECOND
    world = World(7, clock=lambda: end + SECOND)
    served_at = stream(market, path)
    whole = list(served_at.frames(topic, world, Window(start, end), pace))
    cuts = [start, *(start + n * 700 * MILLISECOND + 1 for n in range(1, 14)), end]
    parts = [list(served_at.frames(topic, world.at(b), Window(a, b), pace)) for a, b in pairwise(cuts)]
    assert [one for part in parts for one in part] == whole
    assert all(start <= one.time < end for one in whole)
    assert [one.time for one in whole] == sorted(one.time for one in whole)
    if topic != "!forceOrder@arr":
        assert whole


def test_what_ends_is_told_to_its_end_and_not_beyond() -> None:
    sent = frames(stream(LINEAR), "btcusdt_261225@aggTrade", 20, start=LAST - 10 * SECOND)
    kept = [json.loads(one.text)["data"]["T"] * MILLISECOND for one in sent]
    made = [
        one.time
        for one in World(7, clock=lambda: LAST + MINUTE).trades(
            listing(LINEAR), Window(LAST - 10 * SECOND - 100 * MILLISECOND, LAST + MINUTE)
        )
    ]
    assert kept == made
    assert max(kept) < LAST
    candles = frames(stream(LINEAR), "btcusdt_261225@kline_1m", 100, start=LAST - 10 * SECOND)
    assert [json.loads(one.text)["data"]["k"]["x"] for one in candles if one.time >= LAST] == [True]
    assert frames(stream(LINEAR), "btcusdt_261225@ticker", 20, start=LAST) == []


def test_every_channel_is_served_where_it_is_asked_for() -> None:
    for channel in BINANCE.channels:
        (market,) = channel.markets
        native = None if channel.scope == "market" else ("BTCUSD_PERP" if market is INVERSE else "BTCUSDT")
        question = query(market, channel.dataset, native=native, interval="1m" if channel.dataset is OHLC else None)
        # A liquidation comes every few seconds, of COIN-M seldom.
        seconds = 40 if channel.dataset is LIQUIDATIONS else 2
        sent = frames(served(channel), channel.topic(question), seconds)
        assert sent, (market, channel.dataset.name, channel.scope)
        assert decoded(channel, question, sent)
        if channel.cadence:
            assert all(b.time - a.time <= channel.cadence * SECOND for a, b in pairwise(sent))


@pytest.mark.parametrize("name", SITE.sockets)
@pytest.mark.parametrize("site", ["live", "testnet"])
def test_what_proves_life_is_never_silent(site: str, name: str) -> None:
    socket = BINANCE.sites[site].sockets[name]
    url = urlsplit(socket.url)
    sent = frames(outlet(url.hostname or "", url.path), socket.busy, 20)
    times = [START, *(one.time for one in sent), START + 20 * SECOND]
    assert max(b - a for a, b in pairwise(times)) <= socket.busy_seconds * SECOND


def test_usd_m_addresses_serve_only_their_own_and_acknowledge_all() -> None:
    books, rest_of_it = "btcusdt@bookTicker", ("btcusdt@kline_1m", "btcusdt@markPrice@1s", "!markPrice@arr@1s")
    for path in ("/ws", "/stream", "/public/ws", "/public/stream", "/market/ws", "/market/stream"):
        at = outlet("fstream.binance.com", path)
        said = at.hear(json.dumps({"method": "SUBSCRIBE", "params": [books, *rest_of_it], "id": 1}), (), WORLD)
        assert said.replies == ('{"result":null,"id":1}',)
        assert said.begin == (books, *rest_of_it)
        assert bool(frames(at, books, 1)) is not path.startswith("/market")
        for topic in rest_of_it:
            assert bool(frames(at, topic, 1)) is path.startswith("/market"), (path, topic)


@pytest.mark.parametrize(
    "topic",
    [
        "nosuchusdt@aggTrade",
        "BTCUSDT@aggTrade",
        "btcusdt@aggtrade",
        "btcusdt",
        "",
        "@kline_1m",
        "btcusd_perp@aggTrade",
        "!ticker@arr",
        "btcusdt@kline_7m",
        "0",
    ],
)
def test_what_there_is_not_is_acknowledged_and_silent(topic: str) -> None:
    message = json.dumps({"method": "SUBSCRIBE", "params": [topic], "id": "a-1"})
    said = stream(SPOT).hear(message, (), WORLD)
    assert (said.replies, said.begin, said.close) == (('{"result":null,"id":"a-1"}',), (topic,), None)
    assert frames(stream(SPOT), topic, 5) == []


def test_an_instrument_that_is_only_announced_is_silent() -> None:
    coming = LAST - HOUR  # the contract after next begins when the next one ends
    found = list(stream(LINEAR).frames("btcusdt_270625@kline_1m", WORLD, Window(coming, coming + SECOND), 1.0))
    assert found == []


def test_frames_are_wrapped_only_where_they_come_combined() -> None:
    plain, combined = (frames(stream(SPOT, path), "filusdt@kline_1m", 2) for path in ("/ws", "/stream"))
    assert [json.loads(one.text)["data"] for one in combined] == [json.loads(one.text) for one in plain]
    assert {json.loads(one.text)["stream"] for one in combined} == {"filusdt@kline_1m"}


@pytest.mark.parametrize(
    ("path", "query_string", "expected"),
    [
        ("/ws", "", ()),
        ("/ws/btcusdt@aggTrade", "", ("btcusdt@aggTrade",)),
        ("/ws/btcusdt@aggTrade/ethusdt@kline_1m/btcusdt@aggTrade", "", ("btcusdt@aggTrade", "ethusdt@kline_1m")),
        ("/ws/%21forceOrder%40arr", "", ("!forceOrder@arr",)),
        ("/stream", "", ()),
        ("/stream", "streams=btcusdt@aggTrade/ethusdt@ticker", ("btcusdt@aggTrade", "ethusdt@ticker")),
        ("/stream", "x=1&streams=btcusdt%40aggTrade%2Fethusdt%40ticker", ("btcusdt@aggTrade", "ethusdt@ticker")),
    ],
)
def test_an_address_can_ask_for_topics(path: str, query_string: str, expected: tuple[str, ...]) -> None:
    for market in Market:
        prefixed = PREFIX[market] + path
        assert outlet(HOSTS[market], prefixed).begin(prefixed, query_string) == expected


@pytest.mark.parametrize("path", ["/", "/wss", "/streams", "/market", "/stream/x", "/private/ws"])
def test_other_addresses_are_nothing(path: str) -> None:
    assert SIMULATOR.outlet("fstream.binance.com", path) is None
    assert SIMULATOR.outlet("stream.binance.com", "/market/stream") is None


def test_topics_begin_and_end_once() -> None:
    hear = stream(LINEAR).hear
    topics = ("a@x", "b@x")
    begun = hear('{"method":"SUBSCRIBE","params":["b@x","c@x","c@x"],"id":5}', topics, WORLD)
    assert begun == (('{"result":null,"id":5}',), ("c@x",), (), None)
    ended = hear('{"method":"UNSUBSCRIBE","params":["b@x","z@x"],"id":null}', topics, WORLD)
    assert ended == (('{"result":null,"id":null}',), (), ("b@x",), None)
    told = hear('{"method":"LIST_SUBSCRIPTIONS","id":3}', topics, WORLD)
    assert told == (('{"result":["a@x","b@x"],"id":3}',), (), (), None)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("hello", 3, "Invalid JSON"),
        ("", 3, "Invalid JSON"),
        ('{"method":"SUBSCRIBE"', 3, "Invalid JSON"),
        ('{"params":[],"id":1}', 2, "`method`"),
        ('{"method":"SUBSCRIBE","params":[]}', 2, "`id`"),
        ('{"method":"SUBSCRIBE","params":"btcusdt@trade","id":1}', 2, "Invalid request"),
        ('{"method":"SUBSCRIBE","params":[1],"id":1}', 2, "Invalid request"),
        ('{"method":"SUBSCRIBE","params":[],"id":"' + "a" * 37 + '"}', 2, "request ID"),
        ('{"method":"SUBSCRIBE","params":[],"id":"a b"}', 2, "request ID"),
        ('{"method":"SUBSCRIBE","params":[],"id":1.5}', 2, "Invalid request"),
        ('{"method":"subscribe","params":[],"id":1}', 2, "unknown variant `subscribe`, expected one of `SUBSCRIBE`"),
        ('{"method":"GET_PROPERTY","params":["combined"],"id":1}', 0, "Unknown property"),
    ],
)
def test_refusals_are_binance_s_and_the_adapter_understands_them(text: str, code: int, words: str) -> None:
    said = stream(SPOT).hear(text, (), WORLD)
    assert (said.begin, said.end, said.close) == ((), (), None)
    (reply,) = said.replies
    assert json.loads(reply)["code"] == code
    assert words in json.loads(reply)["msg"]
    found = SITE.sockets["spot"].read(reply.encode())
    assert isinstance(found, Control)
    assert (found.kind, words in found.text) == ("refused", True)


def test_what_the_adapter_asks_for_is_accepted() -> None:
    socket = SITE.sockets["linear"]
    said = stream(LINEAR).hear(socket.subscribe(["btcusdt@aggTrade", "!forceOrder@arr"], 12), (), WORLD)
    assert said.begin == ("btcusdt@aggTrade", "!forceOrder@arr")
    assert socket.read(said.replies[0].encode()) == Control("accepted", 12)


def test_more_streams_than_a_connection_may_have_end_it() -> None:
    topics = [f"x{n}@aggTrade" for n in range(1_024)]
    whole = json.dumps({"method": "SUBSCRIBE", "params": topics, "id": 1})
    assert stream(SPOT).hear(whole, (), WORLD).close is None
    more = json.dumps({"method": "SUBSCRIBE", "params": ["one@more"], "id": 2})
    assert stream(SPOT).hear(more, topics, WORLD) == ((), (), (), 1008)


def test_pings_lives_and_limits_are_the_documented_ones() -> None:
    for one in SIMULATOR.outlets:
        assert (one.life, one.idle) == (86_400.0, None)
        assert (one.opening.limit, one.opening.seconds) == (300, 300)
    assert (stream(SPOT).pings, stream(LINEAR).pings, stream(INVERSE).pings) == (20.0, 180.0, 180.0)


def test_spot_announces_a_planned_close() -> None:
    plain, combined = (stream(SPOT, path).leaving for path in ("/ws", "/stream"))
    assert plain is not None
    assert combined is not None
    assert json.loads(plain(WORLD)) == {"e": "serverShutdown", "E": LATER // MILLISECOND}
    found = SITE.sockets["spot"].read(combined(WORLD).encode())
    assert isinstance(found, Control)
    assert found.kind == "leaving"
    assert stream(LINEAR).leaving is None
