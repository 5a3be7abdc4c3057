"""The world's own rows, so that what came out of a program can be compared with what is."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.errors import UnknownSymbol, UsageError
from marketcli.models import MILLISECOND, WEEK, Interval, Market, Micros, Window, canonical, iso, parse_market
from marketcli.text import clean, number
from marketcli.windows import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketcli.sandbox.floor import Floor
    from marketcli.simulator import Payment, Simulator
    from marketcli.world import Bar, Interest, Liquidation, Listing, Ratio, Ticker, Trade

Row = dict[str, Any]

MOST_TRADES, MOST_LEVELS = 100_000, 10_000  # of one answer
PRICES = ("trade", "mark", "index", "premium")


def ohlc(floor: Floor, params: Mapping[str, str]) -> list[Row]:
    """The candles that open in a half-open window, the last day unless said; the unfinished one says that it is."""
    listing = asked(floor, params)
    interval = Interval.parse(needed(params, "interval"))
    price = params.get("price") or "trade"
    if price not in PRICES or (listing.market == "spot" and price != "trade"):
        raise UsageError(f"There is no price {clean(price)!r} here.", hint=f"Use one of {', '.join(PRICES)}.")
    return [shown(bar) for bar in floor.world.candles(listing, interval, window_of(floor, params), price=price)]


def funding(floor: Floor, params: Mapping[str, str]) -> list[Row]:
    """The settlements of a perpetual in a half-open window, the last day unless said, with the hours each was for."""
    listing, simulator = asked(floor, params), exchange_of(floor, params)
    return [shown(row) for row in simulator.payments(floor.world, listing, window_of(floor, params))]


def interest(floor: Floor, params: Mapping[str, str]) -> list[Row]:
    """Open interest at the moments of a grid in a half-open window, the last day unless said."""
    listing = asked(floor, params)
    _, times = grid(floor, params)
    return [shown(row) for row in floor.world.interest(listing, times)]


def ratio(floor: Floor, params: Mapping[str, str]) -> list[Row]:
    """Who is long, and what takers did from then on, at the moments of a grid in a half-open window like the above."""
    listing = asked(floor, params)
    return [shown(row) for row in floor.world.ratios(listing, *grid(floor, params))]


def grid(floor: Floor, params: Mapping[str, str]) -> tuple[Interval, list[Micros]]:
    """The interval asked for and its moments in the window."""
    window, interval = window_of(floor, params), Interval.parse(needed(params, "interval"))
    times, time = [], interval.ceil(window.start)
    while time < window.end:
        times.append(time)
        time = interval.step(time)
    return interval, times


def trades(floor: Floor, params: Mapping[str, str]) -> list[Row]:
    """The trades in a half-open window, the last minute unless said. Refuses windows with more than 100,000."""
    listing, world = asked(floor, params), floor.world
    window = window_of(floor, {"start": "1m"} | {name: value for name, value in params.items() if value})
    found = world.next_id(listing, window.end) - world.next_id(listing, window.start)
    if found > MOST_TRADES:
        raise UsageError(f"There are {found:,} trades in that time.", hint=f"{MOST_TRADES:,} are given at once.")
    return [shown(row) for row in world.trades(listing, window)]


def liquidations(floor: Floor, params: Mapping[str, str]) -> list[Row]:
    """The positions closed by force in a half-open window, the last day unless said; each is one of the trades.

    Refuses windows of more than a week.
    """
    listing, window = asked(floor, params), window_of(floor, params)
    if window.end - window.start > WEEK:
        raise UsageError("That is more than a week.", hint="A week is given at once.")
    return [shown(row) for row in floor.world.liquidations(listing, window)]


def book(floor: Floor, params: Mapping[str, str]) -> list[Row]:
    """The best levels of both sides now, 20 unless said: bids from the highest down, then asks from the lowest up."""
    depth = params.get("depth") or "20"
    if not (depth.isascii() and depth.isdigit() and 0 < int(depth) <= MOST_LEVELS):
        raise UsageError(f"{clean(depth)!r} is not a depth.", hint=f"Use a number from 1 to {MOST_LEVELS:,}.")
    found = floor.world.book(asked(floor, params), int(depth))
    head = {"time": iso(found.time), "time_ms": found.time // MILLISECOND, "update_id": found.update_id}
    return [
        head | {"side": side} | level._asdict()
        for side, levels in (("bid", found.bids), ("ask", found.asks))
        for level in levels
    ]


def ticker(floor: Floor, params: Mapping[str, str]) -> list[Row]:
    """The last 24 hours of an instrument, or of all of a market that are or were traded."""
    world, simulator = floor.world, exchange_of(floor, params)
    market = parse_market(needed(params, "market"))
    listings = [asked(floor, params)] if params.get("symbol") else simulator.listings(world, market)
    begun = [listing for listing in listings if listing.listed <= world.now()]
    rows = [(named(listing, simulator), world.ticker(listing)) for listing in begun]
    return [names | shown(row) | {"open_time": iso(row.open_time)} for names, row in rows]


def price(floor: Floor, params: Mapping[str, str]) -> list[Row]:
    """All prices of an instrument now, and the coming funding; what spot does not have is null."""
    listing, world = asked(floor, params), floor.world
    now = world.now()
    row: Row = {"time": iso(now), "time_ms": now // MILLISECOND}
    row |= {"last": world.last(listing), "average": world.average(listing)}
    if listing.market is Market.SPOT:
        return [row | dict.fromkeys(("mark", "index", "rate", "next_time", "interval_h"))]
    found = world.derivative(listing)
    coming = {
        "rate": found.rate,
        "next_time": iso(found.next_time),
        "interval_h": world.terms(listing).interval_h,
    }
    settles = coming if found.next_time else dict.fromkeys(coming)
    return [row | {"mark": found.mark, "index": found.index} | settles]


def asked(floor: Floor, params: Mapping[str, str]) -> Listing:
    """The instrument that exchange, market and symbol name."""
    simulator, market = exchange_of(floor, params), parse_market(needed(params, "market"))
    return find(floor, simulator, market=market, symbol=needed(params, "symbol"))


def window_of(floor: Floor, params: Mapping[str, str]) -> Window:
    """The half-open window asked for, the last day unless said."""
    now = floor.world.now()
    start = parse_time(params.get("start") or "1d", now=now, what="start")
    return Window(start, parse_time(params.get("end") or "now", now=now, what="end"))


def shown(row: Bar | Liquidation | Payment | Interest | Ratio | Ticker | Trade) -> Row:
    """A row of the world with its time as text and in milliseconds."""
    return {"time": iso(row.time), "time_ms": row.time // MILLISECOND} | {
        name: value for name, value in row._asdict().items() if name != "time"
    }


def instruments(floor: Floor, params: Mapping[str, str]) -> list[Row]:
    """Everything that is or was listed, of one market or all."""
    simulator = exchange_of(floor, params)
    market = parse_market(params["market"]) if params.get("market") else None
    return [described(listing, simulator) for listing in simulator.listings(floor.world, market)]


def described(listing: Listing, simulator: Simulator) -> Row:
    """An instrument under both of its names."""
    return {
        "market": str(listing.market),
        **named(listing, simulator),
        "base": simulator.base(listing),
        "quote": listing.quote,
        "settle": listing.settle,
        "contract_size": listing.contract_size,
        "tick": listing.tick,
        "lot": listing.lot,
        "status": listing.status,
        "perpetual": listing.perpetual,
        "listed": iso(listing.listed),
        "expiry": None if listing.expiry is None else iso(listing.expiry),
    }


def named(listing: Listing, simulator: Simulator) -> dict[str, str]:
    """Both names of an instrument; a perpetual that ends keeps its canonical one."""
    expiry = None if listing.perpetual else listing.expiry
    base, settle = simulator.base(listing), listing.settle
    symbol = canonical(base, listing.quote, listing.market, settle=settle, expiry=expiry)
    return {"symbol": symbol, "native": simulator.native(listing)}


def find(floor: Floor, simulator: Simulator, *, market: Market, symbol: str) -> Listing:
    """The instrument with a name, in the exchange's spelling or the canonical one."""
    for listing in simulator.listings(floor.world, market):
        if symbol in named(listing, simulator).values():
            return listing
    raise UnknownSymbol(f"No {market} instrument is called {clean(symbol)!r}.", hint="See /truth/instruments.")


def exchange_of(floor: Floor, params: Mapping[str, str]) -> Simulator:
    """The exchange whose names are used."""
    name = needed(params, "exchange")
    if name not in floor.simulators:
        raise UsageError(
            f"The sandbox has no exchange {clean(name)!r}.", hint=f"Use one of {', '.join(floor.simulators)}."
        )
    return floor.simulators[name]


def needed(params: Mapping[str, str], name: str) -> str:
    """A parameter that cannot be left out."""
    if not params.get(name):
        raise UsageError(f"The parameter {name} is missing.", hint=f"Add {name}=… to the address.")
    return params[name]


def written(rows: list[Row], form: str) -> tuple[bytes, str]:
    """Rows as CSV or JSON, numbers exact, and the media type of it."""
    formats: Mapping[str, Callable[[list[Row]], tuple[bytes, str]]] = {"csv": as_csv, "json": as_json}
    if form not in formats:
        raise UsageError(f"There is no format {clean(form)!r}.", hint="Use csv or json.")
    return formats[form](rows)


def as_json(rows: list[Row]) -> tuple[bytes, str]:
    """A list of objects."""
    return msgspec.json.encode(rows), "application/json"


def as_csv(rows: list[Row]) -> tuple[bytes, str]:
    """A header and a line per row; nothing at all if there are no rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if rows:
        writer.writerow(rows[0])
    writer.writerows([cell(value) for value in row.values()] for row in rows)
    return text.getvalue().encode(), "text/csv; charset=utf-8"


def cell(value: Any) -> str:
    """A value as text: exact, without exponents, true and false in small letters, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return number(value) if isinstance(value, float) else str(value)
