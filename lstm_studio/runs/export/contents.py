"""What of a run is exported, whatever the format: curves, gradients by lag, traces, and what the run says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio import __version__
from lstm_studio.engine.trace import Trace
from lstm_studio.errors import RunError
from lstm_studio.progress import Progress
from lstm_studio.runs.like import Curve, RunLike
from lstm_studio.runs.writer import json_bytes

FORMAT = 1
"""Version of the layouts."""
ABOUT = "lstm_studio"
"""What the description of a run is called in its file."""
_LONGEST_NAME = 1000
_WORK_OF_A_TRACE = 8
"""As much as with so many curves."""
_MOST_LEFT_OUT = 20
_WORDS = "Exporting the run"


class Group(StrEnum):
    """What a curve is of."""

    SCALARS = "scalars"
    STATISTICS = "statistics"
    PARAMETERS = "parameters"


@dataclass(frozen=True, eq=False, slots=True)
class Named:
    """One curve.

    Parameters
    ----------
    group
        What it is of.
    name
        As every format can write it.
    steps, values
        (N,) each.
    """

    group: Group
    name: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Lags:
    """The gradients by lag of one signal.

    Parameters
    ----------
    name
        Of the signal.
    steps
        (N,).
    lags
        (L,), how many time steps the gradient has gone back.
    values
        (N, L), norms; NaN where a step has fewer lags than another one.
    """

    name: str
    steps: NDArray[np.int64]
    lags: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Sampled:
    """Everything that was recorded of one sequence at one training step.

    Parameters
    ----------
    step, item
        Of the training, and of the batch.
    arrays
        By name: (T, ·), or (T,) of what is one number at each time step.
    """

    step: int
    item: int
    arrays: Mapping[str, NDArray[Any]]


class Contents:
    """A run as it was when this was made; traces are read one after the other, as they are asked for.

    Parameters
    ----------
    run
        Which.
    progress
        Told how far it is whenever something is handed out.
    share
        Of all the work, what is done while things are handed out.
    traces
        Whether traces are asked for.
    """

    def __init__(self, run: RunLike, progress: Progress, *, share: float = 1.0, traces: bool = True) -> None:
        self._run, self._progress, self._share = run, progress, share
        self._curves = {Group.SCALARS: run.scalars, Group.STATISTICS: run.statistics, Group.PARAMETERS: run.parameters}
        self._names = {group: clean_names(curves) for group, curves in self._curves.items()}
        self._lags, self._spacing = run.lags, run.lag_spacing
        self.times: Curve = run.times
        """(steps, seconds since 1970); none where that is not known."""
        self._places = [(step, item) for step in run.steps for item in run.items(step)] if traces else []
        self.curve_names = [(group, name) for group, names in self._names.items() for name in names.values()]
        """What every curve is of, and its name as in :class:`Named`."""
        self.lag_count = len(self._lags)
        self.trace_count = 0
        """How many traces were handed out."""
        self._unreadable: list[str] = []
        self._work = max(1, len(self.curve_names) + self.lag_count + _WORK_OF_A_TRACE * len(self._places))
        self._done = 0

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Why traces could not be handed out."""
        count = len(self._unreadable)
        more = (f"And {count - _MOST_LEFT_OUT} more.",) if count > _MOST_LEFT_OUT else ()
        return (*self._unreadable[:_MOST_LEFT_OUT], *more)

    def tell(self) -> None:
        """Tell how far it is.

        Raises
        ------
        Cancelled
            If it is no longer wanted.
        """
        self._progress(self._share * min(1.0, self._done / self._work), _WORDS)

    def curves(self) -> Iterator[Named]:
        """Yield every curve."""
        for group, curves in self._curves.items():
            for name, (steps, values) in curves.items():
                self.tell()
                yield Named(group, self._names[group][name], steps, values)
                self._done += 1

    def lags(self) -> Iterator[Lags]:
        """Yield the gradients by lag of every signal."""
        names = clean_names(self._lags)
        for name, (steps, values) in self._lags.items():
            self.tell()
            yield Lags(names[name], steps, np.arange(values.shape[1]) * self._spacing.get(name, 1), values)
            self._done += 1

    def traces(self) -> Iterator[Sampled]:
        """Yield every trace that can be read."""
        for step, item in self._places:
            self.tell()
            trace = self._trace(step, item)
            if trace is not None:
                names = clean_names(trace.names)
                yield Sampled(step, item, {names[name]: trace[name] for name in trace.names})
                self.trace_count += 1
            self._done += _WORK_OF_A_TRACE

    def _trace(self, step: int, item: int) -> Trace | None:
        try:
            return self._run.trace(step, item)
        except RunError as error:
            self._unreadable.append(error.found)
            return None

    def walls_at(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return when training steps were, in seconds since 1970; NaN where that is not known."""
        known, walls = self.times
        found = np.full(len(steps), np.nan)
        if len(known):
            places = np.minimum(np.searchsorted(known, steps), len(known) - 1)
            told = known[places] == steps
            found[told] = walls[places[told]]
        return found

    def walls_before(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return when training steps were, or the last one before them of which that is known; 0 where none is."""
        known, walls = self.times
        if not len(known):
            return np.zeros(len(steps))
        return walls[np.maximum(np.searchsorted(known, steps, side="right") - 1, 0)]

    def about(self) -> str:
        """Return what the run says of itself, as JSON in ASCII."""
        run = self._run
        about: dict[str, Any] = {
            "format": FORMAT,
            "program": f"LSTM Studio {__version__}",
            "title": run.title,
            "status": run.status.value,
            "layers": run.layers,
        }
        try:
            return json_bytes({**about, "info": run.info, "events": list(run.events)}).decode()
        except RecursionError:
            # Somebody has nested it so deeply on purpose.
            return json_bytes(about).decode()


def clean_names(names: Iterable[str]) -> dict[str, str]:
    """Return by name what it is called in files: without what some format could not hold, and no two the same."""
    taken: set[str] = set()
    return {
        name: untaken(name.encode("utf-8", "replace").decode().replace("\0", "�")[:_LONGEST_NAME], taken)
        for name in names
    }


def untaken(name: str, taken: set[str]) -> str:
    """Return a name that is none of those taken, and take it."""
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name} ({count})"
    taken.add(found)
    return found
