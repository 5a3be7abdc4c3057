"""One open connection: asks for its topics, keeps itself alive, hands frames on, and notices when it is dead."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Protocol

from marketcli.errors import ConnectionLost, CutBody, DecodeError, MalformedBody, MarketError, NetworkError, NotOffered
from marketcli.live import defaults
from marketcli.live.audit import Audit
from marketcli.models import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from marketcli.live.lanes import Lane
    from marketcli.models import Micros
    from marketcli.net.client import Outside
    from marketcli.net.socket import Wire
    from marketcli.spec import Channel, Control, Decode, Query, Socket


UNREADABLE = (CutBody, MalformedBody, DecodeError)


class Silence(ConnectionLost):
    """The connection stands, and nothing comes."""


class Unanswered(ConnectionLost):
    """A request was never acknowledged."""


class Away(NetworkError):
    """The exchange was away for longer than the user wants to wait."""

    retryable = False


class Refusal(NotOffered):
    """The exchange refuses a topic."""

    def __init__(self, topic: str, words: str) -> None:
        super().__init__(
            f"The exchange refused the stream {topic}: {words or 'it gave no reason'}.",
            hint="See `mkt exchanges` for what it streams.",
        )


class Receiver(Protocol):
    """Who takes what a connection brings."""

    def received(self, stage: Stage, data: bytes) -> None:
        """Data of a topic that was asked for."""

    def refused(self, topic: str, error: Refusal) -> None:
        """A topic that will not come; others will."""

    def unreadable(self, frame: bytes, error: MarketError) -> None:
        """A frame that is none of the exchange's."""


@dataclass(slots=True)
class Stage:
    """What happens to the data of one topic on one connection."""

    topic: str
    channel: Channel
    query: Query
    decode: Decode
    lane: Lane | None = None  # of the instrument that the topic is about
    audit: Audit = field(default_factory=Audit)
    last: float = 0.0  # monotonic moment of its last data


class Link:
    """A connection from the first request to its end. `run` returns never: it raises what ended it.

    `settled` is set once everything is acknowledged and something new came after that; `leaving` once the exchange has
    said that it is about to close, or will by its rules.
    """

    def __init__(
        self, wire: Wire, socket: Socket, names: Sequence[str], *, stages: Iterable[Stage], receiver: Receiver,
        outside: Outside,
    ) -> None:  # fmt: skip
        self.wire = wire
        self.socket = socket
        self.stages: dict[str, list[Stage]] = {name: [] for name in names}
        for stage in stages:
            self.stages[stage.topic].append(stage)
        self.receiver = receiver
        self.outside = outside
        self.began = outside.monotonic()
        self.last = self.began  # when data came last
        self.latest: bytes | None = None  # the last frame of data
        self.first: bytes | None = None  # the first one with which it was complete
        self.begun: set[str] = set()  # topics that spoke before that
        self.pending: dict[str, float] = {}  # topic -> when it was asked for
        self.requests: dict[int, tuple[str, ...]] = {}
        self.waiting = deque(names[start : start + socket.batch] for start in range(0, len(names), socket.batch))
        self.more = asyncio.Event()  # topics wait to be asked for once more
        self.messages = 0
        self.garbage: deque[float] = deque(maxlen=defaults.GARBAGE)
        self.pinged = self.began
        self.dead = ""  # a topic of which nothing comes though there is something
        self.settled = asyncio.Event()
        self.leaving = asyncio.Event()

    async def run(self) -> None:
        """Read until the end. Raises `ConnectionLost`, or `NotOffered` if the exchange refuses a topic."""
        tasks = [asyncio.ensure_future(work) for work in (self.read(), self.ask(), self.look())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self.wire.abort()
            for task in tasks:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
        failures = [one for one in done if isinstance(one, Exception)]
        raise next((one for one in failures if not isinstance(one, ConnectionLost)), failures[0])

    async def close(self) -> None:
        """Say goodbye."""
        await self.wire.close()

    async def read(self) -> None:
        """Hand frames on as they come; others get their turn now and then, for a full buffer never waits."""
        recv, read, stages, clock = self.wire.recv, self.socket.read, self.stages, self.outside.monotonic
        received, together = self.receiver.received, 0
        while True:
            frame = await recv()
            together += 1
            if together >= defaults.TOGETHER:
                together = 0
                await asyncio.sleep(0)
            try:
                found = read(frame)
            except UNREADABLE as error:
                self.unreadable(frame, error)
                continue
            if type(found) is not tuple:
                self.told(found)  # type: ignore[arg-type]
                continue
            topic, data = found
            self.latest, self.last = frame, clock()
            self.messages += 1
            if self.first is None:
                self.begin(topic, frame)
            for stage in stages.get(topic, ()):
                stage.last = self.last
                try:
                    received(stage, data)
                except UNREADABLE as error:
                    self.unreadable(frame, error)

    def begin(self, topic: str, frame: bytes) -> None:
        """Whether the connection is complete: an exchange may recall what was, and still keep back what is."""
        if self.complete and (topic in self.begun or not self.socket.recalls):
            self.first = frame
            self.settled.set()
        self.begun.add(topic)

    def unreadable(self, frame: bytes, error: MarketError) -> None:
        """A frame that is none of the exchange's; several of them in a short time end the connection."""
        self.receiver.unreadable(frame, error)
        self.garbage.append(self.outside.monotonic())
        if len(self.garbage) == defaults.GARBAGE and self.garbage[-1] - self.garbage[0] < defaults.GARBAGE_SECONDS:
            raise ConnectionLost(f"{defaults.GARBAGE} frames could not be read: {error.message}")

    async def ask(self) -> None:
        """Ask for all topics, in messages as large and as fast as the exchange allows."""
        messages, seconds = self.socket.messages
        pause = seconds / messages if messages < 2 * len(self.stages) else 0.0  # else the limit is never reached
        for number in count(1):
            while not self.waiting:
                self.more.clear()
                await self.more.wait()
            if number > 1:
                await self.outside.sleep(pause)
            batch = self.requests[number] = tuple(self.waiting.popleft())
            self.pending |= dict.fromkeys(batch, self.outside.monotonic())
            await self.wire.send(self.socket.subscribe(batch, number))

    @property
    def complete(self) -> bool:
        """Whether everything was asked for and acknowledged."""
        return not self.waiting and not self.pending

    def told(self, control: Control) -> None:
        """What the exchange says of requests, topics and itself."""
        if control.kind == "leaving":
            self.leaving.set()
        elif control.kind == "accepted":
            for name in self.meant(control):
                self.pending.pop(name, None)
        elif control.kind == "refused" and (refused := [one for one in self.meant(control) if one in self.pending]):
            named = max((one for one in refused if one in control.text), key=len, default=None)
            if named or len(refused) == 1:
                self.without(named or refused[0], control.text)
            self.again([one for one in refused if one in self.pending])

    def without(self, topic: str, words: str) -> None:
        """Go on without a topic that was refused. Raises `Refusal` if there is no other."""
        del self.pending[topic]
        stages, error = self.stages.pop(topic), Refusal(topic, words)
        if not any(self.stages.values()):
            raise error
        if stages:
            self.receiver.refused(topic, error)

    def again(self, topics: Sequence[str]) -> None:
        """Ask once more for what one bad topic may have failed: in two messages, so that it is found if it is not."""
        for topic in topics:
            del self.pending[topic]
        half = len(topics) // 2
        self.waiting.extend(part for part in (topics[:half], topics[half:]) if part)
        self.more.set()

    def meant(self, control: Control) -> Sequence[str]:
        """The topics that an answer is about."""
        if control.topic:
            return (control.topic,)
        if control.request is not None:
            return self.requests.get(control.request, ())
        return tuple(self.pending) if control.kind == "refused" else ()

    async def look(self) -> None:
        """Watch for what does not come, and keep the exchange from thinking that we are gone."""
        life = self.socket.life.total_seconds() * defaults.LIFE_SHARE if self.socket.life else None
        before = self.outside.monotonic()
        while True:
            await self.outside.sleep(defaults.LOOK_SECONDS)
            now = self.outside.monotonic()
            stood, before = now - before > defaults.LOOK_SECONDS + defaults.STALL_SECONDS, now
            if self.socket.ping is not None and now - self.pinged >= self.socket.ping_seconds:
                self.pinged = now
                await self.wire.send(self.socket.ping)
            if life is not None and now - self.began >= life:
                self.leaving.set()
            if not stood:  # else what came meanwhile still waits to be read
                self.check(now)

    def check(self, now: float) -> None:
        """Raise `Unanswered` or `Silence` where something should have come."""
        late = [name for name, asked in self.pending.items() if now - asked > defaults.ACK_SECONDS]
        if late:
            raise Unanswered(f"A subscription ({late[0]}) was not acknowledged within {defaults.ACK_SECONDS:g} s.")
        if self.dead:
            raise Silence(f"Nothing comes of {self.dead}, though there are trades.")
        if not self.complete:
            return
        if now - max(self.last, self.began) > limit(self.cadence()):
            raise Silence(f"Nothing came for {now - self.last:.0f} s, though the connection stands.")
        for stages in self.stages.values():
            for stage in stages:
                cadence = stage.channel.cadence
                if cadence is not None and now - max(stage.last, self.began) > limit(cadence):
                    raise Silence(f"Nothing came of {stage.topic} for {now - max(stage.last, self.began):.0f} s.")

    def cadence(self) -> float:
        """Seconds in which something comes on a healthy connection."""
        known = [stage.channel.cadence for stages in self.stages.values() for stage in stages]
        quickest = [one for one in known if one is not None]
        return min([*quickest, *([self.socket.busy_seconds] if self.socket.busy in self.stages else [])], default=60.0)

    def silent(self) -> list[Stage]:
        """Those topics that fell silent long before the connection was lost."""
        return [
            stage
            for stages in self.stages.values()
            for stage in stages
            if stage.topic == self.dead
            or (stage.channel.cadence is not None and self.last - self.heard(stage) > limit(stage.channel.cadence) / 2)
        ]

    def found_out(self, stage: Stage, seconds: float) -> bool:
        """REST has trades of a topic that did not come: where none came at all, the connection is no good."""
        if self.outside.monotonic() - self.heard(stage) < seconds:
            return False
        self.dead = stage.topic
        return True

    def last_seen(self, now: Micros) -> Micros:
        """The moment up to which it brought everything, when it is `now` by the exchange's clock."""
        silent = self.silent()
        if not silent and (told := self.sent(self.latest)) is not None:
            return told
        return now - round((self.outside.monotonic() - min([self.last, *map(self.heard, silent)])) * SECOND)

    def sent(self, frame: bytes | None) -> Micros | None:
        """When a frame was sent, as far as it says so and can be read."""
        try:
            return None if frame is None else self.socket.sent(frame)
        except UNREADABLE:
            return None

    def every(self) -> Iterator[Stage]:
        """What is done with all topics."""
        for stages in self.stages.values():
            yield from stages

    def heard(self, stage: Stage) -> float:
        """When data of a topic came last, or the connection began."""
        return max(stage.last, self.began)


def limit(cadence: float) -> float:
    """Seconds of silence after which something is wrong; so many that it is noticed in time, between two looks."""
    return max(defaults.SILENCE_SECONDS, defaults.SILENCE_CADENCES * cadence) - defaults.LOOK_SECONDS
