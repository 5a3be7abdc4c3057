"""Faults of bytes over real sockets, and the bench held against them."""

from __future__ import annotations

import asyncio

import pytest
from faults.bench import NOW, Ask, Bench, Outcome, outcome_of
from faults.truth import lies

from marketcli.api.candles import Range
from marketcli.api.session import Session
from marketcli.config import Config
from marketcli.errors import CutBody, DeadlineExceeded, ExitCode, MalformedBody, MarketError
from marketcli.models import SECOND, Market
from marketcli.net.client import Outside
from marketcli.sandbox.server import Sandbox

TRUTH = ExitCode.OK
SHORT, LONG = 0.15, 20.0  # seconds a request may take: where that is what ends it, and where nothing may hang on it

# Fault -> how a question ends that meets it always; who meets it once does not notice.
LASTING: dict[str, ExitCode | type[MarketError]] = {
    "no_length": CutBody,
    "close_mid_body": CutBody,
    "reset_mid_body": CutBody,
    "giant_header:mb=1": CutBody,
    "gzip_truncated": CutBody,
    "truncated_json": CutBody,
    "double_encoding": MalformedBody,
    "gzip_bomb:nested=1": MalformedBody,
    "http_hang": DeadlineExceeded,
    "slow_body": DeadlineExceeded,
    "delay:ms=60000": DeadlineExceeded,
    "delay:ms=1": TRUTH,
    "slow_body:bytes=2000,ms=1": TRUTH,
}


def timeout(fault: str) -> float:
    return SHORT if LASTING[fault] is DeadlineExceeded else LONG


def over_sockets(ask: Ask, fault: str, first: int) -> tuple[Sandbox, Outcome]:
    """A question over loopback at the bench's moment; retries do not wait."""
    outside = Outside(wall=lambda: NOW / SECOND, sleep=lambda _: asyncio.sleep(0), random=lambda: 0.5)

    async def work(sandbox: Sandbox) -> Outcome:
        config = Config.model_validate({"via": sandbox.url, "timeout": timeout(fault)})
        async with Session(config, outside=outside) as session:
            return await outcome_of(session, ask, ask.native(sandbox.floor), exchange=ask.where)

    with Sandbox(clock=lambda: NOW, faults=[struck(fault, first)]) as sandbox:
        return sandbox, asyncio.run(work(sandbox))


def struck(fault: str, first: int) -> str:
    return f"{fault}{',' if ':' in fault else ':'}path=klines,first={first}"


@pytest.mark.parametrize("fault", LASTING)
def test_what_lasts_ends_in_its_error_on_sockets_and_on_the_bench(fault: str) -> None:
    ask, bench = Ask(Market.LINEAR, Range(last=20)), Bench(struck(fault, 1_000_000))
    sandbox, real = over_sockets(ask, fault, 1_000_000)
    for outcome in (real, bench.one(ask, timeout=timeout(fault))):
        assert (type(outcome.error) if outcome.error else outcome.exit) is LASTING[fault], outcome
        assert lies(bench, ask, outcome) == []
    assert sandbox.stats()["paths"]["fapi.binance.com/fapi/v1/klines"] == sum(bench.requests().values())


@pytest.mark.parametrize("fault", LASTING)
def test_what_passes_is_mended_to_the_truth(fault: str) -> None:
    ask = Ask(Market.LINEAR, Range(last=60))
    sandbox, outcome = over_sockets(ask, fault, 1)
    assert (outcome.exit, lies(Bench(), ask, outcome)) == (TRUTH, [])
    assert set(sandbox.stats()["statuses"]) == {"200"}
