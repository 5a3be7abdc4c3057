"""Flag over environment over file over default, and what is wrong where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from marketcli.config import directories, load
from marketcli.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_defaults(tmp_path: Path) -> None:
    config, warnings = load({}, environment={}, file=tmp_path / "config.toml")
    assert (config.exchange, config.market, config.quotes) == ("binance", None, ["USDT", "USDC", "USD"])
    assert warnings == []


def test_the_nearest_layer_wins(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('exchange = "bybit"\nmarket = "spot"\ntimeout = 10\n')
    config, _ = load({"market": "cm", "via": None}, environment={"MKT_MARKET": "um", "MKT_EXCHANGE": "okx"}, file=file)
    assert (config.exchange, str(config.market), config.timeout) == ("okx", "inverse", 10.0)


def test_lists_and_switches_may_be_text(tmp_path: Path) -> None:
    environment = {"MKT_QUOTES": "USDC, USD", "MKT_OFFLINE": "true", "MKT_TIMEOUT": ""}
    config, _ = load({}, environment=environment, file=tmp_path / "none")
    assert (config.quotes, config.offline, config.timeout) == (["USDC", "USD"], True, 60.0)


def test_an_unknown_key_is_named_with_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('exchagne = "bybit"\n')
    with pytest.raises(UsageError) as caught:
        load({}, environment={}, file=file)
    assert "'exchagne'" in caught.value.message
    assert str(file) in caught.value.message
    assert caught.value.hint == "Did you mean exchange?"


def test_an_unknown_variable_is_named_with_the_nearest(tmp_path: Path) -> None:
    environment = {"MKT_EXCHAGNE": "bybit", "MKT_DATA_DIR": "/x", "OTHER": "1"}
    _, (warning,) = load({}, environment=environment, file=tmp_path / "none")
    assert "MKT_EXCHAGNE" in warning
    assert "MKT_EXCHANGE?" in warning


@pytest.mark.parametrize(
    ("environment", "text", "named"),
    [
        ({"MKT_TIMEOUT": "soon"}, "", "MKT_TIMEOUT"),
        ({}, "timeout = -1", "timeout"),
        ({}, 'time = "minutes"', "time"),
        ({"MKT_ERRORS": "xml"}, "", "MKT_ERRORS"),
    ],
)
def test_a_bad_value_is_named_with_its_place(
    environment: dict[str, str], text: str, named: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        load({}, environment=environment, file=file)
    assert named in caught.value.message
    assert (str(file) in caught.value.message) is bool(text)


def test_a_file_that_is_no_toml_is_told(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("exchange = \n")
    with pytest.raises(UsageError, match="not valid TOML"):
        load({}, environment={}, file=file)


def test_directories_follow_the_variables(tmp_path: Path) -> None:
    found = directories({"MKT_CACHE_DIR": str(tmp_path)})
    assert found.cache == tmp_path
    assert found.data != found.config
