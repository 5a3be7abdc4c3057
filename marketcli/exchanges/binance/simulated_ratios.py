"""Binance's long/short and taker ratios as the sandbox plays them.

Documentation: https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/
Long-Short-Ratio, Top-Long-Short-Account-Ratio, Top-Trader-Long-Short-Ratio and Taker-BuySell-Volume, and the same pages
of coin-margined-futures.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from marketcli.exchanges.binance.simulated_requests import INVERSE, LINEAR, answer, listing_of, native, needed
from marketcli.exchanges.binance.simulated_statistics import grid, of_type, page, pair_of
from marketcli.models import MILLISECOND, Interval, Market, Micros, Window
from marketcli.simulator import Ask, Reply, decimal

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.world import Listing, Ratio

DIGITS = 4


def standing(ask: Ask, market: Market, *, share: Callable[[Ratio], float], what: str) -> Reply:
    """Long and short at regular times; on COIN-M of a pair, whose perpetual speaks for it here."""
    if market is LINEAR:
        listing = listing_of(ask, LINEAR, "symbol")
        name = {"symbol": native(listing)}
    else:
        pair, listings = pair_of(ask)
        listing, name = next((one for one in listings if one.perpetual), listings[0]), {"pair": pair}
    found = page(ask, market, partial(ratios, ask, listing))
    return answer([name | sides(share(row), what) | stamped(row.time) for row in found])


def sides(long: float, what: str) -> dict[str, Any]:
    """A share of long, what is left to short, and how they relate."""
    short = round(1 - long, DIGITS)
    return {
        "longShortRatio": decimal(round(long / short, DIGITS), DIGITS),
        f"long{what}": decimal(long, DIGITS),
        f"short{what}": decimal(short, DIGITS),
    }


def taker_ratio(ask: Ask) -> Reply:
    """What takers of USD-M bought and sold in each period, in base; without a name."""
    listing = listing_of(ask, LINEAR, "symbol")
    return answer(
        [
            {
                "buySellRatio": decimal(
                    round(row.taker_buy / row.taker_sell, DIGITS) if row.taker_sell else 0.0, DIGITS
                ),
                "buyVol": decimal(row.taker_buy, DIGITS),
                "sellVol": decimal(row.taker_sell, DIGITS),
            }
            | stamped(row.time)
            for row in page(ask, LINEAR, partial(over, ask, [listing]))
        ]
    )


def taker_volume(ask: Ask) -> Reply:
    """The same of COIN-M, in contracts and base: of a type of contract, or of all of a pair together."""
    (pair, named), kind = pair_of(ask), needed(ask, "contractType")
    listings = of_type(ask, named, kind)
    return answer(
        [
            {
                "pair": pair,
                "contractType": kind,
                "takerBuyVol": str(row.taker_buy_contracts),
                "takerSellVol": str(row.taker_sell_contracts),
                "takerBuyVolValue": decimal(round(row.taker_buy, 8), DIGITS),
                "takerSellVolValue": decimal(round(row.taker_sell, 8), DIGITS),
            }
            | stamped(row.time)
            for row in page(ask, INVERSE, partial(over, ask, listings))
        ]
    )


def ratios(ask: Ask, listing: Listing, period: Interval, window: Window) -> list[Ratio]:
    """The ratios of a contract at the moments of a grid."""
    return ask.world.ratios(listing, period, grid(period, window))


def over(ask: Ask, listings: list[Listing], period: Interval, window: Window) -> list[Ratio]:
    """What takers did in some contracts together, in periods that are over: what goes on is not known yet."""
    sums: dict[Micros, Ratio] = {}
    for listing in listings:
        for row in ratios(ask, listing, period, window):
            if period.step(row.time) <= ask.now:
                sums[row.time] = together(sums[row.time], row) if row.time in sums else row
    return [sums[time] for time in sorted(sums)]


def together(one: Ratio, other: Ratio) -> Ratio:
    """What takers did in two contracts in the same period."""
    return one._replace(
        taker_buy=one.taker_buy + other.taker_buy,
        taker_sell=one.taker_sell + other.taker_sell,
        taker_buy_contracts=one.taker_buy_contracts + other.taker_buy_contracts,
        taker_sell_contracts=one.taker_sell_contracts + other.taker_sell_contracts,
    )


def stamped(time: Micros) -> dict[str, int]:
    """The time of a point, as the last of its fields."""
    return {"timestamp": time // MILLISECOND}
