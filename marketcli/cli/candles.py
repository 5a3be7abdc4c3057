"""What is said about candles: headline, caption, gaps, and the plan of a dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketcli.api.answer import because, noun, prefix
from marketcli.datasets import Cadence
from marketcli.errors import ExitCode, Incomplete, NotOffered
from marketcli.models import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from marketcli.api.answer import Answer
    from marketcli.api.candles import Plan
    from marketcli.output.view import View
    from marketcli.spec import Site

PLAN = {
    "exchange": "text",
    "market": "text",
    "symbol": "text",
    "interval": "text",
    "since": "time",
    "until": "time",
    "rows": "integer",
    "requests": "integer",
    "weight": "integer",
    "budget": "text",
    "host": "text",
    "path": "text",
}


def view(answer: Answer) -> View:
    """An answer as a table shows it."""
    from marketcli.output.view import View

    interval, instrument, frame = answer.interval, answer.one, answer.frame
    running = bool(frame.height) and not frame["closed"][-1]
    finished = frame.height - running
    took = f"{answer.requests} request{'s' if answer.requests != 1 else ''}, {answer.seconds * 1_000:,.0f} ms"
    return View(
        frame=frame,
        kinds=kinds_of(answer),
        title=[
            instrument.symbol,
            f"{instrument.exchange} {instrument.market} {instrument.native}",
            str(interval),
            *([] if answer.dataset.name == "ohlc" else [answer.dataset.title]),
        ],
        caption=[
            "UTC",
            f"{instrument.exchange} {instrument.market} via {answer.via}",
            f"{finished:,} closed candle{'s' if finished != 1 else ''}",
            took,
        ],
        notes=remarks(answer),
        base=instrument.base,
        quote=instrument.quote,
        tick=instrument.tick if answer.dataset.name == "ohlc" else None,
        closes_at=interval.step(interval.floor(answer.now)) if running and interval else None,
        now=answer.now,
    )


def kinds_of(answer: Answer) -> dict[str, str]:
    """The kinds of an answer's columns."""
    from marketcli.datasets import kinds

    return kinds(answer.dataset)


def gap_entries(answer: Answer) -> list[dict[str, object]]:
    """The same for programs."""
    return [
        {
            "gap": {
                "exchange": answer.exchange,
                "market": answer.market.value,
                "symbol": answer.name,
                "interval": None if gap.interval is None else str(gap.interval),
                "from": iso(gap.window.start),
                "to": iso(gap.window.end),
                "missing": gap.missing,
                "cause": gap.cause,
            }
        }
        for gap in answer.lost
    ]


def remarks(answer: Answer) -> list[str]:
    """What a reader should know beside the rows."""
    expected = [f"Nothing from {gap.window}: {because(gap)}." for gap in answer.gaps if gap.expected and gap.missing]
    return [*answer.notes, *expected]


def nothing(answer: Answer) -> NotOffered | None:
    """The error for an answer that has no rows and lacks none either: there was nothing to have.

    A window without events is a complete answer.
    """
    quiet = answer.dataset.cadence is Cadence.EVENT and answer.window is not None
    if answer.frame.height or answer.lost or quiet:
        return None
    why = " ".join(remarks(answer)) or "Nothing has finished there yet."
    return NotOffered(f"{prefix(answer)}no {noun(answer)} in that window.", hint=why)


def incomplete(answers: Sequence[Answer], lost: int) -> Incomplete:
    """The error that stands for all gaps."""
    gaps = sum(len(answer.lost) for answer in answers)
    return Incomplete(
        f"Incomplete: {lost:,} {noun(answers[0])} are missing in {gaps} gap{'s' if gaps != 1 else ''}; "
        "all others were delivered.",
        hint="Nothing was filled in. Exit code 3 says so to scripts.",
    )


def ending(answer: Answer) -> ExitCode:
    """How one answer ends the command."""
    return Incomplete.exit if answer.lost else ExitCode.OK


def metadata(answers: Sequence[Answer]) -> dict[str, str]:
    """What a Parquet file says of itself; nothing that changes from run to run."""
    from marketcli import __version__

    first = answers[0]
    return {
        "marketcli.version": __version__,
        "marketcli.dataset": first.dataset.name,
        "marketcli.interval": str(first.interval or ""),
        "marketcli.source": ", ".join(sorted({answer.exchange for answer in answers})),
        "marketcli.complete": "no" if any(answer.lost for answer in answers) else "yes",
    }


def plan_frame(plans: Sequence[Plan], sites: Sequence[Site]) -> pl.DataFrame:
    """Plans as rows: what would be asked, how often, and what it weighs."""
    import polars as pl

    kinds = {"text": pl.String(), "integer": pl.Int64(), "time": pl.Int64()}
    rows = [planned(plan, site) for plan, site in zip(plans, sites, strict=True)]
    frame = pl.DataFrame(rows, schema={name: kinds[kind] for name, kind in PLAN.items()}, orient="row")
    times = [name for name, kind in PLAN.items() if kind == "time"]
    return frame.with_columns(pl.col(times).cast(pl.Datetime("us", "UTC")))


def planned(plan: Plan, site: Site) -> tuple[object, ...]:
    """One plan as a row."""
    instrument, cost = plan.instrument, plan.cost()
    return (
        instrument.exchange,
        instrument.market.value,
        instrument.symbol,
        str(plan.asked),
        plan.window.start,
        plan.window.end,
        plan.asked.count_in(plan.window),
        len(plan.pages()),
        sum(cost.values()),
        ", ".join(cost),
        site.hosts[instrument.market][0].partition("://")[2],
        ", ".join(dict.fromkeys(endpoint.path for endpoint, _ in plan.pages())),
    )
