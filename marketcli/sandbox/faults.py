"""The faults the sandbox can be told to make: their names, their keys, and when each strikes.

A fault is written `NAME` or `NAME:key=value,key=value`. Every fault counts the requests it is about and strikes by
that count alone, so the same requests meet the same faults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from marketcli.errors import UsageError
from marketcli.sandbox import bodies, refusals, rows
from marketcli.sandbox.options import COMMON, Option, choice, moment, number, positive, text_option, whole
from marketcli.sandbox.stream_faults import STREAM_KINDS, StreamFault, StreamKind
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from marketcli.sandbox.draft import Draft

Apply: TypeAlias = "Callable[[Draft, Mapping[str, Any]], None]"


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault: a sentence about it, what it does to an answer, its own keys, and which answers it is about."""

    text: str
    apply: Apply
    options: Mapping[str, Option]
    fits: Callable[[Draft], bool]


def anything(_: Draft) -> bool:
    """Every answer of an exchange."""
    return True


def stalled_page(draft: Draft, options: Mapping[str, Any]) -> None:
    """The first page again, whatever is asked next."""
    ignored = draft.simulator.paging
    series = (draft.ask.path, *sorted(item for item in draft.ask.params.items() if item[0] not in ignored))
    draft.body = options["seen"].setdefault(series, draft.body)


FIELD = {"field": text_option()}
SECONDS = number(2)


def kind(text: str, apply: Apply, fits: Callable[[Draft], bool] = anything, **options: Option) -> Kind:
    """A row of the table."""
    return Kind(text, apply, {**COMMON, **options}, fits)


# In the order they are applied when several strike at once: what is said, then how, then in which bytes.
KINDS: Mapping[str, Kind] = {
    "missing_rows": kind(
        "Rows from one date to another do not exist, or every seventh.",
        rows.missing_rows,
        rows.has_rows,
        **{"from": moment(), "to": moment()},
    ),
    "stalled_page": kind("The first page comes again, whatever is asked next.", stalled_page, rows.has_rows),
    "rows_out_of_window": kind("Rows from outside the window come too.", rows.rows_out_of_window, rows.has_rows),
    "duplicate_rows": kind("Rows come twice.", rows.duplicate_rows, rows.has_rows),
    "unordered_rows": kind("Rows come in disorder.", rows.unordered_rows, rows.has_rows),
    "nan_rows": kind(
        "One close price, rate or amount is no number.",
        rows.nan_rows,
        rows.has_rows,
        value=choice("NaN", "Infinity", "1e400", "null", "1_000", "text"),
    ),
    "wrong_time_unit": kind(
        "Times come in another unit.", rows.wrong_time_unit, rows.has_rows, unit=choice("us", "s", "ns")
    ),
    "big_id": kind("Counts are too large for a float.", rows.big_id, rows.has_counts, value=whole(2**53 + 1)),
    "unknown_fields": kind("Rows have more columns and objects more keys.", rows.unknown_fields, rows.has_either),
    "missing_field": kind("A row ends early, or an object lacks a key.", rows.missing_field, rows.has_either, **FIELD),
    "wrong_type": kind("An object stands where a price or a name belongs.", rows.wrong_type, rows.has_either, **FIELD),
    "hostile_names": kind("Instruments come whose names attack what shows them.", rows.hostile_names, rows.has_things),
    "clock_skew": kind(
        "The exchange's clock is wrong (the Date header and serverTime).", refusals.clock_skew, seconds=number(600)
    ),
    "empty_200": kind("An empty list comes instead of data.", refusals.empty_200),
    "http429_retry_after": kind(
        "Too many requests.",
        refusals.http429_retry_after,
        style=choice("seconds", "date", "missing", "nonsense", "years"),
        seconds=SECONDS,
    ),
    "http418_ban": kind("This address is banned.", refusals.http418_ban, seconds=number(120)),
    "http503_burst": kind(
        "The exchange is down for the first three requests (or first=N).",
        refusals.http503_burst,
        first=Option(3, positive, "3"),
    ),
    "http451": kind("The exchange does not serve this country.", refusals.http451),
    "http403_waf": kind("The content network in front refuses, in HTML.", refusals.http403_waf),
    "html_200": kind("A maintenance page comes with status 200.", refusals.html_200),
    "redirect": kind("The answer is said to be elsewhere.", refusals.redirect, to=choice("other", "self", "http")),
    "truncated_json": kind("The document ends early; its length is right.", bodies.truncated_json),
    "trailing_json": kind("A second document follows the first.", bodies.trailing_json),
    "double_encoding": kind("The body is compressed twice.", bodies.double_encoding),
    "gzip_truncated": kind("The compressed stream ends early; its length is right.", bodies.gzip_truncated),
    "gzip_bomb": kind(
        "The body expands to more than a gigabyte (nested=1: from two kilobytes).",
        bodies.gzip_bomb,
        nested=Option(0, int, "0|1"),
    ),
    "delay": kind("The answer takes its time.", refusals.delay, ms=whole(50)),
    "slow_body": kind("The body drips.", bodies.slow_body, bytes=whole(1), ms=whole(200)),
    "no_length": kind("The body has no length and ends early.", bodies.no_length),
    "close_mid_body": kind("The connection is closed in the middle of the body.", bodies.close_mid_body),
    "reset_mid_body": kind("The connection is reset in the middle of the body.", bodies.reset_mid_body),
    "giant_header": kind("A header does not end for many megabytes.", bodies.giant_header, mb=whole(64)),
    "http_hang": kind("No answer comes.", refusals.http_hang),
}


def explain(kind: Kind | StreamKind) -> str:
    """The sentence about a fault, with its keys."""
    return f"{kind.text} Keys: {', '.join(f'{key}={option.shown}' for key, option in kind.options.items())}."


FAULTS: Mapping[str, str] = {name: explain(kind) for name, kind in KINDS.items()}
STREAM_FAULTS: Mapping[str, str] = {name: explain(kind) for name, kind in STREAM_KINDS.items()}


class Fault:
    """One fault with its keys, and how many requests it has met."""

    def __init__(self, kind: Kind, options: Mapping[str, Any]) -> None:
        self.kind = kind
        self.options = {**options, "seen": {}}  # what a fault remembers between requests
        self.met = 0

    def meet(self, draft: Draft) -> None:
        """Strike an answer, if it is one of those this fault is about and its turn has come."""
        options = self.options
        if not self.means(draft) or not self.kind.fits(draft):
            return
        self.met += 1
        if self.met % options["every"] == 0 and (options["first"] is None or self.met <= options["first"]):
            self.kind.apply(draft, options)

    def means(self, draft: Draft) -> bool:
        """Whether an answer is of the exchange, the host and the path that this fault is about, if it names them."""
        simulator, ask, options = draft.simulator, draft.ask, self.options
        if options["path"] not in simulator.about(ask) or options["host"] not in ask.host:
            return False
        return options["exchange"] in ("", simulator.name)


def parse(text: str) -> Fault | StreamFault:
    """Read `NAME:key=value,…`. Raises `UsageError` that lists the names or the keys."""
    name, _, rest = text.strip().partition(":")
    kind = KINDS.get(name) or STREAM_KINDS.get(name)
    if kind is None:
        raise UsageError(
            f"There is no fault {clean(name)!r}.", hint=f"Use one of {', '.join((*KINDS, *STREAM_KINDS))}."
        )
    options = {key: option.default for key, option in kind.options.items()}
    for pair in filter(None, rest.split(",")):
        key, _, value = (part.strip() for part in pair.partition("="))
        options[key] = read(name, kind.options, key=key, value=value)
    return Fault(kind, options) if isinstance(kind, Kind) else StreamFault(name, kind, options)


def read(name: str, known: Mapping[str, Option], *, key: str, value: str) -> Any:
    """The value of one key."""
    if key not in known:
        raise UsageError(f"The fault {name} has no key {clean(key)!r}.", hint=f"It has {', '.join(known)}.")
    try:
        return known[key].read(value)
    except (ValueError, OverflowError, UsageError):
        raise UsageError(
            f"The fault {name} cannot take {key}={clean(value)}.", hint=f"Write {key}={known[key].shown}."
        ) from None


def parse_all(texts: Iterable[str]) -> tuple[list[Fault], list[StreamFault]]:
    """Several faults, those of requests and those of streams, in the order they are applied."""
    found = [parse(text) for text in texts]
    order, stream_order = list(KINDS.values()), list(STREAM_KINDS)
    requests = [fault for fault in found if isinstance(fault, Fault)]
    streams = [fault for fault in found if isinstance(fault, StreamFault)]
    requests.sort(key=lambda fault: order.index(fault.kind))
    streams.sort(key=lambda fault: stream_order.index(fault.name))
    return requests, streams
