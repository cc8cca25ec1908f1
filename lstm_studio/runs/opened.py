"""What every training that was opened can do, whoever wrote it: be followed, be exported, say how long it is silent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_studio.progress import Progress, ignore_progress
from lstm_studio.runs.curves import Times
from lstm_studio.runs.like import POLL_SECONDS, Curve, News, Problem, RunLike, Status
from lstm_studio.runs.places import File, Folder

if TYPE_CHECKING:
    from lstm_studio.runs.export.exporting import ExportedRun


class OpenedRun:
    """A training on disk; the reading of it is up to those that derive from this.

    Parameters
    ----------
    place
        The folder in which it lies.
    """

    def __init__(self, place: Folder) -> None:
        self._place = place
        self.folder: Path | None = place.path
        """Where it lies on this computer; None if it does not."""
        self.behind = False
        """Whether there is more to read than there was time for."""
        self._times = Times()
        self._problems: list[Problem] = []
        self._opened = time.monotonic()
        self._grown: float | None = None

    @property
    def address(self) -> str:
        """Where it lies: a path, or an address of another computer."""
        return self._place.address

    @property
    def times(self) -> Curve:
        """(steps, seconds since 1970) at which the scalars were told; none where nobody says."""
        return self._times.curve()

    @property
    def heard(self) -> float:
        """For how many seconds nothing has been heard of the training."""
        if self._grown is not None:
            return time.monotonic() - self._grown
        # Of what happened before it was opened only the clock of the file system knows.
        age = time.time() - max((file.modified() for file in self._files()), default=0.0)
        # A file of the future says nothing.
        return age if age >= 0 else time.monotonic() - self._opened

    def export(
        self: RunLike,
        path: str | Path,
        *,
        kind: str | None = None,
        force: bool = False,
        progress: Progress = ignore_progress,
    ) -> ExportedRun:
        """Write what it holds now for other programs: TensorBoard, Parquet or NumPy.

        See :func:`~lstm_studio.runs.export.exporting.export_run`, which has these parameters.

        Raises
        ------
        RunError
            If the path says no format, is taken, or cannot be written to.
        """
        from lstm_studio.runs.export.exporting import export_run

        return export_run(self, path, kind=kind, force=force, progress=progress)

    def follow(self: RunLike, seconds: float = POLL_SECONDS) -> Iterator[News]:
        """Yield what is there, then whatever is added, until the run has ended.

        Parameters
        ----------
        seconds
            Between two looks at the files.
        """
        yield News(tuple(self.steps), tuple(self.scalars), self.status)
        while self.status is Status.RUNNING:
            time.sleep(seconds)
            news = self.refresh()
            if news.steps or news.scalars or news.status is not Status.RUNNING:
                yield news

    def _files(self) -> Iterable[File]:
        """Return the files that grow with the training."""
        raise NotImplementedError
