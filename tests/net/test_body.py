"""Bodies are whole, bounded and not too slow, or they are errors."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketcli.errors import CutBody, DeadlineExceeded, MalformedBody, NetworkError
from marketcli.net import defaults
from marketcli.net.body import read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable


def received(chunks: Iterable[bytes], encoding: str = "", seconds: float = 0.0) -> bytes:
    now = 0.0

    async def stream() -> AsyncIterator[bytes]:
        nonlocal now
        for chunk in chunks:
            now += seconds
            yield chunk

    return asyncio.run(read(stream(), encoding, what="x.example", clock=lambda: now))


@given(st.binary(max_size=4_000), st.integers(1, 500))
def test_what_was_compressed_comes_out_however_it_is_cut_into_pieces(data: bytes, size: int) -> None:
    packed = gzip.compress(data)
    assert received([packed[i : i + size] for i in range(0, len(packed), size)], "gzip") == data
    assert received([data[i : i + size] for i in range(0, len(data), size)]) == data


@given(st.binary(min_size=1, max_size=2_000), st.data())
def test_a_gzip_body_cut_anywhere_is_an_error(data: bytes, draw: st.DataObject) -> None:
    packed = gzip.compress(data)
    cut = draw.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(CutBody):
        received([packed[:cut]], "gzip")


@pytest.mark.parametrize("tail", [b"x", gzip.compress(b"more", mtime=0)])
def test_nothing_may_follow_a_gzip_body(tail: bytes) -> None:
    with pytest.raises(MalformedBody, match="behind the end"):
        received([gzip.compress(b"[1]") + tail], "gzip")


@pytest.mark.parametrize("encoding", ["deflate", "br", "gzip, gzip", "zstd"])
def test_encodings_nobody_asked_for_are_refused(encoding: str) -> None:
    with pytest.raises(MalformedBody, match="not asked for"):
        received([b"[1]"], encoding)


def test_damage_is_told() -> None:
    packed = bytearray(gzip.compress(b"[1,2,3]" * 100))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(NetworkError):
        received([bytes(packed)], "gzip")


def test_a_bomb_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketcli.net.body.BODY_BYTES", 1_000_000)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(50)) + packer.flush()
    tracemalloc.start()
    with pytest.raises(MalformedBody, match=r"without end|MiB"):
        received([bomb], "gzip")
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()


def test_a_plain_body_has_a_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketcli.net.body.BODY_BYTES", 100)
    with pytest.raises(MalformedBody):
        received([b"x" * 60, b"x" * 60])


def test_a_dripping_body_ends_at_the_floor() -> None:
    with pytest.raises(DeadlineExceeded, match="too slowly"):
        received([b"x"] * 100, seconds=1.0)
    assert received([b"x" * 2_000] * 30, seconds=1.0)
    assert defaults.SLOW_AFTER_SECONDS == 10
