"""Faults in the bytes of an answer: cut, grown, compressed wrongly, delivered wrongly."""

from __future__ import annotations

import gzip
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

from marketcli.sandbox.draft import Delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketcli.sandbox.draft import Draft

BLOCK = b" " * 2**20
BLOCKS = 1_100  # of one MiB: more than one GiB
MEBIBYTE = 2**20


def squeeze(body: bytes) -> bytes:
    """A body as gzip, the same bytes every time."""
    return gzip.compress(body, compresslevel=1, mtime=0)


@cache
def bomb() -> bytes:
    """A gzip stream of about one MiB that expands to more than one GiB of blanks and an empty list.

    One compressed block is repeated, so making it takes no time; the checksum is followed block by block.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = packer.compress(BLOCK) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(BLOCK) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.compress(b"[]") + packer.flush(zlib.Z_FINISH)
    checksum = 0
    for _ in range(BLOCKS):
        checksum = zlib.crc32(BLOCK, checksum)
    checksum = zlib.crc32(b"[]", checksum)
    size = (BLOCKS * len(BLOCK) + 2) % 2**32
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    return head + first + again * (BLOCKS - 1) + end + checksum.to_bytes(4, "little") + size.to_bytes(4, "little")


def truncated_json(draft: Draft, _: Mapping[str, Any]) -> None:
    """Half a document, whose length is right."""
    draft.body = draft.body[: len(draft.body) // 2]


def trailing_json(draft: Draft, _: Mapping[str, Any]) -> None:
    """A second document after the first."""
    draft.body += b'{"and":"more"}'


def gzip_truncated(draft: Draft, _: Mapping[str, Any]) -> None:
    """Half a gzip stream in a frame of the right length."""
    whole = squeeze(draft.body)
    draft.body = whole[: max(1, len(whole) // 2)]
    draft.headers["Content-Encoding"] = "gzip"


def gzip_bomb(draft: Draft, options: Mapping[str, Any]) -> None:
    """A small body that grows beyond a gigabyte."""
    draft.body = squeeze(bomb()) if options["nested"] else bomb()
    draft.headers["Content-Encoding"] = "gzip, gzip" if options["nested"] else "gzip"


def double_encoding(draft: Draft, _: Mapping[str, Any]) -> None:
    """The right body, compressed twice."""
    draft.body = squeeze(squeeze(draft.body))
    draft.headers["Content-Encoding"] = "gzip, gzip"


def slow_body(draft: Draft, options: Mapping[str, Any]) -> None:
    """A body that drips."""
    draft.delivery = Delivery("drip", size=options["bytes"], pause=options["ms"] / 1_000)


def no_length(draft: Draft, _: Mapping[str, Any]) -> None:
    """A body that ends when the connection does, too early."""
    draft.delivery = Delivery("no_length")


def close_mid_body(draft: Draft, _: Mapping[str, Any]) -> None:
    """A connection closed after half of the body it announced."""
    draft.delivery = Delivery("close")


def reset_mid_body(draft: Draft, _: Mapping[str, Any]) -> None:
    """A connection reset after half of the body it announced."""
    draft.delivery = Delivery("reset")


def giant_header(draft: Draft, options: Mapping[str, Any]) -> None:
    """A header that does not end for a long time."""
    draft.delivery = Delivery("giant_header", size=options["mb"] * MEBIBYTE)
