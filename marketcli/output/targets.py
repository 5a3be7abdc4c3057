"""Where lines of a stream go, and how: a pipe in pieces that are never torn, a file that can be read while it grows."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import stat
import tempfile
from pathlib import Path
from typing import Protocol

from marketcli.disk import is_special, refuse_overwrite
from marketcli.errors import LocalError

ATOMIC = getattr(select, "PIPE_BUF", 512)  # bytes that a pipe takes whole or not at all
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Target(Protocol):
    """Somewhere to write whole lines; `lossless` is whether it takes all there is, however slowly."""

    lossless: bool

    def begin(self, lead: bytes) -> None:
        """Know what stands before all lines: the names of columns, or what is watched."""

    def write(self, data: bytes) -> None:
        """Write whole lines. Raises `BrokenPipeError`, `LocalError`."""

    def close(self, *, whole: bool) -> None:
        """No more will come; `whole` is whether all that was asked for has. Raises `LocalError`."""

    def deserted(self) -> bool:
        """Whether it is known that nobody will read any more."""


class Stream:
    """Standard output, or what else is open already."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lossless = stat.S_ISREG(os.fstat(number).st_mode)
        self.piece = 1 << 20 if self.lossless else ATOMIC

    def begin(self, lead: bytes) -> None:
        """Write it at once."""
        self.write(lead)

    def write(self, data: bytes) -> None:
        """Write whole lines, no piece larger than what goes through at once if that can be.

        Who gives up waiting for a pipe leaves it at the end of a line.
        """
        try:
            for piece in pieces(data, self.piece):
                write_all(self.number, piece)
        except BrokenPipeError:
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            raise LocalError(f"Standard output cannot be written: {reason}.", hint="Is the disk full?") from error

    def close(self, *, whole: bool) -> None:
        """Nothing: it was open before."""

    def deserted(self) -> bool:
        """Whether the other end of a pipe is closed, which a quiet stream would not notice by writing."""
        if not hasattr(select, "poll"):
            return False
        watch = select.poll()
        watch.register(self.number, 0)
        return any(event & select.POLLERR for _, event in watch.poll(0))


class Growing:
    """A file that appears with its first lines, in the place of what was there, and can be followed from then on.

    It stays whatever becomes of the watch, and ends with a whole line.
    """

    lossless = True

    def __init__(self, path: Path, *, force: bool) -> None:
        refuse_overwrite(path, force=force)
        self.path, self.force = path, force
        self.lead = b""
        self.number: int | None = None
        self.size = 0

    def begin(self, lead: bytes) -> None:
        """Keep it for the first line."""
        self.lead = lead

    def write(self, data: bytes) -> None:
        """Write whole lines; of those that find no room none is left in part."""
        try:
            if self.number is None:
                self.appear(data)
            else:
                write_all(self.number, data)
                self.size += len(data)
        except OSError as error:
            raise self.failed(error) from error

    def appear(self, data: bytes) -> None:
        """Take the place of what was there, with the first lines already written."""
        first = self.lead + data
        if not self.force:
            self.number = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            write_all(self.number, first)
        else:
            self.number, name = tempfile.mkstemp(prefix=f".{self.path.name[:40]}.", dir=self.path.parent)
            try:
                write_all(self.number, first)
                Path(name).chmod(0o644)
                Path(name).replace(self.path)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
        self.size = len(first)

    def failed(self, error: OSError) -> LocalError:
        """The error for lines that could not be written."""
        if self.number is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self.number, self.size)
        kept = "its lines so far are whole" if self.size else "nothing was changed"
        if error.errno in FULL:
            return LocalError(f"There is no space left to write {self.path}; {kept}.", hint="Free some space.")
        if isinstance(error, FileExistsError):
            return LocalError(f"{self.path} has been made by somebody else meanwhile.", hint="Use another -o.")
        return LocalError(f"{self.path} cannot be written: {error.strerror}; {kept}.", hint="Use another -o.")

    def close(self, *, whole: bool) -> None:
        """Make sure the disk has it. A watch that came to its end without a record leaves a file without one."""
        if self.number is None and whole:
            self.write(b"")
        if self.number is not None:
            try:
                os.fsync(self.number)
                os.close(self.number)
            except OSError as error:
                raise self.failed(error) from error

    def deserted(self) -> bool:
        """A file is there for whoever comes."""
        return False


def target_of(path: Path | None, *, number: int, force: bool) -> Target:
    """Where lines go: the file, or the open stream of that number. Raises what `refuse_overwrite` does."""
    if path is not None and not is_special(path):
        return Growing(path, force=force)
    if path is not None:
        try:
            number = os.open(path, os.O_WRONLY)
        except OSError as error:
            raise LocalError(f"{path} cannot be written: {error.strerror}.", hint="Use another -o.") from error
    return Stream(number)


def pieces(data: bytes, most: int) -> list[bytes]:
    """The data in pieces of whole lines, none longer than `most` unless a line is."""
    found, start = [], 0
    while start < len(data):
        end = len(data) if len(data) - start <= most else data.rfind(b"\n", start, start + most) + 1
        if end <= start:  # one line is longer
            end = data.find(b"\n", start) + 1 or len(data)
        found.append(data[start:end])
        start = end
    return found


def write_all(number: int, data: bytes) -> None:
    """Write all of it, also where whoever opened the file wants no waiting."""
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(number, left) :]
        except BlockingIOError:
            select.select([], [number], [])
