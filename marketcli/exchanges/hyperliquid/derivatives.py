"""Hyperliquid's funding, open interest and prices of perpetuals: wire shapes, decoders, requests.

Source: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint/perpetuals, read in 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from marketcli.errors import DecodeError
from marketcli.exchanges.hyperliquid.rest import HOURLY, Asset, Meta, coin, plus_rows, source
from marketcli.models import HOUR, MINUTE
from marketcli.spec import Amount, Count, Real, decode_json, settlement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketcli.models import Micros
    from marketcli.spec import Page, Params, Query, Rows


# --- the state of the market: one answer per exchange on Hyperliquid, without a time


class Context(msgspec.Struct, frozen=True, rename="camel"):
    """How a perpetual stands: funding per hour, open interest in base with one side counted, a day's volumes."""

    funding: Real | None
    open_interest: Amount | None
    mark_px: Amount | None
    oracle_px: Amount | None
    prev_day_px: Amount | None
    day_ntl_vlm: Amount | None  # in the quote
    day_base_vlm: Amount | None = None


def contexts(body: bytes, query: Query) -> list[tuple[Asset, Context]]:
    """Every perpetual with its state; the two lists belong together by position. Raises `DecodeError`."""
    shape = tuple[Meta, tuple[Context, ...]]
    meta, states = decode_json(body, shape, what=source(query))
    if len(meta.universe) != len(states):
        raise DecodeError(f"{source(query)} are {len(states)} states of {len(meta.universe)} instruments.")
    return list(zip(meta.universe, states, strict=True))


FUNDING_NOW = ("native", "rate", "mark", "index")
INTEREST = ("native", "oi_base", "mark")
PRICES = ("native", "mark", "index")
TICKER = ("native", "mark", "open", "volume_base", "volume_quote")


def funding(body: bytes, query: Query) -> Rows:
    """The running estimate for the coming hour; what is delisted pays no more."""
    return [(asset.name, *coming(now)) for asset, now in contexts(body, query) if not asset.is_delisted]


def coming(now: Context) -> tuple[float | None, ...]:
    """What one perpetual's state says of its funding."""
    return now.funding, now.mark_px or None, now.oracle_px or None


def interest(body: bytes, query: Query) -> Rows:
    """Open interest in base, and the mark price that values it."""
    return [(asset.name, *opened(now)) for asset, now in contexts(body, query)]


def opened(now: Context) -> tuple[float | None, ...]:
    """What one perpetual's state says of its open interest."""
    return now.open_interest, now.mark_px or None


def prices(body: bytes, query: Query) -> Rows:
    """Mark and oracle price; the last trade is not among them."""
    return [(asset.name, now.mark_px or None, now.oracle_px or None) for asset, now in contexts(body, query)]


def tickers(body: bytes, query: Query) -> Rows:
    """What is known of the last 24 hours."""
    return [(asset.name, *day(now)) for asset, now in contexts(body, query)]


def day(now: Context) -> tuple[float | None, ...]:
    """What one perpetual's state says of the last 24 hours."""
    return now.mark_px or None, now.prev_day_px or None, now.day_base_vlm, now.day_ntl_vlm


def context_params(query: Query, _: Page) -> Params:
    """The exchange on Hyperliquid that an instrument trades at: the builder before the colon, or the main one."""
    dex = query.instrument.native.rpartition(":")[0] if query.instrument else ""
    return {"type": "metaAndAssetCtxs", "dex": dex}


def next_hour(now: Micros) -> Micros:
    """When funding is settled next: at every full hour."""
    return now - now % HOUR + HOUR


AT_NOW: Mapping[str, object] = {"time": lambda now: now}  # no state says of what time it is
SETTLED_HOURLY: Mapping[str, object] = {"interval_h": HOURLY, "next_time": next_hour}


# --- funding history


class Settlement(msgspec.Struct, frozen=True, rename="camel"):
    """What was charged at an hour; it is written down up to 120 ms later."""

    funding_rate: Real
    time: Count


SETTLEMENT = ("time", "rate")


def settlements(body: bytes, query: Query) -> Rows:
    """Settlements, oldest first, their times snapped to the minute."""
    what = source(query)
    found: list[Settlement] = decode_json(body, list[Settlement], what=what)
    return [(settlement(one.time, what=what), one.funding_rate) for one in found]


def settlement_params(query: Query, page: Page) -> Params:
    """Bounds a minute wider than asked, for the lateness; the engine clips."""
    if page.window is None:
        raise TypeError("settlements need a window")
    return {
        "type": "fundingHistory",
        **coin(query),
        "startTime": (page.window.start - MINUTE) // 1_000,
        "endTime": (page.window.end + MINUTE) // 1_000,
    }


def settlement_cost(page: Page) -> Mapping[str, int]:
    """What a page of settlements weighs: 20, and 1 for every 20 rows, which come hourly."""
    hours = page.limit if page.window is None else (page.window.end - page.window.start) // HOUR + 2
    return plus_rows(min(page.limit, hours), each=20)
