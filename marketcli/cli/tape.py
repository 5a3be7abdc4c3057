"""Trades for people: one below the other, buys and sells told apart, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketcli.cli import drawing
from marketcli.cli.overview import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from marketcli.api.answer import Answer
    from marketcli.cli.show import Destination
    from marketcli.output.layout import Column

STYLES = {"buy": "up", "sell": "down"}


def draw(destination: Destination, answers: Sequence[Answer]) -> None:
    """A table for each instrument; all columns as they are if those were asked for."""
    from marketcli.cli import overview

    if destination.output.fields or destination.output.wide:
        overview.draw_history(destination, answers, title="trades")
        return
    for place, answer in enumerate(answers):
        if place:
            destination.console().print()
        draw_one(destination, answer)


def draw_one(destination: Destination, answer: Answer) -> None:
    """The trades of one instrument, oldest first."""
    from marketcli.cli.candles import remarks
    from marketcli.cli.show import matching
    from marketcli.output.cells import period
    from marketcli.output.view import View

    one, kept = answer.one, destination.kept(answer.frame)
    when = [period(kept["time"], "\N{EN DASH}")] if kept.height else []
    passed = [matching(kept.height, answer.frame.height)] if destination.where else [f"{kept.height:,} trades"]
    view = View(
        frame=kept,
        kinds={},
        title=[one.symbol, "trades", f"{one.exchange} {one.market} {one.native}", *when],
        caption=["UTC", f"via {answer.via}", *passed, *totals(kept, one.quote), drawing.took([answer])],
        notes=remarks(answer),
    )
    drawing.draw(destination, view, lambda *_: columns(kept, answer))


def totals(frame: pl.DataFrame, quote: str) -> list[str]:
    """What takers bought and sold, in quote units."""
    import polars as pl

    sums = {side: float(frame.filter(pl.col("side") == side)["notional"].sum()) for side in STYLES}
    return [f"{side}s {amount(value)} {quote}" for side, value in sums.items()] if frame.height else []


def columns(frame: pl.DataFrame, answer: Answer) -> list[Column]:
    """Time, side, price, size, value."""
    from marketcli.output import cells
    from marketcli.output.layout import Column

    one, days = answer.one, frame["time"].dt.date().n_unique()
    pattern = "%H:%M:%S%.3f" if days == 1 else "%m-%d %H:%M:%S%.3f"
    styles = [STYLES[side] for side in frame["side"]]
    return [
        Column("time UTC", cells.times(frame["time"], pattern)),
        Column("side", frame["side"].to_list(), right=False, styles=styles),
        Column(f"price {one.quote}", cells.exact(frame["price"], filled=cells.places_of(one.tick)), styles=styles),
        Column(f"size {one.base}", cells.exact(frame["size"]), rank=1),
        Column(f"value {one.quote}", cells.shorts(frame["notional"]), rank=2),
    ]
