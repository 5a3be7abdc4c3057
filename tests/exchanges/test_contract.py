"""What every cell of every exchange must have, found in their tables: a cell added later is asked the same.

What is pinned of a cell (its payload, what its known question sends, the first row) stands in `cells.json` beside the
payloads.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from exchanges.contract import HOURLY, NOW, PAYLOADS, Cell, asked, cells, payload, pins, played, sent

from marketcli import exchanges
from marketcli.datasets import EVERY_DATASET, Cadence
from marketcli.errors import UnknownSymbol
from marketcli.models import Window
from marketcli.spec import Exchange, Query, Response

if TYPE_CHECKING:
    from marketcli.models import Instrument
    from marketcli.spec import Rows

CELLS = cells()
EACH = pytest.mark.parametrize("cell", CELLS, ids=str)
EXCHANGES = pytest.mark.parametrize(
    "exchange", [exchanges.load(name) for name in exchanges.names()], ids=lambda e: e.name
)
# Where each exchange says what its REST interface is; a documentation link leads to one of its own pages.
DOCUMENTATION = {
    "binance": "https://developers.binance.com/docs/",
    "bybit": "https://bybit-exchange.github.io/docs/v5/",
    "hyperliquid": "https://hyperliquid.gitbook.io/hyperliquid-docs/",
    "okx": "https://www.okx.com/docs-v5/en/#",
}


@EXCHANGES
def test_the_pins_are_of_the_cells_there_are(exchange: Exchange) -> None:
    names = Counter(cell.name for cell in CELLS if cell.exchange is exchange)
    assert set(names.values()) == {1}
    assert pins(exchange.name).keys() == names.keys()


@EXCHANGES
def test_every_dataset_of_every_market_is_offered_or_says_why_not(exchange: Exchange) -> None:
    for market in exchange.markets:
        for dataset in EVERY_DATASET:
            offered = exchange.endpoint(dataset, market) is not None
            reason = exchange.absent.get((dataset, market), "")
            assert offered != bool(reason), (dataset.name, market, reason)
            assert not reason.endswith("."), reason  # it stands inside a sentence


@EXCHANGES
def test_no_cell_hides_behind_another(exchange: Exchange) -> None:
    listed = [
        (endpoint.dataset, market)
        for endpoint in (*exchange.instruments, *exchange.endpoints)
        for market in sorted(endpoint.markets)
    ]
    assert [pair for pair, count in Counter(listed).items() if count > 1] == []


@EXCHANGES
def test_intervals_round_trip(exchange: Exchange) -> None:
    for cell in CELLS:
        spelled = exchange.spelled(cell.endpoint)
        assert len(set(spelled.values())) == len(spelled)
        for interval in spelled:
            assert type(interval).parse(str(interval)) == interval
            assert interval.step(interval.step(interval.floor(NOW)), -1) == interval.floor(NOW)


@EACH
def test_a_page_of_the_exchange_itself_documents_it(cell: Cell) -> None:
    start = DOCUMENTATION.get(cell.exchange.name, "https://")
    assert cell.endpoint.docs.startswith(start)
    assert re.fullmatch(r"https://\S+[^./]", cell.endpoint.docs)


@EACH
def test_its_payload_has_a_source_and_decodes_to_the_columns(cell: Cell) -> None:
    pin = pins(cell.exchange.name)[cell.name]
    sources = (PAYLOADS / cell.exchange.name / "SOURCES.md").read_text()
    patterns = [name.replace("*", ".*") for name in re.findall(r"`([\w*]+\.json)`", sources)]
    assert any(re.fullmatch(pattern, pin["payload"]) for pattern in patterns)
    rows = cell.endpoint.decode(payload(cell), asked(cell))
    assert rows
    assert {len(row) for row in rows} == {len(cell.endpoint.columns)}
    assert len(set(cell.endpoint.columns)) == len(cell.endpoint.columns)
    assert dict(zip(cell.endpoint.columns, rows[0], strict=True)) == pin["first"]


@EACH
def test_its_known_question_sends_exactly_this(cell: Cell) -> None:
    assert sent(cell) == pins(cell.exchange.name)[cell.name]["sent"]


@EACH
def test_its_cost_fits_in_its_budgets(cell: Cell) -> None:
    query = asked(cell)
    largest = cell.pages(query)[0]
    for page in (largest, *cell.pages(query)):
        costs = cell.endpoint.cost(page)
        assert costs
        for name, units in costs.items():
            budget = cell.exchange.budget(name)
            assert 0 < units <= budget.limit
            assert budget.seconds > 0
    assert cell.endpoint.limit >= 1


@EACH
def test_what_it_says_of_itself_agrees(cell: Cell) -> None:
    endpoint = cell.endpoint
    now = endpoint.dataset.cadence is Cadence.NOW or endpoint.dataset.name == "trades"
    assert (endpoint.reach == "now") is now
    if endpoint.reach == "history":
        assert "time" in endpoint.columns
    if endpoint.dataset.cadence is Cadence.GRID:
        assert HOURLY in cell.exchange.spelled(endpoint)
    assert (endpoint.earlier is None) or endpoint.newest is not None
    assert endpoint.lookback is None or endpoint.lookback >= timedelta(hours=1)
    assert cell.market in cell.exchange.sites["live"].hosts


@EACH
def test_the_simulator_answers_it(cell: Cell) -> None:
    query = asked(cell)
    rows = []
    for page in cell.pages(query):
        draft = played().answer(cell.exchange, cell.endpoint, query, page=page)
        assert cell.exchange.refuse(Response(draft.status, draft.headers, draft.body, "")) is None
        assert draft.status == 200
        rows += cell.endpoint.decode(draft.body, query)
    assert {len(row) for row in rows} <= {len(cell.endpoint.columns)}
    settles = cell.endpoint.dataset.name == "funding_history"  # there may be none in three hours
    assert rows or (settles and settled(cell))


def settled(cell: Cell) -> bool:
    """Whether a longer question of the same kind is answered."""
    query = asked(cell)
    assert query.window is not None
    longer = Query(query.dataset, query.market, query.instrument, None, Window(query.window.start, NOW))
    (page, *_) = cell.pages(longer)
    return bool(cell.endpoint.decode(played().answer(cell.exchange, cell.endpoint, longer, page=page).body, longer))


@EXCHANGES
def test_the_simulator_plays_all_its_hosts(exchange: Exchange) -> None:
    hosts = {host for site in exchange.sites.values() for group in site.hosts.values() for host in group}
    missing = {host for host in hosts if host.partition("://")[2].partition(":")[0] not in played().floor.hosts}
    assert not missing


@EACH
def test_a_name_that_does_not_exist_is_unknown_or_has_no_rows(cell: Cell) -> None:
    query = asked(cell)
    if query.instrument is None:
        return
    unlisted = renamed(query.instrument)
    strange = replace(query, instrument=unlisted)
    (page, *_) = cell.pages(strange)
    draft = played().answer(cell.exchange, cell.endpoint, strange, page=page)
    error = cell.exchange.refuse(Response(draft.status, draft.headers, draft.body, ""))
    if error is not None:
        assert isinstance(error, UnknownSymbol), error
        return
    assert draft.status == 200
    rows = cell.endpoint.decode(draft.body, strange)
    assert not rows or (cell.endpoint.on in cell.endpoint.columns and unlisted.native not in named(cell, rows))


def renamed(instrument: Instrument) -> Instrument:
    """An instrument of another coin, which nobody lists."""
    names = {name: getattr(instrument, name).replace("BTC", "ZZZZ") for name in ("native", "base", "pair")}
    return replace(instrument, **(names | {"native": names["native"].replace("@142", "@999999")}))


def named(cell: Cell, rows: Rows) -> set[object]:
    """What rows are about."""
    return {row[cell.endpoint.columns.index(cell.endpoint.on)] for row in rows}
