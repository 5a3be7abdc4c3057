"""Faults in what an answer says: rows and instruments that are wrong, missing, twice or somebody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.models import DAY, HOUR, MILLISECOND, MINUTE, Window
from marketcli.sandbox.draft import Draft, altered, is_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from marketcli.models import Interval, Micros
    from marketcli.sandbox.draft import Row
    from marketcli.world import Bar, Interest, Listing, Ratio, Settlement, World

FAR = 3  # rows put before and after the window
SEVENTH = 7
UNITS: Mapping[str, Callable[[int], int]] = {
    "s": lambda stamp: stamp // 1_000,
    "us": lambda stamp: stamp * 1_000,
    "ns": lambda stamp: stamp * 1_000_000,
}
INDEX, UNUSED = "index", 10**6  # things that others name by a number get numbers of their own
HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J",
    "[/]",
    "[red]X",
    ":bomb:",
    "\u202eTDSU\u2066",
    "../../etc/x",
    "=cmd()|'/c calc'!A0",
    "A\x00B\r\nC\x9b31m",
    "币安人生",
    "LONG" * 500,
)


def in_rows(change: Callable[[list[Row]], list[Row]]) -> Callable[[Draft], None]:
    """A fault that turns the rows of an answer into others."""

    def apply(draft: Draft) -> None:
        document = draft.document()
        rows = draft.rows(document)
        rows[:] = change(list(rows))
        draft.write(document)

    return apply


def has_rows(draft: Draft) -> bool:
    """Whether an answer holds rows of a history."""
    return bool(draft.rows(draft.document()))


def has_counts(draft: Draft) -> bool:
    """Whether the rows of an answer count or number something."""
    rows = draft.rows(draft.document())
    return bool(rows) and altered(rows[0], lambda value: is_count(value) or value) != rows[0]


def has_things(draft: Draft) -> bool:
    """Whether an answer holds instruments."""
    return bool(draft.things(draft.document())) and not has_rows(draft)


def has_either(draft: Draft) -> bool:
    """Whether an answer holds rows or instruments."""
    return has_rows(draft) or has_things(draft)


def rows_out_of_window(draft: Draft, _: Mapping[str, Any]) -> None:
    """Rows before the first and after the last moment asked for."""

    def change(rows: list[Row]) -> list[Row]:
        oldest, newest = min(rows, key=draft.time_of), max(rows, key=draft.time_of)
        step, window = draft.length_of(rows), draft.window
        first, last = draft.time_of(oldest), draft.time_of(newest)
        start = window.start // MILLISECOND if window else first
        end = window.end // MILLISECOND if window else last
        back = (max(0, first - start) // step + 1) * step
        ahead = (max(0, end - last) // step + 1) * step
        before = [moved(draft, oldest, -back - step * n) for n in reversed(range(FAR))]
        after = [moved(draft, newest, ahead + step * n) for n in range(FAR)]
        return [*before, *rows, *after] if rows[0] is oldest else [*after[::-1], *rows, *before[::-1]]

    in_rows(change)(draft)


def moved(draft: Draft, row: Row, milliseconds: int) -> Row:
    """The same row at another time."""
    return draft.retimed(row, lambda time: time + milliseconds)


def duplicate_rows(draft: Draft, _: Mapping[str, Any]) -> None:
    """Every row at once again, and the first once more at the end."""
    in_rows(lambda rows: [row for row in rows for _ in range(2)] + rows[:1])(draft)


def unordered_rows(draft: Draft, _: Mapping[str, Any]) -> None:
    """The odd rows first, backwards."""
    in_rows(lambda rows: rows[1::2][::-1] + rows[::2])(draft)


class Holed:
    """A world in which some candles, settlements and moments of open interest and ratios do not exist."""

    def __init__(self, world: World, hole: Window | None) -> None:
        self.world = world
        self.hole = hole

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world, name)

    def candles(self, listing: Listing, interval: Interval, window: Window, *, price: str = "trade") -> list[Bar]:
        """The candles outside the hole; without a hole, all but every seventh."""
        bars = self.world.candles(listing, interval, window, price=price)
        return [bar for bar in bars if self.there(bar.time, interval.longest)]

    def settlements(self, listing: Listing, window: Window) -> list[Settlement]:
        """The settlements outside the hole, or all but every seventh."""
        return [row for row in self.world.settlements(listing, window) if self.there(row.time, HOUR)]

    def interest(self, listing: Listing, times: Sequence[Micros]) -> list[Interest]:
        """Open interest outside the hole, or at all moments but every seventh."""
        return [row for row in self.world.interest(listing, times) if self.there(row.time, 5 * MINUTE)]

    def ratios(self, listing: Listing, interval: Interval, times: Sequence[Micros]) -> list[Ratio]:
        """Ratios outside the hole, or at all moments but every seventh."""
        found = self.world.ratios(listing, interval, times)
        return [row for row in found if self.there(row.time, interval.longest)]

    def there(self, time: Micros, length: Micros) -> bool:
        """Whether what belongs to a moment exists, when things are so long apart."""
        if self.hole is not None:
            return time not in self.hole
        return time // length % SEVENTH != 0


def missing_rows(draft: Draft, options: Mapping[str, Any]) -> None:
    """The answer of an exchange that has nothing there."""
    start: Micros | None = options["from"]
    end: Micros | None = options["to"]
    hole = None if start is None and end is None else Window(start or 0, end or draft.now + DAY)
    world: Any = Holed(draft.ask.world, hole)
    draft.use(draft.again(world))


def spoil_middle(draft: Draft, spoil: Callable[[Row], Row]) -> None:
    """Change the row in the middle of the page."""

    def change(rows: list[Row]) -> list[Row]:
        middle = len(rows) // 2
        return [*rows[:middle], spoil(rows[middle]), *rows[middle + 1 :]]

    in_rows(change)(draft)


def put(row: Row, place: Any, value: Any) -> Row:
    """A row with another value at a place."""
    found = row.copy()
    found[place] = value
    return found


def nan_rows(draft: Draft, options: Mapping[str, Any]) -> None:
    """A price, rate or amount that is no number."""
    value = None if options["value"] == "null" else options["value"]
    spoil_middle(draft, lambda row: put(row, draft.place_of_number(row), value))


def wrong_time_unit(draft: Draft, options: Mapping[str, Any]) -> None:
    """All times of the page in another unit."""
    convert = UNITS[options["unit"]]
    in_rows(lambda rows: [draft.retimed(row, convert) for row in rows])(draft)


def is_count(value: Any) -> bool:
    """Whether a value of a row is a whole number that is no time."""
    return isinstance(value, int) and not is_stamp(value)


def big_id(draft: Draft, options: Mapping[str, Any]) -> None:
    """Whole numbers that a float cannot hold, where a row counts or numbers something."""
    value = options["value"]
    in_rows(lambda rows: [altered(row, lambda item: value if is_count(item) else item) for row in rows])(draft)


def unknown_fields(draft: Draft, _: Mapping[str, Any]) -> None:
    """A new column in every row and a new key in every object."""
    document = draft.document()
    for row in draft.rows(document):
        if isinstance(row, list):
            row += ["0.5", {"new": [1]}]
    for thing in draft.things(document):
        thing["brandNew"] = {"nested": ["x", 1.5, None]}
    draft.write(document)


def victim(draft: Draft, document: Any) -> Row:
    """The row in the middle of the page, or the first instrument."""
    rows = draft.rows(document)
    return rows[len(rows) // 2] if rows else draft.things(document)[0]


def key_of(draft: Draft, thing: dict[str, Any], wanted: str) -> str:
    """The key that a fault is about: the one it names, else a row's number, else a name."""
    return wanted or str(draft.place_of_number(thing) if draft.is_row(thing) else draft.simulator.words[0][0])


def missing_field(draft: Draft, options: Mapping[str, Any]) -> None:
    """One row that ends before its close, or one object without a key."""
    document = draft.document()
    found = victim(draft, document)
    if isinstance(found, list):
        del found[draft.place_of_number(found) :]
    else:
        found.pop(key_of(draft, found, options["field"]), None)
    draft.write(document)


def wrong_type(draft: Draft, options: Mapping[str, Any]) -> None:
    """An object where a number or a name belongs."""
    document = draft.document()
    found = victim(draft, document)
    if isinstance(found, list):
        found[1] = {"price": found[1]}
    else:
        name = key_of(draft, found, options["field"])
        found[name] = {"value": found.get(name)}
    draft.write(document)


def hostile_names(draft: Draft, _: Mapping[str, Any]) -> None:
    """Instruments whose base, quote, symbol or status attacks terminals, files, spreadsheets and markup."""
    document = draft.document()
    things, words = draft.things(document), draft.simulator.words
    model, name = dict(things[-1]), words[0][0]
    for number, text in enumerate(HOSTILE):
        for keys in words:
            spoiled = {key: text for key in keys if key in model}
            own = {INDEX: UNUSED + len(things)} if INDEX in model else {}
            things.append(model | {name: f"HOSTILE{number}{keys[0].upper()}"} | own | spoiled)
    draft.write(document)
