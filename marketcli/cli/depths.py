"""What order books are good for, in words and figures: rows of `book_summary` for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from marketcli.cli.overview import DASH, amount, exact, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

    from marketcli.api.answer import Answer
    from marketcli.cli.show import Destination
    from marketcli.output.layout import Column, Piece
    from marketcli.output.theme import Glyphs

Figures: TypeAlias = "Mapping[str, Any]"  # a row of `book_summary`

BANDS = {"0.1%": "10bp", "0.5%": "50bp", "1%": "100bp", "2%": "200bp"}
MORE = "> "  # that, and perhaps more
SIDES = {"buy": "ask", "sell": "bid"}  # the side of the book that an order takes from


def below(console: Console, drawn: Glyphs, answer: Answer, *, figures: Figures) -> None:
    """The middle, what rests around it, and what an order would pay."""
    from marketcli.output.layout import GAP, flow, total
    from marketcli.output.table import say, table

    console.print()
    for line in flow(middle(answer, figures), console.width, GAP):
        say(console, line, GAP)
    if figures["mid"] is not None:
        found = bands(answer, figures, "at least ")
        narrow = total(found) > console.width
        table(console, bands(answer, figures, MORE) if narrow else found, drawn, wide=True)
    for way in SIDES if figures["order"] is not None else ():
        for line in flow(order(answer, figures, way), console.width, GAP):
            say(console, line, GAP)
    console.print()


def middle(answer: Answer, figures: Figures) -> list[Piece]:
    """The prices between the sides, and which side is heavier."""
    if figures["mid"] is None:
        return [("No middle: one side is empty.", "faint")]
    count = min(figures["bid_levels"], figures["ask_levels"])
    lean = figures["imbalance"]
    style = "" if not lean else "up" if lean > 0 else "down"
    return [
        (f"mid {price(answer, figures['mid'])}", ""),
        (f"microprice {price(answer, figures['microprice'])}", ""),
        (f"imbalance {percent(lean, 1)} over {count:,} levels", style),
    ]


def places(answer: Answer) -> int:
    """How many digits the prices of a book have after the point."""
    from marketcli.output.cells import places_in, places_of

    return max(places_of(answer.one.tick), places_in(answer.frame["price"]))


def price(answer: Answer, value: float | None) -> str:
    """A price that may lie between two steps."""
    return DASH if value is None else exact(round(value, places(answer) + 1))


def bands(answer: Answer, figures: Figures, beyond: str) -> list[Column]:
    """What rests within distances of mid, marked as `beyond` where there may be more."""
    from marketcli.output.layout import Column

    found = [Column(f"{answer.one.quote} within", [f"{side}s" for side in ("ask", "bid")], right=False)]
    for distance, band in BANDS.items():
        found.append(Column(distance, [within(figures, side, band, beyond) for side in ("ask", "bid")]))
    return found


def within(figures: Figures, side: str, band: str, beyond: str) -> str:
    """One depth; all there is, marked as `beyond`, where the levels end before the distance does."""
    depth = figures[f"{side}_depth_{band}"]
    if depth is not None:
        return amount(depth)
    return DASH if figures["mid"] is None else f"{beyond}{amount(figures[f'{side}_depth'])}"


def order(answer: Answer, figures: Figures, way: str) -> list[Piece]:
    """What a market order would pay, or that the levels do not tell."""
    lead = (f"{way:4} {exact(figures['order'])} {answer.one.quote}", "")
    if figures[f"{way}_average"] is None:
        side = SIDES[way]
        levels, depth = figures[f"{side}_levels"], amount(figures[f"{side}_depth"])
        return [lead, (f"not filled by the levels fetched: {levels:,} {side}s hold {depth}", "warning")]
    average, worst = (price(answer, figures[f"{way}_{name}"]) for name in ("average", "worst"))
    pieces = [lead, (f"average {average}", ""), (f"worst {worst}", "")]
    slip = figures[f"{way}_slippage"]
    return pieces if slip is None else [*pieces, (f"{basis_points(slip)} bp off mid", "")]


def basis_points(share: float | None) -> str:
    """A small share."""
    return DASH if share is None else amount(share * 10_000)


def draw_summaries(destination: Destination, answers: Sequence[Answer]) -> None:
    """One row for each book."""
    from marketcli.cli import overview

    near = {
        f"{side}s {distance}": depth(side, BANDS[distance])
        for distance in ("0.1%", "1%", "2%")
        for side in ("ask", "bid")
    }
    overview.draw(
        destination,
        answers,
        title="order books",
        columns={
            "bid": lambda row, _: exact(row["bid"]),
            "ask": lambda row, _: exact(row["ask"]),
            "spread bp": lambda row, _: basis_points(row["spread"]),
            "buy bp": paid("buy"),
            "sell bp": paid("sell"),
            "lean": lambda row, _: percent(row["imbalance"], 1),
            **near,
        },
    )


def depth(side: str, band: str) -> Callable[[dict[str, Any], Answer], str]:
    """Makes the cell for what rests within a distance of mid."""
    return lambda row, _: within(row, side, band, MORE)


def paid(way: str) -> Callable[[dict[str, Any], Answer], str]:
    """Makes the cell for what an order costs against mid."""

    def cell(row: dict[str, Any], _: Answer) -> str:
        unfilled = row["order"] is not None and row[f"{way}_average"] is None
        return "not filled" if unfilled else basis_points(row[f"{way}_slippage"])

    return cell
