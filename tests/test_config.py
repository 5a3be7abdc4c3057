"""Flag over environment over file over default, and what is wrong where."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.config import Config, checked_value, directories, edited, load, origins, sample, toml
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


def test_every_setting_says_where_it_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('exchange = "bybit"\nmarket = "spot"\ntimeout = 10\n')
    environment = {"MKT_MARKET": "um", "MKT_OFFLINE": "true", "MKT_VIA": ""}
    found = origins({"offline": True, "via": None}, environment=environment, file=file)
    assert list(found) == list(Config.model_fields)
    expected = {
        "exchange": str(file),
        "timeout": str(file),
        "market": "MKT_MARKET",
        "offline": "flag",
        "via": "default",
    }
    assert {key: found[key] for key in expected} == expected


HAND_MADE = '''\
# mine\r
  timeout   =   10   # slow "proxy" # here

exchange = "a#b" # c
"market" = 'spot'
quotes = [
  "USDT", # one
  "USD",
]   # two
log_file = """
timeout = 5
"""
errors = "text"'''


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("timeout", 2.5, "  timeout   =   10   # slow", "  timeout   =   2.5   # slow"),
        ("exchange", "okx", 'exchange = "a#b" # c', 'exchange = "okx" # c'),
        ("market", "linear", "\"market\" = 'spot'", '"market" = "linear"'),
        ("quotes", ["EUR"], 'quotes = [\n  "USDT", # one\n  "USD",\n]   # two', 'quotes = ["EUR"]   # two'),
        ("errors", "json", 'errors = "text"', 'errors = "json"'),
        ("log_file", "x", 'log_file = """\ntimeout = 5\n"""', 'log_file = "x"'),
        ("offline", True, 'errors = "text"', 'errors = "text"\noffline = true\n'),
    ],
)
def test_one_key_changes_and_every_other_byte_stays(key: str, value: object, old: str, new: str) -> None:
    assert HAND_MADE.count(old) == 1
    assert edited(HAND_MADE, key, value) == HAND_MADE.replace(old, new)


def test_lines_end_as_they_did() -> None:
    assert edited("a = 1\r\ntimeout = 5\r\n# x\r\n", "timeout", 6.0) == "a = 1\r\ntimeout = 6\r\n# x\r\n"


def test_a_file_that_cannot_be_edited_by_lines_is_left_alone() -> None:
    with pytest.raises(UsageError, match="cannot be changed"):
        edited("[section]\nx = 1\n", "timeout", 5.0)


@given(
    st.dictionaries(st.sampled_from(["exchange", "via", "log_file"]), st.text(max_size=30)),
    st.text(max_size=30),
    st.text(),
)
def test_any_text_can_be_set_and_comes_back(others: dict[str, str], value: str, comment: str) -> None:
    hidden = "".join(letter for letter in comment if letter.isprintable())
    text = f"# {hidden}\n" + "".join(f"{key} = {toml(text)}\n" for key, text in others.items() if text.isprintable())
    if not value.isprintable():
        return
    after = edited(text, "proxy", value)
    assert tomllib.loads(after) == tomllib.loads(text) | {"proxy": value}
    assert after.startswith(text)
    assert tomllib.loads(edited(after, "proxy", "x")) == tomllib.loads(text) | {"proxy": "x"}


def test_values_are_what_the_model_makes_of_them() -> None:
    assert checked_value("market", "cm") == "inverse"
    assert checked_value("quotes", "USDC, USD") == ["USDC", "USD"]
    assert checked_value("offline", "yes") is True
    for key, text, said in (
        ("tmeout", "1", "Did you mean timeout?"),
        ("timeout", "soon", "seconds one request may take"),
        ("timeout", "nan", "seconds one request may take"),
        ("time", "minutes", "text formats"),
        ("via", "", "delete its line"),
        ("log_file", "a\x1b]0;b", "delete its line"),
    ):
        with pytest.raises(UsageError) as caught:
            checked_value(key, text)
        assert said in caught.value.hint
        assert "\x1b" not in caught.value.message


def test_the_sample_sets_nothing_and_shows_everything() -> None:
    text = sample()
    assert tomllib.loads(text) == {}
    shown = tomllib.loads("\n".join(re.findall(r"^# (\w+ = .*)$", text, re.MULTILINE)))
    assert list(shown) == list(Config.model_fields)
    config = Config.model_validate(shown)
    defaults = Config.model_validate({})
    assert all(
        getattr(defaults, key) in {None, getattr(config, key)} for key in shown if not isinstance(shown[key], list)
    )
    assert all(field.description in text for field in Config.model_fields.values() if field.description)
