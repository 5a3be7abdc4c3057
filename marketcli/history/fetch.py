"""Carrying a query out: pages side by side or one after another, rows clipped, sorted and unique.

The engine receives an `Exchange` and asks through a function, so it opens nothing and knows no exchange.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from marketcli import frames
from marketcli.errors import DecodeError
from marketcli.models import DAY, Micros, Window, iso

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    import polars as pl

    from marketcli.spec import Endpoint, Page, Query, Rows

T = TypeVar("T")

SIDE_BY_SIDE = 16  # pages of one query in flight


class Ask(Protocol):
    """Sends one page of a query and gives its decoded rows."""

    async def __call__(self, endpoint: Endpoint, query: Query, page: Page) -> Rows:
        """The rows of the page."""


async def fetch(
    ask: Ask,
    endpoint: Endpoint,
    query: Query,
    *,
    now: Callable[[], Micros],
    constants: Mapping[str, object],
    progress: Callable[[int], None] = lambda _: None,
) -> pl.DataFrame:
    """All rows of a query that the exchange has: inside the window, in order, each once, columns complete.

    `constants` fill the columns the exchange does not send; `progress` is told how many rows each page brought.
    Raises what `ask` raises, and `DecodeError` for a time in the future.
    """
    who = str(constants["exchange"])

    async def one(page: Page) -> tuple[Rows, pl.DataFrame]:
        rows = await ask(endpoint, query, page)
        progress(len(rows))
        frame = frames.sent(query.dataset, endpoint.columns, rows)
        check_future(frame, query, now=now(), who=who)
        return rows, clip(frame, page.window or query.window)

    pages = endpoint.pages(endpoint, query)
    parts = await (walk(pages, one) if isinstance(pages, Generator) else spread(pages, one))
    frame = frames.tidy(frames.concat(query.dataset, parts), query.dataset, who=who)
    return frames.completed(query.dataset, frame, constants)


async def walk(pages: Generator[Page, Rows, None], one: Callable[[Page], Awaitable[tuple[Rows, T]]]) -> list[T]:
    """Pages that each depend on the rows before."""
    parts: list[T] = []
    try:
        page = next(pages)
        while True:
            rows, part = await one(page)
            parts.append(part)
            page = pages.send(rows)
    except StopIteration:
        return parts


async def spread(pages: Iterable[Page], one: Callable[[Page], Awaitable[tuple[Rows, T]]]) -> list[T]:
    """Pages that do not depend on each other, several in flight, first ones first; the first error ends them all."""
    waiting, parts = iter(enumerate(pages)), dict[int, T]()

    async def work() -> None:
        for index, page in waiting:
            _, parts[index] = await one(page)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(SIDE_BY_SIDE):
                group.create_task(work())
    except ExceptionGroup as failures:
        raise first_of(failures) from None
    return [parts[index] for index in sorted(parts)]


async def every_row(ask: Ask, endpoint: Endpoint, query: Query) -> Rows:
    """The rows of all pages as they were decoded, in the order of the pages."""

    async def one(page: Page) -> tuple[Rows, Rows]:
        rows = await ask(endpoint, query, page)
        return rows, rows

    pages = endpoint.pages(endpoint, query)
    parts = await (walk(pages, one) if isinstance(pages, Generator) else spread(pages, one))
    return [row for part in parts for row in part]


def first_of(failures: ExceptionGroup[Exception]) -> Exception:
    """The first of several failures; the others are its echo."""
    inner = failures.exceptions[0]
    return first_of(inner) if isinstance(inner, ExceptionGroup) else inner


def clip(frame: pl.DataFrame, window: Window | None) -> pl.DataFrame:
    """Only the rows that open inside the window."""
    import polars as pl  # noqa: PLC0415

    bounds = span(frame)
    if window is None or bounds is None or (bounds[0] in window and bounds[1] in window):
        return frame
    return frame.filter(pl.col("time").ge(window.start) & pl.col("time").lt(window.end))


def check_future(frame: pl.DataFrame, query: Query, *, now: Micros, who: str) -> None:
    """Refuse rows of a time that has not come: their unit is wrong, or their source is."""
    bounds = span(frame)
    if bounds is not None and bounds[1] > now + DAY:
        raise DecodeError(f"{who} sent {query.dataset.title} from the future ({iso(bounds[1])}).")


def span(frame: pl.DataFrame) -> tuple[Micros, Micros] | None:
    """The earliest and the latest time of rows as they were sent, if they have any."""
    if "time" not in frame.columns or not frame.height:
        return None
    return cast("tuple[Micros, Micros]", (frame["time"].min(), frame["time"].max()))
