"""`marketcli.watch` over real sockets of the embedded sandbox."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import marketcli
from marketcli.errors import NotOffered, UnknownSymbol, UsageError
from marketcli.records import Trade


async def first_records(count: int, **asked: Any) -> list[Any]:
    """The first records of a watch."""
    found: list[Any] = []
    async with marketcli.watch(asked.pop("dataset"), asked.pop("symbols"), sandbox=True, **asked) as feeds:
        async for events in feeds:
            found += [event for event in events if hasattr(event, "symbol")]
            if len(found) >= count:
                return found
    return found


def test_records_come() -> None:
    found = asyncio.run(asyncio.wait_for(first_records(3, dataset="ticker", symbols="BTC", exchange="okx"), 20))
    assert {(one.exchange, one.symbol, one.market) for one in found} == {("okx", "BTC-USDT-PERP", "linear")}
    assert all(one.last > 0 for one in found)


def test_several_exchanges_and_symbols_come_together() -> None:
    asked = {"dataset": "ohlc", "symbols": ["BTC", "ETH"], "exchange": "binance,bybit", "interval": "1m"}
    found = asyncio.run(asyncio.wait_for(first_records(40, **asked), 30))
    assert {(one.exchange, one.symbol) for one in found} == {
        (exchange, symbol) for exchange in ("binance", "bybit") for symbol in ("BTC-USDT-PERP", "ETH-USDT-PERP")
    }


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"dataset": "trades", "symbols": "NOSUCH"}, UnknownSymbol, "NOSUCH"),
        ({"dataset": "oi", "symbols": "BTC"}, NotOffered, "streams no open interest"),
        ({"dataset": "book", "symbols": "BTC"}, UsageError, "No exchange streams"),
        ({"dataset": "ohlc", "symbols": "BTC"}, UsageError, "interval"),
        ({"dataset": "trades", "symbols": "BTC", "interval": "1m"}, UsageError, "interval"),
        ({"dataset": "liquidations", "symbols": (), "exchange": "hyperliquid"}, NotOffered, "nobody"),
    ],
)
def test_what_cannot_be_watched_is_said_before_anything_is_subscribed(
    asked: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        asyncio.run(asyncio.wait_for(first_records(1, **asked), 20))


def test_it_is_exported() -> None:
    assert "watch" in marketcli.__all__
    assert Trade.__struct_fields__[:3] == ("exchange", "market", "symbol")
