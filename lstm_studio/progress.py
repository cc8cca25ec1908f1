"""How long work reports that it goes on, and learns that it is no longer wanted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[float, str], None]
"""``progress(fraction, words)``: called now and then by long work. ``fraction`` lies in 0…1, or is negative when it
cannot be known. The callee may raise :class:`Cancelled`, which the work lets pass after cleaning up."""


class Cancelled(Exception):  # noqa: N818 - not an error: the user changed their mind
    """The work is no longer wanted."""


def ignore_progress(fraction: float, words: str) -> None:
    """Report to nobody: the default for library calls."""


@contextmanager
def on_terminal() -> Iterator[Progress]:
    """Show a bar on standard error while the work inside reports; on a terminal only."""
    if not sys.stderr.isatty():
        yield ignore_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("", total=1.0)

        def show(fraction: float, words: str) -> None:
            bars.update(bar, description=words, total=None if fraction < 0 else 1.0, completed=max(fraction, 0.0))

        yield show
