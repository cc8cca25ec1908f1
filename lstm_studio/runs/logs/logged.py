"""What the logs of other tools have in common: numbers over the training, and no traces."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_studio.engine.trace import Trace
from lstm_studio.errors import RunError
from lstm_studio.progress import Progress, ignore_progress
from lstm_studio.runs.curves import Curves, Times
from lstm_studio.runs.like import POLL_SECONDS, Curve, News, Problem, Status
from lstm_studio.runs.places import File, Folder

if TYPE_CHECKING:
    from lstm_studio.runs.export.exporting import ExportedRun

SILENT_SECONDS = 300.0
"""Such a log says nothing of its end, and TensorBoard's writers keep numbers back for two minutes."""

_WATCH = "Recorded with ls.watch, it would have them."


class Logged:
    """A log that another tool wrote; the reading of it is up to those that derive from this.

    Parameters
    ----------
    place
        The folder in which it lies.
    tool
        What is said to have written it.
    """

    def __init__(self, place: Folder, tool: str) -> None:
        self._place, self._tool = place, tool
        self.folder: Path | None = place.path
        """Where it lies on this computer; None if it does not."""
        self.behind = False
        """Whether there is more to read than there was time for."""
        self._scalars, self._statistics, self._parameters = Curves(), Curves(), Curves()
        self._times = Times()
        self._problems: list[Problem] = []
        self._opened = time.monotonic()
        self._grown: float | None = None

    @property
    def address(self) -> str:
        """Where it lies: a path, or an address of another computer."""
        return self._place.address

    @property
    def title(self) -> str:
        """What to call it: as its folder is called, with the one above where that only counts."""
        title = self._place.title
        above = [part for part in self.address.replace("\\", "/").split("/") if part not in {"", "."}][-2:-1]
        return f"{above[0]}/{title}" if title.startswith("version_") and above else title

    @property
    def info(self) -> Mapping[str, Any]:
        """What it says of itself."""
        return {"program": self._tool}

    @property
    def status(self) -> Status:
        """Whether the training goes on; one that died cannot be told from one that has ended."""
        return Status.RUNNING if self.heard <= SILENT_SECONDS else Status.FINISHED

    @property
    def heard(self) -> float:
        """For how many seconds nothing has been heard of the training."""
        if self._grown is not None:
            return time.monotonic() - self._grown
        age = time.time() - max((file.modified() for file in self._files()), default=0.0)
        # A file of the future says nothing.
        return age if age >= 0 else time.monotonic() - self._opened

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it does not hold, and why."""
        return (
            f"{self._tool} keeps no gates, no states and no gradients at each time step: no step of it opens in "
            f"Explore. {_WATCH}",
            "It does not say when a training has ended: one that has been silent for five minutes counts as finished.",
        )

    @property
    def layers(self) -> list[str]:
        """Attribute paths of the recurrent modules: it names none."""
        return []

    @property
    def scalars(self) -> Mapping[str, Curve]:
        """Name → (steps, values)."""
        return dict(self._scalars)

    @property
    def times(self) -> Curve:
        """(steps, seconds since 1970) at which the scalars were told; none where the log does not say."""
        return self._times.curve()

    @property
    def statistics(self) -> Mapping[str, Curve]:
        """The same of what histograms say: ``….mean``, ``….deviation``, ``….least`` and ``….greatest``."""
        return dict(self._statistics)

    @property
    def parameters(self) -> Mapping[str, Curve]:
        """The same of their norms, ``….norm``."""
        return dict(self._parameters)

    @property
    def lags(self) -> Mapping[str, Curve]:
        """Gradients by lag: none."""
        return {}

    @property
    def lag_spacing(self) -> Mapping[str, int]:
        """How far the columns of these lie apart: none."""
        return {}

    @property
    def steps(self) -> list[int]:
        """The training steps at which a trace was recorded: none."""
        return []

    @property
    def snapshots(self) -> list[int]:
        """The training steps at which all weights were kept: none."""
        return []

    @property
    def events(self) -> list[Mapping[str, Any]]:
        """What happened, in order: it does not say."""
        return []

    @property
    def problems(self) -> list[Problem]:
        """What could not be read, and where."""
        return list(self._problems)

    def items(self, step: int) -> list[int]:  # noqa: ARG002 - as of all runs
        """Return which items of the batch were sampled at one step: none."""
        return []

    def trace(self, step: int, item: int = 0) -> Trace:  # noqa: ARG002 - as of all runs
        """Raise: there are no traces.

        Raises
        ------
        RunError
            Always.
        """
        raise RunError(f"{self.address} has no trace of step {step}: {self._tool} keeps none.", _WATCH)

    def snapshot(self, update: int, key: str) -> Path:  # noqa: ARG002 - as of all runs
        """Raise: there are no snapshots.

        Raises
        ------
        RunError
            Always.
        """
        raise RunError(f"{self.address} kept no weights at step {update}.", _WATCH)

    def export(
        self,
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

    def refresh(self, seconds: float | None = None) -> News:
        """Read what has been added, and return what is new.

        Parameters
        ----------
        seconds
            To stop after, about; then :attr:`behind` says that there is more. By default everything is read.
        """
        raise NotImplementedError

    def follow(self, seconds: float = POLL_SECONDS) -> Iterator[News]:
        """Yield what is there, then whatever is added, until it has been silent for long.

        Parameters
        ----------
        seconds
            Between two looks at the files.
        """
        yield News((), tuple(self._scalars), self.status)
        while self.status is Status.RUNNING:
            time.sleep(seconds)
            news = self.refresh()
            if news.scalars or news.status is not Status.RUNNING:
                yield news

    def _files(self) -> list[File]:
        """Return the files of the log."""
        raise NotImplementedError
