"""Recorded payloads: `pytest --corpus FOLDER` decodes every one of the kinds built here, and says which it leaves."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from cli_runner import mkt
from corpus_server import serving
from polars.testing import assert_frame_equal

from marketcli.catalog import listed
from marketcli.datasets import (
    FUNDING,
    FUNDING_HISTORY,
    INDEX_OHLC,
    INSTRUMENTS,
    OHLC,
    OI,
    OI_HISTORY,
    PRICE,
    Dataset,
)
from marketcli.exchanges import load
from marketcli.models import Instrument, Interval, Market, iso
from marketcli.sandbox.candles import load as load_candles
from marketcli.sandbox.server import Sandbox
from marketcli.spec import Query, Response

if TYPE_CHECKING:
    from pathlib import Path

BINANCE = load("binance")
FOLDERS = {"spot": Market.SPOT, "usdm": Market.LINEAR, "coinm": Market.INVERSE}
# Kinds that are compared in test_corpus_exchanges.py, and those of datasets that `mkt` does not offer yet.
NOT_HERE = {"book", "liquidations", "long_short", "mixed", "trades", "archive"}


def rest_payloads(corpus: Path, kind: str) -> list[tuple[Market, Path]]:
    return [
        (market, path)
        for folder, market in FOLDERS.items()
        for path in sorted((corpus / "binance" / folder / kind).glob("*.json"))
    ]


def instrument(market: Market) -> Instrument:
    return Instrument("binance", market, "BTC-USD-PERP", "BTCUSD_PERP", "BTC", "USD", "BTC", contract_size=100.0)


def decoded(dataset: Dataset, market: Market, path: Path) -> list[dict[str, Any]]:
    endpoint = BINANCE.endpoint(dataset, market)
    assert endpoint is not None
    rows = endpoint.decode(path.read_bytes(), Query(dataset, market, instrument(market)))
    return [dict(zip(endpoint.columns, row, strict=True)) for row in rows]


def test_every_kind_is_decoded_or_named(corpus: Path) -> None:
    kinds = {path.name for folder in FOLDERS for path in (corpus / "binance" / folder).iterdir()}
    assert kinds - NOT_HERE <= {"candles", "instruments", "errors", "funding", "open_interest", "tickers"}


def test_recorded_candles_keep_every_digit(corpus: Path) -> None:
    payloads = rest_payloads(corpus, "candles")
    assert len(payloads) >= 8
    for market, path in payloads:
        dataset = INDEX_OHLC if "index" in path.name else OHLC
        wire, rows = json.loads(path.read_bytes()), decoded(dataset, market, path)
        assert len(rows) == len(wire)
        for sent, row in zip(wire, rows, strict=True):
            assert row["time"] == sent[0] * 1_000
            assert [row[name] for name in ("open", "high", "low", "close")] == [float(text) for text in sent[1:5]]
            if dataset is OHLC:
                base, quote, taker = (7, None, 10) if market is Market.INVERSE else (5, 7, 9)
                assert row["volume_base"] == float(sent[base])
                assert row["taker_buy_base"] == float(sent[taker])
                assert row["trades"] == sent[8]
                expected = float(sent[5]) * 100 if quote is None else float(sent[quote])
                assert row["volume_quote"] == expected


def test_recorded_candles_are_those_the_index_names(corpus: Path) -> None:
    days = decoded(OHLC, Market.SPOT, corpus / "binance/spot/candles/gct_klines_1d_2019.json")
    assert (iso(days[0]["time"]), iso(days[-1]["time"]), len(days)) == (
        "2019-01-01T00:00:00Z", "2020-01-01T00:00:00Z", 366,
    )  # fmt: skip
    assert all(later["time"] - earlier["time"] == 86_400_000_000 for earlier, later in pairwise(days))
    months = decoded(OHLC, Market.INVERSE, corpus / "binance/coinm/candles/gct_klines_1M.json")
    assert all(Interval.parse("1M").floor(row["time"]) == row["time"] for row in months)
    assert months[0]["volume_contracts"] == 12155433
    assert months[0]["volume_quote"] == 1_215_543_300


def test_recorded_instruments(corpus: Path) -> None:
    payloads = rest_payloads(corpus, "instruments")
    assert len(payloads) >= 4
    found: dict[tuple[Market, str], dict[str, Any]] = {}
    for market, path in payloads:
        rows = decoded(INSTRUMENTS, market, path)
        assert len(rows) == len(json.loads(path.read_bytes())["symbols"])
        found |= {(market, row["native"]): row for row in rows}
    assert found[Market.LINEAR, "1000SHIBUSDT"]["multiplier"] == 1_000
    assert listed("binance", Market.LINEAR, found[Market.LINEAR, "BTCUSDT_210924"]).symbol == "BTC-USDT-210924"
    assert found[Market.INVERSE, "BTCUSD_PERP"]["contract_size"] == 100.0
    assert found[Market.INVERSE, "BTCUSD_260626"]["status"] == "closing"
    assert found[Market.INVERSE, "EGLDUSD_PERP"]["status"] == "pending"
    assert found[Market.SPOT, "1INCHUSDT"]["multiplier"] == 1
    assert found[Market.SPOT, "SHIBUSDT"]["tick"] == 0.00000001


def test_recorded_funding(corpus: Path) -> None:
    folder = corpus / "binance"
    (now,) = decoded(FUNDING, Market.LINEAR, folder / "usdm/funding/gct_premiumIndex.json")
    assert (now["native"], now["rate"], now["mark"], now["index"]) == (
        "BTCUSDT", 0.00001226, 26780.82240476, 26798.25197802,
    )  # fmt: skip
    assert iso(now["next_time"]) == "2023-06-20T08:00:00Z"
    seven = decoded(FUNDING, Market.LINEAR, folder / "usdm/funding/live_20260824_premiumIndex.json")
    live = {row["native"]: row for row in seven}
    assert (live["WAVESUSDT"]["rate"], live["WAVESUSDT"]["next_time"]) == (None, None)  # settled
    assert (live["ETHUSDT_260925"]["rate"], live["XAUUSDT"]["rate"]) == (None, 0.0)  # dated; stock-like
    every = decoded(FUNDING, Market.INVERSE, folder / "coinm/funding/gct_premiumIndex_all.json")
    coins = {row["native"]: row for row in every}
    assert (coins["LINKUSD_231229"]["rate"], coins["FILUSD_PERP"]["rate"]) == (None, 0.00004207)
    for market, name in ((Market.LINEAR, "usdm"), (Market.INVERSE, "coinm")):
        path = folder / name / "funding/gct_fundingRate.json"
        sent, rows = json.loads(path.read_bytes()), decoded(FUNDING_HISTORY, market, path)
        assert [row["rate"] for row in rows] == [float(each["fundingRate"]) for each in sent]
        assert all(row["time"] % (8 * 3_600_000_000) == 0 for row in rows)
        assert all(abs(row["time"] // 1_000 - each["fundingTime"]) < 100 for row, each in zip(rows, sent, strict=True))
    terms = BINANCE.endpoint(FUNDING, Market.LINEAR)
    assert terms is not None
    body = (folder / "usdm/funding/jkorf_fundingInfo.json").read_bytes()
    assert terms.joins[0].decode(body, Query(FUNDING, Market.LINEAR)) == [("BLZUSDT", 8.0)]


def test_recorded_open_interest(corpus: Path) -> None:
    folder = corpus / "binance"
    (linear,) = decoded(OI, Market.LINEAR, folder / "usdm/open_interest/jkorf_openInterest.json")
    (inverse,) = decoded(OI, Market.INVERSE, folder / "coinm/open_interest/jkorf_openInterest.json")
    assert (linear["oi_base"], inverse["oi_contracts"]) == (10659.509, 15004)
    (point,) = decoded(OI_HISTORY, Market.LINEAR, folder / "usdm/open_interest/gct_openInterestHist.json")
    assert (point["oi_base"], point["oi_quote"]) == (36316.877, float("413220015.26744573"))
    first, _ = decoded(OI_HISTORY, Market.INVERSE, folder / "coinm/open_interest/jkorf_openInterestHist.json")
    assert (first["oi_contracts"], first["oi_base"], first["oi_quote"]) == (20403, 176196512.234, 2_040_300)


def test_recorded_prices(corpus: Path) -> None:
    (spot,) = decoded(PRICE, Market.SPOT, corpus / "binance/spot/tickers/gct_price.json")
    assert spot["last"] == 6622.57
    linear = decoded(PRICE, Market.LINEAR, corpus / "binance/usdm/tickers/gct_price_all.json")
    assert (linear[0]["native"], linear[0]["last"]) == ("BTCUSDT", 11492.32)


def test_recorded_errors(corpus: Path) -> None:
    folder = corpus / "binance/spot/errors"
    unknown = BINANCE.refuse(Response(400, {}, (folder / "live_20260925_unknown_symbol.json").read_bytes(), "x"))
    banned = BINANCE.refuse(Response(418, {}, (folder / "quoted_418.json").read_bytes(), "x"))
    assert (unknown and unknown.code, banned and banned.code) == ("unknown_symbol", "banned")


LISTS = {
    "data-api.binance.vision/api/v3/exchangeInfo": "binance/spot/instruments/cryptofeed_exchangeInfo.json",
    "fapi.binance.com/fapi/v1/exchangeInfo": "binance/usdm/instruments/cryptofeed_exchangeInfo.json",
    "dapi.binance.com/dapi/v1/exchangeInfo": "binance/coinm/instruments/cryptofeed_exchangeInfo.json",
}


@pytest.mark.parametrize(
    ("file", "address", "words"),
    [
        ("binance/spot/candles/gct_klines_1d_2019.json", "data-api.binance.vision/api/v3/klines",
         "BTCUSDT 1d -m spot --since 2019 --until 2020-01-02"),
        ("binance/spot/candles/gct_klines_1h_2023.json", "data-api.binance.vision/api/v3/klines",
         "BTCUSDT 1h -m spot --since 2022-12-31T20:00 --until 2023-01-08T04:00"),
        ("binance/usdm/candles/gct_klines_1d_2019.json", "fapi.binance.com/fapi/v1/klines",
         "BTCUSDT 1d --since 2019 --until 2020-01-02"),
    ],
)  # fmt: skip
def test_recorded_answers_come_out_of_the_command_unchanged(corpus: Path, file: str, address: str, words: str) -> None:
    answers = {name: (corpus / path).read_bytes() for name, path in (LISTS | {address: file}).items()}
    with serving(answers) as (url, seen):
        done = mkt("--via", url, "ohlc", *words.split(), "-f", "ndjson")
    assert (done.returncode, done.rows()[0]["closed"]) == (0, True)
    wire = json.loads(answers[address])
    assert len(done.rows()) == len(wire)
    for sent, row in zip(wire, done.rows(), strict=True):
        assert row["time"] == iso(sent[0] * 1_000)
        assert [row[name] for name in ("open", "high", "low", "close", "volume_base", "volume_quote", "trades")] == [
            float(sent[place]) for place in (1, 2, 3, 4, 5, 7, 8)
        ]
        assert row["taker_buy_base"] == float(sent[9])
    assert any(address in request for request in seen)


BTCUSDT = "candles/binance_usdm_BTCUSDT_1m_2025.parquet"


def test_a_file_of_real_candles_comes_out_exactly(corpus: Path, tmp_path: Path) -> None:
    real = pl.read_parquet(corpus / BTCUSDT)
    series = load_candles(f"linear:BTCUSDT={corpus / BTCUSDT}")
    with Sandbox(series=[series]) as sandbox:
        window = ["--since", "2025-05-04T15:33", "--until", "2025-06-03T15:32"]
        done = mkt("--via", sandbox.url, "ohlc", "BTCUSDT", "1m", *window, "-o", str(tmp_path / "1m.parquet"))
        hours = mkt("--via", sandbox.url, "ohlc", "BTCUSDT", "1h", *window, "-o", str(tmp_path / "1h.parquet"))
    assert (done.returncode, hours.returncode) == (0, 0)
    got = pl.read_parquet(tmp_path / "1m.parquet")
    assert got.height == real.height == 43_199
    assert (got["time"].dt.timestamp("ms") == real["timestamp_ms"]).all()
    for name, column in zip(("open", "high", "low", "close", "volume"), got.select(OHLCV), strict=True):
        assert (real[name] == column).all(), name
    built = got.group_by_dynamic("time", every="1h").agg(
        pl.len(), pl.first("open"), pl.max("high"), pl.min("low"), pl.last("close"), pl.sum("volume_base")
    )
    whole = built.filter(pl.col("len") == 60).drop("len")
    served = pl.read_parquet(tmp_path / "1h.parquet").select(whole.columns).join(whole.select("time"), on="time")
    assert_frame_equal(served, whole, rel_tol=1e-12)
    assert whole.height == 719


OHLCV = ["open", "high", "low", "close", "volume_base"]


@pytest.mark.soak
def test_missing_months_are_reported_within_two_minutes(corpus: Path, tmp_path: Path) -> None:
    with Sandbox(series=[load_candles(str(corpus / "candles/binance_usdm_FILUSDT_1m_2023-2024.parquet"))]) as sandbox:
        target = tmp_path / "fil.parquet"
        window = ["--since", "2023-04", "--until", "2024-12"]
        done = mkt("--via", sandbox.url, "ohlc", "FILUSDT", "1m", *window, "-o", str(target), timeout=120)
        stats = sandbox.stats()
    assert done.returncode == 3
    assert [line.count("candles are missing, ") for line in done.stderr.splitlines()].count(1) == 3
    assert pl.read_parquet(target).height == 479_520
    assert (stats["refused_429"], stats["refused_418"]) == (0, 0)
