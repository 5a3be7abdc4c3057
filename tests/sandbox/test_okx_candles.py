"""OKX's candles in the sandbox: order, bounds, reach, units, refusals and limits as documented."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
import pytest
from sandbox.small_world import NOW, floor, ms

from marketcli.models import DAY, HOUR, SECOND

if TYPE_CHECKING:
    from marketcli.sandbox.draft import Draft
    from marketcli.sandbox.floor import Floor

M1 = 60_000


def draft(on: Floor, path: str, host: str = "www.okx.com", **params: Any) -> Draft:
    return on.answer("GET", host, path=f"/api/v5/{path}", query=urlencode(params))


def said(path: str, **params: Any) -> tuple[int, str]:
    """Status and code of an answer."""
    answer = draft(floor(), path, **params)
    return answer.status, msgspec.json.decode(answer.body)["code"]


def rows(path: str = "market/candles", **params: Any) -> Any:
    document = msgspec.json.decode(draft(floor(), path, **({"instId": "BTC-USDT-SWAP"} | params)).body)
    assert document["code"] == "0"
    return document["data"]


def times(found: Any) -> list[int]:
    return [int(row[0]) for row in found]


def test_the_newest_come_first_and_the_running_one_on_top() -> None:
    found = rows(limit=3)
    assert times(found) == [ms("2026-11-21T12:00") - M1 * n for n in range(3)]
    assert [row[-1] for row in found] == ["0", "1", "1"]


@pytest.mark.parametrize(
    ("name", "instrument", "row"),
    [
        ("spot", "BTC-USDT", ["12.5", "1137600.25", "1137600.25"]),
        ("linear: 0.01 BTC each", "BTC-USDT-SWAP", ["1250", "12.5", "1137600.25"]),
        ("inverse: 100 USD each", "BTC-USD-SWAP", ["7", "12.5", "1137600.25"]),
    ],
)
def test_volumes_are_what_the_market_counts(name: str, instrument: str, row: list[str]) -> None:
    (found,) = rows(instId=instrument, after=ms("2026-11-21T11:01"), limit=1)
    value = 90_000 + ms("2026-11-21T11:00") // M1 % 1_000
    assert found[:5] == [str(ms("2026-11-21T11:00")), *map(str, (value, value + 9.5, value - 5.25, value + 1.5))], name
    assert found[5:] == [*row, "1"]


def test_bounds_do_not_belong_to_the_rows() -> None:
    start, end = ms("2026-11-21T11:00"), ms("2026-11-21T11:05")
    assert times(rows(after=end, before=start - 1)) == [end - M1 * n for n in range(1, 6)]
    assert times(rows(after=end, before=start)) == [end - M1 * n for n in range(1, 5)]


def test_before_alone_gives_the_newest_and_not_those_just_above_it() -> None:
    assert times(rows(before=ms("2026-11-21T10:00"), limit=2)) == [ms("2026-11-21T12:00"), ms("2026-11-21T11:59")]


def test_as_many_rows_as_asked_for_up_to_the_most() -> None:
    assert [len(rows()), len(rows(limit=300))] == [100, 300]
    assert len(rows("market/mark-price-candles", limit=100)) == 100
    assert said("market/candles", instId="BTC-USDT", limit=301) == (400, "51000")
    assert said("market/mark-price-candles", instId="BTC-USDT-SWAP", limit=101) == (400, "51000")


def test_only_the_newest_1440_are_kept_beside_the_history() -> None:
    oldest = ms("2026-11-20T12:01")
    assert times(rows(after=oldest + 2 * M1, limit=300)) == [oldest + M1, oldest]
    assert times(rows("market/history-candles", after=oldest, limit=1)) == [oldest - M1]
    assert len(rows("market/history-candles", after=ms("2021-01-01T00:00"), limit=300)) == 300


def test_the_history_has_no_running_candle() -> None:
    (row,) = rows("market/history-candles", limit=1)
    assert (times([row]), row[-1]) == ([ms("2026-11-21T11:59")], "1")


def test_seconds_are_in_the_history_only_and_for_three_months() -> None:
    assert said("market/candles", instId="BTC-USDT", bar="1s") == (400, "51000")
    assert len(rows("market/history-candles", instId="BTC-USDT", bar="1s")) == 100
    assert rows("market/history-candles", instId="BTC-USDT", bar="1s", after=ms("2026-08-20T00:00")) == []


def test_days_begin_at_16_utc_unless_utc_is_asked_for() -> None:
    assert times(rows(bar="1Dutc", limit=2)) == [ms("2026-11-21T00:00"), ms("2026-11-20T00:00")]
    own = rows(bar="1D", limit=2)
    assert times(own) == [ms("2026-11-20T16:00"), ms("2026-11-19T16:00")]
    twelve = ["15000", "150", "13651203", "1"]  # times two hours
    assert own[1][5:] == twelve
    assert [row[-1] for row in own] == ["0", "1"]
    assert times(rows(bar="6H", limit=2)) == [ms("2026-11-21T10:00"), ms("2026-11-21T04:00")]


@pytest.mark.parametrize(
    ("bar", "step"), [("2H", 2 * HOUR), ("12Hutc", 12 * HOUR), ("3Dutc", 3 * DAY), ("1Wutc", 7 * DAY)]
)
def test_bars_are_so_long(bar: str, step: int) -> None:
    found = times(rows(bar=bar, limit=5))
    assert [(newer - older) * 1_000 for newer, older in pairwise(found)] == [step] * 4


def test_mark_and_index_prices() -> None:
    (mark,) = rows("market/mark-price-candles", limit=1)
    assert mark[1:] == ["90000.5", "90001.25", "90000", "90001", "0"]
    assert rows("market/index-candles", instId="BTC-USDT", limit=1) == [mark]
    assert times(rows("market/history-index-candles", instId="BTC-USD", limit=1)) == [ms("2026-11-21T11:59")]
    assert said("market/index-candles", instId="BTC-USDT-SWAP") == (200, "51001")
    assert said("market/mark-price-candles", instId="BTC-USDT") == (200, "51001")
    assert said("market/mark-price-candles", instId="BTC-USDT-SWAP", bar="3Dutc") == (400, "51000")
    assert said("market/mark-price-candles", instId="BTC-USDT-SWAP", bar="3Mutc") == (200, "0")
    assert said("market/history-mark-price-candles", instId="BTC-USDT-SWAP", bar="3Mutc") == (400, "51000")


@pytest.mark.parametrize(
    ("params", "answer"),
    [
        ({}, (400, "51000")),
        ({"instId": "NOPE-USDT"}, (200, "51001")),
        ({"instId": "BTC-USDT-SWAP", "bar": "7m"}, (400, "51000")),
        ({"instId": "BTC-USDT-SWAP", "bar": "1h"}, (400, "51000")),
        ({"instId": "BTC-USDT-SWAP", "after": "soon"}, (400, "51000")),
        ({"instId": "BTC-USDT-SWAP", "limit": "0"}, (400, "51000")),
    ],
)
def test_refusals(params: dict[str, str], answer: tuple[int, str]) -> None:
    assert said("market/candles", **params) == answer


def test_nothing_before_the_listing_and_nothing_after_the_end() -> None:
    assert rows("market/history-candles", after=ms("2019-12-31T00:00")) == []
    (last,) = rows("market/history-candles", instId="OLD-USDT-SWAP", limit=1)
    assert times([last]) == [ms("2024-09-10T08:59")]


def test_unknown_paths() -> None:
    answer = draft(floor(), "market/nothing")
    assert (answer.status, msgspec.json.decode(answer.body)["code"]) == (404, "404")


def test_every_path_has_a_limit_of_its_own_and_the_refusal_does_not_say_for_how_long() -> None:
    on: Any = floor()
    for _ in range(40):
        assert draft(on, "market/candles", instId="BTC-USDT").status == 200
    refused = draft(on, "market/candles", instId="BTC-USDT")
    assert (refused.status, msgspec.json.decode(refused.body)["code"]) == (429, "50011")
    assert "Retry-After" not in refused.headers
    assert draft(on, "market/history-candles", instId="BTC-USDT").status == 200
    on.world.time = NOW + 2 * SECOND
    assert draft(on, "market/candles", instId="BTC-USDT").status == 200


@pytest.mark.parametrize("host", ["www.okx.com", "eea.okx.com", "us.okx.com"])
def test_all_hosts_answer_all_markets(host: str) -> None:
    for name in ("BTC-USDT", "BTC-USDT-SWAP", "BTC-USD-270326"):
        assert draft(floor(), "market/candles", host, instId=name).status == 200


def test_the_time() -> None:
    assert rows("public/time") == [{"ts": str(NOW // 1_000)}]
