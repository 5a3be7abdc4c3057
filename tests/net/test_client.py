"""What the client does with every kind of answer, and what it never does."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from scripted import WALL, exchange, reply

from marketcli.errors import (
    Banned,
    CutBody,
    DeadlineExceeded,
    DecodeError,
    ExchangeDown,
    ExchangeError,
    MalformedBody,
    MarketError,
    RateLimited,
    Redirected,
    RegionRefused,
    Unreachable,
    WrongAddress,
)

if TYPE_CHECKING:
    from scripted import Bench

HTML = b"<html><body>We'll be back soon</body></html>"


def test_a_good_answer_is_asked_for_once(bench: Bench) -> None:
    found, script, client = bench.run(lambda *_: reply())
    assert found == [[(1,), (2,)]]
    assert len(script.sent) == 1
    assert (client.tally.requests, client.tally.weight, client.tally.hosts) == (1, 10, {"x.example": 1})


@pytest.mark.parametrize(
    ("answer", "kind", "tries"),
    [
        (reply(503), ExchangeDown, 5),
        (reply(200, HTML), ExchangeDown, 5),
        (reply(200, b"[1]", content_type="text/html"), ExchangeDown, 5),
        (reply(200, b"[1,"), CutBody, 3),
        (reply(200, b""), CutBody, 3),
        (reply(200, b"[1]]"), MalformedBody, 3),
        (reply(200, b"\xef\xbb\xbf[1]"), MalformedBody, 3),
        (reply(200, b'["x"]'), DecodeError, 2),
        (reply(404, b"nothing here"), WrongAddress, 1),
        (reply(451), RegionRefused, 1),
        (reply(403, HTML), RegionRefused, 1),
        (reply(302, b"", location="https://evil.example/"), Redirected, 1),
        (reply(400, b"what?"), ExchangeError, 1),
        (DeadlineExceeded("too slow"), DeadlineExceeded, 5),
        (Unreachable("no route"), Unreachable, 3),
    ],
)
def test_every_failure_has_its_own_error_and_number_of_tries(
    bench: Bench, answer: object, kind: type[MarketError], tries: int
) -> None:
    found, script, _ = bench.run(lambda *_: answer)  # type: ignore[arg-type]
    assert type(found[0]) is kind
    assert len(script.sent) == tries


def test_a_failure_that_passes_is_not_seen(bench: Bench) -> None:
    answers = [reply(503), reply(200, b"[1,"), reply()]
    found, script, client = bench.run(lambda _, number: answers[number])
    assert found == [[(1,), (2,)]]
    assert len(script.sent) == 3
    assert client.tally.retries == 2
    assert bench.clock.slept == [0.25, 0.5]  # half of 0.5 and 1: the jitter is fixed here


def test_the_exchange_is_asked_first_what_its_answer_means(bench: Bench) -> None:
    refused = exchange(refuse=lambda response: ExchangeError("said X") if response.status == 500 else None)
    found, script, _ = bench.run(lambda *_: reply(500), target=refused)
    assert str(found[0]) == "said X"
    assert len(script.sent) == 1


def test_retry_after_is_obeyed_by_all_requests_at_once(bench: Bench) -> None:
    def answer(_: str, number: int) -> object:
        return reply(429, b"{}", retry_after="7") if number == 0 else reply()

    found, script, _ = bench.run(answer, times=5)  # type: ignore[arg-type]
    assert all(result == [(1,), (2,)] for result in found)
    late = [when for when, _ in script.sent[5:]]
    assert late
    assert all(when >= 1_007.0 for when in late)


@pytest.mark.parametrize("told", [{"retry_after": "soon"}, {}, {"retry_after": ""}])
def test_a_refusal_without_a_time_waits_ever_longer(bench: Bench, told: dict[str, str]) -> None:
    found, script, _ = bench.run(lambda *_: reply(429, b"{}", **told))
    assert isinstance(found[0], RateLimited)
    waits = [later - earlier for (earlier, _), (later, _) in zip(script.sent, script.sent[1:], strict=False)]
    assert len(script.sent) == 10
    assert waits == sorted(waits)
    assert waits[0] >= 0.5
    assert max(waits) <= 60.0


def test_a_date_is_a_time_too(bench: Bench) -> None:
    headers = {"retry_after": "Sat, 21 Nov 2026 00:00:09 GMT"}
    found, script, _ = bench.run(lambda _, number: reply(429, b"{}", **headers) if number == 0 else reply())
    assert found == [[(1,), (2,)]]
    assert script.sent[1][0] == pytest.approx(1_009.0)


@pytest.mark.parametrize("told", ["301", "Sat, 21 Nov 2099 00:00:09 GMT", "99999999999999999999"])
def test_a_wait_beyond_max_wait_is_left_to_the_user(bench: Bench, told: str) -> None:
    found, script, _ = bench.run(lambda *_: reply(429, b"{}", retry_after=told))
    assert isinstance(found[0], RateLimited)
    assert found[0].retry_after is not None
    assert found[0].retry_after > 300
    assert len(script.sent) == 1
    assert "Try again after 20" in found[0].hint


def test_nothing_is_sent_while_banned(bench: Bench) -> None:
    def answer(_: str, number: int) -> object:
        return reply(418, b"{}", retry_after="120") if number == 0 else reply()

    target = exchange()
    found, script, _ = bench.run(answer, times=40, target=target)  # type: ignore[arg-type]
    assert all(isinstance(result, Banned) for result in found if not isinstance(result, list))
    assert isinstance(found[0], Banned)
    assert found[0].retry_after == pytest.approx(120)
    # 16 connections at most were open when the ban came; the 24 others never left
    assert len(script.sent) <= 16
    assert all("until" in result.hint or "try again" in result.hint for result in found if isinstance(result, Banned))


def test_the_budget_is_never_spent_beyond_nine_tenths(bench: Bench) -> None:
    found, script, _ = bench.run(lambda *_: reply(), times=30)
    assert all(result == [(1,), (2,)] for result in found)
    times = [when for when, _ in script.sent]
    for start in times:
        assert sum(10 for when in times if start <= when < start + 60) <= 90
    assert max(times) - min(times) < 4 * 62


def test_what_others_spent_counts_too(bench: Bench) -> None:
    found, script, _ = bench.run(lambda *_: reply(x_used="85"), times=2)
    assert all(result == [(1,), (2,)] for result in found)
    assert script.sent[1][0] - script.sent[0][0] < 1  # both left before the first answer told

    again, later, _ = bench.run(lambda _, number: reply(x_used="85" if number == 0 else "10"), times=1)
    assert again
    assert later.sent


def test_the_second_host_answers_when_the_first_does_not(bench: Bench) -> None:
    def answer(base: str, _: int) -> object:
        return Unreachable("down") if base.endswith("one.example") else reply()

    target = exchange("https://one.example", "https://two.example")
    found, script, _ = bench.run(answer, times=1, target=target)  # type: ignore[arg-type]
    assert found == [[(1,), (2,)]]
    assert [host for _, host in script.sent] == ["https://one.example", "https://two.example"]


def test_a_refusal_of_the_last_host_is_what_is_told(bench: Bench) -> None:
    target = exchange("https://one.example", "https://two.example")
    found, script, _ = bench.run(lambda *_: reply(451), target=target)
    assert isinstance(found[0], RegionRefused)
    assert len(script.sent) == 2


def test_the_exchange_s_clock_is_taken_from_streams_and_late_messages_do_not_turn_it_back(bench: Bench) -> None:
    _, _, client = bench.run(lambda *_: reply(date="Sat, 21 Nov 2026 00:10:00 GMT"))
    clock = client.clock("x")
    clock.learn(int((WALL + 600.4) * 1e6), 0.0)
    assert clock.now() == client.now("x") == int((WALL + 600.4) * 1e6)
    clock.learn(int((WALL + 590) * 1e6), 0.1)  # sent long before it came
    assert clock.now() == int((WALL + 600.4) * 1e6)
    clock.learn(int((WALL + 600.3) * 1e6), 0.2)
    assert clock.now() == pytest.approx((WALL + 600.5) * 1e6, abs=2)
    other = client.clock("y")
    assert other.now() == int(WALL * 1e6)
    other.learn(int((WALL - 5) * 1e6), 0.0)  # ours is ahead
    assert other.now() == int((WALL - 5) * 1e6)


def test_the_exchange_s_clock_is_taken_from_its_answers(bench: Bench) -> None:
    _, _, client = bench.run(lambda *_: reply(date="Sat, 21 Nov 2026 00:10:00 GMT"))
    assert client.now("x") == int((WALL + 600) * 1e6)
    assert client.skew("x") == pytest.approx(600.5)
    moment = client.moment("x")
    bench.clock.now += 50
    assert moment() == int((WALL + 600) * 1e6)


def test_each_request_is_logged_with_what_it_cost(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "marketcli.net")
    bench.run(lambda *_: reply())
    (record,) = [record for record in caplog.records if record.message == "request"]
    details = record.__dict__["details"]
    assert {name: details[name] for name in ("method", "host", "path", "weight", "status")} == {
        "method": "GET",
        "host": "x.example",
        "path": "/path",
        "weight": 10,
        "status": 200,
    }


def test_a_ban_lasts_as_long_as_the_documentation_says_where_the_answer_does_not(bench: Bench) -> None:
    def asked(**headers: str) -> float | None:
        target = exchange(refuse=lambda _: Banned("X bans.", retry_after=600.0))
        ((error,), _, _) = bench.run(lambda *_: reply(403, b"{}", **headers), target=target)
        assert isinstance(error, Banned)
        return error.retry_after

    assert asked() == 600.0
    assert asked(retry_after="30") == 30.0
