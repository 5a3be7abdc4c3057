"""Every recorded frame of OKX's sockets: read, decoded, and compared with what stands in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from exchanges.test_okx import INVERSE, LINEAR, OKX, SPOT

from marketcli.datasets import LIQUIDATIONS, OHLC, OI, TICKER, TRADES
from marketcli.models import Instrument, Interval, Market
from marketcli.spec import Control, Query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ = OKX.sites["live"].sockets["public"].read
DATASETS = {
    "trades": TRADES, "candle1m": OHLC, "tickers": TICKER, "open-interest": OI, "liquidation-orders": LIQUIDATIONS,
}  # fmt: skip
BOOKS = {"books", "books5"}
MILLISECOND = 1_000


class Pushed(NamedTuple):
    """A recorded frame of data, and the rows that the adapter makes of it."""

    file: str
    channel: str
    wire: list[Any]
    rows: list[dict[str, Any]]


def market_of(file: str, name: str) -> Market:
    if "/spot/" in file:
        return SPOT
    return INVERSE if "-USD-" in name else LINEAR


def frames(corpus: Path) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every line of every recorded socket: file, document, what `read` makes of it."""
    for path in sorted((corpus / "okx").rglob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            yield f"/{path.relative_to(corpus)}", json.loads(line), READ(line)


def pushed(corpus: Path) -> list[Pushed]:
    """All frames of data of kinds that are watched."""
    found = []
    for file, wire, told in frames(corpus):
        if isinstance(told, Control) or (channel := wire["arg"]["channel"]) in BOOKS:
            continue
        name = wire["arg"].get("instId") or wire["data"][0]["instId"]
        market = market_of(file, name)
        one = Instrument("okx", market, name, name, "", "", "", pair=name.removesuffix("-SWAP"))
        query = Query(DATASETS[channel], market, one, Interval(1, "m"))
        scope = "market" if channel == "liquidation-orders" else "instrument"
        cell = OKX.streams(query.dataset, market, scope=scope)[0]
        assert told[0] == (cell.topic(query) if channel != "trades" else f"trades:{name}")
        rows = [dict(zip(cell.columns, row, strict=True)) for row in cell.decoder()(told[1], query)]
        found.append(Pushed(file, channel, wire["data"], rows))
    return found


def test_every_frame_is_data_or_an_event(corpus: Path) -> None:
    books = events = 0
    for file, wire, told in frames(corpus):
        if isinstance(told, Control):
            events += 1
            assert told.kind == {"subscribe": "accepted", "error": "refused"}[wire["event"]], file
        elif wire["arg"]["channel"] in BOOKS:
            books += 1
            assert told[0] == f"{wire['arg']['channel']}:{wire['arg']['instId']}"
            assert json.loads(bytes(told[1])) == wire["data"]
    assert books > 90
    assert events > 5
    assert {one.channel for one in pushed(corpus)} == DATASETS.keys()


def test_trades(corpus: Path) -> None:
    compared = 0
    for one in (one for one in pushed(corpus) if one.channel == "trades"):
        size = "size" if "/spot/" in one.file else "size_contracts"
        for wire, row in zip(one.wire, one.rows, strict=True):
            compared += 1
            assert row == {
                "time": int(wire["ts"]) * MILLISECOND, "id": wire["tradeId"], "price": float(wire["px"]),
                size: float(wire["sz"]), "side": wire["side"],
            }  # fmt: skip
    assert compared >= 70


def test_ids_of_trades_follow_each_other(corpus: Path) -> None:
    """OKX does not document it; where several trades share a message, they stand under the last id."""
    last: dict[str, int] = {}
    compared = 0
    for one in (one for one in pushed(corpus) if one.channel == "trades"):
        for wire, row in zip(one.wire, one.rows, strict=True):
            before = last.get(one.file)
            compared += before is not None
            assert before is None or int(row["id"]) == before + int(wire.get("count", 1)), one.file
            last[one.file] = int(row["id"])
    assert compared >= 70


def test_candles(corpus: Path) -> None:
    found = [one for one in pushed(corpus) if one.channel == "candle1m"]
    assert len(found) == 2
    for one in found:
        for wire, row in zip(one.wire, one.rows, strict=True):
            values = [float(text) for text in wire[1:7]]
            assert list(row.values()) == [int(wire[0]) * MILLISECOND, *values, False]
    assert found[0].rows[0]["volume_quote"] == 138825.265446816


def test_tickers(corpus: Path) -> None:
    found = [one for one in pushed(corpus) if one.channel == "tickers"]
    names = {
        "last": "last", "bid": "bidPx", "ask": "askPx", "open": "open24h", "high": "high24h", "low": "low24h",
    }  # fmt: skip
    for one in found:
        spot = "/spot/" in one.file
        sizes = dict(zip(list(one.rows[0])[-4:], ("bidSz", "askSz", "vol24h", "volCcy24h"), strict=True))
        assert list(sizes)[-1] == ("volume_quote" if spot else "volume_base")
        for wire, row in zip(one.wire, one.rows, strict=True):
            assert (row["native"], row["time"]) == (wire["instId"], int(wire["ts"]) * MILLISECOND)
            assert {name: row[name] for name in names | sizes} == {
                name: float(wire[key]) for name, key in (names | sizes).items()
            }
    assert {one.file.split("/")[2] for one in found} == {"spot", "swap", "futures"}


def test_the_side_of_a_liquidation_is_the_order_s(corpus: Path) -> None:
    (one,) = (one for one in pushed(corpus) if one.channel == "liquidation-orders")
    assert one.rows == [
        {
            "native": "MINA-USDT-SWAP",
            "time": 1_789_678_209_470_000,
            "liquidated": "short",
            "price": 0.09859,
            "size_contracts": 10_975.0,
        }
    ]
    assert one.wire[0]["details"][0]["posSide"] == "short"


def test_open_interest_may_carry_dust(corpus: Path) -> None:
    first, second = (one.rows[0] for one in pushed(corpus) if one.channel == "open-interest")
    assert (first["native"], first["oi_contracts"], first["oi_base"]) == ("ETH-USDT-SWAP", 6_385_848.98, 638_584.898)
    assert second["oi_contracts"] == pytest.approx(2_216_113.01)
    assert second["oi_base"] == pytest.approx(22_161.1301)


def test_candles_are_refused_on_the_public_socket(corpus: Path) -> None:
    (refused,) = (told for _, _, told in frames(corpus) if isinstance(told, Control) and told.kind == "refused")
    assert refused.topic == "candle1m:BTC-USDT"
    assert refused.text.startswith("Subscribe failed, wrong URL or channel")
