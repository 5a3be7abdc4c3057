"""`mkt help`: topics that belong to no single command."""

from __future__ import annotations

from typing import Annotated

import typer

from marketcli.errors import UsageError

TOPICS = {
    "exit-codes": """\
0    complete answer (also: the reader closed the pipe)
1    a bug
2    usage: bad option, unknown or ambiguous symbol, bad date; nothing was sent
3    rows were delivered, but some are missing; stderr says which
4    not offered: the exchange or market does not have this, or nothing was found
5    the network or the exchange failed after retries
6    asked to slow down or banned; stderr says until when
7    refused for this location
8    an answer contradicts itself or its documentation
9    this machine: disk full, permission, port taken
130  stopped with Ctrl-C (143: terminated, 129: hung up)

When several symbols end differently, the first of 1 9 11 8 7 6 5 2 3 4 is the exit code.""",
    "dates": """\
2024            2024-01-01T00:00:00Z       a date is its first moment
2024-01         2024-01-01T00:00:00Z
2024Q3          2024-07-01T00:00:00Z
2024-01-31      2024-01-31T00:00:00Z
2024-01-31T12:00, 2024-01-31 12:00:30.5, 2024-01-31T12:00+02:00      UTC unless it says otherwise
1705312800      epoch seconds; 13 digits are milliseconds, 16 microseconds, 19 nanoseconds
7d  90m  3mo    so long before now (s m h d w mo y)
now  today  yesterday

A window holds what begins in it: --since belongs to it, --until does not.""",
    "environment": """\
MKT_EXCHANGE, MKT_MARKET, MKT_QUOTES, MKT_FORMAT, MKT_TIME, MKT_SANDBOX, MKT_VIA, MKT_ALLOW_HOST, MKT_PROXY,
MKT_CA_FILE, MKT_TESTNET, MKT_OFFLINE, MKT_TIMEOUT, MKT_MAX_WAIT, MKT_NO_COLOR, MKT_ERRORS (text, json), MKT_LOG_FILE

Each is a key of config.toml too (exchange, market …). Flag over variable over file over default.

MKT_CONFIG_DIR, MKT_DATA_DIR, MKT_CACHE_DIR, MKT_STATE_DIR    where things live
HTTPS_PROXY, ALL_PROXY, NO_PROXY    proxies        SSL_CERT_FILE    certificates
NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, TERM, COLUMNS    the terminal""",
}


def topics(
    topic: Annotated[
        str | None, typer.Argument(metavar="TOPIC", help="exit-codes, dates or environment.", show_default=False)
    ] = None,
) -> None:
    """Explain exit codes, dates or the environment."""
    if topic is None:
        typer.echo(f"mkt help {'|'.join(TOPICS)}\nmkt COMMAND --help")
        return
    if topic not in TOPICS:
        raise UsageError(
            f"There is no help on {topic!r}.", hint=f"There is {', '.join(TOPICS)}; or mkt {topic} --help."
        )
    typer.echo(TOPICS[topic])
