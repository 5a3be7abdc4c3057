"""Faults in the list of instruments: candles come after it, or an error that says why they do not."""

from __future__ import annotations

import pytest
from faults.bench import Ask, Bench
from faults.truth import lies

from marketcli.api.candles import Range
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

TRUTH = ExitCode.OK

# Fault -> how a question ends that meets it always; met once, they all end in the truth but for those that are final.
LASTING: dict[str, ExitCode | type[MarketError]] = {
    "unknown_fields": TRUTH,
    "hostile_names": TRUTH,
    "delay": TRUTH,
    "missing_field:field=filters": TRUTH,  # not knowing the smallest steps makes no candle wrong
    "missing_field": DecodeError,
    "missing_field:field=baseAsset": DecodeError,
    "missing_field:field=quoteAsset": DecodeError,
    "wrong_type": DecodeError,
    "wrong_type:field=quoteAsset": DecodeError,
    "empty_200": DecodeError,  # a list in the place of an object
    "http429_retry_after": RateLimited,
    "http503_burst": ExchangeDown,
    "html_200": ExchangeDown,
    "truncated_json": CutBody,
    "gzip_truncated": CutBody,
    "reset_mid_body": CutBody,
    "trailing_json": MalformedBody,
    "double_encoding": MalformedBody,
    "http_hang": DeadlineExceeded,
    "http418_ban": Banned,
    "http451": RegionRefused,
    "redirect": Redirected,
}
FINAL = (Banned, RegionRefused, Redirected)


def struck(fault: str, first: int) -> Bench:
    return Bench(f"{fault}{',' if ':' in fault else ':'}path=exchangeInfo,first={first}")


@pytest.mark.parametrize("market", Market)
@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_lasts_ends_in_its_error_or_in_the_truth(fault: str, market: Market) -> None:
    bench, ask = struck(fault, 1_000_000), Ask(market, Range(last=30))
    outcome = bench.one(ask)
    assert (type(outcome.error) if outcome.error else outcome.exit) is LASTING[fault], outcome
    assert lies(bench, ask, outcome) == []
    if outcome.error is not None:
        assert not bench.requests("klines")


@pytest.mark.parametrize("market", Market)
@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_passes_leaves_no_trace(fault: str, market: Market) -> None:
    bench, ask = struck(fault, 1), Ask(market, Range(last=30))
    outcome = bench.one(ask)
    final = LASTING[fault] in FINAL and (market is not Market.SPOT or LASTING[fault] is Banned)
    assert (type(outcome.error) if outcome.error else outcome.exit) is (LASTING[fault] if final else TRUTH), outcome
    assert lies(bench, ask, outcome) == []
