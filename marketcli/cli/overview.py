"""Tables of the present: one row per instrument, figures the way people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.models import Micros, iso, to_micros

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from marketcli.api.answer import Answer
    from marketcli.cli.show import Destination

DASH = "\N{EN DASH}"


def percent(value: float | None, places: int = 2) -> str:
    """A fraction as a signed percentage."""
    return DASH if value is None else f"{value * 100:+.{places}f}%"


def amount(value: float | None) -> str:
    """A large number in short form."""
    from marketcli.output.cells import short

    return DASH if value is None else short(value)


def exact(value: float | None) -> str:
    """A price with all its digits."""
    from marketcli.text import number

    if value is None:
        return DASH
    whole, dot, fraction = number(value).partition(".")
    return f"{int(whole):,}{dot}{fraction}"


def moment(time: datetime | None, *, now: Micros) -> str:
    """When something is due, and in how long."""
    from marketcli.output.cells import countdown

    return DASH if time is None else f"{time:%H:%M} in {countdown(max(0, to_micros(time) - now))}"


def draw(
    destination: Destination,
    answers: Sequence[Answer],
    *,
    title: str,
    columns: dict[str, Callable[[dict[str, Any], Answer], str]],
) -> None:
    """One table of all instruments; `columns` make the cells of a row."""
    import polars as pl

    from marketcli.cli.answers import columns_of
    from marketcli.output.view import View

    if destination.output.fields or destination.output.wide:
        from marketcli import frames

        frame = destination.kept(frames.concat(answers[0].dataset, [answer.frame for answer in answers]))
        kinds = columns_of(answers[0].dataset, destination.config)
        shown = View(frame=destination.selected(frame), kinds=kinds, title=[title])
        destination.draw([shown], candles=False)
        return
    several = len({answer.exchange for answer in answers}) > 1
    rows = [(row, answer) for answer in answers for row in destination.kept(answer.frame).iter_rows(named=True)]
    cells: dict[str, list[str]] = {"symbol": [row["symbol"] for row, _ in rows]}
    if several:
        cells = {"exchange": [row["exchange"] for row, _ in rows]} | cells
    for name, make in columns.items():
        texts = [make(row, answer) for row, answer in rows]
        width = max((len(text) for text in texts), default=0)
        if set(texts) != {DASH}:
            cells[name] = [text.rjust(width) for text in texts]
    first = answers[0]
    requests = sum(answer.requests for answer in answers)
    took = (
        f"{requests} request{'s' if requests != 1 else ''}, {max(answer.seconds for answer in answers) * 1_000:,.0f} ms"
    )
    notes = list(
        dict.fromkeys(f"{answer.exchange}: {note}" if several else note for answer in answers for note in answer.notes)
    )
    shown = View(
        frame=pl.DataFrame(cells),
        kinds=dict.fromkeys(cells, "text"),
        title=[title, f"{iso(first.now)[:19].replace('T', ' ')} UTC"],
        caption=[
            *ways(answers),
            took,
            "--wide for more",
        ],
        notes=notes,
    )
    destination.draw([shown], candles=False)


def ways(answers: Sequence[Answer]) -> list[str]:
    """The hosts that answered; what stood between them and us is said once if it was the same."""
    found = list(dict.fromkeys((answer.exchange, *answer.via.partition(" ")[::2]) for answer in answers))
    between = {rest for _, _, rest in found}
    if len(found) > 1 and len(between) == 1:
        first, *middle, last = (host for _, host, _ in found)
        return [f"via {first}", *middle, f"{last} {between.pop()}".strip()]
    return [f"{exchange} via {host} {rest}".strip() for exchange, host, rest in found]


def draw_history(destination: Destination, answers: Sequence[Answer], *, title: str) -> None:
    """One table per instrument, all columns that fit."""
    from marketcli.cli.answers import columns_of
    from marketcli.cli.candles import remarks
    from marketcli.output.view import View

    said = {"exchange", "market", "symbol", "native", "interval", "source"}
    views = []
    for answer in answers:
        instrument, frame = answer.one, destination.kept(answer.frame)
        if not (destination.output.fields or destination.output.wide):
            frame = frame.select(name for name in frame.columns if name not in said and not frame[name].is_null().all())
        parts = [instrument.symbol, title, f"{instrument.exchange} {instrument.market} {instrument.native}"]
        views.append(
            View(
                frame=destination.selected(frame),
                kinds=columns_of(answer.dataset, destination.config),
                title=[*parts, *([str(answer.interval)] if answer.interval else [])],
                caption=["UTC", f"via {answer.via}", f"{frame.height:,} rows"],
                notes=remarks(answer),
            )
        )
    destination.draw(views, candles=False)
