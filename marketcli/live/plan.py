"""Which topics on which connections: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketcli.spec import Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marketcli.datasets import Dataset
    from marketcli.models import Instrument, Interval, Market
    from marketcli.spec import Channel, Exchange, Site, Socket


@dataclass(frozen=True, slots=True)
class Topic:
    """What one topic is asked for."""

    name: str
    channel: Channel
    query: Query


@dataclass(frozen=True, slots=True)
class Plan:
    """One connection: its socket, its topics, and the instruments whose rows are wanted from topics of a market."""

    exchange: Exchange
    market: Market
    dataset: Dataset
    socket: Socket
    topics: tuple[Topic, ...]
    instruments: tuple[Instrument, ...]  # of its topics; all that are wanted where those are of the market
    everything: bool  # whether nobody named instruments
    others: frozenset[str] = frozenset()  # the exchange's names of its instruments of other markets

    def names(self, topics: Sequence[Topic]) -> tuple[str, ...]:
        """What to ask for, each once: these topics, and the one that proves life where silence is normal."""
        wanted = dict.fromkeys(topic.name for topic in topics)
        quiet = any(topic.channel.cadence is None for topic in topics)
        return (*wanted, *((self.socket.busy,) if quiet and self.socket.busy not in wanted else ()))


def plans(
    exchange: Exchange,
    site: Site,
    market: Market,
    *,
    dataset: Dataset,
    instruments: Sequence[Instrument],
    everything: bool,
    interval: Interval | None = None,
    others: frozenset[str] = frozenset(),
) -> list[Plan]:
    """The connections that a dataset of a market takes; none if it is not streamed.

    Where nobody named instruments, a stream about the whole market is preferred, else one for each.
    """
    first, second = ("market", "instrument") if everything else ("instrument", "market")
    channels = exchange.streams(dataset, market, scope=first) or exchange.streams(dataset, market, scope=second)
    by_socket: dict[str, list[tuple[Topic, Instrument | None]]] = {}
    for channel in channels:
        for one in instruments if channel.scope == "instrument" else (None,):
            query = Query(dataset, market, one, interval)
            by_socket.setdefault(channel.socket, []).append((Topic(channel.topic(query), channel, query), one))
    return [
        Plan(
            exchange,
            market,
            dataset,
            socket,
            tuple(topic for topic, _ in part),
            tuple(dict.fromkeys(one for _, one in part if one is not None)) or tuple(instruments),
            everything,
            others,
        )
        for name, topics in by_socket.items()
        for socket in (site.sockets[name],)
        for part in cut(topics, socket.topics - 1)
    ]


def cut(topics: list[tuple[Topic, Instrument | None]], size: int) -> Iterator[list[tuple[Topic, Instrument | None]]]:
    """Connections' shares of topics, in order."""
    for start in range(0, len(topics), size):
        yield topics[start : start + size]
