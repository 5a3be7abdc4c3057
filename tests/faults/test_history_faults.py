"""Faults in funding, open interest and ratios of every exchange: what is missing is named, and nothing else comes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from faults.bench import NOW, Ask, Bench, paged
from faults.test_single_faults import SOAK, struck

from marketcli.api import derivatives, market
from marketcli.api.candles import Range
from marketcli.datasets import FUNDING_HISTORY, OI_HISTORY, RATIO_ACCOUNTS, RATIO_TAKER, Dataset
from marketcli.errors import DecodeError, ExchangeDown, ExitCode, MarketError, PageStalled
from marketcli.exchanges import load, names
from marketcli.models import DAY, HOUR, Interval, Market, Micros, Window, iso

if TYPE_CHECKING:
    from marketcli.api.answer import Answer
    from marketcli.api.session import Session

Ending = ExitCode | type[MarketError]
TRUTH, GAPS = ExitCode.OK, ExitCode.INCOMPLETE

# Fault -> how a question ends that meets it always; who meets it now and then gets the truth.
LASTING: dict[str, Ending] = {
    "missing_rows": GAPS,
    "missing_rows:from=2026-11-18T02:00,to=2026-11-18T19:00": GAPS,
    "stalled_page": GAPS,
    "empty_200": GAPS,
    "rows_out_of_window": TRUTH,
    "duplicate_rows": TRUTH,
    "unordered_rows": TRUTH,
    "unknown_fields": TRUTH,
    "wrong_time_unit:unit=us": TRUTH,
    "wrong_time_unit:unit=s": TRUTH,
    "nan_rows": DecodeError,
    "nan_rows:value=text": DecodeError,
    "missing_field": DecodeError,
    "wrong_type": DecodeError,
    "http503_burst": ExchangeDown,
}
# A walk that must not go on in circles says so. One page may also hold everything, and a broken field may not be read:
# then the truth comes.
STALLED: dict[str, type[MarketError]] = {"stalled_page": PageStalled}
MODES = {"once": "first=1", "every third": "every=3,first=1000000", "for ever": "first=1000000"}
WINDOW = Window((NOW - 4 * DAY) // HOUR * HOUR, (NOW - 2 * DAY) // HOUR * HOUR)  # three settlements a day, or 24
PAGE, SAMPLE = 20, 7
HOURLY = Interval(1, "h")
Row = tuple[Any, ...]
Combination = tuple[str, Market, Dataset, str, str]


def every_combination() -> list[Combination]:
    """Every fault of every history of every market of every exchange in every mode."""
    return [
        (name, one, dataset, fault, mode)
        for name in names()
        for one in load(name).markets
        for dataset in (FUNDING_HISTORY, OI_HISTORY, RATIO_ACCOUNTS, RATIO_TAKER)
        if load(name).endpoint(dataset, one)
        for fault in LASTING
        for mode in MODES
    ]


def combinations() -> list[object]:
    """One in so many in every run."""
    return [
        pytest.param(
            *one, id=f"{one[0]}-{one[1]}-{one[2].name}-{one[3]}-{one[4]}", marks=[] if n % SAMPLE == 0 else SOAK
        )
        for n, one in enumerate(every_combination())
    ]


async def asked(session: Session, ask: Ask, native: str, dataset: Dataset) -> Answer:
    """The answer of the program about the window."""
    at, span = paged(PAGE, ask.where), Range(since=iso(WINDOW.start), until=iso(WINDOW.end))
    if dataset is FUNDING_HISTORY:
        return await derivatives.funding_history(session, at, native, market=ask.market, span=span)
    if dataset is OI_HISTORY:
        return await derivatives.open_interest_history(
            session, at, native, market=ask.market, interval=HOURLY, span=span
        )
    kind = [dataset.name.removeprefix("ratio_")]
    return await market.ratios(session, at, native, market=ask.market, kinds=kind, interval=HOURLY, span=span)


async def outcome(bench: Bench, ask: Ask, dataset: Dataset) -> Answer | MarketError:
    """The same, or the error it ends in."""
    async with bench.session() as session:
        try:
            return await asked(session, ask, ask.native(bench.floor), dataset)
        except MarketError as error:
            return error


@cache
def truth(exchange: str, where: Market, dataset: Dataset) -> dict[Micros, Row]:
    """What comes without a fault, which `exchanges/test_contract_walks.py` holds against the world."""
    bench, ask = Bench(), Ask(where, exchange=exchange)
    answer = bench.run(outcome(bench, ask, dataset))
    assert not isinstance(answer, MarketError), answer
    assert not answer.lost
    return rows_of(answer)


def rows_of(answer: Answer) -> dict[Micros, Row]:
    """The rows of an answer by their time; none comes twice."""
    frame = answer.frame.with_columns(pl.col("time").to_physical())
    times = frame["time"].to_list()
    assert times == sorted(set(times))
    return dict(zip(times, frame.rows(), strict=True))


def lies(answer: Answer, so: dict[Micros, Row]) -> list[str]:
    """What an answer says that is not so; the hours a settlement was for are unknown where one beside it is missing."""
    rows = rows_of(answer)
    silent = [time for time in so if time not in rows and not any(time in gap.window for gap in answer.lost)]
    wrong = [time for time, row in rows.items() if not same(row, so.get(time), strict=not answer.lost)]
    return [f"{len(times)} rows {what}" for what, times in (("lost in silence", silent), ("not so", wrong)) if times]


def same(row: Row, other: Row | None, *, strict: bool) -> bool:
    """Whether a row is the true one; unless strictly, it may know less."""
    if other is None:
        return False
    return all(one == two or (one is None and not strict) for one, two in zip(row, other, strict=True))


@pytest.mark.parametrize(("exchange", "where", "dataset", "fault", "mode"), combinations())
def test_a_history_is_the_truth_or_names_what_it_lacks(
    exchange: str, where: Market, dataset: Dataset, fault: str, mode: str
) -> None:
    endpoint = load(exchange).endpoint(dataset, where)
    assert endpoint is not None
    about = endpoint.path if endpoint.method == "GET" else "fundingHistory"
    bench, ask = Bench(struck(fault, MODES[mode], path=about)), Ask(where, exchange=exchange)
    answer = bench.run(outcome(bench, ask, dataset))
    ending = LASTING[fault] if mode == "for ever" else TRUTH
    if isinstance(answer, MarketError):
        assert type(answer) in (ending, STALLED.get(fault)), answer
        return
    assert lies(answer, truth(exchange, where, dataset)) == []
    ends = GAPS if answer.lost else TRUTH
    harmless = ends is TRUTH and (ending is DecodeError or fault in STALLED)
    assert ends is ending or harmless, answer.lost
