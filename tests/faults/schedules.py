"""Random questions under random faults; the same number gives the same schedule for ever."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from faults.bench import NOW, Ask, Bench
from faults.truth import lies, meant

from marketcli.api.candles import Range
from marketcli.models import DAY, HOUR, SECOND, Interval, Market, Micros, iso
from marketcli.sandbox.faults import COMMON, KINDS
from marketcli.windows import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_PAGES = 40
INTERVALS = ("1m", "1m", "1m", "3m", "5m", "15m", "1h", "4h", "1d", "10m", "90m", "2d")
LIMITS = (1, 2, 7, 25, 99, 499, 1_000)
LISTED = {  # when the Bitcoin of a market began: nothing is older, and that is no gap
    Market.SPOT: "2017-08-17T04:00",
    Market.LINEAR: "2019-09-08T17:57",
    Market.INVERSE: "2020-08-10T06:00",
}
VALUES: Mapping[str, Sequence[str]] = {
    "first": ("1", "2", "3", "5", "20", "1000000"),
    "every": ("1", "1", "2", "3", "5", "7"),
    "path": ("klines", "klines", "Klines", "exchangeInfo"),
    "host": ("api.binance.com", "data-api", "fapi", "dapi"),
    "style": ("seconds", "date", "missing", "nonsense", "years"),
    "value": ("NaN", "Infinity", "1e400", "null", "1_000", "text"),
    "unit": ("s", "us", "ns"),
    "to": ("other", "self", "http"),
    "seconds": ("1", "20", "45"),
    "bytes": ("1", "50", "5000"),
    "ms": ("1", "200", "3000"),
    "field": ("", "symbol", "pair", "filters", "baseAsset", "quoteAsset", "deliveryDate"),
    "nested": ("0", "1"),
    "mb": ("64",),
}
SELDOM = {"gzip_bomb": 0.2}  # takes real time


@dataclass(frozen=True)
class Schedule:
    """What is asked, what goes wrong, and how wrong our clock is."""

    seed: int
    asks: tuple[Ask, ...]
    faults: tuple[str, ...]
    ahead: float
    change: Mapping[str, object] = field(default_factory=dict)


def schedule(seed: int) -> Schedule:
    """The schedule of a number: one or two questions, one to six faults."""
    chance = Random(seed)
    asks = tuple(random_ask(chance) for _ in range(chance.choice((1, 1, 2))))
    names = chance.sample(sorted(KINDS), chance.randint(1, 6))
    if any(ask.range.until is None for ask in asks):
        names = [name for name in names if name != "clock_skew"] or ["html_200"]
    names = [name for name in names if chance.random() < SELDOM.get(name, 1)] or ["empty_200"]
    faults = tuple(random_fault(chance, name, asks) for name in names)
    change = {"trades": 2**53 + 1} if any(text.startswith("big_id") for text in faults) else {}
    return Schedule(seed, asks, faults, chance.choice((0.0, 0.0, 0.0, 40.0, -40.0, 600.0, -600.0)), change)


def random_ask(chance: Random) -> Ask:
    """A question about some hundred candles: the last ones, some time ago, or around the beginning."""
    market, interval, limit = chance.choice(list(Market)), chance.choice(INTERVALS), chance.choice(LIMITS)
    count = chance.randint(1, min(300, limit * MOST_PAGES))
    price = "trade" if market is Market.SPOT else chance.choice(("trade", "trade", "trade", "mark", "index", "premium"))
    if chance.random() < 0.4:
        return Ask(market, Range(last=count), interval, price, limit)
    grid = Interval.parse(interval)
    end = grid.floor(NOW - chance.randint(HOUR, 5 * DAY))
    if chance.random() < 0.15:
        end = grid.step(grid.floor(parse_time(LISTED[market], now=NOW)), chance.randint(1, count))
    start = grid.step(end, -count)
    return Ask(market, Range(since=iso(start), until=iso(end)), interval, price, limit)


def random_hole(chance: Random, ask: Ask) -> tuple[Micros, Micros]:
    """Two moments in or around the window of a question."""
    window, length = meant(ask, NOW), Interval.parse(ask.interval).longest
    one, other = (chance.randint(window.start - length, window.end + length) for _ in range(2))
    return min(one, other) // SECOND * SECOND, max(one, other) // SECOND * SECOND


def random_fault(chance: Random, name: str, asks: Sequence[Ask]) -> str:
    """A fault with some of its keys."""
    own = [key for key in KINDS[name].options if key not in COMMON]
    keys = [key for key in COMMON if chance.random() < 0.6 and (key != "host" or chance.random() < 0.2)]
    keys += [key for key in own if chance.random() < 0.7]
    values = {key: chance.choice(VALUES[key]) for key in keys if key in VALUES}
    if name == "big_id":
        values.pop("value", None)
    if name == "gzip_bomb":
        values["first"] = "2"
    if name == "clock_skew":
        values["seconds"] = chance.choice(("600", "-600"))
    if name == "missing_rows":
        hole = random_hole(chance, chance.choice(asks))
        values |= {key: iso(time) for key, time in zip(("from", "to"), hole, strict=True) if key in keys}
    return f"{name}:{','.join(f'{key}={value}' for key, value in values.items())}"


def verdict(plan: Schedule) -> list[str]:
    """What the program says under a schedule that is not so; empty if it is honest about every question."""
    bench = Bench(*plan.faults, ahead=plan.ahead)
    skew = 0
    outcomes = bench.ask(*plan.asks)
    return [
        f"{lie} ({outcome})"
        for ask, outcome in zip(plan.asks, outcomes, strict=True)
        for lie in lies(bench, ask, outcome, skew=skew, change=plan.change)
    ]
