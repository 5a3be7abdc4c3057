"""Names of instruments on exchanges that spell them their own way."""

from __future__ import annotations

from typing import Any

import pytest

from marketcli.catalog import compact, distinct, listed
from marketcli.errors import AmbiguousSymbol
from marketcli.models import Instrument, Market, multiplier_of

LINEAR, SPOT, INVERSE = Market.LINEAR, Market.SPOT, Market.INVERSE
MARCH = 1_806_048_000_000_000  # 2027-03-26T08:00:00Z


def row(native: str, base: str, quote: str, settle: str, **more: Any) -> dict[str, Any]:
    return {"native": native, "base": base, "quote": quote, "settle": settle} | more


OKX = [
    listed("okx", LINEAR, row("BTC-USDT-SWAP", "BTC", "USDT", "USDT", contract_size=0.01)),
    listed("okx", LINEAR, row("BTC-USDC-SWAP", "BTC", "USDC", "USDC")),
    listed("okx", LINEAR, row("BTC-USDT-270326", "BTC", "USDT", "USDT", delivery=MARCH)),
    listed("okx", SPOT, row("BTC-USDT", "BTC", "USDT", "USDT")),
    listed("okx", SPOT, row("ETH-BTC", "ETH", "BTC", "BTC")),
]


def test_names_follow_from_what_an_exchange_lists() -> None:
    assert [one.symbol for one in OKX] == [
        "BTC-USDT-PERP",
        "BTC-USDC-PERP",
        "BTC-USDT-270326",
        "BTC-USDT",
        "ETH-BTC",
    ]
    assert [one.perpetual for one in OKX] == [True, True, False, False, False]
    assert (OKX[0].contract_size, OKX[2].unified) == (0.01, "BTC/USDT:USDT-270326")


@pytest.mark.parametrize(
    ("name", "native"),
    [("BTCUSDT", "BTC-USDT-SWAP"), ("btcusdc", "BTC-USDC-SWAP"), ("ETHBTC", "ETH-BTC"), ("BTCUSD", None)],
)
def test_base_and_quote_written_together_mean_the_perpetual_then_the_spot_pair(name: str, native: str | None) -> None:
    found = compact(OKX, name)
    assert (found.native if found else None) == native


def test_dollars_are_never_mixed_up() -> None:
    only = [listed("hyperliquid", LINEAR, row("BTC", "BTC", "USDC", "USDC"))]
    assert compact(only, "BTCUSDT") is None
    assert compact(only, "BTCUSDC") == only[0]


def test_two_perpetuals_of_one_pair_are_told_apart_by_what_they_settle_in() -> None:
    found = distinct(
        [
            listed("okx", LINEAR, row("ETH-USD_UM-SWAP", "ETH", "USD", "USD")),
            listed("okx", INVERSE, row("ETH-USD-SWAP", "ETH", "USD", "ETH", inverse=True)),
        ]
    )
    assert [one.symbol for one in found] == ["ETH-USD_USD-PERP", "ETH-USD_ETH-PERP"]
    assert all(one.perpetual for one in found)


def test_what_still_shares_a_name_keeps_its_own() -> None:
    rows = [
        row("a:TSLA", "TSLA", "USDC", "USDC"),
        row("b:TSLA", "TSLA", "USDC", "USDC"),
        row("BTC", "BTC", "USDC", "USDC"),
    ]
    found = distinct([listed("x", LINEAR, one) for one in rows])
    assert [one.symbol for one in found] == ["a:TSLA", "b:TSLA", "BTC-USDC-PERP"]
    assert len({one.symbol for one in found}) == 3


def test_a_settlement_that_is_neither_quote_nor_base_is_in_the_name_once() -> None:
    made = listed("x", LINEAR, row("BTCUSD_UM", "BTC", "USD", "USDT"))
    twice = distinct([made, made])
    assert made.symbol == "BTC-USD_USDT-PERP"
    assert twice[0].symbol == "BTCUSD_UM"


@pytest.mark.parametrize(
    ("base", "coin", "multiplier"), [("kPEPE", "PEPE", 1000), ("1000PEPE", "PEPE", 1000), ("kava", "kava", 1)]
)
def test_coins_behind_a_multiplier(base: str, coin: str, multiplier: int) -> None:

    made = Instrument("x", LINEAR, "x", "x", base, "USDC", "USDC", multiplier=multiplier_of(base))
    assert (made.coin, made.multiplier) == (coin, multiplier)


def test_an_ambiguous_pair_is_not_chosen() -> None:
    twice = [listed("x", LINEAR, row(name, "BTC", "USDT", "USDT")) for name in ("A", "B")]
    with pytest.raises(AmbiguousSymbol):
        compact(twice, "BTCUSDT")
