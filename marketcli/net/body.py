"""Answers' bodies: bounded, strict, and never slower than a floor.

httpx accepts a gzip stream that ends early as complete and inflates a bomb without limit (reliability.md 0.5, 0.6), so
the raw bytes are taken and inflated here.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Protocol

from marketcli.errors import CutBody, DeadlineExceeded, MalformedBody
from marketcli.net.defaults import BODY_BYTES, SLOW_AFTER_SECONDS, SLOW_BYTES_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

GZIP = 16 + zlib.MAX_WBITS
STEP = 1 << 20  # bytes inflated at a time
BODY_RATIO = 200  # how much larger than its gzip stream a body may be; JSON of exchanges stays below 40


class Sink(Protocol):
    """Takes raw bytes, gives the body at the end."""

    def feed(self, chunk: bytes) -> None:
        """Take a piece as it came over the wire."""

    def close(self) -> bytes:
        """The whole body; raises if it is not whole."""


class Plain:
    """A body as it is."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.parts: list[bytes] = []
        self.size = 0

    def feed(self, chunk: bytes) -> None:
        """Take a piece; raises `MalformedBody` beyond the limit."""
        self.size += len(chunk)
        if self.size > BODY_BYTES:
            raise MalformedBody(f"{self.what} sent more than {BODY_BYTES >> 20} MiB, which no answer needs.")
        self.parts.append(chunk)

    def close(self) -> bytes:
        """The whole body."""
        return b"".join(self.parts)


class Gzip(Plain):
    """A gzip body, inflated as it comes; one stream, ended properly, nothing behind it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.inflater = zlib.decompressobj(GZIP)
        self.received = 0

    def feed(self, chunk: bytes) -> None:
        """Inflate a piece, never more than the limit allows."""
        pending = chunk
        self.received += len(chunk)
        while pending:
            try:
                part = self.inflater.decompress(pending, STEP)
            except zlib.error as error:
                raise MalformedBody(f"{self.what} sent a damaged gzip body: {error}.") from None
            super().feed(part)
            if self.size > STEP and self.size > BODY_RATIO * self.received:
                raise MalformedBody(f"{self.what} sent a gzip body that grows without end.")
            pending = self.inflater.unconsumed_tail
        if self.inflater.unused_data:
            raise MalformedBody(f"{self.what} sent something behind the end of its gzip body.")

    def close(self) -> bytes:
        """The whole body; raises `CutBody` if the gzip stream did not end."""
        if not self.inflater.eof:
            raise CutBody(f"{self.what} sent a gzip body that ends early.")
        return super().close()


def sink(encoding: str, what: str) -> Sink:
    """What takes a body of that Content-Encoding; gzip is the only one we ask for, and never twice."""
    word = encoding.strip().lower()
    if word in {"", "identity"}:
        return Plain(what)
    if word in {"gzip", "x-gzip"}:
        return Gzip(what)
    raise MalformedBody(f"{what} sent a body encoded as {word[:40]!r}, which was not asked for.")


async def read(chunks: AsyncIterator[bytes], encoding: str, *, what: str, clock: Callable[[], float]) -> bytes:
    """The decompressed body. `clock` is monotonic seconds.

    Raises `CutBody`, `MalformedBody`, or `DeadlineExceeded` when it drips below the floor.
    """
    body, started, received = sink(encoding, what), clock(), 0
    async for chunk in chunks:
        received += len(chunk)
        elapsed = clock() - started
        if elapsed > SLOW_AFTER_SECONDS and received < elapsed * SLOW_BYTES_PER_SECOND:
            raise DeadlineExceeded(f"{what} answers too slowly ({received} bytes in {elapsed:.0f} s).")
        body.feed(chunk)
    return body.close()
