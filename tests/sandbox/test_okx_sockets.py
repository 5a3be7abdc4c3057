"""OKX's sockets in the sandbox: what they hear, and what they answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.small_world import at

from marketcli.catalog import listed
from marketcli.datasets import FUNDING, INSTRUMENTS, LIQUIDATIONS, TRADES
from marketcli.exchanges import load
from marketcli.exchanges.okx.sandbox import SIMULATOR
from marketcli.models import Instrument, Interval, Market
from marketcli.simulator import Ask, Outlet
from marketcli.spec import Control, Query
from marketcli.world import World

if TYPE_CHECKING:
    from marketcli.world import Listing

OKX = load("okx")
SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
NOW = at("2026-11-21T12:00:30")
WORLD = World(clock=lambda: NOW)
NAMES = {SPOT: "BTC-USDT", LINEAR: "BTC-USDT-SWAP", INVERSE: "BTC-USD-SWAP"}
DATED = "ETH-USD-261225"


def outlet(path: str, host: str = "ws.okx.com") -> Outlet:
    found = SIMULATOR.outlet(host, f"/ws/v5/{path}")
    assert found is not None
    return found


PUBLIC, BUSINESS = outlet("public"), outlet("business")


def heard(message: Any, *topics: str, on: Outlet = PUBLIC, world: World = WORLD) -> Any:
    return on.hear(message if isinstance(message, str) else json.dumps(message), topics, world)


def request(*args: dict[str, str], op: str = "subscribe", **more: Any) -> dict[str, Any]:
    return {"op": op, "args": list(args)} | more


def replies(found: Any) -> list[Any]:
    return [json.loads(text) for text in found.replies]


def listing(native: str, world: World = WORLD) -> Listing:
    return next(one for one in SIMULATOR.listings(world) if SIMULATOR.native(one) == native)


def instrument(native: str) -> Instrument:
    """As the adapter reads it from the simulated list."""
    one = listing(native)
    (endpoint,) = OKX.instruments
    route = SIMULATOR.route("GET", "www.okx.com", "/api/v5/public/instruments")
    assert route is not None
    kind = "SPOT" if one.market is SPOT else "SWAP" if one.perpetual else "FUTURES"
    body = route.reply(Ask("www.okx.com", "", {"instType": kind, "instId": native}, WORLD)).body
    (row,) = endpoint.decode(body, Query(INSTRUMENTS, one.market))
    return listed("okx", one.market, dict(zip(endpoint.columns, row, strict=True)))


# --- what is heard


def test_a_ping_is_text_and_so_is_its_answer() -> None:
    assert heard("ping") == (("pong",), (), (), None)


def test_every_channel_of_a_request_is_acknowledged_by_itself() -> None:
    args = [{"channel": "trades", "instId": "BTC-USDT"}, {"channel": "liquidation-orders", "instType": "SWAP"}]
    found = heard(request(*args, id="7"))
    assert [(one["event"], one["id"], one["arg"]) for one in replies(found)] == [
        ("subscribe", "7", arg) for arg in args
    ]
    assert found.begin == ("trades:BTC-USDT", "liquidation-orders:SWAP")
    assert "id" not in replies(heard(request(*args)))[0]
    assert all(one["connId"] for one in replies(found))


def test_what_one_has_already_does_not_begin_again() -> None:
    arg = {"channel": "tickers", "instId": "BTC-USDT"}
    found = heard(request(arg, arg), "tickers:BTC-USDT")
    assert ([one["event"] for one in replies(found)], found.begin) == (["subscribe"] * 2, ())
    assert heard(request(arg, arg)).begin == ("tickers:BTC-USDT",)


def test_unsubscribing_ends_a_topic() -> None:
    arg = {"channel": "tickers", "instId": "BTC-USDT"}
    found = heard(request(arg, op="unsubscribe"), "tickers:BTC-USDT", "trades:BTC-USDT")
    assert (replies(found)[0]["event"], found.begin, found.end) == ("unsubscribe", (), ("tickers:BTC-USDT",))
    assert heard(request(arg, op="unsubscribe")).end == ()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("hello", "60012"),
        ('{"op":"subscribe","args"', "60012"),
        ("[]", "60012"),
        ({"op": "subscribe"}, "60012"),
        ({"op": "fetch", "args": [{"channel": "tickers", "instId": "BTC-USDT"}]}, "60012"),
        ({"op": "subscribe", "args": []}, "60013"),
        ({"op": "subscribe", "args": "tickers"}, "60013"),
        ({"op": "subscribe", "args": ["tickers"]}, "60013"),
        ({"op": "subscribe", "args": [{"instId": "BTC-USDT"}]}, "60013"),
        ({"op": "subscribe", "args": [{"channel": "tickers", "instId": 5}]}, "60013"),
        ({"op": "subscribe", "args": [{"channel": "tickers", "instId": "BTC-USDT"}] * 2_000}, "60013"),
        ({"op": "subscribe", "args": [{"channel": "tickers", "instId": "NOPE-USDT"}]}, "60018"),
        ({"op": "subscribe", "args": [{"channel": "tickers"}]}, "60018"),
        ({"op": "subscribe", "args": [{"channel": "nope", "instId": "BTC-USDT"}]}, "60018"),
        ({"op": "subscribe", "args": [{"channel": "candle1m", "instId": "BTC-USDT"}]}, "60018"),
        ({"op": "subscribe", "args": [{"channel": "mark-price", "instId": "BTC-USDT"}]}, "60018"),
        ({"op": "subscribe", "args": [{"channel": "open-interest", "instId": "BTC-USDT"}]}, "60018"),
        ({"op": "subscribe", "args": [{"channel": "funding-rate", "instId": DATED}]}, "60018"),
        ({"op": "subscribe", "args": [{"channel": "index-tickers", "instId": "BTC-USDT-SWAP"}]}, "60018"),
        ({"op": "subscribe", "args": [{"channel": "liquidation-orders", "instId": "BTC-USDT-SWAP"}]}, "60018"),
        ({"op": "subscribe", "args": [{"channel": "liquidation-orders", "instType": "SPOT"}]}, "60018"),
        ({"op": "subscribe", "args": [{"channel": "trades-all", "instId": "BTC-USDT"}]}, "64001"),
    ],
    ids=lambda one: str(one)[:70],
)
def test_refusals(message: Any, code: str) -> None:
    found = heard(message)
    (said,) = replies(found)
    assert (said["event"], said["code"], found.begin, found.close) == ("error", code, (), None)


@pytest.mark.parametrize(
    ("name", "instrument", "code"),
    [
        ("tickers", "BTC-USDT", "64002"),
        ("trades", "BTC-USDT", "64002"),
        ("candle1D", "NOPE-USDT", "60018"),
        ("candle7m", "BTC-USDT", "60018"),
        ("mark-price-candle1m", "BTC-USDT", "60018"),
        ("index-candle1m", "BTC-USDT-SWAP", "60018"),
        ("mark-price-candle3Dutc", "BTC-USDT-SWAP", "60018"),
    ],
)
def test_refusals_of_the_other_socket(name: str, instrument: str, code: str) -> None:
    (said,) = replies(heard(request({"channel": name, "instId": instrument}), on=BUSINESS))
    assert (said["event"], said["code"]) == ("error", code)


@pytest.mark.parametrize(
    ("name", "instrument"),
    [
        *(("trades-all", name) for name in (*NAMES.values(), DATED)),
        *((f"candle{bar}", "BTC-USDT-SWAP") for bar in ("1s", "1m", "4H", "6H", "6Hutc", "2Dutc", "1Mutc", "3Mutc")),
        ("mark-price-candle1H", "BTC-USDT-SWAP"),
        ("index-candle1m", "BTC-USD"),
    ],
)
def test_what_the_business_socket_has(name: str, instrument: str) -> None:
    found = heard(request({"channel": name, "instId": instrument}), on=BUSINESS)
    assert [one["event"] for one in replies(found)] == ["subscribe"]
    assert list(BUSINESS.first(found.begin[0], WORLD)) or name == "trades-all"


def test_one_wrong_channel_does_not_spoil_the_others() -> None:
    args = [{"channel": "tickers", "instId": name} for name in ("BTC-USDT", "NOPE-USDT", "ETH-USDT")]
    found = heard(request(*args, id="1"))
    assert [one["event"] for one in replies(found)] == ["subscribe", "error", "subscribe"]
    assert found.begin == ("tickers:BTC-USDT", "tickers:ETH-USDT")


def test_the_adapter_understands_the_answers() -> None:
    socket = OKX.sites["live"].sockets["public"]
    topics = ["tickers:BTC-USDT", "tickers:NOPE-USDT", "liquidation-orders:FUTURES"]
    answers = [socket.read(text.encode()) for text in heard(socket.subscribe(topics, 3)).replies]
    assert [(one.kind, one.topic) for one in answers if isinstance(one, Control)] == [
        ("accepted", topics[0]), ("refused", topics[1]), ("accepted", topics[2]),
    ]  # fmt: skip
    assert PUBLIC.leaving is not None
    assert BUSINESS.leaving is None  # as documented
    told = [socket.read(text.encode()) for text in (PUBLIC.leaving(WORLD), *heard("ping").replies, *heard("x").replies)]
    assert [one.kind for one in told if isinstance(one, Control)] == ["leaving", "other", "refused"]


def test_everything_that_the_adapter_asks_for_is_served() -> None:
    for name in (*NAMES.values(), DATED):
        one = instrument(name)
        for cell in OKX.channels:
            if one.market not in cell.markets or (cell.dataset is FUNDING and not one.perpetual):
                continue
            topic = cell.topic(Query(cell.dataset, one.market, one, Interval(1, "m")))
            socket = OKX.sites["live"].sockets[cell.socket]
            found = heard(socket.subscribe([topic, socket.busy], 1), on=outlet(cell.socket))
            assert [text["event"] for text in replies(found)] == ["subscribe"] * 2, topic
            if cell.dataset not in {TRADES, LIQUIDATIONS}:
                (first,) = (socket.read(text.encode()) for text in outlet(cell.socket).first(topic, WORLD))
                assert not isinstance(first, Control)
                assert first[0] == topic


def test_every_site_has_its_outlets() -> None:
    for site in OKX.sites.values():
        for socket in site.sockets.values():
            scheme, _, host, path = socket.url.split("/", 3)
            found = SIMULATOR.outlet(host.partition(":")[0], f"/{path}")
            assert found is not None
            assert scheme == "wss:"
            assert (found.idle, found.idle_code, found.opening.limit, found.opening.seconds) == (30.0, 4004, 3, 1)
    assert SIMULATOR.outlet("ws.okx.com", "/ws/v5/private") is None
