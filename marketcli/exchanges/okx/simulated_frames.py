"""What OKX's channels send, as the sandbox plays them: a table of streams.

Documentation: the channels of https://www.okx.com/docs-v5/en/#order-book-trading-market-data and #public-data.
"""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from marketcli.exchanges.okx.simulated_candles import bars, indexed, price_row, trade_row
from marketcli.exchanges.okx.simulated_derivatives import indexed as index_price
from marketcli.exchanges.okx.simulated_derivatives import interest
from marketcli.exchanges.okx.simulated_market import traded
from marketcli.exchanges.okx.simulated_requests import (
    INVERSE,
    LINEAR,
    kind,
    listing_of,
    lists,
    native,
    pair,
    sized,
    stamp,
)
from marketcli.models import SECOND, Window
from marketcli.simulator import Ask, Frame, Refusal, beats
from marketcli.text import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from marketcli.exchanges.okx.simulated_candles import Grid
    from marketcli.models import Micros
    from marketcli.world import Listing, World
    from marketcli.world.liquidations import Liquidation
    from marketcli.world.trades import Trade

FORCED = "liquidation-orders"


class Stream(NamedTuple):
    """A channel: who it can be about, what it sends in a window, and what at once when somebody subscribes.

    `about` raises `Refusal` for what the channel does not have.
    """

    about: Callable[[Ask], Listing]
    frames: Callable[[str, World, Window, float], Iterable[Frame]]
    first: Callable[[str, World], Iterable[str]] = lambda *_: ()


def asking(topic: str, world: World) -> Ask:
    """What a topic is about, as a request would ask for it."""
    return Ask("", "", {"instId": topic.partition(":")[2]}, world)


def argument(topic: str) -> dict[str, str]:
    """How a topic stands in requests, answers and frames."""
    channel, _, name = topic.partition(":")
    return {"channel": channel, "instType" if channel == FORCED else "instId": name}


def subject(about: Callable[[Ask], Listing], topic: str, world: World) -> Listing | None:
    """What a topic is about, while the exchange lists it."""
    try:
        return about(asking(topic, world))
    except Refusal:
        return None


def frame(topic: str, *data: Any) -> str:
    """A frame of data."""
    return msgspec.json.encode({"arg": argument(topic), "data": data}).decode()


def alive(listing: Listing, time: Micros) -> bool:
    """Whether it trades at a moment."""
    return listing.listed <= time < (listing.expiry or time + 1)


def settled(world: World, window: Window) -> World:
    """The world when everything that was traded in a window is known: it tells whole seconds only."""
    return world.at(window.end + SECOND)


def trades(topic: str, world: World, window: Window) -> Iterator[tuple[Listing, Trade]]:
    """What was traded in a window, even if a contract ends within it."""
    listing = subject(listing_of, topic, world.at(window.start))
    if listing is not None:
        yield from ((listing, row) for row in settled(world, window).trades(listing, window))


def single(topic: str, world: World, window: Window, _: float) -> Iterator[Frame]:
    """Each trade when it is made."""
    for listing, row in trades(topic, world, window):
        yield Frame(row.time, frame(topic, traded(listing, row)))


def merged(topic: str, world: World, window: Window, _: float) -> Iterator[Frame]:
    """What was traded at a time and price on one side, under the id of the last of it."""
    found = trades(topic, world, window)
    for __, group in groupby(found, key=lambda one: (one[1].time, one[1].price, one[1].taker)):
        listings, rows = zip(*group, strict=True)
        size, contracts = round(sum(row.size for row in rows), 10), sum(row.contracts for row in rows)
        whole = {"sz": sized(listings[-1], size, contracts), "count": str(len(rows))}
        yield Frame(rows[-1].time, frame(topic, traded(listings[-1], rows[-1]) | whole))


# --- states: sent ever again


def as_index(ask: Ask, listing: Listing) -> Any:
    """The price of an index."""
    return index_price(ask, pair(listing), listing)


def as_interest(ask: Ask, listing: Listing) -> Any:
    """What is open; of real candles from a file nothing is known."""
    found = ask.world.interest(listing, [ask.now])
    return interest(listing, found[0]) if found else None


def state(about: Callable[[Ask], Listing], said: Callable[[Ask, Listing], Any], every: float) -> Stream:
    """A channel that tells how something stands every so many seconds, and when somebody subscribes."""

    def now(topic: str, world: World) -> Iterator[str]:
        ask, listing = asking(topic, world), subject(about, topic, world)
        row = said(ask, listing) if listing and alive(listing, ask.now) else None
        if row is not None:
            yield frame(topic, row)

    def frames(topic: str, world: World, window: Window, pace: float) -> Iterator[Frame]:
        for time in beats(window, every / pace):
            yield from (Frame(time, text) for text in now(topic, world.at(time)))

    return Stream(about, frames, now)


# --- candles: the running one every second, and each once more when it is over


contract_of = partial(listing_of, markets=(LINEAR, INVERSE))
SUBJECTS: dict[str, Callable[[Ask], Listing]] = {"trade": listing_of, "mark": contract_of, "index": indexed}


def candle(price: str, grid: Grid) -> Stream:
    """A channel of candles."""
    about = SUBJECTS[price]

    def at(topic: str, world: World, opened: Micros) -> Iterator[str]:
        ask, listing = asking(topic, world), subject(about, topic, world) or subject(about, topic, world.at(opened))
        if listing is None:
            return
        for bar in bars(ask, listing, grid, price, Window(opened, opened + 1)):
            if bar.closed or alive(listing, ask.now):
                yield frame(topic, trade_row(bar, listing) if price == "trade" else price_row(bar))

    def now(topic: str, world: World) -> Iterator[str]:
        return at(topic, world, grid.floor(world.now()))

    def frames(topic: str, world: World, window: Window, pace: float) -> Iterator[Frame]:
        over = set(grid.opens(window))
        for time in sorted(over.union(beats(window, 1 / pace))):
            shown, opened = world.at(time), grid.floor(time)
            closing = at(topic, shown, grid.step(opened, -1)) if time in over else ()
            yield from (Frame(time, text) for text in (*closing, *now(topic, shown)))

    return Stream(about, frames, now)


# --- liquidations: of all instruments of a type, together what came within half a second

TOGETHER = SECOND // 2


def forced(topic: str, world: World, window: Window, _: float) -> Iterator[Frame]:
    """The orders of half a second that close positions, by instrument, when it is over."""
    times = beats(window, TOGETHER / SECOND)
    if not times:
        return
    span = Window(times[0] - TOGETHER, times[-1])
    known, data = settled(world, span), dict[int, list[dict[str, Any]]]()
    for listing in of_type(topic, world.at(span.start)):
        rows = known.liquidations(listing, span)
        for slot, found in groupby(rows, key=lambda row: row.time // TOGETHER):
            data.setdefault((slot + 1) * TOGETHER, []).append(closed(listing, found))
    yield from (Frame(time, frame(topic, *data[time])) for time in sorted(data))


def of_type(topic: str, world: World) -> list[Listing]:
    """The instruments that a channel by type is about."""
    return [one for one in world.listings() if lists(one) and kind(one) == topic.partition(":")[2]]


def closed(listing: Listing, rows: Iterable[Liquidation]) -> dict[str, Any]:
    """Some orders of an instrument; half of the positions are of accounts that have one only."""
    names = {"instType": kind(listing), "instId": native(listing), "uly": pair(listing), "instFamily": pair(listing)}
    return names | {
        "details": [
            {
                "side": "sell" if row.liquidated == "long" else "buy",
                "posSide": row.liquidated if row.id % 2 else "net",
                "bkPx": number(row.bankrupt),
                "sz": sized(listing, row.size, row.contracts),
                "bkLoss": "0",
                "ccy": "",
                "ts": stamp(row.time),
            }
            for row in rows
        ]
    }
