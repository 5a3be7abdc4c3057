"""Instruments by name: the exchange's own lists, kept for a day, and what people write looked up in them."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import logging
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.disk import staged
from marketcli.errors import AmbiguousSymbol, DecodeError, LocalError, MarketError, NotOffered, UnknownSymbol
from marketcli.history.snapshot import joined
from marketcli.models import DAY, SECOND, Instrument, Market, Micros, canonical
from marketcli.spec import Query
from marketcli.text import clean, path_part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from marketcli.net.client import Client
    from marketcli.spec import Endpoint, Exchange, Page, Rows

log = logging.getLogger("marketcli.catalog")

FRESH: Micros = DAY  # a list younger than this is used as it is
USABLE: Micros = 7 * DAY  # an older one is waited for
JUST_NOW: Micros = 60 * SECOND  # a name missing from an older list may be a new listing
SUGGESTIONS = 3
FIELDS = [one.name for one in fields(Instrument) if one.name not in {"exchange", "market"}]
SHAPE = 3  # of what is kept; raised when instruments gain a field that lists of before would lack


class Kept(msgspec.Struct, frozen=True):
    """An instrument list as it is kept on disk."""

    fetched: Micros
    instruments: list[Instrument]


@dataclass(slots=True)
class Catalog:
    """The instruments of one exchange and site.

    `folder` is where lists are kept between commands (None: nowhere); `quotes` decide what a bare base means.
    """

    client: Client
    exchange: Exchange
    site: str
    quotes: Sequence[str]
    folder: Path | None = None
    refresh: bool = False
    lists: dict[Market, Kept] = field(default_factory=dict)
    renewals: dict[Market, asyncio.Task[Kept]] = field(default_factory=dict)

    async def close(self) -> None:
        """Leave renewals that have not come; the old lists serve."""
        for task in self.renewals.values():
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self.renewals.values(), return_exceptions=True)

    def markets(self) -> tuple[Market, ...]:
        """The markets of the exchange, linear first."""
        return self.exchange.markets

    async def instruments(self, market: Market) -> list[Instrument]:
        """The list of a market, from memory, disk or the exchange."""
        if market not in self.lists:
            kept = None if self.refresh else self.read(market)
            age = self.now() - kept.fetched if kept else USABLE
            if kept is None or age >= USABLE or age < 0:
                kept = await self.fetch(market)
            elif age >= FRESH:
                self.renewals[market] = asyncio.create_task(self.fetch(market))
            self.lists[market] = kept
        return self.lists[market].instruments

    async def fetch(self, market: Market) -> Kept:
        """Ask the exchange for a list and keep it."""
        endpoint = next((e for e in self.exchange.instruments if market in e.markets), None)
        if endpoint is None:
            raise NotOffered(f"{self.exchange.title} has no {market} market.", hint="See `mkt exchanges`.")
        rows = await joined(self.ask, endpoint, Query(endpoint.dataset, market), now=self.now)
        # What changes its state between two pages stands on both.
        alone = {row["native"]: row for row in rows}.values()
        found = distinct([listed(self.exchange.name, market, row) for row in alone])
        kept = Kept(self.now(), sorted(found, key=lambda one: (one.base, one.symbol)))
        self.write(market, kept)
        self.lists[market] = kept
        return kept

    async def ask(self, endpoint: Endpoint, query: Query, page: Page) -> Rows:
        """The rows of a page."""
        return await self.client.ask(self.exchange, self.exchange.sites[self.site], endpoint, query, page=page)

    def now(self) -> Micros:
        """The time lists are dated by."""
        return int(self.client.outside.wall() * SECOND)

    def path(self, market: Market) -> Path | None:
        """Where the list of a market is kept."""
        name = f"{path_part(self.exchange.name)}-{path_part(self.site)}-{market}.{SHAPE}.json"
        return self.folder / name if self.folder else None

    def read(self, market: Market) -> Kept | None:
        """The kept list, if there is one this version can read."""
        path = self.path(market)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Kept) if path else None
        except (OSError, msgspec.DecodeError) as error:
            log.debug("no usable list in %s: %s", path, error)
            return None

    def write(self, market: Market, kept: Kept) -> None:
        """Keep a list; not being able to costs a request next time, nothing more."""
        path = self.path(market)
        if path is None:
            return
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with staged(path, force=True, mode=0o600) as file:
                file.write(msgspec.json.encode(kept))
        except (OSError, LocalError) as error:
            log.info("the instrument list is not kept: %s", error)

    async def resolve(self, name: str, market: Market | None = None) -> Instrument:
        """The instrument a name means. Raises `UnknownSymbol` with the nearest names, `AmbiguousSymbol` with all."""
        found = await self.look_up(name, market)
        if found is None and self.aged(market):
            self.lists.clear()
            self.refresh = True
            found = await self.look_up(name, market)
        if found is None:
            raise await self.unknown(name, market)
        return found

    def aged(self, market: Market | None) -> bool:
        """Whether a list that was looked in may have missed a new listing."""
        looked = [kept for one, kept in self.lists.items() if market in {None, one}]
        return any(self.now() - kept.fetched > JUST_NOW for kept in looked)

    async def look_up(self, name: str, market: Market | None) -> Instrument | None:
        """The one instrument of that name: first in the linear list, then in the others together."""
        markets = [market] if market else self.markets()
        for group in (markets[:1], markets[1:]):
            lists = await asyncio.gather(*(self.instruments(one) for one in group))
            pool = [instrument for instruments in lists for instrument in instruments]
            found = one_of(matches(pool, name), name) or compact(pool, name) or bare(pool, name, self.quotes)
            if found:
                return found
        return None

    async def spellings(self, name: str, market: Market | None = None) -> list[Instrument]:
        """Every instrument a name could mean, the one it does mean first."""
        lists = await asyncio.gather(*(self.instruments(one) for one in ([market] if market else self.markets())))
        pool = [instrument for instruments in lists for instrument in instruments]
        word = name.casefold()
        found = [one for one in pool if word in {*spelled(one), one.base.casefold(), one.coin.casefold()}]
        places = {quote: place for place, quote in enumerate(self.quotes)}
        found.sort(key=lambda one: places.get(one.quote, len(places)))
        try:
            chosen = await self.look_up(name, market)
        except AmbiguousSymbol:
            chosen = None
        if not found and chosen is None:
            raise await self.unknown(name, market)
        return [*([chosen] if chosen else []), *(one for one in found if one is not chosen)]

    async def unknown(self, name: str, market: Market | None) -> UnknownSymbol:
        """The error for a name nobody has, with the nearest ones that exist."""
        where = f"the {market} market of {self.exchange.title}" if market else self.exchange.title
        names: dict[str, str] = {}
        for one in [market] if market else self.markets():
            with contextlib.suppress(MarketError):
                for instrument in await self.instruments(one):
                    telling = instrument.base.casefold() in instrument.native.casefold()  # @142 tells nobody anything
                    said = instrument.native if telling else instrument.symbol
                    names |= dict.fromkeys((*spelled(instrument), instrument.base.casefold()), said)
        close = difflib.get_close_matches(name.casefold(), names, n=2 * SUGGESTIONS, cutoff=0.6)
        near = list(dict.fromkeys(clean(names[word]) for word in close))[:SUGGESTIONS]
        hint = f"Did you mean {' or '.join(near)}?" if near else "See `mkt instruments --search NAME`."
        return UnknownSymbol(f"{where} has no instrument '{clean(name)}'.", hint=hint)


def listed(exchange: str, market: Market, row: dict[str, Any]) -> Instrument:
    """An instrument from the columns its exchange gives; its canonical name follows from them. Raises `DecodeError`."""
    if lacking := [name for name in ("base", "quote", "settle") if not row.get(name)]:
        raise DecodeError(f"{exchange} lists {clean(row['native'])} without its {lacking[0]}.")
    name = canonical(row["base"], row["quote"], market, settle=row["settle"], expiry=row.get("delivery"))
    known = {field: row[field] for field in FIELDS if row.get(field) is not None}
    return Instrument(**{"exchange": exchange, "market": market, "symbol": name} | known)


def distinct(found: list[Instrument]) -> list[Instrument]:
    """The instruments with names of their own: those that share one get their settlement currency into it.

    Of those that still share one, the one spelled as its pair is keeps it; the others go by the exchange's spelling.
    """
    for named in (settled, lambda one: one.native):
        groups: dict[str, list[Instrument]] = {}
        for one in found:
            groups.setdefault(one.symbol, []).append(one)
        found = [one if keeps(one, groups[one.symbol]) else replace(one, symbol=named(one)) for one in found]
    return found


def keeps(one: Instrument, sharing: list[Instrument]) -> bool:
    """Whether an instrument may keep the name it shares with others."""
    regular = [
        other for other in sharing if other.native.casefold().startswith(f"{other.base}{other.quote}".casefold())
    ]
    return len(sharing) == 1 or (regular == [one] and len({other.settle for other in sharing}) == 1)


def settled(one: Instrument) -> str:
    """A canonical name with the settlement currency in it."""
    head, tail = f"{one.base}-{one.quote}", one.symbol.removeprefix(f"{one.base}-{one.quote}")
    return one.symbol if tail.startswith("_") else f"{head}_{one.settle}{tail}"


def spelled(instrument: Instrument) -> set[str]:
    """All ways to write an instrument's full name, case-blind."""
    return {text.casefold() for text in (instrument.native, instrument.symbol, instrument.unified)}


def matches(pool: list[Instrument], name: str) -> list[Instrument]:
    """The instruments of a full name: exactly native, else canonical, else unified, else any of them case-blind."""
    for found in (
        [one for one in pool if one.native == name],
        [one for one in pool if one.symbol == name],
        [one for one in pool if one.unified == name],
        [one for one in pool if name.casefold() in spelled(one)],
    ):
        if found:
            return found
    return []


def one_of(found: list[Instrument], name: str) -> Instrument | None:
    """The only one of several; what still trades goes before what does not."""
    trading = [one for one in found if one.status == "trading"]
    best = trading if len(trading) == 1 else found
    if len(best) > 1:
        names = ", ".join(f"{clean(one.symbol)} ({one.market} {clean(one.native)})" for one in best[:6])
        raise AmbiguousSymbol(
            f"'{clean(name)}' can mean {len(best)} instruments: {names}.",
            hint="Write the canonical name, or say --market spot, linear or inverse.",
        )
    return best[0] if best else None


def compact(pool: list[Instrument], name: str) -> Instrument | None:
    """What base and quote written together mean, as BTCUSDT: the perpetual, then the spot pair."""
    mine = [one for one in pool if f"{one.base}{one.quote}".casefold() == name.casefold()]
    return one_of([one for one in mine if one.perpetual], name) or one_of(
        [one for one in mine if one.market is Market.SPOT], name
    )


def bare(pool: list[Instrument], name: str, quotes: Sequence[str]) -> Instrument | None:
    """What a bare base means: its perpetual, then its spot pair, in the first quote there is; never a rescaled one."""
    mine = [one for one in pool if one.base.casefold() == name.casefold()]
    kinds: tuple[Callable[[Instrument], bool], ...] = (
        lambda one: one.perpetual,
        lambda one: one.market is Market.SPOT,
    )
    for kind in kinds:
        for quote in quotes:
            if found := one_of([one for one in mine if kind(one) and one.quote == quote], name):
                return found
    return None
