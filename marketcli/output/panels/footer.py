"""How every feed is, below each panel: how old its last message is, how many come, and what was missed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from marketcli.live.events import State
from marketcli.output.layout import GAP
from marketcli.output.panels import figures
from marketcli.output.panels.lines import flowed
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.live.events import Blind, Status, Vitals
    from marketcli.models import Market, Micros
    from marketcli.output.panels.lines import Line
    from marketcli.output.panels.panel import Feeds
    from marketcli.output.theme import Glyphs

OVER = 5.0  # seconds over which messages are counted
LATE = 10.0  # seconds without a message after which its age is set off where messages are the rule
SENTENCE, REASON = 300, 40  # characters of what an exchange says, alone on a line or before other things


class Footer:
    """The state of the feeds, from their vitals and what was heard of them."""

    def __init__(self, feeds: Feeds, glyphs: Glyphs) -> None:
        self.feeds, self.glyphs = feeds, glyphs
        self.samples: dict[tuple[str, Market], deque[tuple[float, int]]] = {}
        self.alive: set[tuple[str, Market]] = set()
        self.lost: dict[tuple[str, Market], tuple[Micros, str]] = {}
        self.refused: dict[tuple[str, Market], str] = {}
        self.last: Blind | None = None

    def heard(self, status: Status) -> None:
        """Remember since when a connection is lost, and what was refused."""
        place = status.exchange, status.market
        if status.state is State.LIVE:
            self.alive.add(place)
        elif status.state is State.LOST:
            self.alive.add(place)
            self.refused.pop(place, None)  # of a topic: the connection is tried again
            self.lost.setdefault(place, (status.time, status.text))
        elif status.state is State.REFUSED:
            self.refused[place] = status.text

    def missed(self, blind: Blind) -> None:
        """Remember the last interval that nothing filled."""
        if not blind.repaired:
            self.last = blind

    def lines(self, width: int, most: int) -> list[Line]:
        """A line for each feed, those in trouble first; and what failed for good, what was missed last."""
        found = [self.line(vitals, width) for vitals in self.feeds.vitals.values()]
        found.sort(key=lambda entry: not entry[0])
        lines = [line for _, line in found]
        lines += [[(clean(error.message, SENTENCE), "warning")] for error in self.feeds.failures]
        if self.last is not None:
            lines.append([(f"last gap: {described(self.last)}", "warning")])
        if len(lines) > most:
            lines = [*lines[: most - 1], [(f"and {figures.counted(len(lines) - most + 1, 'line')} more", "faint")]]
        rule = [(self.glyphs.rule * width, "faint")]
        return [rule, *lines]

    def line(self, vitals: Vitals, width: int) -> tuple[bool, Line]:
        """Whether a feed is in trouble, and what there is to say of it."""
        place = vitals.exchange, vitals.market
        longest = max(len(f"{exchange} {market}") for exchange, market in self.feeds.vitals)
        trouble = self.trouble(vitals)
        name = f"{vitals.exchange} {vitals.market} {trouble}" if trouble else " ".join(place).ljust(longest)
        now = self.feeds.monotonic()
        since = None if vitals.last is None else now - vitals.last
        said = [figures.age(since), f"{figures.rate(self.rate(place, vitals.messages, now))} msg/s"]
        said += [figures.counted(vitals.reconnects, "reconnect"), figures.counted(vitals.gaps, "gap")]
        said.append(f"{vitals.dropped:,} dropped")
        more = {
            "repaired": vitals.repaired,
            "unreadable": vitals.garbage,
            "in conflict": vitals.conflicts,
            "unlisted": vitals.unlisted,
        }
        said += [f"{count:,} {what}" for what, count in more.items() if count]
        shown = flowed(name, said, width, dot=f" {self.glyphs.dot} ")[1][0]
        return bool(trouble), [(f"{name}{GAP}", "error" if trouble else ""), (shown, "faint")]

    def trouble(self, vitals: Vitals) -> str:
        """Why a feed is blind now, if it is."""
        place = vitals.exchange, vitals.market
        if vitals.connections >= vitals.wanted:
            self.lost.pop(place, None)
            if vitals.wanted:
                self.alive.add(place)
                return ""
            return f"ended: {clean(self.refused[place], REASON)}" if place in self.refused else ""
        of = f" ({vitals.connections} of {vitals.wanted} connections)" if vitals.wanted > 1 else ""
        if place in self.refused:
            return f"REFUSED{of}: {clean(self.refused[place], REASON)}"
        if place not in self.alive:
            return f"connecting{of}"
        time, text = self.lost.setdefault(place, (self.feeds.now(vitals.exchange), ""))
        reason = f": {clean(text, REASON)}" if text else ""
        return f"BLIND since {figures.clock(time)}{of}{reason}"

    def rate(self, place: tuple[str, Market], messages: int, now: float) -> float:
        """Messages per second, over the last few seconds."""
        samples = self.samples.setdefault(place, deque(maxlen=64))
        samples.append((now, messages))
        while len(samples) > 2 and samples[1][0] <= now - OVER:  # noqa: PLR2004 - two make a rate
            samples.popleft()
        began, before = samples[0]
        return (messages - before) / (now - began) if now > began else 0.0


def described(blind: Blind) -> str:
    """An interval in a few words: when, where, why, how many rows."""
    when = f"{figures.clock(blind.window.start)} to {figures.clock(blind.window.end)}"
    which = symbols(blind.symbols)
    rows = f", {figures.counted(blind.rows, 'row')}" if blind.rows else ""
    repaired = "filled from REST" if blind.repaired else "not filled"
    what = blind.cause if blind.cause == "dropped" else f"{blind.cause}, {repaired}"
    return f"{when} {what}{rows}: {blind.exchange} {blind.market}{which}"


def symbols(names: Sequence[str]) -> str:
    """The names an interval is about, as far as they are few."""
    if not names:
        return ""
    more = f" and {len(names) - 2:,} more" if len(names) > 2 else ""  # noqa: PLR2004 - two are named
    return f" {', '.join(figures.name(one) for one in names[:2])}{more}"
