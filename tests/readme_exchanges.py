"""README's section about each exchange, written from the tables: `python tests/readme_exchanges.py` renews it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from marketcli import exchanges
from marketcli.cli.app import app
from marketcli.cli.examples import examples_of
from marketcli.datasets import DATASETS, Cadence

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from marketcli.datasets import Dataset
    from marketcli.models import Market
    from marketcli.spec import Endpoint, Exchange

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- exchanges: written by tests/readme_exchanges.py -->", "<!-- end of exchanges -->"
SUMMARY = "How far back, its limits, what it lacks and why"
NAMED = 3  # budgets with the same limit that are named; more are counted
COMMAND: Any = typer.main.get_command(app)


def section() -> str:
    """All exchanges of this package, in Markdown."""
    own = [name for name, package in exchanges.packages().items() if package.startswith("marketcli.")]
    return "\n\n".join(page(exchanges.load(name)) for name in sorted(own))


def page(table: Exchange) -> str:
    """One exchange: commands to copy, and folded how far back it reaches, its limits, and what it lacks."""
    streams = lacks(table, table.unstreamed, "No stream of")
    facts = [depths(table), budgets(table), *lacks(table, table.absent, "No"), *streams, *table.unknowns]
    return "\n".join(
        [
            f"### {table.title}",
            "",
            f"`-e {table.name}`; markets {', '.join(table.markets)}; sites {', '.join(table.sites)}.",
            "",
            *commands(table),
            "",
            f"<details><summary>{SUMMARY}</summary>",
            "",
            *(f"- {sentence}" for sentence in facts),
            "",
            "</details>",
        ]
    )


def commands(table: Exchange) -> list[str]:
    """A block of commands with what each gives."""
    found = list(examples_of(table, frozenset(COMMAND.commands)))
    width = max(len(one.command) for one in found)
    return ["```sh", *(f"{one.command:{width}}  # {one.meaning}" for one in found), "```"]


def depths(table: Exchange) -> str:
    """How far back each history reaches."""
    reach: dict[str, dict[str, list[Market]]] = {}
    for dataset in DATASETS.values():
        for market in table.markets:
            endpoint = table.endpoint(dataset, market)
            if endpoint is not None and dataset.cadence is not Cadence.NOW and endpoint.reach == "history":
                reach.setdefault(depth(endpoint), {}).setdefault(dataset.name, []).append(market)
    clauses = (f"{group}: {how}" for how, found in reach.items() for group in groups(table, found))
    return f"How far back: {'; '.join(clauses)}."


def depth(endpoint: Endpoint) -> str:
    """How far back an endpoint reaches, with those that have what it has no more."""
    while endpoint.earlier is not None:
        endpoint = endpoint.earlier
    if endpoint.newest is not None:
        return f"the newest {endpoint.newest:,} of each interval"
    if endpoint.lookback is None:
        return "all there is"
    days, hours = endpoint.lookback.days, endpoint.lookback.seconds // 3_600
    return f"{days} days" if days > 2 else f"{24 * days + hours} hours"


def groups(table: Exchange, found: Mapping[str, Collection[Market]]) -> list[str]:
    """Datasets that have the same markets together, with these unless they are all."""
    shared: dict[tuple[Market, ...], list[str]] = {}
    for dataset, markets in found.items():
        shared.setdefault(tuple(market for market in table.markets if market in markets), []).append(dataset)
    return [
        ", ".join(names) + ("" if markets == table.markets else f" ({', '.join(markets)})")
        for markets, names in shared.items()
    ]


def budgets(table: Exchange) -> str:
    """What the exchange meters; nine tenths of it are used."""
    shared: dict[tuple[int, float], list[str]] = {}
    for budget in table.budgets:
        shared.setdefault((budget.limit, budget.seconds), []).append(budget.name)
    parts = (f"{limit:,} in {seconds:g} s ({counted(names)})" for (limit, seconds), names in shared.items())
    return f"Limits, of which nine tenths are used: {'; '.join(parts)}."


def counted(names: Sequence[str]) -> str:
    """Budgets by name, many by their number."""
    return ", ".join(names) if len(names) <= NAMED else f"each of {len(names)} kinds of request"


def lacks(table: Exchange, absent: Mapping[tuple[Dataset, Market], str], word: str) -> list[str]:
    """What it does not have, and why: a sentence for each reason."""
    shared: dict[str, dict[str, list[Market]]] = {}
    for (dataset, market), reason in absent.items():
        if market in table.markets:
            shared.setdefault(reason, {}).setdefault(dataset.name, []).append(market)
    return [f"{word} {group}: {reason}." for reason, found in shared.items() for group in groups(table, found)]


def renewed(text: str) -> str:
    """README with the section as it should be now."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{section()}\n\n{END}{tail}"


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")
