"""The words everything else is said in: markets, intervals, windows, instruments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from marketcli.errors import UsageError

Micros: TypeAlias = int  # microseconds since 1970-01-01T00:00:00Z

MILLISECOND: Micros = 1_000
SECOND: Micros = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

GENESIS: Micros = 1_230_940_800 * SECOND  # 2009-01-03, the first Bitcoin block: no market data is older
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONDAY: Micros = 4 * DAY  # 1970-01-05, the first ISO week that began after the epoch


def to_datetime(time: Micros) -> datetime:
    """The same moment as a timezone-aware datetime; exact, where a float timestamp is not."""
    return EPOCH + timedelta(microseconds=time)


def to_micros(moment: datetime) -> Micros:
    """The same moment in microseconds since the epoch."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def iso(time: Micros) -> str:
    """ISO 8601 UTC with as many digits as needed: `2026-11-21T12:00:00Z`, `…00.123Z`."""
    moment = to_datetime(time)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{moment.microsecond:06d}"
    if fraction.endswith("000"):
        fraction = fraction[:3]
    return f"{text}.{fraction}Z" if int(fraction) else f"{text}Z"


class Market(StrEnum):
    """Where an instrument trades: spot, or derivatives settled in the quote (linear) or the base (inverse)."""

    SPOT = "spot"
    LINEAR = "linear"
    INVERSE = "inverse"


MARKET_ALIASES = {
    "um": Market.LINEAR,
    "usdm": Market.LINEAR,
    "perp": Market.LINEAR,
    "cm": Market.INVERSE,
    "coinm": Market.INVERSE,
} | {market.value: market for market in Market}


def parse_market(text: str) -> Market:
    """The market a user means; raises `UsageError` that lists the words."""
    try:
        return MARKET_ALIASES[text.strip().lower()]
    except KeyError:
        raise UsageError(f"There is no market {text!r}.", hint="Use spot, linear (um, perp) or inverse (cm).") from None


UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
INTERVAL = re.compile(r"([1-9][0-9]{0,3})(s|m|h|d|w|M|mo)")


@dataclass(frozen=True, slots=True)
class Interval:
    """The length of a candle: `1m`, `4h`, `1d`, `1w` (from Monday), `1M` (calendar months); all in UTC."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Read `1m`, `90m`, `4h`, `2d`, `1w`, `1M` or `1mo`; `60m` is `1h`. Raises `UsageError`."""
        match = INTERVAL.fullmatch(text.strip())
        if match is None:
            raise UsageError(
                f"{text!r} is not an interval.",
                hint="Write a number and s, m, h, d, w or M, for example 1m, 4h, 1d, 1M.",
            )
        count, unit = int(match[1]), match[2].replace("mo", "M")
        for small, size, large in (("s", 60, "m"), ("m", 60, "h"), ("h", 24, "d")):
            if unit == small and count % size == 0:
                count, unit = count // size, large
        return cls(count, unit)

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def micros(self) -> Micros | None:
        """The fixed length, or None for months."""
        return None if self.unit == "M" else self.count * UNITS[self.unit]

    @property
    def longest(self) -> Micros:
        """A length no candle of this interval exceeds."""
        return self.micros or self.count * 31 * DAY

    @property
    def origin(self) -> Micros:
        """A moment at which a candle of this interval opens."""
        return MONDAY if self.unit == "w" else 0

    def floor(self, time: Micros) -> Micros:
        """The open time of the candle that holds `time`."""
        if (length := self.micros) is not None:
            return time - (time - self.origin) % length
        moment = to_datetime(time)
        return month_start(self.month_index(moment) // self.count * self.count)

    def ceil(self, time: Micros) -> Micros:
        """The first open time at or after `time`."""
        opened = self.floor(time)
        return opened if opened == time else self.step(opened)

    def step(self, opened: Micros, count: int = 1) -> Micros:
        """The open time `count` candles after (or before) the one that opens at `opened`."""
        if (length := self.micros) is not None:
            return opened + count * length
        return month_start(self.month_index(to_datetime(opened)) + count * self.count)

    def count_in(self, window: Window) -> int:
        """How many candles open inside the window."""
        first, end = self.ceil(window.start), self.ceil(window.end)
        if (length := self.micros) is not None:
            return max(0, (end - first) // length)
        months = self.month_index(to_datetime(end)) - self.month_index(to_datetime(first))
        return max(0, months // self.count)

    def divides(self, other: Interval) -> bool:
        """Whether candles of `other` can be built exactly from whole candles of this interval."""
        mine, theirs = self.micros, other.micros
        if mine is None:
            return theirs is None and other.count % self.count == 0
        if theirs is None:
            return DAY % mine == 0
        return theirs % mine == 0 and (other.origin - self.origin) % mine == 0

    @staticmethod
    def month_index(moment: datetime) -> int:
        """Months since the epoch."""
        return (moment.year - EPOCH.year) * 12 + moment.month - 1


def month_start(index: int) -> Micros:
    """The first moment of a month counted from the epoch."""
    return to_micros(datetime(EPOCH.year + index // 12, index % 12 + 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A stretch of time, half open: `start` belongs to it, `end` does not."""

    start: Micros
    end: Micros

    def __str__(self) -> str:
        return f"{iso(self.start)} to {iso(self.end)}"

    def __contains__(self, time: Micros) -> bool:
        return self.start <= time < self.end


@dataclass(frozen=True, slots=True)
class Instrument:
    """One thing that trades on one exchange.

    `symbol` is canonical (`BTC-USDT`, `BTC-USDT-PERP`, `BTC-USD-270326`), `native` is the exchange's own spelling.
    `contract_size` is what one contract stands for: base units (linear), quote units (inverse), 1 for spot.
    `multiplier` is how many coins one unit of base is (`1000PEPE` has 1000); prices are never rescaled by it.
    `tick` and `lot` are the smallest steps of price and size. `listed`, `expiry` (the end of trading) and `delivery`
    (of a dated contract) are microseconds UTC; `interval_h` is hours between settlements, where the list says.
    """

    exchange: str
    market: Market
    symbol: str
    native: str
    base: str
    quote: str
    settle: str
    contract_size: float = 1.0
    multiplier: int = 1
    inverse: bool = False
    tick: float | None = None
    lot: float | None = None
    status: str = "trading"
    listed: Micros | None = None
    expiry: Micros | None = None
    interval_h: float | None = None
    delivery: Micros | None = None
    pair: str = ""
    kind: str = ""  # the exchange's own word for the contract type

    @property
    def perpetual(self) -> bool:
        """Whether it is a derivative without a delivery date."""
        return self.market is not Market.SPOT and self.delivery is None

    @property
    def coin(self) -> str:
        """The base without its multiplier: PEPE for 1000PEPE and kPEPE."""
        return MULTIPLIER.sub("", self.base) if self.multiplier != 1 else self.base

    @property
    def unified(self) -> str:
        """Spelling of ccxt: `BTC/USDT`, `BTC/USDT:USDT`, `BTC/USD:BTC-270326`."""
        dex, colon, coin = self.base.rpartition(":")  # a builder's contract on Hyperliquid
        text = f"{dex.upper()}-{coin}/{self.quote}" if colon else f"{self.base}/{self.quote}"
        if self.market is not Market.SPOT:
            text += f":{self.settle}"
            if self.delivery is not None:
                text += f"-{to_datetime(self.delivery):%y%m%d}"
        return text


MULTIPLIER = re.compile(r"^(1000000|10000|1000|1M|k)(?=[A-Z])")
SHORT = {"1M": "1000000", "k": "1000"}


def multiplier_of(base: str) -> int:
    """How many coins one unit of a base such as `1000PEPE`, `kPEPE` or `1MBABYDOGE` is; 1 for all others."""
    match = MULTIPLIER.match(base)
    return int(SHORT.get(match[1], match[1])) if match else 1


def canonical(base: str, quote: str, market: Market, *, settle: str, expiry: Micros | None) -> str:
    """The canonical name; the settlement currency shows only where it is neither quote (linear) nor base (inverse)."""
    if market is Market.SPOT:
        return f"{base}-{quote}"
    expected = quote if market is Market.LINEAR else base
    name = f"{base}-{quote}" if settle == expected else f"{base}-{quote}_{settle}"
    return f"{name}-PERP" if expiry is None else f"{name}-{to_datetime(expiry):%y%m%d}"
