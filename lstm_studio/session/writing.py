"""Writing files whole or not at all, and what helps where that fails."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from lstm_studio.errors import StudioError

_NO_ROOM = "Make room on the disk, or choose another; what is on the screen is as it was."
_CURES = {errno.ENOSPC: _NO_ROOM, errno.EDQUOT: _NO_ROOM, errno.ENOENT: "Choose a folder that exists."}
_CURE = "Choose a folder in which you may write; what is on the screen is as it was."


def cure_for(error: OSError) -> str:
    """Return what helps where a file could not be written."""
    return _CURES.get(error.errno or 0, _CURE)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is replaced whole or not at all.

    Raises
    ------
    StudioError
        If it cannot be written; a file that was there is then as it was.
    """
    try:
        # Where a link points to, and not in its place.
        there = path.resolve()
        with tempfile.TemporaryDirectory(dir=there.parent, prefix=".writing-") as folder:
            unfinished = Path(folder) / "unfinished"
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(there)
    except OSError as error:
        raise StudioError(f"{path} cannot be written: {error.strerror or error}.", cure_for(error)) from error
