"""Random questions under random faults; the same number gives the same schedule for ever."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from faults.bench import MEMORY, NOW, Ask, Bench, Outcome
from faults.truth import lies, meant

from marketcli.api.candles import Range
from marketcli.datasets import CANDLES
from marketcli.exchanges import load
from marketcli.models import DAY, HOUR, SECOND, Interval, Market, Micros, iso
from marketcli.sandbox.faults import KINDS
from marketcli.sandbox.floor import Floor
from marketcli.windows import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_PAGES = 40
MEMORIES = Floor(MEMORY, limits=False, faults=())  # only to look up who is listed
INTERVALS = ("1m", "1m", "1m", "3m", "5m", "15m", "1h", "4h", "1d", "10m", "90m", "2d")  # the last three are built
LIMITS = (1, 2, 7, 25, 99, 499, 1_000)
BEGAN = {  # the Bitcoin of a market: nothing is older, and that is no gap
    Market.SPOT: parse_time("2017-08-17T04:00", now=NOW),
    Market.LINEAR: parse_time("2019-09-08T17:57", now=NOW),
    Market.INVERSE: parse_time("2020-08-10T06:00", now=NOW),
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
}
OTHER_VALUES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "bybit": {"path": ("kline", "kline", "price-kline", "instruments"), "host": ("api.bybit.com", "bytick")},
    "okx": {"path": ("candles", "candles", "history", "instruments"), "host": ("www.okx.com",)},
    "hyperliquid": {"path": ("candleSnapshot", "candleSnapshot", "Meta"), "host": ("api.hyperliquid.xyz",)},
}
LIKELY = {"path": 0.6, "host": 0.1, "every": 0.6, "first": 0.6}
FINAL = ("http418_ban", "http451", "http403_waf", "redirect")  # end a question at once, so little is seen of others
SELDOM = {"gzip_bomb": 0.2} | dict.fromkeys(FINAL, 0.3)  # a bomb takes real time


@dataclass(frozen=True)
class Schedule:
    """What is asked, what goes wrong, and how many seconds our clock is ahead."""

    seed: int
    asks: tuple[Ask, ...]
    faults: tuple[str, ...]
    ahead: float


def schedule(seed: int, exchange: str = "binance") -> Schedule:
    """The schedule of a number: one or two questions, one to six faults."""
    chance = Random(seed)
    asks = tuple(random_ask(chance, exchange) for _ in range(chance.choice((1, 1, 2))))
    likely = [name for name in sorted(KINDS) if chance.random() < SELDOM.get(name, 1) and tells(name, asks)]
    names = chance.sample(likely, chance.randint(1, 6))
    faults = tuple(random_fault(chance, name, asks) for name in names)
    return Schedule(seed, asks, faults, chance.choice((0.0, 0.0, 0.0, 40.0, -40.0, 600.0, -600.0)))


def tells(name: str, asks: Sequence[Ask]) -> bool:
    """Whether the truth can still be told with a fault: not what is finished by which clock, nor what was first."""
    if name == "clock_skew":
        return all(ask.range.until is not None for ask in asks)
    if name == "missing_rows":
        return all(meant(ask, NOW).start > began(ask) + 3 * DAY for ask in asks)
    if name == "big_id":
        return all(Interval.parse(ask.interval) in ask.where.intervals for ask in asks)
    return True


def began(ask: Ask) -> Micros:
    """When what is asked about was listed."""
    return ask.listing(MEMORIES).listed


def random_ask(chance: Random, exchange: str) -> Ask:
    """A question about some hundred candles: the last ones, some time ago, or around the beginning."""
    where = load(exchange)
    market = chance.choice([one for one in Market if one in where.markets])
    interval, limit = chance.choice(INTERVALS), chance.choice(LIMITS)
    count = chance.randint(1, min(300, limit * MOST_PAGES))
    price = "trade" if market is Market.SPOT else chance.choice(("trade", "trade", "trade", "mark", "index", "premium"))
    price = price if where.endpoint(CANDLES[price], market) else "trade"
    if chance.random() < 0.4:
        return Ask(market, Range(last=count), interval, price, limit, exchange=exchange)
    grid = Interval.parse(interval)
    end = grid.floor(NOW - chance.randint(HOUR, 5 * DAY))
    if chance.random() < 0.15:
        end = grid.step(grid.floor(began(Ask(market, exchange=exchange))), chance.randint(1, count))
    span = Range(since=iso(grid.step(end, -count)), until=iso(end))
    return Ask(market, span, interval, price, limit, exchange=exchange)


def random_fault(chance: Random, name: str, asks: Sequence[Ask]) -> str:
    """A fault with some of its keys."""
    keys = [key for key in KINDS[name].options if key in VALUES and chance.random() < LIKELY.get(key, 0.7)]
    known = {**VALUES, **OTHER_VALUES.get(asks[0].exchange, {})}
    values = {key: chance.choice(known[key]) for key in keys}
    if name == "big_id":
        values.pop("value", None)
    if name == "missing_rows":
        values.pop("to", None)
    if name == "gzip_bomb":
        values["first"] = "2"
    if name == "clock_skew":
        values["seconds"] = chance.choice(("600", "-600"))
    if name == "missing_rows" and chance.random() < 0.7:
        values |= random_hole(chance, chance.choice(asks))
    return f"{name}:{','.join(f'{key}={value}' for key, value in values.items())}"


def random_hole(chance: Random, ask: Ask) -> dict[str, str]:
    """A stretch in or around the window of a question; it may have no end."""
    window, length = meant(ask, NOW), Interval.parse(ask.interval).longest
    one, other = (chance.randint(window.start - length, window.end + length) // SECOND * SECOND for _ in range(2))
    ends: dict[str, Micros] = {"from": min(one, other), "to": max(one, other)}
    if chance.random() < 0.2:
        del ends["to"]
    return {key: iso(time) for key, time in ends.items()}


def carried_out(plan: Schedule) -> tuple[list[Outcome], list[str]]:
    """How a schedule ends, and what the program says under it that is not so; no lie if it is honest."""
    bench = Bench(*plan.faults, ahead=plan.ahead)
    change = {"trades": 2**53 + 1} if any(text.startswith("big_id") for text in plan.faults) else {}
    outcomes = bench.ask(*plan.asks)
    found = [
        f"{lie} ({outcome})"
        for ask, outcome in zip(plan.asks, outcomes, strict=True)
        for lie in lies(bench, ask, outcome, change=change)
    ]
    return outcomes, found
