"""The faults of streams, one by one: each does what its sentence says, and what it kept from clients is told."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from inside_sockets import dial
from sandbox.small_streams import HOST, TENTH, acts, floor, frame, heard, opened, socket, subscribe
from virtual_time import START, Hours, run

from marketcli.errors import ConnectionLost, ExchangeDown, MarketError, RateLimited, RegionRefused, UsageError
from marketcli.models import SECOND
from marketcli.sandbox.faults import FAULTS, STREAM_FAULTS, parse
from marketcli.sandbox.parcels import Act
from marketcli.simulator import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketcli.sandbox.floor import Floor

ACK = {"id": 1, "ok": True}


def numbers(found: Sequence[Act]) -> list[int]:
    """Which tenths of a second the frames are about."""
    return [json.loads(act.data)["n"] - START // TENTH for act in found if act.verb == "text"]


def struck(fault: str, seconds: float = 1.0, query: str = "ticks.A") -> tuple[list[Act], list[dict[str, Any]]]:
    """What a client is sent and what is told of the rest."""
    on = floor(lambda: START, fault)
    line = opened(on, query)
    found = acts(line, START + round(seconds * SECOND))
    line.end()
    return found, on.streams.undelivered()


def told(losses: Sequence[dict[str, Any]]) -> list[tuple[str, int, int, int]]:
    """Topic, first and last tenth, and frames of what was kept back."""
    start = START // 1_000
    return [
        (loss["topic"], (loss["from_ms"] - start) // 100, (loss["to_ms"] - start) // 100, loss["frames"])
        for loss in losses
    ]


def subscribed(fault: str, *topics: str, seconds: float = 3.0, **more: Any) -> tuple[list[Any], Floor]:
    """What follows a subscription."""

    async def main(hours: Hours) -> tuple[list[Any], Floor]:
        on = floor(hours.micros, fault, **more)
        wire = await dial(on)(socket())
        await wire.send(subscribe(*topics))
        found = await heard(wire, seconds)
        await wire.send('{"op":"ping"}')
        found += await heard(wire, 0.01)
        await wire.close()
        return found, on

    return run(main)


def wire_is_over(wire: Any) -> bool:
    return wire.connection.lost is not None


def is_json(data: Any) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def test_without_a_fault_everything_comes() -> None:
    found, losses = struck("http503_burst")
    assert (numbers(found), losses) == (list(range(11)), [])


def test_ws_silent_ack() -> None:
    found, on = subscribed("ws_silent_ack:topic=ticks", "ticks.A", "state.A", seconds=2.05)
    assert found[0] == ACK
    assert [row["topic"] for row in found[1:-1]] == ["state.A"] * 3
    assert found[-1] == {"op": "pong"}
    assert told(on.streams.undelivered()) == [("ticks.A", 0, 20, 21)]
    assert on.stats()["streams"]["small"]["messages_kept"] == 21


def test_ws_reject_subscribe_says_so_in_the_words_of_the_exchange() -> None:
    found, on = subscribed("ws_reject_subscribe", "ticks.A")
    assert found == [{"id": 1, "ok": False, "error": "unknown"}, {"op": "pong"}]
    assert on.streams.undelivered() == []


def test_ws_ack_never() -> None:
    found, on = subscribed("ws_ack_never", "ticks.A", seconds=1)
    assert found == [{"op": "pong"}]
    assert told(on.streams.undelivered()) == [("ticks.A", 0, 10, 11)]


def test_ws_only_pings() -> None:
    found, on = subscribed("ws_only_pings", "ticks.A", seconds=1)
    assert found == []
    assert told(on.streams.undelivered()) == [("ticks.A", 0, 10, 11)]
    found_acts, _ = struck("ws_only_pings:seconds=3", 10)
    assert found_acts == [Act("ping")] * 3


def test_messages_are_counted_for_faults_of_subscriptions() -> None:
    async def main(hours: Hours) -> list[Any]:
        wire = await dial(floor(hours.micros, "ws_reject_subscribe:every=2,topic=A"))(socket())
        for number, topic in enumerate(("ticks.A", "ticks.B", "state.A", "ticks.QUIET")):
            await wire.send(subscribe(topic, number=number))
        await wire.send('{"op":"ping"}')
        return [row.get("ok") for row in await heard(wire, 0.05) if "id" in row]

    assert run(main) == [True, True, False, True]


def test_ws_stall_leaves_everything_but_data() -> None:
    found, on = subscribed("ws_stall:after=5,topic=ticks", "ticks.A", "state.A", seconds=2.05)
    assert [row["n"] - START // TENTH for row in found[1:-1] if row["topic"] == "ticks.A"] == [0, 1, 2, 3, 4]
    assert [row["n"] for row in found[1:-1] if row["topic"] == "state.A"] == [START // TENTH + n for n in (0, 10, 20)]
    assert found[-1] == {"op": "pong"}
    assert told(on.streams.undelivered()) == [("ticks.A", 5, 20, 16)]


def test_ws_stall_strikes_connections() -> None:
    on = floor(lambda: START, "ws_stall:after=2,every=2,first=3")
    assert [len(acts(opened(on, "ticks.A"), START + 1_000_000)) for _ in range(5)] == [11, 2, 11, 11, 11]


def test_ws_skip() -> None:
    found, losses = struck("ws_skip:every=4")
    assert numbers(found) == [0, 1, 2, 4, 5, 6, 8, 9, 10]
    assert told(losses) == [("ticks.A", 3, 3, 1), ("ticks.A", 7, 7, 1)]
    assert {loss["fault"] for loss in losses} == {"ws_skip"}
    assert losses[0] | {"frames": 1} == losses[0]
    assert (losses[0]["exchange"], losses[0]["connection"], losses[0]["from"]) == (
        "small",
        1,
        "2026-11-21T00:00:00.300Z",
    )


def test_frames_lost_in_a_row_are_told_together() -> None:
    _, losses = struck("ws_skip:first=3")
    assert told(losses) == [("ticks.A", 0, 2, 3)]


def test_ws_duplicate() -> None:
    found, losses = struck("ws_duplicate:every=5")
    assert numbers(found) == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 9, 10]
    assert losses == []


def test_ws_out_of_order_swaps_frames_of_a_topic() -> None:
    found, losses = struck("ws_out_of_order:every=4,topic=ticks", 0.95, "ticks.A/state.A")
    ticks = [act for act in found if "ticks" in str(act.data)]
    assert numbers(ticks) == [0, 1, 2, 4, 3, 5, 6, 8, 7, 9]
    assert losses == []
    found, losses = struck("ws_out_of_order", 0.55)
    assert (numbers(found), losses) == ([1, 0, 3, 2, 5, 4], [])
    on = floor(lambda: START, "ws_out_of_order:every=3", "ws_skip:every=3")
    assert numbers(acts(opened(on, "ticks.A"), START + 750_000)) == [0, 1, 3, 4, 6, 7]
    _, losses = struck("ws_out_of_order:every=11")
    assert told(losses) == [("ticks.A", 10, 10, 1)]


@pytest.mark.parametrize("mode", ["text", "half_json", "wrong_types", "html", "binary", "bad_utf8", "empty", "array"])
def test_ws_garbage_comes_in_place_of_a_frame_and_the_rest_goes_on(mode: str) -> None:
    found, losses = struck(f"ws_garbage:mode={mode},every=3,first=3", 0.5)
    (place,) = [index for index, act in enumerate(found) if act.data != frame("ticks.A", START + index * TENTH)]
    assert (place, len(found)) == (2, 6)
    assert told(losses) == [("ticks.A", 2, 2, 1)]
    data, whole = found[2].data, json.loads(frame("ticks.A", START + 2 * TENTH))
    if mode == "wrong_types":
        wrong = json.loads(data)
        assert (wrong["topic"], wrong["price"], wrong["n"]) == ("ticks.A", {"value": "12.50"}, {"value": whole["n"]})
    elif mode == "array":
        assert json.loads(data) == []
    else:
        assert not is_json(data)
    assert found[2].verb == ("binary" if mode == "binary" else "text")


def test_ws_giant_is_more_than_a_client_takes() -> None:
    async def main(hours: Hours) -> None:
        wire = await dial(floor(hours.micros, "ws_giant:every=3"))(socket("ticks.A"))
        await wire.recv()
        await wire.recv()
        with pytest.raises(ConnectionLost, match="1009"):
            await wire.recv()

    run(main)


@pytest.mark.parametrize(
    ("mode", "code", "words"), [("close", 1001, "1001"), ("fin", 0, "broke"), ("reset", 0, "broke")]
)
def test_ws_drop_after_frames(mode: str, code: int, words: str) -> None:
    found, losses = struck(f"ws_drop:frames=4,mode={mode}")
    assert numbers(found) == [0, 1, 2, 3]
    assert found[-1] == Act(mode, code=code)  # type: ignore[arg-type]
    assert losses == []

    async def main(hours: Hours) -> None:
        wire = await dial(floor(hours.micros, f"ws_drop:mode={mode},seconds=7.5"))(socket("ticks.A"))
        with pytest.raises(ConnectionLost, match=words):
            await heard(wire, 60)
        assert hours.passed() == 7.5

    run(main)


def test_ws_drop_without_a_number_is_after_a_hundred_frames() -> None:
    found, _ = struck("ws_drop", 60)
    assert len(found) == 101


def test_a_frame_held_back_when_the_connection_drops_is_told() -> None:
    found, losses = struck("ws_out_of_order:every=4", 0.3)
    assert numbers(found) == [0, 1, 2]
    assert told(losses) == [("ticks.A", 3, 3, 1)]
    on = floor(lambda: START, "ws_out_of_order:every=4", "ws_drop:frames=5")
    assert numbers(acts(opened(on, "ticks.A"), START + 9_000_000)) == [0, 1, 2, 4, 3]


@pytest.mark.parametrize(("notice", "leaves"), [("notice=5", 15), ("notice=0", None), ("notice=30", None)])
def test_ws_life_is_announced_or_not(notice: str, leaves: int | None) -> None:
    async def main(hours: Hours) -> list[Any]:
        on = floor(hours.micros, f"ws_life:seconds=20,{notice}", leaving=lambda _: '{"leaving":true}')
        wire, moments = await dial(on)(socket()), []
        while not wire_is_over(wire):
            with suppress(ConnectionLost):
                await wire.recv()
                moments.append(hours.passed())
        with pytest.raises(ConnectionLost, match="1001"):
            await wire.recv()
        assert hours.passed() == 20
        return moments

    assert run(main) == ([] if leaves is None else [leaves])


@pytest.mark.parametrize(
    ("status", "kind"), [("429", RateLimited), ("403", RegionRefused), ("451", RegionRefused), ("503", ExchangeDown)]
)
def test_ws_refuse(status: str, kind: type[MarketError]) -> None:
    async def main(hours: Hours) -> None:
        on = floor(hours.micros, f"ws_refuse:status={status},seconds=40")
        await asyncio.sleep(1_000)
        for second in (0, 39.5):
            await asyncio.sleep(1_000 + second - hours.passed())
            with pytest.raises(kind) as caught:
                await dial(on)(socket())
            assert caught.value.retry_after == ({0: 40, 39.5: 1}[second] if status == "429" else None)
        await asyncio.sleep(0.5)
        await dial(on)(socket())
        stats = on.stats()
        assert stats["streams"]["small"]["refused"] == {status: 2}
        assert stats["sent_before_retry_after"] == (1 if status == "429" else 0)

    run(main)


def test_ws_refuse_the_first_ones_and_only_the_host_it_names() -> None:
    async def main(hours: Hours) -> None:
        on = floor(hours.micros, "ws_refuse:first=2,status=503", "ws_refuse:host=elsewhere")
        for _ in range(2):
            with pytest.raises(ExchangeDown):
                await dial(on)(socket())
        await dial(on)(socket())

    run(main)


def test_faults_name_exchange_path_and_topic() -> None:
    for where, lost in (
        ("exchange=small", True),
        ("exchange=binance", False),
        ("path=/ws", True),
        ("path=/other", False),
        ("host=small", True),
        ("host=fstream", False),
        ("topic=.A", True),
        ("topic=.B", False),
    ):
        found, _ = struck(f"ws_skip:{where}")
        assert (found == []) is lost, where


def test_faults_strike_connections_that_are_open_when_they_come_and_spare_them_when_they_go() -> None:
    async def main(hours: Hours) -> None:
        on = floor(hours.micros)
        wire = await dial(on)(socket("ticks.A"))
        await heard(wire, 1.05)
        on.set_faults(["ws_skip"])
        assert await heard(wire, 1) == []
        on.set_faults(["ws_drop:seconds=5"])
        on.set_faults([])
        assert len(await heard(wire, 10)) == 100
        on.set_faults(["ws_drop:seconds=5"])
        with pytest.raises(ConnectionLost):
            await heard(wire, 10)
        assert hours.passed() == 17.05
        on.set_faults([])
        quiet = await dial(on)(socket("ticks.QUIET"))
        await heard(quiet, 300)
        on.set_faults(["ws_drop:seconds=5"])
        with pytest.raises(ConnectionLost):
            await heard(quiet, 20)
        assert hours.passed() == 322.05

    run(main)


def test_what_a_client_waits_for_is_counted_by_its_own_clock() -> None:
    now = [START]
    on = floor(lambda: now[0], "ws_refuse:status=429,seconds=30", "ws_drop:seconds=2", speed=10)
    for passed, left in ((0, 30), (29, 1)):
        now[0] = START + passed * 10 * SECOND
        refused = on.streams.connect(HOST, "/ws", "")
        assert isinstance(refused, Reply)
        assert refused.headers["Retry-After"] == str(left)
    assert on.stats()["sent_before_retry_after"] == 1
    now[0] = START + 300 * SECOND
    line = opened(on, "ticks.QUIET")
    assert line.take(now[0] + 20 * SECOND - 1) is None
    assert line.take(now[0] + 20 * SECOND) == Act("close", code=1001)


def test_the_same_client_gets_the_same_from_the_same_faults() -> None:
    faults = ("ws_skip:every=3", "ws_duplicate:every=4", "ws_out_of_order:every=5", "ws_drop:seconds=9.05")

    def once(asked: int) -> list[Act]:
        on, found = floor(lambda: START, *faults), []
        for _ in range(3):
            line = opened(on, "ticks.A/state.A/ticks.B")
            for number in range(1, asked + 1):
                found += acts(line, START + 10 * SECOND * number // asked)
        return found

    assert once(1) == once(77)
    assert len(once(1)) > 300


def test_several_faults_strike_together() -> None:
    found, _ = struck("ws_skip:every=2")
    on = floor(lambda: START, "ws_duplicate", "ws_skip:every=2", "ws_stall:after=6")
    both = acts(opened(on, "ticks.A"), START + 1_000_000)
    assert both == [act for act in found[:3] for _ in range(2)]


def test_every_fault_of_a_stream_is_explained_with_its_keys() -> None:
    assert len(STREAM_FAULTS) == 19
    assert not set(FAULTS) & set(STREAM_FAULTS)
    for name, sentence in STREAM_FAULTS.items():
        assert parse(name).options["every"] == 1
        assert "every=1, first=N, path=TEXT, host=TEXT, exchange=TEXT" in sentence
    assert "topic=TEXT, mode=text|half_json|wrong_types" in STREAM_FAULTS["ws_garbage"]
    assert "mode=close|fin|reset" in STREAM_FAULTS["ws_drop"]
    with pytest.raises(UsageError) as caught:
        parse("ws_drop:seconds=0")
    assert (caught.value.message, caught.value.hint) == (
        "The fault ws_drop cannot take seconds=0.",
        "Write seconds=S.",
    )
    with pytest.raises(UsageError, match="There is no fault 'ws_nothing'"):
        parse("ws_nothing")
