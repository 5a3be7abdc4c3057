"""Public crypto market data: complete, or it says what is missing.

`marketcli.ohlc("BTCUSDT", "1h", since="2024-01")` gives a Polars frame (`await ohlc_async(...)` inside a loop), and so
do `funding`, `oi`, `price`, `ticker`, `tickers`, `book`, `trades`, `ratio` and `instruments`. `async with
marketcli.watch("liquidations") as feeds` gives live data. `mkt` is the same on the command line.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = [
    "IncompleteWarning",
    "__version__",
    "book",
    "book_async",
    "funding",
    "funding_async",
    "instruments",
    "instruments_async",
    "ohlc",
    "ohlc_async",
    "oi",
    "oi_async",
    "price",
    "price_async",
    "ratio",
    "ratio_async",
    "ticker",
    "ticker_async",
    "tickers",
    "tickers_async",
    "trades",
    "trades_async",
    "watch",
]


def __getattr__(name: str) -> Any:
    """Load the functions when they are first used: importing the package alone costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'marketcli' has no attribute {name!r}")
    from marketcli import api  # noqa: PLC0415

    return getattr(api, name)


def __dir__() -> list[str]:
    return __all__
