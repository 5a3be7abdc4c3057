"""Dividing what was traded among the parts of a candle: nothing is lost, and every part's average lies in its range."""

from __future__ import annotations

from itertools import accumulate
from math import ceil, floor
from operator import mul
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Weights: TypeAlias = "Sequence[float]"

LEVELS = (0.4, 0.2, 0.05)  # how near to the end of its range a part's average may come; the first that works is taken
LIGHTEST = 0.003  # rather move the averages than make parts lighter than this; at 0.03 many a minute is one second
EVEN = 1e-9  # the difference of two sides that is mere rounding
FINENESS = 2**30  # weights are rounded to this part of one
ROOM = 4  # lots per part from which on every part gets at least one
FEW = (12, 1_000)  # where one part outweighs all others, they keep this part of their fair share


class Ranges(NamedTuple):
    """The least and the greatest value of one lot in each part."""

    least: Sequence[float]
    greatest: Sequence[float]


class Flow(NamedTuple):
    """What takers bought, or sold, in each part."""

    trades: list[int]
    lots: list[int]
    values: list[int]


def divide(trades: int, lots: int, value: int, *, ranges: Ranges, weights: Weights) -> Flow:
    """Give each part trades, lots and value by weight, so that each sum is kept exactly.

    A part has a trade if and only if it has a lot, no more trades than lots, and `lots * least <= value <= lots *
    greatest` up to rounding. That is possible because the ranges of the parts cover the range of the whole.
    """
    if lots == 0:
        nothing = [0] * len(weights)
        return Flow(nothing, nothing, nothing)
    weights = thinned(weights, trades)
    for margin in LEVELS:
        level = average_level(value / lots, weights, ranges, margin)
        parts = share_lots(trades, lots, balanced(value / lots, weights, ranges, level))
        values = share_value(value, parts, ranges, level)
        if values is not None:
            return Flow(share_trades(trades, parts), parts, values)
    parts, values = concentrated(trades, lots, value, ranges=ranges)
    return Flow(share_trades(trades, parts), parts, values)


def thinned(weights: Weights, trades: int) -> Weights:
    """The weights of at most as many parts as there are trades."""
    if trades >= len(weights):
        return weights
    heavy = set(sorted(range(len(weights)), key=weights.__getitem__)[-trades:])
    return [weight if place in heavy else 0.0 for place, weight in enumerate(weights)]


def average_level(mean: float, weights: Weights, ranges: Ranges, margin: float) -> float:
    """Where in their ranges (0 to 1) the averages of the parts lie so that together they meet the mean, or nearly."""
    least, greatest = sum(map(mul, weights, ranges.least)), sum(map(mul, weights, ranges.greatest))
    if greatest == least:
        return 0.5
    level: float = (mean * sum(weights) - least) / (greatest - least)
    return max(margin, min(1 - margin, level))


def balanced(mean: float, weights: Weights, ranges: Ranges, level: float) -> Weights:
    """The weights with the heavier side of the mean made lighter until the average is the mean; zeros if too light."""
    pull = [
        weight * (least + level * (greatest - least) - mean)
        for weight, least, greatest in zip(weights, *ranges, strict=True)
    ]
    above, below = sum(part for part in pull if part > 0), -sum(part for part in pull if part < 0)
    if abs(above - below) <= EVEN * (above + below):
        return weights
    up, down = (below / above, 1.0) if above > below else (1.0, above / below)
    if up * down < LIGHTEST:
        return [0.0] * len(weights)
    return [weight * (up if part > 0 else down) for weight, part in zip(weights, pull, strict=True)]


def share_lots(trades: int, lots: int, weights: Weights) -> list[int]:
    """Whole lots by weight; where there are plenty, one for each part at least."""
    count = len(weights)
    sums = list(accumulate([int(weight * FINENESS) for weight in weights]))  # whole numbers: sums must be exact
    if not sums[-1]:
        return [0] * count
    least = int(trades >= count and lots >= ROOM * count)
    spare, whole = lots - least * count, sums[-1]
    cuts = [spare * total // whole for total in sums]
    return [high - low + least for low, high in zip([0, *cuts], cuts, strict=False)]


def share_value(value: int, parts: list[int], ranges: Ranges, level: float) -> list[int] | None:
    """The value of each part, near the level of its range; None if the ranges do not allow the sum."""
    lowest = list(map(floor, map(mul, parts, ranges.least)))
    highest = list(map(ceil, map(mul, parts, ranges.greatest)))
    values = [low + int(level * (high - low)) for low, high in zip(lowest, highest, strict=True)]
    missing = value - sum(values)
    bounds = highest if missing > 0 else lowest
    slack = list(accumulate([bound - part for bound, part in zip(bounds, values, strict=True)]))
    if abs(missing) > abs(slack[-1]):
        return None
    if missing == 0:
        return values
    whole = slack[-1]
    given = [missing * total // whole for total in slack]
    return [part + now - before for part, now, before in zip(values, given, [0, *given], strict=False)]


def concentrated(trades: int, lots: int, value: int, *, ranges: Ranges) -> tuple[list[int], list[int]]:
    """Most in one part whose range holds the average and a little in the others, or all in one part."""
    mean, count = value / lots, len(ranges.least)
    for little in (*(lots // (few * count) for few in FEW if trades >= count), 0):
        most = lots - little * (count - 1)
        values = [int(little * min(greatest, max(least, mean))) for least, greatest in zip(*ranges, strict=True)]
        missing = value - sum(values)
        for place, (least, greatest) in enumerate(zip(*ranges, strict=True)):
            if floor(most * least) <= values[place] + missing <= ceil(most * greatest):
                values[place] += missing
                return [most if index == place else little for index in range(count)], values
    raise AssertionError(f"the parts do not cover their whole: {lots} lots worth {value}")


def share_trades(trades: int, parts: list[int]) -> list[int]:
    """Trades by lots: one for each part that has any, and never more than lots."""
    spare = list(accumulate([part - 1 if part else 0 for part in parts]))
    if not spare[-1]:
        return [int(part > 0) for part in parts]
    extra, whole = trades - len(parts) + parts.count(0), spare[-1]
    given = [extra * total // whole for total in spare]
    return [(part > 0) + now - before for part, now, before in zip(parts, given, [0, *given], strict=False)]
