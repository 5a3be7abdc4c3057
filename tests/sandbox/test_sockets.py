"""Streams over real sockets on loopback: the protocol around what `test_lines.py` asserts of the content."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.loopback import START, drained, eventually, get, raw, sandbox, stream, until_the_end
from sandbox.small_streams import HOST, frame, hear, subscribe
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Opcode

from marketcli.models import SECOND
from marketcli.sandbox.server import Sandbox
from marketcli.sandbox.sockets import BACKLOG

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_streams_and_requests_come_from_one_port() -> None:
    with sandbox() as here, stream(here) as client:
        client.send(subscribe("ticks.A", number=9))
        assert json.loads(client.recv(timeout=5)) == {"id": 9, "ok": True}
        found = [json.loads(client.recv(timeout=5)) for _ in range(5)]
        assert [row["n"] - found[0]["n"] for row in found] == [0, 1, 2, 3, 4]
        assert client.response is not None
        assert client.response.headers["Date"].startswith("Sat, 21 Nov 2026 00:00:0")
        assert "Sec-WebSocket-Extensions" not in client.response.headers
        stats = json.loads(get(here, "/stats"))["streams"]["small"]
        assert (stats["open"], stats["openings"]) == (1, 1)
        (line,) = [json.loads(line) for line in get(here, "/log").splitlines()]
        assert (line["method"], line["host"], line["path"], line["status"], line["connection"]) == (
            "WS",
            HOST,
            "/ws",
            101,
            1,
        )
        assert f"  {HOST}/ws\n" in get(here, "/").decode()


def test_frames_leave_when_they_are_due_and_not_before() -> None:
    with sandbox() as here, stream(here, "/ws?ticks.A") as client:
        late = []
        for _ in range(15):
            row = json.loads(client.recv(timeout=5))
            late.append(here.world.now() / SECOND - row["ms"] / 1_000)
    assert min(late) > 0
    assert sorted(late)[7] < 0.05
    with sandbox(speed=4) as here, stream(here, "/ws?ticks.A") as client:
        rows = [json.loads(client.recv(timeout=5)) for _ in range(41)]
        late = [here.world.now() / SECOND - rows[-1]["ms"] / 1_000]
        for _ in range(40):
            row = json.loads(client.recv(timeout=5))
            late.append(here.world.now() / SECOND - row["ms"] / 1_000)
    assert sorted(late)[20] / 4 < 0.02


def test_the_address_may_name_topics_and_compression_is_given_to_who_asks() -> None:
    with sandbox() as here, stream(here, "/other/ticks.B", compression="deflate") as client:
        assert client.response is not None
        assert "permessage-deflate" in client.response.headers["Sec-WebSocket-Extensions"]
        assert json.loads(client.recv(timeout=5))["topic"] == "ticks.B"


@pytest.mark.parametrize(("rest", "status"), [("/ws?nonsense", 400), ("/nothing", 404), ("/ws/ticks.A", 404)])
def test_wrong_addresses_are_refused_with_a_status(rest: str, status: int) -> None:
    with sandbox() as here, pytest.raises(InvalidStatus) as caught, stream(here, rest):
        pass
    assert caught.value.response.status_code == status
    assert caught.value.response.headers["Date"].startswith("Sat, 21 Nov 2026")


def test_too_many_openings_are_told_to_wait() -> None:
    with sandbox(limits=True, clock=lambda: START) as here:
        for _ in range(5):
            with stream(here):
                pass
        with pytest.raises(InvalidStatus) as caught, stream(here):
            pass
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "60"


def test_pings_come_on_time_and_pongs_keep_the_connection() -> None:
    pings: list[float] = []
    with sandbox(pings=0.1) as here, stream(here) as client:
        recv_frame = client.protocol.recv_frame

        def noticed(frame: Any) -> None:
            if frame.opcode is Opcode.PING:
                pings.append(time.monotonic())
            recv_frame(frame)

        client.protocol.recv_frame = noticed  # type: ignore[method-assign]
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.75)
    assert 5 <= len(pings) <= 8


def test_who_answers_no_ping_is_hung_up_on() -> None:
    with sandbox(pings=0.1) as here, raw(here) as client:
        began = time.monotonic()
        received = drained(client)
        assert 0.3 < time.monotonic() - began < 3
    assert received.count(b"\x89") >= 3
    assert received[-4:] == b"\x88\x02\x03\xf0"  # close 1008


def test_silence_and_age_end_a_connection_with_the_code_of_the_exchange() -> None:
    cases: list[tuple[dict[str, Any], int]] = [
        ({"idle": 0.2, "idle_code": 4004}, 4004),
        ({"life": 0.2}, 1001),
        ({"idle": 0.2}, 1006),
    ]
    for more, code in cases:
        with sandbox(**more) as here, stream(here) as client, pytest.raises(ConnectionClosed) as caught:
            client.recv(timeout=5)
        assert (caught.value.rcvd.code if caught.value.rcvd else 1006) == code


def test_a_goodbye_is_answered_and_the_client_forgotten() -> None:
    with sandbox() as here:
        with stream(here, "/ws?ticks.A") as client:
            client.recv(timeout=5)
        assert client.close_code == 1000
        eventually(lambda: here.stats()["streams"]["small"]["open"] == 0)


def test_a_client_that_reads_nothing_is_cut_off_and_costs_no_more_memory() -> None:
    def flood(topic: str, world: Any, window: Any, pace: float) -> Iterator[tuple[int, str]]:
        del topic, world, pace
        padding = "x" * 100_000
        yield from ((time, padding) for time in range(window.start, window.end, 1_000))

    with sandbox(frames=flood, speed=2) as here, raw(here, "/ws?ticks.A"):
        speaker_sizes: list[int] = []

        def cut() -> bool:
            speaker_sizes.extend(
                connection.transport.get_write_buffer_size() for connection in list(here.running.state.connections)
            )
            return bool(here.stats()["streams"]["small"]["clients_cut_off"])

        eventually(cut, seconds=20)
        assert here.stats()["streams"]["small"]["open"] == 0
    assert max(speaker_sizes) < BACKLOG + 64 * 101_000


def test_a_mistake_of_a_simulator_ends_the_connection_with_words() -> None:
    def broken(text: str, *rest: Any) -> Any:
        if "ticks.B" in text:
            raise KeyError("mistake")
        return hear(text, *rest)

    with sandbox(hear=broken) as here, stream(here) as client:
        client.send(subscribe("ticks.B"))
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(timeout=5)
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, "mistake" in caught.value.rcvd.reason) == (1011, True)
        assert b"mistake" in get(here, "/log")


def test_a_faster_clock_is_faster_everywhere() -> None:
    with sandbox(speed=60) as here, stream(here, "/ws?state.A") as client:
        began = time.monotonic()
        rows = [json.loads(client.recv(timeout=5)) for _ in range(31)]
        took = time.monotonic() - began
        assert rows[-1]["ms"] - rows[0]["ms"] == 30_000
        assert 0.4 < took < 2
        with urllib.request.urlopen(f"{here.url}/api.binance.com/api/v3/time", timeout=5) as answer:  # noqa: S310
            served = json.loads(answer.read())["serverTime"]
        assert served >= rows[-1]["ms"]
    with sandbox(pace=20) as here, stream(here, "/ws?state.A") as client:
        rows = [json.loads(client.recv(timeout=5)) for _ in range(11)]
        assert rows[-1]["ms"] - rows[0]["ms"] == 500


def test_a_clock_that_somebody_moves_is_noticed() -> None:
    now = [START]
    with sandbox(clock=lambda: now[0], start=None) as here, stream(here, "/ws?state.A") as client:
        assert client.recv(timeout=5) == frame("state.A", START)
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.3)
        now[0] += 2 * SECOND
        assert client.recv(timeout=0.5) == frame("state.A", START + SECOND)
        assert client.recv(timeout=5) == frame("state.A", START + 2 * SECOND)


def test_clients_are_ended_with_the_sandbox() -> None:
    with ExitStack() as open_:
        with sandbox() as here:
            client = open_.enter_context(stream(here, "/ws?ticks.A"))
            client.recv(timeout=5)
        assert not here.running.thread.is_alive()
        assert until_the_end(client)[0] < 20


def test_the_truth_about_liquidations_has_an_address() -> None:
    with Sandbox(clock=lambda: START) as here:
        page = "/truth/liquidations?exchange=binance&market=linear&symbol=BTCUSDT&start=1h&format=csv"
        text = get(here, page).decode()
        with pytest.raises(urllib.error.HTTPError, match="400"):
            get(here, page.replace("start=1h", "start=8d"))
    header, *rows = text.splitlines()
    assert header == "time,time_ms,id,liquidated,price,bankrupt,size,value,contracts"
    assert rows
    assert {row.split(",")[3] for row in rows} <= {"long", "short"}
