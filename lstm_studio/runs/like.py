"""What every training that can be looked at has, whoever wrote it: the surface that views read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.trace import Trace

POLL_SECONDS = 0.1
"""Between two looks at files that grow."""

Curve = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Steps in growing order, and a value at each."""


class Status(StrEnum):
    """What has become of the training."""

    RUNNING = "running"
    FINISHED = "finished"
    DIED = "died"


@dataclass(frozen=True, slots=True)
class News:
    """What has come to a run since it was last looked at.

    Parameters
    ----------
    steps
        Training steps of which there is a trace now.
    scalars
        Names of the curves that have grown.
    status
        As it is now.
    """

    steps: tuple[int, ...]
    scalars: tuple[str, ...]
    status: Status


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read.

    Parameters
    ----------
    file, offset
        Where.
    what
        In words.
    """

    file: str
    offset: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}, byte {self.offset}: {self.what}"


class RunLike(Protocol):
    """A training on disk: a recorded run, or what another tool has logged. What it hands out never changes later."""

    @property
    def address(self) -> str:
        """Where it lies: a path, or an address of another computer."""

    @property
    def folder(self) -> Path | None:
        """Where it lies on this computer; None if it does not."""

    @property
    def title(self) -> str:
        """What to call it."""

    @property
    def info(self) -> Mapping[str, Any]:
        """What it says of itself; of recorded runs ``run.json``."""

    @property
    def status(self) -> Status:
        """Whether the training goes on, has ended, or was ended by something else."""

    @property
    def heard(self) -> float:
        """For how many seconds nothing has been heard of it."""

    @property
    def behind(self) -> bool:
        """Whether there is more to read than there was time for."""

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it does not hold, and why, in sentences; none where it holds everything."""

    @property
    def layers(self) -> list[str]:
        """Attribute paths of the recurrent modules."""

    @property
    def scalars(self) -> Mapping[str, Curve]:
        """Name → (steps, values), of what the training told."""

    @property
    def times(self) -> Curve:
        """(steps, seconds since 1970) at which the scalars were told, by the clock of the training."""

    @property
    def statistics(self) -> Mapping[str, Curve]:
        """The same of the signals of recurrent layers."""

    @property
    def parameters(self) -> Mapping[str, Curve]:
        """The same of the weights."""

    @property
    def lags(self) -> Mapping[str, Curve]:
        """Signal → (steps (N,), norms (N, L) of the gradient, by how many time steps it has gone back).

        NaN where a step has fewer lags than another one.
        """

    @property
    def lag_spacing(self) -> Mapping[str, int]:
        """Signal → how many time steps lie between two columns of its norms; 1 unless they are many."""

    @property
    def steps(self) -> list[int]:
        """The training steps at which a trace was recorded."""

    @property
    def snapshots(self) -> list[int]:
        """The training steps at which all weights were kept."""

    @property
    def events(self) -> Sequence[Mapping[str, Any]]:
        """What happened, in order."""

    @property
    def problems(self) -> Sequence[Problem]:
        """What could not be read, and where."""

    def items(self, step: int) -> list[int]:
        """Return which items of the batch were sampled at one step."""

    def trace(self, step: int, item: int = 0) -> Trace:
        """Return everything recorded of one item of the batch at one training step."""

    def snapshot(self, update: int, key: str) -> Path:
        """Return the file with the weights that one network had at one training step."""

    def refresh(self, seconds: float | None = None) -> News:
        """Read what has been added, for about so many seconds at the most, and return what is new."""

    def follow(self, seconds: float = POLL_SECONDS) -> Iterator[News]:
        """Yield what is there, then whatever is added, until the run has ended."""
