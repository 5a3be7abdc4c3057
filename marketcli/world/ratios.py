"""Who is long and who is short in a contract, and which side takers are on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from marketcli.models import DAY, Micros
from marketcli.world.noise import smooth

if TYPE_CHECKING:
    from marketcli.world.bars import Bar
    from marketcli.world.listings import Listing


class Ratio(NamedTuple):
    """Shares of long (0 to 1) among accounts and positions, and what takers bought and sold from then on, in base.

    The contracts are 0 unless the market is inverse.
    """

    time: Micros
    accounts_long: float
    top_accounts_long: float
    top_positions_long: float
    taker_buy: float
    taker_sell: float
    taker_buy_contracts: int
    taker_sell_contracts: int


WAVES = ((30.0, 0.04), (5.0, 0.05), (0.5, 0.02), (1 / 24, 0.004))  # days between turns, and their strength


def ratio_of(seed: int, listing: Listing, bar: Bar) -> Ratio:
    """The ratios at the open of a candle."""
    return Ratio(
        bar.time,
        share(seed, listing, bar.time, kind="accounts"),
        share(seed, listing, bar.time, kind="top accounts"),
        share(seed, listing, bar.time, kind="top positions"),
        bar.taker_buy_base,
        bar.volume_base - bar.taker_buy_base,
        bar.taker_buy_contracts,
        bar.contracts - bar.taker_buy_contracts,
    )


def share(seed: int, listing: Listing, time: Micros, *, kind: str) -> float:
    """A share of long at a moment."""
    name = (listing.market, listing.base, listing.quote, None if listing.perpetual else listing.expiry)
    waves = (strength * smooth(time / DAY / days, seed, "ratio", kind, *name, days) for days, strength in WAVES)
    return round(0.55 + sum(waves), 4)
