"""Fills of one taker order as one record: trades of one instrument, one side and one time that follow each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketcli.live import defaults
from marketcli.live.outbox import Outbox
from marketcli.records import LargeTrade, Trade
from marketcli.values import decimal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marketcli.live.outbox import Origin
    from marketcli.records import Record


class Orders(Outbox):
    """An outbox that hands on orders instead of trades: those worth `least` dollars or more.

    Exchanges do not name the order a trade belongs to. What one taker does at one moment on one side is taken for one
    order; it is handed on when another trade follows, or when none does for a moment.
    """

    def __init__(self, least: float, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self.least = least
        self.monotonic = monotonic
        self.open: dict[tuple[str, str, str], list[Trade]] = {}  # by exchange, market and symbol
        self.since: dict[tuple[str, str, str], float] = {}
        self.origins: dict[tuple[str, str, str], Origin] = {}

    def put(self, origin: Origin, records: Sequence[Record]) -> None:
        """Take trades, and hand on the orders that end with them."""
        whole: list[Record] = []
        now = self.monotonic()
        for record in records:
            trade: Any = record
            key = (trade.exchange, trade.market, trade.symbol)
            fills = self.open.get(key)
            if fills is not None and fills[0].time == trade.time and fills[0].side == trade.side:
                fills.append(trade)
                continue
            if fills is not None:
                whole += self.order(fills)
            self.open[key], self.since[key], self.origins[key] = [trade], now, origin
        if whole:
            super().put(origin, whole)

    def due(self) -> None:
        """Hand on the orders that no fill has followed for a moment."""
        until = self.monotonic() - defaults.ORDER_OPEN_SECONDS
        self.hand_on([key for key, since in self.since.items() if since <= until])

    def finish(self) -> None:
        """Hand on all orders."""
        self.hand_on(list(self.open))

    def hand_on(self, keys: Sequence[tuple[str, str, str]]) -> None:
        """End these orders."""
        for key in keys:
            del self.since[key]
            if found := self.order(self.open.pop(key)):
                super().put(self.origins[key], found)

    def order(self, fills: Sequence[Trade]) -> list[Record]:
        """The record of an order, if it is large enough; where its value in dollars is not known, that counts as 0."""
        dollars = sum(fill.notional_usd or 0.0 for fill in fills)
        return [together(fills)] if dollars >= self.least else []


def together(fills: Sequence[Trade]) -> LargeTrade:
    """Fills of one order as one record."""
    first = fills[0]
    size, notional = decimal(sum(fill.size for fill in fills)), decimal(sum(fill.notional for fill in fills))
    prices = [fill.price for fill in fills]
    inverse = first.market == "inverse"
    worth = sum(fill.price * fill.size for fill in fills)
    return LargeTrade(
        first.exchange,
        first.market,
        first.symbol,
        first.native,
        first.time,
        first.id,
        len(fills),
        first.price if len(fills) == 1 else decimal((notional if inverse else worth) / size),
        max(prices) if first.side == "buy" else min(prices),
        size,
        notional,
        None if first.notional_usd is None else notional,
        first.side,
        first.source,
    )
