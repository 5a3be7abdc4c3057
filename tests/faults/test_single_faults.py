"""Every fault of the sandbox by itself, on every market: passing, returning, and for ever (reliability.md, goal G2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from faults.bench import Ask, Bench
from faults.truth import lies

from marketcli.api.candles import Range
from marketcli.datasets import OHLC
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
from marketcli.exchanges import load, names, simulator
from marketcli.models import Market
from marketcli.sandbox.faults import FAULTS

if TYPE_CHECKING:
    from faults.bench import Outcome

TRUTH, GAPS = ExitCode.OK, ExitCode.INCOMPLETE  # exactly the world's rows; or fewer, and each missing one named
Ending = ExitCode | type[MarketError]

FOR_EVER = 1_000_000
MODES = {"once": "first=1", "every seventh": f"every=7,first={FOR_EVER}", "for ever": f"first={FOR_EVER}"}
SIZES = {"once": (50, 25), "every seventh": (80, 10), "for ever": (50, 25)}  # candles asked for, and to a page


class Case(NamedTuple):
    """A fault, how a question ends that meets it now and then, and how one that meets it always."""

    fault: str
    passing: Ending
    lasting: Ending


# The exit code of each error stands in its class: 5 network, 6 limited, 7 refused, 8 integrity.
CASES = (
    # what is said
    Case("missing_rows", TRUTH, GAPS),
    Case("missing_rows:from=2026-11-21T11:30,to=2026-11-21T11:40", TRUTH, GAPS),
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
# Where there is a second host it is asked when the first one refuses, and another request of it is right.
SECOND_HOST = (RegionRefused, Redirected)
UNCHECKED = {"big_id": {"trades": 2**53 + 1}}
CANDLES = {"binance": "klines", "hyperliquid": "candleSnapshot"}  # what requests are about, if it is not the last word
WHOLE = "binance"  # the exchange that meets everything in every run; of the others each fault meets one cell
SOAK = [pytest.mark.soak]
SAMPLE = 5  # one in so many: prime to the numbers of modes and markets, so that all of them come in turn
HASTY = 429
Combination = tuple[str, Case, Market, str]


def combinations() -> list[object]:
    """Every fault, exchange, market and mode; most of those of other exchanges when there is time."""
    return [
        pytest.param(*one, id="-".join((one[0], one[1].fault, *one[2:])), marks=[] if often(number, one) else SOAK)
        for number, one in enumerate(every_combination())
    ]


def often(number: int, one: Combination) -> bool:
    """Whether a combination belongs to every run."""
    return one[0] == WHOLE or number % SAMPLE == 0


def every_combination() -> list[Combination]:
    """Every fault of every market of every exchange in every mode."""
    return [
        (name, case, market, mode)
        for name in names()
        for case in CASES
        for market in load(name).markets
        for mode in MODES
    ]


def about(exchange: str) -> str:
    """What names requests for candles of an exchange to a fault."""
    endpoint = load(exchange).endpoint(OHLC, Market.SPOT)
    assert endpoint is not None
    return CANDLES.get(exchange, endpoint.path.rpartition("/")[2])


def expected(case: Case, exchange: str, market: Market, *, mode: str) -> Ending:
    """How a question ends."""
    ending = case.lasting if mode == "for ever" else case.passing
    counted = "trades" in columns_of(exchange, market)
    if case.fault.startswith("big_id") and not counted:
        return TRUTH  # nothing in its candles is a count
    if ending is Banned and silent(exchange):
        return RateLimited if mode == "for ever" else TRUTH  # nobody can know that it is a ban
    several = len(load(exchange).sites["live"].hosts[market]) > 1
    return TRUTH if several and mode != "for ever" and ending in SECOND_HOST else ending


def columns_of(exchange: str, market: Market) -> tuple[str, ...]:
    """What candles of a market say."""
    endpoint = load(exchange).endpoint(OHLC, market)
    assert endpoint is not None
    return endpoint.columns


def silent(exchange: str) -> bool:
    """Whether an exchange answers the banned as it answers the hasty."""
    player = simulator(exchange)
    assert player is not None
    return player.banned(120, 0).status == HASTY


def struck(fault: str, keys: str, *, path: str = "klines") -> str:
    """A fault with more keys."""
    return f"{fault}{',' if ':' in fault else ':'}path={path},{keys}"


def ended(outcome: Outcome) -> Ending:
    return type(outcome.error) if outcome.error else outcome.exit


@pytest.mark.parametrize(("exchange", "case", "market", "mode"), combinations())
def test_a_fault_ends_in_the_truth_in_named_gaps_or_in_its_error(
    exchange: str, case: Case, market: Market, mode: str
) -> None:
    bench = Bench(struck(case.fault, MODES[mode], path=about(exchange)))
    candles, page = SIZES[mode]
    ask = Ask(market, Range(last=candles), limit=page, exchange=exchange)
    outcome, ending = bench.one(ask), expected(case, exchange, market, mode=mode)
    assert ended(outcome) is ending, outcome
    assert lies(bench, ask, outcome, change=UNCHECKED.get(case.fault.partition(":")[0])) == []
    stats = bench.floor.stats()
    assert stats["sent_before_retry_after"] == 0
    assert stats["sent_while_banned"] == 0 or (case.fault == "http418_ban" and silent(exchange))
    if outcome.answer is not None and ending is TRUTH:
        assert outcome.answer.gaps == ()
        assert outcome.answer.frame.height == candles


def test_the_table_knows_every_fault() -> None:
    assert {case.fault.partition(":")[0] for case in CASES} == set(FAULTS)


# How often a page is asked for before its error is final, and what that takes of the exchange's patience.
TRIES = {
    "http503_burst": 5,
    "html_200": 5,
    "http_hang": 5,
    "slow_body": 5,
    "http429_retry_after": 10,
    "http429_retry_after:style=missing": 10,
    "http429_retry_after:style=years": 1,
    "http418_ban": 1,
    "truncated_json": 3,
    "gzip_truncated": 3,
    "double_encoding": 3,
    "reset_mid_body": 3,
    "giant_header": 3,
    "nan_rows": 2,
    "missing_field": 2,
    "http451": 1,
    "http403_waf": 1,
    "redirect": 1,
}


@pytest.mark.parametrize(("fault", "tries"), TRIES.items())
def test_a_page_is_tried_so_often_and_then_no_more(fault: str, tries: int) -> None:
    bench = Bench(struck(fault, MODES["for ever"]))
    assert bench.one(Ask(Market.LINEAR, Range(last=25))).error is not None
    assert sum(bench.requests().values()) == tries


SENTENCES = {
    "http503_burst": "HTTP 503",
    "html_200": "web page",
    "http451": "location",
    "http403_waf": "location",
    "http418_ban": "banned",
    "truncated_json": "ends early",
    "gzip_truncated": "gzip body that ends early",
    "double_encoding": "encoded as 'gzip, gzip'",
    "gzip_bomb:nested=1": "encoded as 'gzip, gzip'",
    "trailing_json": "not JSON",
    "reset_mid_body": "broke off",
    "slow_body": "too slowly",
    "http_hang": "within 60 s",
    "nan_rows": "cannot trust",
}


@pytest.mark.parametrize(("fault", "words"), SENTENCES.items())
def test_the_error_says_what_is_wrong(fault: str, words: str) -> None:
    outcome = Bench(struck(fault, MODES["for ever"])).one(Ask(Market.LINEAR, Range(last=25)))
    assert words in str(outcome.error)


@pytest.mark.parametrize("fault", ["http451", "http403_waf", "redirect", "http503_burst", "html_200"])
def test_the_second_spot_host_answers_where_the_first_refuses(fault: str) -> None:
    bench = Bench(struck(fault, f"first={FOR_EVER},host=data-api"))
    ask = Ask(Market.SPOT)
    outcome = bench.one(ask)
    assert (ended(outcome), lies(bench, ask, outcome)) == (TRUTH, [])


@pytest.mark.parametrize("to", ["other", "self", "http"])
def test_a_redirect_is_followed_nowhere(to: str) -> None:
    bench = Bench(f"redirect:to={to}")
    outcome = bench.one(Ask(Market.LINEAR))
    assert outcome.exit is ExitCode.NETWORK
    assert set(bench.requests("")) == {"fapi.binance.com"}
    assert "not followed" in str(outcome.error)


@pytest.mark.parametrize("market", Market)
def test_after_a_ban_nothing_is_sent_whoever_asks(market: Market) -> None:
    bench = Bench(struck("http418_ban", "every=20,first=1000000,seconds=600"))
    many = Ask(market, Range(last=1_500))  # 60 pages

    async def twice() -> tuple[Outcome, int, Outcome]:
        async with bench.session() as session:
            first = await bench.outcome(session, many)
            sent = len(bench.way.sent)
            return first, sent, await bench.outcome(session, many)

    first, sent, second = bench.run(twice())
    assert (ended(first), ended(second)) == (Banned, Banned)
    assert len(bench.way.sent) == sent < 60
    assert bench.floor.stats()["sent_while_banned"] == 0
    assert first.error is not None
    assert first.error.retry_after == pytest.approx(600, abs=1)


@pytest.mark.parametrize(
    ("style", "waited"),
    [
        ("seconds", 20.0),
        pytest.param("date", 19.0),
        ("missing", 0.5),
        ("nonsense", 0.5),
    ],
)
def test_a_refusal_is_waited_out_once_for_all_pages(style: str, waited: float) -> None:
    bench = Bench(struck("http429_retry_after", f"style={style},seconds=20,first=1"))
    ask = Ask(Market.LINEAR)
    outcome = bench.one(ask)
    assert (ended(outcome), lies(bench, ask, outcome)) == (TRUTH, [])
    assert waited <= bench.clock.seconds < waited + 1.5
    assert bench.floor.stats()["sent_before_retry_after"] == 0


def test_a_longer_wait_than_allowed_is_left_to_the_user() -> None:
    bench = Bench(struck("http429_retry_after", "seconds=20"))
    outcome = bench.one(Ask(Market.LINEAR), max_wait=10)
    assert (ended(outcome), bench.clock.seconds < 1) == (RateLimited, True)
    assert outcome.error is not None
    assert outcome.error.retry_after == 20


@pytest.mark.parametrize("market", Market)
def test_counts_are_whole_to_the_last_digit(market: Market) -> None:
    outcome = Bench("big_id").one(Ask(market))
    assert outcome.answer is not None
    assert set(outcome.answer.frame["trades"]) == {2**53 + 1}


@pytest.mark.parametrize("market", Market)
def test_hostile_names_in_the_list_change_no_candle(market: Market) -> None:
    bench, ask = Bench("hostile_names"), Ask(market)
    outcome = bench.one(ask)
    assert (ended(outcome), lies(bench, ask, outcome)) == (TRUTH, [])
