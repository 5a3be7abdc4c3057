"""What a client of a stream is sent and when, without sockets, on a clock that does not wait."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from inside_sockets import InsideDialer, dial
from sandbox.small_streams import HOST, TENTH, acts, floor, frame, heard, opened, socket, subscribe, texts
from virtual_time import START, run

from marketcli.errors import ConnectionLost, RateLimited, WrongAddress
from marketcli.exchanges import load
from marketcli.models import SECOND, Market, Micros, Window
from marketcli.net.client import Client
from marketcli.net.transport import Settings
from marketcli.sandbox.parcels import Act
from marketcli.simulator import Frame, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from virtual_time import Hours

    from marketcli.world import Listing, World


def test_frames_come_at_their_moment_after_the_acknowledgement() -> None:
    async def main(hours: Hours) -> None:
        await asyncio.sleep(0.25)
        wire = await dial(floor(hours.micros))(socket())
        await wire.send(subscribe("ticks.A", number=3))
        assert json.loads(await wire.recv()) == {"id": 3, "ok": True}
        for tenths in range(3, 40):
            assert await wire.recv() == frame("ticks.A", START + tenths * TENTH).encode()
            assert hours.micros() == START + tenths * TENTH

    run(main)


def test_the_address_itself_may_name_topics() -> None:
    async def main(hours: Hours) -> list[Any]:
        wire = await dial(floor(hours.micros))(socket("state.A"))
        return await heard(wire, 2.5)

    assert [found["topic"] for found in run(main)] == ["state.A"] * 3


def test_topics_are_merged_in_order_of_time_and_end_when_they_are_told_to() -> None:
    async def main(hours: Hours) -> None:
        wire = await dial(floor(hours.micros))(socket())
        await wire.send(subscribe("ticks.A", "state.A"))
        found = (await heard(wire, 2.05))[1:]
        assert [row["ms"] for row in found] == sorted(row["ms"] for row in found)
        assert Counter(row["topic"] for row in found) == {"ticks.A": 21, "state.A": 3}
        await wire.send(subscribe("ticks.A", op="unsubscribe"))
        assert {row.get("topic") for row in await heard(wire, 5)} == {None, "state.A"}
        await wire.send(subscribe("ticks.A"))
        assert Counter(row.get("topic") for row in await heard(wire, 1)) == {None: 1, "ticks.A": 10, "state.A": 1}

    run(main)


def test_how_often_a_line_is_asked_changes_nothing() -> None:
    def whole(steps: Micros) -> list[Any]:
        now = [START]
        on = floor(lambda: now[0])
        line = opened(on, "ticks.A/state.A")
        found = []
        for _ in range(30 * SECOND // steps):
            now[0] += steps
            found += texts(line, now[0])
        return found

    assert whole(SECOND // 20) == whole(30 * SECOND)
    assert len(whole(30 * SECOND)) == 301 + 31


def test_no_trade_of_the_world_is_lost_between_two_looks() -> None:
    """The world knows the trades of whole seconds, so a look that ended inside one would miss its beginning."""

    def trades(_: str, world: World, window: Window, pace: float) -> Iterator[Frame]:
        del pace
        yield from (Frame(row.time, str(row.id)) for row in world.trades(ada(world), window))

    def ada(world: World) -> Listing:
        return next(item for item in world.listings(Market.LINEAR) if item.base == "ADA")

    now = [START + SECOND // 4]
    on = floor(lambda: now[0], frames=trades)
    line, found = opened(on, "trades"), []
    for _ in range(40):
        now[0] += 3 * SECOND + 210_000
        found += texts(line, now[0])
    window = Window(START + SECOND // 4, now[0] + 1)
    assert found == [str(row.id) for row in on.world.at(now[0] + SECOND).trades(ada(on.world), window)]
    assert len(found) > 500


def test_states_come_as_often_as_the_pace_says() -> None:
    line = opened(floor(lambda: START, pace=4), "state.A")
    assert len(texts(line, START + 10 * SECOND)) == 41


def test_a_day_of_a_quiet_topic_takes_seconds() -> None:
    looks: list[Window] = []

    def silence(_: str, __: World, window: Window, ___: float) -> tuple[Frame, ...]:
        looks.append(window)
        return ()

    async def main(hours: Hours) -> None:
        wire = await dial(floor(hours.micros, frames=silence))(socket("ticks.QUIET"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wire.recv(), 86_400)

    began = time.perf_counter()
    run(main)
    assert time.perf_counter() - began < 3
    assert len(looks) < 1_500
    assert all(before.end == after.start for before, after in pairwise(looks))


def test_a_storm_after_a_calm_is_made_piece_by_piece_and_whole() -> None:
    calm, storm = 300 * SECOND, 40_000

    def frames(_: str, __: World, window: Window, ___: float) -> Iterator[Frame]:
        first = max(0, window.start - START - calm)
        for number in range(first, min(storm, window.end - START - calm)):
            yield from (Frame(START + calm + number, f"{number}.{place}") for place in range(3))

    line, found = opened(floor(lambda: START, frames=frames), "storm"), []
    for now in range(START, START + calm + 2 * storm, SECOND // 200):
        found += texts(line, now)
        assert len(line.agenda) < 6_000
    assert found == [f"{number}.{place}" for number in range(storm) for place in range(3)]


def test_a_line_says_when_it_wants_to_be_asked_again() -> None:
    line = opened(floor(lambda: START), "ticks.A")
    assert [act.verb for act in acts(line, START)] == ["text"]
    assert line.wake == START + TENTH
    assert line.take(START + TENTH - 1) is None
    assert line.take(START + TENTH) == Act("text", frame("ticks.A", START + TENTH))


def test_answers_refusals_and_goodbyes_are_the_simulators() -> None:
    async def main(hours: Hours) -> None:
        on = floor(hours.micros)
        wire = await dial(on)(socket())
        await wire.send('{"op":"ping"}')
        assert await wire.recv() == b'{"op":"pong"}'
        await wire.send(subscribe("ticks.A", "ticks.NONE"))
        assert await heard(wire, 3) == [{"id": 1, "ok": False, "error": "unknown"}]
        for code, words in ((4004, r"\(4004\)"), (1006, "broke off")):
            wire = await dial(on)(socket("ticks.A"))
            await wire.recv()
            await wire.send(json.dumps({"op": "bye", "code": code}))
            with pytest.raises(ConnectionLost, match=words):
                await wire.recv()
            with pytest.raises(ConnectionLost):
                await wire.send("more")

    run(main)


def test_openings_are_counted_and_refused_like_requests() -> None:
    async def main(hours: Hours) -> None:
        await asyncio.sleep(7)
        on = floor(hours.micros, limits=True)
        for _ in range(5):
            await dial(on)(socket())
        with pytest.raises(RateLimited) as caught:
            await dial(on)(socket())
        assert caught.value.retry_after == 53
        await asyncio.sleep(53)
        await dial(on)(socket())
        free = floor(hours.micros)
        for _ in range(20):
            await dial(free)(socket())
        stats = on.stats()["streams"]["small"]
        assert (stats["openings"], stats["open"], stats["refused"]) == (7, 6, {"429": 1})
        assert [line["status"] for line in on.log] == [101] * 5 + [429, 101]

    run(main)


def test_wrong_addresses_are_refused() -> None:
    on = floor(lambda: START)
    for host, path, query, status in (
        (HOST, "/ws", "nonsense", 400),
        (HOST, "/wss", "", 404),
        ("other.example", "/ws", "", 404),
    ):
        found = on.streams.connect(host, path, query)
        assert isinstance(found, Reply)
        assert (found.status, found.headers["Date"]) == (status, "Sat, 21 Nov 2026 00:00:00 GMT")
    assert isinstance(opened(on, path="/other/ticks.B").take(START), Act)

    async def main(hours: Hours) -> None:
        with pytest.raises(WrongAddress):
            await dial(floor(hours.micros))(socket(path="/wrong"))

    run(main)


def test_pings_come_and_three_without_a_pong_are_the_end() -> None:
    line = opened(floor(lambda: START, pings=20.0, speed=2.0))
    step = 40 * SECOND  # of the world, for 20 of the client
    for number in range(1, 10):
        assert line.take(START + number * step - 1) is None
        assert line.take(START + number * step) == Act("ping")
        line.ponged()
    for number in range(10, 13):
        assert line.take(START + number * step) == Act("ping")
    assert line.take(START + 13 * step) == Act("close", code=1008)
    assert line.over
    assert line.wake is None


def test_a_client_inside_answers_pings_like_any_library() -> None:
    async def main(hours: Hours) -> None:
        wire = await dial(floor(hours.micros, pings=20.0))(socket("state.A"))
        assert len(await heard(wire, 300.5)) == 301

    run(main)


def test_silence_of_the_client_is_the_end_and_any_word_puts_it_off() -> None:
    async def main(hours: Hours) -> None:
        wire = await dial(floor(hours.micros, idle=30.0, idle_code=4004))(socket())
        await asyncio.sleep(29)
        await wire.send('{"op":"ping"}')
        await wire.recv()
        with pytest.raises(ConnectionLost, match="4004"):
            await wire.recv()
        assert hours.passed() == 59

    run(main)


def test_a_life_ends_as_planned_and_is_announced() -> None:
    async def main(hours: Hours) -> None:
        def leaving(world: Any) -> str:
            return json.dumps({"leaving": (world.now() - START) // SECOND})

        wire = await dial(floor(hours.micros, life=86_400.0, leaving=leaving))(socket())
        assert json.loads(await wire.recv()) == {"leaving": 86_340}
        with pytest.raises(ConnectionLost, match="1001"):
            await wire.recv()
        assert hours.passed() == 86_400

    run(main)


def test_first_frames_come_with_the_topic_and_a_mistake_of_a_simulator_is_seen() -> None:
    async def main(hours: Hours) -> None:
        on = floor(hours.micros, first=lambda topic, world: (json.dumps([topic, world.now()]),))
        wire = await dial(on)(socket())
        await asyncio.sleep(0.5)
        await wire.send(subscribe("state.A"))
        await wire.recv()
        assert json.loads(await wire.recv()) == ["state.A", START + SECOND // 2]

        def broken(_: str, world: Any, __: Any, ___: float) -> Any:
            if world.now() > START + 3 * SECOND:
                raise KeyError("mistake")
            return ()

        wire = await dial(floor(hours.micros, frames=broken))(socket("ticks.A"))
        with pytest.raises(KeyError, match="mistake"):
            await wire.recv()

    run(main)


def test_whoever_leaves_is_forgotten() -> None:
    async def main(hours: Hours) -> None:
        on = floor(hours.micros)
        wire = await dial(on)(socket("ticks.A"))
        await wire.recv()
        waiting = asyncio.create_task(wire.recv())
        await asyncio.sleep(0.05)
        wire.abort()
        with pytest.raises(ConnectionLost):
            await waiting
        assert on.streams.lines == {}
        wire = await dial(on)(socket("ticks.A"))
        await wire.close()
        with pytest.raises(ConnectionLost):
            await wire.send("{}")
        assert on.streams.lines == {}
        assert on.stats()["streams"]["small"]["messages_sent"] == 1

    run(main)


def test_the_programs_own_dialler_works_inside_with_its_budgets() -> None:
    async def main(hours: Hours) -> None:
        binance = load("binance")
        site = binance.sites["live"]
        on = floor(hours.micros, "ws_refuse:status=429,seconds=30,exchange=binance")
        async with Client(Settings(), outside=hours.outside()) as client:
            address = next(iter(site.sockets.values()))
            dialler = InsideDialer(client, binance, site, floor=on)
            with pytest.raises(RateLimited) as caught:
                await dialler(address)
            assert caught.value.retry_after is not None
            assert caught.value.retry_after >= 30
            await asyncio.sleep(caught.value.retry_after)
            wire = await dialler(address)
            await wire.close()
        assert on.stats()["streams"]["binance"]["openings"] == 2

    run(main)
