"""Errors a user can cause: one type per package, one clear message each.

A message says what was found, where (file, line, column, tensor name) and what to do. Everything else that goes wrong
is a bug and surfaces as an ordinary exception with its traceback.
"""

from __future__ import annotations

from pathlib import Path

_LONGEST_NAME = 500
"""Letters of a path that are shown; one that is too long for the system may have any number."""


class StudioError(Exception):
    """Something the user can put right.

    Parameters
    ----------
    found
        What was found and where, in one sentence, for example
        ``"data.csv, line 7, column 'x': 'abc' is not a number"``.
    cure
        What the user can do about it, in one sentence; may be empty.
    """

    def __init__(self, found: str, cure: str = "") -> None:
        super().__init__(f"{found} {cure}".rstrip())
        self.found = found
        self.cure = cure

    def __reduce__(self) -> tuple[type[StudioError], tuple[object, ...]]:
        # Exception pickles its args, which are the joined message: rebuild from the two parts instead.
        return type(self), (self.found, self.cure)


class SequenceError(StudioError):
    """A sequence file could not be read as asked."""


class NetworkError(StudioError):
    """A network could not be built or read from a checkpoint."""


class TraceError(StudioError):
    """A trace could not be computed, saved or loaded."""


class RunError(StudioError):
    """A run folder could not be recorded or read."""


def is_there(path: Path, error: type[StudioError]) -> bool:
    """Return whether a file or a folder of this name exists.

    Raises
    ------
    StudioError
        Of the given type, if nobody can tell: it lies where this user may not look, or no system has such a name.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as refused:
        name = str(path)
        raise error(
            f"{name if len(name) <= _LONGEST_NAME else f'{name[:80]}…'} cannot be opened ({refused.strerror}).",
            "Check the name, and that you may read it.",
        ) from refused
    return True
