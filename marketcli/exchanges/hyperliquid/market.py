"""Hyperliquid's spot prices and tickers, books and trades: wire shapes, decoders, requests.

Sources: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint, its page about spot, and,
for trades, which are documented for the socket only, the page about subscriptions; read in 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from marketcli.exchanges.hyperliquid.rest import UNREADABLE, coin, source, told
from marketcli.models import GENESIS, MILLISECOND
from marketcli.spec import LATEST_STAMP, Amount, Count, decode_json, micros

if TYPE_CHECKING:
    from marketcli.spec import Page, Params, Query, Rows


# --- spot: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint/spot


class SpotState(msgspec.Struct, frozen=True, rename="camel"):
    """How a pair stands."""

    mark_px: Amount | None
    prev_day_px: Amount | None
    day_ntl_vlm: Amount | None  # in the quote
    day_base_vlm: Amount | None = None


class SpotContext(SpotState, frozen=True, rename="camel", kw_only=True):
    """How one of all pairs stands; `coin` is its name, and the list has another order than that of the pairs."""

    coin: str


def spot_contexts(body: bytes, query: Query) -> tuple[SpotContext, ...]:
    """The state of every pair."""
    shape = tuple[msgspec.Raw, tuple[SpotContext, ...]]
    found: tuple[msgspec.Raw, tuple[SpotContext, ...]] = decode_json(body, shape, what=source(query))
    return found[1]


NO_EXTREMES = "Hyperliquid's 24 hours have no last trade, bid, ask, high or low; change is of the mark price."
SPOT_PRICES = ("native", "mark")
SPOT_TICKER = ("native", "mark", "open", "volume_base", "volume_quote")


def spot_prices(body: bytes, query: Query) -> Rows:
    """Mark prices; the last trade is not among them."""
    return [(now.coin, now.mark_px or None) for now in spot_contexts(body, query)]


def spot_tickers(body: bytes, query: Query) -> Rows:
    """What is known of the last 24 hours."""
    return [(now.coin, *spot_day(now)) for now in spot_contexts(body, query)]


def spot_day(now: SpotState) -> tuple[float | None, ...]:
    """What one pair's state says of the last 24 hours."""
    return now.mark_px or None, now.prev_day_px or None, now.day_base_vlm, now.day_ntl_vlm


# --- book: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint#l2-book-snapshot


class Level(msgspec.Struct, frozen=True):
    """A price of the book: what rests there, and how many orders."""

    px: Amount
    sz: Amount
    n: Count | None = None


class Snapshot(msgspec.Struct, frozen=True):
    """The book: bids from the highest down, asks from the lowest up."""

    time: int
    levels: tuple[tuple[Level, ...], tuple[Level, ...]]


BOOK = ("time", "side", "price", "size", "orders")


def book(body: bytes, query: Query) -> Rows:
    """Both sides, best prices first; of what is delisted there is nothing."""
    found: Snapshot = decode_json(body, Snapshot, what=source(query))
    time = micros(found.time, what=source(query))
    return [
        (time, side, level.px, level.sz, level.n)
        for side, levels in zip(("bid", "ask"), found.levels, strict=True)
        for level in levels
    ]


def book_params(query: Query, _: Page) -> Params:
    """The book of an instrument, which always has its 20 best prices."""
    return {"type": "l2Book", **coin(query)}


# --- trades: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions


class Trade(msgspec.Struct, frozen=True, gc=False):
    """A trade; `side` is what the taker did: B bought, A sold. `tid` is a hash, so it does not grow."""

    side: Literal["B", "A"]
    px: Amount
    sz: Amount
    time: int
    tid: Count


TRADE = ("time", "id", "price", "size", "side")
TRADES = msgspec.json.Decoder(list[Trade], strict=False)
SIDES = {"B": "buy", "A": "sell"}
TOLD = "Hyperliquid's trades"
STAMPS = range(GENESIS // MILLISECOND, LATEST_STAMP // MILLISECOND)  # in milliseconds, as nearly all are


def trades(body: bytes, _: Query) -> Rows:
    """The trades of an answer, or of a frame."""
    try:
        found = TRADES.decode(body)
    except UNREADABLE:
        found = told(body, TRADES, what=TOLD)
    return [
        (
            one.time * MILLISECOND if one.time in STAMPS else micros(one.time, what=TOLD),
            str(one.tid),
            one.px,
            one.sz,
            SIDES[one.side],
        )
        for one in found
    ]


def trade_params(query: Query, _: Page) -> Params:
    """The newest trades of an instrument; how many cannot be said."""
    return {"type": "recentTrades", **coin(query)}
