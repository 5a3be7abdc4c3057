"""The Python functions: frames, warnings about what is missing, and running inside a loop."""

from __future__ import annotations

import asyncio
import threading
import time
import warnings
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import marketcli
from marketcli.errors import UnknownSymbol, Unreachable, UsageError
from marketcli.models import to_micros
from marketcli.net import loop
from marketcli.net.transport import Settings, Transport
from marketcli.sandbox.server import Sandbox
from marketcli.spec import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = to_micros(datetime(2026, 11, 21, 9, 30, tzinfo=UTC))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Sandbox(clock=lambda: NOW, limits=False) as sandbox:
        yield sandbox.url


def test_candles_are_a_frame(url: str) -> None:
    frame = marketcli.ohlc("BTCUSDT", "1h", since="2026-11", via=url)
    assert frame.height == 20 * 24 + 9
    assert frame.schema["time"] == pl.Datetime("us", "UTC")
    assert frame["time"].is_sorted()
    assert frame["closed"].all()


@pytest.mark.parametrize("since", ["2026-11-20", date(2026, 11, 20), datetime(2026, 11, 20, tzinfo=UTC), 1795132800000])
def test_dates_may_be_dates(url: str, since: Any) -> None:
    assert marketcli.ohlc("BTCUSDT", "1h", since=since, until="2026-11-20T02:00", via=url).height == 2


def test_several_symbols_come_in_their_order(url: str) -> None:
    frame = marketcli.ohlc(["ETH", "BTC"], "1d", last=2, via=url)
    assert frame["symbol"].to_list() == ["ETH-USDT-PERP"] * 2 + ["BTC-USDT-PERP"] * 2


def test_it_works_inside_a_running_loop(url: str) -> None:
    async def notebook() -> pl.DataFrame:
        frame: pl.DataFrame = marketcli.ohlc("BTCUSDT", "1h", last=3, via=url)
        return frame

    assert asyncio.run(notebook()).height == 3


def test_every_function_has_an_asynchronous_twin(url: str) -> None:
    async def main() -> list[pl.DataFrame]:
        return list(
            await asyncio.gather(
                marketcli.ohlc_async("BTCUSDT", "1h", last=3, via=url),
                marketcli.funding_async(["BTC", "ETH"], via=url),
                marketcli.funding_async("BTC", last=2, via=url),
                marketcli.oi_async("BTC", via=url),
                marketcli.oi_async("BTC", interval="5m", since="2026-11-20", until="2026-11-20T01:00", via=url),
                marketcli.price_async("BTC-USDT", via=url),
                marketcli.instruments_async("inverse", via=url),
            )
        )

    heights = [frame.height for frame in asyncio.run(main())]
    assert heights[:6] == [3, 2, 2, 1, 12, 1]
    assert marketcli.funding("BTC", via=url)["symbol"].to_list() == ["BTC-USDT-PERP"]
    assert marketcli.oi("BTC", via=url).height == marketcli.price("BTC", via=url).height == 1


def test_missing_candles_are_a_warning() -> None:
    hole = "missing_rows:from=2026-11-20T03:00,to=2026-11-20T05:00"
    with (
        Sandbox(clock=lambda: NOW, limits=False, faults=[hole]) as sandbox,
        pytest.warns(marketcli.IncompleteWarning) as told,
    ):
        frame = marketcli.ohlc("BTCUSDT", "1h", since="2026-11-20", until="2026-11-21", via=sandbox.url)
    assert frame.height == 22
    assert "2 1h candles are missing, 2026-11-20T03:00:00Z to 2026-11-20T05:00:00Z" in str(told[0].message)


def test_errors_are_ours(url: str) -> None:
    with pytest.raises(UnknownSymbol):
        marketcli.ohlc("NOSUCHTHING", "1h", via=url)
    with pytest.raises(UsageError):
        marketcli.ohlc("BTCUSDT", "1h", via=url, colour="red")


def test_instruments_are_a_frame(url: str) -> None:
    frame = marketcli.instruments("inverse", via=url)
    assert set(frame["market"]) == {"inverse"}
    assert "BTCUSD_PERP" in frame["native"].to_list()


def test_the_package_says_what_it_has() -> None:
    assert {"ohlc", "ohlc_async", "funding", "oi", "price", "instruments", "IncompleteWarning"} <= set(dir(marketcli))
    assert all(getattr(marketcli, name) for name in dir(marketcli))
    with pytest.raises(AttributeError):
        marketcli.nosuchthing  # noqa: B018 - the access is the test


def test_a_name_look_up_that_hangs_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: released.wait(60))

    async def main() -> None:
        transport = Transport(Settings(), time.monotonic)
        try:
            await transport.send(Request("https://hangs.example", "/x"), patience=0.1)
        finally:
            await transport.close()

    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"hangs\.example"), warnings.catch_warnings():
        loop.run(main())
    released.set()
    assert time.monotonic() - started < 30
