from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from sandbox.small_world import NOW, ms

from marketcli.errors import UsageError
from marketcli.models import Interval, Market, Window
from marketcli.sandbox.candles import load
from marketcli.sandbox.server import Sandbox
from marketcli.world import World

if TYPE_CHECKING:
    from pathlib import Path

START = ms("2026-11-01")
FRAME = pl.DataFrame(
    {
        "timestamp_ms": [START + 60_000 * n for n in range(3)],
        "open": [10.0, 11.5, 12.0],
        "high": [12.0, 13.0, 12.5],
        "low": [9.5, 11.0, 11.0],
        "close": [11.5, 12.0, 11.25],
        "volume": [5.0, 6.0, 7.0],
    }
)


def stored(folder: Path, name: str) -> str:
    path = folder / name
    if name.endswith(".csv"):
        FRAME.write_csv(path)
    else:
        FRAME.write_parquet(path)
    return str(path)


@pytest.mark.parametrize(
    ("name", "market", "base", "quote"),
    [
        ("anything_usdm_BTCUSDT_1m_2025.parquet", Market.LINEAR, "BTC", "USDT"),
        ("x_um_ETHUSDC_1h.csv", Market.LINEAR, "ETH", "USDC"),
        ("my_linear_BTC-USDT-PERP.parquet", Market.LINEAR, "BTC", "USDT"),
        ("a_coinm_BTCUSD_PERP_1m_2025.parquet", Market.INVERSE, "BTC", "USD"),
        ("a_cm_ETHUSD_PERP.parquet", Market.INVERSE, "ETH", "USD"),
        ("binance_spot_ETHBTC_1d.parquet", Market.SPOT, "ETH", "BTC"),
        ("binance_SPOT_BTCFDUSD_1d.parquet", Market.SPOT, "BTC", "FDUSD"),
    ],
)
def test_a_file_name_says_whose_candles_it_holds(
    tmp_path: Path, name: str, market: Market, base: str, quote: str
) -> None:
    series = load(stored(tmp_path, name))
    assert (series.market, series.base, series.quote) == (market, base, quote)
    assert series.frame.height == 3


@pytest.mark.parametrize(
    ("prefix", "market", "base", "quote"),
    [
        ("linear:BTCUSDT=", Market.LINEAR, "BTC", "USDT"),
        ("usdm:1000PEPEUSDT=", Market.LINEAR, "1000PEPE", "USDT"),
        ("coinm:BTCUSD_PERP=", Market.INVERSE, "BTC", "USD"),
        ("spot:BTC-TRY=", Market.SPOT, "BTC", "TRY"),
        ("spot:usdtusdc=", Market.SPOT, "USDT", "USDC"),
        ("inverse:BTC-USD-PERP=", Market.INVERSE, "BTC", "USD"),
    ],
)
def test_market_and_symbol_can_be_written_before_the_file(
    tmp_path: Path, prefix: str, market: Market, base: str, quote: str
) -> None:
    series = load(prefix + stored(tmp_path, "plain.csv"))
    assert (series.market, series.base, series.quote) == (market, base, quote)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("linear:BTCUSDT={}/none.csv", "There is no file"),
        ("linear:BTCUSDT={}/broken.parquet", "broken.parquet cannot be read"),
        ("linear:BTCUSDT={}/empty.csv", "empty.csv cannot be read"),
        ("linear:BTCUSDT={}/text.txt", "text.txt is neither .parquet nor .csv."),
        ("moon:BTCUSDT={}/plain.csv", "There is no market 'moon'."),
        ("linear:BTCXYZ={}/plain.csv", "What 'BTCXYZ' is quoted in cannot be told."),
        ("linear:BTCUSDT_270326={}/plain.csv", "BTCUSDT_270326 ends on a date"),
        ("spot:BTCUSD_PERP={}/plain.csv", "BTCUSD_PERP is no spot symbol."),
        ("{}/plain.csv", "The name of plain.csv does not say whose candles they are."),
        ("linear:BTCUSDT={}/lacking.csv", "volume"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    stored(tmp_path, "plain.csv")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really PAR1")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "text.txt").write_text("hello")
    FRAME.drop("volume").write_csv(tmp_path / "lacking.csv")
    with pytest.raises(UsageError) as caught:
        load(text.format(tmp_path))
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_the_sandbox_answers_with_the_candles_of_a_file(tmp_path: Path) -> None:
    series = load("linear:BTCUSDT=" + stored(tmp_path, "plain.parquet"))
    here = Sandbox(clock=lambda: NOW, series=(series,))
    found = here.floor.answer(
        "GET", "fapi.binance.com", path="/fapi/v1/klines", query="symbol=BTCUSDT&interval=1m"
    ).document()
    assert [[row[0], *map(float, row[1:6])] for row in found] == [list(row) for row in FRAME.rows()]


def test_the_world_takes_them_for_its_own(tmp_path: Path) -> None:
    series = load("linear:BTCUSDT=" + stored(tmp_path, "plain.parquet"))
    world = World(7, clock=lambda: NOW, series=(series,))
    (listing,) = (
        item
        for item in world.listings(Market.LINEAR)
        if (item.base, item.quote, item.perpetual) == ("BTC", "USDT", True)
    )
    bars = world.candles(listing, Interval.parse("3m"), Window(START * 1_000, START * 1_000 + 180_000_000))
    assert [(bar.open, bar.high, bar.low, bar.close) for bar in bars] == [(10.0, 13.0, 9.5, 11.25)]
