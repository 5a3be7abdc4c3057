"""Open interest: how much is open in a contract at a moment, one side counted."""

from __future__ import annotations

from fractions import Fraction
from math import exp
from typing import TYPE_CHECKING, NamedTuple

from marketcli.models import DAY, Market, Micros, multiplier_of
from marketcli.world.listings import COINS
from marketcli.world.noise import smooth

if TYPE_CHECKING:
    from marketcli.world.listings import Listing

HELD = 0.4  # of a day's turnover in the coin's largest market
SHARES = {"dated": 0.06, "inverse": 0.3, "other quote": 0.2}
WAVES = ((30.0, 0.25), (7.0, 0.12), (1 / 24, 0.003), (1 / 288, 0.000_8))  # days between turns, and their strength
YOUNG, GROWTH = 0.05, 20 * DAY  # what is open at the start, and until when it has grown


class Interest(NamedTuple):
    """What is open at a moment: base, its value in quote, and contracts, which are 0 unless the market is inverse."""

    time: Micros
    base: float
    quote: float
    contracts: int


def interest_at(seed: int, listing: Listing, time: Micros, *, mark: float) -> Interest:
    """Open interest at a moment when the mark price is known."""
    dollars = HELD * COINS[listing.coin].turnover * share(listing) * mood(seed, listing, time)
    if listing.market is Market.INVERSE:
        contracts = max(1, round(dollars / listing.contract_size))
        value = contracts * listing.contract_size
        return Interest(time, round(value / mark, 8), float(value), contracts)
    usual_price = COINS[listing.coin].level * multiplier_of(listing.base)
    lot = Fraction(listing.lot)
    lots = max(1, round(dollars / usual_price / float(lot)))
    base = lots * lot.numerator / lot.denominator
    return Interest(time, base, round(base * mark, 8), 0)


def share(listing: Listing) -> float:
    """How much of a coin's open interest is in one contract."""
    found = 1.0 if listing.perpetual else SHARES["dated"]
    if listing.market is Market.INVERSE:
        return found * SHARES["inverse"]
    return found if listing.quote == "USDT" else found * SHARES["other quote"]


def mood(seed: int, listing: Listing, time: Micros) -> float:
    """How full a contract is: it grows after its listing, then moves by a few per cent a day."""
    grown = min(1.0, YOUNG + (1 - YOUNG) * (time - listing.listed) / GROWTH)
    name = (listing.market, listing.base, listing.quote, None if listing.perpetual else listing.expiry)
    waves = (strength * smooth(time / DAY / days, seed, "interest", *name, days) for days, strength in WAVES)
    return grown * exp(sum(waves))
