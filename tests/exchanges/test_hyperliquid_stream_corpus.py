"""Every recorded frame of Hyperliquid's streams: its topic, and what was written in it, as rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from marketcli.datasets import FUNDING, OHLC, OI, TICKER, TRADES, Dataset
from marketcli.exchanges import load
from marketcli.models import Instrument, Market
from marketcli.spec import Control, Query

if TYPE_CHECKING:
    from pathlib import Path

HYPERLIQUID = load("hyperliquid")
SOCKET = HYPERLIQUID.sites["live"].sockets["public"]
BTC = Instrument("hyperliquid", Market.LINEAR, "BTC-USDC-PERP", "BTC", "BTC", "USDC", "USDC")


def recorded(corpus: Path) -> list[bytes]:
    """All frames of all files, which are perpetuals'; they hold only what one file's name says."""
    files = sorted((corpus / "hyperliquid").rglob("*.jsonl"))
    assert len(files) == 5
    return [line for file in files for line in file.read_bytes().splitlines()]


def pushed(corpus: Path, channel: str) -> list[tuple[str, Any, Any]]:
    """The frames of a channel as topic, data as they came, and document."""
    found = []
    for frame in recorded(corpus):
        document = json.loads(frame)
        if document["channel"] == channel:
            topic, data = SOCKET.read(frame)  # type: ignore[misc]
            found.append((topic, data, document["data"]))
    assert found
    return found


def rows(dataset: Dataset, data: Any) -> list[dict[str, Any]]:
    (channel,) = HYPERLIQUID.streams(dataset, Market.LINEAR, scope="instrument")
    return [dict(zip(channel.columns, row, strict=True)) for row in channel.decoder()(data, Query(dataset, BTC.market))]


def test_trades(corpus: Path) -> None:
    count = 0
    for topic, data, wire in pushed(corpus, "trades"):
        assert topic == "trades:BTC"
        assert rows(TRADES, data) == [
            {
                "time": one["time"] * 1_000,
                "id": str(one["tid"]),
                "price": float(one["px"]),
                "size": float(one["sz"]),
                "side": {"B": "buy", "A": "sell"}[one["side"]],
            }
            for one in wire
        ]
        count += len(wire)
    assert count >= 9


def test_candles(corpus: Path) -> None:
    for topic, data, wire in pushed(corpus, "candle"):
        assert topic == "candle:1m:BTC"
        prices = {name: float(wire[name[0]]) for name in ("open", "high", "low", "close")}
        (row,) = rows(OHLC, data)
        assert row == {
            "time": wire["t"] * 1_000,
            **prices,
            "volume_base": float(wire["v"]),
            "trades": wire["n"],
            "closed": None,
        }


def test_states(corpus: Path) -> None:
    for topic, data, wire in pushed(corpus, "activeAssetCtx"):
        ctx = {
            name: value if value is None or isinstance(value, list) else float(value)
            for name, value in wire["ctx"].items()
        }
        assert topic == "activeAssetCtx:BTC" == SOCKET.busy
        assert rows(FUNDING, data) == [{"rate": ctx["funding"], "mark": ctx["markPx"], "index": ctx["oraclePx"]}]
        assert rows(OI, data) == [{"oi_base": ctx["openInterest"], "mark": ctx["markPx"]}]
        volumes = {"volume_base": ctx["dayBaseVlm"], "volume_quote": ctx["dayNtlVlm"]}
        assert rows(TICKER, data) == [{"mark": ctx["markPx"], "open": ctx["prevDayPx"], **volumes}]


@pytest.mark.parametrize("kind", ["candle", "activeAssetCtx", "trades"])
def test_acknowledgements_name_the_topics_that_we_ask_for(corpus: Path, kind: str) -> None:
    read = [SOCKET.read(frame) for frame in recorded(corpus)]
    accepted = [found.topic for found in read if isinstance(found, Control)]
    assert {found.kind for found in read if isinstance(found, Control)} == {"accepted"}
    assert sum(topic.startswith(f"{kind}:") for topic in accepted) == 1
    assert set(accepted) <= {found[0] for found in read if isinstance(found, tuple)}


def test_books_are_data_of_a_topic_that_nobody_asked_for(corpus: Path) -> None:
    found = pushed(corpus, "l2Book")
    assert {topic for topic, _, _ in found} == {"l2Book:BTC"}
    assert all(json.loads(bytes(data)) == wire for _, data, wire in found)
    assert len(found) >= 20


def test_no_frame_is_left_over(corpus: Path) -> None:
    kinds = {json.loads(frame)["channel"] for frame in recorded(corpus)}
    assert kinds == {"subscriptionResponse", "trades", "candle", "activeAssetCtx", "l2Book"}


def test_states_of_all_exchanges_at_once_are_nobodys_data_either(corpus: Path) -> None:
    frame = (corpus / "hyperliquid/perp/tickers/nautilus_allDexsAssetCtxs.json").read_bytes()
    topic, _ = SOCKET.read(frame)  # type: ignore[misc]
    assert topic == "allDexsAssetCtxs"
