"""Every recorded REST answer of every exchange: decoded by each endpoint that asks for it, or named with the reason."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from marketcli import exchanges
from marketcli.errors import MarketError
from marketcli.models import Instrument, Interval, Market, Window
from marketcli.spec import Endpoint, Exchange, Page, Query, Response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARKETS = {
    "spot": (Market.SPOT,),
    "usdm": (Market.LINEAR,),
    "coinm": (Market.INVERSE,),
    "linear": (Market.LINEAR,),
    "inverse": (Market.INVERSE,),
    "perp": (Market.LINEAR,),
    "swap": (Market.LINEAR, Market.INVERSE),
    "futures": (Market.LINEAR, Market.INVERSE),
}
HOUR = Interval(1, "h")
WINDOW = Window(1_795_215_600_000_000, 1_795_219_200_000_000)

# Answers of the same shape as those we ask for, recorded at another address.
SAME = {
    "/dapi/v1/continuousKlines": "/dapi/v1/klines",
    "/fapi/v1/ticker/price": "/fapi/v2/ticker/price",
    "meta": "allPerpMetas",  # which is a list of them
}
# Recorded answers that no endpoint of ours asks for.
LEFT = {
    "binance/usdm/liquidations/": "liquidations come by stream; this is a frame kept as .json",
    "binance/coinm/long_short/gct_basis": "basis is computed from mark and index",
    "binance/spot/tickers/gct_bookTicker": "the 24-hour ticker of spot has the best bid and ask itself",
    "hyperliquid/perp/tickers/sdk_allMids": "the contexts of metaAndAssetCtxs hold the mid prices too",
    "okx/swap/long_short/jkorf_rubik_long_short_account_ratio": "of a coin; ratios are asked for by contract",
    "okx/swap/open_interest/jkorf_rubik_open_interest_volume": "of a coin; open interest is asked for by contract",
}


class Recorded(NamedTuple):
    """A line of the collection's index: the file, where it was asked, and what was sent."""

    file: str
    path: str
    type: str  # what a POST asked for
    wrapped: bool

    @property
    def exchange(self) -> str:
        return self.file.split("/")[0]

    @property
    def markets(self) -> tuple[Market, ...]:
        return MARKETS[self.file.split("/")[1]]

    @property
    def failed(self) -> bool:
        """Whether it is an error."""
        return "/errors/" in self.file

    def body(self, corpus: Path) -> bytes:
        """What came."""
        body = (corpus / self.file).read_bytes()
        return b"[" + body + b"]" if self.wrapped else body


ASKED = re.compile(r"\b(?:GET|POST) (?:https?://[^/]+)?(/[^\s?`(]+)")


def recorded(corpus: Path) -> list[Recorded]:
    """All REST answers that the index names with the path they were asked at."""
    found = []
    for line in (corpus / "INDEX.md").read_text().splitlines():
        file, asked = [*(cell.strip() for cell in line.split("|")), "", "", "", ""][1:4:2][0], ASKED.search(line)
        if asked and file.endswith(".json") and file.split("/")[0] in exchanges.names():
            kind = re.search(r'"type":\s*"(\w+)"', line)
            name = SAME.get(kind[1], kind[1]) if kind else ""
            found.append(Recorded(file, SAME.get(asked[1], asked[1]), name, wrapped=bool(kind and kind[1] == "meta")))
    return found


def endpoints(exchange: Exchange) -> Iterator[Endpoint]:
    """All endpoints of an exchange, those that others are joined with or continue in too."""
    waiting = [*exchange.instruments, *exchange.endpoints]
    while waiting:
        endpoint = waiting.pop()
        yield endpoint
        waiting += [*endpoint.joins, *([endpoint.earlier] if endpoint.earlier else [])]


def instrument(exchange: str, market: Market) -> Instrument:
    coin = Instrument(exchange, market, "BTC-USD", "BTC", "BTC", "USD", "BTC", pair="BTC-USD", kind="PERPETUAL")
    return replace(coin, contract_size=100.0, inverse=True) if market is Market.INVERSE else coin


def query(endpoint: Endpoint, exchange: str, market: Market) -> Query:
    return Query(endpoint.dataset, market, instrument(exchange, market), HOUR, WINDOW)


def asks_for(endpoint: Endpoint, one: Recorded, market: Market) -> bool:
    """Whether an endpoint asks for what was recorded."""
    if endpoint.path != one.path or market not in endpoint.markets:
        return False
    if endpoint.method == "GET":
        return True
    params = endpoint.params(query(endpoint, one.exchange, market), Page(WINDOW, 1))
    return params.get("type") == one.type


def decoded(corpus: Path, one: Recorded) -> list[tuple[Endpoint, list[tuple[Any, ...]]]]:
    """What every endpoint that asks for it makes of a recorded answer."""
    body, found = one.body(corpus), []
    for market in one.markets:
        for endpoint in endpoints(exchanges.load(one.exchange)):
            if asks_for(endpoint, one, market):
                rows = endpoint.decode(body, query(endpoint, one.exchange, market))
                assert all(len(row) == len(endpoint.columns) for row in rows), (one.file, endpoint.dataset.name)
                found.append((endpoint, rows))
    return found


def test_every_recorded_answer_is_decoded_or_has_a_reason(corpus: Path) -> None:
    answers = [one for one in recorded(corpus) if not one.failed]
    assert len(answers) > 60
    left = [one for one in answers if not any(rows for _, rows in decoded(corpus, one))]
    assert [one.file for one in left if not one.file.startswith(tuple(LEFT))] == []


def test_every_recorded_error_is_told_as_ours(corpus: Path) -> None:
    for one in (one for one in recorded(corpus) if one.failed):
        body, exchange = one.body(corpus), exchanges.load(one.exchange)
        status = 400 if one.exchange == "binance" else 200
        error = exchange.refuse(Response(status, {}, body, "x"))
        rows = [rows for _, rows in decoded(corpus, one)] if error is None else []
        assert isinstance(error, MarketError) or not any(rows), one.file


def test_every_rest_file_is_in_the_index(corpus: Path) -> None:
    known = {one.file for one in recorded(corpus)}
    files = {str(path.relative_to(corpus)) for path in corpus.rglob("*.json")}
    others = {name for name in files if "_ws" in name or "AssetCtxs" in name or "/errors/" in name}
    assert sorted(name for name in files - known - others if not name.startswith(tuple(LEFT))) == []


@pytest.mark.parametrize("name", ["binance", "bybit", "okx", "hyperliquid"])
def test_every_exchange_has_recorded_answers(corpus: Path, name: str) -> None:
    assert sum(one.exchange == name for one in recorded(corpus)) >= 8


def numbers(text: bytes) -> set[float]:
    """All numbers in a document, written as numbers or as text."""
    found: set[float] = set()
    number = re.compile(r"-?[0-9.]+(e-?[0-9]+)?")

    def walk(value: Any) -> None:
        if isinstance(value, (dict, list)):
            for inner in value.values() if isinstance(value, dict) else value:
                walk(inner)
        elif not isinstance(value, bool) and number.fullmatch(str(value)):
            found.add(float(value))

    walk(json.loads(text))
    return found


def test_prices_and_rates_come_out_with_every_digit(corpus: Path) -> None:
    exact = {"open", "high", "low", "close", "last", "bid", "ask", "mark", "index", "rate", "price"}
    compared = 0
    for one in recorded(corpus):
        wire = numbers(one.body(corpus)) if not one.failed else set()
        for endpoint, rows in decoded(corpus, one) if wire else []:
            for row in rows:
                for name, value in zip(endpoint.columns, row, strict=True):
                    if name in exact and value is not None:
                        compared += 1
                        assert value in wire, (one.file, name, value)
    assert compared > 1_000


def rows_of(corpus: Path, file: str, dataset: str) -> list[dict[str, Any]]:
    """What the endpoint of a dataset makes of one recorded answer."""
    one = next(one for one in recorded(corpus) if one.file == file)
    endpoint, rows = next((e, rows) for e, rows in decoded(corpus, one) if e.dataset.name == dataset)
    return [dict(zip(endpoint.columns, row, strict=True)) for row in rows]


def test_bybits_open_interest_is_one_side(corpus: Path) -> None:
    newest = rows_of(corpus, "bybit/linear/open_interest/live_20260915.json", "oi_history")[0]
    assert (newest["time"], newest["oi_base"]) == (1_789_458_600_000_000, 26_332.321)
    older = rows_of(corpus, "bybit/inverse/open_interest/jkorf_open_interest.json", "oi_history")[0]
    assert older["oi_contracts"] == 461_134_384 / 2


def test_okx_funding_is_what_was_charged(corpus: Path) -> None:
    paid = rows_of(corpus, "okx/swap/funding/jkorf_funding_rate_history.json", "funding_history")
    assert [row["rate"] for row in paid] == [0.0000746572360545, 0.0002279755647389]
    (coming,) = rows_of(corpus, "okx/swap/funding/jkorf_funding_rate.json", "funding")
    assert (coming["rate"], coming["interval_h"]) == (0.0000792386885340, 8.0)
    assert coming["next_time"] == 1_703_088_000_000_000


def test_okx_open_interest_has_its_own_base(corpus: Path) -> None:
    (now,) = rows_of(corpus, "okx/swap/open_interest/jkorf_open_interest.json", "oi")
    assert (now["native"], now["oi_contracts"], now["oi_base"]) == ("BTC-USDT-SWAP", 5_000.0, 555.55)


def test_hyperliquids_contexts_belong_to_instruments_by_place(corpus: Path) -> None:
    file = "hyperliquid/perp/tickers/jkorf_metaAndAssetCtxs.json"
    wire = json.loads((corpus / file).read_bytes())
    found = rows_of(corpus, file, "funding")
    assert [row["native"] for row in found] == [one["name"] for one in wire[0]["universe"]]
    assert [row["rate"] for row in found] == [float(one["funding"]) for one in wire[1]]
    assert [row["oi_base"] for row in rows_of(corpus, file, "oi")] == [float(one["openInterest"]) for one in wire[1]]


@pytest.mark.parametrize(
    ("file", "dataset", "ids", "sides"),
    [
        ("binance/usdm/trades/gct_trades.json", "trades", "id", "isBuyerMaker"),
        ("binance/usdm/trades/gct_aggTrades.json", "trades_history", "a", "m"),
        ("binance/coinm/trades/gct_trades.json", "trades", "id", "isBuyerMaker"),
    ],
)
def test_a_taker_sold_where_the_buyer_was_waiting(corpus: Path, file: str, dataset: str, ids: str, sides: str) -> None:
    wire = json.loads((corpus / file).read_bytes())
    found = rows_of(corpus, file, dataset)
    assert [row["id"] for row in found] == [str(one[ids]) for one in wire]
    assert [row["side"] for row in found] == ["sell" if one[sides] else "buy" for one in wire]


def test_ratios(corpus: Path) -> None:
    file = "binance/usdm/long_short/gct_takerlongshortRatio.json"
    first = rows_of(corpus, file, "ratio_taker")[0]
    assert (first["buy_base"], first["sell_base"], first["ratio"]) == (280.863, 216.95, 1.2946)
    coin = rows_of(corpus, "binance/coinm/long_short/gct_takerBuySellVol.json", "ratio_taker")[0]
    assert (coin["buy_base"], coin["sell_base"]) == (19.9173, 3.4031)
    (bybit,) = rows_of(corpus, "bybit/linear/long_short/jkorf_account_ratio.json", "ratio_accounts")
    assert (bybit["long"], bybit["short"]) == (0.5777, 0.4223)
    (okx,) = rows_of(corpus, "okx/swap/long_short/live_20260822.json", "ratio_accounts")
    assert (okx["time"], okx["ratio"]) == (1_787_372_700_000_000, 1.2740831113213654)
