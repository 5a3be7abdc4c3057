"""What things are worth at the start of a day: coins, the premium of futures, and how much is traded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import exp

from marketcli.models import DAY, Market, multiplier_of
from marketcli.world.listings import COINS, DOLLARS, Listing
from marketcli.world.noise import REACH, draw, smooth, wander

FINE = Fraction(1, 10**8)  # the unit of mark, index and premium, and of an inverse contract's base
TOGETHER = 0.75  # how much of a coin's move is the whole market's
APART = (1 - TOGETHER**2) ** 0.5
CALM = 0.87  # a day's step of `wander` has a standard deviation of about 1.15
PREMIUM = 0.0007  # what futures are worth above the index at most, or below
JITTER = 0.00008  # how far a premium strays within a day
CARRY = 0.05  # what a dated contract costs above the index for a year
HEADROOM = 1.1  # what premiums and a day's range add to the price of its start at most
WEIGHT = {"trade": 1.0, "mark": 0.5, "index": 0.0, "premium": 0.5}  # the mark stands between index and last price


@dataclass(frozen=True, eq=False, slots=True)
class Path:
    """A price of a listing through time, in whole units of `unit`.

    All paths of a coin share its shape inside a day, so that they stay together; jitter is the path's own.
    """

    seed: int
    listing: Listing
    price: str  # trade, mark, index or premium

    @property
    def traded(self) -> bool:
        """Whether it is the price of trades."""
        return self.price == "trade"

    @property
    def unit(self) -> Fraction:
        """The smallest step."""
        return Fraction(self.listing.tick) if self.traded else FINE

    @property
    def lot(self) -> Fraction:
        """The smallest size."""
        return Fraction(self.listing.lot)

    @property
    def shape(self) -> str:
        """The name of what it shares with others."""
        quote = self.listing.quote
        return self.listing.coin if quote in DOLLARS else f"{self.listing.coin}/{quote}"

    @property
    def name(self) -> str:
        """The name of what is its own; mark and premium stray together."""
        item = self.listing
        expiry = None if item.perpetual else item.expiry
        return f"{item.market} {item.base} {item.quote} {expiry} {'trade' if self.traded else 'mark'}"

    @property
    def volatility(self) -> float:
        """Standard deviation of a day's move that the coin makes, as a share of the price."""
        return 0.0 if self.price == "premium" else volatility(self.listing)

    @property
    def jitter(self) -> float:
        """The same for what the path adds."""
        return JITTER * WEIGHT[self.price] if self.listing.market is not Market.SPOT else 0.0

    def corner(self, day: int) -> int:
        """The price at the start of a day, counted from the epoch, in units."""
        above = WEIGHT[self.price] * premium(self.seed, self.listing, day)
        if self.price == "premium":
            return round(above / float(self.unit))
        return round(fair(self.seed, self.listing, day) * (1 + above) / float(self.unit))

    @property
    def dearest_lot(self) -> float:
        """More quote units than a lot is ever worth."""
        if self.listing.market is Market.INVERSE:
            return float(self.listing.contract_size)
        coins = multiplier_of(self.listing.base) * float(self.lot)
        return HEADROOM * coins * bounds(self.listing.coin)[1] / bounds(self.listing.quote)[0]

    def turnover(self, day: int) -> float:
        """Quote units traded on a day."""
        item = self.listing
        share = 1.0 if item.perpetual else 0.15 if item.market is Market.SPOT else 0.02
        share *= 1.0 if item.quote == "USDT" else 0.3
        mood = 2 ** smooth(day / 5, self.seed, "turnover", self.shape)
        dollars = COINS[item.coin].turnover * share * mood * (0.7 + 0.6 * draw(self.seed, self.name, day))
        return dollars / dollar_price(self.seed, item.quote, day)


def volatility(listing: Listing) -> float:
    """A coin's volatility; against another coin the market's part of it cancels."""
    own = COINS[listing.coin].volatility
    return own if listing.quote in DOLLARS else own * (1 - TOGETHER / 2)


def dollar_price(seed: int, name: str, day: int) -> float:
    """What a coin or currency costs at the start of a day."""
    if name in DOLLARS:
        return 1.0
    about = COINS[name]
    move = TOGETHER * wander(day, seed, "market") + APART * wander(day, seed, "coin", name)
    return about.level * exp(CALM * about.volatility * move)


def bounds(name: str) -> tuple[float, float]:
    """What a coin or currency costs at least and at most."""
    if name in DOLLARS:
        return 1.0, 1.0
    about = COINS[name]
    most = exp(CALM * about.volatility * (TOGETHER + APART) * REACH)
    return about.level / most, about.level * most


def fair(seed: int, listing: Listing, day: int) -> float:
    """The price of a pair at the start of a day, without any premium."""
    coins = multiplier_of(listing.base)
    return coins * dollar_price(seed, listing.coin, day) / dollar_price(seed, listing.quote, day)


def premium(seed: int, listing: Listing, day: float) -> float:
    """What a contract is worth above the index at a moment counted in days, as a share of it; spot has none."""
    if listing.market is Market.SPOT:
        return 0.0
    mood = PREMIUM * smooth(day / 3, seed, "premium", listing.market, listing.base, listing.quote)
    if listing.perpetual or listing.expiry is None:
        return mood
    left = max(0.0, listing.expiry - day * DAY)
    return min(1.0, left / (7 * DAY)) * mood + CARRY * left / (365 * DAY)
