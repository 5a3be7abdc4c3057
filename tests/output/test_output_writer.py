"""The thread that writes: nothing waits for it, nothing is torn, and what it throws away is told."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from marketcli.errors import LocalError, UsageError
from marketcli.output.targets import ATOMIC, Growing, Stream, pieces, target_of
from marketcli.output.writer import Chunk, Writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from marketcli.output.writer import Missing

PLACE = ("binance", "linear")


class Held:
    """A target that takes nothing until it is let go."""

    lossless = False

    def __init__(self) -> None:
        self.go = threading.Event()
        self.busy = threading.Event()
        self.data = b""

    def begin(self, lead: bytes) -> None:
        self.data += lead

    def write(self, data: bytes) -> None:
        self.busy.set()
        assert self.go.wait(10)
        self.data += data

    def close(self, *, whole: bool) -> None:
        self.data += b"." if whole else b""

    def deserted(self) -> bool:
        return False


def told(missing: Missing) -> bytes:
    return b"".join(b"gap %d %d-%d\n" % span for span in missing.values())


def chunk(number: int, size: int = 100) -> Chunk:
    return Chunk(b"%d".ljust(size - 1) % number + b"\n", {PLACE: (1, number, number)})


def written(target: Held, numbers: range, limit: int = 1_000) -> tuple[list[bytes], Writer]:
    writer = Writer(target, gap=told, ended=lambda: None, limit=limit, lead=b"head\n")
    writer.start()
    writer.put(chunk(0))
    assert target.busy.wait(10)  # the first is under way: from here on all have to wait
    for number in numbers:
        writer.put(chunk(number))
    writer.finish(whole=True)
    target.go.set()
    writer.join(10)
    return [line.strip() for line in target.data.split(b"\n")], writer


def test_what_waited_longest_is_thrown_away_and_told_before_the_next() -> None:
    lines, writer = written(Held(), range(1, 31))
    assert lines == [b"head", b"0", b"gap 20 1-20", *(b"%d" % number for number in range(21, 31)), b"."]
    assert writer.dropped == 20


def test_what_fits_is_all_written() -> None:
    lines, writer = written(Held(), range(1, 11))
    assert lines == [b"head", *(b"%d" % number for number in range(11)), b"."]
    assert writer.dropped == 0


def test_a_lossless_target_gets_everything() -> None:
    target = Held()
    target.lossless = True
    lines, _ = written(target, range(1, 100))
    assert len(lines) == 102


def test_a_gap_that_is_thrown_away_is_part_of_the_one_told() -> None:
    target = Held()
    writer = Writer(target, gap=told, ended=lambda: None, limit=150)
    writer.start()
    writer.put(chunk(50))
    assert target.busy.wait(10)
    writer.put(Chunk(b"gap of the exchange\n".ljust(100), {PLACE: (0, 7, 90)}))
    writer.put(chunk(60))
    writer.put(chunk(70))
    writer.finish(whole=True)
    target.go.set()
    writer.join(10)
    assert [line.strip() for line in target.data.split(b"\n")[1:]] == [b"gap 1 7-90", b"70", b"."]


def test_what_is_thrown_away_last_is_told_too() -> None:
    target = Held()
    writer = Writer(target, gap=told, ended=lambda: None, limit=10)
    writer.start()
    writer.put(Chunk(b"x\n"))
    assert target.busy.wait(10)
    writer.put(chunk(5))  # alone more than may wait
    writer.finish(whole=True)
    target.go.set()
    writer.join(10)
    assert target.data == b"x\ngap 1 5-5\n."


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def test_who_leaves_a_pipe_is_noticed(pipe: tuple[int, int]) -> None:
    read, write = pipe
    ended = threading.Event()
    stream = Stream(write)
    writer = Writer(stream, gap=told, ended=ended.set)
    writer.start()
    assert not stream.deserted()
    os.close(read)
    assert stream.deserted()
    writer.put(chunk(1))
    assert ended.wait(10)
    assert (writer.deserted, writer.failure) == (True, None)
    writer.put(chunk(2))  # harmless


def test_lines_to_a_pipe_go_in_pieces_that_are_taken_whole(pipe: tuple[int, int]) -> None:
    data = b"".join(b"%05d" % number + b"x" * (number % 300) + b"\n" for number in range(2_000))
    cut = pieces(data, ATOMIC)
    assert b"".join(cut) == data
    assert all(len(piece) <= ATOMIC and piece.endswith(b"\n") for piece in cut)
    assert pieces(b"a" * 50 + b"\nb\n", 10) == [b"a" * 50 + b"\n", b"b\n"]
    read, write = pipe
    writer = Writer(Stream(write), gap=told, ended=lambda: None)
    writer.start()
    writer.put(Chunk(data))
    came = b""
    while len(came) < len(data) // 2:  # a reader that stops in the middle leaves whole lines behind
        came += os.read(read, 1)
        came += os.read(read, 70_000)
    os.set_blocking(read, False)
    while True:
        try:
            came += os.read(read, 1 << 20)
        except BlockingIOError:
            if len(came) == len(data):
                break
    assert came == data
    writer.finish(whole=True)
    writer.join(10)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")  # noqa: PTH110
def test_a_stream_that_is_full_is_one_sentence() -> None:
    number = os.open("/dev/full", os.O_WRONLY)
    ended = threading.Event()
    writer = Writer(Stream(number), gap=told, ended=ended.set)
    writer.start()
    writer.put(chunk(1))
    assert ended.wait(10)
    assert isinstance(writer.failure, LocalError)
    assert "No space left" in writer.failure.message
    os.close(number)


def grown(path: Path, *data: bytes, force: bool = False, whole: bool = True) -> bytes | None:
    file = Growing(path, force=force)
    file.begin(b"head\n")
    for part in data:
        file.write(part)
    file.close(whole=whole)
    return path.read_bytes() if path.exists() else None


def test_a_file_appears_with_its_first_line_and_can_be_followed(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    file = Growing(path, force=False)
    file.begin(b"head\n")
    assert not path.exists()
    file.write(b"1\n")
    assert path.read_bytes() == b"head\n1\n"
    file.write(b"2\n")
    assert path.read_bytes() == b"head\n1\n2\n"
    file.close(whole=False)
    assert path.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["x.csv"]


def test_what_was_there_is_replaced_only_by_a_first_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"old\n")
    with pytest.raises(UsageError, match="exists already"):
        Growing(path, force=False)
    assert grown(path, force=True, whole=False) == b"old\n"
    assert grown(path, b"new\n", force=True, whole=False) == b"head\nnew\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert grown(path, force=True) == b"head\n"  # a watch that came to its end and saw nothing
    assert [one.name for one in tmp_path.iterdir()] == ["x.csv"]


def test_nothing_is_left_where_nothing_came(tmp_path: Path) -> None:
    assert grown(tmp_path / "x.csv", whole=False) is None
    assert grown(tmp_path / "y.csv", whole=True) == b"head\n"


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "x.csv"
    victim.write_bytes(b"mine\n")
    link.symlink_to(victim)
    assert grown(link, b"1\n", force=True) == b"head\n1\n"
    assert victim.read_bytes() == b"mine\n"


def test_who_makes_the_file_meanwhile_keeps_it(tmp_path: Path) -> None:
    file = Growing(tmp_path / "x.csv", force=False)
    (tmp_path / "x.csv").write_bytes(b"theirs\n")
    with pytest.raises(LocalError, match="somebody else"):
        file.write(b"1\n")
    assert (tmp_path / "x.csv").read_bytes() == b"theirs\n"


def test_of_lines_that_find_no_room_none_is_left_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Growing(tmp_path / "x.csv", force=False)
    file.write(b"1\n")
    really = os.write

    def short(number: int, data: bytes) -> int:
        really(number, bytes(data)[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(LocalError, match=r"no space left to write .*its lines so far are whole"):
        file.write(b"23456\n")
    monkeypatch.undo()
    assert (tmp_path / "x.csv").read_bytes() == b"1\n"


def test_a_device_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    target = target_of(pipe, number=1, force=False)
    target.write(b"1\n")
    assert os.read(reader, 100) == b"1\n"
    assert not target.lossless
    os.close(reader)
