"""Frames and messages made wrong on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from marketcli.sandbox.draft import NUMBER
from marketcli.sandbox.parcels import Act
from marketcli.sandbox.refusals import MAINTENANCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def half(text: str) -> Act:
    """A document that ends early."""
    return Act("text", text[: len(text) // 2])


def wrong_types(text: str) -> Act:
    """The same document with objects where its numbers stand, numbers in texts too."""
    return Act("text", msgspec.json.encode(mistyped(msgspec.json.decode(text))).decode())


def mistyped(value: Any) -> Any:
    """A value whose numbers are objects."""
    if isinstance(value, dict):
        return {key: mistyped(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [mistyped(inner) for inner in value]
    is_number = isinstance(value, str) and NUMBER.fullmatch(value)
    return {"value": value} if is_number or isinstance(value, (int, float)) else value


def bad_utf8(text: str) -> Act:
    """The frame with a byte in its middle that no text has."""
    raw = text.encode()
    return Act("text", raw[: len(raw) // 2] + b"\xff" + raw[len(raw) // 2 :])


GARBAGE: Mapping[str, Callable[[str], Act]] = {
    "text": lambda _: Act("text", "upstream connect error or disconnect/reset before headers"),
    "half_json": half,
    "wrong_types": wrong_types,
    "html": lambda _: Act("text", MAINTENANCE.decode()),
    "binary": lambda text: Act("binary", bytes(byte ^ 0xA5 for byte in text.encode())),
    "bad_utf8": bad_utf8,
    "empty": lambda _: Act("text", ""),
    "array": lambda _: Act("text", "[]"),
}


NOWHERE: Sequence[Mapping[type, Any]] = ({list: ["nothing"], dict: {}}, {list: [0], dict: {}})


def unanswerable(text: str) -> list[str]:
    """A client's message with what it asks for replaced by what there is not, and by what nobody can understand."""
    document = msgspec.json.decode(text)
    others = ({key: nothing.get(type(value), value) for key, value in document.items()} for nothing in NOWHERE)
    return [msgspec.json.encode(other).decode() for other in others]
