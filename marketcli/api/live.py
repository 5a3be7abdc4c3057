"""Live data: which streams a watch takes, how their gaps are filled, and all of it as one stream of events."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketcli import exchanges as known
from marketcli.api.repairs import hours, repair_of
from marketcli.datasets import FUNDING, LARGE_TRADES, LIQUIDATIONS, OHLC, TRADES, TRADES_HISTORY, Dataset
from marketcli.errors import DatasetAbsent, MarketError, NotOffered, UsageError
from marketcli.live import defaults
from marketcli.live.bars import Bars
from marketcli.live.doorway import Doorway
from marketcli.live.feed import Feed
from marketcli.live.lanes import Forced, States
from marketcli.live.making import candles_of, liquidations_of, state_of, trades_of
from marketcli.live.merge import Merged
from marketcli.live.orders import Orders
from marketcli.live.outbox import Origin, Outbox
from marketcli.live.plan import plans
from marketcli.live.repair import Repairs
from marketcli.live.tape import Named, Numbered
from marketcli.models import Instrument, Interval, Market, Micros
from marketcli.net.socket import Dialer
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

    from marketcli.api.session import Session
    from marketcli.live.events import Event, Vitals
    from marketcli.live.lanes import Lane
    from marketcli.live.plan import Plan
    from marketcli.net.socket import Dial
    from marketcli.spec import Channel, Exchange

TRADING = "trading"
LATER = "What {} lists after the beginning is not among these: there is no stream about its whole market."


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched: a dataset of some instruments, as users write them, or of a whole market.

    `interval` is that of candles. `max_down` are the seconds an exchange may be away before its feed ends. `least` is
    the worth in dollars of large trades.
    """

    dataset: Dataset
    symbols: tuple[str, ...] = ()
    market: Market | None = None
    interval: Interval | None = None
    max_down: float | None = None
    least: float = 0.0

    @property
    def asked(self) -> Dataset:
        """The dataset that streams carry."""
        return TRADES if self.dataset is LARGE_TRADES else self.dataset


@dataclass(frozen=True, slots=True)
class Source:
    """One exchange and market of a watch; no instruments stand for all of the market."""

    exchange: str
    title: str
    market: Market
    instruments: tuple[Instrument, ...]
    completeness: str  # of liquidations: full or sampled
    notes: tuple[str, ...]


class Feeds:
    """Feeds at work; iterating gives batches of events until all have ended, `failures` says why."""

    def __init__(
        self, session: Session, merged: Merged, sources: Sequence[Source], failures: Sequence[MarketError]
    ) -> None:
        self.session = session
        self.merged = merged
        self.sources = tuple(sources)
        self.before = tuple(failures)

    @property
    def vitals(self) -> Mapping[tuple[str, Market], Vitals]:
        """How each exchange and market is."""
        return self.merged.outbox.vitals

    @property
    def failures(self) -> list[MarketError]:
        """The exchanges that cannot, what they refuse, and the feeds that have ended for good."""
        return [*self.before, *self.merged.outbox.failures]

    def now(self, exchange: str) -> Micros:
        """The exchange's clock as far as it is known."""
        return self.session.client.now(exchange)

    def monotonic(self) -> float:
        """The clock of `Vitals.last`."""
        return self.session.client.outside.monotonic()

    def __aiter__(self) -> AsyncIterator[list[Event]]:
        return self.merged.__aiter__()

    async def stop(self) -> list[Event]:
        """End now; the last events, among them the stretches that stay dark."""
        return await self.merged.stop()


@asynccontextmanager
async def watched(
    session: Session,
    exchanges: Sequence[Exchange],
    watch: Watch,
    *,
    dial: Callable[[Exchange], Dial] | None = None,
) -> AsyncIterator[Feeds]:
    """Feeds of what is watched, of those exchanges that can. `dial` opens connections in place of the client's.

    Raises before anything is subscribed what the first exchange cannot do, if none of them can; a symbol that a single
    exchange does not know is `UnknownSymbol`.
    """
    failures: list[MarketError] = []
    found: list[tuple[Exchange, Market, tuple[Instrument, ...]]] = []
    for exchange, outcome in zip(
        exchanges, await asyncio.gather(*(tolerant(session, one, watch) for one in exchanges)), strict=True
    ):
        if isinstance(outcome, MarketError):
            failures.append(outcome)
        else:
            found += [(exchange, market, instruments) for market, instruments in outcome.items()]
    outside = session.client.outside
    outbox = Orders(watch.least, outside.monotonic) if watch.dataset is LARGE_TRADES else Outbox()
    feeds, sources = [], []
    opener = dial or (lambda exchange: Dialer(session.client, exchange, session.site(exchange)))
    doorways = {exchange.name: Doorway(opener(exchange), outside) for exchange, _, _ in found}
    for exchange, market, instruments in found:
        try:
            made = await streams(session, exchange, market, instruments, watch=watch)
        except MarketError as error:
            failures.append(error)
            continue
        feeds += await feeds_of(session, made, watch, outbox=outbox, doorway=doorways[exchange.name])
        sources.append(source(made, instruments if watch.symbols else ()))
    if not feeds:
        raise failures[0]
    async with Merged(feeds, outbox, outside) as merged:
        yield Feeds(session, merged, sources, failures)


async def tolerant(
    session: Session, exchange: Exchange, watch: Watch
) -> dict[Market, tuple[Instrument, ...]] | MarketError:
    """The instruments of an exchange that are watched, or why it cannot."""
    try:
        return await instruments_of(session, exchange, watch)
    except MarketError as error:
        return error


async def instruments_of(session: Session, exchange: Exchange, watch: Watch) -> dict[Market, tuple[Instrument, ...]]:
    """What is watched of an exchange, by market. Raises `UnknownSymbol`, `DatasetAbsent`, `UsageError`."""
    catalog, market = session.catalog(exchange), watch.market
    if not watch.symbols:
        check(session, exchange, watch, market or Market.LINEAR)
        listed = await catalog.instruments(market or Market.LINEAR)
        chosen = [one for one in listed if one.status == TRADING and (watch.asked is not FUNDING or one.perpetual)]
        return {market or Market.LINEAR: tuple(chosen)}
    if market is not None:
        check(session, exchange, watch, market)
    found: dict[Market, dict[Instrument, None]] = {}
    for symbol in watch.symbols:
        one = await catalog.resolve(symbol, market)
        check(session, exchange, watch, one.market)
        if watch.asked is FUNDING and not one.perpetual:
            raise NotOffered(
                f"{one.symbol} pays no funding: it is delivered on a date.", hint="Perpetuals do, for example BTC."
            )
        found.setdefault(one.market, {})[one] = None
    return {market: tuple(instruments) for market, instruments in found.items()}


def check(session: Session, exchange: Exchange, watch: Watch, market: Market) -> None:
    """Raise `DatasetAbsent` with the reason if an exchange does not stream this, `UsageError` for an interval."""
    dataset, site = watch.asked, session.site(exchange)
    if market not in exchange.markets:
        raise DatasetAbsent(f"{exchange.title} has no {market} market.", hint=f"It has {', '.join(exchange.markets)}.")
    channels = channels_of(exchange, dataset, market)
    if not channels:
        reason = exchange.unstreamed.get((dataset, market), "the exchange has no such stream")
        others = [name for name in known.names() if channels_of(known.load(name), dataset, market)]
        hint = f"For {market}, watch {' or '.join(others)} (-e {others[0]})." if others else "No exchange does."
        raise DatasetAbsent(f"{exchange.name} {market} does not stream {dataset.title}: {reason}.", hint=hint)
    if any(channel.socket not in site.sockets for channel in channels):
        raise NotOffered(f"{exchange.title} has no streams of its site {session.site_name(exchange)}.")
    intervals = exchange.intervals if channels[0].intervals is None else channels[0].intervals
    if dataset is OHLC and watch.interval not in intervals:
        raise UsageError(
            f"{exchange.title} streams no {watch.interval} candles.", hint=f"It has {' '.join(map(str, intervals))}."
        )


def channels_of(exchange: Exchange, dataset: Dataset, market: Market) -> tuple[Channel, ...]:
    """The channels of any scope that stream a dataset of a market."""
    return exchange.streams(dataset, market, scope="instrument") or exchange.streams(dataset, market, scope="market")


async def streams(
    session: Session, exchange: Exchange, market: Market, instruments: tuple[Instrument, ...], *, watch: Watch
) -> list[Plan]:
    """The connections that a watch takes of one exchange and market. Raises `NotOffered` if nothing trades there."""
    others: set[str] = set()
    if not watch.symbols and exchange.streams(watch.asked, market, scope="market"):
        beside = [one for one in exchange.markets if one is not market and one is not Market.SPOT]
        lists = await asyncio.gather(*(session.catalog(exchange).instruments(one) for one in beside))
        others = {one.native for listed in lists for one in listed}
    made = plans(
        exchange,
        session.site(exchange),
        market,
        dataset=watch.asked,
        instruments=instruments,
        everything=not watch.symbols,
        interval=watch.interval,
        others=frozenset(others),
    )
    if not made:
        raise NotOffered(f"{exchange.title} has no {market} instrument that trades.", hint="See `mkt instruments`.")
    return made


async def feeds_of(
    session: Session, made: Sequence[Plan], watch: Watch, *, outbox: Outbox, doorway: Doorway
) -> list[Feed]:
    """A feed for each connection of one exchange and market."""
    exchange, market = made[0].exchange, made[0].market
    client, origin = session.client, Origin(exchange.name, market, watch.dataset)
    clock = client.clock(exchange.name)
    vitals, turns = outbox.health(exchange.name, market), asyncio.Semaphore(defaults.REPAIRS)
    channels = [topic.channel for plan in made for topic in plan.topics]
    lasting = await hours(session, exchange, market) if lacks_hours(watch, channels) else {}

    lanes: dict[Instrument, Lane] = {}  # of all feeds together: a state may come from several

    def lane(instrument: Instrument, channel: Channel) -> Lane:
        if instrument not in lanes:
            known_of = {"interval_h": lasting.get(instrument.native)} if lasting else {}
            lanes[instrument] = lane_of(
                instrument, channel, watch, vitals=vitals, lasting=known_of, now=clock.now, source=streamed(session)
            )
        return lanes[instrument]

    def repairs() -> Repairs:
        repair = repair_of(session, exchange, watch.asked)
        return Repairs(
            origin,
            repair,
            dataset=watch.asked,
            interval=watch.interval,
            outbox=outbox,
            outside=client.outside,
            now=clock.now,
            turns=turns,
            reaches=reaches(exchange, market),
        )

    return [
        Feed(
            plan,
            number,
            origin=origin,
            doorway=doorway,
            lane=lane,
            repairs=repairs(),
            outbox=outbox,
            outside=client.outside,
            clock=clock,
            max_down=watch.max_down,
        )
        for number, plan in enumerate(made, 1)
    ]


def reaches(exchange: Exchange, market: Market) -> bool:
    """Whether REST's trades reach far enough back to compare a stream with them."""
    newest = exchange.endpoint(TRADES, market)
    past = exchange.endpoint(TRADES_HISTORY, market) is not None
    return past or (newest is not None and newest.limit >= defaults.AUDIT_ROWS)


def lacks_hours(watch: Watch, channels: Iterable[Channel]) -> bool:
    """Whether no stream of funding says how many hours it is for."""
    said = {column for channel in channels for column in (*channel.columns, *channel.fill)}
    return watch.asked is FUNDING and "interval_h" not in said


def streamed(session: Session) -> str:
    """What the `source` of rows says."""
    return "sandbox" if session.config.sandbox else "stream"


def lane_of(
    instrument: Instrument,
    channel: Channel,
    watch: Watch,
    *,
    vitals: Vitals,
    lasting: Mapping[str, Any],
    now: Callable[[], Micros],
    source: str,
) -> Lane:
    """What the rows of an instrument go through."""
    dataset, columns = watch.asked, channel.columns
    if dataset is TRADES:
        kind = Numbered if channel.consecutive else Named
        remembered = None if watch.symbols else defaults.KNOWN_IDS_OF_MANY
        return kind(instrument, trades_of(instrument, columns, source), vitals, remembered)
    if dataset is LIQUIDATIONS:
        completeness = str(channel.fill.get("completeness", "sampled"))
        return Forced(instrument, liquidations_of(instrument, columns, source, completeness=completeness))
    if dataset is OHLC and watch.interval is not None:
        make = candles_of(instrument, columns, source, interval=watch.interval)
        return Bars(instrument, watch.interval, make, vitals)
    made, fill = state_of(instrument, dataset), channel.fill

    def made_with_fill(said: Mapping[str, Any]) -> Any:
        filled = {name: value(now()) if callable(value) else value for name, value in fill.items()}
        return made({**filled, **said})

    return States(instrument, made_with_fill if fill else made, lasting)


def source(made: Sequence[Plan], instruments: tuple[Instrument, ...]) -> Source:
    """What users are told of one exchange and market."""
    exchange, channels = made[0].exchange, dict.fromkeys(topic.channel for plan in made for topic in plan.topics)
    completeness = {str(channel.fill.get("completeness", "")) for channel in channels}
    notes = dict.fromkeys(clean(channel.note) for channel in channels if channel.note)
    later = (
        LATER.format(exchange.title) if made[0].everything and any(one.scope != "market" for one in channels) else ""
    )
    return Source(
        exchange.name,
        exchange.title,
        made[0].market,
        instruments,
        max(completeness, default=""),
        (*notes, *([later] if later else [])),
    )
