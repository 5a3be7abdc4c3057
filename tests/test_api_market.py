"""The Python functions about a market now: the same rows as the commands give, and twins for loops."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

import marketcli
from marketcli import frames
from marketcli.datasets import BOOK, RATIO, TICKER, TRADES, Dataset
from marketcli.errors import NotOffered, UsageError
from marketcli.models import to_micros
from marketcli.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = to_micros(datetime(2026, 11, 21, 9, 30, tzinfo=UTC))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Sandbox(clock=lambda: NOW, limits=False) as sandbox:
        yield sandbox.url


@pytest.mark.parametrize(
    ("name", "symbol", "dataset", "height"),
    [
        ("ticker", ["BTC", "ETH"], TICKER, 2),
        ("book", "BTC", BOOK, 200),
        ("trades", "BTC", TRADES, 100),
        ("ratio", "BTC", RATIO, 4),
    ],
)
def test_each_is_a_frame_of_its_dataset_and_has_a_twin(
    url: str, name: str, symbol: str | list[str], dataset: Dataset, height: int
) -> None:
    frame = getattr(marketcli, name)(symbol, via=url)
    assert frame.schema == frames.schema(dataset)
    assert frame.height == height
    twin = asyncio.run(getattr(marketcli, f"{name}_async")(symbol, via=url))
    assert twin.equals(frame)


def test_all_tickers_of_an_exchange_or_a_market(url: str) -> None:
    frame = marketcli.tickers(via=url)
    assert set(frame["market"]) == {"linear", "spot", "inverse"}
    assert marketcli.tickers("spot", via=url).equals(frame.filter(pl.col("market") == "spot"))
    both = marketcli.tickers("cm", exchange="binance,okx", via=url)
    assert both["exchange"].unique(maintain_order=True).to_list() == ["binance", "okx"]
    with pytest.warns(marketcli.IncompleteWarning, match="Hyperliquid has no inverse market"):
        assert set(marketcli.tickers("inverse", exchange="all", via=url)["exchange"]) == {"binance", "bybit", "okx"}
    with pytest.raises(NotOffered, match="no inverse market"):
        marketcli.tickers("inverse", exchange="hyperliquid", via=url)


def test_depth_and_counts_are_those_asked_for_or_what_there_is(url: str) -> None:
    assert marketcli.book("BTC", depth=3, via=url).height == 6
    assert marketcli.book("BTC", exchange="hyperliquid", via=url).height == 40
    with pytest.raises(NotOffered, match="20 levels"):
        marketcli.book("BTC", depth=21, exchange="hyperliquid", via=url)
    assert marketcli.trades("BTC", last=7, via=url).height == 7
    assert marketcli.trades("BTC", exchange="hyperliquid", via=url).height == 10


def test_windows(url: str) -> None:
    window = {"since": "2026-11-21T09:00", "until": "2026-11-21T09:00:30"}
    frame = marketcli.trades("BTC", via=url, **window)
    assert frame.height > 50
    assert frame["time"].is_sorted()
    points = marketcli.ratio("BTC", kinds=["accounts"], interval="1h", last=5, via=url)
    assert points["kind"].to_list() == ["accounts"] * 5
    with pytest.raises(UsageError, match="no ratio"):
        marketcli.ratio("BTC", kinds=["nosuch"], via=url)


def test_all_that_is_listed_is_there() -> None:
    assert sorted(marketcli.__all__) == sorted(set(marketcli.__all__))
    for name in marketcli.__all__:
        assert getattr(marketcli, name) is not None
        alone = name == "watch" or name.startswith(("_", "I"))  # a stream has no twin: it is asynchronous itself
        assert name.endswith("_async") or alone or f"{name}_async" in marketcli.__all__
