"""Where runs lie: folders and files that are read in parts, on this computer; ``remote`` has those of others.

What a run holds may have been made by anybody: no link in it is followed, and nothing opened that is not a file.
"""

from __future__ import annotations

import io
import itertools
import os
import re
import stat
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from lstm_studio.errors import RunError

_MOST_ENTRIES = 100_000
_BLOCK = 2**20
_ADDRESS = re.compile("[A-Za-z][A-Za-z0-9+.-]+:/")
"""How an address begins, also one that a path was made of, which has one slash less; no drive of Windows does."""


def local(folder: str | Path) -> Path:
    """Return a folder in which a run can be recorded.

    Raises
    ------
    RunError
        If it is an address of another computer's: runs are read from there, and written here.
    """
    if _ADDRESS.match(str(folder).replace("\\", "/")):
        raise RunError(
            f"{folder} is an address, and a run is recorded into a folder of this computer.",
            "Give a folder; it can be copied while it grows, or lie where another computer's files are mounted.",
        )
    return Path(folder)


class Opened(Protocol):
    """A file that is open, as large as it was then."""

    @property
    def size(self) -> int:
        """How many bytes it had when it was opened."""

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes from a place, fewer where it has no more.

        Raises
        ------
        OSError
            If they cannot be read.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class File(Protocol):
    """One file of a folder, whether it is there or not."""

    @property
    def address(self) -> str:
        """Where it lies, for people."""

    def open(self) -> Opened:
        """Open it, with the size that it has now.

        Raises
        ------
        OSError
            If it is no file, or cannot be opened.
        """

    def modified(self) -> float:
        """Return when it was last written to, in seconds since 1970; 0 where that is not known."""

    def here(self) -> Path:
        """Return where it lies on this computer; a copy of it, if it does not.

        Raises
        ------
        OSError
            If it is no file, or cannot be read.
        """


class Folder(Protocol):
    """A folder, whether it is there or not."""

    @property
    def address(self) -> str:
        """Where it lies, for people."""

    @property
    def title(self) -> str:
        """What it is called."""

    @property
    def path(self) -> Path | None:
        """Where it lies on this computer; None if it does not."""

    def folders(self) -> list[str]:
        """Return the names of the folders in it, in no order.

        Raises
        ------
        UnlistedError
            If what is in it cannot be asked for, though parts of it may be there.
        OSError
            If it cannot be read.
        """

    def files(self) -> list[str]:
        """Return the names of what else is in it, as :meth:`folders` does those of folders."""

    def part(self, name: str) -> Folder:
        """Return a folder in it."""

    def file(self, name: str) -> File:
        """Return a file in it."""


class UnlistedError(OSError):
    """A server says what is in a file, and not which files there are."""


class LocalFile:
    """A file of this computer.

    Parameters
    ----------
    path
        Where.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def address(self) -> str:
        """Where it lies."""
        return str(self._path)

    def open(self) -> LocalOpened:
        """Open it; never what a link leads to, and nothing that is no file: a pipe would wait for ever.

        Raises
        ------
        OSError
            If it is neither, or cannot be opened.
        """
        path = self._path
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        if path.is_symlink():
            raise OSError(f"{path} is a link")
        descriptor = os.open(path, flags)
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            os.close(descriptor)
            raise OSError(f"{path} is not a file")
        return LocalOpened(io.FileIO(descriptor), about.st_size)

    def modified(self) -> float:
        """Return when it was last written to; 0 where it is no longer there."""
        try:
            return self._path.lstat().st_mtime
        except OSError:
            return 0.0

    def here(self) -> Path:
        """Return where it lies.

        Raises
        ------
        OSError
            If it is no file, or cannot be opened.
        """
        with self.open():
            return self._path


class LocalOpened:
    """A file of this computer that is open.

    Parameters
    ----------
    file
        Which is closed with this.
    size
        How many bytes it has.
    """

    def __init__(self, file: io.FileIO, size: int) -> None:
        self._file = file
        self.size = size
        """How many bytes it had when it was opened."""

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes from a place, fewer where it has no more."""
        self._file.seek(offset)
        found = self._file.read(max(min(length, self.size - offset), 0))
        return found or b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()


class LocalFolder:
    """A folder of this computer.

    Parameters
    ----------
    path
        Where.
    below
        The folders on the way there that may not be links, this one perhaps among them.
    """

    def __init__(self, path: Path, below: tuple[Path, ...] = ()) -> None:
        self.path: Path | None = path
        """Where it lies on this computer."""
        self._path, self._below = path, below

    @property
    def address(self) -> str:
        """Where it lies."""
        return str(self._path)

    @property
    def title(self) -> str:
        """What it is called."""
        return self._path.absolute().name or str(self._path)

    def folders(self) -> list[str]:
        """Return the names of the folders in it, links to folders not among them."""
        return self._names(folders=True)

    def files(self) -> list[str]:
        """Return the names of whatever else is in it; not all of that need be files."""
        return self._names(folders=False)

    def part(self, name: str) -> LocalFolder:
        """Return a folder in it."""
        path = self._path / name
        return LocalFolder(path, (*self._below, path))

    def file(self, name: str) -> LocalFile:
        """Return a file in it."""
        return LocalFile(self._path / name)

    def _names(self, *, folders: bool) -> list[str]:
        for folder in self._below:
            if folder.is_symlink():
                raise OSError(f"{folder} is a link")
        with os.scandir(self._path) as entries:
            found = (entry.name for entry in entries if entry.is_dir(follow_symlinks=False) == folders)
            return list(itertools.islice(found, _MOST_ENTRIES))


class Window:
    """Reads an open file in large parts, of which small ones are handed out without copying them.

    Parameters
    ----------
    file
        What to read.
    """

    def __init__(self, file: Opened) -> None:
        self._file = file
        self.size = file.size
        """How many bytes there are."""
        self._start = 0
        self._block = b""
        self._view = memoryview(self._block)

    def at(self, offset: int, length: int) -> memoryview:
        """Return bytes from a place, fewer where there are no more."""
        stop = min(offset + length, self.size)
        if not self._start <= offset <= stop <= self._start + len(self._block):
            self._load(offset, max(length, _BLOCK))
        return self._view[offset - self._start : max(stop - self._start, 0)]

    def around(self, offset: int) -> tuple[bytes, int]:
        """Return what is in memory around a place, and where in the file that begins."""
        if not self._start <= offset < self._start + len(self._block):
            self._load(offset, _BLOCK)
        return self._block, self._start

    def _load(self, offset: int, length: int) -> None:
        self._start, self._block = offset, self._file.read(offset, length)
        self._view = memoryview(self._block)


def whole(file: File, most: int) -> bytes:
    """Return what is in a small file, and one byte more than ``most`` where it is larger.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with file.open() as opened:
        return opened.read(0, most + 1)
