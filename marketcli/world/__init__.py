"""A market without an exchange: seeded, pure, at any time."""

from marketcli.world.bars import Bar
from marketcli.world.book import Book, Level
from marketcli.world.funding import Derivative, Settlement, Terms
from marketcli.world.interest import Interest
from marketcli.world.liquidations import Liquidation
from marketcli.world.listings import Listing
from marketcli.world.market import World
from marketcli.world.ratios import Ratio
from marketcli.world.series import Series
from marketcli.world.ticker import Ticker
from marketcli.world.trades import Trade

__all__ = [
    "Bar",
    "Book",
    "Derivative",
    "Interest",
    "Level",
    "Liquidation",
    "Listing",
    "Ratio",
    "Series",
    "Settlement",
    "Terms",
    "Ticker",
    "Trade",
    "World",
]
