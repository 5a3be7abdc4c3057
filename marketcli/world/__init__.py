"""A market without an exchange: seeded, pure, at any time."""

from marketcli.world.listings import Listing
from marketcli.world.market import Bar, World
from marketcli.world.series import Series

__all__ = ["Bar", "Listing", "Series", "World"]
