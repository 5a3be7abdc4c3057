"""Processes of `mkt` that need not import anything: a process that has, and forks one for each connection.

    python tests/fork_server.py SOCKET

A connection sends a line of JSON (words, environment, folder) with standard input, output and error beside it. It is
told the number of the process, and then its exit code, a line each. Nothing but imports has happened before a command
runs; they take half a second, nearly all of what most commands of tests would. It ends with its standard input.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import select
import signal
import socket
import sys
from typing import Any

LONGEST = 1 << 20  # bytes of a request
MODULES = ("polars", "rich.table", "httpx", "pydantic", "websockets", "marketcli.api", "marketcli.cli.app")
MODES = ("r", "w", "w")


def serve(path: str) -> None:
    """Fork until nobody is there any more."""
    for name in MODULES:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        while True:
            ready, _, _ = select.select([listening, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                answer(connection)
                os._exit(0)
            connection.close()


def answer(connection: socket.socket) -> None:
    """Let a process run a command, and say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    line, streams, _, _ = socket.recv_fds(connection, LONGEST, len(MODES))
    child = os.fork()
    if child == 0:
        connection.close()
        become(json.loads(line), streams)
    for stream in streams:
        os.close(stream)
    connection.sendall(f"{child}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    connection.sendall(f"{code}\n".encode())


def become(asked: dict[str, Any], streams: list[int]) -> None:
    """Be the program, as the interpreter would have begun it."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.stdin, sys.stdout, sys.stderr = (
        io.open(number, mode, encoding="utf-8", errors="strict" if number < 2 else "backslashreplace")  # noqa: SIM115, UP020
        for number, mode in enumerate(MODES)
    )
    sys.argv = ["mkt", *asked["words"]]
    code: Any = 1
    try:
        importlib.import_module("marketcli.__main__").main()
        code = 0  # `--version`
        sys.stdout.flush()
    except SystemExit as end:
        code = end.code
    finally:
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    serve(sys.argv[1])
