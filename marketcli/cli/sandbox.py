"""`mkt sandbox`: simulated exchanges on this machine."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

HINT = """\
Ask it with mkt --via {url} ohlc BTCUSDT 1h, or point any client at {url}/HOST/PATH.
Its streams are at {socket}/HOST/PATH, for example {socket}/fstream.binance.com/market/stream
What its market really did: {url}/truth/ohlc?exchange=binance&market=linear&symbol=BTCUSDT&interval=1h
Stop it with Ctrl-C.
"""


def sandbox(
    *,
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1; 0 is any free one.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Which simulated market.")] = 7,
    candles: Annotated[
        list[str] | None,
        typer.Option(
            "--candles",
            metavar="[MARKET:SYMBOL=]FILE",
            help="Real candles, Parquet or CSV: time or timestamp_ms, open, high, low, close, volume. Repeatable.",
        ),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="NAME[:KEY=VALUE,…]", help="Break something; may be repeated."),
    ] = None,
    speed: Annotated[
        float, typer.Option("--speed", metavar="N", min=0.01, max=10_000, help="Its clock runs N times as fast.")
    ] = 1.0,
    pace: Annotated[
        float,
        typer.Option(
            "--pace",
            metavar="N",
            min=0.01,
            max=1_000,
            help="Candles, tickers and the like are streamed N times as often as by the exchange.",
        ),
    ] = 1.0,
    faults: Annotated[bool, typer.Option("--faults", metavar="", help="List the faults there are.")] = False,
    no_limits: Annotated[
        bool, typer.Option("--no-limits", metavar="", help="Never refuse for asking too much.")
    ] = False,
) -> int:
    """Run simulated exchanges on a loopback port until stopped.

    They speak the exchanges' own protocols. The address is the first line
    printed.

    mkt sandbox --port 9000
    mkt sandbox --candles linear:BTCUSDT=candles.parquet
    mkt sandbox --fault http503_burst:every=3
    mkt sandbox --speed 30 --fault ws_drop:seconds=60
    """
    from marketcli.sandbox.candles import load
    from marketcli.sandbox.faults import FAULTS, STREAM_FAULTS
    from marketcli.sandbox.server import Sandbox

    if faults:
        for name, meaning in (*FAULTS.items(), *STREAM_FAULTS.items()):
            typer.echo(f"{name:22} {meaning}")
        return 0
    series = [load(text) for text in candles or []]
    standing = Sandbox(
        seed=seed, series=series, limits=not no_limits, faults=fault or [], port=port, speed=speed, pace=pace
    )
    standing.serve(announce)
    return 0


def announce(url: str) -> None:
    """Say where the sandbox is: the address alone on standard output, the rest for people."""
    typer.echo(url)
    sys.stdout.flush()
    sys.stderr.write(HINT.format(url=url, socket=url.replace("http", "ws", 1)))
    sys.stderr.flush()
