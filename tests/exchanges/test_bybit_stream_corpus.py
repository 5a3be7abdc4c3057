"""Every recorded frame of Bybit's streams, read and decoded: `pytest --corpus FOLDER`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, OI, TICKER, TRADES, Dataset
from marketcli.exchanges import load
from marketcli.models import MILLISECOND, Instrument, Interval, Market
from marketcli.spec import Channel, Control, Query

if TYPE_CHECKING:
    from pathlib import Path

    from marketcli.spec import Decode

BYBIT = load("bybit")
KINDS = {
    "publicTrade": (TRADES,),
    "allLiquidation": (LIQUIDATIONS,),
    "kline": (OHLC,),
    "tickers": (TICKER, FUNDING, OI),
    "orderbook": (),
}
SPELLED = {text: interval for interval, text in BYBIT.intervals.items()}


def recorded(corpus: Path) -> dict[str, list[bytes]]:
    """The frames of every recording, by file."""
    files = [*(corpus / "bybit").rglob("*.jsonl"), *(corpus / "bybit").rglob("*_ws*.json")]
    return {str(file.relative_to(corpus)): file.read_bytes().splitlines() for file in sorted(files)}


def query(dataset: Dataset, market: Market, topic: str) -> Query:
    kind, *words = topic.split(".")
    interval: Interval | None = SPELLED[words[0]] if kind == "kline" else None
    return Query(dataset, market, Instrument("bybit", market, "BTC", words[-1], "BTC", "USDT", "USDT"), interval)


def rows_of(frames: list[bytes], market: Market) -> tuple[list[tuple[Any, Channel, dict[str, Any]]], list[Control]]:
    """Every row of a recording with its frame and channel, decoded as on one connection, and what was no data."""
    found, controls = [], []
    decoders: dict[tuple[str, str], Decode] = {}
    for frame in frames:
        read = BYBIT.sites["live"].sockets[market.value].read(frame)
        if isinstance(read, Control):
            controls.append(read)
            continue
        topic, data = read
        for dataset in KINDS[topic.split(".")[0]]:
            for channel in BYBIT.streams(dataset, market, scope="instrument"):
                asked = query(dataset, market, topic)
                assert channel.topic(asked) == topic
                decode = decoders.setdefault((dataset.name, topic), channel.decoder())
                named = (dict(zip(channel.columns, row, strict=True)) for row in decode(data, asked))
                found += [(json.loads(frame), channel, row) for row in named]
    return found, controls


def rows(corpus: Path, file: str, dataset: Dataset) -> list[dict[str, Any]]:
    """The rows of a dataset in one recording."""
    frames = recorded(corpus)[file]
    return [row for _, channel, row in rows_of(frames, Market(file.split("/")[1]))[0] if channel.dataset is dataset]


def test_every_recorded_frame_is_read(corpus: Path) -> None:
    files, count = recorded(corpus), 0
    assert len(files) >= 14
    for file, frames in files.items():
        found, controls = rows_of(frames, Market(file.split("/")[1]))
        count += len(frames)
        assert "refused" not in {control.kind for control in controls}, file
        deltas_alone = file.endswith("live_20261004_deltas.jsonl")
        assert bool(found) is not ("/book/" in file or deltas_alone), file
    assert count >= 37


def test_answers_are_told_apart(corpus: Path) -> None:
    _, controls = rows_of(recorded(corpus)["bybit/linear/book/live_20260813_ws.jsonl"], Market.LINEAR)
    assert [control.kind for control in controls] == ["accepted", "other"]
    _, controls = rows_of(recorded(corpus)["bybit/spot/tickers/live_20260812_ws.jsonl"], Market.SPOT)
    assert [control.kind for control in controls] == ["accepted"]


def test_values_are_those_of_the_wire(corpus: Path) -> None:
    fields = {"open": "open", "high": "high", "low": "low", "close": "close", "price": "p", "size": "v"}
    compared = 0
    for file, frames in recorded(corpus).items():
        for frame, channel, row in rows_of(frames, Market(file.split("/")[1]))[0]:
            if isinstance(frame["data"], dict):
                continue
            wires = [one for one in frame["data"] if one.get("T", one.get("start", 0)) * MILLISECOND == row["time"]]
            (wire,) = wires
            for name, key in fields.items():
                if name in channel.columns:
                    compared += 1
                    assert row[name] == float(wire[key]), (file, name)
    assert compared > 30


def test_a_liquidated_position_has_the_side_that_is_named(corpus: Path) -> None:
    (short,) = rows(corpus, "bybit/linear/liquidations/live_20260918.jsonl", LIQUIDATIONS)
    assert short == {"time": 1_789_670_278_053_000, "liquidated": "short", "price": 0.12734, "size": 2380.0}
    (long,) = rows(corpus, "bybit/linear/liquidations/live_20261004.jsonl", LIQUIDATIONS)
    assert (long["liquidated"], long["size"]) == ("long", 2084.9)


def test_the_frame_that_closes_a_candle_carries_the_next_one(corpus: Path) -> None:
    found = rows(corpus, "bybit/linear/candles/live_20260824_ws_through_close.jsonl", OHLC)
    assert [row["closed"] for row in found] == [False, False, False, False, True, False, False]
    closed = found[4]
    assert (closed["time"], closed["close"], closed["volume_base"]) == (1_787_590_680_000_000, 79040.1, 77.45)
    assert [row["time"] - closed["time"] for row in found[5:]] == [60_000_000, 60_000_000]


def test_trades_of_spot(corpus: Path) -> None:
    (trade,) = rows(corpus, "bybit/spot/trades/live_20260812_ws.jsonl", TRADES)
    assert trade == {
        "time": 1_786_538_700_967_000, "id": "2290000001190010749", "price": 64103.9, "side": "sell", "size": 0.001683,
    }  # fmt: skip


def test_deltas_change_only_what_they_name(corpus: Path) -> None:
    file = "bybit/linear/tickers/live_20260824_ws.jsonl"
    found = rows(corpus, file, TICKER)
    assert [row["bid_size"] for row in found] == [3.728, 4.795, 5.012, 5.012, 5.676, 5.684, 5.685]
    assert [row["ask_size"] for row in found] == [0.101, 0.084, 0.084, 0.084, 0.011, 0.011, 0.011]
    assert [row["mark"] for row in found] == [79041.51] * 3 + [79029.65] * 4
    assert {row["high"] for row in found} == {79979.2}
    assert [row["time"] % 1_000_000_000_000 for row in found][-1] == 590_744_484_000
    assert [row["oi_base"] for row in rows(corpus, file, OI)] == [24170.774, 24170.774, 24173.038]
    coming = rows(corpus, file, FUNDING)
    assert [row["index"] for row in coming] == [79065.05, 79063.98, 79063.99]
    assert {(row["rate"], row["interval_h"], row["next_time"]) for row in coming} == {
        (0.00001984, 8.0, 1_787_616_000_000_000)
    }


def test_open_interest_of_both_sides_is_halved(corpus: Path) -> None:
    (first, _) = rows(corpus, "bybit/inverse/tickers/gct_ws.jsonl", TICKER)
    assert (first["volume_base"], first["volume_quote"], first["bid_contracts"]) == (6363.5775, 391976479.0, 12667.0)
    (now,) = rows(corpus, "bybit/inverse/tickers/gct_ws.jsonl", OI)
    assert (now["oi_contracts"], now["mark"]) == (931760496 / 2, 61894.0)


def test_tickers_of_spot_have_no_book(corpus: Path) -> None:
    first, second = rows(corpus, "bybit/spot/tickers/live_20260812_ws.jsonl", TICKER)
    assert (first["last"], first["bid"], first["ask"], first["open"]) == (64057.7, None, None, 64326.9)
    assert second["volume_base"] == 7218.04828
