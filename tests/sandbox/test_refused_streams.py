"""A subscription that a fault refuses is refused in the words of the exchange, which its adapter understands."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from inside_sockets import dial
from sandbox.small_streams import floor
from virtual_time import Hours, run

from marketcli.exchanges import load
from marketcli.spec import Control

if TYPE_CHECKING:
    from marketcli.spec import Push


@pytest.mark.parametrize(
    ("exchange", "message"),
    [
        ("binance", '{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":1}'),
        ("bybit", '{"req_id":"1","op":"subscribe","args":["publicTrade.BTCUSDT"]}'),
        ("okx", '{"id":"1","op":"subscribe","args":[{"channel":"trades","instId":"BTC-USDT-SWAP"}]}'),
        ("hyperliquid", '{"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}}'),
    ],
)
def test_every_exchange_refuses_in_a_way_that_its_adapter_understands(exchange: str, message: str) -> None:
    async def main(hours: Hours) -> None:
        on = floor(hours.micros, "ws_reject_subscribe")
        for address in load(exchange).sites["live"].sockets.values():
            wire = await dial(on)(address)
            await wire.send(message)
            found: list[Control | Push] = []
            with suppress(TimeoutError):
                async with asyncio.timeout(3):
                    while True:
                        found.append(address.read(await wire.recv()))
            assert found
            assert all(isinstance(said, Control) and said.kind == "refused" for said in found)

    run(main)
