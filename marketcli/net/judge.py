"""What an answer means when the exchange's own words do not say: by status, type and first byte."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from marketcli.errors import (
    Banned,
    CutBody,
    ExchangeDown,
    ExchangeError,
    MarketError,
    RateLimited,
    Redirected,
    RegionRefused,
    WrongAddress,
)
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketcli.spec import Response

OK = 200
REDIRECTS = range(300, 400)
BANNED, SLOW_DOWN, FORBIDDEN, NOT_SERVED, NOT_FOUND = 418, 429, 403, 451, 404
SERVER = range(500, 600)

YEAR_SECONDS = 366 * 86_400
NEXT_STEPS = "Another exchange may serve you (-e), and archives are not blocked."


TABLE: dict[int, tuple[type[MarketError], str, str]] = {
    BANNED: (Banned, "{what} has banned this address for a while.", ""),
    SLOW_DOWN: (RateLimited, "{what} asks to slow down.", ""),
    FORBIDDEN: (RegionRefused, "{what} refuses to serve your location (HTTP 403).", NEXT_STEPS),
    NOT_SERVED: (RegionRefused, "{what} refuses to serve your location (HTTP 451).", NEXT_STEPS),
    NOT_FOUND: (WrongAddress, "{what} does not know {url} (HTTP 404).", "Run `mkt --version`: a newer one may know."),
}


def by_status(response: Response, *, what: str) -> MarketError | None:
    """The error an answer stands for, or None if its body may be decoded."""
    status = response.status
    if status in TABLE:
        kind, sentence, hint = TABLE[status]
        return kind(sentence.format(what=what, url=clean(response.url)), hint=hint)
    if status in REDIRECTS:
        target = clean(response.headers.get("location", "nowhere"))
        return Redirected(f"{what} sends us to {target}, which is not followed.", hint="Is there a login page between?")
    if status in SERVER:
        return ExchangeDown(f"{what} is failing (HTTP {status}).", hint="Try again later.")
    return by_body(response, what=what)


def by_body(response: Response, *, what: str) -> MarketError | None:
    """The same for statuses that promise data."""
    if is_page(response):
        return ExchangeDown(
            f"{what} sent a web page instead of data, as exchanges do during maintenance.", hint="Try again later."
        )
    if response.status != OK:
        said = clean(response.body[:200].decode(errors="replace"))
        return ExchangeError(f"{what} answered HTTP {response.status}: {said}.")
    return None if response.body.strip() else CutBody(f"{what} sent an empty answer.")


def is_page(response: Response) -> bool:
    """Whether the body is HTML, whatever its status says."""
    return "html" in response.headers.get("content-type", "") or response.body.lstrip()[:1] == b"<"


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds the exchange asks to wait, if it says so in a way that makes sense.

    A date is measured by the exchange's own clock, its Date header; `now`, our epoch seconds, serves without one.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        seconds = float(text[:12])
    else:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        theirs = server_time(headers)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - (
            now if theirs is None else theirs
        )
    return min(max(seconds, 0.0), 10 * YEAR_SECONDS)


def server_time(headers: Mapping[str, str]) -> float | None:
    """Epoch seconds by the server's Date header (whole seconds, rounded down), if it has one that makes sense."""
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def at(epoch_seconds: float) -> str:
    """A moment for a sentence: `09:31:05 UTC`, with the date if it is not near."""
    return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
