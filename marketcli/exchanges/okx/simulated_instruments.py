"""OKX's lists of instruments as the sandbox plays them.

Documentation: https://www.okx.com/docs-v5/en/#public-data-rest-api-get-instruments
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.exchanges.okx.simulated_requests import (
    INVERSE,
    LINEAR,
    SPOT,
    answer,
    contract_value,
    kind,
    native,
    of_type,
    pair,
    quotient,
    refusal,
    stamp,
)

if TYPE_CHECKING:
    from marketcli.simulator import Ask, Reply
    from marketcli.world import Listing

TYPES = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION", "EVENTS")
STATES = {"trading": "live", "pending": "preopen", "halted": "suspend", "closing": "expired"}
BLANK = ("alias", "auctionEndTime", "contTdSwTime", "optType", "preMktSwTime", "stk")


def instruments(ask: Ask) -> Reply:
    """The instruments of a type; the world has no margin pairs, options or events."""
    if ask.params.get("instType") == "OPTION" and not (ask.params.get("uly") or ask.params.get("instFamily")):
        raise refusal(50015, "Either parameter uly or instFamily is required", status=400)
    return answer([described(listing) for listing in of_type(ask, TYPES)])


def described(listing: Listing) -> dict[str, Any]:
    """An instrument; what a type does not have is blank."""
    return {
        "instType": kind(listing),
        "instId": native(listing),
        "instCategory": "1",
        "category": "1",
        "ruleType": "normal",
        **dict.fromkeys(BLANK, ""),
        **(contract(listing) if listing.market is not SPOT else spot(listing)),
        "tickSz": listing.tick,
        "listTime": stamp(listing.listed),
        "expTime": "" if listing.expiry is None else stamp(listing.expiry),
        "lever": "10",
        "state": STATES[listing.status],
        **dict.fromkeys(("maxLmtSz", "maxMktSz", "maxTwapSz", "maxIcebergSz", "maxTriggerSz", "maxStopSz"), "1000000"),
    }


def spot(listing: Listing) -> dict[str, str]:
    """What is said of spot alone."""
    blank = ("uly", "instFamily", "settleCcy", "ctVal", "ctMult", "ctValCcy", "ctType")
    sizes = {"lotSz": listing.lot, "minSz": listing.lot}
    return dict.fromkeys(blank, "") | {"baseCcy": listing.base, "quoteCcy": listing.quote} | sizes


def contract(listing: Listing) -> dict[str, str]:
    """What is said of contracts alone: base and quote stand in their underlying only."""
    lot = listing.lot if listing.market is INVERSE else quotient(listing.lot, contract_value(listing))
    return {
        "uly": pair(listing),
        "instFamily": pair(listing),
        "baseCcy": "",
        "quoteCcy": "",
        "settleCcy": listing.settle,
        "ctVal": contract_value(listing),
        "ctMult": "1",
        "ctValCcy": listing.base if listing.market is LINEAR else listing.quote,
        "ctType": "linear" if listing.market is LINEAR else "inverse",
        "lotSz": lot,
        "minSz": lot,
    }
