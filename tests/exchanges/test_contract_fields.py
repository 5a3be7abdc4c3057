"""What a decoder makes of a field that is blank, missing or mistyped, for every field of every cell's payload.

Blank is null and never zero; what cannot be read is a `DecodeError` that says whose answer, about what, and where.
"""

from __future__ import annotations

import copy
import json
from math import isfinite
from typing import TYPE_CHECKING, Any

import pytest
from exchanges.contract import Cell, asked, cells, payload, pins

from marketcli.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marketcli.spec import Rows

EACH = pytest.mark.parametrize("cell", cells(), ids=str)
Path = tuple[Any, ...]
OBJECT = {"value": 1}


def fields(document: Any, path: Path = ()) -> Iterator[Path]:
    """Where the plain values of a document stand."""
    if isinstance(document, dict | list):
        for key, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from fields(value, (*path, key))
    else:
        yield path


def changed(document: Any, path: Path, change: Callable[[Any, Any], None]) -> bytes:
    """A document in which the value at a place was changed."""
    other = copy.deepcopy(document)
    inner = other
    for key in path[:-1]:
        inner = inner[key]
    change(inner, path[-1])
    return json.dumps(other).encode()


def put(value: Any) -> Callable[[Any, Any], None]:
    """A change to another value."""

    def change(inner: Any, key: Any) -> None:
        inner[key] = value

    return change


def cut(inner: Any, key: Any) -> None:
    """Leave a key out; end a row before a column."""
    if isinstance(inner, dict):
        del inner[key]
    else:
        del inner[key:]


def read(cell: Cell, body: bytes) -> Rows | DecodeError:
    """The rows of an answer, or what is wrong with it."""
    try:
        return cell.endpoint.decode(body, asked(cell))
    except DecodeError as error:
        return error


def values(rows: Rows) -> list[Any]:
    """All values of rows, one after the other."""
    return [value for row in rows for value in row]


def names_it(cell: Cell, error: DecodeError, path: Path) -> bool:
    """Whether an error says which exchange, what was asked, and which field."""
    text = str(error)
    key = next((part for part in reversed(path) if isinstance(part, str)), "$")
    where = key in text or "`$" in text
    return cell.exchange.title in text and cell.endpoint.dataset.title in text and where


def optional(cell: Cell, path: Path) -> bool:
    """Whether the pins of a cell say why the exchange may leave a field out, and what is taken instead."""
    return path[-1] in pins(cell.exchange.name)[cell.name].get("optional", {})


def number(document: Any, path: Path) -> bool:
    """Whether a number stands at a place, as one or as text."""
    for key in path:
        document = document[key]
    try:
        return not isinstance(document, bool) and isfinite(float(document))
    except (TypeError, ValueError):
        return False


@EACH
@pytest.mark.parametrize("blank", ["", None])
def test_what_is_blank_is_never_zero(cell: Cell, blank: str | None) -> None:
    document = json.loads(payload(cell))
    whole = cell.endpoint.decode(payload(cell), asked(cell))
    for path in fields(document):
        rows = read(cell, changed(document, path, put(blank)))
        if isinstance(rows, DecodeError) or len(rows) != len(whole):
            continue
        for was, value in zip(values(whole), values(rows), strict=True):
            assert value == was or value in (None, "") or not is_zero(value), (path, was, value)


def is_zero(value: Any) -> bool:
    """Whether a value is a number that says nothing is there."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == 0


@EACH
def test_what_is_missing_or_mistyped_is_named_or_not_needed(cell: Cell) -> None:
    document = json.loads(payload(cell))
    whole, errors = cell.endpoint.decode(payload(cell), asked(cell)), 0
    for change in (put(OBJECT), cut):
        for path in fields(document):
            rows = read(cell, changed(document, path, change))
            if isinstance(rows, DecodeError):
                errors += 1
                assert names_it(cell, rows, path), (path, str(rows))
            elif len(rows) == len(whole):
                for was, value in zip(values(whole), values(rows), strict=True):
                    assert value in (was, None, "") or (change is cut and optional(cell, path)), (path, was, value)
    assert errors > 1


@EACH
@pytest.mark.parametrize("words", ["abc", "NaN", "1e400", "1_000"])
def test_words_are_no_number(cell: Cell, words: str) -> None:
    document = json.loads(payload(cell))
    whole = cell.endpoint.decode(payload(cell), asked(cell))
    for path in (path for path in fields(document) if number(document, path)):
        rows = read(cell, changed(document, path, put(words)))
        if isinstance(rows, DecodeError):
            assert cell.exchange.title in str(rows), (path, str(rows))
            assert cell.endpoint.dataset.title in str(rows), (path, str(rows))
        elif len(rows) == len(whole):
            for was, value in zip(values(whole), values(rows), strict=True):
                assert value == was or value is None or isinstance(value, str), (path, was, value)
