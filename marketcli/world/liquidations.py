"""Positions closed by force: some of the trades."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, NamedTuple

from marketcli.models import DAY, Micros
from marketcli.world.noise import stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from marketcli.world.listings import Listing
    from marketcli.world.trades import Trade

SHARE = 0.0006  # of trades, on a usual day
WILD = 1.0  # how much that differs from day to day, as the deviation of a logarithm
SLACK = 0.004  # a bankruptcy price lies so far beyond the price of the trade at most


class Liquidation(NamedTuple):
    """A position closed by force: `id` is that of the trade that closed it, `bankrupt` where nothing is left of it.

    `size` is in base, `value` in quote, `contracts` 0 unless the market is inverse. A long is closed by selling.
    """

    id: int
    time: Micros
    liquidated: str
    price: float
    bankrupt: float
    size: float
    value: float
    contracts: int


def liquidations_among(seed: int, listing: Listing, trades: Iterable[Trade]) -> list[Liquidation]:
    """Those of some trades that closed a position by force."""
    return list(closed(seed, listing, trades))


def closed(seed: int, listing: Listing, trades: Iterable[Trade]) -> Iterator[Liquidation]:
    """The same, one after another."""
    name = (listing.market.value, listing.base, listing.quote, listing.expiry or 0)
    day, share = -1, 0.0
    for trade in trades:
        if trade.time // DAY != day:
            day = trade.time // DAY
            share = SHARE * exp(WILD * (2 * stream(seed, *name, "forced day", day).random() - 1))
        # One multiplication spreads the ids well enough to pass most trades over cheaply.
        if (trade.id * 0x9E3779B1 + day) % 1_000_003 >= share * 1_000_003:
            continue
        chance = stream(seed, *name, "forced", trade.id).random
        long = trade.taker == "sell"
        away = SLACK * chance() * (-1 if long else 1)
        yield Liquidation(
            trade.id,
            trade.time,
            "long" if long else "short",
            trade.price,
            round(trade.price * (1 + away), len(listing.tick.partition(".")[2])),
            trade.size,
            trade.value,
            trade.contracts,
        )
