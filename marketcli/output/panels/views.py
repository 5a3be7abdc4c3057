"""Which panel shows which dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketcli.output.panels.board import Fundings, Interests, Tickers
from marketcli.output.panels.candles import Candles
from marketcli.output.panels.tape import LargeTrades, Liquidations, Trades

if TYPE_CHECKING:
    from marketcli.datasets import Dataset
    from marketcli.output.panels.panel import About, Feeds, Panel

VIEWS: dict[str, type[Panel]] = {
    "liquidations": Liquidations,
    "large_trades": LargeTrades,
    "trades": Trades,
    "ohlc": Candles,
    "ticker": Tickers,
    "funding": Fundings,
    "oi": Interests,
}


def panel_of(dataset: Dataset, feeds: Feeds, about: About) -> Panel:
    """The panel for a dataset."""
    return VIEWS[dataset.name](feeds, about)
