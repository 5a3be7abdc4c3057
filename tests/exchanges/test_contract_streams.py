"""What every stream of every exchange must have: documentation, a payload that decodes to what is pinned, an outlet."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from exchanges.contract import NOW, PAYLOADS

from marketcli import exchanges
from marketcli.datasets import STREAMED
from marketcli.models import SECOND, Interval, Market, Window
from marketcli.spec import Channel, Control, Exchange, Query
from marketcli.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketcli.models import Instrument


@dataclass(frozen=True)
class Cell:
    """A channel for one of its markets."""

    exchange: Exchange
    market: Market
    channel: Channel
    number: int

    def __str__(self) -> str:
        channel = self.channel
        return f"{self.exchange.name} {channel.dataset.name} {self.market} {channel.scope} {self.number}"


def cells() -> Iterator[Cell]:
    """Every channel of every exchange."""
    for name in exchanges.names():
        exchange = exchanges.load(name)
        for number, channel in enumerate(exchange.channels):
            for market in exchange.markets:
                if market in channel.markets:
                    yield Cell(exchange, market, channel, number)


CELLS = list(cells())
every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)


def payloads(exchange: str) -> list[dict[str, Any]]:
    """What is pinned of an exchange's streams."""
    path = PAYLOADS / exchange / "streams.json"
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


def pinned(cell: Cell) -> list[dict[str, Any]]:
    """What is pinned of a channel for a market: the payloads whose rows have its columns."""
    dataset, channel = cell.channel.dataset.name, cell.channel
    found = [
        one
        for one in payloads(cell.exchange.name)
        if (one["dataset"], one["market"], one["scope"]) == (dataset, cell.market, channel.scope)
    ]
    return [one for one in found if all(len(row) == len(channel.columns) for row in one["rows"])]


@every_cell
def test_it_is_documented_and_its_socket_exists_on_every_site(cell: Cell) -> None:
    assert cell.channel.docs.startswith("https://")
    for site in cell.exchange.sites.values():
        if site.sockets:
            socket = site.sockets[cell.channel.socket]
            assert socket.url.startswith("wss://")
            assert cell.exchange.budget(socket.opening).limit > 0
    assert cell.exchange.sites["live"].sockets


@every_cell
def test_its_columns_are_those_of_its_dataset(cell: Cell) -> None:
    known = {
        *cell.channel.dataset.fields,
        "native",
        "mark",
        "pair",
        "bid_contracts",
        "ask_contracts",
        "volume_contracts",
    }
    assert {*cell.channel.columns, *cell.channel.fill} <= known
    if cell.channel.scope == "market":
        assert cell.channel.columns[0] == "native"


@every_cell
def test_it_has_a_payload(cell: Cell) -> None:
    assert any(one["rows"] for one in pinned(cell)), str(cell)
    assert all(one["source"] for one in pinned(cell))


def test_whatever_is_not_streamed_has_a_reason() -> None:
    for name in exchanges.names():
        exchange = exchanges.load(name)
        for market in exchange.markets:
            for dataset in STREAMED:
                streamed = any(one.dataset is dataset and market in one.markets for one in exchange.channels)
                assert streamed != ((dataset, market) in exchange.unstreamed), (name, market, dataset.name)


@pytest.mark.parametrize("name", exchanges.names())
def test_what_is_no_frame_is_refused_in_words(name: str) -> None:
    from marketcli.errors import CutBody, DecodeError, MalformedBody  # noqa: PLC0415

    for socket in exchanges.load(name).sites["live"].sockets.values():
        for frame in (b"", b"{", b"<html>busy</html>", b"\xff\xfe", b"[" * 5_000, b"12", b'"text"', b"null", b"[]"):
            try:
                found = socket.read(frame)
            except (CutBody, MalformedBody, DecodeError):
                continue
            assert isinstance(found, Control)
            assert found.kind == "other"


@every_cell
def test_cut_and_mistyped_data_are_errors_of_ours(cell: Cell) -> None:
    from marketcli.errors import CutBody, DecodeError, MalformedBody  # noqa: PLC0415

    socket = cell.exchange.sites["live"].sockets[cell.channel.socket]
    for one in pinned(cell):
        whole = msgspec.json.encode(one.get("frame") or one["frames"][0])
        query = Query(cell.channel.dataset, cell.market, instrument(cell, one), interval(one))
        spoiled = [whole[:place] for place in range(0, len(whole), 7)]
        spoiled += [whole.replace(b'"1', b'"x'), whole.replace(b":1", b":[]"), whole.replace(b'"', b"")]
        for frame in spoiled:
            try:
                found = socket.read(frame)
                if isinstance(found, tuple):
                    cell.channel.decoder()(found[1], query)
            except (CutBody, MalformedBody, DecodeError):
                continue


def interval(one: dict[str, Any]) -> Interval | None:
    """The interval that a payload is about."""
    return Interval.parse(one["interval"]) if one.get("interval") else None


def instrument(cell: Cell, one: dict[str, Any]) -> Instrument | None:
    """An instrument of the name that a payload is about; contracts are counted, one unit each."""
    from marketcli.models import Instrument  # noqa: PLC0415

    if one.get("native") is None:
        return None
    inverse = cell.market is Market.INVERSE
    return Instrument(
        cell.exchange.name, cell.market, "X", one["native"], "BTC", "USD", "BTC" if inverse else "USD", inverse=inverse
    )


@pytest.mark.parametrize("name", exchanges.names())
def test_every_socket_has_an_outlet_and_its_sign_of_life_shows(name: str) -> None:
    exchange, simulator = exchanges.load(name), exchanges.simulator(name)
    assert simulator is not None
    world = World(7, clock=lambda: NOW)
    for socket in exchange.sites["live"].sockets.values():
        host, _, path = socket.url.removeprefix("wss://").partition("/")
        outlet = simulator.outlet(host.partition(":")[0], f"/{path}")
        assert outlet is not None, socket.url
        heard = outlet.hear(socket.subscribe([socket.busy], 1), (), world)
        assert heard.begin
        assert heard.close is None
        said = [socket.read(reply.encode()) for reply in heard.replies]
        assert any(isinstance(one, Control) and one.kind == "accepted" for one in said)
        window = Window(NOW - 30 * SECOND, NOW)
        frames = [frame for topic in heard.begin for frame in outlet.frames(topic, world, window, 1.0)]
        assert len(frames) >= 25 / max(1.0, socket.busy_seconds)
        topics = {found[0] for frame in frames if isinstance(found := socket.read(frame.text.encode()), tuple)}
        assert socket.busy in topics
