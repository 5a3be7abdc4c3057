"""Bybit's lists of instruments: what each line means, and the walk through states and pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from marketcli.catalog import listed
from marketcli.datasets import INSTRUMENTS
from marketcli.errors import PageStalled
from marketcli.exchanges import load
from marketcli.models import Instrument, Market, iso
from marketcli.spec import Continued, Endpoint, Page, Query, Rows

BYBIT = load("bybit")
PAYLOADS = Path(__file__).parent.parent / "payloads" / "bybit"


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def the_list(market: Market) -> Endpoint:
    endpoint = BYBIT.endpoint(INSTRUMENTS, market)
    assert endpoint is not None
    return endpoint


def instruments(market: Market, name: str) -> dict[str, Instrument]:
    endpoint = the_list(market)
    rows = endpoint.decode(payload(name), Query(INSTRUMENTS, market))
    found = [listed("bybit", market, dict(zip(endpoint.columns, row, strict=True))) for row in rows]
    return {one.native: one for one in found}


def test_spot_instruments() -> None:
    found = instruments(Market.SPOT, "spot_instruments")
    btc, new = found["BTCUSDT"], found["NEWUSDC"]
    assert (btc.symbol, btc.unified, btc.settle, btc.status) == ("BTC-USDT", "BTC/USDT", "USDT", "trading")
    assert (btc.tick, btc.lot, btc.listed, btc.expiry, btc.inverse) == (0.01, 0.000001, None, None, False)
    assert (new.status, new.tick, new.lot) == ("pending", None, None)
    assert found["1INCHUSDT"].multiplier == 1


def test_linear_perpetuals() -> None:
    found = instruments(Market.LINEAR, "linear_instruments")
    btc, usdc, pepe, shib = (found[name] for name in ("BTCUSDT", "BTCPERP", "1000PEPEUSDT", "SHIB1000USDT"))
    assert (btc.symbol, btc.tick, btc.lot, btc.interval_h, btc.kind) == (
        "BTC-USDT-PERP", 0.1, 0.001, 8.0, "LinearPerpetual",
    )  # fmt: skip
    assert btc.listed is not None
    assert iso(btc.listed) == "2020-03-15T00:00:00Z"
    assert (usdc.symbol, usdc.unified) == ("BTC-USDC-PERP", "BTC/USDC:USDC")
    assert (pepe.symbol, pepe.multiplier, pepe.interval_h) == ("1000PEPE-USDT-PERP", 1000, 4.0)
    assert (shib.symbol, shib.multiplier) == ("SHIB1000-USDT-PERP", 1000)


def test_a_perpetual_about_to_be_delisted_keeps_its_name_and_has_an_end() -> None:
    found = instruments(Market.LINEAR, "linear_instruments")
    gone, old, soon = found["GONEUSDT"], found["OLDUSDT"], found["SOONUSDT"]
    assert (gone.symbol, gone.perpetual, gone.status) == ("GONE-USDT-PERP", True, "trading")
    assert gone.expiry is not None
    assert iso(gone.expiry) == "2026-11-25T10:00:00Z"
    assert (old.symbol, old.status, soon.status) == ("OLD-USDT-PERP", "closed", "pending")


def test_dated_contracts_are_told_by_their_delivery_and_have_no_funding() -> None:
    linear, inverse = (
        instruments(Market.LINEAR, "linear_instruments"),
        instruments(Market.INVERSE, "inverse_instruments"),
    )
    usdt, usdc, coin = linear["BTCUSDT-26MAR27"], linear["BTC-26MAR27"], inverse["BTCUSDH27"]
    assert [one.symbol for one in (usdt, usdc, coin)] == ["BTC-USDT-270326", "BTC-USDC-270326", "BTC-USD-270326"]
    assert [one.interval_h for one in (usdt, usdc, coin)] == [None] * 3
    assert usdt.delivery == usdt.expiry == 1_806_048_000_000_000
    assert not usdt.perpetual


def test_inverse_contracts_are_one_dollar() -> None:
    found = instruments(Market.INVERSE, "inverse_instruments")
    btc, eth = found["BTCUSD"], found["ETHUSDU26"]
    assert (btc.symbol, btc.contract_size, btc.inverse, btc.settle) == ("BTC-USD-PERP", 1.0, True, "BTC")
    assert (eth.symbol, eth.status) == ("ETH-USD-260925", "closing")


def walked(answers: dict[str, list[Continued]]) -> list[Page]:
    """The pages of the list of contracts when each state has these answers."""
    endpoint, asked = the_list(Market.LINEAR), Query(INSTRUMENTS, Market.LINEAR)
    pages: Any = endpoint.pages(endpoint, asked)
    sent: list[Page] = []
    try:
        page = next(pages)
        while True:
            sent.append(page)
            state = str(endpoint.params(asked, page).get("status", ""))
            page = pages.send(answers[state].pop(0))
    except StopIteration:
        return sent


NOTHING: Rows = []


def test_the_list_of_contracts_is_walked_state_by_state_and_page_by_page() -> None:
    endpoint, asked = the_list(Market.LINEAR), Query(INSTRUMENTS, Market.LINEAR)
    pages = walked(
        {
            "": [Continued(NOTHING, "first%3DBTCUSDT%26last%3DX"), Continued(NOTHING, "")],
            "PreLaunch": [Continued(NOTHING, "")],
            "Delivering": [Continued(NOTHING, "")],
            "Closed": [Continued(NOTHING, "page%3D2"), Continued(NOTHING, "page%3D3"), Continued(NOTHING, "")],
        }
    )
    assert [dict(endpoint.params(asked, page)) for page in pages] == [
        {"category": "linear", "limit": 1_000},
        {"category": "linear", "limit": 1_000, "cursor": "first=BTCUSDT&last=X"},
        {"category": "linear", "limit": 1_000, "status": "PreLaunch"},
        {"category": "linear", "limit": 1_000, "status": "Delivering"},
        {"category": "linear", "limit": 1_000, "status": "Closed"},
        {"category": "linear", "limit": 1_000, "status": "Closed", "cursor": "page=2"},
        {"category": "linear", "limit": 1_000, "status": "Closed", "cursor": "page=3"},
    ]


def test_a_list_that_goes_in_circles_is_an_error() -> None:
    with pytest.raises(PageStalled):
        walked({"": [Continued(NOTHING, "again")] * 3})


def test_the_cursor_of_a_page_is_taken_from_the_answer() -> None:
    rows = the_list(Market.LINEAR).decode(payload("linear_instruments"), Query(INSTRUMENTS, Market.LINEAR))
    assert isinstance(rows, Continued)
    assert rows.cursor == "first%3DBTCUSDT%26last%3DXRPUSDT"


def test_the_spot_list_is_one_page() -> None:
    endpoint, asked = the_list(Market.SPOT), Query(INSTRUMENTS, Market.SPOT)
    (page,) = endpoint.pages(endpoint, asked)
    assert endpoint.params(asked, page) == {"category": "spot"}
