"""What an exchange says about itself: constants and pure functions, no I/O.

`Exchange` is a table of cells. A cell (`Endpoint`) answers one dataset for some markets; an engine takes a cell, asks,
and decodes. What is supported is what is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from marketcli.errors import CutBody, DecodeError, ExchangeError, MalformedBody, MarketError
from marketcli.models import GENESIS, MILLISECOND, MINUTE, SECOND, Instrument, Interval, Market, Micros, Window
from marketcli.text import clean

if TYPE_CHECKING:
    from datetime import timedelta

    from marketcli.datasets import Dataset

# Numbers on the wire. The bounds are what keeps "NaN" and "Infinity" out: msgspec's lax mode lets them through without.
# They are this wide because a month of PEPE or SHIB trades more than 1e15 coins.
Real = Annotated[float, Meta(ge=-1e21, le=1e21)]
Amount = Annotated[float, Meta(ge=0, le=1e21)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]

Rows: TypeAlias = list[tuple[Any, ...]]  # one tuple per row in the order of Endpoint.columns; nothing else crosses
Params: TypeAlias = Mapping[str, "str | int"]


class Continued(list[tuple[Any, ...]]):
    """Rows of an exchange that says where the next page begins: its `cursor`, empty at the end."""

    def __init__(self, rows: Iterable[tuple[Any, ...]], cursor: str) -> None:
        super().__init__(rows)
        self.cursor = cursor


EMPTY: Mapping[Any, Any] = MappingProxyType({})
EVERY = frozenset(Market)
DERIVATIVES = frozenset({Market.LINEAR, Market.INVERSE})


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: a dataset of a market, of one instrument or all, over a window or now."""

    dataset: Dataset
    market: Market
    instrument: Instrument | None = None
    interval: Interval | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One request's share of a query; `cursor` is whatever the exchange continues by."""

    window: Window | None
    limit: int
    cursor: str | int | None = None


# A sequence: pages that do not depend on each other, fetched side by side.
# A generator: every page depends on the rows before it, which it receives.
Pages: TypeAlias = "Sequence[Page] | Generator[Page, Rows, None]"
Pager: TypeAlias = Callable[["Endpoint", Query], Pages]


@dataclass(frozen=True, slots=True)
class Budget:
    """What the exchange meters: `limit` units per `seconds`; `header` is where it says how much is used."""

    name: str
    limit: int
    seconds: float
    header: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One REST endpoint that answers one dataset.

    A decoder's times are microseconds UTC, its sizes base units, its rates fractions; what an exchange leaves blank is
    None. Rows of a snapshot (`reach` "now") that are about an instrument begin with a column `native`.
    """

    dataset: Dataset
    path: str
    params: Callable[[Query, Page], Params]  # query string of a GET, JSON body of a POST
    decode: Callable[[bytes, Query], Rows]
    columns: tuple[str, ...]
    pages: Pager
    limit: int  # rows asked for in one page
    docs: str
    markets: frozenset[Market] = EVERY
    cost: Callable[[Page], Mapping[str, int]] = lambda _: EMPTY  # budget name -> units
    intervals: Mapping[Interval, str] | None = None  # where they differ from the exchange's
    span: timedelta | None = None  # the longest window one request may cover
    reach: Literal["now", "history"] = "history"
    lookback: timedelta | None = None  # how far back it reaches
    newest: int | None = None  # rows of each interval that it has at all, the newest ones
    earlier: Endpoint | None = None  # what has the rows that this one has no more
    joins: tuple[Endpoint, ...] = ()  # asked beside it; the engine joins their rows by `on`
    on: str = "native"  # the column that a joined endpoint's rows are found by
    fill: Mapping[str, object] = field(default_factory=dict)  # what columns that no row gives stand at; or f(now)
    method: Literal["GET", "POST"] = "GET"
    keep: timedelta | None = None  # how long an answer may serve again, because it changes slowly
    consecutive: bool = False  # its ids are whole numbers, each one more than the one before
    note: str = ""  # what users should know beside the rows, in a sentence

    def __hash__(self) -> int:
        return hash((self.dataset, self.path, self.markets))


@dataclass(frozen=True, slots=True)
class Control:
    """A frame without data: what it says of a request, of a topic or of the connection.

    `accepted` and `refused` name the number of the request or the topic, whichever the exchange does; a refusal that
    names neither is of all that was asked. `leaving` announces that the exchange is about to close. `other` is nothing
    that matters, such as the answer to a ping.
    """

    kind: Literal["accepted", "refused", "leaving", "other"]
    request: int | None = None
    topic: str = ""
    text: str = ""  # the exchange's own words


Push: TypeAlias = "tuple[str, msgspec.Raw]"  # the topic of a frame of data, and the data as they came
Decode: TypeAlias = "Callable[[bytes, Query], Rows]"


@dataclass(frozen=True, slots=True)
class Socket:
    """One address that streams come from, and how it is spoken to.

    `read` tells frames apart and raises `MalformedBody` or `DecodeError` for what is none of the exchange's; `sent` is
    when the exchange sent a frame of data, where it says. `busy` is a topic that always has something to tell: where
    silence is normal, it proves that the way is open. Pongs prove nothing: Binance's paths of before April 2026
    connect, acknowledge and answer pings, and deliver nothing.
    """

    url: str
    subscribe: Callable[[Sequence[str], int], str]  # the message that asks for topics; the number is the request's
    read: Callable[[bytes], Push | Control]
    sent: Callable[[bytes], Micros | None]
    opening: str  # the budget that new connections are metered by
    busy: str
    busy_seconds: float  # between two of its messages, at most
    recalls: bool = False  # what a topic says first may be what was known before
    topics: int = 200  # on one connection
    batch: int = 100  # topics in one message
    messages: tuple[int, float] = (5, 1.0)  # at most so many messages in so many seconds on one connection
    ping: str | None = None  # the message that keeps it open, where the exchange wants one of its own
    ping_seconds: float = 20.0
    life: timedelta | None = None  # after which the exchange closes it


@dataclass(frozen=True, slots=True)
class Channel:
    """One stream that carries one dataset.

    Its rows are those of an endpoint: microseconds UTC, base units, None for what was left blank. Rows of a stream
    about a whole market (`scope`) begin with a column `native`. Where several channels of an exchange answer the same
    dataset of a market, all are subscribed, and what they say is merged; a row comes when one that `leads` speaks.
    """

    dataset: Dataset
    socket: str  # its name in `Site.sockets`
    topic: Callable[[Query], str]
    decoder: Callable[[], Decode]  # made anew for every connection: what it remembers dies with it
    columns: tuple[str, ...]
    docs: str
    markets: frozenset[Market] = EVERY
    scope: Literal["instrument", "market"] = "instrument"
    cadence: float | None = None  # seconds between two messages at most; None where silence is normal
    delay: float = 0.0  # seconds after an event in which it is still pushed
    leads: bool = True
    consecutive: bool = False  # its ids are whole numbers, each one more than the one before
    intervals: Mapping[Interval, str] | None = None  # where they differ from the exchange's
    fill: Mapping[str, object] = field(default_factory=dict)  # what columns that no row gives stand at; or f(now)
    note: str = ""  # what users should know beside the rows, in a sentence

    def __hash__(self) -> int:
        return hash((self.dataset, self.socket, self.markets, self.scope, self.columns))


def plain(decode: Decode) -> Callable[[], Decode]:
    """The decoder of a channel whose frames stand for themselves."""
    return lambda: decode


@dataclass(frozen=True, slots=True)
class Site:
    """One installation of an exchange: live, testnet. Hosts stand in the order they are tried."""

    hosts: Mapping[Market, tuple[str, ...]]
    headers: Mapping[str, str] = field(default_factory=dict)  # sent with every request
    sockets: Mapping[str, Socket] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: `params` are the query string of a GET and the JSON body of a POST."""

    base: str  # scheme and host
    path: str
    params: Params = field(default_factory=dict)
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, body decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """Everything the program knows about an exchange."""

    name: str
    title: str
    sites: Mapping[str, Site]
    budgets: tuple[Budget, ...]
    intervals: Mapping[Interval, str]
    instruments: tuple[Endpoint, ...]
    endpoints: tuple[Endpoint, ...]  # order is preference: the first whose dataset and market fit
    refuse: Callable[[Response], MarketError | None]  # asked first; what it leaves is judged by status
    absent: Mapping[tuple[Dataset, Market], str] = field(default_factory=dict)  # why, in a sentence users see
    unknowns: tuple[str, ...] = ()  # what its data cannot tell, in sentences users see
    channels: tuple[Channel, ...] = ()  # order is preference: what leads stands before what follows
    unstreamed: Mapping[tuple[Dataset, Market], str] = field(default_factory=dict)  # why, in a sentence users see

    def streams(self, dataset: Dataset, market: Market, *, scope: str) -> tuple[Channel, ...]:
        """The channels that together stream a dataset of a market; none if it is not streamed so."""
        return tuple(
            channel
            for channel in self.channels
            if channel.dataset is dataset and market in channel.markets and channel.scope == scope
        )

    def endpoint(self, dataset: Dataset, market: Market) -> Endpoint | None:
        """The preferred endpoint for a dataset of a market, if there is one."""
        for endpoint in (*self.instruments, *self.endpoints):
            if endpoint.dataset is dataset and market in endpoint.markets:
                return endpoint
        return None

    @property
    def markets(self) -> tuple[Market, ...]:
        """The markets it has, linear first."""
        listed = {market for endpoint in self.instruments for market in endpoint.markets}
        return tuple(market for market in (Market.LINEAR, Market.SPOT, Market.INVERSE) if market in listed)

    def budget(self, name: str) -> Budget:
        """The budget of that name."""
        return next(budget for budget in self.budgets if budget.name == name)

    def spelled(self, endpoint: Endpoint) -> Mapping[Interval, str]:
        """The intervals an endpoint answers, with the exchange's spelling."""
        return self.intervals if endpoint.intervals is None else endpoint.intervals


@cache
def decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    """The one decoder of a wire shape; lax, because exchanges write numbers as text."""
    return msgspec.json.Decoder(type_, strict=False)


def decode_json(body: bytes, type_: Any, *, what: str) -> Any:
    """Decode an answer into a wire shape; `what` names exchange and endpoint in the error.

    Raises `CutBody` (empty or ends early), `MalformedBody` (not JSON), `DecodeError` (a field is missing or mistyped).
    """
    try:
        return decoder(type_).decode(body)
    except msgspec.ValidationError as error:
        raise DecodeError(f"{what} answered with a field this program cannot trust: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not bytes(body).strip() or "truncated" in str(error):
            raise CutBody(f"{what} sent an answer that ends early ({len(body)} bytes).") from None
        raise MalformedBody(f"{what} sent something that is not JSON: {str(error)[:120]}.") from None


def number_or_none(text: str | None, *, what: str) -> float | None:
    """A number that an exchange leaves blank where it has none: absent is null, never zero. Raises `DecodeError`."""
    if text is None or text == "":
        return None
    try:
        value: float = msgspec.convert(text, Real, strict=False)
    except msgspec.ValidationError as error:
        raise DecodeError(f"{what} answered with a field this program cannot trust: {error}.") from None
    return value


LATEST_STAMP: Micros = 4_102_444_800 * SECOND  # 2100-01-01


def micros(stamp: int, *, what: str) -> Micros:
    """An exchange's timestamp in microseconds; its unit is told by its size.

    Raises `DecodeError` outside 2009-01-03 to 2100: the units are a factor of 1000 apart, so a wrong one lands there.
    """
    for scale in (MILLISECOND, 1, SECOND):
        if GENESIS <= stamp * scale < LATEST_STAMP:
            return stamp * scale
    if GENESIS <= stamp // 1_000 < LATEST_STAMP:
        return stamp // 1_000
    raise DecodeError(f"{what} sent the time {str(stamp)[:40]}, which is no date between 2009 and 2100.")


def settlement(stamp: int, *, what: str) -> Micros:
    """The time of a settlement: exchanges write it with milliseconds of jitter, so the nearest minute is meant."""
    return (micros(stamp, what=what) + MINUTE // 2) // MINUTE * MINUTE


def moments(stamps: Sequence[int], *, what: str) -> Sequence[Micros]:
    """The timestamps of a page in microseconds, as `micros` reads each; cheap where all are milliseconds.

    Raises `DecodeError`.
    """
    if stamps and min(stamps) >= GENESIS // MILLISECOND and max(stamps) < LATEST_STAMP // MILLISECOND:
        return [stamp * MILLISECOND for stamp in stamps]
    return [micros(stamp, what=what) for stamp in stamps]


def unexpected(what: str, *, code: object, text: str) -> ExchangeError:
    """An error of the exchange's own that no table of ours explains."""
    return ExchangeError(
        f"{what} answered with error {code}: {clean(text)}.", hint="Run again with -v to see the requests."
    )
