"""Which methods of which ccxt classes are compared with the world, and why the others are not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.small_world import NOW

from marketcli.exchanges.binance.sandbox import SIMULATOR as BINANCE
from marketcli.exchanges.bybit.sandbox import SIMULATOR as BYBIT
from marketcli.exchanges.hyperliquid.sandbox import SIMULATOR as HYPERLIQUID
from marketcli.exchanges.okx.sandbox import SIMULATOR as OKX
from marketcli.models import Market
from marketcli.world import World

if TYPE_CHECKING:
    from marketcli.simulator import Simulator
    from marketcli.world import Level, Listing, Trade

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
WORLD = World(7, clock=lambda: NOW)  # not the sandbox's own: the same seed is the same world
SIMULATORS = {one.name: one for one in (BINANCE, BYBIT, OKX, HYPERLIQUID)}


class Venue(NamedTuple):
    """A market of a ccxt class; `kind` is how ccxt is told which."""

    client: str
    market: Market

    @property
    def exchange(self) -> str:
        return "binance" if self.client.startswith("binance") else self.client

    @property
    def simulator(self) -> Simulator:
        return SIMULATORS[self.exchange]

    @property
    def kind(self) -> dict[str, str]:
        return {"type": "spot"} if self.market is SPOT else {"type": "swap", "subType": self.market.value}


class Case(NamedTuple):
    """An instrument as a ccxt class knows it."""

    venue: Venue
    symbol: str
    listing: Listing


VENUES = (
    *(Venue("binance", market) for market in Market),
    Venue("binanceusdm", LINEAR),
    Venue("binancecoinm", INVERSE),
    *(Venue("bybit", market) for market in Market),
    *(Venue("okx", market) for market in Market),
    Venue("hyperliquid", SPOT),
    Venue("hyperliquid", LINEAR),
)

# A letter per venue, in the order above: spot, linear and inverse of binance; usdm; coinm; bybit; okx; hyperliquid.
TABLE = """
                            binance usdm coinm bybit okx hyperliquid
fetchMarkets                ===     =    =     ===   === ==
fetchTime                   ===     =    =     ===   === ==
fetchStatus                 ooo     o    o     ooo   === ==
fetchCurrencies             kkk     k    k     kkk   kkk ==
fetchOHLCV                  ===     =    =     ===   === ==
fetchMarkOHLCV              m==     =    =     m==   s== xx
fetchIndexOHLCV             m==     =    =     m==   s== xx
fetchPremiumIndexOHLCV      m==     =    =     m=n   xxx xx
fetchTicker                 ===     =    =     ===   === p=
fetchTickers                ===     =    =     ===   === p=
fetchLastPrices             ===     =    =     xxx   xxx xx
fetchBidsAsks               ===     =    =     ===   xxx xx
fetchMarkPrice              m==     =    =     xxx   www xx
fetchMarkPrices             s==     =    =     xxx   s== xx
fetchOrderBook              ===     =    =     ===   === ==
fetchTrades                 ===     =    =     ===   === uu
fetchFundingRate            s==     =    =     s==   s== s=
fetchFundingRates           s==     =    =     s==   s== s=
fetchFundingRateHistory     s==     =    =     s==   s== s=
fetchFundingInterval        s==     =    =     xxx   s== xx
fetchFundingIntervals       s==     =    =     xxx   xxx xx
fetchOpenInterest           m==     =    =     s==   s== s=
fetchOpenInterests          xxx     x    x     xxx   s== s=
fetchOpenInterestHistory    s==     =    =     s==   s== xx
fetchLongShortRatioHistory  s==     =    =     s==   s== xx
"""
REASONS = {
    "=": "compared with the world",
    "s": "spot has neither funding nor open interest, and no price beside that of its trades",
    "n": "the exchange has it for linear perpetuals only",
    "x": "ccxt has no such method for this exchange",
    "k": "ccxt asks with the keys of an account only, and says that there are none",
    "o": "ccxt asks for the state of accounts and wallets, which is no market data and not simulated",
    "m": "ccxt asks for something else: the contract of the same name, or candles of trades",
    "w": "ccxt leaves out instType, which the documentation requires",
    "p": "ccxt looks for a pair's state by the number of the pair; the two lists belong together by name",
    "u": "ccxt gives the trades of an account; those of all are asked for by its bare request and compared",
}


def letters() -> dict[tuple[str, Venue], str]:
    """The table by method and venue."""
    rows = [line.split() for line in TABLE.strip().splitlines()[1:]]
    return {
        (name, venue): letter for name, *groups in rows for venue, letter in zip(VENUES, "".join(groups), strict=True)
    }


LETTERS = letters()


def symbol_of(exchange: str, listing: Listing) -> str:
    """How ccxt spells an instrument: BTC/USDT, BTC/USDT:USDT, BTC/USDT:USDT-270326."""
    base = listing.base.replace("1000", "K") if exchange == "hyperliquid" else listing.base
    pair = f"{base}/{listing.quote}"
    if listing.market is SPOT:
        return pair
    if listing.perpetual:
        return f"{pair}:{listing.settle}"
    return f"{pair}:{listing.settle}-{datetime.fromtimestamp((listing.expiry or 0) / 10**6, UTC):%y%m%d}"


def every(venue: Venue) -> dict[str, Listing]:
    """What trades at a venue, by ccxt's symbols."""
    traded = [one for one in venue.simulator.listings(WORLD, venue.market) if one.status == "trading"]
    return {symbol_of(venue.exchange, one): one for one in traded}


def lasting(venue: Venue) -> dict[str, Listing]:
    """What trades at a venue and has no end."""
    return {symbol: one for symbol, one in every(venue).items() if one.perpetual or one.market is SPOT}


def venues(method: str, letter: str = "=") -> list[Venue]:
    """Where the table has a letter for a method."""
    return [venue for venue in VENUES if LETTERS[method, venue] == letter]


def cases(method: str, *, dated: bool = True) -> list[Case]:
    """Instruments that a method is compared for at each venue: two usual ones, one by the thousand, a dated one."""
    return [case for venue in venues(method) for case in chosen(venue, dated=dated)]


def chosen(venue: Venue, *, dated: bool) -> list[Case]:
    """The first of each sort of instrument that a venue has."""
    usual, last = lasting(venue), every(venue).keys() - lasting(venue).keys()
    names = [next(symbol for symbol in usual if symbol.startswith(base)) for base in ("BTC/", "SOL/")]
    names += [symbol for symbol in usual if "PEPE/" in symbol][:1] + (sorted(last)[:1] if dated else [])
    return [Case(venue, symbol, every(venue)[symbol]) for symbol in names]


def name_of(case: Case | Venue) -> str:
    """What a test calls a case."""
    return f"{case.venue.client} {case.symbol}" if isinstance(case, Case) else f"{case.client} {case.market}"


def amount_of(client: Any, case: Case, amount: float) -> float:
    """An amount of ccxt in base, of inverse contracts in quote."""
    return amount * (client.market(case.symbol)["contractSize"] or 1)


def size_of(case: Case, row: Level | Trade) -> float:
    """The same of the world."""
    return float(row.contracts * case.listing.contract_size) if case.venue.market is INVERSE else row.size
