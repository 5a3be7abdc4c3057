"""`mkt watch`: live data, and what was missed of it."""
