"""`mkt ratio`: who is long and what takers do, the newest of each kind or history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cli_runner import mkt
from pty_runner import plain, screen

from marketcli.models import HOUR, MINUTE, Interval, Market, iso, to_micros
from marketcli.sandbox.server import Sandbox
from marketcli.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli_runner import Run

    from marketcli.world import Listing

    Ask = Callable[..., Run]

NOW = to_micros(datetime(2026, 11, 21, 9, 30, tzinfo=UTC))
KINDS = ["accounts", "top_accounts", "top_positions", "taker"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    # Its clock stands still: a budget that is spent would never come back.
    with Sandbox(clock=lambda: NOW, limits=False) as running:
        yield running


def listing(sandbox: Sandbox) -> Listing:
    found = sandbox.world.listings(Market.LINEAR)
    return next(one for one in found if (one.base, one.quote) == ("BTC", "USDT") and one.perpetual)


def test_the_newest_of_every_kind(ask: Ask, sandbox: Sandbox) -> None:
    done = ask("ratio", "BTCUSDT")
    rows = done.rows()
    assert (done.returncode, [row["kind"] for row in rows]) == (0, KINDS)
    assert {row["interval"] for row in rows} == {"5m"}
    for row in rows:
        time = to_micros(datetime.fromisoformat(row["time"]))
        assert NOW - 15 * MINUTE <= time <= NOW
        (truth,) = sandbox.world.ratios(listing(sandbox), Interval(5, "m"), [time])
        if row["kind"] == "taker":
            assert (row["buy_base"], row["sell_base"]) == pytest.approx((truth.taker_buy, truth.taker_sell))
            assert row["ratio"] == pytest.approx(truth.taker_buy / truth.taker_sell, abs=1e-4)
        else:
            assert row["long"] == pytest.approx(getattr(truth, f"{row['kind']}_long"), abs=1e-4)
        assert row["long"] + row["short"] == pytest.approx(1)


def test_history_of_some_kinds(ask: Ask, sandbox: Sandbox) -> None:
    done = ask(
        "ratio", "BTCUSDT", "--kind", "accounts,taker", "-i", "1h", "--since", "2026-11-20", "--until", "2026-11-21"
    )
    rows = done.rows()
    start = NOW - NOW % (24 * HOUR) - 24 * HOUR
    times = [start + hour * HOUR for hour in range(24)]
    assert done.returncode == 0
    assert [(row["kind"], row["time"]) for row in rows] == [
        (kind, iso(time)) for kind in ("accounts", "taker") for time in times
    ]
    truth = sandbox.world.ratios(listing(sandbox), Interval(1, "h"), times)
    assert [row["long"] for row in rows[:24]] == pytest.approx([one.accounts_long for one in truth], abs=1e-4)


def test_the_last_points_of_each_kind(ask: Ask) -> None:
    rows = ask("ratio", "BTCUSDT", "-n", "3").rows()
    assert [row["kind"] for row in rows] == [kind for kind in KINDS for _ in range(3)]
    taken = [row["time"] for row in rows if row["kind"] == "taker"]
    assert taken == ["2026-11-21T09:15:00Z", "2026-11-21T09:20:00Z", "2026-11-21T09:25:00Z"]  # 09:30 has not come


def test_the_newest_are_as_many_as_asked_for_though_some_have_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    given = World.ratios
    monkeypatch.setattr(World, "ratios", lambda *asked: [one for one in given(*asked) if one.time != NOW - 15 * MINUTE])
    with Sandbox(clock=lambda: NOW + 2 * MINUTE, limits=False) as sandbox:
        words = ["--via", sandbox.url, "ratio", "BTCUSDT"]
        newest, some = mkt(*words), mkt(*words, "-n", "2", "--kind", "taker")
        more = mkt(*words, "-n", "5", "--kind", "taker")
    assert (newest.returncode, [row["kind"] for row in newest.rows()]) == (0, KINDS)
    assert (some.returncode, [row["time"][11:16] for row in some.rows()]) == (0, ["09:20", "09:25"])
    assert more.returncode == 3
    assert [row["time"][11:16] for row in more.rows()] == ["09:00", "09:05", "09:10", "09:20", "09:25"]
    assert "1 5m ratios are missing" in more.stderr


def test_what_an_exchange_has_not_is_told(ask: Ask) -> None:
    done = ask("ratio", "BTC", "-e", "bybit")
    assert (done.returncode, [row["kind"] for row in done.rows()]) == (0, ["accounts"])
    assert "Bybit has no buy/sell ratios of takers" in done.stderr
    done = ask("ratio", "BTC", "-e", "bybit", "--kind", "taker")
    assert (done.returncode, done.stdout) == (4, "")
    assert "binance" in done.stderr


def test_exchanges_side_by_side(ask: Ask) -> None:
    rows = ask("ratio", "BTC", "-e", "binance,bybit,okx", "--kind", "accounts").rows()
    assert [row["exchange"] for row in rows] == ["binance", "bybit", "okx"]
    done = ask("ratio", "BTC", "-e", "hyperliquid", "--fallback", "okx", "--kind", "accounts")
    assert [(row["exchange"], row["fallback_from"]) for row in done.rows()] == [("okx", "hyperliquid")]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("BTC-USDT", 4, "spot"),
        ("BTC --kind nosuch", 2, "Use accounts, top_accounts"),
        ("BTC -i 7m", 2, "It has 5m"),
        ("BTC -i x", 2, "not an interval"),
        ("BTC --since 2020", 4, "keeps 30 days"),
        ("BTC -e hyperliquid", 4, "Hyperliquid publishes no ratios"),
        ("BTC --fields bid", 2, "no field"),
        ("NOSUCH", 2, "no instrument"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_remedy(ask: Ask, words: str, code: int, said: str) -> None:
    done = ask("ratio", *words.split())
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(
    "words", ["BTCUSDT ETHUSDT", "BTCUSDT --since 1h", "BTCUSDT ETHUSDT --kind taker -n 4", "BTC -e binance,okx"]
)
def test_tables_fit_the_terminal(sandbox: Sandbox, words: str, columns: int) -> None:
    printed, code = screen("--via", sandbox.url, "ratio", *words.split(), columns=columns)
    lines = plain(printed)
    assert code == 0
    assert len(lines) > 4
    assert max(len(line) for line in lines) <= columns


def test_history_has_the_kinds_beside_each_other(ask: Ask, sandbox: Sandbox) -> None:
    words = ["BTCUSDT", "--since", "2026-11-21T08:00", "--until", "2026-11-21T09:00"]
    lines = plain(screen("--via", sandbox.url, "ratio", *words)[0])
    (head,) = [line for line in lines if line.startswith("time UTC")]
    assert head.split()[2:] == KINDS
    rows = [line.split() for line in lines if line.startswith("2026-11-21 08:")]
    assert len(rows) == 12
    known = {(row["time"][11:16], row["kind"]): row["ratio"] for row in ask("ratio", *words).rows()}
    for row in rows:
        assert [float(cell) for cell in row[2:]] == [round(known[row[1], kind], 4) for kind in KINDS]
