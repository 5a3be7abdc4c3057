"""Asking for several instruments and telling what came: rows, gaps, failures, one exit code."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from marketcli.api.answer import missing, prefix
from marketcli.cli.candles import ending, gap_entries, incomplete, metadata, nothing, remarks
from marketcli.cli.notice import complain, put, tell
from marketcli.cli.show import NOTHING
from marketcli.errors import PRIORITY, DatasetAbsent, MarketError, UsageError, worst

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from marketcli.api.answer import Answer
    from marketcli.api.session import Session
    from marketcli.cli.options import Common, Everywhere, Manner, Output
    from marketcli.cli.show import Destination
    from marketcli.config import Config
    from marketcli.datasets import Dataset
    from marketcli.output.progress import Progress
    from marketcli.spec import Exchange


@dataclass(frozen=True, slots=True)
class Job:
    """What a command works with once its options are settled."""

    config: Config
    manner: Manner
    destination: Destination
    dataset: Dataset
    draw: Callable[[Sequence[Answer]], None]

    @classmethod
    def of(
        cls,
        before: Everywhere | None,
        common: Common,
        output: Output,
        *,
        dataset: Dataset,
        draw: Callable[[Destination, Sequence[Answer]], None],
        known: Mapping[str, str] = NOTHING,
    ) -> Job:
        """Settle options, logging and destination before anything is asked."""
        from marketcli.cli import logs
        from marketcli.cli.options import settle
        from marketcli.cli.show import Destination, check_fields, names

        config, manner, warnings = settle(before, common, time=output.time)
        logs.start(manner.verbose, config.log_file)
        kinds = columns_of(dataset, config)
        check_fields(names(output.fields), list(kinds))
        tell(config, warnings=warnings)
        destination = Destination.of(output, config, kinds=kinds, known=known)
        return cls(config, manner, destination, dataset, lambda answers: draw(destination, answers))

    async def ask(self, symbols: Sequence[str], one: One, *, refresh: bool, progress: bool = False) -> int:
        """Ask for every symbol at every exchange, side by side, write what came and say what did not; the exit code."""
        from marketcli.api.fallback import exchanges_of
        from marketcli.api.session import Session
        from marketcli.output.progress import Progress

        asked = exchanges_of(self.config)
        async with Session(self.config, refresh=refresh) as session:
            with Progress(sys.stderr, 0, quiet=self.manner.quiet or not progress) as bar:
                results = await collected(
                    [each(session, one, exchanges, symbol, bar) for symbol in symbols for exchanges in asked],
                    several=len(asked) > 1,
                )
        return self.finish(*sorted_out(results))

    def finish(self, answers: Sequence[Answer], failures: Sequence[MarketError]) -> int:
        """Write all rows, then say what is missing; the exit code."""
        failures = [*failures, *(empty for answer in answers if (empty := nothing(answer)))]
        answers = once([answer for answer in answers if not nothing(answer)])
        if not answers:
            raise min(failures, key=lambda error: PRIORITY.index(error.exit))
        failures, absent = self.divided(failures)
        notes = [f"{prefix(answer)}{note}" for answer in answers for note in remarks(answer)]
        if self.config.sandbox:
            notes.insert(0, "These rows are simulated by the embedded sandbox.")
        notes += self.write(answers)
        self.tell(answers, absent if self.destination.drawn else [*notes, *absent])
        for error in failures:
            complain(error, self.config)
        if lost := sum(gap.missing for answer in answers for gap in answer.lost):
            complain(incomplete(answers, lost), self.config)
        return worst([error.exit for error in failures] + [ending(answer) for answer in answers])

    def divided(self, failures: Sequence[MarketError]) -> tuple[list[MarketError], list[str]]:
        """What failed, and what is only to be told: that one of everybody does not offer the dataset."""
        everybody = "all" in self.config.exchange.split(",")
        absent = [error for error in failures if everybody and isinstance(error, DatasetAbsent)]
        return [error for error in failures if error not in absent], [error.message for error in absent]

    def write(self, answers: Sequence[Answer]) -> list[str]:
        """Draw the rows or write them; gives sentences the user should read."""
        from marketcli import frames

        if self.destination.drawn:
            self.draw(answers)
            return []
        frame = frames.concat(self.dataset, [answer.frame for answer in answers])
        return self.destination.write(frame, columns_of(self.dataset, self.config), metadata=metadata(answers))

    def tell(self, answers: Sequence[Answer], notes: Sequence[str]) -> None:
        """Say on stderr what is missing and what else there is to know."""
        in_json = self.config.errors == "json"
        warnings = [] if in_json else [sentence for answer in answers for sentence in missing(answer)]
        tell(self.config, warnings=warnings, notes=[] if self.manner.quiet else notes)
        for entry in (entry for answer in answers if in_json for entry in gap_entries(answer)):
            put(entry)


def columns_of(dataset: Dataset, config: Config) -> dict[str, str]:
    """The columns of the rows that will come, and their kinds."""
    from marketcli.datasets import kinds

    return kinds(dataset) | ({"fallback_from": "text"} if config.fallback else {})


T = TypeVar("T")
One: TypeAlias = "Callable[[Session, Exchange, str, Progress], Awaitable[Answer]]"


def each(
    session: Session, one: One, exchanges: Sequence[Exchange], symbol: str, bar: Progress
) -> Coroutine[Any, Any, Answer]:
    """The question about one symbol at one exchange, or at those that stand in for it."""
    if session.config.fallback:
        from marketcli.api.fallback import first_that_answers

        return first_that_answers(exchanges, lambda exchange: one(session, exchange, symbol, bar))

    async def alone() -> Answer:
        return await one(session, exchanges[0], symbol, bar)

    return alone()


async def collected(asked: Sequence[Coroutine[Any, Any, T]], *, several: bool) -> list[T | MarketError]:
    """All answers and failures; what is wrong with the question itself, or with us, ends everything at once.

    Of several exchanges one may not know the symbol or the interval that another knows.
    """
    from asyncio import FIRST_EXCEPTION, create_task, gather, wait

    tasks = [create_task(tolerant(one, several=several)) for one in asked]
    try:
        await wait(tasks, return_when=FIRST_EXCEPTION)
        for task in tasks:
            if task.done() and (error := task.exception()) is not None:
                raise error
        return [task.result() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await gather(*tasks, return_exceptions=True)


async def tolerant(asked: Coroutine[Any, Any, T], *, several: bool) -> T | MarketError:
    """The answer, or the failure that the others may survive."""
    try:
        return await asked
    except UsageError as error:
        if several:
            return error
        raise
    except MarketError as error:
        return error


def sorted_out(results: Sequence[T | MarketError]) -> tuple[list[T], list[MarketError]]:
    """Answers and failures."""
    failures = [result for result in results if isinstance(result, MarketError)]
    return [result for result in results if not isinstance(result, MarketError)], failures


def once(answers: Sequence[Answer]) -> list[Answer]:
    """The answers without those about an instrument that another name meant already."""
    found: dict[object, Answer] = {}
    for answer in answers:
        found.setdefault((answer.exchange, answer.market, answer.name), answer)
    return list(found.values())
