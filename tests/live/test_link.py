"""One connection: what it asks for and how fast, what keeps it alive, and what it is given up for."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from scripted_streams import BTC, ETH, Line, channel, socket
from virtual_time import Hours, run

from marketcli.datasets import LIQUIDATIONS, TICKER
from marketcli.errors import ConnectionLost, DecodeError, MarketError
from marketcli.live.link import Link, Refusal, Silence, Stage, Unanswered
from marketcli.models import Market
from marketcli.spec import Query

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from marketcli.spec import Channel, Socket

TICKERS = channel(TICKER, cadence=1.0)
SLOW = channel(TICKER, cadence=60.0)
QUIET = channel(LIQUIDATIONS)


class Taken:
    """What a link hands on."""

    def __init__(self) -> None:
        self.data: list[tuple[str, bytes]] = []
        self.garbage: list[bytes] = []
        self.without: list[str] = []

    def refused(self, topic: str, error: Refusal) -> None:
        assert topic in error.message
        self.without.append(topic)

    def received(self, stage: Stage, data: bytes) -> None:
        self.data.append((stage.topic, bytes(data)))

    def unreadable(self, frame: bytes, error: MarketError) -> None:
        del error
        self.garbage.append(frame)


def stage(kind: Channel, name: str) -> Stage:
    """A topic of a kind."""
    return Stage(name, kind, Query(kind.dataset, Market.LINEAR, BTC), kind.decoder())


def play(
    script: Callable[[Link, Line], Awaitable[None]],
    *stages: Stage,
    at: Socket | None = None,
    names: Sequence[str] | None = None,
    acknowledge: bool = True,
) -> tuple[Link, Line, Taken, BaseException | None]:
    """Run a link beside a script; the link, its connection, what it handed on, and what ended it."""

    async def main(hours: Hours) -> tuple[Link, Line, Taken, BaseException | None]:
        line, taken = Line(acknowledge=acknowledge), Taken()
        wanted = names or [one.topic for one in stages]
        link = Link(line, at or socket(), wanted, stages=stages, receiver=taken, outside=hours.outside())
        running = asyncio.ensure_future(link.run())
        playing = asyncio.ensure_future(script(link, line))
        await asyncio.wait([running, playing], return_when=asyncio.FIRST_COMPLETED)
        error = running.exception() if running.done() else None
        if not playing.done():
            playing.cancel()
        else:
            playing.result()
        running.cancel()
        await asyncio.gather(running, playing, return_exceptions=True)
        return link, line, taken, error

    return run(main)


async def wait(seconds: float) -> None:
    """Let time pass."""
    await asyncio.sleep(seconds)


def test_topics_are_asked_for_in_batches_no_faster_than_is_allowed() -> None:
    moments: list[float] = []

    async def script(link: Link, line: Line) -> None:
        send = line.send

        async def timed(text: str) -> None:
            moments.append(link.outside.monotonic())
            await send(text)

        line.send = timed  # type: ignore[method-assign]
        await wait(20)

    many = [stage(SLOW, f"t{number}") for number in range(25)]
    _, line, _, error = play(script, *many, at=socket(batch=10, messages=(2, 3.0)))
    assert error is None
    assert [len(heard["topics"]) for heard in line.heard] == [10, 10, 5]
    assert [heard["number"] for heard in line.heard] == [1, 2, 3]
    assert sorted({topic for heard in line.heard for topic in heard["topics"]}) == sorted(one.topic for one in many)
    assert [later - earlier for earlier, later in pairwise(moments)] == [1.5, 1.5]


def test_what_is_recalled_does_not_show_that_anything_new_comes() -> None:
    async def script(link: Link, line: Line) -> None:
        await wait(0.1)
        for topic in "abc":
            line.data(topic, (1,))
            await wait(1)
            assert not link.settled.is_set()
        line.data("b", (2,))
        await wait(0.1)
        assert link.settled.is_set()

    link, _, taken, _ = play(script, *[stage(SLOW, name) for name in "abc"], at=socket(recalls=True))
    assert len(taken.data) == 4
    assert link.first is not None
    assert json.loads(link.first)["data"] == [[2]]


def test_it_is_complete_with_the_first_data_after_everything_was_acknowledged() -> None:
    async def script(link: Link, line: Line) -> None:
        await wait(0.1)
        line.say({"said": "accepted", "request": 1})
        line.data("a", (1,))  # comes early, and is taken all the same
        await wait(1)
        assert not link.settled.is_set()
        line.say({"said": "accepted", "topic": "c"})
        await wait(1)
        assert not link.settled.is_set()
        line.data("b", (2,))
        line.data("b", (3,))
        await wait(0.1)
        assert link.settled.is_set()

    link, _, taken, _ = play(script, *[stage(SLOW, name) for name in "abc"], at=socket(batch=2), acknowledge=False)
    assert [topic for topic, _ in taken.data] == ["a", "b", "b"]
    assert link.first is not None
    assert json.loads(link.first)["data"] == [[2]]
    assert link.latest is not None
    assert json.loads(link.latest)["data"] == [[3]]
    assert link.messages == 3


def test_each_request_has_its_own_time_to_be_acknowledged() -> None:
    async def script(_: Link, line: Line) -> None:
        for number in range(1, 6):
            await wait(1 if number == 1 else 4)
            line.say({"said": "accepted", "request": number})
        await wait(3)

    many = [stage(SLOW, f"t{number}") for number in range(5)]
    assert play(script, *many, at=socket(batch=1, messages=(1, 4.0)), acknowledge=False)[3] is None
    _, _, _, error = play(lambda *_: wait(30), *many, at=socket(batch=1, messages=(1, 4.0)), acknowledge=False)
    assert isinstance(error, Unanswered)
    assert "t0" in error.message


@pytest.mark.parametrize(
    ("said", "without", "asked"),
    [
        ({"topic": "b"}, ["b"], []),
        ({"request": 2}, [], [["c"], ["d"]]),  # which of both is the bad one?
        ({"request": 2, "text": "wrong: d"}, ["d"], [["c"]]),  # the other one failed with it
        ({}, [], [["a", "b"], ["c", "d"]]),
    ],
)
def test_what_is_refused_is_done_without_and_what_failed_with_it_is_asked_for_again(
    said: dict[str, Any], without: list[str], asked: list[list[str]]
) -> None:
    async def script(link: Link, line: Line) -> None:
        await wait(1)
        line.say({"said": "refused", "text": "wrong", **said})
        await wait(1)
        for number in range(1, len(line.heard) + 1):
            assert not link.settled.is_set()
            line.say({"said": "accepted", "request": number})
        line.data("a", (1,))
        await wait(1)
        assert link.settled.is_set()

    stages = [stage(SLOW, name) for name in "abcd"]
    link, line, taken, error = play(script, *stages, at=socket(batch=2), acknowledge=False)
    assert error is None
    assert taken.without == without
    assert [heard["topics"] for heard in line.heard[2:]] == asked
    assert sorted(link.stages) == sorted(set("abcd") - set(without))


def test_of_names_in_a_refusal_the_longest_is_meant() -> None:
    async def script(_: Link, line: Line) -> None:
        await wait(1)
        line.say({"said": "refused", "request": 1, "text": "handler not found,topic:ticker.BTC-SWAP"})
        await wait(1)

    stages = [stage(SLOW, name) for name in ("ticker.ETH", "ticker.BTC", "ticker.BTC-SWAP")]
    assert play(script, *stages, acknowledge=False)[2].without == ["ticker.BTC-SWAP"]


def test_what_proves_life_may_be_refused_as_long_as_something_is_left() -> None:
    async def script(_: Link, line: Line) -> None:
        await wait(0.1)
        for topic in ("busy", "a"):
            line.say({"said": "refused", "topic": topic, "text": "no"})
            await wait(1)

    _, _, taken, error = play(script, stage(SLOW, "a"), names=["a", "busy"], acknowledge=False)
    assert isinstance(error, Refusal)
    assert "stream a: no" in error.message
    assert taken.without == []


def test_a_refusal_without_words_says_so() -> None:
    async def script(_: Link, line: Line) -> None:
        await wait(0.1)
        line.say({"said": "refused"})
        await wait(1)

    error = play(script, stage(SLOW, "a"), acknowledge=False)[3]
    assert "it gave no reason" in str(error)


def test_what_was_acknowledged_is_not_refused_any_more_and_an_answer_to_nothing_accepts_nothing() -> None:
    async def script(link: Link, line: Line) -> None:
        line.say({"said": "accepted"})  # of what?
        line.say({"said": "accepted", "request": 77})
        await wait(0.1)
        assert set(link.pending) == {"a", "b"}
        line.say({"said": "accepted", "topic": "a"})
        line.say({"said": "refused", "topic": "a", "text": "already subscribed"})
        line.say({"said": "other"})
        await wait(1)

    assert play(script, stage(SLOW, "a"), stage(SLOW, "b"), acknowledge=False)[3] is None


def test_a_refusal_weighs_more_than_the_end_that_follows_it() -> None:
    async def script(_: Link, line: Line) -> None:
        await wait(0.1)
        line.say({"said": "refused", "text": "no"})
        line.drop()
        await wait(1)

    assert isinstance(play(script, stage(SLOW, "a"), acknowledge=False)[3], Refusal)


def test_the_exchanges_own_ping_is_sent_in_its_rhythm() -> None:
    async def script(link: Link, line: Line) -> None:
        del link
        for _ in range(95):
            line.data("a", (1,))
            await wait(1)

    _, line, _, error = play(script, stage(SLOW, "a"), at=socket(ping='"ping"', ping_seconds=20.0))
    assert error is None
    assert line.heard.count("ping") == 4
    assert "ping" not in play(script, stage(SLOW, "a"))[1].heard


def test_it_leaves_before_the_exchange_would_cut_it_and_when_that_is_announced() -> None:
    moments: list[float] = []

    async def script(link: Link, line: Line) -> None:
        began = link.outside.monotonic()
        for _ in range(7_000):
            if link.leaving.is_set():
                break
            line.data("a", (1,))
            await wait(0.5)
        moments.append(link.outside.monotonic() - began)

    play(script, stage(SLOW, "a"), at=socket(life=timedelta(hours=1)))
    assert 3_440 <= moments.pop() <= 3_452  # 23 of 24 parts

    async def announced(link: Link, line: Line) -> None:
        line.say({"said": "leaving"})
        await wait(0.1)
        assert link.leaving.is_set()

    assert play(announced, stage(SLOW, "a"))[3] is None


@pytest.mark.parametrize(
    ("kind", "names", "seconds"),
    [
        (TICKERS, ["a"], 10),  # three cadences, but ten seconds at least
        (SLOW, ["a"], 180),
        (QUIET, ["a", "busy"], 10),  # the sign of life comes every second
        (QUIET, ["a"], 180),  # nothing is known of it: a minute is taken for its cadence
    ],
)
def test_silence_is_borne_for_three_cadences(kind: Channel, names: list[str], seconds: float) -> None:
    moments: list[float] = []

    async def script(link: Link, line: Line) -> None:
        line.data(names[-1], (1,))
        await wait(0)
        moments.append(link.outside.monotonic())
        await wait(1_000)

    link, _, _, error = play(script, stage(kind, "a"), names=names)
    assert isinstance(error, Silence)
    assert link.outside is not None
    assert f"Nothing came for {seconds}" in error.message


def test_one_silent_topic_among_others_ends_it_with_its_name() -> None:
    async def script(_: Link, line: Line) -> None:
        for second in range(100):
            line.data("a", (1,))
            if second < 20:
                line.data("b", (1,))
            await wait(1)

    link, _, _, error = play(script, stage(TICKERS, "a"), stage(TICKERS, "b"))
    assert isinstance(error, Silence)
    assert "of b" in error.message
    assert [one.topic for one in link.silent()] == ["b"]


def test_nothing_is_silent_before_all_is_acknowledged() -> None:
    async def script(_: Link, line: Line) -> None:
        await wait(9.8)  # Hyperliquid begins with the topics that were acknowledged
        line.say({"said": "accepted", "request": 1})
        await wait(0.1)

    assert play(script, stage(channel(TICKER, cadence=0.1), "a"), acknowledge=False)[3] is None


def test_that_this_program_stood_still_is_not_the_exchanges_silence() -> None:
    async def script(_: Link, line: Line) -> None:
        line.data("a", (1,))
        await wait(1)
        loop: Any = asyncio.get_running_loop()
        loop.jumps.passed += 60_000_000  # the machine slept for a minute
        line.data("a", (2,))
        await wait(5)
        line.data("a", (3,))
        await wait(1)

    assert play(script, stage(TICKERS, "a"))[3] is None


def test_four_unreadable_frames_in_a_minute_are_borne_however_many_there_are() -> None:
    async def script(link: Link, line: Line) -> None:
        del link
        for _ in range(20):
            line.say(b"<html>")
            for _ in range(16):
                line.data("a", (1,))
                await wait(1)

    _, _, taken, error = play(script, stage(TICKERS, "a"))
    assert error is None
    assert len(taken.garbage) == 20

    async def storm(link: Link, line: Line) -> None:
        del link
        for _ in range(9):
            line.say(b"<html>")
        await wait(1)

    _, _, taken, error = play(storm, stage(TICKERS, "a"))
    assert isinstance(error, ConnectionLost)
    assert len(taken.garbage) == 5


def test_frames_of_a_topic_that_nobody_asked_for_prove_life_and_nothing_else() -> None:
    async def script(link: Link, line: Line) -> None:
        await wait(0.1)
        line.say(b'{"topic": 5}')
        line.data("other", (1,))
        await wait(1)
        assert link.settled.is_set()

    _, _, taken, error = play(script, stage(TICKERS, "a"))
    assert error is None
    assert taken.data == []
    assert taken.garbage == [b'{"topic": 5}']


def test_data_that_the_decoder_cannot_read_count_as_unreadable() -> None:
    class Picky(Taken):
        """Cannot read anything."""

        def received(self, stage: Stage, data: bytes) -> None:
            raise DecodeError(f"{stage.topic} {len(data)}")

    async def main(hours: Hours) -> tuple[Taken, BaseException | None]:
        line, taken = Line(), Picky()
        link = Link(line, socket(), ["a"], stages=[stage(SLOW, "a")], receiver=taken, outside=hours.outside())
        running = asyncio.ensure_future(link.run())
        for _ in range(5):
            line.data("a", (1,))
        await asyncio.wait([running])
        return taken, running.exception()

    taken, error = run(main)
    assert isinstance(error, ConnectionLost)
    assert len(taken.garbage) == 5


def test_a_full_buffer_does_not_starve_the_others() -> None:
    turns = 0

    async def script(link: Link, line: Line) -> None:
        del link
        nonlocal turns
        for _ in range(3_200):
            line.data("a", (1,))
        while line.frames:
            turns += 1
            await wait(0)

    play(script, stage(TICKERS, "a"))
    assert turns >= 90


def test_whatever_ends_it_the_connection_is_closed() -> None:
    async def script(_: Link, line: Line) -> None:
        await wait(1)
        line.say({"said": "refused", "text": "no"})
        await wait(1)

    _, line, _, _ = play(script, stage(TICKERS, "a"), acknowledge=False)
    assert line.closed
    _, line, _, error = play(lambda *_: wait(60), stage(TICKERS, "a"))
    assert isinstance(error, Silence)
    assert line.closed


def test_instruments_share_a_topic() -> None:
    async def script(_: Link, line: Line) -> None:
        line.data("index", (1,))
        await wait(0.1)

    pair = [Stage("index", TICKERS, Query(TICKER, Market.LINEAR, one), TICKERS.decoder()) for one in (BTC, ETH)]
    _, line, taken, _ = play(script, *pair, names=["index"])
    assert line.heard[0]["topics"] == ["index"]
    assert len(taken.data) == 2
