"""Asking for several instruments and telling what came: rows, gaps, failures, one exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketcli.cli.candles import ending, gap_entries, gap_sentences, incomplete, metadata, nothing, prefix, remarks
from marketcli.cli.notice import complain, put, tell
from marketcli.errors import PRIORITY, MarketError, UsageError, worst

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from marketcli.api.answer import Answer
    from marketcli.cli.options import Common, Everywhere, Manner, Output
    from marketcli.cli.show import Destination
    from marketcli.config import Config
    from marketcli.datasets import Dataset


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
    ) -> Job:
        """Settle options, logging and destination before anything is asked."""
        from marketcli.cli import logs
        from marketcli.cli.options import settle
        from marketcli.cli.show import Destination, check_fields, names
        from marketcli.datasets import kinds

        config, manner, warnings = settle(before, common, time=output.time)
        logs.start(manner.verbose, config.log_file)
        check_fields(names(output.fields), dataset.fields)
        tell(config, warnings=warnings)
        destination = Destination.of(output, config, kinds=kinds(dataset))
        return cls(config, manner, destination, dataset, lambda answers: draw(destination, answers))

    async def answer(self, asked: Sequence[Awaitable[Answer]]) -> int:
        """Wait for all answers side by side; what cannot be asked at all stops everything."""
        from asyncio import gather

        return self.finish(*sorted_out(await gather(*asked, return_exceptions=True)))

    def finish(self, answers: Sequence[Answer], failures: Sequence[MarketError]) -> int:
        """Write all rows, then say what is missing; the exit code."""
        failures = [*failures, *(empty for answer in answers if (empty := nothing(answer)))]
        answers = [answer for answer in answers if not nothing(answer)]
        if not answers:
            raise min(failures, key=lambda error: PRIORITY.index(error.exit))
        notes = [f"{prefix(answer)}{note}" for answer in answers for note in remarks(answer)]
        if self.config.sandbox:
            notes.insert(0, "These rows are simulated by the embedded sandbox.")
        notes += self.write(answers)
        self.tell(answers, [] if self.destination.drawn else notes)
        for error in failures:
            complain(error, self.config)
        if lost := sum(gap.missing for answer in answers for gap in answer.lost):
            complain(incomplete(answers, lost), self.config)
        return worst([error.exit for error in failures] + [ending(answer) for answer in answers])

    def write(self, answers: Sequence[Answer]) -> list[str]:
        """Draw the rows or write them; gives sentences the user should read."""
        from marketcli import frames
        from marketcli.datasets import kinds

        if self.destination.drawn:
            self.draw(answers)
            return []
        frame = frames.concat(self.dataset, [answer.frame for answer in answers])
        return self.destination.write(frame, kinds(self.dataset), metadata=metadata(answers))

    def tell(self, answers: Sequence[Answer], notes: Sequence[str]) -> None:
        """Say on stderr what is missing and what else there is to know."""
        in_json = self.config.errors == "json"
        warnings = [] if in_json else [sentence for answer in answers for sentence in gap_sentences(answer)]
        tell(self.config, warnings=warnings, notes=[] if self.manner.quiet else notes)
        for entry in (entry for answer in answers if in_json for entry in gap_entries(answer)):
            put(entry)


def sorted_out(results: Sequence[Answer | BaseException]) -> tuple[list[Answer], list[MarketError]]:
    """Answers and failures; what is wrong with the question itself, or with us, is raised."""
    for result in results:
        if isinstance(result, UsageError) or (
            isinstance(result, BaseException) and not isinstance(result, MarketError)
        ):
            raise result
    answers = [result for result in results if not isinstance(result, BaseException)]
    return answers, [result for result in results if isinstance(result, MarketError)]
