"""Faults of bytes: what a client meets when the protocol itself breaks."""

from __future__ import annotations

import json
import socket as sockets
import time
import urllib.request
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.loopback import START, drained, eventually, get, raw, sandbox, set_faults, stream, torn, until_the_end
from sandbox.small_streams import TENTH

from marketcli.simulator import Frame, beats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketcli.models import Window

TICKS = "/ws?ticks.A"


@pytest.mark.parametrize(("fault", "code"), [("ws_bad_opcode", 1002), ("ws_announce", 1009)])
def test_a_broken_frame_comes_behind_some_good_ones(fault: str, code: int) -> None:
    with sandbox(f"{fault}:after=3,first=1", speed=5) as here:
        with stream(here, TICKS, max_size=8 << 20) as client:
            count, error = until_the_end(client)
        assert (count, error.sent and error.sent.code) == (3, code)
        with stream(here, TICKS) as client:
            assert [json.loads(client.recv(timeout=5))["topic"] for _ in range(6)] == ["ticks.A"] * 6


def test_frames_of_any_length_are_passed_on_whole() -> None:
    sizes = [5, 125, 126, 300, 65_535, 65_536, 200_000]

    def frames(_: str, __: Any, window: Window, ___: float) -> Iterator[Frame]:
        for time_ in beats(window, 0.1):
            number = time_ // TENTH - START // TENTH
            yield Frame(time_, "x" * sizes[number % len(sizes)])

    with (
        sandbox(f"ws_bad_opcode:after={len(sizes)}", frames=frames, speed=5) as here,
        stream(here, TICKS, max_size=None) as client,
    ):
        found = [len(client.recv(timeout=5)) for _ in sizes]
        assert sorted(found) == sizes
        assert until_the_end(client)[0] == 0


def test_a_reset_comes_in_the_middle_of_a_frame() -> None:
    with sandbox("ws_reset:after=2", speed=5) as here, raw(here, TICKS) as client:
        received = torn(client)
        size = received[1] + 2
        assert 2 * size < len(received) < 3 * size


def test_a_black_hole_keeps_tcp_open_and_answers_nothing() -> None:
    with sandbox("ws_no_pong:after=2") as here:
        with stream(here, TICKS) as client:
            for _ in range(2):
                client.recv(timeout=5)
            pong = client.ping()
            with pytest.raises(TimeoutError):
                client.recv(timeout=0.5)
            assert not pong.is_set()
            began = time.monotonic()
        assert time.monotonic() - began > 0.9  # the goodbye was not answered either
        (line,) = [json.loads(line) for line in get(here, "/truth/undelivered").splitlines()]
        assert (line["fault"], line["connection"], line["topic"]) == ("ws_no_pong", 1, "")
        assert line["frames"] >= 4
        eventually(lambda: here.stats()["streams"]["small"]["open"] == 0)


def test_a_protocol_error_may_be_followed_by_silence() -> None:
    with sandbox("ws_never_close:after=1", speed=5) as here, raw(here, TICKS) as client:
        client.settimeout(0.5)
        assert drained(client).endswith(b"\x83\x00")
        client.sendall(b"\x88\x80abcd")
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_a_dripping_stream_arrives_whole_and_late() -> None:
    with sandbox("ws_drip:after=1,ms=2") as here, stream(here, TICKS) as client:
        rows = [json.loads(client.recv(timeout=5)) for _ in range(4)]
        assert [row["n"] - rows[0]["n"] for row in rows] == [0, 1, 2, 3]
        assert here.world.now() / 1e6 - rows[-1]["ms"] / 1e3 > 0.1


def test_requests_pass_the_relay_unharmed_and_other_exchanges_too() -> None:
    with sandbox("ws_reset:after=0,exchange=binance", "ws_bad_opcode:host=elsewhere") as here:
        with urllib.request.urlopen(f"{here.url}/api.binance.com/api/v3/ping", timeout=5) as answer:  # noqa: S310
            assert answer.read() == b"{}"
        with stream(here, TICKS) as client:
            for _ in range(4):
                client.recv(timeout=5)


def test_the_relay_comes_and_goes_with_its_faults_and_ends_with_the_sandbox() -> None:
    with ExitStack() as open_:
        with sandbox() as here:
            set_faults(here, "ws_no_pong:after=0")
            with sockets.create_connection(("127.0.0.1", here.port), timeout=5) as client:
                client.sendall(b"GET /stats HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
                assert drained(client).startswith(b"HTTP/1.1 200")
            hole = open_.enter_context(raw(here, TICKS))
            set_faults(here)
            with stream(here, TICKS) as other:
                other.recv(timeout=5)
        assert not here.running.thread.is_alive()
        began = time.monotonic()
        with suppress(ConnectionResetError):
            assert drained(hole) == b""
        assert time.monotonic() - began < 2
