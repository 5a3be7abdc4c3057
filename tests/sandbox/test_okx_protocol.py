"""OKX's lists, funding, open interest, statistics, books and trades in the sandbox, as documented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from sandbox.small_world import NOW, at, floor, ms
from sandbox.test_okx_candles import draft, said, times

from marketcli.models import DAY, HOUR, MINUTE, SECOND, Interval, Market, Window
from marketcli.sandbox.floor import Floor
from marketcli.world import World

if TYPE_CHECKING:
    from marketcli.world import Listing

HERE = NOW // (5 * MINUTE) % 10_000
SWAP, STATISTICS = "BTC-USDT-SWAP", "rubik/stat/contracts/"


def data(path: str, on: Floor | None = None, **params: Any) -> Any:
    document = msgspec.json.decode(draft(on or floor(), path, **params).body)
    assert document["code"] == "0", document
    return document["data"]


def real() -> Floor:
    """A floor over a whole world, with books and trades."""
    return Floor(World(clock=lambda: NOW), limits=False, faults=())


def listing(on: Floor, market: Market, quote: str, *, perpetual: bool = True) -> Listing:
    found = (
        one for one in on.world.listings(market) if (one.base, one.quote, one.perpetual) == ("BTC", quote, perpetual)
    )
    return next(found)


def names(kind: str, **params: Any) -> list[str]:
    return [row["instId"] for row in data("public/instruments", instType=kind, **params)]


def test_every_type_has_a_list_of_its_own() -> None:
    assert names("SPOT") == ["BTC-USDT", "ETH-BTC", "OLD-USDT"]
    assert names("SWAP") == [SWAP, "OLD-USDT-SWAP", "NEW-USDT-SWAP", "BTC-USD-SWAP", "OLD-USD-SWAP"]
    assert names("FUTURES") == ["BTC-USDT-270625", "BTC-USDT-270326", "BTC-USD-270326"]
    assert names("MARGIN") == names("OPTION", uly="BTC-USD") == names("EVENTS") == []
    assert names("SWAP", instFamily="BTC-USD") == names("SWAP", instId="BTC-USD-SWAP") == ["BTC-USD-SWAP"]


def test_contracts_name_their_sides_in_the_underlying_only() -> None:
    linear, *_, inverse, _ = data("public/instruments", instType="SWAP")
    sides = ("baseCcy", "quoteCcy", "uly", "settleCcy", "ctType", "ctVal", "ctMult", "ctValCcy", "lotSz", "expTime")
    assert [linear[name] for name in sides] == ["", "", "BTC-USDT", "USDT", "linear", "0.01", "1", "BTC", "0.1", ""]
    assert [inverse[name] for name in sides] == ["", "", "BTC-USD", "BTC", "inverse", "100", "1", "USD", "1", ""]
    dated = data("public/instruments", instType="FUTURES", instId="BTC-USD-270326")
    assert [row["expTime"] for row in dated] == [str(ms("2027-03-26T08:00"))]


def test_spot_names_them_itself() -> None:
    spot = data("public/instruments", instType="SPOT")[0]
    told = [spot[name] for name in ("baseCcy", "quoteCcy", "uly", "ctVal", "lotSz")]
    assert told == ["BTC", "USDT", "", "", "0.001"]


def test_states() -> None:
    states = {
        row["instId"]: row["state"] for kind in ("SPOT", "SWAP") for row in data("public/instruments", instType=kind)
    }
    assert states["BTC-USDT"] == "live"
    assert (states["OLD-USDT"], states["OLD-USDT-SWAP"], states["NEW-USDT-SWAP"]) == ("suspend", "expired", "preopen")


def test_nothing_is_counted_by_the_thousand() -> None:
    found = {row["instId"] for row in data("public/instruments", real(), instType="SWAP")}
    assert "SOL-USDT-SWAP" in found
    assert not [name for name in found if name.startswith("1000")]


@pytest.mark.parametrize(
    ("path", "params", "answer"),
    [
        ("public/instruments", {}, (400, "51000")),
        ("public/instruments", {"instType": "BONDS"}, (400, "51000")),
        ("public/instruments", {"instType": "SWAP", "instId": "NOPE-USDT-SWAP"}, (200, "51001")),
        ("public/instruments", {"instType": "SPOT", "instId": SWAP}, (200, "51001")),
        ("public/instruments", {"instType": "OPTION"}, (400, "50015")),
        ("public/funding-rate", {"instType": "SWAP"}, (400, "51000")),
        ("public/funding-rate", {"instId": "BTC-USDT-270326"}, (400, "51000")),
        ("public/funding-rate", {"instId": "BTC-USDT"}, (200, "51001")),
        ("public/funding-rate-history", {"instId": SWAP, "limit": 401}, (400, "51000")),
        ("public/open-interest", {"instId": SWAP}, (400, "51000")),
        ("market/index-tickers", {}, (400, "50015")),
        ("market/index-tickers", {"instId": "NOPE-USD"}, (200, "51001")),
        (STATISTICS + "open-interest-history", {"instId": SWAP, "period": "1m"}, (400, "51000")),
        ("rubik/stat/taker-volume-contract", {"instId": SWAP, "unit": "3"}, (400, "51000")),
        ("market/books", {"instId": SWAP, "sz": 401}, (400, "51000")),
        ("market/trades", {"instId": SWAP, "limit": 501}, (400, "51000")),
        ("market/history-trades", {"instId": SWAP, "type": 2, "before": 1}, (200, "50039")),
        ("market/history-trades", {"instId": SWAP, "type": 3}, (400, "51000")),
    ],
)
def test_refusals(path: str, params: dict[str, Any], answer: tuple[int, str]) -> None:
    assert said(path, **params) == answer


def test_coming_funding_has_two_times_that_tell_the_interval() -> None:
    (row,) = data("public/funding-rate", instId=SWAP)
    assert (row["fundingRate"], row["nextFundingRate"]) == ("-0.0000005", "")
    assert int(row["fundingTime"]) == ms("2026-11-21T16:00")
    assert int(row["nextFundingTime"]) == ms("2026-11-22T00:00")
    assert [each["instId"] for each in data("public/funding-rate", instId="ANY")] == [SWAP, "BTC-USD-SWAP"]


def test_settlements_come_newest_first_at_the_second_they_are_due() -> None:
    found = data("public/funding-rate-history", instId=SWAP, limit=2)
    assert [int(row["fundingTime"]) for row in found] == [ms("2026-11-21T08:00"), ms("2026-11-21T00:00")]
    due = at("2026-11-21T08:00")
    assert float(found[0]["realizedRate"]) == (due // HOUR % 1_000 - 500) / 10**7
    assert found[0]["fundingRate"] != found[0]["realizedRate"]


def test_bounds_of_settlements_do_not_belong_to_them() -> None:
    start, end = ms("2026-11-20T08:00"), ms("2026-11-21T08:00")
    inside = data("public/funding-rate-history", instId=SWAP, after=end, before=start)
    assert [int(row["fundingTime"]) for row in inside] == [ms("2026-11-21T00:00"), ms("2026-11-20T16:00")]


def test_settlements_are_kept_for_three_months() -> None:
    found = data("public/funding-rate-history", instId=SWAP)
    assert len(found) == 90 * 3
    assert data("public/funding-rate-history", instId=SWAP, after=ms("2026-08-01T00:00")) == []


def test_open_interest_in_contracts_base_and_dollars() -> None:
    (linear,) = data("public/open-interest", instType="SWAP", instId=SWAP)
    assert (linear["oi"], linear["oiCcy"], linear["oiUsd"]) == (
        f"{(1_000.5 + HERE) * 100:.0f}",
        f"{1_000.5 + HERE}",
        f"{0.25 + HERE}",
    )
    (inverse,) = data("public/open-interest", instType="SWAP", instFamily="BTC-USD")
    assert (inverse["oi"], inverse["oiCcy"]) == (str(7 + HERE), f"{1_000.5 + HERE}")
    assert data("public/open-interest", instType="SWAP", instId="OLD-USDT-SWAP") == []


def test_past_open_interest_newest_first_between_bounds() -> None:
    start = ms("2026-11-21T10:00")
    found = data(STATISTICS + "open-interest-history", instId="BTC-USD-SWAP", begin=start - 1, end=start + 600_000)
    assert times(found) == [start + 300_000, start]
    count = at("2026-11-21T10:00") // (5 * MINUTE) % 10_000
    assert found[1][1:] == [str(7 + count), str(1_000.5 + count), str(0.25 + count)]


def test_only_the_newest_1440_points_are_kept() -> None:
    oldest = at("2026-11-21T12:00") - 1_439 * 5 * MINUTE
    found = data(STATISTICS + "open-interest-history", instId=SWAP, period="5m", end=(oldest + 10 * MINUTE) // 1_000)
    assert times(found) == [(oldest + 5 * MINUTE) // 1_000, oldest // 1_000]
    daily = data(STATISTICS + "open-interest-history", instId=SWAP, period="1Dutc", end=ms("2024-01-03T00:00"))
    assert times(daily) == [ms("2024-01-02T00:00"), ms("2024-01-01T00:00")]


def test_points_of_days_stand_at_16_utc_unless_utc_is_asked_for() -> None:
    for period, hour in (("1D", 16), ("1Dutc", 0)):
        found = times(data(STATISTICS + "open-interest-history", instId=SWAP, period=period, limit=2))
        assert {time % (DAY // 1_000) for time in found} == {hour * HOUR // 1_000}


def test_ratios_are_long_to_short() -> None:
    on = real()
    one = listing(on, Market.LINEAR, "USDT")
    start = at("2026-11-21T10:00")
    (truth,) = on.world.ratios(one, Interval.parse("1h"), [start])
    for name, share in (
        ("long-short-account-ratio-contract", truth.accounts_long),
        ("long-short-account-ratio-contract-top-trader", truth.top_accounts_long),
        ("long-short-position-ratio-contract-top-trader", truth.top_positions_long),
    ):
        asked: dict[str, Any] = {"instId": SWAP, "period": "1H", "begin": start // 1_000 - 1, "end": start // 1_000 + 1}
        ((time, ratio),) = data(STATISTICS + name, on, **asked)
        assert int(time) == start // 1_000
        assert float(ratio) == pytest.approx(share / (1 - share))


def test_taker_volume_in_coins_contracts_and_money() -> None:
    asked: dict[str, Any] = {"instId": SWAP, "period": "5m", "end": ms("2026-11-21T10:01"), "limit": 1}
    counted = {unit: data("rubik/stat/taker-volume-contract", unit=unit, **asked)[0] for unit in (0, 1, 2)}
    assert counted[0] == [str(ms("2026-11-21T10:00")), "6.375", "6.125"]
    assert counted[1][1:] == ["637.5", "612.5"]
    assert counted[2][1:] == ["582600.25", "555000"]
    assert data("rubik/stat/taker-volume-contract", **asked)[0] == counted[1]


def test_prices() -> None:
    assert data("public/mark-price", instType="SWAP", instId=SWAP)[0]["markPx"] == "90001.25"
    (index,) = data("market/index-tickers", instId="BTC-USDT")
    assert (index["instId"], index["idxPx"]) == ("BTC-USDT", "90000")
    assert [row["instId"] for row in data("market/index-tickers", quoteCcy="USD")] == ["BTC-USD", "OLD-USD"]


def test_tickers_count_contracts_and_base() -> None:
    on = real()
    row = data("market/ticker", on, instId=SWAP)[0]
    truth = on.world.ticker(listing(on, Market.LINEAR, "USDT"))
    assert float(row["vol24h"]) == pytest.approx(truth.volume_base * 100)
    assert float(row["volCcy24h"]) == truth.volume_base
    assert (float(row["open24h"]), float(row["bidPx"]), float(row["askPx"])) == (truth.open, truth.bid, truth.ask)
    assert float(row["bidSz"]) == pytest.approx(truth.bid_size * 100)
    inverse = data("market/ticker", on, instId="BTC-USD-SWAP")[0]
    truth = on.world.ticker(listing(on, Market.INVERSE, "USD"))
    assert (inverse["vol24h"], inverse["askSz"]) == (str(truth.contracts), str(truth.ask_contracts))
    spot = data("market/ticker", on, instId="BTC-USDT")[0]
    truth = on.world.ticker(listing(on, Market.SPOT, "USDT", perpetual=False))
    assert (float(spot["vol24h"]), float(spot["volCcy24h"])) == (truth.volume_base, truth.volume_quote)


def test_all_tickers_of_a_type() -> None:
    found = data("market/tickers", real(), instType="FUTURES")
    assert {row["instType"] for row in found} == {"FUTURES"}
    assert len(found) == 8


def test_books_are_as_deep_as_asked_for() -> None:
    on = real()
    (one,) = data("market/books", on, instId=SWAP)
    assert (len(one["bids"]), len(one["asks"])) == (1, 1)
    (deep,) = data("market/books", on, instId=SWAP, sz=400)
    assert float(deep["bids"][0][0]) < float(deep["asks"][0][0])
    assert [len(deep[side]) for side in ("bids", "asks")] == [400, 400]
    level = on.world.book(listing(on, Market.LINEAR, "USDT"), 1).asks[0]
    assert deep["asks"][0] == [f"{level.price:g}", f"{level.size * 100:g}", "0", str(level.orders)]
    (full,) = data("market/books-full", on, instId="BTC-USD-SWAP", sz=500)
    assert [len(full["bids"]), len(full["bids"][0])] == [500, 3]


def test_trades_come_newest_first_with_the_taker_s_side() -> None:
    on = real()
    truth = on.world.recent_trades(listing(on, Market.LINEAR, "USDT"), 3)[::-1]
    found = data("market/trades", on, instId=SWAP, limit=3)
    told = [(int(row["tradeId"]), float(row["px"]), row["side"], int(row["ts"])) for row in found]
    assert told == [(row.id, row.price, row.taker, row.time // 1_000) for row in truth]
    assert [float(row["sz"]) for row in found] == pytest.approx([row.size * 100 for row in truth])


def test_past_trades_by_id_and_by_time() -> None:
    on = real()

    def ids(**params: Any) -> list[int]:
        return [int(row["tradeId"]) for row in data("market/history-trades", on, instId=SWAP, **params)]

    newest = ids()[0]
    assert ids(after=newest - 10, limit=5) == [newest - 10 - n for n in range(1, 6)]
    assert ids(after=newest, before=newest - 3) == [newest - 1, newest - 2]
    assert ids(before=newest - 3) == [newest, newest - 1, newest - 2]
    cut = NOW - 90 * SECOND
    by_time = data("market/history-trades", on, instId=SWAP, type=2, after=cut // 1_000, limit=5)
    truth = on.world.trades(listing(on, Market.LINEAR, "USDT"), Window(cut - 10 * SECOND, cut))[-5:]
    assert [int(row["tradeId"]) for row in by_time] == [row.id for row in truth[::-1]]
    old = on.world.trades(listing(on, Market.LINEAR, "USDT"), Window(NOW - 91 * DAY, NOW - 91 * DAY + 5 * SECOND))
    assert ids(after=old[-1].id) == ids(type=2, after=old[-1].time // 1_000) == []


def test_no_plan_to_close_for_maintenance() -> None:
    assert data("system/status") == []
