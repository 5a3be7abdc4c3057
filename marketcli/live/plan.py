"""Which topics on which connections: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketcli.spec import Query

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    each: Sequence[Instrument | None] = instruments if any(one.scope == "instrument" for one in channels) else (None,)
    found = []
    for name in dict.fromkeys(channel.socket for channel in channels):
        mine, socket = [channel for channel in channels if channel.socket == name], site.sockets[name]
        many = max(1, (socket.topics - 1) // len(mine))  # what is merged of an instrument comes by one connection
        for start in range(0, len(each), many):
            part = each[start : start + many]
            topics = tuple(topic(channel, Query(dataset, market, one, interval)) for one in part for channel in mine)
            wanted = tuple(one for one in part if one is not None) or tuple(instruments)
            found.append(Plan(exchange, market, dataset, socket, topics, wanted, everything, others))
    return found


def topic(channel: Channel, query: Query) -> Topic:
    """What a channel is asked for."""
    return Topic(channel.topic(query), channel, query)
