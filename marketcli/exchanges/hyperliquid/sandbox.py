"""Hyperliquid as the sandbox plays it: one path that answers by the type in the body.

Written from the documentation (https://hyperliquid.gitbook.io/hyperliquid-docs, read in 2026), not from `rest`: what
one side gets wrong must not be hidden by the other. The answers stand in the `simulated_` modules; here is the table.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from marketcli.exchanges.hyperliquid.simulated_history import candles, candles_weight, funding, funding_weight, payments
from marketcli.exchanges.hyperliquid.simulated_instruments import dexes, meta, metas, spot, status
from marketcli.exchanges.hyperliquid.simulated_requests import (
    LINEAR,
    PATH,
    POOL,
    SPOT,
    asked,
    banned,
    base,
    limited,
    lists,
    missing,
    misunderstood,
    native,
)
from marketcli.exchanges.hyperliquid.simulated_state import (
    book,
    middles,
    perpetual_state,
    spot_state,
    trades,
)
from marketcli.exchanges.hyperliquid.simulated_streams import outlet
from marketcli.simulator import Ask, Refusal, Reply, Route, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class TypeAsk(msgspec.Struct, frozen=True):
    """What every request says."""

    type: str


class Answered(NamedTuple):
    """How a type of request is answered, and what it weighs."""

    answer: Callable[[Ask], Reply]
    weight: Callable[[Ask], int]


def units(count: int, _: Ask) -> int:
    """The weight of a type that weighs the same whatever comes."""
    return count


USUAL, LIGHT, RECENT = partial(units, 20), partial(units, 2), partial(units, 21)
TYPES: Mapping[str, Answered] = {
    "allMids": Answered(middles, LIGHT),
    "allPerpMetas": Answered(metas, USUAL),
    "candleSnapshot": Answered(candles, candles_weight),
    "exchangeStatus": Answered(status, LIGHT),
    "fundingHistory": Answered(funding, funding_weight),
    "l2Book": Answered(book, LIGHT),
    "meta": Answered(meta, USUAL),
    "metaAndAssetCtxs": Answered(perpetual_state, USUAL),
    "perpDexs": Answered(dexes, USUAL),
    "recentTrades": Answered(trades, RECENT),
    "spotMeta": Answered(spot, USUAL),
    "spotMetaAndAssetCtxs": Answered(spot_state, USUAL),
}


def chosen(ask: Ask) -> Answered:
    """How a request is answered, by its type."""
    found = TYPES.get(asked(ask, TypeAsk).type)
    if found is None:
        raise misunderstood()
    return found


def info(ask: Ask) -> Reply:
    """The answer to a request."""
    return chosen(ask).answer(ask)


def weight(ask: Ask) -> int:
    """What a request weighs; those that are refused weigh what most do."""
    try:
        return chosen(ask).weight(ask)
    except Refusal:
        return USUAL(ask)


HOSTS = ("api.hyperliquid.xyz", "api.hyperliquid-testnet.xyz")
SIMULATOR = Simulator(
    name="hyperliquid",
    hosts=dict.fromkeys(HOSTS, frozenset({LINEAR, SPOT})),
    # Not `lasting`: with every candle that opens the oldest of its interval is gone.
    routes=(Route(LINEAR, PATH, weight, info, method="POST"),),
    pools={LINEAR: POOL, SPOT: POOL},
    native=native,
    missing=missing,
    limited=limited,
    banned=banned,
    bounds=("startTime", "endTime"),
    stamps=("t", "time"),
    clocks=("time",),
    words=(("name",),),
    about=lambda ask: f"{ask.path}/{ask.params.get('type', '')}",
    lists=lists,
    base=base,
    payments=payments,
    outlets=tuple(outlet(host) for host in HOSTS),
)
