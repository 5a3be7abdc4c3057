"""Faults in how an exchange answers: refusals, maintenance, redirects, a wrong clock, silence."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from marketcli.models import SECOND
from marketcli.sandbox.draft import Delivery

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from marketcli.models import Micros
    from marketcli.sandbox.draft import Draft

DIGITS = 16  # of a time in microseconds
YEARS = 3 * 365 * 86_400
HTML = "text/html; charset=UTF-8"
MAINTENANCE = b"""<!DOCTYPE html>
<html><head><title>System upgrade</title></head>
<body><h1>We are upgrading our systems</h1><p>Trading will resume shortly.</p></body></html>
"""
BLOCKED = b"""<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">
<HTML><HEAD><TITLE>ERROR: The request could not be satisfied</TITLE></HEAD>
<BODY><H1>403 ERROR</H1><H2>The request could not be satisfied.</H2>Request blocked.</BODY></HTML>
"""
LOCATION = b'{"code":0,"msg":"Service unavailable from a restricted location according to the terms of use."}'
DOWN = b"<html><head><title>503 Service Temporarily Unavailable</title></head><body></body></html>"


def http_date(time: Micros) -> str:
    """A moment as HTTP headers write it."""
    return formatdate(time // SECOND, usegmt=True)


def http429_retry_after(draft: Draft, options: Mapping[str, Any]) -> None:
    """Too many requests, with one of five ways to say when to come back."""
    seconds, style = options["seconds"], options["style"]
    said = {
        "seconds": str(round(seconds)),
        "date": http_date(draft.now + round(seconds * SECOND)),
        "missing": None,
        "nonsense": "soon",
        "years": str(YEARS),
    }[style]
    draft.use(draft.simulator.limited(draft.simulator.pool(draft.ask.host, None), round(seconds)))
    draft.headers.pop("Retry-After", None)
    if said is not None:
        draft.headers["Retry-After"] = said
    if style in {"seconds", "date", "years"}:
        draft.told = (429, YEARS if style == "years" else seconds)


def http418_ban(draft: Draft, options: Mapping[str, Any]) -> None:
    """This address is banned."""
    seconds = options["seconds"]
    draft.use(draft.simulator.banned(round(seconds), draft.now + round(seconds * SECOND)))
    draft.told = (418, seconds)


def http503_burst(draft: Draft, _: Mapping[str, Any]) -> None:
    """The exchange is down for a moment."""
    draft.replace(503, DOWN, kind=HTML)


def http451(draft: Draft, _: Mapping[str, Any]) -> None:
    """The exchange does not serve this country."""
    draft.replace(451, LOCATION)


def http403_waf(draft: Draft, _: Mapping[str, Any]) -> None:
    """The content network in front of the exchange refuses."""
    draft.replace(403, BLOCKED, kind=HTML)


def html_200(draft: Draft, _: Mapping[str, Any]) -> None:
    """A maintenance page that calls itself a success."""
    draft.replace(200, MAINTENANCE, kind=HTML)


def empty_200(draft: Draft, _: Mapping[str, Any]) -> None:
    """An empty list where there are data: that of the rows, else nothing but a list."""
    document = draft.document()
    if isinstance(document, dict) and (rows := draft.rows(document)):
        rows.clear()
        draft.write(document)
    else:
        draft.replace(200, b"[]")


def redirect(draft: Draft, options: Mapping[str, Any]) -> None:
    """The answer is said to be elsewhere."""
    host, path = draft.ask.host, quote(draft.ask.path)
    places = {"other": f"https://other.example{path}", "self": f"/{host}{path}", "http": f"http://{host}{path}"}
    draft.replace(302, b"")
    draft.headers["Location"] = places[options["to"]]


def clock_skew(draft: Draft, options: Mapping[str, Any]) -> None:
    """The exchange's clock is wrong, in its header and in what it says of itself."""
    skew = round(options["seconds"] * SECOND)
    draft.headers["Date"] = http_date(draft.now + skew)
    document = draft.document()
    if draft.simulator.clocks and isinstance(document, dict):
        draft.write(later(document, draft.simulator.clocks, skew=skew))


def later(document: Any, clocks: Container[str], *, skew: Micros) -> Any:
    """An object in which the exchange's own times are others; those of rows are not among them."""
    if not isinstance(document, dict):
        return document
    return {
        key: moved(value, skew) if key in clocks else later(value, clocks, skew=skew) for key, value in document.items()
    }


def moved(stamp: int | str, skew: Micros) -> int | str:
    """A time in seconds to nanoseconds, which its length tells, so much later."""
    time = int(stamp) + round(skew * 10.0 ** (len(str(stamp)) - DIGITS))
    return str(time) if isinstance(stamp, str) else time


def http_hang(draft: Draft, _: Mapping[str, Any]) -> None:
    """No answer, ever."""
    draft.delivery = Delivery("hang")


def delay(draft: Draft, options: Mapping[str, Any]) -> None:
    """An answer that takes its time."""
    draft.delay += options["ms"] / 1_000
