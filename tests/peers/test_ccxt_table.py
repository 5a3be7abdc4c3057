"""What is not compared is what the table says it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from peers.ccxt_cells import LETTERS, LINEAR, REASONS, Venue, lasting, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

NEITHER = [(method, venue) for (method, venue), letter in LETTERS.items() if letter not in "=mp"]
OTHER = [(method, venue) for (method, venue), letter in LETTERS.items() if letter == "m"]
PLURAL = ("s", "BidsAsks")
HOURS = ("OHLCV", "OpenInterestHistory", "RatioHistory")


def asked(client: Any, method: str, venue: Venue) -> Any:
    """What a method gives for the first instrument of a venue."""
    symbol, call = next(iter(lasting(venue))), getattr(client, client.un_camel_case(method))
    if method in {"fetchCurrencies", "fetchStatus"}:
        return call()
    if method.endswith(PLURAL):
        return call([symbol])
    return call(symbol, "1h") if method.endswith(HOURS) else call(symbol)


@pytest.mark.parametrize(("method", "venue"), NEITHER, ids=lambda one: name_of(one) if isinstance(one, Venue) else one)
def test_nothing_is_given(peer: Callable[[str], Any], method: str, venue: Venue) -> None:
    ccxt, client = pytest.importorskip("ccxt"), peer(venue.client)
    letter = LETTERS[method, venue]
    assert bool(client.has.get(method)) == (letter != "x")
    try:
        assert not asked(client, method, venue)
    except ccxt.NotSupported:
        assert letter in "xs"
    except ccxt.BaseError:
        assert letter not in "xk"


@pytest.mark.parametrize(("method", "venue"), OTHER, ids=lambda one: name_of(one) if isinstance(one, Venue) else one)
def test_something_else_is_given(peer: Callable[[str], Any], method: str, venue: Venue) -> None:
    client = peer(venue.client)
    contract = asked(client, method, Venue(venue.client, LINEAR))
    trades = asked(client, "fetchOHLCV", venue)
    assert asked(client, method, venue) == (contract if venue.client == "binance" else trades)


@pytest.mark.parametrize("method", ["fetchTicker", "fetchTickers"])
def test_state_of_spot_is_not_found(peer: Callable[[str], Any], method: str) -> None:
    (venue,) = (venue for (name, venue), letter in LETTERS.items() if (name, letter) == (method, "p"))
    found = asked(peer(venue.client), method, venue)
    assert re.search(r"'(close|last|bid|ask)': [0-9]", str(found)) is None


def test_every_letter_has_a_reason_and_is_used() -> None:
    assert set(LETTERS.values()) == REASONS.keys()


def test_every_method_is_compared_somewhere() -> None:
    modules = [file for file in Path(__file__).parent.glob("test_ccxt_*.py") if file.name != Path(__file__).name]
    text = "".join(file.read_text("utf-8") for file in modules)
    assert [method for method, _ in LETTERS if f'"{method}"' not in text] == []
