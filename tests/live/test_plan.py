"""Which topics go on which connections."""

from __future__ import annotations

from typing import Any

import pytest
from scripted_streams import channel, socket, toy

from marketcli import exchanges
from marketcli.datasets import LIQUIDATIONS, OHLC, STREAMED, TICKER, TRADES
from marketcli.live.plan import Plan, plans
from marketcli.models import Instrument, Interval, Market

MINUTE = Interval(1, "m")


def coins(count: int, exchange: str = "toy", market: Market = Market.LINEAR) -> tuple[Instrument, ...]:
    """So many instruments."""
    names = [f"COIN{number}" for number in range(count)]
    return tuple(
        Instrument(exchange, market, f"{name}-USDT-PERP", f"{name}USDT", name, "USDT", "USDT", pair=f"{name}USDT")
        for name in names
    )


def planned(*channels: Any, topics: int = 10, count: int = 25, everything: bool = False) -> list[Plan]:
    """The connections of a toy."""
    exchange = toy(*channels, at=socket(topics=topics))
    dataset = channels[0].dataset
    return plans(
        exchange,
        exchange.sites["live"],
        Market.LINEAR,
        dataset=dataset,
        instruments=coins(count),
        everything=everything,
        interval=MINUTE,
    )


def test_connections_are_cut_by_the_exchanges_limit_with_room_for_the_sign_of_life() -> None:
    made = planned(channel(TRADES))
    assert [len(plan.topics) for plan in made] == [9, 9, 7]
    assert all(len(plan.names(plan.topics)) <= 10 for plan in made)
    assert sum(len(plan.instruments) for plan in made) == 25


def test_what_is_merged_of_an_instrument_comes_by_one_connection() -> None:
    made = planned(channel(TICKER, cadence=1.0), channel(TICKER, cadence=1.0, leads=False), topics=6)
    assert all(len(plan.topics) % 2 == 0 for plan in made)
    for plan in made:
        assert {topic.query.instrument for topic in plan.topics} == set(plan.instruments)


def test_a_market_wide_stream_is_one_topic() -> None:
    (plan,) = planned(channel(LIQUIDATIONS), everything=True)
    assert [topic.name for topic in plan.topics] == ["liquidations"]
    assert len(plan.instruments) == 25
    assert planned(channel(LIQUIDATIONS), everything=False)[0].instruments == coins(25)


@pytest.mark.parametrize("name", exchanges.names())
@pytest.mark.parametrize("dataset", STREAMED, ids=lambda dataset: dataset.name)
def test_every_stream_of_every_exchange_has_a_plan(name: str, dataset: Any) -> None:
    exchange = exchanges.load(name)
    for market in exchange.markets:
        for site in exchange.sites.values():
            for everything in (True, False):
                made = plans(
                    exchange,
                    site,
                    market,
                    dataset=dataset,
                    instruments=coins(300, name, market),
                    everything=everything,
                    interval=MINUTE if dataset is OHLC else None,
                )
                channels = [one for one in exchange.channels if one.dataset is dataset and market in one.markets]
                assert bool(made) == bool(channels)
                assert bool(made) != ((dataset, market) in exchange.unstreamed)
                for plan in made:
                    names = plan.names(plan.topics)
                    assert len(names) == len(set(names)) <= plan.socket.topics
                    assert exchange.budget(plan.socket.opening).limit > 0
