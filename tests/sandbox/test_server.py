from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.small_world import NOW, ms

from marketcli.errors import ExitCode, LocalError, UsageError
from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

START, END = ms("2026-11-01T00:00"), ms("2026-11-01T01:39")
KLINES = f"/fapi.binance.com/fapi/v1/klines?symbol=BTCUSDT&interval=1m&startTime={START}&endTime={END}"


def sandbox(*faults: str, **more: Any) -> Sandbox:
    return Sandbox(clock=lambda: NOW, faults=faults, **more)


@contextmanager
def connection(to: Sandbox) -> Iterator[http.client.HTTPConnection]:
    client = http.client.HTTPConnection("127.0.0.1", to.port, timeout=10)
    try:
        yield client
    finally:
        client.close()


def get(to: Sandbox, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    return send(to, "GET", path, headers=headers)


def send(
    to: Sandbox, method: str, path: str, *, body: str | None = None, headers: dict[str, str] | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    with connection(to) as client:
        client.request(method, path, body=body, headers=headers or {})
        answer = client.getresponse()
        return answer, answer.read()


def test_it_answers_as_the_exchange_when_the_block_begins() -> None:
    with sandbox() as here:
        assert here.url == f"http://127.0.0.1:{here.port}"
        answer, body = get(here, KLINES)
    assert answer.status == 200
    rows = json.loads(body)
    assert [row[0] for row in rows] == [START + 60_000 * n for n in range(100)]
    assert answer.headers["Date"] == "Sat, 21 Nov 2026 12:00:30 GMT"
    assert answer.headers["X-MBX-USED-WEIGHT-1M"] == "5"
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Server"] is None


def test_answers_are_compressed_if_that_is_asked_for() -> None:
    with sandbox() as here:
        _, plain = get(here, KLINES)
        answer, packed = get(here, KLINES, **{"Accept-Encoding": "gzip, deflate"})
        short, _ = get(here, "/fapi.binance.com/fapi/v1/ping", **{"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) == len(packed) < len(plain)
    assert gzip.decompress(packed) == plain
    assert short.headers["Content-Encoding"] is None


def test_one_connection_serves_many_requests() -> None:
    with sandbox() as here, connection(here) as client:
        sockets = set()
        for _ in range(3):
            client.request("GET", "/dapi.binance.com/dapi/v1/time")
            assert json.loads(client.getresponse().read()) == {"serverTime": NOW // 1_000}
            sockets.add(id(client.sock))
    assert len(sockets) == 1


def test_answers_are_not_held_back_for_an_acknowledgement() -> None:
    with sandbox() as here:
        (listener,) = here.running.server.sockets
        assert listener.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_is_a_clear_error() -> None:
    with sandbox() as here, pytest.raises(LocalError) as caught, sandbox(port=here.port):
        pass
    assert caught.value.message == f"Port {here.port} is taken by another program."
    assert caught.value.exit is ExitCode.LOCAL
    with pytest.raises(UsageError, match="There is no port 70000"), sandbox(port=70_000):
        pass


def test_the_port_is_free_again_when_the_block_ends() -> None:
    with sandbox() as here:
        port = here.port
        get(here, KLINES)
    with sandbox(port=port) as again:
        assert get(again, "/stats")[0].status == 200


def test_its_own_pages_say_what_it_is_and_what_was_asked() -> None:
    with sandbox() as here:
        get(here, KLINES)
        page, text = get(here, "/")
        assert page.headers["Content-Type"].startswith("text/plain")
        assert f"{here.url}/fapi.binance.com/fapi/v1/klines" in text.decode()
        assert "dapi.binance.com" in text.decode()
        stats = json.loads(get(here, "/stats")[1])
        assert stats == here.stats()
        (line,) = [json.loads(line) for line in get(here, "/log")[1].splitlines()]
    assert stats["requests"] == 1
    assert stats["weight"] == {"binance futures weight": 5}
    assert stats["paths"] == {"fapi.binance.com/fapi/v1/klines": 1}
    assert (line["host"], line["path"], line["status"], line["weight"]) == (
        "fapi.binance.com",
        "/fapi/v1/klines",
        200,
        5,
    )
    assert line["query"] == KLINES.partition("?")[2]


def test_hosts_may_carry_a_port_and_unknown_ones_are_named() -> None:
    with sandbox() as here:
        assert get(here, "/api.binance.com:443/api/v3/ping")[0].status == 200
        answer, body = get(here, "/api.example.com/api/v3/ping")
        assert answer.status == 404
        assert "api.binance.com" in json.loads(body)["hosts"]
        assert get(here, "/api.binance.com/api/v3/%2Fping")[0].status == 404
        assert get(here, "/favicon.ico")[0].status == 404


def test_faults_are_replaced_while_it_runs() -> None:
    with sandbox("http451") as here:
        assert get(here, KLINES)[0].status == 451
        assert send(here, "POST", "/control/faults", body='["http503_burst"]')[0].status == 200
        assert get(here, KLINES)[0].status == 503
        refused, body = send(here, "POST", "/control/faults", body='["nonsense"]')
        assert (refused.status, json.loads(body)["error"]) == (400, "There is no fault 'nonsense'.")
        assert send(here, "POST", "/control/faults", body="{")[0].status == 400
        assert get(here, KLINES)[0].status == 503
        send(here, "POST", "/control/faults", body="[]")
        assert get(here, KLINES)[0].status == 200


def test_faults_never_touch_the_sandboxs_own_pages() -> None:
    truth = "/truth/instruments?exchange=binance&market=spot"
    with sandbox("html_200", "reset_mid_body", "delay:ms=10000") as here:
        for path in ("/", "/stats", "/log", truth):
            answer, body = get(here, path)
            assert (answer.status, body[:1] == b"<") == (200, False)


@pytest.mark.parametrize(
    ("page", "columns"),
    [
        ("funding", "time,time_ms,rate,mark,interval_h"),
        ("oi", "time,time_ms,base,quote,contracts"),
        ("price", "time,time_ms,last,average,mark,index,rate,next_time,interval_h"),
    ],
)
def test_the_truth_about_derivatives_has_addresses(page: str, columns: str) -> None:
    with sandbox() as here:
        _, body = get(here, f"/truth/{page}?exchange=binance&market=um&symbol=BTCUSDT&interval=1h&format=csv")
        assert body.decode().splitlines()[0] == columns
        assert f"/truth/{page}?" in get(here, "/")[1].decode()


def test_bodies_end_early_with_and_without_a_length() -> None:
    with sandbox() as whole:
        _, right = get(whole, KLINES)
    with sandbox("close_mid_body") as here, pytest.raises(http.client.IncompleteRead) as cut:
        get(here, KLINES)
    assert right.startswith(cut.value.partial)
    with sandbox("no_length") as here:
        answer, body = get(here, KLINES)
    assert answer.headers["Content-Length"] is None
    assert answer.headers["Connection"] == "close"
    assert right.startswith(body)
    assert 0 < len(body) < len(right)
    with sandbox("reset_mid_body") as here, pytest.raises(ConnectionResetError):
        get(here, KLINES)


def test_a_cut_connection_leaves_the_next_one_alone() -> None:
    with sandbox("reset_mid_body:first=1", "close_mid_body:first=1") as here:
        with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
            get(here, KLINES)
        assert get(here, KLINES)[0].status == 200


def test_a_header_that_does_not_end_is_longer_than_any_client_reads() -> None:
    with sandbox("giant_header:mb=2") as here, pytest.raises(http.client.LineTooLong):
        get(here, KLINES)


def test_a_slow_body_arrives_whole_in_many_pieces() -> None:
    with sandbox("slow_body:bytes=5000,ms=1") as here:
        answer, body = get(here, KLINES)
    assert len(json.loads(body)) == 100
    assert int(answer.headers["Content-Length"]) == len(body)


def test_a_delayed_answer_takes_its_time() -> None:
    with sandbox("delay:ms=120") as here:
        before = time.monotonic()
        assert get(here, KLINES)[0].status == 200
        assert time.monotonic() - before >= 0.12


def test_connections_end_with_the_sandbox() -> None:
    with socket.socket() as client:
        with sandbox() as here:
            client.settimeout(5)
            client.connect(("127.0.0.1", here.port))
            client.sendall(b"GET /stats HTTP/1.1\r\nHost: here\r\n\r\n")
            assert client.recv(9) == b"HTTP/1.1 "
        with suppress(ConnectionResetError):
            while client.recv(4_096):
                pass


def test_a_hanging_request_is_never_answered_and_does_not_keep_the_sandbox() -> None:
    with sandbox("http_hang") as here, connection(here) as client:
        client.timeout = 0.2
        client.request("GET", KLINES)
        with pytest.raises(TimeoutError):
            client.getresponse()
    assert not here.running.thread.is_alive()


def test_pieces_under_way_do_not_keep_the_sandbox() -> None:
    with sandbox("slow_body:bytes=1,ms=60000") as here, connection(here) as client:
        client.request("GET", KLINES)
        assert client.getresponse().status == 200
    assert not here.running.thread.is_alive()


def test_waiting_ends_with_a_signal_and_gives_the_handlers_back(monkeypatch: pytest.MonkeyPatch) -> None:
    install, before = signal.signal, signal.getsignal(signal.SIGTERM)

    def install_and_strike(number: int, handler: Any) -> Any:
        previous = install(number, handler)
        if number == signal.SIGTERM and callable(handler):
            signal.raise_signal(signal.SIGTERM)
        return previous

    monkeypatch.setattr(signal, "signal", install_and_strike)
    sandbox().serve(lambda _: None)
    assert signal.getsignal(signal.SIGTERM) is before


STANDING = """
from marketcli.sandbox.server import Sandbox
Sandbox().serve(lambda url: print(url, flush=True))
print("stopped")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_standing_sandbox_stops_without_a_word_when_it_is_told_to(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STANDING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == ("stopped\n", "", 0)
