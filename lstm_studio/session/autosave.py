"""What a program that died, or was closed before its session was saved, leaves for the next start.

Each running program has a folder of its own under the user's state folder, which it holds a lock on: the system
releases that whatever way the program ends. Folders without a living owner are what was left.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from lstm_studio.errors import StudioError
from lstm_studio.progress import Progress
from lstm_studio.session.question import Question, Tools
from lstm_studio.session.session_file import SUFFIX, Contents, Headline, headline_of, read_session, write_session

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

KEEP_DAYS = 30
"""Days after which what was left is removed, whether anybody has looked at it or not."""
MOST_KEPT = 10
"""Sessions that are kept of those left; the oldest make place."""

_KEPT, _DAMAGED = f"unsaved{SUFFIX}", f"damaged{SUFFIX}"
_LOCK, _OWNER = "lock", "owner.json"
_NEW = 60.0
"""Seconds for which a folder without a lock may be one that a program is just making."""


class AutosaveError(StudioError):
    """A session cannot be kept for the next start."""


def desks_folder() -> Path:
    """Return the folder of the folders of all running programs, which need not exist."""
    from platformdirs import user_state_path

    return user_state_path("lstm-studio", appauthor=False) / "sessions"


class Desk:
    """The folder of this program: the weights of opened sessions, and what nobody has saved yet.

    Parameters
    ----------
    root
        Where the folders of all programs are.

    Raises
    ------
    AutosaveError
        If there can be no folder.
    """

    def __init__(self, root: Path | None = None) -> None:
        root = root or desks_folder()
        try:
            root.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root))
            self._lock: BinaryIO | None = (self.folder / _LOCK).open("wb")
            _lock(self._lock)
        except OSError as error:
            raise AutosaveError(
                f"Unsaved sessions cannot be kept in {root}: {error.strerror or error}.",
                "Save sessions yourself, or make the folder writable and start again.",
            ) from error

    @property
    def networks(self) -> Path:
        """Where the weights of opened sessions are put."""
        return self.folder / "networks"

    @property
    def keeps(self) -> bool:
        """Whether a session is kept for the next start."""
        return (self.folder / _KEPT).is_file()

    def keep(self, contents: Contents, document: Path | None = None) -> None:
        """Keep a session for the next start, in place of the one before.

        Parameters
        ----------
        contents
            The session.
        document
            The file in which it is saved, without its last changes; None for one that never was.

        Raises
        ------
        StudioError
            If it cannot be written; the one before is then still there.
        """
        about = {"document": None if document is None else str(document)}
        with contextlib.suppress(OSError):
            # Without it the session opens all the same, under no name.
            (self.folder / _OWNER).write_text(json.dumps(about), "utf-8")
        write_session(contents, self.folder / _KEPT)

    def forget(self) -> None:
        """Keep nothing any more: it has been saved, or is as it was."""
        with contextlib.suppress(OSError):
            (self.folder / _KEPT).unlink(missing_ok=True)

    def take_over(self, left: Left) -> None:
        """Make what another program left one's own, so that it outlives this one too."""
        with contextlib.suppress(OSError):
            (left.folder / _KEPT).replace(self.folder / _KEPT)
            shutil.rmtree(left.folder, ignore_errors=True)

    def close(self) -> None:
        """Leave the folder: to the next start if a session is kept in it, else to nobody."""
        if self._lock is None:
            return
        keeps = self.keeps
        self._lock.close()
        self._lock = None
        if keeps:
            shutil.rmtree(self.networks, ignore_errors=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Left:
    """A session that was left.

    Parameters
    ----------
    folder
        Where it is.
    headline
        What it shows and when it was kept; None where it is damaged beyond that.
    document
        The file in which it was saved without its last changes, or None.
    """

    folder: Path
    headline: Headline | None
    document: Path | None = None

    @property
    def path(self) -> Path:
        """The session itself."""
        return self.folder / (_DAMAGED if self.headline is None else _KEPT)


def find_left(root: Path | None = None) -> tuple[Left, ...]:
    """Return the sessions that programs which are no longer running have left, the newest first.

    Tidies up on the way: empty folders, and what has been there for too long. Nothing raises. One that is damaged
    beyond reading is put aside, so that it is told of once.
    """
    root = root or desks_folder()
    found: list[tuple[float, Left]] = []
    with contextlib.suppress(OSError):
        for folder in root.iterdir():
            with contextlib.suppress(OSError):
                left = _left(folder)
                if left is not None:
                    found.append(left)
    found.sort(key=lambda pair: pair[0], reverse=True)
    for _, old in found[MOST_KEPT:]:
        shutil.rmtree(old.folder, ignore_errors=True)
    return tuple(left for _, left in found[:MOST_KEPT])


def _left(folder: Path) -> tuple[float, Left] | None:
    """Return what was left in a folder and when, if it was and its owner is gone."""
    if not folder.is_dir() or not _is_orphan(folder):
        return None
    kept, damaged = folder / _KEPT, folder / _DAMAGED
    there = kept if kept.is_file() else damaged if damaged.is_file() else None
    when = (there or folder).stat().st_mtime
    age = time.time() - when
    if age > KEEP_DAYS * 86_400 or (there is None and age > _NEW):
        shutil.rmtree(folder, ignore_errors=True)
        return None
    if there is None or there == damaged:
        return None
    try:
        headline = headline_of(kept)
    except StudioError:
        kept.replace(damaged)
        return when, Left(folder, None)
    return when, Left(folder, headline, _document_of(folder))


def _document_of(folder: Path) -> Path | None:
    try:
        about: Any = json.loads((folder / _OWNER).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    document = about.get("document") if isinstance(about, dict) else None
    return Path(document) if isinstance(document, str) and "\0" not in document else None


def _is_orphan(folder: Path) -> bool:
    """Return whether no living program holds the lock of a folder."""
    try:
        with (folder / _LOCK).open("r+b") as file:
            _lock(file)
    except FileNotFoundError:
        return True
    except OSError:
        # Held; or on a disk that knows no locks, where nobody can tell and nothing is touched.
        return False
    return True


def _lock(file: BinaryIO) -> None:
    """Lock a file for as long as it is open, or raise OSError at once if another has."""
    if sys.platform == "win32":
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


# What the window asks of the worker.


@dataclass(frozen=True, eq=False, slots=True)
class SaveSession(Question):
    """Write a session; answered with its path."""

    contents: Contents
    path: Path
    title: ClassVar[str] = "Saving the session"
    about_result: ClassVar[bool] = False

    def answer(self, tools: Tools, progress: Progress) -> Path:  # noqa: ARG002 - needs neither
        """Write it."""
        write_session(self.contents, self.path)
        return self.path


@dataclass(frozen=True, eq=False, slots=True)
class OpenSession(Question):
    """Read a session; answered with its contents.

    Parameters
    ----------
    path
        The file.
    folder
        Where the weights of its networks go.
    left
        Where it was left, if it was.
    """

    path: Path
    folder: Path
    left: Left | None = None
    title: ClassVar[str] = "Opening the session"
    about_result: ClassVar[bool] = False

    def answer(self, tools: Tools, progress: Progress) -> Contents:  # noqa: ARG002 - needs neither
        """Read it."""
        return read_session(self.path, self.folder)


@dataclass(frozen=True, eq=False, slots=True)
class DiscardSession(Question):
    """Remove a session that was left; answered with None."""

    left: Left
    title: ClassVar[str] = "Discarding the session"
    about_result: ClassVar[bool] = False

    def answer(self, tools: Tools, progress: Progress) -> None:  # noqa: ARG002 - needs neither
        """Remove it."""
        shutil.rmtree(self.left.folder, ignore_errors=True)
