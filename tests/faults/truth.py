"""What an answer may say: the world's own rows, and of what it lacks that it lacks it."""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING, Any

import polars as pl
from faults.bench import NOW

from marketcli.errors import ExitCode
from marketcli.models import SECOND, Interval, Market, Micros, Window, iso
from marketcli.windows import overlap, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faults.bench import Ask, Bench, Outcome

    from marketcli.world import Bar, Listing

SETTLE = 2 * SECOND  # reliability.md D6: the newest candle may change for so long after its end
ROUNDING = 1e-13  # of a sum: candles built here add up floats the world adds up exactly
CUT = SECOND  # a Date header is cut to whole seconds
SUFFIX = {Market.SPOT: "USDT", Market.LINEAR: "USDT-PERP", Market.INVERSE: "USD-PERP"}

BUILT = {"10m": "5m", "90m": "30m", "2d": "1d", "3h": "1h"}  # what Binance lacks, and what it is built from
Row = tuple[Any, ...]
MISSING = object()


def listing(bench: Bench, ask: Ask) -> Listing:
    """The instrument a question names: spot or perpetual, living or not."""
    wanted = (ask.base, SUFFIX[ask.market].removesuffix("-PERP"), ask.market is not Market.SPOT)
    listings = bench.world.listings(ask.market)
    return next(item for item in listings if (item.base, item.quote, item.perpetual) == wanted)


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
    interval = Interval.parse(ask.interval)
    bars = bench.world.candles(listing(bench, ask), interval, window, price=ask.price)
    return {bar.time: row(bar, ask) for bar in bars}


def row(bar: Bar, ask: Ask) -> Row:
    """A candle of the world with every field of ours, in their order."""
    whose = ("binance", ask.market.value, f"{ask.base}-{SUFFIX[ask.market]}", ask.native, ask.interval, bar.time)
    prices = (bar.open, bar.high, bar.low, bar.close)
    told = (True, f"resampled:{BUILT[ask.interval]}" if ask.interval in BUILT else "rest")
    if ask.price != "trade":
        return (*whose, ask.price, *prices, *told)
    contracts = float(bar.contracts) if ask.market is Market.INVERSE else None
    volumes = (bar.volume_base, bar.volume_quote, bar.trades, bar.taker_buy_base, contracts)
    return (*whose, *prices, *volumes, *told)


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
