"""What people write and what it means."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from scripted import Clock

from marketcli.catalog import Catalog
from marketcli.errors import AmbiguousSymbol, MarketError, UnknownSymbol, Unreachable
from marketcli.exchanges import load
from marketcli.models import Market
from marketcli.net.client import Client
from marketcli.net.transport import Settings, Transport
from marketcli.spec import Request, Response

if TYPE_CHECKING:
    from pathlib import Path

    from marketcli.models import Instrument

BINANCE = load("binance")
DAY = 86_400.0


def contract(symbol: str, base: str, quote: str, settle: str, **more: Any) -> dict[str, Any]:
    kind, delivery = ("PERPETUAL", 4133404800000) if "_2" not in symbol else ("CURRENT_QUARTER", 1806048000000)
    return {
        "symbol": symbol, "pair": base + quote, "contractType": kind, "deliveryDate": delivery, "status": "TRADING",
        "baseAsset": base, "quoteAsset": quote, "marginAsset": settle, "contractSize": 100, **more,
    }  # fmt: skip


def spot(base: str, quote: str, status: str = "TRADING") -> dict[str, Any]:
    return {"symbol": base + quote, "status": status, "baseAsset": base, "quoteAsset": quote}


def world() -> dict[str, list[dict[str, Any]]]:
    return {
        "/fapi/v1/exchangeInfo": [
            contract("BTCUSDT", "BTC", "USDT", "USDT"),
            contract("BTCUSDC", "BTC", "USDC", "USDC"),
            contract("BTCUSDT_270326", "BTC", "USDT", "USDT"),
            contract("1000PEPEUSDT", "1000PEPE", "USDT", "USDT"),
            contract("HYPEUSDC", "HYPE", "USDC", "USDC"),
        ],
        "/api/v3/exchangeInfo": [
            spot("BTC", "USDT"), spot("ETH", "BTC"), spot("PEPE", "USDT"), spot("TUSD", "USDT"), spot("OLD", "EUR"),
            spot("LUNA", "USDT"), spot("AB", "CD"),
        ],
        "/dapi/v1/exchangeInfo": [
            contract("BTCUSD_PERP", "BTC", "USD", "BTC"),
            contract("XRPUSD_PERP", "XRP", "USD", "XRP"),
            contract("ABCD", "ABX", "USD", "ABX"),
        ],
    }  # fmt: skip


@dataclass
class Lists(Transport):
    """Answers with instrument lists, and remembers which were asked for."""

    lists: dict[str, list[dict[str, Any]]]
    asked: list[str] = field(default_factory=list)
    broken: bool = False
    patience: asyncio.Event | None = None

    async def close(self) -> None:
        return None

    async def send(self, request: Request, *, patience: float) -> Response:
        del patience
        self.asked.append(request.path)
        if self.patience is not None:
            await self.patience.wait()
        if self.broken:
            raise Unreachable("no network")
        return Response(200, {}, json.dumps({"symbols": self.lists[request.path]}).encode(), request.path)


class Shop:
    """A catalog whose folder stays while commands come and go."""

    def __init__(self, folder: Path | None = None) -> None:
        self.lists = Lists(world())
        self.clock = Clock()
        self.folder = folder

    def open(self, **more: Any) -> Catalog:
        client = Client(Settings(), outside=self.clock.outside(), transport=self.lists)
        return Catalog(client, BINANCE, "live", ["USDT", "USDC", "USD"], folder=self.folder, **more)

    def resolve(self, name: str, market: Market | None = None, **more: Any) -> Instrument:
        async def main() -> Instrument:
            catalog = self.open(**more)
            try:
                return await catalog.resolve(name, market)
            finally:
                await catalog.close()

        return asyncio.run(main())


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTCUSDT", "BTC-USDT-PERP"),
        ("btcusdt", "BTC-USDT-PERP"),
        ("BTC-USDT-PERP", "BTC-USDT-PERP"),
        ("BTC-USDT", "BTC-USDT"),
        ("BTC/USDT", "BTC-USDT"),
        ("BTC/USDT:USDT", "BTC-USDT-PERP"),
        ("btc/usd:btc", "BTC-USD-PERP"),
        ("BTCUSD_PERP", "BTC-USD-PERP"),
        ("BTCUSDT_270326", "BTC-USDT-270326"),
        ("BTC/USDT:USDT-270326", "BTC-USDT-270326"),
        ("BTC", "BTC-USDT-PERP"),
        ("btc", "BTC-USDT-PERP"),
        ("HYPE", "HYPE-USDC-PERP"),
        ("XRP", "XRP-USD-PERP"),
        ("PEPE", "PEPE-USDT"),
        ("1000PEPE", "1000PEPE-USDT-PERP"),
        ("ETHBTC", "ETH-BTC"),
    ],
)
def test_a_name_means_one_instrument(shop: Shop, name: str, symbol: str) -> None:
    assert shop.resolve(name).symbol == symbol


def test_the_market_narrows_a_name(shop: Shop) -> None:
    assert shop.resolve("BTCUSDT", Market.SPOT).symbol == "BTC-USDT"
    assert shop.resolve("BTC", Market.SPOT).symbol == "BTC-USDT"
    assert shop.resolve("BTC", Market.INVERSE).symbol == "BTC-USD-PERP"


def test_other_lists_are_asked_only_if_the_linear_one_has_not_the_name(shop: Shop) -> None:
    shop.resolve("BTCUSDT")
    assert shop.lists.asked == ["/fapi/v1/exchangeInfo"]
    shop.resolve("ETHBTC")
    assert sorted(shop.lists.asked[1:]) == ["/api/v3/exchangeInfo", "/dapi/v1/exchangeInfo", "/fapi/v1/exchangeInfo"]


def test_dollars_are_never_mixed_up(shop: Shop) -> None:
    with pytest.raises(UnknownSymbol):
        shop.resolve("HYPEUSDT")
    with pytest.raises(UnknownSymbol):
        shop.resolve("BTC-USD", Market.LINEAR)


def test_an_unknown_name_gets_the_nearest_ones(shop: Shop) -> None:
    with pytest.raises(UnknownSymbol) as caught:
        shop.resolve("BTCUSTD")
    assert "BTCUSDT" in caught.value.hint
    assert "BTCUSTD" in caught.value.message


def test_an_ambiguous_name_gets_its_candidates(shop: Shop) -> None:
    with pytest.raises(AmbiguousSymbol) as caught:
        shop.resolve("ABCD")
    assert "spot ABCD" in caught.value.message
    assert "inverse ABCD" in caught.value.message
    assert "--market" in caught.value.hint


def test_of_two_the_one_that_trades_is_meant(shop: Shop) -> None:
    for one in shop.lists.lists["/api/v3/exchangeInfo"]:
        if one["symbol"] == "ABCD":
            one["status"] = "BREAK"
    assert shop.resolve("ABCD").market is Market.INVERSE


def test_hostile_names_are_shown_harmless(shop: Shop) -> None:
    with pytest.raises(UnknownSymbol) as caught:
        shop.resolve("\x1b[31mBTC\u202e")
    assert "\x1b" not in str(caught.value)


def test_spellings_show_all_a_name_could_mean(shop: Shop) -> None:
    async def main() -> list[Instrument]:
        return await shop.open().spellings("pepe")

    found = asyncio.run(main())
    assert [(one.symbol, one.multiplier) for one in found] == [("PEPE-USDT", 1), ("1000PEPE-USDT-PERP", 1000)]


def test_a_list_is_kept_for_a_day(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "lists")
    shop.resolve("BTCUSDT")
    shop.clock.now += DAY - 1
    shop.resolve("BTCUSDT")
    assert len(shop.lists.asked) == 1
    shop.resolve("BTCUSDT", refresh=True)
    assert len(shop.lists.asked) == 2


def test_an_older_list_serves_while_a_new_one_is_fetched(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.resolve("BTCUSDT")
    shop.clock.now += 2 * DAY
    shop.lists.patience = asyncio.Event()  # never set: the new list does not come in time
    assert shop.resolve("BTCUSDT").symbol == "BTC-USDT-PERP"
    shop.lists.patience = None
    assert shop.resolve("BTCUSDT").symbol == "BTC-USDT-PERP"


def test_a_list_older_than_a_week_is_waited_for(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.resolve("BTCUSDT")
    shop.clock.now += 8 * DAY
    shop.lists.lists["/fapi/v1/exchangeInfo"][0]["status"] = "SETTLING"
    assert shop.resolve("BTCUSDT").status == "closing"


def test_a_name_missing_from_a_kept_list_may_be_new(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.resolve("BTCUSDT")
    shop.clock.now += 3_600
    shop.lists.lists["/fapi/v1/exchangeInfo"].append(contract("NEWUSDT", "NEW", "USDT", "USDT"))
    assert shop.resolve("NEWUSDT").symbol == "NEW-USDT-PERP"


def test_a_damaged_list_is_fetched_anew(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.resolve("BTCUSDT")
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-10])
    assert shop.resolve("BTCUSDT").symbol == "BTC-USDT-PERP"
    assert len(shop.lists.asked) == 2


def test_a_place_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert Shop(tmp_path / "file" / "lists").resolve("BTCUSDT").symbol == "BTC-USDT-PERP"


def test_kept_lists_are_for_the_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "lists"
    Shop(folder).resolve("BTCUSDT")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_without_a_network_the_network_is_to_blame(shop: Shop) -> None:
    shop.lists.broken = True
    with pytest.raises(MarketError) as caught:
        shop.resolve("BTCUSDT")
    assert isinstance(caught.value, Unreachable)
