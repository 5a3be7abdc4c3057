from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from output.samples import HOSTILE

from marketcli.errors import RateLimited, UnknownSymbol
from marketcli.output import notices

if TYPE_CHECKING:
    import pytest


class Screen(io.StringIO):
    """A terminal in memory."""

    def isatty(self) -> bool:
        return True


UNKNOWN = UnknownSymbol("No instrument is called BTCUSD.", hint="Did you mean BTCUSDT?")


def test_an_error_is_a_sentence_and_what_to_do() -> None:
    stream = io.StringIO()
    notices.error(stream, UNKNOWN)
    assert stream.getvalue() == "error: No instrument is called BTCUSD.\n  Did you mean BTCUSDT?\n"


def test_an_error_without_a_hint_is_one_line() -> None:
    stream = io.StringIO()
    notices.error(stream, UnknownSymbol("No."))
    assert stream.getvalue() == "error: No.\n"


def test_warnings_and_notes() -> None:
    stream = io.StringIO()
    notices.warning(stream, "3 candles are missing.")
    notices.note(stream, "They were built here.")
    assert stream.getvalue() == "warning: 3 candles are missing.\nnote: They were built here.\n"


def test_labels_are_coloured_where_colour_is() -> None:
    stream = io.StringIO()
    notices.error(stream, UNKNOWN, color=True)
    notices.warning(stream, "w", color=True)
    notices.note(stream, "n", color=True)
    assert stream.getvalue() == (
        "\x1b[1;31merror:\x1b[0m No instrument is called BTCUSD.\n  Did you mean BTCUSDT?\n"
        "\x1b[1;33mwarning:\x1b[0m w\n\x1b[36mnote:\x1b[0m n\n"
    )


def test_hostile_text_is_shown_not_obeyed() -> None:
    for color in (False, True):
        stream = io.StringIO()
        notices.error(stream, UnknownSymbol(HOSTILE, hint=HOSTILE), color=color)
        assert stream.getvalue().count(r"\x1b]0;gone\x07\x9b31m\u202e[/][bold]:smile:\x00\x0anext") == 2
        assert stream.getvalue().count("\n") == 2


def test_a_stream_that_cannot_encode_is_no_exception() -> None:
    behind = io.BytesIO()
    stream = io.TextIOWrapper(behind, encoding="ascii", write_through=True)
    notices.note(stream, "币安人生 is listed.")
    assert behind.getvalue() == b"note: ???? is listed.\n"


def test_long_sentences_are_folded_between_words_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    for stream, folded in ((io.StringIO(), False), (Screen(), True)):
        notices.note(stream, "word " * 60, color=False)
        lines = stream.getvalue().splitlines()
        assert (len(lines) > 1) is folded
        assert " ".join(line.strip() for line in lines) == "note: " + "word " * 59 + "word"
        assert not folded or max(map(len, lines)) <= 60


def test_errors_as_json_are_one_line_of_ascii() -> None:
    limited = RateLimited(f"Slow down.{HOSTILE}", hint="Wait.", retry_after=7.5)
    line = notices.as_json(limited)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == {
        "error": {
            "code": "rate_limited",
            "message": f"Slow down.{HOSTILE}",
            "retryable": True,
            "retry_after": 7.5,
            "hint": "Wait.",
            "exit": 6,
        }
    }
