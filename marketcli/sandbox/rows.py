"""Faults in what an answer says: candles and instruments that are wrong, missing, twice or somebody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.models import DAY, MILLISECOND, Window
from marketcli.sandbox.draft import Draft, is_stamp, length_of, moved, rows_of, things_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketcli.models import Interval, Micros
    from marketcli.sandbox.draft import Row
    from marketcli.world import Bar, Listing, World

FAR = 3  # rows put before and after the window
SEVENTH = 7
UNITS: Mapping[str, Callable[[int], int]] = {
    "s": lambda stamp: stamp // 1_000,
    "us": lambda stamp: stamp * 1_000,
    "ns": lambda stamp: stamp * 1_000_000,
}
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
SPOILED = (("baseAsset",), ("quoteAsset", "marginAsset"), ("symbol", "pair"), ("status", "contractStatus"))


def in_rows(change: Callable[[list[Row]], list[Row]]) -> Callable[[Draft], None]:
    """A fault that turns the candles of an answer into others."""

    def apply(draft: Draft) -> None:
        document = draft.document()
        rows = rows_of(document)
        rows[:] = change(list(rows))
        draft.write(document)

    return apply


def has_rows(draft: Draft) -> bool:
    """Whether an answer holds candles."""
    return bool(rows_of(draft.document()))


def has_things(draft: Draft) -> bool:
    """Whether an answer holds instruments."""
    return bool(things_of(draft.document()))


def has_either(draft: Draft) -> bool:
    """Whether an answer holds candles or instruments."""
    return has_rows(draft) or has_things(draft)


def rows_out_of_window(draft: Draft, _: Mapping[str, Any]) -> None:
    """Candles before the first and after the last moment asked for."""

    def change(rows: list[Row]) -> list[Row]:
        step, window = length_of(rows), draft.window
        start = window.start // MILLISECOND if window else rows[0][0]
        end = window.end // MILLISECOND if window else rows[-1][0]
        back = (max(0, rows[0][0] - start) // step + 1) * step
        ahead = (max(0, end - rows[-1][0]) // step + 1) * step
        before = [moved(rows[0], -back - step * n) for n in reversed(range(FAR))]
        return [*before, *rows, *(moved(rows[-1], ahead + step * n) for n in range(FAR))]

    in_rows(change)(draft)


def duplicate_rows(draft: Draft, _: Mapping[str, Any]) -> None:
    """Every candle at once again, and the first once more at the end."""
    in_rows(lambda rows: [row for row in rows for _ in range(2)] + rows[:1])(draft)


def unordered_rows(draft: Draft, _: Mapping[str, Any]) -> None:
    """The odd candles first, backwards."""
    in_rows(lambda rows: rows[1::2][::-1] + rows[::2])(draft)


class Holed:
    """A world in which some candles do not exist."""

    def __init__(self, world: World, hole: Window | None) -> None:
        self.world = world
        self.hole = hole

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world, name)

    def candles(self, listing: Listing, interval: Interval, window: Window, *, price: str = "trade") -> list[Bar]:
        """The candles outside the hole; without a hole, all but every seventh."""
        bars = self.world.candles(listing, interval, window, price=price)
        if self.hole is not None:
            return [bar for bar in bars if bar.time not in self.hole]
        return [bar for bar in bars if bar.time // interval.longest % SEVENTH]


def missing_rows(draft: Draft, options: Mapping[str, Any]) -> None:
    """The answer of an exchange that has no candles there."""
    start: Micros | None = options["from"]
    end: Micros | None = options["to"]
    hole = None if start is None and end is None else Window(start or 0, end or draft.now + DAY)
    world: Any = Holed(draft.ask.world, hole)
    draft.use(draft.again(world))


def spoil_middle(draft: Draft, spoil: Callable[[Row], Row]) -> None:
    """Change the candle in the middle of the page."""

    def change(rows: list[Row]) -> list[Row]:
        middle = len(rows) // 2
        return [*rows[:middle], spoil(rows[middle]), *rows[middle + 1 :]]

    in_rows(change)(draft)


def nan_rows(draft: Draft, options: Mapping[str, Any]) -> None:
    """A price that is no number."""
    value = None if options["value"] == "null" else options["value"]
    spoil_middle(draft, lambda row: [*row[:4], value, *row[5:]])


def wrong_time_unit(draft: Draft, options: Mapping[str, Any]) -> None:
    """All times of the page in another unit."""
    convert = UNITS[options["unit"]]
    in_rows(lambda rows: [[convert(value) if is_stamp(value) else value for value in row] for row in rows])(draft)


def big_id(draft: Draft, options: Mapping[str, Any]) -> None:
    """Whole numbers that a float cannot hold, where a row counts or numbers something."""
    value = options["value"]

    def grown(row: Row) -> Row:
        return [value if isinstance(item, int) and not is_stamp(item) else item for item in row]

    in_rows(lambda rows: [grown(row) for row in rows])(draft)


def unknown_fields(draft: Draft, _: Mapping[str, Any]) -> None:
    """A new column in every row and a new key in every object."""
    document = draft.document()
    for row in rows_of(document):
        row += ["0.5", {"new": [1]}]
    for thing in things_of(document):
        thing["brandNew"] = {"nested": ["x", 1.5, None]}
    draft.write(document)


def missing_field(draft: Draft, options: Mapping[str, Any]) -> None:
    """One row that ends early, or one instrument without a key."""
    document = draft.document()
    if rows := rows_of(document):
        del rows[len(rows) // 2][CUT:]
    else:
        thing = things_of(document)[0]
        thing.pop(options["field"] or next(iter(thing)), None)
    draft.write(document)


CUT = 4  # a candle that ends before its close


def wrong_type(draft: Draft, options: Mapping[str, Any]) -> None:
    """An object where a price or a name belongs."""
    document = draft.document()
    if rows := rows_of(document):
        row = rows[len(rows) // 2]
        row[1] = {"price": row[1]}
    else:
        thing = things_of(document)[0]
        name = options["field"] or next(iter(thing))
        thing[name] = {"value": thing.get(name)}
    draft.write(document)


def hostile_names(draft: Draft, _: Mapping[str, Any]) -> None:
    """Instruments whose base, quote, symbol or status attacks terminals, files, spreadsheets and markup."""
    document = draft.document()
    things = things_of(document)
    model = dict(things[0])
    for number, text in enumerate(HOSTILE):
        for keys in SPOILED:
            spoiled = {key: text for key in keys if key in model}
            name = {} if "symbol" in spoiled else {"symbol": f"HOSTILE{number}{keys[0].upper()}"}
            things.append(model | name | spoiled)
    draft.write(document)
