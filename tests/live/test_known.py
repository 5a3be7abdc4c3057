"""What a lane remembers of trades that came: enough to tell what comes twice, and no more than it may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scripted_streams import BTC, channel

from marketcli.datasets import TRADES
from marketcli.live import defaults
from marketcli.live.events import Vitals
from marketcli.live.making import trades_of
from marketcli.live.tape import Named
from marketcli.models import SECOND, Market

if TYPE_CHECKING:
    from marketcli.live.lanes import Lane

LOOSE = channel(TRADES)
IDS = 100


def row(number: int, price: float = 100.0) -> tuple[Any, ...]:
    """A trade at the second of its number."""
    return 1_795_219_200 * SECOND + number * SECOND, str(number), price, "buy", 1.0


@pytest.fixture
def vitals() -> Vitals:
    return Vitals("toy", Market.LINEAR)


@pytest.fixture
def lane(vitals: Vitals, monkeypatch: pytest.MonkeyPatch) -> Lane:
    monkeypatch.setattr(defaults, "KNOWN_IDS", IDS)
    return Named(BTC, trades_of(BTC, LOOSE.columns, "stream"), vitals)


@pytest.mark.parametrize("came", [IDS - 1, IDS, IDS + 1, 2 * IDS, 7 * IDS // 2])
def test_the_newest_trades_come_once_and_count_as_duplicates(lane: Lane, vitals: Vitals, came: int) -> None:
    lane.take([row(number) for number in range(came)], LOOSE)
    newest = range(max(0, came - IDS), came)
    assert lane.take([row(number) for number in newest], LOOSE) == []
    assert (vitals.duplicates, vitals.conflicts) == (len(newest), 0)


def test_an_old_trade_with_other_values_is_a_conflict(lane: Lane, vitals: Vitals) -> None:
    lane.take([row(number) for number in range(IDS + IDS // 2)], LOOSE)
    assert lane.take([row(IDS - 1, price=99.0)], LOOSE) == []
    assert (vitals.duplicates, vitals.conflicts) == (0, 1)


def test_trades_of_long_ago_are_forgotten(lane: Lane, vitals: Vitals) -> None:
    lane.take([row(number) for number in range(10 * IDS)], LOOSE)
    assert len(lane.take([row(number) for number in range(8 * IDS)], LOOSE)) == 8 * IDS
    assert vitals.duplicates == 0
