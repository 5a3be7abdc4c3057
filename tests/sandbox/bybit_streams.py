"""Bybit's simulated streams without sockets: what is sent, and what the adapter makes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.small_world import NOW, at

from marketcli import exchanges
from marketcli.exchanges.bybit.sandbox import SIMULATOR
from marketcli.models import MINUTE, Instrument, Interval, Market, Window
from marketcli.spec import Query
from marketcli.world import World

if TYPE_CHECKING:
    from marketcli.datasets import Dataset
    from marketcli.simulator import Frame, Outlet
    from marketcli.spec import Rows
    from marketcli.world import Listing

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
BYBIT = exchanges.load("bybit")
NATIVE = {SPOT: "BTCUSDT", LINEAR: "BTCUSDT", INVERSE: "BTCUSD"}
WORLD = World(clock=lambda: NOW)
START = at("2026-11-21T11:00:00")
MINUTES = Window(START + 41_000, START + 3 * MINUTE + 41_000)
HOURLY = Interval(1, "h")


def outlet(market: Market) -> Outlet:
    found = SIMULATOR.outlet("stream.bybit.com", f"/v5/public/{market.value}")
    assert found is not None
    return found


def item(market: Market, native: str, world: World = WORLD) -> Listing:
    return next(one for one in world.listings(market) if SIMULATOR.native(one) == native)


def sent(market: Market, topic: str, window: Window = MINUTES, *, pace: float = 1.0, ahead: int = 0) -> list[Frame]:
    """What is sent of a topic in a window, told by a world whose clock shows its end or later."""
    return list(outlet(market).frames(topic, WORLD.at(window.end + ahead), window, pace))


def documents(frames: list[Frame]) -> list[Any]:
    return [json.loads(frame.text) for frame in frames]


def data(frames: list[Frame]) -> list[Any]:
    """The elements of all frames."""
    return [one for document in documents(frames) for one in document["data"]]


def decoded(dataset: Dataset, market: Market, texts: list[str], *, interval: str | None = None) -> Rows:
    """The rows of frames as the adapter reads them on one connection."""
    (channel,) = BYBIT.streams(dataset, market, scope="instrument")
    native = NATIVE[market]
    coin = Instrument("bybit", market, native, native, "BTC", "USD", "USD", inverse=market is INVERSE)
    query = Query(dataset, market, coin, Interval.parse(interval) if interval else None)
    decode, rows = channel.decoder(), []
    for text in texts:
        found = BYBIT.sites["live"].sockets[market.value].read(text.encode())
        assert isinstance(found, tuple)
        assert found[0] == channel.topic(query)
        rows += decode(found[1], query)
    return rows
