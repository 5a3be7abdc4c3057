"""Stand-ins: the next exchange answers when the first cannot, and every row says so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from scripted import exchange

from marketcli.api.answer import Answer
from marketcli.api.fallback import exchanges_of, first_that_answers
from marketcli.config import Config
from marketcli.datasets import PRICE
from marketcli.errors import (
    Banned,
    LocalError,
    MarketError,
    NotOffered,
    RegionRefused,
    UnknownSymbol,
    Unreachable,
    UsageError,
)
from marketcli.models import Market
from marketcli.spec import Exchange

if TYPE_CHECKING:
    from collections.abc import Mapping

CANNOT = [Unreachable("no"), RegionRefused("no"), Banned("no"), NotOffered("no"), UnknownSymbol("no")]


def named(name: str) -> Exchange:
    made = exchange()
    return Exchange(name, name.upper(), made.sites, made.budgets, {}, (), made.endpoints, made.refuse)


def answer(name: str) -> Answer:
    frame = pl.DataFrame({"exchange": [name], "last": [1.0]})
    return Answer(name, Market.LINEAR, None, PRICE, None, None, frame, (), ("kept",), 0, "host", 1, 0.1)


def ask(order: list[str], said: Mapping[str, MarketError]) -> tuple[Any, list[str]]:
    asked: list[str] = []

    async def one(exchange: Exchange) -> Answer:
        asked.append(exchange.name)
        if exchange.name in said:
            raise said[exchange.name]
        return answer(exchange.name)

    try:
        return asyncio.run(first_that_answers([named(name) for name in order], one)), asked
    except MarketError as error:
        return error, asked


@pytest.mark.parametrize("error", CANNOT, ids=lambda error: type(error).__name__)
def test_the_next_one_answers_and_says_whose_place_it_took(error: MarketError) -> None:
    came, asked = ask(["a", "b", "c"], {"a": error})
    assert asked == ["a", "b"]
    assert (came.exchange, came.fallback_from) == ("b", "a")
    assert came.frame["fallback_from"].to_list() == ["a"]
    assert came.notes == ("kept", "A could not answer: no These rows are of B.")


def test_the_first_one_answers_for_itself() -> None:
    came, asked = ask(["a", "b"], {})
    assert (asked, came.fallback_from, came.notes) == (["a"], None, ("kept",))
    assert came.frame["fallback_from"].to_list() == [None]


@pytest.mark.parametrize("error", [UsageError("wrong"), LocalError("full")], ids=["usage", "local"])
def test_what_is_wrong_here_is_asked_nowhere_else(error: MarketError) -> None:
    came, asked = ask(["a", "b"], {"a": error})
    assert (came, asked) == (error, ["a"])


def test_nobody_answers() -> None:
    first = Unreachable("a is down", hint="Wait.")
    came, asked = ask(["a", "b", "c"], {"a": first, "b": NotOffered("b lacks it"), "c": Banned("c bans")})
    assert asked == ["a", "b", "c"]
    assert came is first
    assert came.hint == "Wait. B and C could not answer either."


def test_only_one_exchange_can_have_stand_ins() -> None:
    with pytest.raises(UsageError, match="--fallback goes with one exchange"):
        exchanges_of(Config.model_validate({"exchange": "binance,bybit", "fallback": ["okx"]}))
    ((only,),) = exchanges_of(Config.model_validate({"exchange": "binance", "fallback": ["binance"]}))
    assert only.name == "binance"


def test_an_exchange_that_does_not_exist_is_named() -> None:
    with pytest.raises(UsageError, match="'kraken'"):
        exchanges_of(Config.model_validate({"exchange": "binance,kraken"}))
    with pytest.raises(UsageError, match="No exchange is named"):
        exchanges_of(Config.model_validate({"exchange": " , "}))
