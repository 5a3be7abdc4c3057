"""Every fault of the sandbox by itself, on every market: passing, returning, and for ever (reliability.md, goal G2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from faults.bench import Ask, Bench
from faults.truth import lies

from marketcli.errors import (
    Banned,
    CutBody,
    DeadlineExceeded,
    DecodeError,
    ExchangeDown,
    ExitCode,
    MalformedBody,
    MarketError,
    RateLimited,
    Redirected,
    RegionRefused,
)
from marketcli.models import Market
from marketcli.sandbox.faults import FAULTS

if TYPE_CHECKING:
    from faults.bench import Outcome

TRUTH, GAPS = ExitCode.OK, ExitCode.INCOMPLETE  # exactly the world's rows; or fewer, and each missing one named
Ending = ExitCode | type[MarketError]

FOR_EVER = 1_000_000
MODES = {"once": "first=1", "every seventh": f"every=7,first={FOR_EVER}", "for ever": f"first={FOR_EVER}"}


class Case(NamedTuple):
    """A fault, how a question ends that meets it now and then, and how one that meets it always."""

    fault: str
    passing: Ending
    lasting: Ending


# The exit code of each error stands in its class: 5 network, 6 limited, 7 refused, 8 integrity.
CASES = (
    # what is said
    Case("missing_rows", TRUTH, GAPS),
    Case("missing_rows:from=2026-11-21T09:00,to=2026-11-21T10:00", TRUTH, GAPS),
    Case("stalled_page", TRUTH, GAPS),
    Case("rows_out_of_window", TRUTH, TRUTH),
    Case("duplicate_rows", TRUTH, TRUTH),
    Case("unordered_rows", TRUTH, TRUTH),
    Case("nan_rows", TRUTH, DecodeError),
    Case("nan_rows:value=Infinity", TRUTH, DecodeError),
    Case("nan_rows:value=1e400", TRUTH, DecodeError),
    Case("nan_rows:value=null", TRUTH, DecodeError),
    Case("nan_rows:value=1_000", TRUTH, DecodeError),
    Case("nan_rows:value=text", TRUTH, DecodeError),
    Case("wrong_time_unit:unit=us", TRUTH, TRUTH),
    Case("wrong_time_unit:unit=s", TRUTH, TRUTH),
    Case("wrong_time_unit:unit=ns", TRUTH, TRUTH),
    Case("big_id", TRUTH, TRUTH),  # the number of trades is what the exchange says, to the last digit
    Case("big_id:value=9223372036854775808", TRUTH, DecodeError),  # more than 64 bits hold
    Case("unknown_fields", TRUTH, TRUTH),
    Case("missing_field", TRUTH, DecodeError),
    Case("wrong_type", TRUTH, DecodeError),
    Case("hostile_names", TRUTH, TRUTH),
    Case("clock_skew", TRUTH, TRUTH),  # of candle answers only; more in test_fault_clock.py
    Case("empty_200", TRUTH, GAPS),
    # how it is said
    Case("http429_retry_after", TRUTH, RateLimited),
    Case("http429_retry_after:style=date", TRUTH, RateLimited),
    Case("http429_retry_after:style=missing", TRUTH, RateLimited),
    Case("http429_retry_after:style=nonsense", TRUTH, RateLimited),
    Case("http429_retry_after:style=years", RateLimited, RateLimited),  # longer than anybody waits
    Case("http418_ban", Banned, Banned),
    Case("http503_burst", TRUTH, ExchangeDown),
    Case("http451", RegionRefused, RegionRefused),
    Case("http403_waf", RegionRefused, RegionRefused),
    Case("html_200", TRUTH, ExchangeDown),
    Case("redirect", Redirected, Redirected),
    Case("redirect:to=self", Redirected, Redirected),
    Case("redirect:to=http", Redirected, Redirected),
    # in which bytes
    Case("truncated_json", TRUTH, CutBody),
    Case("trailing_json", TRUTH, MalformedBody),
    Case("double_encoding", TRUTH, MalformedBody),
    Case("gzip_truncated", TRUTH, CutBody),
    Case("gzip_bomb", TRUTH, MalformedBody),
    Case("gzip_bomb:nested=1", TRUTH, MalformedBody),
    Case("delay", TRUTH, TRUTH),
    Case("slow_body", TRUTH, DeadlineExceeded),
    Case("no_length", TRUTH, CutBody),
    Case("close_mid_body", TRUTH, CutBody),
    Case("reset_mid_body", TRUTH, CutBody),
    Case("giant_header", TRUTH, CutBody),
    Case("http_hang", TRUTH, DeadlineExceeded),
)
# Spot has a second host, which is asked when the first one refuses, and another request of it is right.
SECOND_HOST = (RegionRefused, Redirected)
