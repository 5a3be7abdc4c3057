"""Hyperliquid's lists of instruments as the sandbox plays them.

Documentation: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint/perpetuals and /spot
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.exchanges.hyperliquid.simulated_requests import (
    LINEAR,
    QUOTE,
    SPOT,
    DexAsk,
    answer,
    asked,
    base,
    index,
    listed,
    native,
    over,
    unknown,
)
from marketcli.models import MILLISECOND
from marketcli.simulator import Ask, Reply, places

if TYPE_CHECKING:
    from marketcli.world import Listing

LEVERAGE = 20
USDC, FIRST = 0, 1  # the indexes of tokens: the one that pays, and the first of all others


def meta(ask: Ask) -> Reply:
    """The perpetuals of one exchange on Hyperliquid; the world has the main one only."""
    check_dex(ask)
    return answer(perpetuals(ask))


def metas(ask: Ask) -> Reply:
    """The perpetuals of every exchange on Hyperliquid."""
    return answer([perpetuals(ask)])


def dexes(_: Ask) -> Reply:
    """The exchanges on Hyperliquid: the main one is null, and the world knows no builder's."""
    return answer([None])


def spot(ask: Ask) -> Reply:
    """All tokens and spot pairs."""
    return answer(pairs(ask))


def status(ask: Ask) -> Reply:
    """The exchange's clock."""
    return answer({"time": ask.now // MILLISECOND, "specialStatuses": None})


def check_dex(ask: Ask) -> None:
    """Refuse every exchange on Hyperliquid but the main one, whose name is empty."""
    if asked(ask, DexAsk).dex:
        raise unknown()


def perpetuals(ask: Ask) -> dict[str, Any]:
    """The main exchange; what is delisted keeps its place. Tables up to 50 are of one leverage and not listed."""
    return {
        "universe": [asset(ask, one) for one in listed(ask.world, LINEAR)],
        "marginTables": [],
        "collateralToken": 0,
    }


def asset(ask: Ask, listing: Listing) -> dict[str, Any]:
    """One perpetual."""
    known = {"szDecimals": places(listing.lot), "name": native(listing), "maxLeverage": LEVERAGE}
    return known | {"marginTableId": LEVERAGE} | ({"isDelisted": True} if over(ask.world, listing) else {})


def pairs(ask: Ask) -> dict[str, Any]:
    """The tokens and the pairs between them, which name tokens by index."""
    listings = listed(ask.world, SPOT)
    return {
        "universe": [
            {"tokens": [number, USDC], "name": native(one), "index": index(one), "isCanonical": index(one) == 0}
            for number, one in enumerate(listings, FIRST)
        ],
        "tokens": [
            token(QUOTE, USDC, decimals=8),
            *(token(base(one), number, decimals=places(one.lot)) for number, one in enumerate(listings, FIRST)),
        ],
    }


def token(name: str, number: int, *, decimals: int) -> dict[str, Any]:
    """One token."""
    return {
        "name": name,
        "szDecimals": decimals,
        "weiDecimals": 8,
        "index": number,
        "tokenId": f"0x{number:032x}",
        "isCanonical": number == USDC,
        "evmContract": None,
        "fullName": None,
        "deployerTradingFeeShare": "0.0",
    }
