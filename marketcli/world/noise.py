"""Chance that can be asked again: the same key gives the same numbers, whatever was asked before."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from random import Random

OCTAVES = tuple((2**power, 2 ** (power / 2)) for power in range(6))  # days between fixed points, and strength
REACH = sum(strength for _, strength in OCTAVES)  # the farthest that `wander` goes


def stream(*key: object) -> Random:
    """A generator for one purpose; only its `random()` is used, which Python promises to keep."""
    return Random(number(key))


@lru_cache(maxsize=32_768)
def draw(*key: object) -> float:
    """One number of [0, 1)."""
    return (number(key) >> 11) / 2**53


def number(key: tuple[object, ...]) -> int:
    """64 bits that belong to a key."""
    return int.from_bytes(blake2b(repr(key).encode(), digest_size=8).digest(), "big")


def smooth(position: float, *key: object) -> float:
    """A value of [-1, 1] that changes over one unit of position: fixed at whole numbers, straight between."""
    index = int(position // 1)
    share = position - index
    here = draw(*key, index)
    return 2 * (here + (draw(*key, index + 1) - here) * share if share else here) - 1


def wander(position: int, *key: object) -> float:
    """A walk without a beginning: octaves of noise, each twice as long and root two as strong as the one before."""
    return sum(strength * smooth(position / spacing, *key, spacing) for spacing, strength in OCTAVES)
