"""Files that leave the program are whole, or as they were."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lstm_studio.errors import StudioError
from lstm_studio.session.writing import cure_for, write_whole


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "ä ö.svg"
    write_whole(path, b"first")
    write_whole(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_there_stays_where_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    write_whole(path, b"before")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StudioError, match=r"a\.png cannot be written: No space left on device") as caught:
        write_whole(path, b"after")
    assert "Make room" in caught.value.cure
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_no_matter_of_rights(tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        write_whole(tmp_path / "none" / "a.png", b"x")
    assert caught.value.cure == "Choose a folder that exists."
    assert "may write" in cure_for(OSError(errno.EACCES, "no"))


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "a.html", tmp_path / "a.html"
    write_whole(target, b"first")
    link.symlink_to(target)
    write_whole(link, b"second")
    assert link.is_symlink()
    assert target.read_bytes() == b"second"
