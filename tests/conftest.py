"""What every test runs under: no network but loopback, no user settings, no colours from outside."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# The same examples every time, and no verdict on how fast a shared machine is.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=20_000)
settings.load_profile("steady")

INHERITED = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--corpus", help="folder of recorded exchange payloads to try the decoders on")


@pytest.fixture(scope="session")
def corpus(request: pytest.FixtureRequest) -> Path:
    folder = request.config.getoption("--corpus")
    if not folder:
        pytest.skip("recorded payloads are not part of the project; name them with --corpus FOLDER")
    return Path(folder)


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections beyond this machine, whoever makes them."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Directories of its own, and nothing from the environment that changes behaviour."""
    for name in [*INHERITED, *(name.lower() for name in INHERITED), *(n for n in os.environ if n.startswith("MKT_"))]:
        monkeypatch.delenv(name, raising=False)
    home = tmp_path_factory.mktemp("home")
    for kind in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"MKT_{kind}_DIR", str(home / kind.lower()))
    monkeypatch.setenv("TERM", "xterm-256color")
