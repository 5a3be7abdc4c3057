from __future__ import annotations

from typing import Any

import pytest
from sandbox.small_world import HOSTS, LISTED, MARCH, NOW, ask, draft, floor

from marketcli import exchanges
from marketcli.datasets import INSTRUMENTS
from marketcli.models import DAY, MILLISECOND, Market
from marketcli.spec import Query

SPOT, LINEAR, INVERSE = Market.SPOT, Market.LINEAR, Market.INVERSE


def listed(market: Market, **params: object) -> dict[str, Any]:
    return {item["symbol"]: item for item in ask(floor(), market, "exchangeInfo", **params)["symbols"]}


def test_names_are_spelled_as_binance_spells_them() -> None:
    assert [*listed(SPOT)] == ["BTCUSDT", "ETHBTC", "OLDUSDT"]
    assert [*listed(LINEAR)] == ["BTCUSDT_270625", "BTCUSDT_270326", "BTCUSDT", "OLDUSDT", "NEWUSDT"]
    assert [*listed(INVERSE)] == ["BTCUSD_PERP", "BTCUSD_270326", "OLDUSD_PERP"]


def test_perpetuals_never_end_and_quarters_say_which_they_are() -> None:
    linear = listed(LINEAR)
    assert linear["BTCUSDT"]["deliveryDate"] == 4_133_404_800_000
    assert linear["BTCUSDT"]["onboardDate"] == LISTED // MILLISECOND
    assert linear["BTCUSDT_270326"]["deliveryDate"] == MARCH // MILLISECOND
    kinds = {name: item["contractType"] for name, item in linear.items()}
    assert kinds["BTCUSDT"] == "PERPETUAL"
    assert kinds["BTCUSDT_270326"] == "CURRENT_QUARTER"
    assert kinds["BTCUSDT_270625"] == "NEXT_QUARTER"


def test_the_state_of_an_instrument_stands_where_each_market_writes_it() -> None:
    spot, linear, inverse = listed(SPOT), listed(LINEAR), listed(INVERSE)
    assert (spot["BTCUSDT"]["status"], spot["OLDUSDT"]["status"]) == ("TRADING", "BREAK")
    assert (linear["OLDUSDT"]["status"], linear["NEWUSDT"]["status"]) == ("SETTLING", "PENDING_TRADING")
    assert inverse["OLDUSD_PERP"]["contractStatus"] == "DELIVERING"
    assert "status" not in inverse["OLDUSD_PERP"]
    assert linear["OLDUSDT"]["deliveryDate"] < NOW // MILLISECOND
    assert linear["NEWUSDT"]["onboardDate"] == (NOW + DAY) // MILLISECOND


def test_steps_and_contract_sizes_are_told() -> None:
    rules = {rule["filterType"]: rule for rule in listed(LINEAR)["BTCUSDT"]["filters"]}
    assert (rules["PRICE_FILTER"]["tickSize"], rules["LOT_SIZE"]["stepSize"]) == ("0.10", "0.001")
    assert listed(INVERSE)["BTCUSD_PERP"]["contractSize"] == 100
    assert listed(INVERSE)["BTCUSD_PERP"]["marginAsset"] == "BTC"
    assert listed(SPOT)["BTCUSDT"]["permissionSets"] == [["SPOT", "MARGIN"]]
    assert listed(SPOT, showPermissionSets="false")["BTCUSDT"]["permissionSets"] == []


def test_the_adapter_reads_the_lists() -> None:
    exchange = exchanges.load("binance")
    for market, native in ((SPOT, "ETHBTC"), (LINEAR, "BTCUSDT_270326"), (INVERSE, "OLDUSD_PERP")):
        endpoint = exchange.endpoint(INSTRUMENTS, market)
        assert endpoint is not None
        body = draft(floor(), market, "exchangeInfo").body
        rows = endpoint.decode(body, Query(INSTRUMENTS, market))
        assert native in {dict(zip(endpoint.columns, row, strict=True))["native"] for row in rows}


def test_spot_gives_only_the_symbols_asked_for_and_futures_give_all() -> None:
    assert [*listed(SPOT, symbol="ETHBTC")] == ["ETHBTC"]
    assert [*listed(SPOT, symbols='["OLDUSDT","BTCUSDT"]')] == ["OLDUSDT", "BTCUSDT"]
    assert len(listed(LINEAR, symbol="BTCUSDT")) == 5


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"symbol": "NOPE"}, -1121),
        ({"symbols": '["BTCUSDT","NOPE"]'}, -1121),
        ({"symbols": "BTCUSDT"}, -1100),
        ({"symbols": '["BTCUSDT","BTCUSDT"]'}, -1151),
        ({"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'}, -1128),
    ],
)
def test_spot_refuses_symbols_it_does_not_have(params: dict[str, str], code: int) -> None:
    refused = draft(floor(), SPOT, "exchangeInfo", **params)
    assert (refused.status, refused.document()["code"]) == (400, code)


@pytest.mark.parametrize("market", Market)
def test_the_clock_is_the_worlds(market: Market) -> None:
    assert ask(floor(), market, "time") == {"serverTime": NOW // MILLISECOND}
    assert ask(floor(), market, "exchangeInfo")["serverTime"] == NOW // MILLISECOND
    assert ask(floor(), market, "ping") == {}
    assert draft(floor(), market, "ping").headers["Date"] == "Sat, 21 Nov 2026 12:00:30 GMT"


def test_unknown_paths_and_other_methods_are_not_found() -> None:
    on = floor()
    assert draft(on, SPOT, "markPriceKlines").status == 404
    assert on.answer("POST", "fapi.binance.com", path="/fapi/v1/klines", query="").status == 404
    assert on.answer("GET", "fapi.binance.com", path="/dapi/v1/ping", query="").status == 404


def test_test_hosts_serve_the_same_and_one_serves_both_futures() -> None:
    on = floor()
    for path in ("/fapi/v1/ping", "/dapi/v1/ping"):
        assert on.answer("GET", "testnet.binancefuture.com", path=path, query="").status == 200
    assert on.answer("GET", "testnet.binancefuture.com", path="/api/v3/ping", query="").status == 404
    for market, host in (
        (SPOT, "data-api.binance.vision"),
        (SPOT, "api4.binance.com"),
        (SPOT, "testnet.binance.vision"),
        (LINEAR, "demo-fapi.binance.com"),
        (INVERSE, "demo-dapi.binance.com"),
    ):
        assert on.answer("GET", host, path=f"{HOSTS[market][1]}/ping", query="").status == 200
