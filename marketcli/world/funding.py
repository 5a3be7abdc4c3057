"""Funding of perpetuals: when each settles, on which terms, and at what rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from marketcli.models import DAY, HOUR, MILLISECOND, Micros, Window
from marketcli.world.listings import moment
from marketcli.world.noise import draw
from marketcli.world.prices import premium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketcli.world.listings import Listing

USUAL = 8  # hours that interest and clamp are said for
INTEREST = 0.000_1  # what is paid while the premium is near it
CLAMP = 0.000_5  # how near
STRAY = 0.000_2  # how far a settlement's premium is from the mood of its days
LATE = 21  # a settlement is written fewer milliseconds after it is due
CAPS = {"BTC": 0.003, "ETH": 0.003}
CAP = 0.02
CHANGES = {  # since when a coin's perpetuals settle every so many hours
    "DOGE": ((moment("2026-03-02T00:00"), 4), (moment("2026-09-01T00:00"), 1)),
    "SOL": ((moment("2025-05-01T00:00"), 4),),
}


class Settlement(NamedTuple):
    """A payment that was made: `rate` is a share of the position's value at `mark`; longs pay if it is positive."""

    time: Micros
    rate: float
    mark: float


class Terms(NamedTuple):
    """Hours between settlements, and the bounds of a rate."""

    interval_h: int
    cap: float
    floor: float


@dataclass(frozen=True, slots=True)
class Derivative:
    """A contract as it stands: `rate` is the running estimate for `next_time`; both are 0 where nothing is settled."""

    time: Micros
    mark: float
    index: float
    rate: float
    next_time: Micros


def terms_at(listing: Listing, time: Micros) -> Terms:
    """The terms in force at a moment."""
    changed = [hours for since, hours in CHANGES.get(listing.coin, ()) if since <= time]
    cap = CAPS.get(listing.coin, CAP)
    return Terms(changed[-1] if changed else USUAL, cap, -cap)


def usual_terms(listing: Listing) -> Terms:
    """The terms before any change."""
    return terms_at(listing, 0)


def due(listing: Listing, window: Window) -> Iterator[Micros]:
    """When a perpetual settles inside a window; the settlement at a change is the last on the old terms."""
    changes = ((0, USUAL), *CHANGES.get(listing.coin, ()))
    ends = [since for since, _ in changes[1:]]
    for (since, hours), until in zip(changes, [*ends, window.end], strict=True):
        length = hours * HOUR
        first = max(window.start, since + 1, listing.listed + 1)
        last = min(window.end, until + 1, listing.expiry or window.end)
        yield from range(-(-first // length) * length, last, length)


def next_due(listing: Listing, now: Micros) -> Micros:
    """The coming settlement; 0 if there is none."""
    if not listing.perpetual or now < listing.listed:
        return 0
    return next(due(listing, Window(now + 1, now + 1 + USUAL * HOUR)), 0)


def written(seed: int, listing: Listing, time: Micros) -> Micros:
    """When the settlement that is due at a moment is written down."""
    late = draw(seed, "jitter", listing.market, listing.base, listing.quote, time) ** 3
    return time + int(late * LATE) * MILLISECOND


def rate_for(seed: int, listing: Listing, time: Micros, *, until: Micros) -> float:
    """The rate of the settlement that is due at a moment, by what is known `until` then."""
    terms = terms_at(listing, time - 1)
    middle = (time - terms.interval_h * HOUR + until) / 2
    stray = STRAY * (2 * draw(seed, "funding", listing.market, listing.base, listing.quote, time) - 1)
    return rate_of(premium(seed, listing, middle / DAY) + stray, terms)


def rate_of(above: float, terms: Terms) -> float:
    """The rate that follows from an average premium: the interest while it is near, and never beyond the bounds."""
    paid = above + max(-CLAMP, min(CLAMP, INTEREST - above))
    bounded = max(terms.floor, min(terms.cap, paid * terms.interval_h / USUAL))
    return round(bounded, 8) + 0.0  # no negative zero
