"""Real candles from files for the sandbox's world.

A file is written `MARKET:SYMBOL=FILE`, or as its path alone if its name says both: `x_usdm_BTCUSDT_1m_2025.parquet`.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from marketcli.errors import UsageError
from marketcli.models import MARKET_ALIASES, Market, parse_market
from marketcli.text import clean
from marketcli.world import Series

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

QUOTES = ("USDT", "USDC", "FDUSD", "USD", "BTC", "ETH", "BNB", "EUR", "TRY")
WORDS = {word: market for word, market in MARKET_ALIASES.items() if word != "perp"}
HOW = "Write MARKET:SYMBOL=FILE, for example linear:BTCUSDT=candles.parquet."
EXPLICIT = re.compile(r"(?P<market>[A-Za-z]{2,}):(?P<symbol>[^=]+)=(?P<file>.+)", re.DOTALL)
NATIVE = re.compile(rf"(?P<base>.+?)(?P<quote>{'|'.join(QUOTES)})(?P<kind>_PERP|_[0-9]{{6}})?")
CANONICAL = re.compile(r"(?P<base>[^-]+)-(?P<quote>[^-]+)(?P<kind>-PERP|-[0-9]{6})?")


def load(text: str) -> Series:
    """The candles in a file. Raises `UsageError` that says what cannot be found, read or understood."""
    if match := EXPLICIT.fullmatch(text):
        market, symbol, path = parse_market(match["market"]), match["symbol"], Path(match["file"])
    else:
        path = Path(text)
        market, symbol = told_by(path)
    base, quote = split(symbol, market)
    return Series.of(market, base, quote, read(path))


def told_by(path: Path) -> tuple[Market, str]:
    """Market and symbol in a file name: the word for a market, and the word after it."""
    words = path.stem.split("_")
    for index, word in enumerate(words[:-1]):
        if market := WORDS.get(word.lower()):
            return market, words[index + 1]
    raise UsageError(f"The name of {clean(path.name)} does not say whose candles they are.", hint=HOW)


def split(symbol: str, market: Market) -> tuple[str, str]:
    """Base and quote of a symbol, in an exchange's spelling or the canonical one."""
    match = (CANONICAL if "-" in symbol else NATIVE).fullmatch(symbol.upper())
    if match is None:
        known = ", ".join(QUOTES)
        raise UsageError(
            f"What {clean(symbol)!r} is quoted in cannot be told.",
            hint=f"Write it as BASE-QUOTE, or with one of {known}.",
        )
    if (match["kind"] or "")[1:].isdigit():
        raise UsageError(f"{clean(symbol)} ends on a date; the sandbox takes candles of what does not end.", hint=HOW)
    if match["kind"] and market is Market.SPOT:
        raise UsageError(f"{clean(symbol)} is no spot symbol.", hint=HOW)
    return match["base"], match["quote"]


def read(path: Path) -> pl.DataFrame:
    """A Parquet or CSV file as a frame."""
    import polars as pl  # noqa: PLC0415 - heavy

    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".parquet": pl.read_parquet,
        ".csv": partial(pl.read_csv, try_parse_dates=True),
    }
    if path.suffix.lower() not in readers:
        raise UsageError(f"{clean(path.name)} is neither .parquet nor .csv.", hint=HOW)
    if not path.is_file():
        raise UsageError(f"There is no file {clean(str(path))}.", hint=HOW)
    try:
        return readers[path.suffix.lower()](path)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = clean(str(error).splitlines()[0] if str(error) else type(error).__name__)
        raise UsageError(f"{clean(path.name)} cannot be read: {reason}.", hint="Check the file.") from None
