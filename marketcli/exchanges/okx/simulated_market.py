"""OKX's tickers, order books and trades as the sandbox plays them.

Documentation: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-tickers, -get-order-book,
-get-full-order-book, -get-trades and -get-trades-history.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from marketcli.exchanges.okx.simulated_requests import (
    KEPT,
    SPOT,
    answer,
    kind,
    limit_of,
    listing_of,
    native,
    of_type,
    refusal,
    sized,
    stamp,
    whole_number,
    wrong,
)
from marketcli.models import DAY, HOUR, MILLISECOND, Interval, Micros, Window
from marketcli.simulator import Ask, Reply, newest
from marketcli.text import number

if TYPE_CHECKING:
    from marketcli.world import Level, Listing, Trade

OFFERED = ("askPx", "askSz", "bidPx", "bidSz")


def tickers(ask: Ask) -> Reply:
    """The last 24 hours of everything of a type that trades."""
    found = of_type(ask, ("SPOT", "SWAP", "FUTURES", "OPTION", "EVENTS"))
    return answer([ticker(ask, listing) for listing in found if listing.status == "trading"])


def one_ticker(ask: Ask) -> Reply:
    """The last 24 hours of one instrument."""
    return answer([ticker(ask, listing_of(ask))])


def ticker(ask: Ask, listing: Listing) -> dict[str, Any]:
    """The last 24 hours; volumes are base and quote on spot, contracts and base elsewhere."""
    row, offered = ask.world.ticker(listing), dict.fromkeys(OFFERED, "")
    if row.bid and row.ask:
        sizes = sized(listing, row.ask_size, row.ask_contracts), sized(listing, row.bid_size, row.bid_contracts)
        offered = dict(zip(OFFERED, (number(row.ask), sizes[0], number(row.bid), sizes[1]), strict=True))
    last_contracts = round(row.last_size * row.last / listing.contract_size)
    return {
        "instType": kind(listing),
        "instId": native(listing),
        "last": number(row.last),
        "lastSz": sized(listing, row.last_size, last_contracts),
        **offered,
        "open24h": number(row.open),
        "high24h": number(row.high),
        "low24h": number(row.low),
        "volCcy24h": number(row.volume_quote if listing.market is SPOT else row.volume_base),
        "vol24h": sized(listing, row.volume_base, row.contracts),
        "ts": stamp(row.time),
        "sodUtc0": opened(ask, listing, 0),
        "sodUtc8": opened(ask, listing, 8 * HOUR),
    }


def opened(ask: Ask, listing: Listing, ahead: Micros) -> str:
    """The price at the beginning of the day, where clocks are so far ahead of UTC."""
    begin = (ask.now + ahead) // DAY * DAY - ahead
    found = ask.world.candles(listing, Interval(1, "h"), Window(begin, begin + HOUR))
    return number(found[0].open) if found else ""


def book(ask: Ask, *, most: int, full: bool = False) -> Reply:
    """Both sides of a book; the full one leaves a number out that means nothing any more."""
    listing, depth = listing_of(ask), limit_of(ask, most=most, default=1, name="sz")
    found = ask.world.book(listing, depth)

    def side(levels: list[Level]) -> list[list[str]]:
        rows = [
            (number(level.price), sized(listing, level.size, level.contracts), str(level.orders)) for level in levels
        ]
        return [[price, size, *([] if full else ["0"]), orders] for price, size, orders in rows]

    row = {"asks": side(found.asks), "bids": side(found.bids), "ts": stamp(found.time)}
    return answer([row if full else row | {"seqId": found.update_id}])


def trades(ask: Ask) -> Reply:
    """The newest trades, newest first."""
    listing, limit = listing_of(ask), limit_of(ask, most=500)
    return answer([traded(listing, row) for row in reversed(ask.world.recent_trades(listing, limit))])


def traded(listing: Listing, row: Trade) -> dict[str, Any]:
    """A trade; the side is the taker's."""
    return {
        "instId": native(listing),
        "tradeId": str(row.id),
        "px": number(row.price),
        "sz": sized(listing, row.size, row.contracts),
        "side": row.taker,
        "ts": stamp(row.time),
        "source": "0",
        "seqId": row.id,
    }


def history_trades(ask: Ask) -> Reply:
    """Past trades, newest first: older or newer than an id, or (type 2) older than a time."""
    listing, limit = listing_of(ask), limit_of(ask, most=100)
    way = ask.params.get("type") or "1"
    if way not in PAGES:
        raise wrong("type")
    kept = [row for row in PAGES[way](ask, listing, limit) if row.time >= ask.now - KEPT]
    return answer([traded(listing, row) for row in reversed(kept)])


def by_id(ask: Ask, listing: Listing, limit: int) -> list[Trade]:
    """The newest trades between two ids, neither of which belongs to them."""
    after, before = whole_number(ask, "after"), whole_number(ask, "before")
    if after is None:
        return [row for row in ask.world.recent_trades(listing, limit) if before is None or row.id > before]
    first = max(1, after - limit, 0 if before is None else before + 1)
    return ask.world.trades_from(listing, first, after - first) if first < after else []


def by_time(ask: Ask, listing: Listing, limit: int) -> list[Trade]:
    """The newest trades older than a time."""
    if ask.params.get("before"):
        raise refusal(50039, "The before parameter is not available for requests with timestamps.")
    after = whole_number(ask, "after")
    end = ask.now + 1 if after is None else min(after * MILLISECOND, ask.now + 1)
    window = Window(max(ask.now - KEPT, listing.listed), end)
    return newest(partial(ask.world.trades, listing), window, length=100 * MILLISECOND, limit=limit)


PAGES = {"1": by_id, "2": by_time}
