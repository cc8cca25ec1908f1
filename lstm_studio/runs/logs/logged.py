"""What the logs of other tools have in common: numbers over the training, and no traces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstm_studio.engine.trace import Trace
from lstm_studio.errors import RunError
from lstm_studio.runs.curves import Curves
from lstm_studio.runs.like import Curve, News, Problem, Status
from lstm_studio.runs.opened import OpenedRun
from lstm_studio.runs.places import Folder

SILENT_SECONDS = 300.0
"""Such a log says nothing of its end, and TensorBoard's writers keep numbers back for two minutes."""

_WATCH = "Recorded with ls.watch, it would have them."


class Logged(OpenedRun):
    """A log that another tool wrote; the reading of it is up to those that derive from this.

    Parameters
    ----------
    place
        The folder in which it lies.
    tool
        What is said to have written it.
    """

    def __init__(self, place: Folder, tool: str) -> None:
        super().__init__(place)
        self._tool = tool
        self._scalars, self._statistics, self._parameters = Curves(), Curves(), Curves()

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

    def refresh(self, seconds: float | None = None) -> News:
        """Read what has been added, and return what is new.

        Parameters
        ----------
        seconds
            To stop after, about; then :attr:`behind` says that there is more. By default everything is read.
        """
        raise NotImplementedError
