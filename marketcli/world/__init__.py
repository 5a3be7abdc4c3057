"""A market without an exchange: seeded, pure, at any time."""

from marketcli.world.funding import Derivative, Settlement, Terms
from marketcli.world.interest import Interest
from marketcli.world.listings import Listing
from marketcli.world.market import Bar, World
from marketcli.world.series import Series

__all__ = ["Bar", "Derivative", "Interest", "Listing", "Series", "Settlement", "Terms", "World"]
