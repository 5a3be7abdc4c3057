"""The faults of streams: their names, their keys, and what they do to a connection, to an answer, to a frame.

They are written like those of requests. What `every` and `first` count differs: connections, messages that subscribe,
or frames of data; the same client therefore meets the same faults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from marketcli.sandbox.options import COMMON, Option, choice, positive, seconds, text_option, whole
from marketcli.sandbox.parcels import GONE, PING, Act, Parcel, hang_up
from marketcli.sandbox.spoiling import GARBAGE, unanswerable
from marketcli.simulator import Heard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketcli.models import Micros
    from marketcli.sandbox.lines import Line
    from marketcli.sandbox.parcels import Talk

FRAMES = 100  # of a connection that is dropped without saying when


@dataclass(frozen=True, slots=True)
class StreamKind:
    """A fault of streams: a sentence about it, its keys, what `every` and `first` count, and what it does.

    `begin` is told of a connection, `answer` of what a client is answered, `change` of each frame of data. A fault
    without any is made elsewhere: of openings by the switchboard, of bytes by the relay.
    """

    text: str
    counts: Literal["openings", "connections", "messages", "frames", "bytes"]
    options: Mapping[str, Option]
    begin: Callable[[StreamFault, Line, Micros], None] | None = None
    answer: Callable[[StreamFault, Talk], None] | None = None
    change: Callable[[StreamFault, Parcel], None] | None = None


class StreamFault:
    """One fault with its keys, and how many of what it counts it has met."""

    def __init__(self, name: str, kind: StreamKind, options: Mapping[str, Any]) -> None:
        self.name = name
        self.kind = kind
        self.options = options
        self.met = 0
        self.began: Micros | None = None  # when the first was met

    def turn(self) -> bool:
        """Count one more, and say whether this is one that the fault strikes."""
        self.met += 1
        first = self.options["first"]
        return self.met % self.options["every"] == 0 and (first is None or self.met <= first)

    def means(self, exchange: str, host: str, path: str) -> bool:
        """Whether an address is one that this fault is about, if it names any."""
        options = self.options
        return options["exchange"] in ("", exchange) and options["host"] in host and options["path"] in path

    def about(self, topic: str) -> bool:
        """Whether a topic is one that this fault is about."""
        return self.options.get("topic", "") in topic


def silent_ack(fault: StreamFault, talk: Talk) -> None:
    """Acknowledged, and nothing comes."""
    talk.keep(fault.name, tuple(filter(fault.about, talk.said.begin)))


def ack_never(fault: StreamFault, talk: Talk) -> None:
    """Neither an acknowledgement nor data."""
    talk.keep(fault.name, talk.said.begin)
    talk.said = talk.said._replace(replies=())


def reject(fault: StreamFault, talk: Talk) -> None:
    """Refused, in the exchange's own words: those for the first nonsense that it does not acknowledge as well."""
    del fault
    found = [talk.again(text) for text in unanswerable(talk.text)]
    talk.said = next((said for said in found if said.replies not in {(), talk.said.replies}), found[-1])


def mute(fault: StreamFault, talk: Talk) -> None:
    """No answer to anything."""
    talk.keep(fault.name, talk.said.begin)
    talk.said = Heard(begin=talk.said.begin, end=talk.said.end)


def ping_on(fault: StreamFault, line: Line, now: Micros) -> None:
    """Pings, ever again."""

    def ping(time: Micros) -> None:
        line.acts.append(PING)
        line.later(time + line.span(fault.options["seconds"]), ping, because=fault)

    line.later(now + line.span(fault.options["seconds"]), ping, because=fault)


def keep(fault: StreamFault, parcel: Parcel) -> None:
    """The frame is lost."""
    parcel.keep(fault.name)


def stall(fault: StreamFault, parcel: Parcel) -> None:
    """The frame is lost if it is not one of the first of its connection."""
    if parcel.line.count(fault) > fault.options["after"]:
        parcel.keep(fault.name)


def duplicate(_: StreamFault, parcel: Parcel) -> None:
    """The frame comes twice."""
    parcel.acts += parcel.acts


def hold(fault: StreamFault, parcel: Parcel) -> None:
    """The frame comes behind the next one of its topic."""
    parcel.line.hold(parcel, fault.name)


def garbage(fault: StreamFault, parcel: Parcel) -> None:
    """Something else comes."""
    parcel.spoil(fault.name, GARBAGE[fault.options["mode"]](parcel.text))


def giant(fault: StreamFault, parcel: Parcel) -> None:
    """Something comes that is too large."""
    parcel.spoil(fault.name, Act("giant" if fault.options["mode"] == "frame" else "bomb"))


ENDINGS: Mapping[str, Act] = {"close": hang_up(GONE), "fin": Act("fin"), "reset": Act("reset")}


def drop_in_time(fault: StreamFault, line: Line, now: Micros) -> None:
    """The connection ends after some seconds, if so it was said."""
    if fault.options["seconds"] is not None:
        ending = ENDINGS[fault.options["mode"]]
        line.later(now + line.span(fault.options["seconds"]), lambda _: line.acts.append(ending), because=fault)


def drop_in_number(fault: StreamFault, parcel: Parcel) -> None:
    """The connection ends behind a frame."""
    options = fault.options
    number = options["frames"] or (0 if options["seconds"] else FRAMES)
    if number and parcel.line.count(fault) == number:
        parcel.ending = ENDINGS[options["mode"]]


def live(fault: StreamFault, line: Line, now: Micros) -> None:
    """The connection ends as planned, announced where the exchange does that."""
    line.live(now, fault.options["seconds"], notice=fault.options["notice"], because=fault)


TOPIC = {"topic": text_option()}
AFTER = {"after": Option(20, lambda text: int(text) if text == "0" else positive(text), "20")}


def connections(text: str, **more: Any) -> StreamKind:
    """A row of the table: a fault that strikes whole connections."""
    options = {key: more.pop(key) for key in list(more) if isinstance(more[key], Option)}
    return StreamKind(text, "connections", {**COMMON, **options}, **more)


def messages(text: str, answer: Callable[[StreamFault, Talk], None]) -> StreamKind:
    """A fault that strikes messages which subscribe; what nothing comes of later, it keeps."""
    return StreamKind(text, "messages", {**COMMON, **TOPIC}, answer=answer)


def frames(text: str, change: Callable[[StreamFault, Parcel], None], **options: Option) -> StreamKind:
    """A fault that strikes frames of data."""
    return StreamKind(text, "frames", {**COMMON, **TOPIC, **options}, change=change)


def in_bytes(text: str, **options: Option) -> StreamKind:
    """A fault of bytes, which strikes whole connections."""
    return StreamKind(text, "bytes", {**COMMON, **options})


# In the order they are applied when several strike at once.
STREAM_KINDS: Mapping[str, StreamKind] = {
    "ws_refuse": StreamKind(
        "Connections are refused: all, or those of the first seconds=S from the first one on.",
        "openings",
        {**COMMON, "status": choice("429", "403", "451", "503"), "seconds": seconds(None)},
    ),
    "ws_silent_ack": messages("A subscription is acknowledged, and nothing comes.", silent_ack),
    "ws_reject_subscribe": messages("A subscription is refused.", reject),
    "ws_ack_never": messages("A subscription is neither answered nor served.", ack_never),
    "ws_only_pings": connections(
        "Nothing comes but pings of the protocol.",
        begin=ping_on,
        answer=mute,
        change=keep,
        seconds=seconds(5),
    ),
    "ws_stall": connections("After some frames no data come any more; all else works.", change=stall, **AFTER, **TOPIC),
    "ws_skip": frames("A frame of data is lost.", keep),
    "ws_garbage": frames("Something else comes in place of a frame.", garbage, mode=choice(*GARBAGE)),
    "ws_giant": frames(
        "In place of a frame one of 9 MiB comes, or one that unpacks to a gigabyte where compression was agreed on.",
        giant,
        mode=choice("frame", "bomb"),
    ),
    "ws_duplicate": frames("A frame comes twice.", duplicate),
    "ws_out_of_order": frames("A frame comes behind the next one of its topic.", hold),
    "ws_drop": connections(
        "A connection ends after some frames, or seconds=S: with 1001, without a word, or reset.",
        begin=drop_in_time,
        change=drop_in_number,
        frames=Option(None, positive, str(FRAMES)),
        seconds=seconds(None),
        mode=choice(*ENDINGS),
    ),
    "ws_life": connections(
        "A connection ends after some seconds, announced before (or not: notice=0) where the exchange announces it.",
        begin=live,
        seconds=seconds(60),
        notice=Option(10.0, float, "10"),
    ),
    "ws_bad_opcode": in_bytes("After some frames one comes that the protocol does not have.", **AFTER),
    "ws_announce": in_bytes("After some frames one is announced that has a terabyte.", **AFTER),
    "ws_no_pong": in_bytes("After some frames nothing comes any more, not even pongs; TCP stays open.", **AFTER),
    "ws_never_close": in_bytes(
        "After some frames the protocol is broken; then nothing comes, TCP stays open, goodbyes are ignored.", **AFTER
    ),
    "ws_reset": in_bytes("After some frames the connection is reset in the middle of one.", **AFTER),
    "ws_drip": in_bytes("After some frames bytes come one by one.", **AFTER, ms=whole(1)),
}
