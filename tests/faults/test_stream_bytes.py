"""W3 and W7 to W10 where bytes are broken: `mkt watch` itself over real sockets, and what it costs it (G10)."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from faults.streams import Done, Process, processes

from marketcli.net import defaults
from marketcli.sandbox.server import Sandbox
from marketcli.windows import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SPAN = 14  # seconds that each is watched
BOUND = 200  # MiB, G10
QUICK = 5.0  # seconds in which what is too large or no protocol is refused, G10
DEAD = 10.5  # seconds without data after which a connection is given up, long before ping and pong
FAULTS: Mapping[str, str] = {
    "W3 reset in a frame": "ws_reset:first=1",
    "W7 bad opcode": "ws_bad_opcode:first=1",
    "W7 bad UTF-8": "ws_garbage:mode=bad_utf8,every=40",
    "W8 giant frame": "ws_giant:mode=frame,every=60",
    "W8 terabyte announced": "ws_announce:first=1",
    "W8 deflate bomb": "ws_giant:mode=bomb,every=60",
    "W9 never closes": "ws_never_close:first=1",
    "W10 no pong": "ws_no_pong:first=1",
    "W10 drip": "ws_drip:first=1",
}
ENDS = {
    "W3 reset in a frame": ("broke off", QUICK),
    "W7 bad opcode": ("mkt closed the stream (1002", QUICK),
    "W8 giant frame": ("mkt closed the stream (1009", QUICK),
    "W8 terabyte announced": ("mkt closed the stream (1009", QUICK),
    "W8 deflate bomb": ("mkt closed the stream (1009", QUICK),
    "W9 never closes": ("Nothing came for", DEAD),
    "W10 no pong": ("Nothing came for", DEAD),
}


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Done]]:
    """How a watch of trades goes that meets each of the faults; all at the same time."""
    with ExitStack() as stack:
        started = stack.enter_context(processes())
        for fault in FAULTS.values():
            to = stack.enter_context(Sandbox(faults=[fault], limits=False))
            words = ("trades", "ADA", "--meta", "--for", f"{SPAN}s")
            started.append(Process(to.url, *words, folder=tmp_path_factory.mktemp("watch")))
        yield {name: one.done() for name, one in zip(FAULTS, started, strict=True)}


def moment(row: dict[str, Any]) -> float:
    """Its time in seconds."""
    return parse_time(row["time"], now=0) / 1_000_000


@pytest.mark.parametrize("name", ENDS)
def test_the_connection_is_given_up_in_time_and_the_next_one_goes_on(ends: Mapping[str, Done], name: str) -> None:
    done, (words, within) = ends[name], ENDS[name]
    states = [row["state"] for row in done.of("status")]
    assert done.code == 0, done.err
    assert states[:2] == ["connecting", "live"]
    place = next(index for index, row in enumerate(done.rows) if row.get("state") == "lost")
    assert words in done.rows[place]["text"]
    assert "live" in [row.get("state") for row in done.rows[place:]]
    before = [moment(row) for row in done.rows[:place] if "type" not in row]
    assert moment(done.rows[place]) - max(before) <= within + 2  # ADA is not traded all the time
    assert [row for row in done.rows[place:] if "type" not in row]


@pytest.mark.parametrize("name", ENDS)
def test_no_trade_is_lost_or_double(ends: Mapping[str, Done], name: str) -> None:
    ids = sorted(int(row["id"]) for row in ends[name].of(None))
    told = [row for row in ends[name].of("gap") if not row["repaired"]]
    assert len(ids) == len(set(ids))
    assert told or ids == list(range(ids[0], ids[0] + len(ids)))


@pytest.mark.parametrize("name", FAULTS)
def test_memory_stays_bounded(ends: Mapping[str, Done], name: str) -> None:
    assert ends[name].resident <= BOUND


@pytest.mark.parametrize("name", FAULTS)
def test_it_ends_when_it_should(ends: Mapping[str, Done], name: str) -> None:
    """W9: whatever the other side does not say, the end is not held up."""
    assert ends[name].code == 0
    assert "Traceback" not in ends[name].err
    assert ends[name].seconds < SPAN + 25  # starting nine of them takes its time


def test_w7_a_text_that_is_none_is_counted(ends: Mapping[str, Done]) -> None:
    done = ends["W7 bad UTF-8"]
    assert "unreadable" in done.err
    assert done.of(None)


def test_w10_drops_of_bytes_are_put_together(ends: Mapping[str, Done]) -> None:
    done = ends["W10 drip"]
    assert done.of(None)
    assert "unreadable" not in done.err


def test_what_the_numbers_are() -> None:
    assert defaults.FRAME_BYTES == 8 << 20
    assert defaults.PING_SECONDS + defaults.PONG_SECONDS + defaults.CLOSE_SECONDS > DEAD
