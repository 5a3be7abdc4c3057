"""What an answer may say: the world's own rows, and of what it lacks that it lacks it."""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING, Any

from faults.bench import NATIVE, NOW

from marketcli.errors import ExitCode
from marketcli.models import SECOND, Interval, Market, Micros, Window
from marketcli.windows import overlap, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from faults.bench import Ask, Bench, Outcome

    from marketcli.world import Bar, Listing

SETTLE = 2 * SECOND  # reliability.md D6: the newest candle may change for so long after its end
ROUNDING = 1e-13  # of a sum: candles built here add up floats the world adds up exactly
CUT = SECOND  # a Date header is cut to whole seconds
SYMBOL = {Market.SPOT: "BTC-USDT", Market.LINEAR: "BTC-USDT-PERP", Market.INVERSE: "BTC-USD-PERP"}

Row = tuple[Any, ...]
MISSING = object()


def listing(bench: Bench, market: Market) -> Listing:
    """The Bitcoin that `NATIVE` names."""
    quote = "USD" if market is Market.INVERSE else "USDT"
    wanted = ("BTC", quote, None)
    return next(item for item in bench.world.listings(market) if (item.base, item.quote, item.expiry) == wanted)


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
    bars = bench.world.candles(listing(bench, ask.market), interval, window, price=ask.price)
    return {bar.time: row(bar, ask) for bar in bars}


def row(bar: Bar, ask: Ask) -> Row:
    """A candle of the world with every field of ours, in their order, but for the last one, its source."""
    whose = ("binance", ask.market.value, SYMBOL[ask.market], NATIVE[ask.market], ask.interval, bar.time)
    prices = (bar.open, bar.high, bar.low, bar.close)
    if ask.price != "trade":
        return (*whose, ask.price, *prices, True)
    contracts = float(bar.contracts) if ask.market is Market.INVERSE else None
    volumes = (bar.volume_base, bar.volume_quote, bar.trades, bar.taker_buy_base, contracts)
    return (*whose, *prices, *volumes, True)


def delivered(outcome: Outcome) -> list[Row]:
    """The rows of an answer, times as whole microseconds, without the source."""
    import polars as pl

    assert outcome.answer is not None
    frame = outcome.answer.frame.with_columns(pl.col("time").to_physical())
    return list(frame.drop("source").rows())


def lies(
    bench: Bench,
    ask: Ask,
    outcome: Outcome,
    *,
    began: Micros = NOW,
    skew: Micros = 0,
    change: Mapping[str, object] | None = None,
) -> list[str]:
    """What an outcome says that is not so; empty if it is honest.

    `skew` is how far ahead the exchange says it is, `change` what it says instead of the truth in every row of a field
    that nobody can check.
    """
    if outcome.answer is None:
        return ["an error that ends well"] if outcome.exit is ExitCode.OK else []
    answer, interval = outcome.answer, Interval.parse(ask.interval)
    window = answer.plan.window
    sooner, later = meant(ask, began + skew - CUT), meant(ask, bench.clock.world() + skew)
    found = [] if sooner <= window <= later else [f"asked {window}, meant {sooner} or {later}"]
    world, rows = truth(bench, ask, window), delivered(outcome)
    fields = [name for name in answer.frame.columns if name != "source"]
    at, places = (
        fields.index("time"),
        {fields.index(name): value for name, value in (change or {}).items() if name in fields},
    )
    times = [each[at] for each in rows]
    if times != sorted(set(times)):
        found.append("rows in disorder or twice")
    false = [each for each in rows if restored(each, world.get(each[at], ()), places) != world.get(each[at])]
    lost = [time for time in sorted(world.keys() - set(times)) if not gap_over(outcome, interval, time)]
    there = [time for time in times if gap_over(outcome, interval, time)]
    said = {"that are not so": false, "missing in silence": lost, "there and said to be missing": there}
    return found + [f"{len(wrong)} rows {what}, first {wrong[0]}" for what, wrong in said.items() if wrong]


def restored(each: Row, real: Row, places: Mapping[int, object]) -> Row:
    """A row with the world's value where nobody can check it, and where only the order of adding differs."""
    pairs = enumerate(zip(each, real, strict=True)) if real else ()
    same = (theirs if mine == places.get(at, MISSING) or nearly(mine, theirs) else mine for at, (mine, theirs) in pairs)
    return tuple(same) if real else each


def nearly(one: object, other: object) -> bool:
    """Whether two numbers differ only as sums of the same numbers do."""
    return isinstance(one, float) and isinstance(other, float) and isclose(one, other, rel_tol=ROUNDING)


def gap_over(outcome: Outcome, interval: Interval, time: Micros) -> bool:
    """Whether an answer says that something of a candle is missing which should be there."""
    candle = Window(time, interval.step(time))
    return outcome.answer is not None and any(overlap(gap.window, candle) for gap in outcome.answer.lost)
