"""Budgets that several processes share, seen from inside one; real processes are in `test_shared.py`."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import ALIEN, CELL, WEIGHT, Bench, Script, exchange, reply

from marketcli.datasets import OHLC
from marketcli.errors import Banned, LocalError, RateLimited
from marketcli.models import Market
from marketcli.net import shared
from marketcli.net.account import Key
from marketcli.net.client import Client
from marketcli.net.shared import path_of
from marketcli.net.transport import Settings
from marketcli.spec import Page, Query

KEY = Key("", "x", "live", "weight")
GOOD = [(1,), (2,)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Every run of it is another process as far as budgets can tell."""
    return Bench(state=tmp_path / "state" / "budgets")


def file_of(bench: Bench, key: Key = KEY) -> Path:
    assert bench.state is not None
    return path_of(bench.state, key)


def test_processes_spend_from_one_budget(bench: Bench) -> None:
    _, first, _ = bench.run(lambda *_: reply(), times=9)
    _, second, _ = bench.run(lambda *_: reply(), times=9)
    assert len(first.sent) == len(second.sent) == 9
    assert second.sent[0][0] - first.sent[0][0] >= 60


def test_what_the_exchange_counts_is_known_to_the_next_process(bench: Bench) -> None:
    bench.run(lambda *_: reply(x_used="90"))
    began = bench.clock.now
    _, script, _ = bench.run(lambda *_: reply())
    assert script.sent[0][0] - began >= 60


def test_a_pause_holds_for_all_processes(bench: Bench) -> None:
    bench.run(lambda *_: reply(429, b"{}", retry_after="20"), max_wait=10)
    began = bench.clock.now
    found, script, _ = bench.run(lambda *_: reply())
    assert found == [GOOD]
    assert script.sent[0][0] - began >= 20


def test_a_ban_is_remembered_for_every_budget_of_the_exchange(bench: Bench) -> None:
    bench.run(lambda *_: reply(418, b"{}", retry_after="120"))
    bench.clock.now += 30
    found, script, _ = bench.run(lambda *_: reply(), times=20)
    assert script.sent == []
    assert {type(error) for error in found} == {Banned}
    assert found[0].exit == 6
    assert found[0].retry_after == pytest.approx(90)
    assert found[0].hint == "Nothing is sent until 2026-11-21 00:02:00 UTC; try again then."
    assert "banned" in found[0].message
    assert bench.clock.slept == []
    texts = [path.read_text() for path in file_of(bench).parent.iterdir()]
    assert len(texts) == len(exchange().budgets)
    assert all("banned" in text for text in texts)
    bench.clock.now += 90
    assert bench.run(lambda *_: reply())[0] == [GOOD]


def test_a_ban_that_names_no_end_lasts_two_minutes(bench: Bench) -> None:
    bench.run(lambda *_: reply(418, b"{}"))
    (error,), script, _ = bench.run(lambda *_: reply())
    assert (type(error), script.sent) == (Banned, [])
    assert error.retry_after >= 120


def test_who_waits_for_a_budget_hears_of_a_ban_at_once(bench: Bench) -> None:
    bench.run(lambda *_: reply(), times=9)
    began = bench.clock.now

    async def ban_while_waiting(seconds: float) -> None:
        if bench.clock.now >= began + 5 and not banned:
            banned.append(bench.clock.now)
            other = Client(Settings(), outside=bench.clock.outside(), state=bench.state)
            meter = other.meter(target, target.sites["live"], WEIGHT)
            await meter.refused(600.0, Banned("Banned by X."))
        bench.clock.now += seconds

    banned: list[float] = []
    target = exchange()
    bench.clock.sleep = ban_while_waiting  # type: ignore[method-assign]
    (error,), script, _ = bench.run(lambda *_: reply())
    assert (type(error), script.sent) == (Banned, [])
    assert bench.clock.now - banned[0] <= 1.0


def test_ways_and_installations_have_their_own_bans(bench: Bench) -> None:
    relay = "http://127.0.0.1:9"
    bench.run(lambda *_: reply(418, b"{}", retry_after="120"), via=relay)
    assert bench.run(lambda *_: reply())[0] == [GOOD]
    assert isinstance(bench.run(lambda *_: reply(), via=relay)[0][0], Banned)


def test_a_password_in_an_address_is_not_written(bench: Bench) -> None:
    bench.run(lambda *_: reply(), via="http://me:canary@127.0.0.1:9")
    assert all("canary" not in path.name + path.read_text() for path in file_of(bench).parent.iterdir())


Words = st.text(max_size=70)


@given(st.lists(st.builds(Key, Words, Words, Words, Words), min_size=2, max_size=2, unique=True))
def test_different_budgets_have_different_files(keys: list[Key]) -> None:
    names = [path_of(Path("folder"), key).name for key in keys]
    assert names[0] != names[1]
    assert all(len(name) < 250 and name.isascii() and not set(name) & set('/\\:*?"<>|') for name in names)


def test_only_the_user_can_read_them(bench: Bench) -> None:
    bench.run(lambda *_: reply(418, b"{}"))
    folder = file_of(bench).parent
    modes = [stat.S_IMODE(one.stat().st_mode) for one in (folder.parent, folder, *folder.iterdir())]
    assert modes == [0o700, 0o700, 0o600, 0o600]


@pytest.mark.parametrize("text", ALIEN)
def test_a_file_with_something_else_in_it_begins_anew(bench: Bench, text: bytes) -> None:
    bench.run(lambda *_: reply())
    path = file_of(bench)
    path.write_bytes(path.read_bytes()[: shared.HEAD] + text)
    assert bench.run(lambda *_: reply())[0] == [GOOD]
    assert (account := shared.look(path)) is not None
    assert account.used == 10


def test_hostile_text_in_a_file_is_made_harmless(bench: Bench) -> None:
    bench.run(lambda *_: reply(418, b"{}", retry_after="120"))
    path = file_of(bench)
    path.write_bytes(path.read_bytes().replace(b"X has", b"\\u001b[31mX has"))
    (error,), _, _ = bench.run(lambda *_: reply())
    assert "\x1b" not in error.message
    assert error.message.startswith("\\x1b[31m")


def refusing(number: int) -> Any:
    def refuse(*_: Any, **__: Any) -> int:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_where_nothing_can_be_written_a_process_counts_for_itself(
    bench: Bench, number: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "marketcli.net")
    monkeypatch.setattr(shared, "private", refusing(number))
    found, script, _ = bench.run(lambda _, sent: reply() if sent else reply(418, b"{}", retry_after="0"), times=20)
    assert isinstance(found[0], Banned)  # which touches every budget
    assert found[1:] == [GOOD] * 19
    assert script.sent[-1][0] - script.sent[0][0] > 60
    assert len([line for line in caplog.messages if "not shared" in line]) == 1


def test_a_disk_that_fails_later_makes_nothing_forgotten(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_: str, sent: int) -> Any:
        if sent == 8:
            monkeypatch.setattr(shared, "opened", refusing(errno.EIO))
        return reply()

    found, script, _ = bench.run(answer, times=10)
    assert found == [GOOD] * 10
    assert script.sent[9][0] - script.sent[0][0] >= 60


def test_a_disk_that_fails_later_loses_no_ban(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_: str, sent: int) -> Any:
        if not sent:
            return reply()
        monkeypatch.setattr(shared, "opened", refusing(errno.EIO))
        return reply(418, b"{}", retry_after="120")

    found, script, _ = bench.run(answer, times=2)
    assert isinstance(found[1], Banned)
    assert len(script.sent) == 2


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS])
def test_where_nothing_can_be_locked_the_command_says_so(
    bench: Bench, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filelock, "lock_descriptor", refusing(number))
    (error,), script, _ = bench.run(lambda *_: reply())
    assert (type(error), error.exit, script.sent) == (LocalError, 9, [])
    assert str(bench.state) in error.message
    assert "MKT_STATE_DIR" in error.hint


def test_a_file_where_the_folder_should_be_is_told(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    (error,), script, _ = bench.run(lambda *_: reply())
    assert (type(error), script.sent) == (LocalError, [])


def test_a_process_that_stopped_inside_the_lock_is_named(bench: Bench) -> None:
    bench.run(lambda *_: reply())
    began = bench.clock.now
    with shared.opened(file_of(bench)) as handle, shared.locked(handle):
        (error,), script, _ = bench.run(lambda *_: reply())
    assert (type(error), error.exit, script.sent) == (LocalError, 9, [])
    assert f"Process {os.getpid()} holds" in error.message
    assert 5 <= bench.clock.now - began <= 5.5
    assert bench.run(lambda *_: reply())[0] == [GOOD]


def test_waiting_is_patient(bench: Bench) -> None:
    bench.run(lambda *_: reply(), times=18)
    assert sum(bench.clock.slept) >= 60
    assert min(bench.clock.slept) >= 0.05
    target = exchange()
    client = Client(Settings(), outside=replace(bench.clock.outside(), random=lambda: 0.0), state=bench.state)
    meter = client.meter(target, target.sites["live"], target.budget("other"))
    asyncio.run(meter.refused(0.01, RateLimited("Slow down.")))
    bench.clock.slept.clear()
    asyncio.run(meter.acquire(1))
    assert bench.clock.slept == [0.05]


def test_waits_for_one_budget_add_up_to_max_wait(bench: Bench) -> None:
    """Others take what comes free, again and again."""
    bench.run(lambda *_: reply(), times=9)
    target = exchange()
    rival = Client(Settings(), outside=bench.clock.outside(), state=bench.state).meter(
        target, target.sites["live"], WEIGHT
    )
    sleep = bench.clock.sleep

    async def robbed(seconds: float) -> None:
        await sleep(seconds)
        await rival.change(lambda account: account.spend(90 - account.used, account.monotonic))

    bench.clock.sleep = robbed  # type: ignore[method-assign]
    began = bench.clock.now
    (error,), script, _ = bench.run(lambda *_: reply(), max_wait=150)
    assert (type(error), script.sent) == (RateLimited, [])
    assert bench.clock.now - began <= 150


def test_a_clock_that_is_set_frees_nothing(bench: Bench) -> None:
    bench.run(lambda *_: reply(418, b"{}", retry_after="120"))
    bench.clock.ahead = 86_400
    assert isinstance(bench.run(lambda *_: reply())[0][0], Banned)


def test_a_ban_outlives_the_boot_it_came_in(bench: Bench) -> None:
    bench.run(lambda *_: reply(418, b"{}", retry_after="7200"))
    uptime = bench.clock.now
    bench.clock.now, bench.clock.boot = 20.0, "two"
    bench.clock.ahead = uptime - 20.0 + 3_600  # an hour later by the wall clock
    (error,), script, _ = bench.run(lambda *_: reply())
    assert (type(error), script.sent) == (Banned, [])
    assert error.retry_after == pytest.approx(3_600, abs=1)
    assert "02:00:00 UTC" in error.hint


def test_an_endpoint_that_costs_nothing_is_not_sent_during_a_ban(bench: Bench) -> None:
    bench.run(lambda *_: reply(418, b"{}", retry_after="120"))
    script = Script(lambda *_: reply(), bench.clock)
    client = Client(Settings(), outside=bench.clock.outside(), transport=script, state=bench.state)
    target, free = exchange(), replace(CELL, cost=lambda _: {})
    with pytest.raises(Banned):
        asyncio.run(client.ask(target, target.sites["live"], free, Query(OHLC, Market.SPOT), page=Page(None, 1)))
    assert script.sent == []
