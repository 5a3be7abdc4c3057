"""A reader sees the old file or the new one, never a part; and nothing takes a device's place."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from marketcli.disk import staged
from marketcli.errors import LocalError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def write(target: Path, data: bytes, *, force: bool = False) -> None:
    with staged(target, force=force) as file:
        file.write(data)


def test_a_new_file_appears_whole_and_alone(tmp_path: Path) -> None:
    write(tmp_path / "x.csv", b"rows")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x.csv", b"rows")]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    target.write_bytes(b"old")

    def fail() -> None:
        with staged(target, force=True) as file:
            file.write(b"new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x.csv", b"old")]


def test_a_name_taken_meanwhile_is_not_taken_away(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"

    def race() -> None:
        with staged(target, force=False) as file:
            file.write(b"mine")
            target.write_bytes(b"theirs")

    with pytest.raises(UsageError, match="exists already"):
        race()
    assert target.read_bytes() == b"theirs"
    assert len(list(tmp_path.iterdir())) == 1


def test_force_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link.csv"
    victim.write_bytes(b"precious")
    link.symlink_to(victim)
    write(link, b"rows", force=True)
    assert victim.read_bytes() == b"precious"
    assert (link.is_symlink(), link.read_bytes()) == (False, b"rows")


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    write(link, b"rows", force=True)
    assert link.is_symlink()
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)  # noqa: PTH116 - the device itself


def test_places_that_cannot_be_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory"):
        write(tmp_path, b"")
    with pytest.raises(LocalError, match="does not exist"):
        write(tmp_path / "no" / "x", b"")


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "no space left"), (errno.EROFS, "Read-only file system")])
def test_a_disk_that_refuses_is_told_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(LocalError, match=said):
        write(tmp_path / "x.csv", b"rows")
    assert list(tmp_path.iterdir()) == []


def test_the_bytes_are_safe_before_the_name_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def noted(name: str, call: Any) -> Any:
        def noting(*given: Any) -> None:
            order.append(name)
            call(*given)

        return noting

    monkeypatch.setattr("os.fsync", noted("fsync", os.fsync))
    monkeypatch.setattr("os.link", noted("name", os.link))
    write(tmp_path / "x.csv", b"rows")
    assert order == ["fsync", "name", "fsync"]
