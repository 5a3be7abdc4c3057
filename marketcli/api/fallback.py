"""Asking the next exchange when the first cannot answer, and never without saying so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from marketcli import exchanges
from marketcli.errors import LocalError, MarketError, UnknownSymbol, UsageError
from marketcli.text import clean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import polars as pl

    from marketcli.api.answer import Answer
    from marketcli.config import Config
    from marketcli.spec import Exchange

COLUMN = "fallback_from"


def exchanges_of(config: Config) -> list[list[Exchange]]:
    """The exchanges to ask, each with those that stand in for it. Raises `UsageError`."""
    asked = exchanges.chosen(config.exchange)
    if not config.fallback:
        return [[one] for one in asked]
    if len(asked) > 1:
        raise UsageError("--fallback goes with one exchange.", hint="Leave it out, or name one exchange with -e.")
    return [[*asked, *(one for one in exchanges.chosen(",".join(config.fallback)) if one not in asked)]]


async def first_that_answers(order: Sequence[Exchange], ask: Callable[[Exchange], Awaitable[Answer]]) -> Answer:
    """The answer of the first exchange that has one; rows and notes say whose place it took.

    Raises what is wrong with the question itself at once, else what the first exchange said when none answers.
    """
    failures: list[MarketError] = []
    for exchange in order:
        try:
            answer = await ask(exchange)
        except MarketError as error:
            if isinstance(error, LocalError) or (
                isinstance(error, UsageError) and not isinstance(error, UnknownSymbol)
            ):
                raise
            failures.append(error)
            continue
        first = order[0].name if failures else None
        return replace(
            answer,
            frame=marked(answer.frame, first),
            fallback_from=first,
            notes=(*answer.notes, *said(order, exchange, failures)),
        )
    raise tried(failures, order)


def marked(frame: pl.DataFrame, first: str | None) -> pl.DataFrame:
    """The rows with the exchange that was to answer, where another one did."""
    import polars as pl  # noqa: PLC0415

    return frame.with_columns(pl.lit(first, dtype=pl.String()).alias(COLUMN))


def said(order: Sequence[Exchange], answered: Exchange, failures: Sequence[MarketError]) -> list[str]:
    """Why these rows come from another exchange."""
    return [
        f"{failed.title} could not answer: {clean(error.message)} These rows are of {answered.title}."
        for failed, error in zip(order, failures, strict=False)
    ]


def tried(failures: Sequence[MarketError], order: Sequence[Exchange]) -> MarketError:
    """What the first exchange said, with those asked after it."""
    first = failures[0]
    if others := [exchange.title for exchange in order[1:]]:
        first.hint = f"{first.hint} {' and '.join(others)} could not answer either.".strip()
    return first
