"""Every recorded frame of Binance's streams, read and decoded: `pytest --corpus FOLDER`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, TICKER, TRADES, Dataset
from marketcli.errors import DecodeError
from marketcli.exchanges import load
from marketcli.models import MILLISECOND, SECOND, Instrument, Interval, Market
from marketcli.spec import Channel, Control, Query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BINANCE = load("binance")
SOCKET = BINANCE.sites["live"].sockets["linear"]
MARKETS = {"spot": Market.SPOT, "usdm": Market.LINEAR, "coinm": Market.INVERSE}
KINDS = {"aggTrade": TRADES, "kline": OHLC, "forceOrder": LIQUIDATIONS, "markPrice": FUNDING, "bookTicker": TICKER}
EVENTS = {"24hrMiniTicker": "miniTicker", "markPriceUpdate": "markPrice@1s"}
LATEST = 300  # milliseconds between a trade and its frame


class Found(NamedTuple):
    """A row of a frame, and the object of the frame that it was made of."""

    file: str
    channel: Channel
    wire: dict[str, Any]
    row: dict[str, Any]


def recorded(corpus: Path) -> dict[str, list[bytes]]:
    """The frames of every recording, by file."""
    files = (corpus / "binance").rglob("*.jsonl")
    kept = sorted(str(file.relative_to(corpus)) for file in files)
    return {name: (corpus / name).read_bytes().splitlines() for name in kept}


def wrapped(frame: bytes) -> bytes:
    """A frame from a plain address (/ws/…) as it comes from /stream, which this program uses."""
    found = json.loads(frame)
    if isinstance(found, list):
        return json.dumps({"stream": "!markPrice@arr@1s", "data": found}).encode()
    if "stream" in found or not ("e" in found or "b" in found):
        return frame
    event = found.get("e", "bookTicker")
    name = (found["o"] if event == "forceOrder" else found)["s"].lower()
    kind = f"kline_{found['k']['i']}" if event == "kline" else EVENTS.get(event, event)
    return f'{{"stream":"{name}@{kind}","data":'.encode() + frame + b"}"


def query(dataset: Dataset, market: Market, topic: str) -> Query:
    name, _, suffix = topic.partition("@")
    inverse = market is Market.INVERSE
    one = Instrument(
        "binance", market, name.upper(), name.upper(), "X", "USD", "X", 10.0 if inverse else 1.0, inverse=inverse
    )
    interval = Interval.parse(suffix.removeprefix("kline_")) if dataset is OHLC else None
    return Query(dataset, market, None if name.startswith("!") else one, interval)


def channel_of(market: Market, topic: str) -> tuple[Channel, Query] | None:
    """The channel that would ask for a topic, and what for."""
    kind = next((kind for kind in KINDS if topic.partition("@")[2].startswith(kind) or topic == f"!{kind}@arr@1s"), "")
    if not kind:
        return None
    asked = query(KINDS[kind], market, topic)
    scope = "market" if asked.instrument is None else "instrument"
    channels = BINANCE.streams(asked.dataset, market, scope=scope)
    return next(((one, asked) for one in channels if one.topic(asked) == topic), None)


def rows(corpus: Path) -> Iterator[Found]:
    """Every row of every frame of a kind that is streamed."""
    for file, frames in recorded(corpus).items():
        market = MARKETS[file.split("/")[1]]
        for frame in frames:
            found = SOCKET.read(wrapped(frame)) if b'"lastUpdateId"' not in frame else Control("other")
            if isinstance(found, Control) or (known := channel_of(market, found[0])) is None:
                continue
            channel, asked = known
            objects = json.loads(bytes(found[1]))
            made = channel.decoder()(found[1], asked)
            wires = objects if isinstance(objects, list) else [objects]
            assert len(made) == len(wires), file
            for wire, row in zip(wires, made, strict=True):
                yield Found(file, channel, wire, dict(zip(channel.columns, row, strict=True)))


@pytest.fixture(scope="module")
def decoded(corpus: Path) -> list[Found]:
    """All of them."""
    return list(rows(corpus))


def of(decoded: list[Found], dataset: Dataset) -> list[Found]:
    return [one for one in decoded if one.channel.dataset is dataset]


def test_every_kind_was_recorded(decoded: list[Found]) -> None:
    counts = {dataset: len(of(decoded, dataset)) for dataset in (TRADES, OHLC, LIQUIDATIONS, FUNDING)}
    assert (counts[TRADES], counts[OHLC], counts[LIQUIDATIONS], counts[FUNDING]) == (74, 47, 2, 8)
    # Books of contracts; spot's bookTicker says no time and is not asked for.
    assert len(of(decoded, TICKER)) > 5_000
    assert {next(iter(one.channel.markets)) for one in of(decoded, TICKER)} == {Market.LINEAR, Market.INVERSE}


def test_frames_of_all_kinds_are_data_or_answers_and_never_garbage(corpus: Path) -> None:
    topics, answers = set(), 0
    for file, frames in recorded(corpus).items():
        for frame in frames:
            if b'"lastUpdateId"' in frame and b'"stream"' not in frame:
                with pytest.raises(DecodeError):  # an answer of REST that was recorded among the frames
                    SOCKET.read(frame)
                continue
            found = SOCKET.read(wrapped(frame))
            if isinstance(found, Control):
                assert (found.kind, isinstance(found.request, int)) == ("accepted", True), file
                answers += 1
            else:
                topics.add(found[0].partition("@")[2])
    assert answers == 6
    assert {"depth@100ms", "depth@0ms", "bookTicker", "trade", "miniTicker", "aggTrade", "kline_1m"} <= topics


def test_trades_are_those_of_the_wire(decoded: list[Found]) -> None:
    for one in of(decoded, TRADES):
        wire, row = one.wire, one.row
        contracts = Market.INVERSE in one.channel.markets
        assert row["id"] == str(wire["a"])
        assert row["price"] == float(wire["p"])
        assert row["size_contracts" if contracts else "size"] == float(wire["q"])
        assert row["time"] == wire["T"] * MILLISECOND
        assert row["side"] == ("sell" if wire["m"] else "buy")
        assert 0 <= wire["E"] - wire["T"] < LATEST


def test_ids_of_merged_trades_have_no_gaps(decoded: list[Found]) -> None:
    ids: dict[tuple[str, str], list[int]] = {}
    for one in of(decoded, TRADES):
        ids.setdefault((one.file, one.wire["s"]), []).append(int(one.row["id"]))
    assert all(found == list(range(found[0], found[0] + len(found))) for found in ids.values())


def test_candles_are_those_of_the_wire_and_their_volumes_fit_their_prices(decoded: list[Found]) -> None:
    for one in of(decoded, OHLC):
        wire, row = one.wire["k"], one.row
        assert row["time"] == wire["t"] * MILLISECOND
        assert [row[name] for name in ("open", "high", "low", "close")] == [float(wire[name]) for name in "ohlc"]
        assert (row["trades"], row["closed"]) == (wire["n"], wire["x"])
        assert row["low"] * 0.999 <= row["volume_quote"] / row["volume_base"] <= row["high"] * 1.001, one.file
        assert row["taker_buy_base"] <= row["volume_base"]
        if Market.INVERSE in one.channel.markets:
            assert row["volume_contracts"] == float(wire["v"]) == row["volume_quote"] / 10
    assert any(one.row["closed"] for one in of(decoded, OHLC))


def test_a_buy_closed_a_short_at_what_was_filled(decoded: list[Found]) -> None:
    first, second = (one.row for one in of(decoded, LIQUIDATIONS))
    assert first == {"time": 1_791_091_174_219_000, "liquidated": "short", "price": 1.4912, "size": 127.2}
    assert second == {"time": 1_791_091_026_103_000, "liquidated": "long", "price": 0.0722187, "size": 2049.1}
    late = [one.wire["E"] - one.wire["o"]["T"] for one in of(decoded, LIQUIDATIONS)]
    channel = of(decoded, LIQUIDATIONS)[0].channel
    assert max(late) * MILLISECOND <= channel.delay * SECOND


def test_the_documented_liquidation_without_a_family_is_of_the_host_s(corpus: Path) -> None:
    frame = (corpus / "binance/usdm/liquidations/nautilus_ws_doc.json").read_bytes()
    (channel,) = BINANCE.streams(LIQUIDATIONS, Market.LINEAR, scope="market")
    rows = channel.decoder()(frame, Query(LIQUIDATIONS, Market.LINEAR))
    assert rows == [("BTCUSDT", 1_568_014_460_893_000, "long", 9910.12345678, 0.014)]


def test_mark_prices_are_those_of_the_wire_and_settled_contracts_have_no_funding(decoded: list[Found]) -> None:
    without = []
    for one in of(decoded, FUNDING):
        wire, row = one.wire, one.row
        assert (row["time"], row["mark"], row["index"]) == (wire["E"] * MILLISECOND, float(wire["p"]), float(wire["i"]))
        if wire["T"]:
            assert (row["rate"], row["next_time"]) == (float(wire["r"]), wire["T"] * MILLISECOND)
        else:
            assert (row["rate"], row["next_time"]) == (None, None)
            without.append(row["native"])
    assert without == ["WAVESUSDT"]
    assert {one.row["rate"] for one in of(decoded, FUNDING)} >= {0.0}  # which is a rate, not the lack of one


def test_the_best_of_books_is_that_of_the_wire(decoded: list[Found]) -> None:
    for one in of(decoded, TICKER):
        wire, row = one.wire, one.row
        unit = "contracts" if Market.INVERSE in one.channel.markets else "size"
        assert [row[name] for name in ("bid", f"bid_{unit}", "ask", f"ask_{unit}")] == [
            float(wire[name]) for name in "bBaA"
        ]
        assert row["time"] == wire["T"] * MILLISECOND


def test_the_time_of_sending_is_that_of_the_event(corpus: Path) -> None:
    seen = 0
    for frames in recorded(corpus).values():
        for frame in frames[:200]:
            found = json.loads(wrapped(frame))
            data = found.get("data", {}) if isinstance(found, dict) else {}
            event = data[0] if isinstance(data, list) else data
            expected = event["E"] * MILLISECOND if "E" in event else None
            assert SOCKET.sent(wrapped(frame)) == expected
            seen += expected is not None
    assert seen > 1_000
