"""A world small enough to know by heart: every candle is a function of its open time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from marketcli.models import DAY, HOUR, MILLISECOND, MINUTE, Interval, Market, Micros, Window, parse_market
from marketcli.sandbox.floor import Floor
from marketcli.windows import parse_time
from marketcli.world import Derivative, Interest, Settlement, Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.sandbox.draft import Draft

HOSTS = {
    Market.SPOT: ("api.binance.com", "/api/v3"),
    Market.LINEAR: ("fapi.binance.com", "/fapi/v1"),
    Market.INVERSE: ("dapi.binance.com", "/dapi/v1"),
}
SYMBOLS = {Market.SPOT: "BTCUSDT", Market.LINEAR: "BTCUSDT", Market.INVERSE: "BTCUSD_PERP"}


def at(text: str) -> Micros:
    return parse_time(text, now=0)


def ms(text: str) -> int:
    return at(text) // MILLISECOND


LATE = 3 * MILLISECOND  # how late settlements are
NOW = at("2026-11-21T12:00:30")
LISTED = at("2020-01-01T00:00")
ENDED = at("2024-09-10T09:00")
MARCH, JUNE = at("2027-03-26T08:00"), at("2027-06-25T08:00")


class Candle(NamedTuple):
    time: Micros
    open: float
    high: float
    low: float
    close: float
    volume_base: float
    volume_quote: float
    trades: int
    taker_buy_base: float
    taker_buy_quote: float
    contracts: int
    taker_buy_contracts: int
    closed: bool


def listing(market: str, base: str, quote: str, **more: Any) -> Any:
    inverse = market == "inverse"
    known = {
        "market": parse_market(market),
        "base": base,
        "quote": quote,
        "settle": base if inverse else quote,
        "perpetual": market != "spot",
        "listed": LISTED,
        "expiry": None,
        "status": "trading",
        "contract_size": 100 if inverse else 1,
        "tick": "0.10" if market != "spot" else "0.01",
        "lot": "1" if inverse else "0.001",
    }
    return SimpleNamespace(**(known | more))


LISTINGS = [
    listing("spot", "BTC", "USDT"),
    listing("spot", "ETH", "BTC"),
    listing("spot", "OLD", "USDT", status="halted", expiry=ENDED),
    listing("linear", "BTC", "USDT", perpetual=False, expiry=JUNE, listed=at("2026-09-25")),
    listing("linear", "BTC", "USDT", perpetual=False, expiry=MARCH),
    listing("linear", "BTC", "USDT"),
    listing("linear", "OLD", "USDT", status="closing", expiry=ENDED),
    listing("linear", "NEW", "USDT", status="pending", listed=NOW + DAY),
    listing("inverse", "BTC", "USD"),
    listing("inverse", "BTC", "USD", perpetual=False, expiry=MARCH),
    listing("inverse", "OLD", "USD", status="closing", expiry=ENDED),
]


class SmallWorld:
    """Listings and candles at a time the test sets; `hole` is a stretch without candles."""

    def __init__(self, hole: Window | None = None) -> None:
        self.time = NOW
        self.hole = hole

    def now(self) -> Micros:
        return self.time

    def listings(self, market: Market | None = None) -> list[Any]:
        return [item for item in LISTINGS if market in (None, item.market)]

    def candles(self, item: Any, interval: Interval, window: Window, *, price: str = "trade") -> list[Any]:
        opened, rows = max(interval.ceil(window.start), interval.floor(item.listed)), []
        while opened < min(window.end, self.time + 1, item.expiry or window.end):
            if self.hole is None or opened not in self.hole:
                rows.append(self.candle(opened, interval, price=price))
            opened = interval.step(opened)
        return rows

    def settlements(self, item: Any, window: Window) -> list[Settlement]:
        """Every eight hours, OLD every hour; 3 ms late, and never the same rate."""
        if not item.perpetual:
            return []
        length = HOUR if item.base == "OLD" else 8 * HOUR
        end = min(window.end, self.time + 1, item.expiry or window.end)
        first = max(window.start, item.listed) - LATE
        times = range(-(-first // length) * length, end - LATE, length)
        rows = [Settlement(time + LATE, (time // HOUR % 1_000 - 500) / 10**7, 90_000.5) for time in times]
        return [row for row in rows if self.hole is None or row.time not in self.hole]

    def terms(self, item: Any) -> Terms:
        return Terms(8, 0.003, -0.003) if item.base == "BTC" else Terms(4, 0.02, -0.02)

    def derivative(self, item: Any) -> Derivative:
        coming = self.time // (8 * HOUR) * 8 * HOUR + 8 * HOUR
        settles = item.perpetual and item.expiry is None
        return Derivative(self.time, 90_001.25, 90_000.0, -0.0000005 if settles else 0.0, coming if settles else 0)

    def interest(self, item: Any, times: Sequence[Micros]) -> list[Interest]:
        """One more for every five minutes."""
        alive = [time for time in times if item.listed <= time <= min(self.time, (item.expiry or time + 1) - 1)]
        counts = [(time, time // (5 * MINUTE) % 10_000) for time in alive]
        return [Interest(time, 1_000.5 + count, 0.25 + count, 7 + count) for time, count in counts]

    def last(self, item: Any) -> float:
        return 0.03197 if item.quote == "BTC" else 90_001.5

    def average(self, _: Any, minutes: int) -> float:
        return 90_000.12345678 + minutes

    def candle(self, opened: Micros, interval: Interval, *, price: str) -> Candle:
        closed = interval.step(opened) <= self.time
        number = opened // 1_000_000 // 60 % 1_000
        if price == "premium":
            return Candle(opened, -0.0001, 0.00012, -0.00000005, 0.0, 0, 0, 0, 0, 0, 0, 0, closed)
        if price != "trade":
            return Candle(opened, 90_000.5, 90_001.25, 90_000.0, 90_001.0, 0, 0, 0, 0, 0, 0, 0, closed)
        value = 90_000.0 + number
        return Candle(
            opened, value, value + 9.5, value - 5.25, value + 1.5, 12.5, 1_137_600.25, 9, 6.125, 555_000.0, 7, 3, closed
        )


def floor(*, limits: bool = True, faults: tuple[str, ...] = (), hole: Window | None = None) -> Floor:
    world: Any = SmallWorld(hole)
    return Floor(world, limits=limits, faults=faults)


def draft(on: Floor, market: Market, name: str, **params: object) -> Draft:
    host, prefix = HOSTS[market]
    path = name if name.startswith("/") else f"{prefix}/{name}"
    return on.answer("GET", host, path=path, query=urlencode(params))


def ask(on: Floor, market: Market, name: str, **params: object) -> Any:
    """The document of an answer."""
    return msgspec.json.decode(draft(on, market, name, **params).body)


def klines(on: Floor, market: Market, interval: str = "1m", **params: Any) -> Any:
    """A page of candles of the market's Bitcoin."""
    return ask(on, market, "klines", symbol=SYMBOLS[market], interval=interval, **params)


def times(rows: Any) -> list[int]:
    return [row[0] for row in rows]


def minutes(first: str, count: int) -> list[int]:
    return [ms(first) + 60_000 * n for n in range(count)]
