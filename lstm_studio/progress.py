"""How long work reports that it goes on, and learns that it is no longer wanted."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""``progress(fraction, words)``: called now and then by long work. ``fraction`` lies in 0…1, or is negative when it
cannot be known. The callee may raise :class:`Cancelled`, which the work lets pass after cleaning up."""


class Cancelled(Exception):  # noqa: N818 - not an error: the user changed their mind
    """The work is no longer wanted."""


def ignore_progress(fraction: float, words: str) -> None:
    """Report to nobody: the default for library calls."""
