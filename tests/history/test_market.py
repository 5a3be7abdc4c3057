"""The arithmetic of tickers, books, trades and ratios: contracts as base, values, changes, shares."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from marketcli import frames
from marketcli.datasets import RATIO, TRADES
from marketcli.history.market import ladder, with_shares, with_values
from marketcli.models import Instrument, Market
from marketcli.values import with_change

if TYPE_CHECKING:
    import polars as pl

COIN = Instrument("x", Market.LINEAR, "BTC-USDT-PERP", "BTCUSDT", "BTC", "USDT", "USDT")
CONTRACT = replace(COIN, contract_size=0.01)
INVERSE = replace(
    COIN, market=Market.INVERSE, symbol="BTC-USD-PERP", quote="USD", settle="BTC", contract_size=100.0, inverse=True
)
EUROS = replace(COIN, market=Market.SPOT, symbol="BTC-EUR", quote="EUR")


def test_a_ticker_has_spread_change_and_dollars() -> None:
    row = {"last": 110.0, "open": 100.0, "bid": 109.0, "ask": 111.0, "volume_base": 5.0, "volume_quote": 540.0}
    found = with_change(row, COIN)
    assert found["change"] == pytest.approx(0.1)
    assert found["spread"] == pytest.approx(2 / 110)
    assert (found["volume_quote"], found["volume_usd"]) == (540.0, 540.0)


def test_without_a_last_price_the_mark_price_counts() -> None:
    found = with_change({"last": None, "mark": 90.0, "open": 100.0, "volume_base": 2.0}, COIN)
    assert found["change"] == pytest.approx(-0.1)
    assert (found["volume_quote"], found["volume_usd"]) == (None, 180.0)


def test_a_ticker_counted_in_contracts_is_told_in_base() -> None:
    row = {"last": 50_000.0, "bid": 49_999.0, "bid_contracts": 7.0, "ask_contracts": None, "volume_contracts": 300.0}
    found = with_change(row, CONTRACT)
    assert (found["bid_size"], found["ask_size"], found["volume_base"]) == (0.07, None, 3.0)
    assert found["volume_usd"] == 150_000.0


def test_inverse_contracts_are_worth_their_face_and_turned_into_base_at_the_price() -> None:
    row = {"last": 50_000.0, "bid": 40_000.0, "bid_contracts": 8.0, "ask": None, "ask_contracts": 8.0}
    found = with_change(row | {"volume_contracts": 1_000.0}, INVERSE)
    assert (found["volume_quote"], found["volume_usd"], found["volume_base"]) == (100_000.0, 100_000.0, 2.0)
    assert (found["bid_size"], found["ask_size"]) == (0.02, None)
    assert with_change(row | {"volume_contracts": 1.0, "volume_base": 0.5}, INVERSE)["volume_base"] == 0.5


def test_only_dollars_are_dollars() -> None:
    assert with_change({"last": 2.0, "volume_quote": 8.0}, EUROS)["volume_usd"] is None
    assert with_change({"last": 2.0, "volume_quote": 8.0}, replace(EUROS, quote="USDC"))["volume_usd"] == 8.0


@pytest.mark.parametrize("row", [{}, {"last": 1.0}, {"last": 1.0, "open": 0.0}, {"bid": 1.0}, {"bid": 0.0, "ask": 1.0}])
def test_what_is_not_known_is_null(row: dict[str, Any]) -> None:
    found = with_change(row, COIN)
    assert (found["change"], found["spread"], found["volume_usd"]) == (None, None, None)


def rungs(*levels: tuple[str, float, float], key: str = "size") -> list[dict[str, Any]]:
    return [{"side": side, "price": price, key: size} for side, price, size in levels]


def test_a_ladder_has_both_sides_from_the_best_on() -> None:
    rows = rungs(("ask", 102, 3), ("bid", 98, 2), ("ask", 101, 1), ("bid", 99, 4), ("ask", 103, 9))
    found = ladder(rows, COIN, depth=2)
    assert [(row["side"], row["level"], row["price"], row["total"]) for row in found] == [
        ("bid", 1, 99, 4), ("bid", 2, 98, 6), ("ask", 1, 101, 1), ("ask", 2, 102, 4),
    ]  # fmt: skip
    assert [row["notional"] for row in found] == [396, 196, 101, 306]


def test_levels_counted_in_contracts_are_told_in_base() -> None:
    (level,) = ladder(rungs(("bid", 50_000.0, 3.0), key="size_contracts"), CONTRACT, depth=5)
    assert (level["size"], level["notional"], level["size_contracts"]) == (0.03, 1_500.0, 3.0)
    (level,) = ladder(rungs(("ask", 50_000.0, 3.0), key="size_contracts"), INVERSE, depth=5)
    assert (level["size"], level["notional"]) == (0.006, 300.0)


@example([(1_000, 100), (1_001, 200), (1_002, 700)])
@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**7)), min_size=1, max_size=60))
def test_sums_and_values_have_no_dust(levels: list[tuple[int, int]]) -> None:
    rows = rungs(*(("ask", price / 10, size / 1_000) for price, size in levels))
    found = ladder(rows, COIN, depth=100)
    total = Decimal(0)
    for row in found:
        size, price = Decimal(repr(row["size"])), Decimal(repr(row["price"]))
        total += size
        assert Decimal(repr(row["total"])) == total
        assert Decimal(repr(row["notional"])) == size * price


def tape(*rows: tuple[float, float | None, float | None, float | None]) -> pl.DataFrame:
    values = [(place, str(place), *row, "buy") for place, row in enumerate(rows)]
    return frames.from_rows(TRADES, ("time", "id", "price", "size", "size_contracts", "notional", "side"), values, {})


def test_trades_have_values() -> None:
    found = with_values(tape((80_270.9, 0.003, None, None), (100.0, 2.0, None, 199.0)), COIN)
    assert found["notional"].to_list() == [240.8127, 199.0]  # the exchange's own word where it says
    assert found["notional_usd"].to_list() == [240.8127, 199.0]
    assert with_values(tape((2.0, 3.0, None, None)), EUROS)["notional_usd"].to_list() == [None]


def test_trades_counted_in_contracts_are_told_in_base() -> None:
    found = with_values(tape((50_000.0, None, 3.0, None)), CONTRACT)
    assert found.select("size", "notional", "notional_usd").row(0) == (0.03, 1_500.0, 1_500.0)
    found = with_values(tape((40_000.0, None, 4.0, None), (40_000.0, 0.25, 4.0, None)), INVERSE)
    assert found["size"].to_list() == [0.01, 0.25]
    assert found["notional"].to_list() == [400.0, 400.0]


def ratios(**columns: float | None) -> dict[str, Any]:
    names = ("time", "ratio", "long", "short", "buy_base", "sell_base")
    frame = frames.from_rows(RATIO, names, [(0, *(columns.get(name) for name in names[1:]))], {})
    return with_shares(frame).select("ratio", "long", "short").row(0, named=True)


@pytest.mark.parametrize(
    ("given_", "found"),
    [
        ({"ratio": 3.0}, (3.0, 0.75, 0.25)),
        ({"long": 0.6, "short": 0.4}, (1.5, 0.6, 0.4)),
        ({"long": 0.55}, (0.55 / 0.45, 0.55, 0.45)),
        ({"ratio": 1.49, "long": 0.6, "short": 0.4}, (1.49, 0.6, 0.4)),
        ({"buy_base": 30.0, "sell_base": 10.0}, (3.0, 0.75, 0.25)),
        ({"buy_base": 30.0, "sell_base": 10.0, "ratio": 2.9}, (2.9, 0.75, 0.25)),
        ({"buy_base": 0.0, "sell_base": 10.0}, (0.0, 0.0, 1.0)),
        ({"ratio": 0.0}, (0.0, 0.0, 1.0)),
    ],
)
def test_ratios_have_shares_and_shares_a_ratio(given_: dict[str, float], found: tuple[float, float, float]) -> None:
    row = ratios(**given_)
    assert (row["ratio"], row["long"], row["short"]) == pytest.approx(found)


@pytest.mark.parametrize(
    ("given_", "found"),
    [
        ({}, (None, None, None)),
        ({"buy_base": 0.0, "sell_base": 0.0}, (None, None, None)),
        ({"buy_base": 10.0, "sell_base": 0.0}, (None, 1.0, 0.0)),
        ({"long": 1.0}, (None, 1.0, 0.0)),
    ],
)
def test_a_ratio_to_nothing_is_null(given_: dict[str, float], found: tuple[float | None, ...]) -> None:
    row = ratios(**given_)
    assert (row["ratio"], row["long"], row["short"]) == found
