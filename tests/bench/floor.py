"""The floor: a year of pages by a bare client, decoded the same way and written by Polars. Nothing is checked."""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from typing import Annotated

import httpx
import msgspec
import polars as pl
from msgspec import Meta

Real = Annotated[float, Meta(ge=-1e21, le=1e21)]
PAGE, MINUTE, AT_ONCE = 499, 60_000, 16
NAMES = ("time", "open", "high", "low", "close", "volume_base", "volume_quote", "trades", "taker_buy_base")


class Kline(msgspec.Struct, array_like=True, frozen=True):
    open_time: int
    open: Real
    high: Real
    low: Real
    close: Real
    volume: Real
    close_time: int
    quote_volume: Real
    trades: int
    taker_buy: Real


async def main(url: str, start: int, end: int, target: str) -> None:
    """Fetch, decode, write."""
    decoder = msgspec.json.Decoder(list[Kline], strict=False)
    starts = list(range(start, end, PAGE * MINUTE))
    parts: dict[int, pl.DataFrame] = {}
    waiting = iter(zip(count(), starts, strict=False))

    async with httpx.AsyncClient(timeout=30, trust_env=False, limits=httpx.Limits(max_connections=AT_ONCE)) as client:

        async def work() -> None:
            for index, first in waiting:
                last = min(first + PAGE * MINUTE, end) - 1
                params: dict[str, str | int] = {
                    "symbol": "BTCUSDT",
                    "interval": "1m",
                    "startTime": first,
                    "endTime": last,
                    "limit": PAGE,
                }
                answer = await client.get(f"{url}/fapi.binance.com/fapi/v1/klines", params=params)
                rows = [
                    (k.open_time, k.open, k.high, k.low, k.close, k.volume, k.quote_volume, k.trades, k.taker_buy)
                    for k in decoder.decode(answer.content)
                ]
                columns = zip(NAMES, zip(*rows, strict=True), strict=True)
                parts[index] = pl.DataFrame({name: pl.Series(name, values) for name, values in columns})

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    frame = pl.concat([parts[index] for index in sorted(parts)])
    assert frame.height == (end - start) // MINUTE
    frame.write_parquet(target)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
