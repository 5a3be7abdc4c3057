"""`mkt funding`, `mkt oi` and `mkt price`: the market's own figures, history, units, and what cannot be asked."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from pty_runner import plain, screen

from marketcli.models import HOUR, Market, Window, iso, to_micros

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli_runner import Run

    from marketcli.sandbox.server import Sandbox
    from marketcli.world import Listing

    Ask = Callable[..., Run]

SYMBOLS = {Market.LINEAR: "BTCUSDT", Market.INVERSE: "BTCUSD_PERP"}


def listing(sandbox: Sandbox, market: Market, base: str = "BTC") -> Listing:
    found = [one for one in sandbox.world.listings(market) if one.base == base and one.perpetual]
    return next(one for one in found if one.quote in {"USDT", "USD"})


def moment(*parts: int) -> int:
    return to_micros(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type,misc]


@pytest.mark.parametrize("market", SYMBOLS)
def test_coming_funding_is_the_market_s_own(ask: Ask, sandbox: Sandbox, market: Market) -> None:
    (row,) = ask("funding", SYMBOLS[market]).rows()
    truth = sandbox.world.derivative(listing(sandbox, market))
    assert (row["rate"], row["mark"], row["index"]) == (truth.rate, truth.mark, truth.index)
    assert row["next_time"] == iso(truth.next_time)
    assert row["apr"] == pytest.approx(row["rate"] * 24 / row["interval_h"] * 365)
    assert row["basis"] == pytest.approx(truth.mark / truth.index - 1)


def test_instruments_with_other_terms_have_their_own_interval(ask: Ask) -> None:
    rows = {row["native"]: row["interval_h"] for row in ask("funding", "BTCUSDT", "SOLUSDT", "DOGEUSDT").rows()}
    assert rows == {"BTCUSDT": 8, "SOLUSDT": 4, "DOGEUSDT": 1}


@pytest.mark.parametrize("market", SYMBOLS)
def test_settlements_are_the_market_s_own(ask: Ask, sandbox: Sandbox, market: Market) -> None:
    window = Window(moment(2025, 1, 1), moment(2026, 1, 1))
    done = ask("funding", SYMBOLS[market], "--since", "2025", "--until", "2026")
    truth = sandbox.world.settlements(listing(sandbox, market), window)
    assert done.returncode == 0
    assert [row["time"] for row in done.rows()] == [iso(round(one.time / 60e6) * 60_000_000) for one in truth]
    assert [row["rate"] for row in done.rows()] == [one.rate for one in truth]
    assert {row["interval_h"] for row in done.rows()} == {8}


def test_a_symbol_that_went_from_eight_hours_to_four_to_one_is_right(ask: Ask) -> None:
    rows = ask("funding", "DOGEUSDT", "--since", "2026-02-27", "--until", "2026-09-04").rows()
    hours = {row["time"]: row["interval_h"] for row in rows}
    assert (hours["2026-03-01T16:00:00Z"], hours["2026-03-02T04:00:00Z"]) == (8, 4)
    assert (hours["2026-08-31T20:00:00Z"], hours["2026-09-01T01:00:00Z"]) == (4, 1)
    for before, after in pairwise(rows):
        gap = datetime.fromisoformat(after["time"]) - datetime.fromisoformat(before["time"])
        assert gap.total_seconds() / 3600 == after["interval_h"]


def test_the_last_settlements(ask: Ask) -> None:
    rows = ask("funding", "BTCUSDT", "--last", "3").rows()
    assert [row["time"] for row in rows] == ["2026-11-20T16:00:00Z", "2026-11-21T00:00:00Z", "2026-11-21T08:00:00Z"]


@pytest.mark.parametrize("market", SYMBOLS)
def test_open_interest_now_and_how_it_changed(ask: Ask, sandbox: Sandbox, market: Market) -> None:
    (row,) = ask("oi", SYMBOLS[market]).rows()
    now = to_micros(datetime(2026, 11, 21, 9, 30, tzinfo=UTC))
    present, hour, day = sandbox.world.interest(listing(sandbox, market), [now, now - HOUR, now - 24 * HOUR])
    mark = sandbox.world.derivative(listing(sandbox, market)).mark
    unit = "contracts" if market is Market.INVERSE else "base"
    amounts = [getattr(one, unit) for one in (present, hour, day)]
    assert row["change_1h"] == pytest.approx(amounts[0] / amounts[1] - 1, abs=0.005)
    assert row["change_24h"] == pytest.approx(amounts[0] / amounts[2] - 1, abs=0.005)
    if market is Market.INVERSE:
        assert (row["oi_contracts"], row["oi_quote"]) == (present.contracts, present.contracts * 100)
        assert row["oi_base"] == pytest.approx(present.contracts * 100 / mark)
    else:
        assert row["oi_base"] == present.base
        assert row["oi_quote"] == pytest.approx(present.base * mark)


@pytest.mark.parametrize("market", SYMBOLS)
def test_open_interest_history_is_the_market_s_own(ask: Ask, sandbox: Sandbox, market: Market) -> None:
    done = ask("oi", SYMBOLS[market], "--interval", "5m", "--since", "2026-11-18", "--until", "2026-11-21")
    rows = done.rows()
    times = [moment(2026, 11, 18) + step * 300_000_000 for step in range(864)]
    truth = sandbox.world.interest(listing(sandbox, market), times)
    assert (done.returncode, len(rows)) == (0, 864)
    assert [row["time"] for row in rows] == [iso(time) for time in times]
    assert [row["oi_base"] for row in rows] == [one.base for one in truth]


@pytest.mark.parametrize(("symbol", "fields"), [("BTC-USDT", "last average"), ("BTCUSDT", "last mark index")])
def test_prices(ask: Ask, symbol: str, fields: str) -> None:
    (row,) = ask("price", symbol).rows()
    given = {name for name in ("last", "mark", "index", "average") if row[name] is not None}
    assert given == set(fields.split())


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("funding BTC-USDT", 4, "spot has no positions"),
        ("funding BTCUSDT_261225", 4, "delivered on a date"),
        ("funding BTCUSTD", 2, "Did you mean BTCUSDT"),
        ("funding BTCUSDT --since 2030", 2, "future"),
        ("oi BTC-USDT", 4, "spot has no positions"),
        ("oi BTCUSDT --since 2025", 4, "keeps 30 days"),
        ("oi BTCUSDT --interval 7m", 2, "It has 5m"),
        ("oi BTCUSDT --interval x", 2, "not an interval"),
        ("price NOSUCH", 2, "no instrument"),
        ("price BTC -m spot -e hyperliquid", 2, "Did you mean UBTC-USDC?"),
        ("price -", 2, "no symbols"),
        ("oi BTCUSDT --fields mark", 2, "no field"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_remedy(ask: Ask, words: str, code: int, said: str) -> None:
    done = ask(*words.split())
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_one_that_cannot_be_answered_does_not_lose_the_others(ask: Ask) -> None:
    done = ask("funding", "BTCUSDT", "ETHBTC")
    assert (done.returncode, [row["native"] for row in done.rows()]) == (4, ["BTCUSDT"])


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(
    "words", ["funding BTCUSDT DOGEUSDT", "oi BTCUSDT BTCUSD_PERP", "price BTCUSDT BTC-USDT", "funding BTC --last 4"]
)
def test_tables_fit_the_terminal(sandbox: Sandbox, words: str, columns: int) -> None:
    printed, code = screen("--via", sandbox.url, *words.split(), columns=columns)
    lines = plain(printed)
    assert code == 0
    assert len(lines) > 3
    assert max(len(line) for line in lines) <= columns


def test_missing_settlements_are_told(tmp_path: Any) -> None:
    from cli_runner import mkt  # noqa: PLC0415

    from marketcli.sandbox.server import Sandbox  # noqa: PLC0415

    hole = "missing_rows:path=fundingRate,from=2026-11-10T00:00,to=2026-11-11T00:00"
    with Sandbox(clock=lambda: moment(2026, 11, 21, 9, 30), faults=[hole]) as sandbox:
        target = tmp_path / "funding.csv"
        done = mkt("--via", sandbox.url, "funding", "BTCUSDT", "--since", "2026-11-05", "-o", str(target))
    assert done.returncode == 3
    assert "are missing" in done.stderr
    assert len(target.read_text().splitlines()) == 1 + 3 * 16 + 2 - 3
