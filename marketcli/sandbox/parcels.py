"""What goes over a stream, on its way: acts towards a client, frames of data and answers that faults may change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.models import Micros
    from marketcli.sandbox.lines import Line
    from marketcli.simulator import Heard

# `close` says goodbye with a code, `fin` hangs up without a word, `reset` leaves no doubt; `giant` is a frame that no
# client should take, `bomb` one that becomes such a frame when it is unpacked.
Verb: TypeAlias = Literal["text", "binary", "ping", "close", "fin", "reset", "giant", "bomb"]
ENDS = frozenset({"close", "fin", "reset"})

GONE, POLICY, HUNG_UP = 1001, 1008, 1006


class Act(NamedTuple):
    """Something that is done to a client; `data` are bytes where a text would not be one."""

    verb: Verb
    data: str | bytes = ""
    code: int = 0


PING = Act("ping")


def hang_up(code: int) -> Act:
    """The end of a connection, by its code."""
    return Act("fin") if code == HUNG_UP else Act("close", code=code)


@dataclass(slots=True)
class Parcel:
    """A frame of data on its way out: `acts` is what leaves in its place, `ending` what follows it.

    `kept_by` is the fault that keeps it from the client, and `held` says that it comes later.

    """

    line: Line
    topic: str
    time: Micros
    text: str
    acts: list[Act]
    kept_by: str = ""
    held: bool = False
    ending: Act | None = None

    def keep(self, fault: str) -> None:
        """Do not let it reach the client."""
        self.acts, self.kept_by = [], fault

    def spoil(self, fault: str, act: Act) -> None:
        """Let something else reach the client."""
        self.acts, self.kept_by = [act], fault


@dataclass(slots=True)
class Talk:
    """A message of a client and what is answered: `again` answers another message, `kept` are topics never served."""

    text: str
    said: Heard
    again: Callable[[str], Heard]
    kept: dict[str, str] = field(default_factory=dict)  # topic -> the fault

    def keep(self, fault: str, topics: tuple[str, ...]) -> None:
        """Begin topics of which nothing will be seen."""
        self.kept |= dict.fromkeys(topics, fault)
