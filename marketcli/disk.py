"""Writing files so that a reader sees the old one or the new one, never a part."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from marketcli.errors import LocalError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

ALMOST_FULL = 64 * 1024  # bytes left at which a failed write is blamed on the disk, whatever the library says


@contextlib.contextmanager
def staged(target: Path, *, force: bool, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Yield a file beside `target` that takes its place when the block ends well, and vanishes otherwise.

    The bytes are synced before the rename and the directory after it, so a crash leaves the old file or the new.
    Raises `UsageError` if the target exists and `force` is off, `LocalError` for anything the disk refuses.
    """
    refuse_overwrite(target, force=force)
    if is_special(target):
        with opened(target) as file:
            yield file
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise unwritable(target, error) from error
    staging = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        staging.chmod(mode)
        if force:
            staging.replace(target)
        else:
            publish_new(staging, target)
        sync_directory(target.parent)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        staging.unlink(missing_ok=True)


def is_special(target: Path) -> bool:
    """Whether a name is a device or a pipe (`/dev/null`, `/dev/stdout`), whose place no file may take."""
    return target.exists() and not target.is_file() and not target.is_dir()


@contextlib.contextmanager
def opened(target: Path) -> Iterator[IO[bytes]]:
    """A device or pipe to write into as it is."""
    try:
        with target.open("wb") as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable(target, error) from error


def publish_new(staging: Path, target: Path) -> None:
    """Give the staged file its name unless somebody took the name meanwhile."""
    try:
        os.link(staging, target)
    except FileExistsError:
        refuse_overwrite(target, force=False)
    except OSError:  # a file system without hard links
        refuse_overwrite(target, force=False)
        staging.replace(target)


def refuse_overwrite(target: Path, *, force: bool) -> None:
    """Raise before work begins if the target may not be written."""
    if target.is_dir():
        raise UsageError(f"{target} is a directory.", hint="Name a file in it, for example candles.parquet.")
    if not target.parent.is_dir():
        raise LocalError(f"The directory {target.parent} does not exist.", hint="Create it first.")
    if is_special(target):
        return
    if target.exists() and not force:
        raise UsageError(f"{target} exists already.", hint="Use another name, or --force to replace it.")
    if not os.access(target.parent, os.W_OK):
        raise LocalError(f"The directory {target.parent} is not writable.", hint="Choose another place with -o.")


def unwritable(target: Path, error: Exception) -> LocalError:
    """Explain a failed write; libraries hide the cause, so the disk itself is asked whether it is full."""
    number = getattr(error, "errno", None)
    full = number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if number is None:
        with contextlib.suppress(OSError):
            full = shutil.disk_usage(target.parent).free < ALMOST_FULL
    if full:
        return LocalError(
            f"There is no space left to write {target}; nothing was changed.",
            hint="Free some space, or use another -o.",
        )
    reason = getattr(error, "strerror", None) or str(error)
    return LocalError(
        f"{target} cannot be written: {reason}; nothing was changed.", hint="Choose another place with -o."
    )


def sync_directory(directory: Path) -> None:
    """Make a rename durable; Windows has no such call."""
    if os.name == "nt":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
