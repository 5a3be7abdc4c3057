from __future__ import annotations

from sandbox.small_world import NOW, ask, floor

from marketcli.models import Market

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE
SECOND = NOW // 1_000_000 * 1_000
LINEAR_PATH = "/fapi/v2/ticker/price"


def test_spot_says_the_last_price_without_a_time() -> None:
    assert ask(floor(), SPOT, "ticker/price", symbol="BTCUSDT") == {"symbol": "BTCUSDT", "price": "90001.50000000"}
    assert ask(floor(), SPOT, "ticker/price") == [
        {"symbol": "BTCUSDT", "price": "90001.50000000"},
        {"symbol": "ETHBTC", "price": "0.03197000"},
        {"symbol": "OLDUSDT", "price": "90001.50000000"},
    ]
    several = ask(floor(), SPOT, "ticker/price", symbols='["ETHBTC","BTCUSDT"]')
    assert [row["symbol"] for row in several] == ["ETHBTC", "BTCUSDT"]


def test_spot_says_an_average_of_five_minutes_without_a_name() -> None:
    assert ask(floor(), SPOT, "avgPrice", symbol="BTCUSDT") == {
        "mins": 5,
        "price": "90005.12345678",
        "closeTime": SECOND,
    }
    assert ask(floor(), SPOT, "avgPrice")["code"] == -1102


def test_usd_m_gives_one_or_a_list_in_the_digits_of_the_tick() -> None:
    one = {"symbol": "BTCUSDT", "price": "90001.50", "time": SECOND}
    assert ask(floor(), LINEAR, LINEAR_PATH, symbol="BTCUSDT") == one
    every = ask(floor(), LINEAR, LINEAR_PATH)
    assert one in every
    assert "NEWUSDT" not in {row["symbol"] for row in every}


def test_coin_m_gives_a_list_with_pairs() -> None:
    one = {"symbol": "BTCUSD_PERP", "price": "90001.50", "time": SECOND, "ps": "BTCUSD"}
    assert ask(floor(), INVERSE, "ticker/price", symbol="BTCUSD_PERP") == [one]
    assert [row["symbol"] for row in ask(floor(), INVERSE, "ticker/price", pair="BTCUSD")] == [
        "BTCUSD_PERP",
        "BTCUSD_270326",
    ]


def test_there_is_no_price_of_what_there_is_not() -> None:
    for market, path in ((SPOT, "ticker/price"), (LINEAR, LINEAR_PATH), (INVERSE, "ticker/price")):
        assert ask(floor(), market, path, symbol="NOPE")["code"] == -1121
    assert ask(floor(), LINEAR, "ticker/price")["code"] == -5000  # the first version is retired here
