"""The peer: the same year by ccxt as its users fetch it, page after page, its throttle off."""

from __future__ import annotations

import sys

import ccxt

MINUTE, PAGE = 60_000, 1_500


def main(url: str, start: int, end: int) -> None:
    """Fetch all candles into a list, as ccxt's documentation shows."""
    exchange = ccxt.binanceusdm(
        {"enableRateLimit": False, "options": {"fetchMarkets": ["linear"], "fetchCurrencies": False}}
    )
    exchange.has["fetchCurrencies"] = False
    for name, address in list(exchange.urls["api"].items()):
        if isinstance(address, str):
            exchange.urls["api"][name] = address.replace("https://", f"{url}/")
    candles: list[list[float]] = []
    since = start
    while since < end:
        page = exchange.fetch_ohlcv("BTC/USDT:USDT", "1m", since=since, limit=PAGE, params={"until": end - 1})
        candles += page
        since = page[-1][0] + MINUTE
    assert len(candles) == (end - start) // MINUTE


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
