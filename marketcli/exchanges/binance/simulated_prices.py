"""Binance's prices of the moment as the sandbox plays them.

Documentation: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints and
https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Symbol-Price-Ticker-v2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.exchanges.binance.simulated_instruments import chosen_symbols
from marketcli.exchanges.binance.simulated_requests import (
    LINEAR,
    SPOT,
    answer,
    begun,
    begun_listing,
    native,
    of_pair,
)
from marketcli.models import MILLISECOND, SECOND
from marketcli.simulator import Ask, Reply, decimal, places

if TYPE_CHECKING:
    from marketcli.world import Listing

MINUTES = 5


def average_price(ask: Ask) -> Reply:
    """The average of what was traded on spot in the last minutes."""
    price = decimal(ask.world.average(begun_listing(ask, SPOT), MINUTES), 8)
    return answer({"mins": MINUTES, "price": price, "closeTime": second_of(ask)})


def spot_prices(ask: Ask) -> Reply:
    """The last price of one instrument as an object, of several or all as a list; without a time."""
    if ask.params.get("symbol"):
        return answer(spot_price(ask, begun_listing(ask, SPOT)))
    return answer([spot_price(ask, listing) for listing in chosen_symbols(ask, begun(ask, SPOT))])


def spot_price(ask: Ask, listing: Listing) -> dict[str, Any]:
    """The last price of a spot instrument."""
    return {"symbol": native(listing), "price": decimal(ask.world.last(listing), 8)}


def contract_prices(ask: Ask) -> Reply:
    """The last price of one USD-M instrument as an object, of all as a list."""
    if ask.params.get("symbol"):
        return answer(contract_price(ask, begun_listing(ask, LINEAR)))
    return answer([contract_price(ask, listing) for listing in begun(ask, LINEAR)])


def contract_price(ask: Ask, listing: Listing) -> dict[str, Any]:
    """The last price of a contract, and when it was made."""
    price = decimal(ask.world.last(listing), places(listing.tick))
    return {"symbol": native(listing), "price": price, "time": second_of(ask)}


def inverse_prices(ask: Ask) -> Reply:
    """The last prices of COIN-M instruments: always a list."""
    return answer([contract_price(ask, listing) | {"ps": listing.base + listing.quote} for listing in of_pair(ask)])


def second_of(ask: Ask) -> int:
    """The second that holds now, in milliseconds: prices of the world change once in a second."""
    return ask.now // SECOND * SECOND // MILLISECOND
