"""One client of a stream, without a socket: what it is sent, and when.

A line has no clock. It is told the time, gives out what is due by then, and says when it wants to be asked again. The
market's frames are made ahead, second by second at least, because the world knows the trades of whole seconds; so a
frame leaves at its very moment, and how often a line is asked changes nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from marketcli.models import SECOND, Window
from marketcli.sandbox.parcels import ENDS, GONE, PING, POLICY, Act, Parcel, Talk, hang_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.models import Micros
    from marketcli.sandbox.stream_faults import StreamFault
    from marketcli.sandbox.switchboard import Switchboard
    from marketcli.simulator import Heard, Outlet, Simulator

SHORTEST, LONGEST = SECOND, 64 * SECOND  # that frames are made ahead
FEW, MANY = 16, 64  # frames made at once: with fewer the next time is longer, with more shorter
MOST = 5_000  # frames made at once before it is time for a second look at a storm
PONG = 3.0  # pings that may stay unanswered, counted by the time they take: Binance spot gives a minute, futures ten
NOTICE = 60.0  # seconds between a notice and the planned end


@dataclass(slots=True)
class Topic:
    """Something a client gets: how far its frames are made, how long for next time, and who keeps it back."""

    name: str
    kept_by: str = ""
    ahead: Micros = SHORTEST
    open: bool = True


class Line:
    """A connection to an outlet; `rate` is how much faster than the client's clock the world's is."""

    def __init__(
        self, board: Switchboard, simulator: Simulator, outlet: Outlet, *, host: str, path: str, number: int
    ) -> None:
        self.board = board
        self.simulator = simulator
        self.outlet = outlet
        self.host, self.path, self.number = host, path, number
        self.topics: dict[str, Topic] = {}
        self.acts: deque[Act] = deque()
        self.agenda: list[tuple[Micros, int, Callable[[Micros], None] | tuple[Topic, str]]] = []
        self.entries = 0
        self.faults: tuple[StreamFault, ...] = ()
        self.counts: Counter[StreamFault] = Counter()
        self.held: dict[str, tuple[Parcel, list[Act], str]] = {}
        self.heard_at: Micros = 0
        self.unanswered: Micros | None = None  # the first ping without a pong
        self.over = False
        self.poke: Callable[[], None] = lambda: None  # called when something may be due that was not

    # What a shell does with it

    def open(self, now: Micros, query: str) -> None:
        """Begin, with the topics that the address names."""
        self.heard_at = now
        self.beset(now)
        if self.outlet.pings is not None:
            self.later(now + self.span(self.outlet.pings), self.ping)
        if self.outlet.idle is not None:
            self.later(now + self.span(self.outlet.idle), self.listen)
        if self.outlet.life is not None:
            self.live(now, self.outlet.life, notice=NOTICE)
        for topic in self.outlet.begin(self.path, query):
            self.begin(topic, now)

    @property
    def wake(self) -> Micros | None:
        """When something is due next; None if never by itself."""
        return self.agenda[0][0] if self.agenda and not self.over else None

    def take(self, now: Micros) -> Act | None:
        """The next thing to do to the client that is due by now, if there is any."""
        while not self.acts:
            if self.over or not self.agenda or self.agenda[0][0] > now:
                return None
            time, _, entry = heappop(self.agenda)
            if callable(entry):
                entry(time)
            elif entry[0].open:
                self.send(entry[0], time, entry[1])
        act = self.acts.popleft()
        if act.verb in ENDS:
            self.end()
        return act

    def hear(self, text: str, now: Micros) -> None:
        """Take a message of the client; answers are due at once."""
        if self.over:
            return
        self.heard_at = now
        world = self.board.world.at(now)

        def again(other: str) -> Heard:
            return self.outlet.hear(other, tuple(self.topics), world)

        talk = Talk(text, again(text), again)
        for fault in self.faults:
            self.answered(fault, talk)
        self.acts.extend(Act("text", reply) for reply in talk.said.replies)
        for name in talk.said.end:
            self.stop(name)
        for name in talk.said.begin:
            self.begin(name, now, kept_by=talk.kept.get(name, ""))
        if talk.said.close is not None:
            self.acts.append(hang_up(talk.said.close))

    def ponged(self) -> None:
        """The client answered a ping."""
        self.unanswered = None

    def end(self) -> None:
        """The connection is no more, whoever ended it."""
        if self.over:
            return
        self.over = True
        for parcel, _, fault in self.held.values():
            self.board.kept(self, parcel.topic, parcel.time, fault=fault)
        self.agenda.clear()
        self.acts.clear()
        self.board.closed(self)

    # What happens by itself

    def later(self, time: Micros, do: Callable[[Micros], None], *, because: StreamFault | None = None) -> None:
        """Do something at a time, unless the fault behind it is gone by then."""

        def done(at: Micros) -> None:
            if because is None or because in self.faults:
                do(at)

        self.entries += 1
        heappush(self.agenda, (time, self.entries, done))

    def span(self, seconds: float) -> Micros:
        """So many seconds of the client, in time of the world."""
        return round(seconds * SECOND * self.board.speed)

    def ping(self, time: Micros) -> None:
        """Ask for a sign of life, and hang up where none has come for long."""
        every = self.span(self.outlet.pings or 0.0)
        if self.unanswered is None:
            self.unanswered = time
        elif time - self.unanswered >= PONG * every:
            self.acts.append(hang_up(POLICY))
            return
        self.acts.append(PING)
        self.later(time + every, self.ping)

    def listen(self, time: Micros) -> None:
        """Hang up on a client that has said nothing for too long."""
        due = self.heard_at + self.span(self.outlet.idle or 0.0)
        if due <= time:
            self.acts.append(hang_up(self.outlet.idle_code))
        else:
            self.later(due, self.listen)

    def live(self, now: Micros, seconds: float, *, notice: float, because: StreamFault | None = None) -> None:
        """Hang up after some seconds, announced some seconds before where the exchange does that."""
        leaving = self.outlet.leaving
        if leaving is not None and 0 < notice < seconds:
            said = leaving
            self.later(
                now + self.span(seconds - notice),
                lambda time: self.acts.append(Act("text", said(self.board.world.at(time)))),
                because=because,
            )
        self.later(now + self.span(seconds), lambda _: self.acts.append(hang_up(GONE)), because=because)

    def beset(self, now: Micros) -> None:
        """Meet the faults that there are now; those met before are no more."""
        self.faults = tuple(filter(self.strikes, self.board.faults))
        for fault in self.faults:
            if fault.kind.begin is not None:
                fault.kind.begin(fault, self, now)
        self.poke()

    def strikes(self, fault: StreamFault) -> bool:
        """Whether a fault is for this connection."""
        if not fault.means(self.simulator.name, self.host, self.path) or fault.kind.counts in {"openings", "bytes"}:
            return False
        return fault.kind.counts != "connections" or fault.turn()

    # Topics and their frames

    def begin(self, name: str, now: Micros, *, kept_by: str = "") -> None:
        """Serve a topic from now on."""
        if name in self.topics:
            return
        topic = self.topics[name] = Topic(name, kept_by)
        for text in self.outlet.first(name, self.board.world.at(now)):
            self.send(topic, now, text)
        self.make(topic, now)

    def stop(self, name: str) -> None:
        """Serve a topic no longer."""
        if topic := self.topics.pop(name, None):
            topic.open = False

    def make(self, topic: Topic, start: Micros) -> None:
        """Make the next frames of a topic, up to the end of a second, or not so far if they are many."""
        if not topic.open:
            return
        end = (start + topic.ahead) // SECOND * SECOND
        world = self.board.world.at(end)
        before, last = self.entries, start
        for time, text in self.outlet.frames(topic.name, world, Window(start, end), self.board.pace):
            if self.entries - before >= MOST and time > last:
                end = time
                break
            self.entries, last = self.entries + 1, time
            heappush(self.agenda, (time, self.entries, (topic, text)))
        made = self.entries - before
        if made < FEW:
            topic.ahead = min(2 * topic.ahead, LONGEST)
        elif made > MANY:
            topic.ahead = max(topic.ahead // 2, SHORTEST)
        self.later(end, lambda time: self.make(topic, time))

    def send(self, topic: Topic, time: Micros, text: str) -> None:
        """Send a frame of data, or what faults make of it."""
        if topic.kept_by:
            self.board.kept(self, topic.name, time, fault=topic.kept_by)
            return
        if not self.faults and topic.name not in self.held:
            self.acts.append(Act("text", text))
            self.board.passed(self, topic.name)
            return
        parcel = Parcel(self, topic.name, time, text, [Act("text", text)])
        for fault in self.faults:
            self.changed(fault, parcel)
        if parcel.kept_by:
            self.board.kept(self, topic.name, time, fault=parcel.kept_by)
        elif not parcel.held:
            self.board.passed(self, topic.name)
            parcel.acts += self.freed(topic.name)
        self.acts.extend(parcel.acts)
        if parcel.ending is not None:
            self.acts.append(parcel.ending)

    # Faults

    def answered(self, fault: StreamFault, talk: Talk) -> None:
        """What a fault makes of an answer."""
        answer, begun = fault.kind.answer, any(map(fault.about, talk.said.begin))
        if answer is not None and (fault.kind.counts == "connections" or (begun and fault.turn())):
            answer(fault, talk)

    def changed(self, fault: StreamFault, parcel: Parcel) -> None:
        """What a fault makes of a frame."""
        change = fault.kind.change
        if change is not None and fault.about(parcel.topic) and (fault.kind.counts != "frames" or fault.turn()):
            change(fault, parcel)

    def count(self, fault: StreamFault) -> int:
        """How many frames of this connection a fault has met, this one included."""
        self.counts[fault] += 1
        return self.counts[fault]

    def hold(self, parcel: Parcel, fault: str) -> None:
        """Keep a frame until the next one of its topic has passed."""
        if parcel.topic not in self.held and not parcel.kept_by:
            self.held[parcel.topic] = (parcel, parcel.acts, fault)
            parcel.held, parcel.acts = True, []

    def freed(self, topic: str) -> list[Act]:
        """What waited for a frame of a topic to pass."""
        if topic not in self.held:
            return []
        self.board.passed(self, topic)
        return self.held.pop(topic)[1]
