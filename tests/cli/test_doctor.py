"""`mkt doctor`: every step is a row, nothing but those steps is sent, and a failure says what to do."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import os
import re
import signal
import socket
import ssl
import threading
import time
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cli_runner import mkt
from inside_runner import inside
from pty_runner import plain, screen, spawn

from marketcli import exchanges
from marketcli.api import doctor
from marketcli.cli.doctor import KINDS
from marketcli.config import Config
from marketcli.models import Market
from marketcli.sandbox.server import Sandbox
from marketcli.spec import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli_runner import Run

    from marketcli.api.checks import Check

    Mkt = Callable[..., Run]

WAYS = {"dns", "tls"}
LOCAL = ["versions", "settings", "cache", "state", "via", "proxy"]
SHORT = 0.8  # seconds a step may take where hosts hang
CERTIFICATE = Path(__file__).parent.parent / "payloads" / "self_signed_localhost.pem"


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Mkt:
    return lambda *words: inside(capfdbinary, *words)


@pytest.fixture
def relay() -> Iterator[Sandbox]:
    """A sandbox of the test's own, which tells what was sent."""
    with Sandbox() as running:
        yield running


def rows_of(done: Run, check: str) -> list[dict[str, Any]]:
    return [row for row in done.rows() if row["check"] == check]


def asked(done: Run) -> list[dict[str, Any]]:
    """The rows about requests."""
    return [row for row in done.rows() if row["host"] and row["check"] not in WAYS]


def hosts() -> set[tuple[str, str, str]]:
    """Every host of every market of every exchange, and what is asked there."""
    return {
        (table.name, host.partition("://")[2], f"{market} candles")
        for table in map(exchanges.load, exchanges.names())
        for market, found in table.sites["live"].hosts.items()
        for host in found
    }


def test_all_is_well_in_the_sandbox(run: Mkt) -> None:
    done = run("--sandbox", "doctor", "-e", "all")
    assert done.returncode == 0, done.stdout
    assert [row["check"] for row in done.rows()[: len(LOCAL)]] == LOCAL
    assert {(row["exchange"], row["host"], row["check"]) for row in asked(done) if row["ok"]} == hosts()
    assert all("answers with 1 row" in row["detail"] and row["ms"] > 0 for row in asked(done))
    skipped = [row for row in done.rows() if row["check"] in WAYS]
    assert {(row["ok"], row["detail"]) for row in skipped} == {(None, "not needed: the sandbox is on this machine")}
    assert {row["exchange"] for row in rows_of(done, "clock") if row["ok"]} == set(exchanges.names())


def test_each_market_of_each_host_gets_one_request_and_nothing_else_is_sent(run: Mkt, relay: Sandbox) -> None:
    done = run("--via", relay.url, "doctor", "-e", "binance,okx")
    assert (done.returncode, relay.stats()["requests"]) == (0, len(asked(done)))
    assert relay.stats()["paths"] == {
        "fapi.binance.com/fapi/v1/klines": 1,
        "data-api.binance.vision/api/v3/klines": 1,
        "api.binance.com/api/v3/klines": 1,
        "dapi.binance.com/dapi/v1/klines": 1,
        "www.okx.com/api/v5/market/candles": 3,
    }
    assert all("limit=1" in line["query"] for line in relay.floor.log)
    only = run("--via", relay.url, "doctor", "-e", "okx", "-m", "spot")
    assert [row["check"] for row in asked(only)] == ["spot candles"]


def test_what_was_spent_stands_in_the_budget(run: Mkt, relay: Sandbox) -> None:
    (row,) = rows_of(run("--via", relay.url, "doctor"), "budget")
    assert row["detail"].startswith(
        "spot weight 4 used, 5,396 free of 6,000 in 60 s; futures weight 2 used, 2,158 free"
    )
    assert row["detail"].endswith("3 more unused")


@pytest.mark.parametrize(
    ("faults", "code", "said"),
    [
        (["http503_burst"], 5, "HTTP 503"),
        (["html_200"], 5, "web page"),
        (["wrong_type"], 5, "cannot trust"),
        (["http451"], 7, "location"),
        (["http403_waf:host=fapi.binance.com", "http503_burst:host=dapi.binance.com"], 7, "location"),
    ],
)
def test_a_failing_exchange_is_a_row_a_sentence_and_an_exit_code(
    run: Mkt, relay: Sandbox, faults: list[str], code: int, said: str
) -> None:
    if faults == ["wrong_type"]:
        faults = ["nan_rows:value=text"]
    relay.floor.set_faults(faults)
    done = run("--via", relay.url, "doctor")
    broken = [row for row in done.rows() if row["ok"] is False]
    assert done.returncode == code
    assert said in broken[0]["detail"]
    assert f"exit code {code}" in done.stderr
    assert "Traceback" not in done.stderr
    assert relay.stats()["requests"] == 4  # nothing was tried again


def test_a_ban_says_until_when_and_is_left_alone(run: Mkt, relay: Sandbox) -> None:
    relay.floor.set_faults(["http418_ban:seconds=3600"])
    assert run("--via", relay.url, "doctor", "-m", "linear").returncode == 5
    relay.floor.set_faults([])
    done = run("--via", relay.url, "doctor", "-m", "linear")
    (row,) = rows_of(done, "budget")
    assert (done.returncode, row["ok"], relay.stats()["requests"]) == (5, False, 1)
    assert row["detail"].startswith("Binance has banned this address for sending too much. Nothing is sent until 20")
    assert "mkt limits" in row["hint"]


def test_a_budget_that_is_held_back_is_not_waited_for(run: Mkt, relay: Sandbox) -> None:
    relay.floor.set_faults(["http429_retry_after:seconds=40"])
    run("--via", relay.url, "doctor", "-m", "linear")
    relay.floor.set_faults([])
    began = time.monotonic()
    done = run("--via", relay.url, "doctor", "-m", "linear")
    assert time.monotonic() - began < 20
    assert (done.returncode, relay.stats()["requests"]) == (5, 1)
    assert "is free again only in" in asked(done)[0]["detail"]
    assert "Binance asked to slow down (futures weight). Nothing is sent until" in rows_of(done, "budget")[0]["detail"]


@pytest.mark.parametrize(
    ("seconds", "code", "side"), [(0.4, 0, None), (4, 0, "behind"), (-9, 0, "ahead of"), (60, 5, "behind")]
)
def test_a_clock_that_is_off_is_told(run: Mkt, relay: Sandbox, seconds: float, code: int, side: str | None) -> None:
    relay.floor.set_faults([f"clock_skew:seconds={seconds}"])
    done = run("--via", relay.url, "doctor", "-e", "bybit")
    (row,) = rows_of(done, "clock")
    assert (row["ok"], done.returncode) == (code == 0, code)
    if side is None:
        assert (row["detail"], row["hint"]) == ("this computer's clock agrees with Bybit's to a second", None)
        return
    told = re.search(rf"clock is (\d+) s {side} Bybit's", row["detail"])
    assert told is not None
    assert abs(int(told[1]) - abs(seconds)) <= 1
    assert "NTP" in row["hint"]


def test_hosts_that_hang_are_waited_for_side_by_side(run: Mkt, relay: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CONNECT_SECONDS", SHORT)
    relay.floor.set_faults(["http_hang"])
    began = time.monotonic()
    done = run("--via", relay.url, "doctor", "-e", "all")
    assert time.monotonic() - began < len(hosts()) * SHORT * 0.7
    assert {row["ok"] for row in asked(done)} == {False}
    assert all(f"within {SHORT:g} s" in row["detail"] for row in asked(done))
    assert done.returncode == 5


def test_a_name_nobody_knows_ends_the_steps_to_its_host(run: Mkt, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    done = run("doctor", "-e", "hyperliquid")
    assert done.returncode == 5
    (name,) = rows_of(done, "dns")
    assert name["detail"] == "The name api.hyperliquid.xyz cannot be found: Name or service not known."
    assert name["hint"]
    assert [(row["ok"], row["detail"]) for row in rows_of(done, "tls")] == [(None, "not tried: the name was not found")]
    assert {row["ok"] for row in asked(done)} == {None}


def test_a_name_look_up_that_hangs_costs_the_deadline(run: Mkt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CONNECT_SECONDS", SHORT)
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(60))
    began = time.monotonic()
    done = run("doctor", "-e", "all")
    assert time.monotonic() - began < len(hosts()) * SHORT * 0.7
    released.set()
    assert {row["ok"] for row in rows_of(done, "dns")} == {False}
    assert done.returncode == 5


def over_tls(**settings: Any) -> list[Check]:
    """The checks of an exchange whose only host is on this machine, with a certificate only itself vouches for."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # who looks only leaves at once
            await reader.readuntil(b"\r\n\r\n")
            date, body = formatdate(usegmt=True).encode(), b'{"code":"0","msg":"","data":[]}'
            writer.write(b"HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Length: %d\r\n\r\n%s" % (date, len(body), body))
        writer.close()

    async def main() -> list[Check]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        host = f"https://localhost:{server.sockets[0].getsockname()[1]}"
        table = replace(exchanges.load("okx"), sites={"live": Site(dict.fromkeys(Market, (host,)))})
        try:
            return await doctor.examine(Config.model_validate({"market": "spot"} | settings), [table])
        finally:
            server.close()

    return asyncio.run(main())


def test_a_host_that_is_asked_directly_is_looked_up_and_proves_who_it_is() -> None:
    checks = {check.check: check for check in over_tls(ca_file=str(CERTIFICATE))}
    assert all(check.ok for check in checks.values())
    assert checks["dns"].detail in {"127.0.0.1", "127.0.0.1 and 1 more", "::1 and 1 more"}
    assert checks["tls"].detail == "TLSv1.3, certificate until 2126-10-28"
    assert "answers with 0 rows" in checks["spot candles"].detail


def test_a_host_nobody_vouches_for_is_asked_nothing() -> None:
    checks = {check.check: check for check in over_tls()}
    assert (checks["tls"].ok, checks["spot candles"].ok, checks["tls"].exit) == (False, None, 5)
    assert "self-signed certificate" in checks["tls"].detail
    assert "--ca-file" in checks["tls"].hint


def test_settings_that_cannot_be_read_stop_nothing(run: Mkt) -> None:
    file = Path(os.environ["MKT_CONFIG_DIR"]) / "config.toml"
    file.parent.mkdir()
    file.write_text("exchange = okx\n")
    done = run("--sandbox", "doctor")
    (row,) = rows_of(done, "settings")
    assert (done.returncode, row["ok"]) == (2, False)
    assert "not valid TOML" in row["detail"]
    assert all(row["ok"] for row in asked(done))
    file.write_text('exchange = "okx"\n')
    done = run("--sandbox", "doctor")
    assert rows_of(done, "settings")[0]["detail"] == f"1 setting in {file}"
    assert {row["exchange"] for row in asked(done)} == {"okx"}


def test_folders_that_cannot_be_written_are_told(run: Mkt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("MKT_STATE_DIR", str(blocked / "state"))
    done = run("--sandbox", "doctor")
    (row,) = rows_of(done, "state")
    assert (done.returncode, row["ok"], "MKT_STATE_DIR" in row["hint"]) == (9, False, True)
    assert rows_of(done, "cache")[0]["ok"]
    assert not Path(os.environ["MKT_CACHE_DIR"]).exists()


def test_a_dead_proxy_is_named_without_its_password(run: Mkt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@127.0.0.1:9")
    done = run("doctor", "-e", "hyperliquid")
    (row,) = rows_of(done, "proxy")
    assert (done.returncode, row["ok"]) == (5, False)
    assert "127.0.0.1:9 cannot be reached: Connection refused" in row["detail"]
    assert "http://***@127.0.0.1:9" in rows_of(done, "dns")[0]["detail"]
    assert {row["ok"] for row in rows_of(done, "tls")} == {None}
    assert "secret" not in done.stdout + done.stderr
    monkeypatch.setenv("HTTPS_PROXY", "gopher://x")
    assert "cannot be used" in rows_of(run("doctor", "-e", "hyperliquid"), "proxy")[0]["detail"]


def test_a_proxy_is_named_with_the_hosts_it_is_for(run: Mkt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CONNECT_SECONDS", SHORT)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        done = run("doctor", "-e", "hyperliquid", "--proxy", f"http://me:secret@{place}")
    (row,) = rows_of(done, "proxy")
    assert (row["ok"], row["detail"]) == (True, f"http://***@{place} for api.hyperliquid.xyz")
    assert (done.returncode, {one["ok"] for one in asked(done)}) == (5, {False})
    assert "secret" not in done.stdout + done.stderr


def test_offline_nothing_is_looked_up(run: Mkt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("a name was looked up"))
    done = run("doctor", "--offline")
    assert done.returncode == 5
    assert {row["detail"] for row in rows_of(done, "dns")} == {"not tried: --offline forbids it"}
    assert all("--offline" in row["detail"] for row in asked(done))


def test_a_site_an_exchange_lacks_fails_only_where_it_was_named(run: Mkt) -> None:
    named = run("--sandbox", "doctor", "-e", "okx,binance", "--site", "eea")
    assert named.returncode == 4
    assert {row["host"] for row in asked(named)} == {"eea.okx.com"}
    everywhere = run("--sandbox", "doctor", "-e", "all", "--site", "eea")
    assert (everywhere.returncode, {row["ok"] for row in rows_of(everywhere, "site")}) == (0, {None})
    testnet = run("--sandbox", "doctor", "-e", "all", "--testnet")
    assert (testnet.returncode, {row["site"] for row in asked(testnet)}) == (0, {"testnet"})
    assert run("--sandbox", "doctor", "--site", "eea", "--testnet").returncode == 2


def test_a_symbol_the_exchange_does_not_list_is_an_answer_too(run: Mkt, relay: Sandbox) -> None:
    relay.world.listings = lambda _=None: []  # type: ignore[method-assign,assignment]
    done = run("--via", relay.url, "doctor", "-e", "okx", "-m", "spot")
    (row,) = asked(done)
    assert (row["ok"], done.returncode) == (True, 0)
    assert "www.okx.com/api/v5/market/candles answers: OKX" in row["detail"]


def test_an_exchange_without_a_simulator_is_asked_for_its_list(
    run: Mkt, relay: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchanges, "simulator", lambda _: None)
    done = run("--via", relay.url, "doctor", "-e", "okx", "-m", "spot")
    (row,) = asked(done)
    assert (done.returncode, row["check"], row["ok"]) == (0, "spot instruments", True)
    assert relay.stats()["paths"] == {"www.okx.com/api/v5/public/instruments": 1}


def test_rows_for_programs_have_their_columns(run: Mkt) -> None:
    done = run("--sandbox", "doctor", "-e", "hyperliquid", "-f", "csv")
    assert done.stdout.splitlines()[0] == ",".join(KINDS)
    assert {row["ok"] for row in csv.DictReader(done.stdout.splitlines())} == {"true", ""}
    assert run("--sandbox", "doctor", "--fields", "check,ok", "--where", "ok").rows()[0] == {
        "check": "versions",
        "ok": True,
    }
    assert run("doctor", "--fields", "nosuch").returncode == 2


@pytest.mark.parametrize("columns", [80, 120])
def test_it_fits_the_terminal_and_says_how_it_ends(relay: Sandbox, columns: int) -> None:
    relay.floor.set_faults(["http451:host=www.okx.com"])
    printed, code = screen("--via", relay.url, "doctor", "-e", "binance,okx", columns=columns)
    lines = plain(printed.rpartition("\r \r")[2])
    assert code == 7
    assert max(map(len, lines)) <= columns
    assert any(line.startswith("linear candles  ") and " failed " in line for line in lines)
    assert "Another exchange may serve you" in " ".join(" ".join(lines).split())
    assert "exit code 7" in lines[-1]
    assert sum(line.startswith("dns, tls") for line in lines) == 2


def test_ctrl_c_leaves_the_terminal_whole(relay: Sandbox) -> None:
    relay.floor.set_faults(["http_hang"])
    process = spawn("--via", relay.url, "doctor")
    printed = b""
    while not relay.floor.requests:
        printed += process.read(1_024) if b"asking" not in printed else b""
    process.kill(signal.SIGINT)
    while True:
        try:
            printed += process.read(1_024)
        except EOFError:
            break
    process.wait()
    text = printed.decode()
    assert process.exitstatus == 130
    assert "Traceback" not in text
    assert text.endswith("\rmkt: stopped\r\n")


def test_nothing_but_the_rows_stands_in_a_pipe(relay: Sandbox) -> None:
    done = mkt("--via", relay.url, "doctor", "-e", "bybit")
    assert (done.returncode, done.stderr) == (0, "")
