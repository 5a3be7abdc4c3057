"""Answers about days gone by, kept so that who asks for a year twice waits for the exchange and not for the sandbox."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, TypeAlias

from marketcli.models import DAY, MILLISECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.simulator import Ask, Reply, Route

BYTES = 256 << 20  # of answers that are kept; a year of minutes is 70 MB
OK = 200
DIGITS = 15  # of milliseconds that still are a date

Key: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...]]


class Kept:
    """The answers asked for last, up to a size."""

    def __init__(self) -> None:
        self.replies: OrderedDict[Key, Reply] = OrderedDict()
        self.size = 0

    def reply(self, route: Route | None, ask: Ask, *, bound: str, make: Callable[[Ask], Reply]) -> Reply:
        """The answer kept, else the one made; `bound` is the parameter that holds the last time asked for."""
        if route is None or not route.lasting or not over(ask.params.get(bound, ""), ask.now):
            return make(ask)
        key = (ask.host, ask.path, tuple(sorted(ask.params.items())))
        if key in self.replies:
            self.replies.move_to_end(key)
            return self.replies[key]
        made = make(ask)
        if made.status == OK:
            self.keep(key, made)
        return made

    def keep(self, key: Key, made: Reply) -> None:
        """Keep an answer; those asked for longest ago make room."""
        self.replies[key] = made
        self.size += len(made.body)
        while self.size > BYTES:
            _, gone = self.replies.popitem(last=False)
            self.size -= len(gone.body)


def over(end: str, now: int) -> bool:
    """Whether a time in milliseconds lies more than a day back."""
    return end.isascii() and end.isdigit() and len(end) <= DIGITS and int(end) * MILLISECOND < now - DAY
