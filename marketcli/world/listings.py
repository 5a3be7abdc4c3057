"""What trades in the world: coins with their size and nerves, and where and since when each is listed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from marketcli.models import DAY, HOUR, WEEK, Market, Micros, multiplier_of, to_datetime, to_micros

DOLLARS = frozenset({"USDT", "USDC", "FDUSD", "USD"})  # all count as one


@dataclass(frozen=True, slots=True)
class Listing:
    """One thing that trades: `tick` and `lot` are decimal text, `contract_size` quote units per inverse contract.

    `expiry` is the delivery of a dated contract or the end of a delisted one; nothing trades from then on.
    """

    market: Market
    base: str
    quote: str
    settle: str
    perpetual: bool
    listed: Micros
    expiry: Micros | None
    status: str
    contract_size: int
    tick: str
    lot: str

    @property
    def coin(self) -> str:
        """The base without its multiplier."""
        return self.base.removeprefix(str(multiplier_of(self.base)))


class Coin(NamedTuple):
    """A coin: its usual price in dollars, daily volatility, and dollars traded on a day in its largest market."""

    level: float
    volatility: float
    turnover: float


COINS = {
    "BTC": Coin(81_000, 0.034, 1.6e10),
    "ETH": Coin(2_900, 0.040, 1.1e10),
    "SOL": Coin(150, 0.042, 3.5e9),
    "BNB": Coin(640, 0.034, 6e8),
    "XRP": Coin(1.6, 0.038, 1.5e9),
    "DOGE": Coin(0.17, 0.044, 1.2e9),
    "ADA": Coin(0.55, 0.042, 5e8),
    "LINK": Coin(14, 0.042, 4e8),
    "FIL": Coin(3.4, 0.046, 2e8),
    "SUI": Coin(2.4, 0.052, 7e8),
    "PEPE": Coin(0.000_010, 0.058, 9e8),
    "MATIC": Coin(0.55, 0.044, 2e8),
    "POL": Coin(0.38, 0.044, 1e8),
}


class Entry(NamedTuple):
    """A line of the lists below."""

    base: str
    quote: str
    listed: str
    tick: str
    lot: str
    ended: str | None = None


SPOT = (
    Entry("BTC", "USDT", "2017-08-17T04:00", "0.01", "0.00001"),
    Entry("ETH", "USDT", "2017-08-17T04:00", "0.01", "0.0001"),
    Entry("BNB", "USDT", "2017-11-06T03:00", "0.01", "0.001"),
    Entry("ADA", "USDT", "2018-04-17T04:00", "0.0001", "0.1"),
    Entry("XRP", "USDT", "2018-05-04T08:00", "0.0001", "0.1"),
    Entry("LINK", "USDT", "2019-01-16T10:00", "0.01", "0.01"),
    Entry("MATIC", "USDT", "2019-04-26T14:00", "0.0001", "0.1", "2024-09-10T03:00"),
    Entry("DOGE", "USDT", "2019-07-05T12:00", "0.00001", "1"),
    Entry("SOL", "USDT", "2020-08-11T06:00", "0.01", "0.001"),
    Entry("FIL", "USDT", "2020-10-15T08:00", "0.001", "0.01"),
    Entry("SUI", "USDT", "2023-05-03T12:00", "0.0001", "0.1"),
    Entry("PEPE", "USDT", "2023-05-05T16:00", "0.00000001", "1"),
    Entry("POL", "USDT", "2024-09-13T10:00", "0.0001", "0.1"),
    Entry("BTC", "USDC", "2018-12-15T03:00", "0.01", "0.00001"),
    Entry("ETH", "USDC", "2018-12-15T03:00", "0.01", "0.0001"),
    Entry("SOL", "USDC", "2021-08-20T10:00", "0.01", "0.001"),
    Entry("ETH", "BTC", "2017-07-14T04:00", "0.00001", "0.0001"),
)
LINEAR = (
    Entry("BTC", "USDT", "2019-09-08T17:57", "0.10", "0.001"),
    Entry("ETH", "USDT", "2019-11-27T07:45", "0.01", "0.001"),
    Entry("XRP", "USDT", "2020-01-06T08:05", "0.0001", "0.1"),
    Entry("LINK", "USDT", "2020-01-17T08:00", "0.001", "0.01"),
    Entry("ADA", "USDT", "2020-01-31T08:00", "0.0001", "1"),
    Entry("BNB", "USDT", "2020-02-10T08:00", "0.010", "0.01"),
    Entry("DOGE", "USDT", "2020-07-10T09:00", "0.000010", "1"),
    Entry("SOL", "USDT", "2020-09-14T07:00", "0.0100", "0.01"),
    Entry("FIL", "USDT", "2020-10-16T07:00", "0.001", "0.1"),
    Entry("MATIC", "USDT", "2020-10-22T07:00", "0.0001", "1", "2024-09-10T09:00"),
    Entry("SUI", "USDT", "2023-05-03T13:30", "0.000100", "0.1"),
    Entry("1000PEPE", "USDT", "2023-05-05T14:30", "0.0000001", "1"),
    Entry("POL", "USDT", "2024-09-13T10:30", "0.0001", "1"),
    Entry("BTC", "USDC", "2024-01-04T08:00", "0.1", "0.001"),
    Entry("ETH", "USDC", "2024-01-04T08:00", "0.01", "0.001"),
    Entry("SOL", "USDC", "2024-01-04T08:00", "0.0100", "0.01"),
    Entry("1000PEPE", "USDC", "2024-01-04T08:00", "0.0000001", "1"),
)
INVERSE = (
    Entry("BTC", "USD", "2020-08-10T06:00", "0.1", "1"),
    Entry("ETH", "USD", "2020-08-20T07:00", "0.01", "1"),
    Entry("SOL", "USD", "2021-10-12T07:00", "0.001", "1"),
)
DATED = (
    (Market.LINEAR, Entry("BTC", "USDT", "", "0.1", "0.001")),
    (Market.LINEAR, Entry("ETH", "USDT", "", "0.01", "0.001")),
    (Market.INVERSE, Entry("BTC", "USD", "", "0.1", "1")),
    (Market.INVERSE, Entry("ETH", "USD", "", "0.01", "1")),
)


def listings_at(now: Micros) -> list[Listing]:
    """What the exchanges of the world list at a moment, in a stable order; a week ahead it is announced as pending."""
    lasting = [
        lasting_listing(market, entry, now)
        for market, entries in ((Market.SPOT, SPOT), (Market.LINEAR, LINEAR), (Market.INVERSE, INVERSE))
        for entry in entries
    ]
    dated = [dated_listing(market, entry, quarter, now) for market, entry in DATED for quarter in (0, 1)]
    return [listing for listing in (*lasting, *dated) if listing.listed <= now + WEEK]


def lasting_listing(market: Market, entry: Entry, now: Micros) -> Listing:
    """Spot or perpetual."""
    listed, expiry = moment(entry.listed), moment(entry.ended) if entry.ended else None
    return make(market, entry, perpetual=market is not Market.SPOT, life=(listed, expiry), now=now)


def dated_listing(market: Market, entry: Entry, quarter: int, now: Micros) -> Listing:
    """The contract delivered at the end of the running (0) or the following (1) quarter, listed two deliveries ago."""
    return make(market, entry, perpetual=False, life=(delivery(now, quarter - 2), delivery(now, quarter)), now=now)


def make(market: Market, entry: Entry, *, perpetual: bool, life: tuple[Micros, Micros | None], now: Micros) -> Listing:
    """A listing as it stands at a moment."""
    inverse = market is Market.INVERSE
    return Listing(
        market=market,
        base=entry.base,
        quote=entry.quote,
        settle=entry.base if inverse else entry.quote,
        perpetual=perpetual,
        listed=life[0],
        expiry=life[1],
        status=status_at(now, market, *life),
        contract_size=contract_size(entry.base) if inverse else 1,
        tick=entry.tick,
        lot=entry.lot,
    )


def status_at(now: Micros, market: Market, listed: Micros, expiry: Micros | None) -> str:
    """Where a listing is in its life."""
    if now < listed:
        return "pending"
    if expiry is None or now < expiry:
        return "trading"
    return "halted" if market is Market.SPOT else "closing"


def contract_size(base: str) -> int:
    """Dollars that one inverse contract stands for."""
    return 100 if base == "BTC" else 10


def moment(text: str) -> Micros:
    """A date of the lists."""
    return to_micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def delivery(now: Micros, offset: int) -> Micros:
    """The quarterly delivery `offset` quarters after the next one: the quarter's last Friday, 08:00 UTC."""
    today = to_datetime(now)
    quarter = today.year * 4 + (today.month - 1) // 3
    if now >= last_friday(quarter):
        quarter += 1
    return last_friday(quarter + offset)


def last_friday(quarter: int) -> Micros:
    """08:00 UTC on the last Friday of a quarter counted from year 0."""
    following = quarter + 1
    last = datetime(following // 4, following % 4 * 3 + 1, 1, tzinfo=UTC) - timedelta(days=1)
    friday = last - timedelta(days=(last.weekday() - 4) % 7)
    return to_micros(friday) // DAY * DAY + 8 * HOUR
