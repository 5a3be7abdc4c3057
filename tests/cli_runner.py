"""`mkt` itself, in a process of its own, as users run it, but for the half second in which it would import."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVER = Path(__file__).parent / "fork_server.py"


@dataclass(frozen=True)
class Run:
    returncode: int
    stdout: str
    stderr: str

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stdout.splitlines()]


@cache
def server() -> str:
    """The address of a process that has imported everything; it ends with this one."""
    folder = tempfile.mkdtemp()
    path = Path(folder) / "server"
    process = subprocess.Popen([sys.executable, str(SERVER), str(path)], stdin=subprocess.PIPE)

    def end() -> None:
        process.communicate()
        path.unlink()
        path.parent.rmdir()

    atexit.register(end)
    while not path.exists():
        if process.poll() is not None:
            raise RuntimeError("the fork server did not begin")
        time.sleep(0.01)
    return str(path)


def mkt_anew(*words: str, environment: Mapping[str, str] | None = None) -> Run:
    """The same from the beginning, with all imports: where these are what a test is about."""
    command = [sys.executable, "-m", "marketcli", *words]
    own = os.environ | dict(environment or {})
    done = subprocess.run(command, env=own, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
    return Run(done.returncode, done.stdout, done.stderr)


def mkt(
    *words: str,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
    timeout: float = 60,
    cwd: str | None = None,
) -> Run:
    """Run `mkt` with these words to its end, in a process forked from one that has imported everything."""
    asked = {"words": words, "environment": os.environ | dict(environment or {}), "folder": cwd or str(Path.cwd())}
    (take, give), (out, say), (problems, complain) = (os.pipe() for _ in range(3))
    os.write(give, stdin.encode())  # a pipe holds more than any test has to say
    os.close(give)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(server())
        socket.send_fds(connection, [json.dumps(asked).encode()], [take, say, complain])
        for number in (take, say, complain):
            os.close(number)
        with connection.makefile("r") as told, ThreadPoolExecutor(2) as readers:
            alarm = threading.Timer(timeout, os.kill, [int(told.readline()), signal.SIGKILL])
            alarm.start()
            said = [text.decode("utf-8") for text in readers.map(everything, (out, problems))]
            code = int(told.readline())
            alarm.cancel()
    if code == -signal.SIGKILL:
        raise subprocess.TimeoutExpired(["mkt", *words], timeout)
    return Run(code, *said)


def everything(number: int) -> bytes:
    """All that comes through a pipe."""
    with os.fdopen(number, "rb") as pipe:
        return pipe.read()
