from __future__ import annotations

import io
from dataclasses import astuple

import pytest
from rich.text import Text

from marketcli.output.theme import ASCII, DRAWN, colour, console, glyphs


class Screen(io.StringIO):
    """A stream that says whether it is a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("environ", "terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"MKT_NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": ""}, False, False),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        ({"CLICOLOR_FORCE": "1", "TERM": "dumb"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_colour_follows_the_environment(environ: dict[str, str], *, terminal: bool, expected: bool) -> None:
    assert colour(Screen(terminal=terminal), environ=environ) is expected


def test_the_flag_wins_over_the_environment() -> None:
    assert colour(Screen(terminal=True), flag=False, environ={"FORCE_COLOR": "1"}) is False
    assert colour(Screen(terminal=False), flag=True, environ={"NO_COLOR": "1"}) is True


def test_a_closed_stream_has_no_colour() -> None:
    stream = io.StringIO()
    stream.close()
    assert colour(stream, environ={}) is False


def test_each_stream_decides_for_itself() -> None:
    shown, piped = Screen(terminal=True), Screen(terminal=False)
    for stream in (shown, piped):
        console(stream, environ={}).print(Text("x", "up"))
    assert "\x1b[32m" in shown.getvalue()
    assert piped.getvalue() == "x\n"


def test_a_console_draws_nothing_but_what_it_is_given() -> None:
    stream = Screen(terminal=True)
    console(stream, color=True).print("[bold]:smile: 123 'x' https://example.org[/bold]")
    assert stream.getvalue() == "[bold]:smile: 123 'x' https://example.org[/bold]\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_an_encoding_without_bars_gets_ascii(encoding: str) -> None:
    assert glyphs(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) == ASCII
    assert "".join(astuple(ASCII)).isascii()


def test_utf_8_gets_the_drawn_characters() -> None:
    assert glyphs(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")) == DRAWN


def test_what_cannot_be_encoded_is_no_exception() -> None:
    behind = io.BytesIO()
    stream = io.TextIOWrapper(behind, encoding="cp1252", write_through=True)
    console(stream, environ={}).print("币安人生")
    assert behind.getvalue().strip() == b"????"


@pytest.mark.parametrize("width", [None, 0])
def test_what_is_no_terminal_has_no_width(width: int | None) -> None:
    stream = io.StringIO()
    console(stream, width=width, environ={}).print("x " * 500)
    assert stream.getvalue().count("\n") == 1
