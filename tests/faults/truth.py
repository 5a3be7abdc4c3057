"""What an answer may say: the world's own rows, and of what it lacks that it lacks it."""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING, Any

import polars as pl
from faults.bench import NOW

from marketcli.datasets import CANDLES
from marketcli.errors import ExitCode
from marketcli.models import SECOND, Interval, Market, Micros, Window, iso
from marketcli.sandbox.truth import named
from marketcli.windows import overlap, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faults.bench import Ask, Bench, Outcome

    from marketcli.world import Bar, Listing

SETTLE = 2 * SECOND  # reliability.md D6: the newest candle may change for so long after its end
ROUNDING = 1e-13  # of a sum: candles built here add up floats the world adds up exactly
CONTRACT = {"okx": 0.01}  # Bitcoin in one, on linear, where the world counts in coins
DUST = 6  # decimals of contracts that the world does not count itself
CUT = SECOND  # a Date header is cut to whole seconds

BUILT = {"10m": "5m", "90m": "30m", "2d": "1d", "3h": "1h"}  # what an exchange lacks, and what it is built from
Row = tuple[Any, ...]
MISSING = object()


def meant(ask: Ask, now: Micros) -> Window:
    """The open times of finished candles a question means at a moment; dates in it are on the grid."""
    interval = Interval.parse(ask.interval)
    limit = interval.floor(now - SETTLE)
    if ask.range.since is None:
        assert ask.range.last is not None
        return Window(interval.step(limit, -ask.range.last), limit)
    until = limit if ask.range.until is None else min(limit, parse_time(str(ask.range.until), now=NOW))
    return Window(parse_time(str(ask.range.since), now=NOW), until)


def truth(bench: Bench, ask: Ask, window: Window) -> dict[Micros, Row]:
    """The world's candles that open in a window, as rows of our dataset."""
    bars = bench.world.candles(ask.listing(bench.floor), Interval.parse(ask.interval), window, price=ask.price)
    return {bar.time: row(bench, bar, ask) for bar in bars}


def row(bench: Bench, bar: Bar, ask: Ask) -> Row:
    """A candle of the world with every field of ours, in their order; what its exchange does not say is None."""
    listing, dataset = ask.listing(bench.floor), CANDLES[ask.price]
    endpoint = ask.where.endpoint(dataset, ask.market)
    assert endpoint is not None
    names = named(listing, bench.floor.simulators[ask.exchange])
    built = Interval.parse(ask.interval) not in ask.where.spelled(endpoint)
    told = {name: getattr(bar, name) for name in endpoint.columns if hasattr(bar, name)}
    if "volume_contracts" in endpoint.columns:
        told["volume_contracts"] = contracts(bar, listing, ask)
    told |= {"exchange": ask.exchange, "market": ask.market.value, "interval": ask.interval, **names}
    told |= {"closed": True, "source": f"resampled:{BUILT[ask.interval]}" if built else "rest", **dict(dataset.fixed)}
    return tuple(told.get(name) for name in dataset.fields)


def contracts(bar: Bar, listing: Listing, ask: Ask) -> float:
    """How many contracts changed hands, as the exchange counts them: Bybit in dollars, OKX on linear too."""
    if listing.market is Market.INVERSE:
        return float(bar.contracts * (listing.contract_size if ask.exchange == "bybit" else 1))
    return round(bar.volume_base / CONTRACT[ask.exchange], DUST)


def delivered(outcome: Outcome) -> dict[Micros, Row]:
    """The rows of an answer by open time in whole microseconds; they are in order, and no time comes twice."""
    assert outcome.answer is not None
    frame = outcome.answer.frame.with_columns(pl.col("time").to_physical())
    times = frame["time"].to_list()
    assert times == sorted(set(times)), "rows in disorder or twice"
    return dict(zip(times, frame.rows(), strict=True))


def lies(
    bench: Bench, ask: Ask, outcome: Outcome, *, skew: Micros = 0, change: Mapping[str, object] | None = None
) -> list[str]:
    """What an outcome says that is not so; empty if it is honest.

    `skew` is how far ahead the exchange says it is, `change` what it says instead of the truth of a field that nobody
    can check.
    """
    if outcome.answer is None:
        return ["an error that ends well"] if outcome.exit is ExitCode.OK else []
    window, interval = outcome.window, Interval.parse(ask.interval)
    sooner, later = meant(ask, NOW + skew - CUT), meant(ask, bench.clock.world() + skew)
    found = [] if within(window, sooner, later) else [f"asked {window}, meant {sooner} or {later}"]
    world, rows = truth(bench, ask, window), delivered(outcome)
    fields = outcome.answer.frame.columns
    places = {fields.index(name): value for name, value in (change or {}).items() if name in fields}
    said: dict[str, list[Micros]] = {
        "that are not so": [time for time, each in rows.items() if not same(each, world.get(time), places)],
        "missing in silence": [t for t in world if t not in rows and not gap_over(outcome, interval, t)],
        "there and said to be missing": [t for t in rows if gap_over(outcome, interval, t)],
    }
    return found + [f"{len(times)} rows {what}, first {iso(times[0])}" for what, times in said.items() if times]


def within(window: Window, sooner: Window, later: Window) -> bool:
    """Whether a window lies where a question may mean it, by when it was asked."""
    return sooner.start <= window.start <= later.start and sooner.end <= window.end <= later.end


def same(mine: Row, theirs: Row | None, places: Mapping[int, object]) -> bool:
    """Whether a row is the world's, but for values nobody can check; of built rows also but for the order of adding."""
    if theirs is None:
        return False
    built = theirs[-1] != "rest"
    pairs = enumerate(zip(mine, theirs, strict=True))
    return all(
        one == other or one == places.get(at, MISSING) or (built and nearly(one, other)) for at, (one, other) in pairs
    )


def nearly(one: object, other: object) -> bool:
    """Whether two numbers differ only as sums of the same numbers do."""
    return isinstance(one, float) and isinstance(other, float) and isclose(one, other, rel_tol=ROUNDING)


def gap_over(outcome: Outcome, interval: Interval, time: Micros) -> bool:
    """Whether an answer says that something of a candle is missing which should be there."""
    candle = Window(time, interval.step(time))
    return outcome.answer is not None and any(overlap(gap.window, candle) for gap in outcome.answer.lost)
