"""How a query becomes pages. No I/O: a pager says what to ask and is told what came."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from marketcli.errors import PageStalled
from marketcli.models import Micros, Window
from marketcli.spec import Continued, Page

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from marketcli.spec import Endpoint, Query, Rows


def whole(endpoint: Endpoint, query: Query) -> Sequence[Page]:
    """One page that holds everything."""
    return (Page(query.window, endpoint.limit),)


def by_window(endpoint: Endpoint, query: Query) -> Sequence[Page]:
    """Slices of at most `limit` intervals (and at most `span` long) that do not depend on each other.

    Each page asks for exactly as many rows as its slice has intervals, so the last one is cheap.
    """
    if query.window is None or query.interval is None:
        raise TypeError("by_window needs a window and an interval")
    interval = query.interval
    count = endpoint.limit
    if endpoint.span is not None:
        count = max(1, min(count, endpoint.span // timedelta(microseconds=interval.longest)))
    pages, start, end = [], interval.ceil(query.window.start), query.window.end
    while start < end:
        stop = min(interval.step(start, count), end)
        pages.append(Page(Window(start, stop), interval.count_in(Window(start, stop))))
        start = stop
    return tuple(pages)


def forward(endpoint: Endpoint, query: Query) -> Generator[Page, Rows, None]:
    """Ask from the start; continue at the newest row until a page is short.

    Rows that share the newest time may be cut by the page, so the next page begins *at* it and the key removes the
    overlap. A full page that holds one time only cannot be continued: `PageStalled`.
    """
    window = needed(query)
    at, start = endpoint.columns.index("time"), window.start
    while start < window.end:
        rows = yield Page(Window(start, window.end), endpoint.limit)
        if len(rows) < endpoint.limit:
            return
        newest: Micros = max((row[at] for row in rows if row[at] < window.end), default=start)
        if newest <= start:
            raise stalled(endpoint)
        start = newest


def backward(endpoint: Endpoint, query: Query) -> Generator[Page, Rows, None]:
    """Ask up to the end; continue before the oldest row until a page is empty or reaches the start.

    The next page ends just after the oldest time, for the same reason as in `forward`.
    """
    window = needed(query)
    at, end = endpoint.columns.index("time"), window.end
    while window.start < end:
        rows = yield Page(Window(window.start, end), endpoint.limit)
        if not rows:
            return
        oldest: Micros = min((row[at] for row in rows if row[at] >= window.start), default=window.start)
        if oldest <= window.start or (len(rows) < endpoint.limit and oldest + 1 >= end):
            return
        if oldest + 1 >= end:
            raise stalled(endpoint)
        end = oldest + 1


def by_cursor(endpoint: Endpoint, query: Query) -> Generator[Page, Rows, None]:
    """Continue where the exchange says the next page begins, until it says nothing."""
    cursor, seen = None, set[str]()
    while cursor != "":
        rows = yield Page(query.window, endpoint.limit, cursor)
        cursor = rows.cursor if isinstance(rows, Continued) else ""
        if cursor in seen:
            raise PageStalled(f"{endpoint.path} gives the same page again and again.", hint="Ask for a shorter window.")
        seen.add(cursor)


def needed(query: Query) -> Window:
    """The window of a query that must have one."""
    if query.window is None:
        raise TypeError("a walk needs a window")
    return query.window


def stalled(endpoint: Endpoint) -> PageStalled:
    """The error for a page that does not advance."""
    return PageStalled(
        f"{endpoint.path} repeats a full page of {endpoint.limit} rows with one time, so some rows cannot be reached.",
        hint="Ask for a shorter window.",
    )
