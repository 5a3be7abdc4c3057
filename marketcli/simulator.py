"""What a simulated exchange says about itself: the mirror of `spec`, and as pure.

A `Simulator` is a table of routes. A route turns a request (`Ask`) and the world into an answer (`Reply`), and says
what the request weighs. Serving, metering and breaking things is the sandbox's work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from marketcli.models import MILLISECOND, SECOND, Market, Micros, Window
from marketcli.text import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from marketcli.spec import Budget
    from marketcli.world import Listing, World

T = TypeVar("T")


class Payment(NamedTuple):
    """A settlement of funding: when it was written down, its rate, the mark price if one is kept, its hours."""

    time: Micros
    rate: float
    mark: float | None
    interval_h: float


def paid_in_the_world(world: World, listing: Listing, window: Window) -> Iterable[Payment]:
    """The settlements of the world itself, with the hours that each was for."""
    return [
        Payment(*row, world.terms(listing, row.time - SECOND).interval_h) for row in world.settlements(listing, window)
    ]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as it reached a simulated exchange.

    `params` are those of the query string and, as text, the plain values of a JSON body, however deep they stand in it.
    """

    host: str
    path: str
    params: Mapping[str, str]
    world: World
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)  # names in small letters

    @property
    def now(self) -> Micros:
        """The exchange's clock."""
        return self.world.now()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a simulated exchange answers; `headers` are its own, beyond type, length and date."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """Raised by a route that answers with an error of the exchange."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Route:
    """One path of one market: what a request to it weighs, and how it is answered.

    `requests` is a budget of requests that it counts against; with one, a request may weigh nothing. `lasting` says
    that an answer about days gone by never changes.
    """

    market: Market
    path: str
    weight: Callable[[Ask], int]
    answer: Callable[[Ask], Reply]
    method: str = "GET"
    requests: Budget | None = None
    lasting: bool = False

    def reply(self, ask: Ask) -> Reply:
        """The answer, whether it is data or a refusal."""
        try:
            return self.answer(ask)
        except Refusal as refusal:
            return refusal.reply


class Heard(NamedTuple):
    """What comes of a client's message: answers, topics that begin and end, and whether the exchange hangs up."""

    replies: tuple[str, ...] = ()
    begin: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    close: int | None = None  # the code; 1006 hangs up without a word


class Frame(NamedTuple):
    """A message of a stream, and when it is sent."""

    time: Micros
    text: str


@dataclass(frozen=True, slots=True)
class Outlet:
    """One address that streams of a simulated exchange come from. Everything is pure; sending is the sandbox's work.

    `begin` gives the topics that an address itself asks for. `hear` answers a message of a client that has these topics
    now. `first` is what is sent at once when a topic begins, and `frames` what is sent of it inside a window of time:
    each frame as the world was at its moment, whose clock shows the window's end or later. States (candles, tickers,
    mark prices) are sent `pace` times as often as the exchange does. A topic that an address acknowledges and never
    serves has no frames.
    """

    host: str
    path: str  # with a * at its end, all paths that begin so
    hear: Callable[[str, Sequence[str], World], Heard]
    frames: Callable[[str, World, Window, float], Iterable[Frame]]
    opening: Budget  # what new connections are counted by
    first: Callable[[str, World], Iterable[str]] = lambda *_: ()
    begin: Callable[[str, str], tuple[str, ...]] = lambda *_: ()  # by path and query string
    wrong: Callable[[str, str], str] = lambda *_: ""  # why an address is refused, by path and query string
    pings: float | None = None  # seconds between pings of the protocol
    idle: float | None = None  # seconds without a message of the client after which it hangs up
    idle_code: int = 1006
    life: float | None = None  # seconds after which it hangs up whatever happens
    leaving: Callable[[World], str] | None = None  # what it says before a planned close

    def serves(self, host: str, path: str) -> bool:
        """Whether an address is this one."""
        named = path.startswith(self.path[:-1]) if self.path.endswith("*") else path == self.path
        return host == self.host and named


@dataclass(frozen=True, slots=True)
class Simulator:
    """Everything the sandbox knows about an exchange.

    `pools` may be one object for several markets: they then share a budget. `limited` and `banned` are told the
    seconds until requests are welcome again, `banned` also the moment.

    What faults have to know: `bounds` are the parameters that hold the first and the last time asked for, in
    milliseconds, `other_bounds` such pairs of other paths, and `exclusive` says that neither is itself asked for;
    `turns` are the other parameters that say which page is meant. `stamps` are the keys that hold the time of a row
    that is an object, `clocks` those outside of rows that hold the exchange's own time. `words` are the keys of a
    listed instrument that hold words, those with its name first. `about` says what a request is about, if not its path.
    """

    name: str
    hosts: Mapping[str, frozenset[Market]]
    routes: tuple[Route, ...]
    pools: Mapping[Market, Budget]
    native: Callable[[Listing], str]
    missing: Callable[[Ask], Reply]
    limited: Callable[[Budget, int], Reply]
    banned: Callable[[int, Micros], Reply]
    bounds: tuple[str, str]
    other_bounds: tuple[tuple[str, str], ...] = ()
    exclusive: bool = False
    turns: frozenset[str] = frozenset({"limit"})
    stamps: tuple[str, ...] = ()
    clocks: tuple[str, ...] = ()
    words: tuple[tuple[str, ...], ...] = (("symbol",),)
    about: Callable[[Ask], str] = lambda ask: ask.path
    lists: Callable[[Listing], bool] = lambda _: True  # which things of the world trade here
    base: Callable[[Listing], str] = lambda listing: listing.base  # as its canonical names have it
    outlets: tuple[Outlet, ...] = ()
    payments: Callable[[World, Listing, Window], Iterable[Payment]] = paid_in_the_world  # where funding is its own

    def outlet(self, host: str, path: str) -> Outlet | None:
        """The streams behind an address, if there are any."""
        return next((outlet for outlet in self.outlets if outlet.serves(host, path)), None)

    def window(self, ask: Ask) -> Window | None:
        """The times asked for, if both bounds were."""
        for names in (self.bounds, *self.other_bounds):
            first, last = (ask.params.get(name, "") for name in names)
            if first.isdecimal() and last.isdecimal():
                start, end = int(first) + self.exclusive, int(last) - self.exclusive
                return Window(start * MILLISECOND, end * MILLISECOND + 1)
        return None

    @property
    def paging(self) -> frozenset[str]:
        """The parameters that say which part of a history is asked for."""
        return self.turns.union(self.bounds, *self.other_bounds)

    def listings(self, world: World, market: Market | None = None) -> list[Listing]:
        """What trades here, in a stable order."""
        return [listing for listing in world.listings(market) if self.lists(listing)]

    def route(self, method: str, host: str, path: str) -> Route | None:
        """The route a request takes, if the host has it."""
        for route in self.routes:
            if (route.method, route.path) == (method, path) and route.market in self.hosts[host]:
                return route
        return None

    def pool(self, host: str, route: Route | None) -> Budget:
        """The budget that weights of a request are charged to; unknown paths cost their host's."""
        return self.pools[route.market if route else min(self.hosts[host])]

    def charges(self, ask: Ask, route: Route | None) -> Mapping[Budget, int]:
        """What a request costs, by budget."""
        weight, pool = route.weight(ask) if route else 1, self.pool(ask.host, route)
        if route is None or route.requests is None:
            return {pool: weight}
        return ({pool: weight} if weight else {}) | {route.requests: 1}


def beats(window: Window, every: float) -> range:
    """The moments inside a window at which a state is sent that is sent every so many seconds."""
    step = max(MILLISECOND, round(every * SECOND))
    return range(-(-window.start // step) * step, window.end, step)


STRIDE = 10_000  # rows looked for at once behind a hole


def oldest(rows: Callable[[Window], list[T]], window: Window, *, length: Micros, limit: int) -> list[T]:
    """The oldest rows of a window, however long the holes between them are; they are usually `length` apart."""
    found: list[T] = []
    start, count = window.start, limit
    while start < window.end and len(found) < limit:
        stop = min(start + count * length, window.end)
        found += rows(Window(start, stop))
        start, count = stop, STRIDE
    return found[:limit]


def newest(rows: Callable[[Window], list[T]], window: Window, *, length: Micros, limit: int) -> list[T]:
    """The newest rows of a window, however long the holes between them are; they are usually `length` apart."""
    found: list[T] = []
    stop, count = window.end, limit
    while window.start < stop and len(found) < limit:
        start = max(stop - count * length, window.start)
        found = rows(Window(start, stop)) + found
        stop, count = start, STRIDE
    return found[-limit:]


def places(step: str) -> int:
    """How many decimals a step has: 2 for "0.10" and 0 for "1"."""
    return len(step.partition(".")[2])


def decimal(value: float, digits: int) -> str:
    """A number with at least so many decimals, never with an exponent, and never rounded."""
    integer, _, fraction = number(value).partition(".")
    return f"{integer}.{fraction.ljust(digits, '0')}" if fraction or digits else integer
