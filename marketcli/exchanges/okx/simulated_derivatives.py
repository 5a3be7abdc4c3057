"""OKX's funding, open interest, mark and index prices as the sandbox plays them.

Documentation: https://www.okx.com/docs-v5/en/#public-data-rest-api-get-funding-rate, -get-funding-rate-history,
-get-open-interest, -get-mark-price and -get-index-tickers.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from marketcli.exchanges.okx.simulated_requests import (
    INVERSE,
    KEPT,
    LINEAR,
    answer,
    between,
    kind,
    limit_of,
    listing_of,
    native,
    needed,
    of_type,
    pair,
    refusal,
    sized,
    stamp,
    traded,
    unknown,
    wrong,
)
from marketcli.models import DAY, HOUR, SECOND, Interval, Window
from marketcli.simulator import Ask, Reply, newest
from marketcli.text import number

if TYPE_CHECKING:
    from marketcli.world import Interest, Listing, Settlement

CONTRACTS = (LINEAR, INVERSE)
ASTRAY = 0.000_000_3  # how far the last forecast was from what was charged then: the sandbox's own number
ANY = "ANY"


def funding_rate(ask: Ask) -> Reply:
    """The coming settlement of one swap or of all."""
    if needed(ask, "instId") == ANY:
        swaps = [listing for listing in traded(ask, CONTRACTS) if listing.perpetual]
    else:
        swaps = [swap_of(ask)]
    return answer([coming(ask, swap) for swap in swaps if swap.status == "trading"])


def swap_of(ask: Ask) -> Listing:
    """The swap asked for; futures pay no funding."""
    listing = listing_of(ask, CONTRACTS)
    if not listing.perpetual:
        raise wrong("instId")
    return listing


def coming(ask: Ask, swap: Listing) -> dict[str, Any]:
    """The forecast for the settlement to come, and when it and the next one are."""
    now = ask.world.derivative(swap)
    terms = ask.world.terms(swap)
    paid = ask.world.settlements(swap, Window(now.next_time - DAY, ask.now + 1))
    return {
        "instType": "SWAP",
        "instId": native(swap),
        "method": "current_period",
        "formulaType": "withRate",
        "fundingRate": number(now.rate),
        "nextFundingRate": "",
        "fundingTime": stamp(now.next_time),
        "nextFundingTime": stamp(now.next_time + terms.interval_h * HOUR),
        "minFundingRate": number(terms.floor),
        "maxFundingRate": number(terms.cap),
        "interestRate": "0.0001",
        "impactValue": "10000",
        "settState": "settled",
        "settFundingRate": number(paid[-1].rate) if paid else "",
        "premium": number(round(now.mark / now.index - 1, 10)),
        "ts": stamp(ask.now),
    }


def funding_rate_history(ask: Ask) -> Reply:
    """Settlements of three months, newest first."""
    swap, limit = swap_of(ask), limit_of(ask, most=400, default=400)
    start, end = between(ask, "before", "after", until=ask.now + 1)
    window = Window(max(start, ask.now - KEPT, swap.listed), end)
    rows = newest(partial(settled, ask, swap), window, length=HOUR, limit=limit)
    return answer([paid(swap, row) for row in reversed(rows)])


def settled(ask: Ask, swap: Listing, window: Window) -> list[Settlement]:
    """The settlements of a window, which OKX writes down at the very second they are due."""
    rows = ask.world.settlements(swap, Window(window.start, window.end + SECOND))
    due = [row._replace(time=row.time // SECOND * SECOND) for row in rows]
    return [row for row in due if row.time in window]


def paid(swap: Listing, row: Settlement) -> dict[str, Any]:
    """A settlement: what had been forecast, and what was charged."""
    return {
        "instType": "SWAP",
        "instId": native(swap),
        "formulaType": "withRate",
        "method": "current_period",
        "fundingRate": number(round(row.rate + ASTRAY, 10)),
        "realizedRate": number(row.rate),
        "fundingTime": stamp(row.time),
    }


def open_interest(ask: Ask) -> Reply:
    """What is open now, in contracts, base and dollars."""
    listings = of_type(ask, ("SWAP", "FUTURES", "OPTION", "EVENTS"))
    rows = ((listing, ask.world.interest(listing, [ask.now])) for listing in listings)
    return answer([interest(listing, found[0]) for listing, found in rows if found])


def interest(listing: Listing, now: Interest) -> dict[str, str]:
    """What is open in one contract; dollars of all kinds are worth the same in the world."""
    return {
        "instType": kind(listing),
        "instId": native(listing),
        "oi": sized(listing, now.base, now.contracts),
        "oiCcy": number(now.base),
        "oiUsd": number(now.quote),
        "ts": stamp(now.time),
    }


def mark_price(ask: Ask) -> Reply:
    """Mark prices; spot has some for its margin pairs, and the world has none of those."""
    listings = of_type(ask, ("MARGIN", "SWAP", "FUTURES", "OPTION", "EVENTS"))
    return answer([marked(ask, listing) for listing in listings if listing.listed <= ask.now])


def marked(ask: Ask, listing: Listing) -> dict[str, str]:
    """The mark price of one contract."""
    names = {"instType": kind(listing), "instId": native(listing)}
    return names | {"markPx": number(ask.world.derivative(listing).mark), "ts": stamp(ask.now)}


def index_tickers(ask: Ask) -> Reply:
    """Index prices by name or of all pairs with a quote."""
    quote, name = ask.params.get("quoteCcy"), ask.params.get("instId")
    if not (quote or name):
        raise refusal(50015, "Either parameter quoteCcy or instId is required", status=400)
    pairs = {pair(listing): listing for listing in traded(ask, CONTRACTS) if listing.perpetual}
    if name and name not in pairs:
        raise unknown()
    chosen = [found for found in pairs if found == name or (not name and pairs[found].quote == quote)]
    return answer([indexed(ask, found, pairs[found]) for found in chosen])


def indexed(ask: Ask, name: str, listing: Listing) -> dict[str, str]:
    """The price of an index, and its last 24 hours."""
    hours = ask.world.candles(listing, Interval(1, "h"), Window(ask.now - DAY, ask.now + 1), price="index")
    price = ask.world.derivative(listing).index
    opened = hours[0].open if hours else price
    high, low = max([price, *(bar.high for bar in hours)]), min([price, *(bar.low for bar in hours)])
    texts = {"idxPx": price, "open24h": opened, "high24h": high, "low24h": low, "sodUtc0": opened, "sodUtc8": opened}
    return {"instId": name} | {key: number(value) for key, value in texts.items()} | {"ts": stamp(ask.now)}
