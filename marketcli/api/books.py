"""Order books in one row each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from marketcli.analysis.depth import Ladder, Level, Side
from marketcli.api.derivatives import as_frame
from marketcli.datasets import BOOK_SUMMARY

if TYPE_CHECKING:
    import polars as pl

    from marketcli.api.answer import Answer

BANDS = {"10bp": 0.001, "50bp": 0.005, "100bp": 0.01, "200bp": 0.02}  # of the columns, and as shares of mid


def summarised(answer: Answer, *, asked: int, order: float | None = None) -> Answer:
    """The figures of a book of which `asked` levels a side were wanted, and what an `order` in quote units would pay.

    A side with fewer levels has no more of them.
    """
    ladder = ladder_of(answer.frame, asked)
    row = stamp(answer.frame) | prices(ladder)
    for name, side in (("bid", ladder.bids), ("ask", ladder.asks)):
        row |= depths(name, side, ladder.mid)
    if order is not None:
        row |= {"order": order}
        row |= cost("buy", ladder, order) | cost("sell", ladder, order)
    return replace(answer, dataset=BOOK_SUMMARY, frame=as_frame(answer.one, BOOK_SUMMARY, row))


def ladder_of(frame: pl.DataFrame, asked: int) -> Ladder:
    """Both sides of a book from its rows."""
    bids, asks = (
        tuple(Level(*row) for row in frame.filter(frame["side"] == side).select("price", "size", "notional").rows())
        for side in ("bid", "ask")
    )
    return Ladder(Side(bids, whole=len(bids) < asked), Side(asks, whole=len(asks) < asked))


def stamp(frame: pl.DataFrame) -> dict[str, Any]:
    """When the book was so, in microseconds, and its number."""
    if not frame.height:
        return {}
    return {"time": frame["time"].to_physical()[0], "update_id": frame["update_id"][0]}


def prices(ladder: Ladder) -> dict[str, Any]:
    """The best of both sides and what lies between them."""
    bid, ask = ladder.bids.best, ladder.asks.best
    return {
        "bid": bid and bid.price,
        "bid_size": bid and bid.size,
        "ask": ask and ask.price,
        "ask_size": ask and ask.size,
        "spread": ladder.spread,
        "mid": ladder.mid,
        "microprice": ladder.microprice,
        "imbalance": ladder.imbalance,
    }


def depths(name: str, side: Side, mid: float | None) -> dict[str, Any]:
    """What rests on a side, near mid and altogether; null where the levels do not reach so far."""
    row: dict[str, Any] = {f"{name}_levels": len(side.levels), f"{name}_depth": side.value}
    if mid is None:
        return row
    bands = {band: side.within(share, mid=mid) for band, share in BANDS.items()}
    near = {f"{name}_depth_{band}": depth.value if depth.exact else None for band, depth in bands.items()}
    return row | {f"{name}_reach": side.reach(mid)} | near


def cost(way: str, ladder: Ladder, order: float) -> dict[str, Any]:
    """What a market order meets: averages only where the levels fill all of it."""
    fill = (ladder.asks if way == "buy" else ladder.bids).fill(order)
    if fill is None:
        return {f"{way}_filled": 0.0}
    row: dict[str, Any] = {f"{way}_filled": fill.value}
    if fill.complete:
        row |= {f"{way}_average": fill.average, f"{way}_worst": fill.worst}
        row |= {f"{way}_slippage": ladder.slippage(fill, buying=way == "buy")}
    return row
