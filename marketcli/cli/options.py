"""Options that mean the same everywhere, and the decorator that gives them to a command.

A command takes one object per class: `@options` puts the fields of each class into the command's signature, where Typer
finds them, and hands the command the objects.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from marketcli.cli import complete

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketcli.api.candles import Range
    from marketcli.config import Config

REACH = "Reach"
TALK = "Messages"
DATA = "Output"
WINDOW = "Window"
WATCH = "Watch"


@dataclass(frozen=True, slots=True)
class Everywhere:
    """Options accepted before and after the command; the later wins."""

    sandbox: Annotated[
        bool | None,
        typer.Option(
            "--sandbox", metavar="", help="Use the embedded sandbox: simulated data, no network.", rich_help_panel=REACH
        ),
    ] = None
    via: Annotated[
        str | None,
        typer.Option("--via", metavar="URL", help="Send every request through this address.", rich_help_panel=REACH),
    ] = None
    offline: Annotated[
        bool | None,
        typer.Option("--offline", metavar="", help="Send nothing beyond this machine.", rich_help_panel=REACH),
    ] = None
    no_color: Annotated[
        bool | None, typer.Option("--no-color", metavar="", help="No colours.", rich_help_panel=TALK)
    ] = None
    quiet: Annotated[
        bool | None,
        typer.Option(
            "--quiet", "-q", metavar="", help="No progress, no notes; warnings and errors only.", rich_help_panel=TALK
        ),
    ] = None
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose",
            "-v",
            count=True,
            show_default=False,
            metavar="",
            help="Show each request (-v), tracebacks too (-vv).",
            rich_help_panel=TALK,
        ),
    ] = 0
    json_errors: Annotated[
        bool | None, typer.Option("--json-errors", metavar="", help="Errors as JSON on stderr.", rich_help_panel=TALK)
    ] = None

    def given(self) -> dict[str, Any]:
        """What was really said."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value not in (None, [], 0, False)}


@dataclass(frozen=True, slots=True)
class Common(Everywhere):
    """What every command that asks an exchange takes."""

    exchange: Annotated[
        str | None,
        typer.Option(
            "--exchange",
            "-e",
            metavar="NAME,…",
            help="Exchange to ask, several with commas, or all; default binance.",
            rich_help_panel=REACH,
            autocompletion=complete.exchange_names,
        ),
    ] = None
    market: Annotated[
        str | None,
        typer.Option(
            "--market",
            "-m",
            help="spot, linear (um, perp) or inverse (cm).",
            rich_help_panel=REACH,
            autocompletion=complete.markets,
        ),
    ] = None
    testnet: Annotated[
        bool | None, typer.Option("--testnet", metavar="", help="Use the exchange's testnet.", rich_help_panel=REACH)
    ] = None
    site: Annotated[
        str | None,
        typer.Option(
            "--site", metavar="NAME", help="The exchange's installation: eea, us (OKX).", rich_help_panel=REACH
        ),
    ] = None
    fallback: Annotated[
        str | None,
        typer.Option(
            "--fallback",
            metavar="NAME,…",
            help="Ask these in turn when the exchange cannot answer; every row says so.",
            rich_help_panel=REACH,
            autocompletion=complete.exchange_names,
        ),
    ] = None
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh",
            metavar="",
            help="Fetch kept lists anew.",
            rich_help_panel=REACH,
        ),
    ] = False
    proxy: Annotated[
        str | None,
        typer.Option("--proxy", metavar="URL", help="Proxy; default: from the environment.", rich_help_panel=REACH),
    ] = None
    ca_file: Annotated[
        str | None,
        typer.Option("--ca-file", metavar="PEM", help="More certificates to trust.", rich_help_panel=REACH),
    ] = None
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="HOST", help="Host that --via may name.", rich_help_panel=REACH),
    ] = None
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", metavar="SECONDS", help="Time for one request; 60.", rich_help_panel=REACH),
    ] = None
    max_wait: Annotated[
        float | None,
        typer.Option("--max-wait", metavar="SECONDS", help="Longest wait for a budget; 300.", rich_help_panel=REACH),
    ] = None
    log_file: Annotated[
        str | None,
        typer.Option("--log-file", metavar="FILE", help="Append requests as JSON lines.", rich_help_panel=TALK),
    ] = None


@dataclass(frozen=True, slots=True)
class Span:
    """Which rows: a window or the last ones."""

    last: Annotated[
        int | None,
        typer.Option("--last", "-n", metavar="N", help="The last N rows; 100.", rich_help_panel=WINDOW),
    ] = None
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="From here on: 2024, 2024-01-31, 7d …", rich_help_panel=WINDOW),
    ] = None
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Up to, not including.", rich_help_panel=WINDOW)
    ] = None
    span: Annotated[
        str | None,
        typer.Option("--for", metavar="SPAN", help="For so long: 12h, 90d, 3mo.", rich_help_panel=WINDOW),
    ] = None

    @property
    def asked(self) -> bool:
        """Whether any window was asked for."""
        return (self.last, self.since, self.until, self.span) != (None, None, None, None)

    def range(self) -> Range:
        """The window as the functions take it. Raises `UsageError`."""
        from marketcli.api.candles import Range

        return Range(last=self.last, since=self.since, until=self.until, span=self.span)


Force = Annotated[bool, typer.Option("--force", metavar="", help="Replace files.", rich_help_panel=DATA)]
Filter = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="FILTER",
        help="Only rows for which this is true: \"close > open and time >= '2024'\".",
        rich_help_panel=DATA,
    ),
]
TimeUnit = Annotated[
    str | None,
    typer.Option("--time", metavar="UNIT", help="Times as iso, s, ms, us or ns.", rich_help_panel=DATA),
]
CsvSafe = Annotated[
    bool | None,
    typer.Option(
        "--csv-safe/--no-csv-safe",
        metavar="",
        help="Quote text that a spreadsheet takes for a formula; default: in files.",
        rich_help_panel=DATA,
    ),
]


@dataclass(frozen=True, slots=True)
class Output:
    """Where rows go and in what form."""

    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="table ndjson json csv tsv parquet arrow; default: a table on a terminal, ndjson in a pipe.",
            rich_help_panel=DATA,
            autocompletion=complete.formats,
        ),
    ] = None
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="The same as -f json.", rich_help_panel=DATA)] = (
        False
    )
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write a file; its suffix decides. {symbol}, {date:%Y-%m} and the like make many.",
            rich_help_panel=DATA,
        ),
    ] = None
    force: Force = False
    fields: Annotated[
        str | None,
        typer.Option(
            "--fields",
            metavar="A,B,…",
            help="Only these columns, so ordered.",
            rich_help_panel=DATA,
            autocompletion=complete.fields,
        ),
    ] = None
    where: Filter = None
    time: TimeUnit = None
    wide: Annotated[
        bool, typer.Option("--wide", metavar="", help="All columns, however wide.", rich_help_panel=DATA)
    ] = False
    csv_safe: CsvSafe = None


@dataclass(frozen=True, slots=True)
class Live:
    """How long a watch goes on, and where its records go."""

    span: Annotated[
        str | None, typer.Option("--for", metavar="SPAN", help="End after so long: 10m, 2h.", rich_help_panel=WATCH)
    ] = None
    count: Annotated[
        int | None, typer.Option("--count", metavar="N", help="End after N records.", rich_help_panel=WATCH)
    ] = None
    max_down: Annotated[
        str | None,
        typer.Option(
            "--max-down",
            metavar="SPAN",
            help="Give an exchange up that is away for so long: 5m (exit code 5).",
            rich_help_panel=WATCH,
        ),
    ] = None
    strict: Annotated[
        bool,
        typer.Option("--strict", metavar="", help="Exit code 3 if anything was missed.", rich_help_panel=WATCH),
    ] = False
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="table ndjson csv tsv; default: a panel on a terminal, ndjson in a pipe.",
            rich_help_panel=DATA,
            autocompletion=complete.streamed_formats,
        ),
    ] = None
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write a file that grows line by line; its suffix decides.",
            rich_help_panel=DATA,
        ),
    ] = None
    force: Force = False
    meta: Annotated[
        bool,
        typer.Option(
            "--meta",
            metavar="",
            help="In ndjson: say first what is watched, and what becomes of connections.",
            rich_help_panel=DATA,
        ),
    ] = False
    fields: Annotated[
        str | None,
        typer.Option(
            "--fields",
            metavar="A,B,…",
            help="Only these columns, so ordered.",
            rich_help_panel=DATA,
            autocompletion=complete.streamed_fields,
        ),
    ] = None
    where: Filter = None
    time: TimeUnit = None
    csv_safe: CsvSafe = None


def options(*classes: type[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options of these classes, each handed over as one object by its parameter's type."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        signature, hints = inspect.signature(command), get_type_hints(command, include_extras=True)
        wanted = {name: hint for name, hint in hints.items() if hint in classes}
        kept = [
            parameter.replace(annotation=hints[name])
            for name, parameter in signature.parameters.items()
            if name not in wanted
        ]
        fields = {kind: parameters(kind) for kind in classes}

        @functools.wraps(command)
        def call(*args: Any, **given: Any) -> Any:
            made = {name: kind(**{p.name: given.pop(p.name) for p in fields[kind]}) for name, kind in wanted.items()}
            return command(*args, **given, **made)

        every = [*kept, *(parameter for kind in classes for parameter in fields[kind])]
        call.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
        call.__annotations__ = {parameter.name: parameter.annotation for parameter in every}
        return call

    return decorate


def parameters(kind: type[Any]) -> list[inspect.Parameter]:
    """The fields of an options class as parameters."""
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in dataclasses.fields(kind)
    ]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a command talks, settled from what stood before and after it."""

    quiet: bool = False
    verbose: int = 0


def settle(before: Everywhere | None, common: Everywhere, **more: Any) -> tuple[Config, Manner, list[str]]:
    """The settings in force from the options before and after the command (the later wins), and warnings."""
    from marketcli.config import load

    flags, manner = flags_of(before, common)
    config, warnings = load(flags | more)
    return config, manner, warnings


def flags_of(before: Everywhere | None, common: Everywhere) -> tuple[dict[str, Any], Manner]:
    """The settings that options give, those after the command over those before it."""
    flags = (before.given() if before else {}) | common.given()
    if flags.pop("json_errors", False):
        flags["errors"] = "json"
    manner = Manner(quiet=flags.pop("quiet", False), verbose=flags.pop("verbose", 0))
    flags.pop("refresh", None)
    return flags, manner
