"""Making text safe to show, and numbers exact to read."""

from __future__ import annotations

# Control, format, surrogate, private and line-separator characters never reach a terminal, a log or a file name.
# (reliability.md T1; rich removes only a few of them)
TEXT_LIMIT = 200


def clean(text: str, limit: int = TEXT_LIMIT) -> str:
    r"""Make remote text harmless: controls, bidi and zero-width characters become visible escapes such as `\x1b`."""
    shown = "".join(character if harmless(character) else escape(character) for character in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def harmless(character: str) -> bool:
    """Whether a character only draws itself."""
    if " " <= character <= "~":
        return True
    from unicodedata import category  # noqa: PLC0415 - plain ASCII never needs it

    return category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def escape(character: str) -> str:
    """A character as Python would spell it."""
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def number(value: float) -> str:
    """The shortest exact decimal form of a number, never with an exponent: `0.00001`, `61000.5`, `43`."""
    text = repr(value)
    if "e" in text:
        from decimal import Decimal  # noqa: PLC0415 - very small and very large numbers are rare

        text = f"{Decimal(text):f}"
    return text.removesuffix(".0")


# What a spreadsheet takes for a formula when a text cell begins with it (OWASP ASVS 1.2.10).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


def path_part(text: str, limit: int = 100) -> str:
    """Remote text as one harmless part of a path: `[A-Za-z0-9._-]`, the rest as %XX, long names ended by a hash.

    Different texts give different parts.
    """
    safe = "".join(
        character if character.isascii() and (character.isalnum() or character in "_-.") else percent(character)
        for character in text
    )
    if not safe:
        return "%"  # no other text gives this: a percent sign itself becomes %25
    if safe.startswith("."):
        safe = f"%2E{safe[1:]}"
    if len(safe) > limit:
        from hashlib import sha256  # noqa: PLC0415 - only absurd names need it

        safe = f"{safe[: limit - 17]}-{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    return safe


def percent(character: str) -> str:
    """A character as percent-encoded UTF-8."""
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
