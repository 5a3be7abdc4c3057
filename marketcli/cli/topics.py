"""`mkt help`: topics that belong to no single command, and the help of those that do."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import typer

from marketcli.cli import complete
from marketcli.errors import UsageError


class Topic(NamedTuple):
    """What a topic is about, in a few words and in full."""

    about: str
    text: str


TOPICS = {
    "exit-codes": Topic(
        "what a command's exit code says",
        """\
0    complete answer (also: the reader closed the pipe)
1    a bug
2    usage: bad option, unknown or ambiguous symbol, bad date; nothing was sent
3    rows were delivered, but some are missing; stderr says which (mkt watch
     only with --strict)
4    not offered: the exchange or market does not have it, or nothing was found
5    the network or the exchange failed after retries, or was away (--max-down)
6    asked to slow down or banned; stderr says until when
7    refused for this location
8    an answer contradicts itself or its documentation
9    this machine: disk full, permission, port taken
130  stopped with Ctrl-C (143: terminated, 129: hung up)

When several symbols or exchanges end differently, the exit code is the first
of 1 9 8 7 6 5 2 3 4.""",
    ),
    "dates": Topic(
        "how --since and --until are written",
        """\
2024            2024-01-01T00:00:00Z       a date is its first moment
2024-01         2024-01-01T00:00:00Z
2024Q3          2024-07-01T00:00:00Z
2024-01-31      2024-01-31T00:00:00Z
2024-01-31T12:00, 2024-01-31 12:00:30.5    UTC unless it says otherwise, as in
2024-01-31T12:00+02:00
1705312800      epoch seconds; with 13 digits milliseconds, 16 micro-, 19 nano-
7d  90m  3mo    so long before now (s m h d w mo y)
now  today  yesterday

A window holds what begins in it: --since belongs to it, --until does not.""",
    ),
    "filters": Topic(
        "what --where takes",
        """\
mkt ohlc BTCUSDT 1h --where "close > open and volume_quote >= 5e6"
mkt instruments --where "base in ('BTC', 'ETH') and expiry is not null"
mkt funding BTCUSDT --since 30d --where "rate < 0 and time >= '2026-11'"

A filter keeps the rows for which it is true; the columns are those that
`mkt schema` lists. Write it in the shell's double quotes.

Numbers    1  -2.5  1e6  + - * / ( )   dividing by zero gives nothing
Text       'BTC'  'it''s'              in single quotes
Times      '2024-01-31'  '2024Q3'      as in `mkt help dates`, but no spans (7d)
Compared   =  !=  <  <=  >  >=  between 1 and 2  in (1, 2)  like 'BTC%'  is null
           (in like, % stands for any text and _ for one character)
Joined     and  or  not  ( )

A row that lacks a value passes no comparison with it. Candles that are missing
are missed whatever the filter.""",
    ),
    "files": Topic(
        "formats, and file names that make many",
        """\
mkt ohlc BTCUSDT 1h --since 2024 -o hours.parquet
mkt ohlc BTCUSDT ETHUSDT 1m --for 7d -o '{symbol}/{date:%Y-%m}.csv'

-o names a file; its suffix says the format, -f wins over it:
.ndjson .jsonl  .json  .csv  .tsv  .parquet .pq  .arrow .feather .ipc
Without -o rows go to standard output: a table on a terminal, ndjson in a pipe.
A file appears whole or not at all, and is replaced only with --force.

Fields in braces make a file for each of their values:
{exchange} {market} {symbol} {native} {interval} {price}  where rows have them
{date} {date:%Y-%m} {date:%Y}/{date:%m-%d}                the time of a row, UTC
{{ and }} stand for braces themselves.""",
    ),
    "streams": Topic(
        "what mkt watch shows and writes",
        """\
mkt watch trades BTCUSDT | jq .price
mkt watch liquidations -e all -o liquidations.ndjson --for 1d
mkt watch ohlc BTCUSDT 1m --where closed -f csv

On a terminal it draws a panel: q quits, p pauses the drawing (the data go on),
s sorts by the next column. In a pipe or a file each record is a line, written
at once; -f is ndjson, csv or tsv. A file is there from its first line on.

Connections that break come back. Trades, candles and funding that were missed
are fetched; what could not be is told where it happened, as a line of ndjson:
{"type":"gap", exchange, market, dataset, symbols, from, to, cause, repaired,
rows}    symbols: none means all; rows: that were fetched, or dropped
cause    disconnected  silent  skipped (left out, while the connection stood)
         dropped (the reader was too slow: the oldest that waited go first)
What was not seen before the first connection or was late at the end is a gap.
Records have no type. In csv and tsv gaps are warnings on stderr. With --meta
the first line is {"type":"meta"}: what is watched, and whether feeds are full
or sampled; and what becomes of connections is {"type":"status"}.

It ends 0 on q, --for, --count, and when nobody reads any more; see also
`mkt help exit-codes`.""",
    ),
    "environment": Topic(
        "variables that count",
        """\
{settings}

Each is a key of the settings file too: MKT_EXCHANGE is exchange. A flag wins
over a variable, that over the file; `mkt config show --origin` tells which did.

MKT_CONFIG_DIR, MKT_DATA_DIR, MKT_CACHE_DIR, MKT_STATE_DIR    where things live
HTTPS_PROXY, ALL_PROXY, NO_PROXY    proxies        SSL_CERT_FILE    certificates
NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, TERM, COLUMNS    the terminal""",
    ),
}


def topics(
    ctx: typer.Context,
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="TOPIC", help="A topic or a command.", show_default=False, autocompletion=complete.topics
        ),
    ] = None,
) -> None:
    """Explain exit codes, dates, filters, files, streams or the environment.

    mkt help
    mkt help filters
    mkt help ohlc
    """
    if topic is None:
        lines = [f"mkt help {name:<13} {one.about}" for name, one in TOPICS.items()]
        typer.echo("\n".join([*lines, f"mkt help {'COMMAND':<13} the same as mkt COMMAND --help"]))
    elif topic in TOPICS:
        text = TOPICS[topic].text
        typer.echo(text.replace("{settings}", settings()) if topic == "environment" else text)
    elif topic in commands(ctx):
        commands(ctx)[topic].make_context(topic, ["--help"], parent=ctx.parent)
    else:
        raise unknown(topic, [*TOPICS, *commands(ctx)])


def commands(ctx: typer.Context) -> dict[str, Any]:
    """The commands there are, by name."""
    root: Any = ctx.find_root().command
    return dict(root.commands)


def settings() -> str:
    """The variables that are settings, in lines."""
    import textwrap

    from marketcli.config import PREFIX, Config

    return "\n".join(textwrap.wrap(", ".join(f"{PREFIX}{key.upper()}" for key in Config.model_fields), 78))


def unknown(topic: str, known: list[str]) -> UsageError:
    """The error for what there is no help on."""
    from difflib import get_close_matches

    close = get_close_matches(topic, known, n=1)
    hint = f"Did you mean mkt help {close[0]}?" if close else f"There is {', '.join(TOPICS)}; or mkt COMMAND --help."
    return UsageError(f"There is no help on {topic!r}.", hint=hint)
