"""Accounts of budgets that all processes of the user share: one small file each, changed under a lock.

A file is a line with the process that changes it, then the account as JSON, blank to a fixed size. It is one page, so a
process that dies while writing leaves the old account or the new one; what cannot be read all the same begins anew. The
lock is the kernel's and dies with its holder.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from marketcli.errors import LocalError
from marketcli.net.account import Account, Key, Moment
from marketcli.text import clean, path_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marketcli.spec import Budget

T = TypeVar("T")
log = logging.getLogger("marketcli.net")

HEAD = 12  # bytes of the first line
SIZE = 4_096
OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
LOOK = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
# A home that cannot be written is no reason to fail: this process then counts for itself.
UNWRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT}
DECODER = msgspec.json.Decoder(Account)
LOOKS, LOOK_SECONDS = 50, 0.002


class Busy(Exception):
    """Another process is at the account; its argument is that process, or 0."""


class Keeper(Protocol):
    """What keeps one account."""

    def change(self, work: Callable[[Account], T], now: Moment) -> T:
        """Do something with the account while nobody else can; raises `Busy` if somebody else does."""


class Own:
    """An account that only this process knows."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def change(self, work: Callable[[Account], T], now: Moment) -> T:
        """Do something with the account."""
        self.account.carry(now)
        return work(self.account)


class Folder:
    """Where the files lie; one for all accounts of a command, so that trouble with it is told once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.works = False
        self.told = False

    def warn(self, error: OSError) -> None:
        """Say that this process counts for itself."""
        if not self.told:
            self.told = True
            reason = error.strerror or error
            log.warning("Budgets are not shared with other processes: %s cannot be written (%s).", self.path, reason)


class Shared:
    """An account in a file. Raises `LocalError` at its first use if there is no locking where the file lies."""

    def __init__(self, folder: Folder, key: Key, *, budget: Budget) -> None:
        self.folder = folder
        self.path = path_of(folder.path, key)
        self.key = key
        self.budget = budget
        self.own: Own | None = None  # since the file cannot be used
        self.known: Account | None = None

    def change(self, work: Callable[[Account], T], now: Moment) -> T:
        """Do something with the account while no other process can."""
        if self.own is None:
            try:
                return self.locked_change(work, now)
            except OSError as error:
                self.own = Own(self.without(error))
        return self.own.change(work, now)

    def locked_change(self, work: Callable[[Account], T], now: Moment) -> T:
        """The same, in the file."""
        with opened(self.path) as handle, locked(handle):
            text = os.read(handle, SIZE)
            account = decoded(text) or fresh(self.key, self.budget)
            account.limit, account.seconds = self.budget.limit, self.budget.seconds
            account.carry(now)
            result = work(account)
            os.lseek(handle, HEAD, os.SEEK_SET)
            os.write(handle, msgspec.json.encode(account).ljust(SIZE - HEAD - 1) + b"\n")
            if len(text) > SIZE - HEAD:
                os.ftruncate(handle, SIZE)
        self.known, self.folder.works = account, True
        return result

    def without(self, error: OSError) -> Account:
        """The account to go on with alone. Raises `LocalError` if the folder is no place for accounts at all."""
        if not self.folder.works and error.errno not in UNWRITABLE:
            raise LocalError(
                f"The folder of request budgets, {self.folder.path}, cannot be used: {error.strerror or error}.",
                hint="Set MKT_STATE_DIR to a folder on a local disk.",
            ) from None
        self.folder.warn(error)
        return self.known or fresh(self.key, self.budget)


def fresh(key: Key, budget: Budget) -> Account:
    """An account nothing has been spent from."""
    via, exchange, site, name = (clean(part) for part in key)
    return Account(via, exchange, site, name, budget.limit, budget.seconds)


def path_of(folder: Path, key: Key) -> Path:
    """The file of an account; different keys have different ones."""
    return folder / ("~".join(path_part(part, 55) for part in (key.via or "direct", *key[1:])) + ".json")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    """A file of the user's alone, made if it is not there."""
    try:
        handle = os.open(path, OPEN, 0o600)
    except FileNotFoundError:
        private(path.parent)
        handle = os.open(path, OPEN, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def private(folder: Path) -> None:
    """Make a folder that only the user may enter, and those above it."""
    if not folder.is_dir():
        private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


@contextlib.contextmanager
def locked(handle: int) -> Iterator[None]:
    """Hold a file's lock and say so in its first line; raises `Busy` with who holds it."""
    from filelock import lock_descriptor, unlock_descriptor  # noqa: PLC0415 - costs 30 ms; only requests need it

    if not lock_descriptor(handle, blocking=False):
        raise Busy(holder(handle))
    try:
        os.write(handle, b"%11d\n" % os.getpid())
        yield
    finally:
        unlock_descriptor(handle)


def holder(handle: int) -> int:
    """The process that holds a file, or 0; Windows locks the first byte, so that is not read."""
    os.lseek(handle, 1, os.SEEK_SET)
    try:
        text = os.read(handle, HEAD - 1).strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0


def decoded(text: bytes) -> Account | None:
    """An account as it was written, or None for anything else."""
    try:
        return DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def look(path: Path) -> Account | None:
    """The account in a file, to be shown; a lock that is held for long is not waited for."""
    from filelock import lock_descriptor, unlock_descriptor  # noqa: PLC0415

    try:
        handle = os.open(path, LOOK)
    except OSError:
        return None
    try:
        for _ in range(LOOKS):
            if lock_descriptor(handle, blocking=False):
                break
            time.sleep(LOOK_SECONDS)
        os.lseek(handle, HEAD, os.SEEK_SET)
        return decoded(os.read(handle, SIZE))
    except OSError:
        return None
    finally:
        with contextlib.suppress(OSError):
            unlock_descriptor(handle)
        os.close(handle)


@cache
def boot() -> str:
    """What this boot of the machine is called, where the system gives it a name."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii")[:64].strip()
    except (OSError, UnicodeDecodeError):
        return ""
