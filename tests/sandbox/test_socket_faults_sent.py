"""The faults of streams over real sockets: what a client's library makes of them."""

from __future__ import annotations

import json
import struct
import zlib

import pytest
from sandbox.loopback import drained, get, raw, sandbox, set_faults, stream, torn, until_the_end
from websockets.exceptions import InvalidStatus

from marketcli.sandbox.sockets import bomb


def test_a_drop_is_a_goodbye_an_end_or_a_reset_on_the_wire() -> None:
    with sandbox("ws_drop:frames=2") as here, stream(here, "/ws?ticks.A") as client:
        count, error = until_the_end(client)
    assert (count, error.rcvd and error.rcvd.code) == (2, 1001)
    with sandbox("ws_drop:frames=2,mode=fin") as here, raw(here, "/ws?ticks.A") as plain:
        assert drained(plain).count(b"ticks.A") == 2
    with sandbox("ws_drop:frames=2,mode=reset") as here, raw(here, "/ws?ticks.A") as plain:
        assert torn(plain).count(b"ticks.A") == 2


def test_giants_and_bombs_on_the_wire() -> None:
    for mode, compression in (("frame", None), ("frame", "deflate"), ("bomb", "deflate"), ("bomb", None)):
        with (
            sandbox(f"ws_giant:every=2,mode={mode}") as here,
            stream(here, "/ws?ticks.A", compression=compression, max_size=8 << 20) as client,
        ):
            count, error = until_the_end(client)
        assert (count, error.sent and error.sent.code) == (1, 1009), (mode, compression)


def test_a_bomb_is_a_megabyte_that_unpacks_to_a_gigabyte() -> None:
    unpacker, whole = zlib.decompressobj(-12), bomb()
    part = len(unpacker.decompress(whole, 32 << 20))
    assert part == 32 << 20
    assert len(whole) < 2 << 20
    assert part * len(whole) / (len(whole) - len(unpacker.unconsumed_tail)) > 2**30


@pytest.mark.parametrize(("mode", "opcode"), [("bad_utf8", 0x81), ("binary", 0x82), ("empty", 0x81)])
def test_garbage_on_the_wire_has_the_opcode_it_claims(mode: str, opcode: int) -> None:
    with sandbox(f"ws_garbage:mode={mode},first=1") as here, raw(here, "/ws?ticks.A") as plain:
        head = plain.recv(2)
        body = plain.recv(head[1])
    assert struct.unpack("BB", head) == (opcode, len(body))
    if mode == "bad_utf8":
        with pytest.raises(UnicodeDecodeError):
            body.decode()


def test_faults_come_and_go_over_http_and_what_they_kept_is_told() -> None:
    with sandbox() as here, stream(here, "/ws?ticks.A") as client:
        client.recv(timeout=5)
        set_faults(here, "ws_stall:after=0", "http451")
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.5)
        set_faults(here)
        client.recv(timeout=5)
        (loss,) = [json.loads(line) for line in get(here, "/truth/undelivered").splitlines()]
    assert (loss["exchange"], loss["topic"], loss["fault"]) == ("small", "ticks.A", "ws_stall")
    assert 3 <= loss["frames"] <= 7
    assert loss["to_ms"] - loss["from_ms"] == 100 * (loss["frames"] - 1)


def test_a_client_is_pinged_and_nothing_else() -> None:
    with sandbox("ws_only_pings:seconds=0.1") as here, raw(here, "/ws?ticks.A") as plain:
        pings = [plain.recv(2 + 13) for _ in range(3)]  # each carries the milliseconds
    assert {ping[:2] for ping in pings} == {b"\x89\x0d"}
    assert all(ping[2:].isdigit() for ping in pings)


def test_a_refusal_with_a_status_has_a_body_and_a_time_to_wait() -> None:
    with sandbox("ws_refuse:status=429,seconds=30,first=1") as here:
        with pytest.raises(InvalidStatus, match="429") as caught, stream(here):
            pass
        assert caught.value.response.headers["Retry-After"] == "30"
        with stream(here, "/ws?ticks.A") as client:
            client.recv(timeout=5)
