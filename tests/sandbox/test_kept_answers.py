"""Answers about days gone by are made once; what is new is always made anew."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox.small_world import floor, ms

from marketcli.sandbox import kept

DAY_GONE = {"startTime": ms("2026-11-01T00:00"), "endTime": ms("2026-11-01T03:00")}
TODAY = {"startTime": ms("2026-11-21T00:00"), "endTime": ms("2026-11-21T03:00")}


class Counting:
    """A world that counts how often candles are asked of it."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world, name)

    def candles(self, *args: Any, **more: Any) -> Any:
        self.asked += 1
        return self.world.candles(*args, **more)


def ask(on: Any, **params: Any) -> bytes:
    query = "&".join(f"{name}={value}" for name, value in {"symbol": "BTCUSDT", "interval": "1m", **params}.items())
    body: bytes = on.answer("GET", "fapi.binance.com", path="/fapi/v1/klines", query=query).body
    return body


@pytest.mark.parametrize(("window", "made"), [(DAY_GONE, 1), (TODAY, 3), ({}, 3), ({"limit": "5"}, 3)])
def test_days_gone_by_are_made_once(window: dict[str, Any], made: int) -> None:
    on = floor()
    counting = on.world = Counting(on.world)  # type: ignore[assignment]
    assert len({ask(on, **window) for _ in range(3)}) == 1
    assert counting.asked == made


def test_other_questions_get_other_answers() -> None:
    on = floor()
    assert ask(on, **DAY_GONE, limit=5) != ask(on, **DAY_GONE, limit=6)
    assert ask(on, **DAY_GONE, limit=5) == ask(floor(), **DAY_GONE, limit=5)


def test_refusals_are_not_kept() -> None:
    on = floor()
    counting = on.world = Counting(on.world)  # type: ignore[assignment]
    assert ask(on, **DAY_GONE, interval="7m") == ask(on, **DAY_GONE, interval="7m")
    assert (on.kept.replies, counting.asked) == ({}, 0)


def test_what_was_asked_for_longest_ago_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    on = floor()
    one = len(ask(on, **DAY_GONE))
    monkeypatch.setattr(kept, "BYTES", 2 * one + one // 2)
    for minute in range(1, 4):
        ask(on, **(DAY_GONE | {"endTime": ms(f"2026-11-01T03:0{minute}")}))
    assert len(on.kept.replies) == 2
    assert on.kept.size == sum(len(reply.body) for reply in on.kept.replies.values()) <= 2 * one + one // 2
