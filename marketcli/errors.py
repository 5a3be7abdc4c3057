"""Every exception of the program, and the exit codes they lead to.

The tree::

    MarketError                   something a user can be told in one sentence
      UsageError                  2   bad option, date, interval; nothing was sent
        UnknownSymbol             2   no instrument has that name
        AmbiguousSymbol           2   several have it
      Incomplete                  3   data was delivered, but not all that was asked for
      NotOffered                  4   the exchange or market does not have it
        DatasetAbsent             4   not at all, for nobody and no time
      NetworkError                5   may go away by itself
        Unreachable               5   DNS, refused, no route, TLS
        DeadlineExceeded          5   too slow
        ConnectionLost            5   a stream broke off
        CutBody                   5   the answer ended early, or is empty
        MalformedBody             5   not JSON, or HTML where JSON belongs
        ExchangeDown              5   5xx, maintenance
        Redirected                5   sent elsewhere, which is never followed
        WrongAddress              5   the host does not know the path
      RateLimited                 6   429; `retry_after` in seconds
        Banned                    6   418 and its relatives
      RegionRefused               7   451, 403 of a content network
      IntegrityError              8   the answer contradicts itself or its documentation
        DecodeError               8   a field is missing or has the wrong type
        PageStalled               8   a page repeats and the walk does not advance
      LocalError                  9   disk, permissions, directories
      ExchangeError               1   the exchange answered with an error nobody expected

Whether to try again is a property of the error (`retryable`), not of the place that catches it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process returns; `mkt help exit-codes` explains each."""

    OK = 0
    BUG = 1
    USAGE = 2
    INCOMPLETE = 3
    NOT_OFFERED = 4
    NETWORK = 5
    LIMITED = 6
    REFUSED = 7
    INTEGRITY = 8
    LOCAL = 9
    MATCHED = 10
    LOCKED = 11
    HANGUP = 129
    INTERRUPTED = 130
    TERMINATED = 143


# When several symbols end differently, the first of these that occurred is the exit code (product.md section 4).
PRIORITY = tuple(ExitCode(code) for code in (1, 9, 11, 8, 7, 6, 5, 2, 3, 4, 10, 0))


def worst(codes: list[ExitCode]) -> ExitCode:
    """The exit code of a command whose parts ended with `codes`."""
    return min(codes, key=PRIORITY.index, default=ExitCode.OK)


class MarketError(Exception):
    """Something went wrong that one sentence can explain.

    `hint` says what to do; `retry_after` is in seconds; `request` is the address that was asked, if any.
    """

    exit: ClassVar[ExitCode] = ExitCode.BUG
    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, hint: str = "", retry_after: float | None = None, request: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.retry_after = retry_after
        self.request = request


class UsageError(MarketError):
    """The command cannot be carried out as written."""

    exit = ExitCode.USAGE
    code = "usage"


class UnknownSymbol(UsageError):
    """No instrument of the exchange has the name."""

    code = "unknown_symbol"


class AmbiguousSymbol(UsageError):
    """Several instruments have the name."""

    code = "ambiguous_symbol"


class Incomplete(MarketError):
    """Data was delivered, but not everything that was asked for."""

    exit = ExitCode.INCOMPLETE
    code = "incomplete"


class NotOffered(MarketError):
    """The exchange, the market or the range does not have the data."""

    exit = ExitCode.NOT_OFFERED
    code = "not_offered"


class DatasetAbsent(NotOffered):
    """The exchange has no such dataset, or no such market; who asks everybody is told, and nothing has failed."""


class NetworkError(MarketError):
    """The way to the exchange failed, or the exchange did."""

    exit = ExitCode.NETWORK
    code = "network"
    retryable = True


class Unreachable(NetworkError):
    """No connection could be made."""

    code = "unreachable"


class DeadlineExceeded(NetworkError):
    """The answer did not come in time."""

    code = "timeout"


class ConnectionLost(NetworkError):
    """An open connection of a stream is no more."""

    code = "connection_lost"


class CutBody(NetworkError):
    """The answer ended before it was complete."""

    code = "cut_body"


class MalformedBody(NetworkError):
    """The answer is not the kind of document it should be."""

    code = "malformed_body"


class ExchangeDown(NetworkError):
    """The exchange answers, but cannot serve."""

    code = "exchange_down"


class Redirected(NetworkError):
    """The host sends us elsewhere."""

    code = "redirected"
    retryable = False


class WrongAddress(NetworkError):
    """The host does not know the path."""

    code = "wrong_address"
    retryable = False


class RateLimited(MarketError):
    """The exchange asks to slow down."""

    exit = ExitCode.LIMITED
    code = "rate_limited"
    retryable = True


class Banned(RateLimited):
    """The exchange has banned this address for a while."""

    code = "banned"


class RegionRefused(MarketError):
    """The exchange does not serve this location."""

    exit = ExitCode.REFUSED
    code = "region_refused"


class IntegrityError(MarketError):
    """The data contradicts itself or its documentation."""

    exit = ExitCode.INTEGRITY
    code = "integrity"


class DecodeError(IntegrityError):
    """A field of an answer is missing or has the wrong type or an impossible value."""

    code = "decode"
    retryable = True


class PageStalled(IntegrityError):
    """A walk through pages does not advance."""

    code = "page_stalled"


class LocalError(MarketError):
    """The machine itself stands in the way."""

    exit = ExitCode.LOCAL
    code = "local"


class ExchangeError(MarketError):
    """The exchange refused a request with an error of its own."""

    code = "exchange"
