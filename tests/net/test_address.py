"""Where requests go."""

from __future__ import annotations

import pytest

from marketcli.errors import UsageError
from marketcli.net.address import Route, loopback, masked, proxy_for


def test_via_carries_the_host_in_the_path() -> None:
    route = Route.through("http://127.0.0.1:9000")
    address = route.address("https://fapi.binance.com", "/fapi/v1/klines")
    assert address.url == "http://127.0.0.1:9000/fapi.binance.com/fapi/v1/klines"
    assert (address.host, address.local) == ("fapi.binance.com", True)


def test_a_port_of_the_real_address_is_carried_too() -> None:
    address = Route.through("http://127.0.0.1:9000/").address("https://stream.binance.com:9443", "/x")
    assert address.url == "http://127.0.0.1:9000/stream.binance.com:9443/x"


def test_without_via_the_real_host_is_asked() -> None:
    address = Route.through(None).address("https://api.binance.com", "/x")
    assert (address.url, address.local) == ("https://api.binance.com/x", False)


@pytest.mark.parametrize("via", ["127.0.0.1:9000", "ftp://127.0.0.1", "http://", "http://127.0.0.1?x=1", "nonsense"])
def test_via_must_be_an_address(via: str) -> None:
    with pytest.raises(UsageError, match="not an address"):
        Route.through(via)


def test_beyond_this_machine_via_must_be_allowed() -> None:
    with pytest.raises(UsageError) as caught:
        Route.through("https://relay.example/x")
    assert "--allow-host relay.example" in caught.value.hint
    assert Route.through("https://relay.example/x", allowed=frozenset({"relay.example"})).via


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("localhost.evil.example", False),
     ("10.0.0.1", False), ("0.0.0.0", False), ("api.binance.com", False)],  # noqa: S104 - an address that is refused
)  # fmt: skip
def test_what_this_machine_is(host: str, local: bool) -> None:  # noqa: FBT001
    assert loopback(host) is local


def test_proxies_from_the_flag_and_the_environment() -> None:
    assert proxy_for("api.binance.com", given="proxy:8080", environment=dict) == "http://proxy:8080"
    assert proxy_for("api.binance.com", given=None, environment=lambda: {"https": "http://p:1"}) == "http://p:1"
    assert proxy_for("api.binance.com", given=None, environment=lambda: {"all": "socks5://p:1"}) == "socks5://p:1"
    assert proxy_for("api.binance.com", given=None, environment=dict) is None
    assert proxy_for("127.0.0.1", given="http://proxy:8080", environment=dict) is None


def test_hosts_named_in_no_proxy_are_reached_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "binance.com")
    monkeypatch.setenv("https_proxy", "http://p:1")
    assert proxy_for("api.binance.com", given=None) is None
    assert proxy_for("api.bybit.com", given=None) == "http://p:1"


def test_a_proxy_that_cannot_be_used_is_told_without_its_password() -> None:
    with pytest.raises(UsageError) as caught:
        proxy_for("api.binance.com", given="gopher://me:secret@proxy:1", environment=dict)
    assert "secret" not in str(caught.value) + caught.value.hint


def test_passwords_are_masked() -> None:
    assert masked("http://me:secret@proxy:1/x") == "http://***@proxy:1/x"
    assert masked("http://proxy:1") == "http://proxy:1"
