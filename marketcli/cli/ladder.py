"""Order books for people: a ladder of prices with bars, the best of both sides in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketcli.cli import drawing
from marketcli.cli.depths import basis_points, below, places, price

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from marketcli.api.answer import Answer
    from marketcli.cli.depths import Figures
    from marketcli.cli.show import Destination
    from marketcli.output.layout import Column
    from marketcli.output.theme import Glyphs

MOST, LEAST = 20, 5  # levels a side that are drawn where nobody said how many
AROUND = 18  # lines of a terminal that all else takes
WIDEST, NARROWEST = 40, 8  # columns of a bar
PARTS = " ▏▎▍▌▋▊▉"  # eighths of a character
STYLES = {"ask": "down", "mid": "faint", "bid": "up"}


def draw(
    destination: Destination, answers: Sequence[Answer], figures: Mapping[str, Figures], *, levels: int | None
) -> None:
    """Books below each other, each with its figures, found by `name`; or all columns, if those were asked for."""
    from marketcli.cli import overview

    if destination.output.fields or destination.output.wide:
        overview.draw(destination, answers, title="order book", columns={})
        return
    console = destination.console()
    for place, answer in enumerate(answers):
        if place:
            console.print()
        draw_one(destination, answer, figures[name(answer)], levels=levels or fitting(console.height))


def name(answer: Answer) -> str:
    """What tells one book from another."""
    return f"{answer.exchange} {answer.market} {answer.name}"


def fitting(height: int) -> int:
    """How many levels a side leave the best prices and the figures on one screen."""
    return max(LEAST, min(MOST, (height - AROUND) // 2))


def draw_one(destination: Destination, answer: Answer, figures: Figures, *, levels: int) -> None:
    """One book, from the farthest ask that is drawn down to the farthest bid."""
    import polars as pl

    from marketcli.output.view import View

    one, kept = answer.one, destination.kept(answer.frame)
    asks, bids = (kept.filter(pl.col("side") == side).head(levels) for side in ("ask", "bid"))
    rungs = pl.concat([asks.reverse(), bids])
    view = View(
        frame=rungs,
        kinds={},
        title=[one.symbol, "order book", f"{one.exchange} {one.market} {one.native}", f"{clock(answer, figures)} UTC"],
        caption=[f"via {answer.via}", drawing.took([answer]), *shares(destination, answer, kept, rungs)],
        notes=answer.notes,
    )
    drawing.draw(
        destination,
        view,
        lambda console, drawn: ladder(answer, rungs, asks.height, figures=figures, width=console.width, drawn=drawn),
        below=lambda console, drawn: below(console, drawn, answer, figures=figures),
    )


def clock(answer: Answer, figures: Figures) -> str:
    """When the book was so: by the exchange if it says, else when it was asked."""
    from marketcli.models import iso, to_micros

    time = answer.now if figures["time"] is None else to_micros(figures["time"])
    return iso(time)[:23].rstrip("Z").replace("T", " ")


def shares(destination: Destination, answer: Answer, kept: pl.DataFrame, rungs: pl.DataFrame) -> list[str]:
    """How many levels passed the filter, and how many of them are drawn."""
    from marketcli.cli.show import matching

    passed = [matching(kept.height, answer.frame.height)] if destination.where else []
    few = f"{rungs.height} of {kept.height:,} levels drawn: --depth says how many"
    return [*passed, few] if rungs.height < kept.height else passed


def ladder(
    answer: Answer, rungs: pl.DataFrame, place: int, *, figures: Figures, width: int, drawn: Glyphs
) -> list[Column]:
    """The levels as columns, with a line for the middle at its place."""
    import polars as pl

    from marketcli.output import cells
    from marketcli.output.layout import GAP, Column, total

    one, sides = answer.one, [*rungs["side"][:place], "mid", *rungs["side"][place:]]
    styles = [STYLES[side] for side in sides]
    prices = pl.Series([*rungs["price"][:place], figures["mid"], *rungs["price"][place:]], dtype=pl.Float64)
    sizes, totals = (cells.exact(rungs[column], filled=cells.places_in(rungs["size"])) for column in ("size", "total"))
    fixed = [
        Column("", sides, right=False, styles=styles),
        Column(f"price {one.quote}", cells.exact(prices, filled=places(answer)), styles=styles),
        Column(f"size {one.base}", [*sizes[:place], "", *sizes[place:]]),
        Column(f"total {one.base}", [*totals[:place], "", *totals[place:]], rank=2),
    ]
    room = max(NARROWEST, min(WIDEST, width - total(fixed) - len(GAP)))
    marks = bars(rungs["size"].to_list(), room, drawn)
    return [
        *fixed,
        Column("", [*marks[:place], between(answer, figures), *marks[place:]], right=False, styles=styles, rank=1),
    ]


def between(answer: Answer, figures: Figures) -> str:
    """What lies between the sides."""
    if figures["spread"] is None:
        return ""
    return f"spread {price(answer, figures['ask'] - figures['bid'])}, {basis_points(figures['spread'])} bp"


def bars(sizes: Sequence[float], width: int, drawn: Glyphs) -> list[str]:
    """A bar for each size, the longest for the largest."""
    most = max(sizes, default=0.0) or 1.0
    return [bar(size / most * width, fine=bool(drawn.bars)) for size in sizes]


def bar(length: float, *, fine: bool) -> str:
    """A bar so many characters long; the smallest size still shows."""
    steps = 8 if fine else 1
    parts = max(round(length * steps), 1 if length > 0 else 0)
    if not fine:
        return "#" * parts
    return ("█" * (parts // steps) + PARTS[parts % steps]).rstrip()
