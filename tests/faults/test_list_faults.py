"""Faults in the list of instruments: candles come after it, or an error that says why they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faults.bench import Ask, Bench
from faults.test_single_faults import silent
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
from marketcli.exchanges import load, names

if TYPE_CHECKING:
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


LISTS = {"binance": "exchangeInfo", "bybit": "instruments-info", "okx": "public/instruments", "hyperliquid": "Meta"}
CELLS = pytest.mark.parametrize(("exchange", "market"), [(name, one) for name in names() for one in load(name).markets])


def struck(fault: str, first: int, *, exchange: str) -> Bench:
    """A bench where the list of an exchange meets a fault; an exchange that has no such field does not meet it."""
    if "field=" in fault and exchange != "binance":
        pytest.skip("the field is one of Binance")
    return Bench(f"{fault}{',' if ':' in fault else ':'}path={LISTS[exchange]},first={first}")


@CELLS
@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_lasts_ends_in_its_error_or_in_the_truth(fault: str, exchange: str, market: Market) -> None:
    bench, ask = struck(fault, 1_000_000, exchange=exchange), Ask(market, Range(last=30), exchange=exchange)
    outcome, ending = bench.one(ask), LASTING[fault]
    ending = RateLimited if ending is Banned and silent(exchange) else ending
    assert (type(outcome.error) if outcome.error else outcome.exit) is ending, outcome
    assert lies(bench, ask, outcome) == []
    if outcome.error is not None:
        assert not bench.requests("line") + bench.requests("candle")


@CELLS
@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_passes_leaves_no_trace(fault: str, exchange: str, market: Market) -> None:
    bench, ask = struck(fault, 1, exchange=exchange), Ask(market, Range(last=30), exchange=exchange)
    outcome, ending = bench.one(ask), LASTING[fault]
    several = len(load(exchange).sites["live"].hosts[market]) > 1
    final = ending in FINAL and not (silent(exchange) if ending is Banned else several)
    assert (type(outcome.error) if outcome.error else outcome.exit) is (ending if final else TRUTH), outcome
    assert lies(bench, ask, outcome) == []
