"""What every Python function does: settings, all symbols at all exchanges side by side, warnings, one frame."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Any, TypeAlias

from marketcli import frames
from marketcli.api.answer import missing, prefix
from marketcli.api.fallback import exchanges_of, first_that_answers
from marketcli.api.session import Session
from marketcli.config import Config, load
from marketcli.errors import MarketError
from marketcli.models import Market, parse_market

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import polars as pl

    from marketcli.api.answer import Answer
    from marketcli.spec import Exchange

Ask: TypeAlias = "Callable[[Session, Exchange, str], Awaitable[Answer]]"


class IncompleteWarning(UserWarning):
    """An answer lacks rows that should be there, or has some that contradict themselves."""


def configured(settings: dict[str, Any], **more: Any) -> Config:
    """The settings in force for a call."""
    config, unknown = load(settings | more)
    for sentence in unknown:
        warnings.warn(sentence, stacklevel=3)
    return config


async def ask_all(config: Config, symbol: str | Sequence[str], ask: Ask) -> pl.DataFrame:
    """The rows of one symbol or several at one exchange or several, side by side, with warnings about what is missing.

    Where several exchanges are asked, the failure of one is a warning, unless all fail.
    """
    symbols, asked = [symbol] if isinstance(symbol, str) else list(symbol), exchanges_of(config)
    return await gathered(config, [(those, name) for name in symbols for those in asked], ask)


async def ask_markets(config: Config, ask: Callable[[Session, Exchange, Market], Awaitable[Answer]]) -> pl.DataFrame:
    """The same for whole markets: that of the settings, else all that each exchange has."""
    pairs = [
        (those, market.value)
        for those in exchanges_of(config)
        for market in ([config.market] if config.market else those[0].markets)
    ]
    return await gathered(config, pairs, lambda session, at, name: ask(session, at, parse_market(name)))


async def gathered(config: Config, asked: Sequence[tuple[Sequence[Exchange], str]], ask: Ask) -> pl.DataFrame:
    """The rows of all answers, in the order of the questions; warnings for what is missing and who failed."""
    several = len({those[0].name for those, _ in asked}) > 1
    async with Session(config) as session:
        results = await asyncio.gather(
            *(at_first(session, those, name, ask) for those, name in asked), return_exceptions=several
        )
    answers = [result for result in results if not isinstance(result, BaseException)]
    for failure in (result for result in results if isinstance(result, BaseException)):
        if not answers or not isinstance(failure, MarketError):
            raise failure
        warnings.warn(str(failure), IncompleteWarning, stacklevel=4)
    for sentence in (sentence for answer in answers for sentence in lacking(answer)):
        warnings.warn(sentence, IncompleteWarning, stacklevel=4)
    return frames.concat(answers[0].dataset, [answer.frame for answer in answers])


def at_first(session: Session, those: Sequence[Exchange], name: str, ask: Ask) -> Awaitable[Answer]:
    """The answer of an exchange, or of the first that has one where others stand in for it."""
    if session.config.fallback:
        return first_that_answers(those, lambda exchange: ask(session, exchange, name))
    return ask(session, those[0], name)


def lacking(answer: Answer) -> list[str]:
    """What an answer lacks, and where it came from instead of the exchange that was asked."""
    instead = [] if answer.fallback_from is None else [f"{prefix(answer)}stands in for {answer.fallback_from}."]
    return [*missing(answer), *instead]
